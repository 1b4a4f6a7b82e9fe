/* SPDX-License-Identifier: GPL-2.0-or-later */
/* early - is this the time of the init containers? (within doctor/) */
#ifndef NSUTIL_DOCTOR_EARLY_H
#define NSUTIL_DOCTOR_EARLY_H

#include "nsutil/doctor/check.h"

/**
 * early_program() - a program that runs before the pod's proxy does, while the rules are in place
 *
 * Return: it, or NULL: the proxy runs or ran, something listens, or nothing but the first process is there
 */
const struct fact_process *early_program(struct doctor *d);

#endif
