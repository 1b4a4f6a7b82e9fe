/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history - the lines typed before, in $XDG_STATE_HOME/cnish/history */
#include "shell/history.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* readline's headers want stdio first */
#include <readline/history.h>

#include "nsutil/base/cleanup.h"
#include "shell/session.h"

enum { HISTORY_LINES = 2000 };

static char file[PATH_MAX]; /* "": none */

/* Make the folders of a path; those that are there are left alone. */
static int make_parents(char *path)
{
	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(path, 0700) && errno != EEXIST) {
			*p = '/';
			return -1;
		}
		*p = '/';
	}
	return 0;
}

static int find_file(char *path, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;

	if (state && state[0] == '/' && state[1])
		n = snprintf(path, size, "%s/cnish/history", state);
	else if (home && home[0] == '/' && home[1])
		n = snprintf(path, size, "%s/.local/state/cnish/history", home);
	else
		return -1;
	return n < (int)size ? make_parents(path) : -1;
}

/* Open for appending, readable by its owner only; a file of somebody else is not touched. */
static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || fchmod(fd, 0600)) {
		close(fd);
		return -1;
	}
	return fd;
}

void history_open(void)
{
	char path[PATH_MAX];
	int fd;

	using_history();
	if (find_file(path, sizeof(path)))
		return;
	fd = open_file(path);
	if (fd < 0)
		return;
	close(fd);
	read_history(path);
	if (history_length > HISTORY_LINES) {
		history_truncate_file(path, HISTORY_LINES);
		chmod(path, 0600);
	}
	stifle_history(HISTORY_LINES);
	snprintf(file, sizeof(file), "%s", path);
}

void history_keep(const char *line)
{
	_cleanup_close_ int fd = -1;
	const HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;

	if (!*line || *line == ' ' || (last && strcmp(last->line, line) == 0))
		return;
	add_history(line);
	if (!file[0])
		return;
	fd = open_file(file);
	if (fd >= 0)
		dprintf(fd, "%s\n", line); /* in vain on a full disk: the line still is in memory */
}

const char *session_history(const struct session *s, unsigned i)
{
	const HIST_ENTRY *entry;

	(void)s;
	entry = i < (unsigned)history_length ? history_get(history_base + (int)i) : NULL;
	return entry ? entry->line : NULL;
}
