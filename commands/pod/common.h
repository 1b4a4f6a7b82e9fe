/* SPDX-License-Identifier: GPL-2.0-or-later */
/* common - what pods, use and info share: a pod's rules and mesh mode, words for evidence */
#ifndef COMMANDS_POD_COMMON_H
#define COMMANDS_POD_COMMON_H

#include "nsutil/pod/mesh.h"
#include "nsutil/pod/target.h"
#include "nsutil/ruleset/model.h"
#include "shell/out/out.h"
#include "shell/session.h"

struct store_count {
	unsigned tables, chains, rules;
};

/* pod_put_evidence() - a list of evidence under a key; as text one line each, indented */
void pod_put_evidence(const struct evidence *list, const char *key, struct out *o);

/* pod_put_ips() - array "ips"; as text joined by commas */
void pod_put_ips(const struct pod *p, struct out *o);

/* pod_put_mesh() - "mesh" and "mesh_reason"; as text the mode in its colour */
void pod_put_mesh(const struct mesh *m, bool reason, struct out *o);

/* pod_count_stores() - how much each store holds; @ret has STORE_COUNT elements */
void pod_count_stores(const struct ruleset *rs, struct store_count ret[STORE_COUNT]);

/* pod_store_name() - legacy, compat, native */
const char *pod_store_name(enum store s);

/* pod_options_of() - where the session looks for pods */
struct pod_options pod_options_of(const struct session *s);

#endif
