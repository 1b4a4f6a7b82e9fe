/* SPDX-License-Identifier: GPL-2.0-or-later */
/* head - the head of a command's answer: which target it is about */
#include "commands/head.h"

#include <inttypes.h>

#include "nsutil/base/arena.h"
#include "nsutil/live/logger.h"
#include "nsutil/pod/target.h"
#include "shell/out/out.h"

static const char *kind_name(enum target_kind kind)
{
	static const char *const names[] = {
		[TARGET_SELF] = "self", [TARGET_HOST] = "host",	  [TARGET_POD] = "pod",
		[TARGET_PID] = "pid",	[TARGET_NETNS] = "netns", [TARGET_FILE] = "file",
	};

	return names[kind];
}

static void head_pod(const struct pod *p, struct out *o)
{
	if (!p) {
		out_null(o, "pod");
		return;
	}
	out_object(o, "pod");
	out_str(o, "namespace", NULL, p->k8s_namespace);
	out_str(o, "name", NULL, p->name);
	out_str(o, "uid", NULL, p->uid);
	out_str(o, "runtime", NULL, p->runtime);
	out_object_end(o);
}

static void head_netns(const struct netns *ns, struct out *o)
{
	if (ns->fd < 0) {
		out_null(o, "netns");
		return;
	}
	out_object(o, "netns");
	out_uint(o, "inode", "  netns %" PRIu64, ns->inode);
	out_str(o, "path", NULL, ns->path);
	out_object_end(o);
}

static void head_ips(const struct pod *p, struct out *o)
{
	char text[ADDR_TEXT];

	for (unsigned i = 0; p && i < p->n_ips; i++)
		out_text(o, "  %s", addr_fmt(&p->ips[i], text));
}

/* What a killed "trace --live" has changed is not put back by looking: that is a change too. */
static void note_left(const struct target *t, struct out *o)
{
	struct arena *a _cleanup_arena_ = t->netns.fd < 0 ? NULL : arena_new();

	if (a && logger_left(&t->netns, a) > 0)
		out_note(o, "a killed 'trace --live' has left its packet logger in %s; 'cnish -t %s --yes trace --live --time 1' "
			 "puts the former one back", t->label, t->label);
}

void head_target(const struct target *t, struct out *o)
{
	out_object(o, "target");
	out_style(o, STYLE_NAME);
	out_str(o, "label", "%s", t->label);
	out_style(o, STYLE_PLAIN);
	out_str(o, "kind", NULL, kind_name(t->kind));
	if (t->pid)
		out_int(o, "pid", "  pid %" PRId64, t->pid);
	else
		out_null(o, "pid");
	head_netns(&t->netns, o);
	head_pod(t->pod, o);
	out_str(o, "container", NULL, t->container);
	out_str(o, "file", NULL, t->file);
	out_object_end(o);
	head_ips(t->pod, o);
	out_nl(o);
	note_left(t, o);
}
