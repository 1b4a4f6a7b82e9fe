/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netview - fuzz harness: netlink messages and /proc/net text go through the readers of a namespace */
/*
 * The first byte chooses the reader; the rest is a message (its length field is set to what there
 * is, as nv_dump() has checked it) or text. Reaches nsutil/netns/{link,route,rule,sock,dump}.c.
 */
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/netns/parts.h"

static void check(const struct netview *nv)
{
	for (unsigned i = 0; i < nv->n_links; i++)
		if (strnlen(nv->links[i].name, 16) == 16 || strnlen(nv->links[i].kind, 16) == 16)
			abort();
	for (unsigned i = 0; i < nv->n_addrs; i++)
		if (nv->addrs[i].prefix_len > addr_len(&nv->addrs[i].addr) * 8)
			abort();
	for (unsigned i = 0; i < nv->n_routes; i++)
		if (nv->routes[i].dst.family != nv->routes[i].family ||
		    nv->routes[i].dst_len > addr_len(&nv->routes[i].dst) * 8)
			abort();
	for (unsigned i = 0; i < nv->n_rules; i++)
		if (strnlen(nv->rules[i].iif, 16) == 16 || strnlen(nv->rules[i].oif, 16) == 16)
			abort();
	for (unsigned i = 0; i < nv->n_sockets; i++)
		if (nv->sockets[i].local.family != nv->sockets[i].family)
			abort();
}

static void message(unsigned which, const uint8_t *data, size_t size, struct netview *nv)
{
	static const struct {
		uint16_t type;
		nv_parse_fn *parse;
	} readers[] = { { RTM_NEWLINK, nv_parse_link },
			{ RTM_NEWADDR, nv_parse_addr },
			{ RTM_NEWROUTE, nv_parse_route },
			{ RTM_NEWRULE, nv_parse_rule } };
	/* as long as the message, so that the sanitizer sees a byte too far */
	struct nlmsghdr *nlh = calloc(1, MNL_NLMSG_HDRLEN + size);

	memcpy(mnl_nlmsg_get_payload(nlh), data, size);
	nlh->nlmsg_len = (uint32_t)(MNL_NLMSG_HDRLEN + size);
	if (which < 4) {
		nlh->nlmsg_type = readers[which].type;
		readers[which].parse(nlh, nv, NULL);
	} else {
		nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
		nv_parse_socket(nlh, which & 1 ? IPPROTO_TCP : IPPROTO_UDP, nv, NULL);
	}
	free(nlh);
}

static void text(unsigned which, const uint8_t *data, size_t size, struct netview *nv)
{
	char *copy = malloc(size + 1);

	memcpy(copy, data, size);
	copy[size] = '\0';
	nv_parse_proc_sockets(copy, which & 1 ? AF_INET : AF_INET6, IPPROTO_TCP, nv, NULL);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netview nv = { .arena = arena_new() };

	if (size > 0 && size < 1 << 16) {
		if (data[0] % 8 < 6)
			message(data[0] % 8, data + 1, size - 1, &nv);
		else
			text(data[0], data + 1, size - 1, &nv);
		check(&nv);
	}
	arena_free(nv.arena);
	return 0;
}
