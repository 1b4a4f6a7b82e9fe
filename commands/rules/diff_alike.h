/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff_alike - differing rules that read the same, and the form in which they differ */
#ifndef COMMANDS_RULES_DIFF_ALIKE_H
#define COMMANDS_RULES_DIFF_ALIKE_H

#include "nsutil/ruleset/diff.h"

struct diff_form {
	const struct rule *rule;
	const char *text;
	bool nft; /* nft's form; else that in which rules are compared */
};

struct diff_alike {
	struct diff_form *forms;
	unsigned n;
};

/**
 * diff_alike() - which differing rules of one chain read the same on both sides
 * @a:		arena for the result
 * @d:		what differs
 * @ret:	set on success
 *
 * Two tools write one text for rules that the kernel holds in different forms: a person would see two equal lines.
 *
 * Return: 0, or -1 when memory ran out
 */
int diff_alike(struct arena *a, const struct diff *d, struct diff_alike *ret);

/* diff_form() - the form in which the rule differs from one that reads the same; NULL: none does */
const struct diff_form *diff_form(const struct diff_alike *s, const struct rule *r);

#endif
