/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lines - connections out of a file or a pipe, a line each: bounded, however long it goes on */
#include "commands/trace/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/trace/connection.h"

#define ROOM (8 * LINES_MAX)

struct reader {
	int fd;
	size_t at, len;		/* of the buffer: where the next line begins, and what was read ends */
	bool ended, too_long;	/* too_long: the rest of such a line is still to come */
	unsigned long n, wrong;	/* lines so far, and those of them that were wrong */
	struct err first;	/* of the first wrong one */
	struct arena *arena;	/* of one line */
	const struct lines_to *to;
	char buf[ROOM + 1];
};

/* Return: 0, 1 when that is enough, -1 */
static int fill(struct reader *r, struct err *e)
{
	ssize_t got;

	memmove(r->buf, r->buf + r->at, r->len - r->at);
	r->len -= r->at;
	r->at = 0;
	do {
		if (r->to->wait(r->to->ctx))
			return 1;
		got = read(r->fd, r->buf + r->len, ROOM - r->len);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_sys(e, errno, "cannot read the connections");
	r->ended = got == 0;
	r->len += (size_t)got;
	return 0;
}

static void wrong(struct reader *r, const struct err *e)
{
	if (!r->wrong++) {
		r->first = *e;
		err_wrap(&r->first, "line %lu", r->n);
	}
	r->to->wrong(r->to->ctx, r->n, e);
}

/* Return: 0, 1 when that is enough, -1 when it is not the line's fault */
static int one_line(struct reader *r, const char *line, size_t n, struct err *e)
{
	bool zero = memchr(line, '\0', n);
	struct trace_request rq;
	int ret;

	if (r->n == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0) /* the mark of UTF-8, as editors of other systems begin a file */
		line += 3;
	line += strspn(line, " \t\r");
	if (!zero && (!*line || *line == '#'))
		return 0;
	arena_reset(r->arena);
	if (zero)
		ret = err_set(e, ERR_USAGE, "trace", "the line holds a zero byte");
	else
		ret = connection_parse_line(r->arena, line, &rq, e);
	if (ret == 0)
		ret = r->to->connection(r->to->ctx, &rq, e);
	if (ret >= 0)
		return ret;
	if (e->code != ERR_USAGE)
		return err_wrap(e, "line %lu", r->n);
	wrong(r, e);
	err_clear(e);
	return 0;
}

static void begin_too_long(struct reader *r)
{
	struct err e = ERR_INIT;

	r->n++;
	err_set(&e, ERR_USAGE, "trace", "the line is longer than %d bytes", LINES_MAX);
	wrong(r, &e);
	r->too_long = true;
}

/* The line at the front of the buffer. Return: as one_line() */
static int take_line(struct reader *r, char *end, struct err *e)
{
	size_t begin = r->at, n = (size_t)(end - (r->buf + begin));

	*end = '\0';
	r->at = begin + n + 1 < r->len ? begin + n + 1 : r->len;
	if (r->too_long) {
		r->too_long = false; /* its end */
		return 0;
	}
	if (n > LINES_MAX) {
		begin_too_long(r);
		r->too_long = false;
		return 0;
	}
	r->n++;
	if (n && r->buf[begin + n - 1] == '\r') /* as editors of other systems end a line */
		r->buf[begin + --n] = '\0';
	return one_line(r, r->buf + begin, n, e);
}

/* All lines. Return: 0, 1 when that was enough, -1 */
static int read_all(struct reader *r, struct err *e)
{
	int ret = 0;

	while (ret == 0) {
		char *end = memchr(r->buf + r->at, '\n', r->len - r->at);

		if (!end && r->ended && r->at < r->len)
			end = r->buf + r->len; /* the last one has no end */
		if (end) {
			ret = take_line(r, end, e);
			continue;
		}
		if (r->ended)
			return 0;
		if (r->len - r->at > LINES_MAX && !r->too_long)
			begin_too_long(r);
		if (r->too_long)
			r->at = r->len;
		ret = fill(r, e);
	}
	return ret;
}

static void reader_clear(struct reader **r)
{
	if (*r) {
		arena_free((*r)->arena);
		if ((*r)->fd > 0)
			close((*r)->fd);
	}
	free(*r);
}

int lines_read(const char *path, const struct lines_to *to, struct err *e)
{
	__attribute__((cleanup(reader_clear))) struct reader *r = calloc(1, sizeof(*r));

	if (!r || !(r->arena = arena_new()))
		return err_oom(e);
	r->to = to;
	r->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		return err_sys(e, errno, "cannot open '%s'", path);
	if (read_all(r, e) < 0)
		return -1;
	if (!r->wrong)
		return 0;
	if (e)
		*e = r->first;
	return r->wrong == 1 ? -1 : err_hint(e, "%lu of %lu lines are wrong, this is the first of them", r->wrong, r->n);
}
