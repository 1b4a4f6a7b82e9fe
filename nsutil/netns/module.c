/* SPDX-License-Identifier: GPL-2.0-or-later */
/* module - is a part of the kernel there already, so that asking it loads nothing */
#include "nsutil/netns/module.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"

/* A line of /proc/modules begins with the name and a space. */
static bool line_is_module(const char *line, const char *name)
{
	size_t n = strlen(name);

	return strncmp(line, name, n) == 0 && line[n] == ' ';
}

/* A line of /proc/kallsyms: "ADDRESS TYPE SYMBOL[\t[MODULE]]"; the address is 0 for most readers. */
static bool line_is_symbol(const char *line, const char *symbol)
{
	const char *at = strchr(line, ' ');
	size_t n = strlen(symbol);

	at = at ? strchr(at + 1, ' ') : NULL;
	return at && strncmp(at + 1, symbol, n) == 0 && strchr("\t\n", at[1 + n]);
}

static bool file_has(const char *path, bool (*is)(const char *line, const char *word), const char *word)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[1024];

	while (f && fgets(line, sizeof(line), f))
		if (is(line, word))
			return true;
	return false;
}

bool module_ready(const char *name, const char *symbol)
{
	if (access("/proc/modules", F_OK) < 0 && errno == ENOENT && access("/proc/self/stat", F_OK) == 0)
		return true;
	return file_has("/proc/modules", line_is_module, name) ||
	       file_has("/proc/kallsyms", line_is_symbol, symbol);
}
