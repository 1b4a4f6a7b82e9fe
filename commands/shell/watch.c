/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch - repeats a command and shows what changed */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands/command.h"
#include "nsutil/base/cleanup.h"

static const struct command_option options[] = {
	{ "interval", 'n', ARG_NUMBER, "SECS", NULL, "seconds between two runs; default 2" },
	{ "count", 0, ARG_NUMBER, "N", NULL, "stop after N runs" },
	{ .name = NULL },
};

struct lines {
	char **line;	/* into the text */
	size_t n;
	bool *used;	/* has its equal in the other run */
	char *text;
};

static void lines_free(struct lines *l)
{
	free(l->line);
	free(l->used);
	free(l->text);
	*l = (struct lines){ .n = 0 };
}

/* Takes the text over. */
static int lines_split(char *text, struct lines *ret, struct err *e)
{
	struct lines l = { .text = text };
	size_t n = 1;

	for (const char *p = text; *p; p++)
		n += *p == '\n';
	l.line = calloc(n, sizeof(*l.line));
	l.used = calloc(n, sizeof(*l.used));
	if (!l.line || !l.used) {
		lines_free(&l);
		return err_oom(e);
	}
	for (char *p = text, *end; *p; p = end) {
		end = p + strcspn(p, "\n");
		if (*end)
			*end++ = '\0';
		l.line[l.n++] = p;
	}
	*ret = l;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const char *const *const *x = a, *const *const *y = b;
	int d = strcmp(**x, **y);

	return d ? d : (*x > *y) - (*x < *y);
}

/* Places of the lines, in the order of their text. */
static char ***sorted(const struct lines *l)
{
	char ***s = calloc(l->n + 1, sizeof(*s));

	for (size_t i = 0; s && i < l->n; i++)
		s[i] = &l->line[i];
	if (s)
		qsort(s, l->n, sizeof(*s), compare);
	return s;
}

/* Mark the lines that both runs have. */
static int mark(struct lines *a, struct lines *b, struct err *e)
{
	_cleanup_free_ char ***x = sorted(a), ***y = sorted(b);
	size_t i = 0, j = 0;

	if (!x || !y)
		return err_oom(e);
	while (i < a->n && j < b->n) {
		int d = strcmp(*x[i], *y[j]);

		if (d == 0)
			a->used[x[i] - a->line] = b->used[y[j] - b->line] = true;
		i += d <= 0;
		j += d >= 0;
	}
	return 0;
}

static void show(const struct lines *l, const char *lead, enum out_style style, struct out *o)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->used[i])
			continue;
		out_style(o, style);
		out_text(o, "%s%s", lead, l->line[i]);
		out_style(o, STYLE_PLAIN);
		out_nl(o);
	}
}

static void head(struct out *o, const char *state)
{
	time_t now = time(NULL);
	char text[32];
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	out_style(o, STYLE_DIM);
	out_text(o, "-- %s  %s", text, state);
	out_style(o, STYLE_PLAIN);
	out_nl(o);
}

/* Text: the first run in full, later what differs from the one before. */
static int show_text(struct lines *before, char *text, bool first, struct out *o, struct err *e)
{
	struct lines now = { .n = 0 };

	if (lines_split(text, &now, e))
		return -1;
	if (mark(before, &now, e)) {
		lines_free(&now);
		return -1;
	}
	if (first) {
		show(&now, "", STYLE_PLAIN, o);
	} else {
		bool changed = memchr(before->used, 0, before->n) || memchr(now.used, 0, now.n);

		if (changed)
			head(o, "changed");
		show(before, "- ", STYLE_DEL, o);
		show(&now, "+ ", STYLE_ADD, o);
	}
	lines_free(before);
	memset(now.used, 0, now.n);
	*before = now;
	return 0;
}

/* JSON: the whole result of each run, and whether it differs. */
static int show_json(struct lines *before, char *text, bool first, struct out *o)
{
	size_t n = strlen(text);

	if (n && text[n - 1] == '\n')
		text[n - 1] = '\0';
	out_bool(o, "changed", NULL, !first && strcmp(before->text, text) != 0);
	out_json(o, "output", *text ? text : NULL);
	free(before->text);
	before->text = text;
	return 0;
}

struct watch {
	struct lines before;
	uint64_t run;
	int status;
};

static int one_run(struct session *s, struct watch *w, const struct command_args *args, struct out *o,
		   struct err *e)
{
	enum out_format format = out_structured(o) ? OUT_JSON : OUT_TEXT;
	char *text;
	int r;

	if (session_capture(s, args->argc, args->argv, format, &text, &w->status, e))
		return -1;
	out_object(o, NULL);
	out_uint(o, "run", NULL, ++w->run);
	out_int(o, "time", NULL, time(NULL));
	out_int(o, "status", NULL, w->status);
	r = format == OUT_JSON ? show_json(&w->before, text, w->run == 1, o) :
				 show_text(&w->before, text, w->run == 1, o, e);
	out_object_end(o);
	return r;
}

/* In slices, so that Ctrl-C does not wait for the end of the interval. */
static void pause_between(const struct session *s, double seconds)
{
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += (time_t)seconds;
	end.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
	do {
		struct timespec slice = { .tv_nsec = 50 * 1000 * 1000 };
		double left;

		clock_gettime(CLOCK_MONOTONIC, &now);
		left = (double)(end.tv_sec - now.tv_sec) + (double)(end.tv_nsec - now.tv_nsec) / 1e9;
		if (left <= 0)
			return;
		if (left < 0.05)
			slice.tv_nsec = (long)(left * 1e9);
		nanosleep(&slice, NULL);
	} while (!session_interrupted(s));
}

extern const struct command command_watch;

static int run_watch(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	const char *interval = command_opt(&command_watch, args, "interval");
	const char *count = command_opt(&command_watch, args, "count");
	uint64_t runs = count ? strtoull(count, NULL, 10) : UINT64_MAX;
	struct watch w = { .run = 0 };
	int r = 0;

	out_begin(o, "watch");
	out_array(o, "command");
	for (int i = 0; i < args->argc; i++)
		out_str(o, NULL, NULL, args->argv[i]);
	out_array_end(o);
	out_stream(o, "runs");
	while (r == 0 && w.run < runs && !session_interrupted(s)) {
		if (w.run)
			pause_between(s, interval ? strtod(interval, NULL) : 2);
		if (!session_interrupted(s))
			r = one_run(s, &w, args, o, e);
	}
	lines_free(&w.before);
	if (r)
		return -1;
	out_stream_end(o);
	out_end(o);
	return 0;
}

const struct command command_watch = {
	.name = "watch",
	.summary = "repeat a command and show what changed",
	.operands = "COMMAND [ARG...]",
	.operand_kind = ARG_COMMAND,
	.min_args = 1,
	.max_args = -1,
	.options = options,
	.formats = OUT_JSONL,
	.flags = COMMAND_RAW,
	.description = "Runs COMMAND, prints its output, and runs it again every SECS seconds until Ctrl-C. From the\n"
		       "second run on it prints only lines that went (-) and came (+). With -o json or jsonl each run\n"
		       "carries the whole output of COMMAND and whether it differs from the run before. A command\n"
		       "that changes something cannot be repeated.",
	.examples = (const char *const[]){ "watch -n 1 tables --table nat", "-o jsonl watch conns", NULL },
	.run = run_watch,
};
