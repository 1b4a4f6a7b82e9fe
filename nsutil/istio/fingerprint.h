/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fingerprint - a number that tells whether a table still says what it said; with edits carried out in thought */
#ifndef NSUTIL_ISTIO_FINGERPRINT_H
#define NSUTIL_ISTIO_FINGERPRINT_H

#include "nsutil/istio/edit.h"

/*
 * Made of chain names, policies and the canonical forms of the rules in their order. Counters, handles and
 * the order of chains make no difference; neither does an empty built-in chain that accepts, so that a table
 * nobody has filled yet is one that is not there: 0.
 */

/**
 * istio_fingerprint() - of a table as it is
 * @t:		table; NULL: there is none
 * @ret:	set on success
 *
 * Return: 0, or -1 when memory ran out
 */
int istio_fingerprint(const struct table *t, uint64_t *ret);

/**
 * istio_fingerprint_after() - of a table as it will be when edits were carried out
 * @t:		table as it is; NULL: there is none
 * @edits:	edits of its store and family
 * @table:	its name: edits of other tables are passed over
 * @ret:	set on success
 *
 * Return: 0, or -1 when memory ran out
 */
int istio_fingerprint_after(const struct table *t, const struct istio_edits *edits, const char *table,
			    uint64_t *ret);

/* istio_fingerprint_unguarded() - as istio_fingerprint(), of all but guardrails (guard.h) */
int istio_fingerprint_unguarded(const struct table *t, uint64_t *ret);

#endif
