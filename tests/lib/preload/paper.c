/* SPDX-License-Identifier: GPL-2.0-or-later */
/* paper - a kernel of paper: what a program writes to a legacy table lies in a file, and is read from there */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * With LD_PRELOAD: every extension and revision is taken unseen, so that one can be tested which the kernel at
 * hand does not have, or no longer offers. Environment: PAPER (a file; .TABLE is added), PAPER_REV
 * (the newest revision that is said to be there). A table that was never written is the kernel's own.
 * struct ipt_replace and ip6t_replace, and the structures of the questions, are laid out alike.
 */
_Static_assert(sizeof(struct ipt_replace) == sizeof(struct ip6t_replace), "the families differ");
_Static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo), "the families differ");
_Static_assert(offsetof(struct ipt_get_entries, entrytable) == offsetof(struct ip6t_get_entries, entrytable),
	       "the families differ");

static int open_paper(const char *table, int flags)
{
	const char *paper = getenv("PAPER");
	char path[4096];

	if (!paper)
		return -1;
	snprintf(path, sizeof(path), "%s.%.*s", paper, XT_TABLE_MAXNAMELEN, table);
	return open(path, flags | O_CLOEXEC, 0600);
}

/* The table as it was written, or NULL */
static struct ipt_replace *read_paper(const char *table)
{
	int fd = open_paper(table, O_RDONLY);
	struct ipt_replace *r = NULL;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && (r = malloc((size_t)st.st_size)) &&
	    read(fd, r, (size_t)st.st_size) != st.st_size) {
		free(r);
		r = NULL;
	}
	if (fd >= 0)
		close(fd);
	return r;
}

static int write_paper(const struct ipt_replace *r, socklen_t len)
{
	int fd = open_paper(r->name, O_WRONLY | O_CREAT | O_TRUNC);
	bool done = fd >= 0 && write(fd, r, len) == (ssize_t)len;

	if (fd >= 0)
		close(fd);
	if (!done) {
		errno = EIO;
		return -1;
	}
	memset(r->counters, 0, r->num_counters * sizeof(*r->counters));
	return 0;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	int (*real)(int, int, int, const void *, socklen_t) = dlsym(RTLD_NEXT, "setsockopt");

	if ((level == IPPROTO_IP || level == IPPROTO_IPV6) && getenv("PAPER")) {
		if (name == IPT_SO_SET_REPLACE)
			return write_paper(value, len);
		if (name == IPT_SO_SET_ADD_COUNTERS)
			return 0;
	}
	return real(fd, level, name, value, len);
}

static int answer_info(struct ipt_getinfo *info, const struct ipt_replace *r)
{
	info->valid_hooks = r->valid_hooks;
	memcpy(info->hook_entry, r->hook_entry, sizeof(info->hook_entry));
	memcpy(info->underflow, r->underflow, sizeof(info->underflow));
	info->num_entries = r->num_entries;
	info->size = r->size;
	return 0;
}

static int answer_entries(struct ipt_get_entries *to, const struct ipt_replace *r)
{
	if (to->size != r->size) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(to->entrytable, r->entries, r->size);
	return 0;
}

/* What the kernel has not at all is there; of what it has, the revisions that it has. */
static bool has_revision(int real, const struct xt_get_revision *r)
{
	const char *most = getenv("PAPER_REV");

	return (!most || r->revision <= atoi(most)) && (real == 0 || errno == ENOENT);
}

static bool asks_revision(int level, int name)
{
	return level == IPPROTO_IP ? name == IPT_SO_GET_REVISION_MATCH || name == IPT_SO_GET_REVISION_TARGET :
				     name == IP6T_SO_GET_REVISION_MATCH || name == IP6T_SO_GET_REVISION_TARGET;
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	int (*real)(int, int, int, void *, socklen_t *) = dlsym(RTLD_NEXT, "getsockopt");
	struct ipt_replace *r = NULL;
	int result;

	if ((level != IPPROTO_IP && level != IPPROTO_IPV6) || !getenv("PAPER"))
		return real(fd, level, name, value, len);
	if (asks_revision(level, name)) {
		if (has_revision(real(fd, level, name, value, len), value))
			return 0;
		errno = EPROTONOSUPPORT;
		return -1;
	}
	if (name == IPT_SO_GET_INFO || name == IPT_SO_GET_ENTRIES)
		r = read_paper(value);
	if (!r)
		return real(fd, level, name, value, len);
	result = name == IPT_SO_GET_INFO ? answer_info(value, r) : answer_entries(value, r);
	free(r);
	return result;
}
