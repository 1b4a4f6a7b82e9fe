/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tape - the kernel's answers to the questions of one reading, kept and given again */
#ifndef NSUTIL_NFT_TAPE_H
#define NSUTIL_NFT_TAPE_H

#include <stdint.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"

/*
 * A reading asks the same questions in the same order when the answers are the same. So a tape needs no
 * index: pieces stand one behind the other, each with the type of the question (NFT_MSG_*) and its length;
 * a piece of no length ends an answer.
 */
struct tape {
	struct buf *to;	     /* recording; NULL: playing */
	const uint8_t *from; /* playing; aligned to 4 */
	size_t size, at;
};

/* tape_put() - keep a piece of an answer; @len 0 ends it */
void tape_put(struct tape *t, uint32_t type, const void *piece, size_t len);

/**
 * tape_take() - the next piece of an answer
 * @t:		tape
 * @type:	of the question
 * @ret:	set on success; NULL at the end of the answer
 * @ret_len:	its length
 * @e:		error: the tape does not go on so
 *
 * Return: 0, or -1
 */
int tape_take(struct tape *t, uint32_t type, const void **ret, size_t *ret_len, struct err *e);

#endif
