/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_session - targets, preferences and confirmation of a session */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "nsutil/pod/target.h"
#include "shell/state.h"

static struct session s;

static int set_up(void **state)
{
	static const char *const globals[GLOBAL_COUNT] = { [GLOBAL_RUNTIME] = "none" };

	(void)state;
	session_init(&s, globals);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	session_close(&s);
	return 0;
}

static void test_target(void **state)
{
	struct target *t, *again;
	struct err e = ERR_INIT;

	(void)state;
	assert_string_equal(session_label(&s), "self");
	assert_int_equal(session_target(&s, &t, &e), 0);
	assert_int_equal(t->kind, TARGET_SELF);
	assert_int_equal(session_target(&s, &again, &e), 0);
	assert_ptr_equal(t, again); /* resolved once */
	assert_int_equal(session_use(&s, "pid:4194399", &e), -1);
	assert_int_equal(e.code, ERR_TARGET);
	assert_int_equal(session_target(&s, &again, NULL), 0);
	assert_ptr_equal(t, again); /* the former stays */
}

/* -t on a line holds for that line. */
static void test_once(void **state)
{
	const char *line[GLOBAL_COUNT] = { NULL };
	struct target *t;
	char spec[32];

	(void)state;
	snprintf(spec, sizeof(spec), "pid:%d", getpid());
	line[GLOBAL_TARGET] = spec;
	line[GLOBAL_YES] = "";
	session_enter(&s, line);
	assert_int_equal(session_target(&s, &t, NULL), 0);
	assert_int_equal(t->kind, TARGET_PID);
	assert_true(session_options(&s)->yes);
	session_leave(&s);
	assert_false(session_options(&s)->yes);
	assert_int_equal(session_target(&s, &t, NULL), 0);
	assert_int_equal(t->kind, TARGET_SELF);
}

/* The options of the line with "use" stay. */
static void test_use(void **state)
{
	const char *line[GLOBAL_COUNT] = { [GLOBAL_NAMESPACE] = "shop" };
	char spec[32];

	(void)state;
	snprintf(spec, sizeof(spec), "pid:%d", getpid());
	session_enter(&s, line);
	assert_int_equal(session_use(&s, spec, NULL), 0);
	session_leave(&s);
	assert_string_equal(session_setting(&s, "namespace"), "shop");
	assert_string_equal(session_options(&s)->target, spec);
}

static void test_dead(void **state)
{
	struct err e = ERR_INIT;
	struct target *t;
	char spec[32];
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	snprintf(spec, sizeof(spec), "pid:%d", pid);
	assert_int_equal(session_use(&s, spec, NULL), 0);
	assert_int_equal(session_target(&s, &t, NULL), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(session_target(&s, &t, &e), -1);
	assert_int_equal(e.code, ERR_TARGET);
	assert_non_null(strstr(e.what, spec));
}

static void test_settings(void **state)
{
	static const char *const ok[][2] = {
		{ "namespace", "shop" }, { "namespace", "" }, { "output", "json" }, { "host-root", "/" },
		{ "runtime", "docker" }, { "color", "auto" }, { "color", "never" }, { "color", "always" },
		{ "dry-run", "yes" },	 { "dry-run", "no" }, { "yes", "yes" },	   { "yes", "no" },
	};
	static const char *const bad[][2] = {
		{ "output", "xml" }, { "color", "red" }, { "yes", "1" }, { "dry-run", "" }, { "target", "self" }, { "", "" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(ok) / sizeof(ok[0]); i++) {
		assert_int_equal(session_set(&s, ok[i][0], ok[i][1], NULL), 0);
		assert_string_equal(session_setting(&s, ok[i][0]), ok[i][1]);
	}
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(session_set(&s, bad[i][0], bad[i][1], &e), -1);
		assert_int_equal(e.code, ERR_USAGE);
	}
	assert_null(session_setting(&s, "nothing"));
}

/* Nobody to ask: no change without --yes. */
static void test_confirm(void **state)
{
	const char *line[GLOBAL_COUNT] = { [GLOBAL_YES] = "" };
	struct err e = ERR_INIT;
	int old = dup(STDIN_FILENO), null = open("/dev/null", O_RDONLY);

	(void)state;
	dup2(null, STDIN_FILENO);
	assert_int_equal(session_confirm(&s, "flush 3 chains?", &e), -1);
	assert_int_equal(e.code, ERR_UNCONFIRMED);
	assert_non_null(strstr(e.hint, "--yes"));
	session_enter(&s, line);
	assert_int_equal(session_confirm(&s, "flush 3 chains?", NULL), 0);
	session_leave(&s);
	assert_int_equal(session_confirm(&s, "flush 3 chains?", NULL), -1);
	dup2(old, STDIN_FILENO);
	close(old);
	close(null);
}

/* A person at a terminal: only yes is yes. */
static void test_ask(void **state)
{
	static const struct { const char *typed; int want; } answers[] = {
		{ "y\n", 0 }, { "YES\n", 0 }, { "\n", -1 }, { "n\n", -1 }, { "yess\n", -1 }, { "\004", -1 },
	};
	int old = dup(STDIN_FILENO), err = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;

	(void)state;
	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	dup2(slave, STDIN_FILENO);
	dup2(null, STDERR_FILENO);
	for (unsigned i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		assert_true(write(master, answers[i].typed, strlen(answers[i].typed)) > 0);
		assert_int_equal(session_confirm(&s, "?", NULL), answers[i].want);
	}
	dup2(old, STDIN_FILENO);
	dup2(err, STDERR_FILENO);
	close(old);
	close(err);
	close(null);
	close(slave);
	close(master);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_target), TEST(test_once),    TEST(test_use), TEST(test_dead),
		TEST(test_settings), TEST(test_confirm), TEST(test_ask),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
