/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d29_incompatible - native rules in iptables' tables make iptables-nft refuse them */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/ruleset/text.h"

static bool is_iptables_name(const struct table *t)
{
	static const char *const names[] = { "raw", "mangle", "nat", "filter", "security", NULL };

	if (t->family != NFPROTO_IPV4 && t->family != NFPROTO_IPV6)
		return false;
	for (unsigned i = 0; names[i]; i++)
		if (strcmp(t->name, names[i]) == 0)
			return true;
	return false;
}

/* What has a form in iptables' words, but iptables-nft keeps as an extension of its own and cannot read as nft's. */
static bool is_native_only(const struct stmt *s)
{
	const struct expr *left = s->kind == STMT_MATCH ? s->match.left : NULL, *right = left ? s->match.right : NULL;

	switch (s->kind) {
	case STMT_NAT:
	case STMT_REJECT:
	case STMT_TPROXY:
	case STMT_NOTRACK:
	case STMT_QUEUE:
	case STMT_DUP:
		return true;
	case STMT_LOG:
		return s->log.group < 0;
	case STMT_SET_VALUE: /* iptables' TRACE is the one that it writes itself */
		return s->set_value.target->kind != EXPR_META || s->set_value.target->meta_key != NFT_META_NFTRACE;
	default:
		break;
	}
	if (left && left->kind == EXPR_BINOP)
		left = left->binop.left;
	if (!left || !right)
		return false;
	if (left->kind == EXPR_CT || right->kind == EXPR_SETREF)
		return true;
	if (left->kind == EXPR_META)
		return left->meta_key == NFT_META_SKUID || left->meta_key == NFT_META_SKGID;
	return left->kind == EXPR_PAYLOAD && left->payload.base == NFT_PAYLOAD_NETWORK_HEADER && right->kind == EXPR_RANGE;
}

static bool is_odd(const struct rule *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (const struct stmt *s = r->stmts; s; s = s->next)
		if (is_native_only(s))
			return true;
	return !r->opaque && !rule_iptables(r, &b);
}

static const struct rule *odd_rule(const struct table *t)
{
	for (const struct chain *c = t->chains; c; c = c->next)
		for (const struct rule *r = c->rules; r; r = r->next)
			if (is_odd(r))
				return r;
	return NULL;
}

static bool iptables_nft_is_used(const struct ruleset *rs)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		if (t->store == STORE_COMPAT)
			return true;
	return false;
}

static void see_log(struct doctor *d)
{
	const struct log_hit *hit = log_hit(facts_log(d), LOG_INCOMPATIBLE);
	struct doctor_finding *f;
	char where[400];

	if (!hit || doctor_found(d, "D29") || (facts_rules(d) && chains_stores(facts_rules(d), 0, "Istio")))
		return;
	f = doctor_find(d, "iptables-nft refused table %s when istio-init ran: it held what only nft knows", hit->name ? hit->name : "?");
	snprintf(where, sizeof(where), "%.300s, line %u", d->facts.log_where, hit->line);
	doctor_see(d, f, "istio-init's log", where, "%s", hit->text);
	doctor_fix(d, f, "nft list ruleset, and move the rules that are not iptables' to a table of their own");
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct doctor_finding *f;

	for (const struct table *t = rs ? rs->tables : NULL; t; t = t->next) {
		const struct rule *odd = t->store == STORE_COMPAT ? odd_rule(t) : NULL;
		bool shape = t->store == STORE_NATIVE && is_iptables_name(t) && t->chains && iptables_nft_is_used(rs);

		if (!odd && !shape)
			continue;
		f = doctor_find(d, "table %s %s holds what iptables-nft cannot read: it refuses the whole table, or shows the rule wrong", family_name(t->family),
				t->name);
		if (odd) {
			rule_nft(odd, false, &b);
			doctor_see(d, f, odd->chain->name, "nft list ruleset", "rule %u: %s", odd->index, buf_cstr(&b));
		} else {
			doctor_see(d, f, t->name, "nft list ruleset", "base chains that are not iptables' (%s)", t->chains->name);
		}
		doctor_fix(d, f, "move the native rules to a table of their own");
	}
	see_log(d);
}

const struct doctor_entry doctor_d29 = {
	.id = "D29",
	.title = "iptables-nft: table is incompatible, use 'nft' tool",
	.link = "https://github.com/cloudnativelabs/kube-router/issues/1588",
	.explain = "iptables-nft keeps its rules in the nftables tables raw, mangle, nat, filter and security. When somebody puts\n"
		   "native rules in there, it refuses the table, and every program that uses it fails.\n"
		   "It is told by rules of these tables that have no iptables form, or by base chains that iptables does not make.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_BOTH,
	.check = check,
};
