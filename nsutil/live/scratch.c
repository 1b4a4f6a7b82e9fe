/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scratch - a network namespace of one's own that is a copy of a target */
#include "nsutil/live/scratch.h"

#include <stdlib.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/live/parts.h"
#include "nsutil/nft/nft.h"
#include "nsutil/xt/xt.h"

static struct scratch *scratch_empty(void)
{
	struct scratch *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->ns = s->far = (struct netns)NETNS_INIT;
	s->arena = arena_new();
	if (!s->arena) {
		free(s);
		return NULL;
	}
	gaps_init(&s->gaps, s->arena);
	return s;
}

void scratch_free(struct scratch *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->n_listeners; i++)
		close(s->listeners[i]);
	netns_close(&s->ns);
	netns_close(&s->far);
	arena_free(s->arena);
	free(s);
}

/* Settings of links are there only behind the links; chains may be bound to links; sockets need addresses. */
int scratch_new(const struct scratch_source *src, struct scratch **ret, struct err *e)
{
	struct scratch *s = scratch_empty();

	if (!s)
		return err_oom(e);
	if (netns_make(&s->ns, e) == 0 && netns_make(&s->far, e) == 0 && scratch_links(s, src->nv, e) == 0 &&
	    scratch_settings(s, src->ns, src->nv, e) == 0 && scratch_routes(s, src->nv, e) == 0 &&
	    scratch_listeners(s, src->nv, e) == 0 && scratch_rules(s, src, e) == 0) {
		*ret = s;
		return 0;
	}
	scratch_free(s);
	return err_wrap(e, "the scratch namespace");
}

int scratch_load(const struct scratch *s, struct ruleset **ret, struct err *e)
{
	_cleanup_ruleset_ struct ruleset *rs = ruleset_new();

	if (!rs)
		return err_oom(e);
	if (xt_read(&s->ns, 3, rs, e) < 0 || nft_read(&s->ns, 1u << STORE_COMPAT | 1u << STORE_NATIVE, 0, rs, e) < 0)
		return -1;
	*ret = steal_ptr(rs);
	return 0;
}
