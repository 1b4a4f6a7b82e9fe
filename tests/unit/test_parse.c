/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_parse - command matching and the option parser, on a table of their own */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "nsutil/base/cleanup.h"
#include "shell/line.h"
#include "shell/parse.h"

static const struct command_option options[] = {
	{ "ipv4", '4', ARG_NONE, NULL, NULL, "IPv4" },
	{ "ipv6", '6', ARG_NONE, NULL, NULL, "IPv6" },
	{ "table", 0, ARG_TABLE, "TABLE", NULL, "a table" },
	{ "interval", 'n', ARG_NUMBER, "SECS", NULL, "seconds" },
	{ "mode", 'm', ARG_CHOICE, "MODE", (const char *const[]){ "REDIRECT", "TPROXY", NULL }, "mode" },
	{ .name = NULL },
};
static const struct command tables = { .name = "tables", .options = options, .max_args = -1 };
static const struct command trace = { .name = "trace", .min_args = 1, .max_args = -1 };
static const struct command show = { .name = "istio show", .max_args = 0 };
static const struct command verify = { .name = "istio verify", .max_args = -1 };
static const struct command flush = { .name = "istio flush", .flags = COMMAND_MUTATES };
static const struct command info = { .name = "info" };
static const struct command erase = { .name = "erase", .flags = COMMAND_MUTATES };
static const struct command exec = { .name = "exec", .flags = COMMAND_RAW, .min_args = 1, .max_args = -1 };
static const struct command watch = { .name = "watch", .flags = COMMAND_RAW, .min_args = 1, .max_args = -1,
				      .options = options };
static const struct command color = { .name = "color", .operand_kind = ARG_CHOICE, .min_args = 1, .max_args = 2,
				      .operand_choices = (const char *const[]){ "red", "green", NULL } };
static const struct command *const table[] = { &tables, &trace, &show,	&verify, &flush, &info,
					       &erase,	&exec,	&watch, &color,	 NULL };

/* Words of the text, which stay until the next call. */
static int parse(const char *text, bool program, struct parse *ret, struct err *e)
{
	static struct line l;

	line_free(&l);
	assert_int_equal(line_parse(text, strlen(text), &l, NULL), 0);
	return parse_words(table, l.n, l.words, program, ret, e);
}

static struct parse good(const char *text)
{
	struct parse p;
	struct err e = ERR_INIT;

	if (parse(text, false, &p, &e))
		fail_msg("%s: %s: %s", text, e.what, e.why);
	return p;
}

static struct err bad(const char *text)
{
	struct parse p;
	struct err e = ERR_INIT;

	if (parse(text, false, &p, &e) == 0)
		fail_msg("no error: %s", text);
	assert_int_equal(e.code, ERR_USAGE);
	return e;
}

static void command_is(const char *text, const struct command *want)
{
	_cleanup_parse_ struct parse p = good(text);

	assert_ptr_equal(p.match.command, want);
}

static void test_match(void **state)
{
	struct err e;

	(void)state;
	command_is("tables", &tables);
	command_is("ta", &tables);
	command_is("istio verify", &verify);
	command_is("ist ver", &verify);
	command_is("inf", &info);
	e = bad("t");
	assert_string_equal(e.why, "ambiguous: tables, trace");
	e = bad("i");
	assert_string_equal(e.why, "ambiguous: istio, info"); /* the group once */
	e = bad("tabels");
	assert_non_null(strstr(e.hint, "'tables'"));
	e = bad("istio verfy");
	assert_non_null(strstr(e.hint, "'istio verify'"));
	e = bad("istio");
	assert_string_equal(e.why, "needs a sub-command: show, verify, flush");
	e = bad("zzzzzz");
	assert_null(strstr(e.hint, "did you mean"));
	bad("''");
}

static void test_full_word(void **state)
{
	(void)state;
	command_is("istio flush", &flush);
	command_is("erase", &erase);
	assert_non_null(strstr(bad("istio fl").why, "full word"));
	assert_non_null(strstr(bad("ist flush").why, "full word"));
	assert_non_null(strstr(bad("era").why, "full word"));
}

static void test_near(void **state)
{
	(void)state;
	assert_int_equal(match_near("trace", "trace"), 0);
	assert_int_equal(match_near("trcae", "trace"), 1);
	assert_int_equal(match_near("", "abc"), 3);
	assert_int_equal(match_near("kitten", "sitting"), 3);
	assert_true(match_near("a123456789012345678901234567890", "a") > 10);
}

static void test_options(void **state)
{
	_cleanup_parse_ struct parse p = good("-t x tables -46 --table=nat A -o json B --interval 1.5");
	struct parse q;

	(void)state;
	assert_string_equal(p.opts[0], "");
	assert_string_equal(p.opts[1], "");
	assert_string_equal(p.opts[2], "nat");
	assert_string_equal(p.opts[3], "1.5");
	assert_null(p.opts[4]);
	assert_string_equal(p.globals[GLOBAL_TARGET], "x");
	assert_string_equal(p.globals[GLOBAL_OUTPUT], "json");
	assert_int_equal(p.args.argc, 2);
	assert_string_equal(p.args.argv[1], "B");
	assert_int_equal(p.args.dash_dash, 2);
	q = good("tables -n3 --table ''"); /* the command's -n, not the namespace */
	assert_string_equal(q.opts[3], "3");
	assert_string_equal(q.opts[2], "");
	assert_null(q.globals[GLOBAL_NAMESPACE]);
	parse_free(&q);
	q = good("-n shop tables");
	assert_string_equal(q.globals[GLOBAL_NAMESPACE], "shop");
	parse_free(&q);
	q = good("tables --yes --dry-run");
	assert_non_null(q.globals[GLOBAL_YES]);
	assert_non_null(q.globals[GLOBAL_DRY_RUN]);
	parse_free(&q);
}

static void test_bad_options(void **state)
{
	(void)state;
	assert_string_equal(bad("tables --tabel nat").hint, "did you mean '--table'?");
	assert_string_equal(bad("tables -9").why, "unknown option of tables");
	assert_non_null(strstr(bad("tables --table").why, "needs an argument"));
	assert_non_null(strstr(bad("tables --ipv4=yes").why, "takes no argument"));
	assert_string_equal(bad("tables -m redirect").why, "'redirect' is none of: REDIRECT, TPROXY");
	assert_non_null(strstr(bad("tables -n x").why, "no number"));
	assert_non_null(strstr(bad("tables -n -1").why, "no number"));
	assert_non_null(strstr(bad("tables -n 1e9").why, "no number"));
	assert_non_null(strstr(bad("tables -n 99999999999999999999").why, "no number"));
	assert_non_null(strstr(bad("tables -o yaml").why, "'yaml' is none of"));
	assert_non_null(strstr(bad("tables -c help").why, "unknown option"));
	assert_non_null(strstr(bad("--ye tables").hint, "'--yes'")); /* never taken for --yes */
}

static void test_operands(void **state)
{
	_cleanup_parse_ struct parse p = good("trace out - -> -- -x -> --yes");

	(void)state;
	assert_int_equal(p.args.argc, 6);
	assert_int_equal(p.args.dash_dash, 3);
	assert_string_equal(p.args.argv[1], "-");
	assert_string_equal(p.args.argv[2], "->");
	assert_string_equal(p.args.argv[3], "-x");
	assert_null(p.globals[GLOBAL_YES]);
	bad("trace");
	bad("istio show x");
	bad("info x");
	bad("color");
	bad("color red green red");
	assert_string_equal(bad("color blue").why, "'blue' is none of: red, green");
	command_is("color red green", &color);
	command_is("trace --help", &trace); /* help needs no operands */
}

static void test_raw(void **state)
{
	_cleanup_parse_ struct parse p = good("exec -t x ls -l --yes -- -t y");
	struct parse q;

	(void)state;
	assert_string_equal(p.globals[GLOBAL_TARGET], "x");
	assert_null(p.globals[GLOBAL_YES]);
	assert_int_equal(p.args.argc, 6);
	assert_string_equal(p.args.argv[3], "--");
	q = good("watch -n 5 tables -n 7 -o json");
	assert_string_equal(q.opts[3], "5");
	assert_null(q.globals[GLOBAL_OUTPUT]);
	assert_int_equal(q.args.argc, 5);
	parse_free(&q);
	q = good("exec -- -odd");
	assert_string_equal(q.args.argv[0], "-odd");
	parse_free(&q);
	bad("exec");
	bad("exec -l");
}

static void test_program(void **state)
{
	_cleanup_parse_ struct parse p = { .n_scripts = 0 };
	char *bang[] = { "-t", "x", "!ip", "-4", "addr", NULL };
	struct parse q;

	(void)state;
	assert_int_equal(parse("-c one -f two --command=three -V", true, &p, NULL), 0);
	assert_int_equal(p.n_scripts, 3);
	assert_string_equal(p.scripts[0].text, "one");
	assert_true(p.scripts[1].is_file);
	assert_string_equal(p.scripts[2].text, "three");
	assert_null(p.match.command);
	assert_non_null(p.globals[GLOBAL_VERSION]);
	assert_int_equal(parse_words(table, 5, bang, true, &q, NULL), 0);
	assert_ptr_equal(q.match.command, &exec);
	assert_int_equal(q.args.argc, 3);
	assert_string_equal(q.args.argv[0], "ip");
	parse_free(&q);
}

static void test_wants_json(void **state)
{
	char *yes[][3] = { { "-o", "json", "x" }, { "x", "-ojson", "y" }, { "--output=jsonl", "x", "y" } };
	char *no[][3] = { { "x", "y", "-o" }, { "--", "-o", "json" }, { "-o", "text", "json" } };

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(parse_wants_json(3, yes[i]));
		assert_false(parse_wants_json(3, no[i]));
	}
	assert_int_equal(parse_format("jsonl"), OUT_JSONL);
	assert_int_equal(parse_format("prom"), OUT_PROM);
	assert_int_equal(parse_format(""), 0);
}

/* The program's own table. */
static void test_table(void **state)
{
	(void)state;
	for (const struct command *const *c = command_table; *c; c++) {
		assert_non_null((*c)->run);
		assert_non_null((*c)->summary);
		assert_true((*c)->max_args < 0 || (*c)->max_args >= (*c)->min_args);
		for (const struct command *const *d = c + 1; *d; d++)
			assert_string_not_equal((*c)->name, (*d)->name);
		for (const struct command_option *o = (*c)->options; o && o->name; o++) {
			assert_non_null(o->help);
			assert_int_equal(o->arg != ARG_NONE, o->arg_name != NULL);
			assert_int_equal(o->arg == ARG_CHOICE, o->choices != NULL);
		}
		if ((*c)->operand_kind == ARG_CHOICE)
			assert_non_null((*c)->operand_choices);
		if ((*c)->max_args)
			assert_non_null((*c)->operands);
	}
	for (unsigned i = 0; i < GLOBAL_COUNT; i++)
		assert_non_null(command_globals[i].name);
	assert_null(command_globals[GLOBAL_COUNT].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),	    cmocka_unit_test(test_full_word),
		cmocka_unit_test(test_near),	    cmocka_unit_test(test_options),
		cmocka_unit_test(test_bad_options), cmocka_unit_test(test_operands),
		cmocka_unit_test(test_raw),	    cmocka_unit_test(test_program),
		cmocka_unit_test(test_wants_json),  cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
