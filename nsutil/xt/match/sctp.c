/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sctp - -m sctp: ports and chunks */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_sctp.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/ruleset/exthdr.h"
#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* Chunk types, and the flags each has from bit 7 down to 0; a capital letter asks for a set flag. */
static const struct {
	const char *name;
	uint8_t type;
	const char *flags;
} chunks[] = {
	{ "DATA", 0, "----IUBE" },	  { "INIT", 1, "--------" },
	{ "INIT_ACK", 2, "--------" },	  { "SACK", 3, "--------" },
	{ "HEARTBEAT", 4, "--------" },	  { "HEARTBEAT_ACK", 5, "--------" },
	{ "ABORT", 6, "-------T" },	  { "SHUTDOWN", 7, "--------" },
	{ "SHUTDOWN_ACK", 8, "--------" }, { "ERROR", 9, "--------" },
	{ "COOKIE_ECHO", 10, "--------" }, { "COOKIE_ACK", 11, "--------" },
	{ "ECN_ECNE", 12, "--------" },	  { "ECN_CWR", 13, "--------" },
	{ "SHUTDOWN_COMPLETE", 14, "-------T" }, { "I_DATA", 64, "----IUBE" },
	{ "RE_CONFIG", 130, "--------" }, { "PAD", 132, "--------" },
	{ "ASCONF", 193, "--------" },	  { "ASCONF_ACK", 128, "--------" },
	{ "FORWARD_TSN", 192, "--------" }, { "I_FORWARD_TSN", 194, "--------" },
};

static const struct xt_word ways[] = {
	{ "any", SCTP_CHUNK_MATCH_ANY }, { "all", SCTP_CHUNK_MATCH_ALL }, { "only", SCTP_CHUNK_MATCH_ONLY },
	{ NULL, 0 },
};

static bool has_chunk(const struct xt_sctp_info *s, unsigned type)
{
	return s->chunkmap[type / 32] & (1u << type % 32);
}

static bool all_chunks(const struct xt_sctp_info *s, uint32_t word)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->chunkmap); i++)
		if (s->chunkmap[i] != word)
			return false;
	return true;
}

static int chunk_index(unsigned type)
{
	for (size_t i = 0; i < ARRAY_SIZE(chunks); i++)
		if (chunks[i].type == type)
			return (int)i;
	return -1;
}

/* ":Be" behind a chunk: flags that must be set (capital) or clear */
static void flags_text(const struct xt_sctp_info *s, unsigned type, struct buf *b)
{
	int at = chunk_index(type);

	for (int i = 0; i < s->flag_count && i < XT_NUM_SCTP_FLAGS; i++) {
		const struct xt_sctp_flag_info *f = &s->flag_info[i];
		const char *sep = ":";

		if (f->chunktype != type)
			continue;
		for (int bit = 7; bit >= 0 && at >= 0; bit--) {
			char letter = chunks[at].flags[7 - bit];

			if (!(f->flag_mask & 1u << bit))
				continue;
			buf_str(b, sep);
			sep = "";
			buf_chr(b, f->flag & 1u << bit ? letter : (char)(letter | 0x20));
		}
	}
}

static void list_text(const struct xt_sctp_info *s, struct buf *b)
{
	bool first = true;

	for (unsigned type = 0; type < 256; type++) {
		int at = chunk_index(type);

		if (!has_chunk(s, type))
			continue;
		if (!first)
			buf_chr(b, ',');
		first = false;
		if (at >= 0)
			buf_str(b, chunks[at].name);
		else
			buf_uint(b, type);
		flags_text(s, type, b);
	}
}

static void chunks_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b)
{
	const struct xt_sctp_info *s = xt_data(xt_sctp_info, x);
	const char *way = xt_word_name(ways, s->chunk_match_type);

	(void)o;
	buf_fmt(b, " %s ", way ? way : "?");
	if (all_chunks(s, 0))
		buf_str(b, "NONE");
	else if (all_chunks(s, UINT32_MAX))
		buf_str(b, "ALL");
	else
		list_text(s, b);
}

static void chunks_json(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key)
{
	const struct xt_sctp_info *s = xt_data(xt_sctp_info, x);
	_cleanup_buf_ struct buf text = BUF_INIT;

	(void)o;
	list_text(s, &text);
	json_begin_object(j, key);
	json_str(j, "match", xt_word_name(ways, s->chunk_match_type));
	json_str(j, "chunks", buf_cstr(&text));
	json_end_object(j);
}

static int parse_flags(struct xt_parse *p, unsigned at, const char *text, size_t len, struct err *e)
{
	struct xt_sctp_info *s = (struct xt_sctp_info *)p->data;
	struct xt_sctp_flag_info f = { .chunktype = chunks[at].type };

	for (size_t i = 0; i < len; i++) {
		const char *letter = strchr(chunks[at].flags, text[i] & ~0x20);

		if (!letter || text[i] == '-')
			return xt_bad(p, e, "%s has no flag '%c'", chunks[at].name, text[i]);
		f.flag_mask |= (uint8_t)(0x80 >> (letter - chunks[at].flags));
		if (!(text[i] & 0x20))
			f.flag |= (uint8_t)(0x80 >> (letter - chunks[at].flags));
	}
	if (s->flag_count == XT_NUM_SCTP_FLAGS)
		return xt_bad(p, e, "flags of more than %d chunks", XT_NUM_SCTP_FLAGS);
	s->flag_info[s->flag_count++] = f;
	return 0;
}

static int parse_chunk(struct xt_parse *p, const char *text, size_t len, struct err *e)
{
	struct xt_sctp_info *s = (struct xt_sctp_info *)p->data;
	size_t name = strcspn(text, ":,");

	for (size_t i = 0; i < ARRAY_SIZE(chunks); i++) {
		if (strlen(chunks[i].name) != name || strncasecmp(chunks[i].name, text, name) != 0)
			continue;
		s->chunkmap[chunks[i].type / 32] |= 1u << chunks[i].type % 32;
		return text[name] == ':' ? parse_flags(p, (unsigned)i, text + name + 1, len - name - 1, e) : 0;
	}
	return xt_bad(p, e, "'%.*s' is no chunk type", (int)name, text);
}

static int chunks_parse(const struct xt_opt *o, struct xt_parse *p, struct err *e)
{
	struct xt_sctp_info *s = (struct xt_sctp_info *)p->data;
	const struct xt_word *way = xt_find_word(ways, p->args[0], strlen(p->args[0]));

	(void)o;
	if (!way)
		return xt_bad(p, e, "'%s' is not any, all or only", p->args[0]);
	s->chunk_match_type = way->value;
	if (strcasecmp(p->args[1], "ALL") == 0) {
		memset(s->chunkmap, 0xff, sizeof(s->chunkmap));
		return 0;
	}
	if (strcasecmp(p->args[1], "NONE") == 0)
		return 0;
	for (const char *t = p->args[1];; t++) {
		size_t len = strcspn(t, ",");

		if (parse_chunk(p, t, len, e) < 0)
			return -1;
		t += len;
		if (!*t)
			return 0;
	}
}

static const struct xt_type chunk_types = { 2, NULL, chunks_save, chunks_json, chunks_parse, NULL };

#define PORTS(n, f)                                                                                        \
	&xt_span_colon, .off = offsetof(struct xt_sctp_info, n[0]), .off2 = offsetof(struct xt_sctp_info, n[1]), \
	.size = 2, XT_SET(xt_sctp_info, flags, f), XT_INV(xt_sctp_info, invflags, f)

static const struct xt_opt sctp_opts[] = {
	{ "sport", "source-port", PORTS(spts, XT_SCTP_SRC_PORTS) },
	{ "dport", "destination-port", PORTS(dpts, XT_SCTP_DEST_PORTS) },
	{ "chunk-types", NULL, &chunk_types, .size = 1, XT_SET(xt_sctp_info, flags, XT_SCTP_CHUNK_TYPES),
	  XT_INV(xt_sctp_info, invflags, XT_SCTP_CHUNK_TYPES) },
	XT_END,
};

/* A chunk is there, or its flags are as asked for */
static void lower_chunk(struct xt_low *l, const struct xt_sctp_info *s, bool invert, uint8_t type)
{
	struct expr *x = expr_new(l->a, EXPR_EXTHDR, DT_BOOLEAN, ORDER_HOST, 8), *right = expr_u8(l->a, DT_BOOLEAN, 1);

	if (!x)
		return;
	x->exthdr.op = NFT_EXTHDR_OP_SCTP;
	x->exthdr.type = type;
	x->exthdr.name = exthdr_name(NFT_EXTHDR_OP_SCTP, type);
	x->exthdr.present = true;
	for (int i = 0; i < s->flag_count && i < XT_NUM_SCTP_FLAGS; i++) {
		const struct xt_sctp_flag_info *f = &s->flag_info[i];

		if (f->chunktype != type)
			continue;
		x->exthdr.present = false;
		x->exthdr.offset = 8;
		x->exthdr.field = "flags";
		x->dtype = DT_INTEGER;
		x->order = ORDER_NET;
		x = expr_binop(l->a, BINOP_AND, x, expr_u8(l->a, DT_INTEGER, f->flag_mask));
		right = expr_u8(l->a, DT_INTEGER, f->flag);
		break;
	}
	low_match(l, invert, x, right);
}

/* "all" is one condition for each; "any" of several, and "only", have no native form. */
static void lower_chunks(struct xt_low *l, const struct xt_sctp_info *s, bool invert)
{
	unsigned n = 0;

	for (unsigned type = 0; type < 256; type++)
		n += has_chunk(s, type);
	if (n == 0 || n > 32 || s->chunk_match_type == SCTP_CHUNK_MATCH_ONLY ||
	    (n > 1 && (invert || s->chunk_match_type != SCTP_CHUNK_MATCH_ALL))) {
		l->why = "the chunks of the packet decide";
		return;
	}
	for (unsigned type = 0; type < 256; type++)
		if (has_chunk(s, type))
			lower_chunk(l, s, invert, (uint8_t)type);
}

static void sctp_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_sctp_info *s = xt_data(xt_sctp_info, x);

	if (s->flags & XT_SCTP_SRC_PORTS)
		low_port(l, s->invflags & XT_SCTP_SRC_PORTS, expr_field(l->a, "sctp", "sport"), s->spts[0], s->spts[1]);
	if (s->flags & XT_SCTP_DEST_PORTS)
		low_port(l, s->invflags & XT_SCTP_DEST_PORTS, expr_field(l->a, "sctp", "dport"), s->dpts[0], s->dpts[1]);
	if (s->flags & XT_SCTP_CHUNK_TYPES)
		lower_chunks(l, s, s->invflags & XT_SCTP_CHUNK_TYPES);
}

const struct xt_codec xt_match_sctp_v0 = {
	.name = "sctp", .size = sizeof(struct xt_sctp_info), .opts = sctp_opts, .lower = sctp_lower,
};
