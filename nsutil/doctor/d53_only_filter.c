/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d53_only_filter - the rules seem to be none, because one table only was listed */
#include "nsutil/doctor/check.h"

const struct doctor_entry doctor_d53 = {
	.id = "D53",
	.title = "\"no rules\", because only the filter table was listed",
	.link = "https://github.com/istio/istio/issues/21399",
	.explain = "iptables -L shows the filter table, and Istio has no rule there: its rules are in nat, mangle and raw. Nothing of the\n"
		   "node shows which table a person looked at, so this is never found.",
	.instead = "cnish always lists all tables of all stores ('tables', 'info'); nothing has to be named to be seen",
	.severity = DOCTOR_INFO,
	.scope = DOCTOR_BOTH,
};
