/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spec_ext - options of matches and targets into the kernel's bytes, by the codec's table */
#include <linux/netfilter.h>
#include <stdio.h>

#include "nsutil/xt/spec.h"

int spec_load(struct spec *s, bool target, const char *name)
{
	const struct xt_codec *c = xt_codec_spelled(s->family, target, name);
	struct xt_parse *p = &s->exts[s->n_exts];

	if (!c) {
		err_set(s->e, ERR_USAGE, target ? "-j" : "-m", "the extension '%.64s' is not known", name);
		return -1;
	}
	if (s->n_exts == SPEC_EXTS)
		return err_set(s->e, ERR_USAGE, "rule", "more than %d extensions", SPEC_EXTS);
	*p = (struct xt_parse){ .arena = s->a, .family = s->family, .codec = c };
	p->data = arena_alloc(s->a, c->size ? c->size : 1);
	if (!p->data)
		return err_oom(s->e);
	for (const struct xt_opt *o = c->opts; o && o->name; o++)
		if (o->type->init)
			o->type->init(o, p->data);
	if (c->init)
		c->init(p->data, s->family);
	s->n_exts++;
	s->has_target |= target;
	return 0;
}

static void field_put(const struct xt_field *f, uint8_t *data)
{
	if (f->size)
		xt_store(data, f->off, f->size, (xt_load(data, f->off, f->size) & ~(uint64_t)f->mask) | f->value);
}

static bool name_is(const char *name, const char *text, size_t len, bool whole)
{
	return name && strncmp(name, text, len) == 0 && (!whole || name[len] == '\0');
}

/* An option by its name or alias; without @whole by the beginning of it. */
static const struct xt_opt *find_opt(const struct xt_codec *c, const char *text, size_t len, bool whole,
				     unsigned *ret_index)
{
	unsigned i = 0;

	for (const struct xt_opt *o = c->opts; o && o->name; o++, i++) {
		if (name_is(o->name, text, len, whole) || name_is(o->alias, text, len, whole)) {
			*ret_index = i;
			return o;
		}
	}
	return NULL;
}

static int take_opt(struct xt_parse *p, const struct xt_opt *o, unsigned index, struct err *e)
{
	uint64_t bit = index < 64 ? UINT64_C(1) << index : 0;

	if (p->seen & bit)
		return xt_bad(p, e, "it is given twice");
	if (p->invert && !o->inv.size)
		return xt_bad(p, e, "it cannot be negated");
	if (p->n_args < o->type->words)
		return xt_bad(p, e, "its value is missing");
	if (o->type->parse(o, p, e) < 0)
		return -1;
	p->seen |= bit;
	p->used = o->type->words;
	field_put(&o->set, p->data);
	if (p->invert)
		field_put(&o->inv, p->data);
	return 1;
}

/* 1: taken, 0: not this extension's, -1: error */
static int ext_option(struct xt_parse *p, bool whole, struct err *e)
{
	const struct xt_opt *o;
	unsigned index = 0;
	int r;

	p->used = 0;
	if (whole && p->codec->parse) {
		r = p->codec->parse(p, e);
		if (r)
			return r;
	}
	o = find_opt(p->codec, p->opt, strlen(p->opt), whole, &index);
	return o ? take_opt(p, o, index, e) : 0;
}

/* The newest extension that has the option takes it, as with getopt's merged lists; exact names first. */
static int offer(struct spec *s, const char *name, bool whole, const char *const *args, unsigned n_args)
{
	for (unsigned i = s->n_exts; i-- > 0;) {
		struct xt_parse *p = &s->exts[i];
		int r;

		p->opt = name;
		p->args = args;
		p->n_args = n_args;
		p->invert = s->invert;
		p->proto = s->proto;
		p->proto_inverted = s->proto_inverted;
		r = ext_option(p, whole, s->e);
		if (r == 1)
			s->at += args == &s->words[s->at] ? p->used : 0;
		if (r)
			return r;
	}
	return 0;
}

/* "-p tcp" alone makes TCP's options known: the match is loaded when one of them is met. */
static int offer_protocol(struct spec *s, const char *name, const char *const *args, unsigned n_args)
{
	static const struct {
		uint8_t proto;
		const char *match;
	} matches[] = {
		{ IPPROTO_TCP, "tcp" },	 { IPPROTO_UDP, "udp" },   { IPPROTO_ICMP, "icmp" },
		{ IPPROTO_ICMPV6, "icmp6" }, { IPPROTO_SCTP, "sctp" }, { IPPROTO_DCCP, "dccp" },
		{ IPPROTO_ESP, "esp" },	 { IPPROTO_AH, "ah" },	   { IPPROTO_MH, "mh" },
		{ IPPROTO_COMP, "ipcomp" },
	};

	for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
		const struct xt_codec *c;

		if (!s->proto || s->proto_inverted || matches[i].proto != s->proto)
			continue;
		c = xt_codec_spelled(s->family, false, matches[i].match);
		for (unsigned k = 0; k < s->n_exts; k++)
			if (s->exts[k].codec == c)
				return 0;
		if (!c)
			return 0;
		if (spec_load(s, false, matches[i].match) < 0)
			return -1;
		return offer(s, name, true, args, n_args);
	}
	return 0;
}

int spec_option(struct spec *s, const char *name, size_t len, const char *value, bool exact)
{
	const char *const *args = value ? &value : &s->words[s->at];
	unsigned n_args = value ? 1 : (unsigned)(s->n - s->at);
	char *word = arena_strndup(s->a, name, len);
	int r;

	if (!word)
		return err_oom(s->e);
	r = offer(s, word, true, args, n_args);
	if (exact)
		return r;
	if (r == 0)
		r = offer_protocol(s, word, args, n_args);
	return r ? r : offer(s, word, false, args, n_args);
}

int spec_finish(struct spec *s)
{
	for (unsigned i = 0; i < s->n_exts; i++) {
		struct xt_parse *p = &s->exts[i];

		p->proto = s->proto;
		p->proto_inverted = s->proto_inverted;
		p->opt = p->codec->opts && p->codec->opts->name ? p->codec->opts->name : "";
		if (p->codec->final && p->codec->final(p, s->e) < 0)
			return -1;
	}
	return 0;
}
