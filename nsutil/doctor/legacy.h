/* SPDX-License-Identifier: GPL-2.0-or-later */
/* legacy - did legacy iptables fail here for want of a table? (within doctor/) */
#ifndef NSUTIL_DOCTOR_LEGACY_H
#define NSUTIL_DOCTOR_LEGACY_H

#include "nsutil/doctor/check.h"

struct legacy_want {
	const struct log_hit *hit;	  /* the log says so; NULL */
	const struct fact_iptables *image; /* a container of the proxy's has legacy iptables; NULL */
	const char *table;		  /* which one is wanted */
	bool v6;
	enum table_state state;
};

/**
 * legacy_wanted() - legacy iptables was or would be used here, and no rules of Istio's are in place
 * @ret:	filled when it is so
 */
bool legacy_wanted(struct doctor *d, struct legacy_want *ret);

/* legacy_evidence() - add what legacy_wanted() rests on, and what the kernel has */
void legacy_evidence(struct doctor *d, struct doctor_finding *f, const struct legacy_want *w);

/* is_sidecar() - a sidecar's proxy runs here, for sure: by its role, its listeners, or what else the pod holds */
bool is_sidecar(struct doctor *d, char why[160]);

#endif
