/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match_v6 - xt matches of IPv6 that have no native form: ipv6header, hbh, dst, rt, mh, ah, eui64 */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter_ipv6/ip6t_ah.h>
#include <linux/netfilter_ipv6/ip6t_ipv6header.h>
#include <linux/netfilter_ipv6/ip6t_mh.h>
#include <linux/netfilter_ipv6/ip6t_opts.h>
#include <linux/netfilter_ipv6/ip6t_rt.h>
#include <linux/netfilter_ipv6/ip6t_srh.h>
#include <string.h>

#include "nsutil/trace/run.h"

/* A byte of the packet; -1: not known. */
static int byte_at(const struct packet *p, unsigned at)
{
	return at < PACKET_BYTES && p->known[at] == 0xff ? p->bytes[at] : -1;
}

/* ---- ipv6header: ipv6header_mt6() ---- */

static enum tri ipv6header(const struct packet *p, const struct ip6t_ipv6header_info *i)
{
	static const struct { uint8_t type, mask; } of[] = {
		{ IPPROTO_HOPOPTS, MASK_HOPOPTS }, { IPPROTO_ROUTING, MASK_ROUTING }, { IPPROTO_FRAGMENT, MASK_FRAGMENT },
		{ IPPROTO_DSTOPTS, MASK_DSTOPTS },
	};
	unsigned found = p->l4proto == IPPROTO_NONE ? MASK_NONE : p->l4proto == IPPROTO_ESP ? MASK_ESP : MASK_PROTO;

	if (p->l4proto == IPPROTO_AH)
		found |= MASK_AH; /* and what it protects */
	for (unsigned k = 0; k < sizeof(of) / sizeof(of[0]); k++)
		found |= packet_ext(p, of[k].type) ? of[k].mask : 0;
	if (i->modeflag)
		return tri_of(!((found ^ i->matchflags ^ i->invflags) & i->matchflags));
	return tri_of((found == i->matchflags) != !!i->invflags);
}

/* ---- the extension header at a place ---- */

struct header {
	const struct packet *p;
	unsigned at, size; /* size 0: not known */
};

static bool find_header(const struct packet *p, uint8_t type, struct header *h)
{
	for (unsigned i = 0; i < p->n_ext; i++)
		if (p->ext[i].type == type) {
			*h = (struct header){ p, p->ext[i].at, p->ext[i].size };
			return true;
		}
	return false;
}

static enum tri length_is(const struct header *h, bool asked, uint32_t length, bool invert)
{
	return !asked ? TRI_TRUE : !h->size ? TRI_UNKNOWN : tri_of((length == h->size) != invert);
}

/* ---- hbh, dst: hbh_mt6(), the list of options ---- */

/* One option as the rule has it; @at moves behind it. Return: TRUE; FALSE; UNKNOWN where something of it is not known */
static enum tri option_is(const struct header *h, uint16_t want, unsigned *at)
{
	int type = byte_at(h->p, h->at + *at), len = *at + 1 < h->size ? byte_at(h->p, h->at + *at + 1) : -1;

	if (type < 0)
		return TRI_UNKNOWN;
	if (type != want >> 8)
		return TRI_FALSE;
	if (type == 0) { /* Pad1 */
		++*at;
		return TRI_TRUE;
	}
	if (len < 0)
		return *at + 1 < h->size ? TRI_UNKNOWN : TRI_FALSE;
	if ((want & 0xff) != 0xff && (want & 0xff) != len)
		return TRI_FALSE;
	*at += (unsigned)len + 2;
	return TRI_TRUE;
}

static enum tri options(const struct packet *p, uint8_t type, const struct ip6t_opts *o)
{
	struct header h;
	enum tri t;
	unsigned at = 2;

	if (!find_header(p, type, &h))
		return TRI_FALSE;
	t = length_is(&h, o->flags & IP6T_OPTS_LEN, o->hdrlen, o->invflags & IP6T_OPTS_INV_LEN);
	if (!(o->flags & IP6T_OPTS_OPTS) || t == TRI_FALSE)
		return t;
	if (!h.size)
		return TRI_UNKNOWN;
	for (unsigned i = 0; i < o->optsnr && i < IP6T_OPTS_OPTSNR; i++) {
		enum tri is = at < h.size ? option_is(&h, o->opts[i], &at) : TRI_FALSE;

		if (is != TRI_TRUE)
			return is == TRI_FALSE ? TRI_FALSE : tri_and(t, is);
		if (at > h.size && i + 1u < o->optsnr)
			return TRI_FALSE;
	}
	return t;
}

/* ---- rt: rt_mt6() ---- */

static enum tri address_is(const struct header *h, unsigned n, const struct in6_addr *want)
{
	unsigned at = h->at + 8 + 16 * n;

	for (unsigned i = 0; i < 16; i++) {
		int b = byte_at(h->p, at + i);

		if (b < 0)
			return TRI_UNKNOWN;
		if (b != want->s6_addr[i])
			return TRI_FALSE;
	}
	return TRI_TRUE;
}

static enum tri addresses(const struct header *h, const struct ip6t_rt *r)
{
	unsigned there = h->size < 8 ? 0 : (h->size - 8u) / 16, found = 0;

	if (!h->size)
		return TRI_UNKNOWN;
	if (r->addrnr > there || (!(r->flags & IP6T_RT_FST_NSTRICT) && r->addrnr != there))
		return TRI_FALSE;
	for (unsigned i = 0; i < there && found < r->addrnr; i++) {
		enum tri is = address_is(h, i, &r->addrs[found]);

		if (is == TRI_UNKNOWN)
			return is;
		if (is == TRI_TRUE)
			found++;
		else if (!(r->flags & IP6T_RT_FST_NSTRICT))
			return TRI_FALSE;
	}
	return tri_of(found == r->addrnr);
}

static enum tri routing(const struct packet *p, const struct ip6t_rt *r)
{
	struct header h;
	enum tri t;
	int type, left;

	if (!find_header(p, IPPROTO_ROUTING, &h))
		return TRI_FALSE;
	type = byte_at(p, h.at + 2);
	left = byte_at(p, h.at + 3);
	t = length_is(&h, r->flags & IP6T_RT_LEN, r->hdrlen, r->invflags & IP6T_RT_INV_LEN);
	if (r->flags & IP6T_RT_TYP)
		t = tri_and(t, type < 0 ? TRI_UNKNOWN : tri_of((type == (int)r->rt_type) != !!(r->invflags & IP6T_RT_INV_TYP)));
	if (r->segsleft[0] > 0 || r->segsleft[1] < 255 || r->invflags & IP6T_RT_INV_SGS)
		t = tri_and(t, left < 0 ? TRI_UNKNOWN : tri_of(((uint32_t)left >= r->segsleft[0] && (uint32_t)left <= r->segsleft[1]) !=
							      !!(r->invflags & IP6T_RT_INV_SGS)));
	for (unsigned i = 4; r->flags & IP6T_RT_RES && i < 8; i++)
		t = tri_and(t, byte_at(p, h.at + i) < 0 ? TRI_UNKNOWN : tri_of(byte_at(p, h.at + i) == 0));
	return r->flags & IP6T_RT_FST ? tri_and(t, addresses(&h, r)) : t;
}

/* ---- mh, ah: where they are what the packet carries ---- */

static enum tri mobility(const struct packet *p, const struct ip6t_mh *m)
{
	int type = byte_at(p, p->th + 2u);

	if (p->fragment || p->l4proto != IPPROTO_MH)
		return TRI_FALSE;
	return type < 0 ? TRI_UNKNOWN : tri_of((type >= m->types[0] && type <= m->types[1]) != !!(m->invflags & IP6T_MH_INV_TYPE));
}

static enum tri authentication(const struct packet *p, const struct ip6t_ah *a)
{
	struct value v, from, to;
	enum tri t;

	if (p->fragment || p->l4proto != IPPROTO_AH)
		return TRI_FALSE;
	packet_load_at(p, (p->th + 4u) * 8, 32, &v);
	value_uint(&from, a->spis[0], 32);
	value_uint(&to, a->spis[1], 32);
	t = value_in_range(&v, &from, &to);
	t = a->invflags & IP6T_AH_INV_SPI ? tri_not(t) : t;
	return a->hdrlen || a->hdrres ? tri_and(t, TRI_UNKNOWN) : t;
}

/* ---- eui64: eui64_mt6(), the host part of the source is made of the frame's address ---- */

static enum tri eui64(const struct packet *p)
{
	const uint8_t *mac = packet_mac(p, false);
	unsigned at = PACKET_NH + 8 + 8; /* the second half of the source */
	enum tri t = TRI_TRUE;

	if (!p->ll) /* the kernel reads what stands where the frame's header would */
		return TRI_UNKNOWN;
	for (unsigned i = 0; i < 8; i++) {
		bool fixed = i == 3 || i == 4;
		uint8_t want = i == 3 ? 0xff : i == 4 ? 0xfe : mac ? mac[i < 3 ? i : i - 2] ^ (i ? 0 : 2) : 0;

		if (p->known[at + i] != 0xff || (!mac && !fixed))
			t = tri_and(t, TRI_UNKNOWN);
		else if (p->bytes[at + i] != want)
			t = TRI_FALSE;
	}
	return t;
}

enum tri match_v6(const struct packet *p, const struct xt_ext *x)
{
	if (x->target || p->family != NFPROTO_IPV6 || !x->data)
		return TRI_UNKNOWN;
	if (strcmp(x->name, "ipv6header") == 0 && x->size >= sizeof(struct ip6t_ipv6header_info))
		return ipv6header(p, x->data);
	if (strcmp(x->name, "hbh") == 0 && x->size >= sizeof(struct ip6t_opts))
		return options(p, IPPROTO_HOPOPTS, x->data);
	if (strcmp(x->name, "dst") == 0 && x->size >= sizeof(struct ip6t_opts))
		return options(p, IPPROTO_DSTOPTS, x->data);
	if (strcmp(x->name, "rt") == 0 && x->size >= sizeof(struct ip6t_rt))
		return routing(p, x->data);
	if (strcmp(x->name, "mh") == 0 && x->size >= sizeof(struct ip6t_mh))
		return mobility(p, x->data);
	if (strcmp(x->name, "ah") == 0 && x->size >= sizeof(struct ip6t_ah))
		return authentication(p, x->data);
	if (strcmp(x->name, "srh") == 0 && x->size >= (x->rev ? sizeof(struct ip6t_srh1) : sizeof(struct ip6t_srh)))
		return match_srh(p, x);
	if (strcmp(x->name, "eui64") == 0)
		return eui64(p);
	return TRI_UNKNOWN;
}
