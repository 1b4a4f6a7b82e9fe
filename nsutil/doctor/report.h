/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report - a doctor's report as JSON, and back, for a bundle */
#ifndef NSUTIL_DOCTOR_REPORT_H
#define NSUTIL_DOCTOR_REPORT_H

#include <jansson.h>

#include "nsutil/base/arena.h"
#include "nsutil/base/json.h"
#include "nsutil/doctor/doctor.h"

/* doctor_report_write() - write a report as the object @key */
void doctor_report_write(const struct doctor_report *r, struct json *j, const char *key);

/* doctor_report_read() - the reverse; strings are in the arena. Return: 0, or -1: broken, or out of memory */
int doctor_report_read(const json_t *from, struct arena *a, struct doctor_report *ret);

#endif
