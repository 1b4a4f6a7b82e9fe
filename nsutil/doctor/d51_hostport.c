/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d51_hostport - a hostPort and a NodePort are the same port, and the order of the rules decides */
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/doctor/intent.h"

enum { PORTS_MOST = 1024 };

struct port {
	unsigned number;
	const struct rule *rule;
};

struct ports {
	struct port at[PORTS_MOST];
	unsigned n;
};

static void add(struct ports *p, const struct chain *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (const struct rule *r = c->rules; r; r = r->next) {
		const char *text = chains_text(r, &b), *list = strstr(text, "--dports ");
		unsigned port = chains_dport(text);
		const char *at;
		char words[256];

		if (strstr(text, "--set-xmark") || strstr(text, "-j MARK"))
			continue;
		snprintf(words, sizeof(words), "%.*s", list ? (int)strcspn(list + 9, " ") : 0, list ? list + 9 : "");
		at = words;
		for (port = port ? port : intent_each(&at); port && p->n < PORTS_MOST; port = intent_each(&at))
			p->at[p->n++] = (struct port){ port, r };
	}
}

/* Where a built-in chain first leads to a chain of such a name; 0: nowhere. */
static unsigned place_of(const struct chain *base, const char *prefix, const struct rule **ret)
{
	for (const struct rule *r = base->rules; r; r = r->next) {
		const char *to = chains_jump(r);

		if (to && strncmp(to, prefix, strlen(prefix)) == 0) {
			*ret = r;
			return r->index;
		}
	}
	return 0;
}

static void report(struct doctor *d, const struct table *t, const struct chain *base, const struct port *host, const struct port *node)
{
	const struct rule *a = NULL, *b = NULL;
	unsigned first = place_of(base, "CNI-HOSTPORT", &a), second = place_of(base, "KUBE-SERVICES", &b);
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct doctor_finding *f;

	if (!first || !second)
		return;
	f = doctor_find(d, "port %u of the node is a hostPort of a pod and the NodePort of a Service: the %s wins, as its jump stands first in"
			   " %s", host->number, first < second ? "hostPort" : "Service", base->name);
	doctor_see(d, f, base->name, store_name(t->store), "rule %u: %s", a->index, chains_text(a, &text));
	doctor_see(d, f, base->name, store_name(t->store), "rule %u: %s", b->index, chains_text(b, &text));
	doctor_see(d, f, host->rule->chain->name, store_name(t->store), "rule %u: %s", host->rule->index, chains_text(host->rule, &text));
	doctor_see(d, f, node->rule->chain->name, store_name(t->store), "rule %u: %s", node->rule->index, chains_text(node->rule, &text));
	doctor_fix(d, f, "give the pod another hostPort or the Service another nodePort");
	doctor_fix(d, f, "cnish -t host trace in tcp 192.0.2.1 '->' NODE:%u", host->number);
}

static bool check_table(struct doctor *d, const struct table *t)
{
	const struct chain *base = table_find_chain(t, "PREROUTING");
	struct ports *host = arena_alloc(d->arena, sizeof(*host)), *node = arena_alloc(d->arena, sizeof(*node));

	if (!base || !host || !node)
		return false;
	for (const struct chain *c = t->chains; c; c = c->next) {
		if (strncmp(c->name, "CNI-HOSTPORT-DNAT", 17) == 0 || strncmp(c->name, "CNI-DN-", 7) == 0)
			add(host, c);
		else if (strcmp(c->name, "KUBE-NODEPORTS") == 0)
			add(node, c);
	}
	for (unsigned i = 0; i < host->n; i++)
		for (unsigned k = 0; k < node->n; k++)
			if (host->at[i].number == node->at[k].number) {
				report(d, t, base, &host->at[i], &node->at[k]);
				return true;
			}
	return false;
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);

	for (const struct table *t = rs ? rs->tables : NULL; t; t = t->next)
		if (t->store != STORE_NATIVE && strcmp(t->name, "nat") == 0 && check_table(d, t))
			return;
}

const struct doctor_entry doctor_d51 = {
	.id = "D51",
	.title = "a hostPort hides a NodePort",
	.link = "https://github.com/containernetworking/cni/issues/577",
	.explain = "The CNI plugin portmap and kube-proxy both rewrite destinations in PREROUTING. When a hostPort and a NodePort are the\n"
		   "same, the chain that is reached first takes all connections, and the order depends on who started last.\n"
		   "It is told by the ports of CNI-HOSTPORT-DNAT, CNI-DN-* and KUBE-NODEPORTS of one table and the order of the jumps.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_NODE,
	.check = check,
};
