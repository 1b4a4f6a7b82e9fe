/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connection - the words of a trace connection <-> what is asked */
#include "nsutil/trace/connection.h"

#include <netinet/in.h> /* before linux/netfilter.h, which brings linux/in.h */

#include <ctype.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/base/near.h"

#define MAX_WORDS 64

struct words {
	struct arena *a;
	char *w[MAX_WORDS];
	unsigned n, at;
	struct trace_request *rq;
	uint64_t seen; /* keys given already, by their index */
	struct err *e;
};

static const struct {
	const char *name;
	uint8_t number;
	bool ports;
} protocols[] = {
	{ "tcp", IPPROTO_TCP, true },	    { "udp", IPPROTO_UDP, true },   { "icmp", IPPROTO_ICMP, false },
	{ "icmpv6", IPPROTO_ICMPV6, false }, { "ipv6-icmp", IPPROTO_ICMPV6, false },
	{ "sctp", IPPROTO_SCTP, true },	    { "dccp", IPPROTO_DCCP, true }, { "udplite", IPPROTO_UDPLITE, true },
	{ "gre", IPPROTO_GRE, false },	    { "esp", IPPROTO_ESP, false },  { "ah", IPPROTO_AH, false },
	{ "igmp", IPPROTO_IGMP, false },    { "mh", IPPROTO_MH, false },
};

static const char *const paths[] = { "out", "in", "forward" };

const char *connection_path(enum trace_path path)
{
	return path <= TRACE_FORWARD ? paths[path] : "?";
}

const char *connection_proto(uint8_t l4proto, char text[8])
{
	for (unsigned i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == l4proto)
			return protocols[i].name;
	snprintf(text, 8, "%u", l4proto);
	return text;
}

bool connection_has_ports(uint8_t l4proto)
{
	for (unsigned i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == l4proto)
			return protocols[i].ports;
	return false;
}

void connection_endpoint(const struct addr *a, int port, bool has_ports, struct buf *b)
{
	char text[ADDR_TEXT];

	buf_fmt(b, has_ports && a->family == AF_INET6 ? "[%s]" : "%s", addr_fmt(a, text));
	if (!has_ports)
		return;
	if (port < 0)
		buf_str(b, ":*");
	else
		buf_fmt(b, ":%d", port);
}

static const char *const ecns[] = { "not-ect", "ect1", "ect0", "ce", NULL }; /* by their number */

const char *const *connection_words(const char *key)
{
	static const char *const directions[] = { "out", "in", "forward", NULL };
	static const char *const states[] = { "new", "established", "related", "invalid", "untracked", NULL };
	static const char *const types[] = { "echo-request", "echo-reply", "destination-unreachable", "time-exceeded",
					     "parameter-problem", "redirect", "packet-too-big", NULL };
	static const char *const flags[] = { "syn", "ack", "fin", "rst", "psh", "urg", "ece", "cwr", "none", NULL };
	static const char *const frags[] = { "none", "first", "later", NULL };
	static const char *names[ARRAY_SIZE(protocols) + 1];

	if (strcmp(key, "tcp") == 0) {
		for (unsigned i = 0; i < ARRAY_SIZE(protocols); i++)
			names[i] = protocols[i].name;
		return names;
	}
	if (strcmp(key, "out") == 0)
		return directions;
	if (strcmp(key, "ctstate") == 0)
		return states;
	if (strcmp(key, "ecn") == 0)
		return ecns;
	if (strcmp(key, "frag") == 0)
		return frags;
	if (strcmp(key, "ipopt") == 0 || strcmp(key, "tcpopt") == 0 || strcmp(key, "exthdr") == 0)
		return parts_names(key[0] == 'i' ? PARTS_IPOPT : key[0] == 't' ? PARTS_TCPOPT : PARTS_EXTHDR);
	return strcmp(key, "type") == 0 ? types : strcmp(key, "flags") == 0 ? flags : NULL;
}

static int bad(struct words *ws, const char *fmt, const char *word)
{
	char why[600];

	snprintf(why, sizeof(why), fmt, word);
	return err_set(ws->e, ERR_USAGE, "trace", "%s", why);
}

/* ---- words ---- */

static int add_word(struct words *ws, const char *from, size_t n)
{
	if (!n)
		return 0;
	if (ws->n == MAX_WORDS)
		return err_set(ws->e, ERR_USAGE, "trace", "too many words for one connection");
	ws->w[ws->n] = arena_strndup(ws->a, from, n);
	return ws->w[ws->n++] ? 0 : err_oom(ws->e);
}

/* Blanks separate; "->" does also without blanks around it. */
static int split_word(struct words *ws, const char *s)
{
	while (*s) {
		const char *arrow = strstr(s, "->");
		size_t n = strcspn(s, " \t\n");

		if (arrow && (size_t)(arrow - s) <= n) {
			if (add_word(ws, s, (size_t)(arrow - s)) < 0 || add_word(ws, "->", 2) < 0)
				return -1;
			s = arrow + 2;
			continue;
		}
		if (add_word(ws, s, n) < 0)
			return -1;
		s += n;
		s += strspn(s, " \t\n");
	}
	return 0;
}

static const char *peek(const struct words *ws, unsigned ahead)
{
	return ws->at + ahead < ws->n ? ws->w[ws->at + ahead] : NULL;
}

static int parse_number(struct words *ws, const char *what, const char *text, unsigned long max, uint32_t *ret)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(text, &end, text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10);
	if (!isdigit((unsigned char)text[0]) || *end)
		return err_set(ws->e, ERR_USAGE, "trace", "%s '%s' is no number", what, text);
	if (errno || v > max)
		return err_set(ws->e, ERR_USAGE, "trace", "%s '%s' is more than %lu", what, text, max);
	*ret = (uint32_t)v;
	return 0;
}

static int parse_port(struct words *ws, const char *text, int *ret)
{
	uint32_t v;

	if (strcmp(text, "*") == 0) {
		*ret = -1;
		return 0;
	}
	for (const char *s = text; *s; s++)
		if (!isdigit((unsigned char)*s))
			return bad(ws, "port '%s' is no number (names are not looked up)", text);
	if (!*text)
		return err_set(ws->e, ERR_USAGE, "trace", "a port is missing behind ':'");
	if (parse_number(ws, "port", text, 65535, &v) < 0)
		return -1;
	*ret = (int)v;
	return 0;
}

/* ---- addresses ---- */

static bool looks_like_address(const char *s)
{
	return s && (strchr(s, '.') || strchr(s, ':') || *s == '[' || *s == '*');
}

static int parse_host(struct words *ws, const char *host, struct addr *ret)
{
	if (strcmp(host, "*") == 0) {
		*ret = (struct addr){ 0 };
		return 0;
	}
	if (addr_parse(host, ret) == 0) {
		addr_unmap(ret); /* a socket that is given ::ffff:a.b.c.d sends IPv4 (tcp_v6_connect, udpv6_sendmsg) */
		return 0;
	}
	if (strchr(host, '/'))
		return bad(ws, "'%s' is a network, a connection has one address", host);
	return bad(ws, "'%s' is no address (names are not looked up)", host);
}

/* ADDR, ADDR:PORT, [ADDR6]:PORT; a bare IPv6 address has no port, as its last part could be one */
static int parse_endpoint(struct words *ws, const char *text, struct addr *a, int *port)
{
	const char *colon = strrchr(text, ':'), *close = strchr(text, ']');
	char *host;

	if (*text == '[') {
		if (!close)
			return bad(ws, "'%s' lacks its ']'", text);
		if (close[1] && close[1] != ':')
			return bad(ws, "'%s': only ':PORT' may follow ']'", text);
		host = arena_strndup(ws->a, text, (size_t)(close - text) + 1);
		colon = close[1] ? close + 1 : NULL;
	} else if (colon && strchr(text, ':') != colon) {
		host = arena_strdup(ws->a, text);
		colon = NULL;
	} else {
		host = arena_strndup(ws->a, text, colon ? (size_t)(colon - text) : strlen(text));
	}
	if (!host)
		return err_oom(ws->e);
	if (colon && !connection_has_ports(ws->rq->l4proto))
		return bad(ws, "'%s' has a port, but the protocol has none", text);
	if (colon && parse_port(ws, colon + 1, port) < 0)
		return -1;
	return parse_host(ws, host, a);
}

static bool is_arrow(const char *w)
{
	return w && (strcmp(w, "->") == 0 || strcasecmp(w, "to") == 0);
}

/* Words are missing: what there should be */
static int too_short(struct words *ws, const char *why)
{
	err_set(ws->e, ERR_USAGE, "trace", "%s", why);
	return err_hint(ws->e, "trace [out|in|forward] PROTO [SRC[:PORT] to] DST[:PORT] ..., as 'trace tcp 10.96.0.10:80'; "
			       "'help trace' has more");
}

static int parse_endpoints(struct words *ws)
{
	struct trace_request *rq = ws->rq;
	const char *first = peek(ws, 0), *arrow = peek(ws, 1);

	if (!first)
		return too_short(ws, "the destination is missing");
	if (is_arrow(first))
		return err_set(ws->e, ERR_USAGE, "trace", "the source is missing before '->' ('*' stands for any)");
	if (arrow && strcmp(arrow, "-") == 0) {
		err_set(ws->e, ERR_USAGE, "trace", "the destination is missing behind '-'");
		return err_hint(ws->e, "your shell took the '>' of '->': quote it, or write 'to'");
	}
	if (is_arrow(arrow)) {
		if (parse_endpoint(ws, first, &rq->src, &rq->sport) < 0)
			return -1;
		ws->at += 2;
		first = peek(ws, 0);
		if (!first)
			return err_set(ws->e, ERR_USAGE, "trace", "the destination is missing behind '%s'", arrow);
	}
	if (parse_endpoint(ws, first, &rq->dst, &rq->dport) < 0)
		return -1;
	if (!rq->dst.family)
		return err_set(ws->e, ERR_USAGE, "trace", "the destination must be an address");
	ws->at++;
	return 0;
}

/* ---- keys ---- */

enum key { K_SPORT, K_DPORT, K_UID, K_GID, K_MARK, K_IIF, K_OIF, K_CTSTATE, K_CTMARK, K_TYPE, K_DSCP, K_TTL,
	   K_LENGTH, K_FLAGS, K_CGROUP, K_PRIORITY, K_ID, K_MSS, K_ECN, K_SPI, K_FRAG, K_FRAGID, K_IPOPT, K_EXTHDR,
	   K_TCPOPT, K_SMAC, K_DMAC, K_CGROUPV2, K_COUNT };

const char *const connection_keys[] = {
	[K_SPORT] = "sport", [K_DPORT] = "dport", [K_UID] = "uid", [K_GID] = "gid", [K_MARK] = "mark",
	[K_IIF] = "iif", [K_OIF] = "oif", [K_CTSTATE] = "ctstate", [K_CTMARK] = "ctmark", [K_TYPE] = "type",
	[K_DSCP] = "dscp", [K_TTL] = "ttl", [K_LENGTH] = "length", [K_FLAGS] = "flags", [K_CGROUP] = "cgroup",
	[K_PRIORITY] = "priority", [K_ID] = "id", [K_MSS] = "mss", [K_ECN] = "ecn",
	[K_SPI] = "spi", [K_FRAG] = "frag", [K_FRAGID] = "fragid", [K_IPOPT] = "ipopt", [K_EXTHDR] = "exthdr",
	[K_TCPOPT] = "tcpopt", [K_SMAC] = "smac", [K_DMAC] = "dmac", [K_CGROUPV2] = "cgroupv2",
	[K_COUNT] = NULL,
};

static int parse_state(struct words *ws, const char *v)
{
	static const struct { const char *name; uint32_t bit; } states[] = {
		{ "new", TRACE_CT_NEW }, { "established", TRACE_CT_ESTABLISHED }, { "related", TRACE_CT_RELATED },
		{ "invalid", TRACE_CT_INVALID }, { "untracked", TRACE_CT_UNTRACKED },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(states); i++)
		if (strcasecmp(states[i].name, v) == 0) {
			ws->rq->ct_state = states[i].bit;
			return 0;
		}
	return bad(ws, "ctstate '%s' is none of new, established, related, invalid, untracked", v);
}

static int parse_icmp_type(struct words *ws, const char *v)
{
	static const struct { const char *name; uint8_t v4, v6; } names[] = {
		{ "echo-request", 8, 128 }, { "echo-reply", 0, 129 }, { "destination-unreachable", 3, 1 },
		{ "time-exceeded", 11, 3 }, { "parameter-problem", 12, 4 }, { "redirect", 5, 137 },
		{ "packet-too-big", 3, 2 }, { "router-solicitation", 10, 133 }, { "router-advertisement", 9, 134 },
		{ "neighbour-solicitation", 0, 135 }, { "neighbour-advertisement", 0, 136 },
	};
	bool v6 = ws->rq->l4proto == IPPROTO_ICMPV6, mh = ws->rq->l4proto == IPPROTO_MH;
	const char *slash = mh ? NULL : strchr(v, '/');
	uint32_t n;

	if (!v6 && !mh && ws->rq->l4proto != IPPROTO_ICMP)
		return bad(ws, "type '%s' is for icmp, icmpv6 and mh", v);
	for (unsigned i = 0; !mh && i < ARRAY_SIZE(names); i++)
		if (strcasecmp(names[i].name, v) == 0) {
			ws->rq->icmp_type = v6 ? names[i].v6 : names[i].v4;
			return 0;
		}
	if (slash) {
		if (parse_number(ws, "code", slash + 1, 255, &n) < 0)
			return -1;
		ws->rq->icmp_code = (int)n;
		v = arena_strndup(ws->a, v, (size_t)(slash - v));
		if (!v)
			return err_oom(ws->e);
	}
	if (parse_number(ws, "type", v, 255, &n) < 0)
		return -1;
	ws->rq->icmp_type = (int)n;
	return 0;
}

static int parse_flags(struct words *ws, const char *v)
{
	static const char *const names[] = { "fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr" };
	int flags = 0;

	if (ws->rq->l4proto != IPPROTO_TCP)
		return bad(ws, "flags '%s' are for tcp", v);
	while (*v && strcmp(v, "none") != 0) {
		size_t n = strcspn(v, ",");
		unsigned i = 0;

		while (i < 8 && (strlen(names[i]) != n || strncasecmp(names[i], v, n) != 0))
			i++;
		if (i == 8)
			return bad(ws, "flags '%s': a list of fin, syn, rst, psh, ack, urg, ece, cwr, or none", v);
		flags |= 1 << i;
		v += n;
		v += *v == ',';
	}
	ws->rq->tcp_flags = flags;
	return 0;
}

static int parse_interface(struct words *ws, const char *v, const char **ret)
{
	if (strlen(v) >= IFNAMSIZ)
		return bad(ws, "'%s' is too long for an interface's name", v);
	*ret = v;
	return 0;
}

static int parse_int(struct words *ws, enum key k, const char *v, unsigned long max, int *ret)
{
	uint32_t n;

	if (parse_number(ws, connection_keys[k], v, max, &n) < 0)
		return -1;
	*ret = (int)n;
	return 0;
}

static int parse_u32(struct words *ws, enum key k, const char *v, bool *has, uint32_t *ret)
{
	*has = true;
	return parse_number(ws, connection_keys[k], v, UINT32_MAX, ret);
}

static int parse_port_key(struct words *ws, const char *v, int *port)
{
	if (!connection_has_ports(ws->rq->l4proto))
		return bad(ws, "port '%s' given, but the protocol has none", v);
	if (*port >= 0)
		return bad(ws, "port '%s' given, but the address has one already", v);
	return parse_port(ws, v, port);
}

static int parse_id(struct words *ws, const char *v)
{
	if (ws->rq->l4proto != IPPROTO_ICMP && ws->rq->l4proto != IPPROTO_ICMPV6)
		return bad(ws, "id '%s' is for icmp and icmpv6", v);
	return parse_int(ws, K_ID, v, UINT16_MAX, &ws->rq->icmp_id);
}

static int parse_mss(struct words *ws, const char *v)
{
	if (ws->rq->l4proto != IPPROTO_TCP)
		return bad(ws, "mss '%s' is for tcp", v);
	return parse_int(ws, K_MSS, v, UINT16_MAX, &ws->rq->mss);
}

static int parse_ecn(struct words *ws, const char *v)
{
	for (int i = 0; ecns[i]; i++)
		if (strcasecmp(ecns[i], v) == 0) {
			ws->rq->ecn = i;
			return 0;
		}
	return parse_int(ws, K_ECN, v, 3, &ws->rq->ecn);
}

static int parse_spi(struct words *ws, const char *v)
{
	if (ws->rq->l4proto != IPPROTO_AH && ws->rq->l4proto != IPPROTO_ESP)
		return bad(ws, "spi '%s' is for ah and esp", v);
	return parse_u32(ws, K_SPI, v, &ws->rq->has_spi, &ws->rq->spi);
}

static int parse_frag(struct words *ws, const char *v)
{
	return frag_parse(v, &ws->rq->parts) == 0 ? 0
	       : bad(ws, "frag '%s' is none of none, first, later, OFFSET, OFFSET+ (in units of eight bytes, up to 8191; +: more follow)", v);
}

static int parse_parts(struct words *ws, enum key k, const char *v)
{
	struct header_parts *h = &ws->rq->parts;
	const struct parts **to = k == K_IPOPT ? &h->ipopt : k == K_TCPOPT ? &h->tcpopt : &h->exthdr;
	const char *why;

	if (k == K_TCPOPT && ws->rq->l4proto != IPPROTO_TCP)
		return bad(ws, "tcpopt '%s' is for tcp", v);
	if (parts_parse(ws->a, k == K_IPOPT ? PARTS_IPOPT : k == K_TCPOPT ? PARTS_TCPOPT : PARTS_EXTHDR, v, to, &why) == 0)
		return 0;
	return why ? err_set(ws->e, ERR_USAGE, "trace", "%s: %s", connection_keys[k], why) : err_oom(ws->e);
}

static int parse_mac(struct words *ws, enum key k, const char *v, bool *has, uint8_t mac[6])
{
	uint8_t b[6];
	int end = 0;

	if (sscanf(v, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &end) != 6 || v[end] ||
	    v[strspn(v, "0123456789abcdefABCDEF:")])
		return bad(ws, k == K_SMAC ? "smac '%s' is no hardware address, as 02:00:00:00:00:01"
					   : "dmac '%s' is no hardware address, as 02:00:00:00:00:01", v);
	*has = true;
	memcpy(mac, b, sizeof(b));
	return 0;
}

/* As /proc/PID/cgroup has it behind "0::"; one that is seen from inside a cgroup namespace may begin with "/.." there. */
static int parse_cgroup(struct words *ws, const char *v)
{
	for (const char *at = v; *at == '/'; at += 1 + strcspn(at + 1, "/")) {
		size_t n = strcspn(at + 1, "/");

		if ((n == 1 && at[1] == '.') || (n == 2 && at[1] == '.' && at[2] == '.'))
			return bad(ws, "cgroupv2 '%s': neither '.' nor '..' may be part of it", v);
	}
	if (*v != '/')
		return bad(ws, "cgroupv2 '%s' does not begin with '/', the root of the control groups", v);
	ws->rq->cgroup_path = v;
	return 0;
}

static int parse_value(struct words *ws, enum key k, const char *v)
{
	struct trace_request *rq = ws->rq;

	switch (k) {
	case K_SPORT: return parse_port_key(ws, v, &rq->sport);
	case K_DPORT: return parse_port_key(ws, v, &rq->dport);
	case K_UID: return parse_u32(ws, k, v, &rq->has_uid, &rq->uid);
	case K_GID: return parse_u32(ws, k, v, &rq->has_gid, &rq->gid);
	case K_MARK: return parse_u32(ws, k, v, &rq->has_mark, &rq->mark);
	case K_CTMARK: return parse_u32(ws, k, v, &rq->has_ct_mark, &rq->ct_mark);
	case K_CGROUP: return parse_u32(ws, k, v, &rq->has_cgroup, &rq->cgroup);
	case K_PRIORITY: return parse_u32(ws, k, v, &rq->has_priority, &rq->priority);
	case K_IIF: return parse_interface(ws, v, &rq->iif);
	case K_OIF: return parse_interface(ws, v, &rq->oif);
	case K_CTSTATE: return parse_state(ws, v);
	case K_TYPE: return parse_icmp_type(ws, v);
	case K_DSCP: return parse_int(ws, k, v, 63, &rq->dscp);
	case K_TTL: return parse_int(ws, k, v, 255, &rq->ttl);
	case K_LENGTH: return parse_int(ws, k, v, 65535, &rq->length);
	case K_FLAGS: return parse_flags(ws, v);
	case K_ID: return parse_id(ws, v);
	case K_MSS: return parse_mss(ws, v);
	case K_ECN: return parse_ecn(ws, v);
	case K_SPI: return parse_spi(ws, v);
	case K_FRAG: return parse_frag(ws, v);
	case K_FRAGID: return parse_u32(ws, k, v, &rq->parts.has_id, &rq->parts.id);
	case K_IPOPT:
	case K_EXTHDR:
	case K_TCPOPT: return parse_parts(ws, k, v);
	case K_SMAC: return parse_mac(ws, k, v, &rq->has_smac, rq->smac);
	case K_DMAC: return parse_mac(ws, k, v, &rq->has_dmac, rq->dmac);
	case K_CGROUPV2: return parse_cgroup(ws, v);
	case K_COUNT: break;
	}
	return -1;
}

static int parse_keys(struct words *ws)
{
	const char *word;

	while ((word = peek(ws, 0))) {
		const char *value = peek(ws, 1);
		unsigned k = 0;

		while (k < K_COUNT && strcasecmp(connection_keys[k], word) != 0)
			k++;
		if (k == K_COUNT) {
			bad(ws, "'%s' is not understood here", word);
			if (word[strspn(word, "0123456789")] == '\0')
				return err_hint(ws->e, "a port stands behind its address: ADDRESS:%s", word);
			if (near_word(connection_keys, word))
				return err_hint(ws->e, "did you mean '%s'?", near_word(connection_keys, word));
			return err_hint(ws->e, "behind the destination: sport, dport, uid, gid, mark, iif, oif, "
					       "ctstate, ctmark, type, id, dscp, ecn, ttl, length, flags, mss, tcpopt, spi, "
					       "frag, fragid, ipopt, exthdr, smac, dmac, cgroup, cgroupv2, priority");
		}
		if (ws->seen & 1u << k)
			return bad(ws, "'%s' is given twice", word);
		ws->seen |= 1u << k;
		if (!value)
			return bad(ws, "'%s' lacks its value", word);
		if (parse_value(ws, (enum key)k, value) < 0)
			return -1;
		ws->at += 2;
	}
	return 0;
}

/* ---- the whole ---- */

static int parse_path(struct words *ws)
{
	const char *word = peek(ws, 0);

	if (!word)
		return too_short(ws, "no connection given");
	for (unsigned i = 0; i < ARRAY_SIZE(paths); i++)
		if (strcasecmp(paths[i], word) == 0) {
			ws->rq->path = (enum trace_path)i;
			ws->at++;
		}
	return 0;
}

static int parse_proto(struct words *ws)
{
	const char *word = peek(ws, 0);
	uint32_t n;

	if (!word)
		return err_set(ws->e, ERR_USAGE, "trace", "the protocol is missing (tcp, udp, icmp, icmpv6 ...)");
	ws->at++;
	for (unsigned i = 0; i < ARRAY_SIZE(protocols); i++)
		if (strcasecmp(protocols[i].name, word) == 0) {
			ws->rq->l4proto = protocols[i].number;
			return 0;
		}
	if (!isdigit((unsigned char)word[0]) || looks_like_address(word)) {
		bad(ws, "'%s' is no protocol", word);
		if (near_word(connection_words("out"), word) && !looks_like_address(word) && ws->at == 1)
			return err_hint(ws->e, "did you mean '%s'?", near_word(connection_words("out"), word));
		if (near_word(connection_words("tcp"), word) && !looks_like_address(word))
			return err_hint(ws->e, "did you mean '%s'?", near_word(connection_words("tcp"), word));
		return err_hint(ws->e, "trace [out|in|forward] PROTO [SRC[:PORT] to] DST[:PORT] ...; "
				       "PROTO is tcp, udp, icmp, icmpv6, sctp ... or a number");
	}
	if (parse_number(ws, "protocol", word, 255, &n) < 0)
		return -1;
	ws->rq->l4proto = (uint8_t)n;
	return 0;
}

/* "icmp echo-request 10.0.0.1", "icmp 8/0 10.0.0.1" */
static int parse_leading_type(struct words *ws)
{
	const char *word = peek(ws, 0);
	uint8_t p = ws->rq->l4proto;

	if ((p != IPPROTO_ICMP && p != IPPROTO_ICMPV6) || !word || looks_like_address(word) || is_arrow(word))
		return 0;
	ws->at++;
	ws->seen |= 1u << K_TYPE;
	return parse_icmp_type(ws, word);
}

static int check_families(struct words *ws)
{
	struct trace_request *rq = ws->rq;

	rq->family = rq->dst.family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	if (rq->src.family && rq->src.family != rq->dst.family)
		return err_set(ws->e, ERR_USAGE, "trace", "source and destination are of different families");
	if (rq->l4proto == IPPROTO_ICMP && rq->family == NFPROTO_IPV6)
		return err_set(ws->e, ERR_USAGE, "trace", "icmp is for IPv4; for an IPv6 address say icmpv6");
	if (rq->l4proto == IPPROTO_ICMPV6 && rq->family == NFPROTO_IPV4)
		return err_set(ws->e, ERR_USAGE, "trace", "icmpv6 is for IPv6; for an IPv4 address say icmp");
	return 0;
}

/* A later fragment's headers end at the one that says so. */
static bool ends_at_fragment(const struct parts *p)
{
	return !p || !parts_find(p, IPPROTO_FRAGMENT) || p->part[p->n - 1].type == IPPROTO_FRAGMENT;
}

static int check_parts(struct words *ws)
{
	const struct trace_request *rq = ws->rq;
	const struct header_parts *h = &rq->parts;
	bool v6 = rq->family == NFPROTO_IPV6, is = h->frag == FRAG_IS;
	unsigned fragments = 0;

	if (rq->mss >= 0 && h->tcpopt)
		return err_set(ws->e, ERR_USAGE, "trace", "'tcpopt' says all options: say maxseg=%d there instead of 'mss'", rq->mss);
	for (unsigned i = 0; h->exthdr && i < h->exthdr->n; i++)
		fragments += h->exthdr->part[i].type == IPPROTO_FRAGMENT;
	if (v6 ? h->ipopt != NULL : h->exthdr != NULL)
		return err_set(ws->e, ERR_USAGE, "trace", v6 ? "ipopt is for IPv4; IPv6 has exthdr" : "exthdr is for IPv6; IPv4 has ipopt");
	if (h->has_id && (v6 ? !is : h->id > UINT16_MAX))
		return err_set(ws->e, ERR_USAGE, "trace", v6 ? "'fragid' needs 'frag': what is no fragment has none in IPv6"
							     : "'fragid' is more than 65535");
	if (fragments > 1 || (fragments && !is))
		return err_set(ws->e, ERR_USAGE, "trace", fragments > 1 ? "exthdr: there is one fragment header at most"
									: "exthdr: 'frag' says where it stands, and needs the word 'frag' for which");
	if (is && h->offset && !ends_at_fragment(h->exthdr))
		return err_set(ws->e, ERR_USAGE, "trace", "exthdr: nothing but data is behind the fragment header of a later fragment");
	if (h->exthdr && h->exthdr->n + (is && !fragments) > PARTS_HEADERS_MOST)
		return err_set(ws->e, ERR_USAGE, "trace", "exthdr: more than %d headers", PARTS_HEADERS_MOST);
	return 0;
}

static int check_path(struct words *ws)
{
	const struct trace_request *rq = ws->rq;

	if (rq->path == TRACE_OUT && rq->iif)
		return err_set(ws->e, ERR_USAGE, "trace", "'iif' does not go with 'out': the packet starts here");
	if (rq->path == TRACE_OUT && (rq->has_smac || rq->has_dmac))
		return err_set(ws->e, ERR_USAGE, "trace", "'%s' does not go with 'out': the frame is made behind the rules",
			       rq->has_smac ? "smac" : "dmac");
	if (rq->path != TRACE_OUT && rq->oif)
		return err_set(ws->e, ERR_USAGE, "trace", "'oif' goes with 'out'; else routing chooses it");
	if (rq->path != TRACE_OUT && (rq->has_uid || rq->has_gid || rq->has_cgroup || rq->cgroup_path))
		return err_set(ws->e, ERR_USAGE, "trace",
			       "'%s' goes with 'out': what comes in belongs to no process yet",
			       rq->has_uid ? "uid" : rq->has_gid ? "gid" : rq->has_cgroup ? "cgroup" : "cgroupv2");
	return 0;
}

/* Of a user only the uid is commonly known; most have the group of the same number. */
static void gid_like_uid(struct trace_request *rq)
{
	if (rq->has_uid && !rq->has_gid) {
		rq->has_gid = true;
		rq->gid = rq->uid;
	}
}

int connection_parse(struct arena *a, int argc, char *const *argv, struct trace_request *ret, struct err *e)
{
	struct trace_request rq = TRACE_REQUEST_INIT;
	struct words ws = { .a = a, .rq = &rq, .e = e };

	for (int i = 0; i < argc; i++)
		if (split_word(&ws, argv[i]) < 0)
			return -1;
	if (parse_path(&ws) < 0 || parse_proto(&ws) < 0 || parse_leading_type(&ws) < 0 ||
	    parse_endpoints(&ws) < 0 || parse_keys(&ws) < 0 || check_families(&ws) < 0 || check_path(&ws) < 0 || check_parts(&ws) < 0)
		return -1;
	gid_like_uid(&rq);
	*ret = rq;
	return 0;
}
