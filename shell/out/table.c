/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table - lays out the text sink's tables: columns aligned by display width */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "shell/locale.h"
#include "shell/out/sink.h"

/* Length of an SGR sequence ("ESC [ ... m") at s, 0 when there is none. */
static size_t sgr_len(const char *s, size_t n)
{
	if (n < 3 || s[0] != '\033' || s[1] != '[')
		return 0;
	for (size_t i = 2; i < n; i++)
		if (s[i] == 'm')
			return i + 1;
	return 0;
}

unsigned text_width(const char *s, size_t n)
{
	unsigned width = 0;
	mbstate_t state = { 0 };

	while (n) {
		size_t len = 1;
		wchar_t wc;
		int w = 1;

		if (*s == '\033' && sgr_len(s, n)) {
			len = sgr_len(s, n);
			w = 0;
		} else if ((unsigned char)*s >= 0x80) {
			locale_need_utf8();
			len = mbrtowc(&wc, s, n, &state);
			if (len == 0 || len > n) { /* no character: it is shown as one mark */
				len = 1;
				memset(&state, 0, sizeof(state));
			} else {
				w = wcwidth(wc);
			}
		}
		width += w > 0 ? (unsigned)w : 0;
		s += len;
		n -= len;
	}
	return width;
}

void table_begin(struct out *o, const struct out_column *columns)
{
	struct text_table *t = &o->table;

	if (t->active)
		table_finish(o);
	t->active = true;
	t->columns = columns;
	t->n_cells = 0;
	t->row = t->column = 0;
	t->open = false;
	buf_reset(&t->text);
}

static void close_cell(struct out *o)
{
	struct text_table *t = &o->table;
	struct table_cell *c;

	if (!t->open)
		return;
	t->open = false;
	o->ops->style(o, STYLE_PLAIN);
	c = &t->cells[t->n_cells - 1];
	c->len = t->text.len - c->start;
	c->width = text_width(t->text.data ? t->text.data + c->start : "", c->len);
}

void table_row(struct out *o)
{
	close_cell(o);
	o->table.row++;
	o->table.column = 0;
}

void table_cell(struct out *o)
{
	struct text_table *t = &o->table;

	if (!t->active)
		return;
	close_cell(o);
	if (t->n_cells == t->room) {
		size_t room = t->room ? t->room * 2 : 64;
		struct table_cell *cells = reallocarray(t->cells, room, sizeof(*cells));

		if (!cells) {
			o->buf.failed = true;
			return;
		}
		t->cells = cells;
		t->room = room;
	}
	t->cells[t->n_cells++] =
		(struct table_cell){ .start = t->text.len, .row = t->row, .column = t->column++ };
	t->open = true;
}

static bool hidden(const struct out *o, const struct out_column *col)
{
	return col->wide && o->c.format != OUT_WIDE;
}

static void pad(struct buf *b, unsigned n)
{
	static const char spaces[] = "                                ";

	for (; n > sizeof(spaces) - 1; n -= sizeof(spaces) - 1)
		buf_add(b, spaces, sizeof(spaces) - 1);
	buf_add(b, spaces, n);
}

/* One line; the blanks in front of a cell wait in 'owed', so that none end a line. */
struct layout {
	struct out *o;
	const unsigned *width;
	unsigned n, owed;
};

static void put_cell(struct layout *l, unsigned column, const char *s, size_t len, unsigned width)
{
	unsigned room = column < l->n ? l->width[column] : width;
	unsigned blank = room > width ? room - width : 0;
	bool right = column < l->n && l->o->table.columns[column].right;
	struct buf *b = &l->o->buf;

	if (column < l->n && hidden(l->o, &l->o->table.columns[column]))
		return;
	if (len == 0) {
		l->owed += room + 2;
		return;
	}
	pad(b, l->owed + (right ? blank : 0));
	buf_add(b, s, len);
	l->owed = 2 + (right ? 0 : blank);
}

static void put_heads(struct layout *l)
{
	const struct out *o = l->o;
	bool any = false;

	for (unsigned i = 0; i < l->n; i++)
		any |= o->table.columns[i].head[0] && !hidden(o, &o->table.columns[i]);
	if (!any)
		return;
	l->owed = 0;
	if (o->c.color)
		buf_str(&l->o->buf, text_sgr(STYLE_HEAD, o->c.rich));
	for (unsigned i = 0; i < l->n; i++) {
		const char *head = o->table.columns[i].head;

		put_cell(l, i, head, strlen(head), text_width(head, strlen(head)));
	}
	if (o->c.color)
		buf_str(&l->o->buf, text_sgr(STYLE_PLAIN, o->c.rich));
	buf_chr(&l->o->buf, '\n');
}

static void put_rows(struct layout *l)
{
	const struct text_table *t = &l->o->table;

	for (size_t i = 0; i < t->n_cells;) {
		unsigned row = t->cells[i].row;

		l->owed = 0;
		for (; i < t->n_cells && t->cells[i].row == row; i++) {
			const struct table_cell *c = &t->cells[i];

			put_cell(l, c->column, t->text.data ? t->text.data + c->start : "", c->len, c->width);
		}
		buf_chr(&l->o->buf, '\n');
	}
}

/* For a screen reader: each cell a line of its own, "head: text"; rows parted by an empty line. */
static void put_facts(struct out *o, unsigned columns)
{
	const struct text_table *t = &o->table;
	bool heads = false;

	for (unsigned i = 0; i < columns; i++)
		heads |= t->columns[i].head[0] != '\0';
	for (size_t i = 0; i < t->n_cells;) {
		unsigned row = t->cells[i].row, n = 0;

		for (; i < t->n_cells && t->cells[i].row == row; i++) {
			const struct table_cell *c = &t->cells[i];

			if (c->len == 0 || (c->column < columns && hidden(o, &t->columns[c->column])))
				continue;
			if (heads && c->column < columns && t->columns[c->column].head[0])
				buf_fmt(&o->buf, "%s: ", t->columns[c->column].head);
			else if (!heads && n)
				buf_str(&o->buf, ": ");
			buf_add(&o->buf, t->text.data + c->start, c->len);
			if (heads)
				buf_chr(&o->buf, '\n');
			n++;
		}
		if (n || !heads)
			buf_chr(&o->buf, '\n');
	}
}

/* Newlines within a cell would tear the table. */
static void flatten(struct text_table *t)
{
	for (size_t i = 0; i < t->text.len; i++)
		if (t->text.data[i] == '\n' || t->text.data[i] == '\t')
			t->text.data[i] = ' ';
}

void table_finish(struct out *o)
{
	struct text_table *t = &o->table;
	struct layout l = { .o = o };
	unsigned *width;

	if (!t->active)
		return;
	close_cell(o);
	flatten(t);
	while (t->columns[l.n].head)
		l.n++;
	t->active = false;
	if (o->c.plain) {
		put_facts(o, l.n);
		return;
	}
	width = calloc(l.n + 1, sizeof(*width));
	if (!width) {
		o->buf.failed = true;
		return;
	}
	for (unsigned i = 0; i < l.n; i++)
		width[i] = text_width(t->columns[i].head, strlen(t->columns[i].head));
	for (size_t i = 0; i < t->n_cells; i++)
		if (t->cells[i].column < l.n && t->cells[i].width > width[t->cells[i].column])
			width[t->cells[i].column] = t->cells[i].width;
	l.width = width;
	put_heads(&l);
	put_rows(&l);
	free(width);
}
