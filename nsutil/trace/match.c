/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match - xt matches that have no native form: physdev, recent, u32, bpf */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_bpf.h>
#include <linux/netfilter/xt_connlabel.h>
#include <linux/netfilter/xt_physdev.h>
#include <linux/netfilter/xt_policy.h>
#include <linux/netfilter/xt_recent.h>
#include <linux/netfilter/xt_u32.h>
#include <string.h>

#include "nsutil/trace/run.h"

/* ---- physdev (xt_physdev.c, physdev_mt()) ---- */

/* Only what came in through a bridge may carry notes of br_netfilter about its ports. */
static bool never_bridged(const struct run *r)
{
	const struct known32 *iif = &r->pkt.meta[NFT_META_IIF];
	const struct nv_link *l;

	if (iif->k != UINT32_MAX)
		return false;
	l = iif->v ? nv_link_by_index(r->t->nv, (int)iif->v) : NULL;
	return iif->v == 0 || (l && strcmp(l->kind, "bridge") != 0);
}

static enum tri physdev(struct run *r, const struct xt_physdev_info *p)
{
	if (!never_bridged(r))
		return TRI_UNKNOWN;
	return p->bitmask & XT_PHYSDEV_OP_MASK & ~p->invert ? TRI_FALSE : TRI_TRUE;
}

/* ---- recent (xt_recent.c, recent_mt()): an entry that is set is there ---- */

static enum tri recent(const struct xt_recent_mtinfo *m)
{
	if (m->check_set & XT_RECENT_SET)
		return m->invert ? TRI_FALSE : TRI_TRUE;
	return TRI_UNKNOWN;
}

/* ---- bytes of the packet from its network header on ---- */

/* Return: TRI_TRUE with the bytes in @ret; TRI_FALSE when the packet ends before; TRI_UNKNOWN */
static enum tri load(const struct run *r, uint64_t at, unsigned size, struct known32 *ret)
{
	const struct packet *p = &r->pkt;
	const struct known32 *len = &p->meta[NFT_META_LEN];

	if (len->k == UINT32_MAX && at + size > len->v)
		return TRI_FALSE;
	if (p->vague && at + size > (unsigned)(p->vague - PACKET_NH))
		return TRI_UNKNOWN;
	if (at + size > (unsigned)(p->end - PACKET_NH)) /* content: of it nothing is known, not even that it is there */
		return TRI_UNKNOWN;
	*ret = (struct known32){ 0 };
	for (unsigned i = 0; i < size; i++) {
		ret->v = ret->v << 8 | (p->bytes[PACKET_NH + at + i] & p->known[PACKET_NH + at + i]);
		ret->k = ret->k << 8 | p->known[PACKET_NH + at + i];
	}
	if (size < 4)
		ret->k |= ~0u << 8 * size;
	return TRI_TRUE;
}

/* ---- u32 (xt_u32.c, u32_match_it()) ---- */

static void and_with(struct known32 *a, uint32_t mask)
{
	a->v &= mask;
	a->k |= ~mask;
}

static void shift(struct known32 *a, uint32_t n, bool left)
{
	if (n > 31) { /* what a processor does of that differs */
		*a = (struct known32){ 0 };
		return;
	}
	a->v = left ? a->v << n : a->v >> n;
	a->k = left ? a->k << n | ((1u << n) - 1) : a->k >> n | ~(UINT32_MAX >> n);
}

/* The place of a test, followed through its operators. Return: as load() */
static enum tri u32_value(const struct run *r, const struct xt_u32_test *t, struct known32 *val)
{
	uint64_t at = 0;
	enum tri there = load(r, t->location[0].number, 4, val);

	for (unsigned i = 1; i < t->nnums && i <= XT_U32_MAXSIZE && there == TRI_TRUE; i++) {
		uint32_t n = t->location[i].number;

		switch (t->location[i].nextop) {
		case XT_U32_AND: and_with(val, n); break;
		case XT_U32_LEFTSH: shift(val, n, true); break;
		case XT_U32_RIGHTSH: shift(val, n, false); break;
		case XT_U32_AT:
			if (val->k != UINT32_MAX)
				return TRI_UNKNOWN;
			at += val->v;
			if (at > UINT32_MAX)
				return TRI_FALSE;
			there = load(r, at + n, 4, val);
			break;
		default: return TRI_UNKNOWN;
		}
	}
	return there;
}

/* Is the value, of which some bits are known, in one of the ranges? */
static enum tri in_values(const struct xt_u32_test *t, const struct known32 *val)
{
	uint32_t lowest = val->v & val->k, highest = lowest | ~val->k;
	enum tri is = TRI_FALSE;

	for (unsigned i = 0; i < t->nvalues && i <= XT_U32_MAXSIZE; i++) {
		uint32_t min = t->value[i].min, max = t->value[i].max;

		if (min <= lowest && highest <= max)
			return TRI_TRUE;
		if (highest >= min && lowest <= max && (min != max || !((min ^ lowest) & val->k)))
			is = TRI_UNKNOWN;
	}
	return is;
}

static enum tri u32(const struct run *r, const struct xt_u32 *u)
{
	enum tri all = TRI_TRUE;

	for (unsigned i = 0; i < u->ntests && i <= XT_U32_MAXSIZE && all != TRI_FALSE; i++) {
		struct known32 val;
		enum tri t = u32_value(r, &u->tests[i], &val);

		all = tri_and(all, t == TRI_TRUE ? in_values(&u->tests[i], &val) : t);
	}
	return u->invert ? tri_not(all) : all;
}

/* ---- bpf: the classic instructions (net/core/filter.c), as far as nothing unknown is asked for ---- */

struct machine {
	uint32_t a, x, mem[BPF_MEMWORDS];
};

/* What stands beside the packet. Return: as load() */
static enum tri ancillary(const struct run *r, uint32_t what, uint32_t *ret)
{
	const struct packet *p = &r->pkt;
	const struct known32 *m = what == SKF_AD_MARK ? &p->meta[NFT_META_MARK] : what == SKF_AD_IFINDEX ? &p->meta[NFT_META_IIF] : NULL;

	if (what == SKF_AD_PROTOCOL)
		*ret = p->family == NFPROTO_IPV6 ? 0x86dd : 0x0800;
	else if (m && m->k == UINT32_MAX && what == SKF_AD_MARK)
		*ret = m->v;
	else
		return TRI_UNKNOWN;
	return TRI_TRUE;
}

static enum tri bpf_load(const struct run *r, const struct sock_filter *f, const struct machine *m, uint32_t *ret)
{
	unsigned size = BPF_SIZE(f->code) == BPF_W ? 4 : BPF_SIZE(f->code) == BPF_H ? 2 : 1;
	uint32_t at = f->k + (BPF_MODE(f->code) == BPF_IND ? m->x : 0);
	struct known32 v;
	enum tri t;

	if (f->k >= (uint32_t)SKF_AD_OFF && BPF_MODE(f->code) == BPF_ABS)
		return ancillary(r, f->k - (uint32_t)SKF_AD_OFF, ret);
	if (at >= (uint32_t)SKF_NET_OFF && at < (uint32_t)SKF_AD_OFF)
		at -= (uint32_t)SKF_NET_OFF;
	else if (at >= (uint32_t)SKF_LL_OFF)
		return TRI_UNKNOWN;
	t = load(r, at, size, &v);
	if (t == TRI_TRUE && v.k != UINT32_MAX)
		return TRI_UNKNOWN;
	*ret = v.v;
	return t;
}

/* BPF_LD and BPF_LDX. Return: TRI_FALSE when the program ends with 0 */
static enum tri bpf_get(const struct run *r, const struct sock_filter *f, const struct machine *m, uint32_t *ret)
{
	const struct known32 *len = &r->pkt.meta[NFT_META_LEN];
	struct known32 v;
	enum tri t;

	switch (BPF_MODE(f->code)) {
	case BPF_IMM: *ret = f->k; return TRI_TRUE;
	case BPF_MEM: *ret = f->k < BPF_MEMWORDS ? m->mem[f->k] : 0; return TRI_TRUE;
	case BPF_LEN: *ret = len->v; return len->k == UINT32_MAX ? TRI_TRUE : TRI_UNKNOWN;
	case BPF_MSH: /* the length of an IPv4 header */
		t = load(r, f->k, 1, &v);
		*ret = (v.v & 0xf) * 4;
		return t == TRI_TRUE && v.k != UINT32_MAX ? TRI_UNKNOWN : t;
	case BPF_ABS:
	case BPF_IND: return bpf_load(r, f, m, ret);
	default: return TRI_UNKNOWN;
	}
}

/* BPF_ALU. Return: false when the program ends with 0 */
static bool bpf_alu(const struct sock_filter *f, struct machine *m)
{
	uint32_t by = BPF_SRC(f->code) == BPF_X ? m->x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_ADD: m->a += by; break;
	case BPF_SUB: m->a -= by; break;
	case BPF_MUL: m->a *= by; break;
	case BPF_OR: m->a |= by; break;
	case BPF_AND: m->a &= by; break;
	case BPF_XOR: m->a ^= by; break;
	case BPF_LSH: m->a = m->a << (by & 31); break;
	case BPF_RSH: m->a = m->a >> (by & 31); break;
	case BPF_NEG: m->a = -m->a; break;
	case BPF_DIV:
	case BPF_MOD:
		if (by == 0)
			return false;
		m->a = BPF_OP(f->code) == BPF_DIV ? m->a / by : m->a % by;
		break;
	default: break;
	}
	return true;
}

/* How many instructions a jump passes over. */
static uint32_t bpf_jump(const struct sock_filter *f, const struct machine *m)
{
	uint32_t with = BPF_SRC(f->code) == BPF_X ? m->x : f->k;
	bool yes = false;

	switch (BPF_OP(f->code)) {
	case BPF_JA: return f->k;
	case BPF_JEQ: yes = m->a == with; break;
	case BPF_JGT: yes = m->a > with; break;
	case BPF_JGE: yes = m->a >= with; break;
	case BPF_JSET: yes = (m->a & with) != 0; break;
	default: break;
	}
	return yes ? f->jt : f->jf;
}

/* The kernel has looked through the program: it goes forward only, and ends with a BPF_RET. */
static enum tri bpf_run(const struct run *r, const struct sock_filter *code, unsigned n)
{
	struct machine m = { 0 };

	for (uint64_t i = 0; i < n; i++) {
		const struct sock_filter *f = &code[i];
		bool to_x = BPF_CLASS(f->code) == BPF_LDX || BPF_CLASS(f->code) == BPF_STX;
		uint32_t v = 0;
		enum tri t;

		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
		case BPF_LDX:
			t = bpf_get(r, f, &m, &v);
			if (t != TRI_TRUE)
				return t;
			*(to_x ? &m.x : &m.a) = v;
			break;
		case BPF_ST:
		case BPF_STX:
			if (f->k < BPF_MEMWORDS)
				m.mem[f->k] = to_x ? m.x : m.a;
			break;
		case BPF_ALU:
			if (!bpf_alu(f, &m))
				return TRI_FALSE;
			break;
		case BPF_JMP: i += bpf_jump(f, &m); break;
		case BPF_RET: return (BPF_RVAL(f->code) == BPF_A ? m.a : f->k) ? TRI_TRUE : TRI_FALSE;
		case BPF_MISC: *(BPF_MISCOP(f->code) == BPF_TAX ? &m.x : &m.a) = BPF_MISCOP(f->code) == BPF_TAX ? m.a : m.x; break;
		}
	}
	return TRI_UNKNOWN;
}

static enum tri bpf(const struct run *r, const struct xt_ext *x)
{
	const struct xt_bpf_info_v1 *v1 = x->data;
	const struct xt_bpf_info *v0 = x->data;
	bool code = x->rev == 0 || v1->mode == XT_BPF_MODE_BYTECODE;
	unsigned n = x->rev == 0 ? v0->bpf_program_num_elem : v1->bpf_program_num_elem;

	if (!code || n > XT_BPF_MAX_NUM_INSTR)
		return TRI_UNKNOWN;
	return bpf_run(r, x->rev == 0 ? v0->bpf_program : v1->bpf_program, n);
}

/* policy_mt(): where there is no IPsec, only its absence can be asked for */
static enum tri policy(const struct run *r, const struct xt_policy_info *p)
{
	if (!r->t->nv->no_ipsec)
		return TRI_UNKNOWN;
	return p->flags & XT_POLICY_MATCH_NONE ? TRI_TRUE : TRI_FALSE;
}

/* connlabel_mt() with --set, which acts before the rest of its rule is asked. A connection has room for labels when it was
 * made while some rule used them, as this one does for those to come. */
static enum tri connlabel(struct run *r, const struct xt_connlabel_mtinfo *c)
{
	struct packet_ct *ct = &r->pkt.ct;
	bool invert = c->options & XT_CONNLABEL_OP_INVERT, room = true;
	uint8_t *byte, bit = (uint8_t)(1u << c->bit % 8);

	if (c->bit > XT_CONNLABEL_MAXBIT)
		return TRI_UNKNOWN;
	byte = &ct->labels[XT_CONNLABEL_MAXBIT / 8 - c->bit / 8];
	if (ct->attach != CT_TRACKED)
		return invert ? TRI_TRUE : TRI_FALSE;
	if ((ct->known || !(ct->state & TRACE_CT_NEW)) && !(*byte & bit))
		room = run_decide(r, 2, NULL, "the connection has room for labels", "it may be older than the rules that use labels") == 0;
	if (room && !(*byte & bit)) {
		*byte |= bit;
		r->pkt.version++;
	}
	return room != invert ? TRI_TRUE : TRI_FALSE;
}

bool match_can_tell(const struct xt_ext *x)
{
	static const char *const names[] = { "connlabel", "policy", "physdev", "recent", "u32", "bpf", "cgroup",
		"ipv6header", "hbh", "dst", "rt", "mh", "ah", "srh", "eui64" /* match_v6() */ };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(x->name, names[i]) == 0)
			return true;
	return false;
}

enum tri match_ask(struct run *r, const struct xt_ext *x, const char **why)
{
	if (strcmp(x->name, "cluster") == 0)
		pkttype_cluster(r);
	if (strcmp(x->name, "cgroup") == 0)
		return cgroup_match(r, x, why);
	if (strcmp(x->name, "connlabel") == 0 && x->size >= sizeof(struct xt_connlabel_mtinfo))
		return connlabel(r, x->data);
	if (strcmp(x->name, "policy") == 0 && x->size >= sizeof(struct xt_policy_info))
		return policy(r, x->data);
	if (strcmp(x->name, "physdev") == 0 && x->size >= sizeof(struct xt_physdev_info))
		return physdev(r, x->data);
	if (strcmp(x->name, "recent") == 0 && x->size >= sizeof(struct xt_recent_mtinfo))
		return recent(x->data);
	if (strcmp(x->name, "u32") == 0 && x->size >= sizeof(struct xt_u32))
		return u32(r, x->data);
	if (strcmp(x->name, "bpf") == 0 && x->size >= (x->rev ? sizeof(struct xt_bpf_info_v1) : sizeof(struct xt_bpf_info)))
		return bpf(r, x);
	return match_v6(&r->pkt, x);
}
