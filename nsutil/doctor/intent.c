/* SPDX-License-Identifier: GPL-2.0-or-later */
/* intent - what the pod is meant to have: its annotations and the proxy's environment */
#include "nsutil/doctor/intent.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/doctor/check.h"
#include "nsutil/pod/hostfs.h"
#include "nsutil/pod/proc.h"

enum { ENVIRON_MOST = 1 << 20, FILE_MOST = 256 << 10 };

static void read_environ(struct doctor *d, const struct fact_process *p)
{
	_cleanup_free_ char *text = NULL;
	long n = proc_read(d->t->proc, p->pid, "environ", ENVIRON_MOST, &text);

	if (n <= 0)
		return;
	d->facts.env = arena_dup(d->arena, text, (size_t)n + 1);
	d->facts.env_len = d->facts.env ? (size_t)n : 0;
}

/* The file of the downward API: one NAME="VALUE" per line, quoted as Go does. */
static void read_annotations(struct doctor *d, const struct fact_process *p)
{
	const char *root = arena_printf(d->arena, "%s/%d/root", d->t->proc, (int)p->pid);
	const struct hostfs h = { .root = root, .proc = d->t->proc };
	_cleanup_free_ char *text = NULL;

	if (root && hostfs_read(&h, "/etc/istio/pod/annotations", FILE_MOST, &text) >= 0)
		d->facts.annotations = arena_strdup(d->arena, text);
}

static void ask(struct doctor *d)
{
	const struct fact_process *p;

	if (d->facts.asked_intent)
		return;
	d->facts.asked_intent = true;
	p = facts_proxy(d);
	if (!p)
		return;
	read_environ(d, p);
	read_annotations(d, p);
}

const char *intent_env(struct doctor *d, const char *name)
{
	size_t n = strlen(name);
	const char *at, *end;

	ask(d);
	at = d->facts.env;
	end = at ? at + d->facts.env_len : NULL;
	for (; at && at < end; at += strlen(at) + 1)
		if (strncmp(at, name, n) == 0 && at[n] == '=')
			return at + n + 1;
	return NULL;
}

static const char *from_json(struct doctor *d, const char *name)
{
	const char *text = intent_env(d, "ISTIO_METAJSON_ANNOTATIONS");
	json_t *j = text ? json_loads(text, 0, NULL) : NULL;
	const char *value = json_string_value(json_object_get(j, name));

	value = value ? arena_strdup(d->arena, value) : NULL;
	json_decref(j);
	return value;
}

static const char *from_file(struct doctor *d, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = d->facts.annotations; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
		const char *end;

		if (strncmp(at, name, n) != 0 || at[n] != '=' || at[n + 1] != '"')
			continue;
		at += n + 2;
		end = strpbrk(at, "\"\n");
		return end && *end == '"' ? arena_strndup(d->arena, at, (size_t)(end - at)) : NULL;
	}
	return NULL;
}

/* As the runtime knows them. */
static const char *from_pod(struct doctor *d, const char *name)
{
	const char *const *at = d->t->pod ? d->t->pod->annotations : NULL;
	size_t n = strlen(name);

	for (; at && *at; at++)
		if (strncmp(*at, name, n) == 0 && (*at)[n] == '=')
			return *at + n + 1;
	return NULL;
}

const char *intent_annotation(struct doctor *d, const char *name)
{
	const char *value = from_json(d, name);

	if (!value)
		value = from_file(d, name);
	return value ? value : from_pod(d, name);
}

unsigned intent_each(const char **at)
{
	while (*at && **at) {
		char *end;
		unsigned long v = strtoul(*at + strspn(*at, " ,"), &end, 10);
		bool whole = *end == '\0' || *end == ',' || *end == ' ';

		*at = end + strcspn(end, ",");
		if (**at)
			(*at)++;
		if (whole && v > 0 && v < 65536)
			return (unsigned)v;
	}
	return 0;
}

bool intent_has(const char *list, unsigned number)
{
	unsigned v;

	while ((v = intent_each(&list)))
		if (v == number)
			return true;
	return false;
}
