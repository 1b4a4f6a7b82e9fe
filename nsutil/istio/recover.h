/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recover - what the rules of one store and family say about the settings they were made for */
#ifndef NSUTIL_ISTIO_RECOVER_H
#define NSUTIL_ISTIO_RECOVER_H

#include "nsutil/istio/words.h"

/* The rules of one IP family: of the legacy or compat store, or those of native tables that apply to it. */
struct istio_view {
	const struct ruleset *rs;
	enum store store;
	uint8_t family; /* NFPROTO_IPV4 or NFPROTO_IPV6 */
	bool ambient;	/* native: look into ambient's tables */
	const struct istio_known *known; /* may be NULL */
};

/*
 * NULL and empty lists: no trace. Lists are in the order they were configured. A rule that is missing is
 * not told from a setting that plans none, so "said" tells which lists are certain in their absence.
 */
struct istio_found {
	bool any;	/* the view holds chains of Istio's */
	bool own_family; /* a rule names an address of the family */
	unsigned rules;	/* in them */
	bool ambient, old_ambient; /* old: with TPROXY, 1.21 to 1.24 */
	const char *proxy_port, *capture_port, *tunnel_port, *loopback, *mark;
	struct istio_list uids, gids;
	bool tproxy, inbound, inbound_all, inbound_odd; /* odd: captured and excluded at once makes no sense */
	struct istio_list ports_in, ports_in_exclude, ports_out, ports_out_exclude;
	struct istio_list nics_exclude, nics_virtual;
	bool star, outbound;	/* outbound: something is captured */
	bool trailing_return;	/* of a list before 1.23 */
	struct istio_list include, exclude;
	bool dns, dns_all, drop_invalid, drop_plain;
	struct istio_list servers;
	bool groups_said;	/* include was not '*' */
	struct istio_list groups, groups_not;
	bool jump_any;		/* nat OUTPUT jumps without a protocol: 1.25 and later */
	bool counters;		/* native: rules have counters: 1.28 and later */
	bool dns_zones; /* ambient: DNS has tracking zones */
	bool ingress, remember; /* ambient; remember: the rule that ingress pods lacked until 1.28 */
	const char *probe;
};

/**
 * istio_recover() - read what there is
 * @a:		arena of the result
 * @v:		view
 * @ret:	set on success
 *
 * Return: 0, -1 when memory ran out
 */
int istio_recover(struct arena *a, const struct istio_view *v, struct istio_found *ret);

/* istio_view_chain() - a chain by its iptables names, wherever the view has it; NULL when there is none */
const struct chain *istio_view_chain(const struct istio_view *v, const char *table, const char *chain);

#endif
