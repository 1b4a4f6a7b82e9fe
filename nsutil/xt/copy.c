/* SPDX-License-Identifier: GPL-2.0-or-later */
/* copy - the legacy tables of a namespace made again in another one, from the kernel's own bytes */
#include "nsutil/xt/copy.h"

#include <errno.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/xt/blob.h"

_Static_assert(sizeof(struct ipt_replace) == sizeof(struct ip6t_replace) &&
		       IPT_SO_SET_REPLACE == (int)IP6T_SO_SET_REPLACE,
	       "both families are replaced alike");

/* net/ipv4/netfilter/ip_tables.c, do_replace(): the counters of the old rules are handed back. */
static int replace(int fd, const struct xt_blob *b, uint32_t old_entries)
{
	size_t size = sizeof(struct ipt_replace) + b->size;
	_cleanup_free_ struct ipt_replace *r = calloc(1, size);
	_cleanup_free_ struct xt_counters *counters = calloc(old_entries ? old_entries : 1, sizeof(*counters));

	if (!r || !counters)
		return ENOMEM;
	memcpy(r->name, b->table, sizeof(r->name));
	r->valid_hooks = b->valid_hooks;
	r->num_entries = b->n_entries;
	r->size = b->size;
	memcpy(r->hook_entry, b->hook_entry, sizeof(r->hook_entry));
	memcpy(r->underflow, b->underflow, sizeof(r->underflow));
	r->num_counters = old_entries;
	r->counters = counters;
	memcpy(r->entries, b->entries, b->size);
	return setsockopt(fd, b->family->level, IPT_SO_SET_REPLACE, r, (socklen_t)size) < 0 ? errno : 0;
}

static int copy_table(int from, int to, const struct xt_blob_family *f, const char *name, struct arena *a,
		      struct gaps *gaps, struct err *e)
{
	struct xt_blob b = { .family = f }, fresh = { .family = f };
	struct err why = ERR_INIT;
	int error;

	if (strlen(name) >= sizeof(b.table))
		return 0;
	memcpy(b.table, name, strlen(name));
	memcpy(fresh.table, name, strlen(name));
	if (xt_blob_fetch(from, a, &b, e) < 0)
		return err_wrap(e, "%s table '%s'", family_name(f->family), name);
	if (xt_blob_fetch(to, a, &fresh, &why) < 0) {
		gaps_add(gaps, why.why, "legacy %s table %s", family_name(f->family), name);
		return 0;
	}
	error = replace(to, &b, fresh.n_entries);
	if (error)
		gaps_add(gaps, strerror(error), "the rules of legacy %s table %s", family_name(f->family), name);
	return 0;
}

/* The kernel lists the newest table first (xt_register_table adds at the head): the last of them is made first. */
static int copy_names(int from, int to, const struct xt_blob_family *f, char *names, struct gaps *gaps, struct err *e)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char *last;

	if (!a)
		return err_oom(e);
	while (*names) {
		size_t n = strlen(names);

		if (names[n - 1] == '\n') {
			names[n - 1] = '\0';
			continue;
		}
		last = strrchr(names, '\n');
		if (copy_table(from, to, f, last ? last + 1 : names, a, gaps, e) < 0)
			return -1;
		*(last ? last : names) = '\0';
	}
	return 0;
}

static int copy_family(const struct netns *from, const struct netns *to, const struct xt_blob_family *f,
		       struct gaps *gaps, struct err *e)
{
	_cleanup_free_ char *names = NULL;
	_cleanup_close_ int source = -1, sink = -1;

	if (xt_table_names(from, f, &names, e) < 0)
		return -1;
	if (!names || names[0] == '\0')
		return 0;
	source = netns_socket(from, f->domain, SOCK_DGRAM, 0, e);
	sink = source < 0 ? -1 : netns_socket(to, f->domain, SOCK_RAW, IPPROTO_RAW, e);
	return sink < 0 ? -1 : copy_names(source, sink, f, names, gaps, e);
}

int xt_copy(const struct netns *from, const struct netns *to, struct gaps *gaps, struct err *e)
{
	return copy_family(from, to, &xt_blob_ipv4, gaps, e) < 0 || copy_family(from, to, &xt_blob_ipv6, gaps, e) < 0
		       ? -1 : 0;
}
