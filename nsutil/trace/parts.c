/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parts - options of IP and TCP, extension headers of IPv6, fragments: what is given of them */
#include "nsutil/trace/parts.h"

#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"

/* Names as nft has them, then others in use. 'size': of those that always have the same; 'number': what "=N" sets. */
static const struct name {
	const char *name;
	uint8_t type, size, number;
} ip_names[] = {
	{ "rr", 7, 0, 0 }, { "lsrr", 131, 0, 0 }, { "ssrr", 137, 0, 0 }, { "ra", 148, 4, 2 }, { "timestamp", 68, 0, 0 },
	{ "nop", 1, 1, 0 }, { "eol", 0, 1, 0 }, { "router-alert", 148, 4, 2 },
}, tcp_names[] = {
	{ "maxseg", 2, 4, 2 }, { "window", 3, 3, 1 }, { "sack-perm", 4, 2, 0 }, { "timestamp", 8, 10, 0 }, { "nop", 1, 1, 0 },
	{ "sack", 5, 0, 0 }, { "md5sig", 19, 18, 0 }, { "mptcp", 30, 0, 0 }, { "fastopen", 34, 0, 0 }, { "eol", 0, 1, 0 },
	{ "mss", 2, 4, 2 }, { "wscale", 3, 3, 1 }, { "sack-permitted", 4, 2, 0 }, { "md5", 19, 18, 0 },
}, v6_names[] = {
	{ "hbh", IPPROTO_HOPOPTS, 0, 0 }, { "dst", IPPROTO_DSTOPTS, 0, 0 }, { "rt", IPPROTO_ROUTING, 0, 0 },
	{ "frag", IPPROTO_FRAGMENT, 8, 0 },
};

static const struct {
	const struct name *names;
	unsigned n;
	const char *what;
} kinds[] = {
	[PARTS_IPOPT] = { ip_names, ARRAY_SIZE(ip_names), "IP option" },
	[PARTS_TCPOPT] = { tcp_names, ARRAY_SIZE(tcp_names), "TCP option" },
	[PARTS_EXTHDR] = { v6_names, ARRAY_SIZE(v6_names), "extension header" },
};

const char *const *parts_names(enum parts_kind kind)
{
	static const char *lists[ARRAY_SIZE(kinds)][ARRAY_SIZE(tcp_names) + 2];

	for (unsigned i = 0; i < kinds[kind].n; i++)
		lists[kind][i] = kinds[kind].names[i].name;
	lists[kind][kinds[kind].n] = "none";
	return lists[kind];
}

const struct part *parts_find(const struct parts *p, uint8_t type)
{
	for (unsigned i = 0; p && i < p->n; i++)
		if (p->part[i].type == type)
			return &p->part[i];
	return NULL;
}

/* ---- words ---- */

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : -1;
}

/* Return: bytes, -1 when it is no hexadecimal text of whole bytes, or more than @max */
static int hex_bytes(const char *s, size_t len, uint8_t *to, unsigned max)
{
	if (len % 2 || len / 2 > max)
		return -1;
	for (size_t i = 0; i < len; i += 2) {
		int high = hex_digit(s[i]), low = hex_digit(s[i + 1]);

		if (high < 0 || low < 0)
			return -1;
		to[i / 2] = (uint8_t)(high << 4 | low);
	}
	return (int)(len / 2);
}

/* A number alone is a type that has no name. */
static int type_of(enum parts_kind kind, const char *s, size_t n, struct name *ret)
{
	char text[20] = "", *end;

	if (!n || n >= sizeof(text))
		return -1;
	memcpy(text, s, n);
	for (unsigned i = 0; i < kinds[kind].n; i++)
		if (strcasecmp(kinds[kind].names[i].name, text) == 0) {
			*ret = kinds[kind].names[i];
			return 0;
		}
	if (kind == PARTS_EXTHDR || !isdigit((unsigned char)text[0]))
		return -1;
	*ret = (struct name){ .type = (uint8_t)strtoul(text, &end, 10) };
	for (unsigned i = 0; i < kinds[kind].n; i++)
		if (kinds[kind].names[i].type == ret->type)
			ret->size = kinds[kind].names[i].size;
	return *end || strtoul(text, NULL, 10) > 255 ? -1 : 0;
}

static int set_number(const struct name *k, const char *s, struct part *p)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	if (!k->number || !isdigit((unsigned char)*s) || (*end && *end != ',') || v >= 1ul << 8 * k->number)
		return -1;
	for (unsigned i = 0; i < k->number; i++)
		p->bytes[2 + i] = (uint8_t)(v >> 8 * (k->number - 1 - i));
	p->known = k->size;
	return 0;
}

/* The bytes behind the length, which follows from them. */
static int set_bytes(enum parts_kind kind, const struct name *k, const char *s, size_t n, struct part *p)
{
	int bytes = k->size == 1 ? -1 : hex_bytes(s, n, p->bytes + 2, (kind == PARTS_EXTHDR ? PARTS_HEADERS : PARTS_OPTIONS) - 2);

	if (bytes < 0 || (k->size && bytes + 2 != k->size) || (kind == PARTS_EXTHDR && (bytes + 2) % 8))
		return -1;
	p->size = p->known = (uint8_t)(bytes + 2);
	return 0;
}

/* The first two bytes, where they are known. */
static void set_head(enum parts_kind kind, struct part *p)
{
	if (kind != PARTS_EXTHDR) {
		p->bytes[0] = p->type;
		p->bytes[1] = p->size > 1 ? p->size : p->bytes[1];
		p->known = p->known ? p->known : p->size == 1 ? 1 : p->size ? 2 : 1;
	} else if (p->known && p->type != IPPROTO_FRAGMENT) {
		p->bytes[1] = (uint8_t)(p->size / 8 - 1);
	}
}

static int parse_part(struct arena *a, enum parts_kind kind, const char *s, size_t n, struct part *p, const char **why)
{
	size_t name = strcspn(s, "=:,");
	struct name k;

	memset(p, 0, sizeof(*p));
	if (type_of(kind, s, name, &k) < 0) {
		*why = arena_printf(a, "'%.*s' is no %s", (int)name, s, kinds[kind].what);
		return -1;
	}
	p->type = k.type;
	p->size = k.size;
	if ((s[name] == '=' && set_number(&k, s + name + 1, p) < 0) ||
	    (s[name] == ':' && (k.type == IPPROTO_FRAGMENT && kind == PARTS_EXTHDR ? -1
				: set_bytes(kind, &k, s + name + 1, n - name - 1, p)) < 0)) {
		*why = arena_printf(a, "'%.*s': a number that fits behind '=' (of maxseg, window, ra), or behind ':' the bytes after "
				    "its length in hexadecimal%s", (int)n, s, kind == PARTS_EXTHDR ? ", 6 or 8 more at a time" : "");
		return -1;
	}
	set_head(kind, p);
	return 0;
}

/* The size of each is known, and the header ends where they do: nothing is padded. */
static bool is_exact(enum parts_kind kind, const struct part *p, unsigned n, unsigned *ret_size)
{
	unsigned size = 0;
	bool exact = true;

	for (unsigned i = 0; i < n; i++) {
		size += p[i].size ? p[i].size : kind == PARTS_EXTHDR ? 8 : 2;
		exact &= p[i].size > 0;
	}
	*ret_size = size;
	return exact && size % 4 == 0;
}

static const struct parts *make(struct arena *a, enum parts_kind kind, const struct part *p, unsigned n, const char *text)
{
	struct parts *made = arena_alloc(a, sizeof(*made) + n * sizeof(*p));
	unsigned size;

	if (!made || !(made->text = arena_strdup(a, text)))
		return NULL;
	made->n = n;
	made->exact = is_exact(kind, p, n, &size);
	if (n)
		memcpy(made->part, p, n * sizeof(*p));
	return made;
}

static int parse_bytes(struct arena *a, enum parts_kind kind, const char *text, const struct parts **ret, const char **why)
{
	uint8_t b[PARTS_OPTIONS];
	int n = hex_bytes(text + 2, strlen(text + 2), b, sizeof(b));

	*why = arena_printf(a, "'%s' is not the bytes of options in hexadecimal: a multiple of four up to 40, each option with its length", text);
	if (n <= 0 || n % 4)
		return -1;
	*ret = parts_of_bytes(a, kind, b, (size_t)n);
	return *ret ? 0 : -1;
}

int parts_parse(struct arena *a, enum parts_kind kind, const char *text, const struct parts **ret, const char **why)
{
	struct part p[PARTS_MOST];
	unsigned n = 0, size, most = kind == PARTS_EXTHDR ? PARTS_HEADERS : PARTS_OPTIONS;

	*why = NULL;
	if (kind != PARTS_EXTHDR && strncasecmp(text, "0x", 2) == 0)
		return parse_bytes(a, kind, text, ret, why);
	for (const char *s = text; strcasecmp(text, "none") != 0; s++) {
		size_t len = strcspn(s, ",");

		if (n == PARTS_MOST) {
			*why = "too many of them";
			return -1;
		}
		if (parse_part(a, kind, s, len, &p[n++], why) < 0)
			return -1;
		s += len;
		if (!*s)
			break;
	}
	is_exact(kind, p, n, &size);
	if (size > most) {
		*why = arena_printf(a, "they have %u bytes, and there is room for %u", size, most);
		return -1;
	}
	*ret = make(a, kind, p, n, text);
	return *ret ? 0 : -1;
}

/* ---- bytes ---- */

const struct parts *parts_of_bytes(struct arena *a, enum parts_kind kind, const uint8_t *b, size_t n)
{
	char text[2 * PARTS_OPTIONS + 3] = "0x";
	struct part p[PARTS_OPTIONS];
	unsigned k = 0;

	if (n > PARTS_OPTIONS)
		return NULL;
	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 + 2 * i, 3, "%02x", b[i]);
	for (size_t i = 0; i < n; i += p[k++].size) {
		size_t size = b[i] == 0 ? n - i : b[i] == 1 ? 1 : i + 1 < n ? b[i + 1] : 0;

		/* behind the end of the list there is nothing but padding */
		if (size < 1 || (b[i] > 1 && size < 2) || size > n - i)
			return NULL;
		p[k] = (struct part){ .type = b[i], .size = (uint8_t)size, .known = (uint8_t)size };
		memcpy(p[k].bytes, b + i, size);
	}
	return make(a, kind, p, k, n ? text : "none");
}

const struct parts *parts_of_headers(struct arena *a, const struct part *part, unsigned n)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (unsigned i = 0; i < n; i++) {
		const char *name = "?";

		for (unsigned k = 0; k < ARRAY_SIZE(v6_names); k++)
			if (v6_names[k].type == part[i].type)
				name = v6_names[k].name;
		buf_fmt(&b, "%s%s%s", i ? "," : "", name, part[i].known > 2 && part[i].type != IPPROTO_FRAGMENT ? ":" : "");
		for (unsigned k = 2; k < part[i].known && part[i].type != IPPROTO_FRAGMENT; k++)
			buf_fmt(&b, "%02x", part[i].bytes[k]);
	}
	return buf_cstr(&b) ? make(a, PARTS_EXTHDR, part, n, n ? buf_cstr(&b) : "none") : NULL;
}

/* ---- fragments ---- */

int frag_parse(const char *text, struct header_parts *h)
{
	unsigned long offset;
	char *end;

	h->frag = strcasecmp(text, "none") == 0 ? FRAG_NONE : FRAG_IS;
	h->offset = strcasecmp(text, "later") == 0 ? -1 : 0;
	h->more = strcasecmp(text, "first") == 0 ? 1 : h->offset < 0 ? -1 : 0;
	if (h->frag == FRAG_NONE || h->offset < 0 || h->more)
		return 0;
	if (!isdigit((unsigned char)*text))
		return -1;
	offset = strtoul(text, &end, 10);
	h->more = *end == '+';
	if (end[h->more] || offset > 0x1fff)
		return -1;
	h->offset = (int)offset;
	return 0;
}

const char *frag_text(const struct header_parts *h, char text[16])
{
	if (h->frag == FRAG_NOT_SAID)
		return NULL;
	if (h->frag == FRAG_NONE || h->offset < 0 || (h->offset == 0 && h->more))
		return h->frag == FRAG_NONE ? "none" : h->offset < 0 ? "later" : "first";
	snprintf(text, 16, "%d%s", h->offset, h->more ? "+" : "");
	return text;
}
