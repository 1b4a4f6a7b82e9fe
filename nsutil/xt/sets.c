/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sets - what the match set and the target SET share: ipsets by index and by name */
#include "nsutil/xt/sets.h"

#include <errno.h>
#include <linux/in.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/xt_set.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/xt/codec.h"

struct sets {
	const struct netns *ns; /* NULL: nobody can be asked */
	struct arena *a;
	int fd;
	unsigned version;
	struct xt_set_name *known;
	size_t n_known;
	struct err *e;
};

/* The socket is opened when the first set is met: most rulesets have none. */
static int connect_once(struct sets *s)
{
	struct ip_set_req_version req = { .op = IP_SET_OP_VERSION };
	socklen_t len = sizeof(req);

	if (s->fd >= 0)
		return 0;
	s->fd = netns_socket(s->ns, AF_INET, SOCK_DGRAM, 0, s->e);
	if (s->fd < 0)
		return -1;
	if (getsockopt(s->fd, IPPROTO_IP, SO_IP_SET, &req, &len) < 0)
		return err_sys(s->e, errno, "cannot ask for the names of ipsets");
	s->version = req.version;
	return 0;
}

static int remember(struct sets *s, uint16_t index, const char *name)
{
	s->known = arena_grow(s->a, s->known, s->n_known, sizeof(*s->known));
	if (!s->known)
		return err_oom(s->e);
	s->known[s->n_known++] = (struct xt_set_name){ .index = index, .name = name };
	return 0;
}

static int name_of(struct sets *s, uint16_t index, const char **ret)
{
	struct ip_set_req_get_set req = { .op = IP_SET_OP_GET_BYINDEX, .set.index = index };
	socklen_t len = sizeof(req);

	for (size_t i = 0; i < s->n_known; i++) {
		if (s->known[i].index == index) {
			*ret = s->known[i].name;
			return 0;
		}
	}
	if (s->ns && connect_once(s) < 0)
		return -1;
	req.version = s->version;
	if (s->ns && getsockopt(s->fd, IPPROTO_IP, SO_IP_SET, &req, &len) < 0)
		return err_sys(s->e, errno, "cannot ask for the name of ipset %u", index);
	if (!s->ns)
		req.set.name[0] = '\0';
	req.set.name[IPSET_MAXNAMELEN - 1] = '\0';
	*ret = req.set.name[0] ? arena_strdup(s->a, req.set.name) : arena_printf(s->a, "#%u", index);
	return *ret ? remember(s, index, *ret) : err_oom(s->e);
}

static int index_of(struct sets *s, const char *name, uint16_t *ret)
{
	struct ip_set_req_get_set req = { .op = IP_SET_OP_GET_BYNAME };
	socklen_t len = sizeof(req);

	if (connect_once(s) < 0)
		return -1;
	req.version = s->version;
	memcpy(req.set.name, name, strnlen(name, IPSET_MAXNAMELEN - 1));
	if (getsockopt(s->fd, IPPROTO_IP, SO_IP_SET, &req, &len) < 0)
		return err_sys(s->e, errno, "cannot ask for the ipset '%s'", name);
	if (req.set.index == IPSET_INVALID_ID)
		return err_set(s->e, ERR_SYS, "ipset", "there is no ipset '%s'", name);
	*ret = req.set.index;
	return 0;
}

static uint16_t index_at(const struct xt_ext *x, unsigned i)
{
	uint16_t index;

	memcpy(&index, (const uint8_t *)x->data + x->codec->sets[i], sizeof(index));
	return index;
}

static int name_ext(struct sets *s, struct xt_ext *x)
{
	const char **names = arena_array(s->a, x->codec->n_sets, sizeof(*names));

	if (!names)
		return err_oom(s->e);
	for (unsigned i = 0; i < x->codec->n_sets; i++)
		if (index_at(x, i) != IPSET_INVALID_ID && name_of(s, index_at(x, i), &names[i]) < 0)
			return -1;
	x->ipsets = names;
	return xt_codec_lower(s->a, x) < 0 ? err_oom(s->e) : 0;
}

static bool has_sets(const struct stmt *s)
{
	return s->kind == STMT_XT && s->xt->codec->n_sets;
}

static int name_rule(struct sets *s, struct rule *r)
{
	for (struct stmt *st = r->stmts; st; st = st->next)
		if (has_sets(st) && !st->xt->ipsets && name_ext(s, st->xt) < 0)
			return -1;
	return 0;
}

static int each_rule(struct ruleset *rs, int (*fn)(struct sets *s, struct rule *r), struct sets *s)
{
	int r = 0;

	for (struct table *t = rs->tables; t && r == 0; t = t->next) {
		if (t->store == STORE_NATIVE)
			continue;
		for (struct chain *c = t->chains; c && r == 0; c = c->next)
			for (struct rule *rule = c->rules; rule && r == 0; rule = rule->next)
				r = fn(s, rule);
	}
	return r;
}

int xt_name_sets(const struct netns *ns, struct ruleset *rs, struct err *e)
{
	struct sets s = { .ns = ns, .a = rs->arena, .fd = -1, .e = e };
	int r = each_rule(rs, name_rule, &s);

	cleanup_closep(&s.fd);
	return r;
}

int xt_name_sets_by(const struct xt_set_name *list, size_t n, struct ruleset *rs, struct err *e)
{
	struct sets s = { .a = rs->arena, .fd = -1, .e = e };

	for (size_t i = 0; i < n; i++)
		if (remember(&s, list[i].index, list[i].name) < 0)
			return -1;
	return each_rule(rs, name_rule, &s);
}

static bool is_known(const struct sets *s, uint16_t index)
{
	for (size_t i = 0; i < s->n_known; i++)
		if (s->known[i].index == index)
			return true;
	return false;
}

static int collect_rule(struct sets *s, struct rule *r)
{
	for (struct stmt *st = r->stmts; st; st = st->next)
		for (unsigned i = 0; has_sets(st) && st->xt->ipsets && i < st->xt->codec->n_sets; i++)
			if (st->xt->ipsets[i] && !is_known(s, index_at(st->xt, i)) &&
			    remember(s, index_at(st->xt, i), st->xt->ipsets[i]) < 0)
				return -1;
	return 0;
}

int xt_named_sets(struct ruleset *rs, const struct xt_set_name **ret, size_t *ret_n, struct err *e)
{
	struct sets s = { .a = rs->arena, .fd = -1, .e = e };

	if (each_rule(rs, collect_rule, &s) < 0)
		return -1;
	*ret = s.known;
	*ret_n = s.n_known;
	return 0;
}

static int number_ext(struct sets *s, struct xt_ext *x)
{
	uint8_t *data = arena_dup(s->a, x->data, x->size);

	if (!data)
		return err_oom(s->e);
	for (unsigned i = 0; i < x->codec->n_sets; i++) {
		uint16_t index = IPSET_INVALID_ID;

		if (!x->ipsets[i] || index_at(x, i) != IPSET_INVALID_ID)
			continue;
		if (index_of(s, x->ipsets[i], &index) < 0)
			return -1;
		memcpy(data + x->codec->sets[i], &index, sizeof(index));
	}
	x->data = data;
	return 0;
}

int xt_number_sets(const struct netns *ns, struct arena *a, struct rule *r, struct err *e)
{
	struct sets s = { .ns = ns, .a = a, .fd = -1, .e = e };
	int result = 0;

	for (struct stmt *st = r->stmts; st && result == 0; st = st->next)
		if (has_sets(st) && st->xt->ipsets)
			result = number_ext(&s, st->xt);
	cleanup_closep(&s.fd);
	return result;
}
