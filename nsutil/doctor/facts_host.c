/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts_host - files of the node: its kernel's configuration, SELinux, whether modules can be loaded from here */
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/doctor/check.h"
#include "nsutil/pod/hostfs.h"
#include "nsutil/pod/proc.h"

enum { HOST_FILE_MOST = 16 << 20, CONFIG_MOST = 4 << 20 };

const char *facts_file(struct doctor *d, const char *path)
{
	_cleanup_free_ char *text = NULL;

	return hostfs_read_at(-1, path, HOST_FILE_MOST, &text) < 0 ? NULL : arena_strdup(d->arena, text);
}

const char *facts_host_file(struct doctor *d, const char *path)
{
	_cleanup_free_ char *text = NULL;
	struct hostfs h;

	if (hostfs_init(&h, d->t->host_root, d->arena) < 0 || hostfs_read(&h, path, HOST_FILE_MOST, &text) < 0)
		return NULL;
	return arena_strdup(d->arena, text);
}

/* ---- the kernel's configuration ---- */

/* Compressed or not: zlib reads either. */
static const char *read_config(struct doctor *d, int fd)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	gzFile z = gzdopen(fd, "rb");
	char chunk[16384];
	int n;

	if (!z) {
		close(fd);
		return NULL;
	}
	while ((n = gzread(z, chunk, sizeof(chunk))) > 0 && b.len < CONFIG_MOST)
		buf_add(&b, chunk, (size_t)n);
	gzclose(z);
	if (n < 0 || buf_failed(&b) || !strstr(buf_cstr(&b), "CONFIG_"))
		return NULL;
	return arena_strdup(d->arena, buf_cstr(&b));
}

static void find_config(struct doctor *d)
{
	const char *places[5] = { NULL };
	struct facts *f = &d->facts;
	struct hostfs h;
	struct utsname u;

	f->config_where = "neither /proc/config.gz nor /boot/config-VERSION can be read";
	if (uname(&u) < 0 || hostfs_init(&h, d->t->host_root, d->arena) < 0)
		return;
	places[0] = arena_printf(d->arena, "/boot/config-%s", u.release);
	places[1] = arena_printf(d->arena, "/lib/modules/%s/config", u.release);
	places[2] = arena_printf(d->arena, "/usr/lib/modules/%s/config", u.release);
	places[3] = arena_printf(d->arena, "%s/config.gz", d->t->proc);
	for (unsigned i = 0; places[i] && !f->config; i++) {
		int fd = i == 3 ? open(places[i], O_RDONLY | O_CLOEXEC) : hostfs_open(&h, places[i], O_RDONLY | O_NONBLOCK);

		f->config = fd < 0 ? NULL : read_config(d, fd);
		if (f->config)
			f->config_where = places[i];
	}
}

const char *facts_config(struct doctor *d, const char *option)
{
	struct facts *f = &d->facts;
	size_t n = strlen(option);

	if (!f->asked_config)
		find_config(d);
	f->asked_config = true;
	for (const char *at = f->config; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
		if (strncmp(at, "# ", 2) == 0 && strncmp(at + 2, option, n) == 0 && strncmp(at + 2 + n, " is not set", 11) == 0)
			return "n";
		if (strncmp(at, option, n) == 0 && at[n] == '=')
			return at[n + 1] == 'y' ? "y" : at[n + 1] == 'm' ? "m" : "n";
	}
	return f->config ? "" : NULL;
}

/* ---- SELinux ---- */

static const char *look_at_selinux(struct doctor *d)
{
	const char *enforce = facts_host_file(d, "/sys/fs/selinux/enforce");
	const char *kinds;

	if (!enforce)
		enforce = facts_file(d, "/sys/fs/selinux/enforce");
	if (enforce)
		return enforce[0] == '1' ? "enforcing" : "permissive";
	/* Its file system is known to the kernel when it is on, even where it is not mounted. */
	kinds = facts_file(d, arena_printf(d->arena, "%s/filesystems", d->t->proc));
	return !kinds || strstr(kinds, "selinuxfs") ? "unknown" : "off";
}

const char *facts_selinux(struct doctor *d)
{
	if (!d->facts.asked_selinux)
		d->facts.selinux = look_at_selinux(d);
	d->facts.asked_selinux = true;
	return d->facts.selinux;
}

/* ---- modprobe ---- */

static const char *modprobe_path(struct doctor *d)
{
	static const char *const places[] = { "/sbin/modprobe", "/usr/sbin/modprobe", "/bin/modprobe", "/usr/bin/modprobe" };
	struct hostfs h;

	if (hostfs_init(&h, d->t->host_root, d->arena) < 0)
		return NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_close_ int fd = hostfs_open(&h, places[i], O_PATH);

		if (fd >= 0)
			return places[i];
	}
	return NULL;
}

static const char *why_no_modprobe(struct doctor *d, const char **ret_path)
{
	const char *disabled = facts_file(d, arena_printf(d->arena, "%s/sys/kernel/modules_disabled", d->t->proc));
	_cleanup_close_ int dir = -1;
	struct hostfs h;
	struct utsname u;

	if (!facts_file(d, arena_printf(d->arena, "%s/modules", d->t->proc)))
		return "the kernel has no loadable modules";
	if (disabled && disabled[0] == '1')
		return "kernel.modules_disabled is 1";
	if (!proc_has_cap(CAP_SYS_MODULE))
		return "CAP_SYS_MODULE is missing";
	if (uname(&u) == 0 && hostfs_init(&h, d->t->host_root, d->arena) == 0)
		dir = hostfs_open(&h, arena_printf(d->arena, "/lib/modules/%s", u.release), O_PATH);
	if (dir < 0)
		return "there is no /lib/modules of this kernel here (--host-root says where the node's root is)";
	*ret_path = modprobe_path(d);
	return *ret_path ? NULL : "there is no modprobe";
}

/* ---- what a report says of it ---- */

void facts_kernel(struct doctor *d, struct doctor_kernel *ret)
{
	static const char *const names[DOCTOR_MODULES] = { "nf_tables", "nft_compat", "ip_tables", "iptable_nat", "iptable_mangle",
							   "iptable_raw", "ip6table_nat", "xt_owner", "xt_REDIRECT", "nft_redir",
							   "nft_tproxy", "nf_conntrack" };
	const char *path = NULL;
	struct utsname u;

	ret->release = uname(&u) == 0 ? arena_strdup(d->arena, u.release) : NULL;
	for (unsigned i = 0; i < DOCTOR_MODULES; i++) {
		ret->modules[i].name = names[i];
		ret->modules[i].state = facts_module_name(facts_module(d, names[i]));
	}
	ret->n_modules = DOCTOR_MODULES;
	ret->xtables_legacy = facts_config(d, "CONFIG_NETFILTER_XTABLES_LEGACY");
	ret->config = d->facts.config_where;
	ret->selinux = facts_selinux(d);
	ret->modprobe_why = why_no_modprobe(d, &path);
	ret->modprobe = !ret->modprobe_why;
	if (ret->modprobe)
		ret->modprobe_why = path;
}
