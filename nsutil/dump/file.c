/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file - the bytes of an offline source, bounded */
#include "nsutil/dump/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"

static int read_all(int fd, const char *path, size_t max, struct buf *b, struct err *e)
{
	char chunk[65536];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "cannot read %s", path);
		if (n == 0)
			return 0;
		if ((size_t)n > max - b->len)
			return err_set(e, ERR_USAGE, path, "it is longer than %zu MiB", max >> 20);
		buf_add(b, chunk, (size_t)n);
		if (buf_failed(b))
			return err_oom(e);
	}
}

/* Opening a device may have effects, and it may be endless; a pipe is bounded by its bytes. */
static int check_kind(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(e, errno, "cannot read %s", path);
	if (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode))
		return 0;
	return err_set(e, ERR_USAGE, path, "it is %s",
		       S_ISDIR(st.st_mode) ? "a folder" : "neither a file nor a pipe");
}

int dump_file_read(const char *path, size_t max, char **ret, size_t *ret_len, struct err *e)
{
	bool in = strcmp(path, "-") == 0;
	_cleanup_close_ int own = -1;
	struct buf b = BUF_INIT;
	int fd = STDIN_FILENO;

	if (!in) {
		if (check_kind(path, e) < 0)
			return -1;
		/* a pipe is waited for until somebody writes to it, as cat does */
		fd = own = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return err_sys(e, errno, "cannot read %s", path);
	}
	if (read_all(fd, in ? "standard input" : path, max, &b, e) < 0) {
		buf_free(&b);
		return -1;
	}
	if (!b.data)
		buf_add(&b, "", 0);
	if (!b.data && !(b.data = calloc(1, 1)))
		return err_oom(e);
	*ret = b.data;
	*ret_len = b.len;
	return 0;
}
