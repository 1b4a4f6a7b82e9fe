/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bundle_read - what a bundle has beside rules and network, read again */
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/doctor/report.h"
#include "nsutil/dump/bundle_parts.h"
#include "nsutil/istio/pod_config.h"
#include "nsutil/xt/ipset.h"
#include "nsutil/xt/sets.h"

enum { WORDS_MAX = 4096 };

static const char *text_of(const json_t *from, const char *key, struct arena *a)
{
	const char *s = json_string_value(json_object_get(from, key));

	return s ? arena_strdup(a, s) : NULL;
}

/* Bundles of earlier versions have not all parts. */
static int not_there(struct err *e, const char *name, const char *what)
{
	err_set(e, ERR_USAGE, name, "it has no %s", what);
	return err_hint(e, "an earlier version wrote it");
}

int bundle_name_sets(const json_t *root, struct ruleset *rs, struct err *e)
{
	const json_t *list = json_object_get(json_object_get(root, "ipsets"), "names");
	size_t n = json_array_size(list);
	struct xt_set_name *names;

	if (n > UINT16_MAX + 1)
		n = UINT16_MAX + 1;
	names = arena_array(rs->arena, n + 1, sizeof(*names));
	if (!names)
		return err_oom(e);
	for (size_t i = 0; i < n; i++) {
		const json_t *x = json_array_get(list, i);

		names[i].index = (uint16_t)json_integer_value(json_object_get(x, "index"));
		names[i].name = text_of(x, "name", rs->arena);
		if (!names[i].name)
			return bundle_wrong(e, "ipsets of the bundle", "names");
	}
	return xt_name_sets_by(names, n, rs, e);
}

static int unread(const json_t *part, const char *what, struct err *e)
{
	const char *why = json_string_value(json_object_get(part, "unread"));

	return why ? err_set(e, ERR_SYS, what, "%s", why) : 0;
}

static int load_ipsets_of(const json_t *root, const char *name, struct ipset_list *list, struct err *e)
{
	const json_t *part = json_object_get(root, "ipsets");
	size_t size;
	void *tape;

	if (!part)
		return not_there(e, name, "ipsets");
	tape = bundle_get_base64(json_object_get(part, "answers"), list->arena, &size);
	if (!tape)
		return bundle_wrong(e, name, "ipsets");
	return unread(part, "ipsets of the bundle", e) < 0 ? -1 : ipset_play(tape, size, list, e);
}

int bundle_load_ipsets(const char *text, size_t size, const char *name, struct ipset_list *list, struct err *e)
{
	json_t *j = bundle_parse(text, size, name, e);
	int r = j ? load_ipsets_of(j, name, list, e) : -1;

	json_decref(j);
	return r;
}

static int load_conns_of(const json_t *root, const char *name, struct conn_list **ret, struct err *e)
{
	const json_t *part = json_object_get(root, "connections");
	_cleanup_arena_ struct arena *a = arena_new();
	size_t size;
	void *tape;

	if (!part)
		return not_there(e, name, "connections");
	tape = a ? bundle_get_base64(json_object_get(part, "answers"), a, &size) : NULL;
	if (!tape)
		return bundle_wrong(e, name, "connections");
	return unread(part, "connections of the bundle", e) < 0 ? -1 : conns_play(tape, size, ret, e);
}

int bundle_load_conns(const char *text, size_t size, const char *name, struct conn_list **ret, struct err *e)
{
	json_t *j = bundle_parse(text, size, name, e);
	int r = j ? load_conns_of(j, name, ret, e) : -1;

	json_decref(j);
	return r;
}

static const char *const *words_of(const json_t *list, struct arena *a)
{
	size_t n = json_array_size(list);
	const char **words;

	if (!json_is_array(list) || n > WORDS_MAX)
		return NULL;
	words = arena_array(a, n + 1, sizeof(*words));
	for (size_t i = 0; words && i < n; i++) {
		const char *s = json_string_value(json_array_get(list, i));

		words[i] = arena_strdup(a, s ? s : "");
		if (!words[i])
			return NULL;
	}
	return words;
}

static int64_t id_of(const json_t *from, const char *key)
{
	const json_t *v = json_object_get(from, key);

	return json_is_integer(v) ? json_integer_value(v) : -1;
}

static bool launch_of(const json_t *from, struct arena *a, struct launch *l)
{
	if (!json_is_object(from))
		return false;
	*l = (struct launch){ .uid = id_of(from, "uid"), .gid = id_of(from, "gid") };
	l->container = text_of(from, "container", a);
	if (!l->container)
		l->container = "?";
	l->source = text_of(from, "source", a);
	l->image = text_of(from, "image", a);
	l->args = words_of(json_object_get(from, "args"), a);
	l->env = words_of(json_object_get(from, "env"), a);
	return true;
}

static void about_iptables(const json_t *list, struct arena *a, struct bundle_about *ret)
{
	struct bundle_iptables **tail = &ret->iptables;

	for (size_t i = 0; i < json_array_size(list) && i < WORDS_MAX; i++) {
		const json_t *x = json_array_get(list, i);
		struct bundle_iptables *f = arena_alloc(a, sizeof(*f));

		if (!f)
			return;
		f->where = text_of(x, "where", a);
		f->variant = text_of(x, "variant", a);
		f->version = text_of(x, "version", a);
		f->path = text_of(x, "path", a);
		f->binary = text_of(x, "binary", a);
		if (!f->where || !f->variant || !f->version || !f->path || !f->binary)
			continue;
		*tail = f;
		tail = &f->next;
	}
}

static void about_processes(const json_t *list, struct arena *a, struct bundle_about *ret)
{
	size_t n = json_array_size(list);
	struct bundle_process *p = arena_array(a, n + 1, sizeof(*p));

	for (size_t i = 0; p && i < n; i++) {
		const json_t *x = json_array_get(list, i);

		p[i].pid = (pid_t)json_integer_value(json_object_get(x, "pid"));
		p[i].gid = (uint32_t)json_integer_value(json_object_get(x, "gid"));
		p[i].name = text_of(x, "name", a);
	}
	ret->processes = p;
	ret->n_processes = p ? (unsigned)n : 0;
}

int bundle_load_about(const char *text, size_t size, const char *name, struct arena *a, struct bundle_about *ret,
		      struct err *e)
{
	json_t *j = bundle_parse(text, size, name, e);
	const json_t *istio = json_object_get(j, "istio"), *of = json_object_get(j, "of");
	struct bundle_about about = { .kernel = NULL };

	if (!j)
		return -1;
	about.kernel = text_of(json_object_get(j, "kernel"), "release", a);
	about.pid = (pid_t)json_integer_value(json_object_get(of, "pid"));
	about.time = json_integer_value(json_object_get(j, "time"));
	about_iptables(json_object_get(j, "iptables"), a, &about);
	about_processes(json_object_get(j, "processes"), a, &about);
	about.istio.has_init = launch_of(json_object_get(istio, "init"), a, &about.istio.init) && about.istio.init.args;
	about.istio.has_proxy = launch_of(json_object_get(istio, "proxy"), a, &about.istio.proxy);
	about.istio.annotations = words_of(json_object_get(istio, "annotations"), a);
	about.resolv_conf = text_of(istio, "resolv_conf", a);
	about.resolv_why = text_of(istio, "resolv_why", a);
	json_decref(j);
	*ret = about;
	return 0;
}

int bundle_load_doctor(const char *text, size_t size, const char *name, struct arena *a, struct doctor_report *ret,
		       struct err *e)
{
	json_t *j = bundle_parse(text, size, name, e), *part = json_object_get(j, "doctor");
	int r = -1;

	if (j && !part)
		not_there(e, name, "report of the doctor");
	else if (j && doctor_report_read(part, a, ret) < 0)
		bundle_wrong(e, name, "doctor");
	else
		r = j ? 0 : -1;
	json_decref(j);
	return r;
}
