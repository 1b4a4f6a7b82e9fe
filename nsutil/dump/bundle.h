/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bundle - everything that is read of a target in one JSON file, which can be looked at in its place */
#ifndef NSUTIL_DUMP_BUNDLE_H
#define NSUTIL_DUMP_BUNDLE_H

#include <stddef.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"
#include "nsutil/pod/target.h"
#include "nsutil/ruleset/model.h"
#include "nsutil/ruleset/netview.h"

/*
 * Rules are kept as the kernel gave them (tables of xtables, answers of netlink), so that they are decoded
 * again by the same code, and by a later one that understands more. No environment, no arguments, no files
 * of a process get into it: of a process there is its number and its name.
 */

/**
 * bundle_write() - read a target and make the text of a bundle
 * @t:		target; not a file
 * @ret:	text is appended
 * @e:		error; a part that cannot be read while others can is noted in the bundle
 *
 * Return: 0, or -1
 */
int bundle_write(const struct target *t, struct buf *ret, struct err *e);

/* bundle_load_rules() - add the rules of a bundle to a ruleset. Return: 0, or -1 */
int bundle_load_rules(const char *text, size_t size, const char *name, struct ruleset *rs, struct err *e);

/* bundle_load_view() - its links, routes and sockets; the caller frees it. Return: 0, or -1 */
int bundle_load_view(const char *text, size_t size, const char *name, struct netview **ret, struct err *e);

#endif
