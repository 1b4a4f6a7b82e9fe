/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conns - lists connection-tracking entries with where they were meant to go and where they went */
#include <inttypes.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "commands/command.h"
#include "commands/head.h"
#include "commands/net/flows.h"
#include "nsutil/load.h"

extern const struct command command_conns;

static const struct out_column columns[] = {
	{ "proto", false, false }, { "source", false, false }, { "meant for", false, false },
	{ "went to", false, false }, { "by rule", false, false }, { "process", false, false },
	{ "uid", true, false },	     { "state", false, false },	  { "mark", false, false },
	{ "zone", false, true },     { "packets", false, true }, { "timeout", true, true },
	{ NULL, false, false },
};

static const struct {
	uint8_t number;
	const char *name;
} protocols[] = {
	{ IPPROTO_TCP, "tcp" },	  { IPPROTO_UDP, "udp" },   { IPPROTO_ICMP, "icmp" }, { IPPROTO_ICMPV6, "icmpv6" },
	{ IPPROTO_SCTP, "sctp" }, { IPPROTO_DCCP, "dccp" }, { IPPROTO_GRE, "gre" },   { IPPROTO_UDPLITE, "udplite" },
};

static const char *protocol_name(uint8_t number, char text[8])
{
	for (unsigned i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (protocols[i].number == number)
			return protocols[i].name;
	snprintf(text, 8, "%u", number);
	return text;
}

static const struct {
	uint32_t bit;
	const char *name;
} flags[] = {
	{ IPS_SEEN_REPLY, "seen-reply" }, { IPS_ASSURED, "assured" }, { IPS_CONFIRMED, "confirmed" },
	{ IPS_SRC_NAT, "snat" },	  { IPS_DST_NAT, "dnat" },    { IPS_DYING, "dying" },
	{ IPS_EXPECTED, "expected" },	  { IPS_OFFLOAD, "offload" },
};

static void put_flags(uint32_t status, struct out *o)
{
	out_array(o, "flags");
	for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (status & flags[i].bit)
			out_str(o, NULL, NULL, flags[i].name);
	out_array_end(o);
}

static bool is_icmp(const struct conn *c)
{
	return c->protocol == IPPROTO_ICMP || c->protocol == IPPROTO_ICMPV6;
}

static void text_end(const struct conn *c, const struct addr *a, uint16_t port, struct out *o)
{
	char text[ADDR_TEXT];

	addr_fmt(a, text);
	if (is_icmp(c))
		out_text(o, "%s", text);
	else
		out_text(o, c->family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, port);
}

/* Where the answers come from is where it went; "=" when that is where it was meant to go. */
static void put_ends(const struct conn *c, struct out *o)
{
	flows_put_tuple("original", &c->orig, o);
	flows_put_tuple("reply", &c->reply, o);
	out_bool(o, "redirected", NULL, conn_redirected(c));
	out_bool(o, "masked", NULL, conn_masked(c));
	out_cell(o);
	text_end(c, &c->orig.src, c->orig.sport, o);
	if (conn_masked(c)) {
		out_text(o, " as ");
		text_end(c, &c->reply.dst, c->reply.dport, o);
	}
	out_cell(o);
	text_end(c, &c->orig.dst, c->orig.dport, o);
	out_cell(o);
	if (conn_redirected(c))
		text_end(c, &c->reply.src, c->reply.sport, o);
	else
		out_text(o, "=");
}

static void put_icmp(const struct conn *c, struct out *o)
{
	if (!is_icmp(c)) {
		out_null(o, "icmp");
		return;
	}
	out_object(o, "icmp");
	out_uint(o, "type", "type %" PRIu64, c->icmp_type);
	out_uint(o, "code", " code %" PRIu64, c->icmp_code);
	out_uint(o, "id", " id %" PRIu64, c->icmp_id);
	out_object_end(o);
}

static void put_state(const struct conn *c, struct out *o)
{
	out_cell(o);
	out_str(o, "state", NULL, c->state);
	put_icmp(c, o);
	if (!is_icmp(c))
		out_text(o, "%s", c->state ? c->state : c->status & IPS_SEEN_REPLY ? "replied" : "unreplied");
	put_flags(c->status, o);
}

static void put_rest(const struct conn *c, struct out *o)
{
	out_cell(o);
	out_uint(o, "mark", NULL, c->mark);
	out_text(o, c->mark ? "0x%x" : "-", c->mark);
	out_cell(o);
	out_uint(o, "zone", "%" PRIu64, c->zone);
	out_uint(o, "reply_zone", NULL, c->reply_zone);
	out_cell(o);
	out_text(o, c->has_counters ? "%" PRIu64 "/%" PRIu64 : "-", c->packets[0], c->packets[1]);
	for (unsigned i = 0; i < 2; i++) {
		static const char *const keys[2][2] = { { "packets", "bytes" },
							{ "reply_packets", "reply_bytes" } };

		if (c->has_counters) {
			out_uint(o, keys[i][0], NULL, c->packets[i]);
			out_uint(o, keys[i][1], NULL, c->bytes[i]);
		} else {
			out_null(o, keys[i][0]);
			out_null(o, keys[i][1]);
		}
	}
	out_cell(o);
	out_uint(o, "timeout", "%" PRIu64 "s", c->timeout);
}

/* Whose connection it is, and which rule sent it elsewhere. */
static void put_owner(const struct flows *f, const struct conn *c, struct out *o)
{
	const struct nv_socket *s = flows_socket(f, c);

	out_cell(o);
	flows_put_rule(flows_rule(f, c), o);
	out_cell(o);
	out_str(o, "process", "%s", s && s->process[0] ? s->process : NULL);
	if (s && s->pid)
		out_int(o, "pid", "/%" PRId64, s->pid);
	else
		out_null(o, "pid");
	out_cell(o);
	if (s)
		out_uint(o, "uid", "%" PRIu64, s->uid);
	else
		out_null(o, "uid");
}

static void put_conn(const struct flows *f, const struct conn *c, struct out *o)
{
	char text[8];

	out_object(o, NULL);
	out_row(o);
	out_cell(o);
	out_str(o, "protocol", "%s", protocol_name(c->protocol, text));
	out_int(o, "family", NULL, c->family == AF_INET ? 4 : 6);
	put_ends(c, o);
	put_owner(f, c, o);
	put_state(c, o);
	put_rest(c, o);
	out_object_end(o);
}

struct wish {
	bool nat, v4, v6;
};

static bool wanted(const struct wish *w, const struct conn *c)
{
	if (w->nat && !conn_redirected(c) && !conn_masked(c))
		return false;
	return w->v4 == w->v6 || (c->family == AF_INET ? w->v4 : w->v6);
}

static int run(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	const struct wish w = {
		.nat = command_opt(&command_conns, args, "nat"),
		.v4 = command_opt(&command_conns, args, "ipv4"),
		.v6 = command_opt(&command_conns, args, "ipv6"),
	};
	_cleanup_flows_ struct flows f = { .nv = NULL };
	struct conn_list *cl;
	struct target *t;

	if (session_target(s, &t, e) < 0)
		return -1;
	if (load_conns(t, &cl, e) < 0)
		return -1;
	flows_open(t, &f);
	out_begin(o, "conns");
	head_target(t, o);
	out_table(o, columns);
	out_stream(o, "connections");
	for (unsigned i = 0; i < cl->n && !session_interrupted(s); i++)
		if (wanted(&w, &cl->conns[i]))
			put_conn(&f, &cl->conns[i], o);
	out_stream_end(o);
	out_table_end(o);
	out_end(o);
	conns_free(cl);
	return 0;
}

static const struct command_option options[] = {
	{ "nat", 0, ARG_NONE, NULL, NULL, "only connections whose source or destination was rewritten" },
	{ "ipv4", '4', ARG_NONE, NULL, NULL, "only IPv4 connections" },
	{ "ipv6", '6', ARG_NONE, NULL, NULL, "only IPv6 connections" },
	{ .name = NULL },
};

static const char *const examples[] = { "-t shop/cart conns --nat", "-t shop/cart conns -o json", NULL };

const struct command command_conns = {
	.name = "conns",
	.summary = "list tracked connections with their original destinations",
	.max_args = 0,
	.options = options,
	.formats = OUT_WIDE | OUT_JSONL,
	.flags = COMMAND_REPEAT,
	.description = "Lists the connection-tracking entries of the target's network namespace: where each came from, "
		       "where it was meant for, and where it went ('=': the same). A connection that a rule "
		       "redirected to the sidecar shows the sidecar's port in the last place; 'as' names the source "
		       "the other side sees. The rule that redirected it is found by tracing such a connection through "
		       "the rules as they are now; '-' where that depends on what is not known. The process is the one "
		       "in this namespace that made or answers it. The zone of the original direction is shown; JSON has both. Nothing is "
		       "loaded into the kernel for this: without the module nf_conntrack_netlink the command says so "
		       "and fails.",
	.examples = examples,
	.run = run,
};
