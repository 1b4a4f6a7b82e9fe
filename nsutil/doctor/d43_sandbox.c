/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d43_sandbox - the pod is a virtual machine or a sandbox: what filters is inside */
#include <string.h>

#include "nsutil/doctor/check.h"

/* Names are cut to 15 bytes, and gVisor's processes are called "exe": then the first argument tells. */
static const char *const names[] = { "runsc", "qemu-system-", "qemu-kvm", "cloud-hypervis", "firecracker", "stratovirt", NULL };

static bool is_guest(const struct fact_process *p)
{
	for (unsigned i = 0; names[i]; i++)
		if (strncmp(p->comm, names[i], strlen(names[i])) == 0)
			return true;
	return strncmp(p->args, "runsc-", 6) == 0 || strncmp(p->args, "runsc ", 6) == 0;
}

/* KubeVirt runs a virtual machine in a pod whose rules are the node's all the same. */
static bool is_kubevirt(struct doctor *d)
{
	for (const struct fact_process *p = facts_processes(d); p; p = p->next)
		if (strncmp(p->comm, "virt-launcher", 13) == 0)
			return true;
	return false;
}

/* Kata gives the guest its link by a tap of this name; its hypervisor may be a thread of the shim, elsewhere. */
static const struct nv_link *kata_tap(struct doctor *d)
{
	const struct netview *nv = facts_net(d);

	for (unsigned i = 0; nv && i < nv->n_links; i++)
		if (strncmp(nv->links[i].name, "tap", 3) == 0 && strstr(nv->links[i].name, "_kata"))
			return &nv->links[i];
	return NULL;
}

static void check(struct doctor *d)
{
	const struct nv_link *tap = kata_tap(d);
	const struct fact_process *p = facts_processes(d);
	struct doctor_finding *f;

	while (p && !is_guest(p))
		p = p->next;
	if (!tap && (!p || is_kubevirt(d)))
		return;
	f = doctor_find(d, "the pod runs in %s: its packets are filtered inside the guest, where cnish cannot look from here",
			p ? strncmp(p->args, "runsc", 5) == 0 ? "gVisor" : p->comm : "Kata Containers");
	if (p)
		doctor_see(d, f, "process", "/proc", "pid %d, %s: %.200s", (int)p->pid, p->comm, p->args);
	if (tap)
		doctor_see(d, f, "interface", "rtnetlink", "%s", tap->name);
	doctor_fix(d, f, "run cnish inside: kubectl debug -it POD --image=... --target=CONTAINER");
}

const struct doctor_entry doctor_d43 = {
	.id = "D43",
	.title = "the pod is a sandbox (gVisor, Kata)",
	.link = "https://github.com/istio/istio/issues/58573",
	.explain = "gVisor and Kata Containers have a network stack of their own inside. The rules of the namespace on the node\n"
		   "are not those that the application's packets meet.\n"
		   "It is told by the processes of the pod's namespace, or by Kata's tap device. A virtual machine of KubeVirt is none.",
	.severity = DOCTOR_INFO,
	.scope = DOCTOR_POD,
	.check = check,
};
