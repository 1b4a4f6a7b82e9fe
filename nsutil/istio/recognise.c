/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recognise - settings that can be told from the rules alone */
#include "nsutil/istio/recognise.h"

#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/layout.h"
#include "nsutil/ruleset/text.h"

/* The rules of a chain as iptables-save words; how both stores look the same. */
struct lines {
	const char **at;
	unsigned n;
};

static int read_lines(struct arena *a, const struct chain *c, struct lines *ret)
{
	struct lines l = { .at = arena_array(a, c ? c->n_rules + 1 : 1, sizeof(*l.at)) };

	if (!l.at)
		return -1;
	for (const struct rule *r = c ? c->rules : NULL; r; r = r->next) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		if (!rule_iptables(r, &b))
			buf_str(&b, " ?");
		l.at[l.n] = buf_failed(&b) ? NULL : arena_strdup(a, buf_cstr(&b) + 1);
		if (!l.at[l.n++])
			return -1;
	}
	*ret = l;
	return 0;
}

static bool typed(const struct istio_config *c, const char *field)
{
	const struct istio_setting *s = istio_setting_find(field, strlen(field));

	return c->source[s - istio_settings] > ISTIO_FROM_PRESET;
}

/* Take a value nobody typed; @noted tells the person. */
static int take(struct istio_config *c, const char *field, const char *value, bool noted, struct err *e)
{
	const struct istio_setting *s = istio_setting_find(field, strlen(field));
	char text[200];

	if (typed(c, field) || strcmp(istio_config_text(c, s), value) == 0)
		return 0;
	snprintf(text, sizeof(text), "taken from the rules: %s=%s", s->env, value);
	if (noted && istio_list_add(c->arena, &c->notes, text) < 0)
		return err_oom(e);
	return istio_config_value(c, s, value, ISTIO_FROM_TARGET, e);
}

struct view {
	const struct ruleset *rs;
	enum store store;
	uint8_t family;
};

static const struct chain *find(const struct view *v, const char *table, const char *chain)
{
	const struct table *t = ruleset_find_table(v->rs, v->store, v->family, table);

	return t ? table_find_chain(t, chain) : NULL;
}

/* The stores and families that hold chains of Istio's, legacy IPv4 first. */
static unsigned find_views(const struct ruleset *rs, struct view views[4])
{
	static const char *const tables[] = { "nat", "mangle", "raw" };
	unsigned n = 0;

	for (unsigned i = 0; i < 4; i++) {
		struct view v = { rs, (enum store)(i & 1), i & 2 ? NFPROTO_IPV6 : NFPROTO_IPV4 };
		bool found = false;

		for (unsigned t = 0; t < ARRAY_SIZE(tables); t++) {
			const struct table *table = ruleset_find_table(rs, v.store, v.family, tables[t]);

			for (const struct chain *c = table ? table->chains : NULL; c; c = c->next)
				found |= istio_owns_chain(c->name);
		}
		if (found)
			views[n++] = v;
	}
	return n;
}

static bool has_line(const struct lines *l, const char *text)
{
	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(l->at[i], text) == 0)
			return true;
	return false;
}

/* The ports of all "-p tcp -m tcp --dport N -j TARGET", in order, as a list. */
static const char *ports_to(struct arena *a, const struct lines *l, const char *target)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (unsigned i = 0; i < l->n; i++) {
		unsigned port;
		int end = 0;

		if (sscanf(l->at[i], "-p tcp -m tcp --dport %u -j %n", &port, &end) == 1 && end &&
		    strcmp(l->at[i] + end, target) == 0)
			buf_fmt(&b, "%s%u", b.len ? "," : "", port);
	}
	return buf_failed(&b) ? NULL : arena_strdup(a, buf_cstr(&b));
}

/* The CNI plugin's lists differ from istio-init's as a whole (SPEC A6). */
static int recognise_cni(struct istio_config *c, const struct view *v, struct err *e)
{
	bool tproxy = find(v, "mangle", "ISTIO_INBOUND");
	struct lines in, out;
	const char *ports_in, *ports_out;

	if (read_lines(c->arena, find(v, tproxy ? "mangle" : "nat", "ISTIO_INBOUND"), &in) < 0 ||
	    read_lines(c->arena, find(v, "nat", "ISTIO_OUTPUT"), &out) < 0)
		return err_oom(e);
	ports_in = ports_to(c->arena, &in, "RETURN");
	ports_out = ports_to(c->arena, &out, "RETURN");
	if (!ports_in || !ports_out)
		return err_oom(e);
	if (strcmp(ports_in, tproxy ? "15020,15021,15090" : "15008,15020,15021,15090") != 0 ||
	    strcmp(ports_out, "15020") != 0)
		return 0;
	if (take(c, "InboundPortsExclude", "15020,15021,15090", true, e) < 0)
		return -1;
	return take(c, "OutboundPortsExclude", "15020", true, e);
}

/* The servers of "-d S/LEN -p udp -m udp --dport 53 -j CT --zone 2" in raw. */
static int add_servers(const struct lines *l, struct buf *b)
{
	for (unsigned i = 0; i < l->n; i++) {
		char server[ADDR_TEXT];
		unsigned len;
		int end = 0;

		if (sscanf(l->at[i], "-d %45[0-9a-f:.]/%u -p udp -m udp --dport 53 -j CT --zone 2%n", server, &len,
			   &end) == 2 && end && !l->at[i][end])
			buf_fmt(b, "%s%s", b->len ? "," : "", server);
	}
	return buf_failed(b) ? -1 : 0;
}

/* Where the rules of DNS zones are: since 1.25 in a chain of their own, in 1.23 and 1.24 in ISTIO_OUTPUT, before
 * in OUTPUT, where only Istio's proxy port tells them from others. */
static const struct chain *dns_zones(const struct view *v)
{
	const struct chain *c = find(v, "raw", "ISTIO_OUTPUT_DNS");
	struct lines l;

	if (!c)
		c = find(v, "raw", "ISTIO_OUTPUT");
	if (c)
		return find(v, "raw", "ISTIO_PRERT") ? NULL : c;
	c = find(v, "raw", "OUTPUT");
	if (!c || read_lines(v->rs->arena, c, &l) < 0)
		return NULL;
	for (unsigned i = 0; i < l.n; i++)
		if (strstr(l.at[i], "--sport 15053 ") && strstr(l.at[i], "-j CT --zone 2"))
			return c;
	return NULL;
}

static bool any_line(const struct lines *l, const char *a, const char *b)
{
	for (unsigned i = 0; i < l->n; i++)
		if (strstr(l->at[i], a) && strstr(l->at[i], b))
			return true;
	return false;
}

/* Between 1.18 and 1.24 only DNS capture, invalid packets and CIDR lists changed. */
static const char *middle_era(const struct view *v, const struct lines *jump, const struct lines *out,
			      const struct lines *mangle, const struct lines *raw, const char **range)
{
	const struct {
		bool is;
		const char *version, *range;
	} eras[] = {
		{ find(v, "mangle", "ISTIO_DROP"), "1.24", "1.24" },
		{ has_line(jump, "-p udp -j ISTIO_OUTPUT"), any_line(mangle, "INVALID", "-j DROP") ? "1.23" : "1.24", "1.23-1.24" },
		{ any_line(raw, "-d ", "--sport 53 -j CT --zone 1"), "1.19", "1.18-1.19" },
		{ any_line(raw, "-s ", "--sport 53 -j CT --zone 1"), "1.22", "1.20-1.22" },
		{ dns_zones(v), "1.22", "1.18-1.22" },
		{ out->n && strcmp(out->at[out->n - 1], "-j RETURN") == 0, "1.22", "1.18-1.22" },
		{ any_line(mangle, "INVALID", "-j DROP"), "1.23", "1.18-1.23" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(eras); i++)
		if (eras[i].is) {
			*range = eras[i].range;
			return eras[i].version;
		}
	*range = "1.18-1.24";
	return "1.24";
}

/* HISTORY 1: the jump of OUTPUT asks for TCP until 1.24; the tunnel port came to the loopback rules with 1.18,
 * and the implicit port 22 went with 1.13. */
static int recognise_version(struct istio_config *c, const struct view *v, struct err *e)
{
	const char *version, *range, *tunnel = istio_config_text(c, istio_setting_find("InboundTunnelPort", 17));
	bool tproxy = find(v, "mangle", "ISTIO_TPROXY");
	struct lines jump, out, in, mangle, raw;
	char text[100];

	if (read_lines(c->arena, find(v, "nat", "OUTPUT"), &jump) < 0 ||
	    read_lines(c->arena, find(v, "nat", "ISTIO_OUTPUT"), &out) < 0 ||
	    read_lines(c->arena, find(v, tproxy ? "mangle" : "nat", "ISTIO_INBOUND"), &in) < 0 ||
	    read_lines(c->arena, find(v, "mangle", "PREROUTING"), &mangle) < 0 ||
	    read_lines(c->arena, find(v, "raw", "PREROUTING"), &raw) < 0)
		return err_oom(e);
	if (!has_line(&jump, "-p tcp -j ISTIO_OUTPUT") || !any_line(&out, "-j ISTIO_IN_REDIRECT", "-owner"))
		return 0;
	if (any_line(&out, "-j ISTIO_IN_REDIRECT", tunnel)) {
		version = middle_era(v, &jump, &out, &mangle, &raw, &range);
	} else if (has_line(&in, "-p tcp -m tcp --dport 22 -j RETURN")) {
		version = "1.12";
		range = "1.7-1.12";
	} else {
		version = "1.17";
		range = "1.13-1.17";
	}
	snprintf(text, sizeof(text), "the rules have the form of Istio %s", range);
	if (!typed(c, "Version") && istio_list_add(c->arena, &c->notes, text) < 0)
		return err_oom(e);
	return take(c, "Version", version, false, e);
}

static int recognise_dns(struct istio_config *c, const struct view *views, unsigned n, struct err *e)
{
	_cleanup_buf_ struct buf servers = BUF_INIT;
	bool any = false, all = false;

	for (unsigned i = 0; i < n; i++) {
		struct lines l;

		const struct chain *zones = dns_zones(&views[i]);

		if (views[i].store != views[0].store || !zones)
			continue;
		any = true;
		if (read_lines(c->arena, zones, &l) < 0 || add_servers(&l, &servers) < 0)
			return err_oom(e);
		all |= has_line(&l, "-p udp -m udp --dport 53 -j CT --zone 2");
	}
	if (!any)
		return 0;
	if (take(c, "RedirectDNS", "true", true, e) < 0)
		return -1;
	if (all)
		return take(c, "CaptureAllDNS", "true", true, e);
	return servers.len ? take(c, "DNSServers", buf_cstr(&servers), true, e) : 0;
}

static int recognise_tproxy(struct istio_config *c, const struct view *v, bool noted, struct err *e)
{
	struct lines l;
	unsigned mark;
	char text[16];

	if (!find(v, "mangle", "ISTIO_TPROXY") && !find(v, "mangle", "ISTIO_DIVERT") &&
	    !find(v, "mangle", "ISTIO_INBOUND"))
		return 0;
	if (take(c, "InboundInterceptionMode", "TPROXY", noted, e) < 0)
		return -1;
	if (read_lines(c->arena, find(v, "mangle", "ISTIO_INBOUND"), &l) < 0)
		return err_oom(e);
	for (unsigned i = 0; i < l.n; i++)
		if (sscanf(l.at[i], "-p tcp -m mark --mark 0x%x -j RETURN", &mark) == 1) {
			snprintf(text, sizeof(text), "%u", mark);
			return take(c, "InboundTProxyMark", text, noted, e);
		}
	return 0;
}

static bool invalid_dropped(const struct istio_config *c, const struct view *v)
{
	static const char name[] = "Version";
	const char *version = istio_config_text(c, istio_setting_find(name, strlen(name)));
	struct lines l;

	return strcmp(version, "1.24") < 0 && read_lines(c->arena, find(v, "mangle", "PREROUTING"), &l) == 0 &&
	       has_line(&l, "-m conntrack --ctstate INVALID -j DROP");
}

int istio_recognise_mode(struct istio_config *c, const struct ruleset *rs, struct err *e)
{
	struct view views[4];
	unsigned n = find_views(rs, views);

	if (!n)
		return 0;
	if (recognise_version(c, &views[0], e) < 0 || recognise_tproxy(c, &views[0], true, e) < 0 || recognise_dns(c, views, n, e) < 0 ||
	    recognise_cni(c, &views[0], e) < 0)
		return -1;
	for (unsigned i = 0; i < n; i++)
		if (views[i].family == NFPROTO_IPV6 && find(&views[i], "nat", "ISTIO_OUTPUT") &&
		    take(c, "EnableIPv6", "true", true, e) < 0)
			return -1;
	if (find(&views[0], "mangle", "ISTIO_DROP") || invalid_dropped(c, &views[0]))
		return take(c, "DropInvalid", "true", true, e);
	return 0;
}

/* The interface of "OPTION NIC TAIL" when the line is that; else false. */
static bool nic_of(const char *line, const char *option, const char *tail, char nic[16])
{
	size_t n;

	if (strncmp(line, option, 2) != 0 || line[2] != ' ')
		return false;
	line += 3;
	n = strcspn(line, " ");
	if (n == 0 || n > 15 || line[n] != ' ' || strcmp(line + n + 1, tail) != 0)
		return false;
	memcpy(nic, line, n);
	nic[n] = '\0';
	return true;
}

static unsigned jump_at(const struct lines *l, const char *chain)
{
	char tail[64];
	size_t n = (size_t)snprintf(tail, sizeof(tail), "-j %s", chain);

	for (unsigned i = 0; i < l->n; i++) {
		size_t len = strlen(l->at[i]);

		if (len >= n && strcmp(l->at[i] + len - n, tail) == 0)
			return i;
	}
	return l->n;
}

/* "-i NIC -j RETURN" in the run of such rules above the jump; anywhere when there is no jump. */
static bool in_run(const struct lines *l, const char *nic)
{
	unsigned jump = jump_at(l, "ISTIO_INBOUND");
	char other[16];

	for (unsigned i = jump; i-- > 0;) {
		if (!nic_of(l->at[i], "-i", "-j RETURN", other)) {
			if (jump < l->n)
				return false;
			continue;
		}
		if (strcmp(other, nic) == 0)
			return true;
	}
	return false;
}

static bool list_has(const char *list, const char *item)
{
	size_t n = strlen(item);

	for (; *list; list += strcspn(list, ",") + (list[strcspn(list, ",")] == ','))
		if (strncmp(list, item, n) == 0 && (list[n] == ',' || !list[n]))
			return true;
	return false;
}

static void add_front(struct buf *b, const char *nic)
{
	char *rest;

	if (list_has(buf_cstr(b), nic))
		return;
	rest = strndup(buf_cstr(b), b->len);
	buf_reset(b);
	buf_fmt(b, "%s%s%s", nic, rest && rest[0] ? "," : "", rest ? rest : "");
	free(rest);
}

static int excluded_nics(struct istio_config *c, const struct view *v, struct buf *b, struct err *e)
{
	struct lines in, out;
	char nic[16];

	if (read_lines(c->arena, find(v, "nat", "PREROUTING"), &in) < 0 ||
	    read_lines(c->arena, find(v, "nat", "OUTPUT"), &out) < 0)
		return err_oom(e);
	for (unsigned i = jump_at(&out, "ISTIO_OUTPUT"); i-- > 0;) {
		if (!nic_of(out.at[i], "-o", "-j RETURN", nic))
			break;
		if (in_run(&in, nic))
			add_front(b, nic);
	}
	return 0;
}

/* Virtual interfaces have both a redirect and a RETURN; inserts at the top turned their order. */
static int virtual_nics(struct istio_config *c, const struct view *v, struct buf *b, struct err *e)
{
	struct lines in;
	char nic[16];

	if (read_lines(c->arena, find(v, "nat", "PREROUTING"), &in) < 0)
		return err_oom(e);
	for (unsigned i = 0; i < in.n; i++) {
		bool leads = false;

		if (!nic_of(in.at[i], "-i", "-j RETURN", nic))
			continue;
		for (unsigned k = 0; k < i; k++) {
			size_t n = strlen(in.at[k]);

			leads |= n > 17 && strcmp(in.at[k] + n - 17, "-j ISTIO_REDIRECT") == 0 &&
				 strstr(in.at[k], nic);
		}
		if (leads)
			add_front(b, nic);
	}
	return 0;
}

int istio_recognise_shared(struct istio_config *c, const struct ruleset *rs, struct err *e)
{
	_cleanup_buf_ struct buf excluded = BUF_INIT, virt = BUF_INIT;
	struct view views[4];
	unsigned n = find_views(rs, views);

	/* Before 1.25 the rules of DNS capture and for invalid packets stood in built-in chains. */
	if (n && (recognise_version(c, &views[0], e) < 0 || recognise_dns(c, views, n, e) < 0))
		return -1;
	if (n && invalid_dropped(c, &views[0]) && take(c, "DropInvalid", "true", false, e) < 0)
		return -1;
	for (unsigned i = 0; i < n; i++)
		if (recognise_tproxy(c, &views[i], false, e) < 0 || excluded_nics(c, &views[i], &excluded, e) < 0 ||
		    virtual_nics(c, &views[i], &virt, e) < 0)
			return -1;
	if (buf_failed(&excluded) || buf_failed(&virt))
		return err_oom(e);
	if (excluded.len && take(c, "ExcludeInterfaces", buf_cstr(&excluded), false, e) < 0)
		return -1;
	return virt.len ? take(c, "RerouteVirtualInterfaces", buf_cstr(&virt), false, e) : 0;
}
