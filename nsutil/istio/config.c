/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config - Istio's configuration: defaults, presets, typed settings */
#include "nsutil/istio/config.h"

#include <stdio.h>
#include <string.h>

#include "nsutil/base/near.h"
#include "nsutil/base/cleanup.h"

int istio_list_add(struct arena *a, struct istio_list *l, const char *item)
{
	const char **items = arena_grow(a, l->items, l->n, sizeof(*items));

	if (!items)
		return -1;
	l->items = items;
	items[l->n] = arena_strdup(a, item);
	if (!items[l->n])
		return -1;
	l->n++;
	return 0;
}

int istio_split(struct arena *a, const char *text, struct istio_list *ret)
{
	struct istio_list l = { 0 };

	while (*text) {
		size_t n = strcspn(text, ",");

		if (n) {
			const char *item = arena_strndup(a, text, n);

			if (!item || istio_list_add(a, &l, item) < 0)
				return -1;
		}
		text += n + (text[n] == ',');
	}
	*ret = l;
	return 0;
}

static bool holds_bool(const struct istio_setting *s)
{
	return s->kind == ISTIO_BOOL;
}

static void *member(struct istio_config *c, const struct istio_setting *s)
{
	return (char *)c + s->offset;
}

const char *istio_config_text(const struct istio_config *c, const struct istio_setting *s)
{
	const void *m = (const char *)c + s->offset;

	if (holds_bool(s))
		return *(const bool *)m ? "true" : "false";
	return *(const char *const *)m;
}

int istio_truth(const char *text, bool *ret)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };

	for (unsigned i = 0; i < ARRAY_SIZE(yes); i++)
		if (strcmp(text, yes[i]) == 0)
			return *ret = true, 0;
	for (unsigned i = 0; i < ARRAY_SIZE(no); i++)
		if (strcmp(text, no[i]) == 0)
			return *ret = false, 0;
	return -1;
}

static int bad_value(const struct istio_setting *s, const char *value, const char *why, struct err *e)
{
	char what[200];

	snprintf(what, sizeof(what), "%s='%s'", s->env, value);
	return err_set(e, ERR_USAGE, what, "%s", why);
}

/* What can be said of a value before the namespace is known; the rest is istio_config_resolve()'s. */
static int store(struct istio_config *c, const struct istio_setting *s, const char *value, struct err *e)
{
	bool truth;

	if (holds_bool(s)) {
		if (istio_truth(value, &truth) < 0)
			return bad_value(s, value, "neither true nor false", e);
		*(bool *)member(c, s) = truth;
		return 0;
	}
	value = arena_strdup(c->arena, value);
	if (!value)
		return err_oom(e);
	*(const char **)member(c, s) = value;
	return 0;
}

int istio_config_value(struct istio_config *c, const struct istio_setting *s, const char *value,
		       enum istio_source from, struct err *e)
{
	enum istio_source *had = &c->source[s - istio_settings];

	if (from < *had)
		return 0;
	if (store(c, s, value, e) < 0)
		return -1;
	*had = from;
	c->origin[s - istio_settings] = c->origin_now;
	return 0;
}

const char *istio_config_origin(const struct istio_config *c, const struct istio_setting *s)
{
	const char *origin = c->origin[s - istio_settings];

	return origin ? origin : istio_source_name(c->source[s - istio_settings]);
}

/* Names that look as if they set something, and what to write in their place (SPEC A1, A6). */
static const struct misleading {
	const char *name, *why, *hint;
} misleading[] = {
	{ "ENVOY_PORT", "Istio only logs this variable since 1.21", "use -- -p PORT, or envoy-port=PORT" },
	{ "INBOUND_INTERCEPTION_MODE", "Istio's rule programmer does not read this variable",
	  "use ISTIO_INBOUND_INTERCEPTION_MODE" },
	{ "INBOUND_TPROXY_MARK", "Istio's rule programmer does not read this variable",
	  "use ISTIO_INBOUND_TPROXY_MARK" },
	{ "ISTIO_INBOUND_EXCLUDE_PORTS", "nothing in Istio reads this variable",
	  "use ISTIO_LOCAL_EXCLUDE_PORTS" },
};

static int unknown_setting(const char *text, size_t n, struct err *e)
{
	char name[61];

	snprintf(name, sizeof(name), "%.*s", (int)(n > 60 ? 60 : n), text);
	err_set(e, ERR_USAGE, "unknown Istio setting", "'%s'", name);
	if (near_word(istio_setting_names, name))
		return err_hint(e, "did you mean '%s'?", near_word(istio_setting_names, name));
	return err_hint(e, "'help istio show' lists the settings");
}

int istio_config_set(struct istio_config *c, const char *text, struct err *e)
{
	const char *equals = strchr(text, '=');
	size_t n = equals ? (size_t)(equals - text) : strlen(text);
	const struct istio_setting *s = istio_setting_find(text, n);
	enum istio_source from = ISTIO_FROM_ENV;

	for (unsigned i = 0; i < ARRAY_SIZE(misleading); i++)
		if (strlen(misleading[i].name) == n && memcmp(misleading[i].name, text, n) == 0) {
			err_set(e, ERR_USAGE, misleading[i].name, "%s", misleading[i].why);
			return err_hint(e, "%s", misleading[i].hint);
		}
	if (!s)
		return unknown_setting(text, n, e);
	if (!equals) {
		err_set(e, ERR_USAGE, s->env, "a setting needs a value");
		return err_hint(e, "%s=VALUE", s->env);
	}
	if (s->env2 && strlen(s->env2) == n && memcmp(s->env2, text, n) == 0)
		from = ISTIO_FROM_ENV2;
	return istio_config_value(c, s, equals + 1, from, e);
}

static int apply_preset(struct istio_config *c, const struct istio_preset *p, struct err *e)
{
	for (const char *const *text = p->settings; *text; text++) {
		const char *equals = strchr(*text, '=');
		const struct istio_setting *s = istio_setting_find(*text, (size_t)(equals - *text));

		if (istio_config_value(c, s, equals + 1, ISTIO_FROM_PRESET, e) < 0)
			return -1;
	}
	return 0;
}

int istio_config_new(struct arena *a, const char *preset, struct istio_config **ret, struct err *e)
{
	const struct istio_preset *p = istio_presets;
	struct istio_config *c = arena_alloc(a, sizeof(*c));

	if (!c)
		return err_oom(e);
	c->arena = a;
	for (const struct istio_setting *s = istio_settings; s->field; s++)
		if (store(c, s, s->fallback, e) < 0)
			return -1;
	while (p->name && strcmp(p->name, preset ? preset : "none") != 0)
		p++;
	if (!p->name)
		return err_set(e, ERR_USAGE, "unknown preset",
			       "'%s': one of istio-init, cni, vm, ambient, none", preset);
	if (apply_preset(c, p, e) < 0)
		return -1;
	*ret = c;
	return 0;
}
