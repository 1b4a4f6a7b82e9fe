/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quick_test - simple conditions of the model as tests of bytes: made of them, and run */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/ruleset/headers.h"
#include "nsutil/trace/quick.h"

/* ---- running ---- */

static uint64_t be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return be64toh(v);
}

static bool covers(const struct quick_number *known, const struct quick_number *mask)
{
	return (known->lo & mask->lo) == mask->lo && (known->hi & mask->hi) == mask->hi;
}

static enum tri load_bytes(const struct quick_field *f, const struct packet *p, unsigned at, struct quick_number *v)
{
	struct quick_number known = { 0 };
	unsigned last = at + f->size - 8u; /* there is room in front of every header, see PACKET_NH */

	if (at + f->size > p->end)
		return TRI_UNKNOWN;
	v->lo = be64(p->bytes + last);
	known.lo = be64(p->known + last);
	if (f->size > 8) {
		v->hi = be64(p->bytes + last - 8);
		known.hi = be64(p->known + last - 8);
	}
	return covers(&known, &f->mask) ? TRI_TRUE : TRI_UNKNOWN;
}

static enum tri load_meta(const struct packet *p, unsigned key, const struct quick_field *f, struct quick_number *v)
{
	const struct known32 *m = &p->meta[key];

	if (m->absent)
		return TRI_FALSE;
	v->lo = m->v;
	return (m->k & f->mask.lo) == f->mask.lo ? TRI_TRUE : TRI_UNKNOWN;
}

static enum tri load_name(const struct packet *p, unsigned key, const char name[16], struct quick_number *v)
{
	v->hi = be64((const uint8_t *)name);
	v->lo = be64((const uint8_t *)name + 8);
	return p->meta[key].k == UINT32_MAX || name[0] ? TRI_TRUE : TRI_UNKNOWN;
}

enum tri quick_load(const struct quick_field *f, const struct packet *p, struct quick_number *v)
{
	enum tri t = TRI_TRUE;

	v->hi = 0;
	switch ((enum quick_load)f->load) {
	case LOAD_NETWORK:
		t = p->vague && PACKET_NH + f->at + f->size > p->vague ? TRI_UNKNOWN : load_bytes(f, p, PACKET_NH + f->at, v);
		break;
	case LOAD_TRANSPORT: t = p->fragment ? TRI_FALSE : load_bytes(f, p, p->th + f->at, v); break;
	case LOAD_META: t = load_meta(p, f->at, f, v); break;
	case LOAD_L4PROTO: v->lo = p->l4proto; break;
	case LOAD_NFPROTO: v->lo = p->family; break;
	case LOAD_IIFNAME: t = load_name(p, NFT_META_IIF, p->iifname, v); break;
	case LOAD_OIFNAME: t = load_name(p, NFT_META_OIF, p->oifname, v); break;
	}
	v->hi &= f->mask.hi;
	v->lo &= f->mask.lo;
	return t;
}

enum tri quick_test(const struct quick_test *t, const struct packet *p)
{
	struct quick_number v;
	enum tri loaded = quick_load(&t->f, p, &v);
	bool is;

	if (loaded == TRI_UNKNOWN)
		return TRI_UNKNOWN;
	if (loaded == TRI_FALSE)
		return t->f.absent_holds ? TRI_TRUE : TRI_FALSE;
	is = t->f.range ? v.lo >= t->want.lo && v.lo <= t->want.hi : v.lo == t->want.lo && v.hi == t->want.hi;
	return is != t->f.negate ? TRI_TRUE : TRI_FALSE;
}

bool quick_same_field(const struct quick_field *a, const struct quick_field *b)
{
	return a->load == b->load && a->size == b->size && a->at == b->at && a->mask.hi == b->mask.hi &&
	       a->mask.lo == b->mask.lo;
}

/* ---- making ---- */

static uint64_t ones(unsigned bits)
{
	return bits >= 64 ? UINT64_MAX : (1ull << bits) - 1;
}

/* The value of a constant, of exactly so many bits. */
static bool constant(const struct expr *x, unsigned bits, struct quick_number *ret)
{
	struct value v;

	if (!x || x->kind != EXPR_VALUE || x->bits != bits || value_literal(&v, x) < 0)
		return false;
	ret->hi = bits == 128 ? be64(v.b) : 0;
	ret->lo = bits == 128 ? be64(v.b + 8) : value_number(&v);
	return bits == 128 || bits <= 64;
}

/* Where a field stands, and how far its last bit is from the end of its last byte. */
struct place {
	struct quick_field f;
	unsigned bits, shift;
	bool text;
};

static bool payload_place(const struct expr *x, struct place *p)
{
	unsigned first = x->payload.offset / 8, end = (x->payload.offset + x->bits + 7u) / 8;

	if (x->payload.base != NFT_PAYLOAD_NETWORK_HEADER && x->payload.base != NFT_PAYLOAD_TRANSPORT_HEADER)
		return false;
	p->shift = (8 - (x->payload.offset + x->bits) % 8u) % 8u;
	if (!x->bits || end > 100 || (end - first > 8 && (x->bits != 128 || p->shift)))
		return false;
	p->f.load = x->payload.base == NFT_PAYLOAD_NETWORK_HEADER ? LOAD_NETWORK : LOAD_TRANSPORT;
	p->f.at = (uint16_t)first;
	p->f.size = (uint8_t)(end - first);
	p->f.mask.lo = x->bits == 128 ? UINT64_MAX : ones(x->bits) << p->shift;
	p->f.mask.hi = x->bits == 128 ? UINT64_MAX : 0;
	return true;
}

static bool meta_place(const struct expr *x, struct place *p)
{
	p->f.mask.lo = ones(p->bits);
	switch (x->meta_key) {
	case NFT_META_L4PROTO: p->f.load = LOAD_L4PROTO; return p->bits == 8;
	case NFT_META_NFPROTO: p->f.load = LOAD_NFPROTO; return p->bits == 8;
	case NFT_META_IIFNAME:
	case NFT_META_OIFNAME:
		p->f.load = x->meta_key == NFT_META_IIFNAME ? LOAD_IIFNAME : LOAD_OIFNAME;
		p->f.mask.hi = p->f.mask.lo = UINT64_MAX;
		p->text = true;
		return true;
	case NFT_META_MARK:
	case NFT_META_IIF:
	case NFT_META_OIF:
	case NFT_META_SKUID:
	case NFT_META_SKGID:
	case NFT_META_CGROUP:
	case NFT_META_PRIORITY:
		p->f.load = LOAD_META;
		p->f.at = (uint16_t)x->meta_key;
		return p->bits == 32;
	}
	return false;
}

static bool place_of(const struct expr *x, struct place *p)
{
	struct quick_number mask;

	memset(p, 0, sizeof(*p));
	if (x->kind == EXPR_PAYLOAD) {
		p->bits = x->bits;
		return payload_place(x, p);
	}
	if (x->kind == EXPR_META) {
		p->bits = x->meta_key == NFT_META_IIFNAME || x->meta_key == NFT_META_OIFNAME
				  ? 128 : header_meta_type(x->meta_key)->bits;
		return meta_place(x, p);
	}
	if (x->kind != EXPR_BINOP || x->binop.op != BINOP_AND || x->binop.left->kind == EXPR_BINOP ||
	    !place_of(x->binop.left, p) || p->text || !constant(x->binop.right, p->bits, &mask))
		return false;
	p->f.mask.hi &= mask.hi;
	p->f.mask.lo &= mask.lo << p->shift;
	return true;
}

static bool holds_when_absent(const struct stmt_match *m, bool xt)
{
	return xt && m->op == OP_NE && m->left->kind == EXPR_META &&
	       (m->left->meta_key == NFT_META_SKUID || m->left->meta_key == NFT_META_SKGID);
}

/* Is one of a pair a text, and the other no text, they are not compared as one would think. */
static bool same_kind(const struct place *p, const struct expr *x)
{
	return p->text == (x->dtype == DT_IFNAME || x->dtype == DT_STRING);
}

static bool make_equal(const struct stmt_match *m, const struct place *p, struct quick_test *t)
{
	if (!same_kind(p, m->right) || !constant(m->right, p->bits, &t->want))
		return false;
	t->want.lo <<= p->shift;
	/* a wanted bit outside of the mask: never equal, which the full comparison finds as well */
	return !(t->want.lo & ~t->f.mask.lo) && !(t->want.hi & ~t->f.mask.hi);
}

static bool make_prefix(const struct stmt_match *m, const struct place *p, struct quick_test *t)
{
	const struct expr *net = m->right->prefix.value;
	unsigned len = m->right->prefix.len;
	struct quick_number mask;

	if (m->left->kind == EXPR_BINOP || p->shift || p->bits % 8 || len > p->bits || !same_kind(p, net) ||
	    !constant(net, p->bits, &t->want))
		return false;
	mask.hi = p->bits < 128 ? 0 : len >= 64 ? UINT64_MAX : ~ones(64 - len);
	mask.lo = p->bits < 128 ? ~ones(p->bits - len) & ones(p->bits) : len <= 64 ? 0 : ~ones(128 - len);
	t->f.mask.hi &= mask.hi;
	t->f.mask.lo &= mask.lo;
	/* as in make_equal() */
	return !(t->want.lo & ~mask.lo) && !(t->want.hi & ~mask.hi);
}

static bool make_range(const struct stmt_match *m, const struct place *p, struct quick_test *t)
{
	struct quick_number from, to;

	if (p->bits > 64 || !constant(m->right->range.from, p->bits, &from) ||
	    !constant(m->right->range.to, p->bits, &to))
		return false;
	t->f.range = true;
	t->want.lo = from.lo << p->shift;
	t->want.hi = to.lo << p->shift;
	return true;
}

static bool make_order(const struct stmt_match *m, const struct place *p, struct quick_test *t)
{
	struct quick_number v;

	if (p->bits > 64 || !constant(m->right, p->bits, &v))
		return false;
	if ((m->op == OP_LT && v.lo == 0) || (m->op == OP_GT && v.lo == ones(p->bits)))
		return false; /* never true: an empty range has no ends */
	t->f.range = true;
	t->want.lo = (m->op == OP_GE ? v.lo : m->op == OP_GT ? v.lo + 1 : 0) << p->shift;
	t->want.hi = (m->op == OP_LE ? v.lo : m->op == OP_LT ? v.lo - 1 : ones(p->bits)) << p->shift;
	return true;
}

static bool make_test(const struct stmt_match *m, bool xt, struct quick_test *t)
{
	struct place p;

	memset(t, 0, sizeof(*t));
	if (!place_of(m->left, &p))
		return false;
	t->f = p.f;
	t->f.absent_holds = holds_when_absent(m, xt);
	t->f.negate = m->op == OP_NE;
	if (m->op != OP_EQ && m->op != OP_NE)
		return m->right->kind == EXPR_VALUE && make_order(m, &p, t);
	switch (m->right->kind) {
	case EXPR_VALUE: return make_equal(m, &p, t);
	case EXPR_PREFIX: return make_prefix(m, &p, t);
	case EXPR_RANGE: return make_range(m, &p, t);
	default: return false;
	}
}

/* Return: the statement that is no test, after which none is looked at; NULL when all are */
static const struct stmt *list_tests(const struct stmt *s, bool xt, struct quick_test *t, unsigned max, unsigned *n)
{
	for (; s; s = s->next)
		switch (s->kind) {
		case STMT_COUNTER:
		case STMT_LOG:
		case STMT_LAST: break;
		case STMT_MATCH:
			if (*n == max || !make_test(&s->match, xt, &t[*n]))
				return s;
			++*n;
			break;
		case STMT_XT:
			if (xt || s->xt->target || (!s->xt->meaning && s->xt->why_unknown) ||
			    list_tests(s->xt->meaning, true, t, max, n))
				return s;
			break;
		default: return s;
		}
	return NULL;
}

unsigned quick_tests(const struct rule *rule, struct quick_test *t, unsigned max, const struct stmt **rest)
{
	unsigned n = 0;

	*rest = list_tests(rule->stmts, false, t, max, &n);
	return n;
}
