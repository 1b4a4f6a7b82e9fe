/* SPDX-License-Identifier: GPL-2.0-or-later */
/* texts - rules as text, made once for many reports */
#include "commands/trace/texts.h"

#include <stdlib.h>
#include <string.h>

#include "nsutil/ruleset/text.h"

struct slot {
	const struct rule *rule;
	struct rule_texts texts;
};

struct texts {
	struct arena *arena;
	struct slot *slots; /* by the rule's address, open addressing */
	size_t mask, n;
};

struct texts *texts_new(void)
{
	struct texts *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->mask = 63;
	t->arena = arena_new();
	t->slots = calloc(t->mask + 1, sizeof(*t->slots));
	if (!t->arena || !t->slots) {
		texts_free(t);
		return NULL;
	}
	return t;
}

void texts_free(struct texts *t)
{
	if (!t)
		return;
	arena_free(t->arena);
	free(t->slots);
	free(t);
}

static struct slot *slot_of(struct slot *slots, size_t mask, const struct rule *rule)
{
	size_t i = (size_t)(((uintptr_t)rule >> 4) * 0x9e3779b97f4a7c15u >> 32) & mask;

	while (slots[i].rule && slots[i].rule != rule)
		i = (i + 1) & mask;
	return &slots[i];
}

static int grow(struct texts *t)
{
	size_t mask = 2 * t->mask + 1;
	struct slot *slots = calloc(mask + 1, sizeof(*slots));

	if (!slots)
		return -1;
	for (size_t i = 0; i <= t->mask; i++)
		if (t->slots[i].rule)
			*slot_of(slots, mask, t->slots[i].rule) = t->slots[i];
	free(t->slots);
	t->slots = slots;
	t->mask = mask;
	return 0;
}

const struct rule_texts *texts_of(struct texts *t, const struct rule *rule, bool native)
{
	struct slot *s = slot_of(t->slots, t->mask, rule);
	_cleanup_buf_ struct buf ipt = BUF_INIT;
	_cleanup_buf_ struct buf nft = BUF_INIT;

	if (s->rule)
		return &s->texts;
	if (t->n * 2 > t->mask) {
		if (grow(t) < 0)
			return NULL;
		s = slot_of(t->slots, t->mask, rule);
	}
	if (!native && rule_iptables(rule, &ipt))
		s->texts.iptables = arena_strdup(t->arena, buf_cstr(&ipt) + strspn(buf_cstr(&ipt), " "));
	rule_nft(rule, false, &nft);
	s->texts.nft = arena_strdup(t->arena, buf_cstr(&nft));
	if (!s->texts.nft)
		return NULL;
	s->rule = rule;
	t->n++;
	return &s->texts;
}
