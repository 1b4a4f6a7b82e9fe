/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptables - what the parts of the iptables text share */
#ifndef NSUTIL_RULESET_IPTABLES_H
#define NSUTIL_RULESET_IPTABLES_H

#include "nsutil/base/buf.h"
#include "nsutil/ruleset/model.h"

/* The conditions that iptables keeps in the fixed part of a rule, wherever they stand in the list. */
struct ipt_header {
	const struct stmt_match *saddr, *daddr, *iif, *oif, *proto, *frag;
	uint8_t l4proto; /* of 'proto' when it is one that must be; else 0 */
};

/* ipt_header_take() - which of the header's conditions a statement is; false when it is none */
bool ipt_header_take(struct ipt_header *h, const struct stmt *s);
/* ipt_header_save() - " -s 10.0.0.0/8 -p tcp"; false when one has no iptables form */
bool ipt_header_save(const struct ipt_header *h, struct buf *b);

/**
 * ipt_native_save() - append a native statement as the match that iptables-nft prints for it
 * @r:		rule
 * @h:		its header
 * @s:		statement
 * @ports:	set once the "-m tcp" or "-m udp" of the rule has been printed
 * @b:		text is appended
 *
 * Return: false when iptables has no form for it
 */
bool ipt_native_save(const struct rule *r, const struct ipt_header *h, const struct stmt *s, bool *ports,
		     struct buf *b);

/* ipt_native_target() - " -j NFLOG ..." for a native action; false when it has no form */
bool ipt_native_target(const struct rule *r, const struct stmt *s, struct buf *b);


/* iptables_newer.c: what newer versions write without an xt extension; false when iptables has no form for it */
bool ipt_newer_match(const struct stmt *s, struct buf *b);
bool ipt_newer_target(const struct stmt *s, struct buf *b);
/* ipt_newer_is_code() - an ICMP type with a code in the next statement, which the text of the type holds */
bool ipt_newer_is_code(const struct stmt *type);
/* ipt_newer_is_range() - a range of addresses, which is a match of its own and no part of the header */
bool ipt_newer_is_range(const struct stmt *s);
/* ipt_save_string() - " --option text", quoted as iptables-save does it */
void ipt_save_string(const char *option, const char *text, struct buf *b);

#endif
