/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode - statements of the model as nf_tables instructions, the way iptables-nft writes them */
#ifndef NSUTIL_NFT_ENCODE_H
#define NSUTIL_NFT_ENCODE_H

#include <libmnl/libmnl.h>
#include <stdbool.h>

#include "nsutil/ruleset/model.h"

/* A message under construction. 'full' is sticky: something did not fit. */
struct enc {
	struct nlmsghdr *msg;
	size_t room;
	bool full;
	const char *why; /* a statement that cannot be written; sticky */
};

/* Attributes that check the room. */
void enc_put(struct enc *m, uint16_t type, const void *data, size_t len);
void enc_str(struct enc *m, uint16_t type, const char *s); /* with its NUL */
void enc_be32(struct enc *m, uint16_t type, uint32_t v);
void enc_be64(struct enc *m, uint16_t type, uint64_t v);
struct nlattr *enc_nest(struct enc *m, uint16_t type);
void enc_nest_end(struct enc *m, struct nlattr *nest);

/* One instruction: enc_expr() opens it, enc_expr_end() closes what that returned. */
struct enc_expr {
	struct nlattr *elem, *data;
};
struct enc_expr enc_expr(struct enc *m, const char *name);
void enc_expr_end(struct enc *m, struct enc_expr x);

/* The instructions, all on register 1. */
void enc_payload(struct enc *m, unsigned base, unsigned offset, unsigned len);
void enc_meta(struct enc *m, uint32_t key);
void enc_bitwise(struct enc *m, const void *mask, unsigned len);
void enc_cmp(struct enc *m, enum match_op op, const void *data, unsigned len);
void enc_range(struct enc *m, bool invert, const void *from, const void *to, unsigned len);
void enc_counter(struct enc *m, uint64_t packets, uint64_t bytes);
void enc_verdict(struct enc *m, const struct stmt_verdict *v);

/**
 * enc_rule() - put NFTA_RULE_EXPRESSIONS and, where extensions need it, NFTA_RULE_COMPAT
 * @m:		message
 * @r:		rule
 */
void enc_rule(struct enc *m, const struct rule *r);

/* enc_compat() - put NFTA_RULE_COMPAT: the protocol that @s, a rule's statements, are bound to; nothing when none */
void enc_compat(struct enc *m, const struct stmt *s);

/* encode_xt.c: an extension as native instructions where iptables-nft has them, else as it is */
void enc_xt(struct enc *m, const struct xt_ext *x);

#endif
