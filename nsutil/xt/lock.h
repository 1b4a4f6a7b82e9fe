/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lock - the lock that all who change legacy tables take */
#ifndef NSUTIL_XT_LOCK_H
#define NSUTIL_XT_LOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "nsutil/base/err.h"

/**
 * xt_lock() - take the xtables lock: $XTABLES_LOCKFILE, else /run/xtables.lock
 * @wait_ms:	how long to wait, in milliseconds
 * @ret_fd:	set on success; closing it gives the lock back
 * @e:		error; when somebody else has it, who
 *
 * Return: 0, or -1
 */
int xt_lock(unsigned wait_ms, int *ret_fd, struct err *e);

/* xt_lock_holder() - who holds it now, as "process 4711 (iptables)", by /proc/locks; false: nobody that is seen */
bool xt_lock_holder(char *who, size_t size);

#endif
