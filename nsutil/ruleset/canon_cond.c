/* SPDX-License-Identifier: GPL-2.0-or-later */
/* canon_cond - conditions as "source = values", gathered in a list whose order does not matter */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/ruleset/canon_form.h"

void canon_list_free(struct canon_list *l)
{
	buf_free(&l->text);
	free(l->pieces);
	l->pieces = NULL;
	l->n = l->room = 0;
}

/* Everything appended to l->text since 'at' becomes a piece. */
static void piece_end(struct canon_list *l, size_t at)
{
	if (l->n == l->room) {
		unsigned room = l->room ? l->room * 2 : 16;
		struct canon_piece *bigger = realloc(l->pieces, room * sizeof(*bigger));

		if (!bigger) {
			l->failed = true;
			return;
		}
		l->pieces = bigger;
		l->room = room;
	}
	l->pieces[l->n++] = (struct canon_piece){ at, l->text.len - at };
}

void canon_list_opaque(struct canon_list *l, const char *text)
{
	size_t at = l->text.len;

	buf_str(&l->text, text);
	piece_end(l, at);
}

static int piece_order(const char *text, const struct canon_piece *a, const struct canon_piece *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int order = memcmp(text + a->at, text + b->at, n);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

static int piece_order_r(const void *a, const void *b, void *text)
{
	return piece_order(text, a, b);
}

/* Lists of conditions are short and nearly always shorter than qsort's set-up is worth. */
static void pieces_sort(struct canon_list *l)
{
	const char *text = buf_cstr(&l->text);

	if (l->n > 32) {
		qsort_r(l->pieces, l->n, sizeof(*l->pieces), piece_order_r, (void *)text);
		return;
	}
	for (unsigned i = 1; i < l->n; i++) {
		struct canon_piece p = l->pieces[i];
		unsigned j = i;

		for (; j > 0 && piece_order(text, &l->pieces[j - 1], &p) > 0; j--)
			l->pieces[j] = l->pieces[j - 1];
		l->pieces[j] = p;
	}
}

void canon_list_flush(struct canon_list *l, struct buf *b)
{
	const char *text = buf_cstr(&l->text);

	l->failed |= buf_failed(&l->text);
	if (l->failed)
		return;
	pieces_sort(l);
	for (unsigned i = 0; i < l->n; i++) {
		const struct canon_piece *p = &l->pieces[i];

		if (i && piece_order(text, &l->pieces[i - 1], p) == 0)
			continue;
		buf_add(b, text + p->at, p->len);
		buf_chr(b, ';');
	}
	l->n = 0;
	buf_reset(&l->text);
}

static bool knows_l4(const struct canon_list *l, uint8_t l4)
{
	for (; l; l = l->outer)
		if (l->l4 == l4)
			return true;
	return false;
}

static void require_l4(struct canon_list *l, uint8_t l4)
{
	size_t at = l->text.len;

	if (knows_l4(l, l4))
		return;
	if (!l->l4)
		l->l4 = l4;
	buf_str(&l->text, "l4=");
	canon_hex(&l->text, &l4, 1);
	piece_end(l, at);
}

/* A link layer header is that of Ethernet where a field of it has a name; nft asks the device for it. */
static void require_ether(struct canon_list *l, const struct expr *left)
{
	size_t at = l->text.len;

	if (left->kind != EXPR_PAYLOAD || left->payload.base != NFT_PAYLOAD_LL_HEADER ||
	    l->family == NFPROTO_BRIDGE || l->family == NFPROTO_NETDEV)
		return;
	buf_fmt(&l->text, "meta.%u=0001", NFT_META_IIFTYPE);
	piece_end(l, at);
}

static void require(struct canon_list *l, const struct expr *left)
{
	unsigned packets = CANON_ANY;
	uint8_t l4 = 0;

	require_ether(l, left);
	canon_needs(left, &packets, &l4);
	l->packets &= packets;
	if (l4)
		require_l4(l, l4);
}

/* A comparison of any shape, written out. */
static void by_structure(struct canon_list *l, const struct stmt_match *m)
{
	static const char *const ops[] = { "=", "!", "<", ">", "<=", ">=" };
	size_t at = l->text.len;

	canon_expr(m->left, l->packets, &l->text);
	buf_str(&l->text, ops[m->op]);
	if (m->right->kind == EXPR_SETREF)
		canon_set(m->right->set, m->left, l->packets, &l->text);
	else
		canon_expr(m->right, l->packets, &l->text);
	piece_end(l, at);
}

/* "<" and its like as ranges of a plain value. */
static bool ordered_values(struct canon_values *vs, enum match_op op, const struct expr *right)
{
	uint8_t c[CANON_WIDTH], low[CANON_WIDTH] = { 0 };

	if (vs->string || !canon_const(right, vs->width, false, c))
		return false;
	/* "<= c" is a range; "> c" is what is not in it; likewise with "< c" and ">= c" */
	canon_values_add_range(vs, low, c);
	if (op == OP_LE || op == OP_GT)
		return true;
	vs->n = 0;
	if (memcmp(c, low, vs->width) == 0)
		return true;
	for (unsigned i = vs->width; i-- > 0;)
		if (c[i]-- != 0)
			break;
	canon_values_add_range(vs, low, c);
	return true;
}

/* -1: the mask is no prefix; else its length in bits. */
static int mask_length(const struct canon_field *f)
{
	unsigned spare = f->width * 8 - f->bits, len = 0;
	bool ended = false;

	for (unsigned i = f->string ? 0 : spare; i < f->width * 8; i++) {
		bool set = f->mask[i / 8] >> (7 - i % 8) & 1;

		if (set && ended)
			return -1;
		ended |= !set;
		len += set;
	}
	return (int)len;
}

/* The mask keeps the low bits, so that ranges of what is left make sense: how many; else 0. */
static unsigned low_bits(const struct canon_field *f)
{
	unsigned count = 0;
	bool ended = false;

	if (f->string)
		return 0;
	for (unsigned i = f->width * 8; i-- > 0;) {
		bool set = f->mask[i / 8] >> (7 - i % 8) & 1;

		if (set && ended)
			return 0;
		ended |= !set;
		count += set;
	}
	for (unsigned i = 0; i < f->width; i++)
		if (f->flip[i])
			return 0;
	return count;
}

/* Each single value seen through mask and flip: what the source itself must be. False: ranges. */
static bool undo_mask(struct canon_values *vs, const struct canon_field *f, int len)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < vs->n; i++) {
		struct canon_range *r = &vs->v[i];
		bool possible = true;

		if (memcmp(r->from, r->to, vs->width) != 0)
			return false;
		for (unsigned k = 0; k < vs->width; k++) {
			r->from[k] ^= f->flip[k];
			possible &= !(r->from[k] & (uint8_t)~f->mask[k]);
			r->to[k] = len >= 0 ? r->from[k] | (uint8_t)~f->mask[k] : r->from[k];
		}
		if (possible)
			vs->v[kept++] = *r;
	}
	vs->n = kept;
	return true;
}

static bool is_plain(const struct canon_field *f)
{
	static const uint8_t zero[CANON_WIDTH];

	return mask_length(f) == (int)f->bits && memcmp(f->flip, zero, f->width) == 0;
}

/* Leave only what is at most 'max'. */
static void clip(struct canon_values *vs, const uint8_t *max)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < vs->n; i++) {
		struct canon_range *r = &vs->v[i];

		if (memcmp(r->from, max, vs->width) > 0)
			continue;
		if (memcmp(r->to, max, vs->width) > 0)
			memcpy(r->to, max, vs->width);
		vs->v[kept++] = *r;
	}
	vs->n = kept;
}

static bool in_values(const struct canon_values *vs, const uint8_t *v)
{
	for (unsigned i = 0; i < vs->n; i++)
		if (memcmp(v, vs->v[i].from, vs->width) >= 0 && memcmp(v, vs->v[i].to, vs->width) <= 0)
			return true;
	return false;
}

/*
 * A packet has exactly one conntrack state, so a test of bits, a comparison and a set say the same:
 * which of the states will do.
 */
static void state_condition(struct canon_list *l, const struct canon_field *f,
			    const struct canon_values *vs, bool negated)
{
	static const uint8_t states[] = { 0x01, 0x02, 0x04, 0x08, 0x40 };
	size_t at = l->text.len;
	uint8_t allowed = 0;

	for (unsigned i = 0; i < sizeof(states); i++) {
		uint8_t v[CANON_WIDTH];

		for (unsigned k = 0; k < f->width; k++)
			v[k] = (uint8_t)(((k == f->width - 1 ? states[i] : 0) & f->mask[k]) ^ f->flip[k]);
		if (in_values(vs, v) != negated)
			allowed |= states[i];
	}
	buf_str(&l->text, "ctstate=");
	canon_hex(&l->text, &allowed, 1);
	piece_end(l, at);
}

/* Fields whose every value is no condition at all; others (skuid) need something to be there. */
static bool always_there(const struct expr *source)
{
	return source->kind == EXPR_PAYLOAD ||
	       (source->kind == EXPR_META &&
		(source->meta_key == NFT_META_MARK || source->meta_key == NFT_META_IIFNAME ||
		 source->meta_key == NFT_META_OIFNAME));
}

/* No interface's name has a slash: iptables-nft writes "INVAL/D" where no packet is meant ("! -i +"). */
static bool no_such_name(const struct canon_field *f, const struct canon_values *vs)
{
	return f->source->kind == EXPR_META &&
	       (f->source->meta_key == NFT_META_IIFNAME || f->source->meta_key == NFT_META_OIFNAME) && vs->n == 1 &&
	       memcmp(vs->v[0].from, vs->v[0].to, vs->width) == 0 && memchr(vs->v[0].from, '/', vs->width);
}

static bool is_l4proto(const struct expr *source)
{
	return source->kind == EXPR_META && source->meta_key == NFT_META_L4PROTO;
}

static void emit_condition(struct canon_list *l, const struct canon_field *f, const struct canon_values *vs,
			   bool masked, bool negated)
{
	size_t at = l->text.len;

	if (!masked && no_such_name(f, vs)) {
		l->packets = negated ? l->packets : 0;
		return;
	}
	if (!vs->n && !negated && (always_there(f->source) || is_l4proto(f->source))) { /* no value will do */
		l->packets = 0;
		return;
	}
	canon_key(f->source, l->packets, &l->text);
	if (masked) {
		buf_chr(&l->text, '&');
		canon_hex(&l->text, f->mask, f->width);
	}
	buf_chr(&l->text, negated ? '!' : '=');
	canon_values_text(vs, &l->text);
	piece_end(l, at);
	if (f->width == 1 && !masked && vs->n == 1 && vs->v[0].from[0] == vs->v[0].to[0] &&
	    l->text.len - at == 5 && memcmp(l->text.data + at, "l4=", 3) == 0) {
		if (knows_l4(l, vs->v[0].from[0])) { /* said before */
			l->text.len = at;
			l->n--;
		} else if (!l->l4) {
			l->l4 = vs->v[0].from[0];
		}
	}
}

/* Of a single bit there are two values; the others cannot be. */
static bool single_bit(const struct canon_field *f)
{
	unsigned count = 0;

	for (unsigned i = 0; i < f->width; i++)
		count += (unsigned)__builtin_popcount(f->mask[i]);
	return count == 1;
}

static void masked_condition(struct canon_list *l, const struct canon_field *f, struct canon_values *vs,
			     bool negated)
{
	if (negated && single_bit(f) && vs->n <= 1) {
		bool was_zero = vs->n == 1 && memcmp(vs->v[0].from, f->mask, f->width) != 0;

		if (vs->n == 1) {
			vs->n = 0;
			if (was_zero)
				canon_values_add_range(vs, f->mask, f->mask);
			else
				canon_values_add_range(vs, (uint8_t[CANON_WIDTH]){ 0 },
						       (uint8_t[CANON_WIDTH]){ 0 });
			negated = false;
		}
	}
	canon_values_sort(vs);
	emit_condition(l, f, vs, true, negated);
}

/* Which IP version: not a condition but what the whole rule is about. Returns false for others. */
static bool version_condition(struct canon_list *l, const struct canon_field *f,
			      const struct canon_values *vs, bool negated)
{
	uint8_t v4[CANON_WIDTH] = { NFPROTO_IPV4 }, v6[CANON_WIDTH] = { NFPROTO_IPV6 };
	unsigned packets;

	if (l->family != NFPROTO_IPV4 && l->family != NFPROTO_IPV6 && l->family != NFPROTO_INET)
		return false;
	if (f->source->kind != EXPR_META || !is_plain(f))
		return false;
	if (f->source->meta_key == NFT_META_PROTOCOL) {
		v4[0] = ETH_P_IP >> 8, v4[1] = ETH_P_IP & 0xff;
		v6[0] = ETH_P_IPV6 >> 8, v6[1] = ETH_P_IPV6 & 0xff;
	} else if (f->source->meta_key != NFT_META_NFPROTO) {
		return false;
	}
	packets = (in_values(vs, v4) != negated ? CANON_V4 : 0) | (in_values(vs, v6) != negated ? CANON_V6 : 0);
	l->packets &= packets;
	return true;
}

/* "meta random & 0x7fffffff" is a random number below 2^31, as -m statistic draws it. */
static void random_condition(struct canon_list *l, const struct canon_values *vs)
{
	size_t at = l->text.len;

	buf_fmt(&l->text, "numgen.%u.2147483648.0=", NFT_NG_RANDOM);
	canon_values_text(vs, &l->text);
	piece_end(l, at);
}

/* What the low bits may be. False when the mask is another, and single values are all that makes sense. */
static bool low_bits_condition(struct canon_list *l, const struct canon_field *f, struct canon_values *vs,
			       bool negated)
{
	unsigned bits = low_bits(f);

	if (!bits)
		return false;
	if (negated)
		canon_values_complement(vs, bits);
	else
		clip(vs, f->mask);
	if (f->source->kind == EXPR_META && f->source->meta_key == NFT_META_PRANDOM && bits == 31)
		random_condition(l, vs);
	else
		emit_condition(l, f, vs, true, false);
	return true;
}

/* Numbers below a modulus: what lies above is no difference. */
static void numgen_clip(const struct expr *source, struct canon_values *vs)
{
	uint8_t max[CANON_WIDTH] = { 0 };
	uint32_t last = source->numgen.modulus - 1 + source->numgen.offset;

	if (source->kind != EXPR_NUMGEN || vs->width != 4)
		return;
	for (unsigned i = 0; i < 4; i++)
		max[i] = (uint8_t)(last >> (24 - 8 * i));
	clip(vs, max);
}

/* "exists" is an interface index other than none. */
static void fib_values(const struct expr *source, struct canon_values *vs)
{
	uint8_t one[CANON_WIDTH] = { 0 };
	bool exists;

	if (source->kind != EXPR_FIB || !(source->fib.flags & NFTA_FIB_F_PRESENT) || vs->width != 4)
		return;
	one[3] = 1;
	exists = in_values(vs, one);
	vs->n = 0;
	canon_values_add_range(vs, (uint8_t[CANON_WIDTH]){ 0 }, (uint8_t[CANON_WIDTH]){ 0 });
	if (exists)
		canon_values_complement(vs, 32);
}

static void values_condition(struct canon_list *l, const struct stmt_match *m, const struct canon_field *f,
			     struct canon_values *vs, bool negated)
{
	int len = mask_length(f);

	canon_values_sort(vs);
	fib_values(f->source, vs);
	if (version_condition(l, f, vs, negated))
		return;
	if (f->source->kind == EXPR_CT && f->source->ct.key == NFT_CT_STATE) {
		state_condition(l, f, vs, negated);
		return;
	}
	if (!is_plain(f)) {
		if (low_bits_condition(l, f, vs, negated))
			return;
		if (!undo_mask(vs, f, len)) {
			by_structure(l, m);
			return;
		}
		if (len < 0) {
			masked_condition(l, f, vs, negated);
			return;
		}
		canon_values_sort(vs);
	}
	if (negated)
		canon_values_complement(vs, f->bits);
	numgen_clip(f->source, vs);
	if (canon_values_all(vs, f->bits) && always_there(f->source))
		return;
	emit_condition(l, f, vs, false, false);
}

/* "a . b = x . y" is two conditions. */
static bool split_concat(struct canon_list *l, const struct stmt_match *m)
{
	const struct expr *right = m->right;

	if (right->kind == EXPR_SETREF && right->set && (right->set->flags & SET_ANONYMOUS) &&
	    !(right->set->flags & SET_MAP) && right->set->n_elems == 1 && !right->set->elems[0].stmts)
		right = right->set->elems[0].key;
	if (m->op != OP_EQ || !right || right->kind != EXPR_CONCAT || right->concat.n != m->left->concat.n)
		return false;
	for (unsigned i = 0; i < right->concat.n; i++) {
		struct stmt part = { .kind = STMT_MATCH };

		part.match = (struct stmt_match){ OP_EQ, m->left->concat.parts[i], right->concat.parts[i] };
		canon_condition(l, &part);
	}
	return true;
}

/* Any value will do, if there is one. */
static bool is_there(struct canon_list *l, const struct expr *source)
{
	struct canon_values all;
	struct canon_field f;

	if (!canon_field(source, &f) || !f.source || !is_plain(&f))
		return false;
	canon_values_init(&all, f.width, f.string);
	canon_values_complement(&all, f.bits);
	emit_condition(l, &f, &all, false, false);
	l->failed |= all.failed;
	canon_values_free(&all);
	return true;
}

/* No bit of the source is left: it is so always, if the source is there, or never. */
static bool constant_condition(struct canon_list *l, const struct stmt_match *m, const struct canon_field *f)
{
	const struct expr *source = m->left;
	uint8_t right[CANON_WIDTH];

	while (source->kind == EXPR_BINOP)
		source = source->binop.left;
	if ((m->op != OP_EQ && m->op != OP_NE) || !canon_const(m->right, f->width, f->string, right))
		return false;
	if ((memcmp(right, f->flip, f->width) == 0) == (m->op == OP_EQ))
		return always_there(source) || is_there(l, source);
	l->packets = 0;
	return true;
}

/* "tcp option sack missing" is true of every packet that has no options, of whatever protocol (nft_exthdr.c). */
static bool asks_for_none(const struct stmt_match *m)
{
	const struct expr *x = m->left;

	return x->kind == EXPR_EXTHDR && x->exthdr.present && m->right->kind == EXPR_VALUE &&
	       (m->op == OP_EQ || m->op == OP_NE) && (expr_uint(m->right) == 0) == (m->op == OP_EQ);
}

static void match_condition(struct canon_list *l, const struct stmt_match *m)
{
	bool ordered = m->op != OP_EQ && m->op != OP_NE;
	struct canon_values vs;
	struct canon_field f;
	bool known;

	if (!asks_for_none(m))
		require(l, m->left);
	if (m->left->kind == EXPR_CONCAT && split_concat(l, m))
		return;
	if (m->right->kind == EXPR_IPSET || !canon_field(m->left, &f)) {
		by_structure(l, m); /* an ipset is compared by its name */
		return;
	}
	if (!f.source) {
		if (!constant_condition(l, m, &f))
			by_structure(l, m);
		return;
	}
	canon_values_init(&vs, f.width, f.string);
	vs.leading = f.source->order == ORDER_NET && (f.source->kind == EXPR_PAYLOAD || f.source->kind == EXPR_CT);
	known = ordered ? ordered_values(&vs, m->op, m->right) : canon_values_add(&vs, m->right);
	if (known)
		values_condition(l, m, &f, &vs, m->op == OP_NE || m->op == OP_GT || m->op == OP_GE);
	else
		by_structure(l, m);
	l->failed |= vs.failed;
	canon_values_free(&vs);
}

/* A list within a list: what it narrows down counts only inside. */
static void inner_list(struct canon_list *outer, const struct stmt *s, struct buf *b)
{
	struct canon_list in = { .family = outer->family, .packets = outer->packets, .outer = outer };

	for (; s; s = s->next)
		canon_condition(&in, s);
	if (in.packets != outer->packets)
		canon_list_opaque(&in, in.packets == CANON_V4 ? "v4" : in.packets == CANON_V6 ? "v6" : "never");
	canon_list_flush(&in, b);
	outer->failed |= in.failed;
	canon_list_free(&in);
}

static void any_condition(struct canon_list *l, const struct stmt_any *any)
{
	struct canon_list all = { .family = l->family, .packets = l->packets };
	struct buf one _cleanup_buf_ = BUF_INIT;
	size_t at;

	if (any->n == 1) {
		for (const struct stmt *s = any->alternatives[0]; s; s = s->next)
			canon_condition(l, s);
		return;
	}
	for (unsigned i = 0; i < any->n; i++) {
		buf_reset(&one);
		inner_list(l, any->alternatives[i], &one);
		canon_list_opaque(&all, buf_cstr(&one));
	}
	at = l->text.len;
	buf_str(&l->text, "any(");
	canon_list_flush(&all, &l->text);
	buf_chr(&l->text, ')');
	l->failed |= all.failed || one.failed;
	canon_list_free(&all);
	piece_end(l, at);
}

/* "not (a = b)" is "a != b" where 'a' is always there; else the protocol it needs makes a difference. */
static bool invert_single(struct canon_list *l, const struct stmt *s)
{
	static const enum match_op inverse[] = { OP_NE, OP_EQ, OP_GE, OP_LE, OP_GT, OP_LT };
	struct stmt turned = { .kind = STMT_MATCH };
	unsigned packets = l->packets;
	uint8_t l4 = 0;

	if (!s || s->next || s->kind != STMT_MATCH)
		return false;
	canon_needs(s->match.left, &packets, &l4);
	if (packets != l->packets || (l4 && !knows_l4(l, l4)))
		return false;
	turned.match = s->match;
	turned.match.op = inverse[s->match.op];
	canon_condition(l, &turned);
	return true;
}

void canon_condition(struct canon_list *l, const struct stmt *s)
{
	size_t at;

	switch (s->kind) {
	case STMT_MATCH:
		match_condition(l, &s->match);
		break;
	case STMT_ANY:
		any_condition(l, &s->any);
		break;
	case STMT_NOT:
		if (invert_single(l, s->negated))
			break;
		at = l->text.len;
		buf_str(&l->text, "not(");
		inner_list(l, s->negated, &l->text);
		buf_chr(&l->text, ')');
		piece_end(l, at);
		break;
	case STMT_XT:
		if (s->xt->meaning)
			for (const struct stmt *m = s->xt->meaning; m; m = m->next)
				canon_condition(l, m);
		else {
			at = l->text.len;
			canon_xt(s->xt, &l->text);
			piece_end(l, at);
		}
		break;
	default:
		at = l->text.len;
		canon_action(s, l->packets, &l->text);
		piece_end(l, at);
	}
}
