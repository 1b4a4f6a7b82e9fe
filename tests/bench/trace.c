/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace - how many connections a second the evaluator follows, on one processor; for tests/bench/run */
/*
 * trace FILE istio|kube N [SERVICES]   rules of FILE, N connections; prints "CONNECTIONS SECONDS" (processor time)
 * istio: what an application and the proxy of a captured pod open, and what comes in. kube: from a pod and
 * from the node itself to the services of tests/bench/gen-kube-proxy. Everything but the client's port is given.
 * A quarter as many go before, alike, of which the time does not count: chains are read when they are met.
 */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nsutil/dump/dump.h"
#include "nsutil/ruleset/netview.h"
#include "nsutil/trace/trace.h"

static struct nv_link links[] = {
	{ .index = 1, .name = "lo", .flags = IFF_UP | IFF_LOOPBACK, .type = 772, .mtu = 65536 },
	{ .index = 2, .name = "eth0", .kind = "veth", .flags = IFF_UP, .type = 1, .mtu = 1500 },
};
static struct nv_addr addrs[2];
static struct nv_nexthop hops[5];
static struct nv_route routes[5];
static struct nv_socket sockets[40];

static struct addr addr(const char *text)
{
	struct addr a = { 0 };

	addr_parse(text, &a);
	return a;
}

static void route(unsigned i, const char *dst, unsigned len, unsigned type, int oif, const char *via)
{
	hops[i] = (struct nv_nexthop){ .oif = oif, .via = via ? addr(via) : (struct addr){ 0 } };
	routes[i] = (struct nv_route){ .family = AF_INET, .type = (uint8_t)type, .dst = addr(dst), .dst_len = (uint8_t)len,
				       .table = type == RTN_UNICAST ? RT_TABLE_MAIN : RT_TABLE_LOCAL,
				       .hops = &hops[i], .n_hops = 1 };
}

/* A pod as the runtime makes it: lo, eth0, a default route, some listeners. */
static struct netview view = { .links = links, .n_links = 2, .addrs = addrs, .n_addrs = 2, .routes = routes,
	.n_routes = 5, .sockets = sockets, .n_sockets = 40, .port_low = 32768, .port_high = 60999, .ip_forward = true };

static void make_view(void)
{
	addrs[0] = (struct nv_addr){ .ifindex = 1, .addr = addr("127.0.0.1"), .prefix_len = 8, .scope = RT_SCOPE_HOST };
	addrs[1] = (struct nv_addr){ .ifindex = 2, .addr = addr("10.0.1.39"), .prefix_len = 24 };
	route(0, "127.0.0.0", 8, RTN_LOCAL, 1, NULL);
	route(1, "127.0.0.1", 32, RTN_LOCAL, 1, NULL);
	route(2, "10.0.1.39", 32, RTN_LOCAL, 2, NULL);
	route(3, "10.0.1.0", 24, RTN_UNICAST, 2, NULL);
	route(4, "0.0.0.0", 0, RTN_UNICAST, 2, "10.0.1.1");
	for (unsigned i = 0; i < 40; i++)
		sockets[i] = (struct nv_socket){ .family = AF_INET, .protocol = IPPROTO_TCP, .listening = true,
						 .local = addr("0.0.0.0"), .lport = (uint16_t)(15001 + i), .uid = 1337,
						 .details = true, .pid = 99, .process = "envoy" };
}

static uint32_t random32(void)
{
	static uint64_t x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x >> 16);
}

static void put_addr(struct addr *a, uint32_t v)
{
	v = htonl(v);
	*a = addr_from(AF_INET, &v);
}

/* Three of four go out: most are the application's, some the proxy's, some stay in the pod. */
static void istio_connection(struct trace_request *rq)
{
	uint32_t r = random32();

	rq->path = r % 4 ? TRACE_OUT : TRACE_IN;
	put_addr(&rq->dst, r % 4 == 0 || r % 16 == 1 ? 0x0a000127 : 0x0a600000 | (random32() & 0xffff));
	rq->dport = (int)(r >> 8) % 30000 + 80;
	if (rq->path == TRACE_IN) {
		put_addr(&rq->src, 0x0a000200 | (r >> 24));
		return;
	}
	rq->has_uid = rq->has_gid = true;
	rq->uid = rq->gid = (r >> 5) % 3 ? 1000 : 1337;
}

static void kube_connection(struct trace_request *rq, unsigned services)
{
	uint32_t r = random32();

	rq->path = r & 1 ? TRACE_IN : TRACE_OUT;
	put_addr(&rq->dst, 0x0a600000 + random32() % services);
	rq->dport = 80;
	if (rq->path == TRACE_IN) {
		put_addr(&rq->src, 0x0a000200 | (r >> 24));
		return;
	}
	rq->has_uid = rq->has_gid = true;
	rq->uid = rq->gid = 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int follow(const struct tracer *t, struct trace_room *room, bool istio, unsigned long n, unsigned services, struct err *e)
{
	struct trace_result *res;

	for (unsigned long i = 0; i < n; i++) {
		struct trace_request rq = TRACE_REQUEST_INIT;

		rq.family = NFPROTO_IPV4;
		rq.l4proto = IPPROTO_TCP;
		if (istio)
			istio_connection(&rq);
		else
			kube_connection(&rq, services);
		if (trace_run_in(t, room, &rq, &res, e) < 0)
			return -1;
		if (res->n_outcomes == 1 && res->outcomes[0].verdict == TRACE_UNKNOWN)
			return err_set(e, ERR_SYS, "trace", "an outcome is not known: %s", res->outcomes[0].why);
	}
	return 0;
}

static int measure(const struct tracer *t, bool istio, unsigned long n, unsigned services, struct err *e)
{
	struct trace_room *room = trace_room_new();
	double begin;
	int rc = -1;

	if (!room)
		return err_oom(e);
	if (follow(t, room, istio, n / 4, services, e) == 0) {
		begin = now();
		rc = follow(t, room, istio, n, services, e);
		printf("%lu %.6f\n", n, now() - begin);
	}
	trace_room_free(room);
	return rc;
}

int main(int argc, char **argv)
{
	struct ruleset *rs _cleanup_ruleset_ = ruleset_new();
	struct dump_source src = { .path = argc > 1 ? argv[1] : "" };
	struct tracer *t = NULL;
	struct err e = ERR_INIT;
	int ret = 2;

	if (argc < 4 || !rs) {
		fprintf(stderr, "trace FILE istio|kube N [SERVICES]\n");
		return 2;
	}
	make_view();
	if (dump_load(&src, rs, &e) == 0 && tracer_new(rs, &view, NULL, &t, &e) == 0 &&
	    measure(t, strcmp(argv[2], "istio") == 0, strtoul(argv[3], NULL, 10),
		    argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 5000, &e) == 0)
		ret = 0;
	else
		fprintf(stderr, "trace: %s: %s\n", e.what, e.why);
	tracer_free(t);
	return ret;
}
