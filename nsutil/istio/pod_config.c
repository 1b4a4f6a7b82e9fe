/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pod_config - Istio's configuration from where it lives: the pod's containers, annotations, processes */
#include "nsutil/istio/pod_config.h"

#include <stdio.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/pod/proc.h"

enum { PROC_MAX = 256 << 10, WORDS_MAX = 2000 };

static const char *env_value(const char *const *env, const char *key)
{
	size_t n = strlen(key);

	for (; env && *env; env++)
		if (strncmp(*env, key, n) == 0 && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

static const struct launch *launch_of(const struct pod *p, const char *container)
{
	for (const struct launch *l = p ? p->launches : NULL; l; l = l->next)
		if (strcmp(l->container, container) == 0)
			return l;
	return NULL;
}

/* The strings of a file in /proc that are ended by NUL each. */
static const char *const *proc_words(struct arena *a, const char *proc, pid_t pid, const char *name)
{
	_cleanup_free_ char *text = NULL;
	long len = proc_read(proc, pid, name, PROC_MAX, &text);
	const char **at = NULL;
	char *copy = len > 0 ? arena_dup(a, text, (size_t)len + 1) : NULL;
	unsigned n = 0;

	for (char *p = copy; p && p < copy + len && n < WORDS_MAX; p += strlen(p) + 1) {
		at = arena_grow(a, at, n, sizeof(*at));
		if (!at)
			return NULL;
		at[n++] = p;
	}
	at = n ? arena_grow(a, at, n, sizeof(*at)) : NULL;
	if (at)
		at[n] = NULL;
	return at;
}

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

static bool is_programmer(const char *const *args)
{
	const char *name = args ? base_name(args[0]) : NULL;

	if (name && strcmp(name, "pilot-agent") == 0)
		name = base_name(args[1]);
	return name && strcmp(name, "istio-iptables") == 0;
}

/* A process of the namespace that is Istio's: the programmer itself, or the proxy. */
static void take_process(struct arena *a, const char *proc, pid_t pid, const char *comm, struct istio_pod_sources *s)
{
	const char *const *args = proc_words(a, proc, pid, "cmdline");
	struct launch l = { .container = comm, .uid = -1, .gid = -1 };

	l.source = arena_printf(a, "process %d (%s)", (int)pid, comm);
	l.env = proc_words(a, proc, pid, "environ");
	l.args = args;
	if (is_programmer(args) && !s->has_init) {
		s->init = l;
		s->has_init = true;
	} else if (!is_programmer(args) && !s->has_proxy && l.env) {
		s->proxy = l;
		s->has_proxy = true;
	}
}

static void find_processes(struct arena *a, const struct target *t, struct istio_pod_sources *s)
{
	static const char *const names[] = { "pilot-agent", "envoy", "istio-iptables" };
	pid_t *pids;
	size_t n;

	if (!t->proc || !t->netns.inode || proc_pids(t->proc, a, &pids, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		for (unsigned k = 0; k < ARRAY_SIZE(names); k++) {
			struct proc_stat st;
			uint64_t inode;

			if (proc_stat(t->proc, pids[i], &st) == 0 && strcmp(st.comm, names[k]) == 0 &&
			    proc_netns(t->proc, pids[i], &inode) == 0 && inode == t->netns.inode)
				take_process(a, t->proc, pids[i], names[k], s);
		}
}

void istio_pod_sources(struct arena *a, const struct target *t, struct istio_pod_sources *s)
{
	const struct launch *init = launch_of(t->pod, "istio-init"), *proxy = launch_of(t->pod, "istio-proxy");

	*s = (struct istio_pod_sources){ .has_init = false };
	s->annotations = t->pod ? t->pod->annotations : NULL;
	if (init && init->args) {
		s->init = *init;
		s->has_init = true;
	}
	if (proxy && proxy->env) {
		s->proxy = *proxy;
		s->has_proxy = true;
	}
	if (!s->has_init && !s->has_proxy) /* one of them is enough, and a runtime that tells of one tells of both */
		find_processes(a, t, s);
}

static int set(struct istio_config *c, const char *field, const char *value, enum istio_source from, struct err *e)
{
	return istio_config_value(c, istio_setting_find(field, strlen(field)), value, from, e);
}

/* The version is that of the image: ".../proxyv2:1.22.3-distroless". */
static int take_version(struct istio_config *c, const struct launch *l, struct err *e)
{
	const char *colon = l->image ? strrchr(l->image, ':') : NULL;
	unsigned minor;
	char text[16];

	if (!colon || sscanf(colon, ":1.%2u", &minor) != 1 || minor < 7)
		return 0;
	if (minor > ISTIO_LAST_MINOR)
		minor = ISTIO_LAST_MINOR;
	snprintf(text, sizeof(text), "1.%u", minor);
	c->origin_now = arena_printf(c->arena, "image %s", l->image);
	return set(c, "Version", text, ISTIO_FROM_ENV, e);
}

/* Variables as Istio's programmer reads them: present counts, though empty; no truth is no value (SPEC A1). */
static int take_environment(struct istio_config *c, const struct launch *l, struct err *e)
{
	unsigned minor = 0;

	sscanf(c->version, "1.%2u", &minor);
	for (const struct istio_setting *s = istio_settings; s->field; s++) {
		const char *names[] = { s->env, s->env2 };

		for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
			const char *value = names[i] ? env_value(l->env, names[i]) : NULL;
			bool truth;

			if (!value || s->flags & ISTIO_SET_OURS || (s->kind == ISTIO_BOOL && istio_truth(value, &truth) < 0))
				continue;
			c->origin_now = arena_printf(c->arena, "environment of %s", l->container);
			if (istio_config_value(c, s, value, i ? ISTIO_FROM_ENV2 : ISTIO_FROM_ENV, e) < 0)
				return -1;
		}
	}
	c->origin_now = "environment: ENVOY_PORT";
	if (minor <= 20 && env_value(l->env, "ENVOY_PORT"))
		return set(c, "ProxyPort", env_value(l->env, "ENVOY_PORT"), ISTIO_FROM_ENV, e);
	return 0;
}

static int from_init(struct istio_config *c, const struct launch *l, struct err *e)
{
	int n = 0;

	if (take_version(c, l, e) < 0 || take_environment(c, l, e) < 0)
		return -1;
	while (l->args[n])
		n++;
	c->origin_now = arena_printf(c->arena, "argument of %s", l->container);
	return istio_config_argv(c, n, (char *const *)l->args, e);
}

static bool listed(const char *list, const char *item, size_t n)
{
	for (; *list; list += strcspn(list, ",") + (list[strcspn(list, ",")] == ','))
		if (strcspn(list, ",") == n && strncmp(list, item, n) == 0)
			return true;
	return false;
}

/* The annotation's ports, or 15020, then the three that are always excluded; each once (SPEC A6). */
static const char *cni_ports(struct arena *a, const char *annotation)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *parts[] = { annotation ? annotation : "15020", "15020,15021,15090" };

	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++)
		for (const char *p = parts[i]; *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ',')) {
			size_t n = strcspn(p, ",");

			if (n && !listed(buf_cstr(&b), p, n))
				buf_fmt(&b, "%s%.*s", b.len ? "," : "", (int)n, p);
		}
	return buf_failed(&b) ? NULL : arena_strdup(a, buf_cstr(&b));
}

/* Annotations that the CNI plugin goes by; a later line wins over a former one. */
static const struct {
	const char *key, *field;
} annotations[] = {
	{ "sidecar.istio.io/interceptionMode", "InboundInterceptionMode" },
	{ "traffic.sidecar.istio.io/includeOutboundIPRanges", "OutboundIPRangesInclude" },
	{ "traffic.sidecar.istio.io/excludeOutboundIPRanges", "OutboundIPRangesExclude" },
	{ "traffic.sidecar.istio.io/includeInboundPorts", "InboundPortsInclude" },
	{ "traffic.sidecar.istio.io/excludeInboundPorts", "InboundPortsExclude" },
	{ "traffic.sidecar.istio.io/includeOutboundPorts", "OutboundPortsInclude" },
	{ "traffic.sidecar.istio.io/excludeOutboundPorts", "OutboundPortsExclude" },
	{ "traffic.sidecar.istio.io/excludeInterfaces", "ExcludeInterfaces" },
	{ "traffic.sidecar.istio.io/kubevirtInterfaces", "RerouteVirtualInterfaces" },
	{ "istio.io/reroute-virtual-interfaces", "RerouteVirtualInterfaces" },
};

static int take_annotations(struct istio_config *c, const struct istio_pod_sources *s, struct err *e)
{
	for (unsigned i = 0; i < ARRAY_SIZE(annotations); i++) {
		const char *value = env_value(s->annotations, annotations[i].key);

		if (!value)
			continue;
		if (strcmp(annotations[i].field, "InboundPortsExclude") == 0)
			value = cni_ports(c->arena, value);
		c->origin_now = arena_printf(c->arena, "annotation %s", annotations[i].key);
		if (!value || !c->origin_now)
			return err_oom(e);
		if (set(c, annotations[i].field, value, ISTIO_FROM_ARGV, e) < 0)
			return -1;
	}
	return 0;
}

/* The proxy's user: 0 and what is not told are 1337. */
static int take_user(struct istio_config *c, const struct launch *l, struct err *e)
{
	const struct {
		const char *field;
		int64_t id;
	} ids[] = { { "ProxyUID", l->uid }, { "ProxyGID", l->gid } };
	char text[24];

	c->origin_now = "user of istio-proxy";
	for (unsigned i = 0; i < ARRAY_SIZE(ids); i++) {
		if (ids[i].id <= 0)
			continue;
		snprintf(text, sizeof(text), "%lld", (long long)ids[i].id);
		if (set(c, ids[i].field, text, ISTIO_FROM_ENV, e) < 0)
			return -1;
	}
	return 0;
}

/* The plugin reads three variables of the proxy, one of them for two settings. */
static int cni_environment(struct istio_config *c, const struct launch *l, struct err *e)
{
	static const struct {
		const char *key, *field;
	} keys[] = {
		{ "ISTIO_META_DNS_CAPTURE", "RedirectDNS" }, { "ISTIO_META_DNS_CAPTURE", "CaptureAllDNS" },
		{ "INVALID_DROP", "DropInvalid" }, { "ISTIO_DUAL_STACK", "DualStack" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = env_value(l->env, keys[i].key);
		bool truth;

		c->origin_now = arena_printf(c->arena, "environment of %s", l->container);
		if (value && istio_truth(value, &truth) == 0 && set(c, keys[i].field, value, ISTIO_FROM_ENV, e) < 0)
			return -1;
	}
	return 0;
}

static int from_cni(struct istio_config *c, const struct istio_pod_sources *s, struct err *e)
{
	if (take_version(c, &s->proxy, e) < 0 || take_user(c, &s->proxy, e) < 0 ||
	    cni_environment(c, &s->proxy, e) < 0)
		return -1;
	return take_annotations(c, s, e);
}

/* What proxyMetadata says goes to istio-init and to the proxy alike; the mode is in every proxy's environment. */
static int from_proxy(struct istio_config *c, const struct launch *l, struct err *e)
{
	const char *mode = env_value(l->env, "ISTIO_META_INTERCEPTION_MODE");

	c->origin_now = arena_printf(c->arena, "environment of %s", l->container);
	if (mode && strcmp(mode, "NONE") != 0 && set(c, "InboundInterceptionMode", mode, ISTIO_FROM_ENV, e) < 0)
		return -1;
	return take_environment(c, l, e);
}

/* What an ambient pod asks of the node's agent for itself (SPEC A7); the agent takes no other word than a truth. */
static const struct {
	const char *key, *field;
	bool truth;
} ambient_annotations[] = {
	{ "ambient.istio.io/bypass-inbound-capture", "IngressMode", true },
	{ "ambient.istio.io/dns-capture", "RedirectDNS", true },
	{ "istio.io/reroute-virtual-interfaces", "RerouteVirtualInterfaces", false },
};

/* Without a proxy of its own, and with a word to the agent. */
static bool is_ambient(const struct istio_pod_sources *s)
{
	return !s->has_init && !s->has_proxy && (env_value(s->annotations, ambient_annotations[0].key) ||
						 env_value(s->annotations, ambient_annotations[1].key));
}

static int from_ambient(struct istio_config *c, const struct istio_pod_sources *s, struct err *e)
{
	for (unsigned i = 0; i < ARRAY_SIZE(ambient_annotations); i++) {
		const char *value = env_value(s->annotations, ambient_annotations[i].key);
		bool truth;

		if (!value || (ambient_annotations[i].truth && istio_truth(value, &truth) < 0))
			continue;
		c->origin_now = arena_printf(c->arena, "annotation %s", ambient_annotations[i].key);
		if (set(c, ambient_annotations[i].field, value, ISTIO_FROM_ARGV, e) < 0)
			return -1;
	}
	return 0;
}

static bool any_set(const struct istio_config *c)
{
	for (const struct istio_setting *s = istio_settings; s->field; s++)
		if (c->source[s - istio_settings] > ISTIO_FROM_PRESET)
			return true;
	return false;
}

/*
 * All is known, also what was not said: that is a default, and no matter for guesses. But the CNI plugin reads some
 * from the node agent's environment, where nobody of the pod sees them (SPEC A3).
 */
static void seal(struct istio_config *c, bool cni)
{
	static const char *const open[] = { "Version", "EnableIPv6", "DNSServers" };
	static const char *const of_agent[] = { "HostIPv4LoopbackCidr", "OwnerGroupsInclude", "OwnerGroupsExclude" };

	for (const struct istio_setting *s = istio_settings; s->field; s++) {
		bool stays_open = false;

		for (unsigned i = 0; i < ARRAY_SIZE(open); i++)
			stays_open |= strcmp(s->field, open[i]) == 0;
		for (unsigned i = 0; cni && i < ARRAY_SIZE(of_agent); i++)
			stays_open |= strcmp(s->field, of_agent[i]) == 0;
		if (!stays_open && c->source[s - istio_settings] <= ISTIO_FROM_PRESET)
			c->sealed[s - istio_settings] = true;
	}
}

int istio_pod_config_of(struct arena *a, const struct istio_pod_sources *s, struct istio_config **ret,
			enum istio_pod_knows *ret_knows, struct err *e)
{
	bool ambient = is_ambient(s);
	struct err trouble = ERR_INIT;
	const char *told;
	bool cni;
	int r;

	*ret_knows = ISTIO_POD_NOTHING;
	cni = !s->has_init && s->has_proxy && env_value(s->annotations, "sidecar.istio.io/status");
	if (!s->has_init && !s->has_proxy && !ambient)
		return 0;
	if (istio_config_new(a, ambient ? "ambient" : s->has_init ? "none" : cni ? "cni" : "istio-init", ret, e) < 0)
		return -1;
	if (ambient)
		r = from_ambient(*ret, s, &trouble);
	else if (s->has_init)
		r = from_init(*ret, &s->init, &trouble);
	else
		r = cni ? from_cni(*ret, s, &trouble) : from_proxy(*ret, &s->proxy, &trouble);
	(*ret)->origin_now = NULL;
	if (r < 0) { /* somebody else's istio-init: what it was told is no configuration */
		_cleanup_free_ char *text = NULL;

		if (istio_config_new(a, "istio-init", ret, e) < 0 ||
		    asprintf(&text, "what the pod says is not understood: %s: %s", trouble.what, trouble.why) < 0 ||
		    istio_list_add(a, &(*ret)->notes, text) < 0)
			return err_oom(e);
		*ret_knows = ISTIO_POD_HINTS;
		return 0;
	}
	if (!s->has_init && !cni) {
		*ret_knows = any_set(*ret) ? ISTIO_POD_HINTS : ISTIO_POD_NOTHING;
		return 0;
	}
	seal(*ret, cni);
	told = s->has_init ? s->init.source : s->proxy.source;
	(*ret)->told_by = arena_printf(a, "%s (%s)", s->has_init ? s->init.container : "annotations and istio-proxy",
				       told ? told : "?");
	*ret_knows = ISTIO_POD_ALL;
	return (*ret)->told_by ? 0 : err_oom(e);
}

/* Variables beside the settings that say something of the configuration. */
static const char *const more_variables[] = {
	"ISTIO_META_DNS_CAPTURE", "INVALID_DROP", "ISTIO_DUAL_STACK", "ISTIO_META_INTERCEPTION_MODE", "ENVOY_PORT",
};

static bool is_key(const char *assignment, const char *key)
{
	size_t n = key ? strlen(key) : 0;

	return n && strncmp(assignment, key, n) == 0 && assignment[n] == '=';
}

bool istio_pod_variable(const char *assignment)
{
	for (const struct istio_setting *s = istio_settings; s->field; s++)
		if (!(s->flags & ISTIO_SET_OURS) && (is_key(assignment, s->env) || is_key(assignment, s->env2)))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(more_variables); i++)
		if (is_key(assignment, more_variables[i]))
			return true;
	return false;
}

bool istio_pod_annotation(const char *assignment)
{
	for (size_t i = 0; i < ARRAY_SIZE(annotations); i++)
		if (is_key(assignment, annotations[i].key))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(ambient_annotations); i++)
		if (is_key(assignment, ambient_annotations[i].key))
			return true;
	return is_key(assignment, "sidecar.istio.io/status");
}

int istio_pod_config(struct arena *a, const struct target *t, struct istio_config **ret,
		     enum istio_pod_knows *ret_knows, struct err *e)
{
	struct istio_pod_sources s;

	istio_pod_sources(a, t, &s);
	return istio_pod_config_of(a, &s, ret, ret_knows, e);
}
