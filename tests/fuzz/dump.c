/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump - fuzz harness: files of any format into the model, and out again as text */
#include <linux/netfilter.h>
#include <stdint.h>
#include <stdlib.h>

#include "nsutil/dump/dump.h"
#include "nsutil/ruleset/text.h"

static void write_all(const struct ruleset *rs)
{
	struct buf b _cleanup_buf_ = BUF_INIT;
	struct json j;

	for (const struct table *t = rs->tables; t; t = t->next) {
		table_nft(t, true, &b);
		for (const struct chain *c = t->chains; c; c = c->next)
			for (const struct rule *r = c->rules; r; r = r->next) {
				buf_reset(&b);
				json_init(&j, &b);
				json_begin_object(&j, NULL);
				rule_expr_json(r, &j, "expr");
				json_end_object(&j);
				if (!json_done(&j) && !buf_failed(&b))
					abort();
			}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dump_source src = { .path = "input", .data = (const char *)data, .size = size };
	struct ruleset *rs = ruleset_new();
	struct err e = ERR_INIT;

	/* text of nft would be given to nft itself */
	if (rs && dump_format(src.data, size) != DUMP_NFT_TEXT) {
		if (dump_load(&src, rs, &e) == 0)
			write_all(rs);
		else if (e.code == ERR_NONE)
			abort();
	}
	ruleset_free(rs);
	return 0;
}
