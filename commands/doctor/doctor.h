/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor - what the files of the doctor command share */
#ifndef COMMANDS_DOCTOR_DOCTOR_H
#define COMMANDS_DOCTOR_DOCTOR_H

#include "commands/command.h"
#include "nsutil/doctor/doctor.h"

/* doctor_put_report() - the keys of a report, and their text */
void doctor_put_report(const struct target *t, const struct doctor_report *r, struct out *o);

/**
 * doctor_fix_all() - run the diagnoses, mend what is safe to mend, look again
 * @s:		session
 * @a:		arena
 * @t:		target
 * @opt:	as for doctor_run()
 * @o:		sink
 * @e:		error; ERR_UNCONFIRMED when the answer is no
 *
 * Each kind of mending is done once at most, whatever the second look finds.
 *
 * Return: 0 nothing is left; 1 something is; -1 failed
 */
int doctor_fix_all(struct session *s, struct arena *a, const struct target *t, const struct doctor_options *opt,
		   struct out *o, struct err *e);

/* doctor_put_surroundings() - what detectors would choose, the kernel's side, the iptables programs, what Envoy says */
void doctor_put_surroundings(const struct doctor_report *r, struct out *o);

#endif
