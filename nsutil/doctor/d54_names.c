/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d54_names - a look-up of a user's name hangs inside a pod's namespace */
#include "nsutil/doctor/check.h"

const struct doctor_entry doctor_d54 = {
	.id = "D54",
	.title = "a look-up of user names hangs inside the pod's network",
	.link = "https://github.com/istio/istio/issues/48416",
	.explain = "Who enters a pod's network namespace with the node's files and asks for the name of a user (getpwuid) may wait for ever\n"
		   "for a directory service that cannot be reached from there. Istio masks nsswitch.conf for it.",
	.instead = "cnish asks for no name inside a namespace: owners are shown and compared as numbers",
	.severity = DOCTOR_INFO,
	.scope = DOCTOR_BOTH,
};
