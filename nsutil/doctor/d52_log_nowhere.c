/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d52_log_nowhere - LOG and TRACE rules of a pod write nowhere */
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"
#include "nsutil/pod/hostfs.h"
#include "nsutil/pod/proc.h"

struct search {
	const struct rule *rule;
};

enum { LEVEL_AUDIT = 8 }; /* goes to the audit log */

/* LOG, TRACE, "log" without a group; what goes to a group of nfnetlink_log (NFLOG) has a reader of its own. */
static bool writes_to_log(const struct stmt *s)
{
	if (s->kind == STMT_XT)
		return s->xt->target && (strcmp(s->xt->name, "LOG") == 0 || strcmp(s->xt->name, "TRACE") == 0);
	return s->kind == STMT_LOG && s->log.group < 0 && s->log.level != LEVEL_AUDIT;
}

static bool is_log(const struct rule *r, void *arg)
{
	struct search *s = arg;

	for (const struct stmt *st = r->stmts; st; st = st->next)
		if (writes_to_log(st)) {
			s->rule = r;
			return true;
		}
	return false;
}

struct node_switch {
	const char *path;
	int value;
};

static int read_switch(void *arg, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	struct node_switch *s = arg;

	(void)e;
	s->value = hostfs_read_at(-1, s->path, 64, &text) > 0 ? text[0] == '1' : -1;
	return 0;
}

/*
 * Unless the switch is set, the kernel log takes lines of the first namespace only. It is in that one only, which is
 * where the node's first process is. -1: there is none to be seen.
 */
static int logs_all(struct doctor *d)
{
	_cleanup_netns_ struct netns node = NETNS_INIT;
	char path[4200];
	struct node_switch s = { path, -1 };

	snprintf(path, sizeof(path), "%s/sys/net/netfilter/nf_log_all_netns", d->t->proc);
	if (netns_open_pid(d->t->proc, 1, &node, NULL) < 0 || netns_call(&node, read_switch, &s, NULL) < 0)
		read_switch(&s, NULL);
	return s.value;
}

/* "10 NONE (nfnetlink_log,nf_log_syslog)" of /proc/net/netfilter/nf_log: a logger for the kernel log that can be bound; NULL */
static const char *syslog_logger(struct doctor *d, unsigned family)
{
	static const char *const names[] = { "nf_log_syslog", "nf_log_ipv4", "nf_log_ipv6", NULL };
	const char *at = facts_proc(d, "net/netfilter/nf_log");

	for (; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
		char *end, line[200];

		if (strtoul(at, &end, 10) != family || end == at)
			continue;
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(end, "\n"), end);
		for (unsigned i = 0; names[i]; i++)
			if (strstr(line, names[i]))
				return names[i];
	}
	return NULL;
}

/* Somebody has a socket for what nfnetlink_log hands out. */
static bool has_reader(struct doctor *d)
{
	const char *text = facts_proc(d, "net/netfilter/nfnetlink_log");

	return text && strspn(text, " \n") != strlen(text);
}

/* A family's logger, and whether its lines are lost; @ret_mend gets the logger to put in its place. */
static bool is_lost(struct doctor *d, unsigned family, const char **ret_logger, const char **ret_mend)
{
	const char *text = facts_proc(d, family == 2 ? "sys/net/netfilter/nf_log/2" : "sys/net/netfilter/nf_log/10");
	bool nflog;

	*ret_mend = NULL;
	if (!text)
		return false;
	*ret_logger = arena_strndup(d->arena, text, strcspn(text, "\n"));
	nflog = strncmp(text, "nfnetlink_log", 13) == 0;
	if (nflog && has_reader(d))
		return false;
	if (nflog || strncmp(text, "NONE", 4) == 0)
		*ret_mend = syslog_logger(d, family);
	return *ret_mend || nflog || logs_all(d) <= 0;
}

static void mend_switch(struct doctor *d, struct doctor_finding *f)
{
	if (logs_all(d) == 0)
		doctor_mend_logger(d, f, "node:nf_log_all_netns=1", "sysctl -w net.netfilter.nf_log_all_netns=0");
}

static void report(struct doctor *d, const struct rule *r, unsigned family, const char *logger, const char *mend)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct doctor_finding *f;

	f = doctor_find(d, "a rule logs or traces, and nobody takes its lines: %s",
			strncmp(logger, "nfnetlink_log", 13) == 0 ? "the logger is a tracer's that is gone"
								  : "outside the node's own namespace the kernel log takes nothing");
	doctor_see(d, f, r->chain->name, store_name(r->chain->table->store), "rule %u: %s", r->index, chains_text(r, &b));
	doctor_see(d, f, "logger", family == 2 ? "/proc/sys/net/netfilter/nf_log/2" : "/proc/sys/net/netfilter/nf_log/10", "%s", logger);
	doctor_see(d, f, "nf_log_all_netns", "/proc/sys/net/netfilter of the node", "%s", logs_all(d) > 0 ? "1" : "0");
	if (mend)
		doctor_mend_logger(d, f, arena_printf(d->arena, "nf_log/%u=%s", family, mend),
				   arena_printf(d->arena, "nsenter --net=%s sysctl -w net.netfilter.nf_log.%u=%s", d->t->netns.path, family, logger));
	mend_switch(d, f);
	doctor_fix(d, f, "use NFLOG, or sysctl net.netfilter.nf_log_all_netns=1 on the node");
	if (mend)
		doctor_fix(d, f, "nsenter --net=%s sysctl -w net.netfilter.nf_log.%u=%s", d->t->netns.path, family, mend);
	doctor_fix_self(d, f, "trace --live");
}

/* TRACE of iptables-nft is "meta nftrace set 1". */
static bool is_nft_trace(const struct rule *r, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct search *s = arg;

	if (r->chain->table->store != STORE_COMPAT || !strstr(chains_text(r, &b), "-j TRACE"))
		return false;
	s->rule = r;
	return true;
}

/* Somebody in the namespace has joined the group that nf_tables tells its traces to: "nft monitor trace", xtables-monitor. */
static bool has_trace_listener(struct doctor *d)
{
	const char *text = facts_proc(d, "net/netlink");
	unsigned protocol, groups;

	for (const char *line = text ? strchr(text, '\n') : NULL; line && line[1]; line = strchr(line + 1, '\n'))
		if (sscanf(line + 1, "%*s %u %*s %x", &protocol, &groups) == 2 && protocol == NETLINK_NETFILTER &&
		    (groups & 1U << (NFNLGRP_NFTRACE - 1)))
			return true;
	return false;
}

/* No logger has a part in it, so none is mended. */
static void check_nft_trace(struct doctor *d, const struct ruleset *rs)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct search s = { NULL };
	struct doctor_finding *f;

	if (!chains_each(rs, is_nft_trace, &s) || has_trace_listener(d))
		return;
	f = doctor_find(d, "a rule traces, and nobody takes its lines: TRACE of iptables-nft never writes to the kernel log, and nobody in "
			   "this namespace listens to nf_tables");
	doctor_see(d, f, s.rule->chain->name, store_name(STORE_COMPAT), "rule %u: %s", s.rule->index, chains_text(s.rule, &b));
	doctor_see(d, f, "listeners to traces", "/proc/net/netlink", "none");
	doctor_fix(d, f, "nsenter --net=%s xtables-monitor --trace", d->t->netns.path);
	doctor_fix_self(d, f, "trace --live");
}

static void check_log(struct doctor *d, const struct ruleset *rs)
{
	struct search s = { NULL };
	const char *logger, *mend;
	unsigned family;

	if (!chains_each(rs, is_log, &s))
		return;
	family = s.rule->chain->table->family == NFPROTO_IPV6 ? 10 : 2;
	if (is_lost(d, family, &logger, &mend))
		report(d, s.rule, family, logger, mend);
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	uint64_t first;

	if (!rs || (proc_netns(d->t->proc, 1, &first) == 0 && first == d->t->netns.inode))
		return;
	check_log(d, rs);
	check_nft_trace(d, rs);
}

const struct doctor_entry doctor_d52 = {
	.id = "D52",
	.title = "LOG and TRACE of a pod go nowhere",
	.link = "https://github.com/moby/moby/issues/10540",
	.explain = "The kernel log takes netfilter's lines from the first network namespace only. In a pod, LOG and TRACE rules\n"
		   "count packets and print nothing; nor do they where a tracer was ended that had bound the logger to itself.\n"
		   "It is told by such a rule, the namespace's logger, whether somebody reads it, and nf_log_all_netns.\n"
		   "TRACE of iptables-nft writes to no logger: its lines go to listeners in the pod's own namespace.\n"
		   "--fix gives the namespace its logger back and sets the node's switch.",
	.severity = DOCTOR_INFO,
	.scope = DOCTOR_POD,
	.check = check,
};
