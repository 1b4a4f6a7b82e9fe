/* SPDX-License-Identifier: GPL-2.0-or-later */
/* legacy - did legacy iptables fail here for want of a table? */
#include "nsutil/doctor/legacy.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/doctor/chains.h"

enum { PORT_OUT = 15001, PORT_IN = 15006 };

bool is_sidecar(struct doctor *d, char why[160])
{
	const struct netview *nv = facts_net(d);
	const struct fact_process *p = facts_proxy(d);

	if (facts_is_gateway(d))
		return false;
	if (p && (strstr(p->args, " proxy sidecar") || strstr(p->args, " sidecar~"))) {
		snprintf(why, 160, "%s (pid %d) runs as a sidecar", p->comm, (int)p->pid);
		return true;
	}
	if (!nv || !facts_listens(nv, IPPROTO_TCP, PORT_OUT) || !facts_listens(nv, IPPROTO_TCP, PORT_IN))
		return false;
	snprintf(why, 160, "ports %d and %d are listened on%s%s", PORT_OUT, PORT_IN, p ? ", by " : "", p ? p->comm : "");
	return true;
}

/* The image of the proxy is the one istio-init ran with. */
static const struct fact_iptables *proxy_image(struct doctor *d)
{
	for (const struct fact_iptables *i = facts_iptables(d); i; i = i->next)
		if (strncmp(i->where, "container istio-", 16) == 0)
			return i->found.variant == IPT_LEGACY ? i : NULL;
	return NULL;
}

bool legacy_wanted(struct doctor *d, struct legacy_want *ret)
{
	struct legacy_want w = { .table = "nat" };
	const struct ruleset *rs = facts_rules(d);
	char why[160];

	if (rs && chains_stores(rs, 0, "Istio"))
		return false;
	w.hit = log_hit(facts_log(d), LOG_NO_TABLE);
	if (!w.hit && (!rs || rs->unread || !is_sidecar(d, why) || !(w.image = proxy_image(d))))
		return false;
	if (w.hit && w.hit->name)
		w.table = w.hit->name;
	w.v6 = w.hit && strstr(w.hit->text, "ip6tables");
	w.state = facts_table(d, w.v6, w.table);
	*ret = w;
	return w.hit || w.state == TABLE_LOADABLE || w.state == TABLE_IMPOSSIBLE;
}

static void kernel_evidence(struct doctor *d, struct doctor_finding *f, const struct legacy_want *w)
{
	const char *file = w->v6 ? "/proc/net/ip6_tables_names" : "/proc/net/ip_tables_names";
	const char *names = facts_proc(d, file + 6);
	char module[64];

	snprintf(module, sizeof(module), "%s_%s", w->v6 ? "ip6table" : "iptable", w->table);
	doctor_see(d, f, "module", "/proc/modules, /lib/modules", "%s: %s", module,
		   facts_module_name(facts_module(d, module)));
	doctor_see(d, f, "legacy tables of the namespace", file, "%s",
		   !names ? "no such file" : names[0] ? names : "none");
	doctor_see(d, f, "module", "/proc/modules, /lib/modules", "nf_tables: %s",
		   facts_module_name(facts_module(d, "nf_tables")));
}

void legacy_evidence(struct doctor *d, struct doctor_finding *f, const struct legacy_want *w)
{
	const struct log *l = facts_log(d);
	char where[400];

	if (w->hit) {
		snprintf(where, sizeof(where), "%.300s, line %u", d->facts.log_where, w->hit->line);
		doctor_see(d, f, "istio-init's log", where, "%s", w->hit->text);
	}
	if (w->image)
		doctor_see(d, f, "iptables of the proxy's image", w->image->where, "legacy %s", w->image->found.version);
	if (l && l->variant)
		doctor_see(d, f, "iptables that istio-init used", d->facts.log_where, "%s %s", l->variant, l->version);
	kernel_evidence(d, f, w);
	if (facts_rules(d))
		doctor_see(d, f, "rules", "all stores", "none of Istio's");
}
