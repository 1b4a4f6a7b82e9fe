/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entry - a rule of the model as the kernel's bytes, for libiptc */
#ifndef NSUTIL_XT_ENTRY_H
#define NSUTIL_XT_ENTRY_H

#include "nsutil/base/err.h"
#include "nsutil/ruleset/model.h"

/**
 * xt_entry_make() - build a struct ipt_entry or ip6t_entry with its matches and target
 * @a:		arena of the result
 * @r:		rule; the family is that of its chain's table
 * @ret:	set on success; the target of a jump holds the chain's name, as libiptc wants it
 * @e:		error: a statement that has no iptables form
 *
 * Return: 0, or -1
 */
int xt_entry_make(struct arena *a, const struct rule *r, const void **ret, struct err *e);

#endif
