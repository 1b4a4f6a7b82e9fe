/* SPDX-License-Identifier: GPL-2.0-or-later */
/* native - native tables of a file in the scratch: as text, by the program nft */
#include <errno.h>
#include <linux/memfd.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/live/parts.h"
#include "nsutil/ruleset/text.h"

extern char **environ;

struct nft_job {
	int in, out;
	int status; /* of waitpid() */
	int error;  /* errno of the start */
};

static void start(struct nft_job *job, pid_t *pid)
{
	char *argv[] = { (char[]){ "nft" }, (char[]){ "-f" }, (char[]){ "-" }, NULL };
	posix_spawn_file_actions_t fa;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, job->in, 0);
	posix_spawn_file_actions_adddup2(&fa, job->out, 1);
	posix_spawn_file_actions_adddup2(&fa, job->out, 2);
	job->error = posix_spawnp(pid, argv[0], &fa, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
}

/* The program is where this thread is. */
static int run_nft(void *arg, struct err *e)
{
	struct nft_job *job = arg;
	pid_t pid = -1;

	(void)e;
	start(job, &pid);
	while (!job->error && waitpid(pid, &job->status, 0) < 0)
		if (errno != EINTR)
			job->error = errno;
	return 0;
}

/* "/dev/stdin:4:5-9: Error: syntax error, ..." without the place, which is none of the user's */
static void first_line(int fd, char *ret, size_t size)
{
	ssize_t n = pread(fd, ret, size - 1, 0);
	char *colon;

	ret[n > 0 ? n : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	colon = strstr(ret, "Error: ");
	if (colon)
		memmove(ret, colon + 7, strlen(colon + 7) + 1);
}

static const char *load_text(const struct scratch *s, const struct buf *text, char *room, size_t size)
{
	_cleanup_close_ int in = memfd_create("cnish-rules", MFD_CLOEXEC), out = memfd_create("cnish-answer", MFD_CLOEXEC);
	struct nft_job job = { .in = in, .out = out };

	if (in < 0 || out < 0 || write(in, text->data, text->len) != (ssize_t)text->len || lseek(in, 0, SEEK_SET) < 0)
		return "no room for the text";
	if (netns_call(&s->ns, run_nft, &job, NULL) < 0)
		return "the scratch cannot be entered";
	if (job.error == ENOENT)
		return "native rules of a file are loaded by the program nft, which is not here";
	if (job.error)
		return strerror(job.error);
	if (WIFEXITED(job.status) && WEXITSTATUS(job.status) == 0)
		return NULL;
	first_line(out, room, size);
	return room[0] ? room : "nft refused it";
}

int scratch_native_table(const struct scratch *s, const struct table *t, struct err *e)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	char room[200];
	const char *why;

	table_nft(t, false, &text);
	why = text.failed ? "memory ran out" : load_text(s, &text, room, sizeof(room));
	if (why)
		return err_set(e, ERR_SYS, "this file cannot be tried out", "its native %s table %s: %s", family_name(t->family),
			       t->name, why);
	return 0;
}
