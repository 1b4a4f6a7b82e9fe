/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_churn - swaps all rules of a namespace between two generations, until it is killed */
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/nft/write.h"

#define CHAINS 40

/*
 * Each transaction removes the table and makes it anew with every chain carrying the same number of rules,
 * one or three times MANY. Whoever sees chains with different numbers has seen two generations at once.
 * nft_churn [MICROSECONDS [MANY]]: pause between transactions. nft_churn -1: one transaction only.
 */
int main(int argc, char **argv)
{
	long pause = argc > 1 ? atol(argv[1]) : 0;
	unsigned many = argc > 2 ? (unsigned)atol(argv[2]) : 1;
	struct nft_edit *edits _cleanup_free_ = calloc(3 + CHAINS * (1 + 3 * (size_t)many), sizeof(*edits));
	struct ruleset *rs _cleanup_ruleset_ = ruleset_new();
	struct netns ns _cleanup_netns_ = NETNS_INIT;
	static char names[CHAINS][16];
	struct err e = ERR_INIT;
	struct rule empty = { .stmts = NULL };

	if (!rs || !edits || netns_open_self(&ns, &e) < 0)
		return 1;
	for (unsigned round = 0;; round++) {
		size_t n = 0;

		edits[n++] = (struct nft_edit){ .op = NFT_EDIT_ADD_TABLE, .family = NFPROTO_IPV4, .table = "churn" };
		edits[n++] = (struct nft_edit){ .op = NFT_EDIT_DELETE_TABLE, .family = NFPROTO_IPV4, .table = "churn" };
		edits[n++] = (struct nft_edit){ .op = NFT_EDIT_ADD_TABLE, .family = NFPROTO_IPV4, .table = "churn" };
		for (unsigned i = 0; i < CHAINS; i++) {
			snprintf(names[i], sizeof(names[i]), "c%u", i);
			edits[n++] = (struct nft_edit){ .op = NFT_EDIT_ADD_CHAIN, .family = NFPROTO_IPV4,
							.table = "churn", .chain_name = names[i] };
			for (unsigned k = 0; k < (round & 1 ? many : 3 * many); k++)
				edits[n++] = (struct nft_edit){ .op = NFT_EDIT_APPEND_RULE, .family = NFPROTO_IPV4,
								.table = "churn", .chain_name = names[i],
								.rule = &empty };
		}
		if (nft_commit(&ns, edits, n, 0, &e) != 0) {
			fprintf(stderr, "nft_churn: %s: %s\n", e.what, e.why);
			return 1;
		}
		if (pause < 0)
			return 0;
		usleep((useconds_t)pause);
	}
}
