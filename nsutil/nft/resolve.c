/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve - what registers hold gets its names: header bytes those of fields, by the protocols known so far */
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/nft/bits.h"
#include "nsutil/nft/proto.h"
#include "nsutil/ruleset/exthdr.h"

#define VALUE_MAX 64 /* NFT_DATA_VALUE_MAXLEN */

static void set_field(struct expr *x, const struct hdr_field *f)
{
	x->payload.field = f;
	x->dtype = (uint8_t)f->dtype;
}

void dec_name_port(struct expr *x)
{
	const struct hdr_proto *th = &header_protocols[HDR_TH];

	for (unsigned i = 0; x->payload.base == NFT_PAYLOAD_TRANSPORT_HEADER && i < th->n; i++)
		if (th->fields[i].offset == x->payload.offset && th->fields[i].bits == x->bits)
			set_field(x, &th->fields[i]);
}

static void use_payload(struct dec *d, struct expr *x)
{
	const struct hdr_field *f = dec_field_at(d, x->payload.base, x->payload.offset, x->bits);

	if (f)
		set_field(x, f);
	else if (!x->payload.field)
		dec_name_port(x);
	dec_deps_payload(d, x, false);
}

/* ---- fields of a few bits ---- */

/* Options and headers behind the header get their names at once; what they are is in the load. */
static struct expr *exthdr_part(struct dec *d, const struct expr *load, const struct mask_span *span)
{
	const struct exthdr_field *f = exthdr_field_at(load->exthdr.op, load->exthdr.type,
						       load->exthdr.offset + span->lead, span->width);
	struct expr *x = f ? arena_dup(d->a, load, sizeof(*x)) : NULL;

	if (!x)
		return NULL;
	x->exthdr.name = f->name ? f->name : exthdr_name(load->exthdr.op, load->exthdr.type);
	x->exthdr.field = f->field;
	x->exthdr.offset = f->offset;
	x->bits = f->bits;
	x->dtype = (uint8_t)f->dtype;
	return x;
}

static struct expr *part(struct dec *d, const struct expr *load, const uint8_t *mask, unsigned *shift)
{
	struct mask_span span;

	if ((load->kind != EXPR_PAYLOAD && load->kind != EXPR_EXTHDR) || load->bits == 0 ||
	    !bits_span(mask, load->bits, &span))
		return NULL;
	*shift = span.tail;
	if (load->kind == EXPR_EXTHDR)
		return exthdr_part(d, load, &span);
	if (!dec_field_trim(d, load, span.lead, span.width))
		return NULL;
	return expr_payload(d->a, load->payload.base, load->payload.offset + span.lead, span.width, NULL);
}

struct expr *dec_masked(struct dec *d, const struct expr *x, unsigned *ret_shift)
{
	*ret_shift = 0;
	if (x->kind != EXPR_BINOP || x->binop.op != BINOP_AND || x->binop.right->kind != EXPR_VALUE ||
	    x->binop.right->bits != x->binop.left->bits)
		return NULL;
	return part(d, x->binop.left, x->binop.right->value, ret_shift);
}

/* The field that "load & mask" is, named and used; NULL when it is none. */
static struct expr *masked_field(struct dec *d, const struct expr *x, unsigned *shift)
{
	struct expr *f = dec_masked(d, x, shift);

	return f ? dec_resolve(d, f) : NULL;
}

/* "load, mask, shift right", as nft reads a field of a few bits where the value cannot be shifted instead. */
static struct expr *shifted_field(struct dec *d, const struct expr *x)
{
	unsigned shift;
	struct expr *f;

	if (x->kind != EXPR_BINOP || x->binop.op != BINOP_RSHIFT || x->binop.right->kind != EXPR_VALUE)
		return NULL;
	f = dec_masked(d, x->binop.left, &shift);
	return f && shift == expr_uint(x->binop.right) ? dec_resolve(d, f) : NULL;
}

struct expr *dec_field_value(struct dec *d, const struct expr *f, unsigned shift, const void *bytes, unsigned len)
{
	uint8_t out[VALUE_MAX] = "";

	if (shift + f->bits <= len * 8)
		bits_copy(bytes, len * 8 - shift - f->bits, f->bits, out, (8 - f->bits % 8u) % 8u);
	return expr_bytes(d->a, f->dtype, ORDER_NET, out, f->bits);
}

struct expr *dec_subfield_value(struct dec *d, struct expr *load, const struct expr *mask,
				const struct expr *bits, struct expr **ret_value)
{
	static const uint8_t zero[VALUE_MAX];
	unsigned shift;
	struct expr *f = part(d, load, mask->value, &shift);

	f = f ? dec_resolve(d, f) : NULL;
	if (!f)
		return NULL;
	*ret_value = dec_field_value(d, f, shift, bits ? bits->value : zero, mask->bits / 8u);
	return *ret_value ? f : NULL;
}

/* ---- all within an expression ---- */

/*
 * Other than in comparisons, nft 1.0.6 shows how a field of a few bits is read. What it reads back the same of that is
 * listed so here too: loads of a byte, but not within elements (there it names the field, and the shift once more).
 */
static bool shows_bytes(const struct expr *x)
{
	const struct expr *load = x->binop.left->kind == EXPR_BINOP ? x->binop.left->binop.left : x->binop.left;

	return load->kind == EXPR_PAYLOAD && load->bits == 8;
}

static struct expr *resolve_binop(struct dec *d, struct expr *x)
{
	unsigned shift;
	struct expr *f;

	if (d->in_elem) {
		f = masked_field(d, x, &shift);
		if (f)
			return f;
	}
	if (d->in_elem || !shows_bytes(x)) {
		f = shifted_field(d, x);
		if (f)
			return f;
	}
	x->binop.left = dec_resolve(d, x->binop.left);
	if (x->binop.right->kind != EXPR_VALUE)
		x->binop.right = dec_resolve(d, x->binop.right);
	else if (x->binop.left && x->binop.op < BINOP_LSHIFT)
		x->binop.right->dtype = x->binop.left->dtype;
	if (x->binop.left)
		x->dtype = x->binop.left->dtype;
	return x->binop.left && x->binop.right ? x : NULL;
}

static struct expr *resolve_concat(struct dec *d, struct expr *x)
{
	bool before = d->in_elem;

	d->in_elem = true;
	for (unsigned i = 0; i < x->concat.n; i++) {
		x->concat.parts[i] = dec_resolve(d, x->concat.parts[i]);
		if (!x->concat.parts[i])
			return NULL;
	}
	d->in_elem = before;
	return x;
}

struct expr *dec_resolve(struct dec *d, struct expr *x)
{
	if (!x)
		return NULL;
	switch (x->kind) {
	case EXPR_PAYLOAD:
		use_payload(d, x);
		return x;
	case EXPR_EXTHDR:
		dec_deps_exthdr(d, x->exthdr.op);
		return x;
	case EXPR_BINOP:
		return resolve_binop(d, x);
	case EXPR_CONCAT:
		return resolve_concat(d, x);
	case EXPR_HASH:
		if (x->hash.src)
			x->hash.src = dec_resolve(d, x->hash.src);
		return x->hash.src || x->hash.type == NFT_HASH_SYM ? x : NULL;
	case EXPR_MAP:
		x->map.key = dec_key_map(d, x->map.set, x->map.key);
		return x->map.key ? x : NULL;
	default:
		return x;
	}
}

struct expr *dec_resolve_compared(struct dec *d, struct expr *x)
{
	struct expr *f = shifted_field(d, x);

	return f ? f : dec_resolve(d, x);
}

/* ---- keys ---- */

/* Elements looked up by a masked load hold the field where it lies in the load. */
static struct expr *shift_key(struct dec *d, const struct expr *f, unsigned shift, struct expr *key)
{
	if (!key)
		return NULL;
	if (key->kind == EXPR_VALUE)
		return dec_field_value(d, f, shift, key->value, (key->bits + 7u) / 8u);
	if (key->kind == EXPR_RANGE)
		return expr_range(d->a, shift_key(d, f, shift, key->range.from),
				  shift_key(d, f, shift, key->range.to));
	return key;
}

/* Where the bytes of a part of a concatenation lie in its words: a load of some bytes, maybe of a field within. */
struct fit {
	unsigned bytes, shift;
};

static struct fit part_fit(struct dec *d, const struct expr *x)
{
	struct fit fit = { .bytes = (x->bits + 7u) / 8u };

	if (x->kind == EXPR_BINOP && x->binop.op == BINOP_AND && x->binop.right->kind == EXPR_VALUE) {
		fit.bytes = x->binop.left->bits / 8u;
		dec_masked(d, x, &fit.shift);
	} else if (x->kind == EXPR_BINOP && x->binop.op == BINOP_RSHIFT) {
		fit.bytes = x->binop.left->bits / 8u;
	}
	return fit;
}

static struct expr *fit_value(struct dec *d, const struct expr *field, struct fit fit, struct expr *v)
{
	if (!v)
		return NULL;
	if (v->kind == EXPR_RANGE)
		return expr_range(d->a, fit_value(d, field, fit, v->range.from), fit_value(d, field, fit, v->range.to));
	if (v->kind != EXPR_VALUE || v->dtype != DT_INTEGER || v->bits <= field->bits || fit.bytes * 8 > v->bits ||
	    v->bits > VALUE_MAX * 8)
		return v;
	return dec_field_value(d, field, fit.shift, v->value, fit.bytes);
}

/* An anonymous set tells no sizes of its parts; what is looked up in it does. */
static struct expr *concat_key(struct dec *d, struct set *set, struct expr *key)
{
	struct fit fits[16] = { { 0 } };

	for (unsigned i = 0; i < key->concat.n && i < ARRAY_SIZE(fits); i++)
		fits[i] = part_fit(d, key->concat.parts[i]);
	key = dec_resolve(d, key);
	for (uint32_t n = 0; key && n < set->n_elems; n++) {
		struct expr *k = set->elems[n].key;

		for (unsigned i = 0; k && k->kind == EXPR_CONCAT && i < k->concat.n && i < key->concat.n; i++) {
			const struct expr *field = key->concat.parts[i];

			/* numbers of the host fill a word, but for those that were turned to compare them with ranges */
			if (field->kind != EXPR_PAYLOAD && field->kind != EXPR_EXTHDR && field->order != ORDER_NET)
				continue;
			k->concat.parts[i] = fit_value(d, field, fits[i], k->concat.parts[i]);
			if (!k->concat.parts[i])
				return NULL;
		}
	}
	return key;
}

static bool is_anonymous_concat(const struct set *set, const struct expr *key)
{
	return key->kind == EXPR_CONCAT && (set->flags & SET_ANONYMOUS) && key->concat.n <= 16;
}

struct expr *dec_key_map(struct dec *d, struct set *set, struct expr *key)
{
	unsigned shift;
	struct expr *f;

	if (!key)
		return NULL;
	if (is_anonymous_concat(set, key))
		return concat_key(d, set, key);
	f = masked_field(d, key, &shift);
	if (!f)
		return dec_resolve(d, key);
	for (uint32_t i = 0; (set->flags & SET_ANONYMOUS) && i < set->n_elems; i++) {
		struct expr *k = set->elems[i].key;

		if (k && k->kind == EXPR_VALUE && k->bits > VALUE_MAX * 8)
			continue;
		set->elems[i].key = shift_key(d, f, shift, k);
	}
	return f;
}

struct expr *dec_key_compared(struct dec *d, struct set *set, struct expr *key)
{
	struct expr *f;

	if (!key)
		return NULL;
	if (key->kind == EXPR_PAYLOAD && (set->flags & SET_ANONYMOUS) && set->n_elems && set->elems[0].key)
		dec_proto_icmp_set(d, key, set->elems[0].key);
	f = shifted_field(d, key);
	return f ? f : dec_key_map(d, set, key);
}

struct expr *dec_key_elem(struct dec *d, struct set *set, struct expr *key)
{
	d->in_elem = true;
	key = key ? dec_key_map(d, set, key) : NULL;
	d->in_elem = false;
	return key;
}
