/* SPDX-License-Identifier: GPL-2.0-or-later */
/* edit - what has to be done to a store so that it holds what is wanted; pure */
#ifndef NSUTIL_ISTIO_EDIT_H
#define NSUTIL_ISTIO_EDIT_H

#include "nsutil/base/buf.h"
#include "nsutil/istio/compare.h"

/*
 * The edits of one table are in an order that works one after the other, as commands of
 * iptables-restore, and they are to be carried out all or none. Rules that stay are not touched, so
 * their counters stay; foreign rules keep their order.
 */
enum istio_edit_op {
	ISTIO_NEW_CHAIN,
	ISTIO_DELETE_RULE,
	ISTIO_INSERT_RULE,
	ISTIO_FLUSH_CHAIN,
	ISTIO_DELETE_CHAIN,
};

struct istio_edit {
	enum istio_edit_op op;
	const char *table, *chain;
	uint32_t position;	   /* of a rule at the moment of the edit, 1.. */
	bool at_end;		   /* an insert behind the last rule */
	const struct rule *rule;   /* to insert, or to delete */
	const struct rule *before; /* insert: the rule of the store it goes in front of; NULL: at the end */
	const char *text;	   /* of the rule, as iptables words */
};

/* The edits of one store and family, by table in the order of 'tables'. */
struct istio_edits {
	enum store store;
	uint8_t family;
	struct istio_edit *at;
	unsigned n;
};

/**
 * istio_edits_make() - the edits that make a store hold what is wanted, no more and no less
 * @a:		arena of the result
 * @c:		comparison; with a layout of nothing, everything of Istio's goes
 * @ret:	set on success; none when nothing differs
 * @e:		out of memory
 *
 * Return: 0, or -1
 */
int istio_edits_make(struct arena *a, const struct istio_compare *c, struct istio_edits *ret, struct err *e);

/* istio_edits_text() - as text for "iptables-restore --noflush" */
void istio_edits_text(const struct istio_edits *edits, struct buf *b);

/* istio_edit_words() - one edit as an iptables command's words, without table: "-I OUTPUT 1 -j ..." */
void istio_edit_words(const struct istio_edit *edit, struct buf *b);

#endif
