/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcap - the frames of a capture file, by libpcap where it is installed */
#ifndef NSUTIL_DUMP_PCAP_H
#define NSUTIL_DUMP_PCAP_H

#include <stddef.h>
#include <stdint.h>

#include "nsutil/base/err.h"

/* A frame of link type @link (DLT_*), of which @n bytes were captured. Return: 0 to go on, 1 enough, -1 with @e set */
typedef int pcap_frame_fn(void *ctx, int link, const uint8_t *bytes, size_t n, struct err *e);

/**
 * pcap_read_file() - give each frame of a capture file to a function
 * @path:	pcap or pcapng file; "-" for standard input
 * @fn:		function
 * @ctx:	passed on
 * @e:		error: libpcap is not installed (it is loaded when it is needed, so that a start of the program
 *		does not pay for it), or the file is none, or it ends early
 *
 * Return: 0, or -1
 */
int pcap_read_file(const char *path, pcap_frame_fn *fn, void *ctx, struct err *e);

#endif
