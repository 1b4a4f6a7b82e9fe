/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode - kernel nf_tables objects to the model: what the decoders of this room share */
#ifndef NSUTIL_NFT_DECODE_H
#define NSUTIL_NFT_DECODE_H

#include <linux/netfilter/nf_tables.h>

#include "nsutil/nft/attr.h"
#include "nsutil/ruleset/headers.h"
#include "nsutil/ruleset/model.h"

/*
 * A rule comes as a list of small instructions: load something into a register, compare, change
 * or look up the register, act. Decoding runs through the list once. Loads only note in the
 * register what was loaded; when an instruction uses a register, the note becomes an expression
 * of the model: header bytes get their field's name from the protocols known so far, masks
 * become prefixes, subfields or bit tests, adjacent fields that were compared as one are split
 * again. A condition that nft put in by itself (the protocol before a port) is marked implied
 * as soon as the condition that needs it is seen.
 */

#define DEC_REGS 20 /* words of 4 bytes: NFT_REG_SIZE / 4 for each of the five */

struct set_index;

struct dec {
	struct arena *a;
	struct table *t;
	const struct set_index *sets; /* the table's sets by name */
	struct rule *rule;	      /* NULL while statements of an object or element are decoded */
	uint8_t family;
	bool text_only;		      /* as of struct ruleset */
	struct stmt **tail;	      /* where the next statement goes */
	struct stmt *last;
	struct expr *reg[DEC_REGS];
	const struct expr *last_cmp;  /* register contents of the last ordered comparison */
	const char *proto[4];	      /* protocol known per base: ll, nh, th, inner; NULL: not */
	struct stmt *dep[4];	      /* condition that made it known and may yet become implied */
	bool by_value;		      /* what is resolved is compared with one value */
	int icmp_type;		      /* that the rule asked for; -1: none */
	struct stmt *icmp_dep;	      /* where it did */
	struct dec_ifaces *ifaces;    /* to name interfaces by index; NULL: they stay numbers */
	const char *why;	      /* set by a decoder that answers DEC_OPAQUE; may stay NULL */
};

/* What a decoder of one instruction answers. */
enum dec_result {
	DEC_OK,
	DEC_OPAQUE, /* not understood: the instruction becomes STMT_OPAQUE */
	DEC_NOMEM,
};

/* One instruction: its name, how many attributes it may have, its decoder. */
struct dec_expr {
	const char *name;
	uint8_t max; /* highest attribute number the decoder understands */
	enum dec_result (*fn)(struct dec *d, const struct attrs *at);
	bool terminal; /* may end the walk: matters when it cannot be decoded */
};

/* The tables of the expr_*.c files; each ends with a NULL name. */
extern const struct dec_expr dec_expr_load[], dec_expr_op[], dec_expr_stmt[], dec_expr_nat[],
	dec_expr_set[];

/* decode.c */
void dec_init(struct dec *d, struct arena *a, struct table *t, const struct set_index *sets);
/* dec_rule_begin() - forget registers and protocols, and write to @list from now on */
void dec_begin(struct dec *d, struct stmt **list);
/* dec_exprs() - decode a list of NFTA_LIST_ELEM; 0, -1 when memory ran out */
int dec_exprs(struct dec *d, const struct nlattr *list);
/* dec_expr_one() - decode a single instruction (a nest of NFTA_EXPR_*); 0, -1 when memory ran out */
int dec_expr_one(struct dec *d, const struct nlattr *expr);
/* dec_expr_named() - decode the data of an instruction whose name is known: objects have the same */
int dec_expr_named(struct dec *d, const char *name, const struct nlattr *data);
/* dec_add() - append a statement; NULL means memory ran out */
enum dec_result dec_add(struct dec *d, struct stmt *s);

/* expr_load.c: what a register holds after a load; NULL when memory ran out, opaque when not known */
struct expr *dec_new_rt(struct arena *a, uint32_t key);
struct expr *dec_new_socket(struct arena *a, uint32_t key, uint32_t level);
struct expr *dec_new_fib(struct arena *a, uint32_t result, uint32_t flags);
struct expr *dec_new_osf(struct arena *a, uint8_t ttl, uint32_t flags);
struct expr *dec_new_xfrm(struct arena *a, uint32_t key, uint8_t dir, uint32_t spnum);
struct expr *dec_new_numgen(struct arena *a, uint32_t type, uint32_t modulus, uint32_t offset);

/* reg.c: registers, by the kernel's numbers */
/* dec_reg_set() - note what a register holds from now on; @x NULL means memory ran out */
enum dec_result dec_reg_set(struct dec *d, uint32_t reg, struct expr *x);
/* dec_reg() - what @bytes bytes from a register on hold; several loads make a concatenation. An
 * opaque expression when that is not known. NULL when memory ran out */
struct expr *dec_reg(struct dec *d, uint32_t reg, unsigned bytes);
/* dec_reg_raw() - the note itself; NULL when there is none */
struct expr *dec_reg_raw(const struct dec *d, uint32_t reg);
/* dec_reg_covered() - the register is a later part of what an earlier one holds */
bool dec_reg_covered(const struct dec *d, uint32_t reg, uint32_t by);
/* dec_opaque() - an expression that is not understood */
struct expr *dec_opaque(struct arena *a, const char *name, const char *why);

/* match.c: from notes to named, typed conditions */
/* dec_resolve() - give an expression its names (header fields by the protocols known so far) */
struct expr *dec_resolve(struct dec *d, struct expr *x);
/* dec_match() - a comparison of a register note with bytes, as nft would write it */
enum dec_result dec_match(struct dec *d, enum match_op op, struct expr *left, const void *bytes,
			  unsigned len);
/* dec_match_range() - inside or outside of a range */
enum dec_result dec_match_range(struct dec *d, enum match_op op, struct expr *left, const void *from,
				const void *to, unsigned len);
/* dec_match_set() - is in a set */
enum dec_result dec_match_set(struct dec *d, enum match_op op, struct expr *left, struct set *set);
/* dec_lookup_key() - resolve a key; elements of an anonymous set become values of the key's field */
struct expr *dec_lookup_key(struct dec *d, struct set *set, struct expr *key);
/* dec_subfield_value() - the field that a mask over a load is, and the value of it in @bits (NULL: 0);
 * NULL when it is no field */
struct expr *dec_subfield_value(struct dec *d, struct expr *load, const struct expr *mask,
				const struct expr *bits, struct expr **ret_value);
/* dec_value() - bytes as a value of the type that @like has */
struct expr *dec_value(struct dec *d, const struct expr *like, const void *bytes, unsigned len);
/* dec_bytes() - a new value; an interface's index gets its name */
struct expr *dec_bytes(struct dec *d, enum dtype dtype, enum byteorder order, const void *bytes,
		       unsigned bits);
/* dec_retype() - @x as a value of another type; other kinds of expressions are left as they are */
struct expr *dec_retype(struct dec *d, struct expr *x, enum dtype dtype, enum byteorder order);

/* proto.c: which protocol is known, and which conditions nft adds by itself */
void dec_proto_begin(struct dec *d);
/* dec_proto_match() - a condition was added; it may tell a protocol */
void dec_proto_match(struct dec *d, struct stmt *s);
/* dec_proto_use() - a field of a base is used: a condition only there for it becomes implied */
void dec_proto_use(struct dec *d, const struct expr *payload);

/* dec_proto_use_exthdr() - the same for an option or extension header, of NFT_EXTHDR_OP_* */
void dec_proto_use_exthdr(struct dec *d, uint32_t op);
/* dec_proto_reset() - a statement with an effect of its own came: what stands before it stays as it is */
void dec_proto_reset(struct dec *d);

/* dec_proto_icmp() - a field that the ICMP type decides on; NULL when there is none at the place */
const struct hdr_field *dec_proto_icmp(struct dec *d, unsigned offset, unsigned bits);
/* dec_proto_reject() - "reject" implies the protocol whose packets it sends */
void dec_proto_reject(struct dec *d, const struct stmt_reject *r);

/* iface.c: names of interfaces in the namespace that is read */
struct dec_ifaces;
/* dec_iface_name() - the name of an index, in the decoder's arena; NULL when unknown */
const char *dec_iface_name(struct dec *d, uint32_t index);
/* dec_cgroup_name() - the path of a control group; NULL when unknown, as in what is not read live */
const char *dec_cgroup_name(struct dec *d, uint64_t id);

/* types.c: nftables' data types */
/* dec_type_known() - it is one of nft's data types */
bool dec_type_known(uint32_t type);
/* dec_type() - a data type number of nft; DT_INTEGER when unknown. @order and @bits may be NULL */
enum dtype dec_type(uint32_t type, enum byteorder *order, unsigned *bits);

/* set.c */
/* dec_set_ref() - the set an instruction names; a placeholder with 'unread' when it is not known */
struct set *dec_set_ref(struct dec *d, const struct nlattr *name);
/* dec_set_key() - the register's contents split as the set's key is; NULL when memory ran out */
struct expr *dec_set_key(struct dec *d, const struct set *set, uint32_t sreg);
/* dec_set_data_expr() - an expression of the type of a map's data */
void dec_set_data_type(const struct set *set, enum dtype *dtype, enum byteorder *order, unsigned *bits);

#endif
