/* SPDX-License-Identifier: GPL-2.0-or-later */
/* choose - which store Istio's rules are in, or would be put into */
#include <linux/netfilter.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/istio/verify.h"

static void choose(struct istio_choice *ret, enum store store, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void choose(struct istio_choice *ret, enum store store, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ret->why, sizeof(ret->why), fmt, ap);
	va_end(ap);
	ret->store = store;
}

static bool has_tables(const struct ruleset *rs, enum store store, uint8_t family)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		if (t->store == store && t->family == family)
			return true;
	return false;
}

/* SPEC D4 without its probe: "existing rules" of the legacy variant means that a table exists. */
static void as_detector(const struct ruleset *rs, uint8_t family, struct istio_choice *ret)
{
	bool kernel = family == NFPROTO_IPV4 ? rs->legacy_v4 : rs->legacy_v6;

	if (has_tables(rs, STORE_LEGACY, family))
		choose(ret, STORE_LEGACY, "Istio's detector takes legacy iptables where a legacy table exists");
	else if (rs->nft_generation || has_tables(rs, STORE_COMPAT, family) || !kernel)
		choose(ret, STORE_COMPAT, "Istio's detector takes iptables-nft where no legacy table exists");
	else
		choose(ret, STORE_LEGACY, "this kernel has legacy iptables and no nf_tables");
}

void istio_store_choose(const struct ruleset *rs, uint8_t family, const char *force,
			const struct istio_compare *legacy, const struct istio_compare *compat,
			struct istio_choice *ret)
{
	if (legacy->any && compat->any) {
		bool better = compat->good > legacy->good ||
			      (compat->good == legacy->good && compat->differences < legacy->differences);

		choose(ret, better ? STORE_COMPAT : STORE_LEGACY,
		       "both stores hold rules of Istio's; this one has more of what is expected (%u and %u)",
		       better ? compat->good : legacy->good, better ? legacy->good : compat->good);
	} else if (legacy->any || compat->any) {
		choose(ret, legacy->any ? STORE_LEGACY : STORE_COMPAT, "Istio's rules are there");
	} else if (force[0]) {
		choose(ret, strcmp(force, "nft") == 0 ? STORE_COMPAT : STORE_LEGACY,
		       "FORCE_IPTABLES_BINARY=%s", force);
	} else {
		as_detector(rs, family, ret);
	}
}
