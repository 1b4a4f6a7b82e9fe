/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_load - loads iptables-save text from standard input into the compat store through nft_commit() */
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/nft/nft.h"
#include "nsutil/nft/write.h"
#include "nsutil/xt/parse.h"

#define EDITS_MAX 200000

static struct nft_edit *edits;
static size_t n_edits;

static void add(struct nft_edit ed)
{
	if (n_edits < EDITS_MAX)
		edits[n_edits++] = ed;
}

static void add_table(const struct table *t)
{
	add((struct nft_edit){ .op = NFT_EDIT_ADD_TABLE, .family = t->family, .table = t->name });
	for (const struct chain *c = t->chains; c; c = c->next) {
		struct chain *made = calloc(1, sizeof(*made));

		made->name = c->name;
		if (nft_builtin_chain(t->name, c->name, made))
			made->policy = c->policy;
		add((struct nft_edit){ .op = NFT_EDIT_ADD_CHAIN, .family = t->family, .table = t->name,
				       .chain = made });
	}
	for (const struct chain *c = t->chains; c; c = c->next)
		for (const struct rule *r = c->rules; r; r = r->next)
			add((struct nft_edit){ .op = NFT_EDIT_APPEND_RULE, .family = t->family,
					       .table = t->name, .chain_name = c->name, .rule = r });
}

static int fail(const struct err *e)
{
	fprintf(stderr, "nft_load: %s: %s\n", e->what, e->why);
	return 1;
}

/* nft_load [-6] [-g GENERATION] <TEXT */
int main(int argc, char **argv)
{
	struct ruleset *rs _cleanup_ruleset_ = ruleset_new();
	struct netns ns _cleanup_netns_ = NETNS_INIT;
	struct buf text _cleanup_buf_ = BUF_INIT;
	uint8_t family = NFPROTO_IPV4;
	uint32_t generation = 0;
	struct err e = ERR_INIT;
	char part[65536];
	size_t n;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-6") == 0)
			family = NFPROTO_IPV6;
		else if (strcmp(argv[i], "-g") == 0 && i + 1 < argc)
			generation = (uint32_t)strtoul(argv[++i], NULL, 0);
	}
	while ((n = fread(part, 1, sizeof(part), stdin)) > 0)
		buf_add(&text, part, n);
	edits = calloc(EDITS_MAX, sizeof(*edits));
	if (!rs || !edits || netns_open_self(&ns, &e) < 0 ||
	    xt_parse_restore(rs, STORE_COMPAT, family, buf_cstr(&text), text.len, "input", &e) < 0)
		return fail(&e);
	for (const struct table *t = rs->tables; t; t = t->next)
		add_table(t);
	n = (size_t)nft_commit(&ns, edits, n_edits, generation, &e);
	for (size_t i = 0; i < n_edits; i++)
		if (edits[i].op == NFT_EDIT_ADD_CHAIN)
			free((void *)edits[i].chain);
	free(edits);
	return n == 0 ? 0 : fail(&e);
}
