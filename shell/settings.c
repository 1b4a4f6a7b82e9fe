/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings - the preferences of a session that 'set' shows and changes */
#include <stdlib.h>
#include <string.h>

#include "nsutil/pod/target.h"
#include "shell/state.h"

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

static int set_text(struct session *s, enum command_global which, const char **option, const char *value,
		    struct err *e)
{
	char *copy = *value ? strdup(value) : NULL;

	if (*value && !copy)
		return err_oom(e);
	free(s->kept[which]);
	s->kept[which] = copy;
	*option = copy;
	/* The target is found anew where it is now to be looked for. */
	target_free(s->current);
	s->current = NULL;
	return 0;
}

static int set_color(struct session *s, const char *value, struct err *e)
{
	static const char *const when[] = { "never", "always", "auto" };

	for (int i = 0; i < 3; i++)
		if (strcmp(value, when[i]) == 0) {
			s->base.color = i < 2 ? i : -1;
			return 0;
		}
	return err_set(e, ERR_USAGE, "color", "'%s' is none of: auto, always, never", value);
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
	if (strcmp(name, "dry-run") == 0)
		return set_bool(&b->dry_run, name, value, e);
	if (strcmp(name, "yes") == 0)
		return set_bool(&b->yes, name, value, e);
	if (strcmp(name, "output") == 0) {
		if (!parse_format(value))
			return err_set(e, ERR_USAGE, name, "'%s' is no format", value);
		b->format = parse_format(value);
		return 0;
	}
	err_set(e, ERR_USAGE, name, "no such setting");
	return err_hint(e, "'set' alone lists them");
}
