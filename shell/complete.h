/* SPDX-License-Identifier: GPL-2.0-or-later */
/* complete - what may stand next on a line: commands, options, targets, tables, settings */
#ifndef SHELL_COMPLETE_H
#define SHELL_COMPLETE_H

#include <stdbool.h>

#include "commands/command.h"

struct complete {
	char **words;	/* candidates that begin with what stands there; sorted, none twice */
	const char **help; /* by index in 'words': a line about it, or NULL; not owned */
	unsigned n;
	bool files;	/* names of files fit as well */
	bool no_space;	/* what was completed goes on: "KEY=", a list */
	char hint[200];	/* what is expected, for a person; "" when that is plain */
};

/**
 * complete_words() - candidates for the next word of a line
 * @s:		session, for targets and rules; nothing of it changes
 * @n, @before:	the words in front of it
 * @word:	its beginning, perhaps ""
 * @ret:	set always; to be given back with complete_free()
 *
 * A source that cannot be asked (no permission, no runtime) offers nothing.
 */
void complete_words(struct session *s, int n, char **before, const char *word, struct complete *ret);
void complete_free(struct complete *c);

/* complete_add() - offer a word if it begins with what stands there; for the sources below */
struct offer {
	struct complete *c;
	const char *prefix;  /* of the word that is matched */
	const char *lead;    /* what stands in front of it in the same word: "--table=", "legacy," */
	bool any_case;	     /* the words are understood in any case of letters */
};
void complete_add(struct offer *o, const char *word);
void complete_add_help(struct offer *o, const char *word, const char *help); /* @help must stay */
void complete_list(struct offer *o, const char *const *words); /* NULL-ended, or NULL */

/* complete_values.c: words that have an inner grammar */
/* What of a connection the words in front have settled. */
struct complete_connection {
	bool path, proto, dst;
	const char *key; /* its value must follow; NULL: none */
};
void complete_connection_word(struct complete_connection *c, const char *word); /* one more stands in front */
void complete_connection(struct session *s, struct offer *o, const struct complete_connection *c);
void complete_settings(struct session *s, struct offer *o);	  /* NAME=VALUE of the session */
void complete_istio_settings(struct session *s, struct offer *o); /* KEY=VALUE of Istio */

/* complete_live.c, complete_rules.c: what only the machine knows */
void complete_targets(struct session *s, struct offer *o);
void complete_tables(struct session *s, struct offer *o);
void complete_chains(struct session *s, struct offer *o);
void complete_interfaces(struct session *s, struct offer *o);
void complete_listeners(struct session *s, struct offer *o); /* ADDRESS:PORT */
void complete_ports(struct session *s, struct offer *o);     /* that something listens on */
void complete_uids(struct session *s, struct offer *o);	     /* of the target's processes and sockets */
void complete_files(struct offer *o);
void complete_programs(struct offer *o); /* of $PATH */

#endif
