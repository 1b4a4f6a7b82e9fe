/* SPDX-License-Identifier: GPL-2.0-or-later */
/* canon - prints the canonical form of every rule of its own namespace, for tests: STORE FAMILY TABLE CHAIN INDEX FORM */
#include <inttypes.h>
#include <stdio.h>

#include "nsutil/netns/netns.h"
#include "nsutil/nft/nft.h"
#include "nsutil/ruleset/canon.h"
#include "nsutil/xt/sets.h"
#include "nsutil/xt/xt.h"

static int show(const struct ruleset *rs)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next)
			for (const struct rule *r = c->rules; r; r = r->next) {
				struct canon form;

				if (canon_rule(rs->arena, r, &form) != 0)
					return 1;
				printf("%s\t%s\t%s\t%s\t%" PRIu32 "\t%s\n", store_name(t->store),
				       family_name(t->family), t->name, c->name, r->index, form.text);
			}
	return 0;
}

int main(void)
{
	struct netns ns _cleanup_netns_ = NETNS_INIT;
	struct ruleset *rs _cleanup_ruleset_ = ruleset_new();
	struct err e = ERR_INIT;

	if (!rs || netns_open_self(&ns, &e) != 0 || xt_read(&ns, 3, rs, &e) != 0 ||
	    nft_read(&ns, 1U << STORE_COMPAT | 1U << STORE_NATIVE, 0, rs, &e) != 0 ||
	    xt_name_sets(&ns, rs, &e) != 0) {
		fprintf(stderr, "canon: %s: %s\n", e.what, e.why);
		return 2;
	}
	xt_name_sets(&ns, rs, NULL);
	return show(rs);
}
