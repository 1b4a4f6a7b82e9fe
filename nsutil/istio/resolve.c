/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve - checks of every value, and what follows from them and the namespace (SPEC A4, A5) */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/config.h"

enum { MAX_GROUPS = 64 }; /* they all go into one rule */

static int refuse(const struct istio_setting *s, const char *value, struct err *e, const char *why, ...)
	__attribute__((format(printf, 4, 5)));

static int refuse(const struct istio_setting *s, const char *value, struct err *e, const char *why, ...)
{
	char what[200], text[300];
	va_list ap;

	va_start(ap, why);
	vsnprintf(text, sizeof(text), why, ap);
	va_end(ap);
	snprintf(what, sizeof(what), "%s='%s'", s->env, value);
	return err_set(e, ERR_USAGE, what, "%s", text);
}

static int note(struct istio_config *c, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int note(struct istio_config *c, struct err *e, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return istio_list_add(c->arena, &c->notes, text) < 0 ? err_oom(e) : 0;
}

/* Decimal digits of [p, end), at most @max; NULL when there are none or they exceed it. */
static const char *digits(const char *p, unsigned long max, unsigned long *ret)
{
	unsigned long v = 0;
	const char *start = p;

	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (unsigned long)(*p - '0');
		if (v > max)
			return NULL;
	}
	*ret = v;
	return p == start ? NULL : p;
}

/* A number, or with @range "N<range>M"; blanks around it are harmless in the text (SPEC A7). */
static bool is_number(const char *p, unsigned long max, char range)
{
	unsigned long low, high;

	while (*p == ' ')
		p++;
	p = digits(p, max, &low);
	if (p && range && *p == range) {
		p = digits(p + 1, max, &high);
		if (p && high < low)
			return false;
	}
	while (p && *p == ' ')
		p++;
	return p && !*p;
}

static bool is_port(const char *p)
{
	return is_number(p, 65535, ':');
}

static bool is_id(const char *p)
{
	return is_number(p, 4294967294, '-');
}

/* A group's name as groupadd takes it; the number is found where the rules are written. */
static bool is_group(const char *p)
{
	if (is_id(p))
		return true;
	if (!isalpha((unsigned char)*p) && *p != '_')
		return false;
	return p[strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-$")] == '\0' &&
	       strlen(p) <= 32;
}

static bool is_interface(const char *p)
{
	size_t n;

	while (*p == ' ')
		p++;
	n = strcspn(p, " ");
	if (n < 1 || n > 15 || p[n + strspn(p + n, " ")])
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isgraph((unsigned char)p[i]) || strchr("/!\"'\\{};#*", p[i]))
			return false;
	return p[0] != '-';
}

static int check_each(struct istio_config *c, const struct istio_setting *s, const char *value,
		      bool (*good)(const char *), const char *what, struct err *e)
{
	struct istio_list l;

	if (istio_split(c->arena, value, &l) < 0)
		return err_oom(e);
	for (unsigned i = 0; i < l.n; i++)
		if (!good(l.items[i]))
			return refuse(s, value, e, "'%s' is %s", l.items[i], what);
	return 0;
}

/* As Go's netip.ParsePrefix: "/n" is needed, without a leading zero. */
static int parse_cidr(const char *text, struct addr *a, unsigned *len)
{
	const char *slash = strchr(text, '/');

	if (!slash || text[0] == '[' || (slash[1] == '0' && slash[2]))
		return -1;
	return addr_parse_prefix(text, a, len);
}

/* As Go's netip prints it: of the old form ::a.b.c.d only the mapped one has dots. @text: ADDR_TEXT */
static const char *go_text(const struct addr *a, char *text)
{
	static const uint8_t zero[12];

	if (a->family == AF_INET6 && memcmp(a->b, zero, sizeof(zero)) == 0 && (a->b[12] || a->b[13]))
		snprintf(text, ADDR_TEXT, "::%x:%x", a->b[12] << 8 | a->b[13], a->b[14] << 8 | a->b[15]);
	else
		addr_fmt(a, text);
	return text;
}

/* Istio passed over what it could not read until 1.26 (SPEC A5); a rule is not written of such. */
static int bad_cidr(struct istio_config *c, const struct istio_setting *s, const char *value, const char *item, struct err *e)
{
	unsigned minor;

	if (sscanf(c->version, "1.%2u", &minor) != 1 || minor >= 27 || c->source[s - istio_settings] == ISTIO_FROM_RULES)
		return refuse(s, value, e, "'%s' is no address range (ADDRESS/LENGTH)", item);
	return note(c, e, "%s: '%s' is no address range: Istio %s passes it over", s->env, item, c->version);
}

static int check_cidrs(struct istio_config *c, const struct istio_setting *s, const char *value,
		       struct istio_cidrs *ret, struct err *e)
{
	struct istio_cidrs out = { 0 };
	struct istio_list l;
	struct addr a;
	unsigned len;

	if (istio_split(c->arena, value, &l) < 0)
		return err_oom(e);
	for (unsigned i = 0; i < l.n; i++) {
		char text[ADDR_PREFIX_TEXT], host[ADDR_TEXT];

		if (parse_cidr(l.items[i], &a, &len) < 0) {
			if (bad_cidr(c, s, value, l.items[i], e) < 0)
				return -1;
			continue;
		}
		snprintf(text, sizeof(text), "%s/%u", go_text(&a, host), len);
		if (istio_list_add(c->arena, a.family == AF_INET ? &out.v4 : &out.v6, text) < 0)
			return err_oom(e);
		out.loopback |= addr_is_loopback(&a);
	}
	*ret = out;
	return 0;
}

static int check_loopback(const struct istio_setting *s, const char *value, struct err *e)
{
	struct addr a;
	unsigned len;

	if (parse_cidr(value, &a, &len) < 0)
		return refuse(s, value, e, "no address range (ADDRESS/LENGTH)");
	if (a.family != AF_INET || !addr_is_loopback(&a))
		return refuse(s, value, e, "not an IPv4 loopback range");
	if (len < 8)
		return refuse(s, value, e, "a prefix length from 8 to 32 is needed");
	return 0;
}

static int check_address(const struct istio_setting *s, const char *value, uint8_t family, struct err *e)
{
	struct addr a;

	if (addr_parse(value, &a) < 0 || a.family != family || value[0] == '[')
		return refuse(s, value, e, "no IPv%c address", family == AF_INET ? '4' : '6');
	return 0;
}

static bool is_address(const char *p)
{
	struct addr a;

	return addr_parse(p, &a) == 0 && p[0] != '[';
}

static int check_choice(const struct istio_setting *s, const char *value, struct err *e)
{
	char all[200] = "";

	for (const char *const *p = s->choices; *p; p++) {
		if (strcmp(*p, value) == 0)
			return 0;
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", all[0] ? ", " : "",
			 **p ? *p : "nothing");
	}
	return refuse(s, value, e, "one of: %s", all);
}

static bool is_truth(const char *p)
{
	static const char *const words[] = { "", "1", "t", "T", "TRUE", "true", "True",
					     "0", "f", "F", "FALSE", "false", "False" };

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(p, words[i]) == 0)
			return true;
	return false;
}

/* Text that would break the line format of the rules, or smuggle a second rule in. */
static bool has_control(const char *p)
{
	for (; *p; p++)
		if (iscntrl((unsigned char)*p))
			return true;
	return false;
}

static int check_cidr_list(struct istio_config *c, const struct istio_setting *s, const char *value,
			   struct err *e)
{
	struct istio_cidrs *to = s->kind == ISTIO_CIDRS_STAR ? &c->include : &c->exclude;

	if (strcmp(value, "*") == 0) {
		if (s->kind == ISTIO_CIDRS)
			return refuse(s, value, e, "'*' cannot be excluded");
		to->star = true;
		return 0;
	}
	return check_cidrs(c, s, value, to, e);
}

static int check_value(struct istio_config *c, const struct istio_setting *s, const char *value,
		       struct err *e)
{
	bool star = strcmp(value, "*") == 0;

	switch (s->kind) {
	case ISTIO_PORT:
		return is_number(value, 65535, 0) ? 0 : refuse(s, value, e, "no port (0-65535)");
	case ISTIO_PORTS_STAR:
		if (star)
			return 0;
		/* fall through */
	case ISTIO_PORTS:
		return check_each(c, s, value, is_port, "no port (0-65535)", e);
	case ISTIO_IDS:
		return check_each(c, s, value, is_id, "no numeric id", e);
	case ISTIO_GROUPS_STAR:
		if (star)
			return 0;
		/* fall through */
	case ISTIO_GROUPS:
		return check_each(c, s, value, is_group, "neither a group id nor a group's name", e);
	case ISTIO_CIDRS:
	case ISTIO_CIDRS_STAR:
		return check_cidr_list(c, s, value, e);
	case ISTIO_CIDR4:
		return check_loopback(s, value, e);
	case ISTIO_ADDR4:
		return check_address(s, value, AF_INET, e);
	case ISTIO_ADDR6:
		return check_address(s, value, AF_INET6, e);
	case ISTIO_ADDRS:
		return check_each(c, s, value, is_address, "no address", e);
	case ISTIO_INTERFACES:
		return check_each(c, s, value, is_interface, "no interface name", e);
	case ISTIO_NUMBER:
		return is_number(value, 4294967295, 0) ? 0 : refuse(s, value, e, "no decimal number");
	case ISTIO_TRISTATE:
		return is_truth(value) ? 0 : refuse(s, value, e, "neither true nor false");
	case ISTIO_CHOICE:
		return check_choice(s, value, e);
	case ISTIO_BOOL:
	case ISTIO_TEXT:
		break;
	}
	return 0;
}

static int check_values(struct istio_config *c, struct err *e)
{
	for (const struct istio_setting *s = istio_settings; s->field; s++) {
		const char *value = istio_config_text(c, s);

		if (has_control(value))
			return refuse(s, value, e, "control characters cannot stand in a setting");
		if (check_value(c, s, value, e) < 0)
			return -1;
	}
	return 0;
}

/* Of ambient's interfaces the blanks around them are dropped, and those without a name (SPEC G). */
static int trim_each(struct istio_config *c, struct istio_list *l)
{
	struct istio_list out = { 0 };

	for (unsigned i = 0; i < l->n; i++) {
		const char *p = l->items[i] + strspn(l->items[i], " ");
		const char *item = arena_strndup(c->arena, p, strcspn(p, " "));

		if (!item || (item[0] && istio_list_add(c->arena, &out, item) < 0))
			return -1;
	}
	*l = out;
	return 0;
}

static int split_all(struct istio_config *c, struct err *e)
{
	const struct {
		const char *from;
		struct istio_list *to;
	} lists[] = {
		{ c->proxy_uid, &c->uids }, { c->proxy_gid, &c->gids },
		{ c->inbound_ports_include, &c->ports_in }, { c->inbound_ports_exclude, &c->ports_in_exclude },
		{ c->outbound_ports_include, &c->ports_out },
		{ c->outbound_ports_exclude, &c->ports_out_exclude },
		{ c->exclude_interfaces, &c->nics_exclude }, { c->virtual_interfaces, &c->nics_virtual },
		{ c->groups_include, &c->groups }, { c->groups_exclude, &c->groups_not },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++)
		if (istio_split(c->arena, lists[i].from, lists[i].to) < 0)
			return err_oom(e);
	if (c->ambient && trim_each(c, &c->nics_virtual) < 0)
		return err_oom(e);
	return 0;
}

static bool counts(const struct addr *a)
{
	struct addr v4;
	bool link_multicast = a->family == AF_INET ? a->b[0] == 224 && a->b[1] == 0 && a->b[2] == 0
						   : a->b[0] == 0xff && (a->b[1] & 0x0f) == 2;

	if (addr_is_mapped(a)) { /* Go reads it as IPv4 */
		v4 = addr_from(AF_INET, a->b + 12);
		return counts(&v4);
	}
	return !addr_is_loopback(a) && !addr_is_linklocal(a) && !link_multicast;
}

bool istio_facts_ipv6(const struct istio_facts *f, bool dual_stack, bool *ret_any)
{
	bool ipv6 = false;

	*ret_any = false;
	for (unsigned i = 0; f && i < f->n_addrs && !(*ret_any && (ipv6 || !dual_stack)); i++) {
		const struct addr *a = &f->addrs[i];

		if (!counts(a))
			continue;
		*ret_any = true;
		ipv6 = a->family == AF_INET6 && !addr_is_mapped(a);
	}
	return ipv6;
}

static int find_ipv6(struct istio_config *c, const struct istio_facts *f, struct err *e)
{
	bool any;

	c->ipv6 = istio_facts_ipv6(f, c->dual_stack, &any);
	if (f && f->addrs && !any)
		return note(c, e, "the target has only loopback and link-local addresses: istio-init would fail "
				  "with 'no valid local IP address found'; taken as IPv4 only");
	return 0;
}

static int derive_ipv6(struct istio_config *c, const struct istio_facts *f, struct err *e)
{
	const struct istio_setting *s = istio_setting_find("EnableIPv6", strlen("EnableIPv6"));

	if (c->enable_ipv6[0]) {
		c->ipv6 = strchr("1tT", c->enable_ipv6[0]) != NULL;
		return 0;
	}
	c->source[s - istio_settings] = ISTIO_FROM_TARGET;
	return find_ipv6(c, f, e);
}

static int add_server(struct istio_config *c, const char *text)
{
	char canonical[ADDR_TEXT];
	struct addr a;

	if (text[0] == '[' || addr_parse(text, &a) < 0)
		return 0; /* scoped or malformed: Istio drops it as well */
	return istio_list_add(c->arena, a.family == AF_INET ? &c->dns4 : &c->dns6, go_text(&a, canonical));
}

/* The "nameserver" lines of resolv.conf(5). */
static int read_resolv(struct istio_config *c, const char *text, struct err *e)
{
	static const char word[] = "nameserver";

	while (*text) {
		size_t n = strcspn(text, "\n"), lead = strspn(text, " \t");
		const char *p = text + lead, *end = text + n;

		if (p + sizeof(word) - 1 < end && memcmp(p, word, sizeof(word) - 1) == 0 &&
		    strchr(" \t", p[sizeof(word) - 1])) {
			const char *server;

			p += sizeof(word) - 1;
			p += strspn(p, " \t");
			server = arena_strndup(c->arena, p, strcspn(p, " \t\r\n"));
			if (!server || add_server(c, server) < 0)
				return err_oom(e);
		}
		text += n + (text[n] == '\n');
	}
	return 0;
}

static int typed_servers(struct istio_config *c, struct err *e)
{
	struct istio_list l;

	if (istio_split(c->arena, c->dns_servers, &l) < 0)
		return err_oom(e);
	for (unsigned i = 0; i < l.n; i++)
		if (add_server(c, l.items[i]) < 0)
			return err_oom(e);
	return 0;
}

static int derive_dns(struct istio_config *c, const struct istio_facts *f, struct err *e)
{
	const struct istio_setting *s = istio_setting_find("DNSServers", strlen("DNSServers"));

	c->dns = c->redirect_dns;
	if (!c->redirect_dns || c->capture_all_dns || c->ambient)
		return 0;
	if (c->source[s - istio_settings] != ISTIO_FROM_DEFAULT) {
		if (typed_servers(c, e) < 0)
			return -1;
	} else if (f && !f->resolv_conf) {
		err_set(e, ERR_SYS, "cannot find the DNS servers", "/etc/resolv.conf of the target: %s",
			f->resolv_why ? f->resolv_why : "not readable");
		return err_hint(e, "say them with DNS_SERVERS=ADDRESS,...");
	} else if (f) {
		c->source[s - istio_settings] = ISTIO_FROM_TARGET;
		if (read_resolv(c, f->resolv_conf, e) < 0)
			return -1;
	}
	if (c->dns4.n + c->dns6.n || c->minor < 25) /* before, its other rules were written all the same */
		return 0;
	c->dns = false;
	return note(c, e, "DNS capture is on, but there are no DNS servers: Istio switches it off");
}

/* The CNI plugin takes the proxy's one variable for two settings (SPEC A6). */
static void derive_cni_dns(struct istio_config *c)
{
	const struct istio_setting *dns = istio_setting_find("RedirectDNS", strlen("RedirectDNS"));
	const struct istio_setting *all = istio_setting_find("CaptureAllDNS", strlen("CaptureAllDNS"));

	if (c->cni_mode && !c->ambient && c->source[dns - istio_settings] == ISTIO_FROM_ENV2 &&
	    c->source[all - istio_settings] == ISTIO_FROM_DEFAULT) {
		c->capture_all_dns = c->redirect_dns;
		c->source[all - istio_settings] = ISTIO_FROM_ENV2;
	}
}

static int derive_ids(struct istio_config *c, struct err *e)
{
	if (!c->proxy_uid[0]) {
		c->proxy_uid = "1337";
		if (strcmp(c->envoy_user, "istio-proxy") != 0 &&
		    note(c, e, "PROXY_UID is empty: taken as 1337, the user '%s' was not looked up", c->envoy_user) < 0)
			return -1;
	}
	if (!c->proxy_gid[0])
		c->proxy_gid = c->proxy_uid;
	return 0;
}

/* Values that Istio takes without complaint and that do not mean what they seem to. */
static int note_surprises(struct istio_config *c, struct err *e)
{
	const char *m = c->interception_mode;

	if (c->ambient && strcmp(m, "TPROXY") == 0 && c->minor >= 25)
		return note(c, e, "TPROXY: ambient redirects, and cannot be told otherwise since 1.25");
	if (!c->ambient && !c->tproxy && m[0] && strcmp(m, "REDIRECT") != 0 && strcmp(m, "NONE") != 0 &&
	    note(c, e, "interception mode '%s' is not 'TPROXY': Istio takes it as REDIRECT", m) < 0)
		return -1;
	if (strcmp(m, "NONE") == 0 &&
	    note(c, e, "interception mode NONE: the injector adds no istio-init; as an argument it means REDIRECT") < 0)
		return -1;
	if (c->capture_all_dns && !c->redirect_dns && !c->ambient &&
	    note(c, e, "CAPTURE_ALL_DNS has no effect without REDIRECT_DNS") < 0)
		return -1;
	if (!c->ambient && !c->groups.n &&
	    note(c, e, "ISTIO_OUTBOUND_OWNER_GROUPS is empty: nothing outbound is captured") < 0)
		return -1;
	return 0;
}

/* Ambient could do nothing else until late in 1.23, and could be told to until 1.24. */
static bool by_tproxy(const struct istio_config *c)
{
	if (c->minor == 24)
		return strcmp(c->interception_mode, "TPROXY") == 0;
	return c->minor < 23 || (c->minor == 23 && strcmp(c->interception_mode, "REDIRECT") != 0);
}

/* What a version did is known as far as its rules were read or compared (HISTORY). */
static int check_version(struct istio_config *c, struct err *e)
{
	static const char name[] = "Version";
	const struct istio_setting *s = istio_setting_find(name, strlen(name));
	const struct {
		bool asked;
		unsigned since;
		const char *what;
	} needs[] = {
		{ true, 7, "rules" },
		{ c->exclude_interfaces[0], 11, "excluded interfaces" },
		{ c->drop_invalid, 12, "dropping invalid packets" },
		{ strcmp(c->groups_include, "*") != 0 || c->groups_exclude[0], 14, "owner groups" },
		{ strcmp(c->loopback_cidr, "127.0.0.1/32") != 0, 21, "another loopback range" },
		{ c->ipv6, 12, "IPv6 rules" },
		{ c->tproxy, 11, "rules for TPROXY" },
		{ c->redirect_dns && !c->ambient, 11, "rules for DNS capture" },
		{ c->native_nftables, 27, "native nftables rules" },
		{ c->ambient, 21, "rules for ambient" },
		{ c->ambient && (c->ingress_mode || c->virtual_interfaces[0]), 25, "rules for ambient ingress and virtual interfaces" },
		{ c->ambient && c->native_nftables, 28, "native nftables rules for ambient" },
	};
	unsigned minor;
	int end = 0;

	if (sscanf(c->version, "1.%2u%n", &minor, &end) != 1 || (c->version[end] && c->version[end] != '.') || minor > 99)
		return refuse(s, c->version, e, "no version of Istio, as 1.30");
	for (unsigned i = 0; i < ARRAY_SIZE(needs); i++)
		if (needs[i].asked && minor < needs[i].since)
			return refuse(s, c->version, e, "%s: known from 1.%u on", needs[i].what, needs[i].since);
	c->minor = minor;
	c->ambient_tproxy = c->ambient && by_tproxy(c);
	if (minor > ISTIO_LAST_MINOR)
		return note(c, e, "the rules of Istio %s are not known: taken as those of 1.%d, the newest that are", c->version,
			    ISTIO_LAST_MINOR);
	return 0;
}

int istio_config_resolve(struct istio_config *c, const struct istio_facts *f, struct err *e)
{
	static const char groups[] = "OwnerGroupsInclude";

	if (check_values(c, e) < 0)
		return -1;
	c->ambient = strcmp(c->mode, "ambient") == 0;
	c->tproxy = !c->ambient && strcmp(c->interception_mode, "TPROXY") == 0;
	derive_cni_dns(c);
	if (derive_ids(c, e) < 0 || split_all(c, e) < 0 || derive_ipv6(c, f, e) < 0 ||
	    check_version(c, e) < 0 || derive_dns(c, f, e) < 0)
		return -1;
	if (c->groups.n > MAX_GROUPS)
		return refuse(istio_setting_find(groups, strlen(groups)), c->groups_include, e,
			      "%u groups, at most %d fit into the rule", c->groups.n, MAX_GROUPS);
	c->resolved = true;
	return note_surprises(c, e);
}
