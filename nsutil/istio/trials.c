/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trials - the connections that matter to a pod of the mesh, and where they end */
#include "nsutil/istio/trials.h"

#include <netinet/in.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/trace/connection.h"
#include "nsutil/trace/trace.h"

enum { APP_PORT = 8080, APP_ID = 1000, PROXY_FIRST = 15000, PROXY_LAST = 15100, MOST_EACH = 12 };

struct maker {
	struct arena *a;
	struct istio_trial *at;
	unsigned n;
	bool failed;
	const char *own, *client, *service, *dns, *loopback, *proxied; /* addresses of one family */
	const char *dash;					       /* what stands between address and port */
	unsigned long proxy, group;
	unsigned port, app; /* the application's port and uid */
};

static void add(struct maker *m, const char *name, const char *connection)
{
	struct istio_trial *at = arena_grow(m->a, m->at, m->n, sizeof(*at));

	m->failed |= !at || !name || !connection;
	if (m->failed)
		return;
	m->at = at;
	at[m->n++] = (struct istio_trial){ .name = name, .connection = connection };
}

static const char *out_as(const struct maker *m, const char *proto, const char *to, unsigned port, unsigned long uid,
			  unsigned long gid)
{
	const char *fmt = to && strchr(to, ':') ? "out %s [%s]:%u uid %lu gid %lu" : "out %s %s:%u uid %lu gid %lu";

	return to ? arena_printf(m->a, fmt, proto, to, port, uid, gid) : NULL;
}

/* "out PROTO ADDRESS:PORT uid ID gid ID" */
static const char *out(const struct maker *m, const char *proto, const char *to, unsigned port, unsigned long id)
{
	return out_as(m, proto, to, port, id, id);
}

static const char *in(const struct maker *m, unsigned port)
{
	const char *fmt = strchr(m->own, ':') ? "in tcp [%s]:40000 -> [%s]:%u" : "in tcp %s:40000 -> %s:%u";

	return arena_printf(m->a, fmt, m->client, m->own, port);
}

static const char *passthrough(const struct maker *m)
{
	const char *fmt = strchr(m->own, ':') ? "out tcp [%s]:40000 -> [%s]:%u uid %lu gid %lu"
					      : "out tcp %s:40000 -> %s:%u uid %lu gid %lu";

	return arena_printf(m->a, fmt, m->proxied, m->own, m->port, m->proxy, m->proxy);
}

static void list(struct maker *m)
{
	add(m, "application to a service", out(m, "tcp", m->service, 80, m->app));
	add(m, "application to itself, pod address", out(m, "tcp", m->own, m->port, m->app));
	add(m, "application to itself, localhost", out(m, "tcp", m->loopback, m->port, m->app));
	add(m, "application asks DNS, udp", out(m, "udp", m->dns, 53, m->app));
	add(m, "application asks DNS, tcp", out(m, "tcp", m->dns, 53, m->app));
	add(m, "proxy to a service", out(m, "tcp", m->service, 80, m->proxy));
	add(m, "proxy's user in another group, to a service", out_as(m, "tcp", m->service, 80, m->proxy, m->app));
	add(m, "proxy's group as another user, to a service", out_as(m, "tcp", m->service, 80, m->app, m->group));
	add(m, "proxy's user to its own pod", out_as(m, "tcp", m->own, m->port, m->proxy, m->app));
	add(m, "proxy's group to its own pod", out_as(m, "tcp", m->own, m->port, m->app, m->group));
	add(m, "proxy asks DNS, udp", out(m, "udp", m->dns, 53, m->proxy));
	add(m, "proxy passes a client through", passthrough(m));
	add(m, "client to the application", in(m, m->port));
	add(m, "health probe, agent", in(m, 15020));
	add(m, "health probe, proxy", in(m, 15021));
	add(m, "mesh tunnel", in(m, 15008));
}

/* Every item of a list of ports or ranges a connection of its own, as far as there is room. */
static void each_port(struct maker *m, const char *what, const struct istio_list *l, bool inbound)
{
	for (unsigned i = 0; i < l->n && i < MOST_EACH; i++) {
		unsigned long port = strtoul(l->items[i], NULL, 10);

		if (port && port <= 65535)
			add(m, arena_printf(m->a, "%s %lu", what, port),
			    inbound ? in(m, (unsigned)port) : out(m, "tcp", m->service, (unsigned)port, m->app));
	}
}

/* The first address behind the one that names the range, so that it is no broadcast. */
static void each_range(struct maker *m, const char *what, const struct istio_list *l, unsigned port)
{
	for (unsigned i = 0; i < l->n && i < MOST_EACH; i++) {
		char text[ADDR_TEXT];
		struct addr x;
		unsigned len;

		if (addr_parse_prefix(l->items[i], &x, &len) < 0 || addr_is_loopback(&x) || len < 8)
			continue;
		if (len < (x.family == AF_INET ? 31 : 127))
			x.b[x.family == AF_INET ? 3 : 15] |= 1;
		addr_fmt(&x, text);
		add(m, arena_printf(m->a, "%s %s", what, l->items[i]), out(m, "tcp", arena_strdup(m->a, text), port, m->app));
	}
}

/* What the settings name. */
static void list_settings(struct maker *m, const struct istio_config *c, bool six)
{
	const struct istio_list *dns = six ? &c->dns6 : &c->dns4;

	each_port(m, "client to excluded port", &c->ports_in_exclude, true);
	each_port(m, "client to port", &c->ports_in, true);
	each_port(m, "application to excluded port", &c->ports_out_exclude, false);
	each_port(m, "application to port", &c->ports_out, false);
	each_range(m, "application to", six ? &c->include.v6 : &c->include.v4, 80);
	each_range(m, "application to excluded", six ? &c->exclude.v6 : &c->exclude.v4, 80);
	for (unsigned i = 1; c->dns && i < dns->n && i < MOST_EACH; i++)
		add(m, arena_printf(m->a, "application asks %s, udp", dns->items[i]), out(m, "udp", dns->items[i], 53, m->app));
}

static void find_app(struct maker *m, const struct netview *nv)
{
	m->port = APP_PORT;
	m->app = m->proxy == APP_ID || m->group == APP_ID ? APP_ID + 1 : APP_ID;
	for (unsigned i = 0; i < nv->n_sockets; i++) {
		const struct nv_socket *s = &nv->sockets[i];

		if (s->protocol != IPPROTO_TCP || !s->listening || s->uid == m->proxy ||
		    (s->lport >= PROXY_FIRST && s->lport <= PROXY_LAST))
			continue;
		m->port = s->lport;
		m->app = s->uid;
		return;
	}
}

static const char *own_address(struct arena *a, const struct netview *nv, uint8_t family)
{
	char text[ADDR_TEXT];

	for (unsigned i = 0; i < nv->n_addrs; i++) {
		const struct addr *x = &nv->addrs[i].addr;
		const struct nv_link *link = nv_link_by_index(nv, nv->addrs[i].ifindex);

		if (x->family == family && !addr_is_loopback(x) && !addr_is_linklocal(x) && link && strcmp(link->name, "lo") != 0)
			return arena_strdup(a, addr_fmt(x, text));
	}
	return NULL;
}

int istio_trials_make(struct arena *a, const struct netview *nv, const struct istio_config *c, uint8_t family,
		      struct istio_trial **ret, unsigned *ret_n)
{
	struct maker m = { .a = a, .proxy = c->uids.n ? strtoul(c->uids.items[0], NULL, 10) : 1337,
			   .group = c->gids.n ? strtoul(c->gids.items[0], NULL, 10) : 1337 };

	find_app(&m, nv);
	m.own = own_address(a, nv, AF_INET);
	m.client = "192.0.2.1"; /* RFC 5737: nobody's */
	m.service = "198.51.100.80";
	m.dns = c->dns4.n ? c->dns4.items[0] : "198.51.100.53";
	m.loopback = "127.0.0.1";
	m.proxied = "127.0.0.6";
	if (m.own && family != NFPROTO_IPV6) {
		list(&m);
		list_settings(&m, c, false);
	}
	m.own = own_address(a, nv, AF_INET6);
	m.client = "2001:db8::1"; /* RFC 3849 */
	m.service = "2001:db8::80";
	m.dns = c->dns6.n ? c->dns6.items[0] : "2001:db8::53";
	m.loopback = "::1";
	m.proxied = "::6";
	if (m.own && family != NFPROTO_IPV4) {
		list(&m);
		list_settings(&m, c, true);
	}
	*ret = m.at;
	*ret_n = m.n;
	return m.failed ? -1 : 0;
}

void istio_trial_outcome(const struct trace_outcome *o, const struct trace_request *rq, struct buf *b)
{
	switch (o->verdict) {
	case TRACE_ACCEPT:
		break;
	case TRACE_DROP: buf_str(b, "dropped"); return;
	case TRACE_REJECT: buf_str(b, "rejected"); return;
	case TRACE_UNREACHABLE: buf_str(b, "no route"); return;
	case TRACE_UNKNOWN: buf_str(b, "unknown"); return;
	}
	if (o->path != TRACE_END_LOCAL) {
		buf_fmt(b, o->path == TRACE_END_OUT ? "leaves the pod, port %d" : "forwarded, port %d", o->dport);
		return;
	}
	buf_fmt(b, "port %d", o->listener ? o->listener->lport : o->dport);
	if (o->dport != rq->dport || (o->listener && o->listener->lport != rq->dport))
		buf_str(b, ", redirected");
	if (!o->listener && !o->listener_unknown)
		buf_str(b, ", nobody listens");
}

static int run_one(struct arena *a, const struct tracer *t, struct istio_trial *x, struct err *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct trace_result *r;
	struct trace_request rq;
	char *words = arena_strdup(a, x->connection);

	if (!words)
		return err_oom(e);
	if (connection_parse(a, 1, &words, &rq, e) < 0 || trace_run(t, &rq, &r, e) < 0)
		return err_wrap(e, "following '%s'", x->connection);
	for (unsigned i = 0; i < r->n_outcomes; i++) {
		_cleanup_buf_ struct buf one = BUF_INIT;

		istio_trial_outcome(&r->outcomes[i], &rq, &one);
		if (b.len && strstr(buf_cstr(&b), buf_cstr(&one)))
			continue;
		buf_fmt(&b, "%s%s", b.len ? " or " : "", buf_cstr(&one));
	}
	trace_result_free(r);
	x->ends = buf_failed(&b) ? NULL : arena_strdup(a, buf_cstr(&b));
	return x->ends ? 0 : err_oom(e);
}

int istio_trials_run(struct arena *a, const struct ruleset *rs, const struct netview *nv, struct istio_trial *trials,
		     unsigned n, struct err *e)
{
	struct trace_options opt = { .all = false };
	struct tracer *t;
	int status = 0;

	if (tracer_new(rs, nv, &opt, &t, e) < 0)
		return -1;
	for (unsigned i = 0; i < n && !status; i++)
		status = run_one(a, t, &trials[i], e);
	tracer_free(t);
	return status;
}
