/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_act - nat, tproxy and log as nft lists them */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_log.h>
#include <linux/netfilter/nf_nat.h>
#include <string.h>

#include "nsutil/ruleset/nft_print.h"

/* An IPv6 address in front of a port stands in brackets. */
static void addr_text(const struct nft_text *t, const struct expr *x, bool brackets)
{
	bool v6 = brackets && x->dtype == DT_IPV6 && x->kind == EXPR_VALUE;

	if (v6)
		buf_chr(t->b, '[');
	nft_expr_text(t, x);
	if (v6)
		buf_chr(t->b, ']');
}

/* Map data that are address and port, or a range, must be announced. */
static const struct set *nat_map(const struct stmt_nat *n)
{
	return n->addr && n->addr->kind == EXPR_MAP ? n->addr->map.set : NULL;
}

/* What NETMAP maps depends on the hook: the destination before routing, else the source. */
static bool maps_source(const struct nft_text *t)
{
	return t->hook == NF_INET_LOCAL_IN + 1 || t->hook == NF_INET_POST_ROUTING + 1;
}

static const char *nat_word(const struct nft_text *t, enum nat_kind kind)
{
	static const char *const words[] = { "snat", "dnat", "masquerade", "redirect" };

	return kind == NAT_NETMAP ? words[!maps_source(t)] : words[kind];
}

bool nft_nat_has_text(const struct nft_text *t, const struct stmt_nat *n)
{
	if (n->base_port) /* ports that keep their distance from one */
		return false;
	return n->kind != NAT_NETMAP || (t->hook && (!n->addr_max || nft_span_prefix(n->addr, n->addr_max) >= 0));
}

static void nat_head(const struct nft_text *t, const struct stmt_nat *n)
{
	const struct set *map = nat_map(n);

	buf_str(t->b, nat_word(t, n->kind));
	if (n->addr && (t->family == NFPROTO_INET || (map && (map->data_type > 63 || map->data_interval))))
		buf_str(t->b, n->family == NFPROTO_IPV6 ? " ip6" : " ip");
	if (n->flags & NF_NAT_RANGE_NETMAP || (n->kind == NAT_NETMAP && n->addr_max))
		buf_str(t->b, " prefix");
}

/* A range that is a whole prefix is written as one. */
int nft_span_prefix(const struct expr *from, const struct expr *to)
{
	unsigned len = 0;

	if (!from || !to || from->kind != EXPR_VALUE || to->kind != EXPR_VALUE || from->bits != to->bits ||
	    (from->dtype != DT_IPV4 && from->dtype != DT_IPV6))
		return -1;
	while (len < from->bits && !((from->value[len / 8] ^ to->value[len / 8]) & (0x80 >> len % 8)))
		len++;
	for (unsigned i = len; i < from->bits; i++)
		if ((from->value[i / 8] & (0x80 >> i % 8)) || !(to->value[i / 8] & (0x80 >> i % 8)))
			return -1;
	return (int)len;
}

void nft_nat_text(const struct nft_text *t, const struct stmt_nat *n)
{
	const char *words[4];
	unsigned n_words = nft_nat_flags(n->flags & ~(uint32_t)NF_NAT_RANGE_NETMAP, words);
	int prefix = nft_span_prefix(n->addr, n->addr_max);

	nat_head(t, n);
	if (n->addr || n->port)
		buf_str(t->b, " to ");
	if (n->addr)
		addr_text(t, n->addr, n->port && prefix < 0);
	if (prefix >= 0) {
		buf_fmt(t->b, "/%d", prefix);
	} else if (n->addr_max) {
		buf_chr(t->b, '-');
		addr_text(t, n->addr_max, n->port != NULL);
	}
	if (n->port) {
		buf_chr(t->b, ':');
		nft_expr_text(t, n->port);
	}
	if (n->port_max) {
		buf_chr(t->b, '-');
		nft_expr_text(t, n->port_max);
	}
	for (unsigned i = 0; i < n_words; i++)
		buf_fmt(t->b, "%s%s", i ? "," : " ", words[i]);
}

void nft_tproxy_text(const struct nft_text *t, const struct stmt_tproxy *p)
{
	buf_str(t->b, "tproxy ");
	if (t->family == NFPROTO_INET && p->family)
		buf_str(t->b, p->family == NFPROTO_IPV6 ? "ip6 " : "ip ");
	buf_str(t->b, "to ");
	if (p->addr) {
		bool v6 = p->addr->dtype == DT_IPV6 && p->addr->kind == EXPR_VALUE;

		addr_text(t, p->addr, v6);
	}
	if (p->port) {
		buf_chr(t->b, ':');
		nft_expr_text(t, p->port);
	}
}

void nft_log_text(const struct stmt_log *l, struct buf *b)
{
	buf_str(b, "log");
	if (l->prefix && *l->prefix) {
		buf_str(b, " prefix ");
		nft_string_text(l->prefix, b);
	}
	if (l->group >= 0)
		buf_fmt(b, " group %d", l->group);
	if (l->has_snaplen)
		buf_fmt(b, " snaplen %u", l->snaplen);
	if (l->has_qthreshold && l->qthreshold)
		buf_fmt(b, " queue-threshold %u", l->qthreshold);
	if (l->level >= 0 && l->level != 4)
		buf_fmt(b, " level %s", nft_log_level(l->level));
	if ((l->flags & NF_LOG_MASK) == NF_LOG_MASK) {
		buf_str(b, " flags all");
		return;
	}
	if (l->flags & (NF_LOG_TCPSEQ | NF_LOG_TCPOPT))
		buf_fmt(b, " flags tcp %s%s%s", l->flags & NF_LOG_TCPSEQ ? "sequence" : "",
			(l->flags & NF_LOG_TCPSEQ) && (l->flags & NF_LOG_TCPOPT) ? "," : "",
			l->flags & NF_LOG_TCPOPT ? "options" : "");
	if (l->flags & NF_LOG_IPOPT)
		buf_str(b, " flags ip options");
	if (l->flags & NF_LOG_UID)
		buf_str(b, " flags skuid");
	if (l->flags & NF_LOG_MACDECODE)
		buf_str(b, " flags ether");
}
