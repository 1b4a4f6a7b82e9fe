/* SPDX-License-Identifier: GPL-2.0-or-later */
/* users - how the user namespace that owns a target's network namespace numbers users and groups */
#ifndef NSUTIL_POD_USERS_H
#define NSUTIL_POD_USERS_H

#include "nsutil/pod/target.h"
#include "nsutil/ruleset/netview.h"

/**
 * users_read() - note in a view how ids of this user namespace are called in the target's; rules mean those
 *	(xt_owner.c: make_kuid(net->user_ns), nft_meta.c: from_kuid_munged(sock_net(sk)->user_ns))
 * @t:		target with a process; without one, or without a user namespace of its own, ids are the same
 * @nv:		its view
 *
 * Return: 0, -1 when memory ran out
 */
int users_read(const struct target *t, struct netview *nv);

#endif
