/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_read - reads the nftables stores many times and checks that each reading is of one generation */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/nft/nft.h"

/* nft_read TIMES: prints "read N, refused N, torn N"; each chain of table "churn" must have as many rules. */
int main(int argc, char **argv)
{
	unsigned times = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 1, good = 0, refused = 0, torn = 0;
	struct netns ns _cleanup_netns_ = NETNS_INIT;
	struct err e = ERR_INIT;

	if (netns_open_self(&ns, &e) < 0)
		return 1;
	for (unsigned i = 0; i < times; i++) {
		struct ruleset *rs _cleanup_ruleset_ = ruleset_new();
		struct table *t;
		bool same = true;

		err_clear(&e);
		if (nft_read(&ns, 1 << STORE_COMPAT | 1 << STORE_NATIVE, 0, rs, &e) < 0) {
			refused++;
			if (!strstr(e.why, "changed during each"))
				fprintf(stderr, "nft_read: %s: %s\n", e.what, e.why);
			continue;
		}
		t = rs->tables;
		for (const struct chain *c = t ? t->chains : NULL; c; c = c->next)
			same = same && c->n_rules == t->chains->n_rules && c->n_rules;
		good += same;
		torn += !same;
	}
	printf("read %u, refused %u, torn %u\n", good, refused, torn);
	return torn ? 1 : 0;
}
