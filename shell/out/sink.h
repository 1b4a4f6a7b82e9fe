/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sink - what text and JSON sinks share; only for shell/out and its unit test */
#ifndef SHELL_OUT_SINK_H
#define SHELL_OUT_SINK_H

#include <stdarg.h>

#include "nsutil/base/json.h"
#include "shell/out/open.h"

#define OUT_DEPTH 64 /* levels of objects and arrays; deeper ones are left out */

/* Every sink fills every hook; one that has nothing to do for it says so with a function. */
struct out_ops {
	void (*begin)(struct out *o, const char *schema);
	void (*end)(struct out *o);
	void (*object)(struct out *o, const char *key);
	void (*object_end)(struct out *o);
	void (*array)(struct out *o, const char *key);
	void (*array_end)(struct out *o);
	void (*stream)(struct out *o, const char *key);
	void (*stream_end)(struct out *o);
	void (*str)(struct out *o, const char *key, const char *fmt, const char *value);
	void (*sint)(struct out *o, const char *key, const char *fmt, int64_t value);
	void (*uint)(struct out *o, const char *key, const char *fmt, uint64_t value);
	void (*boolean)(struct out *o, const char *key, const char *fmt, bool value);
	void (*null)(struct out *o, const char *key);
	void (*real)(struct out *o, const char *key, const char *fmt, double value);
	void (*json)(struct out *o, const char *key, const char *text);
	void (*text)(struct out *o, const char *fmt, va_list ap);
	void (*raw)(struct out *o, const char *text, unsigned long n);
	void (*nl)(struct out *o);
	void (*style)(struct out *o, enum out_style style);
	void (*table)(struct out *o, const struct out_column *columns);
	void (*row)(struct out *o);
	void (*cell)(struct out *o);
	void (*table_end)(struct out *o);
	void (*fail)(struct out *o, const struct err *e);
};
#define OUT_HOOKS (sizeof(struct out_ops) / sizeof(void (*)(void)))

struct table_cell {
	size_t start, len;
	unsigned width;	/* columns on the terminal */
	unsigned row;
	unsigned column;
};

struct text_table {
	bool active;
	const struct out_column *columns;
	struct buf text;	  /* of all cells */
	struct table_cell *cells;
	size_t n_cells, room;
	unsigned row, column;	  /* of the cell being filled; row 0: before the first */
	bool open;		  /* a cell is being filled */
};

/* Levels of a structured sink. */
enum level { LEVEL_OBJECT, LEVEL_ARRAY, LEVEL_STREAM };

struct out {
	const struct out_ops *ops;
	struct out_config c;
	struct buf buf;		/* not yet written */
	bool wrote;		/* something left the buffer */
	int failed;		/* errno of the first failed write; later output is dropped */
	bool deciding;		/* whether a pager is needed is not known yet */
	unsigned lines;		/* while deciding */
	size_t counted;		/* of buf, while deciding */
	int fd;

	/* text */
	bool framed, in_frame;	/* the terminal is ours; a picture is being made */
	enum out_style style;
	struct text_table table;

	/* structured */
	struct json j;
	enum level level[OUT_DEPTH];
	unsigned depth, skipped;
	struct buf head;	/* jsonl: the top object up to the stream */
	size_t mark;		/* jsonl: where the line began; where its tail begins */
	bool streamed;
	bool held, waits;	/* elements of a stream are written later; some are there */
};

extern const struct out_ops text_ops, plain_ops, json_ops, jsonl_ops;

/* out_stream_flush() - the element of a stream is complete: write it, and think of no pager */
void out_stream_flush(struct out *o);

/* table.c: the text sink's tables */
void table_begin(struct out *o, const struct out_column *columns);
void table_row(struct out *o);
void table_cell(struct out *o);
void table_finish(struct out *o);

/* out_frame_close() - give the terminal back: what stood there before comes again */
void out_frame_close(struct out *o);

/* text_width() - columns a text takes on a terminal; SGR sequences take none */
unsigned text_width(const char *s, size_t n);
/* text_sgr() - the escape sequence that switches to a style; @rich: with the palette of 256 colours */
const char *text_sgr(enum out_style style, bool rich);

#endif
