/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file - the bytes of an offline source, bounded */
#ifndef NSUTIL_DUMP_FILE_H
#define NSUTIL_DUMP_FILE_H

#include <stddef.h>

#include "nsutil/base/err.h"

#define DUMP_FILE_MAX (256u << 20)

/**
 * dump_file_read() - read a regular file, a pipe or standard input to its end
 * @path:	path, or "-" for standard input
 * @max:	most bytes to take; more is an error
 * @ret:	set on success: the bytes with a NUL behind them, to be freed by the caller
 * @ret_len:	their number
 * @e:		error; a device, a socket or a folder is refused
 *
 * Return: 0, or -1
 */
int dump_file_read(const char *path, size_t max, char **ret, size_t *ret_len, struct err *e);

#endif
