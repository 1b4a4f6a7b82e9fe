/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmod - would asking the kernel for something load a module? */
#include "nsutil/netns/kmod.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"

static FILE *open_below(const char *root, const char *path)
{
	char full[PATH_MAX];

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return NULL;
	return fopen(full, "re");
}

static bool exists_below(const char *root, const char *path)
{
	char full[PATH_MAX];

	return snprintf(full, sizeof(full), "%s%s", root, path) < (int)sizeof(full) &&
	       access(full, F_OK) == 0;
}

/* /proc/modules: the name is the first word of a line. */
static bool listed_as_loaded(FILE *f, const char *name)
{
	char line[1024];
	size_t len = strlen(name);

	while (fgets(line, sizeof(line), f))
		if (strncmp(line, name, len) == 0 && line[len] == ' ')
			return true;
	return false;
}

/* modules.builtin holds paths, with '-' or '_' as the source file has it: "kernel/net/.../xt_mark.ko". */
static bool line_names_module(const char *line, const char *name)
{
	const char *base = strrchr(line, '/');

	base = base ? base + 1 : line;
	for (; *name; name++, base++)
		if (*base != *name && !(*name == '_' && *base == '-'))
			return false;
	return strncmp(base, ".ko", 3) == 0;
}

static enum kmod_state builtin_list(const char *root, const char *name)
{
	char path[PATH_MAX], line[1024];
	FILE *f _cleanup_fclose_ = NULL;
	struct utsname uts;

	if (uname(&uts) < 0)
		return KMOD_UNKNOWN;
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin", uts.release);
	f = open_below(root, path);
	if (!f)
		return KMOD_UNKNOWN;
	while (fgets(line, sizeof(line), f))
		if (line_names_module(line, name))
			return KMOD_READY;
	return KMOD_ABSENT;
}

/* Lines are "ADDRESS TYPE NAME[\t[MODULE]]"; names are there for everybody, addresses need not be. */
static enum kmod_state kernel_symbol(const char *root, const char *symbol)
{
	FILE *f _cleanup_fclose_ = open_below(root, "/proc/kallsyms");
	char line[1024];
	bool any = false;

	if (!f)
		return KMOD_UNKNOWN;
	while (fgets(line, sizeof(line), f)) {
		char *name = strchr(line, ' ');

		name = name ? strchr(name + 1, ' ') : NULL;
		if (!name)
			continue;
		any = true;
		name[1 + strcspn(name + 1, "\t\n")] = '\0';
		if (strcmp(name + 1, symbol) == 0)
			return KMOD_READY;
	}
	return any ? KMOD_ABSENT : KMOD_UNKNOWN;
}

static enum kmod_state look_for(const char *host_root, const char *name, const char *symbol)
{
	const char *root = strcmp(host_root, "/") == 0 ? "" : host_root;
	FILE *loaded _cleanup_fclose_ = open_below(root, "/proc/modules");
	char path[256];
	enum kmod_state state;

	if (!loaded)
		return exists_below(root, "/proc/self") ? KMOD_READY : KMOD_UNKNOWN;
	if (listed_as_loaded(loaded, name))
		return KMOD_READY;
	snprintf(path, sizeof(path), "/sys/module/%s", name);
	if (exists_below(root, path))
		return KMOD_READY;
	state = builtin_list(root, name);
	if (state == KMOD_UNKNOWN && symbol)
		state = kernel_symbol(root, symbol);
	return state;
}

/*
 * What was there a moment ago is there still: many namespaces are read within a second, and each asks for the same
 * modules. That one is absent is not kept.
 */
static _Thread_local struct {
	char name[32];
	time_t second;
} seen[4];
static _Thread_local unsigned oldest;

static bool seen_lately(const char *name, time_t second)
{
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		if (seen[i].second == second && strcmp(seen[i].name, name) == 0)
			return true;
	return false;
}

static void note_seen(const char *name, time_t second)
{
	if (strlen(name) >= sizeof(seen[0].name))
		return;
	strcpy(seen[oldest].name, name);
	seen[oldest].second = second;
	oldest = (oldest + 1) % ARRAY_SIZE(seen);
}

enum kmod_state kmod_state(const char *host_root, const char *name, const char *symbol)
{
	bool own = strcmp(host_root, "/") == 0;
	enum kmod_state state;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (own && seen_lately(name, now.tv_sec))
		return KMOD_READY;
	state = look_for(host_root, name, symbol);
	if (own && state == KMOD_READY)
		note_seen(name, now.tv_sec);
	return state;
}
