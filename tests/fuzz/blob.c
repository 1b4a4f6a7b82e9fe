/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blob - fuzz harness: a legacy table as the kernel hands it out, with any lengths and contents */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/ruleset/text.h"
#include "nsutil/xt/blob.h"

struct head {		/* in front of the entries */
	uint8_t family, table;
	uint16_t n_entries;
	uint16_t hook_entry[5], underflow[5];
};

static void write_all(struct ruleset *rs, uint8_t family)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct json j;

	for (struct table *t = rs->tables; t; t = t->next) {
		if (ruleset_link(rs, t))
			return;
		table_nft(t, true, &b);
		buf_reset(&b);
		json_init(&j, &b);
		json_begin_array(&j, NULL);
		for (struct chain *c = t->chains; c; c = c->next)
			for (struct rule *r = c->rules; r; r = r->next) {
				json_begin_object(&j, NULL);
				rule_expr_json(r, &j, "expr");
				json_end_object(&j);
			}
		json_end_array(&j);
		if (!json_done(&j) && !buf_failed(&b))
			abort();
	}
	buf_reset(&b);
	ruleset_save(rs, STORE_LEGACY, family, NULL, true, &b);
}

static void decode(const struct head *h, const uint8_t *entries, size_t size, struct ruleset *rs)
{
	static const char *const tables[] = { "nat", "filter", "mangle", "raw", "security", "other" };
	struct xt_blob b = {
		.family = h->family & 1 ? &xt_blob_ipv6 : &xt_blob_ipv4,
		.n_entries = h->n_entries,
		.size = (uint32_t)size,
	};
	struct err e = ERR_INIT;

	strcpy(b.table, tables[h->table % 6]);
	b.valid_hooks = xt_table_hooks(b.table);
	for (int i = 0; i < 5; i++) {
		b.hook_entry[i] = h->hook_entry[i];
		b.underflow[i] = h->underflow[i];
	}
	b.entries = arena_dup(rs->arena, entries, size);
	if (xt_blob_decode(&b, rs, &e) == 0)
		write_all(rs, b.family->family);
	else if (e.code == ERR_NONE || rs->tables)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ruleset *rs;
	struct head h;

	if (size <= sizeof(h))
		return 0;
	memcpy(&h, data, sizeof(h));
	rs = ruleset_new();
	if (rs)
		decode(&h, data + sizeof(h), size - sizeof(h), rs);
	ruleset_free(rs);
	return 0;
}
