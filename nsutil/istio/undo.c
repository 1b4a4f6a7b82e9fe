/* SPDX-License-Identifier: GPL-2.0-or-later */
/* undo - keeps the former state of the tables that a change touches */
#include "nsutil/istio/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/base/file.h"
#include "nsutil/istio/fingerprint.h"
#include "nsutil/ruleset/text.h"

/* ---- what is written ---- */

static int put_table(const struct istio_change *c, const struct istio_edits *edits, const char *name, struct buf *b)
{
	const struct table *t = ruleset_find_table(c->before, edits->store, edits->family, name);
	uint64_t before, after;

	if (istio_fingerprint(t, &before) < 0 || istio_fingerprint_after(t, edits, name, &after) < 0)
		return -1;
	buf_fmt(b, "# table %s %s before %016" PRIx64 " after %016" PRIx64 "\n", name, t ? "present" : "absent", before,
		after);
	if (t)
		ruleset_save(c->before, edits->store, edits->family, name, true, b);
	return 0;
}

static int put_native(const struct istio_change *c, struct buf *b)
{
	for (unsigned i = 0; i < c->n_native; i++) {
		const struct table *t = c->native[i];
		uint64_t before;

		if (istio_fingerprint(t, &before) < 0)
			return -1;
		buf_fmt(b, "# store %s family %s\n", store_name(t->store), family_name(t->family));
		buf_fmt(b, "# table %s present before %016" PRIx64 " after %016x\n", t->name, before, 0);
		if (t->store == STORE_NATIVE)
			istio_native_save(t, b);
		else
			ruleset_save(c->before, t->store, t->family, t->name, true, b);
	}
	return 0;
}

static int put_made(const struct istio_change *c, struct buf *b)
{
	for (unsigned i = 0; i < c->n_made; i++) {
		const struct table *made = c->made[i]->table;
		const struct table *t = ruleset_find_table(c->before, STORE_NATIVE, NFPROTO_INET, made->name);
		uint64_t before, after;

		if (istio_fingerprint(t, &before) < 0 || istio_fingerprint(made, &after) < 0)
			return -1;
		buf_fmt(b, "# store native family inet\n# table %s %s before %016" PRIx64 " after %016" PRIx64 "\n",
			made->name, t ? "present" : "absent", before, after);
		if (t)
			istio_native_save(t, b);
	}
	return 0;
}

static void put_step(const struct istio_routing_edit *edit, struct buf *b)
{
	const struct istio_step *s = &edit->step;

	buf_fmt(b, "# routing %s %u %u %u %u %u %u: ip ", edit->add ? "add" : "delete", (unsigned)s->kind, s->family,
		s->mark, s->mask, s->table, s->priority);
	istio_step_words(s, edit->add, b);
	buf_chr(b, '\n');
}

static int put_former(const struct istio_change *c, struct buf *b)
{
	for (unsigned i = 0; i < c->n_parts; i++) {
		const struct istio_edits *edits = &c->parts[i]->edits;
		const char *last = "";

		for (unsigned k = 0; k < edits->n; k++) {
			const char *table = edits->at[k].table;

			if (strcmp(table, last) == 0)
				continue;
			if (!*last)
				buf_fmt(b, "# store %s family %s\n", store_name(edits->store), family_name(edits->family));
			if (put_table(c, edits, table, b) < 0)
				return -1;
			last = table;
		}
	}
	for (unsigned v6 = 0; v6 < 2; v6++)
		if (c->guard.on[v6])
			buf_fmt(b, "# guardrails %s %s\n", store_name(c->guard.store[v6]), family_name(c->guard.at[v6].family));
	for (unsigned i = 0; i < c->routing.n; i++)
		put_step(&c->routing.at[i], b);
	return put_native(c, b) < 0 ? -1 : put_made(c, b);
}

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

/* Make a folder and those above it. */
static int make_folder(char *path)
{
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -1;
		*p = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -1 : 0;
}

char *istio_undo_folder(struct arena *a)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && state[0] == '/')
		return arena_printf(a, "%s/cnish/undo", state);
	if (home && home[0] == '/' && home[1])
		return arena_printf(a, "%s/.local/state/cnish/undo", home);
	return arena_strdup(a, "/var/lib/cnish/undo");
}

/* An inode is used again when a namespace has ended; the cookie is not, until the next boot. */
const char *istio_undo_identity(struct arena *a, const struct netns *ns)
{
	_cleanup_close_ int sock = netns_socket(ns, AF_INET, SOCK_DGRAM, 0, NULL);
	_cleanup_close_ int boot = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	char id[40] = "";
	ssize_t n = boot < 0 ? 0 : read(boot, id, sizeof(id) - 1);

	if (sock < 0 || getsockopt(sock, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) < 0)
		cookie = 0; /* before Linux 5.14 */
	id[n > 0 ? strcspn(id, "\n") : 0] = '\0';
	return arena_printf(a, "%" PRIu64 " %" PRIu64 " %s", ns->inode, cookie, id);
}

static int put_all(struct arena *a, const struct netns *ns, const struct istio_change *c, const char *command,
		   const char *label, struct buf *b)
{
	const char *identity = istio_undo_identity(a, ns);

	if (!identity)
		return -1;
	buf_fmt(b, "# cnish undo 2\n# target %.*s\n# netns %s\n# command %s\n", (int)strcspn(label, "\r\n"), label,
		identity, command);
	if (c->wanted && c->wanted->exclude_interfaces[0])
		buf_fmt(b, "# excluded %s\n", c->wanted->exclude_interfaces);
	if (c->wanted && c->wanted->virtual_interfaces[0])
		buf_fmt(b, "# virtual %s\n", c->wanted->virtual_interfaces);
	return put_former(c, b) < 0 || buf_failed(b) ? -1 : 0;
}

int istio_undo_write(struct arena *a, const struct netns *ns, const struct istio_change *c, const char *command,
		     const char *label, const char **ret_path, struct err *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_close_ int up = -1;
	struct timespec now;
	char *dir = istio_undo_folder(a), *path;

	clock_gettime(CLOCK_REALTIME, &now);
	if (!dir)
		return err_oom(e);
	path = arena_printf(a, "%s/%" PRIu64 "-%lld.%09ld.rules", dir, ns->inode, (long long)now.tv_sec, now.tv_nsec);
	if (!path || put_all(a, ns, c, command, label, &b) < 0)
		return err_oom(e);
	if (make_folder(dir) < 0)
		return err_sys(e, errno, "cannot make the folder %s", dir);
	if (file_replace(path, 0600, b.data, b.len, e) < 0) /* never half a file: it would be taken for the state to restore */
		return -1;
	up = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* the name is to last as well */
	if (up < 0 || fsync(up) < 0)
		return err_sys(e, errno, "cannot sync %s", dir);
	*ret_path = path;
	return 0;
}

int istio_undo_done(const struct istio_undo *u, struct err *e)
{
	static const char mark[] = "# undone\n";
	_cleanup_close_ int fd = open(u->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || file_write_all(fd, mark, sizeof(mark) - 1) < 0 || fsync(fd) < 0)
		return err_sys(e, errno, "cannot write %s", u->path);
	return 0;
}
