/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d47_swallowed - an option of istio-init was taken for another's value */
#include <stdio.h>

#include "nsutil/doctor/check.h"

static void check(struct doctor *d)
{
	const struct log_hit *hit = log_hit(facts_log(d), LOG_SWALLOWED);
	struct doctor_finding *f;
	char where[400];

	if (!hit)
		return;
	f = doctor_find(d, "istio-init took one option for the value of another, so that a part of the traffic is not captured");
	snprintf(where, sizeof(where), "%.300s, line %u", d->facts.log_where, hit->line);
	doctor_see(d, f, "istio-init's log", where, "%s", hit->text);
	doctor_fix(d, f, "look at the injector's template and values: an empty value needs quotes (-x '')");
	doctor_fix_self(d, f, "istio verify");
}

const struct doctor_entry doctor_d47 = {
	.id = "D47",
	.title = "an option of istio-init was swallowed",
	.link = "https://github.com/istio/istio/issues/28106",
	.explain = "A template that leaves an empty value out makes \"-x -b *\": -b becomes the value of -x, and no inbound port\n"
		   "is captured. It is told by istio-init's log, which prints its configuration; without a log a pod that captures\n"
		   "nothing inbound cannot be told from one that was meant so.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_POD,
	.check = check,
};
