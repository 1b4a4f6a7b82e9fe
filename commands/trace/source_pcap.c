/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source_pcap - the first packet of each connection of a capture */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "commands/trace/source.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/dump/pcap.h"
#include "nsutil/trace/frame.h"
#include "nsutil/trace/route.h"

#define FLOWS_MOST (1u << 20) /* connections of one capture: 80 MB */

/* A connection, the same for both directions. */
struct flow {
	uint8_t used, protocol, icmp;
	uint16_t port[2];
	struct addr end[2];
};

struct capture {
	struct arena *arena;	/* of one frame */
	const struct netview *nv; /* NULL: of a file of rules */
	struct flow *flows;	/* open addressing; a power of two */
	unsigned room, n;
	bool link_checked;
	source_fn *fn;
	void *ctx;
};

/* invmap[] of nf_conntrack_proto_icmp.c and nf_conntrack_proto_icmpv6.c: an answer is of the connection of its question */
static uint8_t icmp_question(const struct trace_request *rq)
{
	if (rq->icmp_type < 0)
		return 0;
	if (rq->family == AF_INET6)
		return (uint8_t)(rq->icmp_type == ICMPV6_ECHO_REPLY || rq->icmp_type == ICMPV6_NI_REPLY ? rq->icmp_type - 1 : rq->icmp_type);
	switch (rq->icmp_type) {
	case ICMP_ECHOREPLY: return ICMP_ECHO;
	case ICMP_TIMESTAMPREPLY: return ICMP_TIMESTAMP;
	case ICMP_INFO_REPLY: return ICMP_INFO_REQUEST;
	case ICMP_ADDRESSREPLY: return ICMP_ADDRESS;
	default: return (uint8_t)rq->icmp_type;
	}
}

static struct flow flow_of(const struct trace_request *rq)
{
	uint16_t sport = (uint16_t)(rq->sport < 0 ? 0 : rq->sport), dport = (uint16_t)(rq->dport < 0 ? 0 : rq->dport);
	int order = memcmp(rq->src.b, rq->dst.b, sizeof(rq->src.b));
	bool turned = order > 0 || (order == 0 && sport > dport);
	struct flow f;

	memset(&f, 0, sizeof(f));
	f.used = 1;
	f.protocol = rq->l4proto;
	f.icmp = icmp_question(rq);
	f.port[turned] = sport;
	f.port[!turned] = dport;
	if (rq->icmp_id >= 0) /* conntrack tells queries apart by it */
		f.port[0] = f.port[1] = (uint16_t)rq->icmp_id;
	f.end[turned] = rq->src;
	f.end[!turned] = rq->dst;
	return f;
}

/* FNV-1a; the table is bounded, so a hostile file can make it slow only that far */
static uint32_t hash(const struct flow *f)
{
	const uint8_t *b = (const uint8_t *)f;
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < sizeof(*f); i++)
		h = (h ^ b[i]) * 16777619u;
	return h ^ h >> 15;
}

static struct flow *place(struct flow *flows, unsigned room, const struct flow *f)
{
	unsigned i = hash(f) & (room - 1);

	while (flows[i].used && memcmp(&flows[i], f, sizeof(*f)) != 0)
		i = (i + 1) & (room - 1);
	return &flows[i];
}

static int grow(struct capture *c, struct err *e)
{
	unsigned room = c->room ? c->room * 2 : 1024;
	struct flow *flows;

	if (c->n + 1 <= c->room / 2)
		return 0;
	if (room > 2 * FLOWS_MOST)
		return err_set(e, ERR_SYS, "pcap", "more than %u connections in one capture", FLOWS_MOST);
	flows = calloc(room, sizeof(*flows));
	if (!flows)
		return err_oom(e);
	for (unsigned i = 0; i < c->room; i++)
		if (c->flows[i].used)
			*place(flows, room, &c->flows[i]) = c->flows[i];
	free(c->flows);
	c->flows = flows;
	c->room = room;
	return 0;
}

static enum trace_path path_of(const struct capture *c, const struct trace_request *rq, enum frame_way way)
{
	if (!c->nv)
		return way == FRAME_ARRIVED ? TRACE_IN : TRACE_OUT;
	if (way != FRAME_ARRIVED && nv_addr_is_local(c->nv, &rq->src))
		return TRACE_OUT;
	return nv_addr_is_local(c->nv, &rq->dst) || addr_is_multicast(&rq->dst) || route_limited_broadcast(&rq->dst)
		       ? TRACE_IN : TRACE_FORWARD;
}

static int frame(void *ctx, int link, const uint8_t *bytes, size_t n, struct err *e)
{
	struct capture *c = ctx;
	struct trace_request rq;
	enum frame_way way;
	struct flow f, *at;

	if (!c->link_checked && !frame_link_known(link))
		return err_set(e, ERR_SYS, "pcap", "link type %d is not understood; Ethernet, Linux cooked and raw IP are", link);
	c->link_checked = true;
	arena_reset(c->arena);
	if (frame_parse(c->arena, link, bytes, n, &rq, &way) < 0)
		return 0; /* no IP, a later fragment, or cut off: belongs to no connection that can be told */
	if (grow(c, e) < 0)
		return -1;
	f = flow_of(&rq);
	at = place(c->flows, c->room, &f);
	if (at->used)
		return 0;
	*at = f;
	c->n++;
	rq.path = path_of(c, &rq, way);
	return c->fn(c->ctx, &rq, e);
}

int source_pcap(const char *path, const struct netview *nv, source_fn *fn, void *ctx, struct err *e)
{
	struct capture c = { .arena = arena_new(), .nv = nv, .fn = fn, .ctx = ctx };
	int ret = c.arena ? pcap_read_file(path, frame, &c, e) : err_oom(e);

	arena_free(c.arena);
	free(c.flows);
	return ret;
}
