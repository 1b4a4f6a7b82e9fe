/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_pod_target - the grammar of targets, the choice among pods, and the readers of /proc texts */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/match.h"
#include "nsutil/pod/nsfs.h"
#include "nsutil/pod/proc.h"
#include "nsutil/pod/spec.h"
#include "nsutil/pod/target.h"

static void spec_good(void **state)
{
	static const struct {
		const char *text, *ns;
		struct spec want;
	} rows[] = {
		{ "self", NULL, { .kind = SPEC_SELF } },
		{ "host", NULL, { .kind = SPEC_HOST } },
		{ "4711", NULL, { .kind = SPEC_PID, .pid = 4711 } },
		{ "pid:1", NULL, { .kind = SPEC_PID, .pid = 1 } },
		{ "inode:4026532412", NULL, { .kind = SPEC_INODE, .inode = 4026532412 } },
		{ "netns:blue", NULL, { .kind = SPEC_NETNS_NAME, .name = "blue" } },
		{ "netns:/run/x", NULL, { .kind = SPEC_NETNS_PATH, .name = "/run/x" } },
		{ "cid:1f2e", NULL, { .kind = SPEC_CID, .name = "1f2e" } },
		{ "cid:containerd://1f2e", NULL, { .kind = SPEC_CID, .name = "1f2e" } },
		{ "file:a/b", NULL, { .kind = SPEC_FILE, .name = "a/b" } },
		{ "cart", NULL, { .kind = SPEC_POD, .name = "cart" } },
		{ "cart", "shop", { .kind = SPEC_POD, .k8s_namespace = "shop", .name = "cart" } },
		{ "shop/cart", "else", { .kind = SPEC_POD, .k8s_namespace = "shop", .name = "cart" } },
		{ "shop/cart/app", NULL,
		  { .kind = SPEC_POD, .k8s_namespace = "shop", .name = "cart", .container = "app" } },
		{ "pod/cart", "shop", { .kind = SPEC_POD, .k8s_namespace = "shop", .name = "cart" } },
		{ "pods/cart", NULL, { .kind = SPEC_POD, .name = "cart" } },
		{ "pod/cart/app", NULL,
		  { .kind = SPEC_POD, .k8s_namespace = "pod", .name = "cart", .container = "app" } },
		{ "cart.shop", NULL, { .kind = SPEC_POD, .name = "cart.shop" } },
		{ "4711a", NULL, { .kind = SPEC_POD, .name = "4711a" } },
	};
	struct arena *a _cleanup_arena_ = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err e = ERR_INIT;
		struct spec s;

		assert_int_equal(spec_parse(rows[i].text, rows[i].ns, a, &s, &e), 0);
		assert_int_equal(s.kind, rows[i].want.kind);
		assert_int_equal(s.pid, rows[i].want.pid);
		assert_int_equal(s.inode, rows[i].want.inode);
#define SAME(f) assert_string_equal(s.f ? s.f : "-", rows[i].want.f ? rows[i].want.f : "-")
		SAME(k8s_namespace);
		SAME(name);
		SAME(container);
	}
}

static void spec_bad(void **state)
{
	static const char *const rows[] = { "", "/", "a/", "/a", "a//b", "a/b/", "a/b/c/d", "pid:", "pid:0", "pid:-1",
					    "pid:4x", "0", "99999999999", "inode:", "inode:0x10", "netns:", "netns:a/b",
					    "netns:..", "cid:", "cid:XYZ", "cid:docker://", "file:" };
	struct arena *a _cleanup_arena_ = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err e = ERR_INIT;
		struct spec s;

		if (spec_parse(rows[i], NULL, a, &s, &e) != -1)
			fail_msg("'%s' was taken", rows[i]);
		assert_int_equal(e.code, ERR_USAGE);
		assert_true(e.hint[0]);
	}
}

static struct pod_container app = { .name = "app", .id = "aa11", .pid = 5 };
static struct pod_container proxy = { .name = "istio-proxy", .id = "aa22", .pid = 6, .next = &app };
static struct pod pods[] = {
	{ .k8s_namespace = "shop", .name = "cart-7d9f", .sandbox_id = "bb01", .state = "notready", .created_ns = 1 },
	{ .k8s_namespace = "shop", .name = "cart-7d9f", .sandbox_id = "bb02", .state = "ready", .pid = 5,
	  .created_ns = 2, .containers = &proxy },
	{ .k8s_namespace = "shop", .name = "cart-8a", .sandbox_id = "bb03", .state = "ready", .pid = 7 },
	{ .k8s_namespace = "test", .name = "web", .sandbox_id = "bb04", .state = "ready", .pid = 8 },
	{ .k8s_namespace = "prod", .name = "web", .sandbox_id = "bb05", .state = "ready", .pid = 9 },
	{ .k8s_namespace = "prod", .name = "web-2", .sandbox_id = "bb06", .state = "ready", .pid = 10 },
	{ .name = "dk1", .sandbox_id = "cc01", .state = "running", .pid = 11 },
};

static void match(void **state)
{
	static const struct {
		const char *text, *sandbox, *container, *why, *hint;
	} rows[] = {
		{ "shop/cart-7d9f", "bb02", NULL, NULL, NULL },
		{ "cart-7", "bb02", NULL, NULL, NULL },
		{ "cart", NULL, NULL, "ambiguous, could be shop/cart-7d9f, shop/cart-8a", "NS/POD" },
		{ "prod/web", "bb05", NULL, NULL, NULL },
		{ "web.prod", "bb05", NULL, NULL, NULL },
		{ "cart-8.shop", "bb03", NULL, NULL, NULL },
		{ "web", NULL, NULL, "ambiguous, could be test/web, prod/web", "NS/POD" },
		{ "web-", "bb06", NULL, NULL, NULL },
		{ "dk1", "cc01", NULL, NULL, NULL },
		{ "shop/cart-7d9f/app", "bb02", "app", NULL, NULL },
		{ "shop/cart-7d9f/istio", "bb02", "istio-proxy", NULL, NULL },
		{ "shop/cart-7d9f/nope", NULL, NULL, "it has: istio-proxy, app", NULL },
		{ "cid:aa1", "bb02", "app", NULL, NULL },
		{ "cid:aa", NULL, NULL, "ambiguous, could be aa22, aa11", NULL },
		{ "cid:bb03", "bb03", NULL, NULL, NULL },
		{ "cid:dd", NULL, NULL, "none that begins so", NULL },
		{ "shop/catr-8a", NULL, NULL, "none with this name", "did you mean shop/cart-8a?" },
		{ "zzzzzz", NULL, NULL, "none with this name", "'pods' lists" },
	};
	struct arena *a _cleanup_arena_ = arena_new();
	struct pod_list pl = { .pods = pods };

	(void)state;
	for (size_t i = 0; i + 1 < ARRAY_SIZE(pods); i++)
		pods[i].next = &pods[i + 1];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct pod_container *c = NULL;
		struct err e = ERR_INIT;
		struct pod *p = NULL;
		struct spec s;

		assert_int_equal(spec_parse(rows[i].text, NULL, a, &s, &e), 0);
		assert_int_equal(match_pod(&pl, &s, &p, &c, &e), rows[i].sandbox ? 0 : -1);
		if (rows[i].sandbox) {
			assert_string_equal(p->sandbox_id, rows[i].sandbox);
			assert_string_equal(c ? c->name : "-", rows[i].container ? rows[i].container : "-");
			continue;
		}
		assert_int_equal(e.code, ERR_TARGET);
		if (!strstr(e.why, rows[i].why) || (rows[i].hint && !strstr(e.hint, rows[i].hint)))
			fail_msg("%s: %s (%s)", rows[i].text, e.why, e.hint);
	}
}

static void stat_lines(void **state)
{
	struct proc_stat st;

	(void)state;
	assert_int_equal(proc_stat_parse("42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 9 10", &st), 0);
	assert_string_equal(st.comm, "a) b (c");
	assert_int_equal(st.ppid, 7);
	assert_int_equal(st.state, 'S');
	assert_int_equal(st.starttime, 123456);
	assert_int_equal(proc_stat_parse("42 (a", &st), -1);
	assert_int_equal(proc_stat_parse("42 (a) S 7", &st), -1);
	assert_int_equal(proc_stat_parse("", &st), -1);
	assert_int_equal(proc_stat("/proc", getpid(), &st), 0);
	assert_int_equal(st.ppid, getppid());
}

static void mountinfo(void **state)
{
	static const char text[] =
		"22 27 0:21 / /proc rw,relatime - proc proc rw\n"
		"30 25 0:4 net:[4026532412] /run/netns/a\\040b rw shared:7 - nsfs nsfs rw\n"
		"31 25 0:4 mnt:[4026532999] /run/mnt rw - nsfs nsfs rw\n"
		"32 25 0:9 net:[1] /not/nsfs rw - ext4 /dev/sda rw\n"
		"33 25 0:4 net:[4026532413] /run/docker/netns/x rw - nsfs nsfs rw";
	struct arena *a _cleanup_arena_ = arena_new();
	struct nsfs_mount *m = nsfs_parse(text, a);

	(void)state;
	assert_non_null(m);
	assert_int_equal(m->inode, 4026532412);
	assert_string_equal(m->path, "/run/netns/a b");
	assert_non_null(m->next);
	assert_int_equal(m->next->inode, 4026532413);
	assert_null(m->next->next);
	assert_null(nsfs_parse("", a));
}

static void addresses(void **state)
{
	static const char trie[] = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 127.0.0.1\n        /32 host LOCAL\n"
				   "     |-- 10.1.0.0\n        /24 link UNICAST\n     |-- 10.1.0.7\n        /32 host LOCAL\n"
				   "Local:\n     |-- 10.1.0.7\n        /32 host LOCAL\n     |-- 10.1.0.255\n"
				   "        /32 link BROADCAST\n";
	static const char inet6[] = "00000000000000000000000000000001 01 80 10 80       lo\n"
				    "fe80000000000000581cb0fffe2c7b2d 02 40 20 80     eth0\n"
				    "20010db8000000000000000000000007 02 40 00 80     eth0\nrubbish\n";
	struct arena *a _cleanup_arena_ = arena_new();
	struct addr *ips = NULL;
	char text[ADDR_TEXT];
	unsigned n = 0;

	(void)state;
	proc_parse_fib_trie(trie, a, &ips, &n);
	proc_parse_if_inet6(inet6, a, &ips, &n);
	assert_int_equal(n, 2);
	assert_string_equal(addr_fmt(&ips[0], text), "10.1.0.7");
	assert_string_equal(addr_fmt(&ips[1], text), "2001:db8::7");
}

static void open_simple(void **state)
{
	static const struct {
		const char *spec;
		enum err_code code;
	} bad[] = { { "netns:/etc/passwd", ERR_TARGET }, { "netns:/proc/self/ns/mnt", ERR_TARGET },
		    { "netns:there-is-no-such", ERR_TARGET }, { "pid:2147483646", ERR_TARGET },
		    { "inode:1", ERR_TARGET }, { "file:/there/is/no/such", ERR_TARGET } };
	struct pod_options opt = { .host_root = "/", .runtime = "none" };
	struct err e = ERR_INIT;
	struct target *t = NULL;
	uint64_t inode;

	(void)state;
	assert_int_equal(proc_netns("/proc", getpid(), &inode), 0);
	assert_int_equal(target_open("self", &opt, &t, &e), 0);
	assert_int_equal(t->netns.inode, inode);
	assert_int_equal(target_alive(t, &e), 0);
	target_free(t);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(target_open(bad[i].spec, &opt, &t, &e), -1);
		if (e.code != bad[i].code)
			fail_msg("%s: %d %s: %s", bad[i].spec, e.code, e.what, e.why);
		err_clear(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spec_good), cmocka_unit_test(spec_bad),  cmocka_unit_test(match),
		cmocka_unit_test(stat_lines), cmocka_unit_test(mountinfo), cmocka_unit_test(addresses),
		cmocka_unit_test(open_simple),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
