/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file - files written whole: all bytes, or the former content stays */
#include "nsutil/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"

/* Names beside the file that are tried before giving up; others may have crashed and left theirs. */
#define MAX_NAMES 100

int file_write_all(int fd, const void *data, size_t n)
{
	const char *p = data;

	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

/* Not mkostemp(), which knows no mode but 0600. */
static int create_beside(const char *path, mode_t mode, char temp[PATH_MAX])
{
	for (unsigned i = 0; i < MAX_NAMES; i++) {
		int fd;

		if (snprintf(temp, PATH_MAX, "%s.%ld-%u.new", path, (long)getpid(), i) >= PATH_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

int file_replace(const char *path, mode_t mode, const void *data, size_t n, struct err *e)
{
	int fd _cleanup_close_ = -1;
	char temp[PATH_MAX];
	int saved;

	fd = create_beside(path, mode, temp);
	if (fd < 0)
		return err_sys(e, errno, "cannot create a file next to '%s'", path);
	if (file_write_all(fd, data, n) == 0 && fsync(fd) == 0 && rename(temp, path) == 0)
		return 0;
	saved = errno;
	unlink(temp);
	return err_sys(e, saved, "cannot write '%s'", path);
}

static int write_into(const char *path, const void *data, size_t n, struct err *e)
{
	int fd _cleanup_close_ = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || file_write_all(fd, data, n) < 0)
		return err_sys(e, errno, "cannot write '%s'", path);
	return 0;
}

int file_put(const char *path, mode_t mode, const void *data, size_t n, struct err *e)
{
	char real[PATH_MAX];
	struct stat st;

	if (!*path || strcmp(path, "-") == 0) {
		err_set(e, ERR_USAGE, "the file", "'%s' is no name of one", path);
		return err_hint(e, "/dev/stdout is standard output, ./- a file of that name");
	}
	if (stat(path, &st) < 0) /* there is none, or it cannot be seen: making one will tell */
		return file_replace(path, mode, data, n, e);
	if (S_ISDIR(st.st_mode))
		return err_sys(e, EISDIR, "cannot write '%s'", path);
	if (!S_ISREG(st.st_mode))
		return write_into(path, data, n, e);
	return file_replace(realpath(path, real) ? real : path, mode, data, n, e);
}
