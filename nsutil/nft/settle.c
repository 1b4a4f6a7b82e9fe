/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settle - whether a change of the nftables rules is under way at this moment */
#include "nsutil/nft/settle.h"

#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"

#define FILE_MAX (4 * 1024 * 1024)

/*
 * The least that any message occupies (SKB_TRUESIZE() of a request without attributes, 64-bit). A dump's request
 * seldom takes more than a fifth above it, so a few dumps and one change cannot be taken for each other.
 */
#define LEAST_TRUESIZE 640

/* Kernels 6.x up to this one are known to take the mutex first of all; a later one is looked at the longer way. */
#define LAST_KNOWN_6 18

bool settle_idle_text(const char *text)
{
	unsigned long kernel = 0, dumps = 0;
	bool seen = false;

	/* sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode; the first line has the names */
	for (const char *line = strchr(text, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
		unsigned long port, rmem, dump;
		unsigned protocol;

		if (sscanf(line + 1, "%*s %u %lu %*s %lu %*s %lu", &protocol, &port, &rmem, &dump) != 4 ||
		    protocol != NETLINK_NETFILTER)
			continue;
		if (port == 0) {
			kernel = rmem;
			seen = true;
		} else if (dump) {
			dumps++;
		}
	}
	return seen && kernel < LEAST_TRUESIZE * (dumps + 1) && (kernel == 0 || dumps);
}

bool settle_idle(const struct netns *ns, bool *ret_known)
{
	char *text _cleanup_free_ = NULL;

	*ret_known = netns_read_proc(ns, "net/netlink", FILE_MAX, &text, NULL, NULL) == 0;
	return *ret_known && settle_idle_text(text);
}

bool settle_release(const char *release)
{
	unsigned major, minor;

	return sscanf(release, "%u.%u", &major, &minor) == 2 &&
	       ((major == 5 && minor >= 12) || (major == 6 && minor <= LAST_KNOWN_6));
}

bool settle_wait(const struct netns *ns)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	static _Thread_local enum { UNASKED, WAITS, WAITS_NOT } kernel;
	struct utsname uts;
	int fd, bound;

	if (kernel == UNASKED)
		kernel = uname(&uts) == 0 && settle_release(uts.release) ? WAITS : WAITS_NOT;
	if (kernel == WAITS_NOT)
		return false;
	fd = netns_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, NULL);
	if (fd < 0)
		return false;
	bound = bind(fd, (const struct sockaddr *)&any, sizeof(any)); /* one without an address is released without notice */
	close(fd);
	return bound == 0;
}
