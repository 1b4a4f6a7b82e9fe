/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kdiff - sends packets for real and compares the kernel's own trace of each with the evaluator's */
/*
 * kdiff POD NODE FAR       (files of three network namespaces; the rules are in POD)
 * Reads commands, a line each, and answers each with a line of JSON:
 *   load                   read the rules of POD anew; {"result":"loaded"}
 *   packet KEY=VALUE ...   send a packet, trace it with both, compare (see struct test)
 * result is "agree", "differ" (the rules visited, or what became of the packet, are not the same), "unknown"
 * (the evaluator followed several ways, and the kernel went one of them; "reasons" says why) or "error".
 * The ruleset must hold a table "inet kdiff" that sets the trace bit of these packets before all others and
 * has a rule in chains "input" and "postrouting" behind all others: there the packet's headers are taken
 * as they are in the end. One socket takes both worlds' trace, so that their order is kept (see ktrace.c).
 */
#include <arpa/inet.h>
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nsutil/load.h"
#include "nsutil/ruleset/netview.h"
#include "nsutil/trace/trace.h"
#include "tests/lib/kdiff.h"
#include "tests/lib/swift.h"

enum place { POD, NODE, FAR, PLACES };

static int ns_fd[PLACES];
static struct target *target;
static struct netview *view;
static struct ruleset *rules;
static struct tracer *tracer, *swift; /* that looks at every rule, and that passes over what it can */
static const struct chain *order[256];
static struct mnl_socket *events;

static void enter(enum place p)
{
	if (setns(ns_fd[p], CLONE_NEWNET) < 0)
		err(2, "setns");
}

/* ---- what the kernel says ---- */

#define STEPS 400
#define STEP_TEXT 200

struct seen {
	char step[STEPS][STEP_TEXT];
	unsigned n;
	bool overrun;
	char end[STEP_TEXT]; /* "local"/"out" and addresses; "" when the packet came to neither end */
};
static struct seen seen;

static const char *family_word(unsigned f)
{
	return f == NFPROTO_IPV4 ? "ip" : f == NFPROTO_IPV6 ? "ip6" : f == NFPROTO_INET ? "inet"
	       : f == NFPROTO_NETDEV ? "netdev" : "?";
}

static char *new_step(void)
{
	seen.end[0] = '\0'; /* it went on behind what looked like the end */
	if (seen.n == STEPS) {
		seen.overrun = true;
		return seen.step[STEPS - 1];
	}
	return seen.step[seen.n++];
}

static int log_attr(const struct nlattr *attr, void *data)
{
	const struct nlattr **tb = data;

	if (mnl_attr_get_type(attr) <= NFULA_MAX)
		tb[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

/* Chains without rules may stand in any order among those of their priority: they are left out. */
static bool is_idle(const struct chain *c)
{
	return !c->rules && c->policy == VERDICT_ACCEPT;
}

static bool idle_by_name(uint8_t family, const char *table, const char *chain)
{
	for (enum store s = STORE_COMPAT; s <= STORE_NATIVE; s++) {
		const struct table *t = ruleset_find_table(rules, s, family, table);
		const struct chain *c = t ? table_find_chain(t, chain) : NULL;

		if (c)
			return is_idle(c);
	}
	return false;
}

/* "policy" and "return" are told of unconditional rules too (trace_packet() in ip_tables.c): by number. */
static void legacy_event(const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[NFULA_MAX + 1] = { 0 };
	char table[32], chain[64], type[16];
	const struct table *t;
	const struct chain *c;
	unsigned n;

	mnl_attr_parse(nlh, sizeof(*nfg), log_attr, tb);
	if (!tb[NFULA_PREFIX] || sscanf(mnl_attr_get_str(tb[NFULA_PREFIX]), "TRACE: %31[^:]:%63[^:]:%15[^:]:%u",
					table, chain, type, &n) != 4)
		return;
	t = ruleset_find_table(rules, STORE_LEGACY, nfg->nfgen_family, table);
	c = t ? table_find_chain(t, chain) : NULL;
	if (type[0] != 'r' || type[1] != 'u') {
		if (c && n > c->n_rules && type[0] == 'r')
			return;
		if (c && is_idle(c))
			return;
		if (c && n > c->n_rules) {
			snprintf(new_step(), STEP_TEXT, "legacy %s %s %s policy", family_word(nfg->nfgen_family), table,
				 chain);
			return;
		}
	}
	snprintf(new_step(), STEP_TEXT, "legacy %s %s %s %u", family_word(nfg->nfgen_family), table, chain, n);
}

static int nft_attr(const struct nlattr *attr, void *data)
{
	const struct nlattr **tb = data;

	if (mnl_attr_get_type(attr) <= NFTA_TRACE_MAX)
		tb[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static int verdict_attr(const struct nlattr *attr, void *data)
{
	const struct nlattr **tb = data;

	if (mnl_attr_get_type(attr) <= NFTA_VERDICT_MAX)
		tb[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static const char *verdict_word(int code)
{
	switch (code) {
	case NF_ACCEPT: return "accept";
	case NF_DROP: return "drop";
	case NF_STOLEN: return "stolen";
	case NF_QUEUE: return "queue";
	case NFT_CONTINUE: return "continue";
	case NFT_BREAK: return "break";
	case NFT_JUMP: return "jump";
	case NFT_GOTO: return "goto";
	case NFT_RETURN: return "return";
	}
	return "?";
}

/* The packet behind the last rule of all: what the receiver gets. */
static void take_end(const char *chain, const struct nlattr *nh, const struct nlattr *th)
{
	const uint8_t *n = nh ? mnl_attr_get_payload(nh) : NULL, *t = th ? mnl_attr_get_payload(th) : NULL;
	unsigned len = nh ? mnl_attr_get_payload_len(nh) : 0, proto;
	char src[ADDR_TEXT], dst[ADDR_TEXT];
	struct addr s, d;
	bool v6;

	if (!n || len < 20)
		return;
	v6 = n[0] >> 4 == 6;
	if (v6 && len < 40)
		return;
	s = addr_from(v6 ? AF_INET6 : AF_INET, n + (v6 ? 8 : 12));
	d = addr_from(v6 ? AF_INET6 : AF_INET, n + (v6 ? 24 : 16));
	proto = n[v6 ? 6 : 9];
	snprintf(seen.end, sizeof(seen.end), "%s %s %d %s %d", chain[0] == 'i' ? "local" : "out", addr_fmt(&s, src),
		 t && (proto == 6 || proto == 17) ? t[0] << 8 | t[1] : -1, addr_fmt(&d, dst),
		 t && (proto == 6 || proto == 17) ? t[2] << 8 | t[3] : -1);
}

static void nft_step(const struct nfgenmsg *nfg, const struct nlattr **tb, bool policy)
{
	const struct nlattr *v[NFTA_VERDICT_MAX + 1] = { 0 };
	const char *fam = family_word(nfg->nfgen_family), *table = mnl_attr_get_str(tb[NFTA_TRACE_TABLE]),
		   *chain = mnl_attr_get_str(tb[NFTA_TRACE_CHAIN]);
	int code = NFT_CONTINUE;

	if (policy && idle_by_name(nfg->nfgen_family, table, chain))
		return;
	if (policy) {
		code = tb[NFTA_TRACE_POLICY] ? (int)ntohl(mnl_attr_get_u32(tb[NFTA_TRACE_POLICY])) : NF_ACCEPT;
		snprintf(new_step(), STEP_TEXT, "nft %s %s %s policy %s", fam, table, chain, verdict_word(code));
		return;
	}
	if (tb[NFTA_TRACE_VERDICT])
		mnl_attr_parse_nested(tb[NFTA_TRACE_VERDICT], verdict_attr, v);
	if (v[NFTA_VERDICT_CODE])
		code = (int)ntohl(mnl_attr_get_u32(v[NFTA_VERDICT_CODE]));
	snprintf(new_step(), STEP_TEXT, "nft %s %s %s #%llu %s%s%s", fam, table, chain,
		 (unsigned long long)be64toh(mnl_attr_get_u64(tb[NFTA_TRACE_RULE_HANDLE])), verdict_word(code),
		 v[NFTA_VERDICT_CHAIN] ? " " : "",
		 v[NFTA_VERDICT_CHAIN] ? mnl_attr_get_str(v[NFTA_VERDICT_CHAIN]) : "");
}

static void nft_event(const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[NFTA_TRACE_MAX + 1] = { 0 };
	unsigned type;

	mnl_attr_parse(nlh, sizeof(*nfg), nft_attr, tb);
	if (!tb[NFTA_TRACE_TYPE] || !tb[NFTA_TRACE_TABLE] || !tb[NFTA_TRACE_CHAIN])
		return;
	type = ntohl(mnl_attr_get_u32(tb[NFTA_TRACE_TYPE]));
	if (strcmp(mnl_attr_get_str(tb[NFTA_TRACE_TABLE]), "kdiff") == 0) {
		if (type == NFT_TRACETYPE_RULE)
			take_end(mnl_attr_get_str(tb[NFTA_TRACE_CHAIN]), tb[NFTA_TRACE_NETWORK_HEADER],
				 tb[NFTA_TRACE_TRANSPORT_HEADER]);
		return;
	}
	if (type == NFT_TRACETYPE_POLICY || (type == NFT_TRACETYPE_RULE && tb[NFTA_TRACE_RULE_HANDLE]))
		nft_step(nfg, tb, type == NFT_TRACETYPE_POLICY);
}

static int event(const struct nlmsghdr *nlh, void *data)
{
	(void)data;
	if (NFNL_SUBSYS_ID(nlh->nlmsg_type) == NFNL_SUBSYS_ULOG)
		legacy_event(nlh);
	else if (nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE))
		nft_event(nlh);
	return MNL_CB_OK;
}

/* Take what there is; returns false when nothing came for @ms. */
static bool take_events(int ms)
{
	static char buf[1 << 17];
	struct pollfd p = { .fd = mnl_socket_get_fd(events), .events = POLLIN };
	bool any = false;

	while (poll(&p, 1, any ? 0 : ms) > 0) {
		ssize_t n = mnl_socket_recvfrom(events, buf, sizeof(buf));

		if (n < 0 && errno == ENOBUFS)
			errx(2, "the kernel's trace overran the socket");
		if (n <= 0)
			err(2, "netlink");
		mnl_cb_run(buf, (size_t)n, 0, 0, event, NULL);
		any = true;
	}
	return any;
}

/* One nfnetlink_log configuration message; waits for its answer. */
static void log_config(unsigned pf, int cmd)
{
	static unsigned seq;
	char buf[1024];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;
	ssize_t n;

	nlh->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = ++seq;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = (uint8_t)pf;
	if (cmd >= 0) {
		struct nfulnl_msg_config_cmd c = { .command = (uint8_t)cmd };

		mnl_attr_put(nlh, NFULA_CFG_CMD, sizeof(c), &c);
	} else {
		struct nfulnl_msg_config_mode m = { .copy_mode = NFULNL_COPY_META };

		mnl_attr_put(nlh, NFULA_CFG_MODE, sizeof(m), &m);
		mnl_attr_put_u32(nlh, NFULA_CFG_QTHRESH, htonl(1)); /* at once, to keep the order */
	}
	if (mnl_socket_sendto(events, nlh, nlh->nlmsg_len) < 0)
		err(2, "nfnetlink_log");
	n = mnl_socket_recvfrom(events, buf, sizeof(buf));
	if (n < 0 || mnl_cb_run(buf, (size_t)n, 0, mnl_socket_get_portid(events), NULL, NULL) < 0)
		err(2, "nfnetlink_log: pf %u command %d", pf, cmd);
}

static void listen_events(void)
{
	int group = NFNLGRP_NFTRACE, size = 8 << 20;

	enter(POD);
	events = mnl_socket_open(NETLINK_NETFILTER);
	if (!events || mnl_socket_bind(events, 0, MNL_SOCKET_AUTOPID) < 0)
		err(2, "netlink");
	setsockopt(mnl_socket_get_fd(events), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	log_config(AF_INET, NFULNL_CFG_CMD_PF_BIND);
	log_config(AF_INET6, NFULNL_CFG_CMD_PF_BIND);
	log_config(AF_UNSPEC, NFULNL_CFG_CMD_BIND);
	log_config(AF_UNSPEC, -1);
	if (mnl_socket_setsockopt(events, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		err(2, "nftables' trace group");
}

/* ---- what the evaluator says ---- */

static bool is_base(const struct table *t, const struct chain *c)
{
	return c->base && t->store != STORE_LEGACY;
}

static bool newer(const struct chain *a, const struct chain *b)
{
	if (a->table->handle != b->table->handle)
		return a->table->handle > b->table->handle;
	return a->handle > b->handle;
}

/* Chains are registered when they are made, the newest runs first; the legacy tables are the oldest. */
static unsigned chain_order(void)
{
	unsigned n = 0;

	for (const struct table *t = rules->tables; t; t = t->next)
		for (const struct chain *c = t->chains; c && n < 200; c = c->next)
			if (is_base(t, c)) {
				unsigned i = n++;

				for (; i > 0 && newer(c, order[i - 1]); i--)
					order[i] = order[i - 1];
				order[i] = c;
			}
	for (const struct table *t = rules->tables; t; t = t->next)
		for (const struct chain *c = t->chains; c && n < 256; c = c->next)
			if (c->base && t->store == STORE_LEGACY)
				order[n++] = c;
	return n;
}

/* Every packet is to be the first of its connection. */
static void forget_connections(enum place p)
{
	char buf[1024];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct mnl_socket *nl;
	ssize_t n;

	nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct nfgenmsg));
	enter(p);
	nl = mnl_socket_open(NETLINK_NETFILTER);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 || mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		err(2, "conntrack");
	n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	if (n < 0 || mnl_cb_run(buf, (size_t)n, 0, mnl_socket_get_portid(nl), NULL, NULL) < 0)
		err(2, "conntrack");
	mnl_socket_close(nl);
	enter(POD);
}

static json_t *load(void)
{
	struct trace_options opt = { .all = true, .order = order };
	struct err e = ERR_INIT;

	tracer_free(tracer);
	tracer_free(swift);
	ruleset_free(rules);
	tracer = swift = NULL;
	rules = NULL;
	if (load_ruleset(target, LOAD_ALL, &rules, &e) < 0)
		return json_pack("{ss ss+ }", "result", "error", "why", e.what, e.why);
	opt.n_order = chain_order();
	if (tracer_new(rules, view, &opt, &tracer, &e) < 0)
		return json_pack("{ss ss}", "result", "error", "why", e.what);
	opt.all = false;
	if (tracer_new(rules, view, &opt, &swift, &e) < 0)
		return json_pack("{ss ss}", "result", "error", "why", e.what);
	take_events(0);
	return json_pack("{ss}", "result", "loaded");
}

static bool sim_step(const struct trace_step *s, char text[STEP_TEXT])
{
	const struct table *t = s->chain->table;
	const char *fam = family_name(t->family);

	if (s->matched == TRI_FALSE || strcmp(t->name, "kdiff") == 0 || is_idle(s->chain))
		return false;
	if (t->store == STORE_LEGACY && s->rule)
		snprintf(text, STEP_TEXT, "legacy %s %s %s %u", fam, t->name, s->chain->name, s->rule->index);
	else if (t->store == STORE_LEGACY)
		snprintf(text, STEP_TEXT, "legacy %s %s %s policy", fam, t->name, s->chain->name);
	else if (s->rule)
		snprintf(text, STEP_TEXT, "nft %s %s %s #%llu %s%s%s", fam, t->name, s->chain->name,
			 (unsigned long long)s->rule->handle, verdict_name(s->verdict), s->to ? " " : "",
			 s->to ? s->to : "");
	else
		snprintf(text, STEP_TEXT, "nft %s %s %s policy %s", fam, t->name, s->chain->name,
			 verdict_name(s->verdict));
	return true;
}

/* An undecided rule may stand in the kernel's list or not. */
static bool same_steps(const struct trace_result *res, unsigned branch)
{
	char text[STEP_TEXT];
	unsigned k = 0;

	for (unsigned i = 0; i < res->n_steps; i++) {
		const struct trace_step *s = &res->steps[i];

		if (s->branch != branch || !sim_step(s, text))
			continue;
		if (k < seen.n && strcmp(seen.step[k], text) == 0)
			k++;
		else if (s->matched != TRI_UNKNOWN)
			return false;
	}
	return k == seen.n;
}

static void end_text(const struct trace_outcome *u, char text[STEP_TEXT])
{
	char src[ADDR_TEXT], dst[ADDR_TEXT];

	if (u->verdict != TRACE_ACCEPT)
		snprintf(text, STEP_TEXT, "%s%s%s", u->verdict == TRACE_UNKNOWN ? "?" : "gone", u->why ? ": " : "",
			 u->why ? u->why : "");
	else
		snprintf(text, STEP_TEXT, "%s %s %d %s %d", u->path == TRACE_END_LOCAL ? "local" : "out",
			 u->src.family ? addr_fmt(&u->src, src) : "?", u->sport,
			 u->dst.family ? addr_fmt(&u->dst, dst) : "?", u->dport);
}

/* What is not known ("?", -1) is not compared. */
static bool same_end(const struct trace_outcome *u)
{
	char place[16] = "", src[ADDR_TEXT], dst[ADDR_TEXT], text[ADDR_TEXT];
	int sport, dport;

	if (u->verdict == TRACE_UNKNOWN)
		return true;
	if (u->verdict != TRACE_ACCEPT)
		return !seen.end[0];
	if (sscanf(seen.end, "%15s %45s %d %45s %d", place, src, &sport, dst, &dport) != 5)
		return false;
	return (u->path == TRACE_END_LOCAL) == (place[0] == 'l') &&
	       (!u->src.family || strcmp(addr_fmt(&u->src, text), src) == 0) &&
	       (!u->dst.family || strcmp(addr_fmt(&u->dst, text), dst) == 0) &&
	       (u->sport < 0 || sport < 0 || u->sport == sport) && (u->dport < 0 || dport < 0 || u->dport == dport);
}

static bool same_receiver(const struct trace_outcome *u, int port)
{
	if (u->verdict != TRACE_ACCEPT || u->path != TRACE_END_LOCAL)
		return port < 0 || u->verdict == TRACE_UNKNOWN;
	return port < 0 || u->listener_unknown || (u->listener && u->listener->lport == port);
}

enum judgement { AGREE, DIFFER, UNKNOWN };

static enum judgement judge(const struct trace_result *res)
{
	bool certain = res->n_outcomes == 1 && res->branches == 1;

	for (unsigned i = 0; i < res->n_outcomes; i++)
		if (same_end(&res->outcomes[i]) && same_receiver(&res->outcomes[i], sent_receiver) &&
		    (!certain || res->outcomes[i].verdict == TRACE_UNKNOWN || same_steps(res, i)))
			return certain && res->outcomes[i].verdict != TRACE_UNKNOWN ? AGREE : UNKNOWN;
	return DIFFER;
}

/* ---- one packet ---- */

static struct trace_request request(const struct test *t)
{
	struct trace_request rq = TRACE_REQUEST_INIT;

	rq.path = t->place == POD ? TRACE_OUT : TRACE_IN;
	rq.family = t->dst.family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	rq.l4proto = (uint8_t)t->l4proto;
	rq.src = t->src;
	rq.dst = t->dst;
	rq.sport = t->sport;
	rq.dport = t->dport;
	if (t->kind == 'i') {
		rq.sport = rq.dport = -1;
		rq.icmp_type = t->type;
		rq.icmp_code = t->code;
	}
	if (t->place == POD) {
		rq.has_uid = rq.has_gid = rq.has_mark = true;
		rq.uid = t->uid;
		rq.gid = t->gid;
		rq.mark = t->mark;
	} else {
		rq.iif = t->place == NODE ? "eth0" : "eth1";
	}
	rq.dscp = t->dscp;
	rq.ttl = t->ttl;
	rq.length = (int)test_length(t);
	if (t->l4proto == IPPROTO_TCP)
		rq.tcp_flags = t->flags;
	/* an ICMP error of the test speaks of nothing that is tracked */
	if (t->kind == 'i' && (t->dst.family == AF_INET6 ? t->type < 128 : t->type == 3 || t->type == 11))
		rq.ct_state = TRACE_CT_INVALID;
	return rq;
}

static json_t *sim_json(const struct trace_result *res, unsigned branch)
{
	json_t *a = json_array();
	char text[STEP_TEXT];

	for (unsigned i = 0; i < res->n_steps; i++)
		if (res->steps[i].branch == branch && sim_step(&res->steps[i], text))
			json_array_append_new(a, json_sprintf("%s%s", text,
							      res->steps[i].matched == TRI_UNKNOWN ? " (maybe)" : ""));
	end_text(&res->outcomes[branch], text);
	json_array_append_new(a, json_sprintf("=> %s", text));
	return a;
}

/* The reason of "assumed: WHAT: yes (REASON)" */
static json_t *plain_reason(const char *why)
{
	const char *open = strrchr(why, '('), *close = strrchr(why, ')');

	return open && close > open ? json_stringn(open + 1, (size_t)(close - open - 1)) : json_string(why);
}

static json_t *reasons(const struct trace_result *res)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < res->n_outcomes; i++) {
		const struct trace_outcome *u = &res->outcomes[i];

		if (u->verdict == TRACE_UNKNOWN && u->why)
			json_object_set_new(o, u->why, json_true());
		for (unsigned c = 0; c < u->n_cases; c++)
			for (unsigned k = 0; k < u->cases[c].n; k++)
				json_object_set_new(o, u->cases[c].a[k].why ? u->cases[c].a[k].why : "?", json_true());
	}
	for (unsigned i = 0; i < res->n_steps && !json_object_size(o); i++)
		if (res->steps[i].assumed && res->steps[i].why && res->steps[i].why[0] == 'a') {
			json_t *why = plain_reason(res->steps[i].why);

			json_object_set_new(o, json_string_value(why), json_true());
			json_decref(why);
		}
	if (!json_object_size(o))
		json_object_set_new(o, "every possibility ends alike", json_true());
	return o;
}

static json_t *answer(enum judgement j, const struct trace_result *res)
{
	json_t *o = json_pack("{ss si}", "result", j == AGREE ? "agree" : j == UNKNOWN ? "unknown" : "differ",
			      "steps", (int)seen.n);
	json_t *kernel, *sim;

	if (j == UNKNOWN)
		json_object_set_new(o, "reasons", reasons(res));
	if (j != DIFFER)
		return o;
	kernel = json_array();
	for (unsigned i = 0; i < seen.n; i++)
		json_array_append_new(kernel, json_string(seen.step[i]));
	json_array_append_new(kernel, json_sprintf("=> %s", seen.end[0] ? seen.end : "gone"));
	sim = json_array();
	for (unsigned i = 0; i < res->n_outcomes; i++)
		json_array_append_new(sim, sim_json(res, i));
	json_object_set_new(o, "kernel", kernel);
	json_object_set_new(o, "sim", sim);
	json_object_set_new(o, "receiver", json_integer(sent_receiver));
	return o;
}

/* Events may still be under way when the two differ: only then is it waited for more. */
static json_t *packet(const struct test *t)
{
	struct trace_request rq = request(t);
	struct trace_result *res;
	struct err e = ERR_INIT;
	enum judgement j;
	bool late;
	json_t *o;

	if (!tracer)
		return json_pack("{ss ss}", "result", "error", "why", "nothing is loaded");
	/* two connections that a rule gives one port would clash */
	for (unsigned p = 0; p < PLACES; p++)
		forget_connections(p);
	memset(&seen, 0, sizeof(seen));
	late = take_events(0) && seen.n;
	if (late)
		return json_pack("{ss ss}", "result", "late", "why", seen.step[0]);
	seen.end[0] = '\0';
	if (trace_run(tracer, &rq, &res, &e) < 0)
		return json_pack("{ss ss}", "result", "error", "why", e.why);
	if (!swift_agrees(swift, &rq, res)) {
		trace_result_free(res);
		return json_pack("{ss ss}", "result", "error", "why", "without a look at every rule the answer is another");
	}
	enter(t->place);
	test_send(t);
	enter(POD);
	for (int wait = 2; wait <= 128; wait *= 2) {
		while (take_events(wait))
			;
		test_receive();
		j = judge(res);
		if (j == AGREE || (j == UNKNOWN && wait >= 4))
			break;
	}
	test_close();
	o = seen.overrun ? json_pack("{ss ss}", "result", "error", "why", "too many steps") : answer(j, res);
	if (sent_error)
		json_object_set_new(o, "send", json_string(strerror(sent_error)));
	trace_result_free(res);
	return o;
}

int main(int argc, char **argv)
{
	struct pod_options po = { .host_root = "/" };
	struct err e = ERR_INIT;
	char line[1024], spec[600];

	if (argc != 4)
		errx(2, "usage: kdiff POD NODE FAR");
	for (int i = 0; i < PLACES; i++)
		if ((ns_fd[i] = open(argv[i + 1], O_RDONLY | O_CLOEXEC)) < 0)
			err(2, "%s", argv[i + 1]);
	snprintf(spec, sizeof(spec), "netns:%s", argv[1]);
	listen_events();
	test_listen();
	if (target_open(spec, &po, &target, &e) < 0 ||
	    netview_read(&target->netns, NETVIEW_LINKS | NETVIEW_ROUTES | NETVIEW_SOCKETS, "/proc", &view, &e) < 0)
		errx(2, "%s: %s", e.what, e.why);
	while (fgets(line, sizeof(line), stdin)) {
		struct test t;
		json_t *o;
		char *text;

		if (strncmp(line, "packet ", 7) == 0)
			o = test_parse(line + 7, &t) < 0 ? json_pack("{ss ss}", "result", "error", "why", "bad packet")
							 : packet(&t);
		else
			o = load();
		text = o ? json_dumps(o, JSON_COMPACT) : NULL;
		puts(text ? text : "{\"result\":\"error\"}");
		fflush(stdout);
		free(text);
		json_decref(o);
	}
	return 0;
}
