/* SPDX-License-Identifier: GPL-2.0-or-later */
/* undo_read - the files of former states: which there are, what they say */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/undo_file.h"

enum { MOST = 256 << 20 };

static char *read_file(const char *path, size_t *ret_len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t all = 0;
	ssize_t n = 0;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > MOST)
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return NULL;
	while (all < (size_t)st.st_size && (n = read(fd, text + all, (size_t)st.st_size - all)) > 0)
		all += (size_t)n;
	if (n < 0)
		return NULL;
	text[all] = '\0';
	*ret_len = all;
	return steal_ptr(text);
}

/* The rest of a line that begins with @head; NULL of any other. */
static const char *rest_of(const char *line, const char *head)
{
	size_t n = strlen(head);

	return strncmp(line, head, n) == 0 ? line + n : NULL;
}

static int parse_store(const char *text, enum store *store, uint8_t *family)
{
	static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_INET };
	char s[16], f[16];

	if (sscanf(text, "%15s family %15s", s, f) != 2)
		return -1;
	for (unsigned i = 0; i < STORE_COUNT; i++)
		for (unsigned k = 0; k < ARRAY_SIZE(families); k++)
			if (strcmp(store_name((enum store)i), s) == 0 && strcmp(family_name(families[k]), f) == 0) {
				*store = (enum store)i;
				*family = families[k];
				return 0;
			}
	return -1;
}

static int parse_table(struct arena *a, struct istio_undo *u, const char *text, enum store store, uint8_t family)
{
	struct istio_undo_table *at = arena_grow(a, u->tables, u->n_tables, sizeof(*at));
	char name[128], there[16];
	uint64_t before, after;

	if (!at || sscanf(text, "%127s %15s before %" SCNx64 " after %" SCNx64, name, there, &before, &after) != 4)
		return -1;
	u->tables = at;
	at[u->n_tables++] = (struct istio_undo_table){ store, family, arena_strdup(a, name),
						       strcmp(there, "absent") == 0, before, after };
	return 0;
}

static int parse_step(struct arena *a, struct istio_undo *u, const char *text)
{
	struct istio_routing_edit *at = arena_grow(a, u->steps, u->n_steps, sizeof(*at));
	struct istio_step s;
	unsigned kind, family;
	char op[8];

	if (!at || sscanf(text, "%7s %u %u %u %u %u %u", op, &kind, &family, &s.mark, &s.mask, &s.table, &s.priority) != 7 ||
	    kind > ISTIO_STEP_ROUTE)
		return -1;
	s.kind = (enum istio_step_kind)kind;
	s.family = (uint8_t)family;
	u->steps = at;
	at[u->n_steps++] = (struct istio_routing_edit){ .add = strcmp(op, "add") == 0, .step = s };
	return 0;
}

static int parse_guard(struct istio_undo *u, const char *text)
{
	char store[16], family[16];

	if (sscanf(text, "%15s %15s", store, family) != 2)
		return -1;
	u->guarded[strcmp(store, store_name(STORE_COMPAT)) == 0][strcmp(family, family_name(NFPROTO_IPV6)) == 0] = true;
	return 0;
}

/* One line of the head or of a part; 1: it is of another namespace. */
static int parse_line(struct arena *a, struct istio_undo *u, const char *line, const char *identity,
		      enum store *store, uint8_t *family)
{
	const char *rest;

	if ((rest = rest_of(line, "# netns ")))
		return strcmp(rest, identity) != 0;
	if ((rest = rest_of(line, "# target ")))
		u->label = arena_strdup(a, rest);
	else if ((rest = rest_of(line, "# command ")))
		u->command = arena_strdup(a, rest);
	else if ((rest = rest_of(line, "# excluded ")))
		u->excluded = arena_strdup(a, rest);
	else if ((rest = rest_of(line, "# virtual ")))
		u->virtual_nics = arena_strdup(a, rest);
	else if ((rest = rest_of(line, "# store ")))
		return parse_store(rest, store, family);
	else if ((rest = rest_of(line, "# table ")))
		return parse_table(a, u, rest, *store, *family);
	else if ((rest = rest_of(line, "# guardrails ")))
		return parse_guard(u, rest);
	else if ((rest = rest_of(line, "# routing ")))
		return parse_step(a, u, rest);
	else if (strcmp(line, "# undone") == 0)
		u->undone = true;
	return 0;
}

/* 0: it is one of @identity's; else it is not, or not understood. */
static int read_head(struct arena *a, const char *path, const char *identity, struct istio_undo *ret)
{
	struct istio_undo u = { .path = path, .command = "", .label = "" };
	enum store store = STORE_LEGACY;
	uint8_t family = NFPROTO_IPV4;
	size_t len = 0;
	_cleanup_free_ char *text = read_file(path, &len);
	char *save = NULL, *line = text ? strtok_r(text, "\n", &save) : NULL;

	if (!line || strcmp(line, "# cnish undo 2") != 0)
		return -1;
	while ((line = strtok_r(NULL, "\n", &save)))
		if (line[0] == '#' && parse_line(a, &u, line, identity, &store, &family) != 0)
			return -1;
	*ret = u;
	return 0;
}

static int take_name(struct arena *a, const char *dir, const char *name, const struct netns *ns,
		     const char *identity, struct istio_undo *ret)
{
	uint64_t inode;
	long long secs;
	long nanos;
	int end = 0;
	const char *path;

	if (sscanf(name, "%" SCNu64 "-%lld.%9ld.rules%n", &inode, &secs, &nanos, &end) != 3 || !end || name[end] ||
	    inode != ns->inode)
		return -1;
	path = arena_printf(a, "%s/%s", dir, name);
	if (!path || read_head(a, path, identity, ret) < 0)
		return -1;
	ret->time = secs;
	ret->id = arena_printf(a, "%lld.%09ld", secs, nanos);
	return ret->id ? 0 : -1;
}

static int newer(const void *a, const void *b)
{
	const struct istio_undo *x = a, *y = b;

	return x->time != y->time ? (x->time < y->time ? 1 : -1) : -strcmp(x->id, y->id);
}

int istio_undo_list(struct arena *a, const struct netns *ns, struct istio_undo **ret, unsigned *ret_n,
		    struct err *e)
{
	const char *dir = istio_undo_folder(a), *identity = istio_undo_identity(a, ns);
	_cleanup_closedir_ DIR *d = dir ? opendir(dir) : NULL;
	struct istio_undo *all = NULL;
	struct dirent *entry;
	unsigned n = 0;

	if (!dir || !identity)
		return err_oom(e);
	if (!d && errno != ENOENT)
		return err_sys(e, errno, "cannot read the folder %s", dir);
	while (d && (entry = readdir(d))) {
		struct istio_undo u, *at;

		if (take_name(a, dir, entry->d_name, ns, identity, &u) < 0)
			continue;
		at = arena_grow(a, all, n, sizeof(*at));
		if (!at)
			return err_oom(e);
		all = at;
		all[n++] = u;
	}
	if (n)
		qsort(all, n, sizeof(*all), newer);
	*ret = all;
	*ret_n = n;
	return 0;
}

int istio_undo_known(struct arena *a, const struct netns *ns, struct istio_known *ret)
{
	struct istio_undo *all = NULL;
	unsigned n = 0, i = 0;

	*ret = (struct istio_known){ .excluded = { .n = 0 } };
	if (istio_undo_list(a, ns, &all, &n, NULL) < 0)
		return 0;
	while (i < n && (all[i].undone || strcmp(all[i].command, "istio undo") == 0))
		i++;
	if (i == n || strcmp(all[i].command, "istio apply") != 0)
		return 0;
	return istio_split(a, all[i].excluded ? all[i].excluded : "", &ret->excluded) < 0 ||
	       istio_split(a, all[i].virtual_nics ? all[i].virtual_nics : "", &ret->virtual_nics) < 0 ? -1 : 0;
}

/* The text between "# store" lines goes to the reader of iptables-save text. */
int istio_undo_rules(const struct istio_undo *u, struct ruleset *saved, struct buf *native, struct err *e)
{
	size_t len = 0;
	_cleanup_free_ char *text = read_file(u->path, &len);
	const char *p = text ? strstr(text, "\n# store ") : NULL;

	if (!text)
		return err_sys(e, errno ? errno : EIO, "cannot read %s", u->path);
	while (p) {
		const char *next = strstr(p + 1, "\n# store "), *end = next ? next + 1 : text + len;
		enum store store;
		uint8_t family;

		if (parse_store(p + strlen("\n# store "), &store, &family) < 0)
			return err_set(e, ERR_SYS, u->path, "a store that is not known");
		if (store == STORE_NATIVE)
			buf_add(native, p + 1, (size_t)(end - p - 1));
		else if (xt_parse_restore(saved, store, family, p + 1, (size_t)(end - p - 1), u->path, e) < 0)
			return -1;
		p = next;
	}
	return 0;
}
