/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load - read the stores of a target into one ruleset */
#ifndef NSUTIL_LOAD_H
#define NSUTIL_LOAD_H

#include "nsutil/base/err.h"
#include "nsutil/dump/bundle.h"
#include "nsutil/netns/conns.h"
#include "nsutil/pod/target.h"
#include "nsutil/ruleset/ipset.h"
#include "nsutil/ruleset/model.h"

enum {
	LOAD_LEGACY = 1 << STORE_LEGACY,
	LOAD_COMPAT = 1 << STORE_COMPAT,
	LOAD_NATIVE = 1 << STORE_NATIVE,
	LOAD_ALL = 7,
	LOAD_V4 = 8, /* restrict to one IP family; neither or both: all families */
	LOAD_V6 = 16,
	LOAD_TEXT = 32, /* iptables text only: no meanings, so no trace, nft text or comparison */
};

/**
 * load_ruleset() - read rules without changing anything (no table created, module loaded or lock held)
 * @t:		target; a file target is read from the file
 * @what:	LOAD_* bits
 * @ret:	set on success, to be given back with ruleset_free()
 * @e:		error. A store that cannot be read while another can is noted in ret->unread instead,
 *		unless it was refused (ERR_PERM)
 *
 * Return: 0, or -1
 */
int load_ruleset(const struct target *t, unsigned what, struct ruleset **ret, struct err *e);

/**
 * load_ipsets() - read the members of the ipsets that rules name
 * @t:		target
 * @rs:		its rules
 * @ret:	set on success, to be given back with ipset_list_free(); NULL when no rule names one.
 *		A set that is not there (any more) is left out
 * @e:		error; a file of rules has none (ERR_USAGE)
 *
 * Return: 0, or -1
 */
int load_ipsets(const struct target *t, const struct ruleset *rs, struct ipset_list **ret, struct err *e);

/**
 * load_netview() - read links, addresses, routes, rules and sockets of a target
 * @t:		target
 * @parts:	NETVIEW_* bits of netns.h
 * @ret:	set on success, to be given back with netview_free(); NULL for a file that holds rules only
 * @e:		error
 *
 * Return: 0, or -1
 */
int load_netview(const struct target *t, unsigned parts, struct netview **ret, struct err *e);

/**
 * load_cgroups() - read the control groups of a view's sockets, if rules ask for some
 * @t:		target; a bundle has what was read of its own
 * @rs:		its rules
 * @nv:		view of it; NULL: nothing is read
 * @e:		error
 *
 * Return: 0, or -1 when memory ran out
 */
int load_cgroups(const struct target *t, const struct ruleset *rs, struct netview *nv, struct err *e);

/* load_ipset() - add one ipset to a list (NULL: all); of a bundle, always all. Return: 0, or -1 */
int load_ipset(const struct target *t, const char *name, struct ipset_list *list, struct err *e);

/* load_conns() - connection-tracking entries, as conns_read(). Return: 0, or -1: a file of rules has none (ERR_USAGE) */
int load_conns(const struct target *t, struct conn_list **ret, struct err *e);

/* load_about() - what a bundle says beside. Return: 1; 0: the target is no bundle, and nothing is set; -1 */
int load_about(const struct target *t, struct arena *a, struct bundle_about *ret, struct err *e);

/* load_doctor() - what the doctor found when a bundle was written. Return: 0, or -1 */
int load_doctor(const struct target *t, struct arena *a, struct doctor_report *ret, struct err *e);

#endif
