/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table - the list of commands and of the program's own options; look-ups in them */
#include <string.h>

#include "commands/command.h"

extern const struct command command_pods, command_use, command_info;
extern const struct command command_tables, command_diff, command_save, command_bundle;
extern const struct command command_istio_show, command_istio_verify, command_istio_apply, command_istio_flush;
extern const struct command command_istio_undo;
extern const struct command command_trace, command_doctor, command_scan;
extern const struct command command_sockets, command_conns, command_exec;
extern const struct command command_help, command_history, command_set, command_quit, command_watch;

/* In the order of help. A new command: its declaration above and its line here. */
const struct command *const command_table[] = {
	&command_pods,
	&command_use,
	&command_info,
	&command_tables,
	&command_diff,
	&command_trace,
	&command_istio_show,
	&command_istio_verify,
	&command_istio_apply,
	&command_istio_flush,
	&command_istio_undo,
	&command_doctor,
	&command_scan,
	&command_sockets,
	&command_conns,
	&command_save,
	&command_bundle,
	&command_watch,
	&command_exec,
	&command_help,
	&command_history,
	&command_set,
	&command_quit,
	NULL,
};

static const char *const formats[] = { "text", "wide", "json", "jsonl", "save", "nft", "prom", NULL };
static const char *const color_when[] = { "auto", "always", "never", NULL };

const struct command_option command_globals[] = {
	[GLOBAL_TARGET] = { "target", 't', ARG_TARGET, "TARGET", NULL,
			    "what to inspect; by default the namespace cnish runs in" },
	[GLOBAL_NAMESPACE] = { "namespace", 'n', ARG_TEXT, "NS", NULL,
			       "Kubernetes namespace of a bare pod name" },
	[GLOBAL_OUTPUT] = { "output", 'o', ARG_CHOICE, "FMT", formats, "format, as the command offers" },
	[GLOBAL_HOST_ROOT] = { "host-root", 0, ARG_FILE, "DIR", NULL,
			       "where the node's root file system is; default / (or /host in a node debug pod)" },
	[GLOBAL_RUNTIME] = { "runtime", 0, ARG_TEXT, "URI", NULL,
			     "unix:///run/containerd/containerd.sock, docker, ...; none: /proc and state files only" },
	[GLOBAL_COLOR] = { "color", 0, ARG_CHOICE, "WHEN", color_when, "when to use colour; NO_COLOR is honoured" },
	[GLOBAL_PLAIN] = { "plain", 0, ARG_NONE, NULL, NULL,
			   "for screen readers: one fact a line, nothing side by side, no colour" },
	[GLOBAL_DRY_RUN] = { "dry-run", 0, ARG_NONE, NULL, NULL, "show what would change" },
	[GLOBAL_YES] = { "yes", 0, ARG_NONE, NULL, NULL,
			 "make the change without asking; needed where standard input is no terminal" },
	[GLOBAL_HELP] = { "help", 'h', ARG_NONE, NULL, NULL, "help; after a command, on that command" },
	[GLOBAL_COMMAND] = { "command", 'c', ARG_TEXT, "LINE", NULL, "run LINE; repeatable, in order" },
	[GLOBAL_FILE] = { "file", 'f', ARG_FILE, "FILE", NULL,
			  "run the lines of FILE, - for standard input; '#' starts a comment" },
	[GLOBAL_VERSION] = { "version", 'V', ARG_NONE, NULL, NULL, "print the version" },
	[GLOBAL_COUNT] = { .name = NULL },
};

const char *command_format_name(unsigned format)
{
	for (unsigned i = 0; formats[i]; i++)
		if (format == 1U << i)
			return formats[i];
	return NULL;
}

const char *command_opt(const struct command *c, const struct command_args *args, const char *name)
{
	for (unsigned i = 0; c->options && c->options[i].name; i++)
		if (strcmp(c->options[i].name, name) == 0)
			return args->opts ? args->opts[i] : NULL;
	return NULL;
}
