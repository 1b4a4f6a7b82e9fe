/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff - what differs between the stores of a target, or between two targets, by meaning */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "commands/head.h"
#include "commands/rules/diff_alike.h"
#include "commands/rules/rules.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/load.h"
#include "nsutil/ruleset/canon.h"
#include "nsutil/ruleset/diff.h"
#include "nsutil/ruleset/text.h"

extern const struct command command_diff;

/* Both sides, and whatever of them has to be given back. */
struct sides {
	struct target *left, *right; /* the same when stores are compared */
	struct target *own_left, *own_right;
	struct ruleset *left_rs, *right_rs, *own_right_rs;
	unsigned left_stores, right_stores;
	const char *left_name, *right_name;
};

static void sides_free(struct sides *s)
{
	ruleset_free(s->left_rs);
	ruleset_free(s->own_right_rs);
	target_free(s->own_left);
	target_free(s->own_right);
}

static int open_targets(struct session *s, const struct command_args *args, struct sides *sd, struct err *e)
{
	if (args->argc == 2) {
		if (session_open_target(s, args->argv[0], &sd->own_left, e) != 0)
			return -1;
		sd->left = sd->own_left;
	} else if (session_target(s, &sd->left, e) != 0) {
		return -1;
	}
	sd->right = sd->left;
	if (args->argc == 0)
		return 0;
	if (session_open_target(s, args->argv[args->argc - 1], &sd->own_right, e) != 0)
		return -1;
	sd->right = sd->own_right;
	return 0;
}

static int load_sides(const struct rules_selection *sel, struct sides *sd, struct err *e)
{
	if (load_ruleset(sd->left, sel->load, &sd->left_rs, e) != 0)
		return err_wrap(e, "%s", sd->left->label);
	if (sd->right == sd->left) {
		sd->right_rs = sd->left_rs;
		return 0;
	}
	if (load_ruleset(sd->right, sel->load, &sd->own_right_rs, e) != 0)
		return err_wrap(e, "%s", sd->right->label);
	sd->right_rs = sd->own_right_rs;
	return 0;
}

/* A difference that could be seen only in what was not read must not pass for equality. */
static int all_was_read(const struct sides *sd, struct err *e)
{
	const struct ruleset *both[] = { sd->left_rs, sd->right_rs };

	for (unsigned i = 0; i < 2; i++)
		if (both[i]->unread)
			return err_set(e, ERR_SYS, i ? sd->right->label : sd->left->label,
				       "the %s store could not be read: %s", store_name(both[i]->unread->store),
				       both[i]->unread->why);
	return 0;
}

/* Between stores: the first of those asked for and the next; legacy and compat by default. */
static int choose_stores(const struct rules_selection *sel, struct sides *sd, struct err *e)
{
	unsigned stores = sel->all_stores ? LOAD_LEGACY | LOAD_COMPAT : sel->stores;

	sd->left_stores = sd->right_stores = sel->stores;
	sd->left_name = sd->left->label;
	sd->right_name = sd->right->label;
	if (sd->left != sd->right)
		return 0;
	if (__builtin_popcount(stores) != 2)
		return err_set(e, ERR_USAGE, "--store", "two stores are needed to compare");
	sd->left_stores = stores & -stores;
	sd->right_stores = stores & ~sd->left_stores;
	sd->left_name = store_name((enum store)__builtin_ctz(sd->left_stores));
	sd->right_name = store_name((enum store)__builtin_ctz(sd->right_stores));
	return 0;
}

static const struct table *any_table(const struct diff_entry *d)
{
	return d->left_table ? d->left_table : d->right_table;
}

static const char *chain_name(const struct diff_entry *d)
{
	return d->left_chain ? d->left_chain->name : d->right_chain ? d->right_chain->name : NULL;
}

static void put_base_side(const char *key, const struct chain *c, struct out *o)
{
	if (!c || !c->base) {
		out_null(o, key);
		return;
	}
	out_object(o, key);
	out_str(o, "type", NULL, c->type);
	out_str(o, "hook", NULL, hook_name(c->table->family, c->hook));
	out_int(o, "priority", NULL, c->priority);
	out_str(o, "policy", NULL, verdict_name(c->policy));
	out_object_end(o);
}

static void put_rule_side(const char *key, const struct rule *r, const struct diff_alike *alike, struct out *o)
{
	struct buf b _cleanup_buf_ = BUF_INIT;
	const struct diff_form *f;

	if (!r) {
		out_null(o, key);
		return;
	}
	rules_text(r, &b);
	out_object(o, key);
	out_str(o, "store", NULL, store_name(r->chain->table->store));
	out_uint(o, "index", NULL, r->index);
	out_uint(o, "handle", NULL, r->handle);
	out_str(o, "text", NULL, buf_cstr(&b));
	f = diff_form(alike, r);
	out_str(o, "form", NULL, f ? f->text : NULL);
	out_object_end(o);
}

static void put_json(const struct diff_entry *d, const struct diff_alike *alike, struct out *o)
{
	const struct set *set = d->left_set ? d->left_set : d->right_set;
	bool rule = d->left || d->right, chain = chain_name(d) && !rule;

	out_object(o, NULL);
	out_str(o, "kind", NULL, diff_kind_name(d->kind));
	out_str(o, "what", NULL, rule ? "rule" : set ? "set" : chain ? "chain" : "table");
	out_str(o, "left_store", NULL, d->left_table ? store_name(d->left_table->store) : NULL);
	out_str(o, "right_store", NULL, d->right_table ? store_name(d->right_table->store) : NULL);
	out_str(o, "family", NULL, family_name(any_table(d)->family));
	out_str(o, "table", NULL, any_table(d)->name);
	out_str(o, "chain", NULL, chain_name(d));
	out_str(o, "set", NULL, set ? set->name : NULL);
	if (chain) {
		put_base_side("left", d->left_chain, o);
		put_base_side("right", d->right_chain, o);
	} else {
		put_rule_side("left", d->left, alike, o);
		put_rule_side("right", d->right, alike, o);
	}
	out_object_end(o);
}

/* "ip nat OUTPUT" once above its differences. */
static void put_place(const struct diff_entry *d, const struct diff_entry *last, struct out *o)
{
	const char *chain = chain_name(d), *before = last ? chain_name(last) : NULL;

	if (last && any_table(last)->family == any_table(d)->family &&
	    strcmp(any_table(last)->name, any_table(d)->name) == 0 && !chain == !before &&
	    (!chain || strcmp(chain, before) == 0))
		return;
	out_style(o, STYLE_NAME);
	out_text(o, "%s %s", family_name(any_table(d)->family), any_table(d)->name);
	if (chain)
		out_text(o, " %s", chain);
	out_style(o, STYLE_PLAIN);
	out_nl(o);
}

static void put_line(char mark, enum out_style style, const struct rule *r, const char *tail, struct out *o)
{
	struct buf b _cleanup_buf_ = BUF_INIT;

	rules_text(r, &b);
	out_style(o, style);
	out_text(o, "%c %3" PRIu32 "  %s%s", mark, r->index, buf_cstr(&b), tail);
	out_style(o, STYLE_PLAIN);
	out_nl(o);
}

/* Of a rule that reads like one of the other side: what it is below. */
static void put_form(const struct rule *r, const struct diff_alike *alike, struct out *o)
{
	const struct diff_form *f = diff_form(alike, r);

	if (!f)
		return;
	out_style(o, STYLE_DIM);
	out_text(o, "       %s %s", f->nft ? "nft:" : "compared as:", f->text);
	out_style(o, STYLE_PLAIN);
	out_nl(o);
}

static void put_rules(const struct diff_entry *d, const struct diff_alike *alike, struct out *o)
{
	char tail[48] = "";

	if (d->kind == DIFF_MOVED) {
		snprintf(tail, sizeof(tail), "  (moved to %" PRIu32 ")", d->right->index);
		put_line('~', STYLE_WARN, d->left, tail, o);
		return;
	}
	if (d->left) {
		put_line('-', STYLE_DEL, d->left, "", o);
		put_form(d->left, alike, o);
	}
	if (d->right) {
		put_line('+', STYLE_ADD, d->right, "", o);
		put_form(d->right, alike, o);
	}
}

static void put_chain_line(char mark, enum out_style style, const struct chain *c, struct out *o)
{
	out_style(o, style);
	if (c->base)
		out_text(o, "%c      hook %s, prio %d, %s", mark, hook_name(c->table->family, c->hook), c->priority,
			 verdict_name(c->policy));
	else
		out_text(o, "%c      chain", mark);
	out_style(o, STYLE_PLAIN);
	out_nl(o);
}

static void put_text(const struct diff_entry *d, const struct diff_entry *last, const struct diff_alike *alike,
		     struct out *o)
{
	put_place(d, last, o);
	if (d->left || d->right) {
		put_rules(d, alike, o);
	} else if (d->left_set || d->right_set) {
		out_text(o, "%s set %s", d->kind == DIFF_CHANGED ? "~" : d->left_set ? "-" : "+",
			 d->left_set ? d->left_set->name : d->right_set->name);
		out_nl(o);
	} else if (chain_name(d)) {
		if (d->left_chain)
			put_chain_line('-', STYLE_DEL, d->left_chain, o);
		if (d->right_chain)
			put_chain_line('+', STYLE_ADD, d->right_chain, o);
	} else if (d->kind == DIFF_STORE) {
		out_text(o, "~      %s on the left, %s on the right", store_name(d->left_table->store),
			 store_name(d->right_table->store));
		out_nl(o);
	} else {
		out_text(o, "%c      table", d->left_table ? '-' : '+');
		out_nl(o);
	}
}

static void put_summary(const struct diff *d, const struct sides *sd, struct out *o)
{
	out_object(o, "counts");
	out_uint(o, "same", NULL, d->same_rules);
	for (unsigned k = 0; k <= DIFF_STORE; k++)
		out_uint(o, diff_kind_name((enum diff_kind)k), NULL, d->n_kind[k]);
	out_uint(o, "left_rules", NULL, d->left_rules);
	out_uint(o, "right_rules", NULL, d->right_rules);
	out_object_end(o);
	out_bool(o, "equal", NULL, d->n == 0);
	out_text(o, "%s: %u rule%s, %s: %u, the same in both: %u", sd->left_name, d->left_rules,
		 d->left_rules == 1 ? "" : "s", sd->right_name, d->right_rules, d->same_rules);
	out_nl(o);
}

static void put_diff(const struct diff *d, const struct diff_alike *alike, const struct sides *sd, struct out *o)
{
	const struct diff_entry *last = NULL;

	out_begin(o, "diff");
	head_target(sd->left, o);
	if (sd->right != sd->left) {
		out_str(o, "other", NULL, sd->right->label);
	} else {
		out_null(o, "other");
	}
	out_object(o, "compared");
	out_str(o, "left", NULL, sd->left_name);
	out_str(o, "right", NULL, sd->right_name);
	out_object_end(o);
	if (d->n) {
		out_style(o, STYLE_DIM);
		out_text(o, "- only in %s   + only in %s   ~ elsewhere", sd->left_name, sd->right_name);
		out_style(o, STYLE_PLAIN);
		out_nl(o);
	}
	out_stream(o, "differences");
	for (const struct diff_entry *it = d->entries; it; it = it->next) {
		if (out_structured(o))
			put_json(it, alike, o);
		else
			put_text(it, last, alike, o);
		last = it;
	}
	out_stream_end(o);
	put_summary(d, sd, o);
	out_end(o);
}

static int compare(const struct rules_selection *sel, struct sides *sd, struct out *o, struct err *e)
{
	struct arena *a _cleanup_arena_ = arena_new();
	struct diff_side left = { sd->left_rs, sd->left_stores }, right = { sd->right_rs, sd->right_stores };
	struct diff_alike alike;
	struct diff d;

	if (!a || diff_rulesets(a, &left, &right, sel->table, &d) != 0 || diff_alike(a, &d, &alike) != 0)
		return err_oom(e);
	put_diff(&d, &alike, sd, o);
	return d.n != 0;
}

static int run_diff(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	struct sides sd _cleanup_(sides_free) = { .left = NULL };
	struct rules_selection sel;

	if (rules_select(&command_diff, args, &sel, e) != 0 || open_targets(s, args, &sd, e) != 0 ||
	    choose_stores(&sel, &sd, e) != 0 || load_sides(&sel, &sd, e) != 0 || all_was_read(&sd, e) != 0)
		return -1;
	return compare(&sel, &sd, o, e);
}

static const struct command_option options[] = {
	RULES_OPTIONS,
	{ .name = NULL },
};

const struct command command_diff = {
	.name = "diff",
	.summary = "rules that differ between the stores, or between two targets",
	.operands = "[A [B]]",
	.operand_kind = ARG_TARGET,
	.max_args = 2,
	.options = options,
	.formats = OUT_JSONL,
	.flags = COMMAND_REPEAT,
	.description =
		"Without operands the legacy and the compat store of the current target are compared, or the two\n"
		"that --store names; with A, the current target and A; with A and B, these two, each store with its\n"
		"like. Rules are compared by meaning: an xt match and its native form, /32 or none, another order of\n"
		"conditions make no difference, nor do counters, comments and handles. The order of rules does.\n"
		"\n"
		"The exit status is 0 when nothing differs and 1 when something does.",
	.examples = (const char *const[]){ "diff", "diff --table nat", "diff shop/cart shop/checkout",
					   "-t shop/cart diff file:before.save", NULL },
	.run = run_diff,
};
