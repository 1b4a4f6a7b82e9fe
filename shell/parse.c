/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse - words become a command, its options and operands, as its table entry says */
#include "shell/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"

struct state {
	const struct command *const *table;
	struct parse *p;
	char **words;
	int n, i;	/* i: the word being read */
	bool program;
	bool raw;	/* no more options */
	struct err *e;
};

/* An option that was found: of the command, or of the program. */
struct found {
	const struct command_option *o;
	unsigned index;
	bool global;
};

unsigned parse_format(const char *name)
{
	for (unsigned bit = 1; command_format_name(bit); bit <<= 1)
		if (strcmp(command_format_name(bit), name) == 0)
			return bit;
	return 0;
}

bool parse_wants_json(int n, char **words)
{
	for (int i = 0; i < n; i++) {
		const char *w = words[i], *v = NULL;

		if (strcmp(w, "--") == 0)
			return false;
		if (strcmp(w, "-o") == 0 || strcmp(w, "--output") == 0)
			v = i + 1 < n ? words[i + 1] : NULL;
		else if (strncmp(w, "-o", 2) == 0)
			v = w + 2;
		else if (strncmp(w, "--output=", 9) == 0)
			v = w + 9;
		if (v && (strcmp(v, "json") == 0 || strcmp(v, "jsonl") == 0))
			return true;
	}
	return false;
}

static bool same(const struct command_option *o, const char *name, size_t n, char letter)
{
	if (letter)
		return o->letter == letter;
	return strlen(o->name) == n && strncmp(o->name, name, n) == 0;
}

static bool look_up(const struct command_option *list, unsigned n, const char *name, size_t len, char letter,
		    struct found *f)
{
	for (unsigned i = 0; i < n && list && list[i].name; i++)
		if (same(&list[i], name, len, letter)) {
			f->o = &list[i];
			f->index = i;
			return true;
		}
	return false;
}

static const char *nearest(const struct command_option *list, const char *name, unsigned *best, const char *now)
{
	for (; list && list->name; list++) {
		unsigned d = match_near(list->name, name);

		if (d < *best) {
			*best = d;
			now = list->name;
		}
	}
	return now;
}

static int unknown_option(struct state *s, const char *name, char letter)
{
	const struct command *c = s->p->match.command;
	char shown[80], text[64];
	unsigned best = 3;
	const char *near;

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(name, "="), name);
	if (!letter)
		snprintf(shown, sizeof(shown), "--%s", text);
	else
		snprintf(shown, sizeof(shown), "-%c", letter);
	err_set(s->e, ERR_USAGE, shown, "unknown option%s%s", c ? " of " : "", c ? c->name : "");
	near = letter ? NULL : nearest(c ? c->options : NULL, text, &best, NULL);
	near = letter ? NULL : nearest(command_globals, text, &best, near);
	if (near)
		return err_hint(s->e, "did you mean '--%s'?", near);
	return c ? err_hint(s->e, "help %s", c->name) : err_hint(s->e, "cnish --help");
}

static int find_option(struct state *s, const char *name, size_t len, char letter, struct found *f)
{
	const struct command *c = s->p->match.command;

	f->global = false;
	if (c && look_up(c->options, -1U, name, len, letter, f))
		return 0;
	f->global = true;
	if (look_up(command_globals, s->program ? GLOBAL_COUNT : GLOBAL_COMMAND, name, len, letter, f))
		return 0;
	return unknown_option(s, name, letter);
}

static const char *option_name(const struct command_option *o, char room[64])
{
	snprintf(room, 64, "--%s", o->name);
	return room;
}

static int check_choice(const char *what, const char *const *choices, const char *value, struct err *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (unsigned i = 0; choices && choices[i]; i++) {
		if (strcmp(choices[i], value) == 0)
			return 0;
		buf_fmt(&b, "%s%s", i ? ", " : "", choices[i]);
	}
	return err_set(e, ERR_USAGE, what, "'%s' is none of: %s", value, buf_cstr(&b));
}

static int check_number(const char *what, const char *value, struct err *e)
{
	size_t n = strspn(value, "0123456789");

	if (n == 0 || n > 18)
		return err_set(e, ERR_USAGE, what, "'%s' is no number", value);
	if (value[n] == '.' && strspn(value + n + 1, "0123456789") == strlen(value + n + 1) && strlen(value) < 30)
		return 0;
	return value[n] ? err_set(e, ERR_USAGE, what, "'%s' is no number", value) : 0;
}

static int add_script(struct state *s, bool is_file, const char *text)
{
	struct script *more = reallocarray(s->p->scripts, (size_t)s->p->n_scripts + 1, sizeof(*more));

	if (!more)
		return err_oom(s->e);
	s->p->scripts = more;
	more[s->p->n_scripts++] = (struct script){ .is_file = is_file, .text = text };
	return 0;
}

static int store(struct state *s, const struct found *f, const char *value)
{
	char name[64];

	option_name(f->o, name);
	if (f->o->arg == ARG_CHOICE && check_choice(name, f->o->choices, value, s->e))
		return -1;
	if (f->o->arg == ARG_NUMBER && check_number(name, value, s->e))
		return -1;
	if (!f->global) {
		s->p->opts[f->index] = value;
		return 0;
	}
	if (f->index == GLOBAL_COMMAND || f->index == GLOBAL_FILE)
		return add_script(s, f->index == GLOBAL_FILE, value);
	s->p->globals[f->index] = value;
	return 0;
}

/* The argument that stands in the next word. */
static int next_word(struct state *s, const struct command_option *o, const char **ret)
{
	char name[64];

	if (s->i + 1 >= s->n)
		return err_set(s->e, ERR_USAGE, option_name(o, name), "needs an argument: %s", o->arg_name);
	*ret = s->words[++s->i];
	return 0;
}

static int long_option(struct state *s, const char *word)
{
	const char *eq = strchr(word, '='), *value = "";
	struct found f;
	char name[64];

	if (find_option(s, word, eq ? (size_t)(eq - word) : strlen(word), 0, &f))
		return -1;
	if (f.o->arg == ARG_NONE && eq)
		return err_set(s->e, ERR_USAGE, option_name(f.o, name), "takes no argument");
	if (f.o->arg != ARG_NONE) {
		if (eq)
			value = eq + 1;
		else if (next_word(s, f.o, &value))
			return -1;
	}
	return store(s, &f, value);
}

/* "-46", "-ojson", "-o json" */
static int short_options(struct state *s, const char *letters)
{
	for (; *letters; letters++) {
		const char *value = "";
		struct found f;

		if (find_option(s, letters, 1, *letters, &f))
			return -1;
		if (f.o->arg == ARG_NONE) {
			if (store(s, &f, value))
				return -1;
			continue;
		}
		if (letters[1])
			value = letters + 1;
		else if (next_word(s, f.o, &value))
			return -1;
		return store(s, &f, value);
	}
	return 0;
}

/* The command is known: room for its options' values. */
static int settle(struct state *s)
{
	unsigned n = 0;
	const struct command_option *o = s->p->match.command->options;

	while (o && o[n].name)
		n++;
	s->p->opts = calloc(n + 1, sizeof(*s->p->opts));
	return s->p->opts ? 0 : err_oom(s->e);
}

static int operand(struct state *s, char *word)
{
	struct parse *p = s->p;
	const struct command *c = p->match.command;

	if (c) {
		p->argv[p->args.argc++] = word;
		s->raw = s->raw || (c->flags & COMMAND_RAW);
		return 0;
	}
	/* "cnish '!ip' addr": the program's first argument as at the prompt */
	if (p->match.group[0]) {
		if (match_sub(s->table, &p->match, word, s->e))
			return -1;
	} else if (word[0] == '!' && word[1]) {
		if (match_first(s->table, "exec", &p->match, s->e) || settle(s))
			return -1;
		return operand(s, word + 1);
	} else if (match_first(s->table, word, &p->match, s->e)) {
		return -1;
	}
	return p->match.command ? settle(s) : 0;
}

static bool is_option(const char *w)
{
	return w[0] == '-' && w[1] && strcmp(w, "->") != 0;
}

static int read_word(struct state *s)
{
	char *w = s->words[s->i];

	if (s->raw || !is_option(w))
		return operand(s, w);
	if (strcmp(w, "--") == 0) {
		s->raw = true;
		if (s->p->match.command)
			s->p->args.dash_dash = s->p->args.argc;
		return 0;
	}
	return w[1] == '-' ? long_option(s, w + 2) : short_options(s, w + 1);
}

static int check_operands(const struct parse *p, struct err *e)
{
	const struct command *c = p->match.command;
	int argc = p->args.argc;

	if (p->globals[GLOBAL_HELP])
		return 0;
	if (argc < c->min_args)
		err_set(e, ERR_USAGE, c->name, "needs %s", c->operands ? c->operands : "an operand");
	else if (c->max_args >= 0 && argc > c->max_args)
		err_set(e, ERR_USAGE, c->name, "unexpected '%s'", p->argv[c->max_args]);
	else if (c->operand_kind == ARG_CHOICE)
		for (int i = 0; i < argc; i++)
			if (check_choice(c->name, c->operand_choices, p->argv[i], e))
				return -1;
	if (argc >= c->min_args && (c->max_args < 0 || argc <= c->max_args))
		return 0;
	return err_hint(e, "help %s", c->name);
}

int parse_words(const struct command *const *table, int n, char **words, bool program, struct parse *ret,
		struct err *e)
{
	_cleanup_parse_ struct parse p = { .n_scripts = 0 };
	struct state s = { .table = table, .p = &p, .words = words, .n = n, .program = program, .e = e };

	p.argv = calloc((size_t)n + 1, sizeof(*p.argv));
	if (!p.argv)
		return err_oom(e);
	p.args.dash_dash = -1;
	for (s.i = 0; s.i < n; s.i++)
		if (read_word(&s))
			return -1;
	if (p.match.group[0] && !p.match.command && !p.globals[GLOBAL_HELP])
		return match_sub(table, &p.match, NULL, e);
	if (p.args.dash_dash < 0)
		p.args.dash_dash = p.args.argc;
	p.args.argv = p.argv;
	p.args.opts = p.opts;
	if (p.match.command && check_operands(&p, e))
		return -1;
	*ret = p;
	memset(&p, 0, sizeof(p));
	return 0;
}

void parse_free(struct parse *p)
{
	free(p->scripts);
	free(p->opts);
	free(p->argv);
	memset(p, 0, sizeof(*p));
}
