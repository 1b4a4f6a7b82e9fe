/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat - a mapping that a rule gives in so many words, internal to trace/ */
#ifndef NSUTIL_TRACE_NAT_H
#define NSUTIL_TRACE_NAT_H

#include "nsutil/base/addr.h"
#include "nsutil/ruleset/model.h"

/* Copied out of the rule: thousands of them are met in turn, and what a rule says stands in several places. */
struct nat_words {
	struct stmt_nat nat;
	struct addr addr; /* family 0: the rule gives none */
	int port;	  /* -1: the same */
};

/* nat_words() - what a rule gives of one address and one port; Return: false when it says more than that */
bool nat_words(const struct stmt_nat *n, struct nat_words *ret);

#endif
