/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_print - nft's two forms, text and JSON, of values, expressions and statements */
#ifndef NSUTIL_RULESET_NFT_PRINT_H
#define NSUTIL_RULESET_NFT_PRINT_H

#include "nsutil/base/buf.h"
#include "nsutil/base/json.h"
#include "nsutil/ruleset/model.h"

/* Where text goes and how. */
struct nft_text {
	struct buf *b;
	bool counters;	 /* with the values of counters and other state */
	uint8_t family;	 /* of the table */
	bool meaning;	 /* inside the meaning of an xt extension: say what nft would hide */
	unsigned blocks; /* chains without a name of their own stand in the rule that jumps to them: so deep; 0: not */
	unsigned hook;	 /* one more than the hook of the rule's chain; 0: not known, or several */
	const char *l4;	 /* what the rule's transport protocol is called, for "th dport"; NULL: not known */
};

/* nft_value.c */
/* nft_value_text() - one value; flags are put together with @sep (",", " | ") */
void nft_value_text(const struct expr *v, const char *sep, struct buf *b);
/* nft_number_text() - one value, as a number where nft has names for it */
void nft_number_text(const struct expr *v, struct buf *b);
/* nft_is_meter() - the set is there for this statement only: the older form of adding to a set */
bool nft_is_meter(const struct stmt_setop *s);
/* nft_number_json() - the same in JSON: flags as their bits, all else as one number */
void nft_number_json(const struct expr *v, struct json *j, const char *key);
/* nft_value_json() - one value; several flags become an array, or "|" operations where @binop */
void nft_value_json(const struct expr *v, bool binop, struct json *j, const char *key);
/* nft_several_flags() - the value is more than one flag: as a map's data those are one number, not taken apart */
bool nft_several_flags(const struct expr *x);
/* nft_time_text() - a duration as nft writes it: "1d2h3m4s5ms" */
void nft_time_text(uint64_t msecs, struct buf *b);
/* nft_string_text() - in double quotes */
void nft_string_text(const char *s, struct buf *b);
/* nft_rate() - bytes as nft scales them: the number, and "bytes", "kbytes" or "mbytes" */
uint64_t nft_scale(uint64_t bytes, const char **unit);
/* nft_unit_name() - "second", "minute" ... for a number of seconds; NULL when there is none */
const char *nft_unit_name(uint64_t secs);

/* nft_expr.c */
void nft_expr_text(const struct nft_text *t, const struct expr *x);
/* nft_elems_text() - "{ 1, 2 : accept }" */
void nft_elems_text(const struct nft_text *t, const struct set *s);
void nft_elem_text(const struct nft_text *t, const struct set *s, const struct set_elem *e);
/* nft_setref_text() - "@name", or the elements of an anonymous set */
void nft_setref_text(const struct nft_text *t, const struct set *s);

/* nft_names of keys, shared by text and JSON; NULL when unknown */
const char *nft_rt_key(uint32_t key);
const char *nft_socket_key(uint32_t key);
const char *nft_fib_result(uint32_t result);
const char *nft_payload_base(uint8_t base);
const char *nft_osf_ttl(uint8_t ttl);
const char *nft_tunnel_key(uint32_t key);
struct nft_xfrm {
	const char *family, *key; /* family NULL for keys without one */
};
struct nft_xfrm nft_xfrm_key(uint32_t key);
/* nft_fib_flags() - the words of the flags, in nft's order; returns their number */
unsigned nft_fib_flags(uint32_t flags, const char *words[5]);

/* nft_match.c: how nft writes a condition */
enum nft_match_form {
	NFT_MATCH_PLAIN,    /* left op right */
	NFT_MATCH_FLAGS,    /* "ct state new,related": some of these bits */
	NFT_MATCH_NO_FLAGS, /* "tcp flags ! syn": none of these bits */
	NFT_MATCH_MASKED,   /* "tcp flags syn / syn,ack" */
};
enum nft_match_form nft_match_form(const struct stmt_match *m);
void nft_match_text(const struct nft_text *t, const struct stmt_match *m);
void nft_match_json(const struct stmt_match *m, struct json *j);

#define CHAIN_IN_RULE 4 /* NFT_CHAIN_BINDING: made by "jump { ... }", lives and dies with that rule */

/* nft_rule.c: nft_rule_text() - rule_nft() as a part of a listing */
void nft_rule_text(const struct nft_text *t, const struct rule *r);

/* nft_table.c: nft_type_text() - a data type by its number, the parts of a concatenation with " . " between */
void nft_type_text(uint32_t type, struct buf *b);

/* nft_stmt.c */
/* nft_stmts_text() - a list, each but the first with a blank in front; implied ones are left out */
void nft_stmts_text(const struct nft_text *t, const struct stmt *list);
void nft_stmt_text(const struct nft_text *t, const struct stmt *s);
void nft_verdict_text(const struct stmt_verdict *v, struct buf *b);
/* Words of flags, shared by text and JSON; each returns the number of words. */
unsigned nft_nat_flags(uint32_t flags, const char *words[4]);
unsigned nft_synproxy_flags(uint32_t flags, const char *words[2]);
unsigned nft_queue_flags(uint32_t flags, const char *words[2]);
const char *nft_log_level(int level);
const char *nft_object_word(uint32_t type);
const char *nft_reject_type(const struct stmt_reject *r);
enum dtype nft_reject_dtype(const struct stmt_reject *r);

/*
 * nft_ports.c: nft has no "or", but a set of both ports together. And it loads two conditions that neither of two
 * single ports is so as one that not both are (1.0.6).
 * nft_either_port_text() - "tcp sport . tcp dport { 0-65535 . 53, 53 . 0-65535 }"; nft_neither_port_text() - "!=" of
 * this and the next condition. False, with nothing written, where it is not about that.
 */
bool nft_either_port_text(const struct nft_text *t, const struct stmt_any *any);
bool nft_neither_port_text(const struct nft_text *t, const struct stmt *s);

/* nft_act.c: the longer ones */
void nft_nat_text(const struct nft_text *t, const struct stmt_nat *n);
/* nft_nat_has_text() - nft has words for what an xt target does there */
bool nft_nat_has_text(const struct nft_text *t, const struct stmt_nat *n);
/* nft_span_prefix() - length of the prefix that a range of addresses is; -1 when it is none */
int nft_span_prefix(const struct expr *from, const struct expr *to);
void nft_tproxy_text(const struct nft_text *t, const struct stmt_tproxy *p);
void nft_log_text(const struct stmt_log *l, struct buf *b);

/* nft_json_expr.c, nft_json.c */
void nft_expr_json(const struct expr *x, struct json *j, const char *key);
void nft_setref_json(const struct set *s, struct json *j, const char *key);
void nft_stmts_json(uint8_t family, const struct stmt *list, struct json *j);
/* nft_stmt_body_json() - what stands in a statement's object: one member under a key of its own */
void nft_stmt_body_json(uint8_t family, const struct stmt *s, struct json *j);
void nft_elem_json(const struct set *s, const struct set_elem *e, struct json *j);
void nft_verdict_json(const struct stmt_verdict *v, struct json *j);
void nft_nat_json(uint8_t family, const struct stmt_nat *n, struct json *j);
void nft_log_json(const struct stmt_log *l, struct json *j);

/* nft_table.c */
/* nft_type_number() - the number of a data type by its name ("ipv4_addr"); -1 when there is none such */
int nft_type_number(const char *name);

#endif
