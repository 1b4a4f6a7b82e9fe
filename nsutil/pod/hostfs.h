/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hostfs - the node's files and proc mount, wherever the node's root is mounted */
#ifndef NSUTIL_POD_HOSTFS_H
#define NSUTIL_POD_HOSTFS_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

#include "nsutil/base/arena.h"
#include "nsutil/base/err.h"

struct hostfs {
	const char *root; /* "/" or the directory the node's root is mounted on */
	const char *proc; /* the node's proc mount as seen from here */
	bool own_proc;	  /* the root has no proc below it, so ours is taken instead */
};

/**
 * hostfs_check() - is there a directory where the node's root is said to be?
 * @root:	as for hostfs_init()
 * @e:		error: what open(2) says
 *
 * Return: 0, or -1
 */
int hostfs_check(const char *root, struct err *e);

/**
 * hostfs_init() - find the node's proc mount
 * @h:		filled; strings live in @a
 * @root:	where the node's root is; NULL means "/"
 * @a:		arena
 *
 * Return: 0, or -1 when memory ran out
 */
int hostfs_init(struct hostfs *h, const char *root, struct arena *a);

/**
 * hostfs_open() - open a path of the node
 * @h:		node
 * @path:	absolute path as the node sees it; absolute symbolic links in it ("/var/run") are
 *		resolved below the node's root where the kernel can (openat2, Linux 5.6)
 * @flags:	O_* flags; O_CLOEXEC is added
 *
 * Return: descriptor owned by the caller, or a negative errno
 */
int hostfs_open(const struct hostfs *h, const char *path, int flags);

/**
 * hostfs_read() - read a whole regular file of the node, bounded
 * @h:		node
 * @path:	as for hostfs_open()
 * @max:	most bytes; a longer file is -EFBIG
 * @ret:	set on success to NUL-terminated text to be freed by the caller
 *
 * Return: its length, or a negative errno
 */
long hostfs_read(const struct hostfs *h, const char *path, size_t max, char **ret);

/* hostfs_opendir() - open a directory of the node; NULL with errno set when it cannot be */
DIR *hostfs_opendir(const struct hostfs *h, const char *path);

/* hostfs_read_fd() - as hostfs_read(), of an open descriptor, which stays open */
long hostfs_read_fd(int fd, size_t max, char **ret);

/* hostfs_read_at() - as hostfs_read(), of a path relative to a directory (or absolute) */
long hostfs_read_at(int dirfd, const char *path, size_t max, char **ret);

/*
 * hostfs_word() - copy a word that came from outside (a runtime, a file) into the arena: control
 * characters become '?', at most 1024 bytes are kept. NULL and "" become NULL.
 */
const char *hostfs_word(struct arena *a, const char *s);

#endif
