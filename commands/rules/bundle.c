/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bundle - writes everything that is read of the target into one file, to be looked at elsewhere */
#include <inttypes.h>

#include "commands/command.h"
#include "commands/head.h"
#include "nsutil/base/file.h"
#include "nsutil/dump/bundle.h"

static int run(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	bool dry_run = session_options(s)->dry_run;
	struct target *t;

	if (session_target(s, &t, e) < 0)
		return -1;
	if (t->kind == TARGET_FILE)
		return err_set(e, ERR_USAGE, "bundle", "a file target is a file already");
	if (bundle_write(t, &text, e) < 0)
		return -1;
	if (!dry_run && file_put(args->argv[0], 0600, buf_cstr(&text), text.len, e) < 0)
		return -1;
	out_begin(o, "bundle-file");
	head_target(t, o);
	out_bool(o, "dry_run", NULL, dry_run);
	out_str(o, "path", dry_run ? "would write %s" : "%s", args->argv[0]);
	out_uint(o, "bytes", "  %" PRIu64 " bytes", text.len);
	out_nl(o);
	if (!dry_run)
		out_text(o, "cnish -t file:%s looks at it in place of the target\n", args->argv[0]);
	out_end(o);
	return 0;
}

static const char *const examples[] = { "-t shop/cart bundle cart.json", "-t file:cart.json tables", NULL };

const struct command command_bundle = {
	.name = "bundle",
	.summary = "write all that is read of the target into one file, which can be looked at in its place",
	.operands = "FILE",
	.operand_kind = ARG_FILE,
	.min_args = 1,
	.max_args = 1,
	.description = "Writes the rules of all stores as the kernel gives them, links, addresses, routes, policy rules\n"
		       "and sockets with the names of their processes, as one JSON object, readable by its owner only.\n"
		       "What stood in FILE before stays until all is written. With them go ipsets, tracked connections, where\n"
		       "Istio's configuration stands, the iptables of node and containers, and what the doctor finds. Of\n"
		       "environments only settings of Istio's rules are in it, of arguments only istio-init's. '-t file:FILE'\n"
		       "makes it the target, on any machine and without rights: info, tables, diff, save, trace, istio show\n"
		       "and verify, sockets, conns and doctor answer as they would have then.",
	.examples = examples,
	.run = run,
};
