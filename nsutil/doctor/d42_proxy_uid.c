/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d42_proxy_uid - the proxy's user is not the one that the rules let pass */
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"

struct owners {
	const struct fact_process *proxy;
	bool any, fits;
};

static bool look(const struct rule *r, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct owners *o = arg;
	const char *text = chains_of(r->chain, "Istio") ? chains_text(r, &b) : "";
	long uid = chains_number_after(text, "uid-owner "), gid = chains_number_after(text, "gid-owner ");

	if (uid < 0)
		uid = chains_number_after(text, "skuid ");
	if (gid < 0)
		gid = chains_number_after(text, "skgid ");
	o->any |= uid >= 0 || gid >= 0;
	o->fits |= (uid >= 0 && (uid_t)uid == o->proxy->rule_uid) || (gid >= 0 && (gid_t)gid == o->proxy->rule_gid);
	return o->fits;
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	struct owners o = { .proxy = facts_proxy(d) };
	struct doctor_finding *f;

	if (!rs || !o.proxy)
		return;
	chains_each(rs, look, &o);
	if (!o.any || o.fits)
		return;
	f = doctor_find(d, "the proxy runs as user %u, which no rule lets pass: its own connections are sent back to it",
			o.proxy->uid);
	doctor_see(d, f, "process", "/proc", "%s, pid %d, uid %u, gid %u as the node sees them%s", o.proxy->comm, (int)o.proxy->pid,
		   o.proxy->uid, o.proxy->gid, o.proxy->own_users ? "; it has a user namespace of its own" : "");
	doctor_fix(d, f, o.proxy->own_users ? "hostUsers: false needs an Istio that writes rules inside the user namespace, or native nftables"
					    : "let the proxy run as user 1337, or set PROXY_UID and PROXY_GID");
}

const struct doctor_entry doctor_d42 = {
	.id = "D42",
	.title = "the proxy's user does not fit the rules",
	.link = "https://github.com/istio/istio/issues/58750",
	.explain = "Istio's rules let the proxy's own connections pass by their user (1337) or group. When the proxy runs as\n"
		   "another one, or in a user namespace (hostUsers: false) that maps 1337 to another number, it catches itself.\n"
		   "It is told by the owner matches of the rules and the proxy's process; where the namespace belongs to the pod's user\n"
		   "namespace, the kernel counts users as that does.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_POD,
	.check = check,
};
