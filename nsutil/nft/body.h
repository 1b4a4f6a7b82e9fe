/* SPDX-License-Identifier: GPL-2.0-or-later */
/* body - a rule in nft's words as instructions for the kernel: the part of nft's language that Istio uses */
#ifndef NSUTIL_NFT_BODY_H
#define NSUTIL_NFT_BODY_H

#include "nsutil/base/err.h"
#include "nsutil/ruleset/model.h"

enum { NFT_BODY_PORTS = 16 };

struct nft_body {
	const void *list; /* NFTA_RULE_EXPRESSIONS with its head, in the arena */
	size_t len;
	uint16_t ports[NFT_BODY_PORTS]; /* of an anonymous set, in order; the rule looks them up in "__set%d" */
	unsigned n_ports;		/* 0: the rule has no set */
	size_t set_id; /* where in the list the set's number is: each set of a transaction has its own */
};

/**
 * nft_body_parse() - encode a rule of an inet table as nft does, implied conditions included
 * @a:		arena of the result
 * @text:	"meta l4proto tcp ip daddr != 127.0.0.1/32 counter redirect to :15001". Conditions on l4proto,
 *		tcp and udp ports, addresses and prefixes, interfaces, mark, ct mark and state, socket owner (by
 *		number); counter, verdicts, redirect, tproxy, marks and ct zone set
 * @ret:	set on success
 * @e:		ERR_USAGE naming the word that is not understood
 *
 * Return: 0, or -1
 */
int nft_body_parse(struct arena *a, const char *text, struct nft_body *ret, struct err *e);

/**
 * nft_body_rule() - add a rule to a chain of the model, as reading it back from the kernel would give it
 * @rs:		ruleset of the chain
 * @c:		chain of an inet table
 * @body:	body
 *
 * Return: the rule, or NULL when memory ran out
 */
struct rule *nft_body_rule(struct ruleset *rs, struct chain *c, const struct nft_body *body);

#endif
