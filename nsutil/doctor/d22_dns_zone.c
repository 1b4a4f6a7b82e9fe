/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d22_dns_zone - DNS is captured without zones of connection tracking */
#include <netinet/in.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/doctor/raw.h"

enum { PORT_DNS = 15053 };

static bool has_zone(const struct rule *r, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *text = chains_text(r, &b);

	(void)arg;
	return strstr(text, "--zone") || strstr(text, "ct zone");
}

static bool captures_udp(const struct rule *r, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct rule **found = arg;

	if (chains_port(r, NULL) != PORT_DNS || !strstr(chains_text(r, &b), "udp"))
		return false;
	*found = r;
	return true;
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct rule *dns = NULL;
	struct raw_missing m;
	struct doctor_finding *f;

	if (!rs || !chains_each(rs, captures_udp, &dns) || chains_each(rs, has_zone, NULL) || raw_missing(d, &m)) /* D24 */
		return;
	f = doctor_find(d, "DNS is captured, but its connections have no zone of their own: a query that reuses a port goes past the"
			   " proxy");
	doctor_see(d, f, "rule", store_name(dns->chain->table->store), "%s: %s", dns->chain->name, chains_text(dns, &b));
	doctor_see(d, f, "raw", "all stores", "no rule that sets a zone");
	doctor_fix_self(d, f, "istio verify REDIRECT_DNS=true");
	doctor_fix(d, f, "update Istio, or load iptable_raw when the raw table is missing (D24)");
}

const struct doctor_entry doctor_d22 = {
	.id = "D22",
	.title = "DNS capture without zones",
	.link = "https://github.com/istio/istio/issues/33469",
	.explain = "The proxy's query and the application's may have the same addresses and ports; without zones of connection\n"
		   "tracking the second one reuses the entry of the first and is not redirected.\n"
		   "It is told by a redirect of UDP to 15053 and no rule that sets a zone.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_POD,
	.check = check,
};
