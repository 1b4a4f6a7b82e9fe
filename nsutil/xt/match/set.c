/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set - -m set, -j SET: ipsets */
#include <linux/netfilter.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/xt_set.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/xt/lower.h"
#include "nsutil/xt/sets.h"
#include "nsutil/xt/type.h"

/* An option's 'off' is that of its struct xt_set_info; 'min' says which of the codec's sets it is. */
static const struct xt_set_info *info_at(const struct xt_opt *o, const struct xt_ext *x)
{
	return (const struct xt_set_info *)((const uint8_t *)x->data + o->off);
}

/* Revision 0 has a word for each dimension (xt_set.c, compat_flags()); it is brought into the later form. */
static struct xt_set_info info_of_v0(const struct xt_set_info_v0 *v0)
{
	struct xt_set_info i = { .index = v0->index };

	if (v0->u.flags[0] & IPSET_MATCH_INV)
		i.flags |= IPSET_INV_MATCH;
	while (i.dim < IPSET_DIM_MAX - 1 && v0->u.flags[i.dim])
		if (v0->u.flags[i.dim++] & IPSET_SRC)
			i.flags |= (uint8_t)(1u << i.dim);
	return i;
}

static struct xt_set_info info_of(const struct xt_opt *o, const struct xt_ext *x)
{
	return x->rev ? *info_at(o, x) : info_of_v0((const struct xt_set_info_v0 *)info_at(o, x));
}

static bool no_set(const struct xt_opt *o, const struct xt_ext *x)
{
	return info_at(o, x)->index == IPSET_INVALID_ID && !(x->ipsets && x->ipsets[o->min]);
}

static void dims_text(const struct xt_set_info *i, struct buf *b)
{
	for (unsigned d = 1; d <= i->dim && d <= IPSET_DIM_MAX; d++) {
		buf_chr(b, d == 1 ? ' ' : ',');
		buf_str(b, i->flags & 1u << d ? "src" : "dst");
	}
}

static void set_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	struct xt_set_info i = info_of(o, x);

	buf_chr(b, ' ');
	if (x->ipsets && x->ipsets[o->min])
		buf_str(b, x->ipsets[o->min]);
	else
		buf_fmt(b, "#%u", i.index);
	dims_text(&i, b);
}

static void set_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	struct xt_set_info i = info_of(o, x);

	json_begin_object(j, key);
	json_str(j, "set", x->ipsets ? x->ipsets[o->min] : NULL);
	json_uint(j, "index", i.index);
	json_begin_array(j, "dirs");
	for (unsigned d = 1; d <= i.dim && d <= IPSET_DIM_MAX; d++)
		json_str(j, NULL, i.flags & 1u << d ? "src" : "dst");
	json_end_array(j);
	json_end_object(j);
}

static int parse_dims(struct xt_parse *p, struct xt_set_info *i, const char *text, struct err *e)
{
	for (;; text++) {
		size_t len = strcspn(text, ",");
		bool src = len == 3 && strncmp(text, "src", 3) == 0;

		if (!src && (len != 3 || strncmp(text, "dst", 3) != 0))
			return xt_bad(p, e, "'%.*s' is neither src nor dst", (int)len, text);
		if (++i->dim > IPSET_DIM_MAX)
			return xt_bad(p, e, "more than %d dimensions", IPSET_DIM_MAX);
		if (src)
			i->flags |= (uint8_t)(1u << i->dim);
		text += len;
		if (!*text)
			return 0;
	}
}

/* What is read becomes the newest revision. The number is the kernel's business: xt_number_sets() asks for it when the rule is written. */
static int set_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	struct xt_set_info *i = (struct xt_set_info *)(p->data + o->off);

	if (!*p->args[0] || strlen(p->args[0]) >= IPSET_MAXNAMELEN)
		return xt_bad(p, e, "'%.40s' cannot be an ipset's name", p->args[0]);
	if (!p->ipsets && !(p->ipsets = arena_array(p->arena, XT_SETS_MAX, sizeof(*p->ipsets))))
		return err_oom(e);
	p->ipsets[o->min] = p->args[0];
	return parse_dims(p, i, p->args[1], e);
}

static void set_init(const struct xt_opt *o, uint8_t *data)
{
	((struct xt_set_info *)(data + o->off))->index = IPSET_INVALID_ID;
}

static const struct xt_type set_ref = { 2, no_set, set_save, set_json, set_parse, set_init };

/* "! --update-counters": the bit says "skip", so the option is only printed negated. */
#define SKIP(name, s, m, bit) { name, NULL, &xt_flag, XT_SET(s, m, bit), XT_INV(s, m, bit) }

/* Counters are compared by one operator; each spelling of it is an option of its own. */
static void counter_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	buf_chr(b, ' ');
	buf_uint(b, xt_load(x->data, o->off, 8));
}

static void counter_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	json_uint(j, key, xt_load(x->data, o->off, 8));
}

static int counter_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	uint64_t v;

	if (xt_number(p, p->args[0], 0, UINT64_MAX, &v, e) < 0)
		return -1;
	xt_store(p->data, o->off, 8, v);
	p->data[o->off2] = (uint8_t)o->max; /* "!" then makes it NE */
	if (p->codec->rev == 4)
		((struct xt_set_info_match_v4 *)p->data)->flags |= IPSET_FLAG_MATCH_COUNTERS;
	else
		((struct xt_set_info_match_v3 *)p->data)->flags |= IPSET_FLAG_MATCH_COUNTERS;
	return 0;
}

static bool not_this_op(const struct xt_opt *o, const struct xt_ext *x)
{
	uint8_t op = (uint8_t)xt_load(x->data, o->off2, 1);

	return op != o->max && !(o->max == IPSET_COUNTER_EQ && op == IPSET_COUNTER_NE);
}

static const struct xt_type counter = { 1, not_this_op, counter_save, counter_json, counter_parse, NULL };

/* EQ is 1 and NE 2: the negation of --x-eq is the operator NE, which is a field and no bit. */
#define COUNTER(s, name, m, o)                                                                             \
	{ name, NULL, &counter, .off = offsetof(struct s, m.value), .off2 = offsetof(struct s, m.op),      \
	  .size = 8, .max = o }
#define COUNTER_EQ(s, name, m)                                                                             \
	{ name, NULL, &counter, .off = offsetof(struct s, m.value), .off2 = offsetof(struct s, m.op),      \
	  .size = 8, .max = IPSET_COUNTER_EQ, .inv = XT_FIELD(s, m.op, 0xff, IPSET_COUNTER_NE) }
#define COUNTERS(s)                                                                                        \
	COUNTER_EQ(s, "packets-eq", packets), COUNTER(s, "packets-lt", packets, IPSET_COUNTER_LT),         \
		COUNTER(s, "packets-gt", packets, IPSET_COUNTER_GT), COUNTER_EQ(s, "bytes-eq", bytes),     \
		COUNTER(s, "bytes-lt", bytes, IPSET_COUNTER_LT), COUNTER(s, "bytes-gt", bytes, IPSET_COUNTER_GT)

#define MATCH_SET                                                                                          \
	{ "match-set", NULL, &set_ref, .size = 2, XT_INV(xt_set_info_match_v1, match_set.flags, IPSET_INV_MATCH) }
#define FLAGS(s)                                                                                           \
	{ "return-nomatch", NULL, &xt_flag, XT_SET(s, flags, IPSET_FLAG_RETURN_NOMATCH) },                 \
		SKIP("update-counters", s, flags, IPSET_FLAG_SKIP_COUNTER_UPDATE),                         \
		SKIP("update-subcounters", s, flags, IPSET_FLAG_SKIP_SUBCOUNTER_UPDATE)

static const struct xt_opt match0_opts[] = {
	{ "match-set", NULL, &set_ref, .size = 2, XT_INV(xt_set_info_match_v0, match_set.u.flags[0], IPSET_MATCH_INV) },
	XT_END,
};
static const struct xt_opt match1_opts[] = { MATCH_SET, XT_END };
static const struct xt_opt match2_opts[] = {
	MATCH_SET,
	{ "return-nomatch", NULL, &xt_flag, XT_SET(xt_set_info_match_v1, match_set.flags, IPSET_FLAG_RETURN_NOMATCH) },
	XT_END,
};
static const struct xt_opt match3_opts[] = {
	MATCH_SET, FLAGS(xt_set_info_match_v3), COUNTERS(xt_set_info_match_v3), XT_END
};
static const struct xt_opt match4_opts[] = {
	MATCH_SET, FLAGS(xt_set_info_match_v4), COUNTERS(xt_set_info_match_v4), XT_END
};

/* net/netfilter/xt_set.c, set_match_v3(), set_match_v4(): an operator, not a flag, asks for counters. */
static bool counters_asked(const struct xt_ext *x)
{
	const struct xt_set_info_match_v3 *v3 = x->data;
	const struct xt_set_info_match_v4 *v4 = x->data;

	if (x->rev == 3)
		return v3->packets.op != IPSET_COUNTER_NONE || v3->bytes.op != IPSET_COUNTER_NONE;
	return x->rev == 4 && (v4->packets.op != IPSET_COUNTER_NONE || v4->bytes.op != IPSET_COUNTER_NONE);
}

static void match_lower(struct xt_low *l, const struct xt_ext *x)
{
	struct xt_set_info i = info_of(x->codec->opts, x);
	struct expr *set = expr_new(l->a, EXPR_IPSET, DT_STRING, ORDER_HOST, 0);
	uint32_t flags = x->rev == 3 ? xt_data(xt_set_info_match_v3, x)->flags :
			 x->rev == 4 ? xt_data(xt_set_info_match_v4, x)->flags : 0;

	if (counters_asked(x))
		l->why = "the counters of the ipset's element decide";
	if (set) {
		set->ipset.name = x->ipsets ? x->ipsets[0] : NULL;
		set->ipset.index = i.index;
		set->ipset.dims = i.dim;
		set->ipset.src = (uint8_t)(i.flags >> 1);
		set->ipset.flags = flags;
	}
	low_match(l, i.flags & IPSET_INV_MATCH, low_addr_expr(l, i.flags & IPSET_DIM_ONE_SRC ? "saddr" : "daddr"), set);
}

#define MATCH(r, s)                                                                                        \
	.name = "set", .rev = r, .size = sizeof(struct s), .opts = match##r##_opts, .lower = match_lower,  \
	.n_sets = 1, .sets = { offsetof(struct s, match_set.index) }

const struct xt_codec xt_match_set_v0 = { MATCH(0, xt_set_info_match_v0) };
const struct xt_codec xt_match_set_v1 = { MATCH(1, xt_set_info_match_v1) };
const struct xt_codec xt_match_set_v2 = { MATCH(2, xt_set_info_match_v1) };
const struct xt_codec xt_match_set_v3 = { MATCH(3, xt_set_info_match_v3) };
const struct xt_codec xt_match_set_v4 = { MATCH(4, xt_set_info_match_v4) };

/* -j SET */

#define NO_TIMEOUT UINT32_MAX

#define SET_REF(name, s, m, which) { name, NULL, &set_ref, .off = offsetof(struct s, m), .size = 2, .min = which }
#define ADD(s)	SET_REF("add-set", s, add_set, 0)
#define DEL(s)	SET_REF("del-set", s, del_set, 1)
#define ADD_FLAGS(s)                                                                                       \
	{ "exist", NULL, &xt_flag, XT_SET(s, flags, IPSET_FLAG_EXIST) },                                   \
		{ "timeout", NULL, &xt_uint, XT_AT(s, timeout), .max = UINT32_MAX - 1, .dflt = NO_TIMEOUT }

static const struct xt_opt target0_opts[] = { ADD(xt_set_info_target_v0), DEL(xt_set_info_target_v0), XT_END };
static const struct xt_opt target1_opts[] = { ADD(xt_set_info_target_v1), DEL(xt_set_info_target_v1), XT_END };
static const struct xt_opt target2_opts[] = {
	ADD(xt_set_info_target_v2), ADD_FLAGS(xt_set_info_target_v2), DEL(xt_set_info_target_v2), XT_END
};
static const struct xt_opt target3_opts[] = {
	ADD(xt_set_info_target_v3), ADD_FLAGS(xt_set_info_target_v3), DEL(xt_set_info_target_v3),
	SET_REF("map-set", xt_set_info_target_v3, map_set, 2),
	{ "map-mark", NULL, &xt_flag, XT_SET(xt_set_info_target_v3, flags, IPSET_FLAG_MAP_SKBMARK) },
	{ "map-prio", NULL, &xt_flag, XT_SET(xt_set_info_target_v3, flags, IPSET_FLAG_MAP_SKBPRIO) },
	{ "map-queue", NULL, &xt_flag, XT_SET(xt_set_info_target_v3, flags, IPSET_FLAG_MAP_SKBQUEUE) },
	XT_END,
};

#define TARGET(r)                                                                                          \
	.name = "SET", .rev = r, .target = true, .goes_on = true, .opts = target##r##_opts, .n_sets = 2,   \
	.size = sizeof(struct xt_set_info_target_v##r), .unknown = "it changes an ipset",                  \
	.sets = { offsetof(struct xt_set_info_target_v##r, add_set.index),                                 \
		  offsetof(struct xt_set_info_target_v##r, del_set.index) }

const struct xt_codec xt_target_SET_v0 = { TARGET(0) };
const struct xt_codec xt_target_SET_v1 = { TARGET(1) };
const struct xt_codec xt_target_SET_v2 = { TARGET(2) };
const struct xt_codec xt_target_SET_v3 = {
	.name = "SET", .rev = 3, .target = true, .goes_on = true, .opts = target3_opts, .n_sets = 3,
	.size = sizeof(struct xt_set_info_target_v3), .unknown = "it changes an ipset",
	.sets = { offsetof(struct xt_set_info_target_v3, add_set.index),
		  offsetof(struct xt_set_info_target_v3, del_set.index),
		  offsetof(struct xt_set_info_target_v3, map_set.index) },
};
