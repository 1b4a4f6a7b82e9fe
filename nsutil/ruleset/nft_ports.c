/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_ports - one of two ports, or neither: nft says it of both together */
#include <string.h>

#include "nsutil/ruleset/nft_print.h"

enum { ALL = 65535, MOST = 15 };

struct ports {
	unsigned n;
	bool edge; /* one of them is the first or the last that there is */
	struct port_span {
		unsigned from, to;
	} span[MOST];
};

static unsigned port_of(const struct expr *v)
{
	return (unsigned)v->value[0] << 8 | v->value[1];
}

static bool add_port(struct ports *p, const struct expr *x)
{
	const struct expr *from = x->kind == EXPR_RANGE ? x->range.from : x, *to = x->kind == EXPR_RANGE ? x->range.to : x;
	struct port_span s;

	if (p->n == MOST || from->kind != EXPR_VALUE || to->kind != EXPR_VALUE || from->bits != 16 || to->bits != 16)
		return false;
	s = (struct port_span){ port_of(from), port_of(to) };
	p->edge |= s.from == 0 || s.to == ALL;
	if (s.from > s.to)
		return false;
	for (unsigned i = 0; i < p->n; i++)
		if (s.from <= p->span[i].to && p->span[i].from <= s.to)
			return false;
	p->span[p->n++] = s;
	return true;
}

static bool take_ports(struct ports *p, const struct expr *x)
{
	if (x->kind != EXPR_SETREF)
		return add_port(p, x);
	for (unsigned i = 0; i < x->set->n_elems; i++)
		if (!add_port(p, x->set->elems[i].key))
			return false;
	return true;
}

/* The condition is one on a port, @name; its ports go to @p */
static bool is_port(const struct stmt *s, enum match_op op, const char *name, struct ports *p)
{
	const struct expr *l = s->match.left;

	return s->kind == STMT_MATCH && s->match.op == op && l->kind == EXPR_PAYLOAD && l->payload.field &&
	       strcmp(l->payload.field->name, name) == 0 && take_ports(p, s->match.right);
}

static void span_text(const struct port_span *s, struct buf *b)
{
	buf_uint(b, s->from);
	if (s->to != s->from) {
		buf_chr(b, '-');
		buf_uint(b, s->to);
	}
}

/* "0-65535 . 53" of a port that @dst is of, "53 . 0-65535" of one of the source */
static void element_text(const struct nft_text *t, const struct port_span *s, bool dst, bool first)
{
	buf_str(t->b, first ? "" : ", ");
	if (dst)
		buf_fmt(t->b, "0-%u . ", ALL);
	span_text(s, t->b);
	if (!dst)
		buf_fmt(t->b, " . 0-%u", ALL);
}

/* The kernel takes no element an end of which lies in one before it, so ports at the edge of the destination come last. */
static bool both_text(const struct nft_text *t, const struct stmt *src, const struct stmt *dst, const struct ports *p,
		      const struct ports *q)
{
	if (p->edge && q->edge)
		return false;
	nft_expr_text(t, src->match.left);
	buf_str(t->b, " . ");
	nft_expr_text(t, dst->match.left);
	buf_str(t->b, src->match.op == OP_NE ? " != { " : " { ");
	for (unsigned i = 0; q->edge && i < p->n; i++)
		element_text(t, &p->span[i], false, i == 0);
	for (unsigned i = 0; i < q->n || (!q->edge && i < p->n); i++) {
		if (i < q->n)
			element_text(t, &q->span[i], true, i == 0 && !q->edge);
		if (!q->edge && i < p->n)
			element_text(t, &p->span[i], false, false);
	}
	buf_str(t->b, " }");
	return true;
}

/* Not the first, or not the last: all the others, which is a range */
static void other_text(const struct nft_text *t, const struct stmt *s, unsigned port)
{
	nft_expr_text(t, s->match.left);
	buf_fmt(t->b, " %u-%u", port ? 0 : 1, port ? ALL - 1 : ALL);
}

bool nft_either_port_text(const struct nft_text *t, const struct stmt_any *any)
{
	struct ports p = { 0 }, q = { 0 };

	if (any->n != 2 || any->alternatives[0]->next || any->alternatives[1]->next ||
	    !is_port(any->alternatives[0], OP_EQ, "sport", &p) || !is_port(any->alternatives[1], OP_EQ, "dport", &q))
		return false;
	return both_text(t, any->alternatives[0], any->alternatives[1], &p, &q);
}

bool nft_neither_port_text(const struct nft_text *t, const struct stmt *s)
{
	struct ports p = { 0 }, q = { 0 };

	if (!s->next || !is_port(s, OP_NE, "sport", &p) || !is_port(s->next, OP_NE, "dport", &q) || p.n != 1 || q.n != 1 ||
	    p.span->from != p.span->to || q.span->from != q.span->to)
		return false;
	if (both_text(t, s, s->next, &p, &q))
		return true;
	other_text(t, s, p.span->from);
	buf_chr(t->b, ' ');
	other_text(t, s->next, q.span->from);
	return true;
}
