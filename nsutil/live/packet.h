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

/* live_is_fragment() - is it to be sent as a fragment? IPv4 has none that is the whole packet */
bool live_is_fragment(const struct trace_request *rq);

/**
 * live_choose_fragment() - fill in what is not said of a fragment: where it stands, and its number
 * @rq:		connection; one that is no fragment stays as it is
 * @id:		any number; what becomes of it is not 0, in place of which the kernel would choose another one
 */
void live_choose_fragment(struct trace_request *rq, uint32_t id);

/* Where fragments go to. */
struct live_emit {
	uint8_t *room; /* LIVE_PACKET_MAX bytes: each is put there */
	int (*send)(void *arg, size_t n); /* so many bytes of it; Return: 0, errno */
	void *arg;
};

/**
 * live_fragments() - a fragment, and in front of it the others of its packet
 * @rq:		connection, as live_choose_fragment() left it; 'length' is that of the fragment
 * @others:	send these too, the first ones first, so that the one asked for completes the packet
 * @to:		called for each
 * @ret_why:	set when there cannot be such a packet: why; else NULL
 *
 * Return: 0, or errno, of @to or EOPNOTSUPP with @ret_why
 */
int live_fragments(const struct trace_request *rq, bool others, const struct live_emit *to, const char **ret_why);

#endif
