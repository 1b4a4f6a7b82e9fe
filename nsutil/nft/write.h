/* SPDX-License-Identifier: GPL-2.0-or-later */
/* write - changing nftables tables: several edits as one transaction, encoded as iptables-nft does */
#ifndef NSUTIL_NFT_WRITE_H
#define NSUTIL_NFT_WRITE_H

#include "nsutil/base/err.h"
#include "nsutil/netns/netns.h"
#include "nsutil/ruleset/model.h"

enum nft_edit_op {
	NFT_EDIT_ADD_TABLE,    /* no error when it is there */
	NFT_EDIT_ADD_CHAIN,    /* 'chain' describes it; 'base' makes a base chain. No error when it is there */
	NFT_EDIT_FLUSH_CHAIN,  /* all rules of 'chain_name' */
	NFT_EDIT_DELETE_CHAIN, /* which must be empty by then */
	NFT_EDIT_APPEND_RULE,
	NFT_EDIT_INSERT_RULE,  /* at the head, or in front of the rule with 'handle' */
	NFT_EDIT_ADD_AFTER,    /* behind the rule with 'handle' */
	NFT_EDIT_DELETE_RULE,  /* by 'handle' */
	NFT_EDIT_DELETE_TABLE, /* with all in it */
};

/* One edit. 'family' and 'table' name the table; what else is looked at depends on 'op'. */
struct nft_body;

struct nft_edit {
	enum nft_edit_op op;
	uint8_t family;		 /* NFPROTO_IPV4 or NFPROTO_IPV6 */
	const char *table;
	const char *chain_name;	 /* all but *_TABLE; may be NULL when 'chain' is given */
	const struct chain *chain; /* ADD_CHAIN: name, base, type, hook, priority, policy */
	uint64_t handle;	 /* 0: none */
	const struct nft_body *body; /* APPEND, INSERT, ADD_AFTER: in place of 'rule', native */
	const struct rule *rule; /* APPEND, INSERT, ADD_AFTER: statements as xt/parse.c or nft_read() give them */
};

/* What nft_commit() returns beside 0 and -1. */
#define NFT_COMMIT_CHANGED (-2)

/**
 * nft_commit() - carry out edits, all or none, in the order given
 * @ns:		namespace
 * @edits:	edits, of any number of tables
 * @n:		their number; 0 does nothing
 * @generation:	ruleset.nft_generation that the edits were computed from; when the rules have
 *		changed since, nothing is done. 0: do not check
 * @e:		error; says which edit the kernel refused and why
 *
 * Rules are encoded as iptables-nft 1.8.9 encodes them: native expressions for addresses,
 * interfaces, protocol, tcp and udp ports, mark, counters and verdicts, "match" and "target" for all
 * else, so that iptables-nft reads them back.
 *
 * Return: 0; NFT_COMMIT_CHANGED when the generation is another (@e is set; read again and retry,
 * with a bound); -1
 */
int nft_commit(const struct netns *ns, const struct nft_edit *edits, size_t n, uint32_t generation,
	       struct err *e);

/* nft_builtin_chain() - what iptables-nft makes of a built-in chain: type, hook, priority; false when
 * there is no such chain in the table. Only these fields and the name of @ret are set */
bool nft_builtin_chain(const char *table, const char *chain, struct chain *ret);

#endif
