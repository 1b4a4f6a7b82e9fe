/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match - find the pod or container that a name means */
#ifndef NSUTIL_POD_MATCH_H
#define NSUTIL_POD_MATCH_H

#include "nsutil/base/err.h"
#include "nsutil/pod/spec.h"
#include "nsutil/pod/target.h"

/**
 * match_pod() - the one pod (and container) a target names
 * @pl:		pods of the node
 * @s:		SPEC_POD or SPEC_CID
 * @ret:	set on success; belongs to @pl
 * @ret_container: set to the named container, NULL when the whole pod is meant
 * @e:		ERR_TARGET: unknown (with a hint when a name is close) or ambiguous (candidates listed)
 *
 * An exact name wins over a prefix; "NAME.NS" is tried when no pod has that name. Of pods with
 * the same name, one that is ready wins over one that is not, then the newest.
 *
 * Return: 0, or -1
 */
int match_pod(const struct pod_list *pl, const struct spec *s, struct pod **ret,
	      const struct pod_container **ret_container, struct err *e);

#endif
