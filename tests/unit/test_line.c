/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_line - the tokenizer: quotes, backslashes, comments, pipes, "!", limits */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "nsutil/base/cleanup.h"
#include "shell/line.h"

/* Words joined by '|', as no word of these tests has one but where meant. */
static void expect(const char *text, const char *words, const char *pipe)
{
	struct line l = { .n = 0 };
	struct err e = ERR_INIT;
	char got[1024] = "";

	if (line_parse(text, strlen(text), &l, &e))
		fail_msg("%s: %s: %s", text, e.what, e.why);
	for (int i = 0; i < l.n; i++) {
		strcat(got, i ? "|" : "");
		strcat(got, l.words[i]);
	}
	assert_string_equal(got, words);
	if (l.n)
		assert_null(l.words[l.n]);
	if (pipe)
		assert_string_equal(l.pipe, pipe);
	else
		assert_null(l.pipe);
	line_free(&l);
}

static void expect_error(const char *text, size_t len, const char *why)
{
	struct line l = { .n = 7 };
	struct err e = ERR_INIT;

	assert_int_equal(line_parse(text, len, &l, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	if (!strstr(e.why, why))
		fail_msg("'%s' should say '%s'", e.why, why);
	assert_int_equal(l.n, 7); /* outputs are set only on success */
}

static void test_words(void **state)
{
	(void)state;
	expect("", "", NULL);
	expect(" \t\r\n", "", NULL);
	expect("tables", "tables", NULL);
	expect("  tables\t--table  nat \n", "tables|--table|nat", NULL);
	expect("trace out tcp 10.0.0.1:80 -> x", "trace|out|tcp|10.0.0.1:80|->|x", NULL);
}

static void expect_file(const char *text, const char *words, const char *to, bool append)
{
	struct line l = { .n = 0 };

	assert_int_equal(line_parse(text, strlen(text), &l, NULL), 0);
	assert_string_equal(l.to, to);
	assert_int_equal(l.append, append);
	assert_string_equal(l.words[l.n - 1], words);
	assert_null(l.words[l.n]);
	line_free(&l);
}

static void test_files(void **state)
{
	(void)state;
	expect_file("set > f", "set", "f", false);
	expect_file("set >f # comment", "set", "f", false);
	expect_file("set >>'a b'", "set", "a b", true);
	expect_file("trace out tcp a ->b >> c", "->b", "c", true);
	expect("set '>' x", "set|>|x", NULL);
	expect("set a>b", "set|a>b", NULL);
	expect_error("> f", 3, "nothing in front of '>'");
	expect_error("set >", 5, "no file after '>'");
	expect_error("set > > f", 9, "no file after '>'");
	expect_error("set > f x", 9, "ends the line");
	expect_error("set > f | x", 11, "ends the line");
}

static void test_quotes(void **state)
{
	(void)state;
	expect("a 'b c' \"d e\"", "a|b c|d e", NULL);
	expect("a'b'\"c\"d", "abcd", NULL);
	expect("'' \"\"", "|", NULL);
	expect("'a\\b\"c'", "a\\b\"c", NULL);
	expect("\"a\\\"b\\\\c\\d'\"", "a\"b\\c\\d'", NULL);
	expect("a\\ b \\'c \\\\", "a b|'c|\\", NULL);
	expect("-i '*' -x ''", "-i|*|-x|", NULL);
}

static void test_comments(void **state)
{
	(void)state;
	expect("# all of it", "", NULL);
	expect("a # b", "a", NULL);
	expect("a#b '#c' \\#d", "a#b|#c|#d", NULL);
	expect("a #'open quote in a comment", "a", NULL);
}

static void test_pipe(void **state)
{
	(void)state;
	expect("tables | grep -c 'a | b'  ", "tables", "grep -c 'a | b'");
	expect("tables|head", "tables", "head");
	expect("a '|' \\| b", "a|||||b", NULL);
	expect_error("a |", 3, "after '|'");
	expect_error("a |   ", 6, "after '|'");
	expect_error("| b", 3, "in front of '|'");
}

static void test_bang(void **state)
{
	(void)state;
	expect("!ip addr show", "exec|ip|addr|show", NULL);
	expect("  ! ip -4 'a b'", "exec|ip|-4|a b", NULL);
	expect("!ss -tn | grep 80", "exec|/bin/sh|-c|ss -tn | grep 80", NULL);
	expect("!ls *.c ", "exec|/bin/sh|-c|ls *.c", NULL);
	expect("a !b", "a|!b", NULL);
	expect_error("!", 1, "after '!'");
	expect_error(" !  ", 4, "after '!'");
}

static void test_bad(void **state)
{
	(void)state;
	expect_error("'abc", 4, "no closing '");
	expect_error("a \"b\\\"", 6, "no closing \"");
	expect_error("a\\", 2, "backslash");
	expect_error("a\0b", 3, "NUL");
}

static void test_limits(void **state)
{
	_cleanup_free_ char *big = malloc(LINE_MAX_BYTES + 1);
	struct line l = { .n = 0 };

	(void)state;
	memset(big, 'a', LINE_MAX_BYTES + 1);
	expect_error(big, LINE_MAX_BYTES + 1, "longer than");
	assert_int_equal(line_parse(big, LINE_MAX_BYTES, &l, NULL), 0);
	assert_int_equal(strlen(l.words[0]), LINE_MAX_BYTES);
	line_free(&l);
	for (int i = 1; i < LINE_MAX_BYTES; i += 2)
		big[i] = ' ';
	expect_error(big, 2 * (LINE_MAX_WORDS + 1), "more than");
	assert_int_equal(line_parse(big, 2 * LINE_MAX_WORDS, &l, NULL), 0);
	assert_int_equal(l.n, LINE_MAX_WORDS);
	line_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words), cmocka_unit_test(test_files), cmocka_unit_test(test_quotes), cmocka_unit_test(test_comments),
		cmocka_unit_test(test_pipe),  cmocka_unit_test(test_bang),   cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
