/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hookorder - the base chains of a namespace in the order the kernel runs them, by nfnetlink_hook */
#ifndef NSUTIL_NETNS_HOOKORDER_H
#define NSUTIL_NETNS_HOOKORDER_H

#include <linux/netlink.h>

#include "nsutil/base/err.h"
#include "nsutil/netns/netns.h"
#include "nsutil/ruleset/model.h"

struct hookorder {
	const struct ruleset *rs; /* whose chains these are */
	struct arena *arena;
	const struct chain **chains; /* hook by hook and family by family; one of an inet table stands there for both */
	unsigned n;
};

/**
 * hookorder_read() - ask the kernel (Linux 5.14, CONFIG_NETFILTER_NETLINK_HOOK), if that loads no module
 * @ns:		namespace
 * @ret:	rs and arena are set; the rest is filled. Chains of type nat are not among them: the kernel tells
 *		of the nat core only. None at all when no two chains stand at the same hook and priority
 * @e:		error, also when this kernel cannot tell
 *
 * Return: 0, or -1
 */
int hookorder_read(const struct netns *ns, struct hookorder *ret, struct err *e);

/* hookorder_parse() - one message of the dump; what is no chain of the ruleset is passed over. Return: 0, or -1 */
int hookorder_parse(const struct nlmsghdr *nlh, void *order, struct err *e);

#endif
