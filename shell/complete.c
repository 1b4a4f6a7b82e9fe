/* SPDX-License-Identifier: GPL-2.0-or-later */
/* complete - what may stand next on a line: commands, options, targets, tables, settings */
#include "shell/complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "nsutil/base/cleanup.h"
#include "shell/match.h"
#include "shell/state.h"

/* What the words in front of the one being typed have settled. */
struct context {
	struct match match;
	bool group;				/* a sub-command must follow */
	const struct command_option *pending;	/* its argument must follow */
	bool raw;				/* behind "--", or a program's own words */
	int operands;
	struct complete_connection conn;
	const char *globals[GLOBAL_COUNT];	/* -t and the like, of this line */
};

void complete_add_help(struct offer *o, const char *word, const char *help)
{
	struct complete *c = o->c;
	const char **helps;
	char **more;

	if ((o->any_case ? strncasecmp : strncmp)(word, o->prefix, strlen(o->prefix)) != 0)
		return;
	more = reallocarray(c->words, c->n + 1, sizeof(*more));
	if (!more)
		return;
	c->words = more;
	helps = reallocarray(c->help, c->n + 1, sizeof(*helps));
	if (!helps)
		return;
	c->help = helps;
	helps[c->n] = help;
	if (asprintf(&more[c->n], "%s%s", o->lead, word) >= 0)
		c->n++;
}

void complete_add(struct offer *o, const char *word)
{
	complete_add_help(o, word, NULL);
}

void complete_list(struct offer *o, const char *const *words)
{
	for (; words && *words; words++)
		complete_add(o, *words);
}

static const struct command_option *find_in(const struct command_option *list, const char *word)
{
	size_t n = strcspn(word, "=");

	for (; list && list->name; list++) {
		if (word[1] != '-' && list->letter == word[strlen(word) - 1])
			return list;
		if (word[1] == '-' && strlen(list->name) == n - 2 && strncmp(list->name, word + 2, n - 2) == 0)
			return list;
	}
	return NULL;
}

static const struct command_option *find_option(const struct context *c, const char *word)
{
	const struct command_option *o = NULL;

	if (c->match.command)
		o = find_in(c->match.command->options, word);
	return o ? o : find_in(command_globals, word);
}

static void read_operand(struct context *c, const char *word)
{
	const struct command *cmd = c->match.command;

	if (!cmd && !c->group) {
		if (match_first(command_table, word, &c->match, NULL) == 0)
			c->group = !c->match.command;
		else
			c->raw = true;
		return;
	}
	if (!cmd) {
		c->group = match_sub(command_table, &c->match, word, NULL) != 0;
		return;
	}
	/* "watch COMMAND": the words behind are a line of their own. */
	if ((cmd->flags & COMMAND_RAW) && cmd->operand_kind == ARG_COMMAND) {
		memset(c, 0, sizeof(*c));
		read_operand(c, word);
		return;
	}
	c->operands++;
	if (cmd->operand_kind == ARG_CONNECTION)
		complete_connection_word(&c->conn, word);
	c->raw = c->raw || (cmd->flags & COMMAND_RAW);
}

/* The target that the line names is the one whose rules are offered. */
static void note_global(struct context *c, const struct command_option *o, const char *value)
{
	for (int i = 0; i < GLOBAL_COUNT; i++)
		if (o == &command_globals[i] && (i == GLOBAL_TARGET || i == GLOBAL_NAMESPACE || i == GLOBAL_HOST_ROOT ||
						 i == GLOBAL_RUNTIME))
			c->globals[i] = value;
}

static void read_word(struct context *c, const char *word)
{
	const struct command_option *o;

	if (c->pending) {
		note_global(c, c->pending, word);
		c->pending = NULL;
		return;
	}
	if (c->raw || word[0] != '-' || !word[1] || strcmp(word, "->") == 0) {
		read_operand(c, word);
		return;
	}
	if (strcmp(word, "--") == 0) {
		c->raw = true;
		return;
	}
	o = find_option(c, word);
	if (o && o->arg != ARG_NONE && !(word[1] == '-' && strchr(word, '=')))
		c->pending = o;
	else if (o && o->arg != ARG_NONE)
		note_global(c, o, strchr(word, '=') + 1);
}

/* First words of commands, or what follows a group. */
static void offer_commands(struct offer *o, const char *group)
{
	size_t n = group ? strlen(group) : 0;
	char name[64];

	for (const struct command *const *c = command_table; *c; c++) {
		const char *full = (*c)->name;

		if (group && (strncmp(full, group, n) != 0 || full[n] != ' '))
			continue;
		snprintf(name, sizeof(name), "%s", group ? full + n + 1 : full);
		name[strcspn(name, " ")] = '\0';
		complete_add_help(o, name, !group && strchr(full, ' ') ? "a group of commands" : (*c)->summary);
	}
}

static void offer_options(struct offer *o, const struct command_option *list, unsigned n)
{
	char name[64];

	for (unsigned i = 0; i < n && list && list[i].name; i++) {
		snprintf(name, sizeof(name), "--%s", list[i].name);
		complete_add_help(o, name, list[i].help);
	}
}

/* "legacy,com": the list goes on behind its last comma. */
static void offer_store_list(struct offer *o)
{
	static const char *const stores[] = { "legacy", "compat", "native", NULL };
	const char *comma = strrchr(o->prefix, ',');
	char lead[128];

	if (!comma) {
		complete_list(o, stores);
		return;
	}
	snprintf(lead, sizeof(lead), "%s%.*s", o->lead, (int)(comma + 1 - o->prefix), o->prefix);
	complete_list(&(struct offer){ .c = o->c, .prefix = comma + 1, .lead = lead }, stores);
	o->c->no_space = true;
}

static void offer_kind(struct session *s, struct offer *o, enum arg_kind kind, const char *const *choices,
		       const struct complete_connection *conn)
{
	switch (kind) {
	case ARG_TARGET: complete_targets(s, o); break;
	case ARG_TABLE: complete_tables(s, o); break;
	case ARG_CHAIN: complete_chains(s, o); break;
	case ARG_INTERFACE: complete_interfaces(s, o); break;
	case ARG_STORES: offer_store_list(o); break;
	case ARG_STORE: complete_list(o, (const char *const[]){ "legacy", "compat", "native", NULL }); break;
	case ARG_COMMAND: offer_commands(o, NULL); break;
	case ARG_CONNECTION: complete_connection(s, o, conn); return;
	case ARG_ISTIO_SETTING: complete_istio_settings(s, o); return;
	case ARG_SETTING: complete_settings(s, o); return;
	case ARG_PROGRAM: complete_programs(o); return;
	case ARG_FILE: o->c->files = true; break;
	case ARG_NONE:
	case ARG_TEXT: o->any_case = true; break; /* as the ids of diagnoses are */
	case ARG_NUMBER:
	case ARG_CHOICE: break;
	}
	complete_list(o, choices);
}

static void offer_operand(struct session *s, struct offer *o, const struct context *c)
{
	const struct command *cmd = c->match.command;

	if (cmd->max_args >= 0 && c->operands >= cmd->max_args) {
		snprintf(o->c->hint, sizeof(o->c->hint), "%s takes no more words but options", cmd->name);
		return;
	}
	if (cmd->operands)
		snprintf(o->c->hint, sizeof(o->c->hint), "%s %s", cmd->name, cmd->operands);
	if (cmd->operand_kind == ARG_PROGRAM && c->operands) { /* the program's own words */
		o->c->files = true;
		return;
	}
	offer_kind(s, o, cmd->operand_kind, cmd->operand_choices, &c->conn);
}

static void offer_argument(struct session *s, struct offer *o, const struct command_option *opt)
{
	static const struct complete_connection none;

	snprintf(o->c->hint, sizeof(o->c->hint), "%s: %s", opt->arg_name ? opt->arg_name : opt->name, opt->help);
	offer_kind(s, o, opt->arg, opt->choices, &none);
}

static void offer_value(struct session *s, struct offer *o, const struct context *c, const char *word)
{
	const struct command_option *opt = find_option(c, word);
	const char *eq = strchr(word, '=') + 1;
	char lead[128];

	snprintf(lead, sizeof(lead), "%.*s", (int)(eq - word), word);
	if (opt)
		offer_argument(s, &(struct offer){ .c = o->c, .prefix = eq, .lead = lead }, opt);
}

struct candidate {
	char *word;
	const char *help;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct candidate *)a)->word, ((const struct candidate *)b)->word);
}

static void sort_unique(struct complete *c)
{
	struct candidate *list = calloc(c->n + 1, sizeof(*list));
	unsigned n = 0;

	for (unsigned i = 0; list && i < c->n; i++)
		list[i] = (struct candidate){ c->words[i], c->help[i] };
	if (list)
		qsort(list, c->n, sizeof(*list), compare);
	for (unsigned i = 0; list && i < c->n; i++) {
		if (n && strcmp(c->words[n - 1], list[i].word) == 0) {
			free(list[i].word);
			continue;
		}
		c->words[n] = list[i].word;
		c->help[n++] = list[i].help;
	}
	if (list)
		c->n = n;
	free(list);
}

void complete_words(struct session *s, int n, char **before, const char *word, struct complete *ret)
{
	struct context c = { .raw = false };
	struct offer o = { .c = ret, .prefix = word, .lead = "" };

	*ret = (struct complete){ .n = 0 };
	for (int i = 0; i < n; i++)
		read_word(&c, before[i]);
	session_enter(s, c.globals);
	if (!n && word[0] == '!') { /* "!ip" is one word */
		complete_programs(&(struct offer){ .c = ret, .prefix = word + 1, .lead = "!" });
	} else if (c.pending) {
		offer_argument(s, &o, c.pending);
	} else if (!c.raw && word[0] == '-' && word[1] == '-' && strchr(word, '=')) {
		offer_value(s, &o, &c, word);
	} else if (!c.raw && word[0] == '-') {
		if (c.match.command)
			offer_options(&o, c.match.command->options, -1U);
		offer_options(&o, command_globals, GLOBAL_COMMAND);
	} else if (c.match.command) {
		offer_operand(s, &o, &c);
	} else if (!c.raw) {
		offer_commands(&o, c.group ? c.match.group : NULL);
	}
	session_leave(s);
	sort_unique(ret);
}

void session_complete(struct session *s, int n, char **words,
		      void (*each)(void *arg, const char *word, const char *help), void *arg)
{
	struct complete c;

	complete_words(s, n - 1, words, words[n - 1], &c);
	if (c.files)
		complete_files(&(struct offer){ .c = &c, .prefix = words[n - 1], .lead = "" });
	for (unsigned i = 0; i < c.n; i++)
		each(arg, c.words[i], c.help[i]);
	complete_free(&c);
}

void complete_free(struct complete *c)
{
	for (unsigned i = 0; i < c->n; i++)
		free(c->words[i]);
	free(c->words);
	free(c->help);
	*c = (struct complete){ .n = 0 };
}
