/* SPDX-License-Identifier: GPL-2.0-or-later */
/* routing - the address, routing rules and routes that Istio's rules lean on: wanted, found, mended */
#ifndef NSUTIL_ISTIO_ROUTING_H
#define NSUTIL_ISTIO_ROUTING_H

#include <stdbool.h>
#include <stdint.h>

#include "nsutil/base/buf.h"
#include "nsutil/istio/config.h"
#include "nsutil/netns/netns.h"
#include "nsutil/ruleset/netview.h"

/*
 * Besides its packet rules Istio adds ::6/128 to lo, and for TPROXY and ambient a routing rule for
 * marked packets with a table that delivers everything to this host. Istio's sidecar code adds the
 * rule once more at each run, clean-up included, because it names no priority; here a duplicate is
 * a difference, and what is there is not added again.
 */
enum istio_step_kind { ISTIO_STEP_ADDRESS, ISTIO_STEP_RULE, ISTIO_STEP_ROUTE };

struct istio_step {
	enum istio_step_kind kind;
	uint8_t family;		  /* AF_INET or AF_INET6 */
	uint32_t mark, mask, table; /* a rule: all three; a route: the table */
	uint32_t priority;	  /* of a rule; 0: any in front of the main table's */
};

struct istio_routing_edit {
	bool add;
	struct istio_step step;
	const char *kind;   /* "missing", "extra" or "duplicate" */
	const char *effect; /* of the difference */
};

struct istio_routing {
	struct istio_step *wanted;
	unsigned n_wanted;
	struct istio_routing_edit *at; /* additions first: routes before the rules that lead to them */
	unsigned n;
};

/**
 * istio_routing_plan() - the steps of a configuration
 * @a:		arena of the result
 * @c:		resolved configuration
 * @families:	bit 0: IPv4, bit 1: IPv6
 * @ret:	'wanted' is set on success
 *
 * Return: 0, or -1 when memory ran out
 */
int istio_routing_plan(struct arena *a, const struct istio_config *c, unsigned families,
		       struct istio_routing *ret);

struct ruleset;

/**
 * istio_routing_compare() - what has to be done so that the namespace has the wanted steps and no others
 * @a:		arena of the result
 * @nv:		links, addresses, routes and rules of the namespace
 * @rs:		packet rules as they are: the marks of TPROXY in them tell Istio's from foreign ones, too
 * @c:		resolved configuration: its mark and table tell Istio's from foreign ones
 * @families:	as above
 * @r:		'wanted' is what is wanted: none for a flush; the edits are set on success
 *
 * Istio's are: ::6/128 on lo; a rule that asks for nothing but Istio's mark (1337, the configured
 * one, one that its packet rules set, or ambient's 0x111/0xfff) and leads to the table that goes with it; and that table's "local
 * default dev lo", unless a foreign rule leads there too.
 *
 * Return: 0, or -1 when memory ran out
 */
int istio_routing_compare(struct arena *a, const struct netview *nv, const struct ruleset *rs,
			  const struct istio_config *c, unsigned families, struct istio_routing *r);

/**
 * istio_routing_restore() - what has to be done so that edits that were made are not made any more
 * @a:		arena of the result
 * @nv:		routing as it is
 * @done:	edits, in the order they were made
 * @n:		number
 * @ret:	its edits are set on success: only those still needed
 *
 * Return: 0, or -1 when memory ran out
 */
int istio_routing_restore(struct arena *a, const struct netview *nv, const struct istio_routing_edit *done,
			  unsigned n, struct istio_routing *ret);

/* istio_step_words() - as words of ip(8): "-6 addr add ::6/128 dev lo" */
void istio_step_words(const struct istio_step *s, bool add, struct buf *b);

/**
 * istio_routing_run() - carry edits out, one after the other
 * @ns:		namespace
 * @r:		edits
 * @adds:	the additions, else the removals. What is there, or gone, by now is no error
 * @e:		error naming the command of ip(8) that would do the same
 *
 * Return: 0, or -1
 */
int istio_routing_run(const struct netns *ns, const struct istio_routing *r, bool adds, struct err *e);

/* istio_routing_back() - take back what istio_routing_run() did, as far as that can be done, the last first */
void istio_routing_back(const struct netns *ns, const struct istio_routing *r, bool adds);

#endif
