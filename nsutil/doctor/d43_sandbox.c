/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d43_sandbox - the pod is a virtual machine or a sandbox: what filters is inside */
#include <string.h>

#include "nsutil/doctor/check.h"

static const char *const names[] = { "runsc", "runsc-sandbox", "qemu-system-x86", "qemu-kvm", "cloud-hypervis",
				     "cloud-hypervisor", "firecracker", NULL };

static void check(struct doctor *d)
{
	struct doctor_finding *f;

	for (const struct fact_process *p = facts_processes(d); p; p = p->next)
		for (unsigned i = 0; names[i]; i++) {
			if (strcmp(p->comm, names[i]) != 0)
				continue;
			f = doctor_find(d, "the pod runs in %s: its packets are filtered inside the guest, where cnish cannot look from here",
					p->comm);
			doctor_see(d, f, "process", "/proc", "pid %d, %s", (int)p->pid, p->comm);
			doctor_fix(d, f, "run cnish inside: kubectl debug -it POD --image=... --target=CONTAINER");
			return;
		}
}

const struct doctor_entry doctor_d43 = {
	.id = "D43",
	.title = "the pod is a sandbox (gVisor, Kata)",
	.link = "https://github.com/istio/istio/issues/58573",
	.explain = "gVisor and Kata Containers have a network stack of their own inside. The rules of the namespace on the node\n"
		   "are not those that the application's packets meet.\n"
		   "It is told by the processes of the pod's namespace.",
	.severity = DOCTOR_INFO,
	.scope = DOCTOR_POD,
	.check = check,
};
