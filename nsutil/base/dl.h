/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dl - functions of a library that is loaded when it is needed */
#ifndef NSUTIL_BASE_DL_H
#define NSUTIL_BASE_DL_H

#include <stddef.h>

/**
 * dl_find() - functions of a loaded library, by their names
 * @dl:		what dlopen() returned
 * @names:	names
 * @n:		number of them
 * @ret:	set on success: an array of as many function pointers, or a structure that begins with them, in this order
 *
 * Return: NULL, or the first name that the library lacks
 */
const char *dl_find(void *dl, const char *const *names, size_t n, void *ret);

#endif
