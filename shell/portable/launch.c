/* SPDX-License-Identifier: GPL-2.0-or-later */
/* launch - starts the program of the portable folder with the loader and libraries beside it; links statically */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* In an empty root there is no /proc; then the kernel's word for what was executed has to do. */
static int own_folder(char *ret, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", ret, size - 1);
	const char *name = (const char *)getauxval(AT_EXECFN);
	char *slash;

	if (n > 0)
		ret[n] = '\0';
	else if (!name || !realpath(name, ret))
		return -1;
	slash = strrchr(ret, '/');
	if (!slash)
		return -1;
	*slash = '\0';
	return 0;
}

int main(int argc, char **argv)
{
	static char folder[PATH_MAX], loader[PATH_MAX + 16], libs[PATH_MAX + 16], program[PATH_MAX + 16];
	char **args = calloc((size_t)argc + 7, sizeof(*args));
	int n = 0;

	if (!args || own_folder(folder, sizeof(folder)) < 0) {
		fprintf(stderr, "cnish: cannot tell in which folder it is\n");
		return 5;
	}
	snprintf(loader, sizeof(loader), "%s/lib/ld.so", folder);
	snprintf(libs, sizeof(libs), "%s/lib", folder);
	snprintf(program, sizeof(program), "%s/lib/cnish", folder);
	args[n++] = loader;
	args[n++] = "--argv0";
	args[n++] = "cnish";
	args[n++] = "--library-path";
	args[n++] = libs;
	args[n++] = program;
	for (int i = 1; i < argc; i++)
		args[n++] = argv[i];
	execv(loader, args);
	fprintf(stderr, "cnish: cannot run %s: %s\n", loader, strerror(errno));
	return 5;
}
