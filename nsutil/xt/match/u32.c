/* SPDX-License-Identifier: GPL-2.0-or-later */
/* u32 - -m u32: words of the packet, masked, shifted and followed */
#include <linux/netfilter/xt_u32.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static unsigned count(unsigned n)
{
	return n <= XT_U32_MAXSIZE ? n : XT_U32_MAXSIZE + 1;
}

/* LOCATION=VALUES && ...: a location is a number with operators (&, <<, >>, @) and numbers behind. */
static void test_text(const struct xt_u32_test *t, struct buf *b)
{
	static const char *const ops[] = { "&", "<<", ">>", "@" };

	for (unsigned i = 0; i < count(t->nnums); i++) {
		if (i)
			buf_str(b, t->location[i].nextop < 4 ? ops[t->location[i].nextop] : "?");
		buf_fmt(b, "0x%x", t->location[i].number);
	}
	for (unsigned i = 0; i < count(t->nvalues); i++) {
		buf_fmt(b, "%c0x%x", i ? ',' : '=', t->value[i].min);
		if (t->value[i].min != t->value[i].max)
			buf_fmt(b, ":0x%x", t->value[i].max);
	}
}

static void tests_text(const struct xt_ext *x, struct buf *b)
{
	const struct xt_u32 *u = xt_data(xt_u32, x);

	for (unsigned i = 0; i < count(u->ntests); i++) {
		if (i)
			buf_str(b, "&&");
		test_text(&u->tests[i], b);
	}
}

static void u32_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	(void)o;
	buf_str(b, " \"");
	tests_text(x, b);
	buf_chr(b, '"');
}

static void u32_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	struct buf b _cleanup_buf_ = BUF_INIT;

	(void)o;
	tests_text(x, &b);
	json_str(j, key, buf_cstr(&b));
}

/* Reading: blanks are free, numbers decimal or 0x. */
static void skip(const char **s)
{
	*s += strspn(*s, " \t\n");
}

static bool take(const char **s, const char *token)
{
	skip(s);
	if (strncmp(*s, token, strlen(token)) != 0)
		return false;
	*s += strlen(token);
	return true;
}

static int number(struct xt_parse *p, const char **s, uint32_t *ret, struct err *e)
{
	uint64_t v;

	skip(s);
	if (xt_number_upto(p, *s, " \t\n&<>@=:,", UINT32_MAX, &v, s, e) < 0)
		return -1;
	*ret = (uint32_t)v;
	return 0;
}

static int location_parse(struct xt_parse *p, const char **s, struct xt_u32_test *t, struct err *e)
{
	for (uint8_t op = 0;; t->nnums++) {
		if (t->nnums > XT_U32_MAXSIZE)
			return xt_bad(p, e, "more than %d operators", XT_U32_MAXSIZE);
		t->location[t->nnums].nextop = op;
		if (number(p, s, &t->location[t->nnums].number, e) < 0)
			return -1;
		if (take(s, "=")) {
			t->nnums++;
			return 0;
		}
		if (take(s, "&"))
			op = XT_U32_AND;
		else if (take(s, "<<"))
			op = XT_U32_LEFTSH;
		else if (take(s, ">>"))
			op = XT_U32_RIGHTSH;
		else if (take(s, "@"))
			op = XT_U32_AT;
		else
			return xt_bad(p, e, "'%s': expected &, <<, >>, @ or =", *s);
	}
}

static int values_parse(struct xt_parse *p, const char **s, struct xt_u32_test *t, struct err *e)
{
	do {
		struct xt_u32_value_element *v = &t->value[t->nvalues];

		if (t->nvalues > XT_U32_MAXSIZE)
			return xt_bad(p, e, "more than %d values", XT_U32_MAXSIZE);
		if (number(p, s, &v->min, e) < 0)
			return -1;
		v->max = v->min;
		if (take(s, ":") && number(p, s, &v->max, e) < 0)
			return -1;
		t->nvalues++;
	} while (take(s, ","));
	return 0;
}

static int u32_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	struct xt_u32 *u = (struct xt_u32 *)p->data;
	const char *s = p->args[0];

	(void)o;
	do {
		if (u->ntests > XT_U32_MAXSIZE)
			return xt_bad(p, e, "more than %d tests", XT_U32_MAXSIZE);
		if (location_parse(p, &s, &u->tests[u->ntests], e) < 0 ||
		    values_parse(p, &s, &u->tests[u->ntests], e) < 0)
			return -1;
		u->ntests++;
	} while (take(&s, "&&"));
	skip(&s);
	return *s ? xt_bad(p, e, "'%s': expected &&", s) : 0;
}

static const struct xt_type u32_type = { 1, NULL, u32_save, u32_json, u32_parse, NULL };

static const struct xt_opt u32_opts[] = {
	{ "u32", NULL, &u32_type, .size = 1, XT_INV(xt_u32, invert, 1), .always = true },
	XT_END,
};

const struct xt_codec xt_match_u32_v0 = {
	.name = "u32", .size = sizeof(struct xt_u32), .opts = u32_opts,
	.unknown = "words of the packet that are followed from one to the next decide",
};
