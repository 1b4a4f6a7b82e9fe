/* SPDX-License-Identifier: GPL-2.0-or-later */
/* object - named objects of a table: counters, quotas, limits, conntrack helpers ... */
#ifndef NSUTIL_NFT_OBJECT_H
#define NSUTIL_NFT_OBJECT_H

#include "nsutil/nft/decode.h"

/**
 * object_decode() - fill an object from the attributes of an NFT_MSG_NEWOBJ message
 * @d:		decoder of the table
 * @o:		object, with its name
 * @at:		NFTA_OBJ_*
 *
 * Return: 0, -1 when memory ran out
 */
int object_decode(struct dec *d, struct object *o, const struct attrs *at);

#endif
