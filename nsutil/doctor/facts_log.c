/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts_log - finds istio-init's log among the node's files, or takes the one the user gave */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/doctor/check.h"
#include "nsutil/pod/hostfs.h"

/* The end of a file, LOG_MAX bytes at most. Return: its length, or -1 */
static long read_tail(int fd, char **ret)
{
	struct stat st;
	size_t got = 0;
	char *text;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	if (st.st_size > LOG_MAX && lseek(fd, st.st_size - LOG_MAX, SEEK_SET) < 0)
		return -1;
	text = malloc(LOG_MAX);
	while (text && got < LOG_MAX) {
		ssize_t n = read(fd, text + got, LOG_MAX - got);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	*ret = text;
	return text ? (long)got : -1;
}

/* The log of the last start: "3.log" follows "2.log"; older ones are kept for a while. */
static int newest(const struct hostfs *h, const char *dir)
{
	_cleanup_closedir_ DIR *at = hostfs_opendir(h, dir);
	const struct dirent *de;
	int best = -1;

	while (at && (de = readdir(at))) {
		char *end;
		long n = strtol(de->d_name, &end, 10);

		if (end != de->d_name && strcmp(end, ".log") == 0 && n > best && n < 1000000)
			best = (int)n;
	}
	return best;
}

static void take(struct doctor *d, const char *text, size_t len, const char *where)
{
	if (log_parse(text, len, d->arena, &d->facts.log) < 0)
		d->failed = true;
	else
		d->facts.log_where = where;
}

static void read_file(struct doctor *d, const struct hostfs *h, const char *path)
{
	_cleanup_close_ int fd = path ? hostfs_open(h, path, O_RDONLY | O_NONBLOCK) : -1;
	_cleanup_free_ char *text = NULL;
	long len = fd < 0 ? -1 : read_tail(fd, &text);

	if (len >= 0)
		take(d, text, (size_t)len, path);
}

/* Where kubelet has it, whatever the runtime. */
static void read_pod_log(struct doctor *d, const struct hostfs *h, const char *container)
{
	const struct pod *p = d->t->pod;
	const char *dir;
	int n;

	if (!p->k8s_namespace || !p->name || !p->uid)
		return;
	dir = arena_printf(d->arena, "/var/log/pods/%s_%s_%s/%s", p->k8s_namespace, p->name, p->uid, container);
	if (!dir || strstr(dir, "/../"))
		return;
	n = newest(h, dir);
	if (n >= 0)
		read_file(d, h, arena_printf(d->arena, "%s/%d.log", dir, n));
}

static void find_pod_log(struct doctor *d, const struct hostfs *h)
{
	static const char *const writers[] = { "istio-init", "istio-validation" };

	for (unsigned i = 0; i < ARRAY_SIZE(writers); i++) {
		/* The runtime knows the file, wherever its folder is; the newest start comes first. */
		for (const struct launch *l = d->t->pod->launches; l && !d->facts.log_where; l = l->next)
			if (strcmp(l->container, writers[i]) == 0)
				read_file(d, h, l->log);
		if (!d->facts.log_where)
			read_pod_log(d, h, writers[i]);
		if (d->facts.log_where)
			return;
	}
}

static void find_log(struct doctor *d)
{
	const struct pod *p = d->t->pod;
	struct hostfs h;

	if (d->opt->log) {
		take(d, d->opt->log, d->opt->log_len, d->opt->log_name);
		return;
	}
	if (!p) {
		d->facts.log_why = "the target is no pod; --log FILE gives a log";
		return;
	}
	if (hostfs_init(&h, d->t->host_root, d->arena) < 0) {
		d->failed = true;
		return;
	}
	find_pod_log(d, &h);
	if (!d->facts.log_where)
		d->facts.log_why = "no log of istio-init where the runtime or kubelet would keep it; --log FILE gives one";
}

const struct log *facts_log(struct doctor *d)
{
	if (!d->facts.asked_log)
		find_log(d);
	d->facts.asked_log = true;
	return d->facts.log_where ? &d->facts.log : NULL;
}
