/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_json_table - named sets, maps and objects in the form of libnftables-json(5) */
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/ruleset/nft_print.h"
#include "nsutil/ruleset/text.h"

/* ---- sets ---- */

static void type_json(uint32_t type, struct json *j)
{
	struct buf b _cleanup_buf_ = BUF_INIT;
	char *save, *word;

	nft_type_text(type, &b);
	if (!strstr(buf_cstr(&b), " . ")) {
		json_str(j, "type", type ? buf_cstr(&b) : "invalid");
		return;
	}
	json_begin_array(j, "type");
	for (word = strtok_r(b.data, " .", &save); word; word = strtok_r(NULL, " .", &save))
		json_str(j, NULL, word);
	json_end_array(j);
}

static void map_json(const struct set *s, struct json *j)
{
	struct buf b _cleanup_buf_ = BUF_INIT;

	if (s->flags & SET_OBJECT) {
		json_str(j, "map", nft_object_word(s->obj_type));
	} else if (s->flags & SET_MAP) {
		nft_type_text(s->data_type == NFT_DATA_VERDICT ? 1 : s->data_type, &b);
		json_str(j, "map", buf_cstr(&b));
	} else {
		json_put_null(j, "map");
	}
}

static void flags_json(uint32_t flags, struct json *j)
{
	static const struct {
		uint32_t flag;
		const char *word;
	} table[] = {
		{ SET_CONSTANT, "constant" }, { SET_INTERVAL, "interval" }, { SET_TIMEOUT, "timeout" },
		{ SET_EVAL, "dynamic" },
	};

	json_begin_array(j, "flags");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (flags & table[i].flag)
			json_str(j, NULL, table[i].word);
	json_end_array(j);
}

/* What every element gets; its state is the elements' own. */
static void set_stmts_json(const struct set *s, struct json *j)
{
	json_begin_array(j, "stmt");
	for (const struct stmt *st = s->stmts; st; st = st->next) {
		json_begin_object(j, NULL);
		if (st->kind == STMT_COUNTER)
			json_put_null(j, "counter");
		else
			nft_stmt_body_json(s->table->family, st, j);
		json_end_object(j);
	}
	json_end_array(j);
}

void set_json(const struct set *s, struct json *j)
{
	type_json(s->key_type, j);
	map_json(s, j);
	flags_json(s->flags, j);
	if (s->policy == NFT_SET_POL_MEMORY && !(s->flags & SET_CONSTANT))
		json_str(j, "policy", "memory");
	if (s->has_size && s->size && !(s->flags & SET_CONSTANT))
		json_uint(j, "size", s->size);
	if (s->timeout_ms)
		json_uint(j, "timeout", s->timeout_ms / 1000);
	if (s->gc_interval_ms)
		json_uint(j, "gc-interval", s->gc_interval_ms / 1000);
	json_bool(j, "auto-merge", s->auto_merge);
	set_stmts_json(s, j);
	json_begin_array(j, "elem");
	for (uint32_t i = 0; i < s->n_elems; i++)
		nft_elem_json(s, &s->elems[i], j);
	json_end_array(j);
}

/* ---- objects ---- */

static void synproxy_json(const struct stmt_synproxy *s, struct json *j)
{
	const char *words[2];
	unsigned n = nft_synproxy_flags(s->flags, words);

	json_uint(j, "mss", s->mss);
	json_uint(j, "wscale", s->wscale);
	if (!n)
		return;
	json_begin_array(j, "flags");
	for (unsigned i = 0; i < n; i++)
		json_str(j, NULL, words[i]);
	json_end_array(j);
}

static void limit_json(const struct stmt_limit *l, struct json *j)
{
	const char *unit = NULL, *burst_unit = NULL;

	json_uint(j, "rate", l->bytes ? nft_scale(l->rate, &unit) : l->rate);
	json_str(j, "per", nft_unit_name(l->unit_secs));
	if (!l->bytes || l->burst)
		json_uint(j, "burst", l->bytes ? nft_scale(l->burst, &burst_unit) : l->burst);
	if (l->over)
		json_bool(j, "inv", true);
	if (l->bytes) {
		json_str(j, "rate_unit", unit);
		if (l->burst)
			json_str(j, "burst_unit", burst_unit);
	}
}

static void stmt_json(const struct object *o, struct json *j)
{
	const struct stmt *s = o->stmt;

	switch (s->kind) {
	case STMT_COUNTER:
		json_uint(j, "packets", s->counter.packets);
		json_uint(j, "bytes", s->counter.bytes);
		break;
	case STMT_QUOTA:
		json_uint(j, "bytes", s->quota.bytes);
		json_uint(j, "used", s->quota.used);
		json_bool(j, "inv", s->quota.over);
		break;
	case STMT_LIMIT:
		limit_json(&s->limit, j);
		break;
	case STMT_SYNPROXY:
		synproxy_json(&s->synproxy, j);
		break;
	case STMT_CONNLIMIT:
		json_uint(j, "val", s->connlimit.count);
		json_bool(j, "inv", s->connlimit.over);
		break;
	default:
		nft_stmt_body_json(o->table->family, s, j);
		break;
	}
}

static void props_json(const struct object_prop *list, struct json *j)
{
	bool policy = false;

	for (const struct object_prop *p = list; p; p = p->next) {
		if (p->policy && !policy)
			json_begin_object(j, "policy");
		policy = policy || p->policy;
		if (p->str)
			json_str(j, p->key, p->str);
		else
			json_uint(j, p->key, p->num);
	}
	if (policy)
		json_end_object(j);
}

void object_json(const struct object *o, struct json *j)
{
	json_str(j, "kind", nft_object_word(o->type));
	if (o->stmt)
		stmt_json(o, j);
	props_json(o->props, j);
}
