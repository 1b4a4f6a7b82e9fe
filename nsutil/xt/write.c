/* SPDX-License-Identifier: GPL-2.0-or-later */
/* write - changing legacy tables: several edits, one atomic commit per table, under the xtables lock */
#include "nsutil/xt/write.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/ruleset/text.h"
#include "nsutil/xt/blob.h"
#include "nsutil/xt/entry.h"
#include "nsutil/xt/iptc.h"
#include "nsutil/xt/lock.h"
#include "nsutil/xt/sets.h"
#include "nsutil/xt/xt.h"

#define COMMIT_ATTEMPTS 50
#define TRY_AGAIN	(-3)
#define CHAIN_NAME_MAX	28 /* of iptables: XT_EXTENSION_MAXNAMELEN less the NUL */

struct job {
	const struct netns *ns;
	const struct xt_edit *edits, *first; /* the first edit of the table at hand */
	size_t n;
	const struct ruleset *before;
	const struct iptc_calls *calls;
	struct xtc_handle *h;
	struct arena *arena;
	struct err *e;
};

static const char *op_text(enum xt_edit_op op)
{
	static const char *const names[] = { "create", "flush", "delete", "append to", "insert into",
					     "delete from", "set the policy of" };

	return names[op];
}

static bool same_table(const struct xt_edit *a, const struct xt_edit *b)
{
	return a->family == b->family && strcmp(a->table, b->table) == 0;
}

static int check_edit(const struct xt_edit *ed, struct err *e)
{
	bool rule = ed->op == XT_EDIT_APPEND_RULE || ed->op == XT_EDIT_INSERT_RULE;
	bool place = ed->op == XT_EDIT_DELETE_RULE || ed->op == XT_EDIT_INSERT_RULE;

	if ((ed->family != NFPROTO_IPV4 && ed->family != NFPROTO_IPV6) || !ed->table || !xt_table_hooks(ed->table))
		return err_set(e, ERR_USAGE, "edit", "'%s' is no legacy table", ed->table ? ed->table : "");
	if (!ed->chain || !*ed->chain || strlen(ed->chain) > CHAIN_NAME_MAX)
		return err_set(e, ERR_USAGE, "edit", "'%.40s' cannot be a chain's name", ed->chain ? ed->chain : "");
	if ((rule && !ed->rule) || (place && ed->position == 0))
		return err_set(e, ERR_USAGE, "edit", "the rule or its position is missing");
	return 0;
}

/* libiptc opens its socket here; what follows goes through that, from outside. */
static int open_table(void *arg, struct err *e)
{
	struct job *j = arg;
	const struct xt_edit *ed = j->first;

	j->h = j->calls->init(ed->table);
	if (j->h)
		return 0;
	if (errno == EPERM || errno == EACCES)
		return err_sys(e, errno, "cannot open the legacy %s table '%s' (CAP_NET_ADMIN)",
			       family_name(ed->family), ed->table);
	err_set(e, ERR_SYS, "cannot open the legacy table", "%s %s: %s", family_name(ed->family), ed->table,
		j->calls->strerror(errno));
	return err_hint(e, "the kernel may lack the module ip%stable_%s; modprobe it on the node",
			ed->family == NFPROTO_IPV6 ? "6" : "", ed->table);
}

static bool is_touched(const struct job *j, const char *chain)
{
	for (size_t i = 0; i < j->n; i++)
		if (same_table(&j->edits[i], j->first) && strcmp(j->edits[i].chain, chain) == 0)
			return true;
	return false;
}

/* What the edits lean on: the chains they name. An empty built-in chain is there or not, it says the same. */
static void touched_text(const struct job *j, const struct ruleset *rs, struct buf *b)
{
	const struct table *t = ruleset_find_table(rs, STORE_LEGACY, j->first->family, j->first->table);

	for (const struct chain *c = t ? t->chains : NULL; c; c = c->next) {
		if (!is_touched(j, c->name) || (c->base && !c->rules && c->policy == VERDICT_ACCEPT))
			continue;
		buf_fmt(b, ":%s %d\n", c->name, c->policy);
		for (const struct rule *r = c->rules; r; r = r->next) {
			buf_fmt(b, "-A %s", c->name);
			if (!rule_iptables(r, b))
				buf_str(b, "?");
			buf_chr(b, '\n');
		}
	}
}

/*
 * The last thing before the commit, so that who does not take the lock has little time left to come between. The
 * kernel itself refuses a commit only when the number of rules is another (xt_replace_table: EAGAIN): a rule
 * that such a program replaces by another one between this look and the commit is lost, with any tool.
 */
static int check_before(const struct job *j)
{
	_cleanup_ruleset_ struct ruleset *now = ruleset_new();
	_cleanup_buf_ struct buf old = BUF_INIT, new = BUF_INIT;
	const struct xt_edit *ed = j->first;

	if (!now)
		return err_oom(j->e);
	if (xt_read(j->ns, ed->family == NFPROTO_IPV6 ? 2 : 1, now, j->e) < 0)
		return -1;
	touched_text(j, j->before, &old);
	touched_text(j, now, &new);
	if (buf_failed(&old) || buf_failed(&new))
		return err_oom(j->e);
	if (old.len == new.len && (!old.len || strcmp(buf_cstr(&old), buf_cstr(&new)) == 0))
		return 0;
	err_clear(j->e);
	err_set(j->e, ERR_SYS, "cannot change the legacy table", "%s %s: its rules have changed meanwhile",
		family_name(ed->family), ed->table);
	return XT_COMMIT_CHANGED;
}

static int edit_rule(struct job *j, const struct xt_edit *ed)
{
	struct rule numbered = *ed->rule;
	const void *entry;

	if (xt_number_sets(j->ns, j->arena, &numbered, j->e) < 0 ||
	    xt_entry_make(j->arena, &numbered, &entry, j->e) < 0)
		return -1;
	if (ed->op == XT_EDIT_APPEND_RULE)
		return j->calls->append(ed->chain, entry, j->h);
	return j->calls->insert(ed->chain, entry, ed->position - 1, j->h);
}

/* As libiptc: 1 done, 0 failed with errno; -1: the error is set already. */
static int one_edit(struct job *j, const struct xt_edit *ed)
{
	switch (ed->op) {
	case XT_EDIT_NEW_CHAIN:
		return j->calls->is_chain(ed->chain, j->h) ? 1 : j->calls->create(ed->chain, j->h);
	case XT_EDIT_FLUSH_CHAIN: return j->calls->flush(ed->chain, j->h);
	case XT_EDIT_DELETE_CHAIN: return j->calls->remove(ed->chain, j->h);
	case XT_EDIT_DELETE_RULE: return j->calls->remove_at(ed->chain, ed->position - 1, j->h);
	case XT_EDIT_POLICY:
		return j->calls->policy(ed->chain, ed->policy == VERDICT_DROP ? "DROP" : "ACCEPT", j->h);
	default: return edit_rule(j, ed);
	}
}

static int apply_edits(struct job *j)
{
	for (size_t i = 0; i < j->n; i++) {
		const struct xt_edit *ed = &j->edits[i];
		int r;

		if (!same_table(ed, j->first))
			continue;
		r = one_edit(j, ed);
		if (r == 0)
			err_set(j->e, ERR_SYS, "cannot change the legacy table", "%s %s: %s %s: %s",
				family_name(ed->family), ed->table, op_text(ed->op), ed->chain,
				j->calls->strerror(errno));
		if (r <= 0)
			return -1;
	}
	return 0;
}

static int try_table(struct job *j)
{
	int r, checked;

	if (netns_call(j->ns, open_table, j, j->e) < 0)
		return -1;
	r = apply_edits(j);
	checked = j->before ? check_before(j) : 0; /* may also be why an edit failed */
	if (r == 0 || checked == XT_COMMIT_CHANGED)
		r = checked;
	if (r == 0 && !j->calls->commit(j->h))
		r = errno == EAGAIN ? TRY_AGAIN : err_set(j->e, ERR_SYS, "cannot change the legacy table",
							      "%s %s: %s", family_name(j->first->family),
							      j->first->table, j->calls->strerror(errno));
	j->calls->free(j->h);
	j->h = NULL;
	return r;
}

/* EAGAIN: the number of rules changed between reading and writing; read them again. */
static int commit_table(struct job *j)
{
	for (unsigned i = 0; i < COMMIT_ATTEMPTS; i++) {
		int r = try_table(j);

		if (r != TRY_AGAIN)
			return r;
	}
	return err_set(j->e, ERR_SYS, "cannot change the legacy table",
		       "%s %s: somebody else changed it each time, %d times", family_name(j->first->family),
		       j->first->table, COMMIT_ATTEMPTS);
}

static bool seen_before(const struct xt_edit *edits, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (same_table(&edits[i], &edits[at]))
			return true;
	return false;
}

int xt_commit(const struct netns *ns, const struct xt_edit *edits, size_t n, const struct ruleset *before,
	      unsigned lock_ms, unsigned *ret_done, struct err *e)
{
	struct job j = { .ns = ns, .edits = edits, .n = n, .before = before, .e = e };
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_close_ int lock = -1;

	if (!arena)
		return err_oom(e);
	for (size_t i = 0; i < n; i++)
		if (check_edit(&edits[i], e) < 0)
			return -1;
	if (n == 0)
		return 0;
	if (iptc_load(e) < 0)
		return -1;
	if (lock_ms != XT_LOCK_NOT_NEEDED && xt_lock(lock_ms, &lock, e) < 0)
		return -1;
	j.arena = arena;
	for (size_t i = 0; i < n; i++) {
		int r;

		if (seen_before(edits, i))
			continue;
		j.first = &edits[i];
		j.calls = iptc_calls_of(edits[i].family);
		r = commit_table(&j);
		if (r < 0)
			return r;
		if (ret_done)
			++*ret_done;
	}
	return 0;
}
