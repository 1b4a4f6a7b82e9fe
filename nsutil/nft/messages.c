/* SPDX-License-Identifier: GPL-2.0-or-later */
/* messages - tables, chains, sets, objects, flowtables and rules as the kernel announces them */
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/nft/object.h"
#include "nsutil/nft/reader.h"
#include "nsutil/nft/udata.h"
#include "nsutil/nft/verdict.h"

static uint8_t msg_attrs(const struct nlmsghdr *msg, struct attrs *at)
{
	const struct nfgenmsg *gen = mnl_nlmsg_get_payload(msg);

	attr_parse((const char *)gen + NLMSG_ALIGN(sizeof(*gen)),
		   mnl_nlmsg_get_payload_len(msg) - sizeof(*gen), ATTR_MAX, at);
	return gen->nfgen_family;
}

static bool name_is(const char *name, const struct nlattr *a)
{
	return attr_is(a, name);
}

struct reader_table *reader_table_of(struct reader *r, uint8_t family, const struct nlattr *name)
{
	for (size_t i = r->n_tables; name && i-- > 0;)
		if (r->tables[i].t->family == family && name_is(r->tables[i].t->name, name))
			return &r->tables[i];
	return NULL;
}

int reader_on_table(void *arg, const struct nlmsghdr *msg, struct err *e)
{
	struct reader *r = arg;
	struct reader_table *rt;
	struct udata u;
	struct attrs at;
	uint8_t family = msg_attrs(msg, &at);
	const char *name = attr_str(r->rs->arena, at.a[NFTA_TABLE_NAME]);

	r->tables = arena_grow(r->rs->arena, r->tables, r->n_tables, sizeof(*r->tables));
	if (!name || !r->tables)
		return err_oom(e);
	rt = &r->tables[r->n_tables];
	memset(rt, 0, sizeof(*rt));
	rt->t = ruleset_add_table(r->rs, STORE_NATIVE, family, name);
	if (!rt->t)
		return err_oom(e);
	rt->t->handle = attr_be64(at.a[NFTA_TABLE_HANDLE]);
	rt->t->flags = attr_be32(at.a[NFTA_TABLE_FLAGS]);
	udata_parse(at.a[NFTA_TABLE_USERDATA], &u);
	rt->t->comment = udata_str(r->rs->arena, &u, UDATA_COMMENT);
	r->n_tables++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of devices, in the order in which nft has them: a list of NFTA_DEVICE_NAME, or of prefixes (number 2, Linux 6.16). */
static int read_devices(struct arena *a, const struct nlattr *list, const char ***ret, unsigned *ret_n)
{
	for (const struct nlattr *d = attr_first(list); d; d = attr_next(list, d)) {
		const char *name = attr_str(a, d);

		*ret = arena_grow(a, *ret, *ret_n, sizeof(**ret));
		if (name && mnl_attr_get_type(d) == NFTA_DEVICE_NAME + 1)
			name = arena_printf(a, "%s*", name);
		if (!*ret || !name)
			return -1;
		(*ret)[(*ret_n)++] = name;
	}
	if (*ret_n)
		qsort(*ret, *ret_n, sizeof(**ret), by_name);
	return 0;
}

static int read_hook(struct arena *a, const struct attrs *at, struct chain *c)
{
	struct attrs hook, counter;

	c->base = true;
	c->type = attr_str(a, at->a[NFTA_CHAIN_TYPE]);
	attr_nested(at->a[NFTA_CHAIN_HOOK], NFTA_HOOK_DEVS, &hook);
	c->hook = attr_be32(hook.a[NFTA_HOOK_HOOKNUM]);
	c->priority = (int32_t)attr_be32(hook.a[NFTA_HOOK_PRIORITY]);
	c->policy = at->a[NFTA_CHAIN_POLICY] && attr_be32(at->a[NFTA_CHAIN_POLICY]) == 0 ? VERDICT_DROP
										      : VERDICT_ACCEPT;
	if (at->a[NFTA_CHAIN_COUNTERS]) {
		attr_nested(at->a[NFTA_CHAIN_COUNTERS], NFTA_COUNTER_PAD, &counter);
		c->has_counter = true;
		c->packets = attr_be64(counter.a[NFTA_COUNTER_PACKETS]);
		c->bytes = attr_be64(counter.a[NFTA_COUNTER_BYTES]);
	}
	if (hook.a[NFTA_HOOK_DEVS])
		return read_devices(a, hook.a[NFTA_HOOK_DEVS], &c->devices, &c->n_devices);
	if (!hook.a[NFTA_HOOK_DEV])
		return 0;
	c->devices = arena_array(a, 1, sizeof(*c->devices));
	if (!c->devices)
		return -1;
	c->devices[0] = attr_str(a, hook.a[NFTA_HOOK_DEV]);
	c->n_devices = 1;
	return c->devices[0] ? 0 : -1;
}

int reader_on_chain(void *arg, const struct nlmsghdr *msg, struct err *e)
{
	struct reader *r = arg;
	struct udata u;
	struct attrs at;
	uint8_t family = msg_attrs(msg, &at);
	struct reader_table *rt = reader_table_of(r, family, at.a[NFTA_CHAIN_TABLE]);
	const char *name;
	struct chain *c;

	/* A table that came up since: the generation has changed too, and all is read again. */
	if (!rt)
		return 0;
	name = attr_str(r->rs->arena, at.a[NFTA_CHAIN_NAME]);
	c = name ? table_add_chain(r->rs, rt->t, name) : NULL;
	if (!c)
		return err_oom(e);
	c->handle = attr_be64(at.a[NFTA_CHAIN_HANDLE]);
	c->flags = attr_be32(at.a[NFTA_CHAIN_FLAGS]);
	c->use = attr_be32(at.a[NFTA_CHAIN_USE]);
	rt->use += c->use;
	udata_parse(at.a[NFTA_CHAIN_USERDATA], &u);
	c->comment = udata_str(r->rs->arena, &u, UDATA_COMMENT);
	if (at.a[NFTA_CHAIN_HOOK] && read_hook(r->rs->arena, &at, c) < 0)
		return err_oom(e);
	return 0;
}

int reader_on_set(void *arg, const struct nlmsghdr *msg, struct err *e)
{
	struct reader *r = arg;
	struct attrs at;
	uint8_t family = msg_attrs(msg, &at);
	struct reader_table *rt = reader_table_of(r, family, at.a[NFTA_SET_TABLE]);
	const char *name;
	struct set *s;

	if (!rt || rt->skip)
		return 0;
	name = attr_str(r->rs->arena, at.a[NFTA_SET_NAME]);
	s = name ? table_add_set(r->rs, rt->t, name) : NULL;
	if (!s || set_index_add(&rt->sets, s) < 0 || set_decode(&rt->dec, s, &at) < 0)
		return err_oom(e);
	return 0;
}

int reader_on_object(void *arg, const struct nlmsghdr *msg, struct err *e)
{
	struct reader *r = arg;
	struct attrs at;
	uint8_t family = msg_attrs(msg, &at);
	struct reader_table *rt = reader_table_of(r, family, at.a[NFTA_OBJ_TABLE]);
	const char *name;
	struct object *o;

	if (!rt || rt->skip)
		return 0;
	name = attr_str(r->rs->arena, at.a[NFTA_OBJ_NAME]);
	o = name ? table_add_object(r->rs, rt->t, name) : NULL;
	return o && object_decode(&rt->dec, o, &at) == 0 ? 0 : err_oom(e);
}

int reader_on_flowtable(void *arg, const struct nlmsghdr *msg, struct err *e)
{
	struct reader *r = arg;
	struct attrs at, hook;
	uint8_t family = msg_attrs(msg, &at);
	struct reader_table *rt = reader_table_of(r, family, at.a[NFTA_FLOWTABLE_TABLE]);
	const char *name;
	struct flowtable *f;

	if (!rt || rt->skip)
		return 0;
	name = attr_str(r->rs->arena, at.a[NFTA_FLOWTABLE_NAME]);
	f = name ? table_add_flowtable(r->rs, rt->t, name) : NULL;
	if (!f)
		return err_oom(e);
	f->handle = attr_be64(at.a[NFTA_FLOWTABLE_HANDLE]);
	f->flags = attr_be32(at.a[NFTA_FLOWTABLE_FLAGS]);
	attr_nested(at.a[NFTA_FLOWTABLE_HOOK], NFTA_FLOWTABLE_HOOK_DEVS, &hook);
	f->priority = (int32_t)attr_be32(hook.a[NFTA_FLOWTABLE_HOOK_PRIORITY]);
	if (read_devices(r->rs->arena, hook.a[NFTA_FLOWTABLE_HOOK_DEVS], &f->devices, &f->n_devices) < 0)
		return err_oom(e);
	return 0;
}

/* ---- rules ---- */

static int add_rule(struct reader *r, struct reader_table *rt, struct chain *c, const struct attrs *at,
		    struct err *e)
{
	struct rule *rule = chain_add_rule(r->rs, c);
	struct udata u;

	if (!rule)
		return err_oom(e);
	rule->handle = attr_be64(at->a[NFTA_RULE_HANDLE]);
	rt->dec.rule = rule;
	dec_begin(&rt->dec, &rule->stmts);
	if (dec_exprs(&rt->dec, at->a[NFTA_RULE_EXPRESSIONS]) < 0)
		return err_oom(e);
	rt->dec.rule = NULL;
	if (at->a[NFTA_RULE_USERDATA]) {
		udata_parse(at->a[NFTA_RULE_USERDATA], &u);
		if (u.value[UDATA_COMMENT])
			rule->comment = udata_str(r->rs->arena, &u, UDATA_COMMENT);
	}
	return 0;
}

/* Rules come in the order of the chains, so the next one is at or behind the last place. */
static struct chain *find_chain(struct reader_table *rt, const struct nlattr *name)
{
	struct chain *from = rt->at ? rt->at : rt->t->chains;

	for (struct chain *c = from; c; c = c->next)
		if (name_is(c->name, name))
			return rt->at = c;
	for (struct chain *c = rt->t->chains; c && c != from; c = c->next)
		if (name_is(c->name, name))
			return rt->at = c;
	return NULL;
}

int reader_on_rule(void *arg, const struct nlmsghdr *msg, struct err *e)
{
	struct reader *r = arg;
	struct attrs at;
	uint8_t family = msg_attrs(msg, &at);
	struct reader_table *rt = reader_table_of(r, family, at.a[NFTA_RULE_TABLE]);
	struct chain *c = rt && !rt->skip && at.a[NFTA_RULE_CHAIN] ? find_chain(rt, at.a[NFTA_RULE_CHAIN])
								   : NULL;

	return c ? add_rule(r, rt, c, &at, e) : 0;
}

/* ---- jobs ---- */

int reader_job_batch(const struct reader_job *job, struct reader *r, const void *batch, size_t len,
		     struct err *e)
{
	const struct nlmsghdr *msg = batch;
	int left = (int)len;
	struct attrs at;

	for (; mnl_nlmsg_ok(msg, left); msg = mnl_nlmsg_next(msg, &left)) {
		if (msg->nlmsg_type == NLMSG_DONE || msg->nlmsg_type == NLMSG_ERROR ||
		    msg->nlmsg_len < NLMSG_LENGTH(sizeof(struct nfgenmsg)))
			continue;
		msg_attrs(msg, &at);
		if (job->chain) {
			if (add_rule(r, job->rt, job->chain, &at, e) < 0)
				return -1;
		} else if (!job->set->unread) {
			if (set_raw_add(&job->rt->dec, job->set, at.a[NFTA_SET_ELEM_LIST_ELEMENTS],
					(struct set_raw **)&job->set->reading) < 0)
				return err_oom(e);
		}
	}
	return 0;
}

int reader_job_end(const struct reader_job *job, struct err *e)
{
	if (job->set && set_raw_end(&job->rt->dec, job->set, job->set->reading) < 0)
		return err_oom(e);
	return 0;
}
