/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model - the neutral model of tables, chains and rules that all stores are decoded into */
#ifndef NSUTIL_RULESET_MODEL_H
#define NSUTIL_RULESET_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "nsutil/base/arena.h"
#include "nsutil/ruleset/expr.h"

/*
 * Everything of a ruleset lives in its arena; nothing is freed on its own. Decoders (xt/, nft/,
 * dump/) fill it, everybody else reads it. A rule is a list of statements in the order the kernel
 * evaluates them: a MATCH that is false ends the rule, a VERDICT (or a terminal action) ends the
 * chain walk. What a decoder does not understand becomes STMT_OPAQUE; it is never left out.
 */

enum store { STORE_LEGACY, STORE_COMPAT, STORE_NATIVE, STORE_COUNT };

/* Families are NFPROTO_* of <linux/netfilter.h>: INET 1, IPV4 2, ARP 3, NETDEV 5, BRIDGE 7, IPV6 10.
 * Hooks are NF_INET_* (PRE_ROUTING 0, LOCAL_IN 1, FORWARD 2, LOCAL_OUT 3, POST_ROUTING 4,
 * INGRESS 5); for NETDEV tables NF_NETDEV_INGRESS 0 and NF_NETDEV_EGRESS 1. */

enum verdict {
	VERDICT_ACCEPT,
	VERDICT_DROP,
	VERDICT_CONTINUE,
	VERDICT_RETURN,
	VERDICT_JUMP,
	VERDICT_GOTO,
	VERDICT_QUEUE,
	VERDICT_STOLEN, /* fwd, synproxy and the like: the packet leaves the walk */
};

enum stmt_kind {
	STMT_MATCH,	 /* left op right */
	STMT_ANY,	 /* true when one of several lists of conditions is true */
	STMT_NOT,	 /* true when a list of conditions is not */
	STMT_XT,	 /* an xt match or target; 'meaning' says what it does, if known */
	STMT_OPAQUE,	 /* not understood: shown by name, unknown to the trace */
	STMT_COUNTER,
	STMT_LIMIT,
	STMT_QUOTA,
	STMT_CONNLIMIT,
	STMT_LAST,
	STMT_LOG,
	STMT_VERDICT,
	STMT_VMAP,	 /* verdict looked up by a key */
	STMT_REJECT,
	STMT_NAT,	 /* snat, dnat, masquerade, redirect */
	STMT_SET_VALUE,	 /* "meta mark set ...", "ct zone set ...", "tcp dport set ..." */
	STMT_TPROXY,
	STMT_NOTRACK,
	STMT_QUEUE,
	STMT_DUP,
	STMT_FWD,
	STMT_SETOP,	 /* add, update or delete an element of a named set or map */
	STMT_OBJREF,	 /* use of a named object, or of a map of objects */
	STMT_SYNPROXY,
	STMT_FLOW,	 /* flow add @flowtable */
	STMT_EXTHDR_RESET, /* "reset tcp option ..." */
};

enum match_op { OP_EQ, OP_NE, OP_LT, OP_GT, OP_LE, OP_GE };
/* A right side of kind EXPR_SETREF, EXPR_RANGE, EXPR_PREFIX or EXPR_IPSET means "is in", with
 * OP_EQ or OP_NE. Bit tests are EXPR_BINOP AND on the left and a comparison with 0 or a value. */

enum nat_kind { NAT_SNAT, NAT_DNAT, NAT_MASQUERADE, NAT_REDIRECT, NAT_NETMAP };
enum reject_kind { REJECT_ICMP, REJECT_TCP_RST, REJECT_ICMPX, REJECT_ICMP6 };
enum setop_kind { SETOP_ADD, SETOP_UPDATE, SETOP_DELETE };

struct stmt;
struct xt_ext;

struct stmt_match {
	enum match_op op;
	struct expr *left, *right;
};

struct stmt_any {
	struct stmt **alternatives; /* each a list of conditions */
	unsigned n;
};

struct stmt_opaque {
	const char *name;   /* of the expression, match or target */
	const char *why;    /* why it is not understood ("unknown revision 3") */
	const void *data;   /* its bytes, as far as known */
	uint32_t size;
	uint8_t rev;
	enum { OPAQUE_EXPR, OPAQUE_MATCH, OPAQUE_TARGET } type;
	bool terminal;	    /* may end the walk with a verdict of its own */
};

struct stmt_limit {
	uint64_t rate, unit_secs; /* 'rate' per 'unit_secs' seconds */
	uint32_t burst;
	bool bytes, over;
};

struct stmt_quota {
	uint64_t bytes, used;
	bool over;
};

struct stmt_log {
	const char *prefix; /* NULL when none */
	int level;	    /* syslog level, LOGLEVEL_AUDIT 8; -1 when not given */
	uint32_t flags;	    /* NF_LOG_* */
	int group;	    /* nfnetlink_log group; -1 when it goes to the kernel log */
	uint32_t snaplen, qthreshold;
	bool has_snaplen, has_qthreshold;
};

struct stmt_verdict {
	enum verdict code;
	const char *chain;	/* target of a jump or goto */
	struct chain *to;	/* resolved in the same table; NULL when it does not exist */
};

struct stmt_vmap { struct expr *key; struct set *map; };

struct stmt_reject {
	enum reject_kind kind;
	uint8_t code; /* ICMP code, or NFT_REJECT_ICMPX_* */
	bool bare;    /* of which family the packets are is not said: nft lists no kind nor code */
};

struct stmt_nat {
	enum nat_kind kind;
	uint8_t family;		      /* of the addresses; NFPROTO_UNSPEC when ports only */
	struct expr *addr, *addr_max; /* NULL when not given */
	struct expr *port, *port_max; /* network order, 16 bits */
	uint32_t flags;		      /* NF_NAT_RANGE_* */
	uint16_t base_port;	      /* xt DNAT rev 2 port shift, else 0 */
};

struct stmt_set_value {
	struct expr *target; /* EXPR_META, EXPR_CT, EXPR_PAYLOAD, EXPR_EXTHDR */
	struct expr *value;
	uint32_t csum_flags; /* payload writes: NFT_PAYLOAD_* */
};

struct stmt_tproxy {
	uint8_t family;
	struct expr *addr, *port;    /* NULL when not given */
	uint32_t mark_mask, mark;    /* xt only: mark = (mark & ~mask) ^ mark */
	bool terminal;		     /* xt: accept when a socket takes it, else drop */
};

struct stmt_queue {
	uint16_t from, to;
	uint32_t flags;	      /* NFT_QUEUE_FLAG_* */
	struct expr *expr;    /* queue number computed; NULL when from-to */
};

struct stmt_dup {	      /* also STMT_FWD */
	uint8_t family;
	struct expr *addr, *dev;
};

struct stmt_setop {
	enum setop_kind op;
	struct set *set;
	const char *set_name;
	struct expr *key, *data; /* data NULL for sets */
	uint64_t timeout_ms;
	struct stmt *stmts;
};

struct stmt_objref {
	uint32_t type;	      /* NFT_OBJECT_* */
	const char *name;     /* direct reference; NULL when by map */
	struct expr *key;
	struct set *map;
};

struct stmt_synproxy {
	uint16_t mss;
	uint8_t wscale;
	uint32_t flags;	/* NF_SYNPROXY_OPT_* */
};

struct stmt_connlimit {
	uint32_t count;
	bool over;
};

struct stmt_counter {
	uint64_t packets, bytes;
};

struct stmt {
	enum stmt_kind kind;
	bool implied; /* an nftables dependency ("meta l4proto tcp" before "tcp dport") that nft does not print */
	struct stmt *next;
	union {
		struct stmt_match match;
		struct stmt_any any;
		struct stmt *negated;
		struct xt_ext *xt;
		struct stmt_opaque opaque;
		struct stmt_counter counter;
		struct stmt_limit limit;
		struct stmt_quota quota;
		struct stmt_connlimit connlimit;
		struct { uint64_t msecs; bool set; } last;
		struct stmt_log log;
		struct stmt_verdict verdict;
		struct stmt_vmap vmap;
		struct stmt_reject reject;
		struct stmt_nat nat;
		struct stmt_set_value set_value;
		struct stmt_tproxy tproxy;
		struct stmt_queue queue;
		struct stmt_dup dup;
		struct stmt_setop setop;
		struct stmt_objref objref;
		struct stmt_synproxy synproxy;
		const char *flowtable;
		struct expr *exthdr_reset;
	};
};

/*
 * An xt match or target as the kernel holds it. The bytes are kept: they are what the store
 * gives back on a write. 'codec' is NULL when name and revision are not known: then the
 * statement is STMT_OPAQUE instead. 'meaning' is the same in terms of the model, in the
 * vocabulary of native nftables, so that evaluation and comparison need not know xt;
 * NULL with 'why_unknown' set when it depends on something that cannot be known.
 */
struct xt_codec;

struct xt_ext {
	const struct xt_codec *codec; /* nsutil/xt/codec.h */
	const char *name;
	uint8_t rev;
	bool target;
	uint8_t family;
	uint32_t size;		/* of 'data' */
	const void *data;
	struct stmt *meaning;
	struct stmt *form;	/* without a meaning: what nftables has for the same, which decides by what it saw before */
	const char *why_unknown;
	const char **ipsets;	/* names of the ipsets that set and SET refer to, by their place in the
				 * structure; NULL until they are known (xt_name_sets()) */
	bool goes_on;		/* a target behind which the walk goes on with the next rule */
};

struct rule {
	struct chain *chain;
	uint32_t index;		/* 1.. within the chain, as iptables -L --line-numbers counts */
	uint64_t handle;	/* nftables; 0 in the legacy store */
	uint64_t packets, bytes;
	bool has_counter;
	bool opaque;		/* something in it is STMT_OPAQUE */
	struct stmt *stmts;
	const void *raw;	/* not NULL: 'stmts' are yet to be made from this, see maker.h */
	const char *comment;	/* xt comment or nft userdata comment; NULL when none */
	struct rule *next;
};

struct chain {
	struct table *table;
	const char *name;
	uint64_t handle;
	bool base;
	const char *type;	/* "filter", "nat", "route"; base chains only */
	unsigned hook;
	int32_t priority;
	enum verdict policy;	/* ACCEPT or DROP */
	const char **devices;	/* netdev family, ingress of inet */
	unsigned n_devices;
	uint32_t flags;		/* NFT_CHAIN_* (hw offload) */
	uint32_t use;		/* nftables: rules in it and jumps to it; 0 in the legacy store */
	uint64_t packets, bytes; /* of the policy */
	bool has_counter;
	const char *comment;
	struct rule *rules, **rules_tail;
	uint32_t n_rules;
	struct chain *next;
	void *walk;		/* for the walker of the moment; no meaning of its own */
};

enum {
	SET_ANONYMOUS = 0x1,
	SET_CONSTANT = 0x2,
	SET_INTERVAL = 0x4,
	SET_MAP = 0x8,
	SET_TIMEOUT = 0x10,
	SET_EVAL = 0x20,
	SET_OBJECT = 0x40,
	SET_CONCAT = 0x80,
	SET_EXPR = 0x100, /* several statements of its own */
}; /* as NFT_SET_* */

struct set_elem {
	struct expr *key;	/* EXPR_VALUE, EXPR_RANGE, EXPR_PREFIX, or EXPR_CONCAT of those */
	struct expr *data;	/* value of a map; NULL in sets and verdict maps */
	struct stmt_verdict *verdict; /* verdict maps */
	const char *object;	/* maps of objects */
	bool catchall;		/* "*" */
	uint64_t timeout_ms, expires_ms;
	struct stmt *stmts;	/* counter, limit ... of the element */
	const char *comment;
};

struct set {
	struct table *table;
	const char *name;
	uint64_t handle;
	uint32_t flags;		/* SET_* */
	uint32_t key_type, data_type; /* nftables' own type numbers, concatenations packed by 6 bits */
	uint32_t key_len, data_len;   /* bytes */
	uint32_t obj_type;	/* NFT_OBJECT_* of object maps */
	struct expr *typeof_key, *typeof_data; /* when userdata says "typeof"; else NULL */
	uint64_t timeout_ms;
	uint32_t gc_interval_ms, size, policy;
	bool has_size, auto_merge;
	bool data_interval;	/* data of a map are ranges */
	uint8_t key_order, data_order; /* byte order as user data say: 1 host, 2 network, 0 not said */
	void *reading;		/* of the decoder, while elements come in */
	struct stmt *stmts;	/* statements that every element gets */
	const char *comment;
	struct set_elem *elems;
	uint32_t n_elems;
	const char *unread;	/* why the elements are not known; NULL when they are */
	struct set *next;
};

/* A member of an object's content, in nft's words; str NULL: a number. Those of "policy" come last. */
struct object_prop { const char *key, *str; uint64_t num; bool policy; struct object_prop *next; };

struct object {			/* named counter, quota, limit, ct helper ... */
	struct table *table;
	const char *name;
	uint64_t handle;
	uint32_t type;		/* NFT_OBJECT_* */
	const char *comment;
	struct stmt *stmt;	/* COUNTER, QUOTA, LIMIT, SYNPROXY, or OPAQUE */
	const char *text;	/* nft body of the other kinds, e.g. type "ftp" protocol tcp */
	struct object_prop *props; /* the same by its parts */
	struct object *next;
};

struct flowtable {
	struct table *table;
	const char *name;
	uint64_t handle;
	int32_t priority;
	uint32_t flags;
	const char **devices;
	unsigned n_devices;
	struct flowtable *next;
};

struct table {
	enum store store;
	uint8_t family;
	const char *name;
	uint64_t handle;
	uint32_t flags;		/* NFT_TABLE_F_* */
	const char *comment;
	struct chain *chains, **chains_tail;
	struct set *sets, **sets_tail;
	struct object *objects, **objects_tail;
	struct flowtable *flowtables, **flowtables_tail;
	const struct rule_maker *maker; /* of rules that have 'raw' */
	struct table *next;
};

/* A store or table that is there (or may be) but could not be read; shown, and unknown to the trace. */
struct unread {
	enum store store;
	uint8_t family;
	const char *table;	/* NULL: the whole store */
	const char *why;
	struct unread *next;
};

struct ruleset {
	struct arena *arena;
	struct table *tables, **tables_tail;
	struct unread *unread;
	uint32_t nft_generation; /* 0 when nftables was not read */
	bool text_only;		 /* set before reading, for iptables text: extensions get no meaning, rules may be 'raw' */
	bool legacy_v4, legacy_v6; /* this kernel offers legacy xtables for the family */
};

/* ruleset_new() - an empty ruleset with an arena of its own; NULL when memory ran out */
struct ruleset *ruleset_new(void);

/* ruleset_free() - give back a ruleset and everything in it; NULL is fine */
void ruleset_free(struct ruleset *rs);

static inline void ruleset_freep(struct ruleset **rs)
{
	ruleset_free(*rs);
}
#define _cleanup_ruleset_ __attribute__((cleanup(ruleset_freep)))

/* Add to the end of what is there; names are copied. Return NULL when memory ran out. */
struct table *ruleset_add_table(struct ruleset *rs, enum store store, uint8_t family, const char *name);
struct chain *table_add_chain(struct ruleset *rs, struct table *t, const char *name);
struct set *table_add_set(struct ruleset *rs, struct table *t, const char *name);
struct object *table_add_object(struct ruleset *rs, struct table *t, const char *name);
struct flowtable *table_add_flowtable(struct ruleset *rs, struct table *t, const char *name);
struct rule *chain_add_rule(struct ruleset *rs, struct chain *c);
/* ruleset_add_unread() - note that something could not be read; returns 0, -1 when memory ran out */
int ruleset_add_unread(struct ruleset *rs, enum store store, uint8_t family, const char *table,
		       const char *why);

/* Look up by exact name; NULL when there is none. */
struct table *ruleset_find_table(const struct ruleset *rs, enum store store, uint8_t family,
				 const char *name);
struct chain *table_find_chain(const struct table *t, const char *name);
struct set *table_find_set(const struct table *t, const char *name);
/* Is there a table of the store? Does a rule match against (or change) an ipset? */
bool ruleset_has(const struct ruleset *rs, enum store store);
bool ruleset_names_ipsets(const struct ruleset *rs);

/**
 * ruleset_link() - resolve the chains of jumps, gotos and verdict maps, number the rules and set
 *	rule->opaque; a decoder calls it once when a table is complete
 * @rs:		ruleset
 * @t:		table
 *
 * Return: 0, -1 when memory ran out
 */
int ruleset_link(struct ruleset *rs, struct table *t);

/* stmt_new() - a zeroed statement of a kind; NULL when memory ran out */
struct stmt *stmt_new(struct arena *a, enum stmt_kind kind);
/* stmt_match_new() - a condition; NULL when memory ran out or a side is NULL */
struct stmt *stmt_match_new(struct arena *a, enum match_op op, struct expr *left, struct expr *right);
/* stmt_verdict_new() - a verdict; @chain is copied and may be NULL */
struct stmt *stmt_verdict_new(struct arena *a, enum verdict code, const char *chain);
/* stmt_append() - put @s at the end of a list; returns @s (NULL is passed through) */
struct stmt *stmt_append(struct stmt **list, struct stmt *s);

/* Names as the tools print them; constant strings, "?" when out of range. */
const char *store_name(enum store store);		      /* legacy, compat, native */
const char *family_name(uint8_t family);		      /* ip, ip6, inet, arp, bridge, netdev */
const char *hook_name(uint8_t family, unsigned hook);	      /* prerouting, input ... */
const char *verdict_name(enum verdict v);		      /* accept, drop ... */

#endif
