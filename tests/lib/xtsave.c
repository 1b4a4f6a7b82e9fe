/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xtsave - prints the legacy tables of its own namespace as iptables-save text (or JSON) with the library alone */
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/ruleset/text.h"
#include "nsutil/xt/codec.h"
#include "nsutil/xt/parse.h"
#include "nsutil/xt/write.h"
#include "nsutil/xt/xt.h"

/* xtsave 4|6 [counters|json|read|parse|write]; parse: iptables-restore text from standard input instead;
 * write: commit that text's chains and rules to the namespace, print nothing */
static void print_json(const struct ruleset *rs, struct buf *b)
{
	struct json j;

	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next)
			for (const struct rule *r = c->rules; r; r = r->next)
				for (const struct stmt *s = r->stmts; s; s = s->next) {
					if (s->kind != STMT_XT)
						continue;
					json_init(&j, b);
					xt_ext_json(s->xt, &j, NULL);
					buf_chr(b, '\n');
				}
}

static int parse_stdin(struct ruleset *rs, unsigned families, struct err *e)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	char part[4096];
	size_t n;

	while ((n = fread(part, 1, sizeof(part), stdin)) > 0)
		buf_add(&text, part, n);
	return xt_parse_restore(rs, STORE_LEGACY, families == 2 ? NFPROTO_IPV6 : NFPROTO_IPV4, text.data, text.len,
				"stdin", e);
}

static int write_all(const struct netns *ns, const struct ruleset *rs, struct err *e)
{
	struct xt_edit *edits = NULL;
	size_t n = 0;
	int r;

	for (const struct table *t = rs->tables; t; t = t->next)
		for (unsigned pass = 0; pass < 2; pass++)
			for (const struct chain *c = t->chains; c; c = c->next) {
				struct xt_edit ed = { .family = t->family, .table = t->name, .chain = c->name };

				ed.op = c->base ? XT_EDIT_POLICY : XT_EDIT_NEW_CHAIN;
				ed.policy = c->policy;
				edits = realloc(edits, (n + c->n_rules + 1) * sizeof(*edits));
				if (pass == 0) {
					edits[n++] = ed;
					continue;
				}
				ed.op = XT_EDIT_APPEND_RULE;
				for (const struct rule *rule = c->rules; rule; rule = rule->next) {
					ed.rule = rule;
					edits[n++] = ed;
				}
			}
	r = xt_commit(ns, edits, n, NULL, 1000, NULL, e);
	free(edits);
	return r;
}

int main(int argc, char **argv)
{
	_cleanup_ruleset_ struct ruleset *rs = ruleset_new();
	_cleanup_netns_ struct netns ns = NETNS_INIT;
	_cleanup_buf_ struct buf b = BUF_INIT;
	unsigned families = argc > 1 && argv[1][0] == '6' ? 2 : 1;
	const char *how = argc > 2 ? argv[2] : "";
	struct err e = ERR_INIT;

	bool from_text = strcmp(how, "parse") == 0 || strcmp(how, "write") == 0;

	if (!rs || netns_open_self(&ns, &e) < 0 ||
	    (from_text ? parse_stdin(rs, families, &e) : xt_read(&ns, families, rs, &e)) < 0 ||
	    (strcmp(how, "write") == 0 && write_all(&ns, rs, &e) < 0)) {
		fprintf(stderr, "xtsave: %s: %s%s%s\n", e.what, e.why, e.hint[0] ? "; " : "", e.hint);
		return 5;
	}
	for (const struct unread *u = rs->unread; u; u = u->next)
		fprintf(stderr, "xtsave: unread %s: %s\n", u->table, u->why);
	if (strcmp(how, "json") == 0)
		print_json(rs, &b);
	else if (strcmp(how, "read") != 0 && strcmp(how, "write") != 0)
		ruleset_save(rs, STORE_LEGACY, families == 2 ? NFPROTO_IPV6 : NFPROTO_IPV4, NULL,
			     strcmp(how, "counters") == 0, &b);
	fputs(buf_cstr(&b), stdout);
	return 0;
}
