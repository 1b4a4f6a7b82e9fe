/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recognise_parts - what the parts of recognise share */
#ifndef NSUTIL_ISTIO_RECOGNISE_PARTS_H
#define NSUTIL_ISTIO_RECOGNISE_PARTS_H

#include "nsutil/istio/recover.h"

/* What all families of one store say together. */
struct istio_evidence {
	const struct ruleset *rs;
	enum store store;
	bool ipv6;		/* IPv6 has Istio's rules too */
	bool wide_loopback;	/* a loopback range other than 127.0.0.1/32 */
	bool no_outbound;	/* nothing outbound is captured, and more than one missing rule says so */
	const char *probe6;
	uint32_t table;		/* of TPROXY's routing rule; 0: not known */
	unsigned first, minor;	/* versions that fit */
	struct istio_found f;	/* IPv4 and IPv6 together */
};

/**
 * istio_gather() - read all stores and take the one with most of Istio's rules
 * @a:		arena of the result
 * @rs:		ruleset
 * @native:	native tables are meant, if there are any
 * @known:	what a record says of interfaces; may be NULL
 * @only:	look at this store alone (of the native one at the sidecar's tables); -1: at all
 * @ret:	set on success; ret->f.any is false when there is nothing
 *
 * Return: 0, -1 when memory ran out
 */
int istio_gather(struct arena *a, const struct ruleset *rs, bool native, int only,
		 const struct istio_known *known, struct istio_evidence *ret);

/**
 * istio_settle() - write what was found into a configuration, as a version would have been told
 * @c:		configuration, not yet resolved; what was typed stays
 * @x:		evidence
 * @minor:	of the version
 * @noted:	note what differs
 * @e:		error
 *
 * Return: 0, or -1
 */
int istio_settle(struct istio_config *c, const struct istio_evidence *x, unsigned minor, bool noted, struct err *e);

#endif
