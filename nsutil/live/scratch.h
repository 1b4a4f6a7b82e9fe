/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scratch - a network namespace of one's own that is a copy of a target, for trying things out */
#ifndef NSUTIL_LIVE_SCRATCH_H
#define NSUTIL_LIVE_SCRATCH_H

#include <stdbool.h>

#include "nsutil/base/gaps.h"
#include "nsutil/netns/netns.h"
#include "nsutil/ruleset/model.h"
#include "nsutil/ruleset/netview.h"

/*
 * The scratch is two namespaces: 'ns' has the rules, links, addresses, routes, policy rules, settings and
 * listeners of the target; each of its links but lo is one end of a veth pair whose other end is in 'far', so
 * that packets can be made to come in. No process and no file stands for them: they are gone with the
 * program, however it ends. Of the target nothing is changed.
 *
 * Everything that works on a 'struct netns' works on scratch->ns: xt_commit(), nft_commit(),
 * istio_change_run(), load (xt_read(), nft_read(), netview_read()), netns_call().
 */
struct scratch {
	struct netns ns, far;
	struct gaps gaps;	/* what could not be copied, and why */
	struct arena *arena;
	int *listeners;		/* sockets in 'ns' */
	unsigned n_listeners;
};

/* What is copied. */
struct scratch_source {
	const struct netns *ns;	   /* rules and settings come from here as the kernel has them; NULL (a file):
				    * rules come from 'rs', settings stay the kernel's defaults */
	const struct ruleset *rs;  /* loaded from the target */
	const struct netview *nv;  /* likewise, with NETVIEW_ALL; or assume_netview() */
	const struct chain *const *order; /* base chains of 'rs' in the order of the kernel at equal priority, as far as */
	unsigned n_order;		  /* it is known; as in struct trace_options */
	const struct ipset_list *ipsets;  /* for the evaluator: as in struct trace_options */
	const char *ipsets_unread;
};

/**
 * scratch_new() - make the copy
 * @src:	what to copy; not needed any more afterwards
 * @ret:	set on success, to be given back with scratch_free()
 * @e:		error; ERR_PERM names CAP_SYS_ADMIN or CAP_NET_ADMIN. What can be copied in part is, and the
 *		rest is listed in ret->gaps: look at them before relying on the copy
 *
 * Return: 0, or -1
 */
int scratch_new(const struct scratch_source *src, struct scratch **ret, struct err *e);
void scratch_free(struct scratch *s);

static inline void scratch_freep(struct scratch **s)
{
	scratch_free(*s);
}
#define _cleanup_scratch_ __attribute__((cleanup(scratch_freep)))

/**
 * scratch_load() - read the rules of the scratch, as they are now
 * @s:		scratch
 * @ret:	set on success, to be given back with ruleset_free()
 * @e:		error
 *
 * Return: 0, or -1
 */
int scratch_load(const struct scratch *s, struct ruleset **ret, struct err *e);

#endif
