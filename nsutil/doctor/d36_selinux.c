/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d36_selinux - SELinux keeps a container from having a module loaded */
#include <stdio.h>
#include <string.h>

#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/legacy.h"

static void told_by_log(struct doctor *d)
{
	const struct log_hit *hit = log_hit(facts_log(d), LOG_SELINUX);
	struct doctor_finding *f;
	char where[400];

	f = doctor_find(d, "SELinux refused %s", strstr(hit->text, "module_request") ? "to load a kernel module for a container"
											 : "what a container's iptables wanted");
	snprintf(where, sizeof(where), "%.300s, line %u", d->facts.log_where, hit->line);
	doctor_see(d, f, "log", where, "%s", hit->text);
	doctor_see(d, f, "SELinux", "/sys/fs/selinux/enforce", "%s now", facts_selinux(d));
	doctor_fix(d, f, "load the modules at boot: /etc/modules-load.d/istio-iptables.conf (iptable_nat iptable_mangle xt_REDIRECT xt_owner)");
	doctor_fix(d, f, "or setsebool -P domain_kernel_load_modules on");
}

static void check(struct doctor *d)
{
	struct doctor_finding *f;
	struct legacy_want w;

	if (log_hit(facts_log(d), LOG_SELINUX)) {
		told_by_log(d);
		return;
	}
	if (!legacy_wanted(d, &w) || w.state != TABLE_LOADABLE || strcmp(facts_selinux(d), "enforcing") != 0)
		return;
	f = doctor_find(d, "SELinux is enforcing: a container may not have the missing module loaded, so it must be there before");
	doctor_see(d, f, "SELinux", "/sys/fs/selinux/enforce", "enforcing");
	doctor_see(d, f, "module", "/proc/modules, /lib/modules", "%s_%s: not loaded; its file is there", w.v6 ? "ip6table" : "iptable", w.table);
	doctor_mend_module(d, f, arena_printf(d->arena, "%s_%s", w.v6 ? "ip6table" : "iptable", w.table));
	doctor_fix(d, f, "modprobe %s_%s on the node, and its name in /etc/modules-load.d/istio-iptables.conf", w.v6 ? "ip6table" : "iptable",
		   w.table);
}

const struct doctor_entry doctor_d36 = {
	.id = "D36",
	.title = "SELinux blocks the loading of modules",
	.link = "https://github.com/istio/istio/issues/4500",
	.explain = "Legacy iptables has the kernel load the module of a table on demand. Where SELinux is enforcing, a container may not\n"
		   "(module_request); on other nodes the same image works.\n"
		   "It is told by SELinux's mode together with a table that is wanted and only not loaded, or by a line \"avc: denied\"\n"
		   "in the log that was given (--log: journalctl -k, ausearch -m avc).",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_POD,
	.check = check,
};
