/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts_kernel - which modules the kernel has or can have, and so which legacy tables */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/doctor/check.h"

/* "kernel/net/ipv4/netfilter/iptable_nat.ko.xz: needs ..." names the module, with '-' or '_'. */
static bool names_module(const char *line, const char *name)
{
	const char *end = strpbrk(line, ":\n"), *base = line;

	for (const char *c = line; *c && c != end; c++)
		if (*c == '/')
			base = c + 1;
	for (; *name; name++, base++)
		if (*base != *name && !(*name == '_' && *base == '-'))
			return false;
	return strncmp(base, ".ko", 3) == 0;
}

/* Each is read once: modules.dep is long, and many modules are asked for. NULL: it is not there. */
static const char *list_text(struct doctor *d, enum module_list which)
{
	static const char *const files[] = { [LIST_BUILTIN] = "modules.builtin", [LIST_DEP] = "modules.dep" };
	struct facts *f = &d->facts;
	struct utsname u;

	if (f->list_asked[which])
		return f->list[which];
	f->list_asked[which] = true;
	if (which == LIST_LOADED) {
		const char *path = arena_printf(d->arena, "%s/modules", d->t->proc);

		/* A root that was copied (a report of a node) has its own. */
		f->list[which] = facts_host_file(d, "/proc/modules");
		if (!f->list[which])
			f->list[which] = path ? facts_file(d, path) : NULL;
	} else if (uname(&u) == 0) {
		const char *path = arena_printf(d->arena, "/lib/modules/%s/%s", u.release, files[which]);

		f->list[which] = path ? facts_host_file(d, path) : NULL;
	}
	return f->list[which];
}

static const char *next_line(const char *at)
{
	at = strchr(at, '\n');
	return at ? at + 1 : "";
}

/* 1: the file names it, 0: it does not, -1: there is no such file */
static int listed(struct doctor *d, enum module_list which, const char *name)
{
	const char *text = list_text(d, which);

	if (!text)
		return -1;
	for (; *text; text = next_line(text))
		if (names_module(text, name))
			return 1;
	return 0;
}

/* 1: loaded, 0: not, -1: the kernel has no modules, or its list may not be read */
static int loaded(struct doctor *d, const char *name)
{
	const char *text = list_text(d, LIST_LOADED);
	size_t n = strlen(name);

	if (!text)
		return -1;
	for (; *text; text = next_line(text))
		if (strncmp(text, name, n) == 0 && text[n] == ' ')
			return 1;
	return 0;
}

/* A kernel without modules has what its configuration says. */
static enum module_state built_in(struct doctor *d, const char *name)
{
	static const struct {
		const char *module, *option;
	} known[] = {
		{ "nf_tables", "CONFIG_NF_TABLES" }, { "nft_compat", "CONFIG_NFT_COMPAT" }, { "nft_chain_nat", "CONFIG_NFT_NAT" },
		{ "nft_ct", "CONFIG_NFT_CT" }, { "nft_redir", "CONFIG_NFT_REDIR" }, { "nft_tproxy", "CONFIG_NFT_TPROXY" },
		{ "nft_fib", "CONFIG_NFT_FIB" }, { "nf_conntrack", "CONFIG_NF_CONNTRACK" }, { "ip_tables", "CONFIG_IP_NF_IPTABLES" },
		{ "iptable_nat", "CONFIG_IP_NF_NAT" }, { "iptable_mangle", "CONFIG_IP_NF_MANGLE" },
		{ "iptable_filter", "CONFIG_IP_NF_FILTER" }, { "iptable_raw", "CONFIG_IP_NF_RAW" },
		{ "ip6table_nat", "CONFIG_IP6_NF_NAT" }, { "ip6table_mangle", "CONFIG_IP6_NF_MANGLE" },
		{ "ip6table_filter", "CONFIG_IP6_NF_FILTER" }, { "ip6table_raw", "CONFIG_IP6_NF_RAW" },
		{ "xt_owner", "CONFIG_NETFILTER_XT_MATCH_OWNER" }, { "xt_REDIRECT", "CONFIG_NETFILTER_XT_TARGET_REDIRECT" },
	};

	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const char *v = strcmp(known[i].module, name) == 0 ? facts_config(d, known[i].option) : NULL;

		if (v)
			return v[0] == 'y' ? MODULE_BUILTIN : v[0] == 'm' ? MODULE_UNKNOWN : MODULE_MISSING;
	}
	return MODULE_UNKNOWN;
}

enum module_state facts_module(struct doctor *d, const char *name)
{
	char path[256];
	int builtin, file;

	if (loaded(d, name) == 1)
		return MODULE_LOADED;
	snprintf(path, sizeof(path), "/sys/module/%s", name);
	if (access(path, F_OK) == 0)
		return MODULE_BUILTIN;
	builtin = listed(d, LIST_BUILTIN, name);
	if (builtin == 1)
		return MODULE_BUILTIN;
	if (loaded(d, name) < 0)
		return access("/proc/self", F_OK) == 0 ? built_in(d, name) : MODULE_UNKNOWN;
	file = listed(d, LIST_DEP, name);
	return file == 1 ? MODULE_AVAILABLE : file == 0 && builtin == 0 ? MODULE_MISSING : MODULE_UNKNOWN;
}

const char *facts_module_name(enum module_state s)
{
	static const char *const names[] = { "not known", "loaded", "built in", "not loaded; its file is there",
					     "neither loaded nor there" };

	return names[s];
}

bool facts_has_line(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		if (strncmp(at, word, n) == 0 && (at[n] == '\n' || !at[n]))
			return true;
	return false;
}

/* Since Linux 6.17 legacy iptables hangs on an option of its own; before, on that of ip_tables. */
static bool built_without_legacy(struct doctor *d)
{
	const char *all = facts_config(d, "CONFIG_NETFILTER_XTABLES_LEGACY");
	const char *ip = all ? facts_config(d, "CONFIG_IP_NF_IPTABLES") : NULL;
	const char *own = all ? facts_config(d, "CONFIG_IP_NF_IPTABLES_LEGACY") : NULL;

	if (!all || all[0] == 'y')
		return false;
	return all[0] == 'n' || (ip[0] == '\0' && own[0] == '\0') || ip[0] == 'n';
}

/*
 * A kernel without modules has what it has: then the list of tables is there when legacy iptables is, and
 * which tables can be made is not known before one is.
 */
enum table_state facts_table(struct doctor *d, bool v6, const char *table)
{
	const char *names = facts_proc(d, v6 ? "net/ip6_tables_names" : "net/ip_tables_names");
	char module[64];

	if (names && facts_has_line(names, table))
		return TABLE_THERE;
	snprintf(module, sizeof(module), "%s_%s", v6 ? "ip6table" : "iptable", table);
	switch (facts_module(d, module)) {
	case MODULE_LOADED:
	case MODULE_BUILTIN:
		return TABLE_POSSIBLE;
	case MODULE_AVAILABLE:
		return TABLE_LOADABLE;
	case MODULE_MISSING:
		return TABLE_IMPOSSIBLE;
	case MODULE_UNKNOWN:
		break;
	}
	if (!names && built_without_legacy(d))
		return TABLE_IMPOSSIBLE;
	return !names && loaded(d, "ip_tables") < 0 && access("/proc/self", F_OK) == 0 ? TABLE_IMPOSSIBLE : TABLE_UNKNOWN;
}
