/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockets - lists who listens in the target's namespace, with the processes */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "commands/command.h"
#include "commands/head.h"
#include "commands/net/flows.h"
#include "nsutil/load.h"
#include "nsutil/netns/netns.h"
#include "nsutil/pod/target.h"
#include "nsutil/ruleset/netview.h"

extern const struct command command_sockets;

static const struct out_column columns[] = {
	{ "proto", false, false }, { "address", false, false },	 { "port", true, false },
	{ "state", false, true },  { "peer", false, true },	 { "meant for", false, true },
	{ "by rule", false, true }, { "uid", true, false },
	{ "pid", true, false },	   { "process", false, false },	 { "options", false, false },
	{ "inode", true, true },   { NULL, false, false },
};

/* include/net/tcp_states.h */
static const char *state_name(const struct nv_socket *s)
{
	static const char *const names[] = { NULL,	   "established", "syn-sent", "syn-recv",   "fin-wait-1",
					     "fin-wait-2", "time-wait",	  "close",    "close-wait", "last-ack",
					     "listen",	   "closing",	  "new-syn-recv" };

	if (s->protocol == IPPROTO_UDP)
		return s->tcp_state == 1 ? "connected" : "unconnected";
	return s->tcp_state < sizeof(names) / sizeof(names[0]) ? names[s->tcp_state] : NULL;
}

/* What the kernel was not asked for or did not tell is null, never "no". */
static void put_options(const struct nv_socket *s, struct out *o)
{
	out_cell(o);
	if (!s->details) {
		out_null(o, "transparent");
		out_null(o, "v6only");
		out_null(o, "mark");
		return;
	}
	out_bool(o, "transparent", NULL, s->transparent);
	out_bool(o, "v6only", NULL, s->v6only);
	out_uint(o, "mark", NULL, s->mark);
	if (s->transparent)
		out_text(o, "transparent ");
	if (s->family == AF_INET6 && !s->v6only && s->listening && addr_is_any(&s->local))
		out_text(o, "also-ipv4 ");
	if (s->mark)
		out_text(o, "mark 0x%x", s->mark);
}

static void put_process(const struct nv_socket *s, struct out *o)
{
	out_cell(o);
	out_uint(o, "uid", "%" PRIu64, s->uid);
	out_cell(o);
	if (s->pid)
		out_int(o, "pid", "%" PRId64, s->pid);
	else
		out_null(o, "pid");
	if (!s->pid)
		out_text(o, "-");
	out_cell(o);
	out_str(o, "process", "%s", s->process[0] ? s->process : NULL);
}

static void put_ends(const struct nv_socket *s, struct out *o)
{
	bool peer = s->rport || !addr_is_any(&s->remote);
	char text[ADDR_TEXT];

	out_cell(o);
	out_str(o, "address", "%s", addr_fmt(&s->local, text));
	out_cell(o);
	out_uint(o, "port", "%" PRIu64, s->lport);
	out_cell(o);
	out_str(o, "state", "%s", state_name(s));
	out_cell(o);
	addr_fmt(&s->remote, text);
	out_str(o, "peer_address", "%s", peer ? text : NULL);
	if (peer)
		out_uint(o, "peer_port", ":%" PRIu64, s->rport);
	else
		out_null(o, "peer_port");
}

/* What is read once for all sockets. */
struct view {
	struct flows flows;
	struct conn_list *conns; /* NULL: not read, as only listeners were asked for, or it cannot be */
};

/* The tracked connection whose redirected end this is. */
static const struct conn *find_conn(const struct view *v, const struct nv_socket *s)
{
	for (unsigned i = 0; v->conns && !s->listening && i < v->conns->n; i++) {
		const struct conn *c = &v->conns->conns[i];

		if (c->protocol == s->protocol && conn_redirected(c) && c->reply.sport == s->lport &&
		    c->orig.sport == s->rport && addr_equal(&c->reply.src, &s->local) &&
		    addr_equal(&c->orig.src, &s->remote))
			return c;
	}
	return NULL;
}

/* Where the peer of an accepted connection meant to go (as SO_ORIGINAL_DST says to the process). */
static void put_original(const struct view *v, const struct nv_socket *s, struct out *o)
{
	const struct conn *c = find_conn(v, s);
	char text[ADDR_TEXT];

	out_cell(o);
	out_str(o, "original_address", "%s", c ? addr_fmt(&c->orig.dst, text) : NULL);
	if (c)
		out_uint(o, "original_port", ":%" PRIu64, c->orig.dport);
	else
		out_null(o, "original_port");
	out_cell(o);
	flows_put_rule(c ? flows_rule(&v->flows, c) : NULL, o);
}

static void put_socket(const struct view *v, const struct nv_socket *s, struct out *o)
{
	out_object(o, NULL);
	out_row(o);
	out_cell(o);
	out_str(o, "protocol", "%s", s->protocol == IPPROTO_TCP ? "tcp" : "udp");
	out_int(o, "family", NULL, s->family == AF_INET ? 4 : 6);
	if (s->family == AF_INET6)
		out_text(o, "6");
	put_ends(s, o);
	put_original(v, s, o);
	put_process(s, o);
	put_options(s, o);
	out_cell(o);
	out_uint(o, "inode", "%" PRIu64, s->inode);
	out_bool(o, "listening", NULL, s->listening);
	out_object_end(o);
}

/* By protocol, port, family, address: as a person looks for them. */
static int compare(const void *a, const void *b)
{
	const struct nv_socket *x = *(const struct nv_socket *const *)a, *y = *(const struct nv_socket *const *)b;

	if (x->protocol != y->protocol)
		return x->protocol < y->protocol ? -1 : 1;
	if (x->lport != y->lport)
		return x->lport < y->lport ? -1 : 1;
	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

struct wish {
	bool all, v4, v6;
};

static bool wanted(const struct wish *w, const struct nv_socket *s)
{
	if (!w->all && !s->listening)
		return false;
	return w->v4 == w->v6 || (s->family == AF_INET ? w->v4 : w->v6);
}

static int put_sockets(struct session *s, const struct wish *w, const struct view *v, struct out *o, struct err *e)
{
	const struct netview *nv = v->flows.nv;
	const struct nv_socket **list = arena_array(nv->arena, nv->n_sockets ? nv->n_sockets : 1, sizeof(*list));
	unsigned n = 0;

	if (!list)
		return err_oom(e);
	for (unsigned i = 0; i < nv->n_sockets; i++)
		if (wanted(w, &nv->sockets[i]))
			list[n++] = &nv->sockets[i];
	qsort(list, n, sizeof(*list), compare);
	out_table(o, columns);
	out_stream(o, "sockets");
	for (unsigned i = 0; i < n && !session_interrupted(s); i++)
		put_socket(v, list[i], o);
	out_stream_end(o);
	out_table_end(o);
	return 0;
}

static void view_free(struct view *v)
{
	if (v->conns)
		conns_free(v->conns);
	flows_close(&v->flows);
}

/* Connected sockets may have been redirected; for listeners nothing more than themselves is read. */
static int read_view(const struct target *t, bool connected, struct view *v, struct err *e)
{
	if (connected) {
		flows_open(t, &v->flows);
		if (load_conns(t, &v->conns, NULL) < 0)
			v->conns = NULL;
	}
	if (!v->flows.nv && load_netview(t, NETVIEW_SOCKETS | NETVIEW_PROCESSES, &v->flows.nv, e) < 0)
		return -1;
	if (!v->flows.nv)
		return err_set(e, ERR_USAGE, "sockets", "a file of rules has no sockets");
	if (v->flows.nv->sockets_unread)
		return err_set(e, ERR_SYS, "cannot list the sockets", "%s", v->flows.nv->sockets_unread);
	return 0;
}

static int run(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	const struct wish w = {
		.all = command_opt(&command_sockets, args, "all"),
		.v4 = command_opt(&command_sockets, args, "ipv4"),
		.v6 = command_opt(&command_sockets, args, "ipv6"),
	};
	struct view v = { .conns = NULL };
	struct target *t;
	int ret;

	if (session_target(s, &t, e) < 0)
		return -1;
	if (read_view(t, w.all, &v, e) < 0) {
		view_free(&v);
		return -1;
	}
	out_begin(o, "sockets");
	head_target(t, o);
	ret = put_sockets(s, &w, &v, o, e);
	out_end(o);
	view_free(&v);
	return ret;
}

static const struct command_option options[] = {
	{ "all", 'a', ARG_NONE, NULL, NULL, "connected sockets too" },
	{ "ipv4", '4', ARG_NONE, NULL, NULL, "only IPv4 sockets" },
	{ "ipv6", '6', ARG_NONE, NULL, NULL, "only IPv6 sockets; those may take IPv4 connections too" },
	{ .name = NULL },
};

static const char *const examples[] = { "-t shop/cart sockets", "sockets -4 -o json", NULL };

const struct command command_sockets = {
	.name = "sockets",
	.summary = "list listening sockets with their processes",
	.max_args = 0,
	.options = options,
	.formats = OUT_WIDE | OUT_JSONL,
	.flags = COMMAND_REPEAT,
	.description = "Lists the TCP and UDP sockets that wait for others in the target's network namespace, and the "
		       "process that holds each. A process is looked for in the namespace first, then on the whole "
		       "node: a proxy may hold sockets in a pod without being in it. The owner is shown as the "
		       "number the owner match of netfilter compares. 'also-ipv4' marks an IPv6 socket that takes "
		       "IPv4 connections as well; 'transparent' one that TPROXY can hand foreign addresses to. With --all and "
		       "-o wide a connection that was redirected shows where it was meant to go, and by which rule.",
	.examples = examples,
	.run = run,
};
