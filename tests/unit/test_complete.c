/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_complete - what the Tab key offers */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "shell/complete.h"
#include "shell/line.h"
#include "shell/state.h"

static struct session session;

/* Candidates for the last word of the line (it may be empty), joined by blanks. */
static const char *offered(const char *text)
{
	static char got[65536];
	const char *last = strrchr(text, ' ');
	struct line l = { .n = 0 };
	struct complete c;

	last = last ? last + 1 : text;
	assert_int_equal(line_parse(text, (size_t)(last - text), &l, NULL), 0);
	complete_words(&session, l.n, l.words, last, &c);
	got[0] = '\0';
	for (unsigned i = 0; i < c.n; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i ? " " : "", c.words[i]);
	if (c.files)
		strcat(got, " FILES");
	complete_free(&c);
	line_free(&l);
	return got;
}

static bool has(const char *list, const char *word)
{
	const char *p = list;
	size_t n = strlen(word);

	while ((p = strstr(p, word)) != NULL) {
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
		p += n;
	}
	return false;
}

static void test_commands(void **state)
{
	(void)state;
	assert_string_equal(offered("hel"), "help");
	assert_string_equal(offered("he hi"), "history");
	assert_true(has(offered(""), "quit"));
	assert_true(has(offered("-o json "), "watch"));
	assert_string_equal(offered("nonsense "), "");
	for (const struct command *const *c = command_table; *c; c++) {
		char name[64];

		snprintf(name, sizeof(name), "%s", (*c)->name);
		assert_true(has(offered(name), strrchr(name, ' ') ? strrchr(name, ' ') + 1 : name));
	}
}

static void test_options(void **state)
{
	(void)state;
	assert_string_equal(offered("watch --in"), "--interval");
	assert_true(has(offered("watch -"), "--output"));
	assert_false(has(offered("watch -"), "--file"));
	assert_string_equal(offered("set -o j"), "json jsonl");
	assert_string_equal(offered("set --output=js"), "--output=json --output=jsonl");
	assert_string_equal(offered("set --color n"), "never");
	assert_string_equal(offered("set color=a"), "color=always color=auto");
	assert_string_equal(offered("set dry-run="), "dry-run=no dry-run=yes");
	assert_string_equal(offered("set output=jsonl"), "output=jsonl");
	assert_string_equal(offered("--host-root "), " FILES");
	assert_string_equal(offered("set -- --o"), "");
	assert_string_equal(offered("watch -n "), "");
}

static void test_nested(void **state)
{
	(void)state;
	assert_true(has(offered("watch -n 2 he"), "help"));
	assert_string_equal(offered("watch -n 2 help qu"), "quit");
	assert_string_equal(offered("watch set --col"), "--color");
	assert_true(has(offered("set out"), "output="));
}

static void test_connection(void **state)
{
	(void)state;
	assert_true(has(offered("trace "), "forward"));
	assert_true(has(offered("trace "), "ipv6-icmp"));
	assert_false(has(offered("trace out "), "in"));
	assert_string_equal(offered("trace out ud"), "udp udplite");
	assert_true(has(offered("trace out tcp 10.0.0.1:80 "), "uid"));
	assert_true(has(offered("trace out tcp 10.0.0.1:80 "), "to"));
	assert_false(has(offered("trace out tcp 10.0.0.1 to "), "uid"));
	assert_true(has(offered("trace out tcp 10.0.0.1 to 10.0.0.2:80 u"), "uid"));
	assert_true(has(offered("trace out tcp 10.0.0.1:80 uid "), "1337"));
	assert_string_equal(offered("trace out tcp 10.0.0.1:80 ctstate inv"), "invalid");
	assert_string_equal(offered("trace out tcp 10.0.0.1:80 flags syn,ac"), "syn,ack");
	assert_true(has(offered("trace icmp 10.0.0.1 type "), "echo-request"));
	assert_string_equal(offered("istio show ISTIO_INBOUND_INTERCEPTION_MODE=T"), "ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY");
	assert_string_equal(offered("istio apply MODE="), "MODE=ambient MODE=sidecar");
	assert_string_equal(offered("istio apply CNI_MODE=t"), "CNI_MODE=true");
	assert_true(has(offered("doctor D"), "D01"));
	assert_true(has(offered("doctor d0"), "D01")); /* in any case of letters */
}

static void test_programs(void **state)
{
	(void)state;
	assert_int_equal(setenv("PATH", "/nowhere:/usr/bin:/bin", 1), 0);
	assert_true(has(offered("exec en"), "env"));
	assert_true(has(offered("exec --mount en"), "env"));
	assert_true(has(offered("!en"), "!env"));
	assert_false(has(offered("exec en"), "end"));
	assert_string_equal(offered("exec /usr/bin/en"), " FILES");
	assert_string_equal(offered("exec env "), " FILES"); /* its own words, whatever they are */
	assert_string_equal(offered("exec env --mou"), " FILES");
	assert_string_equal(offered("exec "), " FILES");
	assert_string_equal(offered("exec no-such-program-"), "");
}

static void test_targets(void **state)
{
	(void)state;
	assert_true(has(offered("-t s"), "self"));
	assert_true(has(offered("-t h"), "host"));
}

/* Every option's argument and every operand can be asked for. */
static void test_all(void **state)
{
	char text[256];

	(void)state;
	for (const struct command *const *c = command_table; *c; c++) {
		snprintf(text, sizeof(text), "%s ", (*c)->name);
		offered(text);
		for (const struct command_option *o = (*c)->options; o && o->name; o++) {
			snprintf(text, sizeof(text), "%s --%s", (*c)->name, o->name);
			assert_true(has(offered(text), strrchr(text, ' ') + 1));
			snprintf(text, sizeof(text), "%s --%s ", (*c)->name, o->name);
			offered(text);
			snprintf(text, sizeof(text), "%s --%s=x", (*c)->name, o->name);
			offered(text);
		}
	}
}

int main(void)
{
	static const char *const none[GLOBAL_COUNT] = { [GLOBAL_RUNTIME] = "none" };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands), cmocka_unit_test(test_connection), cmocka_unit_test(test_options), cmocka_unit_test(test_nested),
		cmocka_unit_test(test_targets),	 cmocka_unit_test(test_all), cmocka_unit_test(test_programs),
	};
	int failed;

	session_init(&session, none);
	failed = cmocka_run_group_tests_name("complete", tests, NULL, NULL);
	session_close(&session);
	return failed;
}
