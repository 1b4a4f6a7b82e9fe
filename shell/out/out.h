/* SPDX-License-Identifier: GPL-2.0-or-later */
/* out - the output sink: one walk of typed values; text, json, ... are sinks */
#ifndef SHELL_OUT_OUT_H
#define SHELL_OUT_OUT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A command walks its result once. Each value has a key (what it is called in structured output)
 * and a text form (how a person sees it):
 *   key NULL  - text only, structured sinks leave it out; within an array (where a value needs no
 *               key) it is an element all the same: text beside the elements goes by out_text()
 *   fmt NULL  - structured only, text sinks leave it out
 * 'fmt' is a printf format with exactly one conversion for the value, as in iproute2's
 * json_print.h; "%s" for out_str, "%" PRId64 / PRIu64 for numbers, "%s" for out_bool (yes/no).
 * Text runs into the current line (or table cell) until out_nl().
 *
 * Structure (objects, arrays) shows only in structured sinks. Begin and end must match.
 * Nothing here fails visibly: a failed write is remembered and reported once by out_close().
 */
struct out;

enum out_format {
	OUT_TEXT = 1 << 0,
	OUT_WIDE = 1 << 1,
	OUT_JSON = 1 << 2,
	OUT_JSONL = 1 << 3,
	OUT_SAVE = 1 << 4, /* iptables-save text: a text sink without colour or tables */
	OUT_NFT = 1 << 5,  /* nft text: likewise */
	OUT_PROM = 1 << 6, /* Prometheus text: likewise */
};

/* Meaning of a piece of text, not its colour; the sink knows the terminal. */
enum out_style {
	STYLE_PLAIN,
	STYLE_HEAD,  /* titles, column heads */
	STYLE_DIM,   /* secondary */
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
	STYLE_NAME,  /* names of pods, chains, tables */
	STYLE_ADD,   /* added, only here */
	STYLE_DEL,   /* removed, missing */
};

enum out_format out_format(const struct out *o);
/* out_structured() - true for json and jsonl; for work that only one kind of sink needs */
bool out_structured(const struct out *o);
/* out_width() - columns of the terminal; 0 when unlimited (no terminal) */
unsigned out_width(const struct out *o);
/* out_plain() - for a screen reader: one fact a line, nothing side by side, no marks that mean by their place */
bool out_plain(const struct out *o);
/* out_columns() - columns that a text takes on a terminal, for layouts that no table can give */
unsigned out_columns(const char *text);

/* The top object: out_begin(o, "tables") writes {"schema":"cnish.tables/1",...}; opened once. */
void out_begin(struct out *o, const char *schema);
void out_end(struct out *o);

void out_object(struct out *o, const char *key);
void out_object_end(struct out *o);
void out_array(struct out *o, const char *key);
void out_array_end(struct out *o);
/*
 * A stream: like an array of the top object, but with jsonl each element becomes a line of its
 * own (an object with the top object's schema, the keys that stood before the stream, and those of
 * the element, which must differ), and text is written out after each element. Keys that follow
 * the stream make one more line.
 */
void out_stream(struct out *o, const char *key);
void out_stream_end(struct out *o);
/*
 * out_hold() - elements of a stream wait until there are many of them (true), which costs a fraction of
 *	writing each; or what waits is written now, and each one from here on (false, and how it begins). To be
 *	called between two elements. Text for a person never waits.
 */
void out_hold(struct out *o, bool hold);

void out_str(struct out *o, const char *key, const char *fmt, const char *value); /* NULL: null, "-" */
void out_int(struct out *o, const char *key, const char *fmt, int64_t value);
void out_uint(struct out *o, const char *key, const char *fmt, uint64_t value);
void out_bool(struct out *o, const char *key, const char *fmt, bool value);
void out_null(struct out *o, const char *key);
void out_double(struct out *o, const char *key, const char *fmt, double value);
/* JSON text made by base/json (rule "expr", xt options); text sinks leave it out */
void out_json(struct out *o, const char *key, const char *text);

/* Text only. */
void out_text(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void out_raw(struct out *o, const char *text, unsigned long n); /* verbatim, the fast way */
void out_nl(struct out *o);
void out_style(struct out *o, enum out_style style); /* for the text that follows, until changed */

/*
 * Tables: between out_table() and out_table_end(), each out_row() starts a row and each
 * out_cell() a cell; text goes to the current cell. Columns are aligned by display width
 * (wcwidth). A head of NULL ends the list. Structured sinks ignore tables, so rows are
 * wrapped in out_object() as well.
 */
struct out_column {
	const char *head;
	bool right;	  /* align right */
	bool wide;	  /* only with -o wide */
};
void out_table(struct out *o, const struct out_column *columns);
void out_row(struct out *o);
void out_cell(struct out *o);
void out_table_end(struct out *o);

/*
 * In place: on a terminal, the text between out_frame() and out_frame_end() is a picture that is drawn
 * over the one before it; what does not fit is cut. Else both do nothing, and out_in_place() says so.
 */
bool out_in_place(const struct out *o);
void out_frame(struct out *o);
void out_frame_end(struct out *o);

/* A remark for the person (standard error when structured or not a terminal): "note: ..." */
void out_note(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
