/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iface - names of interfaces in the namespace that is read, and of control groups */
#include <linux/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nsutil/nft/reader.h"

#include <linux/sockios.h>

/* Rules that name an interface by index are few, so each index is asked for when it comes up. */
struct dec_ifaces {
	const struct netns *ns;
	const struct netview *nv; /* instead of ns */
	int fd; /* -1: not open yet, -2: cannot be had */
	unsigned cgroups; /* directories that may yet be looked at for the name of one */
};

struct dec_ifaces *dec_ifaces_new(const struct netns *ns)
{
	struct dec_ifaces *it = malloc(sizeof(*it));

	if (it)
		*it = (struct dec_ifaces){ .ns = ns, .fd = -1, .cgroups = 100000 };
	return it;
}

struct dec_ifaces *dec_ifaces_of(const struct netview *nv)
{
	struct dec_ifaces *it = malloc(sizeof(*it));

	if (it)
		*it = (struct dec_ifaces){ .nv = nv, .fd = -2 };
	return it;
}

void dec_ifaces_free(struct dec_ifaces *it)
{
	if (it && it->fd >= 0)
		close(it->fd);
	free(it);
}

const char *dec_iface_name(struct dec *d, uint32_t index)
{
	struct dec_ifaces *it = d->ifaces;
	struct ifreq req = { .ifr_ifindex = (int)index };

	if (it && it->nv) {
		const struct nv_link *l = nv_link_by_index(it->nv, (int)index);

		return l ? arena_strdup(d->a, l->name) : NULL;
	}
	if (!it || index == 0 || it->fd == -2)
		return NULL;
	if (it->fd < 0) {
		it->fd = netns_socket(it->ns, AF_UNIX, SOCK_DGRAM, 0, NULL);
		if (it->fd < 0) {
			it->fd = -2;
			return NULL;
		}
	}
	if (ioctl(it->fd, SIOCGIFNAME, &req) < 0)
		return NULL;
	return arena_strndup(d->a, req.ifr_name, sizeof(req.ifr_name));
}

const char *dec_cgroup_name(struct dec *d, uint64_t id)
{
	return d->ifaces && d->ifaces->ns ? cgroup_path(d->a, id, &d->ifaces->cgroups) : NULL;
}
