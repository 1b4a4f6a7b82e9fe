/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mend - carries out what 'doctor --fix' does to the node */
#include "nsutil/doctor/mend.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/base/file.h"
#include "nsutil/netns/netns.h"
#include "nsutil/netns/run.h"

enum { MODULES_MOST = 64 };

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

static int keep(const char *root, const struct doctor_line *names, struct err *e)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	char path[PATH_MAX], *slash;

	if (strcmp(root, "/") == 0)
		root = "";
	if (snprintf(path, sizeof(path), "%s%s", root, MEND_MODULES_FILE) >= (int)sizeof(path))
		return err_sys(e, ENAMETOOLONG, "%s", MEND_MODULES_FILE);
	buf_str(&text, "# Written by 'cnish doctor --fix': legacy iptables in pods needs these.\n");
	for (const struct doctor_line *l = names; l; l = l->next)
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
