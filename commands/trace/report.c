/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report - a trace as a person and as a script read it */
#include "commands/trace/report.h"

#include <inttypes.h>
#include <linux/netfilter.h>
#include <string.h>

#include "commands/trace/tracked.h"
#include "nsutil/ruleset/text.h"
#include "nsutil/trace/connection.h"

static const char *verdict_word(enum trace_verdict v)
{
	static const char *const words[] = { "accept", "drop", "reject", "unreachable", "unknown" };

	return words[v];
}

static const char *end_word(enum trace_end p)
{
	static const char *const words[] = { "local", "out", "forward" };

	return words[p];
}

static void put_port(struct out *o, const char *key, int port)
{
	if (port < 0)
		out_null(o, key);
	else
		out_int(o, key, NULL, port);
}

static void put_addr(struct out *o, const char *key, const struct addr *a)
{
	char text[ADDR_TEXT];

	out_str(o, key, NULL, a->family ? addr_fmt(a, text) : NULL);
}

static void text_endpoint(struct out *o, const struct addr *a, int port, bool has_ports)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	connection_endpoint(a, port, has_ports, &b);
	out_text(o, "%s", buf_cstr(&b));
}

static void put_number(struct out *o, const char *key, bool has, uint32_t v)
{
	if (has)
		out_uint(o, key, NULL, v);
	else
		out_null(o, key);
}

static const char *state_word(uint32_t bit)
{
	switch (bit) {
	case TRACE_CT_INVALID: return "invalid";
	case TRACE_CT_ESTABLISHED: return "established";
	case TRACE_CT_RELATED: return "related";
	case TRACE_CT_UNTRACKED: return "untracked";
	default: return "new";
	}
}

static void put_packet(const struct trace_result *res, struct out *o)
{
	const struct trace_request *rq = &res->request;
	char text[8], frag[16];

	out_object(o, "packet");
	out_str(o, "path", NULL, connection_path(rq->path));
	out_str(o, "family", NULL, family_name(rq->family));
	out_str(o, "protocol", NULL, connection_proto(rq->l4proto, text));
	put_addr(o, "saddr", &rq->src);
	put_port(o, "sport", rq->sport);
	put_addr(o, "daddr", &rq->dst);
	put_port(o, "dport", rq->dport);
	put_number(o, "uid", rq->has_uid, rq->uid);
	put_number(o, "gid", rq->has_gid, rq->gid);
	put_number(o, "mark", rq->has_mark, rq->mark);
	out_str(o, "cgroupv2", NULL, rq->cgroup_path);
	out_str(o, "ctstate", NULL, state_word(rq->ct_state));
	out_str(o, "frag", NULL, frag_text(&rq->parts, frag));
	out_str(o, "ipopt", NULL, rq->parts.ipopt ? rq->parts.ipopt->text : NULL);
	out_str(o, "exthdr", NULL, rq->parts.exthdr ? rq->parts.exthdr->text : NULL);
	out_str(o, "tcpopt", NULL, rq->parts.tcpopt ? rq->parts.tcpopt->text : NULL);
	out_object_end(o);
}

static void text_parts(const struct trace_request *rq, struct out *o)
{
	const struct header_parts *h = &rq->parts;
	char text[16];

	if (h->frag != FRAG_NOT_SAID)
		out_text(o, "  frag %s", frag_text(h, text));
	if (h->ipopt)
		out_text(o, "  ipopt %s", h->ipopt->text);
	if (h->exthdr)
		out_text(o, "  exthdr %s", h->exthdr->text);
	if (h->tcpopt)
		out_text(o, "  tcpopt %s", h->tcpopt->text);
}

/* "tcp 10.0.1.39:* -> 10.96.0.10:80  uid 1000  out eth0  (route: default via 10.0.1.1)" */
static void text_head(const struct trace_result *res, struct out *o)
{
	const struct trace_request *rq = &res->request;
	bool ports = connection_has_ports(rq->l4proto);
	char text[8];

	if (out_structured(o))
		return;
	out_style(o, STYLE_HEAD);
	out_text(o, "%s ", connection_proto(rq->l4proto, text));
	text_endpoint(o, &rq->src, rq->sport, ports);
	out_text(o, " -> ");
	text_endpoint(o, &rq->dst, rq->dport, ports);
	out_style(o, STYLE_PLAIN);
	if (rq->has_uid)
		out_text(o, "  uid %u", rq->uid);
	if (rq->has_gid)
		out_text(o, "  gid %u", rq->gid);
	if (rq->has_mark)
		out_text(o, "  mark %#x", rq->mark);
	if (rq->cgroup_path)
		out_text(o, "  cgroupv2 %s", rq->cgroup_path);
	if (rq->ct_state)
		out_text(o, "  ctstate %s", state_word(rq->ct_state));
	text_parts(rq, o);
	out_text(o, "  %s", connection_path(rq->path));
	if (res->n_legs) {
		const struct trace_leg *l = &res->legs[0];

		out_text(o, " %s", rq->path == TRACE_OUT ? l->oif : l->iif);
		if (l->route)
			out_text(o, "  (route: %s)", l->route);
	}
	out_nl(o);
}

static void put_legs(const struct trace_result *res, const char *namespace, struct out *o)
{
	out_array(o, "legs");
	for (unsigned i = 0; i < res->n_legs && out_structured(o); i++) {
		const struct trace_leg *l = &res->legs[i];

		out_object(o, NULL);
		out_uint(o, "branch", NULL, l->branch);
		out_uint(o, "leg", NULL, l->leg);
		out_str(o, "namespace", NULL, namespace);
		out_str(o, "path", NULL, connection_path(l->path));
		out_str(o, "iif", NULL, l->iif && *l->iif ? l->iif : NULL);
		out_str(o, "oif", NULL, l->oif && *l->oif ? l->oif : NULL);
		out_str(o, "route", NULL, l->route);
		out_object_end(o);
	}
	out_array_end(o);
}

/* ---- steps ---- */

static void put_changes(const struct trace_step *s, struct out *o)
{
	out_array(o, "changes");
	for (const struct trace_change *c = s->changes; c && out_structured(o); c = c->next) {
		out_object(o, NULL);
		out_str(o, "what", NULL, c->what);
		out_str(o, "to", NULL, c->text);
		out_object_end(o);
	}
	out_array_end(o);
}

/* A person's rule is made when it is shown; a script's batch keeps what was made before. */
static void put_rule_text(const struct trace_step *s, struct texts *texts, struct out *o)
{
	const struct rule_texts *kept = texts && s->rule ? texts_of(texts, s->rule, s->chain->table->store == STORE_NATIVE) : NULL;
	_cleanup_buf_ struct buf ipt = BUF_INIT;
	_cleanup_buf_ struct buf nft = BUF_INIT;
	bool has = false;

	if (kept) {
		out_str(o, "iptables", NULL, kept->iptables);
		out_str(o, "nft", NULL, kept->nft);
		out_text(o, "%s", kept->iptables ? kept->iptables : kept->nft);
		return;
	}
	if (!s->rule) {
		out_null(o, "iptables");
		out_null(o, "nft");
		out_text(o, "policy");
		return;
	}
	if (s->chain->table->store != STORE_NATIVE)
		has = rule_iptables(s->rule, &ipt);
	if (out_structured(o) || !has)
		rule_nft(s->rule, false, &nft);
	out_str(o, "iptables", NULL, has ? buf_cstr(&ipt) + strspn(buf_cstr(&ipt), " ") : NULL);
	out_str(o, "nft", NULL, buf_cstr(&nft));
	out_text(o, "%s", has ? buf_cstr(&ipt) + strspn(buf_cstr(&ipt), " ") : buf_cstr(&nft));
}

static const char *step_verdict(const struct trace_step *s)
{
	return s->reject ? "reject" : verdict_name(s->verdict);
}

/* The verdict cell: "jump", "redirect to 127.0.0.1:15001", "no: tcp dport 15008; it is 80" */
static void text_verdict(const struct trace_step *s, bool explain, struct out *o)
{
	const struct trace_change *c = s->changes;

	if (s->matched == TRI_FALSE) {
		out_style(o, STYLE_DIM);
		out_text(o, explain && s->why ? "no: %s" : "no", s->why);
		out_style(o, STYLE_PLAIN);
		return;
	}
	if (s->matched == TRI_UNKNOWN) {
		out_style(o, STYLE_WARN);
		out_text(o, "perhaps: %s", s->why ? s->why : "not known");
		out_style(o, STYLE_PLAIN);
		return;
	}
	for (; c; c = c->next)
		out_text(o, "%s%s %s%s", c == s->changes ? "" : ", ", c->what, strcmp(c->what, "notrack") == 0 ? "" : "to ", c->text);
	if (!s->changes || s->verdict == VERDICT_DROP)
		out_text(o, "%s%s", s->changes ? ", " : "", step_verdict(s));
	if (s->assumed && s->why) {
		out_style(o, STYLE_WARN);
		out_text(o, "  (%s)", s->why);
		out_style(o, STYLE_PLAIN);
	}
}

static const char *hook_word(const struct trace_step *s)
{
	static const char *const names[] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING" };

	if (s->chain->base && s->chain->table->family == NFPROTO_NETDEV)
		return hook_name(NFPROTO_NETDEV, s->hook);
	return s->hook < 5 ? names[s->hook] : "INGRESS";
}

/* Names that stand above already are not repeated. */
static void text_place(const struct trace_step *s, const struct trace_step *before, struct out *o)
{
	bool same_hook = before && before->hook == s->hook && before->leg == s->leg;
	bool same_table = same_hook && before->chain->table == s->chain->table;

	out_row(o);
	out_cell(o);
	if (!same_hook)
		out_text(o, "%s%s", hook_word(s), s->leg && !(before && before->leg == s->leg) ? " (lo)" : "");
	out_cell(o);
	if (!same_table)
		out_text(o, "%s %s %s", store_name(s->chain->table->store),
			 family_name(s->chain->table->family), s->chain->table->name);
	out_cell(o);
	if (!same_table || before->chain != s->chain) {
		out_style(o, STYLE_NAME);
		out_text(o, "%s", s->chain->name);
		out_style(o, STYLE_PLAIN);
	}
}

static void put_step(const struct trace_step *s, const struct trace_step *before, bool explain, struct texts *texts,
		     struct out *o)
{
	out_object(o, NULL);
	if (!out_structured(o))
		text_place(s, before, o);
	out_uint(o, "branch", NULL, s->branch);
	out_uint(o, "leg", NULL, s->leg);
	out_str(o, "hook", NULL, hook_name(s->chain->base ? s->chain->table->family : NFPROTO_INET, s->hook));
	out_str(o, "store", NULL, store_name(s->chain->table->store));
	out_str(o, "family", NULL, family_name(s->chain->table->family));
	out_str(o, "table", NULL, s->chain->table->name);
	out_str(o, "chain", NULL, s->chain->name);
	out_cell(o);
	if (s->rule) {
		out_uint(o, "rule", "%" PRIu64, s->rule->index);
		out_uint(o, "handle", NULL, s->rule->handle);
	} else {
		out_null(o, "rule");
		out_null(o, "handle");
	}
	out_cell(o);
	put_rule_text(s, texts, o);
	if (s->matched == TRI_UNKNOWN)
		out_null(o, "matched");
	else
		out_bool(o, "matched", NULL, s->matched == TRI_TRUE);
	out_bool(o, "assumed", NULL, s->assumed);
	out_str(o, "verdict", NULL, s->matched == TRI_TRUE ? step_verdict(s) : NULL);
	out_str(o, "to", NULL, s->to);
	put_changes(s, o);
	out_str(o, "why", NULL, s->why);
	out_cell(o);
	text_verdict(s, explain, o);
	out_object_end(o);
}

static const struct out_column columns[] = {
	{ .head = "hook" }, { .head = "table" }, { .head = "chain" }, { .head = "", .right = true },
	{ .head = "rule" }, { .head = "verdict" }, { .head = NULL },
};

static unsigned steps_of(const struct trace_result *res, unsigned branch)
{
	unsigned n = 0;

	for (unsigned i = 0; i < res->n_steps; i++)
		n += res->steps[i].branch == branch;
	return n;
}

static void put_steps(const struct trace_result *res, unsigned branch, bool all, bool explain, struct texts *texts,
		      struct out *o)
{
	const struct trace_step *before = NULL;

	for (unsigned i = 0; i < res->n_steps; i++) {
		const struct trace_step *s = &res->steps[i];

		if (!all && s->branch != branch)
			continue;
		put_step(s, before, explain, texts, o);
		before = s;
	}
}

static void text_steps(const struct trace_result *res, unsigned branch, bool explain, struct out *o)
{
	if (!steps_of(res, branch)) {
		out_text(o, "no rule of any store matches on this way");
		out_nl(o);
		return;
	}
	out_table(o, columns);
	put_steps(res, branch, false, explain, NULL, o);
	out_table_end(o);
}

/* ---- outcomes ---- */

static void put_listener(const struct trace_outcome *u, struct out *o)
{
	const struct nv_socket *s = u->listener;

	if (!s) {
		out_null(o, "listener");
	} else {
		out_object(o, "listener");
		if (s->pid)
			out_int(o, "pid", NULL, s->pid);
		else
			out_null(o, "pid");
		out_str(o, "name", NULL, s->process[0] ? s->process : NULL);
		out_uint(o, "uid", NULL, s->uid);
		put_addr(o, "address", &s->local);
		out_uint(o, "port", NULL, s->lport);
		out_object_end(o);
	}
	out_str(o, "listener_unknown", NULL, u->listener_unknown);
}

static void put_by(const struct trace_outcome *u, struct out *o)
{
	const struct chain *c = u->by_policy ? u->by_policy : u->by ? u->by->chain : NULL;

	if (!c) {
		out_null(o, "by");
		return;
	}
	out_object(o, "by");
	out_str(o, "store", NULL, store_name(c->table->store));
	out_str(o, "family", NULL, family_name(c->table->family));
	out_str(o, "table", NULL, c->table->name);
	out_str(o, "chain", NULL, c->name);
	if (u->by_policy)
		out_null(o, "rule");
	else
		out_uint(o, "rule", NULL, u->by->index);
	out_object_end(o);
}

static bool is_first(const struct trace_outcome *u, unsigned upto, unsigned i)
{
	const struct trace_assumption *a = &u->cases[upto].a[i];

	for (unsigned c = 0; c <= upto; c++)
		for (unsigned j = 0; j < (c == upto ? i : u->cases[c].n); j++)
			if (strcmp(u->cases[c].a[j].what, a->what) == 0)
				return false;
	return true;
}

/* depends_on: each condition once; cases: the combinations of answers that lead here */
static void put_cases(const struct trace_outcome *u, struct out *o)
{
	out_array(o, "depends_on");
	for (unsigned c = 0; c < u->n_cases; c++)
		for (unsigned i = 0; i < u->cases[c].n; i++)
			if (is_first(u, c, i))
				out_str(o, NULL, NULL, u->cases[c].a[i].what);
	out_array_end(o);
	out_array(o, "cases");
	for (unsigned c = 0; c < u->n_cases; c++) {
		out_array(o, NULL);
		for (unsigned i = 0; i < u->cases[c].n; i++) {
			out_object(o, NULL);
			out_str(o, "condition", NULL, u->cases[c].a[i].what);
			out_str(o, "answer", NULL, u->cases[c].a[i].answer);
			out_str(o, "why", NULL, u->cases[c].a[i].why);
			out_object_end(o);
		}
		out_array_end(o);
	}
	out_array_end(o);
}

static void put_endpoint(const char *key, const struct addr *a, int port, struct out *o)
{
	out_object(o, key);
	put_addr(o, "address", a);
	put_port(o, "port", port);
	out_object_end(o);
}

static void put_outcomes(const struct trace_result *res, struct out *o)
{
	out_array(o, "outcomes");
	for (unsigned i = 0; i < res->n_outcomes && out_structured(o); i++) {
		const struct trace_outcome *u = &res->outcomes[i];

		out_object(o, NULL);
		out_str(o, "verdict", NULL, verdict_word(u->verdict));
		out_str(o, "path", NULL, u->verdict == TRACE_ACCEPT ? end_word(u->path) : NULL);
		put_endpoint("source", &u->src, u->sport, o);
		put_endpoint("destination", &u->dst, u->dport, o);
		out_str(o, "oif", NULL, u->oif);
		put_listener(u, o);
		put_by(u, o);
		out_str(o, "why", NULL, u->why);
		put_tracked(u, o);
		put_cases(u, o);
		out_object_end(o);
	}
	out_array_end(o);
	out_str(o, "order", NULL, res->order_unknown ? "unknown" : "known");
	out_uint(o, "branches", NULL, res->branches);
}

/* ---- the closing line, to be pasted into a ticket ---- */

static void text_by(const struct trace_outcome *u, struct out *o)
{
	if (u->by_policy)
		out_text(o, ", by the policy of chain %s of %s %s %s", u->by_policy->name,
			 store_name(u->by_policy->table->store), family_name(u->by_policy->table->family),
			 u->by_policy->table->name);
	else if (u->by)
		out_text(o, ", by rule %s %u of %s %s %s", u->by->chain->name, u->by->index,
			 store_name(u->by->chain->table->store), family_name(u->by->chain->table->family),
			 u->by->chain->table->name);
}

static void text_listener(const struct trace_outcome *u, struct out *o)
{
	const struct nv_socket *s = u->listener;
	const char *does = s && !s->listening ? "is connected" : "listens";

	if (u->listener_unknown)
		out_text(o, " (%s)", u->listener_unknown);
	else if (!s)
		out_text(o, ", where nobody listens");
	else if (s->pid)
		out_text(o, ", where %s (pid %d, uid %u) %s", s->process[0] ? s->process : "a process",
			 (int)s->pid, s->uid, does);
	else
		out_text(o, ", where a socket of uid %u %s", s->uid, does);
}

static void text_accept(const struct trace_result *res, const struct trace_outcome *u, struct out *o)
{
	bool ports = connection_has_ports(res->request.l4proto);
	bool other_source = u->src.family && !addr_equal(&u->src, &res->request.src);

	out_text(o, u->path == TRACE_END_LOCAL ? "goes to " : u->path == TRACE_END_OUT ? "leaves for " : "is forwarded to ");
	text_endpoint(o, &u->dst, u->dport, ports);
	if (u->path != TRACE_END_LOCAL)
		out_text(o, " through %s", u->oif ? u->oif : "?");
	if (other_source) {
		out_text(o, " as ");
		text_endpoint(o, &u->src, u->sport, ports);
	}
	if (u->path == TRACE_END_LOCAL)
		text_listener(u, o);
	text_by(u, o);
	if (!u->by && !u->conn_used)
		out_text(o, other_source ? ", its destination not rewritten" : ", not rewritten");
}

static void text_end(const struct trace_result *res, const struct trace_outcome *u, struct out *o)
{
	out_style(o, u->verdict == TRACE_ACCEPT ? STYLE_GOOD : u->verdict == TRACE_UNKNOWN ? STYLE_WARN : STYLE_BAD);
	out_text(o, "=> ");
	switch (u->verdict) {
	case TRACE_ACCEPT: text_accept(res, u, o); break;
	case TRACE_DROP:
		out_text(o, "is dropped");
		text_by(u, o);
		break;
	case TRACE_REJECT:
		out_text(o, "is rejected, the sender is told");
		text_by(u, o);
		break;
	case TRACE_UNREACHABLE: out_text(o, "goes nowhere"); break;
	case TRACE_UNKNOWN: out_text(o, "is not known"); break;
	}
	if (u->why)
		out_text(o, ": %s", u->why);
	out_text(o, ".");
	out_style(o, STYLE_PLAIN);
	out_nl(o);
}

void report_cases(const struct trace_outcome *u, struct out *o)
{
	for (unsigned c = 0; c < u->n_cases; c++) {
		out_style(o, STYLE_WARN);
		out_text(o, "%s ", c ? "or if" : "If");
		for (unsigned i = 0; i < u->cases[c].n; i++) {
			const struct trace_assumption *a = &u->cases[c].a[i];

			out_text(o, "%s%s: %s", i ? ", " : "", a->what, a->answer);
			if (a->why && c == 0)
				out_text(o, " (%s)", a->why);
		}
		out_style(o, STYLE_PLAIN);
		out_nl(o);
	}
}

static void text_closing(const struct trace_result *res, struct out *o)
{
	if (res->n_outcomes > 1)
		out_text(o, "   %u outcomes are possible; what they depend on stands above each.", res->n_outcomes);
	else if (res->order_unknown)
		out_text(o, "   Chains of equal priority stand in an order that is not known; every order leads here.");
	else if (res->branches > 1)
		out_text(o, "   Something on the way is not known, but every possibility leads here.");
	else if (res->outcomes[0].verdict == TRACE_UNKNOWN)
		return; /* what is not known stands there */
	else
		out_text(o, "   Nothing unknown was involved.");
	out_nl(o);
}

static void text_all(const struct trace_result *res, bool explain, struct out *o)
{
	text_head(res, o);
	for (unsigned i = 0; i < res->n_outcomes; i++) {
		out_nl(o);
		report_cases(&res->outcomes[i], o);
		text_steps(res, i, explain, o);
		text_end(res, &res->outcomes[i], o);
		text_tracked(&res->outcomes[i], o);
	}
	text_closing(res, o);
}

void report_trace(const struct trace_result *res, const char *namespace, bool explain, struct texts *texts, struct out *o)
{
	if (!out_structured(o)) {
		text_all(res, explain, o);
		return;
	}
	put_packet(res, o);
	put_legs(res, namespace, o);
	out_array(o, "steps");
	put_steps(res, 0, true, explain, texts, o);
	out_array_end(o);
	put_outcomes(res, o);
}
