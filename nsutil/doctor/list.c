/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list - the diagnoses in the order of their ids; a new one has its line in DIAGNOSES */
#include "nsutil/doctor/doctor.h"

#define DIAGNOSES(X) \
	X(01) \
	X(02) \
	X(03) \
	X(04) \
	X(05) \
	X(06) \
	X(07) \
	X(08)

#define DECLARE(n) extern const struct doctor_entry doctor_d##n;
#define ENTRY(n) &doctor_d##n,
#define ID(n) "D" #n,

DIAGNOSES(DECLARE)

const struct doctor_entry *const doctor_entries[] = { DIAGNOSES(ENTRY) NULL };
const char *const doctor_ids[] = { DIAGNOSES(ID) NULL };
