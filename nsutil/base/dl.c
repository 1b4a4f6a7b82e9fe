/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dl - functions of a library that is loaded when it is needed */
#include "nsutil/base/dl.h"

#include <dlfcn.h>
#include <string.h>

const char *dl_find(void *dl, const char *const *names, size_t n, void *ret)
{
	for (size_t i = 0; i < n; i++)
		if (!dlsym(dl, names[i]))
			return names[i];
	for (size_t i = 0; i < n; i++) {
		void *fn = dlsym(dl, names[i]);

		memcpy((char *)ret + i * sizeof(fn), &fn, sizeof(fn)); /* ISO C has no conversion from an object to a function */
	}
	return NULL;
}
