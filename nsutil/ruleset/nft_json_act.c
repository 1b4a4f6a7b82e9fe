/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_json_act - nat and log in the form of libnftables-json(5) */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_log.h>
#include <linux/netfilter/nf_nat.h>

#include "nsutil/ruleset/nft_print.h"

static void words_json(struct json *j, const char *key, const char *const *words, unsigned n)
{
	if (n == 1) {
		json_str(j, key, words[0]);
	} else if (n > 1) {
		json_begin_array(j, key);
		for (unsigned i = 0; i < n; i++)
			json_str(j, NULL, words[i]);
		json_end_array(j);
	}
}

static void span_json(const struct expr *from, const struct expr *to, struct json *j, const char *key)
{
	if (!to) {
		nft_expr_json(from, j, key);
		return;
	}
	json_begin_object(j, key);
	if (nft_span_prefix(from, to) >= 0) {
		json_begin_object(j, "prefix");
		nft_expr_json(from, j, "addr");
		json_int(j, "len", nft_span_prefix(from, to));
		json_end_object(j);
		json_end_object(j);
		return;
	}
	json_begin_array(j, "range");
	nft_expr_json(from, j, NULL);
	nft_expr_json(to, j, NULL);
	json_end_array(j);
	json_end_object(j);
}

void nft_nat_json(uint8_t family, const struct stmt_nat *n, struct json *j)
{
	static const char *const words[] = { "snat", "dnat", "masquerade", "redirect", "dnat" };
	const struct set *map = n->addr && n->addr->kind == EXPR_MAP ? n->addr->map.set : NULL;
	const char *flags[4];
	unsigned n_flags = nft_nat_flags(n->flags, flags);

	if (!n->addr && !n->port && !n_flags) {
		json_put_null(j, words[n->kind]);
		return;
	}
	json_begin_object(j, words[n->kind]);
	if (n->addr && (family == NFPROTO_INET || (map && (map->data_type > 63 || map->data_interval))))
		json_str(j, "family", n->family == NFPROTO_IPV6 ? "ip6" : "ip");
	if (n->addr)
		span_json(n->addr, n->addr_max, j, "addr");
	if (n->port)
		span_json(n->port, n->port_max, j, "port");
	words_json(j, "flags", flags, n_flags);
	if (n->flags & NF_NAT_RANGE_NETMAP)
		json_str(j, "type_flags", "prefix");
	json_end_object(j);
}

static unsigned log_flags(uint32_t flags, const char *words[5])
{
	static const struct { uint32_t flag; const char *word; } table[] = {
		{ NF_LOG_TCPSEQ, "tcp sequence" }, { NF_LOG_TCPOPT, "tcp options" },
		{ NF_LOG_IPOPT, "ip options" }, { NF_LOG_UID, "skuid" }, { NF_LOG_MACDECODE, "ether" },
	};
	unsigned n = 0;

	if ((flags & NF_LOG_MASK) == NF_LOG_MASK) {
		words[0] = "all";
		return 1;
	}
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (flags & table[i].flag)
			words[n++] = table[i].word;
	return n;
}

void nft_log_json(const struct stmt_log *l, struct json *j)
{
	const char *words[5];
	unsigned n = log_flags(l->flags, words);
	bool prefix = l->prefix && *l->prefix, level = l->level >= 0 && l->level != 4;
	bool snaplen = l->has_snaplen, threshold = l->has_qthreshold && l->qthreshold;

	if (!prefix && l->group < 0 && !snaplen && !threshold && !level && !n) {
		json_put_null(j, "log");
		return;
	}
	json_begin_object(j, "log");
	if (prefix)
		json_str(j, "prefix", l->prefix);
	if (l->group >= 0)
		json_int(j, "group", l->group);
	if (snaplen)
		json_uint(j, "snaplen", l->snaplen);
	if (threshold)
		json_uint(j, "queue-threshold", l->qthreshold);
	if (level)
		json_str(j, "level", nft_log_level(l->level));
	if (n == 1 && words[0][0] == 'a')
		json_str(j, "flags", words[0]);
	else
		words_json(j, "flags", words, n);
	json_end_object(j);
}
