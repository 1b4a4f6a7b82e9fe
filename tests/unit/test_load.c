/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_load - the stores of a namespace in one ruleset; what cannot be read is said, not left out */
#include <grp.h>
#include <linux/netfilter.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "nsutil/load.h"

static int in_fresh_namespace(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNET);
}

static void shell(const char *command)
{
	assert_int_equal(system(command), 0);
}

static struct target *self(void)
{
	struct pod_options opt = { .host_root = "/", .runtime = "none" };
	struct target *t = NULL;
	struct err e = ERR_INIT;

	if (target_open("self", &opt, &t, &e) < 0)
		fail_msg("%s: %s", e.what, e.why);
	return t;
}

static unsigned tables(const struct ruleset *rs, enum store store, uint8_t family)
{
	unsigned n = 0;

	for (const struct table *t = rs->tables; t; t = t->next)
		n += t->store == store && t->family == family;
	return n;
}

static void test_fresh_namespace_is_empty(void **state)
{
	struct target *t = self();
	struct ruleset *rs = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(load_ruleset(t, LOAD_ALL, &rs, &e), 0);
	assert_null(rs->tables);
	assert_null(rs->unread);
	ruleset_free(rs);
	target_free(t);
	shell("! grep -q . /proc/net/ip_tables_names /proc/net/ip6_tables_names");
}

static void test_three_stores(void **state)
{
	struct target *t = self();
	struct ruleset *rs = NULL;
	struct err e = ERR_INIT;

	(void)state;
	shell("iptables-legacy -t nat -N L && ip6tables-legacy -t mangle -N L6");
	shell("iptables-nft -t raw -N C && nft add table inet mine");
	assert_int_equal(load_ruleset(t, LOAD_ALL, &rs, &e), 0);
	assert_int_equal(tables(rs, STORE_LEGACY, NFPROTO_IPV4), 1);
	assert_int_equal(tables(rs, STORE_LEGACY, NFPROTO_IPV6), 1);
	assert_int_equal(tables(rs, STORE_COMPAT, NFPROTO_IPV4), 1);
	assert_int_equal(tables(rs, STORE_NATIVE, NFPROTO_INET), 1);
	ruleset_free(rs);
	assert_int_equal(load_ruleset(t, LOAD_LEGACY | LOAD_V6, &rs, &e), 0);
	assert_int_equal(tables(rs, STORE_LEGACY, NFPROTO_IPV4), 0);
	assert_int_equal(tables(rs, STORE_LEGACY, NFPROTO_IPV6), 1);
	assert_int_equal(tables(rs, STORE_NATIVE, NFPROTO_INET), 0);
	ruleset_free(rs);
	target_free(t);
}

/* An ordinary user may read neither; the error says which capability. */
static void test_refused(void **state)
{
	struct target *t = self();
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		struct ruleset *rs = NULL;
		struct err e = ERR_INIT;

		if (setgroups(0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
			_exit(9);
		if (load_ruleset(t, LOAD_ALL, &rs, &e) == 0)
			_exit(8);
		fprintf(stderr, "# %s: %s\n", e.what, e.why);
		_exit(e.code == ERR_PERM && strstr(e.why, "CAP_") ? 0 : 7);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(WEXITSTATUS(status), 0);
	target_free(t);
}

static void test_file_without_rules(void **state)
{
	struct target t = { .kind = TARGET_FILE, .spec = "file:x", .file = "x", .file_data = "no\n", .file_size = 3 };
	struct ruleset *rs = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(load_ruleset(&t, LOAD_ALL, &rs, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fresh_namespace_is_empty),
		cmocka_unit_test(test_three_stores),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_file_without_rules),
	};

	return cmocka_run_group_tests_name("load", tests, in_fresh_namespace, NULL);
}
