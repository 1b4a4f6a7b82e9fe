/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match - find the pod or container that a name means */
#include "nsutil/pod/match.h"

#include <stdio.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"

enum how { HOW_EXACT, HOW_DOTTED, HOW_PREFIX, HOW_DOTTED_PREFIX, HOW_COUNT };
enum { CANDIDATES_SHOWN = 8, DISTANCE_MAX_LEN = 64 };

static bool starts(const char *s, const char *prefix)
{
	return s && strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool in_namespace(const struct pod *p, const char *ns)
{
	return !ns || (p->k8s_namespace && strcmp(p->k8s_namespace, ns) == 0);
}

/* "NAME.NS" as istioctl has it: the last part is the namespace. */
static bool dotted(const struct pod *p, const struct spec *s, bool prefix)
{
	const char *dot = strrchr(s->name, '.');
	size_t len;

	if (!dot || s->k8s_namespace || !p->k8s_namespace || strcmp(dot + 1, p->k8s_namespace))
		return false;
	len = (size_t)(dot - s->name);
	return len && strncmp(p->name, s->name, len) == 0 && (prefix || p->name[len] == '\0');
}

static bool pod_is(const struct pod *p, const struct spec *s, enum how how)
{
	if (!p->name)
		return false;
	switch (how) {
	case HOW_EXACT:
		return in_namespace(p, s->k8s_namespace) && strcmp(p->name, s->name) == 0;
	case HOW_PREFIX:
		return in_namespace(p, s->k8s_namespace) && starts(p->name, s->name);
	case HOW_DOTTED:
		return dotted(p, s, false);
	case HOW_DOTTED_PREFIX:
		return dotted(p, s, true);
	default:
		return false;
	}
}

static bool lives(const struct pod *p)
{
	return p->state && (strcmp(p->state, "ready") == 0 || strcmp(p->state, "running") == 0);
}

static bool same_str(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* A restarted pod is there twice; the ready one, then the newest, is meant. */
static bool better(const struct pod *a, const struct pod *b)
{
	if (lives(a) != lives(b))
		return lives(a);
	if (!a->pid != !b->pid)
		return a->pid != 0;
	return a->created_ns > b->created_ns;
}

static void pod_name(struct buf *b, const struct pod *p)
{
	if (p->k8s_namespace)
		buf_fmt(b, "%s/", p->k8s_namespace);
	buf_str(b, p->name ? p->name : p->sandbox_id);
}

struct found {
	struct pod *pod;
	bool ambiguous;
	struct buf list; /* the candidates, once it is ambiguous */
	unsigned n;
};

static void note(struct found *f, const struct pod *p)
{
	if (f->n++ >= CANDIDATES_SHOWN)
		return;
	if (f->list.len)
		buf_str(&f->list, ", ");
	pod_name(&f->list, p);
}

static void add_found(struct found *f, struct pod *p)
{
	if (!f->pod) {
		f->pod = p;
		note(f, p);
	} else if (same_str(f->pod->name, p->name) && same_str(f->pod->k8s_namespace, p->k8s_namespace)) {
		if (better(p, f->pod))
			f->pod = p;
	} else {
		f->ambiguous = true;
		note(f, p);
	}
}

/* Edit distance (insert, delete, replace), for the hint after a misspelt name. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[DISTANCE_MAX_LEN + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > DISTANCE_MAX_LEN || lb > DISTANCE_MAX_LEN)
		return DISTANCE_MAX_LEN;
	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

/* How far a pod is from what was typed; pods are often typed without their random tail. */
static unsigned pod_distance(const struct pod *p, const char *typed)
{
	char cut[DISTANCE_MAX_LEN + 1];
	unsigned whole = distance(p->name, typed), head;

	snprintf(cut, sizeof(cut), "%.*s", (int)(strlen(typed) < DISTANCE_MAX_LEN ? strlen(typed) : 0), p->name);
	head = distance(cut, typed);
	if (strlen(typed) >= 3 && strstr(p->name, typed))
		return 1;
	return whole < head ? whole : head;
}

static void hint(const struct pod_list *pl, const struct spec *s, struct err *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct pod *close = NULL;
	unsigned best = 3;

	if (s->kind == SPEC_POD)
		for (const struct pod *p = pl->pods; p; p = p->next) {
			unsigned d = p->name ? pod_distance(p, s->name) : DISTANCE_MAX_LEN;

			if (d < best && d < strlen(s->name)) {
				best = d;
				close = p;
			}
		}
	if (close) {
		pod_name(&b, close);
		err_hint(e, "did you mean %s?", buf_cstr(&b));
	} else if (!pl->pods) {
		err_hint(e, "no pod was found on this node at all; 'info' and 'pods' say which sources were asked");
	} else {
		err_hint(e, "'pods' lists what is there");
	}
}

static const struct pod_container *container_named(const struct pod *p, const char *name, bool prefix,
						   unsigned *ret_n)
{
	const struct pod_container *found = NULL;

	for (const struct pod_container *c = p->containers; c; c = c->next) {
		if (!c->name || !(prefix ? starts(c->name, name) : strcmp(c->name, name) == 0))
			continue;
		/* Of a restarted container the one that lives is meant. */
		if (found && same_str(found->name, c->name)) {
			if (!found->pid)
				found = c;
			continue;
		}
		found = c;
		(*ret_n)++;
	}
	return found;
}

static int match_container(const struct pod *p, const char *name, const struct pod_container **ret, struct err *e)
{
	_cleanup_buf_ struct buf what = BUF_INIT, list = BUF_INIT;
	unsigned n = 0;

	*ret = container_named(p, name, false, &n);
	if (!*ret)
		*ret = container_named(p, name, true, &n);
	if (*ret && n == 1)
		return 0;
	for (const struct pod_container *c = p->containers; c; c = c->next)
		buf_fmt(&list, "%s%s", list.len ? ", " : "", c->name ? c->name : c->id);
	buf_fmt(&what, "container '%s' of ", name);
	pod_name(&what, p);
	if (n)
		return err_set(e, ERR_TARGET, buf_cstr(&what), "the name is ambiguous: %s", buf_cstr(&list));
	return err_set(e, ERR_TARGET, buf_cstr(&what), "there is none; it has: %s", list.len ? buf_cstr(&list) : "none");
}

static int ambiguous(const struct found *f, const char *what, struct err *e)
{
	if (f->n > CANDIDATES_SHOWN)
		return err_set(e, ERR_TARGET, what, "ambiguous, could be %s and %u more", buf_cstr(&f->list),
			       f->n - CANDIDATES_SHOWN);
	return err_set(e, ERR_TARGET, what, "ambiguous, could be %s", buf_cstr(&f->list));
}

static int match_name(const struct pod_list *pl, const struct spec *s, struct pod **ret,
		      const struct pod_container **ret_container, struct err *e)
{
	_cleanup_buf_ struct buf what = BUF_INIT;
	struct found f = { .pod = NULL };
	const struct pod_container *c = NULL;
	int r = -1;

	for (enum how how = HOW_EXACT; how < HOW_COUNT && !f.pod; how++)
		for (struct pod *p = pl->pods; p; p = p->next)
			if (pod_is(p, s, how))
				add_found(&f, p);
	buf_str(&what, "pod '");
	if (s->k8s_namespace)
		buf_fmt(&what, "%s/", s->k8s_namespace);
	buf_fmt(&what, "%s'", s->name);
	if (!f.pod) {
		err_set(e, ERR_TARGET, buf_cstr(&what), "there is none with this name on this node");
		hint(pl, s, e);
	} else if (f.ambiguous) {
		ambiguous(&f, buf_cstr(&what), e);
		err_hint(e, "write more of the name, or NS/POD");
	} else if (!s->container || match_container(f.pod, s->container, &c, e) == 0) {
		*ret = f.pod;
		*ret_container = c;
		r = 0;
	}
	buf_free(&f.list);
	return r;
}

static int match_id(const struct pod_list *pl, const struct spec *s, struct pod **ret,
		    const struct pod_container **ret_container, struct err *e)
{
	_cleanup_buf_ struct buf what = BUF_INIT, list = BUF_INIT;
	const struct pod_container *container = NULL;
	struct pod *pod = NULL;
	unsigned n = 0;

	for (struct pod *p = pl->pods; p; p = p->next) {
		const struct pod_container *own = NULL;

		for (const struct pod_container *c = p->containers; c; c = c->next) {
			if (!starts(c->id, s->name))
				continue;
			own = c;
			if (n++ < CANDIDATES_SHOWN)
				buf_fmt(&list, "%s%.16s", list.len ? ", " : "", c->id);
		}
		if (!own && starts(p->sandbox_id, s->name) && n++ < CANDIDATES_SHOWN)
			buf_fmt(&list, "%s%.16s", list.len ? ", " : "", p->sandbox_id);
		else if (!own)
			continue;
		pod = p;
		container = own;
	}
	buf_fmt(&what, "container id '%s'", s->name);
	if (n > 1)
		return err_set(e, ERR_TARGET, buf_cstr(&what), "ambiguous, could be %s", buf_cstr(&list));
	if (!pod) {
		err_set(e, ERR_TARGET, buf_cstr(&what), "there is none that begins so on this node");
		hint(pl, s, e);
		return -1;
	}
	*ret = pod;
	*ret_container = container;
	return 0;
}

int match_pod(const struct pod_list *pl, const struct spec *s, struct pod **ret,
	      const struct pod_container **ret_container, struct err *e)
{
	return s->kind == SPEC_CID ? match_id(pl, s, ret, ret_container, e) : match_name(pl, s, ret, ret_container, e);
}
