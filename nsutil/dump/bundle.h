/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bundle - everything that is read of a target in one JSON file, which can be looked at in its place */
#ifndef NSUTIL_DUMP_BUNDLE_H
#define NSUTIL_DUMP_BUNDLE_H

#include <stddef.h>

#include "nsutil/base/arena.h"
#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"
#include "nsutil/doctor/doctor.h"
#include "nsutil/istio/pod_config.h"
#include "nsutil/netns/conns.h"
#include "nsutil/pod/target.h"
#include "nsutil/ruleset/ipset.h"
#include "nsutil/ruleset/model.h"
#include "nsutil/ruleset/netview.h"

/*
 * Rules are kept as the kernel gave them (tables of xtables, answers of netlink), so that they are decoded
 * again by the same code, and by a later one that understands more. Of a process there are its number, name
 * and ids; of istio-init the arguments, of it and the proxy those variables that are settings of Istio's rules,
 * and of the pod's resolv.conf the name servers. No other environment, argument or file gets into it.
 */

/**
 * bundle_write() - read a target and make the text of a bundle
 * @t:		target; not a file
 * @ret:	text is appended
 * @e:		error; a part that cannot be read while others can is noted in the bundle
 *
 * Return: 0, or -1
 */
int bundle_write(const struct target *t, struct buf *ret, struct err *e);

/* bundle_load_rules() - add the rules of a bundle to a ruleset. Return: 0, or -1 */
int bundle_load_rules(const char *text, size_t size, const char *name, struct ruleset *rs, struct err *e);

/* bundle_load_view() - its links, routes and sockets; the caller frees it. Return: 0, or -1 */
int bundle_load_view(const char *text, size_t size, const char *name, struct netview **ret, struct err *e);

/* bundle_load_ipsets() - add its ipsets. Return: 0, or -1: there are none in it, they could not be read then */
int bundle_load_ipsets(const char *text, size_t size, const char *name, struct ipset_list *list, struct err *e);

/* bundle_load_conns() - its connection-tracking entries. Return: 0, or -1: likewise */
int bundle_load_conns(const char *text, size_t size, const char *name, struct conn_list **ret, struct err *e);

/* bundle_load_doctor() - what the doctor found when it was written. Return: 0, or -1 */
int bundle_load_doctor(const char *text, size_t size, const char *name, struct arena *a, struct doctor_report *ret,
		       struct err *e);

struct bundle_iptables {
	const char *where, *variant, *version, *path, *binary;
	struct bundle_iptables *next;
};

struct bundle_process {
	pid_t pid;
	uint32_t gid;
	const char *name;
};

struct bundle_about {
	const char *kernel; /* release; NULL: not told */
	pid_t pid;	    /* of the target, there */
	int64_t time;
	struct bundle_iptables *iptables; /* the node's first */
	const struct bundle_process *processes;
	unsigned n_processes;
	struct istio_pod_sources istio;
	const char *resolv_conf, *resolv_why;
};

/* bundle_load_about() - the rest; all in the arena. Return: 0, or -1 */
int bundle_load_about(const char *text, size_t size, const char *name, struct arena *a, struct bundle_about *ret,
		      struct err *e);

#endif
