/* SPDX-License-Identifier: GPL-2.0-or-later */
/* type - kinds of option values: how each is printed, given in JSON, and read */
#ifndef NSUTIL_XT_TYPE_H
#define NSUTIL_XT_TYPE_H

#include <string.h>

#include "nsutil/xt/codec.h"

/*
 * Numbers stand in the machine's order unless the name says be. 'size' of the option is that of
 * the field; 'off2' is the second field of pairs.
 */
extern const struct xt_type xt_flag;	    /* no argument; only 'set' */
extern const struct xt_type xt_uint;	    /* decimal; absent when equal to dflt */
extern const struct xt_type xt_hex;	    /* 0x.. */
extern const struct xt_type xt_be16;	    /* decimal, network order */
extern const struct xt_type xt_range;	    /* A or A-B, fields off and off2 */
extern const struct xt_type xt_range_colon; /* A or A:B; absent when 0..max of the field and not inverted */
extern const struct xt_type xt_span_colon;  /* A:B as xt_range_colon but always printed when given */
extern const struct xt_type xt_mark;	    /* 0xV or 0xV/0xM, fields off and off2 (32 bits) */
extern const struct xt_type xt_string;	    /* quoted when needed; char array of 'size' */
extern const struct xt_type xt_name;	    /* never quoted; char array of 'size' */
extern const struct xt_type xt_addr;	    /* address of the rule's family */
extern const struct xt_type xt_addr_mask;   /* address/mask, off2; the address is kept as it was given */
extern const struct xt_type xt_mac;	    /* 00:11:22:33:44:55 */
extern const struct xt_type xt_enum;	    /* one word of 'list' */
extern const struct xt_type xt_bits;	    /* comma list of words of 'list', whose values are bits */

/* Reading: what a codec's hooks get. */
struct xt_parse {
	struct arena *arena;
	uint8_t family;
	const struct xt_codec *codec;
	uint8_t *data;		 /* codec->size bytes */
	uint8_t proto;		 /* -p of the rule so far, 0 when none */
	bool proto_inverted;
	const char *opt;	 /* the option's name, without dashes */
	const char *const *args; /* what follows it */
	unsigned n_args;	 /* words left, other options included */
	unsigned used;		 /* a hook says here how many it took */
	bool invert;		 /* "!" stood before the option */
	const char **ipsets;	 /* names of ipsets, as in struct xt_ext; NULL while there are none */
	uint64_t seen;		 /* options of the table that were given, by position */
};

/* xt_load(), xt_store() - a number of 1, 2, 4 or 8 bytes at an offset */
uint64_t xt_load(const void *data, unsigned off, unsigned size);
void xt_store(void *data, unsigned off, unsigned size, uint64_t v);

/**
 * xt_number() - read a number as xtables_strtoui does: decimal, 0x hex or 0 octal; nothing may follow
 * @p:		for the message
 * @text:	the word
 * @min:	least
 * @max:	most
 * @ret:	set on success
 * @e:		error
 *
 * Return: 0, or -1
 */
int xt_number(const struct xt_parse *p, const char *text, uint64_t min, uint64_t max, uint64_t *ret,
	      struct err *e);
/* xt_number_upto() - the same, ended by @end (NUL too); *ret_rest is put behind the number */
int xt_number_upto(const struct xt_parse *p, const char *text, const char *ends, uint64_t max,
		   uint64_t *ret, const char **ret_rest, struct err *e);
/* xt_number_pair() - "A" or "A<sep>B"; without B it is A; empty sides are 0 and max when @open */
int xt_number_pair(const struct xt_parse *p, const char *text, char sep, bool open, uint64_t max,
		   uint64_t *ret_from, uint64_t *ret_to, struct err *e);
/* xt_port() - a port by number, or by one of the few names of the built-in table */
int xt_port(const struct xt_parse *p, const char *text, uint16_t *ret, struct err *e);
/* xt_mask_addr() - without the bits that are not of the network */
void xt_mask_addr(uint8_t addr[16], const uint8_t mask[16]);
/* xt_bad() - "--OPT: WHY" as an error; returns -1 */
int xt_bad(const struct xt_parse *p, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* xt_copy_string() - copy a word into a char array of @size; an error when it does not fit */
int xt_copy_string(const struct xt_parse *p, const char *text, void *to, size_t size, struct err *e);

/* xt_data() - the kernel's bytes as a structure */
#define xt_data(s, x) ((const struct s *)(x)->data)

/* xt_find_word() - by name; NULL when there is none. xt_word_name() - by value; NULL likewise */
const struct xt_word *xt_find_word(const struct xt_word *list, const char *name, size_t len);
const char *xt_word_name(const struct xt_word *list, uint32_t value);

/* xt_proto_name() - as iptables prints a protocol; NULL when it prints a number */
const char *xt_proto_name(uint8_t proto);
/* xt_proto_number() - name or number; -1 when neither */
int xt_proto_number(const char *text);

#endif
