/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d39_readonly_node - a node whose system is read only or has no tools (Bottlerocket) */
#include <stdio.h>
#include <string.h>

#include "nsutil/doctor/check.h"

/* PRETTY_NAME of os-release, without its quotes. */
static const char *system_name(struct doctor *d)
{
	const char *text = facts_host_file(d, "/etc/os-release"), *at = text ? strstr(text, "PRETTY_NAME=") : NULL;

	if (!text)
		text = facts_host_file(d, "/usr/lib/os-release"), at = text ? strstr(text, "PRETTY_NAME=") : NULL;
	if (!at)
		return NULL;
	at += 12;
	at += *at == '"';
	return arena_strndup(d->arena, at, strcspn(at, "\"\n"));
}

static void check(struct doctor *d)
{
	const struct log_hit *hit = log_hit(facts_log(d), LOG_READ_ONLY);
	const char *name;
	struct doctor_finding *f;
	char where[400];

	if (!hit)
		return;
	name = system_name(d);
	f = doctor_find(d, "what sets the rules up was kept from its work by the node's system: %s",
			strstr(hit->text, "executable file not found") ? "a program is missing" : "it may not mount or remount");
	snprintf(where, sizeof(where), "%.300s, line %u", d->facts.log_where, hit->line);
	doctor_see(d, f, "log", where, "%s", hit->text);
	doctor_see(d, f, "system", "/etc/os-release", "%s", name ? name : "not known");
	doctor_see(d, f, "SELinux", "/sys/fs/selinux/enforce", "%s", facts_selinux(d));
	doctor_fix(d, f, "update Istio (its CNI plugin falls back to a mount of its own), and let istio-cni run privileged");
	doctor_fix(d, f, "use images that bring their own iptables; the node has no shell and no tools to lend");
}

const struct doctor_entry doctor_d39 = {
	.id = "D39",
	.title = "a read-only node without tools (Bottlerocket)",
	.link = "https://github.com/istio/istio/issues/56569",
	.explain = "On systems like Bottlerocket the root is read only, SELinux denies to remount, and there is neither a shell nor\n"
		   "iptables: what istio-cni expects of a node is not there.\n"
		   "It is told by the log (--log, of istio-cni or istio-init): a failed set-up of its environment, a remount that was\n"
		   "denied, iptables or sh not found.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_BOTH,
	.check = check,
};
