/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recover - what the rules of one store and family say about the settings they were made for */
#include "nsutil/istio/recover.h"

#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/layout.h"

struct lines {
	struct istio_words *at;
	unsigned n;
};

struct finder {
	struct arena *a;
	const struct istio_view *v;
	struct istio_found *f;
	bool failed;
};

static bool is(const char *text, const char *want)
{
	return text && strcmp(text, want) == 0;
}

static void native_name(char to[40], const char *chain)
{
	size_t i = 0;

	for (; chain[i] && i < 39; i++)
		to[i] = chain[i] == '_' ? '-' : (char)(chain[i] | 0x20);
	to[i] = '\0';
	if (strcmp(to, "istio-prert") == 0)
		strcpy(to, "istio-prerouting");
}

const struct chain *istio_view_chain(const struct istio_view *v, const char *table, const char *chain)
{
	const struct table *t;
	char name[64], native[40];

	if (v->store != STORE_NATIVE) {
		t = ruleset_find_table(v->rs, v->store, v->family, table);
		return t ? table_find_chain(t, chain) : NULL;
	}
	snprintf(name, sizeof(name), "istio-%s-%s", v->ambient ? "ambient" : "proxy", table);
	native_name(native, chain);
	t = ruleset_find_table(v->rs, STORE_NATIVE, NFPROTO_INET, name);
	return t ? table_find_chain(t, native) : NULL;
}

/* The rules of a chain that apply to the family. */
static struct lines read_lines(struct finder *f, const char *table, const char *chain)
{
	const struct chain *c = istio_view_chain(f->v, table, chain);
	struct lines l = { .at = arena_array(f->a, c ? c->n_rules + 1 : 1, sizeof(*l.at)) };

	if (!l.at) {
		f->failed = true;
		return l;
	}
	for (const struct rule *r = c ? c->rules : NULL; r; r = r->next) {
		if (istio_words(f->a, r, &l.at[l.n]) < 0) {
			f->failed = true;
			break;
		}
		l.at[l.n].handle = r->handle;
		f->f->counters |= l.at[l.n].counter;
		f->f->own_family |= l.at[l.n].family == f->v->family;
		l.n += l.at[l.n].family == NFPROTO_UNSPEC || l.at[l.n].family == f->v->family;
	}
	return l;
}

static void push(struct finder *f, struct istio_list *l, const char *item)
{
	f->failed |= istio_list_add(f->a, l, item) < 0;
}

static bool holds(const struct istio_list *l, const char *item)
{
	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(l->items[i], item) == 0)
			return true;
	return false;
}

/* "-p PROTO --dport PORT -j TARGET" and nothing else; PORT may be absent. */
static bool is_port(const struct istio_words *w, const char *proto, const char *target)
{
	return !w->other && is(w->proto, proto) && is(w->target, target) && !w->negated &&
	       w->conditions == 1 + (w->dport != NULL);
}

/* Ports of nat or mangle ISTIO_INBOUND. */
static void inbound_ports(struct finder *f, const struct lines *l, const char *capture)
{
	for (unsigned i = 0; i < l->n; i++) {
		const struct istio_words *w = &l->at[i];

		if (is_port(w, "tcp", capture) && !w->dport) {
			f->f->inbound_all = true;
			return;
		}
		if (is_port(w, "tcp", capture))
			push(f, &f->f->ports_in, w->dport);
		else if (is_port(w, "tcp", "RETURN") && w->dport)
			push(f, &f->f->ports_in_exclude, w->dport);
	}
}

static bool jumps(const struct lines *l, const char *chain)
{
	for (unsigned i = 0; i < l->n; i++)
		if (is(l->at[i].target, chain))
			return true;
	return false;
}

/* By the chains of mangle; when all of them are empty, and nat captures, somebody has left an orphan there. */
static bool is_tproxy(struct finder *f, const struct lines *nat)
{
	static const char *const chains[] = { "ISTIO_TPROXY", "ISTIO_DIVERT", "ISTIO_INBOUND" };
	bool there = false, rules = false;

	for (unsigned i = 0; i < ARRAY_SIZE(chains); i++) {
		const struct chain *c = istio_view_chain(f->v, "mangle", chains[i]);

		there |= c != NULL;
		rules |= c && c->rules;
	}
	return there && (rules || !jumps(nat, "ISTIO_IN_REDIRECT"));
}

/* Where the tunnel's port is left alone: @nat's first such rule, unless the port is known from others; nat->n: nowhere. */
static unsigned tunnel_at(const struct lines *nat, const char *known)
{
	unsigned first = nat->n;

	for (unsigned i = 0; i < nat->n; i++) {
		if (!is_port(&nat->at[i], "tcp", "RETURN") || !nat->at[i].dport)
			continue;
		if (is(nat->at[i].dport, known ? known : "15008"))
			return i;
		if (first == nat->n)
			first = i;
	}
	return known ? nat->n : first;
}

static void find_inbound(struct finder *f)
{
	struct lines nat = read_lines(f, "nat", "ISTIO_INBOUND"), in = nat, pre;
	struct istio_found *to = f->f;
	unsigned at = tunnel_at(&nat, to->tunnel_port);

	to->tproxy = is_tproxy(f, &nat);
	if (at < nat.n) { /* what stands in front of it is none of Istio's */
		to->tunnel_port = nat.at[at].dport;
		in.at += at + 1;
		in.n -= at + 1;
	}
	if (to->tproxy)
		in = read_lines(f, "mangle", "ISTIO_INBOUND");
	inbound_ports(f, &in, to->tproxy ? "ISTIO_TPROXY" : "ISTIO_IN_REDIRECT");
	pre = read_lines(f, to->tproxy ? "mangle" : "nat", "PREROUTING");
	to->inbound = jumps(&pre, "ISTIO_INBOUND") || to->inbound_all || to->ports_in.n;
	to->inbound_odd = to->ports_in_exclude.n && !to->inbound_all;
}

static void find_redirects(struct finder *f)
{
	static const struct {
		const char *table, *chain, *target;
		size_t offset;
	} rules[] = {
		{ "nat", "ISTIO_REDIRECT", "REDIRECT", offsetof(struct istio_found, proxy_port) },
		{ "nat", "ISTIO_IN_REDIRECT", "REDIRECT", offsetof(struct istio_found, capture_port) },
		{ "mangle", "ISTIO_TPROXY", "TPROXY", offsetof(struct istio_found, capture_port) },
		{ "mangle", "ISTIO_DIVERT", "MARK", offsetof(struct istio_found, mark) },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
		struct lines l = read_lines(f, rules[i].table, rules[i].chain);
		const char **to = (const char **)((char *)f->f + rules[i].offset);

		/* 1.8 to 1.10 sent DNS on from ISTIO_REDIRECT as well. */
		for (unsigned k = 0; k < l.n && !*to; k++)
			if (is(l.at[k].target, rules[i].target) && !l.at[k].dport)
				*to = l.at[k].to;
	}
	if (f->f->capture_port && is(f->f->proxy_port, f->f->capture_port)) /* one of them is wrong, and it is known which */
		f->f->capture_port = NULL;
}

/* The mark stands in several rules of TPROXY: also where nothing inbound is captured. */
static void find_mark(struct finder *f)
{
	static const char *const chains[] = { "PREROUTING", "OUTPUT", "ISTIO_INBOUND" };

	for (unsigned i = 0; i < ARRAY_SIZE(chains) && !f->f->mark; i++) {
		struct lines l = read_lines(f, "mangle", chains[i]);

		for (unsigned k = 0; k < l.n && !f->f->mark; k++) {
			const struct istio_words *w = &l.at[k];

			if (is(w->proto, "tcp") && w->mark && !w->negated && !w->other &&
			    (is(w->target, "CONNMARK") || is(w->target, "RETURN")))
				f->f->mark = w->mark;
		}
	}
	if (f->f->mark && !f->f->ambient)
		f->f->tproxy |= istio_view_chain(f->v, "mangle", "ISTIO_INBOUND") != NULL;
}

static void find_invalid(struct finder *f)
{
	struct lines l = read_lines(f, "mangle", "PREROUTING");

	for (unsigned i = 0; i < l.n; i++) {
		const struct istio_words *w = &l.at[i];
		bool invalid = w->state && strcasecmp(w->state, "INVALID") == 0 && !w->other &&
			       w->conditions == 1 + (w->proto != NULL);

		f->f->drop_invalid |= invalid && is(w->target, "ISTIO_DROP");
		f->f->drop_plain |= invalid && is(w->target, "DROP") && f->v->store != STORE_NATIVE;
	}
	f->f->drop_invalid |= istio_view_chain(f->v, "mangle", "ISTIO_DROP") != NULL;
}

/* "-i NIC -j RETURN", alone. */
static bool is_nic(const struct istio_words *w, const char *nic, bool out)
{
	return !w->other && w->conditions == 1 && !w->negated && is(w->target, "RETURN") && (out ? w->out : w->in) &&
	       (!nic || strcmp(out ? w->out : w->in, nic) == 0);
}

static unsigned jump_at(const struct lines *l, const char *chain)
{
	for (unsigned i = 0; i < l->n; i++)
		if (is(l->at[i].target, chain))
			return i;
	return l->n;
}

static bool has_nic(const struct lines *l, unsigned from, unsigned to, const char *nic, bool out, unsigned *ret)
{
	for (unsigned i = from; i < to; i++)
		if (is_nic(&l->at[i], nic, out)) {
			*ret = i + 1;
			return true;
		}
	return false;
}

struct span {
	uint64_t first, last; /* 0: there are no handles */
};

/* nftables numbers what is made: Istio's chains first, then its rules; the interfaces' are among them. */
static struct span handles(struct finder *f)
{
	const struct table *t = f->v->store == STORE_COMPAT ? ruleset_find_table(f->v->rs, STORE_COMPAT, f->v->family, "nat") : NULL;
	struct span s = { 0, 0 };

	for (const struct chain *c = t ? t->chains : NULL; c; c = c->next) {
		if (!istio_owns_chain(c->name))
			continue;
		if (!s.first || c->handle < s.first)
			s.first = c->handle;
		for (const struct rule *r = c->rules; r; r = r->next)
			if (r->handle > s.last)
				s.last = r->handle;
	}
	return s;
}

static bool inside(const struct span *s, const struct istio_words *w)
{
	return s->first && w->handle > s->first && w->handle < s->last;
}

/* Blanks around the name do no harm in the text. */
static bool is_known(const struct istio_list *l, const char *nic)
{
	size_t n = strlen(nic);

	for (unsigned i = 0; i < l->n; i++) {
		const char *item = l->items[i] + strspn(l->items[i], " ");

		if (strncmp(item, nic, n) == 0 && item[n + strspn(item + n, " ")] == '\0')
			return true;
	}
	return false;
}

/* A second pair is somebody else's, unless both were made together with Istio's other rules. */
static bool is_second(struct finder *f, const struct lines *out, unsigned i, const struct span *span)
{
	const char *nic = out->at[i].out;

	if (!holds(&f->f->nics_exclude, nic))
		return false;
	for (unsigned k = 0; k <= i; k++)
		if (is_nic(&out->at[k], nic, true) && f->v->store != STORE_NATIVE && !inside(span, &out->at[k]))
			return true;
	return false;
}

/*
 * Excluded interfaces have a rule in PREROUTING and one in OUTPUT, in the same order, and with TPROXY the same two in
 * mangle. Those of OUTPUT stand directly above the jump, unless somebody's rules have come in between: then the two
 * of mangle tell them from a foreign pair, or that they were made together with Istio's other rules, or a record.
 */
static void find_excluded(struct finder *f, const struct lines *pre)
{
	struct lines out = read_lines(f, "nat", "OUTPUT"), in_mangle = { NULL, 0 }, out_mangle = { NULL, 0 };
	unsigned end = jump_at(&out, "ISTIO_OUTPUT"), start = end, last = jump_at(pre, "ISTIO_INBOUND"), from = 0, at;
	struct span span = handles(f);
	bool native = f->v->store == STORE_NATIVE, tproxy = f->f->tproxy;

	if (tproxy) {
		in_mangle = read_lines(f, "mangle", "PREROUTING");
		out_mangle = read_lines(f, "mangle", "OUTPUT");
	}
	while (start > 0 && is_nic(&out.at[start - 1], NULL, true))
		start--;
	for (unsigned i = 0; i < end; i++) {
		const char *nic = out.at[i].out;

		if (!is_nic(&out.at[i], NULL, true) || is_second(f, &out, i, &span) ||
		    (i < start && !tproxy && !native && !inside(&span, &out.at[i]) &&
		     !(f->v->known && is_known(&f->v->known->excluded, nic))) ||
		    (tproxy && (!has_nic(&in_mangle, 0, in_mangle.n, nic, false, &at) ||
				!has_nic(&out_mangle, 0, out_mangle.n, nic, true, &at))) ||
		    !has_nic(pre, from, last, nic, false, &at))
			continue;
		from = at;
		push(f, &f->f->nics_exclude, nic);
	}
}

/*
 * Where nothing outbound is captured, a virtual interface has a single rule, which may be anybody's: then it must be
 * one that was made together with Istio's others, at the top of them, or a record must name it.
 */
static bool is_lone_virtual(struct finder *f, const struct istio_words *w, const struct span *span, bool top)
{
	if (!is_nic(w, NULL, false) || holds(&f->f->nics_exclude, w->in))
		return false;
	return (f->v->known && is_known(&f->v->known->virtual_nics, w->in)) ||
	       (top && (f->v->store == STORE_NATIVE || inside(span, w)));
}

static unsigned top_end(struct finder *f, const struct lines *pre)
{
	unsigned i = 0, jump = jump_at(pre, "ISTIO_INBOUND");

	while (i < jump && !(is_nic(&pre->at[i], NULL, false) && holds(&f->f->nics_exclude, pre->at[i].in)))
		i++;
	return i;
}

/* Each insert went to the top: the last one configured stands first. */
static void find_virtual(struct finder *f, const struct lines *pre)
{
	struct istio_list found = { 0 };
	struct span span = handles(f);
	unsigned top = top_end(f, pre);

	for (unsigned i = 0; i < pre->n; i++) {
		const struct istio_words *w = &pre->at[i];
		bool leads = is(w->target, "ISTIO_REDIRECT") && w->in && !w->negated && !w->other;

		if (leads && !holds(&found, w->in))
			push(f, &found, w->in);
	}
	/* the order is that of the RETURN rules, which are one for each */
	for (unsigned i = pre->n; i-- > 0;)
		if (is_nic(&pre->at[i], NULL, false) && !holds(&f->f->nics_virtual, pre->at[i].in) &&
		    (holds(&found, pre->at[i].in) || is_lone_virtual(f, &pre->at[i], &span, i < top)))
			push(f, &f->f->nics_virtual, pre->at[i].in);
	for (unsigned i = found.n; i-- > 0;)
		if (!holds(&f->f->nics_virtual, found.items[i]))
			push(f, &f->f->nics_virtual, found.items[i]);
}

static void find_nics(struct finder *f)
{
	struct lines pre = read_lines(f, "nat", "PREROUTING");

	find_excluded(f, &pre);
	find_virtual(f, &pre);
}

/* The state of reading nat ISTIO_OUTPUT from the top. */
struct output {
	bool owners, loopback, ranges; /* what was seen already */
	const char *gid;	       /* the group whose three rules are being read */
	struct istio_list uids;	       /* whose only rule so far lets all pass */
	struct istio_list tcp, udp;    /* excluded ports */
};

static bool is_owner(const struct istio_words *w)
{
	return w->uid || w->gids.n;
}

static const char *owner_loopback(const struct istio_words *w)
{
	return w->dst && (w->negated & NOT_DST) ? w->dst : NULL;
}

/* "53,15008" or "15008" */
static void tunnel_of(struct finder *f, const struct istio_words *w)
{
	const char *comma = w->dport ? strchr(w->dport, ',') : NULL;

	if (w->dport && (w->negated & NOT_DPORT) && !is(w->dport, "53"))
		f->f->tunnel_port = comma && strncmp(w->dport, "53,", 3) == 0 ? comma + 1 : w->dport;
}

/* One of the rules of the proxy's ids over loopback. */
static void loopback_owner(struct finder *f, const struct istio_words *w, struct output *s)
{
	bool own = is(w->target, "ISTIO_IN_REDIRECT");

	s->owners = true;
	if (own && !f->f->loopback)
		f->f->loopback = owner_loopback(w);
	if (own)
		tunnel_of(f, w);
	if (w->uid && !holds(&f->f->uids, w->uid))
		push(f, &f->f->uids, w->uid);
	if (w->gids.n != 1)
		return;
	if (!is(s->gid, w->gids.items[0]))
		push(f, &f->f->gids, w->gids.items[0]);
	s->gid = w->gids.items[0];
}

/* "-m owner ... -j RETURN" on all interfaces: the proxy's own, or a group that is left alone. */
static void plain_owner(struct finder *f, const struct istio_words *w, struct output *s)
{
	bool behind = s->owners;

	s->owners = true;
	if (w->uid) {
		if (!holds(&f->f->uids, w->uid) && !holds(&s->uids, w->uid))
			push(f, &s->uids, w->uid);
		return;
	}
	if (!behind) /* in front of the proxy's own rules stands nothing about groups */
		return;
	if (w->negated & NOT_GID) {
		f->f->groups_said = true;
		for (unsigned i = 0; i < w->gids.n; i++)
			push(f, &f->f->groups, w->gids.items[i]);
	} else if (is(s->gid, w->gids.items[0])) {
		s->gid = NULL;
	} else {
		push(f, &f->f->groups_not, w->gids.items[0]);
	}
}

static void output_return(struct finder *f, const struct istio_words *w, struct output *s)
{
	struct istio_found *to = f->f;
	bool loop = w->dst && (strncmp(w->dst, "127.", 4) == 0 || is(w->dst, "::1/128"));

	if (w->conditions == 0) {
		if (s->ranges)
			to->trailing_return = true;
		else if (s->loopback)
			push(f, &to->exclude, f->v->family == NFPROTO_IPV6 ? "::/0" : "0.0.0.0/0");
		else if (s->owners)
			to->groups_said = true;
	} else if (w->dst && w->conditions == 1 && !w->negated) {
		if (!s->loopback && loop && !to->loopback)
			to->loopback = w->dst;
		else if ((s->loopback || !loop) && s->owners && !s->ranges)
			push(f, &to->exclude, w->dst);
		s->loopback |= loop;
	} else if (!s->owners && (is_port(w, "tcp", "RETURN") || is_port(w, "udp", "RETURN")) && w->dport) {
		push(f, is(w->proto, "udp") ? &s->udp : &s->tcp, w->dport);
	}
}

/* The same port of both protocols since 1.25, where the jump has no protocol; one alone is somebody's, but for the
 * port that the CNI plugin excludes anyway. */
static void take_ports(struct finder *f, const struct output *s)
{
	for (unsigned i = 0; i < s->tcp.n; i++)
		if (!f->f->jump_any || holds(&s->udp, s->tcp.items[i]) || is(s->tcp.items[i], "15020"))
			push(f, &f->f->ports_out_exclude, s->tcp.items[i]);
	if (f->f->jump_any && holds(&s->udp, "15020") && !holds(&s->tcp, "15020"))
		push(f, &f->f->ports_out_exclude, "15020");
}

static void output_capture(struct finder *f, const struct istio_words *w, struct output *s)
{
	struct istio_found *to = f->f;

	if (is_port(w, "tcp", "ISTIO_REDIRECT") && w->dport) {
		push(f, &to->ports_out, w->dport);
	} else if (w->conditions == 0) {
		to->star = to->outbound = s->ranges = true;
	} else if (w->dst && w->conditions == 1 && !w->negated) {
		push(f, &to->include, w->dst);
		to->outbound = s->ranges = true;
	}
}

static void find_outbound(struct finder *f)
{
	struct lines l = read_lines(f, "nat", "ISTIO_OUTPUT"), out = read_lines(f, "nat", "OUTPUT");
	struct output s = { 0 };

	for (unsigned i = 0; i < l.n; i++) {
		const struct istio_words *w = &l.at[i];

		if (w->other)
			continue;
		if (is_owner(w) && is(w->out, "lo"))
			loopback_owner(f, w, &s);
		else if (is_owner(w) && is(w->target, "RETURN") && w->conditions == w->gids.n + (w->uid != NULL))
			plain_owner(f, w, &s);
		else if (is(w->out, "lo") && w->src)
			s.owners = true; /* what stands below is no excluded port */
		else if (is(w->target, "RETURN"))
			output_return(f, w, &s);
		else if (is(w->target, "ISTIO_REDIRECT"))
			output_capture(f, w, &s);
	}
	for (unsigned i = 0; i < s.uids.n && !f->f->uids.n; i++)
		push(f, &f->f->uids, s.uids.items[i]);
	for (unsigned i = 0; i < out.n; i++)
		f->f->jump_any |= is(out.at[i].target, "ISTIO_OUTPUT") && !out.at[i].conditions;
	take_ports(f, &s);
}

/* DNS has rules in chains of its own since 1.25, in ISTIO_OUTPUT since 1.23, in OUTPUT before. */
static void find_dns(struct finder *f)
{
	static const char *const chains[] = { "ISTIO_OUTPUT_DNS", "ISTIO_OUTPUT", "OUTPUT" };
	static const char *const protos[] = { "tcp", "udp" };
	struct istio_found *to = f->f;

	for (unsigned p = 0; p < ARRAY_SIZE(protos); p++)
		for (unsigned i = 0; i < ARRAY_SIZE(chains); i++) {
			struct lines l = read_lines(f, "nat", chains[i]);

			for (unsigned k = 0; k < l.n; k++) {
				const struct istio_words *w = &l.at[k];

				if (!is(w->target, "REDIRECT") || !is(w->to, "15053") || !is(w->proto, protos[p]) || w->other)
					continue;
				to->dns = true;
				to->dns_all |= !w->dst;
				if (w->dst && !holds(&to->servers, w->dst))
					push(f, &to->servers, w->dst);
			}
		}
	for (unsigned i = 0; i < ARRAY_SIZE(chains); i++) {
		struct lines l = read_lines(f, "raw", chains[i]);

		for (unsigned k = 0; k < l.n; k++)
			to->dns |= is(l.at[k].target, "CT") && is(l.at[k].sport, "15053");
	}
}

/* Ambient has the same chain names in part, and other settings. */
static void find_ambient(struct finder *f)
{
	struct lines pre = read_lines(f, "nat", "ISTIO_PRERT"), out = read_lines(f, "nat", "ISTIO_OUTPUT");
	struct lines mangle = read_lines(f, "mangle", "ISTIO_PRERT");
	struct istio_found *to = f->f;
	bool captured = false;

	for (unsigned i = 0; i < pre.n; i++) {
		if (is(pre.at[i].target, "REDIRECT") && pre.at[i].in)
			push(f, &to->nics_virtual, pre.at[i].in);
		captured |= is(pre.at[i].target, "REDIRECT") && is(pre.at[i].to, "15006");
		captured |= is(pre.at[i].target, "ACCEPT") && pre.at[i].src;
	}
	for (unsigned i = 0; i < out.n; i++) {
		if (is(out.at[i].target, "ACCEPT") && out.at[i].dst && !out.at[i].negated && !to->probe)
			to->probe = arena_strndup(f->a, out.at[i].dst, strcspn(out.at[i].dst, "/"));
		to->dns |= is(out.at[i].target, "REDIRECT") && is(out.at[i].to, "15053");
	}
	to->dns_zones = istio_view_chain(f->v, "raw", "ISTIO_PRERT") != NULL;
	to->dns |= to->dns_zones;
	to->remember = jumps(&mangle, "CONNMARK");
	to->old_ambient = jumps(&mangle, "TPROXY");
	to->ingress = !captured && !to->old_ambient;
}

static void count(struct finder *f)
{
	static const char *const tables[] = { "nat", "mangle", "raw" };
	bool native = f->v->store == STORE_NATIVE;

	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++) {
		char name[64];
		const struct table *t;

		snprintf(name, sizeof(name), "istio-%s-%s", f->v->ambient ? "ambient" : "proxy", tables[i]);
		t = ruleset_find_table(f->v->rs, f->v->store, native ? NFPROTO_INET : f->v->family, native ? name : tables[i]);
		for (const struct chain *c = t ? t->chains : NULL; c; c = c->next)
			if (native || istio_owns_chain(c->name)) {
				f->f->any = true;
				f->f->rules += c->n_rules;
			}
	}
}

int istio_recover(struct arena *a, const struct istio_view *v, struct istio_found *ret)
{
	struct istio_found found = { 0 };
	struct finder f = { .a = a, .v = v, .f = &found };

	count(&f);
	found.ambient = istio_view_chain(v, "nat", "ISTIO_PRERT") || istio_view_chain(v, "mangle", "ISTIO_PRERT");
	if (found.any && found.ambient) {
		find_ambient(&f);
	} else if (found.any) {
		find_outbound(&f);
		find_inbound(&f);
		find_redirects(&f);
		find_mark(&f);
		find_invalid(&f);
		find_nics(&f);
		find_dns(&f);
	}
	if (f.failed)
		return -1;
	*ret = found;
	return 0;
}
