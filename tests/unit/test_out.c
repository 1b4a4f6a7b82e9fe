/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_out - the sinks: every hook filled, the same walk in each format, JSON of one shape whatever the count */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "shell/out/sink.h"

static struct buf memory;

static struct out *open_memory(enum out_format format, bool color)
{
	struct out_config c = { .format = format, .fd = -1, .memory = &memory, .note_fd = -1, .color = color };
	struct out *o;

	buf_reset(&memory);
	o = out_open(&c);
	assert_non_null(o);
	return o;
}

static void expect(struct out *o, const char *want)
{
	assert_int_equal(out_close(o), 0);
	assert_string_equal(buf_cstr(&memory), want);
}

/* A sink with an empty hook would lose values without a word. */
static void test_hooks(void **state)
{
	const struct out_ops *const all[] = { &text_ops, &plain_ops, &json_ops, &jsonl_ops };

	(void)state;
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (unsigned h = 0; h < OUT_HOOKS; h++) {
			void (*hook)(void);

			memcpy(&hook, (const char *)all[i] + h * sizeof(hook), sizeof(hook));
			if (!hook)
				fail_msg("sink %u leaves hook %u empty", i, h);
		}
}

static const struct out_column columns[] = {
	{ .head = "NAME" }, { .head = "PKTS", .right = true }, { .head = "MORE", .wide = true }, { .head = NULL }
};

static void walk(struct out *o, int n)
{
	static const char *const names[] = { "a", "b\xc3\xa4", "\xe4\xb8\xad" };

	out_begin(o, "things");
	out_bool(o, "ok", "ok: %s", true);
	out_nl(o);
	out_array(o, "things");
	out_table(o, columns);
	for (int i = 0; i < n; i++) {
		out_object(o, NULL);
		out_row(o);
		out_cell(o);
		out_str(o, "name", "%s", names[i]);
		out_cell(o);
		out_uint(o, "packets", "%" PRIu64, (uint64_t)(i ? i * 100 : 7));
		out_cell(o);
		out_text(o, "m%d", i);
		out_object_end(o);
	}
	out_table_end(o);
	out_array_end(o);
	out_null(o, "none");
	out_end(o);
}

static void test_text(void **state)
{
	struct out *o = open_memory(OUT_TEXT, false);

	(void)state;
	walk(o, 3);
	expect(o, "ok: yes\nNAME  PKTS\na        7\nb\xc3\xa4     100\n\xe4\xb8\xad     200\n");
	o = open_memory(OUT_WIDE, false);
	walk(o, 1);
	expect(o, "ok: yes\nNAME  PKTS  MORE\na        7  m0\n");
	o = open_memory(OUT_SAVE, false); /* no layout */
	walk(o, 1);
	expect(o, "ok: yes\na7m0");
}

static void test_json(void **state)
{
	struct out *o = open_memory(OUT_JSON, true);

	(void)state;
	walk(o, 2);
	expect(o, "{\"schema\":\"cnish.things/1\",\"ok\":true,\"things\":[{\"name\":\"a\",\"packets\":7},"
		  "{\"name\":\"b\xc3\xa4\",\"packets\":100}],\"none\":null}\n");
}

/* Types and keys are the same for none, one and many. */
static void test_json_shape(void **state)
{
	(void)state;
	for (int n = 0; n <= 3; n++) {
		struct out *o = open_memory(OUT_JSON, false);
		json_error_t error;
		json_t *root;

		walk(o, n);
		out_close(o);
		root = json_loads(memory.data, JSON_REJECT_DUPLICATES, &error);
		if (!root)
			fail_msg("%s: %s", error.text, memory.data);
		assert_int_equal(json_object_size(root), 4);
		assert_true(json_is_array(json_object_get(root, "things")));
		assert_int_equal(json_array_size(json_object_get(root, "things")), n);
		json_decref(root);
	}
}

static void test_json_values(void **state)
{
	struct out *o = open_memory(OUT_JSON, false);

	(void)state;
	out_text(o, "before");
	out_str(o, "lost", NULL, "outside of the object");
	out_begin(o, "cnish.v/2");
	out_str(o, "s", NULL, "a\"\\\n\x01\xff");
	out_str(o, "null", NULL, NULL);
	out_str(o, NULL, "%s", "text only");
	out_int(o, "min", NULL, INT64_MIN);
	out_uint(o, "max", NULL, UINT64_MAX);
	out_double(o, "real", NULL, 0.5);
	out_json(o, "json", "[1,{}]");
	out_json(o, "nojson", NULL);
	out_array(o, "list");
	out_str(o, NULL, NULL, "x");
	out_int(o, "key", NULL, 1);
	out_array(o, NULL);
	out_array_end(o);
	out_array_end(o);
	out_end(o);
	expect(o, "{\"schema\":\"cnish.v/2\",\"s\":\"a\\\"\\\\\\n\\u0001\xef\xbf\xbd\",\"null\":null,"
		  "\"min\":-9223372036854775808,\"max\":18446744073709551615,\"real\":0.5,\"json\":[1,{}],"
		  "\"nojson\":null,\"list\":[\"x\",1,[]]}\n");
}

static void stream(struct out *o, bool tail)
{
	out_begin(o, "s");
	out_str(o, "head", NULL, "h");
	out_stream(o, "items");
	for (int i = 0; i < 2; i++) {
		out_object(o, NULL);
		out_int(o, "i", "%" PRId64, i);
		out_nl(o);
		out_object_end(o);
	}
	out_stream_end(o);
	if (tail)
		out_int(o, "tail", NULL, 9);
	out_end(o);
}

static void test_stream(void **state)
{
	struct out *o = open_memory(OUT_JSONL, false);

	(void)state;
	stream(o, false);
	expect(o, "{\"schema\":\"cnish.s/1\",\"head\":\"h\",\"i\":0}\n{\"schema\":\"cnish.s/1\",\"head\":\"h\",\"i\":1}\n");
	o = open_memory(OUT_JSONL, false);
	stream(o, true);
	expect(o, "{\"schema\":\"cnish.s/1\",\"head\":\"h\",\"i\":0}\n{\"schema\":\"cnish.s/1\",\"head\":\"h\",\"i\":1}\n"
		  "{\"schema\":\"cnish.s/1\",\"head\":\"h\",\"tail\":9}\n");
	o = open_memory(OUT_JSON, false);
	stream(o, true);
	expect(o, "{\"schema\":\"cnish.s/1\",\"head\":\"h\",\"items\":[{\"i\":0},{\"i\":1}],\"tail\":9}\n");
	o = open_memory(OUT_TEXT, false);
	stream(o, true);
	expect(o, "0\n1\n");
	o = open_memory(OUT_JSONL, false); /* a command without a stream */
	walk(o, 0);
	expect(o, "{\"schema\":\"cnish.things/1\",\"ok\":true,\"things\":[],\"none\":null}\n");
}

static void element(struct out *o, int i)
{
	out_object(o, NULL);
	out_int(o, "i", "%" PRId64, i);
	out_nl(o);
	out_object_end(o);
}

/* Elements that wait are written when they need not, in their order, and none twice. */
static void test_hold(void **state)
{
	static const enum out_format formats[] = { OUT_JSONL, OUT_JSON, OUT_TEXT };
	static const char *const begins[] = { "{\"schema\":\"cnish.s/1\",\"i\":0}\n{\"schema\":\"cnish.s/1\",\"i\":1}\n",
					      "{\"schema\":\"cnish.s/1\",\"items\":[{\"i\":0},{\"i\":1}", "0\n1\n" };
	static const char *const ends[] = { "{\"schema\":\"cnish.s/1\",\"i\":2}\n", ",{\"i\":2}]}\n", "2\n" };

	(void)state;
	for (unsigned f = 0; f < 3; f++) {
		struct out *o = open_memory(formats[f], false);
		char all[256];

		out_begin(o, "s");
		out_stream(o, "items");
		out_hold(o, true);
		element(o, 0);
		element(o, 1);
		assert_string_equal(buf_cstr(&memory), f == 2 ? begins[f] : "");
		out_hold(o, false);
		assert_string_equal(buf_cstr(&memory), begins[f]);
		out_hold(o, true);
		out_hold(o, false);
		element(o, 2);
		out_stream_end(o);
		out_end(o);
		snprintf(all, sizeof(all), "%s%s", begins[f], ends[f]);
		expect(o, all);
	}
}

/* Elements of a stream that are no objects; one that is left open. */
static void test_stream_odd(void **state)
{
	struct out *o = open_memory(OUT_JSONL, false);

	(void)state;
	out_begin(o, "s");
	out_stream(o, "items");
	out_int(o, NULL, NULL, 5);
	out_end(o);
	expect(o, "{\"schema\":\"cnish.s/1\",\"value\":5}\n");
}

static void test_fail(void **state)
{
	struct err e = ERR_INIT;
	struct out *o = open_memory(OUT_JSON, false);

	(void)state;
	err_set(&e, ERR_TARGET, "pod 'x'", "no such pod");
	out_begin(o, "things");
	out_array(o, "begun");
	out_object(o, NULL);
	out_fail(o, &e);
	expect(o, "{\"error\":{\"code\":\"target\",\"what\":\"pod 'x'\",\"why\":\"no such pod\",\"hint\":null}}\n");
	/* What was written already is closed. */
	o = open_memory(OUT_JSON, false);
	out_begin(o, "things");
	out_array(o, "begun");
	out_object(o, NULL);
	out_flush(o);
	err_hint(&e, "look");
	out_fail(o, &e);
	expect(o, "{\"schema\":\"cnish.things/1\",\"begun\":[{}],\"error\":{\"code\":\"target\",\"what\":\"pod 'x'\","
		  "\"why\":\"no such pod\",\"hint\":\"look\"}}\n");
	o = open_memory(OUT_JSONL, false);
	out_begin(o, "s");
	out_stream(o, "items");
	out_object(o, NULL);
	out_object_end(o);
	out_object(o, NULL);
	out_fail(o, &e);
	expect(o, "{\"schema\":\"cnish.s/1\"}\n{\"error\":{\"code\":\"target\",\"what\":\"pod 'x'\","
		  "\"why\":\"no such pod\",\"hint\":\"look\"}}\n");
}

static void test_depth(void **state)
{
	struct out *o = open_memory(OUT_JSON, false);
	json_t *root;

	(void)state;
	out_begin(o, "deep");
	for (int i = 0; i < 200; i++)
		out_array(o, "a");
	out_int(o, NULL, NULL, 1);
	for (int i = 0; i < 200; i++)
		out_array_end(o);
	out_array_end(o); /* one too many */
	out_int(o, "after", NULL, 2);
	out_end(o);
	out_close(o);
	root = json_loads(memory.data, 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_integer_value(json_object_get(root, "after")), 2);
	json_decref(root);
}

static void test_style(void **state)
{
	struct out *o = open_memory(OUT_TEXT, true);

	(void)state;
	out_style(o, STYLE_BAD);
	out_text(o, "x");
	out_nl(o);
	expect(o, "\033[0;31mx\n\033[0m");
	o = open_memory(OUT_TEXT, true); /* colour takes no width */
	out_table(o, columns);
	for (int i = 0; i < 2; i++) {
		out_row(o);
		out_cell(o);
		out_style(o, i ? STYLE_PLAIN : STYLE_NAME);
		out_text(o, "name-%d", i);
		out_cell(o);
		out_text(o, "1");
	}
	out_table_end(o);
	expect(o, "\033[0;1mNAME    PKTS\033[0m\n\033[0;1mname-0\033[0m     1\nname-1     1\n");
}

/* Names and comments from outside cannot steer the terminal. */
static void test_disarm(void **state)
{
	struct out *o = open_memory(OUT_TEXT, false);

	(void)state;
	out_str(o, "k", "[%s]\n", "a\033]0;x\007b\nc\xc2\x9b" "d\x7f\xc3\xa4");
	out_text(o, "%s\n", "e\033[31m\xc2\xa0");
	expect(o, "[a\\x1b]0;x\\x07b\\x0ac\\xc2\\x9b" "d\\x7f\xc3\xa4]\ne\\x1b[31m\xc2\xa0\n");
}

static void test_table_odd(void **state)
{
	struct out *o = open_memory(OUT_TEXT, false);

	(void)state;
	out_table(o, columns); /* fewer cells, more cells, empty cells, a newline in a cell */
	out_row(o);
	out_cell(o);
	out_text(o, "only");
	out_row(o);
	out_cell(o);
	out_cell(o);
	out_text(o, "1\n2");
	out_cell(o);
	out_cell(o);
	out_text(o, "tail");
	out_row(o);
	out_nl(o);
	out_table_end(o);
	out_cell(o); /* outside of a table */
	out_text(o, "end\n");
	expect(o, "NAME  PKTS\nonly\n       1 2  tail\nend\n");
	o = open_memory(OUT_TEXT, false); /* left open by a command that failed */
	out_table(o, columns);
	out_row(o);
	out_cell(o);
	out_text(o, "x");
	expect(o, "NAME  PKTS\nx\n");
	assert_int_equal(text_width("\xff\xfe", 2), 2);
	assert_int_equal(text_width("a\xcc\x81", 3), 1);
	assert_int_equal(text_width("\033[0;31mx", 8), 1);
}

/* A reader who leaves is no failure; a full device is one. Big output goes in few writes. */
static void test_writing(void **state)
{
	struct out_config c = { .format = OUT_TEXT, .note_fd = -1 };
	struct out *o;
	int p[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(p), 0);
	close(p[0]);
	c.fd = p[1];
	o = out_open(&c);
	for (int i = 0; i < 50000; i++)
		out_text(o, "line %d\n", i);
	assert_true(out_broken(o));
	assert_int_equal(out_close(o), 0);
	close(p[1]);
	c.fd = open("/dev/full", O_WRONLY);
	assert_true(c.fd >= 0);
	o = out_open(&c);
	out_text(o, "x\n");
	assert_int_equal(out_close(o), ENOSPC);
	close(c.fd);
}

/* Contrast of WCAG 2 between a colour of the 256-colour palette and black, and white. */
static double luminance(unsigned index)
{
	static const double level[6] = { 0, 95, 135, 175, 215, 255 };
	const double weight[3] = { 0.2126, 0.7152, 0.0722 };
	unsigned part[3] = { (index - 16) / 36, (index - 16) / 6 % 6, (index - 16) % 6 };
	double sum = 0;

	for (unsigned i = 0; i < 3; i++) {
		double v = level[part[i]] / 255;

		sum += weight[i] * (v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
	}
	return sum;
}

static void test_colors(void **state)
{
	static const enum out_style styles[] = { STYLE_GOOD, STYLE_WARN, STYLE_BAD, STYLE_NAME, STYLE_ADD, STYLE_DEL };

	(void)state;
	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		unsigned index;
		double l;

		assert_int_equal(sscanf(text_sgr(styles[i], true), "\033[0;38;5;%um", &index), 1);
		assert_in_range(index, 16, 231);
		l = luminance(index);
		assert_true((l + 0.05) / 0.05 >= 3.5);
		assert_true(1.05 / (l + 0.05) >= 3.5);
		assert_null(strstr(text_sgr(styles[i], false), "33m")); /* yellow and cyan are nothing on white */
		assert_null(strstr(text_sgr(styles[i], false), "36m"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_colors), cmocka_unit_test(test_hooks),	    cmocka_unit_test(test_text),
		cmocka_unit_test(test_json),	    cmocka_unit_test(test_json_shape),
		cmocka_unit_test(test_json_values), cmocka_unit_test(test_stream),
		cmocka_unit_test(test_hold), cmocka_unit_test(test_stream_odd), cmocka_unit_test(test_fail),
		cmocka_unit_test(test_depth),	    cmocka_unit_test(test_style),
		cmocka_unit_test(test_disarm),	    cmocka_unit_test(test_table_odd),
		cmocka_unit_test(test_writing),
	};
	int failed;

	setlocale(LC_CTYPE, "C.UTF-8");
	failed = cmocka_run_group_tests_name("out", tests, NULL, NULL);
	buf_free(&memory);
	return failed;
}
