/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layout - the chains as they stand when a plan was carried out: what verify expects, apply writes */
#ifndef NSUTIL_ISTIO_LAYOUT_H
#define NSUTIL_ISTIO_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "nsutil/base/arena.h"
#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"
#include "nsutil/istio/plan.h"
#include "nsutil/ruleset/canon.h"
#include "nsutil/ruleset/model.h"

struct istio_chain {
	const char *table, *name;
	bool builtin;		       /* shared with others: only Istio's rules of it are listed */
	const struct istio_rule **plan; /* in the order they stand in the end */
	unsigned n;
	/* Set by istio_layout_parse(), in the same order. */
	const struct rule **rules;
	struct canon *canon;
};

struct istio_layout {
	struct arena *arena;
	uint8_t family; /* NFPROTO_IPV4 or NFPROTO_IPV6 */
	struct istio_chain *chains; /* of a table: in order of creation, built-in ones where first used */
	unsigned n;
	struct ruleset *parsed; /* owns the rules */
};

/**
 * istio_layout_make() - replay a plan: what each chain holds in the end
 * @a:		arena
 * @rules:	&plan->v4 or &plan->v6
 * @family:	NFPROTO_IPV4 or NFPROTO_IPV6
 * @ret:	set on success; empty when nothing is planned
 * @e:		out of memory; an insert beyond the end of its chain, which iptables refuses
 *
 * Return: 0, or -1
 */
int istio_layout_make(struct arena *a, const struct istio_rules *rules, uint8_t family,
		      struct istio_layout *ret, struct err *e);

/**
 * istio_layout_parse() - make model rules of all of it
 * @l:		layout; to be given back with istio_layout_free() from now on
 * @store:	STORE_LEGACY or STORE_COMPAT
 * @e:		ERR_USAGE naming the rule and what is wrong with it
 *
 * Return: 0, or -1
 */
int istio_layout_parse(struct istio_layout *l, enum store store, struct err *e);

void istio_layout_free(struct istio_layout *l);
#define _cleanup_istio_layout_ __attribute__((cleanup(istio_layout_free)))

/* istio_layout_save() - as iptables-save would write it, built-in chains with Istio's rules only */
void istio_layout_save(const struct istio_layout *l, struct buf *b);

/* istio_layout_find() - a chain by its names; NULL when nothing is planned for it */
const struct istio_chain *istio_layout_find(const struct istio_layout *l, const char *table,
					    const char *chain);

/* istio_owns_chain() - the name is one of Istio's in the iptables stores: ISTIO_ANYTHING */
bool istio_owns_chain(const char *name);

#endif
