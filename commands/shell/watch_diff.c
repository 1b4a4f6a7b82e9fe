/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch_diff - what changed between two outputs of a command: lines that came and went, counters that moved */
#include "commands/shell/watch_diff.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/ruleset/align.h"

#define NONE UINT32_MAX

/* One word of a line. */
struct word {
	const char *s;
	size_t n;
	bool counter;
};

/* What is followed by a number that is no counter: part of a rule. */
static bool names_number(const struct word *w)
{
	static const char *const names[] = { "dport", "sport", "uid", "gid", "skuid", "skgid", "mark", "priority", "prio",
					     "type", "code", "handle", "limit", "rate", "burst", "over", "vlan", "id", "zone",
					     "rule", "pid", "inode", "set", "==", "!=", "<", ">", "{", "to", "group" };

	if (w->n && w->s[0] == '-')
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == w->n && memcmp(names[i], w->s, w->n) == 0)
			return true;
	return false;
}

/* "12", "12/8", "12s", "[12:340]", "12," */
static bool is_number(const char *s, size_t n)
{
	if (n > 2 && s[0] == '[' && s[n - 1] == ']') {
		s++;
		n -= 2;
	}
	while (n > 1 && (s[n - 1] == ',' || s[n - 1] == '.'))
		n--;
	if (n > 1 && isdigit((unsigned char)s[0]) && s[n - 1] == 's')
		n--;
	for (size_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)s[i]) && !((s[i] == '/' || s[i] == ':') && i && i + 1 < n))
			return false;
	return n > 0;
}

/* Return: whether there is one more word at *s, which then stands behind it */
static bool next_word(const char **s, struct word *w)
{
	struct word before = *w;

	*s += strspn(*s, " \t");
	if (!**s)
		return false;
	w->s = *s;
	w->n = strcspn(*s, " \t");
	w->counter = is_number(w->s, w->n) && (before.n == 0 || !names_number(&before));
	*s += w->n;
	return true;
}

/* FNV-1a, over the words but counters, so that neither these nor their width matter. */
static uint64_t shape_of(const char *line)
{
	uint64_t h = 0xcbf29ce484222325;
	struct word w = { .n = 0 };

	while (next_word(&line, &w)) {
		for (size_t i = 0; i < (w.counter ? 1 : w.n); i++)
			h = (h ^ (unsigned char)(w.counter ? '#' : w.s[i])) * 0x100000001b3;
		h = (h ^ ' ') * 0x100000001b3;
	}
	return h;
}

void watch_free(struct watch_text *t)
{
	free(t->line);
	free(t->shape);
	free(t->text);
	*t = (struct watch_text){ .n = 0 };
}

int watch_split(char *text, struct watch_text *ret, struct err *e)
{
	struct watch_text t = { .text = text };
	size_t n = 1;

	for (const char *p = text; *p; p++)
		n += *p == '\n';
	t.line = calloc(n, sizeof(*t.line));
	t.shape = calloc(n, sizeof(*t.shape));
	if (!t.line || !t.shape) {
		watch_free(&t);
		return err_oom(e);
	}
	for (char *p = text, *end; *p; p = end) {
		end = p + strcspn(p, "\n");
		if (*end)
			*end++ = '\0';
		t.shape[t.n] = shape_of(p);
		t.line[t.n++] = p;
	}
	*ret = t;
	return 0;
}

int watch_match(const struct watch_text *before, const struct watch_text *now, uint32_t **ret, struct err *e)
{
	uint32_t *match = calloc(before->n + 1, sizeof(*match));

	if (!match)
		return err_oom(e);
	if (align_lcs(before->shape, before->n, now->shape, now->n, match)) {
		free(match);
		return err_oom(e);
	}
	*ret = match;
	return 0;
}

/* What the counters of a line gained. */
struct gain {
	double by[8];
	unsigned n;
};

static void note_gain(struct gain *g, const struct word *was, const struct word *is)
{
	const char *a = was->s + (was->s[0] == '['), *b = is->s + (is->s[0] == '[');
	const char *end_a = was->s + was->n, *end_b = is->s + is->n;

	while (a < end_a && b < end_b && isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
		char *more_a, *more_b;
		double x = (double)strtoull(a, &more_a, 10), y = (double)strtoull(b, &more_b, 10);

		if (y > x && g->n < ARRAY_SIZE(g->by))
			g->by[g->n++] = y - x;
		a = more_a + 1;
		b = more_b + 1;
	}
}

/* The line with the counters that moved marked. */
static void show_changed(const char *was, const char *is, struct gain *g, struct out *o)
{
	struct word w = { .n = 0 }, v = { .n = 0 };
	const char *at = is, *old = was;
	bool first = true;

	while (next_word(&at, &w)) {
		bool moved = next_word(&old, &v) && w.counter && (w.n != v.n || memcmp(w.s, v.s, w.n) != 0);

		out_raw(o, is, (unsigned long)(w.s - is));
		if (moved && !first) { /* a number in front is that of the line */
			out_style(o, STYLE_WARN);
			note_gain(g, &v, &w);
		}
		out_raw(o, w.s, w.n);
		if (moved)
			out_style(o, STYLE_PLAIN);
		is = at;
		first = false;
	}
}

static void show_gain(const struct gain *g, double seconds, struct out *o)
{
	if (g->n == 0 || seconds <= 0)
		return;
	out_style(o, STYLE_WARN);
	out_text(o, "   ");
	for (unsigned i = 0; i < g->n; i++) {
		double rate = g->by[i] / seconds;

		out_text(o, rate < 9.95 ? " +%.1f/s" : " +%.0f/s", rate);
	}
	out_style(o, STYLE_PLAIN);
}

static void show_line(const char *line, const char *lead, enum out_style style, struct out *o)
{
	out_style(o, style);
	out_text(o, "%s%s", lead, line);
	out_style(o, STYLE_PLAIN);
	out_nl(o);
}

void watch_show(const struct watch_text *before, const struct watch_text *now, const uint32_t *match, double seconds,
		struct out *o)
{
	bool first = before->n == 0;
	size_t i = 0;

	for (size_t j = 0; j <= now->n; j++) {
		struct gain g = { .n = 0 };

		/* what went stands where it stood, once */
		for (; i < before->n && match[i] == NONE; i++)
			show_line(before->line[i], first ? "" : "- ", STYLE_DEL, o);
		if (j == now->n)
			break;
		if (i < before->n && match[i] == j) {
			out_text(o, "  ");
			show_changed(before->line[i++], now->line[j], &g, o);
			show_gain(&g, seconds, o);
			out_nl(o);
		} else {
			show_line(now->line[j], first ? "  " : "+ ", first ? STYLE_PLAIN : STYLE_ADD, o);
		}
	}
}
