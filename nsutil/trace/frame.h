/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame - a captured frame -> the connection its packet belongs to */
#ifndef NSUTIL_TRACE_FRAME_H
#define NSUTIL_TRACE_FRAME_H

#include <stddef.h>

#include "nsutil/trace/trace.h"

/* Which way the frame went past the machine that captured it, where the link type tells. */
enum frame_way { FRAME_ANY, FRAME_ARRIVED, FRAME_SENT };

/**
 * frame_parse() - read the headers of a captured frame
 * @a:		arena for options and extension headers that the connection points to
 * @link:	link type as pcap_datalink() says it (DLT_*): Ethernet, Linux cooked v1 and v2, raw IP, loopback
 * @bytes:	what was captured of the frame
 * @n:		how many bytes that is; the headers must be there, the rest may be cut off
 * @ret:	set on success: addresses, ports or ICMP type, TCP flags and options, time to live, DSCP, ECN, length, IP
 *		options, extension headers, whether it is a first fragment; path is left TRACE_OUT, since that depends on
 *		whose addresses they are
 * @ret_way:	set on success
 *
 * VLAN tags are passed over. Any bytes are read without a step outside.
 *
 * Return: 0; -1 when it is no IP packet, no first fragment, malformed or cut off too early
 */
int frame_parse(struct arena *a, int link, const uint8_t *bytes, size_t n, struct trace_request *ret,
		enum frame_way *ret_way);

/* frame_link_known() - is it a link type that frame_parse() reads? */
bool frame_link_known(int link);

#endif
