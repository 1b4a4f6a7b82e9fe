/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tracked - a trace beside the connection-tracking entry that its connection has already */
#include "commands/trace/tracked.h"

#include <linux/netfilter/nf_conntrack_common.h>

#include "commands/net/flows.h"
#include "nsutil/base/buf.h"
#include "nsutil/ruleset/conns.h"
#include "nsutil/trace/connection.h"

/* Did its first packet go where the trace of a first packet goes? Only of an accepted one can that be told. */
static bool comparable(const struct trace_outcome *u)
{
	return !u->conn_used && !u->reply && u->verdict == TRACE_ACCEPT && u->dst.family;
}

static bool agrees(const struct trace_outcome *u)
{
	const struct conn_tuple *went = &u->conn->reply;

	if (!addr_equal(&went->src, &u->dst) || (u->dport >= 0 && went->sport != u->dport))
		return false;
	return !u->src.family || addr_equal(&went->dst, &u->src);
}

void put_tracked(const struct trace_outcome *u, struct out *o)
{
	const struct conn *c = u->conn;

	if (!c) {
		out_null(o, "connection");
		return;
	}
	out_object(o, "connection");
	out_bool(o, "used", NULL, u->conn_used);
	out_str(o, "direction", NULL, u->reply ? "reply" : "original");
	out_str(o, "state", NULL, c->state);
	out_bool(o, "replied", NULL, c->status & IPS_SEEN_REPLY);
	out_uint(o, "mark", NULL, c->mark);
	out_uint(o, "zone", NULL, c->zone);
	flows_put_tuple("original", &c->orig, o);
	flows_put_tuple("reply", &c->reply, o);
	if (comparable(u))
		out_bool(o, "agrees", NULL, agrees(u));
	else
		out_null(o, "agrees");
	out_object_end(o);
}

static void text_endpoint(const struct conn *c, const struct addr *a, uint16_t port, struct out *o)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	connection_endpoint(a, port, connection_has_ports(c->protocol), &b);
	out_text(o, "%s", buf_cstr(&b));
}

static void text_where(const struct conn *c, struct out *o)
{
	out_text(o, "to ");
	text_endpoint(c, &c->reply.src, c->reply.sport, o);
	if (conn_redirected(c)) {
		out_text(o, " instead of ");
		text_endpoint(c, &c->orig.dst, c->orig.dport, o);
	}
	if (conn_masked(c)) {
		out_text(o, " as ");
		text_endpoint(c, &c->reply.dst, c->reply.dport, o);
	}
}

void text_tracked(const struct trace_outcome *u, struct out *o)
{
	const struct conn *c = u->conn;

	if (!c)
		return;
	out_text(o, "   ");
	if (u->conn_used) {
		out_text(o, "This connection is tracked already (%s%s): it goes ",
			 c->state ? c->state : c->status & IPS_SEEN_REPLY ? "replied" : "unreplied",
			 u->reply ? ", and this is a packet of the replies" : "");
		text_where(c, o);
		out_text(o, "; no nat chain is asked again. 'ctstate new' traces its first packet.");
	} else if (comparable(u) && !agrees(u)) {
		out_style(o, STYLE_WARN);
		out_text(o, "! As it is tracked, it went ");
		text_where(c, o);
		out_text(o, ": by other rules than these, or before they were there.");
		out_style(o, STYLE_PLAIN);
	} else {
		out_text(o, "It is tracked already, and went ");
		text_where(c, o);
		out_text(o, ".");
	}
	out_nl(o);
}
