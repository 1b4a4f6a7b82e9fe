/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drift - how far the rules of one pod after the other are from what Istio would write */
#include "nsutil/doctor/drift.h"

#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/istio/facts.h"
#include "nsutil/istio/pod_config.h"
#include "nsutil/istio/recognise.h"
#include "nsutil/istio/verify.h"

/* ---- what was seen before ---- */

void drift_memo_free(struct drift_memo *m)
{
	for (unsigned i = 0; i < DRIFT_KEPT; i++)
		if (m->at[i].key)
			istio_wanted_free(&m->at[i].wanted);
}

/* Pods with the same key and the same rules are to have the same; NULL: out of memory, or it cannot be told. */
static const char *key_of(struct arena *a, const struct istio_config *c, const struct istio_facts *f)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	bool any;

	for (const struct istio_setting *s = istio_settings; s->field; s++)
		buf_fmt(&b, "%s\n%d%d", istio_config_text(c, s), (int)c->source[s - istio_settings], c->sealed[s - istio_settings]);
	if (!c->enable_ipv6[0])
		buf_fmt(&b, "%d", istio_facts_ipv6(f, c->dual_stack, &any));
	return buf_failed(&b) ? NULL : arena_strdup(a, buf_cstr(&b));
}

static bool is_as_before(const struct drift_memo *m, const char *key, const struct ruleset *rs)
{
	for (unsigned i = 0; i < DRIFT_KEPT; i++)
		if (m->at[i].key && strcmp(m->at[i].key, key) == 0 && istio_wanted_holds(&m->at[i].wanted, rs))
			return true;
	return false;
}

static void keep(struct drift_memo *m, struct arena *a, const char *key, const struct istio_plan *p)
{
	struct drift_kept *at = &m->at[m->next];
	struct istio_wanted wanted;

	if (istio_wanted_make(a, p, &wanted) < 0)
		return;
	if (at->key)
		istio_wanted_free(&at->wanted);
	*at = (struct drift_kept){ key, wanted };
	m->next = (m->next + 1) % DRIFT_KEPT;
}

/* Its servers of DNS were found in the pod's files, which no key tells. */
static bool is_of_one_pod(const struct istio_config *c)
{
	const struct istio_setting *s = istio_setting_find("DNSServers", strlen("DNSServers"));

	return c->source[s - istio_settings] == ISTIO_FROM_TARGET;
}

/* ---- one pod ---- */

/*
 * What the pod's programmer was told, else what the rules tell. Where no configuration is found, whether IPv6 is meant
 * to be captured is taken from the rules, too: a pod's setting of dual stack is not known then.
 */
static struct istio_config *expected(struct arena *a, const struct target *t, bool ambient, const struct ruleset *rs)
{
	enum istio_pod_knows knows = ISTIO_POD_NOTHING;
	struct istio_config *config = NULL;
	unsigned v6;

	/* only where the runtime told: to look at all processes for each pod takes too long */
	if (t->pod && t->pod->launches && istio_pod_config(a, t, &config, &knows, NULL) < 0)
		return NULL;
	if (knows == ISTIO_POD_NOTHING && istio_config_new(a, ambient ? "ambient" : "istio-init", &config, NULL) < 0)
		return NULL;
	/* native tables are of both families, whatever stands in them */
	v6 = chains_stores(rs, NFPROTO_IPV6, "Istio") & ~(1U << STORE_NATIVE);
	if (knows != ISTIO_POD_ALL &&
	    istio_config_set(config, v6 ? "ENABLE_INBOUND_IPV6=true" : "ENABLE_INBOUND_IPV6=false", NULL) < 0)
		return NULL;
	return config;
}

/* A rule that brings connections to the proxy is missing, changed or in another place. */
static bool has_gap(const struct istio_report *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		const struct istio_diff *x = &r->at[i];
		const char *text = x->expected ? x->expected : x->rule;

		if (x->kind != ISTIO_DIFF_EXTRA && x->kind != ISTIO_DIFF_DUPLICATE && text &&
		    (strstr(text, "-j ISTIO_") || strstr(text, "-j REDIRECT") || strstr(text, "-j TPROXY")))
			return true;
	}
	return false;
}

int drift_count(struct drift_memo *m, struct arena *a, const struct target *t, bool ambient, struct ruleset *rs,
		bool *ret_gap)
{
	struct istio_config *config = expected(a, t, ambient, rs);
	struct istio_report report;
	struct istio_facts facts;
	struct istio_plan *plan;
	const char *key;

	if (!config || istio_facts_read(a, t, config, &facts, NULL) < 0)
		return -1;
	key = key_of(a, config, &facts);
	*ret_gap = false;
	if (key && is_as_before(m, key, rs))
		return 0;
	if (istio_recognise(config, rs, NULL, NULL) < 0 || istio_facts_read(a, t, config, &facts, NULL) < 0 ||
	    istio_config_resolve(config, &facts, NULL) < 0 || istio_plan_make(a, config, &plan, NULL) < 0 ||
	    istio_verify(a, rs, plan, 3, -1, NULL, &report, NULL) < 0)
		return -1;
	if (key && report.n == 0 && !is_of_one_pod(config))
		keep(m, a, key, plan);
	*ret_gap = has_gap(&report);
	return (int)report.n;
}
