/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d30_client_version - an iptables that is too old for the rules that are there */
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"

/* Since 1.8.8 iptables-nft writes ports and marks as nftables' own expressions, which older ones cannot read back. */
enum { NATIVE_SINCE = 10808 };

/* 1.8 writes DNAT's second revision, which 1.6 calls unsupported (kubernetes#95409). */
enum { SECOND_DNAT = 2, SECOND_DNAT_SINCE = 10800 };

/* "1.8.9" as 10809; 0 when it is none. */
static int number_of(const char *version)
{
	int a = 0, b = 0, c = 0;

	return sscanf(version, "%d.%d.%d", &a, &b, &c) >= 2 && b < 100 && c < 100 ? a * 10000 + b * 100 + c : 0;
}

/* A port or a mark that is not in an xt match. */
static bool is_native(const struct stmt *s)
{
	const struct expr *left = s->kind == STMT_MATCH ? s->match.left : NULL;

	if (left && left->kind == EXPR_BINOP)
		left = left->binop.left;
	if (left && left->kind == EXPR_META)
		return left->meta_key == NFT_META_MARK;
	return left && left->kind == EXPR_PAYLOAD && left->payload.base == NFT_PAYLOAD_TRANSPORT_HEADER;
}

struct search {
	const struct rule *native, *opaque, *dnat;
};

static bool look(const struct rule *r, void *arg)
{
	struct search *s = arg;

	if (r->chain->table->store == STORE_NATIVE)
		return false;
	if (r->opaque && !s->opaque)
		s->opaque = r;
	for (const struct stmt *st = r->chain->table->store == STORE_COMPAT && !s->native ? r->stmts : NULL; st; st = st->next)
		if (is_native(st))
			s->native = r;
	for (const struct stmt *st = s->dnat ? NULL : r->stmts; st; st = st->next)
		if (st->kind == STMT_XT && st->xt->target && st->xt->rev >= SECOND_DNAT && strcmp(st->xt->name, "DNAT") == 0)
			s->dnat = r;
	return s->native && s->opaque && s->dnat;
}

static void report_dnat(struct doctor *d, const struct fact_iptables *old, const struct rule *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct doctor_finding *f;

	f = doctor_find(d, "iptables %s of the %s cannot read DNAT rules that a newer one wrote: it shows 'DNAT [unsupported revision]', "
			   "and what it saves cannot be restored", old->found.version, old->where);
	doctor_see(d, f, old->where, old->found.path, "iptables %s", old->found.version);
	doctor_see(d, f, r->chain->name, store_name(r->chain->table->store), "rule %u: %s", r->index, chains_text(r, &b));
	doctor_fix(d, f, "update iptables there to 1.8 or newer");
	doctor_fix_self(d, f, "tables");
}

static void report(struct doctor *d, const struct fact_iptables *old, const struct rule *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct doctor_finding *f;

	f = doctor_find(d, "iptables %s of the %s cannot read rules that a newer one wrote: it shows them wrong, and writes them twice",
			old->found.version, old->where);
	doctor_see(d, f, old->where, old->found.path, "iptables %s (nf_tables)", old->found.version);
	doctor_see(d, f, r->chain->name, "compat", "rule %u, a port or mark that 1.8.8 and newer write so: %s", r->index, chains_text(r, &b));
	doctor_fix(d, f, "update iptables there to 1.8.8 or newer, or the images that write to the version of the node");
	doctor_fix_self(d, f, "tables");
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct search s = { 0 };
	struct doctor_finding *f;

	if (!rs)
		return;
	chains_each(rs, look, &s);
	if (s.opaque) {
		f = doctor_find(d, "a rule holds a match or target of a revision that is newer than known here: old tools show it as unsupported");
		doctor_see(d, f, s.opaque->chain->name, store_name(s.opaque->chain->table->store), "rule %u: %s", s.opaque->index,
			   chains_text(s.opaque, &b));
		doctor_fix(d, f, "look at it with the iptables that wrote it, and bring the versions together");
	}
	for (const struct fact_iptables *i = s.native || s.dnat ? facts_iptables(d) : NULL; i; i = i->next) {
		int version = number_of(i->found.version);

		if (s.dnat && version && version < SECOND_DNAT_SINCE) {
			report_dnat(d, i, s.dnat);
			return;
		}
		if (!s.native || i->found.variant != IPT_NFT || !version || version >= NATIVE_SINCE)
			continue;
		report(d, i, s.native);
		return;
	}
}

const struct doctor_entry doctor_d30 = {
	.id = "D30",
	.title = "an iptables is too old for the rules",
	.link = "https://github.com/kubernetes/kubernetes/issues/112477",
	.explain = "Programs with iptables of different versions write to the same tables. An older iptables-nft cannot read what a\n"
		   "newer one wrote (ports and marks since 1.8.8, newer revisions of extensions as DNAT's of 1.8): it shows such rules\n"
		   "without their conditions, does not find them with -C, and adds them again.\n"
		   "It is told by the rules and by the versions of the node's and the containers' iptables (from their files).",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_BOTH,
	.check = check,
};
