/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_match - conditions as nft lists them: bit tests have short forms */
#include <stdio.h>
#include <string.h>

#include "nsutil/ruleset/nft_names.h"
#include "nsutil/ruleset/nft_print.h"

static bool all_zero(const struct expr *v)
{
	for (unsigned i = 0; i < (v->bits + 7u) / 8u; i++)
		if (v->value[i])
			return false;
	return true;
}

static bool one_bit(const struct expr *v)
{
	unsigned n = 0;

	for (unsigned i = 0; i < (v->bits + 7u) / 8u; i++)
		n += (unsigned)__builtin_popcount(v->value[i]);
	return n == 1;
}

enum nft_match_form nft_match_form(const struct stmt_match *m)
{
	const struct expr *l = m->left, *r = m->right;

	if (l->kind != EXPR_BINOP || l->binop.op != BINOP_AND || r->kind != EXPR_VALUE ||
	    l->binop.right->kind != EXPR_VALUE || !nft_is_flags(l->dtype))
		return NFT_MATCH_PLAIN;
	if (all_zero(r))
		return m->op == OP_NE ? NFT_MATCH_FLAGS : m->op == OP_EQ ? NFT_MATCH_NO_FLAGS : NFT_MATCH_PLAIN;
	if (m->op != OP_EQ && m->op != OP_NE)
		return NFT_MATCH_PLAIN;
	/* "x & f == f" of a single flag stays as it is */
	if (r->bits == l->binop.right->bits && memcmp(r->value, l->binop.right->value, (r->bits + 7u) / 8u) == 0 && one_bit(r))
		return NFT_MATCH_PLAIN;
	return NFT_MATCH_MASKED;
}

static const char *const ops[] = {
	[OP_EQ] = "==", [OP_NE] = "!=", [OP_LT] = "<", [OP_GT] = ">", [OP_LE] = "<=", [OP_GE] = ">=",
};

/* "==" is not written, except where it would be taken for a test of bits. */
static bool says_equal(const struct stmt_match *m)
{
	const struct expr *l = m->left;

	if (l->kind == EXPR_BINOP)
		return true;
	return m->right->kind == EXPR_VALUE && nft_is_flags(l->dtype);
}

/* Other than for equality, several flags of TCP are one number, others are put together by "|", in order without words. */
static bool flags_beside(const struct stmt_match *m)
{
	return m->op != OP_EQ && m->right->kind == EXPR_VALUE && m->left->kind != EXPR_BINOP && nft_is_flags(m->left->dtype);
}

static bool flags_number(const struct stmt_match *m)
{
	/* it is compared in network order, in which nft finds no name for it */
	if (m->op > OP_NE && m->right->kind == EXPR_VALUE && m->right->dtype == DT_FIB_ADDRTYPE)
		return true;
	if (!flags_beside(m) || m->left->dtype == DT_CT_LABEL)
		return false;
	return m->left->dtype == DT_TCP_FLAG ? !one_bit(m->right) : m->op != OP_NE;
}

/*
 * A string that ends with an asterisk and is meant so: beside a comparison nft tells it from the beginning of a name.
 * What is to be written instead, with what is in front of it in @room; NULL: the value as it is.
 */
static const char *starred(const struct stmt_match *m, char room[80])
{
	const struct expr *v = m->right;
	size_t len;

	if (v->kind != EXPR_VALUE || (v->dtype != DT_STRING && v->dtype != DT_IFNAME && v->dtype != DT_OSF_NAME))
		return NULL;
	len = strnlen((const char *)v->value, v->bits / 8u);
	if (!len || v->value[len - 1] != '*' || len > 64)
		return NULL;
	snprintf(room, 80, "%.*s\\*", (int)(len - 1), (const char *)v->value);
	return room;
}

void nft_match_text(const struct nft_text *t, const struct stmt_match *m)
{
	enum nft_match_form form = nft_match_form(m);
	char room[80];

	nft_expr_text(t, form == NFT_MATCH_PLAIN ? m->left : m->left->binop.left);
	buf_chr(t->b, ' ');
	switch (form) {
	case NFT_MATCH_FLAGS:
		nft_value_text(m->left->binop.right, ",", t->b);
		break;
	case NFT_MATCH_NO_FLAGS:
		buf_str(t->b, "! ");
		nft_value_text(m->left->binop.right, ",", t->b);
		break;
	case NFT_MATCH_MASKED:
		if (m->op == OP_NE)
			buf_str(t->b, "!= ");
		nft_value_text(m->right, ",", t->b);
		buf_str(t->b, " / ");
		nft_value_text(m->left->binop.right, ",", t->b);
		break;
	case NFT_MATCH_PLAIN:
		if (m->op != OP_EQ || says_equal(m))
			buf_fmt(t->b, "%s ", ops[m->op]);
		if (flags_number(m))
			nft_number_text(m->right, t->b);
		else if (starred(m, room))
			nft_string_text(room, t->b);
		else
			nft_expr_text(t, m->right);
		break;
	}
}

void nft_match_json(const struct stmt_match *m, struct json *j)
{
	enum nft_match_form form = nft_match_form(m);
	char room[80];

	json_begin_object(j, NULL);
	json_begin_object(j, "match");
	switch (form) {
	case NFT_MATCH_FLAGS:
	case NFT_MATCH_NO_FLAGS:
		json_str(j, "op", form == NFT_MATCH_FLAGS ? "in" : "!");
		nft_expr_json(m->left->binop.left, j, "left");
		nft_value_json(m->left->binop.right, false, j, "right");
		break;
	case NFT_MATCH_MASKED:
	case NFT_MATCH_PLAIN:
		json_str(j, "op", ops[m->op]);
		nft_expr_json(m->left, j, "left");
		if (flags_number(m))
			nft_number_json(m->right, j, "right");
		else if (starred(m, room))
			json_str(j, "right", room);
		else if (m->right->kind == EXPR_VALUE)
			nft_value_json(m->right, flags_beside(m), j, "right");
		else
			nft_expr_json(m->right, j, "right");
		break;
	}
	json_end_object(j);
	json_end_object(j);
}
