/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hashlimit - -m hashlimit: a rate for each address or port */
#include <limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter/xt_hashlimit.h>
#include <stdio.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* The four revisions as one: revision 3's configuration, and the scale in which rates are kept. */
struct limit {
	const char *name;
	size_t name_room;
	struct hashlimit_cfg3 cfg;
	uint64_t scale;
};

#define COPY_CFG(to, from)                                                                                 \
	do {                                                                                               \
		(to).mode = (from).mode;                                                                   \
		(to).avg = (from).avg;                                                                     \
		(to).burst = (from).burst;                                                                 \
		(to).size = (from).size;                                                                   \
		(to).max = (from).max;                                                                     \
		(to).gc_interval = (from).gc_interval;                                                     \
		(to).expire = (from).expire;                                                               \
		(to).srcmask = (from).srcmask;                                                             \
		(to).dstmask = (from).dstmask;                                                             \
	} while (0)

static struct limit limit_of(const struct xt_ext *x)
{
	const struct xt_hashlimit_mtinfo1 *v1 = x->data;
	const struct xt_hashlimit_mtinfo2 *v2 = x->data;
	const struct xt_hashlimit_mtinfo3 *v3 = x->data;
	struct limit l = { .name = v1->name, .name_room = sizeof(v1->name), .scale = XT_HASHLIMIT_SCALE };

	if (x->rev == 1) {
		COPY_CFG(l.cfg, v1->cfg);
		return l;
	}
	l.scale = XT_HASHLIMIT_SCALE_v2;
	l.name_room = sizeof(v2->name);
	if (x->rev == 2)
		COPY_CFG(l.cfg, v2->cfg);
	else
		l.cfg = v3->cfg;
	return l;
}

static const struct {
	const char *name, *word; /* as printed; as read */
	unsigned seconds;
} units[] = { { "day", "day", 86400 }, { "hour", "hour", 3600 }, { "min", "minute", 60 }, { "sec", "second", 1 } };

/* libxt_hashlimit.c, print_rate(): the smallest unit in which the rate is a number without much rest. */
static unsigned rate_unit(uint64_t period, uint64_t scale)
{
	unsigned i;

	for (i = 1; i < 4; i++) {
		uint64_t whole = units[i].seconds * scale;

		if (period > whole || whole / period < whole % period)
			break;
	}
	return i - 1;
}

static void put_rate(struct buf *b, uint64_t period, uint64_t scale)
{
	unsigned i = period ? rate_unit(period, scale) : 0;

	if (period == 0)
		buf_str(b, " inf");
	else
		buf_fmt(b, " %llu/%s", (unsigned long long)(units[i].seconds * scale / period), units[i].name);
}

static uint64_t cost_to_bytes(uint64_t cost)
{
	uint64_t r = cost ? UINT32_MAX / cost : UINT32_MAX;

	return (r ? r - 1 : 0) << XT_HASHLIMIT_BYTE_SHIFT; /* the cost was rounded up by one */
}

static uint64_t bytes_to_cost(uint64_t bytes)
{
	return UINT32_MAX / ((uint32_t)(bytes >> XT_HASHLIMIT_BYTE_SHIFT) + 1ull);
}

static const struct {
	const char *name;
	uint64_t factor;
} sizes[] = { { "mb", 1024 * 1024 }, { "kb", 1024 }, { "b", 1 } };

/* The largest unit of which there is one at least; when it is a rate, only if that is the same rate again. */
static unsigned byte_unit(uint64_t bytes, const uint64_t *cost)
{
	unsigned i = 0;

	while (i < 2 && (bytes < sizes[i].factor ||
			 (cost && bytes_to_cost(bytes & ~(sizes[i].factor - 1)) != *cost)))
		i++;
	return i;
}

static uint64_t bytes_shown(uint64_t bytes, const uint64_t *cost)
{
	return bytes & ~(sizes[byte_unit(bytes, cost)].factor - 1);
}

static void put_bytes(struct buf *b, uint64_t bytes, const uint64_t *cost, const char *suffix)
{
	unsigned i = byte_unit(bytes, cost);

	buf_fmt(b, " %llu%s%s", (unsigned long long)(bytes / sizes[i].factor), sizes[i].name, suffix);
}

static void put_limit(const struct limit *l, struct buf *b)
{
	const struct hashlimit_cfg3 *c = &l->cfg;

	buf_str(b, c->mode & XT_HASHLIMIT_INVERT ? " --hashlimit-above" : " --hashlimit-upto");
	if (c->mode & XT_HASHLIMIT_BYTES) {
		put_bytes(b, cost_to_bytes(c->avg), &(uint64_t){ c->avg }, "/s");
		if (c->burst) { /* in periods */
			buf_str(b, " --hashlimit-burst");
			put_bytes(b, cost_to_bytes(c->avg) * c->burst, NULL, "");
		}
		return;
	}
	put_rate(b, c->avg, l->scale);
	buf_fmt(b, " --hashlimit-burst %llu", (unsigned long long)c->burst);
}

static const struct xt_word keys[] = {
	{ "srcip", XT_HASHLIMIT_HASH_SIP }, { "srcport", XT_HASHLIMIT_HASH_SPT },
	{ "dstip", XT_HASHLIMIT_HASH_DIP }, { "dstport", XT_HASHLIMIT_HASH_DPT }, { NULL, 0 },
};

static void put_keys(const struct hashlimit_cfg3 *c, struct buf *b)
{
	const char *sep = " --hashlimit-mode ";

	for (const struct xt_word *w = keys; w->name; w++) {
		if (!(c->mode & w->value))
			continue;
		buf_fmt(b, "%s%s", sep, w->name);
		sep = ",";
	}
}

static void put_number(struct buf *b, const char *option, uint32_t v, uint32_t dflt)
{
	if (v != dflt)
		buf_fmt(b, " --hashlimit-%s %u", option, v);
}

/* How long an entry lives, in milliseconds, when nothing was said: as long as its unit of time. */
static uint32_t default_expire(const struct limit *l)
{
	const struct hashlimit_cfg3 *c = &l->cfg;

	if (c->mode & XT_HASHLIMIT_BYTES)
		return c->burst ? 60000 : 15000;
	return (c->avg ? units[rate_unit(c->avg, l->scale)].seconds : 1) * 1000;
}

static void hashlimit_save(const struct xt_ext *x, struct buf *b)
{
	unsigned bits = x->family == NFPROTO_IPV6 ? 128 : 32;
	struct limit l = limit_of(x);

	put_limit(&l, b);
	put_keys(&l.cfg, b);
	buf_fmt(b, " --hashlimit-name %.*s", (int)strnlen(l.name, l.name_room), l.name);
	put_number(b, "htable-size", l.cfg.size, 0);
	put_number(b, "htable-max", l.cfg.max, 0);
	put_number(b, "htable-gcinterval", l.cfg.gc_interval, 1000);
	put_number(b, "htable-expire", l.cfg.expire, default_expire(&l));
	put_number(b, "srcmask", l.cfg.srcmask, bits);
	put_number(b, "dstmask", l.cfg.dstmask, bits);
	if (l.cfg.mode & XT_HASHLIMIT_RATE_MATCH) {
		buf_str(b, " --hashlimit-rate-match");
		put_number(b, "rate-interval", l.cfg.interval, 1);
	}
}

static void hashlimit_json(const struct xt_ext *x, struct json *j)
{
	struct buf text _cleanup_buf_ = BUF_INIT;
	struct limit l = limit_of(x);

	json_bool(j, "above", l.cfg.mode & XT_HASHLIMIT_INVERT);
	if (l.cfg.mode & XT_HASHLIMIT_BYTES) {
		json_uint(j, "bytes-per-second", cost_to_bytes(l.cfg.avg));
	} else {
		put_rate(&text, l.cfg.avg, l.scale);
		json_str(j, "rate", text.data ? text.data + 1 : "");
		json_uint(j, "hashlimit-burst", l.cfg.burst);
	}
	json_begin_array(j, "hashlimit-mode");
	for (const struct xt_word *w = keys; w->name; w++)
		if (l.cfg.mode & w->value)
			json_str(j, NULL, w->name);
	json_end_array(j);
	json_strn(j, "hashlimit-name", l.name, strnlen(l.name, l.name_room));
	json_uint(j, "hashlimit-htable-size", l.cfg.size);
	json_uint(j, "hashlimit-htable-max", l.cfg.max);
	json_uint(j, "hashlimit-htable-gcinterval", l.cfg.gc_interval);
	json_uint(j, "hashlimit-htable-expire", l.cfg.expire);
	json_uint(j, "hashlimit-srcmask", l.cfg.srcmask);
	json_uint(j, "hashlimit-dstmask", l.cfg.dstmask);
	json_bool(j, "hashlimit-rate-match", l.cfg.mode & XT_HASHLIMIT_RATE_MATCH);
}

/* Reading (revision 3). */
static int bytes_parse(struct xt_parse *p, const char *end, uint64_t v, uint64_t *ret, struct err *e)
{
	if (*end == 'k')
		v *= 1024;
	else if (*end == 'm')
		v *= 1024 * 1024;
	else if (*end != 'b')
		return xt_bad(p, e, "'%s' is no amount of bytes", p->args[0]);
	*ret = v;
	return 0;
}

static int rate_parse(struct xt_parse *p, struct hashlimit_cfg3 *c, struct err *e)
{
	const char *end;
	uint64_t v, bytes = 0;

	if (xt_number_upto(p, p->args[0], "/kmb", UINT32_MAX, &v, &end, e) < 0)
		return -1;
	/* "0b/s" is what iptables prints for less than 16 bytes a second */
	if (v == 0 && *end != 'b')
		return xt_bad(p, e, "a rate of 0");
	if (*end && *end != '/') {
		if (bytes_parse(p, end, v, &bytes, e) < 0)
			return -1;
		c->mode |= XT_HASHLIMIT_BYTES;
		c->avg = bytes_to_cost(bytes);
		return 0;
	}
	for (unsigned i = 0; i < 4; i++) {
		if (*end && (!end[1] || strncasecmp(end + 1, units[i].word, strlen(end + 1)) != 0))
			continue;
		c->avg = XT_HASHLIMIT_SCALE_v2 * (*end ? units[i].seconds : 1) / v;
		return c->avg ? 0 : xt_bad(p, e, "'%s' is too fast", p->args[0]);
	}
	return xt_bad(p, e, "'%s' is no rate", p->args[0]);
}

static int burst_parse(struct xt_parse *p, struct hashlimit_cfg3 *c, struct err *e)
{
	const char *end;
	uint64_t v;

	if (xt_number_upto(p, p->args[0], "kmb", UINT32_MAX, &v, &end, e) < 0)
		return -1;
	if (*end && bytes_parse(p, end, v, &v, e) < 0)
		return -1;
	c->burst = v; /* bytes are turned into periods at the end, when the rate is known */
	return 0;
}

static int mode_parse(struct xt_parse *p, struct hashlimit_cfg3 *c, struct err *e)
{
	for (const char *s = p->args[0];; s++) {
		size_t len = strcspn(s, ",");
		const struct xt_word *w = xt_find_word(keys, s, len);

		if (!w)
			return xt_bad(p, e, "'%.*s' is none of srcip, srcport, dstip, dstport", (int)len, s);
		c->mode |= w->value;
		s += len;
		if (!*s)
			return 0;
	}
}

static int hashlimit_parse(struct xt_parse *p, struct err *e)
{
	struct hashlimit_cfg3 *c = &((struct xt_hashlimit_mtinfo3 *)p->data)->cfg;
	bool above = strcmp(p->opt, "hashlimit-above") == 0;
	int r;

	if (strcmp(p->opt, "hashlimit-rate-match") == 0) {
		c->mode |= XT_HASHLIMIT_RATE_MATCH;
		return 1;
	}
	if (!p->n_args)
		return 0;
	p->used = 1;
	if (above || strcmp(p->opt, "hashlimit-upto") == 0 || strcmp(p->opt, "hashlimit") == 0) {
		r = rate_parse(p, c, e);
		if (above != p->invert)
			c->mode |= XT_HASHLIMIT_INVERT;
	} else if (strcmp(p->opt, "hashlimit-burst") == 0) {
		r = burst_parse(p, c, e);
	} else if (strcmp(p->opt, "hashlimit-mode") == 0) {
		r = mode_parse(p, c, e);
	} else {
		p->used = 0;
		return 0;
	}
	return r < 0 ? -1 : 1;
}

static int hashlimit_final(struct xt_parse *p, struct err *e)
{
	struct hashlimit_cfg3 *c = &((struct xt_hashlimit_mtinfo3 *)p->data)->cfg;
	struct limit l = { .cfg = *c, .scale = XT_HASHLIMIT_SCALE_v2 };
	uint64_t bytes = cost_to_bytes(c->avg);

	(void)e;
	if (c->mode & XT_HASHLIMIT_BYTES)
		c->burst = c->burst && bytes ? (c->burst + bytes - 1) / bytes : 0;
	else if (!c->burst)
		c->burst = 5;
	if (!c->expire)
		c->expire = default_expire(&l);
	return 0;
}

static void hashlimit_init(uint8_t *data, uint8_t family)
{
	struct hashlimit_cfg3 *c = &((struct xt_hashlimit_mtinfo3 *)data)->cfg;

	c->gc_interval = 1000;
	c->interval = 1;
	c->srcmask = c->dstmask = family == NFPROTO_IPV6 ? 128 : 32;
}

static const struct xt_opt v3_opts[] = {
	{ "hashlimit-name", NULL, &xt_name, XT_AT(xt_hashlimit_mtinfo3, name), .min = 1 },
	{ .name = "hashlimit-htable-size", .type = &xt_uint, XT_AT(xt_hashlimit_mtinfo3, cfg.size) },
	{ .name = "hashlimit-htable-max", .type = &xt_uint, XT_AT(xt_hashlimit_mtinfo3, cfg.max) },
	{ .name = "hashlimit-htable-gcinterval", .type = &xt_uint, XT_AT(xt_hashlimit_mtinfo3, cfg.gc_interval),
	  .dflt = 1000 },
	{ .name = "hashlimit-htable-expire", .type = &xt_uint, XT_AT(xt_hashlimit_mtinfo3, cfg.expire) },
	{ .name = "hashlimit-srcmask", .type = &xt_uint, XT_AT(xt_hashlimit_mtinfo3, cfg.srcmask), .max = 128,
	  .dflt = 32 },
	{ .name = "hashlimit-dstmask", .type = &xt_uint, XT_AT(xt_hashlimit_mtinfo3, cfg.dstmask), .max = 128,
	  .dflt = 32 },
	{ .name = "hashlimit-rate-interval", .type = &xt_uint, XT_AT(xt_hashlimit_mtinfo3, cfg.interval), .dflt = 1 },
	XT_END,
};

static struct expr *form_addr(struct xt_low *l, const char *field, unsigned len)
{
	bool v6 = l->family == NFPROTO_IPV6;
	unsigned bits = v6 ? 128 : 32;
	uint8_t mask[16] = { 0 };

	for (unsigned i = 0; i < len && i < bits; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
	if (len >= bits)
		return low_addr_expr(l, field);
	return expr_binop(l->a, BINOP_AND, low_addr_expr(l, field),
			  expr_bytes(l->a, v6 ? DT_IPV6 : DT_IPV4, ORDER_NET, mask, bits));
}

/* The order of a meter's key is that of libxt_hashlimit.c, hashlimit_mode_xlate(). */
static struct expr *form_key(struct xt_low *l, const struct hashlimit_cfg3 *c)
{
	struct expr *dst = form_addr(l, "daddr", c->dstmask), *src = form_addr(l, "saddr", c->srcmask), *both;

	if (!(c->mode & XT_HASHLIMIT_HASH_SIP))
		return dst;
	if (!(c->mode & XT_HASHLIMIT_HASH_DIP))
		return src;
	both = expr_new(l->a, EXPR_CONCAT, DT_INTEGER, ORDER_NET, 2 * low_addr_expr(l, "saddr")->bits);
	if (!both || !(both->concat.parts = arena_array(l->a, 2, sizeof(*both->concat.parts))))
		return NULL;
	both->concat.n = 2;
	both->concat.parts[0] = dst;
	both->concat.parts[1] = src;
	return both;
}

static void form_rate(const struct limit *l, struct stmt_limit *to)
{
	const struct hashlimit_cfg3 *c = &l->cfg;
	unsigned unit = c->avg ? rate_unit(c->avg, l->scale) : 0;

	to->over = c->mode & XT_HASHLIMIT_INVERT;
	to->bytes = c->mode & XT_HASHLIMIT_BYTES;
	to->unit_secs = to->bytes ? 1 : units[unit].seconds;
	to->rate = to->bytes ? bytes_shown(cost_to_bytes(c->avg), &(uint64_t){ c->avg }) :
			       c->avg ? units[unit].seconds * l->scale / c->avg : 0;
	to->burst = (uint32_t)(to->bytes ? bytes_shown(cost_to_bytes(c->avg) * c->burst, NULL) : c->burst);
}

/*
 * A meter, as iptables-translate has it, but only where that says all of it: not of the size of the table, nor of
 * what is counted in no whole seconds, nor of ports, which xt takes of any protocol and translate of TCP.
 */
static void hashlimit_lower(struct xt_low *l, const struct xt_ext *x)
{
	struct stmt *s = stmt_new(l->a, STMT_SETOP), *limit = stmt_new(l->a, STMT_LIMIT);
	struct set *meter = low_anon_set(l, 0, DT_INTEGER, 0);
	struct limit h = limit_of(x);

	l->why = "how often packets of this kind came lately decides";
	if (!s || !limit || !meter || h.cfg.size || h.cfg.max || h.cfg.gc_interval != 1000 || h.cfg.expire % 1000 || !h.cfg.expire ||
	    !(h.cfg.mode & (XT_HASHLIMIT_HASH_SIP | XT_HASHLIMIT_HASH_DIP)) ||
	    h.cfg.mode & (XT_HASHLIMIT_HASH_SPT | XT_HASHLIMIT_HASH_DPT | XT_HASHLIMIT_RATE_MATCH))
		return;
	form_rate(&h, &limit->limit);
	if (!limit->limit.rate || h.cfg.burst > UINT32_MAX)
		return;
	meter->size = 65535; /* what nft gives a meter that says nothing */
	s->setop = (struct stmt_setop){ .set = meter, .stmts = limit, .key = form_key(l, &h.cfg) };
	s->setop.set_name = arena_strndup(l->a, h.name, strnlen(h.name, h.name_room));
	s->setop.timeout_ms = h.cfg.expire == 1000 ? 0 : h.cfg.expire;
	s->setop.op = s->setop.timeout_ms ? SETOP_UPDATE : SETOP_ADD;
	l->form = true;
	l->failed |= !s->setop.key || !s->setop.set_name;
	low_add(l, s);
}

#define HASHLIMIT                                                                                          \
	.name = "hashlimit", .save = hashlimit_save, .json = hashlimit_json, .lower = hashlimit_lower

const struct xt_codec xt_match_hashlimit_v1 = {
	HASHLIMIT, .rev = 1, .size = sizeof(struct xt_hashlimit_mtinfo1),
};
const struct xt_codec xt_match_hashlimit_v2 = {
	HASHLIMIT, .rev = 2, .size = sizeof(struct xt_hashlimit_mtinfo2),
};
const struct xt_codec xt_match_hashlimit_v3 = {
	HASHLIMIT, .rev = 3, .size = sizeof(struct xt_hashlimit_mtinfo3), .opts = v3_opts,
	.init = hashlimit_init, .parse = hashlimit_parse, .final = hashlimit_final,
};
