/* SPDX-License-Identifier: GPL-2.0-or-later */
/* restore - fuzz harness: iptables-restore text into the model, and out again in every form */
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <linux/netfilter.h>

#include "nsutil/ruleset/text.h"
#include "nsutil/xt/parse.h"

static void write_all(struct ruleset *rs, uint8_t family)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct json j;

	for (struct table *t = rs->tables; t; t = t->next) {
		if (ruleset_link(rs, t))
			return;
		table_nft(t, true, &b);
		for (struct chain *c = t->chains; c; c = c->next)
			for (struct rule *r = c->rules; r; r = r->next) {
				rule_iptables(r, &b);
				buf_reset(&b);
				json_init(&j, &b);
				json_begin_object(&j, NULL);
				rule_expr_json(r, &j, "expr");
				json_end_object(&j);
				if (!json_done(&j) && !buf_failed(&b))
					abort();
			}
	}
	ruleset_save(rs, STORE_LEGACY, family, NULL, true, &b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the family. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t family = size && (data[0] & 1) ? NFPROTO_IPV6 : NFPROTO_IPV4;
	struct ruleset *rs = ruleset_new();
	struct err e = ERR_INIT;

	if (size && rs) {
		if (xt_parse_restore(rs, STORE_LEGACY, family, (const char *)data + 1, size - 1, "input", &e) == 0)
			write_all(rs, family);
		else if (e.code == ERR_NONE)
			abort();
	}
	ruleset_free(rs);
	return 0;
}
