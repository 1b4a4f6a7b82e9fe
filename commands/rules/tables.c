/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tables - shows the rules of all stores side by side */
#include <linux/netfilter.h>
#include <string.h>
#include <strings.h>

#include "commands/command.h"
#include "commands/head.h"
#include "commands/rules/rules.h"
#include "nsutil/load.h"
#include "nsutil/pod/ipt.h"
#include "nsutil/ruleset/mislead.h"
#include "nsutil/ruleset/text.h"

extern const struct command command_tables;

static const uint8_t xt_families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };

static void put_warnings(const struct mislead *list, struct out *o)
{
	out_array(o, "warnings");
	for (; list; list = list->next) {
		out_object(o, NULL);
		out_str(o, "id", NULL, list->id);
		out_style(o, STYLE_WARN);
		out_str(o, "text", "! %s", list->text);
		out_style(o, STYLE_PLAIN);
		out_nl(o);
		out_object_end(o);
	}
	out_array_end(o);
}

static void put_unread(const struct ruleset *rs, struct out *o)
{
	out_array(o, "unread");
	for (const struct unread *u = rs->unread; u; u = u->next) {
		out_object(o, NULL);
		out_style(o, STYLE_BAD);
		out_str(o, "store", "! %s", store_name(u->store));
		if (u->family)
			out_str(o, "family", " %s", family_name(u->family));
		else
			out_null(o, "family");
		if (u->table)
			out_str(o, "table", " %s", u->table);
		else
			out_null(o, "table");
		out_str(o, "why", ": could not read: %s", u->why);
		out_style(o, STYLE_PLAIN);
		out_nl(o);
		out_object_end(o);
	}
	out_array_end(o);
}

/* The node's iptables, as a bundle has it. */
static void find_viewer(const struct target *t, struct arena *a, struct mislead_viewer *ret)
{
	struct bundle_about about;
	const struct bundle_iptables *ipt;
	bool legacy;

	if (load_about(t, a, &about, NULL) != 1 || !about.iptables)
		return;
	ipt = about.iptables;
	legacy = strcmp(ipt->variant, ipt_name(IPT_LEGACY)) == 0;
	if (!legacy && strcmp(ipt->variant, ipt_name(IPT_NFT)) != 0)
		return;
	ret->store = legacy ? STORE_LEGACY : STORE_COMPAT;
	ret->name = arena_printf(a, "`iptables` on this node (%s%s%s)", ipt->variant, ipt->version[0] ? " " : "", ipt->version);
}

/* The iptables that a person on the node would look with; found by reading, never run. */
static int find_warnings(const struct target *t, struct ruleset *rs, struct mislead **ret)
{
	struct mislead_viewer viewer = { NULL, STORE_COUNT };
	struct ipt_found ipt;

	if (t->kind == TARGET_FILE) { /* it may be of any other machine */
		find_viewer(t, rs->arena, &viewer);
		return mislead_find(rs->arena, &viewer, rs, ret);
	}
	ipt_find(t->host_root ? t->host_root : "/", &ipt);
	if (ipt.variant == IPT_LEGACY || ipt.variant == IPT_NFT) {
		viewer.store = ipt.variant == IPT_LEGACY ? STORE_LEGACY : STORE_COMPAT;
		viewer.name = arena_printf(rs->arena, "`iptables` %s (%s%s%s)",
					   t->kind == TARGET_SELF ? "here" : "on this node", ipt_name(ipt.variant),
					   ipt.version[0] ? " " : "", ipt.version);
	}
	return mislead_find(rs->arena, &viewer, rs, ret);
}

static bool has_table(const struct ruleset *rs, enum store store, uint8_t family)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		if (t->store == store && t->family == family)
			return true;
	return false;
}

struct saving {
	const struct rules_selection *sel;
	struct out *o;
};

static bool wanted_line(const struct rules_selection *sel, const char *line)
{
	if (*line != ':')
		return true;
	for (int i = 0; i < sel->n_chains; i++) {
		size_t n = strlen(sel->chains[i]);

		if (strncasecmp(line + 1, sel->chains[i], n) == 0 && line[1 + n] == ' ')
			return true;
	}
	return false;
}

/* iptables-save names every built-in chain of a table; with CHAINs asked for, only these. */
static void put_saved(void *arg, const char *text, size_t n)
{
	const struct saving *to = arg;
	const char *end = text + n, *next;

	if (!to->sel->n_chains) {
		out_raw(to->o, text, n);
		return;
	}
	for (; text < end; text = next) {
		next = strchrnul(text, '\n');
		next += *next == '\n';
		if (wanted_line(to->sel, text))
			out_raw(to->o, text, (size_t)(next - text));
	}
}

/* iptables-save text of each store and family that has tables; nothing in between when there is one. */
static void put_save(const struct rules_selection *sel, const struct ruleset *rs, struct out *o)
{
	struct saving to = { sel, o };
	struct buf b _cleanup_buf_ = { .spill = put_saved, .spill_arg = &to };

	for (unsigned s = STORE_LEGACY; s <= STORE_COMPAT; s++)
		for (unsigned f = 0; f < 2; f++) {
			if (!has_table(rs, (enum store)s, xt_families[f]))
				continue;
			buf_fmt(&b, "# cnish: %s %s\n", store_name((enum store)s), family_name(xt_families[f]));
			ruleset_save(rs, (enum store)s, xt_families[f], sel->table, sel->counters, &b);
			buf_spill(&b, 0);
		}
}

static void put_text(void *arg, const char *text, size_t n)
{
	out_raw(arg, text, n);
}

static void put_nft(const struct rules_selection *sel, const struct ruleset *rs, struct out *o)
{
	struct buf b _cleanup_buf_ = { .spill = put_text, .spill_arg = o };

	for (const struct table *t = rs->tables; t; t = t->next) {
		if (t->store == STORE_LEGACY)
			buf_str(&b, "# legacy\n");
		table_nft(t, sel->counters, &b);
		buf_spill(&b, 0);
	}
}

static void put_nothing(const struct rules_selection *sel, const struct ruleset *rs, struct out *o)
{
	if (rs->tables || rs->unread)
		return;
	out_style(o, STYLE_DIM);
	out_text(o, "no tables%s", !sel->all_stores || rs->legacy_v4 || rs->legacy_v6 ? ""
				   : "; this kernel has no legacy iptables, and nftables is empty");
	out_style(o, STYLE_PLAIN);
	out_nl(o);
}

static int put_view(const struct rules_selection *sel, const struct target *t, struct ruleset *rs,
		    const struct mislead *warnings, struct out *o, struct err *e)
{
	struct table_group *groups;
	unsigned n;

	out_begin(o, "tables");
	head_target(t, o);
	put_warnings(warnings, o);
	put_unread(rs, o);
	if (out_structured(o)) {
		if (sel->sets && tables_sets(sel, t, rs, o, e) != 0)
			return -1;
		tables_json(rs, o);
	} else {
		if (group_tables(rs->arena, rs, &groups, &n) != 0)
			return err_oom(e);
		tables_text(sel, rs->arena, groups, n, o);
		put_nothing(sel, rs, o);
		if (sel->sets && tables_sets(sel, t, rs, o, e) != 0)
			return -1;
	}
	out_end(o);
	return 0;
}

static int run_tables(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	struct ruleset *rs _cleanup_ruleset_ = NULL;
	struct rules_selection sel;
	struct mislead *warnings = NULL;
	struct target *t;

	if (rules_select(&command_tables, args, &sel, e) != 0 || session_target(s, &t, e) != 0)
		return -1;
	sel.chains = args->argv;
	sel.n_chains = args->argc;
	sel.counters = sel.bytes = command_opt(&command_tables, args, "counters");
	sel.sets = command_opt(&command_tables, args, "sets");
	if (load_ruleset(t, sel.load | (out_format(o) == OUT_SAVE ? LOAD_TEXT : 0), &rs, e) != 0)
		return -1;
	/* what misleads can be said only of all stores, and before some of it is cut away */
	if (sel.all_stores && !(out_format(o) & (OUT_SAVE | OUT_NFT)) &&
	    find_warnings(t, rs, &warnings) != 0)
		return err_oom(e);
	if (rules_prune(&sel, rs, e) != 0)
		return -1;
	switch (out_format(o)) {
	case OUT_SAVE:
		put_save(&sel, rs, o);
		return 0;
	case OUT_NFT:
		put_nft(&sel, rs, o);
		return 0;
	default:
		return put_view(&sel, t, rs, warnings, o, e);
	}
}

static const struct command_option options[] = {
	RULES_OPTIONS,
	{ "counters", 0, ARG_NONE, NULL, NULL, "bytes as well as packets; counter values in -o save and -o nft" },
	{ "sets", 0, ARG_NONE, NULL, NULL, "members of the ipsets that rules name, and of named nft sets" },
	{ .name = NULL },
};

const struct command command_tables = {
	.name = "tables",
	.summary = "the rules of all stores, side by side",
	.operands = "[CHAIN...]",
	.operand_kind = ARG_CHAIN,
	.max_args = -1,
	.options = options,
	.formats = OUT_WIDE | OUT_JSONL | OUT_SAVE | OUT_NFT,
	.flags = COMMAND_REPEAT,
	.description =
		"The stores are legacy (xtables), compat (what iptables-nft writes) and native nftables. Rules that\n"
		"mean the same stand on one line: = is the same rule, · one that this store lacks, – a chain it does\n"
		"not have. Rule numbers count as in iptables -L --line-numbers. Where the terminal is too narrow,\n"
		"the stores follow one below the other. CHAIN, in any case of letters, shows these chains only.\n"
		"\n"
		"-o save gives what iptables-save prints, -o nft what nft list ruleset prints, -o wide the handles and\n"
		"both texts. Nothing is changed by looking: a legacy table that does not exist is not created.",
	.examples = (const char *const[]){ "tables", "tables --table nat", "tables --store legacy -o save",
					   "tables -4 ISTIO_OUTPUT", "tables --sets", "-t shop/cart tables -o json", NULL },
	.run = run_tables,
};
