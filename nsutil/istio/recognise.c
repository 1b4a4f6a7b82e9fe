/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recognise - settings that can be told from the rules alone */
#include "nsutil/istio/recognise.h"

#include <linux/fib_rules.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/compare.h"
#include "nsutil/istio/plan.h"
#include "nsutil/istio/recognise_parts.h"

enum { SIDECAR_TABLE = 133 };

/* Versions between which nothing changed that shows (HISTORY 2). */
static const struct era {
	unsigned first, last;
} eras[] = { { 7, 12 }, { 13, 17 }, { 18, 19 }, { 20, 22 }, { 23, 23 }, { 24, 24 }, { 25, ISTIO_LAST_MINOR } };

/* What a version must have to be able to write such rules. */
static unsigned oldest(const struct istio_evidence *x)
{
	const struct {
		bool has;
		unsigned since;
	} needs[] = {
		{ x->ipv6, 12 }, { x->f.tproxy || x->f.dns, 11 }, { x->f.nics_exclude.n, 12 }, { x->f.drop_plain, 13 },
		{ x->f.groups_said || x->f.groups_not.n, 14 }, { x->wide_loopback, 21 },
	};
	unsigned first = 7;

	for (unsigned i = 0; i < ARRAY_SIZE(needs); i++)
		if (needs[i].has && needs[i].since > first)
			first = needs[i].since;
	return first;
}

/* How much of one family's rules the configuration does not explain; UINT_MAX: it cannot be planned. */
static unsigned misfit(struct arena *a, const struct istio_evidence *x, const struct istio_plan *p, bool v6)
{
	_cleanup_istio_layout_ struct istio_layout l = { .n = 0 };
	struct istio_compare c;

	if (istio_layout_make(a, v6 ? &p->v6 : &p->v4, v6 ? NFPROTO_IPV6 : NFPROTO_IPV4, &l, NULL) < 0 ||
	    istio_layout_parse(&l, x->store, NULL) < 0 || istio_compare_make(a, x->rs, x->store, &l, NULL, &c, NULL) < 0)
		return UINT32_MAX;
	return c.differences;
}

static unsigned try_version(const struct istio_config *c, const struct istio_evidence *x, unsigned minor)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct istio_config trial = *c;
	struct istio_plan *p;
	unsigned v4, v6;

	if (!a)
		return UINT32_MAX;
	trial.arena = a;
	trial.native_nftables = false; /* the rules are not, whatever is wanted */
	trial.notes = (struct istio_list){ 0 };
	if (istio_settle(&trial, x, minor, false, NULL) < 0 || istio_config_resolve(&trial, NULL, NULL) < 0 ||
	    istio_plan_make(a, &trial, &p, NULL) < 0)
		return UINT32_MAX;
	v4 = misfit(a, x, p, false);
	v6 = x->ipv6 ? misfit(a, x, p, true) : 0;
	if (v4 == UINT32_MAX || v6 == UINT32_MAX)
		return UINT32_MAX;
	return v4 + v6 + (minor >= 24 && x->f.drop_plain); /* a rule of a shared chain, which later versions do not write */
}

/* The newest of the eras that fit best, and how far back it fits as well. An implicit port 22 beats one in the list. */
static void choose_era(const unsigned score[ARRAY_SIZE(eras)], struct istio_evidence *x)
{
	unsigned best = 0, from;

	for (unsigned i = 1; i < ARRAY_SIZE(eras); i++)
		if (score[i] <= score[best])
			best = i;
	if (best == 1 && score[0] == score[1] && x->f.ports_in_exclude.n &&
	    strcmp(x->f.ports_in_exclude.items[0], "22") == 0)
		best = 0;
	for (from = best; from > 0 && score[from - 1] == score[best];)
		from--;
	x->minor = eras[best].last;
	x->first = eras[from].first > oldest(x) ? eras[from].first : oldest(x);
	if (x->first > x->minor)
		x->first = x->minor;
}

/* From the newest: behind one that explains everything, older ones matter as far as they do as well. */
static void try_eras(const struct istio_config *c, const struct istio_evidence *x, unsigned score[ARRAY_SIZE(eras)])
{
	bool found = false;

	for (unsigned i = 0; i < ARRAY_SIZE(eras); i++)
		score[i] = UINT32_MAX;
	for (unsigned i = ARRAY_SIZE(eras); i-- > 0;) {
		score[i] = try_version(c, x, eras[i].last);
		if (found && score[i])
			return;
		found |= !score[i];
	}
}

static void find_version(const struct istio_config *c, struct istio_evidence *x)
{
	unsigned score[ARRAY_SIZE(eras)];

	x->minor = ISTIO_LAST_MINOR;
	if (x->store == STORE_NATIVE) {
		x->first = x->f.counters ? 28 : 27;
		x->minor = x->f.counters ? ISTIO_LAST_MINOR : 27;
	} else if (x->f.old_ambient) { /* since 1.24 with zones for DNS, which tell the two apart */
		x->minor = x->f.dns && !x->f.dns_zones ? 23 : 24;
		x->first = x->f.dns_zones ? 24 : 21;
	} else if (x->f.ambient && x->f.dns && !x->f.dns_zones) {
		x->first = x->minor = 23;
	} else if (x->f.ambient) {
		x->first = x->f.ingress ? (x->f.remember ? 29 : 25) : x->f.nics_virtual.n ? 25 : x->f.dns ? 24 : 23;
		x->minor = x->f.ingress && !x->f.remember ? 28 : ISTIO_LAST_MINOR;
	} else {
		try_eras(c, x, score);
		choose_era(score, x);
	}
}

/* Does the table deliver everything to this host? */
static bool delivers(const struct netview *nv, uint8_t family, uint32_t table)
{
	for (unsigned i = 0; i < nv->n_routes; i++)
		if (nv->routes[i].family == family && nv->routes[i].table == table &&
		    nv->routes[i].type == RTN_LOCAL && nv->routes[i].dst_len == 0)
			return true;
	return false;
}

/* Who names no priority gets the one in front of the first rule but that of the local table (fib_rules.c). */
static bool is_in_front(const struct netview *nv, const struct nv_rule *r)
{
	for (unsigned i = 0; i < nv->n_rules; i++)
		if (nv->rules[i].family == r->family && nv->rules[i].priority == r->priority + 1)
			return true;
	return false;
}

/*
 * Packets with TPROXY's mark go to a table of their own. Somebody else's rule may look at the same mark: Istio's
 * leads to a table that delivers here, or, should its route be lost, to the table Istio takes if not told otherwise,
 * or was at least made without a priority.
 */
static void find_table(struct istio_evidence *x, const struct netview *nv)
{
	unsigned long mark = strtoul(x->f.mark ? x->f.mark : "1337", NULL, 10);
	unsigned best = 0;

	for (unsigned i = 0; nv && x->f.tproxy && i < nv->n_rules; i++) {
		const struct nv_rule *r = &nv->rules[i];
		unsigned score = delivers(nv, r->family, r->table) ? 3 : r->table == SIDECAR_TABLE ? 2 : is_in_front(nv, r);

		if (r->fwmark != mark || r->fwmask != 0xffffffff || r->action != FR_ACT_TO_TBL || r->invert || score <= best)
			continue;
		best = score;
		x->table = r->table;
	}
}

static int note_version(struct istio_config *c, const struct istio_evidence *x, struct err *e)
{
	char text[200], range[32];

	if (x->minor == x->first)
		snprintf(range, sizeof(range), "1.%u", x->minor);
	else if (x->minor == ISTIO_LAST_MINOR)
		snprintf(range, sizeof(range), "1.%u-", x->first);
	else
		snprintf(range, sizeof(range), "1.%u-1.%u", x->first, x->minor);
	c->versions = arena_strdup(c->arena, range);
	if (!c->versions)
		return err_oom(e);
	snprintf(text, sizeof(text), "the rules have the form of Istio %s", range);
	if (x->minor < ISTIO_LAST_MINOR)
		return istio_list_add(c->arena, &c->notes, text) < 0 ? err_oom(e) : 0;
	return 0;
}

/* Somebody may have written into Istio's chains what can be no setting. */
static bool makes_sense(const struct istio_config *c, const struct istio_evidence *x)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct istio_config trial = *c;

	trial.arena = a;
	trial.notes = (struct istio_list){ 0 };
	return a && istio_settle(&trial, x, x->minor, false, NULL) == 0 && istio_config_resolve(&trial, NULL, NULL) == 0;
}

int istio_recognise_store(struct arena *a, const struct ruleset *rs, enum store store,
			  const struct istio_known *known, struct istio_config **ret, struct err *e)
{
	const struct istio_setting *dropped = istio_setting_find("DropInvalid", strlen("DropInvalid"));
	const struct istio_setting *ipv6 = istio_setting_find("EnableIPv6", strlen("EnableIPv6"));
	struct istio_evidence x;

	*ret = NULL;
	if (istio_config_new(a, "none", ret, e) < 0)
		return -1;
	if (istio_gather(a, rs, false, (int)store, known, &x) < 0)
		return err_oom(e);
	if (x.f.any)
		find_version(*ret, &x);
	if (!x.f.any || !makes_sense(*ret, &x)) {
		*ret = NULL;
		return 0;
	}
	/* a lone rule that drops what is invalid, as former versions wrote it, may be anybody's */
	if ((!x.f.drop_invalid && istio_config_value(*ret, dropped, "false", ISTIO_FROM_TARGET, e) < 0) ||
	    (!x.ipv6 && istio_config_value(*ret, ipv6, "false", ISTIO_FROM_TARGET, e) < 0))
		return -1;
	return istio_settle(*ret, &x, x.minor, false, e) < 0 || istio_config_resolve(*ret, NULL, e) < 0 ? -1 : 0;
}

int istio_recognise(struct istio_config *c, const struct ruleset *rs, const struct netview *nv, struct err *e)
{
	struct istio_evidence x;

	if (istio_gather(c->arena, rs, c->native_nftables, -1, &c->known, &x) < 0)
		return err_oom(e);
	if (!x.f.any)
		return 0;
	find_table(&x, nv);
	find_version(c, &x);
	if (!makes_sense(c, &x))
		return istio_list_add(c->arena, &c->notes, "what stands in Istio's chains is no set of settings: the preset "
							   "is taken") < 0 ? err_oom(e) : 0;
	if (note_version(c, &x, e) < 0)
		return -1;
	c->recognised = true;
	return istio_settle(c, &x, x.minor, true, e);
}
