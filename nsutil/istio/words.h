/* SPDX-License-Identifier: GPL-2.0-or-later */
/* words - a rule taken apart into the few things that Istio's rules consist of */
#ifndef NSUTIL_ISTIO_WORDS_H
#define NSUTIL_ISTIO_WORDS_H

#include "nsutil/istio/config.h"
#include "nsutil/ruleset/model.h"

/* Which of the conditions are negated. */
enum { NOT_SRC = 1, NOT_DST = 2, NOT_OUT = 4, NOT_DPORT = 8, NOT_MARK = 16, NOT_UID = 32, NOT_GID = 64 };

/*
 * Both syntaxes give the same: targets have the iptables names (RETURN, REDIRECT, ISTIO_OUTPUT ...), host
 * addresses their length, marks are decimal. What is absent is NULL.
 */
struct istio_words {
	const char *proto, *in, *out, *src, *dst, *sport, *dport, *state, *mark, *connmark, *uid;
	struct istio_list gids;
	const char *target; /* verdict, target or chain; NULL when none */
	const char *to;	    /* its value: port of REDIRECT and TPROXY, zone of CT, value of MARK */
	unsigned negated;   /* NOT_* */
	unsigned conditions; /* how many of the above, the owners as one each */
	uint8_t family;	    /* of an address in it; else NFPROTO_UNSPEC */
	uint64_t handle;    /* the rule's */
	bool counter;	    /* nft: there is one */
	bool other;	    /* something stands in it that Istio never writes */
};

/**
 * istio_words() - take a rule apart
 * @a:		arena of the result
 * @r:		rule of any store
 * @ret:	set on success
 *
 * Return: 0, -1 when memory ran out
 */
int istio_words(struct arena *a, const struct rule *r, struct istio_words *ret);

#endif
