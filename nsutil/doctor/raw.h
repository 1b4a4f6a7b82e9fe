/* SPDX-License-Identifier: GPL-2.0-or-later */
/* raw - is the raw table wanted, and missing? (within doctor/) */
#ifndef NSUTIL_DOCTOR_RAW_H
#define NSUTIL_DOCTOR_RAW_H

#include "nsutil/doctor/check.h"

struct raw_missing {
	const struct rule *rule;   /* redirects DNS in the legacy store; NULL */
	const struct log_hit *hit; /* istio-init's log says so; NULL */
	bool v6;
	enum table_state state;
};

/* raw_missing() - DNS capture needs a legacy raw table that is not there; @ret is filled when it is so */
bool raw_missing(struct doctor *d, struct raw_missing *ret);

#endif
