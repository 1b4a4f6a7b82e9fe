/* SPDX-License-Identifier: GPL-2.0-or-later */
/* multiport - -m multiport: lists of ports */
#include <linux/netfilter/xt_multiport.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* Revision 0 has no ranges and no inversion; otherwise it is the head of revision 1. */
_Static_assert(offsetof(struct xt_multiport, ports) == offsetof(struct xt_multiport_v1, ports),
	       "revision 0 is the head of revision 1");

static unsigned count(const struct xt_ext *x)
{
	unsigned n = xt_data(xt_multiport_v1, x)->count;

	return n <= XT_MULTI_PORTS ? n : XT_MULTI_PORTS;
}

/* The port at *i, and the end of its range; *i moves to the next one. */
static void next_port(const struct xt_ext *x, unsigned *i, uint16_t *from, uint16_t *to)
{
	const struct xt_multiport_v1 *m = xt_data(xt_multiport_v1, x);

	*from = *to = m->ports[*i];
	if (x->rev >= 1 && m->pflags[*i] && *i + 1 < count(x))
		*to = m->ports[++*i];
	++*i;
}

static void list_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	uint16_t from, to;
	char sep = ' ';

	(void)o;
	for (unsigned i = 0; i < count(x); sep = ',') {
		next_port(x, &i, &from, &to);
		buf_chr(b, sep);
		buf_uint(b, from);
		if (to != from) {
			buf_chr(b, ':');
			buf_uint(b, to);
		}
	}
}

static void list_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	uint16_t from, to;

	(void)o;
	json_begin_array(j, key);
	for (unsigned i = 0; i < count(x);) {
		next_port(x, &i, &from, &to);
		if (to == from) {
			json_uint(j, NULL, from);
			continue;
		}
		json_begin_object(j, NULL);
		json_begin_array(j, "range");
		json_uint(j, NULL, from);
		json_uint(j, NULL, to);
		json_end_array(j);
		json_end_object(j);
	}
	json_end_array(j);
}

static int one_port(struct xt_multiport_v1 *m, struct xt_parse *p, char *word, struct err *e)
{
	char *colon = strchr(word, ':');
	uint16_t from, to;

	if (m->count + (colon ? 2 : 1) > XT_MULTI_PORTS)
		return xt_bad(p, e, "more than %d ports (a range counts as two)", XT_MULTI_PORTS);
	if (colon)
		*colon = '\0';
	if (xt_port(p, word, &from, e) < 0 || (colon && xt_port(p, colon + 1, &to, e) < 0))
		return -1;
	m->ports[m->count] = from;
	if (colon) {
		if (from >= to)
			return xt_bad(p, e, "the range %u:%u is empty", from, to);
		m->pflags[m->count++] = 1;
		m->ports[m->count] = to;
	}
	m->count++;
	return 0;
}

static int list_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	struct xt_multiport_v1 *m = (struct xt_multiport_v1 *)p->data;
	char *words = arena_strdup(p->arena, p->args[0]);

	(void)o;
	if (!words)
		return err_oom(e);
	for (char *w = words, *end; w; w = end) {
		end = strchr(w, ',');
		if (end)
			*end++ = '\0';
		if (one_port(m, p, w, e) < 0)
			return -1;
	}
	return 0;
}

static const struct xt_type port_list = { 1, NULL, list_save, list_json, list_parse, NULL };

#define WHICH(f) XT_MODE(xt_multiport_v1, flags, 0xff, f)

/* XT_MULTIPORT_SOURCE is 0, so the mode field alone cannot say that nothing was given: reading insists on one. */
static const struct xt_opt v1_opts[] = {
	{ "sports", "source-ports", &port_list, WHICH(XT_MULTIPORT_SOURCE), XT_INV(xt_multiport_v1, invert, 1) },
	{ "dports", "destination-ports", &port_list, WHICH(XT_MULTIPORT_DESTINATION),
	  XT_INV(xt_multiport_v1, invert, 1) },
	{ "ports", NULL, &port_list, WHICH(XT_MULTIPORT_EITHER), XT_INV(xt_multiport_v1, invert, 1) },
	XT_END,
};

static const struct xt_opt v0_opts[] = {
	{ "sports", NULL, &port_list, WHICH(XT_MULTIPORT_SOURCE) },
	{ "dports", NULL, &port_list, WHICH(XT_MULTIPORT_DESTINATION) },
	{ "ports", NULL, &port_list, WHICH(XT_MULTIPORT_EITHER) },
	XT_END,
};

static int multiport_final(struct xt_parse *p, struct err *e)
{
	if (!((struct xt_multiport_v1 *)p->data)->count)
		return xt_bad(p, e, "one of --sports, --dports, --ports is needed");
	return 0;
}

static struct expr *ports_right(struct xt_low *l, const struct xt_ext *x)
{
	struct set *s = low_anon_set(l, count(x), DT_SERVICE, 16);
	uint16_t from, to;

	for (unsigned i = 0; i < count(x);) {
		next_port(x, &i, &from, &to);
		struct expr *key = expr_be16(l->a, DT_SERVICE, from);

		if (from != to)
			key = expr_range(l->a, key, expr_be16(l->a, DT_SERVICE, to));
		if (count(x) == i && s && s->n_elems == 0)
			return key; /* a single one needs no set */
		low_anon_add(l, s, key);
	}
	return expr_setref(l->a, s);
}

static void multiport_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_multiport_v1 *m = xt_data(xt_multiport_v1, x);
	bool invert = x->rev >= 1 && m->invert;
	struct xt_low src = { .a = l->a }, dst = { .a = l->a };

	if (m->flags == XT_MULTIPORT_SOURCE) {
		low_match(l, invert, expr_field(l->a, "th", "sport"), ports_right(l, x));
	} else if (m->flags == XT_MULTIPORT_DESTINATION) {
		low_match(l, invert, expr_field(l->a, "th", "dport"), ports_right(l, x));
	} else if (invert) {
		low_match(l, true, expr_field(l->a, "th", "sport"), ports_right(l, x));
		low_match(l, true, expr_field(l->a, "th", "dport"), ports_right(l, x));
	} else {
		src.tail = &src.head;
		dst.tail = &dst.head;
		low_match(&src, false, expr_field(l->a, "th", "sport"), ports_right(l, x));
		low_match(&dst, false, expr_field(l->a, "th", "dport"), ports_right(l, x));
		low_either(l, &src, &dst);
	}
}

const struct xt_codec xt_match_multiport_v0 = {
	.name = "multiport", .size = sizeof(struct xt_multiport), .opts = v0_opts, .lower = multiport_lower,
};

const struct xt_codec xt_match_multiport_v1 = {
	.name = "multiport", .rev = 1, .size = sizeof(struct xt_multiport_v1), .opts = v1_opts,
	.final = multiport_final, .lower = multiport_lower,
};
