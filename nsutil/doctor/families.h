/* SPDX-License-Identifier: GPL-2.0-or-later */
/* families - which IP families the pod has, and which are captured (within doctor/) */
#ifndef NSUTIL_DOCTOR_FAMILIES_H
#define NSUTIL_DOCTOR_FAMILIES_H

#include "nsutil/doctor/check.h"

enum { FAMILY_V4 = 1, FAMILY_V6 = 2, FAMILY_BOTH = 3 };

/* families_of_addresses() - FAMILY_* with a global address; 0 when the addresses cannot be read */
unsigned families_of_addresses(struct doctor *d);
/* families_of_rules() - FAMILY_* for which any store has chains of Istio's */
unsigned families_of_rules(const struct ruleset *rs);

#endif
