/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_exprs - fuzz harness: the instructions of an nftables rule, with any attributes, and the rule's texts */
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/nft/decode.h"
#include "nsutil/nft/set.h"
#include "nsutil/ruleset/text.h"

static void write_all(struct ruleset *rs, struct table *t, struct rule *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct json j;

	if (ruleset_link(rs, t))
		return;
	rule_iptables(r, &b);
	rule_nft(r, true, &b);
	table_nft(t, true, &b);
	buf_reset(&b);
	json_init(&j, &b);
	json_begin_object(&j, NULL);
	rule_expr_json(r, &j, "expr");
	json_end_object(&j);
	if (!json_done(&j) && !buf_failed(&b))
		abort();
}

static void decode(struct ruleset *rs, uint8_t kind, const struct nlattr *list)
{
	static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_INET, NFPROTO_BRIDGE, NFPROTO_ARP,
					    NFPROTO_NETDEV };
	struct table *t = ruleset_add_table(rs, kind & 0x80 ? STORE_COMPAT : STORE_NATIVE,
					    families[(kind & 0x7f) % sizeof(families)], "nat");
	struct chain *c = t ? table_add_chain(rs, t, "c") : NULL;
	struct rule *r = c ? chain_add_rule(rs, c) : NULL;
	struct set_index sets = { .n = 0 };
	struct dec d;

	if (!r)
		return;
	dec_init(&d, rs->arena, t, &sets);
	d.rule = r;
	dec_begin(&d, &r->stmts);
	if (dec_exprs(&d, list) == 0)
		write_all(rs, t, r);
	set_index_free(&sets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ruleset *rs;
	struct nlattr *list;

	if (size < 1 || size > 60000)
		return 0;
	rs = ruleset_new();
	list = malloc(NLA_HDRLEN + size - 1);
	if (rs && list) {
		list->nla_len = (uint16_t)(NLA_HDRLEN + size - 1);
		list->nla_type = NLA_F_NESTED | NFTA_RULE_EXPRESSIONS;
		memcpy((char *)list + NLA_HDRLEN, data + 1, size - 1);
		decode(rs, data[0], list);
	}
	free(list);
	ruleset_free(rs);
	return 0;
}
