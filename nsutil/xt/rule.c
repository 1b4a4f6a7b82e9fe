/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rule - a rule's specification in iptables words into a rule of the model */
#include <linux/netfilter.h>

#include "nsutil/xt/blob.h"
#include "nsutil/xt/parse.h"
#include "nsutil/xt/spec.h"

#define WORDS_MAX 4096

static int unknown_option(struct spec *s, const char *word)
{
	err_set(s->e, ERR_USAGE, word, "no extension of this rule has the option");
	return err_hint(s->e, "name the extension before its options: -m NAME or -j NAME");
}

/* "--name value", "--name=value"; an extension's name goes before one of the header ("-m policy --proto") */
static int long_option(struct spec *s, const char *word, char letter)
{
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word - 2) : strlen(word + 2);
	int r = spec_option(s, word + 2, len, equals ? equals + 1 : NULL, letter != 0);

	if (r == 0 && letter)
		return spec_header(s, letter);
	return r == 0 ? unknown_option(s, word) : r < 0 ? -1 : 0;
}

static int one_option(struct spec *s)
{
	const char *word = s->words[s->at++];
	char letter;

	s->invert = strcmp(word, "!") == 0;
	if (s->invert) {
		word = spec_arg(s, "!");
		if (!word)
			return -1;
	}
	letter = spec_short(word);
	if (word[0] == '-' && word[1] == '-' && word[2])
		return long_option(s, word, letter);
	if (letter && word[2] == '\0')
		return spec_header(s, letter);
	return err_set(s->e, ERR_USAGE, "rule", "'%.64s' is not understood", word);
}

static struct stmt *verdict_of(struct spec *s)
{
	static const struct {
		const char *name;
		enum verdict code;
	} verdicts[] = { { "ACCEPT", VERDICT_ACCEPT }, { "DROP", VERDICT_DROP }, { "RETURN", VERDICT_RETURN },
			 { "QUEUE", VERDICT_QUEUE } };

	for (unsigned i = 0; i < 4 && !s->go; i++)
		if (strcmp(s->jump, verdicts[i].name) == 0)
			return stmt_verdict_new(s->a, verdicts[i].code, NULL);
	return stmt_verdict_new(s->a, s->go ? VERDICT_GOTO : VERDICT_JUMP, s->jump);
}

static int add_exts(struct spec *s, struct rule *r, struct stmt **tail, bool targets)
{
	for (unsigned i = 0; i < s->n_exts; i++) {
		const struct xt_parse *p = &s->exts[i];

		if (p->codec->target != targets)
			continue;
		*tail = xt_codec_stmt(s->a, s->family, p->codec, p->data, p->ipsets);
		if (!*tail)
			return err_oom(s->e);
		if (!r->comment && !targets && strcmp(p->codec->name, "comment") == 0)
			r->comment = (const char *)p->data;
		tail = &(*tail)->next;
	}
	return 0;
}

static int fill_rule(struct spec *s, struct rule *r)
{
	const struct xt_blob_family *f = s->family == NFPROTO_IPV6 ? &xt_blob_ipv6 : &xt_blob_ipv4;
	struct stmt **tail = &r->stmts;

	if (f->header(s->a, &s->header, &tail) < 0)
		return err_oom(s->e);
	if (add_exts(s, r, tail, false) < 0)
		return -1;
	while (*tail)
		tail = &(*tail)->next;
	if (!s->jump)
		return add_exts(s, r, tail, true);
	*tail = verdict_of(s);
	return *tail ? 0 : err_oom(s->e);
}

int xt_parse_rule(struct ruleset *rs, struct chain *c, const char *const *words, size_t n, struct rule **ret,
		  struct err *e)
{
	struct spec s = { .a = rs->arena, .family = c->table->family, .words = words, .n = n, .e = e };
	struct rule *r;

	if (s.family != NFPROTO_IPV4 && s.family != NFPROTO_IPV6)
		return err_set(e, ERR_USAGE, "rule", "iptables has no %s tables", family_name(s.family));
	if (n > WORDS_MAX)
		return err_set(e, ERR_USAGE, "rule", "more than %d words", WORDS_MAX);
	while (s.at < n)
		if (one_option(&s) < 0)
			return -1;
	if (spec_finish(&s) < 0)
		return -1;
	r = arena_alloc(rs->arena, sizeof(*r));
	if (!r)
		return err_oom(e);
	r->chain = c;
	r->has_counter = true;
	r->packets = s.packets;
	r->bytes = s.bytes;
	if (fill_rule(&s, r) < 0)
		return -1;
	*ret = r;
	return 0;
}

static void renumber(struct chain *c)
{
	uint32_t n = 0;

	c->rules_tail = &c->rules;
	for (struct rule *r = c->rules; r; r = r->next) {
		r->index = ++n;
		c->rules_tail = &r->next;
	}
	c->n_rules = n;
}

void xt_append_rule(struct rule *r)
{
	r->next = NULL;
	r->index = ++r->chain->n_rules;
	*r->chain->rules_tail = r;
	r->chain->rules_tail = &r->next;
}

void xt_insert_rule(struct rule *r, uint32_t position)
{
	struct rule **at = &r->chain->rules;

	for (; *at && position > 1; position--)
		at = &(*at)->next;
	r->next = *at;
	*at = r;
	renumber(r->chain);
}
