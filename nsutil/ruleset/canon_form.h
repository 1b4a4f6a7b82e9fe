/* SPDX-License-Identifier: GPL-2.0-or-later */
/* canon_form - what the files of the canonical form share */
#ifndef NSUTIL_RULESET_CANON_FORM_H
#define NSUTIL_RULESET_CANON_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include "nsutil/base/buf.h"
#include "nsutil/ruleset/model.h"

#define CANON_WIDTH 16 /* bytes of the widest value that is compared by number: an IPv6 address */

/* IP families a rule can concern, as bits. */
enum { CANON_V4 = 1, CANON_V6 = 2, CANON_ANY = 3 };

/* One list of conditions, made into sorted pieces of text. */
struct canon_piece {
	size_t at, len;
};

struct canon_list {
	uint8_t family;	 /* of the table, NFPROTO_* */
	unsigned packets; /* CANON_V4 | CANON_V6: what the conditions so far leave */
	uint8_t l4;	 /* the one layer 4 protocol that is required; 0 when none is known */
	const struct canon_list *outer; /* of a list inside STMT_ANY or STMT_NOT */
	struct buf text; /* of the pieces, in the order they came */
	struct canon_piece *pieces;
	unsigned n, room;
	bool never; /* contradicts itself: matches nothing */
	bool failed;
};

/* Values a field may have: disjoint sorted ranges of big-endian numbers (or padded strings). */
struct canon_range {
	uint8_t from[CANON_WIDTH], to[CANON_WIDTH];
};

struct canon_values {
	unsigned width; /* bytes in use of from and to */
	bool string;	/* padded at the end instead of the front */
	bool leading;	/* a shorter value compares the leading bytes only: header fields */
	struct canon_range *v, few[8];
	unsigned n, room;
	bool failed;
};

/* What is compared: a source of bytes, seen through "(source & mask) ^ flip". */
struct canon_field {
	const struct expr *source; /* NULL: a constant, which is 'flip' */
	unsigned width, bits;
	bool string;
	uint8_t mask[CANON_WIDTH], flip[CANON_WIDTH];
};

/* canon_value.c */
void canon_values_init(struct canon_values *vs, unsigned width, bool string);
void canon_values_free(struct canon_values *vs);
/* canon_values_add() - take over an expression's values; false when they are not constant */
bool canon_values_add(struct canon_values *vs, const struct expr *x);
void canon_values_add_range(struct canon_values *vs, const uint8_t *from, const uint8_t *to);
void canon_values_sort(struct canon_values *vs);       /* sort and join; call it before those below */
void canon_values_complement(struct canon_values *vs, unsigned bits);
bool canon_values_all(const struct canon_values *vs, unsigned bits); /* every value there is */
void canon_values_text(const struct canon_values *vs, struct buf *b);
/* canon_const() - a constant as big-endian number of @width bytes; false when it is none or too wide */
bool canon_const(const struct expr *x, unsigned width, bool string, uint8_t out[CANON_WIDTH]);
void canon_hex(struct buf *b, const void *p, unsigned n);

/* canon_field.c */
/* canon_field() - see through masks and flips; false when it is more than that */
bool canon_field(const struct expr *x, struct canon_field *ret);
/* canon_key() - the name of a source; @packets tells "ip protocol" from other bytes */
void canon_key(const struct expr *x, unsigned packets, struct buf *b);
/* canon_expr() - any expression, by structure where nothing better is known */
void canon_expr(const struct expr *x, unsigned packets, struct buf *b);
/* canon_set() - a set or map: by name, anonymous ones by content */
void canon_set(const struct set *s, const struct expr *key, unsigned packets, struct buf *b);
/* canon_needs() - what a field requires: packets it is found in, and layer 4 protocol (0: none) */
void canon_needs(const struct expr *x, unsigned *packets, uint8_t *l4);

/* canon_cond.c */
void canon_list_free(struct canon_list *l);
/* canon_condition() - take a pure condition into the list */
void canon_condition(struct canon_list *l, const struct stmt *s);
void canon_list_opaque(struct canon_list *l, const char *text); /* a condition known only by its text */
/* canon_list_flush() - append the list, sorted, and empty it; packets and l4 stay */
void canon_list_flush(struct canon_list *l, struct buf *b);

/* canon_act.c: canon_action() - append what a statement does; @packets as known so far */
void canon_action(const struct stmt *s, unsigned packets, struct buf *b);
void canon_xt(const struct xt_ext *x, struct buf *b);
void canon_opaque(const struct stmt_opaque *o, struct buf *b);

#endif
