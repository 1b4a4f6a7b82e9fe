/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner - who made a table or chain, by name and shape; which Service a kube-proxy chain serves */
#ifndef NSUTIL_RULESET_OWNER_H
#define NSUTIL_RULESET_OWNER_H

#include <stdbool.h>

#include "nsutil/ruleset/model.h"

/**
 * owner_table() - who made a table
 * @t:		table
 *
 * Names are all there is to go by; a table that several programs share (iptables' nat) has no owner,
 * its chains do.
 *
 * Return: a constant name ("Istio", "kube-proxy" ...), or NULL when nobody known did
 */
const char *owner_table(const struct table *t);

/**
 * owner_chain() - who made a chain
 * @c:		chain
 *
 * Return: a constant name; that of the table when the chain's own name says nothing; NULL when
 * nobody known did
 */
const char *owner_chain(const struct chain *c);

/*
 * owner_pattern() - the i-th pattern of chain names of iptables that are an owner's: a name, or a prefix
 * that ends in '*'; NULL behind the last
 */
const char *owner_pattern(const char *owner, unsigned i);

/* owner_rule() - whom a rule of a shared chain leads to: the owner of the chain it jumps to, or NULL */
const char *owner_rule(const struct rule *r);

#define OWNER_SERVICE_TEXT 600

/**
 * owner_service() - the Service behind a KUBE-SVC, KUBE-SEP, KUBE-EXT ... chain of kube-proxy
 * @c:		chain
 * @text:	filled with "NAMESPACE/NAME" or "NAMESPACE/NAME:PORT", as the comments of the chain's
 *		rules (iptables) or the chain's own name (nftables) tell
 *
 * Return: @text, or NULL when it is no such chain or nothing tells
 */
char *owner_service(const struct chain *c, char text[OWNER_SERVICE_TEXT]);

#endif
