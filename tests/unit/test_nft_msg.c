/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_nft_msg - decoding of made-up nf_tables rules: what is not known, cut short or too long */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/nft/decode.h"
#include "nsutil/nft/encode.h"
#include "nsutil/nft/nlsock.h"
#include "nsutil/nft/set.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/nft/settle.h"
#include "nsutil/nft/udata.h"
#include "nsutil/ruleset/text.h"

#define ROOM 65536

struct fixture {
	struct ruleset *rs;
	struct table *t;
	struct chain *c;
	struct dec dec;
	struct enc enc;
	char *buf;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->rs = ruleset_new();
	f->t = ruleset_add_table(f->rs, STORE_NATIVE, NFPROTO_IPV4, "t");
	f->c = table_add_chain(f->rs, f->t, "c");
	f->buf = calloc(1, ROOM);
	f->enc = (struct enc){ .room = ROOM, .msg = nlsock_request(f->buf, 0, 0, 0) };
	dec_init(&f->dec, f->rs->arena, f->t, NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ruleset_free(f->rs);
	free(f->buf);
	free(f);
	return 0;
}

/* Decode the first attribute of the message as a list of expressions. */
static struct rule *decode(struct fixture *f)
{
	const struct nlattr *list = mnl_nlmsg_get_payload_offset(f->enc.msg, 4);
	struct rule *r = chain_add_rule(f->rs, f->c);

	f->dec.rule = r;
	dec_begin(&f->dec, &r->stmts);
	assert_int_equal(dec_exprs(&f->dec, list), 0);
	return r;
}

static void unknown_expression_is_kept(void **state)
{
	struct fixture *f = *state;
	struct nlattr *list = enc_nest(&f->enc, 1);
	struct enc_expr x = enc_expr(&f->enc, "frobnicate");
	struct rule *r;

	enc_be32(&f->enc, 1, 7);
	enc_expr_end(&f->enc, x);
	enc_nest_end(&f->enc, list);
	r = decode(f);
	assert_int_equal(r->stmts->kind, STMT_OPAQUE);
	assert_string_equal(r->stmts->opaque.name, "frobnicate");
	assert_int_equal(r->stmts->opaque.size, 8);
}

static void unknown_attribute_is_opaque(void **state)
{
	struct fixture *f = *state;
	struct nlattr *list = enc_nest(&f->enc, 1);
	struct enc_expr x = enc_expr(&f->enc, "counter");
	struct rule *r;

	enc_be64(&f->enc, NFTA_COUNTER_BYTES, 1);
	enc_be64(&f->enc, 29, 1);
	enc_expr_end(&f->enc, x);
	enc_nest_end(&f->enc, list);
	r = decode(f);
	assert_int_equal(r->stmts->kind, STMT_OPAQUE);
	assert_string_equal(r->stmts->opaque.why, "unknown attribute");
}

static void register_of_unknown_is_opaque(void **state)
{
	struct fixture *f = *state;
	struct nlattr *list = enc_nest(&f->enc, 1);
	struct enc_expr x = enc_expr(&f->enc, "frobnicate");
	uint8_t v = 6;
	struct rule *r;

	enc_expr_end(&f->enc, x);
	enc_cmp(&f->enc, OP_EQ, &v, 1);
	enc_nest_end(&f->enc, list);
	r = decode(f);
	assert_int_equal(r->stmts->next->kind, STMT_MATCH);
	assert_int_equal(r->stmts->next->match.left->kind, EXPR_OPAQUE);
}

static void protocol_before_a_port_is_implied(void **state)
{
	struct fixture *f = *state;
	struct nlattr *list = enc_nest(&f->enc, 1);
	uint8_t tcp = 6, port[2] = { 0, 80 };
	struct buf b _cleanup_buf_ = BUF_INIT;
	struct rule *r;

	enc_meta(&f->enc, NFT_META_L4PROTO);
	enc_cmp(&f->enc, OP_EQ, &tcp, 1);
	enc_payload(&f->enc, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	enc_cmp(&f->enc, OP_EQ, port, 2);
	enc_nest_end(&f->enc, list);
	r = decode(f);
	assert_true(r->stmts->implied);
	rule_nft(r, false, &b);
	assert_string_equal(buf_cstr(&b), "tcp dport 80");
}

/* Each prefix of a real rule, with the length of the list lying in both directions. */
/* A set of addresses that the caller may change, with the attributes from NFTA_SET_* on as they were put into the message. */
static struct set *decode_set(struct fixture *f, struct attrs *ret_at)
{
	attr_parse(mnl_nlmsg_get_payload_offset(f->enc.msg, 4), mnl_nlmsg_get_payload_len(f->enc.msg) - 4, ATTR_MAX, ret_at);
	return table_add_set(f->rs, f->t, "s");
}

static struct set *made_set(struct fixture *f, uint32_t type, uint32_t flags)
{
	struct attrs at;
	struct set *s;

	enc_be32(&f->enc, NFTA_SET_FLAGS, flags);
	enc_be32(&f->enc, NFTA_SET_KEY_TYPE, type);
	enc_be32(&f->enc, NFTA_SET_KEY_LEN, 4);
	s = decode_set(f, &at);
	assert_int_equal(set_decode(&f->dec, s, &at), 0);
	return s;
}

/* All of the table as text and JSON: what is not known must not stop either. */
static char *printed(struct fixture *f)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	table_nft(f->t, true, &b);
	return strdup(buf_cstr(&b));
}

static void set_of_unknown_type_has_no_elements(void **state)
{
	struct fixture *f = *state;
	struct set *s = made_set(f, 60, 0);
	char *text;

	assert_string_equal(s->unread, "keys of a type that is not known");
	text = printed(f);
	assert_non_null(strstr(text, "elements not known: keys of a type that is not known"));
	free(text);
}

static void set_of_a_concatenation_with_an_unknown_type(void **state)
{
	assert_non_null(made_set(*state, 7 << 6 | 62, 0)->unread);
}

static void set_of_unknown_flags(void **state)
{
	assert_string_equal(made_set(*state, 7, 1u << 20)->unread, "set flags that are not known");
}

static void set_with_an_unknown_expression(void **state)
{
	struct fixture *f = *state;
	struct nlattr *list = enc_nest(&f->enc, NFTA_SET_EXPRESSIONS);
	struct enc_expr x = enc_expr(&f->enc, "frobnicate");
	struct set *s;
	char *text;

	enc_be32(&f->enc, 1, 7);
	enc_expr_end(&f->enc, x);
	enc_nest_end(&f->enc, list);
	s = made_set(f, 7, 0);
	assert_null(s->unread);
	assert_int_equal(s->stmts->kind, STMT_OPAQUE);
	text = printed(f);
	assert_non_null(strstr(text, "frobnicate"));
	free(text);
}

/* One element 10.0.0.1 with an attribute or flags besides. */
static struct set *with_element(struct fixture *f, uint16_t attribute, uint32_t value)
{
	struct set *s = table_add_set(f->rs, f->t, "s");
	struct nlattr *list = enc_nest(&f->enc, 1), *elem = enc_nest(&f->enc, NFTA_LIST_ELEM), *key;
	struct set_raw *raw = NULL;

	s->key_type = 7;
	s->key_len = 4;
	key = enc_nest(&f->enc, NFTA_SET_ELEM_KEY);
	enc_be32(&f->enc, NFTA_DATA_VALUE, 0x0a000001);
	enc_nest_end(&f->enc, key);
	enc_be32(&f->enc, attribute, value);
	enc_nest_end(&f->enc, elem);
	enc_nest_end(&f->enc, list);
	assert_int_equal(set_raw_add(&f->dec, s, mnl_nlmsg_get_payload_offset(f->enc.msg, 4), &raw), 0);
	assert_int_equal(set_raw_end(&f->dec, s, raw), 0);
	return s;
}

static void element_of_known_attributes(void **state)
{
	struct set *s = with_element(*state, NFTA_SET_ELEM_FLAGS, 0);

	assert_null(s->unread);
	assert_int_equal(s->n_elems, 1);
}

static void element_with_an_unknown_attribute(void **state)
{
	assert_non_null(with_element(*state, 29, 1)->unread);
}

static void element_with_unknown_flags(void **state)
{
	assert_non_null(with_element(*state, NFTA_SET_ELEM_FLAGS, 0x80)->unread);
}

static void element_with_an_unknown_verdict(void **state)
{
	struct fixture *f = *state;
	struct nlattr *list = enc_nest(&f->enc, 1), *elem = enc_nest(&f->enc, NFTA_LIST_ELEM), *data, *verdict;
	struct set *s = table_add_set(f->rs, f->t, "m");
	struct set_raw *raw = NULL;

	s->key_type = 7;
	s->key_len = 4;
	data = enc_nest(&f->enc, NFTA_SET_ELEM_KEY);
	enc_be32(&f->enc, NFTA_DATA_VALUE, 0x0a000001);
	enc_nest_end(&f->enc, data);
	data = enc_nest(&f->enc, NFTA_SET_ELEM_DATA);
	verdict = enc_nest(&f->enc, NFTA_DATA_VERDICT);
	enc_be32(&f->enc, NFTA_VERDICT_CODE, 77);
	enc_nest_end(&f->enc, verdict);
	enc_nest_end(&f->enc, data);
	enc_nest_end(&f->enc, elem);
	enc_nest_end(&f->enc, list);
	assert_int_equal(set_raw_add(&f->dec, s, mnl_nlmsg_get_payload_offset(f->enc.msg, 4), &raw), 0);
	assert_string_equal(s->unread, "an element's verdict is not known");
}

static void cut_short_is_survived(void **state)
{
	struct fixture *f = *state;
	struct nlattr *list = enc_nest(&f->enc, 1);
	uint8_t addr[4] = { 10, 0, 0, 1 };
	uint16_t whole;

	enc_payload(&f->enc, NFT_PAYLOAD_NETWORK_HEADER, 12, 4);
	enc_bitwise(&f->enc, addr, 4);
	enc_cmp(&f->enc, OP_EQ, addr, 4);
	enc_counter(&f->enc, 1, 2);
	enc_nest_end(&f->enc, list);
	whole = list->nla_len;
	for (uint16_t len = 0; len <= whole; len++) {
		list->nla_len = len;
		decode(f);
	}
	list->nla_len = whole;
	for (uint16_t at = 4; at + 2 < whole; at += 4) {
		uint16_t *inner = (uint16_t *)((char *)list + at), was = *inner;

		*inner = 0xffff;
		decode(f);
		*inner = 0;
		decode(f);
		*inner = was;
	}
}

static void user_data_are_bounded(void **state)
{
	static const uint8_t lying[] = { 0, 200, 'a', 'b' }, good[] = { 0, 3, 'a', 'b', 0, 9, 1, 1 };
	struct fixture *f = *state;
	struct udata u;

	udata_parse_bytes(lying, sizeof(lying), &u);
	assert_null(udata_str(f->rs->arena, &u, UDATA_COMMENT));
	udata_parse_bytes(good, sizeof(good), &u);
	assert_string_equal(udata_str(f->rs->arena, &u, UDATA_COMMENT), "ab");
}

static void kernels_that_are_waited_for(void **state)
{
	static const char *const known[] = { "5.12.0", "5.14.0-427.el9.x86_64", "6.1.0-18-amd64", "6.18.44-fc" };
	static const char *const others[] = { "4.18.0-553.el8.x86_64", "5.11.22", "6.19.0", "7.0.1", "4.4.0", "", "6", "garbage" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		assert_true(settle_release(known[i]));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(settle_release(others[i]));
}

#define NAMES "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"
#define ROUTE "00000000d5dcf4a3 0   0          00000000 4096     0        0     2        0        580924  \n"
#define LINE(port, rmem, dump) "00000000aa5173be 12  " port "          00000000 " rmem "        0        " dump "     2        0        580931  \n"

static void a_request_under_way_is_seen(void **state)
{
	(void)state;
	assert_true(settle_idle_text(NAMES ROUTE LINE("0", "0", "0")));
	assert_false(settle_idle_text(NAMES ROUTE LINE("0", "768", "0")));
	/* a small batch, a large one */
	assert_false(settle_idle_text(NAMES LINE("77", "0", "0") LINE("0", "768", "0")));
	assert_false(settle_idle_text(NAMES LINE("77", "0", "0") LINE("0", "262912", "0")));
	/* dumps hold their requests; a batch beside them is seen */
	assert_true(settle_idle_text(NAMES LINE("77", "0", "1") LINE("0", "768", "0")));
	assert_true(settle_idle_text(NAMES LINE("0", "1536", "0") LINE("77", "0", "1") LINE("78", "12", "1")));
	assert_false(settle_idle_text(NAMES LINE("77", "0", "1") LINE("0", "1536", "0")));
	/* another family's dump is none of netfilter's */
	assert_false(settle_idle_text(NAMES "0 0 9 0 0 0 1 2 0 1\n" LINE("0", "768", "0")));
	/* nothing to go by is no proof */
	assert_false(settle_idle_text(""));
	assert_false(settle_idle_text(NAMES ROUTE));
	assert_false(settle_idle_text(NAMES "garbage\n\n12"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unknown_expression_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_attribute_is_opaque, setup, teardown),
		cmocka_unit_test_setup_teardown(register_of_unknown_is_opaque, setup, teardown),
		cmocka_unit_test_setup_teardown(protocol_before_a_port_is_implied, setup, teardown),
		cmocka_unit_test_setup_teardown(set_of_unknown_type_has_no_elements, setup, teardown),
		cmocka_unit_test_setup_teardown(set_of_a_concatenation_with_an_unknown_type, setup, teardown),
		cmocka_unit_test_setup_teardown(set_of_unknown_flags, setup, teardown),
		cmocka_unit_test_setup_teardown(set_with_an_unknown_expression, setup, teardown),
		cmocka_unit_test_setup_teardown(element_of_known_attributes, setup, teardown),
		cmocka_unit_test_setup_teardown(element_with_an_unknown_attribute, setup, teardown),
		cmocka_unit_test_setup_teardown(element_with_unknown_flags, setup, teardown),
		cmocka_unit_test_setup_teardown(element_with_an_unknown_verdict, setup, teardown),
		cmocka_unit_test_setup_teardown(cut_short_is_survived, setup, teardown),
		cmocka_unit_test_setup_teardown(user_data_are_bounded, setup, teardown),
		cmocka_unit_test(kernels_that_are_waited_for),
		cmocka_unit_test(a_request_under_way_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
