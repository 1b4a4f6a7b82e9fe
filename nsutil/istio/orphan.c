/* SPDX-License-Identifier: GPL-2.0-or-later */
/* orphan - rules of PREROUTING and OUTPUT that are Istio's by their words alone, though no chain of its is left */
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/compare.h"
#include "nsutil/istio/words.h"
#include "nsutil/ruleset/text.h"

/* TPROXY's with the mark that Istio takes if not told otherwise; the last is of 1.6 to 1.8 (HISTORY 2). */
static const struct {
	const char *chain, *words;
} marks[] = {
	{ "PREROUTING", " -p tcp -m mark --mark 0x539 -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff" },
	{ "OUTPUT", " -o lo -p tcp -m mark --mark 0x539 -j RETURN" },
	{ "OUTPUT", " -p tcp -m connmark --mark 0x539 -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff" },
	{ "OUTPUT", " -s 127.0.0.1/32 ! -d 127.0.0.1/32 -j MARK --set-xmark 0x539/0xffffffff" },
};

static bool is_mark(const struct rule *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!rule_iptables(r, &b))
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(marks); i++)
		if (strcmp(r->chain->name, marks[i].chain) == 0 && strcmp(buf_cstr(&b), marks[i].words) == 0)
			return true;
	return false;
}

/*
 * What DNS capture before 1.25 had in chains of others. Kuma has the same rules, of a fork of Istio's program, with
 * another user: so the user must be the one that Istio takes if not told otherwise.
 */
enum dns {
	DNS_NONE,
	DNS_MAYBE, /* goes with the others: an owner that is left alone, a zone */
	DNS_LEADS, /* nat: to the proxy's port */
	DNS_OURS,  /* names Istio's user; raw: and the proxy's answers */
};

static bool is(const char *have, const char *want)
{
	return have && strcmp(have, want) == 0;
}

static bool names_us(const struct istio_words *w)
{
	return !w->negated && (is(w->uid, "1337") || (w->gids.n == 1 && is(w->gids.items[0], "1337")));
}

static enum dns nat_rule(const struct istio_words *w)
{
	if (!is(w->dport, "53"))
		return DNS_NONE;
	if (is(w->target, "REDIRECT") && is(w->to, "15053") && w->conditions == 2U + (w->dst != NULL) && !w->negated)
		return DNS_LEADS;
	if (!is(w->target, "RETURN") || w->conditions != 2 + w->gids.n + (w->uid != NULL))
		return DNS_NONE;
	return names_us(w) ? DNS_OURS : DNS_MAYBE;
}

static enum dns raw_rule(const struct istio_words *w, bool out)
{
	unsigned owners = w->gids.n + (w->uid != NULL), ends = (w->src != NULL) + (w->dst != NULL);
	bool ok;

	if (!is(w->target, "CT") || w->negated || w->conditions != 2 + owners + ends)
		return DNS_NONE;
	if (!out)
		ok = is(w->sport, "53") && is(w->to, "1") && !owners;
	else if (is(w->sport, "15053"))
		ok = is(w->to, "2") && owners == 1 && !ends;
	else
		ok = is(w->dport, "53") && (owners ? is(w->to, "1") && owners == 1 && !ends : is(w->to, "2"));
	if (!ok)
		return DNS_NONE;
	return w->sport && out && names_us(w) ? DNS_OURS : DNS_MAYBE;
}

static enum dns dns_rule(const struct rule *r)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct istio_words w;

	if (r->comment || !a || istio_words(a, r, &w) < 0 || w.other || !is(w.proto, "udp"))
		return DNS_NONE;
	if (strcmp(r->chain->table->name, "raw") == 0)
		return raw_rule(&w, strcmp(r->chain->name, "OUTPUT") == 0);
	return strcmp(r->chain->name, "OUTPUT") == 0 ? nat_rule(&w) : DNS_NONE;
}

/* In raw the rule for the proxy's answers tells whose the others are. */
static bool is_raw_dns(const struct rule *r)
{
	const struct chain *out = table_find_chain(r->chain->table, "OUTPUT");

	if (dns_rule(r) == DNS_NONE)
		return false;
	for (const struct rule *x = out ? out->rules : NULL; x; x = x->next)
		if (dns_rule(x) == DNS_OURS)
			return true;
	return false;
}

/* In nat they stand together, the owners above the servers. */
static bool is_nat_dns(const struct rule *r)
{
	bool in = false, leads = false, ours = false;

	if (dns_rule(r) == DNS_NONE)
		return false;
	for (const struct rule *x = r->chain->rules; x; x = x->next) {
		enum dns what = dns_rule(x);

		if (what == DNS_NONE && in)
			break;
		if (what == DNS_NONE) {
			leads = ours = false;
			continue;
		}
		in |= x == r;
		leads |= what == DNS_LEADS;
		ours |= what == DNS_OURS;
	}
	return leads && ours;
}

bool istio_is_orphan(const struct rule *r)
{
	const char *table = r->chain->table->name;

	if (r->comment || (strcmp(r->chain->name, "PREROUTING") != 0 && strcmp(r->chain->name, "OUTPUT") != 0))
		return false;
	if (strcmp(table, "mangle") == 0)
		return is_mark(r);
	return strcmp(table, "nat") == 0 ? is_nat_dns(r) : strcmp(table, "raw") == 0 && is_raw_dns(r);
}
