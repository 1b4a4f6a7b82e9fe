/* SPDX-License-Identifier: GPL-2.0-or-later */
/* save - the parts of a text that are iptables-save or iptables-restore text */
#ifndef NSUTIL_DUMP_SAVE_H
#define NSUTIL_DUMP_SAVE_H

#include "nsutil/base/arena.h"
#include "nsutil/base/err.h"
#include "nsutil/ruleset/model.h"

/* Where a section comes from; of a log, the state at the end says more than what was asked for. */
enum save_origin { SAVE_PLAIN, SAVE_INPUT, SAVE_FINAL };

struct save_section { /* *TABLE ... COMMIT */
	char table[32];
	enum save_origin origin;
	uint8_t family;	 /* NFPROTO_*; NFPROTO_UNSPEC when nothing says it */
	enum store store;
	const char *text;
	size_t size;
	unsigned long line; /* of its first one, from 1 */
	bool makes;	 /* it adds rules or chains; else it only clears */
	struct save_section *next;
};

/**
 * save_sections() - find the sections of a text
 * @a:		arena of the sections
 * @text:	text; lines of a log may have a time in front, or be JSON objects with "msg"
 * @size:	its length
 * @ret:	set on success to the first section; NULL when there is none
 * @e:		error: a section without COMMIT, or memory
 *
 * Return: 0, or -1
 */
int save_sections(struct arena *a, const char *text, size_t size, struct save_section **ret, struct err *e);

#endif
