/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flows - what belongs to a tracked connection: its socket and process, and the rule that redirected it */
#ifndef COMMANDS_NET_FLOWS_H
#define COMMANDS_NET_FLOWS_H

#include "commands/command.h"
#include "nsutil/dump/bundle.h"
#include "nsutil/netns/conns.h"
#include "nsutil/pod/target.h"
#include "nsutil/ruleset/model.h"
#include "nsutil/ruleset/netview.h"

struct tracer;

struct flows {
	const struct target *t;
	struct netview *nv;	/* NULL: could not be read */
	struct ruleset *rs;	/* likewise */
	struct tracer *tracer;
	struct arena *arena;	/* of what follows */
	struct bundle_about about; /* of a file: its processes */
};

/**
 * flows_open() - read sockets with processes, links, routes and rules of a target
 * @t:		target; must outlive the result
 * @ret:	set always, to be given back with flows_close()
 *
 * What cannot be read is missing: then less is told of a connection.
 */
void flows_open(const struct target *t, struct flows *ret);
void flows_close(struct flows *f);
#define _cleanup_flows_ __attribute__((cleanup(flows_close)))

/* flows_put_tuple() - one direction of a connection, as an object of JSON under @key */
void flows_put_tuple(const char *key, const struct conn_tuple *t, struct out *o);

/* flows_socket() - the socket of this namespace that a connection belongs to; NULL when none is known */
const struct nv_socket *flows_socket(const struct flows *f, const struct conn *c);

/**
 * flows_rule() - the rule that redirects such a connection
 * @f:		facts
 * @c:		connection
 *
 * The first packet is traced with what is known of the connection, by the rules as they are now.
 *
 * Return: the rule, which belongs to @f; NULL when nothing was redirected, when rules do not lead where the
 * connection went, or when the answer depends on something that is not known
 */
const struct rule *flows_rule(const struct flows *f, const struct conn *c);

/* flows_put_rule() - the key "rule": an object, or null; text: "legacy ip nat ISTIO_REDIRECT 1" */
void flows_put_rule(const struct rule *r, struct out *o);

#endif
