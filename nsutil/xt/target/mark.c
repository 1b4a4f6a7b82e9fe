/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mark - -j MARK, -j CONNMARK: set, save and restore marks */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_mark.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* "V/M" with the mask always printed */
static void xmark_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	buf_fmt(b, " 0x%x/0x%x", (uint32_t)xt_load(x->data, o->off, 4), (uint32_t)xt_load(x->data, o->off2, 4));
}

static void xmark_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	xt_mark.json(o, x, j, key);
}

static int xmark_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	return xt_mark.parse(o, p, e);
}

static const struct xt_type xmark = { 1, NULL, xmark_save, xmark_json, xmark_parse, NULL };

/* The other ways to say it (iptables-extensions(8), MARK): all become value and mask. */
static int mark_word(struct xt_parse *p, uint32_t *value, uint32_t *mask, struct err *e)
{
	static const char *const names[] = { "set-mark", "and-mark", "or-mark", "xor-mark" };
	uint64_t v, m = UINT32_MAX;
	const char *rest = "";
	unsigned i = 0;

	while (i < 4 && strcmp(p->opt, names[i]) != 0)
		i++;
	if (i == 4)
		return 0;
	if (p->n_args < 1)
		return xt_bad(p, e, "a value is missing");
	if (xt_number_upto(p, p->args[0], i == 0 ? "/" : "", UINT32_MAX, &v, &rest, e) < 0)
		return -1;
	if (*rest == '/' && xt_number(p, rest + 1, 0, UINT32_MAX, &m, e) < 0)
		return -1;
	*value = i == 1 ? 0 : (uint32_t)v;
	*mask = i == 0 ? (uint32_t)(v | m) : i == 1 ? ~(uint32_t)v : i == 2 ? (uint32_t)v : 0;
	p->used = 1;
	return 1;
}

static int mark2_parse(struct xt_parse *p, struct err *e)
{
	struct xt_mark_tginfo2 *m = (struct xt_mark_tginfo2 *)p->data;

	return mark_word(p, &m->mark, &m->mask, e);
}

static const struct xt_opt mark2_opts[] = {
	{ "set-xmark", NULL, &xmark, XT_AT(xt_mark_tginfo2, mark), XT_AT2(xt_mark_tginfo2, mask) },
	XT_END,
};

static void mark2_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_mark_tginfo2 *m = xt_data(xt_mark_tginfo2, x);

	low_set_masked(l, low_meta_mark, ~m->mask, m->mark);
}

const struct xt_codec xt_target_MARK_v2 = {
	.name = "MARK", .rev = 2, .target = true, .goes_on = true, .size = sizeof(struct xt_mark_tginfo2),
	.opts = mark2_opts, .parse = mark2_parse, .lower = mark2_lower,
};

/* CONNMARK: revision 2 puts the shift where revision 1 has the mode. */
static uint8_t connmark_mode(const struct xt_ext *x)
{
	return x->rev >= 2 ? xt_data(xt_connmark_tginfo2, x)->mode : xt_data(xt_connmark_tginfo1, x)->mode;
}

#define CT_AT(m)  XT_AT(xt_connmark_tginfo1, m)
#define CT_AT2(m) XT_AT2(xt_connmark_tginfo1, m)

static bool not_here(const struct xt_opt *o, const struct xt_ext *x)
{
	(void)o;
	return connmark_mode(x) == XT_CONNMARK_SET;
}

static void mask_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	xt_hex.save(o, x, b);
}

static void mask_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	xt_hex.json(o, x, j, key);
}

static int mask_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	return xt_hex.parse(o, p, e);
}

static const struct xt_type copy_mask = { 1, not_here, mask_save, mask_json, mask_parse, NULL };

#define CONNMARK_OPTS(s)                                                                                    \
	{ "set-xmark", NULL, &xmark, CT_AT(ctmark), CT_AT2(ctmask), XT_MODE(s, mode, 0xff, XT_CONNMARK_SET) },               \
		{ "save-mark", NULL, &xt_flag, XT_MODE(s, mode, 0xff, XT_CONNMARK_SAVE) },                                   \
		{ "restore-mark", NULL, &xt_flag, XT_MODE(s, mode, 0xff, XT_CONNMARK_RESTORE) },                             \
		{ "nfmask", NULL, &copy_mask, CT_AT(nfmask) }, { "ctmask", NULL, &copy_mask, CT_AT(ctmask) }

#define SHIFT(v)                                                                                           \
	.off = offsetof(struct xt_connmark_tginfo2, shift_bits), .size = 1, .max = 31,                     \
	XT_MODE(xt_connmark_tginfo2, shift_dir, 0xff, v)

static const struct xt_opt connmark1_opts[] = { CONNMARK_OPTS(xt_connmark_tginfo1), XT_END };
static const struct xt_opt connmark2_opts[] = {
	CONNMARK_OPTS(xt_connmark_tginfo2),
	{ "left-shift-mark", NULL, &xt_uint, SHIFT(D_SHIFT_LEFT), .sparse = true },
	{ "right-shift-mark", NULL, &xt_uint, SHIFT(D_SHIFT_RIGHT), .sparse = true },
	XT_END,
};

static void connmark_init(uint8_t *data, uint8_t family)
{
	struct xt_connmark_tginfo1 *c = (struct xt_connmark_tginfo1 *)data;

	(void)family;
	c->ctmask = c->nfmask = UINT32_MAX;
}

static int connmark_parse(struct xt_parse *p, struct err *e)
{
	struct xt_connmark_tginfo1 *c = (struct xt_connmark_tginfo1 *)p->data;
	uint64_t v;
	int r;

	if (strcmp(p->opt, "mask") == 0) {
		if (p->n_args < 1)
			return xt_bad(p, e, "a value is missing");
		if (xt_number(p, p->args[0], 0, UINT32_MAX, &v, e) < 0)
			return -1;
		c->nfmask = c->ctmask = (uint32_t)v;
		p->used = 1;
		return 1;
	}
	r = mark_word(p, &c->ctmark, &c->ctmask, e);
	if (r == 1 && p->codec->rev >= 2)
		((struct xt_connmark_tginfo2 *)p->data)->mode = XT_CONNMARK_SET;
	else if (r == 1)
		c->mode = XT_CONNMARK_SET;
	return r;
}

/* From one mark to the other: to = (to & ~to_mask) ^ shift(from & from_mask) (xt_connmark.c). */
static void lower_copy(struct xt_low *l, struct expr *(*to)(struct arena *a), struct expr *(*from)(struct arena *a),
		       uint32_t from_mask, uint32_t to_mask)
{
	struct expr *v = from(l->a);

	if (from_mask != UINT32_MAX)
		v = expr_binop(l->a, BINOP_AND, v, expr_u32(l->a, DT_MARK, from_mask));
	if (to_mask != UINT32_MAX)
		v = expr_binop(l->a, BINOP_XOR,
			       expr_binop(l->a, BINOP_AND, to(l->a), expr_u32(l->a, DT_MARK, ~to_mask)), v);
	low_set(l, to(l->a), v);
}

static struct expr *under(struct arena *a, struct expr *v, uint32_t mask)
{
	return mask == UINT32_MAX ? v : expr_binop(a, BINOP_AND, v, expr_u32(a, DT_MARK, mask));
}

/* connmark_tg_shift() */
static void lower_shifted(struct xt_low *l, const struct xt_connmark_tginfo2 *c)
{
	enum binop op = c->shift_dir == D_SHIFT_RIGHT ? BINOP_RSHIFT : BINOP_LSHIFT;
	struct expr *bits = expr_u32(l->a, DT_INTEGER, c->shift_bits), *(*to)(struct arena *) = low_ct_mark, *v;
	uint32_t keep = ~c->ctmask;

	switch (c->mode) {
	case XT_CONNMARK_SET:
		v = expr_binop(l->a, BINOP_XOR, under(l->a, low_ct_mark(l->a), keep), expr_u32(l->a, DT_MARK, c->ctmark));
		low_set(l, low_ct_mark(l->a), expr_binop(l->a, op, v, bits));
		return;
	case XT_CONNMARK_SAVE: v = under(l->a, low_meta_mark(l->a), c->nfmask); break;
	case XT_CONNMARK_RESTORE:
		v = under(l->a, low_ct_mark(l->a), c->ctmask);
		to = low_meta_mark;
		keep = ~c->nfmask;
		break;
	default: l->why = "its mode is not known"; return;
	}
	v = expr_binop(l->a, op, v, bits);
	low_set(l, to(l->a), keep ? expr_binop(l->a, BINOP_XOR, under(l->a, to(l->a), keep), v) : v);
}

static void connmark_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_connmark_tginfo2 *c2 = xt_data(xt_connmark_tginfo2, x);
	const struct xt_connmark_tginfo1 *c = xt_data(xt_connmark_tginfo1, x);

	if (x->rev >= 2 && c2->shift_bits) {
		lower_shifted(l, c2);
		return;
	}
	switch (connmark_mode(x)) {
	case XT_CONNMARK_SET: low_set_masked(l, low_ct_mark, ~c->ctmask, c->ctmark); break;
	case XT_CONNMARK_SAVE: lower_copy(l, low_ct_mark, low_meta_mark, c->nfmask, c->ctmask); break;
	case XT_CONNMARK_RESTORE: lower_copy(l, low_meta_mark, low_ct_mark, c->ctmask, c->nfmask); break;
	default: l->why = "its mode is not known";
	}
}

#define CONNMARK                                                                                           \
	.name = "CONNMARK", .target = true, .goes_on = true, .init = connmark_init, .parse = connmark_parse, \
	.lower = connmark_lower

const struct xt_codec xt_target_CONNMARK_v1 = {
	CONNMARK, .rev = 1, .size = sizeof(struct xt_connmark_tginfo1), .opts = connmark1_opts,
};
const struct xt_codec xt_target_CONNMARK_v2 = {
	CONNMARK, .rev = 2, .size = sizeof(struct xt_connmark_tginfo2), .opts = connmark2_opts,
};
