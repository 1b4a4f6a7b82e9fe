/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroups - control groups of version 2: by number, by path, and whether rules ask for them */
#include "nsutil/ruleset/cgroups.h"

#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/ruleset/within.h"

static int compare(const void *a, const void *b)
{
	const struct nv_cgroup *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

const struct nv_cgroup *nv_cgroup_find(const struct netview *nv, uint64_t id)
{
	struct nv_cgroup wanted = { .id = id };

	return nv->n_cgroups ? bsearch(&wanted, nv->cgroups, nv->n_cgroups, sizeof(*nv->cgroups), compare) : NULL;
}

void nv_cgroup_sort(struct netview *nv)
{
	if (nv->n_cgroups)
		qsort(nv->cgroups, nv->n_cgroups, sizeof(*nv->cgroups), compare);
}

int nv_cgroup_line(const struct netview *nv, uint64_t id, const struct nv_cgroup *ret[NV_CGROUP_LEVELS])
{
	const struct nv_cgroup *up[NV_CGROUP_LEVELS];
	unsigned n = 0;

	/* a file may have them in a circle */
	for (; id && n < NV_CGROUP_LEVELS; id = up[n++]->parent) {
		up[n] = nv_cgroup_find(nv, id);
		if (!up[n])
			return -1;
	}
	if (!n || id || up[n - 1]->id != NV_CGROUP_ROOT)
		return -1;
	for (unsigned i = 0; i < n; i++)
		ret[i] = up[n - 1 - i];
	return (int)n - 1;
}

const char *cgroup_part(const char **path, size_t *ret_n)
{
	const char *start = *path + strspn(*path, "/");

	*ret_n = strcspn(start, "/");
	*path = start + *ret_n;
	return *ret_n ? start : NULL;
}

unsigned cgroup_level(const char *path)
{
	unsigned level = 0;
	size_t n;

	while (cgroup_part(&path, &n))
		level++;
	return level;
}

static const struct nv_cgroup *child(const struct netview *nv, uint64_t parent, const char *name, size_t n)
{
	for (unsigned i = 0; i < nv->n_cgroups; i++) {
		const struct nv_cgroup *c = &nv->cgroups[i];

		if (c->parent == parent && strlen(c->name) == n && memcmp(c->name, name, n) == 0)
			return c;
	}
	return NULL;
}

int nv_cgroup_walk(const struct netview *nv, const char *path, unsigned level, uint64_t *ret)
{
	uint64_t id = NV_CGROUP_ROOT;
	bool known = true;
	size_t n;

	for (; level; level--) {
		const char *part = cgroup_part(&path, &n);
		const struct nv_cgroup *c = part && known ? child(nv, id, part, n) : NULL;

		if (!part)
			return 0;
		known = c != NULL;
		id = c ? c->id : 0;
	}
	if (!known)
		return -1;
	*ret = id;
	return 1;
}

const char *nv_cgroup_path(struct arena *a, const struct netview *nv, uint64_t id)
{
	const struct nv_cgroup *line[NV_CGROUP_LEVELS];
	int level = nv_cgroup_line(nv, id, line);
	struct buf b = BUF_INIT;
	const char *path;

	if (level < 0)
		return NULL;
	for (int i = 1; i <= level; i++)
		buf_fmt(&b, "/%s", line[i]->name);
	path = arena_strdup(a, level ? buf_cstr(&b) : "/");
	buf_free(&b);
	return path;
}

/* ---- do rules ask? ---- */

static bool expr_asks(const struct expr *x)
{
	return x->kind == EXPR_SOCKET && x->socket.key == NFT_SOCKET_CGROUPV2;
}

/* One of class ids has a meaning. */
static bool stmt_asks(const struct stmt *s)
{
	return s->kind == STMT_XT && !s->xt->meaning && strcmp(s->xt->name, "cgroup") == 0;
}

bool ruleset_asks_cgroups(const struct ruleset *rs)
{
	static const struct wanted wanted = { stmt_asks, expr_asks };

	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next)
			for (const struct rule *r = c->rules; r; r = r->next)
				if (stmts_have(r->stmts, &wanted))
					return true;
	return false;
}
