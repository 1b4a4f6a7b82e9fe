/* SPDX-License-Identifier: GPL-2.0-or-later */
/* folder - a bug-report or must-gather: the files in it that hold rules */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "nsutil/base/arena.h"
#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/dump/dump.h"
#include "nsutil/dump/file.h"

enum { DEPTH_MAX = 12, FILES_MAX = 20000, SHOWN = 12 };
#define ONE_FILE_MAX (64u << 20) /* logs of a node are longer; they hold no rules of a pod */

/* Of a table that several files have, the one that says most about it stands. */
enum rank { RANK_SAVE, RANK_NFT_JSON, RANK_NFT_TEXT, RANK_LOG, RANKS };

struct found {
	const char *dir, *path;
	enum dump_format format;
	enum rank rank;
	struct found *next;
};

struct walk {
	struct arena *a;
	struct found *first, **tail;
	unsigned files, dirs_with_rules;
	struct err *e;
};

static enum rank rank_of(enum dump_format format, const char *data, size_t size)
{
	if (format == DUMP_NFT_JSON)
		return RANK_NFT_JSON;
	if (format == DUMP_NFT_TEXT)
		return RANK_NFT_TEXT;
	return format == DUMP_SAVE && dump_save_is_log(data, size) ? RANK_LOG : RANK_SAVE;
}

static int look(struct walk *w, const char *dir, const char *path)
{
	_cleanup_free_ char *data = NULL;
	enum dump_format format;
	struct found *f;
	size_t size;

	if (dump_file_read(path, ONE_FILE_MAX, &data, &size, NULL) < 0)
		return 0; /* what cannot be read is no source; that there is none at all is said later */
	format = dump_format(data, size);
	if (format == DUMP_UNKNOWN)
		return 0;
	f = arena_alloc(w->a, sizeof(*f));
	if (!f)
		return err_oom(w->e);
	*f = (struct found){ dir, path, format, rank_of(format, data, size), NULL };
	if (!w->first || strcmp(((struct found *)((char *)w->tail - offsetof(struct found, next)))->dir, dir) != 0)
		w->dirs_with_rules++;
	*w->tail = f;
	w->tail = &f->next;
	return 0;
}

static int walk_dir(struct walk *w, const char *dir, unsigned depth);

static int entry(struct walk *w, const char *dir, const struct dirent *d, unsigned depth)
{
	const char *path = arena_printf(w->a, "%s/%s", dir, d->d_name);
	struct stat st;

	if (!path)
		return err_oom(w->e);
	/* links are not followed: a report from elsewhere must not lead out of its folder */
	if (lstat(path, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return depth < DEPTH_MAX ? walk_dir(w, path, depth + 1) : 0;
	if (!S_ISREG(st.st_mode) || !st.st_size)
		return 0;
	if (++w->files > FILES_MAX)
		return err_set(w->e, ERR_USAGE, dir, "the folder holds more than %d files", FILES_MAX);
	return look(w, dir, path);
}

static int walk_dir(struct walk *w, const char *dir, unsigned depth)
{
	struct dirent **list;
	int n = scandir(dir, &list, NULL, alphasort), ret = 0;

	if (n < 0)
		return depth ? 0 : err_sys(w->e, errno, "cannot read %s", dir);
	/* files first, so that those of one folder stand together */
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < n && ret == 0; i++) {
			const char *name = list[i]->d_name;
			bool is_dir = list[i]->d_type == DT_DIR;

			if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || is_dir != (pass == 1))
				continue;
			ret = entry(w, dir, list[i], depth);
		}
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
	return ret;
}

static int ambiguous(const struct walk *w, const char *path, struct err *e)
{
	struct buf b _cleanup_buf_ = BUF_INIT;
	const char *last = NULL;
	unsigned n = 0;

	for (const struct found *f = w->first; f; f = f->next) {
		if (last && strcmp(last, f->dir) == 0)
			continue;
		last = f->dir;
		if (n++ < SHOWN)
			buf_fmt(&b, "%s%s", n > 1 ? ", " : "", f->path + strlen(path) + 1);
	}
	err_set(e, ERR_TARGET, path, "rules of several targets are in it: %s%s", buf_cstr(&b), n > SHOWN ? ", ..." : "");
	return err_hint(e, "name one of these files, or its folder");
}

static bool same_table(const struct table *a, const struct table *b)
{
	return a->store == b->store && a->family == b->family && strcmp(a->name, b->name) == 0;
}

/* The same table from @from up to @end; NULL: there is none. */
static const struct table *find_same(const struct table *from, const struct table *end, const struct table *t)
{
	while (from && from != end && !same_table(from, t))
		from = from->next;
	return from == end ? NULL : from;
}

/* Put in the tables of one file: those that a better one has are left out; two of the same rank are a question. */
static int settle(struct ruleset *rs, struct table *list, struct table **of_rank, const char *path, struct err *e)
{
	for (struct table *t = list, *next; t; t = next) {
		next = t->next;
		t->next = NULL;
		if (find_same(*of_rank, NULL, t)) {
			err_set(e, ERR_TARGET, path, "another file of the folder has table '%s %s' of the %s store too",
				family_name(t->family), t->name, store_name(t->store));
			return err_hint(e, "name one of the files");
		}
		if (find_same(rs->tables, *of_rank, t))
			continue;
		*rs->tables_tail = t;
		rs->tables_tail = &t->next;
	}
	return 0;
}

/* Each file is read as if there were no other. */
static int load_one(const struct found *f, struct table **of_rank, struct ruleset *rs, struct err *e)
{
	_cleanup_free_ char *data = NULL;
	struct table *before = rs->tables, **tail = rs->tables_tail, *list;
	size_t size;

	if (dump_file_read(f->path, ONE_FILE_MAX, &data, &size, e) < 0)
		return -1;
	rs->tables = NULL;
	rs->tables_tail = &rs->tables;
	if (dump_load_data(f->format, data, size, f->path, rs, e) < 0)
		return -1;
	list = rs->tables;
	rs->tables = before;
	rs->tables_tail = tail;
	return settle(rs, list, of_rank, f->path, e);
}

static int load_found(const struct walk *w, struct ruleset *rs, struct err *e)
{
	for (enum rank rank = 0; rank < RANKS; rank++) {
		struct table **tail = rs->tables_tail;

		for (const struct found *f = w->first; f; f = f->next)
			if (f->rank == rank && load_one(f, tail, rs, e) < 0)
				return -1;
	}
	return 0;
}

int dump_load_folder(const char *path, struct ruleset *rs, struct err *e)
{
	struct arena *a _cleanup_arena_ = arena_new();
	struct walk w = { .a = a, .e = e };

	if (!a)
		return err_oom(e);
	w.tail = &w.first;
	if (walk_dir(&w, path, 0) < 0)
		return -1;
	if (!w.first) {
		err_set(e, ERR_TARGET, path, "no file in it holds rules (%u were looked at)", w.files);
		return err_hint(e, "'istioctl bug-report' keeps iptables-save text only where the proxy could run it");
	}
	if (w.dirs_with_rules > 1)
		return ambiguous(&w, path, e);
	return load_found(&w, rs, e);
}
