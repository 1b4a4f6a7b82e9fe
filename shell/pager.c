/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pager - programs that read what a command prints: the pager, and the right side of a '|' */
#include "shell/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int start(struct pager *p, const char *const argv[])
{
	int pipefd[2];

	if (pipe2(pipefd, O_CLOEXEC))
		return -1;
	p->pid = fork();
	if (p->pid == 0) {
		dup2(pipefd[0], STDIN_FILENO);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(pipefd[0]);
	if (p->pid < 0) {
		close(pipefd[1]);
		return -1;
	}
	p->fd = pipefd[1];
	return 0;
}

int pager_shell(struct pager *p, const char *command)
{
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };

	return start(p, argv);
}

/* Whether PATH has a program of this name. */
static bool in_path(const char *name)
{
	const char *path = getenv("PATH");
	char file[512];

	while (path && *path) {
		int n = (int)strcspn(path, ":");

		if (snprintf(file, sizeof(file), "%.*s/%s", n, path, name) < (int)sizeof(file) &&
		    access(file, X_OK) == 0)
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

int pager_start(void *arg)
{
	static const char *const less[] = { "less", "-FRX", NULL };
	struct pager *p = arg;
	const char *pager = p->command && *p->command ? p->command : getenv("PAGER");

	if (pager && (!*pager || strcmp(pager, "cat") == 0))
		return -1;
	if (pager)
		return pager_shell(p, pager) ? -1 : p->fd;
	if (!in_path(less[0]) || start(p, less))
		return -1;
	return p->fd;
}

void pager_stop(struct pager *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	while (p->pid > 0 && waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		;
	p->pid = -1;
}
