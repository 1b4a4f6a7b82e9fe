/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verdict - what the programs that look for the right iptables would choose here (within doctor/) */
#ifndef NSUTIL_DOCTOR_VERDICT_H
#define NSUTIL_DOCTOR_VERDICT_H

#include "nsutil/doctor/check.h"

enum { VERDICT_WRAPPERS, VERDICT_FELIX, VERDICT_ISTIO };

/**
 * verdict_all() - replay iptables-wrappers', Felix's and Istio's choice from what was read
 * @d:		doctor
 * @ret:	filled, in the order of VERDICT_*
 *
 * The programs themselves run iptables-legacy-save and write probe rules, which makes legacy tables;
 * this looks at what there is.
 */
void verdict_all(struct doctor *d, struct doctor_verdict ret[DOCTOR_VERDICTS]);

/* verdict_agree() - all of them chose the same store; none of them is unknown */
bool verdict_agree(const struct doctor_verdict v[DOCTOR_VERDICTS]);

#endif
