/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d22_dns_zone - DNS is captured without zones of connection tracking */
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/doctor/raw.h"

enum { PORT_DNS = 15053 };

struct search {
	const struct ruleset *rs;
	const struct rule *dns; /* captures DNS, and has no zones, or for one direction only */
	bool queries, replies;
};

/* Tables of inet have the packets of both families. */
static bool same_family(const struct rule *a, const struct rule *b)
{
	uint8_t x = a->chain->table->family, y = b->chain->table->family;

	return x == y || x == NFPROTO_INET || y == NFPROTO_INET;
}

struct zones {
	const struct rule *dns;
	bool queries, replies; /* are put into one */
};

static bool take_zone(const struct rule *r, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct zones *z = arg;
	const char *text = chains_text(r, &b);

	if (!same_family(r, z->dns) || (!strstr(text, "--zone") && !strstr(text, "ct zone")))
		return false;
	z->queries |= chains_dport(text) == 53;
	z->replies |= chains_number_after(text, "sport ") == 53;
	return z->queries && z->replies;
}

static bool lacks_zones(const struct rule *r, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct search *s = arg;
	struct zones z = { .dns = r };

	if (chains_port(r, NULL) != PORT_DNS || !strstr(chains_text(r, &b), "udp") || chains_each(s->rs, take_zone, &z))
		return false;
	s->dns = r;
	s->queries = z.queries;
	s->replies = z.replies;
	return true;
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct search s = { .rs = rs };
	const struct rule *dns;
	struct raw_missing m;
	struct doctor_finding *f;

	/* A redirect that was left without Istio's chains is D13; without a raw table it is D24. */
	if (!rs || !chains_stores(rs, 0, "Istio") || !chains_each(rs, lacks_zones, &s) || raw_missing(d, &m))
		return;
	dns = s.dns;
	f = doctor_find(d, "DNS is captured, but its connections have no zone of their own: a query that reuses a port goes past the"
			   " proxy");
	doctor_see(d, f, "rule", store_name(dns->chain->table->store), "%s: %s", dns->chain->name, chains_text(dns, &b));
	doctor_see(d, f, "raw", "all stores", "no rule that sets a zone%s",
		   s.queries ? " for the replies" : s.replies ? " for the queries" : "");
	doctor_fix_self(d, f, "istio verify REDIRECT_DNS=true");
	doctor_fix(d, f, "update Istio, or load iptable_raw when the raw table is missing (D24)");
}

const struct doctor_entry doctor_d22 = {
	.id = "D22",
	.title = "DNS capture without zones",
	.link = "https://github.com/istio/istio/issues/33469",
	.explain = "The proxy's query and the application's may have the same addresses and ports; without zones of connection\n"
		   "tracking the second one reuses the entry of the first and is not redirected.\n"
		   "It is told by a redirect of UDP to 15053 and no rule of its family that sets a zone for queries and replies.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_POD,
	.check = check,
};
