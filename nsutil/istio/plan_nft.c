/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_nft - the native plan as one nft transaction */
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/plan.h"

struct nft_table {
	const char *name;
	struct {
		const char *name, *hook;
	} base[2];
	const char *const *regular; /* in order of creation */
};

static const char *const proxy_nat[] = { "istio-inbound", "istio-redirect", "istio-in-redirect",
					 "istio-output", "istio-output-dns", NULL };
static const char *const proxy_mangle[] = { "istio-divert", "istio-tproxy", "istio-inbound",
					    "istio-drop", NULL };
static const char *const proxy_raw[] = { "istio-inbound", "istio-output-dns", NULL };
static const char *const ambient[] = { "istio-prerouting", "istio-output", NULL };

#define HOOKS(pre, out) { { "prerouting", pre }, { "output", out } }
#define NAT HOOKS("type nat hook prerouting priority -100", "type nat hook output priority -100")
#define MANGLE HOOKS("type filter hook prerouting priority -150", "type route hook output priority -150")
#define RAW HOOKS("type filter hook prerouting priority -300", "type filter hook output priority -300")

static const struct nft_table tables[] = {
	{ "istio-proxy-nat", NAT, proxy_nat },	 { "istio-proxy-mangle", MANGLE, proxy_mangle },
	{ "istio-proxy-raw", RAW, proxy_raw },	 { "istio-ambient-nat", NAT, ambient },
	{ "istio-ambient-mangle", MANGLE, ambient }, { "istio-ambient-raw", RAW, ambient },
};

static bool has_rule(const struct istio_rules *rules, const char *table, const char *chain)
{
	for (unsigned i = 0; i < rules->n; i++)
		if (strcmp(rules->at[i].table, table) == 0 &&
		    (!chain || strcmp(rules->at[i].chain, chain) == 0))
			return true;
	return false;
}

/* Ambient also makes a chain that is only the target of a jump: ingress pods need it (SPEC G2). */
static bool is_target(const struct istio_rules *rules, const char *table, const char *chain)
{
	for (unsigned i = 0; i < rules->n; i++) {
		const char *jump = strstr(rules->at[i].text, "jump ");

		if (jump && strcmp(rules->at[i].table, table) == 0 && strcmp(jump + 5, chain) == 0)
			return true;
	}
	return false;
}

static void write_chains(const struct istio_rules *rules, const struct nft_table *t, bool targets,
			 struct buf *b)
{
	for (unsigned i = 0; i < ARRAY_SIZE(t->base); i++)
		if (has_rule(rules, t->name, t->base[i].name))
			buf_fmt(b, "add chain inet %s %s { %s ; }\n", t->name, t->base[i].name, t->base[i].hook);
	for (const char *const *c = t->regular; *c; c++)
		if (has_rule(rules, t->name, *c) || (targets && is_target(rules, t->name, *c)))
			buf_fmt(b, "add chain inet %s %s\n", t->name, *c);
}

/* How many rules the same chain has got before rule @end. */
static int rules_before(const struct istio_rules *rules, unsigned end)
{
	int n = 0;

	for (unsigned i = 0; i < end; i++)
		n += strcmp(rules->at[i].table, rules->at[end].table) == 0 &&
		     strcmp(rules->at[i].chain, rules->at[end].chain) == 0;
	return n;
}

static void write_rules(const struct istio_rules *rules, const char *table, struct buf *b)
{
	for (unsigned i = 0; i < rules->n; i++) {
		const struct istio_rule *r = &rules->at[i];

		if (strcmp(r->table, table) != 0)
			continue;
		/* nft has no index behind the last rule: such an insert is an add. */
		if (r->position >= 0 && r->position < rules_before(rules, i))
			buf_fmt(b, "insert rule inet %s %s index %d %s\n", table, r->chain, r->position, r->text);
		else
			buf_fmt(b, "add rule inet %s %s %s\n", table, r->chain, r->text);
	}
}

void istio_plan_nft(const struct istio_plan *p, struct buf *b)
{
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++) {
		const struct nft_table *t = &tables[i];

		if (!has_rule(&p->nft, t->name, NULL))
			continue;
		buf_fmt(b, "add table inet %s\nflush table inet %s\n", t->name, t->name);
		write_chains(&p->nft, t, p->config->ambient, b);
		write_rules(&p->nft, t->name, b);
	}
}
