/* SPDX-License-Identifier: GPL-2.0-or-later */
/* undo - keeps the former state of the tables that a change touches */
#ifndef NSUTIL_ISTIO_UNDO_H
#define NSUTIL_ISTIO_UNDO_H

#include "nsutil/istio/change.h"

/**
 * istio_undo_write() - write the former state to a file of its own and sync it
 * @a:		arena of the path
 * @c:		change that is about to be carried out
 * @inode:	of the namespace, part of the name
 * @label:	of the target, for the head of the file
 * @ret_path:	set on success; NULL when the change touches no table that exists
 * @e:		error
 *
 * The file is below $XDG_STATE_HOME/cnish/undo (else ~/.local/state), readable by its owner only. It
 * holds iptables-save text with counters, one part for each store and family, under a comment
 * that names them.
 *
 * Return: 0, or -1
 */
int istio_undo_write(struct arena *a, const struct istio_change *c, uint64_t inode, const char *label,
		     const char **ret_path, struct err *e);

#endif
