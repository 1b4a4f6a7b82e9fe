/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fingerprint - a number that tells whether a table still says what it said */
#include "nsutil/istio/fingerprint.h"

#include <string.h>

#include "nsutil/base/cleanup.h"

/* A chain as far as it matters. */
struct shadow {
	const char *name;
	bool base;
	int policy;
	uint64_t *rules;
	uint32_t n;
};

struct shadows {
	struct arena *a;
	struct shadow *at;
	uint32_t n;
	bool failed;
};

/* FNV-1a */
static uint64_t mix(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

static struct shadow *add_shadow(struct shadows *s, const char *name)
{
	struct shadow *at = arena_grow(s->a, s->at, s->n, sizeof(*at));

	s->failed |= !at;
	if (!at)
		return NULL;
	s->at = at;
	at[s->n] = (struct shadow){ .name = name, .policy = VERDICT_ACCEPT };
	return &at[s->n++];
}

static struct shadow *find_shadow(struct shadows *s, const char *name)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (strcmp(s->at[i].name, name) == 0)
			return &s->at[i];
	return NULL;
}

static void put(struct shadows *s, struct shadow *c, uint32_t at, const struct rule *r)
{
	uint64_t *rules = arena_grow(s->a, c->rules, c->n, sizeof(*rules));
	struct canon canon;

	if (!rules || canon_rule(s->a, r, &canon) < 0) {
		s->failed = true;
		return;
	}
	if (at > c->n)
		at = c->n;
	c->rules = rules;
	memmove(rules + at + 1, rules + at, (c->n - at) * sizeof(*rules));
	rules[at] = canon.hash;
	c->n++;
}

static void take(struct shadow *c, uint32_t at)
{
	if (at >= c->n)
		return;
	memmove(c->rules + at, c->rules + at + 1, (c->n - at - 1) * sizeof(*c->rules));
	c->n--;
}

static void load(struct shadows *s, const struct table *t, bool unguarded)
{
	for (const struct chain *ch = t ? t->chains : NULL; ch; ch = ch->next) {
		struct shadow *c = add_shadow(s, ch->name);

		if (!c)
			return;
		c->base = ch->base;
		c->policy = ch->base ? (int)ch->policy : VERDICT_ACCEPT;
		for (const struct rule *r = ch->rules; r; r = r->next)
			if (!unguarded || !istio_is_guardrail(r))
				put(s, c, c->n, r);
	}
}

static void carry_out(struct shadows *s, const struct istio_edit *edit)
{
	struct shadow *c = find_shadow(s, edit->chain);

	if (!c) {
		c = add_shadow(s, edit->chain);
		if (!c)
			return;
		c->base = edit->op != ISTIO_NEW_CHAIN;
	}
	switch (edit->op) {
	case ISTIO_NEW_CHAIN:
		break;
	case ISTIO_DELETE_RULE:
		take(c, edit->position - 1);
		break;
	case ISTIO_INSERT_RULE:
		put(s, c, edit->at_end ? c->n : edit->position - 1, edit->rule);
		break;
	case ISTIO_FLUSH_CHAIN:
		c->n = 0;
		break;
	case ISTIO_DELETE_CHAIN:
		*c = s->at[--s->n];
		break;
	}
}

/* The sum does not mind the order of chains. */
static uint64_t sum(const struct shadows *s)
{
	uint64_t all = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct shadow *c = &s->at[i];
		uint64_t h = 0xcbf29ce484222325u;

		if (c->base && !c->n && c->policy == VERDICT_ACCEPT)
			continue;
		h = mix(h, c->name, strlen(c->name) + 1);
		h = mix(h, &c->policy, sizeof(c->policy));
		all += mix(h, c->rules, c->n * sizeof(*c->rules));
	}
	return all;
}

int istio_fingerprint_after(const struct table *t, const struct istio_edits *edits, const char *table,
			    uint64_t *ret)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct shadows s = { .a = a };

	if (!a)
		return -1;
	load(&s, t, false);
	for (unsigned i = 0; edits && i < edits->n && !s.failed; i++)
		if (strcmp(edits->at[i].table, table) == 0)
			carry_out(&s, &edits->at[i]);
	if (s.failed)
		return -1;
	*ret = sum(&s);
	return 0;
}

int istio_fingerprint(const struct table *t, uint64_t *ret)
{
	return istio_fingerprint_after(t, NULL, "", ret);
}

int istio_fingerprint_unguarded(const struct table *t, uint64_t *ret)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct shadows s = { .a = a };

	if (!a)
		return -1;
	load(&s, t, true);
	if (s.failed)
		return -1;
	*ret = sum(&s);
	return 0;
}
