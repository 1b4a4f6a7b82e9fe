/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cleanup - scoped clean-up of memory, descriptors and streams; variables start NULL or -1 */
#ifndef NSUTIL_BASE_CLEANUP_H
#define NSUTIL_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_freep(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void cleanup_closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define _cleanup_free_ _cleanup_(cleanup_freep)
#define _cleanup_close_ _cleanup_(cleanup_closep)
#define _cleanup_fclose_ _cleanup_(cleanup_fclosep)
#define _cleanup_closedir_ _cleanup_(cleanup_closedirp)

/* Hand an owned pointer or descriptor to somebody else: the variable forgets it. */
#define steal_ptr(p) ({ __typeof__(p) stolen_ = (p); (p) = NULL; stolen_; })
#define steal_fd(fd) ({ int stolen_ = (fd); (fd) = -1; stolen_; })

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
