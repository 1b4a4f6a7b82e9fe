/* SPDX-License-Identifier: GPL-2.0-or-later */
/* measure - runs two commands in turn and prints the least time and the peak memory of each */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * measure ROUNDS COMMAND COMMAND     shell command lines; their output is thrown away
 * prints "SECONDS KBYTES SECONDS KBYTES". Taking turns, both meet the same load of the machine; the least
 * of several rounds is the one that was disturbed least.
 */
struct result {
	double secs;
	long kbytes;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run(const char *line, struct result *best)
{
	double start = now(), secs;
	struct rusage use;
	int status, fd;
	pid_t pid = fork();

	if (pid == 0) {
		fd = open("/dev/null", O_RDWR);
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
		execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &use) != pid)
		return -1;
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
		fprintf(stderr, "measure: failed: %s\n", line);
		return -1;
	}
	secs = now() - start;
	if (best->secs == 0 || secs < best->secs)
		best->secs = secs;
	if (use.ru_maxrss > best->kbytes)
		best->kbytes = use.ru_maxrss;
	return 0;
}

int main(int argc, char **argv)
{
	struct result a = { 0, 0 }, b = { 0, 0 };

	if (argc != 4)
		return 2;
	for (int i = 0; i < atoi(argv[1]); i++)
		if (run(argv[2], &a) != 0 || run(argv[3], &b) != 0)
			return 1;
	printf("%.4f %ld %.4f %ld\n", a.secs, a.kbytes, b.secs, b.kbytes);
	return 0;
}
