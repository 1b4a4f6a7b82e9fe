/* SPDX-License-Identifier: GPL-2.0-or-later */
/* undo - keeps the former state of the tables that a change touches */
#include "nsutil/istio/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/ruleset/text.h"

static void put_former(const struct istio_change *c, struct buf *b)
{
	for (unsigned i = 0; i < c->n_parts; i++) {
		const struct istio_edits *edits = &c->parts[i]->edits;
		const char *last = "";

		for (unsigned k = 0; k < edits->n; k++) {
			const char *table = edits->at[k].table;

			if (strcmp(table, last) == 0)
				continue;
			if (!*last)
				buf_fmt(b, "# store %s family %s\n", store_name(edits->store), family_name(edits->family));
			ruleset_save(c->before, edits->store, edits->family, table, true, b);
			last = table;
		}
	}
	for (unsigned i = 0; i < c->n_native; i++) {
		buf_str(b, "# store native\n");
		table_nft(c->native[i], true, b);
	}
}

/* Make a folder and those above it. */
static int make_folder(char *path)
{
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -1;
		*p = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -1 : 0;
}

static char *folder(struct arena *a)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && state[0] == '/')
		return arena_printf(a, "%s/cnish/undo", state);
	if (home && home[0] == '/' && home[1])
		return arena_printf(a, "%s/.local/state/cnish/undo", home);
	return arena_strdup(a, "/var/lib/cnish/undo");
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return fsync(fd);
}

int istio_undo_write(struct arena *a, const struct istio_change *c, uint64_t inode, const char *label,
		     const char **ret_path, struct err *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_close_ int fd = -1;
	struct timespec now;
	char *dir = folder(a), *path;

	clock_gettime(CLOCK_REALTIME, &now);
	if (!dir)
		return err_oom(e);
	path = arena_printf(a, "%s/%" PRIu64 "-%lld.%09ld.rules", dir, inode, (long long)now.tv_sec, now.tv_nsec);
	if (!path)
		return err_oom(e);
	buf_fmt(&b, "# cnish undo 1\n# target %.*s\n", (int)strcspn(label, "\r\n"), label);
	put_former(c, &b);
	if (buf_failed(&b))
		return err_oom(e);
	if (make_folder(dir) < 0)
		return err_sys(e, errno, "cannot make the folder %s", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write_all(fd, b.data, b.len) < 0)
		return err_sys(e, errno, "cannot write %s", path);
	*ret_path = path;
	return 0;
}
