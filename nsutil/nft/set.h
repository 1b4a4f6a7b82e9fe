/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set - sets and maps of a table: decoding, and finding them by name */
#ifndef NSUTIL_NFT_SET_H
#define NSUTIL_NFT_SET_H

#include "nsutil/nft/decode.h"

/* A table's sets in a hash table; kube-proxy's tables have thousands of anonymous ones. */
struct set_index {
	struct set **slots;
	uint32_t room, n; /* room is a power of two */
};

int set_index_add(struct set_index *ix, struct set *s); /* 0, -1 when memory ran out */
struct set *set_index_find(const struct set_index *ix, const char *name, size_t len);
void set_index_free(struct set_index *ix);

/**
 * set_decode() - fill a set from the attributes of an NFT_MSG_NEWSET message
 * @d:		decoder of the table
 * @s:		set, with its name
 * @at:		NFTA_SET_*
 *
 * Return: 0, -1 when memory ran out
 */
int set_decode(struct dec *d, struct set *s, const struct attrs *at);

/* Elements are collected as they come and put in order at the end. */
struct set_raw;

/**
 * set_raw_add() - take the elements of an NFT_MSG_NEWSETELEM message
 * @d:		decoder of the table
 * @s:		set
 * @list:	NFTA_SET_ELEM_LIST_ELEMENTS
 * @raw:	begins NULL; lives in the arena
 *
 * Return: 0, -1 when memory ran out
 */
int set_raw_add(struct dec *d, struct set *s, const struct nlattr *list, struct set_raw **raw);

/* set_raw_end() - make s->elems of what was collected: sorted, interval ends joined; 0, -1 */
int set_raw_end(struct dec *d, struct set *s, struct set_raw *raw);

/* set_key_typed() - constants in a key that a rule makes, as the set's types; NULL when memory ran out */
struct expr *set_key_typed(struct dec *d, const struct set *s, struct expr *key);

#endif
