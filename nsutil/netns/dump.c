/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump - netlink dumps that end, and attributes that lie within their message */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/netns/parts.h"

#define TRIES 16
/* The kernel fills at most 32 KiB of a dump at once (net/netlink/af_netlink.c netlink_dump()). */
#define RECEIVE 65536

void *nv_more_(struct netview *nv, void **array, unsigned *n, size_t size)
{
	char *grown;

	if (*n >= NV_MOST)
		return NULL;
	grown = arena_grow(nv->arena, *array, *n, size);
	if (!grown)
		return NULL;
	*array = grown;
	return memset(grown + size * (*n)++, 0, size);
}

void nv_attrs(struct nv_attrs *a, const void *start, size_t len)
{
	const struct nlattr *at = start;

	memset(a, 0, sizeof(*a));
	while (len <= INT32_MAX && mnl_attr_ok(at, (int)len)) {
		size_t step = MNL_ALIGN(at->nla_len);
		unsigned type = mnl_attr_get_type(at);

		if (type < ARRAY_SIZE(a->tb))
			a->tb[type] = at;
		if (step >= len)
			break;
		len -= step;
		at = mnl_attr_next(at);
	}
}

bool nv_attr_copy(const struct nv_attrs *a, unsigned type, void *ret, size_t size)
{
	if (!a->tb[type] || mnl_attr_get_payload_len(a->tb[type]) < size)
		return false;
	memcpy(ret, mnl_attr_get_payload(a->tb[type]), size);
	return true;
}

bool nv_attr_u32(const struct nv_attrs *a, unsigned type, uint32_t *ret)
{
	return nv_attr_copy(a, type, ret, sizeof(*ret));
}

bool nv_attr_u8(const struct nv_attrs *a, unsigned type, uint8_t *ret)
{
	return nv_attr_copy(a, type, ret, sizeof(*ret));
}

bool nv_attr_addr(const struct nv_attrs *a, unsigned type, uint8_t family, struct addr *ret)
{
	uint8_t bytes[16];

	if (!nv_attr_copy(a, type, bytes, family == AF_INET ? 4 : 16))
		return false;
	*ret = addr_from(family, bytes);
	return true;
}

void nv_attr_name(const struct nv_attrs *a, unsigned type, char *ret, size_t size)
{
	const struct nlattr *at = a->tb[type];
	size_t n = at ? strnlen(mnl_attr_get_payload(at), mnl_attr_get_payload_len(at)) : 0;

	if (n >= size)
		n = size - 1;
	if (n)
		memcpy(ret, mnl_attr_get_payload(at), n);
	ret[n] = '\0';
}

const void *nv_attr_nested(const struct nv_attrs *a, unsigned type, size_t *ret_len)
{
	if (!a->tb[type])
		return NULL;
	*ret_len = mnl_attr_get_payload_len(a->tb[type]);
	return mnl_attr_get_payload(a->tb[type]);
}

void nv_attrs_in(const struct nv_attrs *a, unsigned type, struct nv_attrs *ret)
{
	size_t len = 0;
	const void *start = nv_attr_nested(a, type, &len);

	nv_attrs(ret, start, start ? len : 0);
}

/* What one dump has come to. */
enum progress { DUMP_MORE, DUMP_DONE, DUMP_FAILED };

static enum progress end_of_dump(const struct nlmsghdr *nlh, const struct nv_dump *d, struct err *e)
{
	int error = 0;

	/* NLMSG_DONE carries an error since 4.16, NLMSG_ERROR always; both begin with it. */
	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(nlh), sizeof(error));
	if (error == 0 && nlh->nlmsg_type == NLMSG_DONE)
		return DUMP_DONE;
	err_cap(e, error ? error : EBADMSG, "CAP_NET_ADMIN", "cannot read the %s", d->what);
	return DUMP_FAILED;
}

static enum progress take_datagram(const struct nv_dump *d, const void *data, size_t len, bool *torn,
				   struct err *e)
{
	const struct nlmsghdr *nlh = data;
	int left = (int)len;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_seq != d->request->nlmsg_seq)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			*torn = true;
		if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR)
			return end_of_dump(nlh, d, e);
		/* A torn dump is read to its end, or its rest would meet the next request. */
		if (nlh->nlmsg_type >= NLMSG_MIN_TYPE && !*torn && d->parse(nlh, d->arg, e) < 0)
			return DUMP_FAILED;
	}
	return DUMP_MORE;
}

static int dump_once(const struct nv_dump *d, bool *torn, struct err *e)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	enum progress p = DUMP_MORE;
	_Alignas(8) char data[RECEIVE];

	if (sendto(d->fd, d->request, d->request->nlmsg_len, 0, (void *)&kernel, sizeof(kernel)) < 0)
		return err_cap(e, errno, "CAP_NET_ADMIN", "cannot ask for the %s", d->what);
	while (p == DUMP_MORE) {
		struct sockaddr_nl from = { 0 };
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(d->fd, data, sizeof(data), MSG_TRUNC, (void *)&from, &from_len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "cannot read the %s", d->what);
		if (n == 0 || n > RECEIVE)
			return err_sys(e, EMSGSIZE, "cannot read the %s", d->what);
		/* only the kernel, which is port 0, is believed */
		if (from.nl_pid == 0)
			p = take_datagram(d, data, n, torn, e);
	}
	return p == DUMP_DONE ? 0 : -1;
}

int nv_dump(const struct nv_dump *d, struct err *e)
{
	d->request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	for (unsigned i = 1; i <= TRIES; i++) {
		bool torn = false;

		d->request->nlmsg_seq = i;
		d->restart(d->arg);
		if (dump_once(d, &torn, e) < 0)
			return -1;
		if (!torn)
			return 0;
	}
	return err_set(e, ERR_SYS, "cannot read the namespace", "its %s changed during each of %d attempts",
		       d->what, TRIES);
}

struct rtnl {
	nv_parse_fn *parse;
	unsigned *count;
	struct netview *nv;
};

static int rtnl_parse(const struct nlmsghdr *nlh, void *arg, struct err *e)
{
	struct rtnl *r = arg;

	return r->parse(nlh, r->nv, e);
}

static void rtnl_restart(void *arg)
{
	struct rtnl *r = arg;

	*r->count = 0;
}

/* Exact, because the kernel logs a warning about bytes left over. */
static uint32_t head_len(uint16_t type)
{
	switch (type) {
	case RTM_GETLINK: return sizeof(struct ifinfomsg);
	case RTM_GETADDR: return sizeof(struct ifaddrmsg);
	case RTM_GETRULE: return sizeof(struct fib_rule_hdr);
	case RTM_GETNEXTHOP: return sizeof(struct nhmsg);
	default: return sizeof(struct rtmsg);
	}
}

int nv_rtnl(int fd, uint16_t type, const char *what, nv_parse_fn *parse, unsigned *count, struct netview *nv,
	    struct err *e)
{
	struct {
		struct nlmsghdr nlh;
		struct ifinfomsg head; /* the longest of the heads; all zero is "everything" in each */
	} request = { .nlh = { .nlmsg_len = NLMSG_HDRLEN + head_len(type), .nlmsg_type = type } };
	struct rtnl r = { parse, count, nv };
	struct nv_dump d = { fd, what, &request.nlh, rtnl_parse, rtnl_restart, &r };

	return nv_dump(&d, e);
}
