/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mend - carries out what 'doctor --fix' does to the node */
#include "nsutil/doctor/mend.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/base/file.h"
#include "nsutil/doctor/facts.h"
#include "nsutil/netns/netns.h"
#include "nsutil/netns/run.h"
#include "nsutil/pod/hostfs.h"

enum { MODULES_MOST = 64, KEPT_MOST = 1 << 20 };

static int run_modprobe(const char *root, const struct doctor_line *names, struct err *e)
{
	char *argv[MODULES_MOST + 5];
	_cleanup_netns_ struct netns self = NETNS_INIT;
	int n = 0, status = 0;

	if (strcmp(root, "/") != 0) {
		argv[n++] = (char *)"chroot";
		argv[n++] = (char *)root;
	}
	argv[n++] = (char *)"modprobe";
	argv[n++] = (char *)"-a";
	for (const struct doctor_line *l = names; l && n < MODULES_MOST; l = l->next)
		argv[n++] = (char *)l->text;
	argv[n] = NULL;
	if (netns_open_self(&self, e) < 0 || run_inside(&self, argv, &status, e) < 0)
		return -1;
	if (status) {
		err_set(e, ERR_SYS, "modprobe", "it failed with status %d", status);
		return err_hint(e, "CAP_SYS_MODULE and the node's /lib/modules are needed (--host-root)");
	}
	return 0;
}

/* What the file says already stays. */
static int keep(const char *root, const struct doctor_line *names, struct err *e)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	_cleanup_free_ char *old = NULL;
	char path[PATH_MAX], *slash;

	if (strcmp(root, "/") == 0)
		root = "";
	if (snprintf(path, sizeof(path), "%s%s", root, MEND_MODULES_FILE) >= (int)sizeof(path))
		return err_sys(e, ENAMETOOLONG, "%s", MEND_MODULES_FILE);
	if (hostfs_read_at(-1, path, KEPT_MOST, &old) < 0)
		old = NULL;
	buf_str(&text, old ? old : "# Written by 'cnish doctor --fix': legacy iptables in pods needs these.\n");
	if (old && text.len && text.data[text.len - 1] != '\n')
		buf_chr(&text, '\n');
	for (const struct doctor_line *l = names; l; l = l->next)
		if (!old || !facts_has_line(old, l->text))
			buf_fmt(&text, "%s\n", l->text);
	if (buf_failed(&text))
		return err_oom(e);
	slash = strrchr(path, '/');
	*slash = '\0';
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(e, errno, "cannot make %s", path);
	*slash = '/';
	return file_replace(path, 0644, buf_cstr(&text), text.len, e);
}

int mend_modules(const struct target *t, const struct doctor_line *names, struct err *e)
{
	if (run_modprobe(t->host_root, names, e) < 0)
		return -1;
	return keep(t->host_root, names, e);
}

/* ---- the logger ---- */

struct write_job {
	const char *path, *text;
};

static int write_inside(void *arg, struct err *e)
{
	const struct write_job *job = arg;
	_cleanup_close_ int fd = open(job->path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || file_write_all(fd, job->text, strlen(job->text)) < 0)
		return err_cap(e, errno, "CAP_NET_ADMIN and a writable /proc/sys", "cannot write '%s' to %s", job->text, job->path);
	return 0;
}

int mend_logger(const struct target *t, const struct doctor_line *writes, struct err *e)
{
	for (const struct doctor_line *l = writes; l; l = l->next) {
		char path[256];
		const char *equals = strchr(l->text, '=');
		struct write_job job = { path, equals + 1 };
		bool node = strncmp(l->text, "node:", 5) == 0;
		const char *name = l->text + (node ? 5 : 0);

		snprintf(path, sizeof(path), "%s/sys/net/netfilter/%.*s", node ? t->proc : "/proc", (int)(equals - name), name);
		if (node ? write_inside(&job, e) < 0 : netns_call(&t->netns, write_inside, &job, e) < 0)
			return -1;
	}
	return 0;
}
