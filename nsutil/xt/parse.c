/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse - iptables-restore text into tables, chains and rules */
#include "nsutil/xt/parse.h"

#include <ctype.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/xt/blob.h"

#define LINE_MAX_SIZE 65536
#define TEXT_MAX      (256u << 20)

/* One word from *line: a quoted part may stand inside; \ escapes only there. */
static char *next_word(struct arena *a, const char **line, struct err *e)
{
	const char *s = *line;
	char *word = arena_alloc(a, strlen(s) + 1), *to = word;
	bool quoted = false;

	if (!word) {
		err_oom(e);
		return NULL;
	}
	for (; *s && (quoted || !isspace((unsigned char)*s)); s++) {
		if (*s == '"')
			quoted = !quoted;
		else if (quoted && *s == '\\' && s[1])
			*to++ = *++s;
		else
			*to++ = *s;
	}
	if (quoted) {
		err_set(e, ERR_USAGE, "rule", "a quote is not closed");
		return NULL;
	}
	*line = s;
	return word;
}

int xt_parse_words(struct arena *a, const char *line, const char *const **ret, size_t *ret_n, struct err *e)
{
	const char **words = NULL;
	size_t n = 0;

	if (strlen(line) > LINE_MAX_SIZE)
		return err_set(e, ERR_USAGE, "rule", "the line is longer than %d bytes", LINE_MAX_SIZE);
	for (;; n++) {
		words = arena_grow(a, words, n, sizeof(*words));
		if (!words)
			return err_oom(e);
		while (isspace((unsigned char)*line))
			line++;
		words[n] = NULL;
		if (!*line)
			break;
		words[n] = next_word(a, &line, e);
		if (!words[n])
			return -1;
	}
	*ret = words;
	*ret_n = n;
	return 0;
}

struct reader {
	struct ruleset *rs;
	enum store store;
	uint8_t family;
	struct table *table; /* between *TABLE and COMMIT */
	struct chain *last;  /* rules of a chain mostly stand together */
	struct chain **slots; /* chains by name, open addressing */
	size_t mask, n_chains;
	struct err *e;
};

static size_t name_hash(const char *s)
{
	size_t h = 5381;

	while (*s)
		h = h * 33 ^ (unsigned char)*s++;
	return h ^ h >> 15;
}

static struct chain **chain_slot(struct reader *r, const char *name)
{
	size_t i = name_hash(name) & r->mask;

	while (r->slots[i] && strcmp(r->slots[i]->name, name) != 0)
		i = (i + 1) & r->mask;
	return &r->slots[i];
}

static int grow_slots(struct reader *r)
{
	size_t room = r->slots ? (r->mask + 1) * 2 : 64;
	struct chain **old = r->slots;
	size_t n = r->slots ? r->mask + 1 : 0;

	if (old && r->n_chains * 2 < n)
		return 0;
	r->slots = calloc(room, sizeof(*r->slots));
	if (!r->slots) {
		r->slots = old;
		return err_oom(r->e);
	}
	r->mask = room - 1;
	for (size_t i = 0; i < n; i++)
		if (old[i])
			*chain_slot(r, old[i]->name) = old[i];
	free(old);
	return 0;
}

static struct chain *find_chain(struct reader *r, const char *name)
{
	if (!r->last || strcmp(r->last->name, name) != 0)
		r->last = r->slots ? *chain_slot(r, name) : NULL;
	if (!r->last)
		err_set(r->e, ERR_USAGE, "rule", "there is no chain '%.64s'", name);
	return r->last;
}

static struct chain *make_chain(struct reader *r, const char *name)
{
	struct chain *c, **slot;

	if (grow_slots(r) < 0)
		return NULL;
	slot = chain_slot(r, name);
	if (*slot)
		return *slot;
	c = table_add_chain(r->rs, r->table, name);
	if (!c) {
		err_oom(r->e);
		return NULL;
	}
	*slot = c;
	r->n_chains++;
	for (unsigned h = 0; h < 5; h++)
		if (strcmp(name, xt_hook_chain(h)) == 0)
			xt_base_chain(r->store, r->table->name, h, c);
	return c;
}

static int set_policy(struct reader *r, struct chain *c, const char *policy)
{
	static const struct {
		const char *name;
		enum verdict code;
	} policies[] = { { "ACCEPT", VERDICT_ACCEPT }, { "DROP", VERDICT_DROP }, { "QUEUE", VERDICT_QUEUE } };

	if (strcmp(policy, "-") == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		if (strcmp(policy, policies[i].name) == 0 && c->base) {
			c->policy = policies[i].code;
			return 0;
		}
	}
	return err_set(r->e, ERR_USAGE, c->name, "it cannot have the policy '%.20s'", policy);
}

/* "[packets:bytes]"; what has another form is not counters */
static bool read_counters(const char *text, uint64_t *packets, uint64_t *bytes)
{
	unsigned long long p, b;
	int end = 0;

	if (sscanf(text, "[%llu:%llu]%n", &p, &b, &end) != 2 || !end || text[end])
		return false;
	*packets = p;
	*bytes = b;
	return true;
}

static int chain_line(struct reader *r, const char *const *words, size_t n)
{
	struct chain *c;

	if (!words[0][1] || strlen(words[0] + 1) >= 29)
		return err_set(r->e, ERR_USAGE, "chain", "'%.40s' cannot be a chain's name", words[0] + 1);
	c = make_chain(r, words[0] + 1);
	if (!c)
		return -1;
	if (n > 1 && set_policy(r, c, words[1]) < 0)
		return -1;
	if (n > 2 && !read_counters(words[2], &c->packets, &c->bytes))
		return err_set(r->e, ERR_USAGE, c->name, "'%.40s' is not [packets:bytes]", words[2]);
	c->has_counter = n > 2;
	return 0;
}

static int append_line(struct reader *r, const char *const *words, size_t n)
{
	bool insert = strcmp(words[0], "-I") == 0 || strcmp(words[0], "--insert") == 0;
	unsigned long position = 1;
	size_t spec = 2;
	struct rule *rule;
	struct chain *c;

	if (n < 2)
		return err_set(r->e, ERR_USAGE, words[0], "the chain is missing");
	c = find_chain(r, words[1]);
	if (!c)
		return -1;
	if (insert && n > 2 && isdigit((unsigned char)words[2][0]))
		position = strtoul(words[spec++], NULL, 10);
	if (position == 0 || position > c->n_rules + 1UL)
		position = insert ? c->n_rules + 1UL : 1;
	if (xt_parse_rule(r->rs, c, words + spec, n - spec, &rule, r->e) < 0)
		return -1;
	if (insert)
		xt_insert_rule(rule, (uint32_t)position);
	else
		xt_append_rule(rule);
	return 0;
}

static int command_line(struct reader *r, const char *const *words, size_t n)
{
	const char *w = words[0];
	struct chain *c;

	if (strcmp(w, "-A") == 0 || strcmp(w, "--append") == 0 || strcmp(w, "-I") == 0 ||
	    strcmp(w, "--insert") == 0)
		return append_line(r, words, n);
	if (strcmp(w, "-N") == 0 || strcmp(w, "--new-chain") == 0)
		return n == 2 ? (make_chain(r, words[1]) ? 0 : -1)
			      : err_set(r->e, ERR_USAGE, w, "it takes a chain");
	if (strcmp(w, "-P") == 0 || strcmp(w, "--policy") == 0) {
		if (n != 3)
			return err_set(r->e, ERR_USAGE, w, "it takes a chain and a policy");
		c = find_chain(r, words[1]);
		return c ? set_policy(r, c, words[2]) : -1;
	}
	return err_set(r->e, ERR_USAGE, "line", "'%.40s' is not understood", w);
}

static void end_table(struct reader *r)
{
	free(r->slots);
	r->slots = NULL;
	r->mask = r->n_chains = 0;
	r->last = NULL;
	r->table = NULL;
}

static int begin_table(struct reader *r, const char *name)
{
	if (r->table)
		return err_set(r->e, ERR_USAGE, "table", "COMMIT is missing before '%.40s'", name);
	if (!xt_table_hooks(name))
		return err_set(r->e, ERR_USAGE, "table", "'%.40s' is no table of iptables", name);
	r->table = ruleset_find_table(r->rs, r->store, r->family, name);
	if (r->table)
		return err_set(r->e, ERR_USAGE, "table", "'%s' stands twice in the text", name);
	r->table = ruleset_add_table(r->rs, r->store, r->family, name);
	return r->table ? 0 : err_oom(r->e);
}

/* Counters may stand in front of a rule, as iptables-save -c prints them. */
static int rule_with_counters(struct reader *r, const char *const *words, size_t n)
{
	uint64_t packets, bytes;
	struct rule *last = NULL;
	struct chain *c;

	if (!read_counters(words[0], &packets, &bytes) || n < 2)
		return err_set(r->e, ERR_USAGE, "line", "'%.40s' is not [packets:bytes]", words[0]);
	if (strcmp(words[1], "-A") != 0)
		return err_set(r->e, ERR_USAGE, "line", "behind counters only -A is understood");
	if (command_line(r, words + 1, n - 1) < 0)
		return -1;
	c = r->last;
	last = (struct rule *)((char *)c->rules_tail - offsetof(struct rule, next));
	last->packets = packets;
	last->bytes = bytes;
	return 0;
}

static int one_line(struct reader *r, const char *line)
{
	const char *const *words;
	size_t n;

	if (xt_parse_words(r->rs->arena, line, &words, &n, r->e) < 0)
		return -1;
	if (n == 0 || words[0][0] == '#')
		return 0;
	if (words[0][0] == '*')
		return begin_table(r, words[0] + 1);
	if (!r->table)
		return err_set(r->e, ERR_USAGE, "line", "'%.40s' stands outside of a table", words[0]);
	if (strcmp(words[0], "COMMIT") == 0) {
		if (ruleset_link(r->rs, r->table) < 0)
			return err_oom(r->e);
		end_table(r);
		return 0;
	}
	if (words[0][0] == ':')
		return chain_line(r, words, n);
	if (words[0][0] == '[')
		return rule_with_counters(r, words, n);
	return command_line(r, words, n);
}

static int numbered(struct err *e, const char *name, unsigned long line)
{
	return err_wrap(e, "%s: line %lu", name, line);
}

int xt_parse_restore(struct ruleset *rs, enum store store, uint8_t family, const char *text, size_t size,
		     const char *name, struct err *e)
{
	struct reader r = { .rs = rs, .store = store, .family = family, .e = e };
	_cleanup_buf_ struct buf line = BUF_INIT;
	unsigned long number = 0;
	int result = 0;

	if (size > TEXT_MAX)
		return err_set(e, ERR_USAGE, name, "it is longer than %u bytes", TEXT_MAX);
	for (size_t at = 0; at < size && result == 0;) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t len = end ? (size_t)(end - text - at) : size - at;

		number++;
		buf_reset(&line);
		buf_add(&line, text + at, len);
		at += len + 1;
		if (buf_failed(&line))
			result = err_oom(e);
		else if (line.data && one_line(&r, line.data) < 0)
			result = numbered(e, name, number);
	}
	if (result == 0 && r.table)
		result = err_set(e, ERR_USAGE, name, "COMMIT is missing at the end");
	end_table(&r);
	return result;
}
