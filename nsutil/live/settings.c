/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings - the sysctl settings of a target that decide a packet's way, in the scratch */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/live/parts.h"

#define VALUE_MAX 256

static const char *const settings[] = {
	"net/ipv4/ip_forward", "net/ipv4/ip_forward_update_priority", "net/ipv4/ip_default_ttl", "net/ipv4/ip_nonlocal_bind", "net/ipv4/ip_early_demux",
	"net/ipv4/tcp_early_demux", "net/ipv4/udp_early_demux", "net/ipv4/fwmark_reflect", "net/ipv4/tcp_fwmark_accept",
	"net/ipv4/tcp_l3mdev_accept", "net/ipv4/udp_l3mdev_accept", "net/ipv4/raw_l3mdev_accept",
	"net/ipv4/ip_local_port_range", "net/ipv4/icmp_echo_ignore_all", "net/ipv4/fib_multipath_hash_policy",
	"net/ipv6/bindv6only", "net/ipv6/ip_nonlocal_bind", "net/ipv6/fwmark_reflect", "net/ipv6/flowlabel_consistency",
	"net/netfilter/nf_conntrack_tcp_loose", "net/netfilter/nf_conntrack_tcp_be_liberal",
	"net/netfilter/nf_conntrack_checksum", NULL,
};

/* conf/NAME/... of "all", "default" and every link; "all" first, since it overwrites the links. */
static const char *const of_links[] = {
	"ipv4/conf/%s/forwarding", "ipv4/conf/%s/rp_filter", "ipv4/conf/%s/route_localnet", "ipv4/conf/%s/accept_local",
	"ipv4/conf/%s/src_valid_mark", "ipv4/conf/%s/send_redirects", "ipv4/conf/%s/disable_policy", "ipv4/conf/%s/accept_source_route",
	"ipv6/conf/%s/forwarding", "ipv6/conf/%s/disable_ipv6", "ipv6/conf/%s/accept_source_route", "ipv6/conf/%s/mtu",
	"ipv6/conf/%s/seg6_enabled", NULL,
};

struct write_job {
	const char *path, *value;
	int error;
};

static int write_inside(void *arg, struct err *e)
{
	struct write_job *job = arg;
	_cleanup_close_ int fd = open(job->path, O_WRONLY | O_CLOEXEC);

	(void)e;
	job->error = fd < 0 || write(fd, job->value, strlen(job->value)) < 0 ? errno : 0;
	return 0;
}

int scratch_set(const struct netns *ns, const char *path, const char *value)
{
	char file[256];
	struct write_job job = { file, value, 0 };
	struct err e = ERR_INIT;

	snprintf(file, sizeof(file), "/proc/sys/%s", path);
	return netns_call(ns, write_inside, &job, &e) < 0 ? (e.errnum ? e.errnum : EPERM) : job.error;
}

/* What is not there in the target is not needed; what is the same already need not be written. */
static int copy_setting(struct scratch *s, const struct netns *from, const char *path)
{
	_cleanup_free_ char *theirs = NULL, *ours = NULL;
	char file[256];
	int error;

	snprintf(file, sizeof(file), "sys/%s", path);
	if (netns_read_proc(from, file, VALUE_MAX, &theirs, NULL, NULL) < 0)
		return 0;
	if (netns_read_proc(&s->ns, file, VALUE_MAX, &ours, NULL, NULL) == 0 && strcmp(theirs, ours) == 0)
		return 0;
	error = scratch_set(&s->ns, path, theirs);
	if (error)
		gaps_add(&s->gaps, error == EROFS ? "/proc/sys is mounted read-only" : strerror(error), "the setting %s", path);
	return 0;
}

static void copy_of_link(struct scratch *s, const struct netns *from, const char *link)
{
	char path[200], form[200];

	if (strchr(link, '/'))
		return;
	for (unsigned i = 0; of_links[i]; i++) {
		snprintf(form, sizeof(form), "net/%s", of_links[i]);
		snprintf(path, sizeof(path), "%.*s%s%s", (int)(strstr(form, "%s") - form), form, link,
			 strstr(form, "%s") + 2);
		copy_setting(s, from, path);
	}
}

static void set_forwarding(struct scratch *s, const struct netview *nv)
{
	if (nv->ip_forward && scratch_set(&s->ns, "net/ipv4/ip_forward", "1"))
		gaps_add(&s->gaps, "it cannot be set", "the setting net/ipv4/ip_forward");
	if (nv->ip6_forward && scratch_set(&s->ns, "net/ipv6/conf/all/forwarding", "1"))
		gaps_add(&s->gaps, "it cannot be set", "the setting net/ipv6/conf/all/forwarding");
}

int scratch_settings(struct scratch *s, const struct netns *from, const struct netview *nv, struct err *e)
{
	(void)e;
	if (!from) {
		set_forwarding(s, nv);
		return 0;
	}
	for (unsigned i = 0; settings[i]; i++)
		copy_setting(s, from, settings[i]);
	copy_of_link(s, from, "all");
	copy_of_link(s, from, "default");
	for (unsigned i = 0; i < nv->n_links; i++)
		copy_of_link(s, from, nv->links[i].name);
	return 0;
}
