/* SPDX-License-Identifier: GPL-2.0-or-later */
/* launch - how Istio's containers were started: vector, environment, annotations */
#include "nsutil/pod/launch.h"

#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/jget.h"

/* More than any sane container has; a hostile one gets no more memory than this. */
enum { WORDS_MAX = 2000, WORD_MAX = 64 << 10, ANNOTATIONS_MAX = 100 };

bool launch_wanted(const struct record *r)
{
	return !r->sandbox && r->name && strncmp(r->name, "istio-", 6) == 0;
}

static struct launch *start(struct gather *g, struct record *r, const char *source)
{
	if (!launch_wanted(r))
		return NULL;
	if (!r->launch) {
		r->launch = arena_alloc(g->arena, sizeof(*r->launch));
		if (!r->launch)
			return NULL;
		r->launch->container = r->name;
		r->launch->source = hostfs_word(g->arena, source);
		r->launch->uid = r->launch->gid = -1;
		r->launch->created_ns = r->created_ns;
	}
	return r->launch;
}

/* Adds a word to a list; what is too long, or too many, ends it: then nothing of it is known. */
struct words {
	const char **at;
	unsigned n;
	bool failed;
};

static void add(struct gather *g, struct words *w, const char *text)
{
	const char **at = w->failed ? NULL : arena_grow(g->arena, w->at, w->n, sizeof(*at));
	char *copy = text && strlen(text) <= WORD_MAX ? arena_strdup(g->arena, text) : NULL;

	if (!at || !copy || w->n >= WORDS_MAX) {
		w->failed = true;
		return;
	}
	w->at = at;
	at[w->n++] = copy;
}

static void add_array(struct gather *g, struct words *w, const json_t *array)
{
	json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
		add(g, w, json_string_value(item));
}

static const char *const *finish(struct gather *g, const struct words *w)
{
	const char **ret = w->n && !w->failed ? arena_grow(g->arena, w->at, w->n, sizeof(*ret)) : NULL;

	if (ret)
		ret[w->n] = NULL;
	return ret;
}

static void take_words(struct gather *g, const char *const **to, const json_t *first, const json_t *second)
{
	struct words w = { NULL, 0, false };

	if (*to)
		return;
	add_array(g, &w, first);
	add_array(g, &w, second);
	*to = finish(g, &w);
}

void launch_take_spec(struct gather *g, struct record *r, const json_t *spec, const char *source)
{
	static const char *const images[] = { "io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName" };
	json_t *process = jget(spec, "process", NULL), *user = jget(process, "user", NULL);
	struct launch *l = process ? start(g, r, source) : NULL;

	if (!l)
		return;
	take_words(g, &l->args, jget(process, "args", NULL), NULL);
	take_words(g, &l->env, jget(process, "env", NULL), NULL);
	for (size_t i = 0; i < ARRAY_SIZE(images); i++)
		gather_set(g, &l->image, jget_str(jget(spec, "annotations", NULL), images[i]));
	if (user && l->uid < 0) {
		l->uid = jget_int(user, "uid");
		l->gid = jget_int(user, "gid");
	}
}

void launch_take_cri(struct gather *g, struct record *r, const json_t *config, const char *source)
{
	struct launch *l = config ? start(g, r, source) : NULL;
	struct words env = { NULL, 0, false };
	json_t *item;
	size_t i;

	if (!l)
		return;
	take_words(g, &l->args, jget(config, "command", NULL), jget(config, "args", NULL));
	gather_set(g, &l->image, jget_str(jget(config, "image", NULL), "user_specified_image"));
	gather_set(g, &l->image, jget_str(jget(config, "image", NULL), "image"));
	json_array_foreach(jget(config, "envs", NULL), i, item) {
		const char *key = jget_str(item, "key"), *value = jget_str(item, "value");

		add(g, &env, key ? arena_printf(g->arena, "%s=%s", key, value ? value : "") : NULL);
	}
	if (!l->env)
		l->env = finish(g, &env);
}

void launch_take_docker(struct gather *g, struct record *r, const json_t *inspect, const char *source)
{
	json_t *config = jget(inspect, "Config", NULL);
	struct launch *l = config ? start(g, r, source) : NULL;
	struct words args = { NULL, 0, false };

	if (!l)
		return;
	if (jget_str(inspect, "Path"))
		add(g, &args, jget_str(inspect, "Path"));
	add_array(g, &args, jget(inspect, "Args", NULL));
	if (!l->args)
		l->args = finish(g, &args);
	take_words(g, &l->env, jget(config, "Env", NULL), NULL);
	gather_set(g, &l->image, jget_str(config, "Image"));
	launch_log(g, r, jget_str(inspect, "LogPath"), source);
}

void launch_log(struct gather *g, struct record *r, const char *path, const char *source)
{
	struct launch *l = path && path[0] == '/' ? start(g, r, source) : NULL;

	if (l)
		gather_set(g, &l->log, path);
}

void launch_annotation(struct gather *g, struct record *r, const char *key, const char *value)
{
	const char **at;

	if (!key || !value || !strstr(key, "istio.io/") || strlen(key) > 200 || strlen(value) > WORD_MAX ||
	    r->n_annotations >= ANNOTATIONS_MAX)
		return;
	at = arena_grow(g->arena, r->annotations, r->n_annotations, sizeof(*at));
	if (!at)
		return;
	r->annotations = at;
	at[r->n_annotations] = arena_printf(g->arena, "%s=%s", key, value);
	r->n_annotations += at[r->n_annotations] != NULL;
}

void launch_add(struct pod *p, const struct record *r)
{
	struct launch **at = &p->launches;

	if (!r->launch || r->launch->next)
		return;
	for (const struct launch *l = p->launches; l; l = l->next)
		if (l == r->launch)
			return;
	while (*at && (*at)->created_ns > r->launch->created_ns)
		at = &(*at)->next;
	r->launch->next = *at;
	*at = r->launch;
}
