/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_json - what "nft -j list ruleset" prints, into the model */
#include "nsutil/dump/nft_json.h"

#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/dump/dump.h"
#include "nsutil/nft/reader.h"

static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_INET, NFPROTO_ARP, NFPROTO_BRIDGE,
				    NFPROTO_NETDEV };

static int family_of(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(families); i++)
		if (strcmp(family_name(families[i]), name) == 0)
			return families[i];
	return -1;
}

static int add_table(struct nj *n, json_t *j)
{
	int family = family_of(nj_str(j, "family"));
	const char *name = nj_str(j, "name"), *flag = nj_str(j, "flags");
	struct table *t;

	if (family < 0 || !name)
		return nj_bad(n, "a table without family or name"), -1;
	if (ruleset_find_table(n->rs, STORE_NATIVE, (uint8_t)family, name))
		return nj_bad(n, "table '%.60s' stands twice", name), -1;
	t = ruleset_add_table(n->rs, STORE_NATIVE, (uint8_t)family, name);
	if (!t)
		return -1;
	t->handle = nj_num(j, "handle");
	t->comment = arena_strdup(n->a, nj_str(j, "comment"));
	if (!flag)
		flag = json_string_value(json_array_get(json_object_get(j, "flags"), 0));
	/* nft 1.0.6 writes something else than the word (the table's name), but only for this flag */
	if (flag && strcmp(flag, "owner") != 0 && strcmp(flag, "persist") != 0)
		t->flags |= NFT_TABLE_F_DORMANT;
	return 0;
}

/* What everything but tables has: in which table it is. */
static bool enter_table(struct nj *n, json_t *j)
{
	int family = family_of(nj_str(j, "family"));
	const char *name = nj_str(j, "table");

	n->t = family >= 0 && name ? ruleset_find_table(n->rs, STORE_NATIVE, (uint8_t)family, name) : NULL;
	if (!n->t)
		return nj_bad(n, "something of a table that is not there ('%.60s')", name ? name : "?");
	dec_init(&n->dec, n->a, n->t, NULL);
	n->list = NULL;
	return true;
}

static int devices(struct nj *n, json_t *j, const char ***ret, unsigned *ret_n)
{
	size_t size = json_is_array(j) ? json_array_size(j) : j ? 1 : 0;
	const char **names = arena_array(n->a, size + 1, sizeof(*names));

	if (!names)
		return -1;
	for (size_t i = 0; i < size; i++) {
		names[i] = arena_strdup(n->a, json_string_value(json_is_array(j) ? json_array_get(j, i) : j));
		if (!names[i])
			return nj_bad(n, "a device that has no name"), -1;
	}
	*ret = names;
	*ret_n = (unsigned)size;
	return 0;
}

static int add_chain(struct nj *n, json_t *j)
{
	const char *name = nj_str(j, "name"), *hook = nj_str(j, "hook"), *policy = nj_str(j, "policy");
	struct chain *c;

	if (!enter_table(n, j) || !name)
		return -1;
	c = table_add_chain(n->rs, n->t, name);
	if (!c)
		return -1;
	c->handle = nj_num(j, "handle");
	c->comment = arena_strdup(n->a, nj_str(j, "comment"));
	if (!hook)
		return 0;
	c->base = true;
	c->type = arena_strdup(n->a, nj_str(j, "type"));
	c->hook = UINT32_MAX;
	for (unsigned h = 0; h < 8 && c->hook == UINT32_MAX; h++)
		if (strcmp(hook_name(n->t->family, h), hook) == 0)
			c->hook = h;
	if (c->hook == UINT32_MAX)
		return nj_bad(n, "the hook '%.40s'", hook), -1;
	c->priority = (int32_t)json_integer_value(json_object_get(j, "prio"));
	c->policy = policy && strcmp(policy, "drop") == 0 ? VERDICT_DROP : VERDICT_ACCEPT;
	return devices(n, json_object_get(j, "dev"), &c->devices, &c->n_devices);
}

static int add_set(struct nj *n, json_t *j)
{
	return enter_table(n, j) ? nj_declare_set(n, j, false) : -1;
}

static int add_map(struct nj *n, json_t *j)
{
	return enter_table(n, j) ? nj_declare_set(n, j, true) : -1;
}

static int add_flowtable(struct nj *n, json_t *j)
{
	const char *name = nj_str(j, "name");
	struct flowtable *f;

	if (!enter_table(n, j) || !name)
		return -1;
	f = table_add_flowtable(n->rs, n->t, name);
	if (!f)
		return -1;
	f->handle = nj_num(j, "handle");
	f->priority = (int32_t)json_integer_value(json_object_get(j, "prio"));
	return devices(n, json_object_get(j, "dev"), &f->devices, &f->n_devices);
}

static void take_counter(struct rule *r)
{
	for (const struct stmt *s = r->stmts; s; s = s->next)
		if (s->kind == STMT_COUNTER && !r->has_counter) {
			r->has_counter = true;
			r->packets = s->counter.packets;
			r->bytes = s->counter.bytes;
		}
}

static int add_rule(struct nj *n, json_t *j)
{
	const char *name = nj_str(j, "chain");
	struct chain *c;
	struct rule *r;

	if (!enter_table(n, j))
		return -1;
	c = name ? table_find_chain(n->t, name) : NULL;
	if (!c)
		return nj_bad(n, "a rule of a chain that is not there ('%.60s')", name ? name : "?"), -1;
	r = chain_add_rule(n->rs, c);
	if (!r)
		return -1;
	r->handle = nj_num(j, "handle");
	r->comment = arena_strdup(n->a, nj_str(j, "comment"));
	n->list = &r->stmts;
	if (nj_stmts(n, json_object_get(j, "expr")) < 0)
		return -1;
	take_counter(r);
	return 0;
}

/* In an order in which nothing refers to what comes later. */
static const struct {
	const char *key;
	int (*fn)(struct nj *n, json_t *j);
} passes[] = {
	{ "table", add_table }, { "chain", add_chain }, { "flowtable", add_flowtable }, { "set", add_set },
	{ "map", add_map }, { "rule", add_rule },
};

static const char *const objects[] = { "counter", "quota", "limit", "ct helper", "ct timeout", "ct expectation",
				       "secmark", "synproxy" };

static int add_objects(struct nj *n, json_t *item)
{
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		json_t *j = json_object_get(item, objects[i]);

		if (j && (!enter_table(n, j) || nj_declare_object(n, objects[i], j) < 0))
			return -1;
	}
	return 0;
}

/* "nft monitor" and "nft -f" wrap what is listed in {"add":...}. */
static json_t *unwrapped(json_t *item)
{
	json_t *add = json_object_get(item, "add");

	return add ? add : item;
}

static int read_list(struct nj *n, json_t *list)
{
	json_t *item;
	size_t i;

	for (size_t p = 0; p < ARRAY_SIZE(passes); p++) {
		json_array_foreach(list, i, item) {
			json_t *j = json_object_get(unwrapped(item), passes[p].key);

			n->why[0] = '\0';
			n->depth = 0;
			if (j && passes[p].fn(n, j) < 0)
				return -1;
			if (p == 0 && !j)
				continue;
		}
		json_array_foreach(list, i, item)
			if (p == 1 && add_objects(n, unwrapped(item)) < 0)
				return -1;
	}
	return 0;
}

/* Tables that the file brought, not those that were there before. */
static int finish(struct ruleset *rs, struct table *first)
{
	for (struct table *t = first; t; t = t->next) {
		if (reader_is_compat(t))
			t->store = STORE_COMPAT;
		if (ruleset_link(rs, t) < 0)
			return -1;
	}
	return 0;
}

int dump_load_nft_json(const char *text, size_t size, const char *name, struct ruleset *rs, struct err *e)
{
	struct nj n = { .rs = rs, .a = rs->arena };
	struct table **tail = rs->tables_tail;
	json_error_t why;
	json_t *root = json_loadb(text, size, 0, &why), *list = json_object_get(root, "nftables");
	int ret = -1;

	if (!root)
		return err_set(e, ERR_USAGE, name, "line %d: %s", why.line, why.text);
	if (!json_is_array(list))
		err_set(e, ERR_USAGE, name, "\"nftables\" is no list");
	else if (read_list(&n, list) < 0)
		n.why[0] ? err_set(e, ERR_USAGE, name, "not understood: %s", n.why) : err_oom(e);
	else if (finish(rs, *tail) < 0)
		err_oom(e);
	else
		ret = 0;
	json_decref(root);
	return ret;
}
