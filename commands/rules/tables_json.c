/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tables_json - the "tables" of the JSON form, made chain by chain so that big rulesets stay cheap */
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "commands/rules/rules.h"
#include "nsutil/base/json.h"
#include "nsutil/ruleset/owner.h"
#include "nsutil/ruleset/text.h"

/* Scratch buffers that live as long as the walk. */
struct walk {
	struct json j;
	struct buf all, text;
	struct out *o;
};

static void put_rule(struct walk *w, const struct rule *r)
{
	struct json *j = &w->j;

	json_begin_object(j, NULL);
	json_uint(j, "index", r->index);
	json_uint(j, "handle", r->handle);
	buf_reset(&w->text);
	if (rules_is_xt(r->chain->table->store) && rule_iptables(r, &w->text))
		json_str(j, "iptables", buf_cstr(&w->text) + (w->text.len && w->text.data[0] == ' '));
	else
		json_put_null(j, "iptables");
	buf_reset(&w->text);
	rule_nft(r, false, &w->text);
	json_str(j, "nft", buf_cstr(&w->text));
	rule_expr_json(r, j, "expr");
	if (r->has_counter) {
		json_uint(j, "packets", r->packets);
		json_uint(j, "bytes", r->bytes);
	} else {
		json_put_null(j, "packets");
		json_put_null(j, "bytes");
	}
	json_str(j, "comment", r->comment);
	json_bool(j, "opaque", r->opaque);
	json_end_object(j);
}

static void put_base(struct json *j, const struct chain *c)
{
	if (!c->base) {
		json_put_null(j, "base");
		return;
	}
	json_begin_object(j, "base");
	json_str(j, "type", c->type);
	json_str(j, "hook", hook_name(c->table->family, c->hook));
	json_int(j, "priority", c->priority);
	json_str(j, "policy", verdict_name(c->policy));
	json_begin_array(j, "devices");
	for (unsigned i = 0; i < c->n_devices; i++)
		json_str(j, NULL, c->devices[i]);
	json_end_array(j);
	json_end_object(j);
}

static void put_chain(struct walk *w, const struct chain *c)
{
	struct json *j = &w->j;
	char service[OWNER_SERVICE_TEXT];

	json_begin_object(j, NULL);
	json_str(j, "name", c->name);
	json_uint(j, "handle", c->handle);
	json_str(j, "owner", owner_chain(c));
	json_str(j, "service", owner_service(c, service));
	json_str(j, "comment", c->comment);
	put_base(j, c);
	if (c->has_counter) {
		json_uint(j, "packets", c->packets);
		json_uint(j, "bytes", c->bytes);
	} else {
		json_put_null(j, "packets");
		json_put_null(j, "bytes");
	}
	json_begin_array(j, "rules");
	for (const struct rule *r = c->rules; r; r = r->next)
		put_rule(w, r);
	json_end_array(j);
	json_end_object(j);
}

/* Hand over what has been made: an element of the array that is open in the sink. */
static void hand_over(struct walk *w)
{
	out_json(w->o, NULL, buf_cstr(&w->all));
	buf_reset(&w->all);
	json_init(&w->j, &w->all);
}

static const struct flag_name {
	uint32_t bit;
	const char *name;
} table_flags[] = { { NFT_TABLE_F_DORMANT, "dormant" }, { 0x2, "owner" }, { 0x4, "persist" }, { 0, NULL } };

static void put_set(struct walk *w, const struct set *s)
{
	struct json *j = &w->j;

	json_begin_object(j, NULL);
	json_str(j, "name", s->name);
	json_uint(j, "handle", s->handle);
	json_str(j, "comment", s->comment);
	json_str(j, "unread", s->unread);
	json_uint(j, "count", s->n_elems);
	set_json(s, j);
	json_end_object(j);
}

static void put_object(struct walk *w, const struct object *ob)
{
	struct json *j = &w->j;

	json_begin_object(j, NULL);
	json_str(j, "name", ob->name);
	json_uint(j, "handle", ob->handle);
	json_str(j, "comment", ob->comment);
	object_json(ob, j);
	json_end_object(j);
}

static void put_flowtable(struct walk *w, const struct flowtable *f)
{
	struct json *j = &w->j;

	json_begin_object(j, NULL);
	json_str(j, "name", f->name);
	json_uint(j, "handle", f->handle);
	json_int(j, "priority", f->priority);
	json_begin_array(j, "devices");
	for (unsigned i = 0; i < f->n_devices; i++)
		json_str(j, NULL, f->devices[i]);
	json_end_array(j);
	json_end_object(j);
}

static void put_table_head(struct walk *w, const struct table *t)
{
	struct json *j = &w->j;

	out_str(w->o, "store", NULL, store_name(t->store));
	out_str(w->o, "family", NULL, family_name(t->family));
	out_str(w->o, "name", NULL, t->name);
	out_uint(w->o, "handle", NULL, t->handle);
	buf_reset(&w->all);
	json_begin_array(j, NULL);
	for (const struct flag_name *f = table_flags; f->name; f++)
		if (t->flags & f->bit)
			json_str(j, NULL, f->name);
	json_end_array(j);
	out_json(w->o, "flags", buf_cstr(&w->all));
	buf_reset(&w->all);
	json_init(j, &w->all);
	out_str(w->o, "owner", NULL, owner_table(t));
	out_str(w->o, "comment", NULL, t->comment);
}

static void put_table(struct walk *w, const struct table *t)
{
	out_object(w->o, NULL);
	put_table_head(w, t);
	out_array(w->o, "chains");
	for (const struct chain *c = t->chains; c; c = c->next) {
		put_chain(w, c);
		hand_over(w);
	}
	out_array_end(w->o);
	out_array(w->o, "sets");
	for (const struct set *s = t->sets; s; s = s->next) {
		if (s->flags & SET_ANONYMOUS)
			continue;
		put_set(w, s);
		hand_over(w);
	}
	out_array_end(w->o);
	out_array(w->o, "objects");
	for (const struct object *ob = t->objects; ob; ob = ob->next) {
		put_object(w, ob);
		hand_over(w);
	}
	out_array_end(w->o);
	out_array(w->o, "flowtables");
	for (const struct flowtable *f = t->flowtables; f; f = f->next) {
		put_flowtable(w, f);
		hand_over(w);
	}
	out_array_end(w->o);
	out_object_end(w->o);
}

void tables_json(const struct ruleset *rs, struct out *o)
{
	struct walk w = { .o = o };

	json_init(&w.j, &w.all);
	out_stream(o, "tables");
	for (const struct table *t = rs->tables; t; t = t->next)
		put_table(&w, t);
	out_stream_end(o);
	buf_free(&w.all);
	buf_free(&w.text);
}
