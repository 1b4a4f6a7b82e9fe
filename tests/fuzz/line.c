/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line - fuzz harness: the bytes of a line go through tokenizer, command matcher and option parser */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shell/line.h"
#include "shell/parse.h"

/* Words quoted, joined and split again are the same words. */
static void again(const struct line *l)
{
	size_t room = 1;
	struct line m = { .n = 0 };
	char *text, *p;

	for (int i = 0; i < l->n; i++)
		room += 2 * strlen(l->words[i]) + 3;
	text = p = malloc(room);
	for (int i = 0; i < l->n; i++) {
		*p++ = '"';
		for (const char *w = l->words[i]; *w; w++) {
			if (*w == '"' || *w == '\\')
				*p++ = '\\';
			*p++ = *w;
		}
		*p++ = '"';
		*p++ = ' ';
	}
	if (p - text <= LINE_MAX_BYTES) {
		if (line_parse(text, (size_t)(p - text), &m, NULL) || m.n != l->n)
			abort();
		for (int i = 0; i < l->n; i++)
			if (strcmp(l->words[i], m.words[i]) != 0)
				abort();
	}
	free(text);
	line_free(&m);
}

static void parse(const struct line *l, bool program)
{
	struct parse p;
	struct err e = ERR_INIT;

	if (parse_words(command_table, l->n, l->words, program, &p, &e)) {
		if (e.code == ERR_NONE || !e.why[0])
			abort();
		return;
	}
	if (e.code != ERR_NONE || p.args.argc > l->n || p.args.dash_dash > p.args.argc)
		abort();
	parse_free(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line l = { .n = 0 };
	struct err e = ERR_INIT;

	if (line_parse((const char *)data, size, &l, &e)) {
		if (e.code != ERR_USAGE)
			abort();
		return 0;
	}
	again(&l);
	parse(&l, false);
	parse(&l, true);
	parse_wants_json(l.n, l.words);
	line_free(&l);
	return 0;
}
