/* SPDX-License-Identifier: GPL-2.0-or-later */
/* codec - finding an extension's codec, and the three forms that follow from its table */
#include "nsutil/xt/codec.h"

#include <linux/netfilter.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* Open addressing over the codec list; made once, and only read afterwards. */
#define SLOTS 1024u
static const struct xt_codec *slots[SLOTS];
static pthread_once_t slots_once = PTHREAD_ONCE_INIT;

static unsigned codec_hash(bool target, const char *name, uint8_t rev)
{
	unsigned h = target ? 5381 : 33;

	while (*name)
		h = h * 33 ^ (unsigned char)*name++;
	h = h * 33 ^ rev;
	return (h ^ h >> 10) % SLOTS;
}

static void slots_fill(void)
{
	unsigned used = 0;

	for (const struct xt_codec *const *c = xt_codecs; *c && used < SLOTS / 2; c++, used++) {
		unsigned i = codec_hash((*c)->target, (*c)->name, (*c)->rev);

		while (slots[i])
			i = (i + 1) % SLOTS;
		slots[i] = *c;
	}
}

static bool family_fits(const struct xt_codec *c, uint8_t family)
{
	return c->family == NFPROTO_UNSPEC || c->family == family;
}

/* A codec with another spelling and no 'spell' exists for reading only. */
static bool reads_only(const struct xt_codec *c)
{
	return c->spelling && !c->spell;
}

const struct xt_codec *xt_codec_find(uint8_t family, bool target, const char *name, uint8_t rev)
{
	pthread_once(&slots_once, slots_fill);
	for (unsigned i = codec_hash(target, name, rev); slots[i]; i = (i + 1) % SLOTS) {
		const struct xt_codec *c = slots[i];

		if (c->rev == rev && c->target == target && family_fits(c, family) && !reads_only(c) &&
		    strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

const struct xt_codec *xt_codec_spelled(uint8_t family, bool target, const char *name)
{
	const struct xt_codec *best = NULL;

	for (const struct xt_codec *const *c = xt_codecs; *c; c++) {
		const char *spelling = reads_only(*c) ? (*c)->spelling : (*c)->name;

		if ((*c)->target == target && !(*c)->kernel_only && family_fits(*c, family) &&
		    strcmp(spelling, name) == 0 && (!best || (*c)->rev > best->rev))
			best = *c;
	}
	return best;
}

bool xt_codec_knows(uint8_t family, bool target, const char *name)
{
	for (const struct xt_codec *const *c = xt_codecs; *c; c++)
		if ((*c)->target == target && family_fits(*c, family) && strcmp((*c)->name, name) == 0)
			return true;
	return false;
}

static struct stmt *opaque_stmt(struct arena *a, uint8_t family, struct xt_ext *x, const char *why)
{
	struct stmt *s = stmt_new(a, STMT_OPAQUE);

	(void)family;
	if (!s)
		return NULL;
	s->opaque = (struct stmt_opaque){
		.name = x->name,
		.why = why,
		.data = x->data,
		.size = x->size,
		.rev = x->rev,
		.type = x->target ? OPAQUE_TARGET : OPAQUE_MATCH,
		.terminal = x->target,
	};
	return s;
}

static const char *unknown_why(struct arena *a, const struct xt_ext *x)
{
	if (x->codec)
		return arena_printf(a, "%u bytes where revision %u has %u", x->size, x->rev, x->codec->size);
	if (xt_codec_knows(x->family, x->target, x->name))
		return arena_printf(a, "unknown revision %u", x->rev);
	return x->target ? "unknown target" : "unknown match";
}

struct stmt *xt_ext_stmt_plain(struct arena *a, uint8_t family, bool target, const char *name, uint8_t rev,
			       const void *data, uint32_t size)
{
	struct xt_ext ext = {
		.codec = xt_codec_find(family, target, name, rev),
		.name = name,
		.rev = rev,
		.target = target,
		.family = family,
		.size = size,
		.data = data,
	};
	struct stmt *s;

	if (!ext.codec || size < ext.codec->size) {
		const char *why = unknown_why(a, &ext);

		return why ? opaque_stmt(a, family, &ext, why) : NULL;
	}
	ext.name = ext.codec->name;
	ext.goes_on = ext.codec->goes_on;
	s = stmt_new(a, STMT_XT);
	if (!s)
		return NULL;
	s->xt = arena_dup(a, &ext, sizeof(ext));
	return s->xt ? s : NULL;
}

struct stmt *xt_ext_stmt_at(struct arena *a, uint8_t family, bool target, const char *name, uint8_t rev,
			    const void *data, uint32_t size)
{
	struct stmt *s = xt_ext_stmt_plain(a, family, target, name, rev, data, size);

	return !s || s->kind != STMT_XT || xt_codec_lower(a, s->xt) == 0 ? s : NULL;
}

/* What was read by another spelling is held by the codec that the kernel's bytes are found with. */
struct stmt *xt_codec_stmt(struct arena *a, uint8_t family, const struct xt_codec *c, const void *data,
			   const char **ipsets)
{
	struct stmt *s = xt_ext_stmt_at(a, family, c->target, c->name, c->rev, data, c->size);

	if (!s || s->kind != STMT_XT || !ipsets)
		return s;
	s->xt->ipsets = ipsets;
	return xt_codec_lower(a, s->xt) < 0 ? NULL : s;
}

struct stmt *xt_ext_stmt(struct arena *a, uint8_t family, bool target, const char *name, uint8_t rev,
			 const void *data, uint32_t size)
{
	const void *copy = arena_dup(a, data, size);

	name = arena_strdup(a, name);
	return name && copy ? xt_ext_stmt_at(a, family, target, name, rev, copy, size) : NULL;
}

int xt_codec_lower(struct arena *a, struct xt_ext *x)
{
	struct xt_low l = { .a = a, .family = x->family };

	l.tail = &l.head;
	if (x->codec->effectless)
		return 0;
	if (x->codec->lower)
		x->codec->lower(&l, x);
	else
		l.why = x->codec->unknown ? x->codec->unknown : "it has no native form";
	if (l.failed)
		return -1;
	x->meaning = l.why ? NULL : l.head;
	x->form = l.why && l.form ? l.head : NULL;
	x->why_unknown = l.why;
	return 0;
}

static bool field_says(const struct xt_field *f, const struct xt_ext *x)
{
	return (xt_load(x->data, f->off, f->size) & f->mask) == f->value;
}

bool xt_opt_inverted(const struct xt_opt *o, const struct xt_ext *x)
{
	return o->inv.size && field_says(&o->inv, x);
}

bool xt_opt_given(const struct xt_opt *o, const struct xt_ext *x)
{
	if (o->quiet)
		return false;
	if (o->set.size && !field_says(&o->set, x))
		return false;
	if (o->always || xt_opt_inverted(o, x))
		return true;
	return !o->type->absent || !o->type->absent(o, x);
}

static const char *ext_spelling(const struct xt_ext *x)
{
	const char *s = x->codec->spell ? x->codec->spell(x) : NULL;

	return s ? s : x->codec->name;
}

static bool full_range(const struct xt_opt *o, const struct xt_ext *x)
{
	return xt_load(x->data, o->off, o->size) == 0 &&
	       xt_load(x->data, o->off2, o->size) == UINT64_MAX >> (64 - o->size * 8);
}

void xt_opt_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	if (!xt_opt_given(o, x) || (o->blunt && full_range(o, x)))
		return;
	buf_str(b, xt_opt_inverted(o, x) ? " ! --" : " --");
	buf_str(b, o->name);
	if (o->type->save)
		o->type->save(o, x, b);
}

void xt_ext_save(const struct xt_ext *x, struct buf *b)
{
	buf_str(b, x->target ? " -j " : " -m ");
	buf_str(b, ext_spelling(x));
	if (x->codec->save) {
		x->codec->save(x, b);
		return;
	}
	for (const struct xt_opt *o = x->codec->opts; o && o->name; o++)
		xt_opt_save(o, x, b);
}

/* A negated option is {"not": VALUE}, so that a plain one is just its value. */
static void json_opt(const struct xt_opt *o, const struct xt_ext *x, struct json *j)
{
	if (!xt_opt_given(o, x))
		return;
	if (xt_opt_inverted(o, x)) {
		json_begin_object(j, o->name);
		o->type->json(o, x, j, "not");
		json_end_object(j);
	} else {
		o->type->json(o, x, j, o->name);
	}
}

void xt_ext_json(const struct xt_ext *x, struct json *j, const char *key)
{
	json_begin_object(j, key);
	json_str(j, "type", x->target ? "target" : "match");
	json_str(j, "name", x->name);
	json_uint(j, "rev", x->rev);
	json_begin_object(j, "options");
	if (x->codec->json) {
		x->codec->json(x, j);
	} else {
		for (const struct xt_opt *o = x->codec->opts; o && o->name; o++)
			json_opt(o, x, j);
	}
	json_end_object(j);
	json_end_object(j);
}
