/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settle - what was found in the rules, as settings */
#include <stdio.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/istio/recognise_parts.h"

struct settler {
	struct istio_config *c;
	const struct istio_evidence *x;
	unsigned minor;
	bool noted;
	struct err *e;
	bool failed;
};

static bool typed(const struct istio_config *c, const struct istio_setting *s)
{
	return c->source[s - istio_settings] > ISTIO_FROM_PRESET || c->sealed[s - istio_settings];
}

static void set_quietly(struct settler *s, const char *field, const char *value)
{
	const struct istio_setting *entry = istio_setting_find(field, strlen(field));

	if (!s->failed && value && !typed(s->c, entry))
		s->failed = istio_config_value(s->c, entry, value, ISTIO_FROM_RULES, s->e) < 0;
}

/* A value nobody typed; the person is told what is not as the preset has it. */
static void set(struct settler *s, const char *field, const char *value)
{
	const struct istio_setting *entry = istio_setting_find(field, strlen(field));
	char text[400];

	if (!value || s->failed)
		return;
	if (s->noted && !typed(s->c, entry) && strcmp(istio_config_text(s->c, entry), value) != 0) {
		snprintf(text, sizeof(text), "taken from the rules: %s=%s", entry->env, value);
		if (istio_list_add(s->c->arena, &s->c->notes, text) < 0) {
			err_oom(s->e);
			s->failed = true;
		}
	}
	set_quietly(s, field, value);
}

/* Items with commas between them; with @host the length of a whole address is left out. */
static const char *joined(struct settler *s, const struct istio_list *l, bool host)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *ret;

	for (unsigned i = 0; i < l->n; i++)
		buf_fmt(&b, "%s%.*s", i ? "," : "", host ? (int)strcspn(l->items[i], "/") : (int)strlen(l->items[i]),
			l->items[i]);
	ret = buf_failed(&b) ? NULL : arena_strdup(s->c->arena, buf_cstr(&b));
	if (!ret) {
		err_oom(s->e);
		s->failed = true;
	}
	return ret;
}

static void set_list(struct settler *s, const char *field, const struct istio_list *l)
{
	set(s, field, joined(s, l, false));
}

static bool list_is(const struct istio_list *l, const char *const *want, unsigned n, int without)
{
	unsigned k = 0;

	for (unsigned i = 0; i < n; i++) {
		if ((int)i == without)
			continue;
		if (k >= l->n || strcmp(l->items[k++], want[i]) != 0)
			return false;
	}
	return k == l->n;
}

static bool has(const struct istio_list *l, const char *item)
{
	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(l->items[i], item) == 0)
			return true;
	return false;
}

/*
 * The ports that every installer excludes. A list that is one of theirs but for one port, or in another
 * order, has lost a rule or had one moved; any other is what somebody asked for.
 */
static const char *excluded_ports(struct settler *s, const struct istio_list *l)
{
	static const char *const init[] = { "15090", "15021", "15020" }, *const cni[] = { "15020", "15021", "15090" };
	static const char *const vm[] = { "22", "15090", "15021", "15020" };
	const struct {
		const char *const *ports;
		unsigned n;
	} all[] = { { init, 3 }, { cni, 3 }, { vm, 4 } };

	for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
		if (list_is(l, all[i].ports, all[i].n, -1))
			return joined(s, l, false);
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
		for (unsigned k = 0; k < all[i].n; k++)
			if (list_is(l, all[i].ports, all[i].n, (int)k))
				return joined(s, &(struct istio_list){ (const char **)all[i].ports, all[i].n }, false);
	if (l->n == 3 && has(l, init[0]) && has(l, init[1]) && has(l, init[2]))
		return joined(s, &(struct istio_list){ (const char **)init, 3 }, false);
	return joined(s, l, false);
}

static void inbound(struct settler *s)
{
	const struct istio_found *f = &s->x->f;
	struct istio_list exclude = f->ports_in_exclude;
	bool all = f->inbound_all || f->inbound_odd || (f->inbound && !f->ports_in.n);

	set(s, "InboundInterceptionMode", f->tproxy ? "TPROXY" : "REDIRECT");
	set(s, "InboundCapturePort", f->capture_port);
	set(s, "InboundTunnelPort", f->tunnel_port);
	if (f->tproxy)
		set(s, "InboundTProxyMark", f->mark);
	if (s->x->table) {
		char table[16];

		snprintf(table, sizeof(table), "%u", s->x->table);
		set(s, "InboundTProxyRouteTable", table);
	}
	if (!all) {
		set_list(s, "InboundPortsInclude", &f->ports_in);
		return;
	}
	set(s, "InboundPortsInclude", "*");
	if (s->minor < 13 && exclude.n && strcmp(exclude.items[0], "22") == 0) {
		exclude.items++;
		exclude.n--;
	}
	/* Only where the chain is empty altogether were no ports excluded and none captured. */
	if (exclude.n || f->inbound_all)
		set(s, "InboundPortsExclude", excluded_ports(s, &exclude));
}

static void owners(struct settler *s)
{
	const struct istio_found *f = &s->x->f;
	const char *uids = joined(s, &f->uids, false), *gids = joined(s, &f->gids, false);

	if (f->uids.n)
		set(s, "ProxyUID", uids);
	if (f->gids.n && f->uids.n && strcmp(uids, gids) != 0)
		set(s, "ProxyGID", gids);
	if (f->groups_said)
		set_list(s, "OwnerGroupsInclude", &f->groups);
	else if (f->groups_not.n)
		set_list(s, "OwnerGroupsExclude", &f->groups_not);
}

static void outbound(struct settler *s)
{
	const struct istio_found *f = &s->x->f;

	set(s, "ProxyPort", f->proxy_port);
	if (f->star)
		set(s, "OutboundIPRangesInclude", "*");
	else if (f->include.n || s->x->no_outbound)
		set_list(s, "OutboundIPRangesInclude", &f->include);
	else if (s->noted && istio_list_add(s->c->arena, &s->c->notes,
					    "no rule captures outbound connections: either it is missing, as taken here, or "
					    "ISTIO_SERVICE_CIDR is empty") < 0)
		s->failed = true;
	if (f->exclude.n)
		set_list(s, "OutboundIPRangesExclude", &f->exclude);
	if (f->ports_out.n)
		set_list(s, "OutboundPortsInclude", &f->ports_out);
	if (f->ports_out_exclude.n)
		set_list(s, "OutboundPortsExclude", &f->ports_out_exclude);
	if (f->nics_exclude.n)
		set_list(s, "ExcludeInterfaces", &f->nics_exclude);
	if (s->x->wide_loopback)
		set(s, "HostIPv4LoopbackCidr", f->loopback);
}

static void dns(struct settler *s)
{
	const struct istio_found *f = &s->x->f;

	if (!f->dns) {
		set_quietly(s, "RedirectDNS", "false");
		return;
	}
	set(s, "RedirectDNS", "true");
	if (f->dns_all)
		set(s, "CaptureAllDNS", "true");
	else if (f->servers.n || s->minor < 25)
		set(s, "DNSServers", joined(s, &f->servers, true));
	else /* of a family without rules: there is one, but which leaves no trace */
		set_quietly(s, "DNSServers", s->x->ipv6 ? "0.0.0.0" : "::");
}

static void ambient(struct settler *s)
{
	const struct istio_found *f = &s->x->f;

	set(s, "Mode", "ambient");
	if (f->old_ambient || s->minor == 23)
		set(s, "InboundInterceptionMode", f->old_ambient ? "TPROXY" : "REDIRECT");
	set_quietly(s, "RedirectDNS", f->dns ? "true" : "false");
	set_quietly(s, "IngressMode", f->ingress ? "true" : "false");
	set(s, "HostProbeSNATAddress", f->probe);
	set(s, "HostProbeV6SNATAddress", s->x->probe6);
}

int istio_settle(struct istio_config *c, const struct istio_evidence *x, unsigned minor, bool noted, struct err *e)
{
	struct settler s = { c, x, minor, noted, e, false };
	char version[16];

	snprintf(version, sizeof(version), "1.%u", minor);
	set_quietly(&s, "Version", version);
	if (x->store == STORE_NATIVE)
		set_quietly(&s, "NativeNftables", "true");
	if (x->ipv6)
		set(&s, "EnableIPv6", "true");
	else if (x->f.ambient)
		set_quietly(&s, "EnableIPv6", "false");
	if (x->f.nics_virtual.n)
		set_list(&s, "RerouteVirtualInterfaces", &x->f.nics_virtual);
	if (x->f.ambient) {
		ambient(&s);
		return s.failed ? -1 : 0;
	}
	set_quietly(&s, "Mode", "sidecar");
	if (x->f.drop_invalid || (minor < 24 && x->f.drop_plain))
		set(&s, "DropInvalid", "true");
	inbound(&s);
	owners(&s);
	outbound(&s);
	dns(&s);
	return s.failed ? -1 : 0;
}
