/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session - what stays between two commands: options, the current target */
#include "shell/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nsutil/pod/target.h"
#include "shell/state.h"

const struct session_options *session_options(const struct session *s)
{
	return &s->now;
}

bool session_interactive(const struct session *s)
{
	return s->interactive && !s->piped;
}

/* In a node debug pod the node's root is at /host, and its processes are visible there. */
static const char *default_root(void)
{
	if (access("/host/proc/1/ns", F_OK) == 0 && access("/host/etc", F_OK) == 0)
		return "/host";
	return "/";
}

static int color_when(const char *word)
{
	if (strcmp(word, "auto") == 0)
		return -1;
	return strcmp(word, "always") == 0;
}

static void take(struct session_options *o, const char *const g[GLOBAL_COUNT])
{
	if (g[GLOBAL_TARGET])
		o->target = g[GLOBAL_TARGET];
	if (g[GLOBAL_NAMESPACE])
		o->k8s_namespace = g[GLOBAL_NAMESPACE];
	if (g[GLOBAL_HOST_ROOT])
		o->host_root = g[GLOBAL_HOST_ROOT];
	if (g[GLOBAL_RUNTIME])
		o->runtime = g[GLOBAL_RUNTIME];
	if (g[GLOBAL_OUTPUT])
		o->format = parse_format(g[GLOBAL_OUTPUT]);
	if (g[GLOBAL_COLOR])
		o->color = color_when(g[GLOBAL_COLOR]);
	o->dry_run |= g[GLOBAL_DRY_RUN] != NULL;
	o->yes |= g[GLOBAL_YES] != NULL;
	o->plain |= g[GLOBAL_PLAIN] != NULL;
}

void session_init(struct session *s, const char *const globals[GLOBAL_COUNT])
{
	memset(s, 0, sizeof(*s));
	s->base = (struct session_options){ .host_root = default_root(), .format = OUT_TEXT, .color = -1 };
	take(&s->base, globals);
	s->now = s->base;
}

void session_close(struct session *s)
{
	target_free(s->current);
	target_free(s->once);
	for (unsigned i = 0; i < GLOBAL_COUNT; i++)
		free(s->kept[i]);
	free(s->pager);
	memset(s, 0, sizeof(*s));
}

void session_enter(struct session *s, const char *const g[GLOBAL_COUNT])
{
	s->now = s->base;
	take(&s->now, g);
	s->format_asked = g[GLOBAL_OUTPUT] != NULL;
	s->use_once = g[GLOBAL_TARGET] || g[GLOBAL_NAMESPACE] || g[GLOBAL_HOST_ROOT] || g[GLOBAL_RUNTIME];
}

void session_leave(struct session *s)
{
	keys_restore();
	target_free(s->once);
	s->once = NULL;
	s->use_once = false;
	s->now = s->base;
}

const char *session_label(const struct session *s)
{
	if (s->current)
		return s->current->label;
	return s->base.target ? s->base.target : "self";
}

static int open_target(const struct session_options *o, const char *spec, struct target **ret, struct err *e)
{
	const struct pod_options opt = {
		.host_root = o->host_root,
		.runtime = o->runtime,
		.k8s_namespace = o->k8s_namespace,
	};

	return target_open(spec ? spec : "self", &opt, ret, e);
}

int session_open_target(struct session *s, const char *spec, struct target **ret, struct err *e)
{
	return open_target(&s->now, spec, ret, e);
}

/* "-t nat" is what one types to iptables. */
static int table_hint(const char *target, struct err *e)
{
	static const char *const tables[] = { "raw", "mangle", "nat", "filter", "security" };

	for (size_t i = 0; target && i < sizeof(tables) / sizeof(tables[0]); i++)
		if (strcmp(target, tables[i]) == 0)
			return err_hint(e, "-t names a target; a table is given as --table %s", target);
	return -1;
}

int session_target(struct session *s, struct target **ret, struct err *e)
{
	struct target **t = s->use_once ? &s->once : &s->current;

	if (!*t && open_target(&s->now, s->now.target, t, e))
		return table_hint(s->now.target, e);
	if (target_alive(*t, e)) {
		target_free(*t); /* resolved anew at the next command: a restarted pod has the same name */
		*t = NULL;
		return -1;
	}
	*ret = *t;
	return 0;
}

static int keep(struct session *s, enum command_global which, const char **option, const char *value,
		struct err *e)
{
	char *copy = strdup(value);

	if (!copy)
		return err_oom(e);
	free(s->kept[which]);
	s->kept[which] = copy;
	*option = copy;
	return 0;
}

/* Options of the line that name the target stay with it: "use -n shop cart". */
static int keep_line(struct session *s, struct err *e)
{
	const struct session_options *now = &s->now;

	if (now->k8s_namespace != s->base.k8s_namespace &&
	    keep(s, GLOBAL_NAMESPACE, &s->base.k8s_namespace, now->k8s_namespace, e))
		return -1;
	if (now->host_root != s->base.host_root &&
	    keep(s, GLOBAL_HOST_ROOT, &s->base.host_root, now->host_root, e))
		return -1;
	if (now->runtime != s->base.runtime && keep(s, GLOBAL_RUNTIME, &s->base.runtime, now->runtime, e))
		return -1;
	return 0;
}

int session_use(struct session *s, const char *spec, struct err *e)
{
	struct target *t;

	if (open_target(&s->now, spec, &t, e))
		return -1;
	if (keep(s, GLOBAL_TARGET, &s->base.target, spec, e) || keep_line(s, e)) {
		target_free(t);
		return -1;
	}
	target_free(s->current);
	s->current = t;
	s->now.target = s->base.target;
	s->use_once = false;
	return 0;
}

/* The answer of a person: only a clear yes is one. */
static bool ask(const char *question)
{
	char answer[64];
	ssize_t n;

	dprintf(STDERR_FILENO, "%s [y/N] ", question);
	do {
		n = read(STDIN_FILENO, answer, sizeof(answer) - 1);
	} while (n < 0 && errno == EINTR && !signals_interrupted());
	if (n <= 0) {
		dprintf(STDERR_FILENO, "\n");
		return false;
	}
	answer[n] = '\0';
	answer[strcspn(answer, "\r\n")] = '\0';
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

int session_confirm(struct session *s, const char *question, struct err *e)
{
	if (s->now.yes)
		return 0;
	if (!isatty(STDIN_FILENO) || s->piped) {
		err_set(e, ERR_UNCONFIRMED, question, "nobody to ask: standard input is no terminal");
		return err_hint(e, "--yes makes the change, --dry-run shows it");
	}
	if (s->out)
		out_flush(s->out);
	if (ask(question))
		return 0;
	return err_set(e, ERR_UNCONFIRMED, question, "not confirmed; nothing was changed");
}

bool session_interrupted(const struct session *s)
{
	return signals_interrupted() || (s->out && out_broken(s->out));
}

void session_quit(struct session *s)
{
	s->quit = true;
}
