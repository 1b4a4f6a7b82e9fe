/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptables_header - the fixed part of a rule as iptables text: -s -d -i -o -p -f */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/ruleset/iptables.h"
#include "nsutil/xt/type.h"

static const struct stmt_match **payload_slot(struct ipt_header *h, const struct expr *left)
{
	const struct hdr_field *f = left->payload.field;
	bool ip;

	if (!f || f->base != NFT_PAYLOAD_NETWORK_HEADER)
		return NULL;
	ip = strcmp(f->protocol, "ip") == 0 || strcmp(f->protocol, "ip6") == 0;
	if (ip && strcmp(f->name, "saddr") == 0)
		return &h->saddr;
	if (ip && strcmp(f->name, "daddr") == 0)
		return &h->daddr;
	if (ip && strcmp(f->name, "frag-off") == 0)
		return &h->frag;
	return ip && (strcmp(f->name, "protocol") == 0 || strcmp(f->name, "nexthdr") == 0) ? &h->proto : NULL;
}

static const struct stmt_match **meta_slot(struct ipt_header *h, uint32_t key)
{
	switch (key) {
	case NFT_META_IIF:
	case NFT_META_IIFNAME: return &h->iif;
	case NFT_META_OIF:
	case NFT_META_OIFNAME: return &h->oif;
	case NFT_META_L4PROTO: return &h->proto;
	}
	return NULL;
}

/* A value, a prefix, or a masked value; ranges and sets are none that iptables could have written. */
static bool plain_right(const struct stmt_match *m)
{
	return (m->op == OP_EQ || m->op == OP_NE) &&
	       (m->right->kind == EXPR_VALUE ||
		(m->right->kind == EXPR_PREFIX && m->right->prefix.value->kind == EXPR_VALUE));
}

bool ipt_header_take(struct ipt_header *h, const struct stmt *s)
{
	const struct stmt_match **slot = NULL;
	const struct expr *left;

	if (s->kind != STMT_MATCH || !plain_right(&s->match))
		return false;
	left = s->match.left;
	if (left->kind == EXPR_BINOP && left->binop.op == BINOP_AND && left->binop.right->kind == EXPR_VALUE)
		left = left->binop.left;
	if (left->kind == EXPR_PAYLOAD)
		slot = payload_slot(h, left);
	else if (left->kind == EXPR_META)
		slot = meta_slot(h, left->meta_key);
	if (!slot || *slot)
		return false;
	*slot = &s->match;
	if (slot == &h->proto && s->match.right->kind == EXPR_VALUE)
		h->l4proto = s->match.right->value[0];
	return true;
}

static bool is_value(const struct expr *x, unsigned bits)
{
	return x && x->kind == EXPR_VALUE && x->bits == bits;
}

static void put_addr(const uint8_t *bytes, unsigned bits, struct buf *b)
{
	struct addr a = addr_from(bits == 32 ? AF_INET : AF_INET6, bytes);
	char text[ADDR_TEXT];

	if (bits != 32) {
		buf_str(b, addr_fmt(&a, text));
		return;
	}
	for (unsigned i = 0; i < 4; i++) { /* by hand: most rules of a node have one */
		if (i)
			buf_chr(b, '.');
		buf_uint(b, bytes[i]);
	}
}

/* As save_ipv4_addr() of iptables: always with a length; a mask with holes is written out. */
static bool save_addr(const struct stmt_match *m, const char *option, struct buf *b)
{
	const struct expr *left = m->left, *value = m->right, *mask = NULL;
	unsigned len;

	if (left->kind == EXPR_BINOP) {
		mask = left->binop.right;
		left = left->binop.left;
	}
	len = left->bits;
	if (value->kind == EXPR_PREFIX) {
		len = value->prefix.len;
		value = value->prefix.value;
	}
	if ((left->bits != 32 && left->bits != 128) || !is_value(value, left->bits) ||
	    (mask && !is_value(mask, left->bits)))
		return false;
	buf_str(b, m->op == OP_NE ? " ! " : " ");
	buf_str(b, option);
	buf_chr(b, ' ');
	put_addr(value->value, left->bits, b);
	buf_chr(b, '/');
	if (mask && addr_mask_len(mask->value, mask->bits / 8) < 0)
		put_addr(mask->value, mask->bits, b);
	else
		buf_uint(b, mask ? (unsigned)addr_mask_len(mask->value, mask->bits / 8) : len);
	return true;
}

/* What iptables-nft writes for "! -i +": no interface has this name. */
#define NO_NAME "INVAL/D"

/* An interface by its number, of which iptables-nft tells the name */
static bool save_ifindex(const struct stmt_match *m, const char *option, struct buf *b)
{
	if (!is_value(m->right, 32) || !m->right->sym)
		return false;
	buf_str(b, m->op == OP_NE ? " ! " : " ");
	buf_fmt(b, "%s %s", option, m->right->sym);
	return true;
}

static bool save_iface(const struct stmt_match *m, const char *option, struct buf *b)
{
	const struct expr *value = m->right;
	unsigned len = 16;

	if (m->left->kind == EXPR_META && (m->left->meta_key == NFT_META_IIF || m->left->meta_key == NFT_META_OIF))
		return save_ifindex(m, option, b);
	if (value->kind == EXPR_PREFIX) {
		len = value->prefix.len / 8;
		value = value->prefix.value;
	}
	if (m->left->kind != EXPR_META || value->kind != EXPR_VALUE || value->bits / 8 < len)
		return false;
	if (m->op == OP_EQ && value == m->right && strncmp((const char *)value->value, NO_NAME, len) == 0) {
		buf_fmt(b, " ! %s +", option);
		return true;
	}
	buf_str(b, m->op == OP_NE ? " ! " : " ");
	buf_str(b, option);
	buf_chr(b, ' ');
	buf_add(b, value->value, strnlen((const char *)value->value, len));
	if (m->right->kind == EXPR_PREFIX)
		buf_chr(b, '+');
	return true;
}

static bool save_proto(const struct stmt_match *m, struct buf *b)
{
	const char *name;

	if (!is_value(m->right, 8) || m->left->kind == EXPR_BINOP)
		return false;
	buf_str(b, m->op == OP_NE ? " ! -p " : " -p ");
	name = xt_proto_name(m->right->value[0]);
	if (name)
		buf_str(b, name);
	else
		buf_uint(b, m->right->value[0]);
	return true;
}

static bool save_frag(const struct stmt_match *m, struct buf *b)
{
	if (m->left->kind != EXPR_BINOP || expr_uint(m->left->binop.right) != 0x1fff ||
	    expr_uint(m->right) != 0)
		return false;
	buf_str(b, m->op == OP_NE ? " -f" : " ! -f");
	return true;
}

bool ipt_header_save(const struct ipt_header *h, struct buf *b)
{
	return (!h->saddr || save_addr(h->saddr, "-s", b)) && (!h->daddr || save_addr(h->daddr, "-d", b)) &&
	       (!h->iif || save_iface(h->iif, "-i", b)) && (!h->oif || save_iface(h->oif, "-o", b)) &&
	       (!h->proto || save_proto(h->proto, b)) && (!h->frag || save_frag(h->frag, b));
}
