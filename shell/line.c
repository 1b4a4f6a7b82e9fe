/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line - the tokenizer: one line of the command language becomes words */
#include "shell/line.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct scan {
	const char *p, *end;
	char *out;	/* next free byte of the storage */
	struct line *l;
	struct err *e;
};

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static int add_word(struct scan *s, char *word)
{
	if (s->l->n == LINE_MAX_WORDS)
		return err_set(s->e, ERR_USAGE, "command line", "more than %d words", LINE_MAX_WORDS);
	s->l->words[s->l->n++] = word;
	s->l->words[s->l->n] = NULL;
	return 0;
}

/* Behind the opening quote, up to the closing one. */
static int scan_quoted(struct scan *s, char quote)
{
	while (s->p < s->end && *s->p != quote) {
		if (quote == '"' && *s->p == '\\' && s->p + 1 < s->end && (s->p[1] == '"' || s->p[1] == '\\'))
			s->p++;
		*s->out++ = *s->p++;
	}
	if (s->p == s->end)
		return err_set(s->e, ERR_USAGE, "command line", "no closing %c", quote);
	s->p++;
	return 0;
}

static int scan_word(struct scan *s)
{
	char *word = s->out;

	while (s->p < s->end && !blank(*s->p) && *s->p != '|') {
		char c = *s->p++;

		if (c == '\'' || c == '"') {
			if (scan_quoted(s, c))
				return -1;
		} else if (c == '\\') {
			if (s->p == s->end)
				return err_set(s->e, ERR_USAGE, "command line", "ends in a backslash");
			*s->out++ = *s->p++;
		} else {
			*s->out++ = c;
		}
	}
	*s->out++ = '\0';
	return add_word(s, word);
}

static void skip_blanks(struct scan *s)
{
	while (s->p < s->end && blank(*s->p))
		s->p++;
}

/* The rest as one word, without the blanks around it. */
static char *rest(struct scan *s)
{
	const char *end = s->end;
	char *word = s->out;
	size_t n;

	skip_blanks(s);
	while (end > s->p && blank(end[-1]))
		end--;
	n = (size_t)(end - s->p);
	memcpy(word, s->p, n);
	word[n] = '\0';
	s->out += n + 1;
	s->p = s->end;
	return word;
}

/* "> FILE", ">> FILE": the end of the line. "->" is a word, as it does not begin with '>'. */
static int scan_file(struct scan *s)
{
	struct line *l = s->l;

	if (l->n == 0)
		return err_set(s->e, ERR_USAGE, "command line", "nothing in front of '>'");
	s->p++;
	l->append = s->p < s->end && *s->p == '>';
	s->p += l->append;
	skip_blanks(s);
	if (s->p == s->end || *s->p == '#' || *s->p == '|' || *s->p == '>')
		return err_set(s->e, ERR_USAGE, "command line", "no file after '>'");
	if (scan_word(s))
		return -1;
	l->to = l->words[--l->n];
	l->words[l->n] = NULL;
	skip_blanks(s);
	if (s->p < s->end && *s->p != '#')
		return err_set(s->e, ERR_USAGE, "command line", "the file behind '>' ends the line");
	return 0;
}

static int scan_words(struct scan *s)
{
	for (;;) {
		skip_blanks(s);
		if (s->p == s->end || *s->p == '#')
			return 0;
		if (*s->p == '>')
			return scan_file(s);
		if (*s->p != '|') {
			if (scan_word(s))
				return -1;
			continue;
		}
		s->p++;
		if (s->l->n == 0)
			return err_set(s->e, ERR_USAGE, "command line", "nothing in front of '|'");
		s->l->pipe = rest(s);
		if (!*s->l->pipe)
			return err_set(s->e, ERR_USAGE, "command line", "no command after '|'");
		return 0;
	}
}

/* "!CMD": a plain command runs as it is, since many containers have no shell. */
static int scan_bang(struct scan *s)
{
	static char exec[] = "exec", sh[] = "/bin/sh", c[] = "-c";
	const char *q;

	skip_blanks(s);
	if (s->p == s->end)
		return err_set(s->e, ERR_USAGE, "command line", "no command after '!'");
	if (add_word(s, exec))
		return -1;
	for (q = s->p; q < s->end && !strchr("|&;<>()$`*?[~", *q); q++)
		;
	if (q == s->end)
		return scan_words(s);
	if (add_word(s, sh) || add_word(s, c))
		return -1;
	return add_word(s, rest(s));
}

/* A control character is no part of a command: what has one is a binary file, or a terminal's reply. */
static int check_text(const char *text, size_t len, struct err *e)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\0')
			return err_set(e, ERR_USAGE, "command line", "has a NUL byte");
		if ((c < ' ' && !blank((char)c)) || c == 0x7f)
			return err_set(e, ERR_USAGE, "command line", "has a control character (0x%02x)", c);
	}
	return 0;
}

int line_parse(const char *text, size_t len, struct line *ret, struct err *e)
{
	_cleanup_line_ struct line l = { .n = 0 };
	struct scan s = { .p = text, .end = text + len, .l = &l, .e = e };
	int r;

	if (len > LINE_MAX_BYTES)
		return err_set(e, ERR_USAGE, "command line", "longer than %d bytes", LINE_MAX_BYTES);
	if (check_text(text, len, e))
		return -1;
	/* A word takes at least one byte of text and one blank, so this is room enough. */
	l.storage = s.out = malloc(len + len / 2 + 8);
	l.words = calloc((len / 2 < LINE_MAX_WORDS ? len / 2 : LINE_MAX_WORDS) + 8, sizeof(*l.words));
	if (!l.storage || !l.words)
		return err_oom(e);
	skip_blanks(&s);
	if (s.p < s.end && *s.p == '!') {
		s.p++;
		r = scan_bang(&s);
	} else {
		r = scan_words(&s);
	}
	if (r)
		return -1;
	*ret = l;
	l = (struct line){ .n = 0 };
	return 0;
}

void line_free(struct line *l)
{
	free(l->words);
	free(l->storage);
	*l = (struct line){ .n = 0 };
}
