/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_json - links, addresses, routes, rules and sockets of a namespace as JSON, and back */
#include "nsutil/dump/view_json.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/netns/netns.h"
#include "nsutil/ruleset/cgroups.h"

/* What a list may have: a busy host has some ten thousand sockets. */
#define MOST 1000000

enum kind { K_UINT, K_INT, K_BOOL, K_TEXT, K_ADDR, K_BYTES };

/* One member of a structure; writing and reading both go by these lists. */
struct field {
	const char *name;
	enum kind kind;
	size_t offset, size;
	bool later; /* which files of before do not have */
};

#define F(type, member, kind) { #member, kind, offsetof(struct type, member), sizeof(((struct type *)0)->member), false }
#define LATER(type, member, kind) { #member, kind, offsetof(struct type, member), sizeof(((struct type *)0)->member), true }
#define END { .name = NULL }

static const struct field link_fields[] = {
	F(nv_link, index, K_INT),   F(nv_link, name, K_TEXT),	F(nv_link, kind, K_TEXT),  F(nv_link, mac, K_BYTES),
	F(nv_link, type, K_UINT),   F(nv_link, flags, K_UINT),	F(nv_link, mtu, K_UINT),   F(nv_link, group, K_UINT),
	F(nv_link, master, K_INT),  F(nv_link, peer, K_INT),	F(nv_link, peer_nsid, K_INT),
	F(nv_link, has_conf, K_BOOL), F(nv_link, rp_filter, K_UINT), F(nv_link, forwarding, K_BOOL),
	F(nv_link, route_localnet, K_BOOL), F(nv_link, accept_local, K_BOOL), F(nv_link, src_valid_mark, K_BOOL),
	LATER(nv_link, no_redirects, K_BOOL), LATER(nv_link, mtu6, K_UINT), END,
};
static const struct field learned_fields[] = {
	F(nv_learned, dst, K_ADDR), END,
};
static const struct field addr_fields[] = {
	F(nv_addr, ifindex, K_INT), F(nv_addr, addr, K_ADDR), F(nv_addr, prefix_len, K_UINT), F(nv_addr, scope, K_UINT),
	F(nv_addr, flags, K_UINT),  F(nv_addr, peer, K_ADDR), END,
};
static const struct field group_fields[] = { F(nv_group, ifindex, K_INT), F(nv_group, group, K_ADDR), END };
static const struct field hop_fields[] = {
	F(nv_nexthop, oif, K_INT), F(nv_nexthop, via, K_ADDR), F(nv_nexthop, weight, K_UINT),
	LATER(nv_nexthop, realm, K_UINT), END,
};
static const struct field route_fields[] = {
	LATER(nv_route, src, K_ADDR), LATER(nv_route, src_len, K_UINT),
	F(nv_route, family, K_UINT), F(nv_route, type, K_UINT),	   F(nv_route, scope, K_UINT),
	F(nv_route, proto, K_UINT),  F(nv_route, dst, K_ADDR),	   F(nv_route, dst_len, K_UINT),
	F(nv_route, tos, K_UINT),    F(nv_route, table, K_UINT),   F(nv_route, priority, K_UINT),
	F(nv_route, prefsrc, K_ADDR), LATER(nv_route, mtu, K_UINT),	   END,
};
static const struct field rule_fields[] = {
	LATER(nv_rule, realm, K_UINT), LATER(nv_rule, dscp, K_UINT), LATER(nv_rule, dscp_mask, K_UINT),
	LATER(nv_rule, unread, K_BOOL), LATER(nv_rule, suppresses_group, K_BOOL), LATER(nv_rule, suppress_group, K_UINT),
	F(nv_rule, family, K_UINT),
	F(nv_rule, action, K_UINT),    F(nv_rule, invert, K_BOOL),
	F(nv_rule, priority, K_UINT),	F(nv_rule, table, K_UINT),     F(nv_rule, src, K_ADDR),
	F(nv_rule, dst, K_ADDR),	F(nv_rule, src_len, K_UINT),   F(nv_rule, dst_len, K_UINT),
	F(nv_rule, fwmark, K_UINT),	F(nv_rule, fwmask, K_UINT),    F(nv_rule, iif, K_TEXT),
	F(nv_rule, oif, K_TEXT),	F(nv_rule, uid_from, K_UINT),  F(nv_rule, uid_to, K_UINT),
	F(nv_rule, ipproto, K_UINT),	F(nv_rule, tos, K_UINT),       F(nv_rule, sport_from, K_UINT),
	F(nv_rule, sport_to, K_UINT),	F(nv_rule, dport_from, K_UINT), F(nv_rule, dport_to, K_UINT),
	F(nv_rule, l3mdev, K_BOOL),	F(nv_rule, suppress_prefixlen, K_INT), F(nv_rule, goto_target, K_UINT), END,
};
static const struct field socket_fields[] = {
	F(nv_socket, family, K_UINT),	 F(nv_socket, protocol, K_UINT), F(nv_socket, listening, K_BOOL),
	F(nv_socket, local, K_ADDR),	 F(nv_socket, remote, K_ADDR),	 F(nv_socket, lport, K_UINT),
	F(nv_socket, rport, K_UINT),	 F(nv_socket, uid, K_UINT),	 F(nv_socket, ifindex, K_UINT),
	F(nv_socket, mark, K_UINT),	 F(nv_socket, tcp_state, K_UINT), F(nv_socket, details, K_BOOL),
	F(nv_socket, v6only, K_BOOL),	 F(nv_socket, transparent, K_BOOL), F(nv_socket, inode, K_UINT),
	F(nv_socket, pid, K_INT),	 F(nv_socket, process, K_TEXT),
	LATER(nv_socket, has_gid, K_BOOL), LATER(nv_socket, gid, K_UINT), LATER(nv_socket, cgroup, K_UINT), END,
};
static const struct field cgroup_fields[] = {
	F(nv_cgroup, id, K_UINT), F(nv_cgroup, parent, K_UINT), F(nv_cgroup, name, K_TEXT), END,
};
static const struct field id_fields[] = {
	F(nv_id_range, inside, K_UINT), F(nv_id_range, outside, K_UINT), F(nv_id_range, count, K_UINT), END,
};
static const struct field view_fields[] = {
	F(netview, ip_forward, K_BOOL),	    F(netview, ip6_forward, K_BOOL), F(netview, route_localnet, K_BOOL),
	F(netview, accept_local, K_BOOL),   F(netview, src_valid_mark, K_BOOL), F(netview, rp_filter, K_UINT),
	F(netview, ipv6_disabled, K_BOOL), F(netview, port_low, K_UINT),    F(netview, port_high, K_UINT),
	LATER(netview, realms, K_BOOL),	    LATER(netview, no_ipsec, K_BOOL), LATER(netview, no_redirects, K_BOOL),
	LATER(netview, keeps_priority, K_BOOL), LATER(netview, groups_read, K_BOOL), LATER(netview, no_demux, K_BOOL),
	LATER(netview, no_demux_tcp, K_BOOL), LATER(netview, no_demux_udp, K_BOOL), LATER(netview, bridge_calls_ip, K_BOOL),
	LATER(netview, bridge_calls_ip6, K_BOOL), END,
};

/* ---- writing ---- */

static uint64_t get_uint(const char *at, size_t size)
{
	switch (size) {
	case 1: return *(const uint8_t *)at;
	case 2: return *(const uint16_t *)at;
	case 4: return *(const uint32_t *)at;
	default: return *(const uint64_t *)at;
	}
}

static void write_addr(const struct addr *a, struct json *j, const char *key)
{
	char text[ADDR_TEXT];

	json_str(j, key, a->family ? addr_fmt(a, text) : NULL);
}

static void write_bytes(const uint8_t *p, size_t n, struct json *j, const char *key)
{
	char text[64] = "";

	for (size_t i = 0; i < n && i < 20; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	json_str(j, key, text);
}

static void write_fields(const void *of, const struct field *f, struct json *j)
{
	for (; f->name; f++) {
		const char *at = (const char *)of + f->offset;

		switch (f->kind) {
		case K_UINT: json_uint(j, f->name, get_uint(at, f->size)); break;
		case K_INT: json_int(j, f->name, *(const int *)at); break;
		case K_BOOL: json_bool(j, f->name, *(const bool *)at); break;
		case K_TEXT: json_str(j, f->name, at); break;
		case K_ADDR: write_addr((const struct addr *)at, j, f->name); break;
		case K_BYTES: write_bytes((const uint8_t *)at, f->size, j, f->name); break;
		}
	}
}

static void write_list(const char *key, const void *list, unsigned n, size_t size, const struct field *f, struct json *j)
{
	json_begin_array(j, key);
	for (unsigned i = 0; i < n; i++) {
		json_begin_object(j, NULL);
		write_fields((const char *)list + i * size, f, j);
		json_end_object(j);
	}
	json_end_array(j);
}

static void write_routes(const struct netview *nv, struct json *j)
{
	json_begin_array(j, "routes");
	for (unsigned i = 0; i < nv->n_routes; i++) {
		const struct nv_route *r = &nv->routes[i];

		json_begin_object(j, NULL);
		write_fields(r, route_fields, j);
		write_list("hops", r->hops, r->n_hops, sizeof(*r->hops), hop_fields, j);
		json_end_object(j);
	}
	json_end_array(j);
}

void view_write(const struct netview *nv, struct json *j, const char *key)
{
	json_begin_object(j, key);
	write_fields(nv, view_fields, j);
	json_str(j, "routes_unread", nv->routes_unread);
	json_str(j, "sockets_unread", nv->sockets_unread);
	write_list("links", nv->links, nv->n_links, sizeof(*nv->links), link_fields, j);
	write_list("addresses", nv->addrs, nv->n_addrs, sizeof(*nv->addrs), addr_fields, j);
	write_list("groups", nv->groups, nv->n_groups, sizeof(*nv->groups), group_fields, j);
	write_routes(nv, j);
	write_list("learned", nv->learned, nv->n_learned, sizeof(*nv->learned), learned_fields, j);
	write_list("rules", nv->rules, nv->n_rules, sizeof(*nv->rules), rule_fields, j);
	write_list("sockets", nv->sockets, nv->n_sockets, sizeof(*nv->sockets), socket_fields, j);
	write_list("cgroups", nv->cgroups, nv->n_cgroups, sizeof(*nv->cgroups), cgroup_fields, j);
	json_str(j, "cgroups_unread", nv->cgroups_unread);
	write_list("uids", nv->uids.ranges, nv->uids.n, sizeof(*nv->uids.ranges), id_fields, j);
	write_list("gids", nv->gids.ranges, nv->gids.n, sizeof(*nv->gids.ranges), id_fields, j);
	json_end_object(j);
}

/* ---- reading ---- */

static int wrong(struct err *e, const char *name)
{
	return err_set(e, ERR_USAGE, "bundle", "'%s' is missing or is not what it should be", name);
}

static int put_uint(char *at, size_t size, const json_t *v)
{
	json_int_t n = json_integer_value(v);

	if (!json_is_integer(v) || n < 0 || (size < 8 && (uint64_t)n >> (8 * size)))
		return -1;
	switch (size) {
	case 1: *(uint8_t *)at = (uint8_t)n; break;
	case 2: *(uint16_t *)at = (uint16_t)n; break;
	case 4: *(uint32_t *)at = (uint32_t)n; break;
	default: *(uint64_t *)at = (uint64_t)n; break;
	}
	return 0;
}

static int put_bytes(uint8_t *at, size_t size, const json_t *v)
{
	const char *s = json_string_value(v);
	unsigned byte;

	if (!s || strlen(s) != 2 * size)
		return -1;
	for (size_t i = 0; i < size; i++) {
		if (sscanf(s + 2 * i, "%2x", &byte) != 1)
			return -1;
		at[i] = (uint8_t)byte;
	}
	return 0;
}

static int put_text(char *at, size_t size, const json_t *v)
{
	const char *s = json_string_value(v);

	if (!s || strlen(s) >= size)
		return -1;
	memcpy(at, s, strlen(s) + 1);
	return 0;
}

static int put_field(char *at, const struct field *f, const json_t *v)
{
	switch (f->kind) {
	case K_UINT: return put_uint(at, f->size, v);
	case K_INT:
		if (!json_is_integer(v) || json_integer_value(v) != (int)json_integer_value(v))
			return -1;
		*(int *)at = (int)json_integer_value(v);
		return 0;
	case K_BOOL:
		*(bool *)at = json_is_true(v);
		return json_is_boolean(v) ? 0 : -1;
	case K_TEXT: return put_text(at, f->size, v);
	case K_ADDR:
		if (json_is_null(v))
			return 0;
		return json_is_string(v) ? addr_parse(json_string_value(v), (struct addr *)at) : -1;
	case K_BYTES: return put_bytes((uint8_t *)at, f->size, v);
	}
	return -1;
}

static int read_fields(const json_t *from, const struct field *f, void *to, struct err *e)
{
	for (; f->name; f++) {
		const json_t *v = json_object_get(from, f->name);

		if (!v && f->later)
			continue;
		if (!v || put_field((char *)to + f->offset, f, v) < 0)
			return wrong(e, f->name);
	}
	return 0;
}

static int read_list(const json_t *from, const char *key, struct arena *a, size_t size, const struct field *f, void **ret,
		     unsigned *ret_n, struct err *e)
{
	const json_t *list = json_object_get(from, key);
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > MOST)
		return wrong(e, key);
	*ret = arena_array(a, n + 1, size);
	if (!*ret)
		return err_oom(e);
	for (size_t i = 0; i < n; i++)
		if (read_fields(json_array_get(list, i), f, (char *)*ret + i * size, e) < 0)
			return -1;
	*ret_n = (unsigned)n;
	return 0;
}

static int read_routes(const json_t *from, struct netview *nv, struct err *e)
{
	void *list = NULL;

	if (read_list(from, "routes", nv->arena, sizeof(*nv->routes), route_fields, &list, &nv->n_routes, e) < 0)
		return -1;
	nv->routes = list;
	for (unsigned i = 0; i < nv->n_routes; i++) {
		const json_t *r = json_array_get(json_object_get(from, "routes"), i);

		if (read_list(r, "hops", nv->arena, sizeof(*nv->routes[i].hops), hop_fields, &list, &nv->routes[i].n_hops, e) < 0)
			return -1;
		nv->routes[i].hops = list;
	}
	return 0;
}

/* A bundle that was made before these were kept has none. */
static int read_later_list(const json_t *from, const char *key, struct arena *a, size_t size, const struct field *f, void **ret,
			   unsigned *ret_n, struct err *e)
{
	return json_object_get(from, key) ? read_list(from, key, a, size, f, ret, ret_n, e) : 0;
}

/* Without them users and groups are numbered as on the node. */
static int read_ids(const json_t *from, const char *key, struct arena *a, struct nv_ids *ids, struct err *e)
{
	void *ranges = NULL;

	if (read_later_list(from, key, a, sizeof(*ids->ranges), id_fields, &ranges, &ids->n, e) < 0)
		return -1;
	ids->ranges = ranges;
	return 0;
}

/* They are found by their id, so a file may have them in any order. */
static int read_cgroups(const json_t *from, struct netview *nv, struct err *e)
{
	const char *unread = json_string_value(json_object_get(from, "cgroups_unread"));
	void *cgroups = NULL;

	if (read_later_list(from, "cgroups", nv->arena, sizeof(*nv->cgroups), cgroup_fields, &cgroups, &nv->n_cgroups, e) < 0)
		return -1;
	nv->cgroups = cgroups;
	nv_cgroup_sort(nv);
	nv->cgroups_unread = arena_strdup(nv->arena, unread);
	return unread && !nv->cgroups_unread ? err_oom(e) : 0;
}

static int read_lists(const json_t *from, struct netview *nv, struct err *e)
{
	void *links = NULL, *addrs = NULL, *rules = NULL, *sockets = NULL, *groups = NULL, *learned = NULL;

	if (read_list(from, "links", nv->arena, sizeof(*nv->links), link_fields, &links, &nv->n_links, e) < 0 ||
	    read_list(from, "addresses", nv->arena, sizeof(*nv->addrs), addr_fields, &addrs, &nv->n_addrs, e) < 0 ||
	    read_list(from, "rules", nv->arena, sizeof(*nv->rules), rule_fields, &rules, &nv->n_rules, e) < 0 ||
	    read_list(from, "sockets", nv->arena, sizeof(*nv->sockets), socket_fields, &sockets, &nv->n_sockets, e) < 0 ||
	    read_later_list(from, "groups", nv->arena, sizeof(*nv->groups), group_fields, &groups, &nv->n_groups, e) < 0 ||
	    read_later_list(from, "learned", nv->arena, sizeof(*nv->learned), learned_fields, &learned, &nv->n_learned, e) < 0)
		return -1;
	nv->links = links;
	nv->addrs = addrs;
	nv->rules = rules;
	nv->sockets = sockets;
	nv->groups = groups;
	nv->learned = learned;
	if (read_ids(from, "uids", nv->arena, &nv->uids, e) < 0 || read_ids(from, "gids", nv->arena, &nv->gids, e) < 0)
		return -1;
	return read_cgroups(from, nv, e) < 0 ? -1 : read_routes(from, nv, e);
}

int view_read(const json_t *from, struct netview **ret, struct err *e)
{
	struct arena *a = arena_new();
	struct netview *nv _cleanup_netview_ = a ? arena_alloc(a, sizeof(*nv)) : NULL;
	const char *routes, *sockets;

	if (!nv) {
		arena_free(a);
		return err_oom(e);
	}
	nv->arena = a;
	if (!json_is_object(from))
		return wrong(e, "network");
	if (read_fields(from, view_fields, nv, e) < 0 || read_lists(from, nv, e) < 0)
		return -1;
	routes = json_string_value(json_object_get(from, "routes_unread"));
	sockets = json_string_value(json_object_get(from, "sockets_unread"));
	nv->routes_unread = routes ? arena_strdup(a, routes) : NULL;
	nv->sockets_unread = sockets ? arena_strdup(a, sockets) : NULL;
	*ret = steal_ptr(nv);
	return 0;
}
