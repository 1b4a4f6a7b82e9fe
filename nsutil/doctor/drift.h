/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drift - how far the rules of one pod after the other are from what Istio would write */
#ifndef NSUTIL_DOCTOR_DRIFT_H
#define NSUTIL_DOCTOR_DRIFT_H

#include "nsutil/istio/wanted.h"
#include "nsutil/pod/target.h"

/*
 * What pods before this one were to have: most pods of a node have the same settings and the same rules, and to see
 * that takes a fraction of the time of finding out which settings made them. For one thread.
 */
enum { DRIFT_KEPT = 8 };
struct drift_memo {
	struct drift_kept {
		const char *key; /* of the configuration before it was completed from the rules; NULL: free */
		struct istio_wanted wanted;
	} at[DRIFT_KEPT];
	unsigned next; /* to be replaced */
};

void drift_memo_free(struct drift_memo *m);
#define _cleanup_drift_memo_ __attribute__((cleanup(drift_memo_free)))

/**
 * drift_count() - differences of iptables rules from what the pod's programmer was told, else from what the rules tell
 * @m:		memo
 * @a:		arena that outlives the memo
 * @t:		target
 * @ambient:	the pod is in an ambient mesh, should nobody know its settings
 * @rs:		its rules; as before when this returns
 * @ret_gap:	set on success: a rule that brings connections to the proxy is missing, changed or in another place
 *
 * Return: how many; -1: not comparable
 */
int drift_count(struct drift_memo *m, struct arena *a, const struct target *t, bool ambient, struct ruleset *rs,
		bool *ret_gap);

#endif
