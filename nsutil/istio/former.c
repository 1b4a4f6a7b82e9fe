/* SPDX-License-Identifier: GPL-2.0-or-later */
/* former - rules of shared chains that Istio wrote for another configuration */
#include "nsutil/istio/former.h"

#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/recognise.h"

/* Istio's tables: those with chains of its own, or with rules beside others'. */
static bool is_shared(const struct table *t)
{
	return strcmp(t->name, "nat") == 0 || strcmp(t->name, "mangle") == 0 || strcmp(t->name, "raw") == 0;
}

static const struct istio_match *find_match(const struct istio_compare *c, const struct chain *have)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->at[i].have == have)
			return &c->at[i];
	return NULL;
}

static bool has_plain(const struct istio_compare *c, const struct chain *ch)
{
	const struct istio_match *m = find_match(c, ch);
	uint32_t i = 0;

	for (const struct rule *r = ch->rules; r; r = r->next, i++)
		if (!r->comment && (!m || m->state[i] == ISTIO_FOREIGN))
			return true;
	return false;
}

bool istio_former_matters(const struct ruleset *rs, const struct istio_compare *c)
{
	for (const struct table *t = c->any ? rs->tables : NULL; t; t = t->next) {
		if (t->store != c->store || t->family != c->family || !is_shared(t))
			continue;
		for (const struct chain *ch = t->chains; ch; ch = ch->next)
			if (ch->base && has_plain(c, ch))
				return true;
	}
	return false;
}

/* What the store's rules were made for; false: that cannot be told, or no rules can be made of it. */
static bool make_former(struct arena *a, const struct ruleset *rs, enum store store, uint8_t family,
			const struct istio_known *known, struct istio_layout *ret)
{
	struct istio_config *config;
	struct istio_plan *plan;

	return istio_recognise_store(a, rs, store, known, &config, NULL) == 0 && config &&
	       istio_plan_make(a, config, &plan, NULL) == 0 &&
	       istio_layout_make(a, family == NFPROTO_IPV6 ? &plan->v6 : &plan->v4, family, ret, NULL) == 0 &&
	       istio_layout_parse(ret, store, NULL) == 0;
}

int istio_former_compare(struct arena *a, const struct ruleset *rs, enum store store, const struct istio_layout *l,
			 const struct istio_known *known, struct istio_compare *ret, struct err *e)
{
	_cleanup_istio_layout_ struct istio_layout former = { .n = 0 };
	struct istio_compare c;

	if (istio_compare_make(a, rs, store, l, NULL, &c, e) < 0)
		return -1;
	if (istio_former_matters(rs, &c) && make_former(a, rs, store, l->family, known, &former) &&
	    istio_compare_make(a, rs, store, l, &former, &c, e) < 0)
		return -1;
	*ret = c;
	return 0;
}
