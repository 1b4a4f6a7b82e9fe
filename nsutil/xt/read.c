/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read - the legacy tables of a namespace into the model */
#include <errno.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/xt/blob.h"
#include "nsutil/xt/sets.h"
#include "nsutil/xt/xt.h"

#define NAMES_MAX     4096
#define READ_ATTEMPTS 10
#define BLOB_MAX      (1u << 30) /* the kernel's own bound (net/netfilter/x_tables.c, XT_MAX_TABLE_SIZE is 512 MB) */

/*
 * The tables are asked for with the two getsockopt calls that libiptc makes too, not through it:
 * it would make a second copy of each rule, and the blob itself can stay as what the model's
 * extensions point into. (Any INET socket will do, so reading needs CAP_NET_ADMIN only.)
 */
static int get_info(int fd, const struct xt_blob_family *f, struct xt_blob *b)
{
	struct ipt_getinfo info = { .valid_hooks = 0 }; /* same layout in both families */
	socklen_t len = sizeof(info);

	memcpy(info.name, b->table, sizeof(info.name));
	if (getsockopt(fd, f->level, f->get_info, &info, &len) < 0)
		return -errno;
	b->valid_hooks = info.valid_hooks;
	memcpy(b->hook_entry, info.hook_entry, sizeof(b->hook_entry));
	memcpy(b->underflow, info.underflow, sizeof(b->underflow));
	b->n_entries = info.num_entries;
	b->size = info.size;
	return 0;
}

/* The room is the arena's: after a change in between, the smaller table fits the room at hand. */
static int get_entries(int fd, const struct xt_blob_family *f, struct arena *a, struct xt_blob *b)
{
	struct ipt_get_entries *get;
	socklen_t len = (socklen_t)(sizeof(*get) + b->size);

	if (b->size > BLOB_MAX)
		return -EFBIG;
	get = arena_alloc(a, len);
	if (!get)
		return -ENOMEM;
	memcpy(get->name, b->table, sizeof(get->name));
	get->size = b->size;
	if (getsockopt(fd, f->level, f->get_entries, get, &len) < 0)
		return -errno;
	b->entries = (const uint8_t *)get->entrytable;
	return 0;
}

/* A table that changes between the two calls is noticed by its size (EAGAIN): ask again. */
int xt_blob_fetch(int fd, struct arena *a, struct xt_blob *b, struct err *e)
{
	const struct xt_blob_family *f = b->family;
	int r = 0;

	for (unsigned i = 0; i < READ_ATTEMPTS; i++) {
		r = get_info(fd, f, b);
		if (r == 0)
			r = get_entries(fd, f, a, b);
		if (r != -EAGAIN)
			break;
	}
	if (r == -EAGAIN)
		return err_set(e, ERR_SYS, "cannot read the legacy table",
			       "it changed each time while it was read, %d times", READ_ATTEMPTS);
	return r < 0 ? err_cap(e, r, "CAP_NET_ADMIN", "cannot read the legacy table") : 0;
}

static int read_table(int fd, const struct xt_blob_family *f, struct ruleset *rs, const char *name,
		      struct err *e)
{
	struct xt_blob b = { .family = f };

	if (strlen(name) >= sizeof(b.table))
		return 0;
	memcpy(b.table, name, strlen(name));
	if (xt_blob_fetch(fd, rs->arena, &b, e) < 0 || xt_blob_decode(&b, rs, e) < 0)
		return err_wrap(e, "%s table '%s'", family_name(f->family), name);
	return 0;
}

/* One table that cannot be read does not hide the others. */
static int read_names(int fd, const struct xt_blob_family *f, struct ruleset *rs, char *names, struct err *e)
{
	char *save = NULL;
	unsigned failed = 0, done = 0;

	for (char *n = strtok_r(names, "\n", &save); n; n = strtok_r(NULL, "\n", &save)) {
		struct err why = ERR_INIT;

		if (read_table(fd, f, rs, n, &why) == 0) {
			done++;
			continue;
		}
		failed++;
		if (ruleset_add_unread(rs, STORE_LEGACY, f->family, n, why.why) < 0)
			return err_oom(e);
		if (e)
			*e = why;
	}
	return failed && !done ? -1 : 0;
}

int xt_table_names(const struct netns *ns, const struct xt_blob_family *f, char **ret, struct err *e)
{
	struct err why = ERR_INIT;

	*ret = NULL;
	if (netns_read_proc(ns, f->names_file, NAMES_MAX, ret, NULL, &why) == 0)
		return 0;
	if (why.errnum == ENOENT)
		return 0; /* no legacy support for the family */
	if (e)
		*e = why;
	return -1;
}

static int read_family(const struct netns *ns, const struct xt_blob_family *f, struct ruleset *rs,
		       bool *ret_offered, struct err *e)
{
	_cleanup_free_ char *names = NULL;
	_cleanup_close_ int fd = -1;

	if (xt_table_names(ns, f, &names, e) < 0)
		return -1;
	if (!names)
		return 0;
	*ret_offered = true;
	if (names[0] == '\0')
		return 0;
	fd = netns_socket(ns, f->domain, SOCK_DGRAM, 0, e);
	return fd < 0 ? -1 : read_names(fd, f, rs, names, e);
}

int xt_read(const struct netns *ns, unsigned families, struct ruleset *rs, struct err *e)
{
	if ((families & 1) && read_family(ns, &xt_blob_ipv4, rs, &rs->legacy_v4, e) < 0)
		return -1;
	if ((families & 2) && read_family(ns, &xt_blob_ipv6, rs, &rs->legacy_v6, e) < 0)
		return -1;
	xt_name_sets(ns, rs, NULL); /* without names, sets are shown by number and are unknown to the trace */
	return 0;
}
