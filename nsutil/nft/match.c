/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match - comparisons of register contents become named, typed conditions */
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/nft/decode.h"
#include "nsutil/ruleset/exthdr.h"
#include "nsutil/ruleset/nft_names.h"

#define VALUE_MAX 64 /* NFT_DATA_VALUE_MAXLEN */

/* ---- names of header fields ---- */

/* The field at a place of the header that is known to be there. */
static const struct hdr_field *field_known(struct dec *d, uint8_t base, unsigned offset, unsigned bits)
{
	const char *proto = base <= NFT_PAYLOAD_TRANSPORT_HEADER ? d->proto[base] : NULL;
	const struct hdr_field *f = base == NFT_PAYLOAD_TRANSPORT_HEADER ? dec_proto_icmp(d, offset, bits)
									 : NULL;

	if (f)
		return f;

	if (!proto)
		return NULL;
	f = header_field_at(proto, base, offset, bits);
	if (!f && strcmp(proto, "vlan") == 0)
		f = header_field_at("ether", base, offset, bits);
	return f;
}

/* Also the ports of a transport that is not known; masks and loads of several fields are not taken apart for them. */
static const struct hdr_field *field_at(struct dec *d, uint8_t base, unsigned offset, unsigned bits)
{
	if (base == NFT_PAYLOAD_TRANSPORT_HEADER && !d->proto[base])
		return header_field_at("th", base, offset, bits);
	return field_known(d, base, offset, bits);
}

/* The field that begins at a place and is longer than what was loaded: a prefix of it. */
static const struct hdr_field *field_longer(struct dec *d, uint8_t base, unsigned offset,
					    unsigned bits)
{
	static const uint16_t sizes[] = { 32, 48, 128 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const struct hdr_field *f = sizes[i] > bits ? field_at(d, base, offset, sizes[i]) : NULL;

		if (f && (f->dtype == DT_IPV4 || f->dtype == DT_IPV6 || f->dtype == DT_ETHER))
			return f;
	}
	return NULL;
}

static void payload_name(struct expr *x, const struct hdr_field *f)
{
	x->payload.field = f;
	x->payload.offset = f->offset;
	x->bits = f->bits;
	x->dtype = (uint8_t)f->dtype;
}

/* Bits of a mask that are set without a gap, counted from the most significant one. */
struct mask_span {
	unsigned lead, width, tail;
};

static bool mask_span(const uint8_t *mask, unsigned bits, struct mask_span *ret)
{
	unsigned i = 0, first, last;

	while (i < bits && !(mask[i / 8] & (0x80 >> i % 8)))
		i++;
	first = i;
	while (i < bits && (mask[i / 8] & (0x80 >> i % 8)))
		i++;
	last = i;
	while (i < bits && !(mask[i / 8] & (0x80 >> i % 8)))
		i++;
	*ret = (struct mask_span){ first, last - first, bits - last };
	return i == bits && last > first;
}

/* Bytes as a big number, shifted right by n bits and cut to 'bits'; returns the bytes that remain. */
static unsigned bytes_shift(const uint8_t *in, unsigned len, unsigned n, unsigned bits, uint8_t *out)
{
	unsigned want = (bits + 7) / 8;

	memset(out, 0, want);
	for (unsigned i = 0; i < bits; i++) {
		unsigned from = len * 8 - 1 - n - i;

		if (n + i < len * 8 && in[from / 8] & (0x80 >> from % 8))
			out[(want * 8 - 1 - i) / 8] |= (uint8_t)(1u << i % 8);
	}
	return want;
}

/* Options and headers behind the header get their names at once; what they are is in the load. */
static struct expr *exthdr_part(struct dec *d, const struct expr *load, const struct exthdr_field *f)
{
	struct expr *x = arena_dup(d->a, load, sizeof(*x));

	if (!x)
		return NULL;
	x->exthdr.name = f->name ? f->name : exthdr_name(load->exthdr.op, load->exthdr.type);
	x->exthdr.field = f->field;
	x->exthdr.offset = f->offset;
	x->bits = f->bits;
	x->dtype = (uint8_t)f->dtype;
	return x;
}

/* "load, mask, shift right" of header bytes is how nft reads a field of a few bits. */
static struct expr *subfield(struct dec *d, struct expr *load, const uint8_t *mask, unsigned *shift)
{
	const struct exthdr_field *ef;
	const struct hdr_field *f;
	struct mask_span span;

	if ((load->kind != EXPR_PAYLOAD && load->kind != EXPR_EXTHDR) || load->bits == 0 ||
	    !mask_span(mask, load->bits, &span))
		return NULL;
	*shift = span.tail;
	if (load->kind == EXPR_EXTHDR) {
		ef = exthdr_field_at(load->exthdr.op, load->exthdr.type,
				     load->exthdr.offset + span.lead, span.width);
		return ef ? exthdr_part(d, load, ef) : NULL;
	}
	if (load->payload.field)
		return NULL;
	f = field_known(d, load->payload.base, load->payload.offset + span.lead, span.width);
	return f ? expr_payload(d->a, f->base, f->offset, f->bits, f) : NULL;
}

/* "x & mask" that is a field of its own; NULL when it is not */
static struct expr *masked_field(struct dec *d, const struct expr *x, unsigned *shift)
{
	struct expr *f;

	if (x->kind != EXPR_BINOP || x->binop.op != BINOP_AND || x->binop.right->kind != EXPR_VALUE ||
	    x->binop.right->bits != x->binop.left->bits)
		return NULL;
	f = subfield(d, x->binop.left, x->binop.right->value, shift);
	if (f && f->kind == EXPR_PAYLOAD)
		dec_proto_use(d, f);
	if (f && f->kind == EXPR_EXTHDR)
		dec_proto_use_exthdr(d, f->exthdr.op);
	return f;
}

/* A mask over a field that is not whole bytes: nft 1.0.6 shows how it is read, and so it is read back. */
static bool shows_bytes(struct dec *d, const struct expr *x)
{
	const struct expr *shifted = x->binop.left, *masked;
	unsigned shift;

	if (x->binop.op != BINOP_AND || shifted->kind != EXPR_BINOP || shifted->binop.op != BINOP_RSHIFT)
		return false;
	masked = shifted->binop.left;
	return masked->kind == EXPR_BINOP && masked->binop.op == BINOP_AND && masked->binop.right->kind == EXPR_VALUE &&
	       masked->binop.left->kind == EXPR_PAYLOAD && masked->binop.left->bits == 8 &&
	       subfield(d, masked->binop.left, masked->binop.right->value, &shift);
}

static struct expr *resolve_binop(struct dec *d, struct expr *x)
{
	unsigned shift;
	struct expr *f;

	if (shows_bytes(d, x))
		return x;
	if (x->binop.op == BINOP_RSHIFT && x->binop.right->kind == EXPR_VALUE) {
		f = masked_field(d, x->binop.left, &shift);
		if (f && shift == expr_uint(x->binop.right))
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

struct expr *dec_resolve(struct dec *d, struct expr *x)
{
	const struct hdr_field *f;
	unsigned shift;

	if (!x)
		return NULL;
	switch (x->kind) {
	case EXPR_PAYLOAD:
		f = x->payload.field;
		if (!f)
			f = field_at(d, x->payload.base, x->payload.offset, x->bits);
		if (!f)
			return x;
		payload_name(x, f);
		dec_proto_use(d, x);
		return x;
	case EXPR_EXTHDR:
		dec_proto_use_exthdr(d, x->exthdr.op);
		return x;
	case EXPR_BINOP:
		return resolve_binop(d, x);
	case EXPR_CONCAT:
		for (unsigned i = 0; i < x->concat.n; i++) {
			struct expr *part = masked_field(d, x->concat.parts[i], &shift);

			x->concat.parts[i] = part ? part : dec_resolve(d, x->concat.parts[i]);
			if (!x->concat.parts[i])
				return NULL;
		}
		return x;
	default:
		return x;
	}
}

/* ---- values ---- */

struct expr *dec_value(struct dec *d, const struct expr *like, const void *bytes, unsigned len)
{
	unsigned bits = like->bits && (like->bits + 7u) / 8u == len ? like->bits : len * 8;

	return dec_bytes(d, like->dtype, like->order, bytes, bits);
}

struct expr *dec_bytes(struct dec *d, enum dtype dtype, enum byteorder order, const void *bytes,
		       unsigned bits)
{
	struct expr *x = expr_bytes(d->a, dtype, order, bytes, bits);

	if (x && dtype == DT_IFINDEX)
		x->sym = dec_iface_name(d, (uint32_t)expr_uint(x));
	if (x && dtype == DT_CGROUPV2)
		x->sym = dec_cgroup_name(d, expr_uint(x));
	return x;
}

struct expr *dec_retype(struct dec *d, struct expr *x, enum dtype dtype, enum byteorder order)
{
	struct expr *copy;

	if (!x || x->kind != EXPR_VALUE)
		return x;
	copy = arena_dup(d->a, x, sizeof(*x));
	if (!copy)
		return NULL;
	copy->dtype = (uint8_t)dtype;
	copy->order = (uint8_t)order;
	if (dtype == DT_IFINDEX)
		copy->sym = dec_iface_name(d, (uint32_t)expr_uint(copy));
	return copy;
}

/* An interface name: shorter than its register and not ended by a zero means "begins with". */
static struct expr *string_value(struct dec *d, const struct expr *left, const uint8_t *bytes,
				 unsigned len)
{
	uint8_t padded[VALUE_MAX] = "";
	unsigned room = left->bits ? left->bits / 8u : len;
	struct expr *x;

	if (room > VALUE_MAX || len > room)
		return dec_value(d, left, bytes, len);
	memcpy(padded, bytes, len);
	x = expr_bytes(d->a, left->dtype, ORDER_HOST, padded, room * 8);
	if (len < room && (len == 0 || bytes[len - 1] != '\0'))
		return expr_prefix(d->a, x, len * 8);
	return x;
}

static bool is_string(const struct expr *x)
{
	return x->dtype == DT_IFNAME || x->dtype == DT_STRING;
}

/* ---- conditions ---- */

static enum dec_result add_match(struct dec *d, enum match_op op, struct expr *left, struct expr *right)
{
	struct stmt *s = stmt_match_new(d->a, op, left, right);
	enum dec_result ret = dec_add(d, s);

	if (ret == DEC_OK)
		dec_proto_match(d, s);
	return ret;
}

/* Neighbouring fields that were compared at once: "tcp sport 1 tcp dport 2" is one load of 4 bytes. */
static enum dec_result match_payload(struct dec *d, enum match_op op, struct expr *left,
				     const uint8_t *bytes, unsigned len)
{
	unsigned at = left->payload.offset, end = at + len * 8;
	uint8_t base = left->payload.base;
	const struct hdr_field *f = left->payload.field;
	struct expr *x;

	if (!f)
		f = field_at(d, base, at, len * 8);
	if (f || at % 8 || (op != OP_EQ && op != OP_NE)) {
		d->by_value = op == OP_EQ || op == OP_NE;
		left = dec_resolve(d, left);
		d->by_value = false;
		return add_match(d, op, left, left ? dec_value(d, left, bytes, len) : NULL);
	}
	f = field_longer(d, base, at, len * 8);
	if (f) {
		uint8_t padded[16] = "";

		memcpy(padded, bytes, len);
		x = expr_payload(d->a, base, f->offset, f->bits, f);
		if (!x)
			return DEC_NOMEM;
		dec_proto_use(d, x);
		return add_match(d, op, x, expr_prefix(d->a, dec_value(d, x, padded, f->bits / 8), len * 8));
	}
	for (unsigned bits = len * 8 - 8; op == OP_EQ && bits >= 8; bits -= 8) {
		f = field_known(d, base, at, bits);
		if (!f)
			continue;
		x = expr_payload(d->a, base, at, bits, f);
		if (!x)
			return DEC_NOMEM;
		dec_proto_use(d, x);
		if (add_match(d, op, x, dec_value(d, x, bytes, bits / 8)) != DEC_OK)
			return DEC_NOMEM;
		x = expr_payload(d->a, base, at + bits, end - at - bits, NULL);
		return x ? match_payload(d, op, x, bytes + bits / 8, len - bits / 8) : DEC_NOMEM;
	}
	return add_match(d, op, left, dec_value(d, left, bytes, len));
}

static bool prefix_type(enum dtype t)
{
	return t == DT_IPV4 || t == DT_IPV6 || t == DT_MARK;
}

static bool all_bytes(const uint8_t *p, unsigned n, uint8_t v)
{
	for (unsigned i = 0; i < n; i++)
		if (p[i] != v)
			return false;
	return true;
}

/* The mask of a prefix, as the value lies in the register. */
static int prefix_len(const struct expr *x, const uint8_t *mask)
{
	uint8_t be[VALUE_MAX];
	struct mask_span span;
	unsigned n = x->bits / 8u;

	if (n == 0 || n > VALUE_MAX)
		return -1;
	for (unsigned i = 0; i < n; i++)
		be[i] = mask[x->order == ORDER_HOST ? n - 1 - i : i];
	if (mask_span(be, x->bits, &span))
		return span.lead == 0 ? (int)span.width : -1;
	return all_bytes(mask, n, 0) ? 0 : -1;
}

/* A value beside a masked load, as the value of the field. */
static struct expr *field_value(struct dec *d, const struct expr *f, unsigned shift, const void *bytes,
				unsigned len)
{
	uint8_t out[VALUE_MAX];

	bytes_shift(bytes, len, shift, f->bits, out);
	return expr_bytes(d->a, f->dtype, ORDER_NET, out, f->bits);
}

static enum dec_result match_masked(struct dec *d, enum match_op op, struct expr *left,
				    const uint8_t *bytes, unsigned len)
{
	struct expr *inner = left->binop.left, *mask = left->binop.right, *x;
	unsigned shift;
	int plen;

	if (mask->bits / 8u == len && inner->bits == mask->bits && len <= VALUE_MAX) {
		x = masked_field(d, left, &shift);
		if (x)
			return add_match(d, op, x, field_value(d, x, shift, bytes, len));
		if (shows_bytes(d, left))
			return add_match(d, op, left, dec_value(d, left, bytes, len));
		x = dec_resolve(d, inner);
		if (!x)
			return DEC_NOMEM;
		plen = (op == OP_EQ || op == OP_NE) && prefix_type(x->dtype) ? prefix_len(x, mask->value)
									     : -1;
		if (all_bytes(mask->value, mask->bits / 8u, 0xff) && (plen >= 0 || nft_is_flags(x->dtype)))
			return add_match(d, op, x, dec_value(d, x, bytes, len));
		if (plen >= 0)
			return add_match(d, op, x,
					 expr_prefix(d->a, dec_value(d, x, bytes, len), (unsigned)plen));
	}
	left = dec_resolve(d, left);
	return left ? add_match(d, op, left, dec_value(d, left, bytes, len)) : DEC_NOMEM;
}

/* An address compared by its first bytes only. */
static enum dec_result match_short(struct dec *d, enum match_op op, struct expr *left,
				   const uint8_t *bytes, unsigned len)
{
	uint8_t padded[16] = "";

	memcpy(padded, bytes, len);
	return add_match(d, op, left,
			 expr_prefix(d->a, dec_value(d, left, padded, left->bits / 8u), len * 8));
}

static bool is_short(const struct expr *left, unsigned len)
{
	return (left->dtype == DT_IPV4 || left->dtype == DT_IPV6) && left->kind != EXPR_BINOP &&
	       left->bits <= 128 && len < left->bits / 8u;
}

/* "tcp dport 1-5" comes as two comparisons of one register. */
static bool merge_range(struct dec *d, enum match_op op, const struct expr *note, const void *bytes,
			unsigned len)
{
	struct stmt *s = d->last;
	struct expr *to, *range;
	unsigned shift;

	if (op != OP_LE || d->last_cmp != note || !s || s->kind != STMT_MATCH || s->match.op != OP_GE ||
	    s->match.right->kind != EXPR_VALUE)
		return false;
	if (note->kind == EXPR_BINOP && masked_field(d, note, &shift))
		to = field_value(d, s->match.left, shift, bytes, len);
	else
		to = dec_value(d, s->match.left, bytes, len);
	range = expr_range(d->a, s->match.right, to);
	if (!range)
		return false;
	s->match.op = OP_EQ;
	s->match.right = range;
	return true;
}

enum dec_result dec_match(struct dec *d, enum match_op op, struct expr *left, const void *bytes,
			  unsigned len)
{
	const struct expr *note = left;

	if (!left)
		return DEC_NOMEM;
	if (merge_range(d, op, note, bytes, len))
		return DEC_OK;
	d->last_cmp = op == OP_GE ? note : NULL;
	if (left->kind == EXPR_PAYLOAD)
		return match_payload(d, op, left, bytes, len);
	if (left->kind == EXPR_BINOP && left->binop.op == BINOP_AND &&
	    left->binop.right->kind == EXPR_VALUE)
		return match_masked(d, op, left, bytes, len);
	left = dec_resolve(d, left);
	if (!left)
		return DEC_NOMEM;
	if (is_string(left) && left->kind != EXPR_OPAQUE)
		return add_match(d, op, left, string_value(d, left, bytes, len));
	if (is_short(left, len))
		return match_short(d, op, left, bytes, len);
	return add_match(d, op, left, dec_value(d, left, bytes, len));
}

enum dec_result dec_match_range(struct dec *d, enum match_op op, struct expr *left, const void *from,
				const void *to, unsigned len)
{
	unsigned shift;
	struct expr *f;

	if (!left || len > VALUE_MAX)
		return left ? DEC_OPAQUE : DEC_NOMEM;
	f = left->bits / 8u == len ? masked_field(d, left, &shift) : NULL;
	if (f)
		return add_match(d, op, f, expr_range(d->a, field_value(d, f, shift, from, len),
						      field_value(d, f, shift, to, len)));
	left = dec_resolve(d, left);
	if (!left)
		return DEC_NOMEM;
	return add_match(d, op, left,
			 expr_range(d->a, dec_value(d, left, from, len), dec_value(d, left, to, len)));
}

struct expr *dec_subfield_value(struct dec *d, struct expr *load, const struct expr *mask,
				const struct expr *bits, struct expr **ret_value)
{
	static const uint8_t zero[VALUE_MAX];
	unsigned shift;
	struct expr *f = subfield(d, load, mask->value, &shift);

	if (!f)
		return NULL;
	dec_proto_use(d, f);
	*ret_value = field_value(d, f, shift, bits ? bits->value : zero, mask->bits / 8u);
	return *ret_value ? f : NULL;
}

/* Elements looked up by a masked load hold the field where it lies in the load. */
static struct expr *shift_key(struct dec *d, const struct expr *f, unsigned shift, struct expr *key)
{
	if (!key)
		return NULL;
	if (key->kind == EXPR_VALUE)
		return field_value(d, f, shift, key->value, (key->bits + 7u) / 8u);
	if (key->kind == EXPR_RANGE)
		return expr_range(d->a, shift_key(d, f, shift, key->range.from),
				  shift_key(d, f, shift, key->range.to));
	return key;
}

/* Where the bytes of a part of a concatenation lie in its words: a load of some bytes, maybe of a field within. */
struct fit {
	unsigned bytes, shift;
};

static struct fit part_fit(struct dec *d, const struct expr *part)
{
	struct fit fit = { .bytes = (part->bits + 7u) / 8u };

	if (part->kind == EXPR_BINOP && part->binop.op == BINOP_AND && part->binop.right->kind == EXPR_VALUE) {
		fit.bytes = part->binop.left->bits / 8u;
		masked_field(d, part, &fit.shift);
	} else if (part->kind == EXPR_BINOP && part->binop.op == BINOP_RSHIFT) {
		fit.bytes = part->binop.left->bits / 8u;
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
	return field_value(d, field, fit.shift, v->value, fit.bytes);
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

			if (field->kind != EXPR_PAYLOAD && field->kind != EXPR_EXTHDR)
				continue;
			k->concat.parts[i] = fit_value(d, field, fits[i], k->concat.parts[i]);
			if (!k->concat.parts[i])
				return NULL;
		}
	}
	return key;
}

struct expr *dec_lookup_key(struct dec *d, struct set *set, struct expr *key)
{
	unsigned shift;
	struct expr *f = key ? masked_field(d, key, &shift) : NULL;

	if (key && key->kind == EXPR_CONCAT && (set->flags & SET_ANONYMOUS) && key->concat.n <= 16)
		return concat_key(d, set, key);
	if (!f)
		return dec_resolve(d, key);
	if (!(set->flags & SET_ANONYMOUS))
		return f;
	for (uint32_t i = 0; i < set->n_elems; i++) {
		struct expr *k = set->elems[i].key;

		if (k && k->kind == EXPR_VALUE && k->bits > VALUE_MAX * 8)
			continue;
		set->elems[i].key = shift_key(d, f, shift, k);
	}
	return f;
}

enum dec_result dec_match_set(struct dec *d, enum match_op op, struct expr *left, struct set *set)
{
	return add_match(d, op, left, expr_setref(d->a, set));
}
