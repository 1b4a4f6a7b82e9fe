/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet - the bytes of a packet that is sent */
#ifndef NSUTIL_LIVE_PACKET_H
#define NSUTIL_LIVE_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "nsutil/trace/trace.h"

#define LIVE_PACKET_MAX 65535

/**
 * live_transport() - the transport header and payload
 * @rq:		connection: addresses and ports must be there; 'length' is that of the whole packet
 * @room:	LIVE_PACKET_MAX bytes
 *
 * Checksums are right: conntrack looks at them.
 *
 * Return: bytes
 */
size_t live_transport(const struct trace_request *rq, uint8_t *room);

/* live_packet() - the same behind an IP header; Return: bytes */
size_t live_packet(const struct trace_request *rq, uint8_t *room);

#endif
