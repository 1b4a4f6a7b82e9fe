/* SPDX-License-Identifier: GPL-2.0-or-later */
/* string - -m string: bytes in the packet */
#include <ctype.h>
#include <linux/netfilter/xt_string.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

#define NO_END UINT16_MAX

static size_t pattern_len(const struct xt_string_info *s)
{
	return s->patlen < XT_STRING_MAX_PATTERN_SIZE ? s->patlen : XT_STRING_MAX_PATTERN_SIZE;
}

/* libxt_string.c, is_hex_string(): unprintable bytes, or a '|', or a blank or backslash at the end. */
static bool needs_hex(const struct xt_string_info *s)
{
	size_t n = pattern_len(s);

	for (size_t i = 0; i < n; i++)
		if (!isprint((unsigned char)s->pattern[i]))
			return true;
	return n > 0 && s->pattern[n - 1] == '\\';
}

static void put_pattern(const struct xt_string_info *s, struct buf *b)
{
	size_t n = pattern_len(s);

	if (needs_hex(s)) {
		buf_str(b, " --hex-string \"|");
		for (size_t i = 0; i < n; i++)
			buf_fmt(b, "%02x", (unsigned char)s->pattern[i]);
		buf_str(b, "|\"");
		return;
	}
	buf_str(b, " --string \"");
	for (size_t i = 0; i < n; i++) {
		if (s->pattern[i] == '"' || s->pattern[i] == '\\')
			buf_chr(b, '\\');
		buf_chr(b, s->pattern[i]);
	}
	buf_chr(b, '"');
}

static bool inverted(const struct xt_ext *x)
{
	const struct xt_string_info *s = xt_data(xt_string_info, x);

	return x->rev == 0 ? s->u.v0.invert : s->u.v1.flags & XT_STRING_FLAG_INVERT;
}

static bool ignores_case(const struct xt_ext *x)
{
	return x->rev > 0 && xt_data(xt_string_info, x)->u.v1.flags & XT_STRING_FLAG_IGNORECASE;
}

static void string_save(const struct xt_ext *x, struct buf *b)
{
	const struct xt_string_info *s = xt_data(xt_string_info, x);

	if (inverted(x))
		buf_str(b, " !");
	put_pattern(s, b);
	buf_fmt(b, " --algo %.*s", (int)strnlen(s->algo, sizeof(s->algo)), s->algo);
	if (s->from_offset)
		buf_fmt(b, " --from %u", s->from_offset);
	if (s->to_offset != NO_END)
		buf_fmt(b, " --to %u", s->to_offset);
	if (ignores_case(x))
		buf_str(b, " --icase");
}

static void string_json(const struct xt_ext *x, struct json *j)
{
	const struct xt_string_info *s = xt_data(xt_string_info, x);
	struct buf hex _cleanup_buf_ = BUF_INIT;

	for (size_t i = 0; i < pattern_len(s); i++)
		buf_fmt(&hex, "%02x", (unsigned char)s->pattern[i]);
	json_str(j, "hex", buf_cstr(&hex));
	if (!needs_hex(s))
		json_strn(j, "string", s->pattern, pattern_len(s));
	json_strn(j, "algo", s->algo, strnlen(s->algo, sizeof(s->algo)));
	json_uint(j, "from", s->from_offset);
	json_uint(j, "to", s->to_offset);
	json_bool(j, "icase", ignores_case(x));
	json_bool(j, "invert", inverted(x));
}

static int take_byte(struct xt_parse *p, struct xt_string_info *s, unsigned byte, struct err *e)
{
	if (s->patlen >= XT_STRING_MAX_PATTERN_SIZE)
		return xt_bad(p, e, "at most %d bytes", XT_STRING_MAX_PATTERN_SIZE);
	s->pattern[s->patlen++] = (char)byte;
	return 0;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Text with hexadecimal bytes between bars: "GET |0d 0a|". */
static int hex_parse(struct xt_parse *p, struct xt_string_info *s, struct err *e)
{
	bool hex = false;

	for (const char *t = p->args[0]; *t; t++) {
		int high = hex ? hex_digit(t[0]) : -1, low = high >= 0 ? hex_digit(t[1]) : -1;

		if (*t == '|' || (hex && isspace((unsigned char)*t))) {
			hex = *t == '|' ? !hex : hex;
			continue;
		}
		if (hex && low < 0)
			return xt_bad(p, e, "'%s': not hexadecimal", t);
		if (take_byte(p, s, hex ? (unsigned)(high << 4 | low) : (unsigned char)*t, e) < 0)
			return -1;
		t += hex;
	}
	return hex ? xt_bad(p, e, "a closing | is missing") : 0;
}

static int pattern_parse(struct xt_parse *p, struct err *e)
{
	struct xt_string_info *s = (struct xt_string_info *)p->data;
	bool hex = strcmp(p->opt, "hex-string") == 0;

	if (!hex && strcmp(p->opt, "string") != 0)
		return 0;
	if (!p->n_args)
		return xt_bad(p, e, "it needs a text");
	s->patlen = 0;
	if (hex && hex_parse(p, s, e) < 0)
		return -1;
	for (const char *t = p->args[0]; !hex && *t; t++)
		if (take_byte(p, s, (unsigned char)*t, e) < 0)
			return -1;
	if (p->invert)
		s->u.v1.flags |= XT_STRING_FLAG_INVERT;
	p->used = 1;
	return 1;
}

static const struct xt_opt string_opts[] = {
	{ "algo", NULL, &xt_name, XT_AT(xt_string_info, algo), .min = 1 },
	{ "from", NULL, &xt_uint, XT_AT(xt_string_info, from_offset) },
	{ "to", NULL, &xt_uint, XT_AT(xt_string_info, to_offset), .dflt = NO_END },
	{ "icase", NULL, &xt_flag, XT_SET(xt_string_info, u.v1.flags, XT_STRING_FLAG_IGNORECASE) },
	XT_END,
};

#define STRING                                                                                             \
	.name = "string", .size = sizeof(struct xt_string_info), .save = string_save, .json = string_json, \
	.unknown = "the content of the packet decides"

const struct xt_codec xt_match_string_v0 = { STRING };
const struct xt_codec xt_match_string_v1 = {
	STRING, .rev = 1, .opts = string_opts, .parse = pattern_parse,
};
