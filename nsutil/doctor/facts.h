/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts - what the diagnoses look at, each read once, when first asked for (within doctor/) */
#ifndef NSUTIL_DOCTOR_FACTS_H
#define NSUTIL_DOCTOR_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "nsutil/doctor/doctor.h"
#include "nsutil/doctor/log.h"
#include "nsutil/pod/ipt.h"
#include "nsutil/pod/mesh.h"
#include "nsutil/ruleset/model.h"
#include "nsutil/ruleset/netview.h"

struct doctor;
struct fact_nft;

enum module_state {
	MODULE_UNKNOWN,
	MODULE_LOADED,
	MODULE_BUILTIN,
	MODULE_AVAILABLE, /* a file of it is there, so that modprobe can load it */
	MODULE_MISSING,	  /* this kernel was built without it */
};

/* Can legacy iptables have a table here? */
enum table_state { TABLE_UNKNOWN, TABLE_THERE, TABLE_POSSIBLE, TABLE_LOADABLE, TABLE_IMPOSSIBLE };

struct fact_process { /* of the target's namespace */
	pid_t pid;
	char comm[16];
	uid_t uid, gid;	/* effective, as seen from here */
	uid_t rule_uid, rule_gid; /* as owner matches of the namespace count them */
	uint64_t caps;	/* effective */
	bool own_users; /* its user namespace maps ids */
	const char *args; /* joined by blanks, cut */
	struct fact_process *next;
};

struct fact_iptables {
	const char *where; /* "node", "container istio-init" */
	struct ipt_found found;
	struct fact_iptables *next;
};

enum module_list { LIST_LOADED, LIST_BUILTIN, LIST_DEP, LISTS };

struct facts {
	bool list_asked[LISTS];
	const char *list[LISTS]; /* texts of /proc/modules, modules.builtin, modules.dep; NULL */
	bool asked_rules, asked_net, asked_all_sockets, asked_processes, asked_mesh, asked_log, asked_iptables, asked_intent, asked_envoy,
		asked_scan, asked_selinux, asked_config, asked_nfts;
	struct ruleset *rules;
	struct err rules_why;
	struct netview *net, *all_sockets; /* 'quick': those of UDP are in the second one */
	struct err net_why;
	struct fact_process *processes;
	const char *processes_why; /* why they may be incomplete; NULL when they are not */
	struct mesh mesh;
	struct fact_nft *nfts;
	struct fact_iptables *iptables; /* the node's first */
	struct log log;
	const char *log_where, *log_why;
	const char *env, *annotations; /* of the proxy, see intent.h */
	size_t env_len;
	struct doctor_envoy envoy;
	struct scan *scan; /* of the node; NULL: not to be had, and why */
	const char *scan_why;
	const char *selinux, *config, *config_where;
};

void facts_close(struct facts *f);

/* facts_rules(), facts_net() - NULL when they may not be read: the reason is in rules_why, net_why */
const struct ruleset *facts_rules(struct doctor *d);
const struct netview *facts_net(struct doctor *d);
const struct fact_process *facts_processes(struct doctor *d);
const struct mesh *facts_mesh(struct doctor *d);
const struct fact_iptables *facts_iptables(struct doctor *d);
/* facts_envoy() - what the proxy says of itself; asked only when somebody listens on its admin or status port */
const struct doctor_envoy *facts_envoy(struct doctor *d);
/* facts_scan() - all pods of the node, looked at one by one; NULL with scan_why when they cannot be */
const struct scan *facts_scan(struct doctor *d);
/* facts_selinux() - "enforcing", "permissive", "off", "unknown" */
const char *facts_selinux(struct doctor *d);
/* facts_has_line() - of lines of names, one is the word */
bool facts_has_line(const char *text, const char *word);

/* facts_config() - an option of the kernel's configuration: "y", "m", "n"; "" when it does not know the option;
 * NULL when there is no configuration to read. The place is in config_where */
const char *facts_config(struct doctor *d, const char *option);
/* facts_host_file() - text of a file of the node, bounded; NULL. facts_file(): of a path as seen from here */
const char *facts_host_file(struct doctor *d, const char *path);
const char *facts_file(struct doctor *d, const char *path);
/* facts_log() - istio-init's log taken apart; NULL with log_why when there is none */
const struct log *facts_log(struct doctor *d);

enum module_state facts_module(struct doctor *d, const char *name);
const char *facts_module_name(enum module_state s); /* "not loaded (available)" ... */

/* facts_kernel() - what a report says of the kernel's side */
void facts_kernel(struct doctor *d, struct doctor_kernel *ret);

/* facts_table() - of IPv4 (@v6: IPv6): "nat", "mangle" ... */
enum table_state facts_table(struct doctor *d, bool v6, const char *table);

/* facts_proc() - text of a file of the namespace's /proc ("net/ip_tables_names"); NULL when there is none */
const char *facts_proc(struct doctor *d, const char *path);
/* facts_number() - a number in such a file; @missing when there is none */
long long facts_number(struct doctor *d, const char *path, long long missing);

/* facts_proxy() - the sidecar's process in the namespace: envoy, else pilot-agent; NULL */
const struct fact_process *facts_proxy(struct doctor *d);
/* facts_is_gateway() - what runs here is a gateway or waypoint, which has no capture by design */
bool facts_is_gateway(struct doctor *d);

/* facts_listens() - somebody listens on a port; @protocol IPPROTO_*; NULL when nobody does */
const struct nv_socket *facts_listens(const struct netview *nv, int protocol, unsigned port);

/* facts_listens_udp() - the same of UDP, read when first asked for where time matters */
bool facts_listens_udp(struct doctor *d, unsigned port);

#endif
