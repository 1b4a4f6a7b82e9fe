/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts_kernel - which modules the kernel has or can have, and so which legacy tables */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/doctor/check.h"
#include "nsutil/pod/hostfs.h"



static FILE *open_host(struct doctor *d, const char *path)
{
	struct hostfs h;
	int fd;
	FILE *f;

	if (hostfs_init(&h, d->t->host_root, d->arena) < 0)
		return NULL;
	fd = hostfs_open(&h, path, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	f = fdopen(fd, "r");
	if (!f)
		close(fd);
	return f;
}

/* "kernel/net/ipv4/netfilter/iptable_nat.ko.xz: needs ..." names the module, with '-' or '_'. */
static bool names_module(const char *line, const char *name)
{
	const char *end = strpbrk(line, ":\n"), *base = line;

	for (const char *c = line; *c && c != end; c++)
		if (*c == '/')
			base = c + 1;
	for (; *name; name++, base++)
		if (*base != *name && !(*name == '_' && *base == '-'))
			return false;
	return strncmp(base, ".ko", 3) == 0;
}

/* 1: the file names it, 0: it does not, -1: there is no such file */
static int listed(struct doctor *d, const char *file, const char *name)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	struct utsname u;
	size_t room = 0;
	char path[256];

	if (uname(&u) < 0)
		return -1;
	snprintf(path, sizeof(path), "/lib/modules/%s/%s", u.release, file);
	f = open_host(d, path);
	if (!f)
		return -1;
	while (getline(&line, &room, f) >= 0)
		if (names_module(line, name))
			return 1;
	return 0;
}

/* 1: loaded, 0: not, -1: the kernel has no modules, or its list may not be read */
static int loaded(struct doctor *d, const char *name)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[4200], line[1024];
	size_t n = strlen(name);

	snprintf(path, sizeof(path), "%s/modules", d->t->proc);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, name, n) == 0 && line[n] == ' ')
			return 1;
	return 0;
}

enum module_state facts_module(struct doctor *d, const char *name)
{
	char path[256];
	int builtin, file;

	if (loaded(d, name) == 1)
		return MODULE_LOADED;
	snprintf(path, sizeof(path), "/sys/module/%s", name);
	if (access(path, F_OK) == 0)
		return MODULE_BUILTIN;
	builtin = listed(d, "modules.builtin", name);
	if (builtin == 1)
		return MODULE_BUILTIN;
	if (loaded(d, name) < 0)
		return MODULE_UNKNOWN;
	file = listed(d, "modules.dep", name);
	return file == 1 ? MODULE_AVAILABLE : file == 0 && builtin == 0 ? MODULE_MISSING : MODULE_UNKNOWN;
}

const char *facts_module_name(enum module_state s)
{
	static const char *const names[] = { "not known", "loaded", "built in", "not loaded; its file is there",
					     "neither loaded nor there" };

	return names[s];
}

/* Lines of names: one of them is the word. */
static bool has_line(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		if (strncmp(at, word, n) == 0 && (at[n] == '\n' || !at[n]))
			return true;
	return false;
}

/*
 * A kernel without modules has what it has: then the list of tables is there when legacy iptables is, and
 * which tables can be made is not known before one is.
 */
enum table_state facts_table(struct doctor *d, bool v6, const char *table)
{
	const char *names = facts_proc(d, v6 ? "net/ip6_tables_names" : "net/ip_tables_names");
	char module[64];

	if (names && has_line(names, table))
		return TABLE_THERE;
	snprintf(module, sizeof(module), "%s_%s", v6 ? "ip6table" : "iptable", table);
	switch (facts_module(d, module)) {
	case MODULE_LOADED:
	case MODULE_BUILTIN:
		return TABLE_POSSIBLE;
	case MODULE_AVAILABLE:
		return TABLE_LOADABLE;
	case MODULE_MISSING:
		return TABLE_IMPOSSIBLE;
	case MODULE_UNKNOWN:
		break;
	}
	return !names && loaded(d, "ip_tables") < 0 && access("/proc/self", F_OK) == 0 ? TABLE_IMPOSSIBLE : TABLE_UNKNOWN;
}
