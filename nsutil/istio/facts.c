/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts - what Istio's configuration takes from the namespace and the pod's files */
#include "nsutil/istio/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/load.h"
#include "nsutil/ruleset/netview.h"

enum { MAX_RESOLV = 64 * 1024 };

static void free_view(struct netview **nv)
{
	netview_free(*nv);
}

static int read_addresses(struct arena *a, const struct target *t, struct istio_facts *f, struct err *e)
{
	_cleanup_(free_view) struct netview *nv = NULL;
	struct addr *addrs;

	if (load_netview(t, NETVIEW_LINKS | NETVIEW_NO_SYSCTLS, &nv, e) < 0)
		return err_wrap(e, "finding out whether Istio would use IPv6");
	if (!nv) /* a file of rules */
		return 0;
	addrs = arena_array(a, nv->n_addrs + 1, sizeof(*addrs));
	if (!addrs)
		return err_oom(e);
	for (unsigned i = 0; i < nv->n_addrs; i++)
		addrs[i] = nv->addrs[i].addr;
	f->addrs = addrs;
	f->n_addrs = nv->n_addrs;
	return 0;
}

/* Open @path below the directory @root and never outside of it. */
static int open_below(const char *root, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	_cleanup_close_ int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -1;
	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

static const char *read_bounded(struct arena *a, int fd, const char **why)
{
	struct stat st;
	char *text = arena_alloc(a, MAX_RESOLV + 1);
	ssize_t n = 0, all = 0;

	if (!text || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		*why = text ? "not a regular file" : "out of memory";
		return NULL;
	}
	while (all < MAX_RESOLV && (n = read(fd, text + all, (size_t)(MAX_RESOLV - all))) > 0)
		all += n;
	if (n < 0 || all == MAX_RESOLV) {
		*why = n < 0 ? arena_strdup(a, strerror(errno)) : "too long";
		return NULL;
	}
	return text;
}

int istio_resolv_read(struct arena *a, const struct target *t, struct istio_facts *f, struct err *e)
{
	_cleanup_close_ int fd = -1;
	const char *root = "/";

	if (t->kind != TARGET_SELF) {
		if (t->pid <= 0) {
			f->resolv_why = "no process of the target is known";
			return 0;
		}
		root = arena_printf(a, "%s/%d/root", t->proc, (int)t->pid);
		if (!root)
			return err_oom(e);
	}
	fd = open_below(root, "etc/resolv.conf");
	if (fd < 0) {
		f->resolv_why = arena_strdup(a, strerror(errno));
		return f->resolv_why ? 0 : err_oom(e);
	}
	f->resolv_conf = read_bounded(a, fd, &f->resolv_why);
	return 0;
}

/* A bundle has the lines that matter. */
static int file_resolv(struct arena *a, const struct target *t, struct istio_facts *f, struct err *e)
{
	struct bundle_about about;
	int r = load_about(t, a, &about, e);

	if (r <= 0)
		return r;
	f->resolv_conf = about.resolv_conf;
	f->resolv_why = about.resolv_conf ? NULL : about.resolv_why ? about.resolv_why : f->resolv_why;
	return 0;
}

int istio_facts_read(struct arena *a, const struct target *t, const struct istio_config *c,
		     struct istio_facts *ret, struct err *e)
{
	bool file = t->kind == TARGET_FILE;
	struct istio_facts f = { .resolv_why = "an offline source has no such file" };

	if (!c->enable_ipv6[0] && read_addresses(a, t, &f, e) < 0)
		return -1;
	if (c->redirect_dns && !c->capture_all_dns &&
	    (file ? file_resolv(a, t, &f, e) : istio_resolv_read(a, t, &f, e)) < 0)
		return -1;
	*ret = f;
	return 0;
}
