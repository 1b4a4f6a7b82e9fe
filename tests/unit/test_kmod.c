/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_kmod - loaded, built-in and absent modules, told apart in fixture roots */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <cmocka.h>

#include "nsutil/netns/kmod.h"

static char root[64];

static void put(const char *path, const char *text)
{
	char full[512];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		mkdir(full, 0755);
		*p = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int fresh_root(void **state)
{
	(void)state;
	strcpy(root, "/tmp/test_kmod.XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int drop_root(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void loaded_modules_are_ready(void **state)
{
	(void)state;
	put("/proc/modules", "nf_tables_set 1 0 - Live 0x0\nnf_nat 1 0 - Live 0x0\n");
	assert_int_equal(kmod_state(root, "nf_nat", NULL), KMOD_READY);
	assert_int_equal(kmod_state(root, "nf_tables", NULL), KMOD_UNKNOWN);
	put("/sys/module/nf_tables/refcnt", "1\n");
	assert_int_equal(kmod_state(root, "nf_tables", NULL), KMOD_READY);
}

static void builtin_list_decides_when_it_is_there(void **state)
{
	struct utsname u;
	char path[300];

	(void)state;
	uname(&u);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin", u.release);
	put("/proc/modules", "");
	put(path, "kernel/net/netfilter/nf-tables.ko\nkernel/net/ipv4/ip_tablesx.ko\n");
	put("/proc/kallsyms", "0 T ip_tables_fn\n");
	assert_int_equal(kmod_state(root, "nf_tables", NULL), KMOD_READY);
	assert_int_equal(kmod_state(root, "ip_tables", "ip_tables_fn"), KMOD_ABSENT);
}

static void symbols_are_the_last_resort(void **state)
{
	(void)state;
	put("/proc/modules", "");
	put("/proc/kallsyms", "0000 T nft_do_chain\n0000 t other\t[mod]\n");
	assert_int_equal(kmod_state(root, "nf_tables", "nft_do_chain"), KMOD_READY);
	assert_int_equal(kmod_state(root, "ip_tables", "ipt_do_table"), KMOD_ABSENT);
}

static void a_kernel_without_modules_cannot_load_one(void **state)
{
	(void)state;
	put("/proc/self/comm", "x\n");
	assert_int_equal(kmod_state(root, "nf_tables", NULL), KMOD_READY);
}

static void nothing_to_see_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(kmod_state(root, "nf_tables", "nft_do_chain"), KMOD_UNKNOWN);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fresh_root, drop_root)
	const struct CMUnitTest tests[] = {
		TEST(loaded_modules_are_ready),
		TEST(builtin_list_decides_when_it_is_there),
		TEST(symbols_are_the_last_resort),
		TEST(a_kernel_without_modules_cannot_load_one),
		TEST(nothing_to_see_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
