/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log - istio-init's log, taken apart: what of it tells why rules are missing */
#ifndef NSUTIL_DOCTOR_LOG_H
#define NSUTIL_DOCTOR_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "nsutil/base/arena.h"

enum log_kind {
	LOG_NO_TABLE,	  /* 'name': the table that legacy iptables cannot have */
	LOG_NOT_ROOT,
	LOG_CHAIN_EXISTS,
	LOG_NO_EXTENSION, /* 'name': the match or target, NULL when the line does not say */
	LOG_LOCKED,
	LOG_NO_IPV6,	  /* the IPv6 tool failed */
	LOG_VALIDATION,
	LOG_NO_ADDRESS,
	LOG_SWALLOWED,	  /* an option was taken for another's value */
	LOG_NO_NFT,
	LOG_INCOMPATIBLE, /* "table `nat' is incompatible, use 'nft' tool" */
	LOG_NO_JSON,
	LOG_NO_EXPRESSION, /* the kernel refuses an expression of nftables */
	LOG_SELINUX,
	LOG_READ_ONLY,	  /* the node lacks tools, or lets nothing be mounted */
	LOG_AUTOPILOT,	  /* GKE Autopilot rejected the pod */
	LOG_NO_FAMILY,	  /* the kernel does not speak IPv6 (or IPv4) */
	LOG_KINDS,
};

struct log_hit {
	enum log_kind kind;
	unsigned line;	  /* from 1 */
	const char *text; /* without the runtime's prefix, control characters out, cut */
	const char *name; /* see the kinds; NULL */
};

enum { LOG_MAX = 4 << 20, LOG_LINE_MAX = 4096, LOG_HITS_MAX = 64 };

struct log {
	struct log_hit hits[LOG_HITS_MAX]; /* the first of them; further ones are counted only */
	unsigned n, lines;
	const char *variant; /* "legacy", "nf_tables": of the iptables that the log names; NULL */
	const char *version; /* "1.8.4"; NULL */
};

/**
 * log_parse() - look for the lines that matter
 * @text:	the log: as a person pasted it, or as containerd, CRI-O or docker keep it
 * @len:	its bytes; anything is taken, at most LOG_MAX from the end are looked at
 * @a:		arena of the texts
 * @ret:	filled
 *
 * Return: 0, or -1 when memory ran out
 */
int log_parse(const char *text, size_t len, struct arena *a, struct log *ret);

/* log_hit() - the last hit of a kind; NULL when there is none */
const struct log_hit *log_hit(const struct log *l, enum log_kind kind);

#endif
