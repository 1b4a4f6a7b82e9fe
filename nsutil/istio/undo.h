/* SPDX-License-Identifier: GPL-2.0-or-later */
/* undo - keeps the former state of what a change touches, and brings it back */
#ifndef NSUTIL_ISTIO_UNDO_H
#define NSUTIL_ISTIO_UNDO_H

#include "nsutil/istio/change.h"

/*
 * A file for each change, below $XDG_STATE_HOME/cnish/undo (else ~/.local/state), readable by its
 * owner only, written and synced before anything is changed. Its head names the network namespace in
 * a way that is not used again while the machine runs (its cookie and the boot's id); then comes, for
 * each store and family, iptables-save text of the tables that are touched, each under a line with
 * the fingerprints it has before and will have after the change. So a change that was cut off can
 * be undone too: every table is one or the other, guardrails aside. Interfaces that were configured are
 * noted: their rules look like anybody's, see istio_undo_known().
 */
struct istio_undo_table {
	enum store store;
	uint8_t family;
	const char *name;
	bool absent;	       /* there was no such table */
	uint64_t before, after; /* fingerprints */
};

struct istio_undo {
	const char *path;
	const char *id;	     /* the time as it stands in the file's name: what a person types */
	const char *command; /* "istio apply" */
	const char *label;   /* of the target */
	const char *excluded, *virtual_nics; /* lists of interfaces as they were configured; NULL: none */
	int64_t time;	     /* seconds since 1970 */
	bool undone;
	struct istio_undo_table *tables;
	unsigned n_tables;
	bool guarded[2][2]; /* guardrails stood meanwhile: by store, legacy and compat, and family, IPv4 and IPv6 */
	struct istio_routing_edit *steps; /* what was done to routing, in order */
	unsigned n_steps;
};

/**
 * istio_undo_write() - write the former state to a file of its own and sync it
 * @a:		arena of the path
 * @ns:		namespace
 * @c:		change that is about to be carried out
 * @command:	"istio apply", for the list
 * @label:	of the target, likewise
 * @ret_path:	set on success
 * @e:		error
 *
 * Return: 0, or -1
 */
int istio_undo_write(struct arena *a, const struct netns *ns, const struct istio_change *c, const char *command,
		     const char *label, const char **ret_path, struct err *e);

/**
 * istio_undo_list() - the files of a namespace, the newest first
 * @a:		arena of the result
 * @ns:		namespace
 * @ret:	set on success
 * @ret_n:	set on success
 * @e:		error; a file that is not understood is passed over
 *
 * Return: 0, or -1
 */
int istio_undo_list(struct arena *a, const struct netns *ns, struct istio_undo **ret, unsigned *ret_n,
		    struct err *e);

/**
 * istio_undo_known() - whose rules the last change that was not taken back made
 * @a:		arena of the result
 * @ns:		namespace
 * @ret:	set; empty when nothing was recorded, or Istio was removed since
 *
 * Return: 0, -1 when memory ran out; files that cannot be read are as good as none
 */
int istio_undo_known(struct arena *a, const struct netns *ns, struct istio_known *ret);

enum istio_undo_state {
	ISTIO_UNDO_BEFORE, /* all is as it was: nothing to do */
	ISTIO_UNDO_AFTER,  /* all tables are as the change left them, or as they were */
	ISTIO_UNDO_MOVED,  /* something else changed one of them since */
};

/**
 * istio_undo_judge() - has the state moved on since?
 * @u:		of istio_undo_list()
 * @rs:		ruleset as it is
 * @ret:	set on success
 * @ret_table:	a table that moved on; may be NULL
 * @e:		out of memory
 *
 * Return: 0, or -1
 */
int istio_undo_judge(const struct istio_undo *u, const struct ruleset *rs, enum istio_undo_state *ret,
		     const struct istio_undo_table **ret_table, struct err *e);

/**
 * istio_undo_change() - the change that brings the former state back
 * @a:		arena of the result
 * @u:		what to undo
 * @rs:		ruleset as it is; must outlive the result
 * @nv:		routing as it is
 * @saved:	an empty ruleset that gets the former rules; must outlive the result
 * @native:	set on success, to be given back with istio_native_free(); must outlive the result
 * @ret:	set on success
 * @e:		error
 *
 * Chains of others that came in since, and rules iptables has no words for, stay.
 *
 * Return: 0, or -1
 */
int istio_undo_change(struct arena *a, const struct istio_undo *u, const struct ruleset *rs,
		      const struct netview *nv, struct ruleset *saved, struct istio_native *native,
		      struct istio_change *ret, struct err *e);

/* istio_undo_done() - note in the file that it was undone; 0, or -1 */
int istio_undo_done(const struct istio_undo *u, struct err *e);

/* Between undo.c and undo_read.c: the folder, and what a namespace is called in the head of a file. */
char *istio_undo_folder(struct arena *a);
const char *istio_undo_identity(struct arena *a, const struct netns *ns);

#endif
