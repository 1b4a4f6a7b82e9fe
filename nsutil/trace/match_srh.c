/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match_srh - xt match of IPv6's segment routing header (ip6t_srh.c) */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter_ipv6/ip6t_srh.h>
#include <string.h>

#include "nsutil/trace/run.h"

enum { TYPE_4 = 4, SEGMENTS = 8, SEGMENT = 16 }; /* struct ipv6_sr_hdr: the type, and where its segments begin */

/* Some bytes of the header are what a rule wants, under a mask (NULL: all bits of them). */
static enum tri is_masked(const struct packet *p, unsigned at, unsigned n, const void *want, const void *mask)
{
	const uint8_t *w = want, *m = mask;
	enum tri t = TRI_TRUE;

	for (unsigned i = 0; i < n && t != TRI_FALSE; i++) {
		uint8_t bits = m ? m[i] : 0xff, known = at + i < p->th ? p->known[at + i] & bits : 0;

		if (at + i < p->th && (p->bytes[at + i] ^ w[i]) & known)
			t = TRI_FALSE;
		else if (known != bits)
			t = TRI_UNKNOWN;
	}
	return t;
}

/* A byte compared with a number: "eq", "gt" and "lt" of one field follow each other in the flags. */
struct compared {
	unsigned at;
	uint8_t want;
	uint16_t eq; /* the first of the flags */
};

static enum tri compare(const struct packet *p, const struct compared *c, uint16_t flags, uint16_t inverted)
{
	int byte = p->known[c->at] == 0xff ? p->bytes[c->at] : -1;
	enum tri t = TRI_TRUE;

	for (unsigned i = 0; i < 3; i++) {
		bool is = i == 0 ? byte == c->want : i == 1 ? byte > c->want : byte < c->want;

		if (flags & c->eq << i)
			t = tri_and(t, byte < 0 ? TRI_UNKNOWN : tri_of(is != !!(inverted & c->eq << i)));
	}
	return t;
}

/* NF_SRH_INVF() */
static enum tri unless(enum tri t, uint16_t inverted, uint16_t flag)
{
	return inverted & flag ? tri_not(t) : t;
}

/* srh_mt6(); both revisions begin alike */
static enum tri fields(const struct packet *p, unsigned at, const struct ip6t_srh *s)
{
	const struct compared numbers[] = {
		{ at + 1, s->hdr_len, IP6T_SRH_LEN_EQ },
		{ at + 3, s->segs_left, IP6T_SRH_SEGS_EQ },
		{ at + 4, s->last_entry, IP6T_SRH_LAST_EQ },
	};
	enum tri t = TRI_TRUE;

	if (s->mt_flags & IP6T_SRH_NEXTHDR)
		t = unless(is_masked(p, at, 1, &s->next_hdr, NULL), s->mt_invflags, IP6T_SRH_INV_NEXTHDR);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		t = tri_and(t, compare(p, &numbers[i], s->mt_flags, s->mt_invflags));
	if (s->mt_flags & IP6T_SRH_TAG) /* the rule's is compared as it stands in memory */
		t = tri_and(t, unless(is_masked(p, at + 6, 2, &s->tag, NULL), s->mt_invflags, IP6T_SRH_INV_TAG));
	return t;
}

/* srh1_mt6(): the segment before, the next one, the last one, counted from the end */
static enum tri segments(const struct packet *p, unsigned at, const struct ip6t_srh1 *s)
{
	unsigned left = p->bytes[at + 3], last = p->bytes[at + 4], first = at + SEGMENTS;
	bool known = (p->known[at + 3] & p->known[at + 4]) == 0xff;
	enum tri t = TRI_TRUE;

	if (s->mt_flags & IP6T_SRH_LSID)
		t = unless(is_masked(p, first, SEGMENT, &s->lsid_addr, &s->lsid_msk), s->mt_invflags, IP6T_SRH_INV_LSID);
	if (!(s->mt_flags & (IP6T_SRH_PSID | IP6T_SRH_NSID)))
		return t;
	if (!known)
		return tri_and(t, TRI_UNKNOWN);
	if ((s->mt_flags & IP6T_SRH_PSID && left == last) || (s->mt_flags & IP6T_SRH_NSID && left == 0))
		return TRI_FALSE;
	if (s->mt_flags & IP6T_SRH_PSID)
		t = tri_and(t, unless(is_masked(p, first + (left + 1) * SEGMENT, SEGMENT, &s->psid_addr, &s->psid_msk),
				      s->mt_invflags, IP6T_SRH_INV_PSID));
	if (s->mt_flags & IP6T_SRH_NSID)
		t = tri_and(t, unless(is_masked(p, first + (left - 1) * SEGMENT, SEGMENT, &s->nsid_addr, &s->nsid_msk),
				      s->mt_invflags, IP6T_SRH_INV_NSID));
	return t;
}

enum tri match_srh(const struct packet *p, const struct xt_ext *x)
{
	unsigned at = packet_ext(p, IPPROTO_ROUTING);
	const struct ip6t_srh *s = x->data;
	struct ip6t_srh head;
	enum tri t;

	if (!at)
		return TRI_FALSE;
	if (x->rev) {
		const struct ip6t_srh1 *s1 = x->data;

		head = (struct ip6t_srh){ s1->next_hdr, s1->hdr_len, s1->segs_left, s1->last_entry, s1->tag, s1->mt_flags,
					  s1->mt_invflags };
		s = &head;
	}
	t = is_masked(p, at + 2, 1, (const uint8_t[]){ TYPE_4 }, NULL);
	if ((p->known[at + 3] & p->known[at + 4]) != 0xff)
		t = tri_and(t, TRI_UNKNOWN);
	else if (p->bytes[at + 3] > p->bytes[at + 4])
		return TRI_FALSE;
	t = tri_and(t, fields(p, at, s));
	return x->rev ? tri_and(t, segments(p, at, x->data)) : t;
}
