/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d46_wrong_port - inbound connections are sent to the outbound listener */
#include <netinet/in.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/check.h"

enum { PORT_IN = 15006 };

struct ports {
	const struct rule *in;
	unsigned in_port, out_port;
};

static bool take(const struct rule *r, void *arg)
{
	struct ports *p = arg;

	if (chains_named(r->chain, "ISTIO_IN_REDIRECT") && !p->in_port) {
		p->in = r;
		p->in_port = chains_port(r, NULL);
	} else if (chains_named(r->chain, "ISTIO_REDIRECT") && !p->out_port) {
		p->out_port = chains_port(r, NULL);
	}
	return false;
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = doctor_rules(d);
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct netview *nv;
	struct ports p = { .in = NULL };
	struct doctor_finding *f;

	if (rs)
		chains_each(rs, take, &p);
	if (!p.in || p.in_port == PORT_IN)
		return;
	nv = doctor_sockets(d);
	if (!nv || !facts_listens(nv, IPPROTO_TCP, PORT_IN) || (p.in_port != p.out_port && facts_listens(nv, IPPROTO_TCP, p.in_port)))
		return;
	f = doctor_find(d, "inbound connections are sent to port %u, but the proxy listens for them on %d", p.in_port, PORT_IN);
	doctor_see(d, f, "rule", store_name(p.in->chain->table->store), "%s: %s", p.in->chain->name, chains_text(p.in, &b));
	doctor_see(d, f, "listener", "sockets of the namespace", "%d", PORT_IN);
	doctor_fix(d, f, "restart the pod, so that its rules and its proxy are of one version");
}

const struct doctor_entry doctor_d46 = {
	.id = "D46",
	.title = "inbound traffic goes to the wrong port",
	.link = "https://github.com/istio/istio/issues/28026",
	.explain = "Old rules (one port for both directions) and a newer proxy: inbound connections reach the outbound listener.\n"
		   "It is told by the port of ISTIO_IN_REDIRECT, which is that of ISTIO_REDIRECT or a dead one, while the proxy\n"
		   "listens on 15006.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_POD,
	.check = check,
};
