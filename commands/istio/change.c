/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change - what apply and flush share: show a change, ask, carry it out, say what was done */
#include "commands/istio/change.h"

#include <inttypes.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "commands/head.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/istio/undo.h"
#include "nsutil/xt/lock.h"

enum { LOCK_SECS = 30, LOCK_MOST = 3600 }; /* as Istio's own --wait=30 */

static int lock_secs(const char *text, unsigned *ret, struct err *e)
{
	char *end = NULL;
	unsigned long v = LOCK_SECS;

	if (text && (text[0] < '0' || text[0] > '9'))
		return err_set(e, ERR_USAGE, "--wait", "'%s' is no number of seconds", text);
	if (text)
		v = strtoul(text, &end, 10);
	if ((end && *end) || v > LOCK_MOST)
		return err_set(e, ERR_USAGE, "--wait", "'%s' is no number of seconds up to %d", text, LOCK_MOST);
	*ret = (unsigned)v;
	return 0;
}

static const char *op_name(enum istio_edit_op op)
{
	static const char *const names[] = { "new-chain", "delete-rule", "insert-rule", "flush-chain",
					     "delete-chain" };

	return names[op];
}

static enum out_style op_style(enum istio_edit_op op)
{
	return op == ISTIO_NEW_CHAIN || op == ISTIO_INSERT_RULE ? STYLE_ADD : STYLE_DEL;
}

static void put_edit(const struct istio_edits *edits, const struct istio_edit *edit, struct out *o)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	istio_edit_words(edit, &b);
	out_object(o, NULL);
	out_row(o);
	out_cell(o);
	out_str(o, "store", "%s", store_name(edits->store));
	out_cell(o);
	out_str(o, "family", "%s ", family_name(edits->family));
	out_str(o, "table", "%s", edit->table);
	out_cell(o);
	out_str(o, "op", NULL, op_name(edit->op));
	out_str(o, "chain", NULL, edit->chain);
	if (edit->position)
		out_uint(o, "position", NULL, edit->position);
	else
		out_null(o, "position");
	out_str(o, "rule", NULL, edit->text);
	out_style(o, op_style(edit->op));
	out_str(o, "words", "%s", buf_cstr(&b));
	out_style(o, STYLE_PLAIN);
	if (edit->op == ISTIO_DELETE_RULE)
		out_text(o, "   (%s)", edit->text);
	out_object_end(o);
}

static void put_native(const struct table *t, const char *op, const char *words, struct out *o)
{
	out_object(o, NULL);
	out_row(o);
	out_cell(o);
	out_str(o, "store", "%s", store_name(t->store));
	out_cell(o);
	out_str(o, "family", "%s ", family_name(t->family));
	out_str(o, "table", "%s", t->name);
	out_str(o, "op", NULL, op);
	out_null(o, "chain");
	out_null(o, "position");
	out_null(o, "rule");
	out_cell(o);
	out_style(o, strcmp(op, "make-table") == 0 ? STYLE_ADD : STYLE_DEL);
	out_str(o, "words", "%s", words);
	out_style(o, STYLE_PLAIN);
	out_object_end(o);
}

static void put_edits(const struct istio_change *c, struct out *o)
{
	static const struct out_column columns[] = { { .head = "STORE" }, { .head = "TABLE" }, { .head = "CHANGE" },
						     { .head = NULL } };

	if (c->n_edits > c->routing.n)
		out_table(o, columns);
	out_array(o, "edits");
	for (unsigned i = 0; i < c->n_parts; i++)
		for (unsigned k = 0; k < c->parts[i]->edits.n; k++)
			put_edit(&c->parts[i]->edits, &c->parts[i]->edits.at[k], o);
	for (unsigned i = 0; i < c->n_native; i++)
		put_native(c->native[i], "delete-table", "delete table", o);
	for (unsigned i = 0; i < c->n_made; i++)
		put_native(c->made[i]->table, "make-table", "make the table anew", o);
	out_array_end(o);
	if (c->n_edits > c->routing.n)
		out_table_end(o);
}

/* The six rules that stand meanwhile, as commands; the removal is the text's last part. */
static void guard_text(const struct istio_change *c, bool on, struct buf *b)
{
	for (unsigned v6 = 0; v6 < 2; v6++) {
		const struct istio_edits *edits = &c->guard.at[v6];

		if (!c->guard.on[v6])
			continue;
		buf_fmt(b, "# ip%stables-%s-restore --noflush: guardrails %s\n", v6 ? "6" : "",
			edits->store == STORE_LEGACY ? "legacy" : "nft", on ? "on" : "off");
		if (on)
			istio_edits_text(edits, b);
		else
			buf_str(b, "*filter\n");
		for (unsigned k = 0; !on && k < edits->n; k++)
			buf_fmt(b, "-D %s %s\n", edits->at[k].chain, edits->at[k].text);
		if (!on)
			buf_str(b, "COMMIT\n");
	}
}

static void put_guard(const struct istio_change *c, unsigned v6, struct out *o)
{
	const struct istio_edits *edits = &c->guard.at[v6];
	enum store store = c->guard.store[v6];
	const char *family = v6 ? "ip6" : "ip";

	out_object(o, NULL);
	out_text(o, "%s: ", v6 ? "IPv6" : "IPv4");
	if (c->guard.left[v6]) {
		out_null(o, "store");
		out_str(o, "family", NULL, family);
		out_text(o, "guardrails were left behind and drop all TCP and UDP; they are removed last\n");
	} else {
		out_text(o, "guardrails drop all TCP and UDP while the change is made, six rules in ");
		out_str(o, "store", "%s ", store_name(store));
		out_str(o, "family", "%s filter\n", family);
	}
	out_bool(o, "left_behind", NULL, c->guard.left[v6]);
	out_array(o, "rules");
	for (unsigned k = 0; c->guard.on[v6] && k < edits->n; k++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		istio_edit_words(&edits->at[k], &b);
		out_str(o, NULL, NULL, buf_cstr(&b));
	}
	out_array_end(o);
	out_object_end(o);
}

static void put_guards(const struct istio_change *c, struct out *o)
{
	if (c->n_edits && (c->guard.on[0] || c->guard.on[1] || c->guard.left[0] || c->guard.left[1]))
		out_nl(o);
	out_array(o, "guardrails");
	for (unsigned v6 = 0; c->n_edits && v6 < 2; v6++)
		if (c->guard.on[v6] || c->guard.left[v6])
			put_guard(c, v6, o);
	out_array_end(o);
}

/* The text that does the same with Istio's own tools. */
static void change_text(const struct istio_change *c, struct buf *b)
{
	guard_text(c, true, b);
	for (unsigned i = 0; i < c->n_parts; i++) {
		const struct istio_edits *edits = &c->parts[i]->edits;

		if (!edits->n)
			continue;
		buf_fmt(b, "# ip%stables-%s-restore --noflush\n", edits->family == NFPROTO_IPV6 ? "6" : "",
			edits->store == STORE_LEGACY ? "legacy" : "nft");
		istio_edits_text(edits, b);
	}
	for (unsigned i = 0; i < c->n_native; i++)
		buf_fmt(b, "# nft delete table %s %s\n", family_name(c->native[i]->family), c->native[i]->name);
	if (c->n_made)
		buf_str(b, "# nft -f -\n");
	for (unsigned i = 0; i < c->n_made; i++)
		istio_native_put(c->made[i], b);
	for (unsigned i = 0; i < c->routing.n; i++) {
		buf_str(b, "# ip ");
		istio_step_words(&c->routing.at[i].step, c->routing.at[i].add, b);
		buf_chr(b, '\n');
	}
	guard_text(c, false, b);
}

static void put_choice(const struct istio_change *c, bool ipv6, struct out *o)
{
	static const char *const keys[] = { "ip", "ip6" };

	out_object(o, "choice");
	for (unsigned v6 = 0; v6 < 2; v6++) {
		if (!(c->families & (1U << v6)) || (v6 && !ipv6)) {
			out_null(o, keys[v6]);
			continue;
		}
		out_object(o, keys[v6]);
		out_text(o, "%s: ", v6 ? "IPv6" : "IPv4");
		out_str(o, "store", "%s", store_name(c->choice[v6].store));
		out_str(o, "why", " (%s)", c->choice[v6].why);
		out_nl(o);
		out_object_end(o);
	}
	out_object_end(o);
}

/* Everything up to the question; a structured answer is finished by put_result(). */
static void put_plan(const struct istio_job *job, const struct istio_change *c, const struct istio_deed *deed,
		     struct out *o)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	out_begin(o, deed->schema);
	head_target(job->target, o);
	if (deed->expects) {
		istio_put_expected(job, o);
		put_choice(c, job->config->ipv6, o);
	}
	if (c->n_edits)
		out_nl(o);
	put_edits(c, o);
	if (c->n_edits > c->routing.n && c->routing.n)
		out_nl(o);
	istio_put_routing(&c->routing, false, o);
	put_guards(c, o);
	change_text(c, &b);
	out_str(o, "restore", NULL, buf_cstr(&b));
}

static void put_result(const struct istio_change *c, const struct istio_deed *deed, bool dry,
		       const char *undo, struct out *o)
{
	out_bool(o, "dry_run", NULL, dry);
	out_bool(o, "changed", NULL, !dry && c->n_edits);
	out_nl(o);
	if (!c->n_edits)
		out_text(o, "%s", deed->nothing);
	else if (dry)
		out_text(o, "%u change%s; nothing was done (%s).", c->n_edits, c->n_edits == 1 ? "" : "s",
			 deed->rehearse ? "rehearsal" : "dry run");
	else
		out_text(o, "%u change%s made.", c->n_edits, c->n_edits == 1 ? "" : "s");
	out_nl(o);
	out_str(o, "undo", NULL, undo);
	if (undo)
		out_text(o, "The former state is in %s\n", undo);
	out_end(o);
}

static bool changes_legacy(const struct istio_change *c)
{
	for (unsigned i = 0; i < c->n_parts; i++)
		if (c->parts[i]->edits.store == STORE_LEGACY && c->parts[i]->edits.n)
			return true;
	return false;
}

void istio_change_note_lock(const struct istio_change *c, unsigned wait, struct out *o)
{
	char who[64];

	if (changes_legacy(c) && xt_lock_holder(who, sizeof(who)))
		out_note(o, "the xtables lock is held by %s; waiting %u s for it at most", who, wait);
}

/* The former state is kept before the first change; a disk that is full must not keep a pod broken. */
static int carry_out(const struct istio_job *job, const struct istio_change *c, const struct istio_deed *deed,
		     unsigned wait, const char **undo, struct out *o, struct err *e)
{
	struct err trouble = ERR_INIT;

	istio_change_note_lock(c, wait, o);
	if (istio_undo_write(job->arena, &job->target->netns, c, deed->question, job->target->label, undo,
			     &trouble) < 0)
		out_note(o, "the former state is not kept: %s: %s", trouble.what, trouble.why);
	return istio_change_run(&job->target->netns, c, wait, e);
}

static int confirm(struct session *s, const struct istio_job *job, const struct istio_change *c,
		   const struct istio_deed *deed, struct err *e)
{
	char question[256];

	snprintf(question, sizeof(question), "%s: make %s%u change%s to %s?", deed->question,
		 c->n_edits == 1 ? "this " : "these ", c->n_edits, c->n_edits == 1 ? "" : "s", job->target->label);
	return session_confirm(s, question, e);
}

int istio_change_do(struct session *s, const struct istio_job *job, const struct istio_change *c,
		    const struct istio_deed *deed, struct out *o, struct err *e)
{
	bool dry = session_options(s)->dry_run || deed->rehearse, text = out_format(o) == OUT_SAVE;
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *undo = NULL;
	unsigned wait = 0;

	if (lock_secs(deed->wait, &wait, e) < 0)
		return -1;
	if (deed->rehearse && text)
		return err_set(e, ERR_USAGE, "--rehearse", "-o save is text for iptables-restore; a rehearsal is a table or JSON");
	if (!dry && job->target->kind == TARGET_FILE)
		return err_set(e, ERR_USAGE, deed->question, "%s is a file: only --dry-run can be done with it",
			       job->target->label);
	if (text) {
		change_text(c, &b);
		out_raw(o, buf_cstr(&b), b.len);
	} else {
		put_plan(job, c, deed, o);
		if (deed->expects)
			istio_put_notes(job->config, o);
		if (deed->rehearse && deed->rehearse(deed->arg, o, e) < 0)
			return -1;
		if (deed->expects && !deed->rehearse)
			out_null(o, "rehearsal");
	}
	if (!dry && c->n_edits && (confirm(s, job, c, deed, e) < 0 || carry_out(job, c, deed, wait, &undo, o, e) < 0))
		return -1;
	if (!text)
		put_result(c, deed, dry, undo, o);
	return 0;
}
