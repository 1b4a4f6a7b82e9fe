/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_json - reading libnftables-json(5) into the model: what its parts share */
#ifndef NSUTIL_DUMP_NFT_JSON_H
#define NSUTIL_DUMP_NFT_JSON_H

#include <jansson.h>

#include "nsutil/nft/decode.h"

#define NJ_DEPTH 32 /* of nested expressions */

/*
 * nft leaves out of its JSON what follows from the rest of the rule (the protocol before a port).
 * It is put in again, marked implied, so that what is read compares equal with what the kernel has.
 */
struct nj {
	struct ruleset *rs;
	struct arena *a;
	struct table *t;
	struct dec dec;	    /* what the rule has said of protocols so far */
	struct stmt **list; /* of the rule at hand */
	bool several;	    /* what "reject" took the network protocol from does not show in the rule as the kernel has it */
	unsigned depth;
	char why[200];	    /* the first thing that was not understood; "" when memory ran out */
};

/* nj_bad() - note what was not understood; always NULL */
void *nj_bad(struct nj *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* nft_json_value.c */
/**
 * nj_value() - a constant: number, word, flags, address, name, prefix, range
 * @n:		reader
 * @j:		JSON
 * @like:	what it is compared with, written to or an element of: its type; NULL: told by the form
 *
 * Return: expression; NULL when it is not understood (n->why), or memory ran out
 */
struct expr *nj_value(struct nj *n, json_t *j, const struct expr *like);
/* nj_uint() - a number of the type of @like */
struct expr *nj_uint(struct nj *n, uint64_t v, const struct expr *like);
/* nj_type() - a value of the type of a name of nft ("ipv4_addr") that stands for the type; NULL: none such */
struct expr *nj_type(struct nj *n, json_t *types, uint32_t *ret_number, uint32_t *ret_len);

/* nft_json_expr.c */
struct expr *nj_expr(struct nj *n, json_t *j, const struct expr *like);
/* nj_exists() - the expression asks only whether there is something (compared with true or false) */
void nj_exists(struct expr *x);
/* nj_is_const() - the JSON is a value, not an expression */
bool nj_is_const(json_t *j);

/*
 * nft_json_imply.c: what nft puts in by itself, so that a header is there; false when memory ran out
 * nj_imply() - a transport's header is used: say its protocol, unless the rule did
 * nj_imply_field() - so of a field of any header; its place is then where it is in a frame with several tags
 * nj_imply_option() - so of "ip" or "ip6", for an option or extension header of it
 * nj_imply_reject() - so of "ip", "ip6" or "tcp", whose packets "reject" answers
 * nj_learn() - what the condition @s tells of protocols
 */
bool nj_imply(struct nj *n, const char *protocol);
bool nj_imply_field(struct nj *n, struct expr *x);
bool nj_imply_option(struct nj *n, const char *protocol);
bool nj_imply_reject(struct nj *n, const char *protocol);
void nj_learn(struct nj *n, const struct stmt *s);

/* nft_json_set.c */
/* nj_set() - "@name" or {"set":[...]}; @data: type of a map's data, NULL: a set or verdict map */
struct set *nj_set(struct nj *n, json_t *j, const struct expr *key, const struct expr *data, bool map);
/* nj_meter() - the set behind a meter */
struct set *nj_meter(struct nj *n, const struct expr *key, uint32_t size);
/* nj_elems() - the elements of a set that is declared; 0, -1 */
int nj_elems(struct nj *n, struct set *s, json_t *elems, const struct expr *key, const struct expr *data);
int nj_declare_set(struct nj *n, json_t *j, bool map);
int nj_declare_object(struct nj *n, const char *kind, json_t *j);

/* nft_json_stmt.c */
/* nj_stmts() - a rule's "expr" to n->list; 0, or -1 */
int nj_stmts(struct nj *n, json_t *list);
/* nj_stmt() - one statement at the end of n->list */
int nj_stmt(struct nj *n, json_t *j);
struct stmt_verdict *nj_verdict(struct nj *n, json_t *j); /* NULL, without why: it is none */

/* nj_add() - put a statement at the end of n->list; -1 when it is NULL */
int nj_add(struct nj *n, struct stmt *s);
/* nj_words() - one word or a list of them: the bits of a table */
struct nj_word {
	const char *word;
	uint32_t bit;
};
uint32_t nj_words(json_t *j, const struct nj_word *table, size_t size);

/* Statements by their key; ended by NULL. */
struct nj_kind {
	const char *key;
	int (*fn)(struct nj *n, json_t *j);
};
extern const struct nj_kind nj_kinds_act[];

/* nft_json_act.c */
/* nj_span() - a value, a computed one, or both ends of a range or prefix; nothing when @j is NULL */
bool nj_span(struct nj *n, json_t *j, const struct expr *like, struct expr **from, struct expr **to);

/* Reading keys: nothing is there, or of another type, gives 0 and NULL. */
static inline const char *nj_str(json_t *j, const char *key)
{
	return json_string_value(json_object_get(j, key));
}

/* Of numbers that need all 64 bits nft makes negative ones. */
static inline uint64_t nj_num(json_t *j, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(j, key));
}

#endif
