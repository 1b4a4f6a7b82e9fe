/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d20_hairpin - the pod calls its own address, and that is captured in spite of an exclusion */
#include <string.h>

#include "nsutil/base/addr.h"
#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/netns/conns.h"

enum { PORTS_MOST = 64 };

struct search {
	unsigned port[PORTS_MOST], n; /* excluded inbound by the user */
	const struct rule *loop;      /* the rule that captures what the proxy sends to the pod itself */
};

static bool take(const struct rule *r, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct search *s = arg;
	const char *text, *to;
	unsigned port;

	if (chains_named(r->chain, "ISTIO_INBOUND") && chains_returns(r)) {
		port = chains_dport(chains_text(r, &b));
		if (port && port != 22 && (port < 15000 || port > 15099) && s->n < PORTS_MOST)
			s->port[s->n++] = port;
	} else if (chains_named(r->chain, "ISTIO_OUTPUT") && !s->loop) {
		to = chains_jump(r);
		text = chains_text(r, &b);
		if (to && (strcmp(to, "ISTIO_IN_REDIRECT") == 0 || strcmp(to, "istio-in-redirect") == 0) &&
		    (strstr(text, "-o lo") || strstr(text, "oifname \"lo\"")))
			s->loop = r;
	}
	return false;
}

/* From the pod to itself, to an excluded port, and sent elsewhere. */
static bool is_captured(const struct search *s, const struct conn *c)
{
	if (!addr_equal(&c->orig.src, &c->orig.dst) || addr_is_loopback(&c->orig.dst) || c->reply.sport == c->orig.dport)
		return false;
	for (unsigned i = 0; i < s->n; i++)
		if (s->port[i] == c->orig.dport)
			return true;
	return false;
}

static void report(struct doctor *d, const struct search *s, const struct conn *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	char text[ADDR_TEXT];
	struct doctor_finding *f;

	addr_fmt(&c->orig.dst, text);
	f = doctor_find(d, "port %u is excluded, but the pod's calls to its own address %s are captured: Istio's rule for them comes first",
			c->orig.dport, text);
	doctor_see(d, f, "connection", "connection tracking", "%s to %s:%u was sent to port %u", text, text, c->orig.dport,
		   c->reply.sport);
	doctor_see(d, f, s->loop->chain->name, store_name(s->loop->chain->table->store), "rule %u: %s", s->loop->index,
		   chains_text(s->loop, &b));
	doctor_fix(d, f, "this is by design: call 127.0.0.1 in place of the pod's or the Service's address");
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	struct search s = { .n = 0 };
	struct conn_list *list;
	struct err e = ERR_INIT;

	if (!rs)
		return;
	chains_each(rs, take, &s);
	if (!s.n || !s.loop)
		return;
	if (conns_read(&d->t->netns, &list, &e) < 0) {
		doctor_unsure(d, "%s: %s", e.what, e.why);
		return;
	}
	for (unsigned i = 0; i < list->n; i++) {
		if (!is_captured(&s, &list->conns[i]))
			continue;
		report(d, &s, &list->conns[i]);
		break;
	}
	conns_free(list);
}

const struct doctor_entry doctor_d20 = {
	.id = "D20",
	.title = "calls of the pod to itself are captured in spite of an exclusion",
	.link = "https://github.com/istio/istio/issues/40058",
	.explain = "What the proxy sends to the pod's own address (an application that calls its own Service) goes through lo and is\n"
		   "sent to the inbound listener by one of the first rules of ISTIO_OUTPUT, before any exclusion is looked at.\n"
		   "It is told by a port excluded in ISTIO_INBOUND and a tracked connection of the pod to itself on that port that\n"
		   "was sent elsewhere. Without such a connection nothing is reported.",
	.severity = DOCTOR_INFO,
	.scope = DOCTOR_POD,
	.check = check,
};
