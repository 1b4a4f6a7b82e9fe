/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lock - the lock that all who change legacy tables take */
#include "nsutil/xt/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "nsutil/base/cleanup.h"

#define LOCK_FILE "/run/xtables.lock"
#define STEP_MS	  20

/* "1: FLOCK  ADVISORY  WRITE 4711 00:19:1234 0 EOF": the holder of this inode; 0 when not found */
static long holder_pid(const struct stat *st)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/locks", "re");
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		unsigned major_no, minor_no;
		unsigned long long inode;
		long pid;

		if (strstr(line, "->") || /* waits for it too */
		    sscanf(line, "%*[^:]: FLOCK %*s %*s %ld %x:%x:%llu", &pid, &major_no, &minor_no, &inode) != 4)
			continue;
		if (inode == st->st_ino && major_no == major(st->st_dev) && minor_no == minor(st->st_dev))
			return pid;
	}
	return 0;
}

static void holder_name(long pid, char *name, size_t size)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	f = fopen(path, "re");
	if (!f || !fgets(name, (int)size, f))
		snprintf(name, size, "?");
	name[strcspn(name, "\n")] = '\0';
}

static int held(int fd, const char *path, unsigned wait_ms, struct err *e)
{
	char what[256], name[32];
	struct stat st;
	long pid = fstat(fd, &st) == 0 ? holder_pid(&st) : 0;

	snprintf(what, sizeof(what), "cannot take the xtables lock %s", path);
	if (pid <= 0) {
		err_set(e, ERR_SYS, what, "another process holds it (waited %u ms)", wait_ms);
	} else {
		holder_name(pid, name, sizeof(name));
		err_set(e, ERR_SYS, what, "process %ld (%s) holds it (waited %u ms)", pid, name, wait_ms);
	}
	return err_hint(e, "try again when it is done");
}

static unsigned elapsed_ms(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned)((now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000);
}

static const char *lock_path(void)
{
	const char *path = getenv("XTABLES_LOCKFILE");

	return path && *path ? path : LOCK_FILE;
}

bool xt_lock_holder(char *who, size_t size)
{
	char name[32];
	struct stat st;
	long pid = stat(lock_path(), &st) == 0 ? holder_pid(&st) : 0;

	if (pid <= 0)
		return false;
	holder_name(pid, name, sizeof(name));
	snprintf(who, size, "process %ld (%s)", pid, name);
	return true;
}

int xt_lock(unsigned wait_ms, int *ret_fd, struct err *e)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
	const char *path = lock_path();
	_cleanup_close_ int fd = -1;
	struct timespec start;

	fd = open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0600);
	if (fd < 0) {
		err_sys(e, errno, "cannot open the xtables lock %s", path);
		return err_hint(e, "XTABLES_LOCKFILE names another file for it");
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(e, errno, "cannot take the xtables lock %s", path);
		if (elapsed_ms(&start) >= wait_ms)
			return held(fd, path, wait_ms, e);
		nanosleep(&step, NULL);
	}
	*ret_fd = steal_fd(fd);
	return 0;
}
