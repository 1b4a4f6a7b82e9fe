/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shape - rules of shared chains that can only be Istio's, told by what they are */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/istio/compare.h"

enum { PROXY_MARK = 1338 }; /* compiled into Istio: packets of the proxy to itself */

static bool leads_to_istio(const struct rule *r)
{
	for (const struct stmt *s = r->stmts; s; s = s->next)
		if (s->kind == STMT_VERDICT && s->verdict.chain && istio_owns_chain(s->verdict.chain))
			return true;
	return false;
}

/* The statement itself, or what an xt match or target means. */
static const struct stmt *meaning(const struct stmt *s)
{
	return s->kind == STMT_XT ? s->xt->meaning : s;
}

static bool is_meta_mark(const struct expr *x)
{
	return x && x->kind == EXPR_META && x->meta_key == NFT_META_MARK;
}

static bool sets_mark(const struct stmt *s, uint64_t mark)
{
	const struct expr *v;

	if (!s || s->kind != STMT_SET_VALUE || !is_meta_mark(s->set_value.target))
		return false;
	v = s->set_value.value;
	return v && v->kind == EXPR_VALUE && expr_uint(v) == mark;
}

static bool asks_owner(const struct stmt *s)
{
	const struct expr *left = s && s->kind == STMT_MATCH ? s->match.left : NULL;

	return left && left->kind == EXPR_META &&
	       (left->meta_key == NFT_META_SKUID || left->meta_key == NFT_META_SKGID);
}

/* "-o lo ... -m owner --uid-owner U -j MARK --set-mark 1338" of mangle OUTPUT. */
static bool is_tproxy_mark(const struct rule *r)
{
	bool owner = false, mark = false;

	for (const struct stmt *s = r->stmts; s; s = s->next)
		for (const struct stmt *m = meaning(s); m; m = s->kind == STMT_XT ? m->next : NULL) {
			owner |= asks_owner(m);
			mark |= sets_mark(m, PROXY_MARK);
		}
	return owner && mark;
}

bool istio_owns_rule(const struct rule *r)
{
	if (leads_to_istio(r))
		return true;
	return strcmp(r->chain->table->name, "mangle") == 0 && strcmp(r->chain->name, "OUTPUT") == 0 &&
	       is_tproxy_mark(r);
}
