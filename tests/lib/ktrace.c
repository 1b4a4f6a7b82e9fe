/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ktrace - collects the kernel's own trace of both worlds while a command runs, as one ordered list */
/*
 * ktrace [-o FILE] CMD...
 *   -o FILE  where CMD's output goes; else it is thrown away
 * Runs CMD and prints what the kernel said meanwhile in this network namespace, a JSON object per line:
 *   {"world":"legacy","family":"ip","hook":3,"table":"nat","chain":"OUTPUT","type":"rule","rule":1}
 *   {"world":"nft","family":"ip","id":7,"table":"nat","chain":"OUTPUT","type":"rule","handle":9,
 *    "verdict":"jump","to":"ISTIO_OUTPUT"}
 * type is rule, return (the end of a chain) or policy. Something must set the trace bit of the packets
 * ("meta nftrace set 1"). Ends with CMD's status.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nsutil/live/ktrace.h"
#include "nsutil/ruleset/model.h"

#define QUIET_MS 50 /* nothing came for so long after CMD ended: that was all */

static const char *type_word(enum ktrace_type t)
{
	return t == KTRACE_RULE ? "rule" : t == KTRACE_RETURN ? "return" : "policy";
}

static void print_legacy(const struct ktrace_step *s)
{
	printf("{\"world\":\"legacy\",\"family\":\"%s\",\"hook\":%d,\"table\":\"%s\",\"chain\":\"%s\","
	       "\"type\":\"%s\",\"rule\":%u}\n", family_name(s->family), s->hook, s->table, s->chain, type_word(s->type), s->number);
}

static void print_nft(const struct ktrace_step *s)
{
	printf("{\"world\":\"nft\",\"family\":\"%s\",\"id\":%u,\"table\":\"%s\",\"chain\":\"%s\",\"type\":\"%s\"",
	       family_name(s->family), s->id, s->table, s->chain, type_word(s->type));
	if (s->handle)
		printf(",\"handle\":%llu", (unsigned long long)s->handle);
	if (s->type != KTRACE_RETURN)
		printf(",\"verdict\":\"%s\"", verdict_name(s->verdict));
	if (s->to[0])
		printf(",\"to\":\"%s\"", s->to);
	printf("}\n");
}

static void print_step(void *arg, const struct ktrace_step *s)
{
	(void)arg;
	if (s->legacy)
		print_legacy(s);
	else
		print_nft(s);
}

static void check(int r, const struct err *e)
{
	if (r < 0)
		errx(2, "%s: %s", e->what, e->why);
}

static pid_t start(char **argv, const char *output)
{
	pid_t pid = fork();
	int fd;

	if (pid < 0)
		err(2, "fork");
	if (pid)
		return pid;
	fd = open(output ? output : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || dup2(fd, 1) < 0)
		err(2, "%s", output ? output : "/dev/null");
	execvp(argv[0], argv);
	err(127, "%s", argv[0]);
}

int main(int argc, char **argv)
{
	const char *output = NULL;
	struct err e = ERR_INIT;
	struct ktrace *kt;
	struct netns ns;
	int status, c, n;
	pid_t pid;

	while ((c = getopt(argc, argv, "+o:")) != -1) {
		if (c != 'o')
			return 2;
		output = optarg;
	}
	if (optind == argc)
		errx(2, "usage: ktrace [-o FILE] CMD...");
	check(netns_open_self(&ns, &e), &e);
	check(ktrace_open(&ns, true, &kt, &e), &e);
	pid = start(argv + optind, output);
	if (waitpid(pid, &status, 0) < 0)
		err(2, "waitpid");
	while ((n = ktrace_read(kt, QUIET_MS, print_step, NULL, &e)) > 0)
		;
	check(n, &e);
	ktrace_close(kt);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
