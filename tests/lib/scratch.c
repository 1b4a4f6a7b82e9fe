/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scratch - makes the scratch copy of a target and runs a command in it */
/*
 * scratch [-r] TARGET CMD...
 *   -r  the legacy tables are said to be the newest (they run first at equal priority)
 * Says on standard error what could not be copied ("gap: WHAT: WHY"). Ends with CMD's status; 100: no scratch.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nsutil/live/scratch.h"
#include "nsutil/load.h"
#include "nsutil/netns/run.h"

static const struct chain *order[256];

static unsigned add_bases(const struct ruleset *rs, bool legacy, unsigned n)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = t->chains; c && n < 256; c = c->next)
			if (c->base && (t->store == STORE_LEGACY) == legacy)
				order[n++] = c;
	return n;
}

int main(int argc, char **argv)
{
	struct pod_options po = { .host_root = "/" };
	struct scratch_source src = { .order = order };
	struct ruleset *rs = NULL;
	struct netview *nv = NULL;
	struct target *target;
	struct scratch *s;
	struct err e = ERR_INIT;
	bool newest = argc > 1 && strcmp(argv[1], "-r") == 0;
	int status;

	argv += newest;
	argc -= newest;
	if (argc < 3)
		errx(2, "usage: scratch [-r] TARGET CMD...");
	if (target_open(argv[1], &po, &target, &e) < 0 || load_ruleset(target, LOAD_ALL, &rs, &e) < 0 ||
	    load_netview(target, NETVIEW_ALL, &nv, &e) < 0)
		errx(100, "%s: %s", e.what, e.why);
	if (newest)
		src.n_order = add_bases(rs, false, add_bases(rs, true, 0));
	src.ns = target->kind == TARGET_FILE ? NULL : &target->netns;
	src.rs = rs;
	src.nv = nv;
	if (scratch_new(&src, &s, &e) < 0)
		errx(100, "%s: %s", e.what, e.why);
	for (const struct gap *g = s->gaps.first; g; g = g->next)
		fprintf(stderr, "gap: %s: %s\n", g->what, g->why);
	if (run_inside(&s->ns, argv + 2, &status, &e) < 0)
		errx(100, "%s: %s", e.what, e.why);
	scratch_free(s);
	netview_free(nv);
	ruleset_free(rs);
	target_free(target);
	return status;
}
