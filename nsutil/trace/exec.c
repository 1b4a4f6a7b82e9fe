/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exec - the statements of a rule, in their order (nft_do_chain, ipt_do_table) */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/if_packet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/trace/line.h"
#include "nsutil/trace/quick.h"
#include "nsutil/trace/run.h"

/* ---- a condition of which the truth is not known ---- */

static bool is_synproxy(const struct stmt *s)
{
	return s->kind == STMT_SYNPROXY ||
	       (s->kind == STMT_OBJREF && (s->objref.map ? s->objref.map->obj_type : s->objref.type) == NFT_OBJECT_SYNPROXY);
}

/* Does anything of the list change the packet or its way? If not, nothing hangs on the condition. */
static bool has_effect(const struct stmt *s)
{
	for (; s; s = s->next)
		switch (s->kind) {
		case STMT_VERDICT:
			if (s->verdict.code != VERDICT_CONTINUE)
				return true;
			break;
		case STMT_VMAP:
		case STMT_REJECT:
		case STMT_NAT:
		case STMT_SET_VALUE:
		case STMT_TPROXY:
		case STMT_NOTRACK:
		case STMT_QUEUE:
		case STMT_FWD:
		case STMT_SYNPROXY: return true;
		case STMT_OBJREF:
			if (is_synproxy(s))
				return true;
			break;
		case STMT_OPAQUE:
			if (s->opaque.terminal || s->opaque.type == OPAQUE_TARGET)
				return true;
			break;
		case STMT_XT:
			if (s->xt->meaning ? has_effect(s->xt->meaning) : s->xt->target && s->xt->why_unknown)
				return true;
			break;
		default: break;
		}
	return false;
}

static bool same_condition(const struct stmt *a, const struct stmt *b)
{
	if (a == b)
		return true;
	return a->kind == STMT_MATCH && b->kind == STMT_MATCH && eval_same(a->match.left, b->match.left) &&
	       eval_same(a->match.right, b->match.right) &&
	       (a->match.op == b->match.op || (a->match.op <= OP_NE && b->match.op <= OP_NE));
}

/* Conditions that may come out differently each time they are asked. */
static bool fickle(const struct stmt *s)
{
	return s->kind != STMT_MATCH || s->match.left->kind == EXPR_HASH || s->match.left->kind == EXPR_OPAQUE ||
	       eval_drawn(s->match.left);
}

/* The same question about the same content was answered before on this way: 1 yes, 0 no, -1 not asked. */
static int answered(const struct run *r, const struct stmt *cond)
{
	for (unsigned i = 0; i < r->n_decisions && !fickle(cond); i++) {
		const struct decision *d = &r->decisions[i];

		if (!d->cond || d->version != r->pkt.version || !same_condition(d->cond, cond))
			continue;
		return d->choice == (d->cond->match.op == cond->match.op ? 0 : 1);
	}
	return -1;
}

/* What a condition that is assumed to hold says about the packet: those bits are known now. */
static void learn(struct run *r, const struct stmt_match *m, bool holds)
{
	const struct expr *net = m->right->kind == EXPR_PREFIX ? m->right->prefix.value : m->right;
	unsigned len = m->right->kind == EXPR_PREFIX ? m->right->prefix.len : m->left->bits;
	struct value v, want;

	if (m->op > OP_NE || holds != (m->op == OP_EQ) || value_literal(&want, net) < 0)
		return;
	if (m->left->kind == EXPR_PAYLOAD && want.bits == m->left->bits) {
		packet_load(&r->pkt, m->left->payload.base, m->left->payload.offset, m->left->bits, &v);
		for (unsigned i = 0; i < len && len % 8 == 0; i += 8) {
			v.b[i / 8] = want.b[i / 8];
			v.k[i / 8] = 0xff;
		}
		packet_store(&r->pkt, m->left->payload.base, m->left->payload.offset, m->left->bits, &v);
	} else if (m->left->kind == EXPR_META && m->left->meta_key < PACKET_META && want.bits <= 32 &&
		   m->right->kind == EXPR_VALUE && !r->pkt.meta[m->left->meta_key].absent) {
		packet_set_meta(&r->pkt, m->left->meta_key, (uint32_t)value_number(&want));
	}
}

/* Decide a condition; it may be that nothing hangs on it. */
static bool holds(struct run *r, const struct stmt *cond)
{
	uint32_t version = r->pkt.version;
	const char *why = r->why;
	int known = answered(r, cond);
	bool yes;

	r->assumed = true;
	if (known >= 0)
		return known;
	yes = run_decide(r, 2, cond, r->t->quick ? quick_said(r->t->quick, cond) : describe_condition(r->arena, cond),
			 why) == 0;
	if (cond->kind == STMT_MATCH && !fickle(cond))
		learn(r, &cond->match, yes);
	r->pkt.version = version; /* nothing was written: answers still are good */
	return yes;
}

/* ---- statements ---- */

static enum flow verdict(struct run *r, enum verdict code)
{
	r->verdict.code = code;
	r->verdict.to = NULL;
	r->verdict.name = NULL;
	r->verdict.reject = false;
	return FLOW_VERDICT;
}

static enum flow verdict_exec(struct run *r, const struct stmt_verdict *v)
{
	if (v->code == VERDICT_CONTINUE)
		return FLOW_NEXT;
	verdict(r, v->code);
	r->verdict.to = v->to;
	r->verdict.name = v->chain;
	return FLOW_VERDICT;
}

static enum flow vmap_exec(struct run *r, const struct stmt *s)
{
	const struct set_elem *e;

	if (!s->vmap.map) {
		run_end(r, TRACE_UNKNOWN, "the verdict map is missing");
		return FLOW_BREAK;
	}
	e = set_pick(r, s->vmap.map, s->vmap.key);
	if (!e || !e->verdict) {
		r->failed = s;
		return FLOW_BREAK;
	}
	return verdict_exec(r, e->verdict);
}

static void set_known32(struct run *r, struct known32 *to, const struct value *v, const char *what)
{
	struct value w = *v;
	uint32_t n, k = 0;
	char text[16];
	struct line l = LINE(text);

	value_resize(&w, 32);
	n = (uint32_t)value_number(&w);
	for (unsigned i = 0; i < 4; i++)
		k = k << 8 | w.k[i];
	*to = (struct known32){ .v = n, .k = k };
	if (k == UINT32_MAX) {
		line_hex(&l, n);
		run_change_text(r, what, text);
	} else {
		run_change(r, what, "%#x, bits %#x are not known", n, ~k);
	}
}

/* nf_connlabels_replace() with a mask that is the value: bits are added, none is taken */
static void set_labels(struct run *r, const struct expr *x, const struct value *v)
{
	struct value w = *v;

	value_resize(&w, 128);
	for (unsigned i = 0; i < sizeof(r->pkt.ct.labels); i++)
		r->pkt.ct.labels[i] |= w.b[i];
	run_change_text(r, "ct label", describe_value(r->arena, v, x));
}

void exec_template(struct run *r)
{
	if (r->pkt.ct.attach != CT_NONE || r->pkt.ct.template)
		return;
	r->pkt.ct.template = true;
	r->pkt.ct.zone = (struct known32){ .k = UINT32_MAX };
	r->pkt.ct.zone_dir = -1;
	r->pkt.version++;
}

/* What is there stays; nft_ct_set_zone_eval() takes an untracked packet for none, xt_ct_target() does not. nftables writes
 * the number into the template, CT --zone mark has conntrack take the mark of then (nf_ct_zone_tmpl()). */
static void set_zone(struct run *r, const struct stmt_set_value *s, const struct value *v)
{
	struct packet_ct *ct = &r->pkt.ct;

	if ((ct->attach == CT_NONE || (ct->attach == CT_UNTRACKED && !r->xt)) && !ct->template) {
		ct->attach = CT_NONE;
		exec_template(r);
		ct->zone_dir = (int8_t)s->target->ct.dir;
		ct->zone_by_mark = r->xt && s->value->kind == EXPR_META && s->value->meta_key == NFT_META_MARK;
		if (ct->zone_by_mark)
			run_change(r, "ct zone", "the packet's mark when connection tracking looks");
		else
			set_known32(r, &ct->zone, v, "ct zone");
	}
}

static void ct_set(struct run *r, const struct stmt_set_value *s, const struct value *v)
{
	const struct expr *x = s->target;
	struct packet_ct *ct = &r->pkt.ct;

	if (x->ct.key == NFT_CT_ZONE) {
		set_zone(r, s, v);
	} else if (x->ct.key == NFT_CT_EVENTMASK && r->xt) {
		exec_template(r);
	} else if (x->ct.key == NFT_CT_MARK && ct->attach == CT_TRACKED) {
		set_known32(r, &ct->mark, v, "ct mark");
	} else if (x->ct.key == NFT_CT_LABELS && ct->attach == CT_TRACKED) {
		set_labels(r, x, v);
	}
}

static enum flow set_value_exec(struct run *r, const struct stmt_set_value *s)
{
	struct value v;

	eval_expr(r, s->value, &v);
	if (r->ended || v.absent) /* xt_CONNMARK.c goes on where there is no connection */
		return v.absent && r->xt ? FLOW_NEXT : FLOW_BREAK;
	r->pkt.version++;
	switch (s->target->kind) {
	case EXPR_META:
		if (s->target->meta_key == NFT_META_PKTTYPE && value_known(&v) && value_number(&v) > PACKET_OTHERHOST)
			break; /* skb_pkt_type_ok() */
		if (s->target->meta_key < PACKET_META)
			set_known32(r, &r->pkt.meta[s->target->meta_key], &v,
				    s->target->meta_key == NFT_META_MARK ? "mark"
						: describe_expr(r->arena, s->target));
		break;
	case EXPR_CT: ct_set(r, s, &v); break;
	case EXPR_EXTHDR: return exthdr_set(r, s->target, &v);
	case EXPR_PAYLOAD:
		value_resize(&v, s->target->bits);
		if (packet_store(&r->pkt, s->target->payload.base, s->target->payload.offset,
				 s->target->bits, &v) == 0)
			run_change(r, describe_expr(r->arena, s->target), "%s",
				   describe_value(r->arena, &v, s->target));
		break;
	default: break;
	}
	return FLOW_NEXT;
}

static enum flow notrack_exec(struct run *r)
{
	if (r->pkt.ct.attach == CT_NONE && !r->pkt.ct.template) { /* a zone was chosen: ignored */
		r->pkt.ct.attach = CT_UNTRACKED;
		r->pkt.version++;
		run_change(r, "notrack", "connection tracking is off for this packet");
	}
	return FLOW_NEXT;
}

/* A target or expression nobody knows: it may pass, accept or drop. */
static enum flow opaque_exec(struct run *r, const char *name, const char *why)
{
	static const char *const answers[] = { "goes on", "accepts", "drops" };
	unsigned i = run_decide(r, 3, NULL, arena_printf(r->arena, "what %s does", name),
				why ? why : "it is not understood");

	r->assumed = true;
	run_answer(r, answers[i]);
	return i == 0 ? FLOW_NEXT : verdict(r, i == 1 ? VERDICT_ACCEPT : VERDICT_DROP);
}

static enum flow exec_list(struct run *r, const struct stmt *list);

static enum flow xt_exec(struct run *r, const struct xt_ext *x)
{
	bool outer = r->xt;
	enum flow f;

	if (!x->meaning && x->target && target_exec(r, x, &f))
		return f;
	if (!x->meaning)
		return x->why_unknown ? opaque_exec(r, x->name, x->why_unknown) : FLOW_NEXT;
	r->xt = true;
	f = exec_list(r, x->meaning);
	r->xt = outer;
	return f;
}

/* nft_dynset_eval(): a set that is full takes no other key, and the rule ends */
static bool has_room(struct run *r, const struct stmt *s)
{
	enum tri t = set_has_room(r, &s->setop);

	if (t == TRI_TRUE || (t == TRI_UNKNOWN && holds(r, s)))
		return true;
	r->failed = s;
	return false;
}

static enum flow setop_exec(struct run *r, const struct stmt *s)
{
	if (s->setop.set && s->setop.op != SETOP_DELETE && !has_room(r, s))
		return FLOW_BREAK;
	for (const struct stmt *c = s->setop.stmts; c; c = c->next)
		if (eval_condition(r, c) == TRI_UNKNOWN && !holds(r, c)) {
			r->failed = c;
			return FLOW_BREAK;
		}
	if (s->setop.set && !r->ended)
		set_touch(r, &s->setop);
	return FLOW_NEXT;
}

/* nft_synproxy_do_eval(), nft_synproxy_object_eval() */
static enum flow synproxy_exec(struct run *r)
{
	return r->pkt.l4proto == IPPROTO_TCP ? verdict(r, VERDICT_STOLEN) : FLOW_BREAK;
}

/* What is no condition. */
static enum flow action_exec(struct run *r, const struct stmt *s)
{
	switch (s->kind) {
	case STMT_VERDICT: return verdict_exec(r, &s->verdict);
	case STMT_VMAP: return vmap_exec(r, s);
	case STMT_REJECT:
		verdict(r, VERDICT_DROP);
		r->verdict.reject = true;
		return FLOW_VERDICT;
	case STMT_NAT: return nat_exec(r, &s->nat);
	case STMT_TPROXY: return tproxy_exec(r, &s->tproxy, r->xt);
	case STMT_SET_VALUE: return set_value_exec(r, &s->set_value);
	case STMT_NOTRACK: return notrack_exec(r);
	case STMT_QUEUE: return verdict(r, VERDICT_QUEUE);
	case STMT_FWD: return verdict(r, VERDICT_STOLEN);
	case STMT_SYNPROXY: return synproxy_exec(r);
	case STMT_SETOP: return setop_exec(r, s);
	case STMT_EXTHDR_RESET:
		if (!exthdr_is_tcp(r)) /* nft_exthdr_tcp_strip_eval() */
			return FLOW_BREAK;
		exthdr_strip(r, s->exthdr_reset->exthdr.type);
		return FLOW_NEXT;
	default: return FLOW_NEXT; /* counter, log, last, dup, flow: the packet goes on as it is */
	}
}

static bool is_condition(const struct stmt *s)
{
	switch (s->kind) {
	case STMT_MATCH:
	case STMT_ANY:
	case STMT_NOT:
	case STMT_LIMIT:
	case STMT_QUOTA:
	case STMT_CONNLIMIT:
	case STMT_OBJREF: return true;
	case STMT_XT: return !s->xt->target;
	default: return false;
	}
}

/* What a match does beside asking, once it holds: -m socket --restore-skmark, -m connlabel --set. */
static void match_acts(struct run *r, const struct stmt *list)
{
	bool outer = r->xt;

	r->xt = true;
	for (const struct stmt *s = list; s; s = s->next)
		if (s->kind == STMT_SET_VALUE && (s->set_value.value->kind != EXPR_SOCKET || socket_has_mark(r)))
			set_value_exec(r, &s->set_value);
	r->xt = outer;
}

static enum flow condition_exec(struct run *r, const struct stmt *s)
{
	enum tri t;

	r->inner = NULL;
	t = eval_condition(r, s);

	if (t == TRI_UNKNOWN && !r->ended) {
		if (!has_effect(r->rule->stmts)) {
			r->undecided = true;
			r->failed = s;
			return FLOW_BREAK;
		}
		t = holds(r, s) ? TRI_TRUE : TRI_FALSE;
	}
	if (t == TRI_TRUE) {
		if (s->kind == STMT_XT)
			match_acts(r, s->xt->meaning);
		r->why = NULL; /* whatever else is not known of its sides */
		return FLOW_NEXT;
	}
	r->failed = s;
	return FLOW_BREAK;
}

static enum flow exec_list(struct run *r, const struct stmt *list)
{
	enum flow f = FLOW_NEXT;

	for (const struct stmt *s = list; s && f == FLOW_NEXT && !r->ended; s = s->next) {
		if (is_condition(s)) {
			f = condition_exec(r, s);
			if (f == FLOW_NEXT && is_synproxy(s)) /* by an object */
				f = synproxy_exec(r);
		} else if (s->kind == STMT_XT)
			f = xt_exec(r, s->xt);
		else if (s->kind != STMT_OPAQUE)
			f = action_exec(r, s);
		else if (s->opaque.terminal || s->opaque.type == OPAQUE_TARGET)
			f = opaque_exec(r, s->opaque.name, s->opaque.why);
		else
			f = condition_exec(r, s);
	}
	return f;
}

static void begin(struct run *r, const struct rule *rule)
{
	r->rule = rule;
	r->changes = NULL;
	r->failed = r->inner = NULL;
	r->why = NULL;
	r->assumed = r->undecided = false;
	r->xt = false;
}

enum flow exec_rule(struct run *r, const struct rule *rule, const struct stmt *from)
{
	begin(r, rule);
	return exec_list(r, from);
}

/* condition_exec() of what no packet tells, and which may come out differently each time */
static bool ask(struct run *r, const struct quick_rule *q)
{
	bool yes;

	r->assumed = true;
	yes = run_decide(r, 2, q->rest, q->ask->what, q->ask->why) == 0;
	r->why = yes ? NULL : q->ask->why;
	r->failed = yes ? NULL : q->rest;
	return yes;
}

enum flow exec_quick(struct run *r, const struct quick_rule *q)
{
	begin(r, q->rule);
	if (q->ask && !ask(r, q))
		return FLOW_BREAK;
	if (r->ended)
		return FLOW_NEXT;
	switch ((enum quick_act)q->act) {
	case ACT_VERDICT:
		verdict(r, q->code);
		r->verdict.to = q->verdict.to;
		r->verdict.name = q->verdict.name;
		return FLOW_VERDICT;
	case ACT_NAT: return nat_exec_words(r, q->nat);
	case ACT_LOOK: break;
	}
	return exec_list(r, q->rest);
}
