/* SPDX-License-Identifier: GPL-2.0-or-later */
/* save - writes the rules to a file that the peers' restore commands read */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/head.h"
#include "commands/rules/rules.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/base/file.h"
#include "nsutil/load.h"
#include "nsutil/ruleset/text.h"

extern const struct command command_save;

/* One file: what one restore command reads. */
struct part {
	enum store store;
	uint8_t family; /* of xt stores; 0: nft text with all families */
	struct buf text;
	unsigned tables, rules;
	char path[4096];
};

#define MAX_PARTS 5

static void parts_free(struct part (*p)[MAX_PARTS])
{
	for (unsigned i = 0; i < MAX_PARTS; i++)
		buf_free(&(*p)[i].text);
}

static bool belongs(const struct part *p, const struct table *t)
{
	return t->store == p->store && (!p->family || t->family == p->family);
}

static void fill(struct part *p, const struct rules_selection *sel, const struct ruleset *rs)
{
	for (const struct table *t = rs->tables; t; t = t->next) {
		if (!belongs(p, t))
			continue;
		p->tables++;
		for (const struct chain *c = t->chains; c; c = c->next)
			p->rules += c->n_rules;
		if (!p->family)
			table_nft(t, sel->counters, &p->text);
	}
	if (p->family && p->tables)
		ruleset_save(rs, p->store, p->family, sel->table, sel->counters, &p->text);
}

/* With -o nft every store goes into nft text; else the xt stores are iptables-save text. */
static unsigned make_parts(const struct rules_selection *sel, const struct ruleset *rs, bool as_nft,
			   struct part parts[MAX_PARTS])
{
	static const struct { enum store store; uint8_t family; } kinds[MAX_PARTS] = {
		{ STORE_LEGACY, NFPROTO_IPV4 }, { STORE_LEGACY, NFPROTO_IPV6 }, { STORE_COMPAT, NFPROTO_IPV4 },
		{ STORE_COMPAT, NFPROTO_IPV6 }, { STORE_NATIVE, 0 },
	};
	unsigned n = 0;

	for (unsigned i = 0; i < MAX_PARTS; i++) {
		parts[n].store = kinds[i].store;
		parts[n].family = as_nft ? 0 : kinds[i].family;
		if (as_nft && kinds[i].family == NFPROTO_IPV6)
			continue;
		fill(&parts[n], sel, rs);
		if (parts[n].tables)
			n++;
	}
	return n;
}

static int name_parts(struct part *parts, unsigned n, const char *file, struct err *e)
{
	for (unsigned i = 0; i < n; i++) {
		struct part *p = &parts[i];
		bool one = n == 1 || !*file || strcmp(file, "-") == 0; /* what is no name will be refused as it is */
		int len = one ? snprintf(p->path, sizeof(p->path), "%s", file)
				 : snprintf(p->path, sizeof(p->path), "%s.%s%s%s", file, store_name(p->store),
					    p->family ? "." : "", p->family ? family_name(p->family) : "");

		if (len < 0 || len >= (int)sizeof(p->path) - 16)
			return err_set(e, ERR_USAGE, "save", "the file name is too long");
	}
	return 0;
}

static int write_part(const struct part *p, struct err *e)
{
	if (buf_failed(&p->text))
		return err_oom(e);
	return file_put(p->path, 0600, buf_cstr(&p->text), p->text.len, e);
}

static void put_parts(const struct part *parts, unsigned n, const struct target *t, bool dry_run, struct out *o)
{
	out_begin(o, "save");
	head_target(t, o);
	out_bool(o, "dry_run", NULL, dry_run);
	out_array(o, "files");
	for (unsigned i = 0; i < n; i++) {
		const struct part *p = &parts[i];

		out_object(o, NULL);
		out_str(o, "path", dry_run ? "would write %s" : "%s", p->path);
		out_str(o, "store", "  %s", store_name(p->store));
		if (p->family)
			out_str(o, "family", " %s", family_name(p->family));
		else
			out_null(o, "family");
		out_str(o, "format", NULL, p->family ? "iptables-save" : "nft");
		out_uint(o, "tables", "  %" PRIu64 " tables", p->tables);
		out_uint(o, "rules", ", %" PRIu64 " rules", p->rules);
		out_uint(o, "bytes", NULL, p->text.len);
		out_nl(o);
		out_object_end(o);
	}
	out_array_end(o);
	out_end(o);
}

static int run_save(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	struct part parts[MAX_PARTS] _cleanup_(parts_free) = { { .store = STORE_LEGACY } };
	struct ruleset *rs _cleanup_ruleset_ = NULL;
	bool dry_run = session_options(s)->dry_run;
	struct rules_selection sel;
	struct target *t;
	unsigned n;

	if (rules_select(&command_save, args, &sel, e) != 0 || session_target(s, &t, e) != 0 ||
	    load_ruleset(t, sel.load, &rs, e) != 0 || rules_prune(&sel, rs, e) != 0)
		return -1;
	sel.counters = command_opt(&command_save, args, "counters");
	if (rs->unread)
		return err_set(e, ERR_SYS, "save", "the %s store could not be read: %s",
			       store_name(rs->unread->store), rs->unread->why);
	n = make_parts(&sel, rs, command_opt(&command_save, args, "nft"), parts);
	if (n == 0)
		return err_set(e, ERR_SYS, "save", "%s has no rules to save", t->label);
	if (name_parts(parts, n, args->argv[0], e) != 0)
		return -1;
	for (unsigned i = 0; i < n && !dry_run; i++)
		if (write_part(&parts[i], e) != 0)
			return -1;
	put_parts(parts, n, t, dry_run, o);
	return 0;
}

static const struct command_option options[] = {
	RULES_OPTIONS,
	{ "counters", 0, ARG_NONE, NULL, NULL, "counter values as well" },
	{ "nft", 0, ARG_NONE, NULL, NULL, "nft text for all stores, not only for native tables" },
	{ .name = NULL },
};

const struct command command_save = {
	.name = "save",
	.summary = "write the rules to a file, as iptables-save or nft text",
	.operands = "FILE",
	.operand_kind = ARG_FILE,
	.min_args = 1,
	.max_args = 1,
	.options = options,
	.description =
		"Each store and family has a restore command of its own: iptables-restore and ip6tables-restore for\n"
		"the legacy and the compat store, nft -f for native tables. So FILE is written as it is named when\n"
		"there is one of them, and as FILE.legacy.ip, FILE.compat.ip6, FILE.native and so on when there are\n"
		"several. A file appears complete or not at all, readable by its owner only.",
	.examples = (const char *const[]){ "save rules.save", "save --store legacy -4 rules.v4",
					   "save --nft rules.nft", NULL },
	.run = run_save,
};
