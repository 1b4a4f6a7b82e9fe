/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_text_load - nft text through libnftables, in a process and a network namespace of its own */
#include <dlfcn.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/base/dl.h"
#include "nsutil/dump/nft_text.h"
#include "nsutil/netns/apart.h"
#include "nsutil/netns/netns.h"
#include "nsutil/netns/rtnl.h"
#include "nsutil/nft/nft.h"

static const struct apart_limits limits = { .seconds = 60, .memory = 2048u << 20, .answer = 512u << 20 };

/* The functions of libnftables(3) that are called; the handle is opaque. */
static const char *const function_names[] = { "nft_ctx_new", "nft_ctx_buffer_output", "nft_ctx_buffer_error",
					      "nft_ctx_get_error_buffer", "nft_run_cmd_from_buffer" };

struct library {
	void *(*ctx_new)(uint32_t flags);
	int (*buffer_output)(void *ctx);
	int (*buffer_error)(void *ctx);
	const char *(*error)(void *ctx);
	int (*run)(void *ctx, const char *text);
};

static int missing(struct err *e, const char *why)
{
	err_set(e, ERR_SYS, "nft text", "%s", why);
	return err_hint(e, "install it (Debian: libnftables1, others: nftables), or give what 'nft -j list ruleset' prints");
}

/* Never closed: the process ends soon. */
static int library_open(struct library *l, struct err *e)
{
	void *dl = dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL);

	if (!dl)
		return missing(e, "it is read by libnftables, which is not installed here");
	if (dl_find(dl, function_names, ARRAY_SIZE(function_names), l))
		return missing(e, "the libnftables that is installed lacks functions");
	return 0;
}

/* ip link add NAME index N type KIND */
static int make_link(int fd, const char *name, int index, const char *kind)
{
	_Alignas(struct nlmsghdr) char room[512] = "";
	struct nlmsghdr *msg = mnl_nlmsg_put_header(room);
	struct ifinfomsg *info;
	struct nlattr *nest;

	msg->nlmsg_type = RTM_NEWLINK;
	msg->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	info = mnl_nlmsg_put_extra_header(msg, sizeof(*info));
	info->ifi_index = index;
	mnl_attr_put_strz(msg, IFLA_IFNAME, name);
	nest = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	mnl_attr_put_strz(msg, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(msg, nest);
	return rtnl_talk(fd, msg);
}

static int make_links(const struct nft_text *t, struct err *e)
{
	static const char *const kinds[] = { "dummy", "bridge", "veth" }; /* whatever the kernel has */
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return err_sys(e, errno, "cannot make a socket");
	for (unsigned i = 0; i < t->n_links; i++) {
		int error = EOPNOTSUPP;

		for (size_t k = 0; k < ARRAY_SIZE(kinds) && error == EOPNOTSUPP; k++)
			error = make_link(fd, t->links[i], nft_text_index(i), kinds[k]);
		if (error && error != EEXIST)
			return err_sys(e, error, "cannot make the link '%s' that the rules name", t->links[i]);
	}
	return 0;
}

/* "<cmdline>:3:4-9: Error: syntax error, unexpected ...", the line, and marks below it */
static int its_words(const char *text, struct err *e)
{
	unsigned long line = 0;
	const char *why = strstr(text, "Error: "), *at = strchr(text, ':');
	int n;

	if (at && why && at < why)
		line = strtoul(at + 1, NULL, 10);
	why = why ? why + 7 : text;
	n = (int)strcspn(why, "\n");
	if (n > 300)
		n = 300;
	if (line)
		err_set(e, ERR_USAGE, "nft text", "line %lu: %.*s", line, n, why);
	else
		err_set(e, ERR_USAGE, "nft text", "%.*s", n, why[0] ? why : "libnftables did not take it");
	return err_hint(e, "it must be as 'nft list ruleset' printed it; 'nft -j list ruleset' needs no libnftables");
}

static int in_child(void *arg, struct buf *answer, struct err *e)
{
	_cleanup_netns_ struct netns ns = NETNS_INIT;
	const struct nft_text *t = arg;
	struct library l = { .ctx_new = NULL };
	void *ctx;

	if (library_open(&l, e) < 0 || make_links(t, e) < 0)
		return -1;
	ctx = l.ctx_new(0);
	if (!ctx || l.buffer_output(ctx) || l.buffer_error(ctx))
		return err_oom(e);
	if (l.run(ctx, buf_cstr(&t->clean)))
		return its_words(l.error(ctx), e);
	return netns_open_self(&ns, e) < 0 ? -1 : nft_record(&ns, answer, e);
}

int nft_text_load(const struct nft_text *t, struct buf *tape, struct err *e)
{
	struct nft_text copy = *t;

	if (apart_run(in_child, &copy, &limits, tape, e) == 0)
		return 0;
	if (e && e->code == ERR_PERM && !e->hint[0])
		err_hint(e, "nft text is loaded into a network namespace of its own to be read; what 'nft -j list ruleset' "
			    "prints needs no rights");
	return -1;
}
