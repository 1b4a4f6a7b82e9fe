/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_base - errors, arena, buffers, JSON text and addresses */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "nsutil/base/addr.h"
#include "nsutil/base/arena.h"
#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"
#include "nsutil/base/file.h"
#include "nsutil/base/json.h"

/* Sizes around those of the chunks: no byte is given out twice, none is dirty, and a reset forgets all. */
static void arena_holds_as_much_as_a_big_ruleset(void **state)
{
	static const size_t sizes[] = { 48, 100000, 4000, (2u << 20) - 32, 2u << 20, (2u << 20) + 1, 16 };
	struct arena *a _cleanup_arena_ = arena_new();
	unsigned char *got[140];
	size_t n = 0;

	(void)state;
	for (unsigned round = 0; round < 20; round++)
		for (unsigned i = 0; i < 7; i++) {
			unsigned char *p = arena_alloc(a, sizes[i]);

			assert_non_null(p);
			assert_int_equal((uintptr_t)p % 16, 0);
			for (size_t at = 0; at < sizes[i]; at += at + 1 < sizes[i] ? sizes[i] - 1 : 1)
				assert_int_equal(p[at], 0);
			memset(p, (int)(1 + n % 200), sizes[i]);
			got[n++] = p;
		}
	for (size_t i = 0; i < n; i++) {
		size_t last = sizes[i % 7] - 1;

		assert_int_equal(got[i][0], 1 + i % 200);
		assert_int_equal(got[i][last / 2], 1 + i % 200);
		assert_int_equal(got[i][last], 1 + i % 200);
	}
	arena_reset(a);
	assert_int_equal(arena_used(a), 0);
	got[0] = arena_alloc(a, 3u << 20);
	assert_non_null(got[0]);
	assert_int_equal(got[0][0] | got[0][(3u << 20) - 1], 0);
}

static void error_keeps_cause_and_takes_context(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(err_sys(&e, -EPERM, "cannot open '%s'", "x"), -1);
	assert_int_equal(e.code, ERR_PERM);
	assert_int_equal(e.errnum, EPERM);
	err_wrap(&e, "pod %s", "shop/cart");
	assert_string_equal(e.what, "pod shop/cart: cannot open 'x'");
	err_hint(&e, "run as root");
	assert_string_equal(e.hint, "run as root");
	err_set(&e, ERR_USAGE, "bad word", "'%s' is no number", "y");
	assert_string_equal(e.hint, "");
	assert_int_equal(e.code, ERR_USAGE);
}

static void error_cuts_long_texts_visibly(void **state)
{
	struct err e = ERR_INIT;
	char longtext[4000];

	(void)state;
	memset(longtext, 'a', sizeof(longtext) - 1);
	longtext[sizeof(longtext) - 1] = '\0';
	err_set(&e, ERR_SYS, longtext, "%s", longtext);
	assert_string_equal(e.what + strlen(e.what) - 3, "...");
	assert_string_equal(e.why + strlen(e.why) - 3, "...");
	for (int i = 0; i < 300; i++)
		err_wrap(&e, "%d context", i);
	assert_true(strlen(e.what) < sizeof(e.what));
	assert_memory_equal(e.what, "299 context: 298", 16);
	assert_string_equal(e.what + strlen(e.what) - 3, "...");
	err_wrap(&e, "%s", longtext);
	assert_true(strlen(e.what) < sizeof(e.what));
	err_wrap(NULL, "nobody cares");
}

static void arena_gives_zeroed_aligned_memory(void **state)
{
	struct arena *a _cleanup_arena_ = arena_new();
	int *grown = NULL;
	volatile size_t huge = SIZE_MAX - 5; /* volatile: the compiler would refuse it */

	(void)state;
	for (size_t n = 1; n < 100000; n = n * 3 + 1) {
		unsigned char *p = arena_alloc(a, n);

		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
	for (int i = 0; i < 1000; i++) {
		grown = arena_grow(a, grown, (size_t)i, sizeof(*grown));
		grown[i] = i;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(grown[i], i);
	assert_null(arena_array(a, SIZE_MAX / 2, 4));
	assert_null(arena_alloc(a, huge));
	assert_string_equal(arena_printf(a, "%d-%s", 7, "x"), "7-x");
	assert_string_equal(arena_strndup(a, "abcdef", 3), "abc");
	assert_null(arena_strdup(a, NULL));
}

static void buffer_grows_and_remembers_failure(void **state)
{
	struct buf b _cleanup_buf_ = BUF_INIT;
	size_t before;

	(void)state;
	assert_string_equal(buf_cstr(&b), "");
	for (int i = 0; i < 1000; i++)
		buf_fmt(&b, "%d,", i);
	assert_int_equal(b.len, strlen(b.data));
	buf_fmt(&b, "%0500d", 1);
	assert_int_equal(b.len, strlen(b.data));
	before = b.len;
	buf_add(&b, "x", SIZE_MAX / 2);
	assert_true(buf_failed(&b));
	buf_str(&b, "later");
	assert_int_equal(b.len, before);
	buf_reset(&b);
	buf_uint(&b, 0);
	buf_uint(&b, UINT64_MAX);
	assert_string_equal(b.data, "018446744073709551615");
}

/* What we write, a JSON library reads back as it was. */
static void json_is_read_back_by_jansson(void **state)
{
	static const char hostile[] = "q\" b\\ \n\t\x01 \xc3\xa4 \xff \xed\xa0\x80 \xf4\x90\x80\x80 \xc0\xaf end";
	struct buf b _cleanup_buf_ = BUF_INIT;
	struct json j;
	json_t *v;

	(void)state;
	json_init(&j, &b);
	json_begin_object(&j, NULL);
	json_str(&j, "s", hostile);
	json_str(&j, hostile, NULL);
	json_int(&j, "min", INT64_MIN);
	json_uint(&j, "max", UINT64_MAX >> 1);
	json_bool(&j, "t", true);
	json_double(&j, "d", 0.25);
	json_begin_array(&j, "a");
	json_begin_object(&j, NULL);
	json_end_object(&j);
	json_begin_array(&j, NULL);
	json_end_array(&j);
	json_raw(&j, NULL, "[1,2]", 5);
	json_end_array(&j);
	json_end_object(&j);
	assert_true(json_done(&j));
	v = json_loads(b.data, 0, NULL);
	assert_non_null(v);
	assert_int_equal(json_integer_value(json_object_get(v, "min")), INT64_MIN);
	assert_int_equal(json_integer_value(json_object_get(v, "max")), INT64_MAX);
	assert_int_equal(json_array_size(json_object_get(v, "a")), 3);
	assert_memory_equal(json_string_value(json_object_get(v, "s")), "q\" b\\ \n\t\x01 \xc3\xa4 \xef\xbf\xbd", 16);
	json_decref(v);
	json_end_object(&j);
	assert_false(json_done(&j));
}

static void addresses_parse_strictly(void **state)
{
	static const char *const bad[] = { "",	       "1.2.3",	    "1.2.3.4.5", "1.2.3.4/33", "::1/129",
					   "1.2.3.4/", "1.2.3.4/-1", "[1.2.3.4]", "::1/0x8",   "a:b" };
	struct addr a, net;
	char text[ADDR_TEXT];
	unsigned len;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(addr_parse_prefix(bad[i], &a, &len), -1);
	assert_int_equal(addr_parse("[2001:db8::1]", &a), 0);
	assert_string_equal(addr_fmt(&a, text), "2001:db8::1");
	assert_int_equal(addr_parse_prefix("10.1.2.3/12", &net, &len), 0);
	addr_parse("10.15.255.255", &a);
	assert_true(addr_in(&a, &net, len));
	addr_parse("10.16.0.0", &a);
	assert_false(addr_in(&a, &net, len));
	assert_true(addr_in(&a, &net, 0));
	assert_int_equal(addr_mask_len((const uint8_t *)"\xff\xf0\x00\x00", 4), 12);
	assert_int_equal(addr_mask_len((const uint8_t *)"\xff\x0f\x00\x00", 4), -1);
	assert_int_equal(addr_mask_len((const uint8_t *)"\0\0\0\0", 4), 0);
}

/* A file is the new one or the old one, and a failed change leaves nothing beside it. */
static void files_are_replaced_whole(void **state)
{
	char dir[] = "/tmp/test_base.XXXXXX", path[64], got[16] = "";
	struct err e = ERR_INIT;
	struct stat st;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	assert_int_equal(file_replace(path, 0600, "old", 3, &e), 0);
	assert_int_equal(file_replace(path, 0600, "newer", 5, &e), 0);
	f = fopen(path, "r");
	assert_int_equal(fread(got, 1, sizeof(got), f), 5);
	fclose(f);
	assert_memory_equal(got, "newer", 5);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0); /* a folder in its place cannot be replaced */
	assert_int_equal(file_replace(path, 0600, "x", 1, &e), -1);
	assert_int_equal(e.code, ERR_SYS);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0); /* fails when something was left beside it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_keeps_cause_and_takes_context),
		cmocka_unit_test(error_cuts_long_texts_visibly),
		cmocka_unit_test(arena_gives_zeroed_aligned_memory),
		cmocka_unit_test(arena_holds_as_much_as_a_big_ruleset),
		cmocka_unit_test(buffer_grows_and_remembers_failure),
		cmocka_unit_test(json_is_read_back_by_jansson),
		cmocka_unit_test(addresses_parse_strictly),
		cmocka_unit_test(files_are_replaced_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
