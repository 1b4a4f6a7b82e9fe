/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exthdr - options and extension headers of the packet: what they are worth, and rules that change them (nft_exthdr.c) */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/trace/run.h"

enum { MAXSEG = 2, MAXSEG_SIZE = 4 };

static void there(bool is, const struct expr *x, struct value *v)
{
	if (x->exthdr.present)
		value_uint(v, is, 8);
	else
		value_absent(v, "the packet has no such header or option");
}

/* Not even that it is there is known. */
static void perhaps(const struct expr *x, struct value *v, const char *why)
{
	if (x->exthdr.present)
		value_unknown(v, 8, why);
	else
		value_perhaps(v, x->bits, why);
}

static void of_part(const struct part *o, const struct expr *x, struct value *v)
{
	unsigned first = x->exthdr.offset / 8, size = x->bits / 8u;

	if (x->exthdr.present)
		value_uint(v, 1, 8);
	else if (o->size && first + (x->bits + 7u) / 8u > o->size)
		value_absent(v, "the option is shorter than that");
	else if ((x->exthdr.offset | x->bits) % 8 == 0 && first + size <= o->known)
		value_bytes(v, o->bytes + first, x->bits);
	else if (x->exthdr.offset % 8 == 0 && x->bits < 8 && first < o->known) /* the upper bits of a byte */
		value_uint(v, o->bytes[first] >> (8 - x->bits), x->bits);
	else if (!o->size && first > 1) /* it may be shorter */
		value_perhaps(v, x->bits, "what the option holds is not given");
	else
		value_unknown(v, x->bits, "what the option holds is not given");
}

/* Of the options nothing is known but the segment size, and what rules took out. */
static void only_mss(const struct packet *p, const struct expr *x, struct value *v)
{
	struct part o = { MAXSEG, MAXSEG_SIZE, MAXSEG_SIZE, { MAXSEG, MAXSEG_SIZE, (uint8_t)(p->mss >> 8), (uint8_t)p->mss } };

	if (x->exthdr.type == MAXSEG && p->mss >= 0)
		of_part(&o, x, v);
	else if (x->exthdr.type < 64 && p->stripped >> x->exthdr.type & 1)
		there(false, x, v);
	else
		perhaps(x, v, "the TCP options are not given");
}

static void tcp_option(const struct packet *p, const struct expr *x, struct value *v)
{
	const struct part *o = parts_find(p->tcpopt, x->exthdr.type);

	if (p->l4proto != IPPROTO_TCP || p->fragment)
		there(false, x, v);
	else if (!p->tcpopt)
		only_mss(p, x, v);
	else if (o)
		of_part(o, x, v);
	else if (x->exthdr.type < 2 && !p->tcpopt->exact)
		perhaps(x, v, "how the options are padded is not given");
	else
		there(false, x, v);
}

/* ipv4_find_option(), which looks from where the data begin: at egress that is the frame's header. What it takes for options
 * there are fragment, time to live and addresses, of which a whole packet's end at once, or are none. */
static void ip_option(const struct run *r, const struct expr *x, struct value *v)
{
	const struct packet *p = &r->pkt;
	const struct part *o = parts_find(p->ipopt, x->exthdr.type);
	enum tri frame = run_at_egress(r) ? run_frame(nv_link_by_index(r->t->nv, r->dev)) : TRI_FALSE;

	if (p->family == NFPROTO_IPV6)
		value_absent(v, "the packet is of the other IP version");
	else if (frame == TRI_UNKNOWN || (frame == TRI_TRUE && p->some_fragment))
		perhaps(x, v, "the kernel looks for options in the frame's header here");
	else if (frame == TRI_TRUE)
		there(false, x, v);
	else if (o)
		of_part(o, x, v);
	else
		there(false, x, v);
}

/* ipv6_find_hdr(): what the transport header is of may be looked for too, as "mh" is */
static void ext_header(const struct packet *p, const struct expr *x, struct value *v)
{
	unsigned at = packet_ext(p, x->exthdr.type);

	if (p->family != NFPROTO_IPV6) {
		value_absent(v, "the packet is of the other IP version");
		return;
	}
	if (!at && x->exthdr.type == p->l4proto && !p->fragment)
		at = p->th;
	if (!at || x->exthdr.present) {
		there(at, x, v);
		return;
	}
	if (p->vague && at < p->vague && at + (x->exthdr.offset + x->bits + 7u) / 8u > p->vague)
		value_unknown(v, x->bits, "what the header holds is not given");
	else
		packet_load_at(p, at * 8 + x->exthdr.offset, x->bits, v);
}

void exthdr_eval(struct run *r, const struct expr *x, struct value *v)
{
	switch (x->exthdr.op) {
	case NFT_EXTHDR_OP_TCPOPT: tcp_option(&r->pkt, x, v); break;
	case NFT_EXTHDR_OP_IPV4: ip_option(r, x, v); break;
	case NFT_EXTHDR_OP_IPV6: ext_header(&r->pkt, x, v); break;
	case NFT_EXTHDR_OP_SCTP:
		if (r->pkt.l4proto == IPPROTO_SCTP && !r->pkt.fragment) {
			perhaps(x, v, "the chunks of the packet are not given");
			break;
		}
		__attribute__((fallthrough));
	default: there(false, x, v); break;
	}
}

/* ---- rules that change TCP's options ---- */

/* A copy that may be changed; @more parts fit behind. */
static struct parts *copy_of(struct run *r, unsigned more)
{
	const struct parts *was = r->pkt.tcpopt;
	struct parts *o = arena_alloc(r->arena, sizeof(*o) + (was->n + more) * sizeof(o->part[0]));

	if (!o)
		r->oom = true;
	else
		memcpy(o, was, sizeof(*o) + was->n * sizeof(o->part[0]));
	return o;
}

static void say_maxseg(struct run *r, int mss, bool at_most)
{
	if (mss >= 0)
		run_change(r, "tcp option maxseg size", "%s%d", at_most ? "at most " : "", mss);
	else
		run_change_text(r, "tcp option maxseg size", "what is not known");
}

static void set_part(struct part *o, int mss)
{
	o->known = mss < 0 ? 2 : MAXSEG_SIZE;
	o->bytes[2] = (uint8_t)(mss >> 8);
	o->bytes[3] = (uint8_t)mss;
}

/* tcpmss_mangle_packet(): a first packet without the option gets one, of the least that everybody must take */
static void add_maxseg(struct run *r, int mss)
{
	int least = r->pkt.family == NFPROTO_IPV6 ? 1220 : 536;
	struct parts *o = copy_of(r, 1);

	if (!o)
		return;
	mss = mss > least ? least : mss;
	packet_lengthen(&r->pkt, MAXSEG_SIZE);
	o->part[o->n] = (struct part){ MAXSEG, MAXSEG_SIZE, 2, { MAXSEG, MAXSEG_SIZE } };
	set_part(&o->part[o->n++], mss);
	packet_set_tcpopt(&r->pkt, o);
	say_maxseg(r, mss, false);
}

/* nft_exthdr_tcp_set_eval(), tcpmss_mangle_packet(): it is never made more. @mss -1: not known */
static void set_maxseg(struct run *r, int mss)
{
	const struct part *is = parts_find(r->pkt.tcpopt, MAXSEG);
	int was = !r->pkt.tcpopt ? r->pkt.mss : is && is->known == MAXSEG_SIZE ? is->bytes[2] << 8 | is->bytes[3] : -1;
	struct parts *o;

	if (r->pkt.tcpopt && !is) {
		if (r->xt)
			add_maxseg(r, mss);
		return;
	}
	if (was >= 0 && mss >= was)
		return;
	say_maxseg(r, mss, was < 0);
	if (was < 0 && r->xt) /* it may have been added */
		packet_forget_length(&r->pkt);
	if (was < 0)
		mss = -1; /* the smaller of the two */
	r->pkt.version++;
	r->pkt.mss = mss;
	o = is ? copy_of(r, 0) : NULL;
	for (unsigned i = 0; o && i < o->n; i++)
		if (o->part[i].type == MAXSEG) {
			set_part(&o->part[i], mss);
			packet_set_tcpopt(&r->pkt, o);
			break;
		}
}

bool exthdr_is_tcp(const struct run *r)
{
	return r->pkt.l4proto == IPPROTO_TCP && !r->pkt.fragment;
}

enum flow exthdr_set(struct run *r, const struct expr *x, const struct value *v)
{
	const struct part *is = parts_find(r->pkt.tcpopt, x->exthdr.type);
	struct parts *o;

	if (x->exthdr.op != NFT_EXTHDR_OP_TCPOPT || !exthdr_is_tcp(r))
		return r->xt ? FLOW_NEXT : FLOW_BREAK;
	if (x->exthdr.type == MAXSEG && x->exthdr.offset == 16 && x->bits == 16) {
		set_maxseg(r, value_known(v) ? (int)value_number(v) : -1);
	} else if (is && (o = copy_of(r, 0))) {
		o->part[is - r->pkt.tcpopt->part].known = 2;
		packet_set_tcpopt(&r->pkt, o);
	}
	return FLOW_NEXT;
}

/* nft_exthdr_tcp_strip_eval(), tcpoptstrip_mangle_packet(): NOPs in its place. Return: was it there? */
bool exthdr_strip(struct run *r, uint8_t type)
{
	const struct part *is = parts_find(r->pkt.tcpopt, type);
	struct parts *o;
	unsigned at, size;

	if (!exthdr_is_tcp(r))
		return false;
	if (!r->pkt.tcpopt) {
		r->pkt.version++;
		r->pkt.stripped |= type < 64 ? 1ull << type : 0;
		r->pkt.mss = type == MAXSEG ? -1 : r->pkt.mss;
		return false;
	}
	if (!is || type < 2 || !(o = copy_of(r, is->size)))
		return false;
	at = (unsigned)(is - r->pkt.tcpopt->part);
	size = is->size;
	memmove(&o->part[at + size], &o->part[at + 1], (o->n - at - 1) * sizeof(o->part[0]));
	for (unsigned i = 0; i < size; i++)
		o->part[at + i] = (struct part){ 1, 1, 1, { 1 } };
	o->n += size - 1;
	o->exact &= size > 0;
	packet_set_tcpopt(&r->pkt, o);
	return true;
}
