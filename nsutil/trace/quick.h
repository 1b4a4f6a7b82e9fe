/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quick - which rules of a chain need no look, told from the fields that they begin with */
#ifndef NSUTIL_TRACE_QUICK_H
#define NSUTIL_TRACE_QUICK_H

#include "nsutil/ruleset/model.h"
#include "nsutil/trace/nat.h"
#include "nsutil/trace/packet.h"

/*
 * What a rule means is said in one place, exec_rule(). Here it is only told beforehand that a look would
 * find nothing: a rule is passed over when one of the conditions that it begins with is certainly false,
 * and those before it are certainly true, so that nothing is asked, changed or noted. Whatever is not
 * certain (a field that is not known, a condition of another kind) is left to exec_rule(). The
 * conditions are derived from the model, once per chain. Where all of them are true, the look may begin behind
 * them.
 *
 * - tests: per rule the conditions at its beginning that compare a header field, a meta number or an
 *   interface's name with a constant, as a place, a mask and a value;
 * - an index for long chains: rules by the value that one of their tests wants (by hash), for the
 *   few fields that tell most of the chain's rules apart;
 * - acts: what stands behind the tests, where that is a verdict or a mapping to one address.
 *
 * A node has a hundred thousand rules, of which a connection meets ten. Most of the time went into waiting for
 * memory: a rule of the model is a tree, each part of which stands elsewhere. Hence all that is told of a chain stands
 * in one piece, that can be fetched before it is needed, and holds what its rules do as well.
 */

enum quick_load { LOAD_NETWORK, LOAD_TRANSPORT, LOAD_META, LOAD_L4PROTO, LOAD_NFPROTO, LOAD_IIFNAME, LOAD_OIFNAME };

/* A number of up to 8 bytes (in 'lo'), or 16 bytes as two of them. */
struct quick_number {
	uint64_t hi, lo;
};

struct quick_field {
	uint8_t load;	/* enum quick_load */
	uint8_t size;	/* bytes */
	uint16_t at;	/* byte of the header, or NFT_META_* */
	/* of a test, here because there is room */
	bool range;	   /* from 'want.lo' to 'want.hi' (of up to 8 bytes); else is 'want' */
	bool negate;
	bool absent_holds; /* true of a packet that has no such thing */
	struct quick_number mask;
};

struct quick_test {
	struct quick_field f;
	struct quick_number want;
};

/* A question whose answer no packet tells; one for all rules that ask it in the same words. */
struct quick_ask {
	const char *what, *why;
};

enum quick_act {
	ACT_LOOK,    /* exec_rule() from 'rest' on */
	ACT_VERDICT,
	ACT_NAT,
};

struct quick_chain;

struct quick_rule {
	const struct rule *rule;
	const struct stmt *rest; /* what stands behind the conditions that are tests */
	const struct quick_ask *ask; /* before the act, about 'rest'; NULL: nothing is asked */
	union {
		struct { const char *name; const struct chain *to; } verdict; /* as in struct stmt_verdict */
		const struct nat_words *nat;
	};
	const struct quick_chain *to; /* of the verdict, once it was met; NULL: it is looked for */
	uint32_t tests;		 /* the first one, in the chain's */
	uint8_t n;
	uint8_t act, code;	 /* enum quick_act, enum verdict */
};

#define QUICK_KEYS 8   /* fields that a chain is indexed by */
#define QUICK_GUARDS 8 /* fields that must be known for that */

struct quick_list {
	const uint32_t *at, *end; /* places of rules in the chain, from 0, ascending */
};

/* Most values are wanted by one rule, whose place then stands here. */
struct quick_slot {
	struct quick_number want;
	uint32_t n, one;
	const uint32_t *many;
};

/* Rules that want a certain value of one field. */
struct quick_key {
	struct quick_field f;
	struct quick_list all;	/* of every value: when the field is not known */
	struct quick_slot *slots; /* open addressing; an empty one has no rules */
	uint32_t mask;		/* number of slots - 1 */
};

/* Of a long chain. */
struct quick_index {
	struct quick_key keys[QUICK_KEYS];
	unsigned n_keys;
	struct quick_field guards[QUICK_GUARDS];
	unsigned n_guards;
	struct quick_list rest;	/* rules that are always looked at */
};

struct quick_chain {
	const struct chain *chain;
	struct quick_rule *rules; /* NULL: not to be told beforehand, all are looked at */
	const struct quick_test *tests; /* of all rules */
	struct quick_index *index; /* NULL: not worth it */
	uint32_t n;
};

/* The places that are to be looked at for the packet as it is now. */
struct quick_cursor {
	const struct quick_chain *q; /* NULL: nothing is known */
	uint32_t version, from; /* of the packet; the place that was asked for last */
	bool all;
	unsigned n;
	struct quick_list list[QUICK_KEYS + 1];
};

struct quick;

/* quick_new() - nothing is told yet; chains are added when they are met; NULL when memory ran out */
struct quick *quick_new(void);
void quick_free(struct quick *k);

/**
 * quick_chain() - what can be told of a chain
 * @k:		tables of the tracer, or NULL
 * @c:		chain
 *
 * Return: the chain's; NULL when all its rules are to be looked at (the first time always: it does not pay)
 */
const struct quick_chain *quick_chain(struct quick *k, const struct chain *c);

/* quick_jump() - the same of the chain that a rule jumps to, which is kept with the rule */
const struct quick_chain *quick_jump(struct quick *k, const struct quick_rule *q);

/* quick_expect() - a chain was entered: what its rules jump to may be needed soon */
void quick_expect(const struct quick_chain *q);

/**
 * quick_said() - what a condition is called, said once and kept
 * @k:		tables of the tracer
 * @s:		condition
 *
 * Return: describe_condition(); NULL when memory ran out
 */
const char *quick_said(struct quick *k, const struct stmt *s);

/**
 * quick_next() - the first rule to look at
 * @q:		chain
 * @p:		packet
 * @cursor:	of this walk; 'q' is NULL at its beginning
 * @from:	place in the chain, from 0
 * @sure:	set when all tests of the rule are true
 *
 * Return: a place >= @from; the number of rules when none is left
 */
uint32_t quick_next(const struct quick_chain *q, const struct packet *p, struct quick_cursor *cursor, uint32_t from,
		    bool *sure);

/* ---- quick_make.c ---- */

#define QUICK_ASKS 64 /* that are thought of */

/* What the chains of a tracer share. */
struct quick_shared {
	struct arena *arena;
	struct run *blank; /* of no packet: what is asked then is asked always */
	const struct quick_ask *asks[QUICK_ASKS];
	unsigned n_asks;
};

/* quick_make() - what can be told of a chain; NULL when memory ran out */
struct quick_chain *quick_make(struct quick_shared *k, const struct chain *c);

/* ---- quick_set.c ---- */

struct set_key;
struct quick_set;

/* The elements that a key may be, in their order. */
struct quick_elems {
	bool all;		/* every one */
	uint32_t n, range;	/* of the set; the one whose range holds it, or UINT32_MAX */
	struct quick_list exact, others;
	const struct set_elem *rest; /* "*", when that is known */
	bool rest_known;
};

/* quick_elems() - which elements of a set (read, and not changed since) are to be looked at; @k may be NULL */
struct quick_elems quick_elems(struct quick *k, const struct set *s, const struct set_key *key);
/* quick_elem() - the first of them at or behind a place; the set's n_elems when there is none */
uint32_t quick_elem(struct quick_elems *e, uint32_t from);
/* quick_set() - what is known of a set; NULL the first time */
const struct quick_set *quick_set(struct quick *k, const struct set *s);
struct quick_set *quick_set_make(struct arena *a, const struct set *s);

/* ---- quick_test.c ---- */

/* quick_load() - the field's bits in place; Return: TRI_TRUE, UNKNOWN, or FALSE: the packet has no such thing */
enum tri quick_load(const struct quick_field *f, const struct packet *p, struct quick_number *v);
enum tri quick_test(const struct quick_test *t, const struct packet *p);
/**
 * quick_tests() - the tests that a rule begins with
 * @rule:	rule
 * @t:		room for them
 * @max:	of how many
 * @rest:	set to the first statement that they do not tell all of
 *
 * Return: how many there are
 */
unsigned quick_tests(const struct rule *rule, struct quick_test *t, unsigned max, const struct stmt **rest);
bool quick_same_field(const struct quick_field *a, const struct quick_field *b);

/* ---- quick_index.c ---- */

/* quick_index() - index the rules of a chain, whose tests are made, if that tells any; returns -1 when memory ran out */
int quick_index(struct arena *a, struct quick_chain *q);
/* quick_hash() - where to begin looking for a value */
static inline uint32_t quick_hash(const struct quick_number *v)
{
	uint64_t h = (v->lo ^ v->hi * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;

	return (uint32_t)(h >> 32);
}

#endif
