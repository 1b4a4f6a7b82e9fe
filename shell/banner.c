/* SPDX-License-Identifier: GPL-2.0-or-later */
/* banner - what a person is told when the interactive shell begins: what there is, and what to type next */
#include "shell/banner.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "shell/probe.h"

enum { PATIENCE = 700 }; /* milliseconds */

static void put_rules(const struct probe_facts *f)
{
	static const char *const stores[] = { "legacy", "compat", "native" };
	unsigned n = 0;

	if (!f->read) {
		fputs("its rules could not be read", stdout);
		return;
	}
	for (unsigned i = 0; i < 3; i++)
		if (f->rules[i])
			printf("%s%u %s rule%s", n++ ? ", " : "", f->rules[i], stores[i], f->rules[i] == 1 ? "" : "s");
	if (!n)
		fputs("no rules in any store", stdout);
}

static void put_mesh(const struct probe_facts *f)
{
	if (strcmp(f->mesh, "none") == 0)
		fputs("; not in the mesh", stdout);
	else if (strcmp(f->mesh, "unknown") != 0)
		printf("; %s mesh%s", f->mesh, f->drift > 0 ? ", and Istio's rules are not as they should be" :
						  f->drift == 0 ? ", and Istio's rules are as they should be" : "");
	if (f->pods)
		printf("; %u pod%s on this node", f->pods, f->pods == 1 ? "" : "s");
}

/* Three commands that lead on from what was found. */
static void put_next(const struct probe_facts *f)
{
	const char *next[3] = { "info", "doctor", "tables" };
	char use[300];

	if (f && f->drift > 0) {
		next[0] = "istio verify";
		next[2] = "trace out tcp ADDRESS:PORT";
	} else if (f && f->pods) {
		snprintf(use, sizeof(use), "use %s", f->pod);
		next[0] = "pods";
		next[1] = use;
		next[2] = "scan";
	} else if (f && (f->rules[0] || f->rules[1] || f->rules[2])) {
		next[0] = "tables";
		next[2] = "trace out tcp ADDRESS:PORT";
	}
	printf("next: %s   |   %s   |   %s      ('help' lists all, Tab completes)\n", next[0], next[1], next[2]);
}

void banner_show(struct session *s)
{
	const struct probe_facts *f;
	struct utsname u;

	probe_start(s, false);
	probe_wait(PATIENCE);
	f = probe_facts(session_label(s));
	printf("cnish " CNISH_VERSION " looks at %s", session_label(s));
	if (uname(&u) == 0)
		printf(" (Linux %s)", u.release);
	fputs(": ", stdout);
	if (f) {
		put_rules(f);
		put_mesh(f);
	} else {
		fputs("still reading", stdout);
	}
	fputs(".\n", stdout);
	put_next(f);
	fflush(stdout);
}
