/* SPDX-License-Identifier: GPL-2.0-or-later */
/* effect_native - what a difference of Istio's native tables does to the connections that matter */
#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/effect.h"
#include "nsutil/istio/verify.h"

struct istio_native_effects {
	struct arena *a;
	struct ruleset *rs;
	const struct netview *nv;
	struct istio_taken taken;
	struct table **planned_at; /* where the plan's hang in it */
	struct istio_trial *right, *now;
	unsigned n;
};

static void hang_in(struct istio_native_effects *x, const struct istio_native *plan)
{
	x->planned_at = x->rs->tables_tail;
	*x->planned_at = plan->model->tables;
	x->rs->tables_tail = plan->model->tables_tail;
}

int istio_native_effects_begin(struct arena *a, struct ruleset *rs, const struct netview *nv, const struct istio_config *c,
			       const struct istio_native *plan, struct istio_native_effects **ret, struct err *e)
{
	struct istio_native_effects *x = arena_alloc(a, sizeof(*x));

	*ret = NULL;
	if (!x)
		return err_oom(e);
	*x = (struct istio_native_effects){ .a = a, .rs = rs, .nv = nv };
	if (!nv || !plan->model->tables)
		return 0;
	if (istio_trials_make(a, nv, c, NFPROTO_UNSPEC, &x->right, &x->n) < 0)
		return err_oom(e);
	if (!x->right) /* without an address no connection is worth following */
		return 0;
	x->now = arena_dup(a, x->right, (x->n + 1) * sizeof(*x->now));
	if (!x->now)
		return err_oom(e);
	istio_tables_take(rs, &x->taken);
	hang_in(x, plan);
	*ret = x;
	if (istio_trials_run(a, rs, nv, x->right, x->n, NULL) == 0)
		return 0;
	istio_native_effects_end(x); /* a rule that cannot be followed is no reason not to compare */
	*ret = NULL;
	return 0;
}

void istio_native_effects_end(struct istio_native_effects *x)
{
	if (!x)
		return;
	*x->planned_at = NULL;
	x->rs->tables_tail = x->planned_at;
	istio_tables_back(x->rs, &x->taken);
}

static int push(struct istio_native_effects *x, struct chain *c, const struct rule *r)
{
	struct rule *copy = arena_dup(x->a, r, sizeof(*r));

	if (!copy)
		return -1;
	copy->next = NULL;
	copy->chain = c;
	*c->rules_tail = copy;
	c->rules_tail = &copy->next;
	c->n_rules++;
	return 0;
}

/* The planned chain, one rule less and one more. */
static int fill(struct istio_native_effects *x, const struct istio_native_chain *want, uint32_t less, const struct rule *more,
		uint32_t at)
{
	struct chain *c = want->chain;

	c->rules = NULL;
	c->rules_tail = &c->rules;
	c->n_rules = 0;
	for (uint32_t i = 0; i < want->n; i++) {
		if (more && i == at && push(x, c, more) < 0)
			return -1;
		if (i != less && push(x, c, want->rules[i].rule) < 0)
			return -1;
	}
	if (more && at >= want->n && push(x, c, more) < 0)
		return -1;
	return ruleset_link(x->rs, c->table);
}

const char *istio_native_effects_of(struct istio_native_effects *x, const struct istio_native_chain *want, uint32_t less,
				    const struct rule *more, uint32_t at, const char *otherwise)
{
	struct chain was;

	if (!x)
		return otherwise;
	was = *want->chain;
	if (fill(x, want, less, more, at) < 0)
		otherwise = NULL;
	else if (istio_trials_run(x->a, x->rs, x->nv, x->now, x->n, NULL) < 0)
		otherwise = "what it does cannot be followed";
	else
		otherwise = istio_trials_tell(x->a, x->right, x->now, x->n, otherwise);
	*want->chain = was; /* its rules were copied, so their links are as before */
	return otherwise;
}
