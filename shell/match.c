/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match - finds the command a word means: exact, else by unambiguous prefix */
#include "shell/match.h"

#include <stdio.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/base/near.h"

/* Other words for a command. */
static const struct {
	const char *word, *name;
} aliases[] = {
	{ "?", "help" },
	{ "exit", "quit" },
};

unsigned match_near(const char *a, const char *b)
{
	return near_distance(a, b);
}

/* The part of a name that is asked for: its first word, or what follows the group. */
static const char *part(const char *name, const char *group, char room[32])
{
	size_t n = group ? strlen(group) : 0;

	if (!group) {
		snprintf(room, 32, "%.*s", (int)strcspn(name, " "), name);
		return room;
	}
	if (strncmp(name, group, n) != 0 || name[n] != ' ')
		return NULL;
	return name + n + 1;
}

struct find {
	const struct command *first; /* of what matched */
	unsigned hits;
	bool exact;
	char hit[32];		     /* the word that matched */
	char near[32];
	struct buf candidates;
};

static void note_hit(struct find *f, const struct command *c, const char *name)
{
	if (f->hits && strcmp(f->hit, name) == 0)
		return; /* another sub-command of the same group */
	buf_fmt(&f->candidates, "%s%s", f->hits ? ", " : "", name);
	snprintf(f->hit, sizeof(f->hit), "%s", name);
	f->hits++;
	f->first = c;
}

static void find(const struct command *const *table, const char *group, const char *word, struct find *f)
{
	unsigned best = strlen(word) > 3 ? 3 : 2; /* a slip or two, not another word */
	size_t n = strlen(word);
	char room[32];

	for (; *table; table++) {
		const char *name = part((*table)->name, group, room);
		unsigned d;

		if (!name)
			continue;
		if (strcmp(name, word) == 0) {
			f->exact = true;
			f->hits = 0;
			buf_reset(&f->candidates);
			note_hit(f, *table, name);
			return;
		}
		if (n && strncmp(name, word, n) == 0)
			note_hit(f, *table, name);
		d = match_near(name, word);
		if (d < best) {
			best = d;
			snprintf(f->near, sizeof(f->near), "%s", name);
		}
	}
}

/* What other tools call it: kubectl, iptables, nft, iproute2, nsenter, istioctl. */
static const char *elsewhere(const char *word)
{
	static const struct {
		const char *word, *here;
	} words[] = {
		{ "get", "pods" },	     { "ps", "pods" },		   { "ls", "pods" },		{ "list", "tables" },
		{ "describe", "info" },	     { "rules", "tables" },	   { "iptables", "tables" },	{ "ip6tables", "tables" },
		{ "nft", "tables" },	     { "iptables-save", "save" },  { "ss", "sockets" },		{ "netstat", "sockets" },
		{ "lsof", "sockets" },	     { "conntrack", "conns" },	   { "nsenter", "exec" },	{ "run", "exec" },
		{ "analyze", "doctor" },     { "check", "doctor" },	   { "proxy-status", "doctor" }, { "lsmod", "doctor host" },
		{ "verify", "istio verify" }, { "apply", "istio apply" },  { "flush", "istio flush" },	{ "undo", "istio undo" },
		{ "show", "istio show" },    { "version", "--version" },   { "target", "use" },		{ "connect", "trace" },
		{ "cd", "use" },
	};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].here;
	return NULL;
}

static int complain(const struct find *f, const char *group, const char *word, struct err *e)
{
	char what[128];

	snprintf(what, sizeof(what), "%s%s%s", group ? group : "", group ? " " : "", word);
	if (f->hits > 1)
		return err_set(e, ERR_USAGE, what, "ambiguous: %s", buf_cstr(&f->candidates));
	err_set(e, ERR_USAGE, what, "unknown command");
	if (!group && elsewhere(word))
		return err_hint(e, "did you mean '%s'?", elsewhere(word));
	if (f->near[0])
		return err_hint(e, "did you mean '%s%s%s'?", group ? group : "", group ? " " : "", f->near);
	return err_hint(e, "'help' lists the commands");
}

static int full_word(const struct command *c, const char *word, struct err *e)
{
	err_set(e, ERR_USAGE, word, "changes something, so it needs its full word");
	return err_hint(e, "%s", c->name);
}

int match_first(const struct command *const *table, const char *word, struct match *ret, struct err *e)
{
	struct find f = { .candidates = BUF_INIT };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (strcmp(aliases[i].word, word) == 0)
			word = aliases[i].name;
	find(table, NULL, word, &f);
	if (f.hits != 1)
		r = complain(&f, NULL, word, e);
	else if (!strchr(f.first->name, ' ') && (f.first->flags & COMMAND_MUTATES) && !f.exact)
		r = full_word(f.first, word, e);
	buf_free(&f.candidates);
	if (r)
		return r;
	*ret = (struct match){ .exact = f.exact };
	if (strchr(f.first->name, ' '))
		snprintf(ret->group, sizeof(ret->group), "%s", f.hit);
	else
		ret->command = f.first;
	return 0;
}

/* All sub-commands of a group, for the message when none is named. */
static int need_sub(const struct command *const *table, const char *group, struct err *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	char room[32];

	for (; *table; table++) {
		const char *name = part((*table)->name, group, room);

		if (name)
			buf_fmt(&b, "%s%s", b.len ? ", " : "", name);
	}
	err_set(e, ERR_USAGE, group, "needs a sub-command: %s", buf_cstr(&b));
	return err_hint(e, "help %s", group);
}

int match_sub(const struct command *const *table, struct match *m, const char *word, struct err *e)
{
	struct find f = { .candidates = BUF_INIT };
	int r = 0;

	if (!word)
		return need_sub(table, m->group, e);
	find(table, m->group, word, &f);
	if (f.hits != 1)
		r = complain(&f, m->group, word, e);
	else if ((f.first->flags & COMMAND_MUTATES) && !(f.exact && m->exact))
		r = full_word(f.first, word, e);
	buf_free(&f.candidates);
	if (r == 0)
		m->command = f.first;
	return r;
}
