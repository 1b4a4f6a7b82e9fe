/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d24_no_raw - DNS is captured, and the kernel has no raw table for the zones it needs */
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/doctor/raw.h"

enum { PORT_DNS = 15053 };

static bool captures_udp(const struct rule *r, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct rule **found = arg;

	if (r->chain->table->store != STORE_LEGACY || chains_port(r, NULL) != PORT_DNS || !strstr(chains_text(r, &b), "udp"))
		return false;
	*found = r;
	return true;
}

static bool is_zone(const struct rule *r, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	(void)arg;
	return r->chain->table->store == STORE_LEGACY && strcmp(r->chain->table->name, "raw") == 0 && strstr(chains_text(r, &b), "--zone");
}

static bool has_zones(const struct ruleset *rs)
{
	return chains_each(rs, is_zone, NULL);
}

bool raw_missing(struct doctor *d, struct raw_missing *ret)
{
	const struct ruleset *rs = facts_rules(d);
	const struct log_hit *hit = log_hit(facts_log(d), LOG_NO_TABLE);
	struct raw_missing m = { .rule = NULL };

	if (hit && hit->name && strcmp(hit->name, "raw") == 0)
		m.hit = hit;
	if (!m.hit && (!rs || !chains_each(rs, captures_udp, &m.rule)))
		return false;
	m.v6 = m.rule ? m.rule->chain->table->family == NFPROTO_IPV6 : strstr(m.hit->text, "ip6tables") != NULL;
	m.state = facts_table(d, m.v6, "raw");
	if (m.hit ? rs && has_zones(rs) : m.state != TABLE_LOADABLE && m.state != TABLE_IMPOSSIBLE)
		return false;
	*ret = m;
	return true;
}

static void check(struct doctor *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct doctor_finding *f;
	struct raw_missing m;
	const char *module;
	char where[400];

	if (!raw_missing(d, &m))
		return;
	module = m.v6 ? "ip6table_raw" : "iptable_raw";
	f = doctor_find(d, "DNS capture needs the raw table, and legacy iptables %s none: %s is %s",
			m.state == TABLE_LOADABLE || m.state == TABLE_IMPOSSIBLE ? "has" : "had", module,
			facts_module_name(facts_module(d, module)));
	if (m.hit) {
		snprintf(where, sizeof(where), "%.300s, line %u", d->facts.log_where, m.hit->line);
		doctor_see(d, f, "istio-init's log", where, "%s", m.hit->text);
	}
	if (m.rule)
		doctor_see(d, f, m.rule->chain->name, "legacy", "rule %u: %s", m.rule->index, chains_text(m.rule, &b));
	doctor_see(d, f, "module", "/proc/modules, /lib/modules", "%s: %s", module, facts_module_name(facts_module(d, module)));
	if (m.state == TABLE_LOADABLE) {
		doctor_mend_module(d, f, module);
		doctor_fix(d, f, "modprobe %s", module);
	}
	doctor_fix(d, f, "then delete the pod, or write its rules anew (istio apply with the settings of DNS capture)");
	doctor_fix(d, f, "or have Istio use nft: FORCE_IPTABLES_BINARY=nft");
}

const struct doctor_entry doctor_d24 = {
	.id = "D24",
	.title = "DNS capture without a raw table",
	.link = "https://github.com/google/gvisor/pull/12688",
	.explain = "DNS capture sets zones of connection tracking in the raw table. Legacy iptables needs the module iptable_raw for\n"
		   "it, which nobody loads by itself, and some sandboxes do not have at all.\n"
		   "It is told by istio-init's log, or by legacy rules that redirect UDP to 15053 on a kernel where the table neither\n"
		   "exists nor can be made as it is.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_POD,
	.check = check,
};
