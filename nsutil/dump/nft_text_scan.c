/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_text_scan - looks through nft text before libnftables gets it: only tables may stand in it */
#include <ctype.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/dump/nft_text.h"

enum { DEPTH_MAX = 16, OPAQUE_MAX = 1 << 20, LINK_NAME = 16 };

struct scan {
	struct nft_text *t;
	const char *at, *end, *name;
	unsigned long line;
	unsigned depth;
	bool in_rule;	  /* something of a statement stands on this line */
	bool links, list; /* the name of a link comes next; a list of them in braces */
	bool table;	  /* at the top: "table" was read, and its block comes */
	struct err *e;
};

/* The words that would do more than describe, wherever nft takes them (scanner.l, common_block of parser_bison.y). */
static const char *const commands[] = { "include", "define", "redefine", "undefine" };
/* Behind these stands the name of a link, or a list of such. */
static const char *const link_words[] = { "iif", "oif", "device", "devices" };

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.' || c == '/' || c == '\\';
}

static bool one_of(const char *s, size_t n, const char *const *list, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (strlen(list[i]) == n && memcmp(s, list[i], n) == 0)
			return true;
	return false;
}

static int refuse(struct scan *s, const char *what, size_t n)
{
	err_set(s->e, ERR_USAGE, s->name, "line %lu: '%.*s': only tables stand in what 'nft list ruleset' prints", s->line,
		n > 40 ? 40 : (int)n, what);
	return err_hint(s->e, "nothing of the file was run; take it out, or give what 'nft -j list ruleset' prints");
}

static int keep_opaque(struct scan *s, const char *text, size_t n)
{
	struct nft_text *t = s->t;

	if (t->n_opaque == OPAQUE_MAX)
		return err_set(s->e, ERR_USAGE, s->name, "it has more than %d xt extensions", OPAQUE_MAX);
	if (t->n_opaque == t->room_opaque) {
		unsigned room = t->room_opaque ? t->room_opaque * 2 : 16;
		const char **more = arena_alloc(t->a, room * sizeof(*more));

		if (!more)
			return err_oom(s->e);
		if (t->n_opaque)
			memcpy(more, t->opaque, t->n_opaque * sizeof(*more));
		t->opaque = more;
		t->room_opaque = room;
	}
	t->opaque[t->n_opaque] = arena_strndup(t->a, text, n > 200 ? 200 : n);
	if (!t->opaque[t->n_opaque])
		return err_oom(s->e);
	buf_fmt(&t->clean, " numgen random mod %u == %u ", NFT_TEXT_MODULUS, t->n_opaque++);
	return 0;
}

static size_t word_at(const struct scan *s, const char *at)
{
	size_t n = 0;

	while (at + n < s->end && is_word(at[n]))
		n++;
	return n;
}

static const char *skip_blanks(const struct scan *s, const char *at)
{
	while (at < s->end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}

/* "xt match NAME", "xt target "NAME"": what libnftables prints of an extension it has no words for. Return: its end */
static const char *xt_end(const struct scan *s, const char **ret_name, size_t *ret_len)
{
	static const char *const kinds[] = { "match", "target", "watcher" };
	const char *kind = skip_blanks(s, s->at + 2), *name;
	size_t n = word_at(s, kind);

	if (kind == s->at + 2 || !one_of(kind, n, kinds, ARRAY_SIZE(kinds)))
		return NULL;
	name = skip_blanks(s, kind + n);
	if (name < s->end && *name == '"') {
		const char *quote = memchr(name + 1, '"', (size_t)(s->end - name - 1));

		*ret_name = name + 1;
		*ret_len = quote ? (size_t)(quote - name - 1) : 0;
		return quote ? quote + 1 : NULL;
	}
	*ret_name = name;
	*ret_len = word_at(s, name);
	return *ret_len ? name + *ret_len : NULL;
}

static int add_link(struct scan *s, const char *name, size_t n)
{
	struct nft_text *t = s->t;

	if (!n || n >= LINK_NAME || memchr(name, '/', n) || (n == 2 && memcmp(name, "lo", 2) == 0))
		return 0;
	for (unsigned i = 0; i < t->n_links; i++)
		if (strlen(t->links[i]) == n && memcmp(t->links[i], name, n) == 0)
			return 0;
	if (t->n_links == NFT_TEXT_LINKS)
		return err_set(s->e, ERR_USAGE, s->name, "it names more than %d links", NFT_TEXT_LINKS);
	t->links[t->n_links] = arena_strndup(t->a, name, n);
	return t->links[t->n_links++] ? 0 : err_oom(s->e);
}

/* A name or word in the place of a link's name. */
static int maybe_link(struct scan *s, const char *name, size_t n)
{
	static const char *const between[] = { "!=", "==" };

	if (!s->links || one_of(name, n, between, ARRAY_SIZE(between)))
		return 0;
	s->links = s->list;
	return add_link(s, name, n);
}

static void pass(struct scan *s, size_t n)
{
	buf_add(&s->t->clean, s->at, n);
	s->at += n;
}

static int word(struct scan *s)
{
	size_t n = word_at(s, s->at), len;
	const char *name, *xt = NULL;

	/* a line that goes on is nothing that nft prints */
	if (one_of(s->at, n, commands, ARRAY_SIZE(commands)) || memchr(s->at, '\\', n))
		return refuse(s, s->at, n);
	if (!s->depth) {
		if (!s->table && (n != 5 || memcmp(s->at, "table", 5) != 0))
			return refuse(s, s->at, n);
		s->table = true;
	} else if (s->depth > 1 && n == 2 && memcmp(s->at, "xt", 2) == 0) {
		xt = xt_end(s, &name, &len);
	}
	s->in_rule = true;
	if (xt) {
		s->at = xt;
		return keep_opaque(s, name, len);
	}
	if (maybe_link(s, s->at, n) < 0)
		return -1;
	if (s->depth && one_of(s->at, n, link_words, ARRAY_SIZE(link_words)))
		s->links = true;
	pass(s, n);
	return 0;
}

static int quoted(struct scan *s)
{
	const char *quote = memchr(s->at + 1, '"', (size_t)(s->end - s->at - 1));
	size_t n;

	if (!quote || memchr(s->at, '\n', (size_t)(quote - s->at)))
		return err_set(s->e, ERR_USAGE, s->name, "line %lu: a quote is not closed", s->line);
	n = (size_t)(quote - s->at) + 1;
	if (!s->depth)
		return refuse(s, s->at, n);
	s->in_rule = true;
	if (maybe_link(s, s->at + 1, n - 2) < 0)
		return -1;
	pass(s, n);
	return 0;
}

/*
 * A comment is left out, but behind a part of a rule: there old versions of nft put what they have no words for, as
 * "# xt_recent counter ...". Behind a name of their own the rule goes on; else its rest is not known.
 */
static int comment(struct scan *s)
{
	const char *nl = memchr(s->at, '\n', (size_t)(s->end - s->at)), *end = nl ? nl : s->end;
	const char *body = skip_blanks(s, s->at + 1);
	bool xt = (size_t)(end - body) > 3 && memcmp(body, "xt_", 3) == 0;
	bool handle = (size_t)(end - body) > 6 && memcmp(body, "handle", 6) == 0;

	if (xt && s->depth > 1) {
		s->at = body + word_at(s, body);
		s->in_rule = true;
		return keep_opaque(s, body, (size_t)(s->at - body));
	}
	s->at = end;
	if (s->in_rule && s->depth > 1 && !handle && body < end)
		return keep_opaque(s, body, (size_t)(end - body));
	return 0;
}

static int brace(struct scan *s)
{
	if (*s->at == '{') {
		if (!s->depth && !s->table)
			return refuse(s, s->at, 1);
		if (++s->depth > DEPTH_MAX)
			return err_set(s->e, ERR_USAGE, s->name, "line %lu: braces within braces", s->line);
		s->list = s->links;
		s->in_rule = s->list;
	} else {
		if (!s->depth)
			return refuse(s, s->at, 1);
		if (--s->depth == 0)
			s->table = false;
		s->links = s->list = false;
	}
	pass(s, 1);
	return 0;
}

static int one(struct scan *s)
{
	char c = *s->at;

	if (c == '#')
		return comment(s);
	if (c == '"')
		return quoted(s);
	if (c == '{' || c == '}')
		return brace(s);
	if (is_word(c))
		return word(s);
	if (c == '\n' || c == ';') {
		s->line += c == '\n';
		s->in_rule = false;
		s->links &= s->list;
	} else if (c == '$' || (!s->depth && !isspace((unsigned char)c))) {
		return refuse(s, s->at, 1);
	} else if ((unsigned char)c < ' ' && !isspace((unsigned char)c)) {
		return err_set(s->e, ERR_USAGE, s->name, "line %lu: a control character", s->line);
	}
	pass(s, 1);
	return 0;
}

int nft_text_scan(const char *text, size_t size, const char *name, struct nft_text *ret, struct err *e)
{
	struct scan s = { .t = ret, .at = text, .end = text + size, .name = name, .line = 1, .e = e };

	while (s.at < s.end)
		if (one(&s) < 0)
			return -1;
	if (s.depth)
		return err_set(e, ERR_USAGE, name, "it ends within a table");
	buf_chr(&ret->clean, '\n');
	return buf_failed(&ret->clean) ? err_oom(e) : 0;
}
