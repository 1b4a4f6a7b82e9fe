/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file - files written whole: all bytes, or the former content stays */
#ifndef NSUTIL_BASE_FILE_H
#define NSUTIL_BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "nsutil/base/err.h"

/**
 * file_write_all() - write all bytes, however many calls and interruptions it takes
 * @fd:		descriptor
 * @data:	bytes
 * @n:		their number
 *
 * Return: 0, or -1 with errno set
 */
int file_write_all(int fd, const void *data, size_t n);

/**
 * file_replace() - make a new file beside the old one, sync it, and put it in its place: whoever reads
 *	meanwhile sees all of the one or all of the other
 * @path:	of the file; it need not exist
 * @mode:	of the new file, as for open(2): the umask is taken off
 * @data:	its content
 * @n:		bytes
 * @e:		error; what was there before is as it was, and nothing is left beside it
 *
 * Return: 0, or -1
 */
int file_replace(const char *path, mode_t mode, const void *data, size_t n, struct err *e);

/**
 * file_put() - the same for a file that a person named: a link stays and what it leads to is replaced, a device or a pipe
 *	is written into (in its place a file would stand: there would be no /dev/null any more), and "-" is no name
 * @path:	of the file
 * @mode:	of a new file
 * @data:	its content
 * @n:		bytes
 * @e:		error
 *
 * Return: 0, or -1
 */
int file_put(const char *path, mode_t mode, const void *data, size_t n, struct err *e);

#endif
