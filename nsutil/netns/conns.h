/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conns - reads the connection-tracking entries of a network namespace */
#ifndef NSUTIL_NETNS_CONNS_H
#define NSUTIL_NETNS_CONNS_H

#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"
#include "nsutil/netns/netns.h"
#include "nsutil/ruleset/conns.h"

/**
 * conns_read() - all entries of the namespace
 * @ns:		namespace
 * @ret:	set on success, to be given back with conns_free(); empty when the kernel tracks nothing
 * @e:		error; errnum ENOPROTOOPT when asking would make the kernel load a module
 *
 * Return: 0, or -1
 */
int conns_read(const struct netns *ns, struct conn_list **ret, struct err *e);
void conns_free(struct conn_list *cl);

/**
 * conns_count() - how many entries there are, and how many there may be
 * @ns:		namespace
 * @ret_count, @ret_max: set on success; the limit is 0 where the kernel does not tell it (before 4.18)
 * @e:		error; errnum ENOPROTOOPT when asking would make the kernel load a module
 *
 * /proc/sys tells it as well, but finds the file among those of all namespaces.
 *
 * Return: 0, or -1
 */
int conns_count(const struct netns *ns, uint32_t *ret_count, uint32_t *ret_max, struct err *e);

/* conns_record() - append the kernel's answers, for a bundle. Return: 0, or -1 */
int conns_record(const struct netns *ns, struct buf *ret, struct err *e);
/* conns_play() - what conns_read() would have made of such answers (aligned to 4). Return: 0, or -1: broken, memory */
int conns_play(const void *tape, size_t size, struct conn_list **ret, struct err *e);

#endif
