/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d23_reply_zone - DNS replies are put into the wrong zone of connection tracking */
#include <netinet/in.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/netns/conns.h"

/* Replies come from the server: "-s SERVER --sport 53". Until 1.19 the rule asked for -d. */
static bool is_wrong(const struct rule *r, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct rule **found = arg;
	const char *text;

	if (strcmp(r->chain->table->name, "raw") != 0 || (strcmp(r->chain->name, "PREROUTING") != 0 && !chains_named(r->chain, "ISTIO_INBOUND")))
		return false;
	text = chains_text(r, &b);
	if (!strstr(text, "--sport 53 ") || !strstr(text, "--zone") || !strstr(text, " -d "))
		return false;
	*found = r;
	return true;
}

/* Queries that nobody answered, as far as connection tracking knows; -1: not to be read. */
static int unreplied(struct doctor *d)
{
	struct conn_list *list;
	int n = 0;

	if (d->opt->quick || conns_read(&d->t->netns, &list, NULL) < 0)
		return -1;
	for (unsigned i = 0; i < list->n; i++)
		n += list->conns[i].protocol == IPPROTO_UDP && list->conns[i].orig.dport == 53 && list->conns[i].zone &&
		     !(list->conns[i].status & 2 /* IPS_SEEN_REPLY */);
	conns_free(list);
	return n;
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct rule *r = NULL;
	struct doctor_finding *f;
	int n;

	if (!rs || !chains_each(rs, is_wrong, &r))
		return;
	f = doctor_find(d, "replies of the DNS server are not put into the zone of their queries: the rule asks for the server as"
			   " destination, not as source");
	doctor_see(d, f, r->chain->name, store_name(r->chain->table->store), "rule %u of raw: %s", r->index, chains_text(r, &b));
	n = unreplied(d);
	if (n >= 0)
		doctor_see(d, f, "queries without a reply", "connection tracking", "%d to port 53 in a zone of their own", n);
	doctor_fix(d, f, "update Istio: 1.20 asks for the source (-s)");
	doctor_fix_self(d, f, "istio verify");
}

const struct doctor_entry doctor_d23 = {
	.id = "D23",
	.title = "DNS replies in the wrong zone",
	.link = "https://github.com/istio/istio/issues/46935",
	.explain = "With DNS capture, queries and replies are kept apart by zones of connection tracking. From 1.11 to 1.19 the rule\n"
		   "for replies asked for the server as their destination, so that it never matched: entries stay without a reply,\n"
		   "and queries are lost now and then.\n"
		   "It is told by that rule in the raw table.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_POD,
	.check = check,
};
