/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup - the control group (version 2) of a packet's socket, as nft's "socket cgroupv2" and xt's cgroup match ask */
#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_cgroup.h>
#include <string.h>

#include "nsutil/ruleset/cgroups.h"
#include "nsutil/trace/route.h"
#include "nsutil/trace/run.h"

/*
 * Levels and paths are counted from the root of the cgroup namespace that the rule was made in (Linux 6.11, 6.2), which no
 * listing shows. A rule that fits as counted from the root of all is taken for one of the node; one that would only fit
 * further down is unknown.
 */
static const char namespaced[] = "the rule may have been made in a cgroup namespace, whose root it counts from";

/* The group of a socket, as it was given or as the socket has it. */
struct group {
	const char *path;	/* NULL: by its id */
	uint64_t id;
	const char *why;	/* neither is known */
};

static struct group of_socket(const struct nv_socket *s)
{
	return (struct group){ .id = s->cgroup, .why = s->cgroup ? NULL : "the control groups of sockets could not be read" };
}

static const char *why_missing(const struct run *r)
{
	if (r->t->nv->cgroups_unread)
		return r->t->nv->cgroups_unread;
	return r->t->nv->n_cgroups ? "the control group is gone, or not in the listing" : "the control groups were not read";
}

/* tcp_make_synack(): what answers a SYN belongs to a half-open socket; TCP Fast Open is taken to be off */
static bool is_syn_ack(const struct packet *p)
{
	unsigned at = p->th + 13u;

	return p->l4proto == IPPROTO_TCP && (p->known[at] & p->bytes[at] & (SYN | ACK)) == (SYN | ACK);
}

/* The connected socket with these ends. */
static const struct nv_socket *connected(const struct run *r, const struct addr *local, int lport, const struct addr *remote, int rport)
{
	if (r->rq->first || r->t->nv->sockets_unread || !local->family || !remote->family)
		return NULL;
	return listen_ends(r->t, &(struct route_key){ .dst = *local, .dport = lport, .src = *remote, .sport = rport, .l4proto = r->pkt.l4proto });
}

/* tcp_v4_early_demux(), udp_v4_early_demux() */
static const struct nv_socket *receiver(const struct run *r)
{
	struct addr src = packet_addr(&r->pkt, false), dst = packet_addr(&r->pkt, true);

	return connected(r, &dst, packet_port(&r->pkt, true), &src, packet_port(&r->pkt, false));
}

/* As the packet was made: rules may have rewritten it since. */
static const struct nv_socket *sender(const struct run *r)
{
	return connected(r, &r->source, r->rq->sport, &r->rq->dst, r->rq->dport);
}

/* Of what was made here, before loopback takes the socket away. Return: false when it has none that counts */
static bool of_sender(const struct run *r, struct group *ret)
{
	const struct nv_socket *s;

	if (is_syn_ack(&r->pkt))
		return false;
	*ret = (struct group){ .path = r->rq->cgroup_path, .id = r->rq->cgroup_id };
	if (ret->path || ret->id)
		return true;
	s = sender(r);
	if (s && nv_socket_is_full(s))
		*ret = of_socket(s);
	else
		ret->why = "the sender's control group (cgroupv2) is not given";
	return true;
}

/* ---- nft_socket.c, nft_sock_get_eval_cgroupv2() ---- */

static void ancestor(const struct run *r, const struct group *g, unsigned level, struct value *v)
{
	static const char too_deep[] = "the socket's control group has no ancestor at that level";
	const struct nv_cgroup *line[NV_CGROUP_LEVELS];
	uint64_t id = 0;
	int n;

	if (g->path) {
		n = nv_cgroup_walk(r->t->nv, g->path, level, &id);
		if (n == 0)
			value_absent(v, too_deep);
		else if (n < 0)
			value_unknown(v, 64, r->t->nv->cgroups_unread ? r->t->nv->cgroups_unread
									   : "the number of the control group is not known");
		else
			value_uint(v, id, 64);
		return;
	}
	n = g->id ? nv_cgroup_line(r->t->nv, g->id, line) : -1;
	if (n < 0)
		value_perhaps(v, 64, g->why ? g->why : why_missing(r));
	else if ((unsigned)n < level)
		value_absent(v, too_deep);
	else
		value_uint(v, line[level]->id, 64);
}

void cgroup_of_sender(const struct run *r, unsigned level, struct value *v)
{
	struct group g;

	if (of_sender(r, &g))
		ancestor(r, &g, level, v);
	else
		value_absent(v, "the packet's socket is a half-open one");
}

void cgroup_of_socket(const struct run *r, const struct nv_socket *s, unsigned level, struct value *v)
{
	struct group g = of_socket(s);

	ancestor(r, &g, level, v);
}

const char *cgroup_deeper(struct run *r, const struct stmt_match *m, enum tri found, enum tri (*ask)(struct run *, const struct stmt_match *))
{
	struct stmt_match down = *m;
	struct expr left = *m->left;
	struct value seen = r->seen, v;
	enum tri t = found;

	if (found != tri_of(m->op == OP_NE))
		return NULL;
	down.left = &left;
	while (t == found && left.socket.level++ < NV_CGROUP_LEVELS) {
		socket_eval(r, &left, &v);
		if (v.absent || !value_known(&v))
			break;
		t = ask(r, &down);
	}
	r->seen = seen;
	return t == found ? NULL : namespaced;
}

/* ---- xt_cgroup.c, cgroup_mt_v1(), cgroup_mt_v2() ---- */

/* Does one path begin with the names of the other? cgroup_is_descendant() */
static bool begins_with(const char *path, const char *of)
{
	const char *a, *b;
	size_t n, m;

	while ((b = cgroup_part(&of, &m))) {
		a = cgroup_part(&path, &n);
		if (!a || n != m || memcmp(a, b, n) != 0)
			return false;
	}
	return true;
}

static enum tri is_below(const char *path, const char *of, const char **why)
{
	size_t n;

	if (begins_with(path, of))
		return TRI_TRUE;
	while (cgroup_part(&path, &n))
		if (begins_with(path, of)) {
			*why = namespaced;
			return TRI_UNKNOWN;
		}
	return TRI_FALSE;
}

/* Return: false when the packet has no full socket here */
static bool owner(const struct run *r, struct group *ret, bool *ret_sure)
{
	const struct nv_socket *s;

	*ret_sure = true;
	if (r->rq->path == TRACE_OUT && r->leg == 0)
		return of_sender(r, ret);
	s = r->assigned;
	if (!s && r->leg == 0 && r->hook == NF_INET_LOCAL_IN) {
		s = receiver(r);
		*ret_sure = false; /* sysctls switch early demux off */
	}
	if (s) {
		*ret = of_socket(s);
		return nv_socket_is_full(s);
	}
	*ret = (struct group){ .why = "it is not known whether a connected socket was found for the packet" };
	return !r->pkt.meta[NFT_META_SKUID].absent;
}

static enum tri path_match(struct run *r, const char *path, bool invert, const char **why)
{
	const char *own;
	struct group g;
	enum tri t;
	bool sure;

	if (!owner(r, &g, &sure))
		return TRI_FALSE; /* inverted or not */
	own = g.path ? g.path : g.id ? nv_cgroup_path(r->arena, r->t->nv, g.id) : NULL;
	*why = g.why ? g.why : why_missing(r);
	t = own ? is_below(own, path, why) : TRI_UNKNOWN;
	if (invert)
		t = tri_not(t);
	if (sure || t != TRI_TRUE)
		return t;
	*why = "it is not known whether a connected socket was found for the packet";
	return TRI_UNKNOWN;
}

enum tri cgroup_match(struct run *r, const struct xt_ext *x, const char **why)
{
	const struct xt_cgroup_info_v1 *v1 = x->data;
	const struct xt_cgroup_info_v2 *v2 = x->data;
	const char *path = x->rev == 1 ? v1->path : v2->path;
	size_t room = x->rev == 1 ? sizeof(v1->path) : sizeof(v2->path);

	if ((x->rev != 1 && x->rev != 2) || x->size < (x->rev == 1 ? sizeof(*v1) : sizeof(*v2)) || memchr(path, '\0', room) == NULL)
		return TRI_UNKNOWN;
	return path_match(r, path, x->rev == 1 ? v1->invert_path : v2->invert_path, why);
}
