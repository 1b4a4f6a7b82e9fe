/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d21_listener - an application listens where the proxy does not deliver */
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/doctor/check.h"
#include "nsutil/doctor/intent.h"

enum { EPHEMERAL = 32768 };

struct listeners {
	const struct nv_socket *loopback, *own, *any; /* of one port, or of all when 'port' is 0 */
};

static bool is_proxy(const struct nv_socket *s)
{
	return (s->lport >= 15000 && s->lport < 15100) || strcmp(s->process, "envoy") == 0 ||
	       strcmp(s->process, "pilot-agent") == 0 || strcmp(s->process, "ztunnel") == 0;
}

static struct listeners collect(const struct netview *nv, unsigned port)
{
	struct listeners l = { NULL, NULL, NULL };

	for (unsigned i = 0; i < nv->n_sockets; i++) {
		const struct nv_socket *s = &nv->sockets[i];

		if (s->protocol != IPPROTO_TCP || !s->listening || (port ? s->lport != port : s->lport >= EPHEMERAL) || is_proxy(s))
			continue;
		if (addr_is_any(&s->local))
			l.any = s;
		else if (addr_is_loopback(&s->local))
			l.loopback = s;
		else
			l.own = s;
	}
	return l;
}

/* Before 1.10 the proxy delivered to 127.0.0.1, since then to the pod's address. */
static bool delivers_to_loopback(struct doctor *d)
{
	const char *v = intent_env(d, "ISTIO_META_ISTIO_VERSION");
	int major, minor;

	return v && sscanf(v, "%d.%d", &major, &minor) == 2 && major == 1 && minor < 10;
}

static void report(struct doctor *d, const struct nv_socket *s, bool loopback, const char *declared)
{
	char text[ADDR_TEXT];
	struct doctor_finding *f;

	addr_fmt(&s->local, text);
	f = doctor_find(d, "%s listens on %s:%u only, and the proxy delivers to %s: what comes from outside is refused",
			s->process[0] ? s->process : "an application", text, s->lport,
			loopback ? "the pod's address" : "127.0.0.1 (before Istio 1.10)");
	f->severity = declared ? DOCTOR_WARNING : DOCTOR_INFO;
	doctor_see(d, f, "listener", "sockets of the namespace", "%s:%u, pid %d; none on another address", text, s->lport, (int)s->pid);
	if (declared)
		doctor_see(d, f, "ports of the pod", "ISTIO_META_POD_PORTS of the proxy", "%.300s", declared);
	doctor_fix(d, f, "listen on 0.0.0.0 or [::], or say 'defaultEndpoint: 127.0.0.1:%u' in a Sidecar resource", s->lport);
}

static bool check_port(struct doctor *d, const struct netview *nv, unsigned port, const char *declared)
{
	struct listeners l = collect(nv, port);
	bool old = delivers_to_loopback(d);

	if (l.any || (!old && l.own) || (old && l.loopback) || (!l.own && !l.loopback))
		return false;
	report(d, old ? l.own : l.loopback, !old, declared);
	return true;
}

static void check_declared(struct doctor *d, const struct netview *nv, const char *declared)
{
	json_t *ports = json_loads(declared, 0, NULL), *p;
	size_t i;

	json_array_foreach(ports, i, p) {
		json_int_t port = json_integer_value(json_object_get(p, "containerPort"));

		if (port > 0 && port < 65536 && check_port(d, nv, (unsigned)port, declared))
			break;
	}
	json_decref(ports);
}

static void check(struct doctor *d)
{
	const struct netview *nv = facts_mesh(d)->mode == MESH_SIDECAR ? doctor_sockets(d) : NULL;
	const char *declared = nv ? intent_env(d, "ISTIO_META_POD_PORTS") : NULL;

	if (!nv || facts_is_gateway(d))
		return;
	if (declared)
		check_declared(d, nv, declared);
	else
		check_port(d, nv, 0, NULL);
}

const struct doctor_entry doctor_d21 = {
	.id = "D21",
	.title = "the application listens on an address that the proxy does not use",
	.link = "https://github.com/istio/istio/issues/29940",
	.explain = "Since Istio 1.10 the proxy passes inbound connections on to the pod's own address, before to 127.0.0.1. An\n"
		   "application that listens on the other one only gets none.\n"
		   "It is told by the ports that the pod declares (ISTIO_META_POD_PORTS of the proxy) and the addresses of their\n"
		   "listeners; where no ports are declared, by a pod all of whose listeners are on loopback.",
	.severity = DOCTOR_WARNING,
	.scope = DOCTOR_POD,
	.check = check,
};
