/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame - fuzz harness: captured frames of every link type go through the reader of headers */
/*
 * The first byte chooses the link type, the rest is the frame. Reaches nsutil/trace/frame.c. What comes
 * out must be a connection that makes sense.
 */
#include <stdlib.h>
#include <string.h>

#include "nsutil/trace/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int links[] = { 0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 7 };
	struct trace_request rq = TRACE_REQUEST_INIT;
	enum frame_way way = FRAME_ANY;
	struct arena *a = arena_new();
	uint8_t *copy;

	if (!size || !a) {
		arena_free(a);
		return 0;
	}
	copy = malloc(size - 1 ? size - 1 : 1); /* as long as the frame, so that the sanitizer sees a byte too far */
	memcpy(copy, data + 1, size - 1);
	if (frame_parse(a, links[data[0] % 11], copy, size - 1, &rq, &way) == 0 &&
	    (rq.src.family != rq.dst.family || rq.sport > 65535 || rq.dport > 65535 || rq.dscp > 63 || rq.dscp < 0 ||
	     rq.length > 65575 || (unsigned)way > FRAME_SENT ||
	     (rq.parts.exthdr && rq.parts.exthdr->n > PARTS_HEADERS_MOST)))
		abort();
	free(copy);
	arena_free(a);
	return 0;
}
