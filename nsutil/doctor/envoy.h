/* SPDX-License-Identifier: GPL-2.0-or-later */
/* envoy - asks the proxy itself, inside the namespace: listeners, telemetry, readiness (within doctor/) */
#ifndef NSUTIL_DOCTOR_ENVOY_H
#define NSUTIL_DOCTOR_ENVOY_H

#include "nsutil/base/arena.h"
#include "nsutil/doctor/doctor.h"
#include "nsutil/netns/netns.h"

enum {
	ENVOY_ADMIN_PORT = 15000,
	ENVOY_READY_PORT = 15021,
	ENVOY_MSECS = 1000,	    /* for all questions together: what a dead Envoy costs at most */
	ENVOY_BYTES = 16 << 20,	    /* of one answer; the rest is not looked at */
	ENVOY_LISTENERS_MOST = 16,
};

/**
 * envoy_ask() - GET /listeners and /stats of the admin port, /healthz/ready of the status port, on 127.0.0.1
 * @ns:		namespace
 * @ret:	filled always; what was not answered says why
 *
 * Only the sockets are made inside. Nothing is kept of an answer but what is looked for, so that memory is
 * bounded by one line; an answer may be of any form, length or speed.
 */
void envoy_ask(const struct netns *ns, struct doctor_envoy *ret);

#endif
