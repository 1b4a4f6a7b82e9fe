/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connection_line - one line of a batch of connections: a flat JSON object, or words */
#include <ctype.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/trace/connection.h"

#define MAX_KEYS 40

struct line {
	struct arena *a;
	const char *at;
	struct err *e;
	const char *key[MAX_KEYS], *value[MAX_KEYS]; /* value NULL: null */
	unsigned n;
};

static int bad(struct line *l, const char *why, const char *what)
{
	return err_set(l->e, ERR_USAGE, "trace", "%s%s%s%s", why, what ? " '" : "", what ? what : "", what ? "'" : "");
}

static void blanks(struct line *l)
{
	l->at += strspn(l->at, " \t\r\n");
}

static int hex4(const char *s)
{
	int v = 0;

	for (unsigned i = 0; i < 4; i++) {
		if (!isxdigit((unsigned char)s[i]))
			return -1;
		v = v * 16 + (isdigit((unsigned char)s[i]) ? s[i] - '0' : (s[i] | 0x20) - 'a' + 10);
	}
	return v;
}

/* One character of a string; nothing beyond ASCII has a place in a connection. */
static int character(struct line *l)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *p;
	int c = (unsigned char)*l->at++;

	if (c < 0x20 || c > 0x7e)
		return -1;
	if (c != '\\')
		return c;
	if (*l->at == 'u') {
		c = hex4(l->at + 1);
		if (c <= 0 || c > 0x7e)
			return -1;
		l->at += 5;
		return c;
	}
	p = *l->at ? strchr(from, *l->at) : NULL;
	if (!p)
		return -1;
	l->at++;
	return to[p - from];
}

static const char *string(struct line *l)
{
	char text[512];
	unsigned n = 0;

	l->at++;
	while (*l->at != '"') {
		int c = character(l);

		if (c < 0 || n + 1 == sizeof(text))
			return NULL;
		text[n++] = (char)c;
	}
	l->at++;
	return arena_strndup(l->a, text, n);
}

/* A text, a whole number or null; @ret stays NULL for null. */
static int value(struct line *l, const char **ret)
{
	size_t n;

	blanks(l);
	if (*l->at == '"') {
		*ret = string(l);
		return *ret ? 0 : bad(l, "a text is malformed or too long", NULL);
	}
	if (strncmp(l->at, "null", 4) == 0) {
		l->at += 4;
		return 0;
	}
	n = strspn(l->at, "0123456789");
	if (!n || (l->at[n] && !strchr(" \t\r\n,}", l->at[n])))
		return bad(l, "a value must be a text, a whole number or null", NULL);
	*ret = arena_strndup(l->a, l->at, n);
	l->at += n;
	return *ret ? 0 : err_oom(l->e);
}

static int member(struct line *l)
{
	blanks(l);
	if (*l->at != '"')
		return bad(l, "a key is missing", NULL);
	if (l->n == MAX_KEYS)
		return bad(l, "too many keys", NULL);
	l->key[l->n] = string(l);
	if (!l->key[l->n])
		return bad(l, "a key is malformed", NULL);
	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(l->key[i], l->key[l->n]) == 0)
			return bad(l, "a key stands twice:", l->key[i]);
	blanks(l);
	if (*l->at++ != ':')
		return bad(l, "':' is missing behind", l->key[l->n]);
	return value(l, &l->value[l->n++]);
}

static int object(struct line *l)
{
	l->at++;
	blanks(l);
	if (*l->at != '}')
		do {
			if (member(l) < 0)
				return -1;
			blanks(l);
		} while (*l->at == ',' && l->at++);
	if (*l->at != '}')
		return bad(l, "'}' is missing", NULL);
	l->at++;
	blanks(l);
	return *l->at ? bad(l, "something follows the object:", l->at) : 0;
}

static const char *take(struct line *l, const char *key)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->key[i] && strcmp(l->key[i], key) == 0) {
			l->key[i] = NULL;
			return l->value[i];
		}
	return NULL;
}

/* The key that cnish prints, or the short one that people type. */
static const char *take_either(struct line *l, const char *key, const char *brief)
{
	const char *v = take(l, key);

	return v ? v : take(l, brief);
}

int connection_parse_line(struct arena *a, const char *text, struct trace_request *ret, struct err *e)
{
	struct line l = { .a = a, .at = text, .e = e };
	const char *words[2 * MAX_KEYS + 8], *path, *proto, *src, *dst;
	int n = 0;

	blanks(&l);
	if (*l.at != '{')
		return connection_parse(a, 1, (char *const[]){ arena_strdup(a, text) }, ret, e);
	if (object(&l) < 0)
		return -1;
	take(&l, "family"); /* follows from the addresses */
	path = take(&l, "path");
	proto = take_either(&l, "protocol", "proto");
	src = take_either(&l, "saddr", "src");
	dst = take_either(&l, "daddr", "dst");
	if (path)
		words[n++] = path;
	if (!proto)
		return bad(&l, "the key 'protocol' is missing", NULL);
	words[n++] = proto;
	if (!dst)
		return bad(&l, "the key 'daddr' is missing", NULL);
	if (src) {
		words[n++] = src;
		words[n++] = "to";
	}
	words[n++] = dst;
	for (unsigned i = 0; i < l.n; i++)
		if (l.key[i] && l.value[i]) {
			words[n++] = l.key[i];
			words[n++] = l.value[i];
		}
	return connection_parse(a, n, (char *const *)words, ret, e);
}
