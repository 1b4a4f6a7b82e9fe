/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_msg - fuzz harness: nf_tables rules, sets, elements and objects are decoded and printed */
/*
 * The first byte says what the rest is, the second the family. Sets come first and are looked up by the
 * rules behind them: a length splits the input. What is decoded is printed as text and as JSON.
 */
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/nft/object.h"
#include "nsutil/nft/set.h"
#include "nsutil/ruleset/text.h"

/* The bytes as the contents of one attribute, in memory of exactly that size. */
static struct nlattr *wrap(const uint8_t *data, size_t size)
{
	struct nlattr *a = malloc(NLA_HDRLEN + size + 1);

	a->nla_len = (uint16_t)(NLA_HDRLEN + size);
	a->nla_type = 1;
	if (size)
		memcpy((char *)a + NLA_HDRLEN, data, size);
	return realloc(a, NLA_HDRLEN + size);
}

static void fuzz_set(struct dec *d, struct ruleset *rs, struct table *t, struct set_index *ix,
		     const uint8_t *data, size_t size)
{
	size_t half = size ? data[0] * size / 256 : 0;
	struct nlattr *def = wrap(data, half), *elems = wrap(data + half, size - half);
	struct set *s = table_add_set(rs, t, "s");
	struct set_raw *raw = NULL;
	struct attrs at;

	set_index_add(ix, s);
	attr_nested(def, ATTR_MAX, &at);
	set_decode(d, s, &at);
	if (!s->unread && set_raw_add(d, s, elems, &raw) == 0)
		set_raw_end(d, s, raw);
	free(def);
	free(elems);
}

static void fuzz_rule(struct dec *d, struct ruleset *rs, struct chain *c, const uint8_t *data, size_t size)
{
	struct nlattr *list = wrap(data, size);
	struct rule *r = chain_add_rule(rs, c);

	d->rule = r;
	dec_begin(d, &r->stmts);
	dec_exprs(d, list);
	d->rule = NULL;
	free(list);
}

static void fuzz_object(struct dec *d, struct ruleset *rs, struct table *t, const uint8_t *data, size_t size)
{
	struct nlattr *nest = wrap(data, size);
	struct attrs at;

	attr_nested(nest, ATTR_MAX, &at);
	object_decode(d, table_add_object(rs, t, "o"), &at);
	free(nest);
}

static void print(struct ruleset *rs, struct table *t)
{
	struct buf b = BUF_INIT;
	struct json j;

	ruleset_link(rs, t);
	table_nft(t, true, &b);
	for (const struct rule *r = t->chains->rules; r; r = r->next) {
		buf_reset(&b);
		json_init(&j, &b);
		json_begin_object(&j, NULL);
		rule_expr_json(r, &j, "expr");
		json_end_object(&j);
		if (!json_done(&j))
			abort();
	}
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t families[] = { NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_ARP,
					    NFPROTO_BRIDGE, NFPROTO_NETDEV };
	struct ruleset *rs = ruleset_new();
	struct set_index ix = { .room = 0 };
	struct table *t;
	struct chain *c;
	struct dec d;

	if (size > 3 && size < 1 << 15) {
		size_t at = 2;

		t = ruleset_add_table(rs, STORE_NATIVE, families[data[1] % 6], "t");
		c = table_add_chain(rs, t, "c");
		dec_init(&d, rs->arena, t, &ix);
		if (data[0] & 1) {
			size_t part = (size - 2) / 2;

			fuzz_set(&d, rs, t, &ix, data + at, part);
			at += part;
		}
		if (data[0] & 2)
			fuzz_object(&d, rs, t, data + at, size - at);
		else
			fuzz_rule(&d, rs, c, data + at, size - at);
		print(rs, t);
	}
	set_index_free(&ix);
	ruleset_free(rs);
	return 0;
}
