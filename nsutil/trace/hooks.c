/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hooks - what is registered at a hook, in order: chains of all stores, conntrack, the nat core */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <stdlib.h>
#include <net/if_arp.h>
#include <string.h>

#include "nsutil/ruleset/cgroups.h"
#include "nsutil/trace/run.h"

#define NAT_STATUS (IPS_SRC_NAT | IPS_DST_NAT)
#define TIES 5	      /* chains of one priority: 5! = 120 orders */

/* ---- preparation ---- */

static bool is_nat(const struct chain *c)
{
	if (c->type)
		return strcmp(c->type, "nat") == 0;
	return c->table->store == STORE_LEGACY && strcmp(c->table->name, "nat") == 0;
}

static bool of_family(const struct table *t, bool v6)
{
	return t->family == NFPROTO_INET || t->family == (v6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
}

static int add_item(struct tracer *t, struct hook_list *l, enum hook_item_kind kind, int32_t priority,
		    const struct chain *c)
{
	struct hook_item *grown = arena_grow(t->arena, l->items, l->n, sizeof(*grown));

	if (!grown)
		return -1;
	l->items = grown;
	l->items[l->n++] = (struct hook_item){ priority, kind, c };
	return 0;
}

static int add_chain(struct tracer *t, const struct chain *c)
{
	if (c->table->family == NFPROTO_NETDEV)
		return add_item(t, c->hook == NF_NETDEV_EGRESS ? &t->egress : &t->ingress, HOOK_CHAIN,
				c->priority, c);
	if (c->table->family == NFPROTO_INET && c->hook == NF_INET_INGRESS)
		return add_item(t, &t->ingress, HOOK_CHAIN, c->priority, c);
	if (c->hook >= HOOKS)
		return 0;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct hook_list *l = is_nat(c) ? &t->nat[v6][c->hook] : &t->hooks[v6][c->hook];

		if (of_family(c->table, v6) && add_item(t, l, HOOK_CHAIN, c->priority, c) < 0)
			return -1;
	}
	return 0;
}

/* A stable insertion sort: equal priorities keep the order they were read in. */
static void sort_items(struct hook_list *l)
{
	for (unsigned i = 1; i < l->n; i++) {
		struct hook_item it = l->items[i];
		unsigned j = i;

		for (; j > 0 && l->items[j - 1].priority > it.priority; j--)
			l->items[j] = l->items[j - 1];
		l->items[j] = it;
	}
	for (unsigned i = 1; i < l->n; i++)
		l->tied |= l->items[i].priority == l->items[i - 1].priority;
}

/* ipv4_conntrack_ops, nf_nat_ipv4_ops: where the kernel's own parts stand */
static int add_kernel_parts(struct tracer *t, unsigned v6)
{
	static const int32_t nat_priority[HOOKS] = {
		[NF_INET_PRE_ROUTING] = NF_IP_PRI_NAT_DST, [NF_INET_LOCAL_OUT] = NF_IP_PRI_NAT_DST,
		[NF_INET_LOCAL_IN] = NF_IP_PRI_NAT_SRC, [NF_INET_POST_ROUTING] = NF_IP_PRI_NAT_SRC,
	};

	bool any = false;

	for (unsigned hook = 0; hook < HOOKS; hook++)
		any |= t->nat[v6][hook].n > 0;
	for (unsigned hook = 0; hook < HOOKS; hook++) {
		struct hook_list *l = &t->hooks[v6][hook];

		if ((hook == NF_INET_PRE_ROUTING || hook == NF_INET_LOCAL_OUT) &&
		    add_item(t, l, HOOK_CONNTRACK, NF_IP_PRI_CONNTRACK, NULL) < 0)
			return -1;
		if ((hook == NF_INET_PRE_ROUTING || hook == NF_INET_LOCAL_OUT) && t->gathers[v6] &&
		    add_item(t, l, HOOK_DEFRAG, NF_IP_PRI_CONNTRACK_DEFRAG, NULL) < 0)
			return -1;
		/* nf_nat_register_fn(): one chain of type nat brings the core to all of its hooks */
		if (any && hook != NF_INET_FORWARD && add_item(t, l, HOOK_NAT, nat_priority[hook], NULL) < 0)
			return -1;
		sort_items(l);
		sort_items(&t->nat[v6][hook]);
	}
	return 0;
}

int hooks_prepare(struct tracer *t)
{
	for (const struct table *tb = t->rs->tables; tb; tb = tb->next) {
		if (tb->flags & NFT_TABLE_F_DORMANT && tb->store != STORE_LEGACY)
			continue;
		for (const struct chain *c = tb->chains; c; c = c->next)
			if (c->base && add_chain(t, c) < 0)
				return -1;
	}
	t->asks_cgroups = ruleset_asks_cgroups(t->rs);
	t->redirects_write = conntrack_is_written(&t->hooks[0][NF_INET_LOCAL_OUT]) || conntrack_is_written(&t->hooks[0][NF_INET_POST_ROUTING]);
	t->tracks[0] = conntrack_is_on(t->rs, NFPROTO_IPV4);
	t->tracks[1] = conntrack_is_on(t->rs, NFPROTO_IPV6);
	t->gathers[0] = conntrack_gathers(t->rs, NFPROTO_IPV4);
	t->gathers[1] = conntrack_gathers(t->rs, NFPROTO_IPV6);
	t->masquerades[0] = conntrack_masquerades(t->rs, NFPROTO_IPV4);
	t->masquerades[1] = conntrack_masquerades(t->rs, NFPROTO_IPV6);
	sort_items(&t->ingress);
	sort_items(&t->egress);
	return add_kernel_parts(t, 0) < 0 || add_kernel_parts(t, 1) < 0 ? -1 : 0;
}

/* ---- order of equal priorities ---- */

static int rank(const struct run *r, const struct hook_item *it)
{
	for (unsigned i = 0; it->chain && i < r->t->opt.n_order; i++)
		if (r->t->opt.order[i] == it->chain)
			return (int)i;
	return -1;
}

/* A chain without rules that accepts may stand anywhere; so may nat that has neither chains nor a mapping. */
static bool matters(const struct run *r, const struct hook_item *it)
{
	if (it->kind == HOOK_NAT && !r->t->nat[run_v6(r)][r->hook].n)
		return r->t->conns && trace_may_be_tracked(r->rq);
	if (it->kind == HOOK_DEFRAG)
		return r->pkt.some_fragment;
	return it->kind != HOOK_CHAIN || it->chain->rules || it->chain->policy == VERDICT_DROP;
}

static const char *item_name(struct run *r, const struct hook_item *it)
{
	if (it->kind == HOOK_NAT)
		return "nat";
	if (it->kind == HOOK_DEFRAG)
		return "putting fragments together";
	if (it->kind == HOOK_CONNTRACK)
		return "connection tracking";
	return arena_printf(r->arena, "%s %s %s %s", store_name(it->chain->table->store),
			    family_name(it->chain->table->family), it->chain->table->name, it->chain->name);
}

static const char *names(struct run *r, struct hook_item *const *items, unsigned n)
{
	const char *text = "";

	for (unsigned i = 0; i < n; i++)
		text = arena_printf(r->arena, "%s%s%s", text, i ? ", " : "", item_name(r, items[i]));
	return text;
}

/* The n-th permutation, by factorial digits. */
static void permute(struct hook_item **items, unsigned n, unsigned which)
{
	unsigned fact = 1;

	for (unsigned i = 2; i < n; i++)
		fact *= i;
	for (unsigned i = 0; i + 1 < n; i++) {
		unsigned pick = which / fact;
		struct hook_item *it = items[i + pick];

		which %= fact;
		fact /= n - 1 - i ? n - 1 - i : 1;
		memmove(items + i + 1, items + i, pick * sizeof(*items));
		items[i] = it;
	}
}

static void ask_order(struct run *r, struct hook_item **items, unsigned n)
{
	unsigned orders = 1;
	const char *what;

	for (unsigned i = 2; i <= n; i++)
		orders *= i;
	r->order_asked = true;
	what = arena_printf(r->arena, "the order at hook %s, priority %d, of %s",
			    hook_name(r->pkt.family, r->hook), items[0]->priority, names(r, items, n));
	permute(items, n, run_decide(r, orders, NULL, what, "the kernel runs the newest first"));
	run_answer(r, names(r, items, n));
}

/* Put items of one priority into their order: known, or one to be assumed. */
static void order_ties(struct run *r, struct hook_item **items, unsigned n)
{
	struct hook_item *relevant[TIES], *rest[64];
	unsigned n_relevant = 0, n_rest = 0;
	bool known = true;

	for (unsigned i = 0; i < n; i++) {
		if (!matters(r, items[i]) && n_rest < 64) {
			rest[n_rest++] = items[i];
			continue;
		}
		if (n_relevant == TIES) {
			run_end(r, TRACE_UNKNOWN, "too many chains of one priority in unknown order");
			return;
		}
		known &= rank(r, items[i]) >= 0;
		relevant[n_relevant++] = items[i];
	}
	if (n_relevant > 1 && !known)
		ask_order(r, relevant, n_relevant);
	for (unsigned i = 1; known && i < n_relevant; i++)
		for (unsigned j = i; j > 0 && rank(r, relevant[j - 1]) > rank(r, relevant[j]); j--) {
			struct hook_item *it = relevant[j];

			relevant[j] = relevant[j - 1];
			relevant[j - 1] = it;
		}
	memcpy(items, relevant, n_relevant * sizeof(*items));
	memcpy(items + n_relevant, rest, n_rest * sizeof(*items));
}

#define HOOK_ITEMS 128

/* The items in the order of this run; Return: how many */
static unsigned arrange(struct run *r, const struct hook_list *l, struct hook_item **items)
{
	unsigned n = l->n < HOOK_ITEMS ? l->n : HOOK_ITEMS;

	if (l->n > HOOK_ITEMS)
		run_end(r, TRACE_UNKNOWN, "too many base chains at one hook");
	for (unsigned i = 0; i < n; i++)
		items[i] = &l->items[i];
	if (!l->tied)
		return n;
	for (unsigned i = 0; i < n && !r->ended;) {
		unsigned j = i + 1;

		while (j < n && items[j]->priority == items[i]->priority)
			j++;
		if (j - i > 1)
			order_ties(r, items + i, j - i);
		i = j;
	}
	return n;
}

/* ---- running ---- */

static void end_by(struct run *r, enum verdict v)
{
	if (r->ended)
		return;
	switch (v) {
	case VERDICT_QUEUE:
		r->out.by = r->rule;
		run_end(r, TRACE_UNKNOWN, "a program in user space decides (queue)");
		break;
	case VERDICT_STOLEN:
		r->out.by = r->rule;
		run_end(r, TRACE_UNKNOWN, "the packet is taken off its way (fwd or synproxy)");
		break;
	default: run_end(r, r->verdict.reject && !r->out.by_policy ? TRACE_REJECT : TRACE_DROP, r->out.why);
	}
}

static bool run_chain(struct run *r, const struct chain *c)
{
	enum verdict v = walk_chain(r, c);

	if (r->ended)
		return false;
	if (v == VERDICT_ACCEPT)
		return true;
	end_by(r, v);
	return false;
}

/* The answers go the other way; of a later packet's as its first one would have them now. */
static void reply_tuple(const struct run *r, struct packet_ct *ct)
{
	const struct packet_ct *first = &r->first_ct;

	if (ct->state & TRACE_CT_NEW) {
		ct->reply_saddr = ct->daddr;
		ct->reply_daddr = ct->saddr;
		ct->reply_sport = ct->dport;
		ct->reply_dport = ct->sport;
		if (ct->l4proto == IPPROTO_ICMP || ct->l4proto == IPPROTO_ICMPV6) { /* the same id; the type is another */
			ct->reply_sport = ct->sport;
			ct->reply_dport = (struct known32){ 0 };
		}
	} else if (first->attach == CT_TRACKED) {
		ct->reply_saddr = first->reply_saddr;
		ct->reply_daddr = first->reply_daddr;
		ct->reply_sport = first->reply_sport;
		ct->reply_dport = first->reply_dport;
	}
}

static struct known32 tuple_word(const struct packet *p, unsigned at)
{
	bool known = (p->known[at] & p->known[at + 1]) == 0xff;

	return (struct known32){ .v = known ? (uint32_t)(p->bytes[at] << 8 | p->bytes[at + 1]) : 0, .k = known ? UINT32_MAX : 0 };
}

/* nf_ct_get_tuple(): of ICMP the id, and the type with the code */
static void tuple_ports(const struct packet *p, struct packet_ct *ct)
{
	bool icmp = p->l4proto == IPPROTO_ICMP || p->l4proto == IPPROTO_ICMPV6;

	ct->sport = ct->dport = (struct known32){ 0 };
	if (p->fragment || (!icmp && !packet_has_ports(p)))
		return;
	ct->sport = tuple_word(p, p->th + (icmp ? 4u : 0u));
	ct->dport = tuple_word(p, p->th + (icmp ? 0u : 2u));
}

/* nf_conntrack_in(): the packet gets its entry, unless it has one or must not */
static void run_conntrack(struct run *r)
{
	struct packet_ct *ct = &r->pkt.ct;
	enum known known;
	uint32_t state;

	if (ct->attach != CT_NONE || (!r->t->tracks[run_v6(r)] && !r->rq->ct_state))
		return;
	if (ct->template) /* what the nat core has done with the template, it has not with the connection */
		ct->src_done = ct->dst_done = false;
	if (ct->template && ct->zone_by_mark) {
		ct->zone = r->pkt.meta[NFT_META_MARK];
		ct->zone.v &= UINT16_MAX;
		ct->zone.k |= ~(uint32_t)UINT16_MAX;
	}
	known = known_take(r);
	if (known == KNOWN_TAKEN || r->ended)
		return;
	ct->template = false;
	state = known == KNOWN_INVALID ? TRACE_CT_INVALID : conntrack_state(r);
	if (r->ended)
		return;
	if (state & TRACE_CT_INVALID) {
		ct->zone = (struct known32){ 0 }; /* it went with the template */
		return;
	}
	r->pkt.version++;
	if (state & TRACE_CT_UNTRACKED) {
		ct->attach = CT_UNTRACKED;
		return;
	}
	ct->attach = CT_TRACKED;
	ct->state = state;
	ct->l4proto = r->pkt.l4proto;
	ct->saddr = packet_addr(&r->pkt, false);
	ct->daddr = packet_addr(&r->pkt, true);
	tuple_ports(&r->pkt, ct);
	reply_tuple(r, ct);
	if (!ct->zone.k)
		ct->zone.k = UINT32_MAX; /* the default zone, 0 */
	if (state & TRACE_CT_NEW) {
		ct->status.k = UINT32_MAX;
		if (!ct->mark.k)
			ct->mark = (struct known32){ .k = UINT32_MAX };
	} else if (r->first_ct.attach == CT_TRACKED) {
		ct->status = (struct known32){ .v = r->first_ct.status.v & NAT_STATUS, .k = NAT_STATUS };
		if (!ct->mark.k)
			ct->mark = r->first_ct.mark;
	}
}

/* nf_nat_packet(): a later packet is rewritten as the first one was, without a look at the rules */
static void apply_mapping(struct run *r, unsigned hook, bool dst)
{
	if (!r->mapped[hook])
		return;
	packet_set_addr(&r->pkt, dst, &r->mapping[hook].addr);
	if (dst)
		r->out.by = r->mapping[hook].by;
	if (packet_has_ports(&r->pkt)) {
		int port = r->mapping[hook].port;

		packet_set_port(&r->pkt, dst, port < 0 ? 0 : (uint16_t)port, port < 0 ? 0 : UINT16_MAX);
	}
}

static void save_mapping(struct run *r, unsigned hook, bool dst)
{
	r->mapped[hook] = true;
	r->mapping[hook].addr = packet_addr(&r->pkt, dst);
	r->mapping[hook].port = packet_port(&r->pkt, dst);
	r->mapping[hook].by = r->out.by;
}

static bool run_nat_chains(struct run *r, unsigned hook, bool dst)
{
	bool *done = dst ? &r->pkt.ct.dst_done : &r->pkt.ct.src_done;
	struct hook_item *items[HOOK_ITEMS];
	unsigned n = arrange(r, &r->t->nat[run_v6(r)][hook], items);

	for (unsigned i = 0; i < n && !*done && !r->ended; i++)
		if (!run_chain(r, items[i]->chain))
			return false;
	if (r->ended)
		return false;
	if (*done && r->rehearsal)
		save_mapping(r, hook, dst);
	*done = true;
	return true;
}

bool hooks_would_masquerade(struct run *r, int oif)
{
	struct run was = *r;
	const struct nv_link *l = nv_link_by_index(r->t->nv, oif);
	bool masked;

	r->rehearsal = true;
	r->masqueraded = false;
	r->dev = oif;
	packet_set_oif(&r->pkt, oif, l ? l->name : "");
	r->pkt.ct.known = NULL;
	r->pkt.ct.state = TRACE_CT_NEW;
	r->pkt.ct.src_done = false;
	run_nat_chains(r, NF_INET_POST_ROUTING, false);
	masked = r->masqueraded || (r->ended && r->out.verdict == TRACE_UNKNOWN);
	/* what was asked on the way stays asked */
	memcpy(was.decisions, r->decisions, sizeof(was.decisions));
	was.n_decisions = r->n_decisions;
	was.order_asked = r->order_asked;
	was.oom = r->oom;
	was.work = r->work;
	was.pkt.version = r->pkt.version + 1;
	*r = was;
	return masked;
}

/* nf_nat_inet_fn(): chains in turn until one sets up a mapping; a first packet only */
static bool run_nat(struct run *r, unsigned hook)
{
	bool dst = hook == NF_INET_PRE_ROUTING || hook == NF_INET_LOCAL_OUT;
	struct addr before = { 0 }, after;

	/* a zone that is set behind conntrack leaves a template, which the nat core takes for a connection */
	if (r->pkt.ct.attach == CT_NONE && r->pkt.ct.template)
		r->pkt.ct.state = TRACE_CT_NEW;
	else if (r->pkt.ct.attach != CT_TRACKED)
		return true;
	if (dst ? r->pkt.ct.dst_done : r->pkt.ct.src_done)
		return true;
	if (hook == NF_INET_LOCAL_OUT)
		before = packet_addr(&r->pkt, true);
	if (r->pkt.ct.known) {
		known_rewrite(r, dst);
		if (hook == NF_INET_POST_ROUTING && !known_leaves(r))
			return false;
	} else if (!(r->pkt.ct.state & (TRACE_CT_NEW | TRACE_CT_RELATED))) {
		apply_mapping(r, hook, dst);
	} else if (!run_nat_chains(r, hook, dst)) {
		return false;
	}
	if (hook != NF_INET_LOCAL_OUT)
		return !r->ended;
	after = packet_addr(&r->pkt, true);
	if (!addr_equal(&before, &after))
		journey_reroute(r);
	return !r->ended;
}

/* ipt_mangle_out(), nf_route_table_hook4(): what the route was chosen by */
struct route_inputs {
	struct addr src, dst;
	struct known32 mark;
	uint8_t tos, flow[3], hop_limit; /* IPv4: the second byte of the header; IPv6: its whole first word and the hop limit */
};

static struct route_inputs route_inputs(const struct run *r)
{
	const uint8_t *nh = r->pkt.bytes + PACKET_NH;
	struct route_inputs in = { packet_addr(&r->pkt, false), packet_addr(&r->pkt, true), r->pkt.meta[NFT_META_MARK],
				   nh[1], { 0 }, 0 };

	if (run_v6(r)) {
		memcpy(in.flow, (const uint8_t[]){ nh[0], nh[2], nh[3] }, sizeof(in.flow));
		in.hop_limit = nh[7];
	}
	return in;
}

static bool reroutes(const struct chain *c)
{
	if (c->type && strcmp(c->type, "route") == 0)
		return true;
	return c->table->store == STORE_LEGACY && strcmp(c->table->name, "mangle") == 0;
}

static bool run_plain_chain(struct run *r, const struct chain *c, unsigned hook)
{
	struct route_inputs before, after;

	if (hook != NF_INET_LOCAL_OUT || !reroutes(c))
		return run_chain(r, c);
	before = route_inputs(r);
	if (!run_chain(r, c))
		return false;
	after = route_inputs(r);
	if (before.mark.v != after.mark.v || before.mark.k != after.mark.k || before.tos != after.tos ||
	    memcmp(before.flow, after.flow, sizeof(before.flow)) != 0 || before.hop_limit != after.hop_limit ||
	    !addr_equal(&before.src, &after.src) || !addr_equal(&before.dst, &after.dst))
		journey_reroute(r);
	return !r->ended;
}

void gather(struct run *r)
{
	if (!r->pkt.some_fragment)
		return;
	packet_whole(&r->pkt);
	r->gathered = true;
}

/*
 * ip_finish_output(), ip6_finish_output(): what was put together leaves in fragments again (frag_max_size), and by loopback
 * comes in as these. Of several packets no one thing can be said.
 */
static bool scattered(struct run *r)
{
	const struct header_parts *h = &r->rq->parts;

	if (!r->cut && (!r->gathered || (!h->offset && !h->more)))
		return false;
	run_end(r, TRACE_UNKNOWN, r->cut ? "longer than the way out takes, it comes here cut into fragments, each of which the rules see"
					 : "put together before, it comes here in fragments again, each of which the rules see");
	return true;
}

/* Chains in front of where they are put together anew */
static bool sees_fragments(const struct hook_item *it, unsigned hook)
{
	return hook == NF_INET_PRE_ROUTING && it->kind == HOOK_CHAIN && it->priority <= NF_IP_PRI_CONNTRACK_DEFRAG && it->chain->rules;
}

bool hooks_run(struct run *r, unsigned hook)
{
	struct hook_item *items[HOOK_ITEMS];
	unsigned n;

	r->hook = hook;
	n = arrange(r, &r->t->hooks[run_v6(r)][hook], items);
	for (unsigned i = 0; i < n; i++)
		if (sees_fragments(items[i], hook) && scattered(r))
			return false;
	for (unsigned i = 0; i < n && !r->ended; i++) {
		bool goes_on = true;

		switch (items[i]->kind) {
		case HOOK_DEFRAG:
			if (r->pkt.ct.attach != CT_UNTRACKED)
				gather(r);
			break;
		case HOOK_CONNTRACK: run_conntrack(r); break;
		case HOOK_NAT: goes_on = run_nat(r, hook); break;
		case HOOK_CHAIN: goes_on = run_plain_chain(r, items[i]->chain, hook); break;
		}
		if (!goes_on)
			return false;
	}
	if (hook == NF_INET_LOCAL_IN || hook == NF_INET_POST_ROUTING)
		known_confirm(r);
	return !r->ended;
}

static bool on_device(const struct chain *c, const char *name)
{
	for (unsigned i = 0; i < c->n_devices; i++)
		if (strcmp(c->devices[i], name) == 0)
			return true;
	return false;
}

/* __dev_queue_xmit(): behind the stack it has its frame's header, which counts */
static void count_frame(struct run *r)
{
	const struct nv_link *l = nv_link_by_index(r->t->nv, r->dev);
	const struct known32 *len = &r->pkt.meta[NFT_META_LEN];
	enum tri frame = run_frame(l);

	if (len->k != UINT32_MAX || frame == TRI_FALSE)
		return;
	if (frame == TRI_TRUE)
		packet_set_meta(&r->pkt, NFT_META_LEN, len->v + ETH_HLEN);
	else
		packet_set_meta_unknown(&r->pkt, NFT_META_LEN);
}

bool run_at_egress(const struct run *r)
{
	return r->chain && r->chain->table->family == NFPROTO_NETDEV && r->hook == NF_NETDEV_EGRESS;
}

bool hooks_device(struct run *r, bool egress)
{
	const struct hook_list *all = egress ? &r->t->egress : &r->t->ingress;
	const char *name = egress ? r->pkt.oifname : r->pkt.iifname;
	struct hook_item *items[HOOK_ITEMS], own[HOOK_ITEMS];
	struct hook_list here = { own, 0, all->tied };
	struct known32 length = r->pkt.meta[NFT_META_LEN];
	unsigned n;

	if (!all->n)
		return !r->ended;
	r->hook = egress ? NF_NETDEV_EGRESS : NF_NETDEV_INGRESS;
	for (unsigned i = 0; i < all->n && here.n < HOOK_ITEMS; i++)
		if (on_device(all->items[i].chain, name))
			own[here.n++] = all->items[i];
	n = arrange(r, &here, items);
	if (n && scattered(r))
		return false;
	if (egress && n)
		count_frame(r);
	for (unsigned i = 0; i < n && !r->ended; i++)
		if (!run_chain(r, items[i]->chain))
			return false;
	if (egress && n) {
		r->pkt.meta[NFT_META_LEN] = length; /* lo gives it back without its header */
		r->pkt.version++;
	}
	return !r->ended;
}
