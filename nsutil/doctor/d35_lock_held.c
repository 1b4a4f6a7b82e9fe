/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d35_lock_held - somebody holds the xtables lock for long */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/pod/hostfs.h"
#include "nsutil/pod/proc.h"

#define LOCK_FILE "/run/xtables.lock"

static bool lock_inode(struct doctor *d, struct stat *st)
{
	_cleanup_close_ int fd = -1;
	struct hostfs h;

	if (hostfs_init(&h, d->t->host_root, d->arena) < 0)
		return false;
	fd = hostfs_open(&h, LOCK_FILE, O_PATH);
	return fd >= 0 && fstat(fd, st) == 0;
}

/* The process that has the lock: a line of /proc/locks that does not wait; 0 when nobody has. */
static long holder(struct doctor *d, const struct stat *st)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[4200], line[256];

	snprintf(path, sizeof(path), "%s/locks", d->t->proc);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		unsigned major_no, minor_no;
		unsigned long long inode;
		long pid;

		if (!strstr(line, "->") &&
		    sscanf(line, "%*[^:]: FLOCK %*s %*s %ld %x:%x:%llu", &pid, &major_no, &minor_no, &inode) == 4 &&
		    inode == st->st_ino && major_no == major(st->st_dev) && minor_no == minor(st->st_dev))
			return pid ? pid : -1;
	}
	return 0;
}

static void told_by_log(struct doctor *d)
{
	const struct log_hit *hit = log_hit(facts_log(d), LOG_LOCKED);
	struct doctor_finding *f;
	char where[400];

	if (!hit || doctor_found(d, "D35") || (facts_rules(d) && chains_stores(facts_rules(d), 0, "Istio")))
		return;
	f = doctor_find(d, "istio-init did not get the xtables lock, and gave up");
	snprintf(where, sizeof(where), "%.300s, line %u", d->facts.log_where, hit->line);
	doctor_see(d, f, "istio-init's log", where, "%s", hit->text);
	doctor_fix(d, f, "delete the pod; an Istio that waits for the lock (--wait, 1.28) does not fail so");
}

/* Whoever writes rules holds it for a moment: only one that still has it half a second later counts. */
static void check(struct doctor *d)
{
	const struct timespec half = { .tv_nsec = 500000000 };
	struct doctor_finding *f;
	struct proc_stat ps;
	struct stat st;
	long pid = 0;

	/* to read the locks waits for all processors (fs/locks.c locks_start()): not once a pod */
	if (!d->opt->quick && lock_inode(d, &st))
		pid = holder(d, &st);
	if (pid) {
		nanosleep(&half, NULL);
		pid = holder(d, &st) == pid ? pid : 0;
	}
	if (pid) {
		f = doctor_find(d, "process %ld (%s) holds the xtables lock: all who change legacy rules wait for it", pid,
				pid > 0 && proc_stat(d->t->proc, (pid_t)pid, &ps) == 0 ? ps.comm : "not to be seen from here");
		doctor_see(d, f, LOCK_FILE, "/proc/locks", "held by %ld at two looks, half a second apart", pid);
		doctor_fix(d, f, "find out what it waits for: cat /proc/%ld/stack, or end it", pid);
	}
	told_by_log(d);
}

const struct doctor_entry doctor_d35 = {
	.id = "D35",
	.title = "the xtables lock is held",
	.link = "https://github.com/kubernetes/kubernetes/issues/57428",
	.explain = "All programs that change legacy rules take a lock on /run/xtables.lock. One that hangs keeps all others\n"
		   "waiting, or has them give up.\n"
		   "It is told by /proc/locks, at two looks half a second apart; or by istio-init's log.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_BOTH,
	.check = check,
};
