/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch - repeats a command and shows what changed */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands/shell/watch_diff.h"
#include "nsutil/base/cleanup.h"

static const struct command_option options[] = {
	{ "interval", 'n', ARG_NUMBER, "SECS", NULL, "seconds between two runs; default 2" },
	{ "count", 0, ARG_NUMBER, "N", NULL, "stop after N runs" },
	{ .name = NULL },
};

static void one_line(const char *line, const char *lead, enum out_style style, struct out *o)
{
	out_style(o, style);
	out_text(o, "%s%s", lead, line);
	out_style(o, STYLE_PLAIN);
	out_nl(o);
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

/* Text that is not drawn in place: the first run in full, later what differs from the one before. */
static void show_text(const struct watch_text *before, const struct watch_text *now, const uint32_t *match, bool first,
		      struct out *o)
{
	_cleanup_free_ bool *known = calloc(now->n + 1, sizeof(*known));
	bool changed = false;

	for (size_t i = 0; known && i < before->n; i++) {
		bool same = match[i] != UINT32_MAX && strcmp(before->line[i], now->line[match[i]]) == 0;

		if (same)
			known[match[i]] = true;
		changed |= !same;
	}
	for (size_t j = 0; known && j < now->n; j++)
		changed |= !known[j];
	if (!first && changed)
		head(o, "changed");
	for (size_t i = 0; i < before->n; i++)
		if (match[i] == UINT32_MAX || strcmp(before->line[i], now->line[match[i]]) != 0)
			one_line(before->line[i], "- ", STYLE_DEL, o);
	for (size_t j = 0; known && j < now->n; j++)
		if (!known[j])
			one_line(now->line[j], first ? "" : "+ ", first ? STYLE_PLAIN : STYLE_ADD, o);
}

struct watch {
	int argc;
	char **argv;
	double interval;
	struct watch_text before, now;
	uint32_t *match;
	double at, elapsed;	/* when the run was; since the one before it */
	char *json;		/* of the run before */
	uint64_t run;
	int status;
	bool paused;
};

/* JSON: the whole result of each run, and whether it differs. */
static void show_json(struct watch *w, char *text, struct out *o)
{
	size_t n = strlen(text);

	if (n && text[n - 1] == '\n')
		text[n - 1] = '\0';
	out_bool(o, "changed", NULL, w->run > 1 && strcmp(w->json, text) != 0);
	out_json(o, "output", *text ? text : NULL);
	free(w->json);
	w->json = text;
}

static double now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The picture: a line on what is watched, and the output with what changed marked. */
static void draw(const struct watch *w, struct out *o)
{
	time_t now = time(NULL);
	char clock[32];
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	out_frame(o);
	out_style(o, STYLE_HEAD);
	out_text(o, "every %gs:", w->interval);
	for (int i = 0; i < w->argc; i++)
		out_text(o, " %s", w->argv[i]);
	out_style(o, STYLE_PLAIN);
	out_style(o, w->paused ? STYLE_WARN : STYLE_DIM);
	out_text(o, "   %s  run %" PRIu64 "%s", clock, w->run, w->paused ? "  PAUSED (space goes on, q ends)" : "  (space pauses, q ends)");
	out_style(o, STYLE_PLAIN);
	out_nl(o);
	watch_show(&w->before, &w->now, w->match, w->elapsed, o);
	out_frame_end(o);
}

/* The run is the new one; the former is the one to compare with. */
static int take_text(struct watch *w, char *text, struct err *e)
{
	double at = now_seconds();

	watch_free(&w->before);
	free(w->match);
	w->match = NULL;
	w->before = w->now;
	w->now = (struct watch_text){ .n = 0 };
	w->elapsed = w->at > 0 ? at - w->at : 0;
	w->at = at;
	return watch_split(text, &w->now, e) || watch_match(&w->before, &w->now, &w->match, e) ? -1 : 0;
}

static int one_run(struct session *s, struct watch *w, struct out *o, struct err *e)
{
	enum out_format format = out_structured(o) ? OUT_JSON : OUT_TEXT;
	int r = 0;
	char *text;

	if (session_capture(s, w->argc, w->argv, format, &text, &w->status, e))
		return -1;
	w->run++;
	if (format != OUT_JSON && take_text(w, text, e))
		return -1;
	if (out_in_place(o)) {
		draw(w, o);
		return 0;
	}
	out_object(o, NULL);
	out_uint(o, "run", NULL, w->run);
	out_int(o, "time", NULL, time(NULL));
	out_int(o, "status", NULL, w->status);
	if (format == OUT_JSON)
		show_json(w, text, o);
	else
		show_text(&w->before, &w->now, w->match, w->run == 1, o);
	out_object_end(o);
	return r;
}

/* Until the next run is due. Return: whether there is to be one */
static bool pause_between(struct session *s, struct watch *w, struct out *o)
{
	double due = now_seconds() + w->interval;

	while (!session_interrupted(s)) {
		double left = due - now_seconds();
		int key;

		if (!w->paused && left <= 0)
			return true;
		key = session_wait(s, w->paused ? -1 : left);
		if (key == 'q' || key == 'Q')
			return false;
		if (key == ' ')
			w->paused = !w->paused;
		if (key == '\r' || key == '\n')
			return true;
		if ((key == ' ' || key == SESSION_WAIT_RESIZED) && out_in_place(o))
			draw(w, o);
	}
	return false;
}

static void watch_close(struct watch *w)
{
	watch_free(&w->before);
	watch_free(&w->now);
	free(w->match);
	free(w->json);
}

extern const struct command command_watch;

static int run_watch(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	const char *interval = command_opt(&command_watch, args, "interval");
	const char *count = command_opt(&command_watch, args, "count");
	uint64_t runs = count ? strtoull(count, NULL, 10) : UINT64_MAX;
	struct watch w = { .argc = args->argc, .argv = args->argv, .interval = interval ? strtod(interval, NULL) : 2 };
	int r = 0;

	out_begin(o, "watch");
	out_array(o, "command");
	for (int i = 0; i < args->argc; i++)
		out_str(o, NULL, NULL, args->argv[i]);
	out_array_end(o);
	out_stream(o, "runs");
	while (r == 0 && w.run < runs && !session_interrupted(s) && (w.run == 0 || pause_between(s, &w, o)))
		r = one_run(s, &w, o, e);
	watch_close(&w);
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
	.flags = COMMAND_RAW | COMMAND_REPEAT,
	.description = "Runs COMMAND again every SECS seconds. On a terminal the output is drawn in place: counters that\n"
		       "moved are marked, with what they gained in a second behind the line; lines that came (+) and\n"
		       "went (-) too. Space pauses and goes on, Enter runs at once, q or Ctrl-C ends. Elsewhere, and\n"
		       "with --plain, the first output is printed, then the lines that went and came. With -o json or\n"
		       "jsonl each run carries the whole output of COMMAND and whether it differs from the run before.\n"
		       "A command that changes something cannot be repeated.",
	.examples = (const char *const[]){ "watch -n 1 tables --table nat", "-o jsonl watch conns", NULL },
	.run = run_watch,
};
