/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump - rules out of files: iptables-save text, nft JSON and text, istio-init logs, folders, bundles */
#ifndef NSUTIL_DUMP_DUMP_H
#define NSUTIL_DUMP_DUMP_H

#include <stdbool.h>
#include <stddef.h>

#include "nsutil/base/err.h"
#include "nsutil/ruleset/model.h"

/* What a file holds, told by its content, never by its name. */
enum dump_format {
	DUMP_UNKNOWN,
	DUMP_SAVE,	/* iptables-save text, alone or within a log */
	DUMP_NFT_JSON,	/* nft -j list ruleset */
	DUMP_NFT_TEXT,	/* nft list ruleset */
	DUMP_BUNDLE,	/* of cnish */
};

struct dump_source {
	const char *path; /* for messages, and to be read when 'data' is NULL; may be a folder */
	const char *data; /* the content, when it was read already (standard input) */
	size_t size;
};

/* dump_format() - tell what a text is */
enum dump_format dump_format(const char *data, size_t size);

/**
 * dump_load() - add the rules of an offline source to a ruleset
 * @src:	source
 * @rs:		ruleset
 * @e:		error: unreadable, of no known format (ERR_USAGE), or broken, with the line
 *
 * Return: 0, or -1 (@rs then is of no use)
 */
int dump_load(const struct dump_source *src, struct ruleset *rs, struct err *e);

/* dump_load_data() - the same of one text of a known format; @name is for messages */
int dump_load_data(enum dump_format format, const char *data, size_t size, const char *name,
		   struct ruleset *rs, struct err *e);

/* dump_load_folder() - the same of a folder: the files in it that hold rules */
int dump_load_folder(const char *path, struct ruleset *rs, struct err *e);

/* dump_load_save() - iptables-save text, also several, also within a log */
int dump_load_save(const char *text, size_t size, const char *name, struct ruleset *rs, struct err *e);
/* dump_has_save() - a line names a table of iptables, and another one commits it */
bool dump_has_save(const char *text, size_t size);
/* dump_save_is_log() - of such a text: a log of what was given to iptables-restore, not what was saved */
bool dump_save_is_log(const char *text, size_t size);

/* dump_load_nft_json() - what "nft -j list ruleset" prints */
int dump_load_nft_json(const char *text, size_t size, const char *name, struct ruleset *rs, struct err *e);

/* dump_load_nft_text() - what "nft list ruleset" prints */
int dump_load_nft_text(const char *text, size_t size, const char *name, struct ruleset *rs, struct err *e);

#endif
