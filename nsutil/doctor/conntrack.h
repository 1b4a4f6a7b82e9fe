/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntrack - counters of connection tracking (within doctor/) */
#ifndef NSUTIL_DOCTOR_CONNTRACK_H
#define NSUTIL_DOCTOR_CONNTRACK_H

#include "nsutil/doctor/check.h"

/* conntrack_stat() - the sum over all CPUs of a column of /proc/net/stat/nf_conntrack; 0 when there is none */
unsigned long long conntrack_stat(struct doctor *d, const char *column);

#endif
