/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings - the preferences of a session that 'set' shows and changes */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/target.h"
#include "shell/state.h"

static const char *const yes_no[] = { "yes", "no", NULL };
static const char *const color_when[] = { "never", "always", "auto", NULL };
static const char *const pagers[] = { "off", NULL };

/* The one list of the preferences. */
static const struct {
	const char *name;
	const char *const *choices; /* NULL: any text */
} settings[] = {
	{ "namespace", NULL }, { "output", NULL },    { "host-root", NULL }, { "runtime", NULL },
	{ "color", color_when }, { "plain", yes_no }, { "pager", NULL },     { "dry-run", yes_no },
	{ "yes", yes_no },
};

const char *session_setting_name(unsigned i)
{
	return i < ARRAY_SIZE(settings) ? settings[i].name : NULL;
}

const char *const *session_setting_choices(const char *name)
{
	if (strcmp(name, "output") == 0)
		return command_globals[GLOBAL_OUTPUT].choices;
	if (strcmp(name, "pager") == 0)
		return pagers; /* a suggestion */
	for (unsigned i = 0; i < ARRAY_SIZE(settings); i++)
		if (strcmp(name, settings[i].name) == 0)
			return settings[i].choices;
	return NULL;
}

static const char *bool_word(bool b)
{
	return b ? "yes" : "no";
}

const char *session_setting(const struct session *s, const char *name)
{
	const struct session_options *b = &s->base;

	if (strcmp(name, "namespace") == 0)
		return b->k8s_namespace ? b->k8s_namespace : "";
	if (strcmp(name, "host-root") == 0)
		return b->host_root;
	if (strcmp(name, "runtime") == 0)
		return b->runtime ? b->runtime : "";
	if (strcmp(name, "output") == 0)
		return command_format_name(b->format);
	if (strcmp(name, "color") == 0)
		return b->color < 0 ? "auto" : b->color ? "always" : "never";
	if (strcmp(name, "plain") == 0)
		return bool_word(b->plain);
	if (strcmp(name, "pager") == 0)
		return s->pager ? s->pager : "";
	if (strcmp(name, "dry-run") == 0)
		return bool_word(b->dry_run);
	if (strcmp(name, "yes") == 0)
		return bool_word(b->yes);
	return NULL;
}

static int set_bool(bool *option, const char *name, const char *value, struct err *e)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return err_set(e, ERR_USAGE, name, "'%s' is neither yes nor no", value);
	*option = strcmp(value, "yes") == 0;
	return 0;
}

static int copy_text(char **at, const char *value, struct err *e)
{
	char *copy = *value ? strdup(value) : NULL;

	if (*value && !copy)
		return err_oom(e);
	free(*at);
	*at = copy;
	return 0;
}

static int set_text(struct session *s, enum command_global which, const char **option, const char *value,
		    struct err *e)
{
	if (copy_text(&s->kept[which], value, e))
		return -1;
	*option = s->kept[which];
	/* The target is found anew where it is now to be looked for. */
	target_free(s->current);
	s->current = NULL;
	return 0;
}

static int set_color(struct session *s, const char *value, struct err *e)
{
	for (int i = 0; i < 3; i++)
		if (strcmp(value, color_when[i]) == 0) {
			s->base.color = i < 2 ? i : -1;
			return 0;
		}
	return err_set(e, ERR_USAGE, "color", "'%s' is none of: auto, always, never", value);
}

static int unknown(const char *name, struct err *e)
{
	unsigned best = 3;
	const char *near = NULL;

	for (unsigned i = 0; i < ARRAY_SIZE(settings); i++) {
		unsigned d = match_near(settings[i].name, name);

		if (d < best) {
			best = d;
			near = settings[i].name;
		}
	}
	err_set(e, ERR_USAGE, name, "no such setting");
	return near ? err_hint(e, "did you mean '%s'?", near) : err_hint(e, "'set' alone lists them");
}

static int set_output(struct session *s, const char *value, struct err *e)
{
	if (!parse_format(value))
		return err_set(e, ERR_USAGE, "output", "'%s' is no format", value);
	s->base.format = parse_format(value);
	return 0;
}

int session_set(struct session *s, const char *name, const char *value, struct err *e)
{
	struct session_options *b = &s->base;

	if (strcmp(name, "namespace") == 0)
		return set_text(s, GLOBAL_NAMESPACE, &b->k8s_namespace, value, e);
	if (strcmp(name, "host-root") == 0)
		return set_text(s, GLOBAL_HOST_ROOT, &b->host_root, *value ? value : "/", e);
	if (strcmp(name, "runtime") == 0)
		return set_text(s, GLOBAL_RUNTIME, &b->runtime, value, e);
	if (strcmp(name, "color") == 0)
		return set_color(s, value, e);
	if (strcmp(name, "plain") == 0)
		return set_bool(&b->plain, name, value, e);
	if (strcmp(name, "pager") == 0)
		return copy_text(&s->pager, value, e);
	if (strcmp(name, "dry-run") == 0)
		return set_bool(&b->dry_run, name, value, e);
	if (strcmp(name, "yes") == 0)
		return set_bool(&b->yes, name, value, e);
	if (strcmp(name, "output") == 0)
		return set_output(s, value, e);
	return unknown(name, e);
}
