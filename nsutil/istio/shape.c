/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shape - rules of shared chains that can only be Istio's, told by what they are */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/compare.h"
#include "nsutil/ruleset/text.h"

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

static bool says(const struct rule *r, const char *words)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	return r && rule_iptables(r, &b) && strcmp(buf_cstr(&b), words) == 0;
}

/* What Istio's detector tries a variant of iptables with; a killed one leaves it behind (SPEC D4). */
static bool is_probe(const struct rule *r)
{
	if (strcmp(r->chain->name, "INPUT") != 0)
		return false;
	return says(r, strcmp(r->chain->table->name, "nat") == 0 ? " -p 255 -j RETURN" : " -p 255 -j DROP");
}

static bool is_pair(const struct rule *r)
{
	return says(r, " -p udp -j DROP") && says(r->next, " -p tcp -j DROP");
}

static bool has_pair(const struct chain *c)
{
	for (const struct rule *r = c ? c->rules : NULL; r; r = r->next)
		if (is_pair(r))
			return true;
	return false;
}

/* Somebody else's rule may have come in above them; fewer than all six may be anybody's. */
bool istio_is_guardrail(const struct rule *r)
{
	static const char *const chains[] = { "INPUT", "FORWARD", "OUTPUT" };
	const struct rule *last = NULL;

	if (strcmp(r->chain->table->name, "filter") != 0 || !r->chain->base)
		return false;
	for (const struct rule *x = r->chain->rules; x && x != r; x = x->next)
		last = x;
	if (!is_pair(r) && !(last && is_pair(last)))
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(chains); i++)
		if (!has_pair(table_find_chain(r->chain->table, chains[i])))
			return false;
	return true;
}

bool istio_owns_rule(const struct rule *r)
{
	if (leads_to_istio(r) || is_probe(r) || istio_is_guardrail(r))
		return true;
	if (strcmp(r->chain->table->name, "mangle") == 0 && strcmp(r->chain->name, "OUTPUT") == 0 && is_tproxy_mark(r))
		return true;
	return istio_is_orphan(r);
}
