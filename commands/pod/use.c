/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use - make a target current */
#include "commands/command.h"
#include "commands/head.h"
#include "commands/pod/common.h"

static int run_use(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	struct target *t;

	if (session_use(s, args->argv[0], e) || session_target(s, &t, e))
		return -1;
	out_begin(o, "use");
	head_target(t, o);
	pod_put_evidence(out_structured(o) || out_format(o) == OUT_WIDE ? t->evidence : NULL, "evidence", o);
	out_end(o);
	return 0;
}

static const char *const examples[] = { "use shop/cart", "use pid:4711", "use netns:blue", "use host", NULL };

const struct command command_use = {
	.name = "use",
	.summary = "make a target current",
	.operands = "TARGET",
	.operand_kind = ARG_TARGET,
	.min_args = 1,
	.max_args = 1,
	.formats = OUT_WIDE,
	.description =
		"The commands that follow look at TARGET, and the prompt shows it. When TARGET cannot be resolved,\n"
		"the former one stays.\n\n"
		"A target is NS/POD, POD, NS/POD/CONTAINER, POD.NS, pid:N or a bare number, cid:HEX (the beginning of a\n"
		"container id), netns:NAME, netns:/path, inode:N, self, host or file:PATH. Names match exactly, else by\n"
		"unique prefix; an ambiguous one is an error that lists the candidates.",
	.examples = examples,
	.run = run_use,
};
