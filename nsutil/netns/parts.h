/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parts - what the readers of a netview share: bounded dumps, checked attributes, the parsers */
#ifndef NSUTIL_NETNS_PARTS_H
#define NSUTIL_NETNS_PARTS_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

#include "nsutil/base/addr.h"
#include "nsutil/base/err.h"
#include "nsutil/netns/netns.h"
#include "nsutil/ruleset/netview.h"

/* More than this many links, routes or sockets are taken for an endless dump. */
#define NV_MOST (1u << 22)

/**
 * nv_more() - room for one more element of a netview's array
 * @nv:		view, whose arena is used
 * @array:	the array; replaced when it moves
 * @n:		its count; grows by one
 *
 * Return: the new, zeroed element; NULL when memory ran out or there are more than NV_MOST
 */
#define nv_more(nv, array, n) ((__typeof__(array))nv_more_((nv), (void **)&(array), &(n), sizeof(*(array))))
void *nv_more_(struct netview *nv, void **array, unsigned *n, size_t size);

/*
 * One message of a dump, as the kernel sent it: its length is within the buffer, nothing else is
 * sure. Messages of another kind or family are passed over. Return: 0, or -1 with 'e' set (memory).
 */
typedef int nv_parse_fn(const struct nlmsghdr *nlh, struct netview *nv, struct err *e);

/* Each adds to the array of the view it is named after. */
nv_parse_fn nv_parse_link, nv_parse_addr, nv_parse_route, nv_parse_rule;
/* RTM-less: a struct inet_diag_msg of @protocol. */
int nv_parse_socket(const struct nlmsghdr *nlh, uint8_t protocol, struct netview *nv, struct err *e);

/**
 * nv_parse_proc_sockets() - read the text of /proc/net/{tcp,tcp6,udp,udp6}
 * @text:	the text; lines that are not understood are passed over
 * @family:	AF_*
 * @protocol:	IPPROTO_*
 * @nv:		view to add to
 * @e:		error
 *
 * Return: 0, or -1 (memory)
 */
int nv_parse_proc_sockets(const char *text, uint8_t family, uint8_t protocol, struct netview *nv,
			  struct err *e);

/* nv_parse_nexthop() - a nexthop object; nv_resolve_nexthops() - routes that name some get their hops */
nv_parse_fn nv_parse_nexthop;
int nv_resolve_nexthops(struct netview *nv, struct err *e);
bool nv_names_nexthops(const struct netview *nv);

/* nv_read_groups() - the groups of all interfaces; where they cannot be read, groups_read stays false */
int nv_read_groups(const struct netns *ns, struct netview *nv, struct err *e);
/* nv_parse_groups() - the text of /proc/net/igmp (AF_INET) or igmp6; lines that are not understood are passed over */
int nv_parse_groups(const char *text, uint8_t family, struct netview *nv, struct err *e);

struct nv_dump {
	int fd;			/* netlink socket inside the namespace */
	const char *what;	/* "links", for messages */
	struct nlmsghdr *request; /* flags and sequence are filled in */
	int (*parse)(const struct nlmsghdr *nlh, void *arg, struct err *e);
	void (*restart)(void *arg); /* forget what was parsed: the dump begins anew */
	void *arg;
};

/**
 * nv_dump() - run a netlink dump to its end; one torn by a change is begun anew, with a bound
 * @d:		the dump
 * @e:		error; errnum EAGAIN when it kept changing
 *
 * Return: 0, or -1
 */
int nv_dump(const struct nv_dump *d, struct err *e);

/* nv_rtnl() - dump RTM_GET* @type of all address families from the rtnetlink socket @fd */
int nv_rtnl(int fd, uint16_t type, const char *what, nv_parse_fn *parse, unsigned *count, struct netview *nv,
	    struct err *e);

/* Attributes by type, each within the message. */
struct nv_attrs {
	const struct nlattr *tb[64];
};

void nv_attrs(struct nv_attrs *a, const void *start, size_t len);
/* Values; false (or 0 bytes, "") when the attribute is missing or too short. */
bool nv_attr_u32(const struct nv_attrs *a, unsigned type, uint32_t *ret);
bool nv_attr_u8(const struct nv_attrs *a, unsigned type, uint8_t *ret);
bool nv_attr_addr(const struct nv_attrs *a, unsigned type, uint8_t family, struct addr *ret);
void nv_attr_name(const struct nv_attrs *a, unsigned type, char *ret, size_t size);
bool nv_attr_copy(const struct nv_attrs *a, unsigned type, void *ret, size_t size); /* exact head of @size */
const void *nv_attr_nested(const struct nv_attrs *a, unsigned type, size_t *ret_len);
/* nv_attrs_in() - the attributes nested in one; none when it is missing */
void nv_attrs_in(const struct nv_attrs *a, unsigned type, struct nv_attrs *ret);

/* The parts; each Return: 0, or -1 */
int nv_read_sockets(const struct netns *ns, unsigned wanted, struct netview *nv, struct err *e); /* NETVIEW_LISTENERS, _NO_UDP */
bool nv_has_no_ipsec(const struct netns *ns); /* false also when that cannot be told */
void nv_find_processes(const struct netns *ns, const char *proc, struct netview *nv);

#endif
