/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flows - what belongs to a tracked connection: its socket and process, and the rule that redirected it */
#include "commands/net/flows.h"

#include <inttypes.h>
#include <netinet/in.h> /* before linux/netfilter.h */

#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/load.h"
#include "nsutil/pod/proc.h"
#include "nsutil/ruleset/text.h"
#include "nsutil/trace/trace.h"

enum { STATUS_MOST = 8192 };

void flows_open(const struct target *t, struct flows *ret)
{
	static const struct trace_options opt;
	struct flows f = { .t = t };

	if (load_netview(t, NETVIEW_ALL, &f.nv, NULL) < 0)
		f.nv = NULL;
	if (load_ruleset(t, LOAD_ALL, &f.rs, NULL) < 0)
		f.rs = NULL;
	f.arena = t->kind == TARGET_FILE ? arena_new() : NULL;
	if (f.arena && load_about(t, f.arena, &f.about, NULL) < 0)
		f.about = (struct bundle_about){ .kernel = NULL };
	if (f.nv && f.rs && load_cgroups(t, f.rs, f.nv, NULL) == 0 && tracer_new(f.rs, f.nv, &opt, &f.tracer, NULL) < 0)
		f.tracer = NULL;
	*ret = f;
}

void flows_close(struct flows *f)
{
	tracer_free(f->tracer);
	arena_free(f->arena);
	netview_free(f->nv);
	ruleset_free(f->rs);
}

static bool is_end(const struct nv_socket *s, const struct addr *local, uint16_t lport, const struct addr *remote,
		   uint16_t rport)
{
	return s->lport == lport && s->rport == rport && addr_equal(&s->local, local) && addr_equal(&s->remote, remote);
}

/* An IPv6 socket has IPv4 connections by their mapped addresses, which netview gives as IPv4. */
const struct nv_socket *flows_socket(const struct flows *f, const struct conn *c)
{
	const struct nv_socket *bound = NULL;

	for (unsigned i = 0; f->nv && i < f->nv->n_sockets; i++) {
		const struct nv_socket *s = &f->nv->sockets[i];

		if (s->protocol != c->protocol)
			continue;
		/* the one who called it believes to be where it meant to go; the one who answers knows itself */
		if (is_end(s, &c->orig.src, c->orig.sport, &c->orig.dst, c->orig.dport))
			return s;
		if (is_end(s, &c->reply.src, c->reply.sport, &c->reply.dst, c->reply.dport))
			bound = s;
		/* of udp mostly the own port only is known */
		if (!bound && s->protocol == IPPROTO_UDP && !s->rport && s->lport == c->orig.sport &&
		    addr_equal(&s->local, &c->orig.src))
			bound = s;
	}
	return bound;
}

static bool outgoing(const struct flows *f, const struct conn *c)
{
	return nv_addr_is_local(f->nv, &c->orig.src);
}

/* The group of a process now, as owner matches see it: the fourth number behind "Gid:". */
static bool find_gid(const struct flows *f, pid_t pid, uint32_t *ret)
{
	_cleanup_free_ char *text = NULL;
	const char *at;

	for (unsigned i = 0; i < f->about.n_processes; i++)
		if (f->about.processes[i].pid == pid) {
			*ret = f->about.processes[i].gid;
			return true;
		}
	if (!pid || f->t->kind == TARGET_FILE || proc_read(f->t->proc, pid, "status", STATUS_MOST, &text) < 0)
		return false;
	at = strstr(text, "\nGid:");
	return at && sscanf(at + 5, "%*u %*u %*u %" SCNu32, ret) == 1;
}

static void make_request(const struct flows *f, const struct conn *c, struct trace_request *rq)
{
	const struct nv_socket *s = flows_socket(f, c);

	*rq = (struct trace_request)TRACE_REQUEST_INIT;
	rq->family = c->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
	rq->l4proto = c->protocol;
	rq->src = c->orig.src;
	rq->dst = c->orig.dst;
	rq->sport = c->orig.sport;
	rq->dport = c->orig.dport;
	if (outgoing(f, c)) {
		rq->path = TRACE_OUT;
		/* the socket must be the caller's: the one that answers has another owner */
		if (s && s->lport == c->orig.sport && addr_equal(&s->local, &c->orig.src)) {
			rq->has_uid = true;
			rq->uid = s->uid;
			rq->cgroup_id = s->cgroup;
			rq->has_gid = find_gid(f, s->pid, &rq->gid);
		}
	} else {
		rq->path = nv_addr_is_local(f->nv, &c->reply.src) ? TRACE_IN : TRACE_FORWARD;
	}
}

/* The one rule that all outcomes name, and that leads where the connection went. */
static const struct rule *common_rule(const struct trace_result *res, const struct conn *c)
{
	const struct rule *by = res->outcomes[0].by;

	for (unsigned i = 0; i < res->n_outcomes; i++) {
		const struct trace_outcome *u = &res->outcomes[i];

		if (u->by != by || u->dport != c->reply.sport || !addr_equal(&u->dst, &c->reply.src))
			return NULL;
	}
	return by;
}

const struct rule *flows_rule(const struct flows *f, const struct conn *c)
{
	const struct rule *by = NULL;
	struct trace_result *res;
	struct trace_request rq;

	if (!f->tracer || !conn_redirected(c) || (c->protocol != IPPROTO_TCP && c->protocol != IPPROTO_UDP))
		return NULL;
	make_request(f, c, &rq);
	if (trace_run(f->tracer, &rq, &res, NULL) < 0)
		return NULL;
	by = common_rule(res, c);
	trace_result_free(res);
	return by;
}

void flows_put_rule(const struct rule *r, struct out *o)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct table *t;

	if (!r) {
		out_null(o, "rule");
		out_text(o, "-");
		return;
	}
	t = r->chain->table;
	rule_nft(r, false, &b);
	out_object(o, "rule");
	out_str(o, "store", "%s ", store_name(t->store));
	out_str(o, "family", "%s ", family_name(t->family));
	out_str(o, "table", "%s ", t->name);
	out_str(o, "chain", "%s ", r->chain->name);
	out_uint(o, "index", "%" PRIu64, r->index);
	out_str(o, "nft", NULL, buf_cstr(&b));
	out_object_end(o);
}

void flows_put_tuple(const char *key, const struct conn_tuple *t, struct out *o)
{
	char text[ADDR_TEXT];

	out_object(o, key);
	out_str(o, "src", NULL, addr_fmt(&t->src, text));
	out_uint(o, "sport", NULL, t->sport);
	out_str(o, "dst", NULL, addr_fmt(&t->dst, text));
	out_uint(o, "dport", NULL, t->dport);
	out_object_end(o);
}
