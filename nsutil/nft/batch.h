/* SPDX-License-Identifier: GPL-2.0-or-later */
/* batch - one transaction of nf_tables: its frame, the sending, the answers */
#ifndef NSUTIL_NFT_BATCH_H
#define NSUTIL_NFT_BATCH_H

#include <stdint.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"

/**
 * batch_frame() - append the message that opens or closes a transaction
 * @batch:	messages
 * @type:	NFNL_MSG_BATCH_BEGIN or NFNL_MSG_BATCH_END
 * @seq:	its sequence number
 * @generation:	BEGIN: the kernel refuses when the rules are of another one (ERESTART); 0: any
 */
void batch_frame(struct buf *batch, uint16_t type, uint32_t seq, uint32_t generation);

/* batch_send() - hand the whole transaction to the kernel, which works it off before this returns; 0, or -1 */
int batch_send(int fd, const struct buf *batch, struct err *e);

/**
 * batch_answers() - what the kernel says of the messages
 * @fd:		socket that batch_send() went through
 * @fn:		called per answer with the message's sequence number and the errno, 0 for "done"
 * @arg:	passed on
 * @e:		error
 *
 * Return: 0, or -1 when the answers cannot be read
 */
int batch_answers(int fd, void (*fn)(void *arg, uint32_t seq, int error), void *arg, struct err *e);

#endif
