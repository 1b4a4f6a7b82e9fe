/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wanted - a plan made ready for a quick look at the rules of many namespaces */
#include "nsutil/istio/wanted.h"

#include <linux/netfilter.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/former.h"
#include "nsutil/istio/verify.h"

int istio_wanted_make(struct arena *a, const struct istio_plan *p, struct istio_wanted *ret)
{
	struct istio_wanted w = { 0 };

	for (unsigned v6 = 0; v6 < 2; v6++)
		for (unsigned s = 0; s < 2; s++)
			if (istio_layout_make(a, v6 ? &p->v6 : &p->v4, v6 ? NFPROTO_IPV6 : NFPROTO_IPV4, &w.at[v6][s], NULL) < 0 ||
			    istio_layout_parse(&w.at[v6][s], (enum store)s, NULL) < 0) {
				istio_wanted_free(&w);
				return -1;
			}
	*ret = w;
	return 0;
}

void istio_wanted_free(struct istio_wanted *w)
{
	for (unsigned v6 = 0; v6 < 2; v6++)
		for (unsigned s = 0; s < 2; s++)
			istio_layout_free(&w->at[v6][s]);
}

/* All planned rules in one store, and nothing of Istio's in the other. */
static bool family_holds(struct arena *a, const struct istio_layout at[2], const struct ruleset *rs)
{
	struct istio_compare c[2];

	for (unsigned s = 0; s < 2; s++)
		if (istio_compare_make(a, rs, (enum store)s, &at[s], NULL, &c[s], NULL) < 0 || istio_former_matters(rs, &c[s]))
			return false;
	if (!c[0].any && !c[1].any)
		return at[0].n == 0;
	return c[0].any != c[1].any && c[c[1].any].differences == 0;
}

bool istio_wanted_holds(const struct istio_wanted *w, const struct ruleset *rs)
{
	_cleanup_arena_ struct arena *a = arena_new();

	for (const struct table *t = rs->tables; t; t = t->next)
		if (istio_owns_table(t))
			return false;
	return a && family_holds(a, w->at[0], rs) && family_holds(a, w->at[1], rs);
}
