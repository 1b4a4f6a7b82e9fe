/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcpoptstrip - -j TCPOPTSTRIP: take options out of the TCP header */
#include <linux/netfilter/xt_TCPOPTSTRIP.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_word options[] = {
	{ "wscale", 3 }, { "mss", 2 }, { "sack-permitted", 4 }, { "sack", 5 }, { "timestamp", 8 }, { "md5", 19 },
	{ NULL, 0 },
};

static bool stripped(const struct xt_ext *x, unsigned option)
{
	const struct xt_tcpoptstrip_target_info *t = x->data;

	return tcpoptstrip_test_bit(t->strip_bmap, option);
}

static void strip_save(const struct xt_ext *x, struct buf *b)
{
	const char *sep = " --strip-options ";

	for (unsigned i = 0; i < 256; i++) {
		if (!stripped(x, i))
			continue;
		buf_fmt(b, "%s%u", sep, i);
		sep = ",";
	}
}

static void strip_json(const struct xt_ext *x, struct json *j)
{
	json_begin_array(j, "strip-options");
	for (unsigned i = 0; i < 256; i++)
		if (stripped(x, i))
			json_uint(j, NULL, i);
	json_end_array(j);
}

static int strip_parse(struct xt_parse *p, struct err *e)
{
	struct xt_tcpoptstrip_target_info *t = (struct xt_tcpoptstrip_target_info *)p->data;
	const char *s;

	if (strcmp(p->opt, "strip-options") != 0)
		return 0;
	if (!p->n_args)
		return xt_bad(p, e, "it needs a list of options");
	for (s = p->args[0];; s++) {
		const struct xt_word *w = xt_find_word(options, s, strcspn(s, ","));
		uint64_t v = w ? w->value : 0;

		if (w)
			s += strcspn(s, ",");
		else if (xt_number_upto(p, s, ",", 255, &v, &s, e) < 0)
			return -1;
		tcpoptstrip_set_bit(t->strip_bmap, v);
		if (!*s)
			break;
	}
	p->used = 1;
	return 1;
}

const struct xt_codec xt_target_TCPOPTSTRIP_v0 = {
	.name = "TCPOPTSTRIP", .target = true, .goes_on = true, .size = sizeof(struct xt_tcpoptstrip_target_info),
	.save = strip_save, .json = strip_json, .parse = strip_parse,
	.unknown = "it takes options out of the TCP header",
};
