/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check - what a diagnosis works with: the target, the facts, and how it says what it found (within doctor/) */
#ifndef NSUTIL_DOCTOR_CHECK_H
#define NSUTIL_DOCTOR_CHECK_H

#include "nsutil/doctor/doctor.h"
#include "nsutil/doctor/facts.h"
#include "nsutil/doctor/log.h"

struct doctor {
	struct arena *arena;
	const struct target *t;
	const struct doctor_options *opt;
	struct doctor_report *report;
	const struct doctor_entry *entry; /* the one that is being checked */
	struct doctor_finding **findings_tail;
	struct doctor_unchecked **unchecked_tail;
	struct facts facts;
	bool failed; /* out of memory, once and for all */
};

/**
 * doctor_find() - add a finding of the diagnosis that is being checked
 * @fmt:	printf format of the cause, one sentence without a full stop
 *
 * Return: the finding, to add evidence to; never NULL (when memory ran out, one that is thrown away)
 */
struct doctor_finding *doctor_find(struct doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* doctor_see() - add evidence: what was looked at, where, and what was seen there */
void doctor_see(struct doctor *d, struct doctor_finding *f, const char *what, const char *where,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* doctor_fix() - add a line of advice; a command where there is one */
void doctor_fix(struct doctor *d, struct doctor_finding *f, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* doctor_fix_self() - add a cnish command line: "cnish -t TARGET " and @words */
void doctor_fix_self(struct doctor *d, struct doctor_finding *f, const char *words);

/* doctor_mend_module() - 'doctor --fix' may load this module for the finding */
void doctor_mend_module(struct doctor *d, struct doctor_finding *f, const char *name);

/* doctor_mend_logger() - 'doctor --fix' may write this for the finding, and @undo takes it back; see mend_logger() */
void doctor_mend_logger(struct doctor *d, struct doctor_finding *f, const char *write, const char *undo);

/* doctor_mend_stale() - 'doctor --fix' may take the chains of @owner out of a store */
void doctor_mend_stale(struct doctor *d, struct doctor_finding *f, const char *store, const char *owner);

/* doctor_unsure() - the diagnosis could not be checked; @fmt says why */
void doctor_unsure(struct doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* doctor_found() - a diagnosis that ran before has found something */
bool doctor_found(const struct doctor *d, const char *id);

/*
 * What most diagnoses ask first; each notes that it could not be checked when it cannot be had.
 * doctor_rules() - the rules; NULL: not readable
 * doctor_sockets() - links, addresses, routes and sockets; NULL: not readable
 */
const struct ruleset *doctor_rules(struct doctor *d);
const struct netview *doctor_sockets(struct doctor *d);

#endif
