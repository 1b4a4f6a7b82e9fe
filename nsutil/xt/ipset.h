/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipset - read ipsets and their members from the kernel */
#ifndef NSUTIL_XT_IPSET_H
#define NSUTIL_XT_IPSET_H

#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"
#include "nsutil/netns/netns.h"
#include "nsutil/ruleset/ipset.h"

/**
 * ipset_read() - read the ipsets of a namespace; changes nothing
 * @ns:		namespace. Call it only when a rule names an ipset: then ip_set is loaded, and the
 *		request cannot load a module
 * @name:	read only this one; NULL: all
 * @list:	list to add to
 * @e:		error; errnum ENOENT when there is no such set
 *
 * Return: 0, or -1
 */
int ipset_read(const struct netns *ns, const char *name, struct ipset_list *list, struct err *e);

/* ipset_record() - append the kernel's answers about all sets, for a bundle. Return: 0, or -1 */
int ipset_record(const struct netns *ns, struct buf *ret, struct err *e);
/* ipset_play() - what ipset_read() would have made of such answers (aligned to 4). Return: 0, or -1: broken, memory */
int ipset_play(const void *tape, size_t size, struct ipset_list *list, struct err *e);

/**
 * ipset_parse() - add what one IPSET_CMD_LIST reply says; for ipset_read() and its fuzzer
 * @payload:	bytes behind the netlink header
 * @size:	their number
 * @list:	list to add to
 *
 * Return: 0; -1 when memory ran out. Malformed parts are left out.
 */
int ipset_parse(const void *payload, size_t size, struct ipset_list *list);

#endif
