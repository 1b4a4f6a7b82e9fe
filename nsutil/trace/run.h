/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run - one walk of a packet, internal to trace/: the state that its parts share */
#ifndef NSUTIL_TRACE_RUN_H
#define NSUTIL_TRACE_RUN_H

#include "nsutil/trace/packet.h"
#include "nsutil/trace/trace.h"

#define RUN_DEPTH 128	     /* nested jumps; nftables allows 16, legacy as many as there are chains */
#define RUN_DECISIONS 64     /* unknowns on one way */
#define RUN_WORK 20000000    /* rules looked at on one way */
#define RUN_TOUCHED 8	     /* elements and ipsets that rules change on one way */

enum hook_item_kind { HOOK_CHAIN, HOOK_DEFRAG, HOOK_CONNTRACK, HOOK_NAT };

struct nat_words;
struct nv_link;
struct nv_route;
struct route_index;
struct quick;
struct quick_rule;
struct set_key;

struct hook_item {
	int32_t priority;
	enum hook_item_kind kind;
	const struct chain *chain; /* HOOK_CHAIN */
};

struct hook_list {
	struct hook_item *items;
	unsigned n;
	bool tied;		/* some have the same priority */
};

/* What a route is called, kept for the way out and the way in: a batch says it of each connection. */
struct route_said {
	struct { int oif; struct addr via; const char *text; } way[2];
};

#define HOOKS 5
struct tracer {
	const struct ruleset *rs;
	const struct netview *nv;
	struct trace_options opt;
	struct arena *arena;
	struct hook_list hooks[2][HOOKS]; /* [0] IPv4, [1] IPv6 */
	struct hook_list nat[2][HOOKS];	  /* nat chains, called by the nat core */
	bool tracks[2];		/* conntrack_is_on() */
	bool gathers[2];	/* fragments are put together before the rules */
	bool masquerades[2];	/* some rule does */
	bool asks_cgroups;	/* some rule asks for the control group of a socket */
	bool redirects_write;	/* what IPv4's OUTPUT and POSTROUTING do to an ICMP redirect changes its connection */
	struct hook_list ingress, egress; /* chains bound to devices */
	struct quick *quick;	/* NULL: every rule is looked at */
	const struct nv_socket **sockets; /* of nv, by their port */
	struct route_said *said; /* by the route's place in nv; NULL: said anew each time */
	bool looks_back;	/* way_back_matters() */
	const struct route_index *routes; /* of nv; NULL: every route is looked at */
	const struct conn_list *conns; /* NULL: not known */
};

/* One question whose answer is not known; a run is told the answers (see trace.c). */
struct decision {
	unsigned n, choice;
	const struct stmt *cond; /* the condition, so that the same question gets the same answer */
	uint32_t version;	 /* of the packet when it was asked */
	struct trace_assumption a;
};

struct run {
	const struct tracer *t;
	const struct trace_request *rq;
	struct arena *arena;
	/* where the walk is */
	unsigned leg, hook;
	const struct chain *chain;
	const struct rule *rule;
	bool xt;		/* inside an xt match or target */
	struct { enum verdict code; const struct chain *to; const char *name; bool reject; } verdict;
	struct trace_change *changes;
	const struct stmt *failed; /* the condition that ended the rule */
	const struct stmt *inner;  /* the part of it that did not hold, inside an xt match */
	const char *why;	/* why the last evaluated thing is unknown */
	bool assumed, undecided;
	uint32_t work;
	/* routing */
	int dev;		/* device of the route; the hooks see it from POSTROUTING on */
	bool local;		/* the route delivers locally */
	bool prerouted;		/* a bridge has called PREROUTING */
	bool routed;		/* the packet has a route, skb_dst() */
	bool gathered;		/* it was put together of fragments */
	bool cut;		/* it is passed on in fragments, as the way out is too small for it */
	const struct nv_route *route; /* the route itself; NULL: an own address stood in for one */
	struct addr via;	/* of it; family 0 when on link */
	uint32_t realm;		/* of it, dst_entry.tclassid */
	bool realm_unknown;
	struct addr source;	/* of the packet before anything was rewritten */
	bool owned;		/* tproxy gave it a socket */
	const struct nv_socket *assigned; /* this one, as far as it is known */
	/* sets that rules on the way have changed */
	unsigned n_touched, n_ipsets_touched;
	enum { TEMPLATE_UNASKED, TEMPLATE_READ, TEMPLATE_PASSED } template; /* does this kernel's nftables look into one? */
	/* a later packet of a connection: what its first one came to, by the rules as they are now */
	bool rehearsal;		/* this is that first one; nothing of it is shown */
	bool masqueraded;	/* by a rule */
	bool mapped[HOOKS];
	/* answers */
	unsigned n_decisions, n_script;
	bool order_asked;
	/* result */
	bool ended;
	bool oom;
	struct trace_step *steps;
	unsigned n_steps;
	struct trace_leg *legs;
	unsigned n_legs;
	/* from here on: what is written before it is read, which a new run need not clear */
	struct packet pkt;
	struct trace_outcome out;
	struct packet_ct first_ct; /* where that is not CT_TRACKED, the rest says nothing */
	struct value seen;	/* what the left side of 'failed' was */
	const struct stmt_setop *touched[RUN_TOUCHED];
	struct set_key *touched_key[RUN_TOUCHED];
	const char *ipsets_touched[RUN_TOUCHED];
	struct { struct addr addr; int port; const struct rule *by; } mapping[HOOKS]; /* after the nat stage of the hook */
	struct decision decisions[RUN_DECISIONS];
};

/* ---- trace.c ---- */

/**
 * run_decide() - a question with several possible answers: take the one this run is to take
 * @r:		run
 * @n:		number of answers, at least 1
 * @cond:	condition, or NULL
 * @what:	the question, in the arena or constant
 * @why:	why the answer is not known
 *
 * Return: 0..n-1; 0 after the run was ended because there are too many questions
 */
unsigned run_decide(struct run *r, unsigned n, const struct stmt *cond, const char *what, const char *why);
/* run_answer() - say in words what the last decision came to; "yes"/"no" when not called */
void run_answer(struct run *r, const char *answer);
/* run_end() - the journey is over */
void run_end(struct run *r, enum trace_verdict v, const char *why);
/* run_change() - note a change of the packet at the current rule; run_change_text() - the same, of a text that is copied */
void run_change(struct run *r, const char *what, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void run_change_text(struct run *r, const char *what, const char *text);
void run_step(struct run *r, const struct trace_step *s);

/* ---- eval.c, set.c: conditions and values ---- */

void eval_expr(struct run *r, const struct expr *x, struct value *v);
/* eval_behind_ah() - ipv6_find_hdr() goes past an authentication header for ip6_tables: what it finds there is not known
 * here. nf_tables takes the header itself for the transport header. */
bool eval_behind_ah(const struct run *r, const struct chain *c);
enum tri eval_condition(struct run *r, const struct stmt *s);
bool eval_same(const struct expr *a, const struct expr *b);
/* eval_drawn() - is it drawn or counted anew at every look (random numbers, numgen), and of nothing of the packet? */
bool eval_drawn(const struct expr *x);

#define SET_PARTS 10
struct set_key {
	struct value part[SET_PARTS];
	unsigned n;
};
void set_key_eval(struct run *r, const struct expr *x, struct set_key *k);
/* set_has() - is the key in the set; three-valued, r->why says why not known */
enum tri set_has(struct run *r, const struct set *s, const struct set_key *k);
/* set_pick() - the element the key selects; asks when several may; NULL when none */
const struct set_elem *set_pick(struct run *r, const struct set *s, const struct expr *key);
/* set_has_room() - may a rule add the packet's key, or is it there already? TRI_FALSE: the set is full */
enum tri set_has_room(struct run *r, const struct stmt_setop *s);
/* set_touch() - a rule adds the packet's key to a set, or takes it out */
void set_touch(struct run *r, const struct stmt_setop *s);
/* meta.c */
void meta_eval(struct run *r, uint32_t key, struct value *v);
/* meta_mtu() - ip_dst_mtu_maybe_forward(), ip6_dst_mtu_maybe_forward() of a way by which nothing else was learned; 0: not known */
uint32_t meta_mtu(const struct run *r, const struct nv_route *route, int dev);
/* meta_learned() - has path MTU discovery, or a redirect, told something of the way there? */
bool meta_learned(const struct netview *nv, const struct addr *a);
void ct_eval(struct run *r, const struct expr *x, struct value *v);
void fib_eval(struct run *r, const struct expr *x, struct value *v);
void rt_eval(struct run *r, const struct expr *x, struct value *v);
void xfrm_eval(struct run *r, const struct expr *x, struct value *v);
/* exthdr.c */
void exthdr_eval(struct run *r, const struct expr *x, struct value *v);
/* socket.c */
void socket_eval(struct run *r, const struct expr *x, struct value *v);
/* socket_is_transparent() - inet_sk_transparent(); @ret_why is set in any case: why that would not be known */
enum tri socket_is_transparent(const struct run *r, const struct nv_socket *s, const char **ret_why);
bool socket_has_mark(const struct run *r); /* false: the packet's socket is one without (nv_socket_is_full()) */
/* cgroup.c: what is above the control group of the sender, or of a full socket, at a level */
void cgroup_of_sender(const struct run *r, unsigned level, struct value *v);
void cgroup_of_socket(const struct run *r, const struct nv_socket *s, unsigned level, struct value *v);
/* cgroup_deeper() - a "socket cgroupv2" was asked, without finding what it names (or "!=" has found another): why that is
 * not sure, should it be found at a deeper level; else NULL */
const char *cgroup_deeper(struct run *r, const struct stmt_match *m, enum tri found, enum tri (*ask)(struct run *, const struct stmt_match *));
/* cgroup_match() - xt's cgroup match by path; @why: set when it is not known */
enum tri cgroup_match(struct run *r, const struct xt_ext *x, const char **why);
/* ipset.c: is the packet in the ipset that an EXPR_IPSET names? r->why says why that is not known */
enum tri ipset_eval(struct run *r, const struct expr *x);
struct ipset_elem;
/* ipset_member() - the same, and which member holds it; NULL where that is one of a list's sets */
enum tri ipset_member(struct run *r, const struct expr *x, const struct ipset_elem **ret);

/* match_ask() - match.c: an xt match without a native form; TRI_UNKNOWN also when it is none of those known there. @why: why
 * it would not be known; written to where there is more to say */
enum tri match_ask(struct run *r, const struct xt_ext *x, const char **why);
enum tri match_srh(const struct packet *p, const struct xt_ext *x); /* match_srh.c, for match_v6() */
/* match_can_tell() - false: match_ask() has no answer, whatever the packet */
bool match_can_tell(const struct xt_ext *x);
enum tri match_v6(const struct packet *p, const struct xt_ext *x); /* match_v6.c: those of IPv6's headers, for match_ask() */

/* ---- exec.c, nat.c: statements ---- */

enum flow { FLOW_NEXT, FLOW_BREAK, FLOW_VERDICT };
/* exec_rule() - the statements of a rule, from one on that all before are known to hold */
enum flow exec_rule(struct run *r, const struct rule *rule, const struct stmt *from);
/* exec_quick() - exec_rule() of a rule all tests of which hold, by what was told of it beforehand */
enum flow exec_quick(struct run *r, const struct quick_rule *q);
/* exthdr.c: rules change TCP's options, if it is TCP; exthdr_strip(): was the one that is taken out known to be there? */
bool exthdr_is_tcp(const struct run *r);
enum flow exthdr_set(struct run *r, const struct expr *x, const struct value *v);
bool exthdr_strip(struct run *r, uint8_t type);
/* target_exec() - target.c: an xt target without a native form; Return: false when it is none of these */
bool target_exec(struct run *r, const struct xt_ext *x, enum flow *ret);
/* exec_template() - xt_ct_target(): what -j CT leaves for conntrack to find, without a zone of its own */
void exec_template(struct run *r);
/* nat_exec(), tproxy_exec() - the packet is rewritten; the verdict is in r->verdict */
enum flow nat_exec(struct run *r, const struct stmt_nat *n);
/* nat_exec_words() - the same of a mapping that was read out of the rule before */
enum flow nat_exec_words(struct run *r, const struct nat_words *w);
enum flow tproxy_exec(struct run *r, const struct stmt_tproxy *t, bool xt);

/* known.c: connections that are tracked already */

/* known_flags() - a packet of a tracked connection is no SYN: what its flags are, when they are not given */
void known_flags(const struct tracer *t, const struct trace_request *rq, struct packet *p);
enum known {
	KNOWN_NOT,	/* there is no entry, or it is not to be used */
	KNOWN_TAKEN,
	KNOWN_INVALID,	/* the packet does not follow on those before it */
};
/* known_leaves() - behind POSTROUTING's nat; false when the kernel drops what leaves another way than before */
bool known_leaves(struct run *r);
/* known_take() - the packet gets the entry of its connection */
enum known known_take(struct run *r);
/* known_confirm() - at the end of a hook where a new connection is entered: one that clashes with another ends */
void known_confirm(struct run *r);
/* known_rewrite() - nf_nat_packet(): the packet is rewritten as the entry says, at a hook for source or destination */
void known_rewrite(struct run *r, bool dst);

/* conntrack.c: TRACE_CT_* of the packet, as asked for or as nf_conntrack_in() finds when it knows no connection */
uint32_t conntrack_state(struct run *r);

/**
 * conntrack_is_on() - does anything need connection tracking (nf_ct_netns_get)? If not, the kernel does not
 *	track, and the nat core calls no chain
 * @rs:		ruleset; where something of it was not read, the answer is yes
 * @family:	NFPROTO_IPV4 or NFPROTO_IPV6
 */
bool conntrack_is_on(const struct ruleset *rs, uint8_t family);
/* conntrack_gathers() - the same of nf_defrag_ipv4_enable(), which sockets that are looked for want too */
bool conntrack_gathers(const struct ruleset *rs, uint8_t family);
/* conntrack_masquerades() - the same of masquerading */
bool conntrack_masquerades(const struct ruleset *rs, uint8_t family);
/* conntrack_is_written() - do rules of a hook's chains, those of type nat left out, write a connection's mark or labels? */
bool conntrack_is_written(const struct hook_list *l);

/* Of the 14th byte of TCP's header */
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };

/* ---- walk.c, hooks.c ---- */

/* walk_chain() - a base chain with all it jumps to; Return: ACCEPT, DROP, QUEUE or STOLEN */
enum verdict walk_chain(struct run *r, const struct chain *c);
int hooks_prepare(struct tracer *t);
/* hooks_would_masquerade() - would the chains of type nat masquerade the packet's connection if it began now and left through @oif? Nothing of
 * that is shown, and the run is as before; Return: true also when that is not known */
bool hooks_would_masquerade(struct run *r, int oif);
/* hooks_run() - all that is registered at a hook; Return: false when the packet ended there */
bool hooks_run(struct run *r, unsigned hook);
/* gather() - ipv4_conntrack_defrag(), ipv6_defrag(): what goes on is the whole of what a fragment is of */
void gather(struct run *r);
/* hooks_device() - netdev and inet ingress chains of the incoming (egress: outgoing) device */
bool hooks_device(struct run *r, bool egress);

/* ---- journey.c ---- */

struct route_key;
struct route_result;
void journey(struct run *r);
/* journey_chosen() - what was not given and follows is part of the answer: the source by the route, the sender's control
 * group, where rules ask for it, by its number */
void journey_chosen(const struct run *r, struct trace_request *rq);
/* journey_take_route() - the packet has that route from now on */
void journey_take_route(struct run *r, const struct route_result *res);
/* journey_routes_localnet() - IN_DEV_NET_ROUTE_LOCALNET(): are loopback addresses let through by that interface? */
bool journey_routes_localnet(const struct run *r, const struct nv_link *l);

/* ---- route_out.c ---- */

/**
 * route_out() - the route of the packet of a socket, before the first hook (ip_route_connect, ip6_dst_lookup_flow)
 * @ret:	set to it; its src is the address that the packet gets where it has none
 *
 * Return: false when there is none, or the socket refuses: the run is ended
 */
bool route_out(struct run *r, struct route_result *ret);
/* journey_reroute() - look the route up again with the packet as it is now */
void journey_reroute(struct run *r);
/* journey_key() - what the route of the packet, as it is now, is looked up by; the interfaces are for the caller to say */
struct route_key journey_key(struct run *r);
/* journey_link() - the index of an interface; 0 when it has no name, or there is none */
int journey_link(const struct run *r, const char *name);
/* route_can() - false, and the run is ended, when routes or the destination are not known */
bool route_can(struct run *r);

/* ---- admit.c ---- */

/* admit_martian() - ip_route_input_slow(), ip6_rcv_core(): is it dropped for its addresses? */
bool admit_martian(struct run *r, int iif);
/* admit_group() - ip_check_mc_rcu(), ipv6_chk_mcast_addr(): has the interface joined the group it is for? Return: false when
 * it is dropped; true also when it is for no group */
bool admit_group(struct run *r, int iif);
/* admit_onward() - ip6_forward(): may its source leave its link? */
bool admit_onward(struct run *r, int iif, int oif);
/* admit_size() - ip_exceeds_mtu(), ip6_pkt_too_big(): does it fit through the way it is passed on by? */
bool admit_size(struct run *r, const struct nv_route *route, int oif);

/* ---- pkttype.c: skb->pkt_type ---- */

/* run_frame() - does a header stand in front of what the interface carries? Tunnels have none; @l: NULL when not known */
enum tri run_frame(const struct nv_link *l);
/* pkttype_local_out() - what is made here is for this host, also when it leaves */
void pkttype_local_out(struct run *r);
/* pkttype_link() - the interface whose address the frame is for; @likely when it has that, or none has */
int pkttype_link(const struct run *r, int likely);
/* pkttype_arrives() - eth_type_trans(): as the frame says, where it is given */
void pkttype_arrives(struct run *r, int iif);
/* pkttype_bridged() - br_handle_frame(): a bridge takes what is for its own address, and passes on what is for others */
void pkttype_bridged(struct run *r, const struct nv_link *master);
/* pkttype_may_be_host() - false: it is known, and something else */
bool pkttype_may_be_host(const struct run *r);
/* pkttype_rcv() - ip_rcv_core(), ip6_rcv_core(); Return: false when it is dropped, as for another station */
bool pkttype_rcv(struct run *r);
/* pkttype_forward() - ip_forward(), ip6_forward(); Return: false when it is dropped, as for more than this station */
bool pkttype_forward(struct run *r);
/* pkttype_refused() - tcp_v4_rcv(), sctp_rcv(), dccp_invalid_packet(); Return: why no socket gets it; NULL when one may */
const char *pkttype_refused(const struct run *r);
/* pkttype_cluster() - xt_cluster_mt(): what came as a multicast becomes this host's, whether the match holds or not */
void pkttype_cluster(struct run *r);

/* ---- way_back.c ---- */

/**
 * way_back_is_valid() - may the packet come from its source by that interface? (fib_validate_source: rp_filter, accept_local)
 * @iif:	interface it came in through
 * @oif:	the one it is forwarded by; 0: it is delivered here
 * @tag:	set to the realm of the source
 *
 * Return: false when it is dropped; a source that is not known is taken for a good one
 */
bool way_back_is_valid(struct run *r, int iif, int oif, uint32_t *tag);
/* way_back_matters() - is the way back looked up without rp_filter too? */
bool way_back_matters(const struct netview *nv);
/* way_back_is_near() - is the source behind no further router? @l: interface it came in through */
bool way_back_is_near(struct run *r, const struct nv_link *l);

/* ---- describe.c ---- */
const char *describe_condition(struct arena *a, const struct stmt *s);
const char *describe_expr(struct arena *a, const struct expr *x);
const char *describe_value(struct arena *a, const struct value *v, const struct expr *like);

/* ---- listen.c ---- */

int listen_prepare(struct tracer *t);
/* listen_find() - the socket that takes a packet: route_listener() of those with its port. The key's iif: 0 or less, none */
const struct nv_socket *listen_find(const struct tracer *t, const struct route_key *k);
/* listen_ends() - the connected socket, of any protocol, that has the key's ends: its own is the destination */
const struct nv_socket *listen_ends(const struct tracer *t, const struct route_key *k);
/* listen_shares() - has another socket of its protocol the same address and port here? */
bool listen_shares(const struct tracer *t, const struct nv_socket *s);
/* listen_connected() - the connected TCP socket that a packet belongs to; NULL when none, or the key is not known in full */
const struct nv_socket *listen_connected(const struct tracer *t, const struct route_key *k);

/* run_at_egress() - is a chain of an interface asked on the way out? Hooks of netdev have the numbers of others. */
bool run_at_egress(const struct run *r);

static inline unsigned run_v6(const struct run *r)
{
	return r->pkt.family == 10 /* NFPROTO_IPV6 */;
}

#endif
