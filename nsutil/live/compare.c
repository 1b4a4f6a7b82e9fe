/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compare - the kernel's steps in terms of a ruleset, and beside those of the evaluator */
#include "nsutil/live/compare.h"

#include <linux/netfilter.h>
#include <string.h>

static bool is_idle(const struct chain *c)
{
	return c->base && !c->rules && c->policy == VERDICT_ACCEPT;
}

static const struct chain *find_chain(const struct ruleset *rs, const struct ktrace_step *k)
{
	enum store from = k->legacy ? STORE_LEGACY : STORE_COMPAT, to = k->legacy ? STORE_LEGACY : STORE_NATIVE;

	for (enum store s = from; s <= to; s++) {
		const struct table *t = ruleset_find_table(rs, s, k->family, k->table);
		const struct chain *c = t ? table_find_chain(t, k->chain) : NULL;

		if (c)
			return c;
	}
	return NULL;
}

static const struct rule *rule_at(const struct chain *c, uint32_t index)
{
	const struct rule *r = c->rules;

	while (r && r->index != index)
		r = r->next;
	return r;
}

static const struct rule *rule_with(const struct chain *c, uint64_t handle)
{
	const struct rule *r = c->rules;

	while (r && r->handle != handle)
		r = r->next;
	return r;
}

/*
 * "policy" and "return" are told of unconditional rules too, by their number (trace_packet() in
 * net/ipv4/netfilter/ip_tables.c); behind the last rule they are what they say.
 */
static bool legacy_step(const struct ktrace_step *k, struct live_step *ret)
{
	if (k->type == KTRACE_RULE || k->number <= ret->chain->n_rules) {
		ret->rule = rule_at(ret->chain, k->number);
		if (!ret->rule)
			ret->strange = "a rule that the ruleset does not have";
		return true;
	}
	return ret->chain->base;
}

static bool nft_step(const struct ktrace_step *k, const struct ruleset *ran, struct live_step *ret)
{
	const struct chain *there = find_chain(ran, k);
	const struct rule *r;

	if (k->type == KTRACE_RETURN || (k->type == KTRACE_RULE && !k->handle))
		return false;
	ret->tells_verdict = true;
	ret->verdict = k->verdict;
	ret->to = k->to[0] ? k->to : NULL;
	if (k->type == KTRACE_POLICY)
		return true;
	r = there ? rule_with(there, k->handle) : NULL;
	ret->rule = r ? rule_at(ret->chain, r->index) : NULL;
	if (!ret->rule)
		ret->strange = "a rule that the ruleset does not have";
	return true;
}

bool live_step_of(const struct ktrace_step *k, const struct ruleset *shown, const struct ruleset *ran,
		  struct live_step *ret)
{
	*ret = (struct live_step){ .chain = find_chain(shown, k) };
	if (!ret->chain) {
		const struct chain *there = find_chain(ran, k);

		/* a file need not name what has no rules */
		if (there && is_idle(there))
			return false;
		ret->strange = "a chain that the ruleset does not have";
		return k->type != KTRACE_RETURN;
	}
	if (is_idle(ret->chain))
		return false;
	return k->legacy ? legacy_step(k, ret) : nft_step(k, ran, ret);
}

bool live_step_expected(const struct trace_step *s, struct live_step *ret)
{
	if (s->matched == TRI_FALSE || is_idle(s->chain))
		return false;
	*ret = (struct live_step){ .chain = s->chain, .rule = s->rule, .verdict = s->verdict, .to = s->to,
				   .tells_verdict = s->chain->table->store != STORE_LEGACY,
				   .maybe = s->matched == TRI_UNKNOWN };
	return true;
}

bool live_step_same(const struct live_step *kernel, const struct live_step *expected)
{
	if (kernel->strange || kernel->chain != expected->chain || kernel->rule != expected->rule)
		return false;
	if (!kernel->tells_verdict || !expected->tells_verdict)
		return true;
	return kernel->verdict == expected->verdict &&
	       (kernel->to ? expected->to && strcmp(kernel->to, expected->to) == 0 : !expected->to);
}

bool live_ends_alike(const struct trace_outcome *u, const struct live_end *end)
{
	if (!end->known || u->verdict == TRACE_UNKNOWN)
		return true;
	if (u->verdict != TRACE_ACCEPT)
		return !end->local && !end->out;
	return (u->path == TRACE_END_LOCAL ? end->local : end->out) &&
	       (!u->src.family || !end->src.family || addr_equal(&u->src, &end->src)) &&
	       (!u->dst.family || !end->dst.family || addr_equal(&u->dst, &end->dst)) &&
	       (u->sport < 0 || end->sport < 0 || u->sport == end->sport) &&
	       (u->dport < 0 || end->dport < 0 || u->dport == end->dport);
}

struct walk {
	const struct ktrace_step *k;
	unsigned n, at;
	const struct ruleset *shown, *ran;
};

static bool next_kernel(struct walk *w, struct live_step *ret)
{
	while (w->at < w->n)
		if (live_step_of(&w->k[w->at++], w->shown, w->ran, ret))
			return true;
	return false;
}

static bool next_expected(const struct trace_result *res, unsigned branch, unsigned *i, struct live_step *ret)
{
	while (*i < res->n_steps) {
		const struct trace_step *s = &res->steps[(*i)++];

		if (s->branch == branch && live_step_expected(s, ret))
			return true;
	}
	return false;
}

/* One outcome; an undecided rule may stand in the kernel's list or not. */
static struct live_comparison compare_branch(struct walk w, const struct live_end *end, const struct trace_result *res,
					     unsigned branch)
{
	struct live_comparison c = { .branch = branch };
	struct live_step k, x;
	bool more = next_kernel(&w, &k);
	unsigned i = 0;

	while (next_expected(res, branch, &i, &x)) {
		if (more && live_step_same(&k, &x)) {
			c.same++;
			more = next_kernel(&w, &k);
		} else if (!x.maybe) {
			c.judgement = LIVE_DIFFERS;
			c.expected = x;
			if (more)
				c.kernel = k;
			return c;
		}
	}
	if (more) {
		c.judgement = LIVE_DIFFERS;
		c.kernel = k;
	} else if (!live_ends_alike(&res->outcomes[branch], end)) {
		c.judgement = LIVE_DIFFERS;
		c.end_differs = true;
	}
	return c;
}

static unsigned count_kernel(struct walk w)
{
	struct live_step k;
	unsigned n = 0;

	while (next_kernel(&w, &k))
		n++;
	return n;
}

/* Of an outcome that several ways lead to, the steps of one are shown. */
static bool any_ends_alike(const struct live_end *end, const struct trace_result *res, struct live_comparison *c)
{
	for (unsigned b = 0; b < res->n_outcomes && end->known; b++)
		if (res->branches > res->n_outcomes && live_ends_alike(&res->outcomes[b], end)) {
			c->branch = b;
			return true;
		}
	return false;
}

void live_compare(const struct ktrace_step *k, unsigned n, const struct live_end *end, const struct ruleset *shown,
		  const struct ruleset *ran, const struct trace_result *res, struct live_comparison *ret)
{
	struct walk w = { .k = k, .n = n, .shown = shown, .ran = ran };
	struct live_comparison best = { .judgement = LIVE_DIFFERS };

	for (unsigned b = 0; b < res->n_outcomes; b++) {
		struct live_comparison c = compare_branch(w, end, res, b);

		if (b == 0 || c.judgement == LIVE_AGREES || (best.judgement != LIVE_AGREES && c.same > best.same))
			best = c;
		if (c.judgement == LIVE_AGREES)
			break;
	}
	best.steps = count_kernel(w);
	if (best.judgement == LIVE_DIFFERS && any_ends_alike(end, res, &best))
		best.judgement = LIVE_ENDS_ALIKE;
	if (res->outcomes[best.branch].verdict == TRACE_UNKNOWN)
		best.judgement = LIVE_UNKNOWN;
	*ret = best;
}

int live_outcome(const struct trace_result *res, const struct live_end *end)
{
	for (unsigned b = 0; b < res->n_outcomes; b++)
		if (live_ends_alike(&res->outcomes[b], end))
			return (int)b;
	return -1;
}
