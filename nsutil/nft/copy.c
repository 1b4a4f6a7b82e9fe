/* SPDX-License-Identifier: GPL-2.0-or-later */
/* copy - the nftables of a namespace made again in another one, from the kernel's own bytes */
#include "nsutil/nft/copy.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/nft/batch.h"
#include "nsutil/nft/encode.h"
#include "nsutil/nft/nlsock.h"

#define MSG_ROOM 65536
#define ELEMS_ROOM 49152 /* of one message of set elements */
#define READ_ATTEMPTS 10
#define SEND_ATTEMPTS 10
#ifndef NFT_CHAIN_BINDING
#define NFT_CHAIN_BINDING 4
#endif

enum kind { KIND_TABLE, KIND_OBJECT, KIND_SET, KIND_FLOWTABLE, KIND_CHAIN, KIND_ELEMS, KIND_RULE, KINDS };

#define A(x) (1ull << (x))
/* What is sent back of each: handles, use counts and the like are the kernel's to give. */
static const struct {
	const char *name;
	uint8_t get, make;
	uint64_t attrs;
	uint16_t table, own; /* attributes: name of the table, name of the thing; 0: none */
} kinds[KINDS] = {
	[KIND_TABLE] = { "table", NFT_MSG_GETTABLE, NFT_MSG_NEWTABLE, A(NFTA_TABLE_NAME) | A(NFTA_TABLE_USERDATA),
			 NFTA_TABLE_NAME, 0 },
	[KIND_OBJECT] = { "object", NFT_MSG_GETOBJ, NFT_MSG_NEWOBJ,
			  A(NFTA_OBJ_TABLE) | A(NFTA_OBJ_NAME) | A(NFTA_OBJ_TYPE) | A(NFTA_OBJ_DATA) | A(NFTA_OBJ_USERDATA),
			  NFTA_OBJ_TABLE, NFTA_OBJ_NAME },
	[KIND_SET] = { "set", NFT_MSG_GETSET, NFT_MSG_NEWSET,
		       A(NFTA_SET_TABLE) | A(NFTA_SET_NAME) | A(NFTA_SET_FLAGS) | A(NFTA_SET_KEY_TYPE) | A(NFTA_SET_KEY_LEN) |
		       A(NFTA_SET_DATA_TYPE) | A(NFTA_SET_DATA_LEN) | A(NFTA_SET_POLICY) | A(NFTA_SET_DESC) |
		       A(NFTA_SET_TIMEOUT) | A(NFTA_SET_GC_INTERVAL) | A(NFTA_SET_USERDATA) | A(NFTA_SET_OBJ_TYPE) |
		       A(NFTA_SET_EXPR) | A(NFTA_SET_EXPRESSIONS), NFTA_SET_TABLE, NFTA_SET_NAME },
	[KIND_FLOWTABLE] = { "flowtable", NFT_MSG_GETFLOWTABLE, NFT_MSG_NEWFLOWTABLE,
			     A(NFTA_FLOWTABLE_TABLE) | A(NFTA_FLOWTABLE_NAME) | A(NFTA_FLOWTABLE_HOOK),
			     NFTA_FLOWTABLE_TABLE, NFTA_FLOWTABLE_NAME },
	[KIND_CHAIN] = { "chain", NFT_MSG_GETCHAIN, NFT_MSG_NEWCHAIN,
			 A(NFTA_CHAIN_TABLE) | A(NFTA_CHAIN_NAME) | A(NFTA_CHAIN_HOOK) | A(NFTA_CHAIN_POLICY) |
			 A(NFTA_CHAIN_TYPE) | A(NFTA_CHAIN_COUNTERS) | A(NFTA_CHAIN_USERDATA),
			 NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME },
	[KIND_ELEMS] = { "elements of set", NFT_MSG_GETSETELEM, NFT_MSG_NEWSETELEM, 0,
			 NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET },
	[KIND_RULE] = { "rule of chain", NFT_MSG_GETRULE, NFT_MSG_NEWRULE,
			A(NFTA_RULE_TABLE) | A(NFTA_RULE_CHAIN) | A(NFTA_RULE_EXPRESSIONS) | A(NFTA_RULE_USERDATA),
			NFTA_RULE_TABLE, NFTA_RULE_CHAIN },
};

/* One message to be sent. */
struct item {
	enum kind kind;
	struct nlmsghdr *msg;
	const struct chain *chain; /* KIND_CHAIN, KIND_RULE: of the ruleset; NULL when it does not know it */
	uint32_t number;	   /* KIND_RULE: within the chain; KIND_SET: its id */
	uint32_t flags;		   /* of the set or chain */
	uint32_t place;		   /* order of base chains */
	int error;
	bool empty;		   /* a rule that stands in for one that was refused */
};

struct copy {
	const struct ruleset *rs;
	const struct chain *const *order;
	unsigned n_order;
	struct arena *a;
	struct item *items;
	uint32_t n;
	int fd;
	void *buf, *room;
	enum kind kind;		   /* what is being dumped, */
	const struct chain *chain; /* of this chain, */
	const struct rule *rule;   /* whose next rule this should be, */
	uint32_t number;	   /* and how many came */
	const struct nlattr **elems;
	uint32_t n_elems;
};

static const struct nlattr *find_attr(const struct nlmsghdr *msg, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, msg, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

static const char *text_attr(const struct nlmsghdr *msg, uint16_t type)
{
	const struct nlattr *attr = type ? find_attr(msg, type) : NULL;

	return attr && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0 ? mnl_attr_get_str(attr) : "";
}

static uint32_t be32_attr(const struct nlmsghdr *msg, uint16_t type)
{
	const struct nlattr *attr = find_attr(msg, type);

	return attr && mnl_attr_get_payload_len(attr) == 4 ? ntohl(mnl_attr_get_u32(attr)) : 0;
}

static uint8_t msg_family(const struct nlmsghdr *msg)
{
	return ((const struct nfgenmsg *)mnl_nlmsg_get_payload(msg))->nfgen_family;
}

static struct item *add_item(struct copy *c, enum kind kind, const struct nlmsghdr *msg, struct err *e)
{
	struct item *more = arena_grow(c->a, c->items, c->n, sizeof(*more)), *it;

	if (!more) {
		err_oom(e);
		return NULL;
	}
	c->items = more;
	it = &c->items[c->n];
	*it = (struct item){ .kind = kind, .msg = arena_dup(c->a, msg, msg->nlmsg_len) };
	if (!it->msg) {
		err_oom(e);
		return NULL;
	}
	c->n++;
	return it;
}

/* ---- reading ---- */

static const struct chain *find_chain(const struct copy *c, uint8_t family, const char *table, const char *name)
{
	const struct table *t = NULL;

	for (enum store s = STORE_COMPAT; s <= STORE_NATIVE && !t; s++)
		t = ruleset_find_table(c->rs, s, family, table);
	return t ? table_find_chain(t, name) : NULL;
}

/* Where the kernel runs it, from the end: the chain that is to run last is made first. */
static uint32_t chain_place(const struct copy *c, const struct chain *chain)
{
	for (unsigned i = 0; i < c->n_order; i++)
		if (chain && c->order[i] == chain)
			return c->n_order - i;
	return 0;
}

/* The rule of the ruleset with the handle; both lists are in order. */
static const struct rule *known_rule(struct copy *c, uint64_t handle)
{
	for (const struct rule *r = c->rule; r; r = r->next)
		if (r->handle == handle) {
			c->rule = r->next;
			return r;
		}
	return NULL;
}

static void put_special(struct copy *c, struct enc *m, const struct nlmsghdr *msg)
{
	const struct nlattr *handle;
	const struct rule *r;
	uint32_t flags;

	switch (c->kind) {
	case KIND_TABLE:
		flags = be32_attr(msg, NFTA_TABLE_FLAGS) & NFT_TABLE_F_DORMANT;
		enc_be32(m, NFTA_TABLE_FLAGS, flags);
		break;
	case KIND_CHAIN:
		flags = be32_attr(msg, NFTA_CHAIN_FLAGS) & NFT_CHAIN_BINDING;
		if (flags)
			enc_be32(m, NFTA_CHAIN_FLAGS, flags);
		break;
	case KIND_SET:
		enc_be32(m, NFTA_SET_ID, c->n + 1);
		break;
	case KIND_RULE:
		handle = find_attr(msg, NFTA_RULE_HANDLE);
		r = handle ? known_rule(c, be64toh(mnl_attr_get_u64(handle))) : NULL;
		if (r)
			enc_compat(m, r->stmts);
		break;
	default: break;
	}
}

static int on_message(void *arg, const struct nlmsghdr *msg, struct err *e)
{
	struct copy *c = arg;
	uint8_t type = NFNL_MSG_TYPE(msg->nlmsg_type), family = msg_family(msg);
	uint16_t flags = NLM_F_CREATE | (c->kind == KIND_RULE ? NLM_F_APPEND : 0);
	struct enc m = { .room = MSG_ROOM };
	const struct nlattr *attr;
	struct item *it;

	if (type != kinds[c->kind].make)
		return 0;
	m.msg = nlsock_request(c->room, type, family, flags);
	mnl_attr_for_each(attr, msg, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) < 64 && kinds[c->kind].attrs & A(mnl_attr_get_type(attr)))
			enc_put(&m, attr->nla_type, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	}
	put_special(c, &m, msg);
	if (m.full)
		return err_set(e, ERR_SYS, "cannot copy nftables rules", "a message is too long");
	it = add_item(c, c->kind, m.msg, e);
	if (!it)
		return -1;
	it->number = ++c->number;
	if (c->kind == KIND_SET)
		it->flags = be32_attr(msg, NFTA_SET_FLAGS);
	if (c->kind == KIND_CHAIN) {
		it->chain = find_chain(c, family, text_attr(msg, NFTA_CHAIN_TABLE), text_attr(msg, NFTA_CHAIN_NAME));
		it->flags = be32_attr(msg, NFTA_CHAIN_FLAGS) & NFT_CHAIN_BINDING;
		it->place = chain_place(c, it->chain);
	}
	if (c->kind == KIND_RULE)
		it->chain = c->chain;
	return 0;
}

static int on_elements(void *arg, const struct nlmsghdr *msg, struct err *e)
{
	const struct nlattr *list = find_attr(msg, NFTA_SET_ELEM_LIST_ELEMENTS), *elem;
	struct copy *c = arg;

	if (NFNL_MSG_TYPE(msg->nlmsg_type) != NFT_MSG_NEWSETELEM || !list)
		return 0;
	mnl_attr_for_each_nested(elem, list) {
		const struct nlattr **more = arena_grow(c->a, c->elems, c->n_elems, sizeof(*more));

		if (!more)
			return err_oom(e);
		c->elems = more;
		c->elems[c->n_elems] = arena_dup(c->a, elem, elem->nla_len);
		if (!c->elems[c->n_elems++])
			return err_oom(e);
	}
	return 0;
}

struct dump_job {
	struct copy *c;
	int (*fn)(void *arg, const struct nlmsghdr *msg, struct err *e);
};

static int on_batch(void *arg, const void *batch, size_t len, struct err *e)
{
	struct dump_job *job = arg;

	return nlsock_each(batch, len, job->fn, job->c, e);
}

static int dump(struct copy *c, enum kind kind, const struct item *of, struct err *e)
{
	struct dump_job job = { c, kind == KIND_ELEMS ? on_elements : on_message };
	char req[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *msg = nlsock_request(req, kinds[kind].get, of ? msg_family(of->msg) : NFPROTO_UNSPEC, NLM_F_DUMP);

	c->kind = kind;
	c->number = 0;
	if (of) {
		mnl_attr_put_strz(msg, kinds[kind].table, text_attr(of->msg, kinds[of->kind].table));
		mnl_attr_put_strz(msg, kinds[kind].own, text_attr(of->msg, kinds[of->kind].own));
	}
	return nlsock_batches(c->fd, msg, c->buf, on_batch, &job, e);
}

/* ---- elements: of intervals, the kernel wants the lower end first ---- */

static const struct nlattr *elem_attr(const struct nlattr *elem, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, elem)
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

static bool is_interval_end(const struct nlattr *elem)
{
	const struct nlattr *flags = elem_attr(elem, NFTA_SET_ELEM_FLAGS);

	return flags && ntohl(mnl_attr_get_u32(flags)) & NFT_SET_ELEM_INTERVAL_END;
}

static int by_key(const void *pa, const void *pb)
{
	const struct nlattr *const *a = pa, *const *b = pb;
	const struct nlattr *ka = elem_attr(*a, NFTA_SET_ELEM_KEY), *kb = elem_attr(*b, NFTA_SET_ELEM_KEY);
	unsigned na = ka ? mnl_attr_get_payload_len(ka) : 0, nb = kb ? mnl_attr_get_payload_len(kb) : 0;
	int d = ka && kb ? memcmp(mnl_attr_get_payload(ka), mnl_attr_get_payload(kb), na < nb ? na : nb) : 0;

	if (d || !ka || !kb)
		return d ? d : !kb - !ka;
	return is_interval_end(*b) - is_interval_end(*a);
}

static int put_elements(struct copy *c, const struct item *set, struct err *e)
{
	uint32_t i = 0;

	if (set->flags & NFT_SET_INTERVAL && !(set->flags & NFT_SET_CONCAT))
		qsort(c->elems, c->n_elems, sizeof(*c->elems), by_key);
	while (i < c->n_elems) {
		struct enc m = { .room = MSG_ROOM };
		struct nlattr *list;
		uint32_t from = i;

		m.msg = nlsock_request(c->room, NFT_MSG_NEWSETELEM, msg_family(set->msg), NLM_F_CREATE);
		enc_str(&m, NFTA_SET_ELEM_LIST_TABLE, text_attr(set->msg, NFTA_SET_TABLE));
		enc_str(&m, NFTA_SET_ELEM_LIST_SET, text_attr(set->msg, NFTA_SET_NAME));
		list = enc_nest(&m, NFTA_SET_ELEM_LIST_ELEMENTS);
		for (; i < c->n_elems && (i == from || m.msg->nlmsg_len + c->elems[i]->nla_len < ELEMS_ROOM); i++)
			enc_put(&m, NFTA_LIST_ELEM | NLA_F_NESTED, mnl_attr_get_payload(c->elems[i]),
				mnl_attr_get_payload_len(c->elems[i]));
		enc_nest_end(&m, list);
		if (m.full || !add_item(c, KIND_ELEMS, m.msg, e))
			return m.full ? err_set(e, ERR_SYS, "cannot copy nftables sets", "an element is too long") : -1;
	}
	return 0;
}

static int read_elements(struct copy *c, uint32_t index, struct err *e)
{
	int r;

	c->elems = NULL;
	c->n_elems = 0;
	r = dump(c, KIND_ELEMS, &c->items[index], e);
	return r ? r : put_elements(c, &c->items[index], e);
}

static int read_rules(struct copy *c, uint32_t index, struct err *e)
{
	c->chain = c->items[index].chain;
	c->rule = c->chain ? c->chain->rules : NULL;
	return dump(c, KIND_RULE, &c->items[index], e);
}

static bool is_binding(const struct item *it)
{
	return it->flags & NFT_CHAIN_BINDING;
}

static int by_place(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;

	return a->place != b->place ? (a->place < b->place ? -1 : 1) : a->number < b->number ? -1 : a->number > b->number;
}

static int on_generation(void *arg, const struct nlmsghdr *msg, struct err *e)
{
	(void)e;
	if (NFNL_MSG_TYPE(msg->nlmsg_type) == NFT_MSG_NEWGEN)
		((struct copy *)arg)->number = be32_attr(msg, NFTA_GEN_ID);
	return 0;
}

static int generation(struct copy *c, uint32_t *ret, struct err *e)
{
	struct dump_job job = { c, on_generation };
	char req[MNL_SOCKET_BUFFER_SIZE];
	int r = nlsock_batches(c->fd, nlsock_request(req, NFT_MSG_GETGEN, NFPROTO_UNSPEC, NLM_F_ACK), c->buf, on_batch,
			       &job, e);

	*ret = c->number;
	return r;
}

/* An anonymous chain ("jump { ... }") takes rules only until a rule jumps to it: those inside come first. */
static int read_all_rules(struct copy *c, uint32_t chains, uint32_t end, struct err *e)
{
	int r = 0;

	for (uint32_t i = end; i-- > chains && r == 0;)
		if (is_binding(&c->items[i]))
			r = read_rules(c, i, e);
	for (uint32_t i = chains; i < end && r == 0; i++)
		if (!is_binding(&c->items[i]))
			r = read_rules(c, i, e);
	return r;
}

static int read_once(struct copy *c, struct err *e)
{
	uint32_t before, after, sets = 0, sets_end = 0, chains = 0;
	int r = generation(c, &before, e);

	c->n = 0;
	c->items = NULL;
	for (enum kind k = KIND_TABLE; k <= KIND_CHAIN && r == 0; k++) {
		chains = c->n;
		if (k == KIND_SET)
			sets = c->n;
		r = dump(c, k, NULL, e);
		if (k == KIND_SET)
			sets_end = c->n;
	}
	if (r == 0) {
		uint32_t end = c->n;

		if (end > chains)
			qsort(c->items + chains, end - chains, sizeof(*c->items), by_place);
		for (uint32_t i = sets; i < sets_end && r == 0; i++)
			r = read_elements(c, i, e);
		r = r ? r : read_all_rules(c, chains, end, e);
	}
	r = r ? r : generation(c, &after, e);
	return r ? r : before == after ? 0 : NLSOCK_TORN;
}

static int read_all(struct copy *c, const struct netns *from, struct err *e)
{
	int r = NLSOCK_TORN;

	c->fd = nlsock_open(from, e);
	if (c->fd < 0)
		return -1;
	for (unsigned i = 0; i < READ_ATTEMPTS && r == NLSOCK_TORN; i++)
		r = read_once(c, e);
	close(c->fd);
	c->fd = -1;
	return r == NLSOCK_TORN ? err_set(e, ERR_SYS, "cannot copy the nftables rules",
					  "they changed each time while they were read, %d times", READ_ATTEMPTS) : r;
}

/* ---- writing ---- */

struct answers {
	struct copy *c;
	unsigned failed;
	int other;
};

static void on_answer(void *arg, uint32_t seq, int error)
{
	struct answers *a = arg;

	if (!error)
		return;
	a->failed++;
	if (seq >= 1 && seq <= a->c->n)
		a->c->items[seq - 1].error = error;
	else
		a->other = error;
}

static void note_gap(const struct item *it, struct gaps *gaps)
{
	const char *table = text_attr(it->msg, kinds[it->kind].table), *own = text_attr(it->msg, kinds[it->kind].own);
	const char *family = family_name(msg_family(it->msg));

	if (it->kind == KIND_RULE)
		gaps_add(gaps, strerror(it->error), "rule %u of chain %s %s %s", it->number, family, table, own);
	else
		gaps_add(gaps, strerror(it->error), "%s %s %s%s%s", kinds[it->kind].name, family, table, *own ? " " : "", own);
}

static bool of_failed_chain(const struct copy *c, const struct item *rule)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (c->items[i].kind == KIND_CHAIN && c->items[i].error && rule->chain &&
		    c->items[i].chain == rule->chain)
			return true;
	return false;
}

/* What was refused is left out; a rule's place is kept. Return: the number of changes. */
static unsigned give_way(struct copy *c, struct gaps *gaps)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < c->n; i++) {
		struct item *it = &c->items[i];
		struct enc m = { .room = MSG_ROOM };

		if (!it->error || it->error == -1)
			continue;
		n++;
		if (it->kind != KIND_RULE || !of_failed_chain(c, it))
			note_gap(it, gaps);
		if (it->kind == KIND_RULE && !it->empty && !of_failed_chain(c, it)) {
			m.msg = nlsock_request(c->room, NFT_MSG_NEWRULE, msg_family(it->msg), NLM_F_CREATE | NLM_F_APPEND);
			enc_str(&m, NFTA_RULE_TABLE, text_attr(it->msg, NFTA_RULE_TABLE));
			enc_str(&m, NFTA_RULE_CHAIN, text_attr(it->msg, NFTA_RULE_CHAIN));
			it->msg = arena_dup(c->a, m.msg, m.msg->nlmsg_len);
			it->empty = true;
			it->error = it->msg ? 0 : -1;
		} else {
			it->error = -1; /* left out from now on */
		}
	}
	return n;
}

static int write_once(struct copy *c, const struct netns *to, struct answers *answers, struct err *e)
{
	struct buf batch _cleanup_buf_ = BUF_INIT;
	int fd _cleanup_close_ = nlsock_open(to, e);

	if (fd < 0)
		return -1;
	batch_frame(&batch, NFNL_MSG_BATCH_BEGIN, 0, 0);
	for (uint32_t i = 0; i < c->n; i++) {
		if (c->items[i].error)
			continue;
		c->items[i].msg->nlmsg_seq = i + 1;
		buf_add(&batch, c->items[i].msg, c->items[i].msg->nlmsg_len);
	}
	batch_frame(&batch, NFNL_MSG_BATCH_END, c->n + 1, 0);
	if (buf_failed(&batch))
		return err_oom(e);
	return batch_send(fd, &batch, e) < 0 || batch_answers(fd, on_answer, answers, e) < 0 ? -1 : 0;
}

static int write_all(struct copy *c, const struct netns *to, struct gaps *gaps, struct err *e)
{
	for (unsigned i = 0; i < SEND_ATTEMPTS && c->n; i++) {
		struct answers answers = { .c = c };

		if (write_once(c, to, &answers, e) < 0)
			return -1;
		if (!answers.failed)
			return 0;
		if (give_way(c, gaps) == 0)
			return err_sys(e, answers.other, "cannot copy the nftables rules");
	}
	return c->n ? err_set(e, ERR_SYS, "cannot copy the nftables rules", "the kernel refuses too many of them") : 0;
}

int nft_copy(const struct netns *from, const struct netns *to, const struct ruleset *rs,
	     const struct chain *const *order, unsigned n_order, struct gaps *gaps, struct err *e)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_free_ void *buf = malloc(NLSOCK_BUF), *room = malloc(MSG_ROOM);
	struct copy c = { .rs = rs, .order = order, .n_order = n_order, .a = a, .fd = -1, .buf = buf, .room = room };

	if (!a || !buf || !room)
		return err_oom(e);
	if (read_all(&c, from, e) < 0)
		return -1;
	return write_all(&c, to, gaps, e);
}
