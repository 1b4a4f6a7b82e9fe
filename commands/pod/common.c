/* SPDX-License-Identifier: GPL-2.0-or-later */
/* common - what pods, use and info share: a pod's rules and mesh mode, words for evidence */
#include "commands/pod/common.h"

#include <string.h>

void pod_put_evidence(const struct evidence *list, const char *key, struct out *o)
{
	out_array(o, key);
	for (const struct evidence *ev = list; ev; ev = ev->next) {
		out_object(o, NULL);
		out_text(o, "  ");
		out_style(o, STYLE_DIM);
		out_str(o, "source", "%s: ", ev->source);
		out_style(o, STYLE_PLAIN);
		out_str(o, "says", "%s", ev->says);
		out_nl(o);
		out_object_end(o);
	}
	out_array_end(o);
}

void pod_put_ips(const struct pod *p, struct out *o)
{
	char text[ADDR_TEXT];

	if (out_structured(o)) {
		out_array(o, "ips");
		for (unsigned i = 0; i < p->n_ips; i++)
			out_str(o, NULL, "%s", addr_fmt(&p->ips[i], text));
		out_array_end(o);
		return;
	}
	for (unsigned i = 0; i < p->n_ips; i++)
		out_text(o, "%s%s", i ? "," : "", addr_fmt(&p->ips[i], text));
	if (!p->n_ips)
		out_text(o, "-");
}

void pod_put_mesh(const struct mesh *m, bool reason, struct out *o)
{
	static const enum out_style styles[] = { STYLE_WARN, STYLE_DIM, STYLE_GOOD, STYLE_GOOD };

	out_style(o, styles[m->mode]);
	out_str(o, "mesh", "%s", mesh_name(m->mode));
	out_style(o, STYLE_PLAIN);
	if (reason)
		out_text(o, " (");
	out_str(o, "mesh_reason", reason ? "%s" : NULL, m->reason);
	if (reason)
		out_text(o, ")");
}

void pod_count_stores(const struct ruleset *rs, struct store_count ret[STORE_COUNT])
{
	memset(ret, 0, sizeof(*ret) * STORE_COUNT);
	for (const struct table *t = rs ? rs->tables : NULL; t; t = t->next) {
		ret[t->store].tables++;
		for (const struct chain *c = t->chains; c; c = c->next) {
			ret[t->store].chains++;
			ret[t->store].rules += c->n_rules;
		}
	}
}

const char *pod_store_name(enum store s)
{
	static const char *const names[] = { "legacy", "compat", "native" };

	return names[s];
}

struct pod_options pod_options_of(const struct session *s)
{
	const struct session_options *o = session_options(s);

	return (struct pod_options){ .host_root = o->host_root, .runtime = o->runtime, .k8s_namespace = o->k8s_namespace };
}
