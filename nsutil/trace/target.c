/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target - xt targets that have no native form: TTL, HL, HMARK, SNPT, DNPT, TCPOPTSTRIP, SET, CT */
#include <arpa/inet.h>
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_HMARK.h>
#include <linux/netfilter/xt_TCPOPTSTRIP.h>
#include <linux/netfilter/xt_set.h>
#include <linux/netfilter_ipv4/ipt_TTL.h>
#include <linux/netfilter_ipv6/ip6t_NPT.h>
#include <string.h>

#include "nsutil/ruleset/ipset.h"
#include "nsutil/trace/jhash.h"
#include "nsutil/trace/run.h"

/* ---- TTL, HL: ttl_tg(), hl_tg6(): one up or down has no native form; 0 and 255 are the ends ---- */

static void count_ttl(struct run *r, const struct xt_ext *x)
{
	const uint8_t *data = x->data; /* struct ipt_TTL_info, struct ip6t_HL_info: mode and number */
	unsigned at = PACKET_NH + (run_v6(r) ? 7 : 8);
	int ttl = r->pkt.bytes[at];

	ttl += data[0] == IPT_TTL_INC ? data[1] : -data[1];
	r->pkt.version++;
	r->pkt.bytes[at] = r->pkt.known[at] ? (uint8_t)(ttl < 0 ? 0 : ttl > 255 ? 255 : ttl) : 0;
	if (r->pkt.known[at])
		run_change(r, run_v6(r) ? "ip6 hoplimit" : "ip ttl", "%d", r->pkt.bytes[at]);
}

/* ---- HMARK ---- */

static void unknown_mark(struct run *r, const char *text)
{
	packet_set_meta_unknown(&r->pkt, NFT_META_MARK);
	run_change_text(r, "mark", text);
}

/* hmark_addr_mask(): an IPv6 address is folded into one word */
static uint32_t masked(const struct addr *a, const union nf_inet_addr *mask)
{
	uint32_t word[4] = { 0 };
	uint32_t v = 0;

	memcpy(word, a->b, addr_len(a));
	for (unsigned i = 0; i < addr_len(a) / 4; i++)
		v ^= word[i] & mask->all[i];
	return ntohl(v);
}

/* hmark_swap_ports(); a port that is not known counts where the mask leaves something of it */
static bool ports_word(const struct xt_hmark_info *h, int sport, int dport, uint32_t *ret)
{
	uint16_t src, dst;

	if ((sport < 0 && h->port_mask.b16.src) || (dport < 0 && h->port_mask.b16.dst))
		return false;
	src = ntohs((uint16_t)((htons((uint16_t)sport) & h->port_mask.b16.src) | h->port_set.b16.src));
	dst = ntohs((uint16_t)((htons((uint16_t)dport) & h->port_mask.b16.dst) | h->port_set.b16.dst));
	*ret = dst > src ? (uint32_t)dst << 16 | src : (uint32_t)src << 16 | dst;
	return true;
}

static int known_port(const struct known32 *p)
{
	return (p->k & UINT16_MAX) == UINT16_MAX ? (int)(p->v & UINT16_MAX) : -1;
}

/* get_inner_hdr(), get_inner6_hdr(): of an ICMP error the packet that it is about is hashed, which is not known here. */
static bool hashes_inner(const struct run *r)
{
	const struct packet *p = &r->pkt;

	if (run_v6(r) && (packet_ext(p, IPPROTO_FRAGMENT) || (p->known[p->th] == 0xff && !p->bytes[p->th])))
		return false;
	return p->fragment || packet_may_be_error(p);
}

/* hmark_tg_v4(), hmark_tg_v6(), hmark_hash() */
static void hmark(struct run *r, const struct xt_hmark_info *h)
{
	const struct packet_ct *ct = &r->pkt.ct;
	bool by_ct = h->flags & XT_HMARK_FLAG(XT_HMARK_CT), icmp = r->pkt.l4proto == (run_v6(r) ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	struct addr src = by_ct ? ct->saddr : packet_addr(&r->pkt, false);
	struct addr dst = by_ct ? ct->reply_saddr : packet_addr(&r->pkt, true);
	uint32_t from, to, ports = 0, proto = 0, hash;

	if (by_ct && ct->attach != CT_TRACKED)
		return;
	if (!by_ct && icmp && hashes_inner(r)) {
		unknown_mark(r, "a hash of the packet that the error is about");
		return;
	}
	if (by_ct)
		icmp = r->pkt.l4proto == IPPROTO_ICMP;
	if (!src.family || !dst.family || (by_ct && icmp != (r->pkt.l4proto == IPPROTO_ICMP || r->pkt.l4proto == IPPROTO_ICMPV6))) {
		unknown_mark(r, "a hash of what is not known");
		return;
	}
	if (!(h->flags & XT_HMARK_FLAG(XT_HMARK_METHOD_L3))) {
		proto = r->pkt.l4proto;
		if (!icmp && packet_has_ports(&r->pkt) && !r->pkt.fragment &&
		    !ports_word(h, by_ct ? known_port(&ct->sport) : packet_port(&r->pkt, false),
				by_ct ? known_port(&ct->reply_sport) : packet_port(&r->pkt, true), &ports)) {
			unknown_mark(r, "a hash of ports that are not known");
			return;
		}
	}
	from = masked(&src, &h->src_mask);
	to = masked(&dst, &h->dst_mask);
	hash = jhash_3words(from < to ? from : to, from < to ? to : from, ports, h->hashrnd) ^ (proto & h->proto_mask);
	packet_set_meta(&r->pkt, NFT_META_MARK, reciprocal_scale(hash, h->hmodulus) + h->hoffset);
	run_change(r, "mark", "%#x", r->pkt.meta[NFT_META_MARK].v);
}

/* ---- SNPT, DNPT (ip6t_NPT.c, RFC 6296) ---- */

static uint32_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static uint32_t sum_of(const uint8_t b[16])
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < 16; i += 2)
		sum += (uint32_t)b[i] << 8 | b[i + 1];
	return fold(sum);
}

static void take_prefix(uint8_t b[16], const uint8_t prefix[16], unsigned len)
{
	for (unsigned i = 0; i < len && i < 128; i += 8) {
		uint8_t mask = len - i >= 8 ? 0xff : (uint8_t)(0xff00u >> (len - i));

		b[i / 8] = (uint8_t)((b[i / 8] & ~mask) | (prefix[i / 8] & mask));
	}
}

/* ip6t_npt_map_pfx(): the checksum of the whole stays as it was */
static bool map_prefix(const struct ip6t_npt_tginfo *n, uint8_t b[16])
{
	unsigned len = n->src_pfx_len > n->dst_pfx_len ? n->src_pfx_len : n->dst_pfx_len, word = 3;
	uint32_t adjustment = fold(sum_of((const uint8_t *)&n->src_pfx) + (~sum_of((const uint8_t *)&n->dst_pfx) & 0xffff)), sum;

	take_prefix(b, (const uint8_t *)&n->dst_pfx, len);
	if (len > 48) {
		for (word = 4; word < 8; word++)
			if (b[2 * word] != 0xff || b[2 * word + 1] != 0xff)
				break;
		if (word == 8)
			return false;
	}
	sum = fold(((uint32_t)b[2 * word] << 8 | b[2 * word + 1]) + adjustment);
	if (sum == 0xffff)
		sum = 0;
	b[2 * word] = (uint8_t)(sum >> 8);
	b[2 * word + 1] = (uint8_t)sum;
	return true;
}

static enum flow npt(struct run *r, const struct ip6t_npt_tginfo *n, bool dst)
{
	struct addr a = packet_addr(&r->pkt, dst);
	char text[ADDR_TEXT];

	if (a.family && !map_prefix(n, a.b)) {
		r->verdict.code = VERDICT_DROP;
		r->verdict.to = NULL;
		r->verdict.name = NULL;
		r->verdict.reject = true;
		return FLOW_VERDICT;
	}
	packet_set_addr(&r->pkt, dst, &a);
	run_change_text(r, dst ? "ip6 daddr" : "ip6 saddr", a.family ? addr_fmt(&a, text) : "what is not known");
	return FLOW_NEXT;
}

/* ---- SET ---- */

/* set_target_v3(): what the member of the set that holds the packet says; zeros where it says nothing */
static void map_set(struct run *r, const struct xt_ext *x, const struct xt_set_info_target_v3 *s)
{
	struct expr set = { .kind = EXPR_IPSET };
	const struct ipset_elem *m = NULL;
	struct known32 *mark = &r->pkt.meta[NFT_META_MARK];
	enum tri t;

	set.ipset.name = x->ipsets ? x->ipsets[2] : NULL;
	set.ipset.dims = s->map_set.dim;
	set.ipset.src = (uint8_t)(s->map_set.flags >> 1);
	t = ipset_member(r, &set, &m);
	if (t == TRI_FALSE)
		return;
	if (t == TRI_UNKNOWN || !m) {
		if (s->flags & IPSET_FLAG_MAP_SKBMARK)
			unknown_mark(r, "what the ipset maps to");
		if (s->flags & IPSET_FLAG_MAP_SKBPRIO)
			packet_set_meta_unknown(&r->pkt, NFT_META_PRIORITY);
		return;
	}
	if (s->flags & IPSET_FLAG_MAP_SKBMARK) {
		mark->v = (mark->v & ~m->skbmask) ^ (m->skbmark & (mark->k | m->skbmask));
		mark->k |= m->skbmask;
		r->pkt.version++;
		run_change(r, "mark", mark->k == UINT32_MAX ? "%#x" : "%#x, not all of it is known", mark->v);
	}
	if (s->flags & IPSET_FLAG_MAP_SKBPRIO) {
		packet_set_meta(&r->pkt, NFT_META_PRIORITY, m->skbprio);
		run_change(r, "meta priority", "%x:%x", m->skbprio >> 16, m->skbprio & 0xffff);
	}
}

/* xt_set.c: it changes ipsets, and with map-set the packet */
static void set_target(struct run *r, const struct xt_ext *x)
{
	const struct xt_set_info_target_v3 *s = x->data;

	for (unsigned i = 0; i < 2 && x->ipsets; i++)
		if (x->ipsets[i] && r->n_ipsets_touched < RUN_TOUCHED)
			r->ipsets_touched[r->n_ipsets_touched++] = x->ipsets[i];
	if (x->rev >= 3 && x->size >= sizeof(*s) && (x->ipsets ? x->ipsets[2] != NULL : s->map_set.index != IPSET_INVALID_ID))
		map_set(r, x, s);
}

/* ---- TCPOPTSTRIP: tcpoptstrip_mangle_packet() ---- */

static void strip(struct run *r, const struct xt_tcpoptstrip_target_info *t)
{
	for (unsigned i = 2; i < 256; i++)
		while (tcpoptstrip_test_bit(t->strip_bmap, i) && exthdr_strip(r, (uint8_t)i))
			; /* one like it may follow */
}

bool target_exec(struct run *r, const struct xt_ext *x, enum flow *ret)
{
	*ret = FLOW_NEXT;
	if ((strcmp(x->name, "TTL") == 0 || strcmp(x->name, "HL") == 0) && x->size >= 2)
		count_ttl(r, x);
	else if (strcmp(x->name, "HMARK") == 0 && x->size >= sizeof(struct xt_hmark_info))
		hmark(r, x->data);
	else if ((strcmp(x->name, "SNPT") == 0 || strcmp(x->name, "DNPT") == 0) && x->size >= sizeof(struct ip6t_npt_tginfo))
		*ret = npt(r, x->data, x->name[0] == 'D');
	else if (strcmp(x->name, "SET") == 0 && x->size >= sizeof(struct xt_set_info_target_v1))
		set_target(r, x);
	else if (strcmp(x->name, "CT") == 0) /* --helper, --timeout, --expevents */
		exec_template(r);
	else if (strcmp(x->name, "TCPOPTSTRIP") == 0 && x->size >= sizeof(struct xt_tcpoptstrip_target_info))
		strip(r, x->data);
	else
		return false;
	return true;
}
