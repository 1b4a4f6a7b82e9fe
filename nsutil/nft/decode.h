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

#define DEC_STACKED 16 /* as many as nft keeps */

struct set_index;
struct proto_desc;

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
	struct {
		const struct proto_desc *desc[3]; /* protocol of frame, network and transport; NULL: not known */
		const struct proto_desc *stacked[DEC_STACKED]; /* headers of the frame below the last, as VLANs have */
		unsigned n_stacked;
		uint8_t icmp;	      /* the ICMP type that the rule asked for; 0: none */
	} known;
	struct stmt *dep[4];	      /* condition that told the header of a base, and may yet become implied */
	uint8_t dep_icmp;	      /* ICMP type that such a condition asked for */
	bool in_elem;		      /* what is resolved is a part of a concatenation, or an element */
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
/* dec_match() - a comparison of a register note with bytes, as nft would write it */
enum dec_result dec_match(struct dec *d, enum match_op op, struct expr *left, const void *bytes,
			  unsigned len);
/* dec_match_range() - inside or outside of a range */
enum dec_result dec_match_range(struct dec *d, enum match_op op, struct expr *left, const void *from,
				const void *to, unsigned len);
/* dec_match_set() - a register note is in a set */
enum dec_result dec_match_set(struct dec *d, enum match_op op, struct expr *left, struct set *set);

/* resolve.c: header bytes get their fields' names, as far as protocols are known */
/* dec_resolve() - the same for all within an expression */
struct expr *dec_resolve(struct dec *d, struct expr *x);
/* dec_resolve_compared() - of what is compared; there nft makes one field of "load, mask, shift" */
struct expr *dec_resolve_compared(struct dec *d, struct expr *x);
/* dec_key_map(), dec_key_elem() - of a map's key; of an element that a rule makes. What an anonymous set has
 * becomes values of the key's field */
struct expr *dec_key_map(struct dec *d, struct set *set, struct expr *key);
struct expr *dec_key_elem(struct dec *d, struct set *set, struct expr *key);
/* dec_key_compared() - of what is looked up in a set that tells no more than whether it is there */
struct expr *dec_key_compared(struct dec *d, struct set *set, struct expr *key);
/* dec_masked() - the bytes or the field that "load & mask" is, not yet named; NULL when it is none. @ret_shift: the bits
 * that values of it have behind them in the load */
struct expr *dec_masked(struct dec *d, const struct expr *x, unsigned *ret_shift);
/* dec_name_port() - name the ports of a transport that is not known */
void dec_name_port(struct expr *x);
/* dec_field_value() - a value beside a masked load, as the value of the field @f */
struct expr *dec_field_value(struct dec *d, const struct expr *f, unsigned shift, const void *bytes, unsigned len);
/* dec_subfield_value() - the field that a mask over a load is, and the value of it in @bits (NULL: 0);
 * NULL when it is no field */
struct expr *dec_subfield_value(struct dec *d, struct expr *load, const struct expr *mask,
				const struct expr *bits, struct expr **ret_value);

/* value.c */
/* dec_value() - bytes as a value of the type that @like has */
struct expr *dec_value(struct dec *d, const struct expr *like, const void *bytes, unsigned len);
/* dec_bytes() - a new value; an interface's index gets its name */
struct expr *dec_bytes(struct dec *d, enum dtype dtype, enum byteorder order, const void *bytes,
		       unsigned bits);
/* dec_retype() - @x as a value of another type; other kinds of expressions are left as they are */
struct expr *dec_retype(struct dec *d, struct expr *x, enum dtype dtype, enum byteorder order);

/* proto.c: which protocols are known (proto.h) */
void dec_proto_begin(struct dec *d);
/* dec_proto_learn() - a comparison with one value for equality may tell a protocol */
void dec_proto_learn(struct dec *d, const struct expr *left, const struct expr *right);
/* dec_proto_name() - the protocol of a header as nft calls it; NULL when it is not known */
const char *dec_proto_name(const struct dec *d, unsigned base);
/* dec_proto_number() - the IP protocol number of a transport that nft calls so; -1: there is none */
int dec_proto_number(const char *name);
/* dec_proto_below() - the frame has this header, below the last one of it */
bool dec_proto_below(const struct dec *d, const char *name);
/* dec_field_place() - where a field begins, in bits, as the rule knows the frame: behind the tags before its own */
unsigned dec_field_place(const struct dec *d, const struct hdr_field *f);

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
