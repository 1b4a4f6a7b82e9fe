/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse - iptables words and iptables-restore text into rules of the model */
#ifndef NSUTIL_XT_PARSE_H
#define NSUTIL_XT_PARSE_H

#include "nsutil/base/err.h"
#include "nsutil/ruleset/model.h"

/*
 * Names are not looked up: users, groups and hosts must be numbers, protocols and ports may have
 * the names of a small table. What the newest revision of an extension can express is read.
 */

/**
 * xt_parse_rule() - read a rule's specification: what follows "-A CHAIN"
 * @rs:		ruleset whose arena is used
 * @c:		chain the rule is for; its table says the family. It is not added to the chain:
 *		xt_append_rule() does that, or it becomes an edit of xt_commit() or nft_commit()
 * @words:	the words: "-p", "tcp", "-m", "owner", "--uid-owner", "1337", "-j", "RETURN"
 * @n:		their number
 * @ret:	set on success; jumps are not resolved (ruleset_link() does that)
 * @e:		error
 *
 * Return: 0, or -1
 */
int xt_parse_rule(struct ruleset *rs, struct chain *c, const char *const *words, size_t n, struct rule **ret,
		  struct err *e);

/* xt_append_rule() - put a rule at the end of its chain; xt_insert_rule() - in front of position 1.. */
void xt_append_rule(struct rule *r);
void xt_insert_rule(struct rule *r, uint32_t position);

/**
 * xt_parse_words() - split a line as iptables-restore does: blanks, "..." with \ inside
 * @a:		arena of the words
 * @line:	the line, up to its NUL
 * @ret:	set on success, ended by NULL
 * @ret_n:	their number
 * @e:		error
 *
 * Return: 0, or -1
 */
int xt_parse_words(struct arena *a, const char *line, const char *const **ret, size_t *ret_n, struct err *e);

/**
 * xt_parse_restore() - read iptables-restore text: *TABLE, :CHAIN POLICY [p:b], -A, -I, -N, -P, COMMIT
 * @rs:		ruleset to add tables to
 * @store:	the store they are said to be of: STORE_LEGACY or STORE_COMPAT
 * @family:	NFPROTO_IPV4 or NFPROTO_IPV6
 * @text:	the text; need not end with NUL, may hold anything
 * @size:	its length
 * @name:	where it is from, for errors: "NAME: line 3"
 * @e:		error
 *
 * Return: 0, or -1 (@rs then is of no use)
 */
int xt_parse_restore(struct ruleset *rs, enum store store, uint8_t family, const char *text, size_t size,
		     const char *name, struct err *e);

#endif
