/* SPDX-License-Identifier: GPL-2.0-or-later */
/* codec - xt matches and targets: kernel bytes <-> iptables text, JSON, meaning */
#ifndef NSUTIL_XT_CODEC_H
#define NSUTIL_XT_CODEC_H

#include "nsutil/base/buf.h"
#include "nsutil/base/json.h"
#include "nsutil/ruleset/model.h"

/**
 * xt_ext_stmt() - decode one match or target
 * @a:		arena of the ruleset
 * @family:	NFPROTO_IPV4 or NFPROTO_IPV6 (of the table)
 * @target:	target rather than match
 * @name:	kernel's name ("owner", "REDIRECT")
 * @rev:	revision
 * @data:	the kernel's bytes; copied
 * @size:	their number; may be more (alignment) but not less than the codec's
 *
 * Return: STMT_XT with its meaning, or STMT_OPAQUE when name, revision or size are not known;
 * NULL when memory ran out
 */
struct stmt *xt_ext_stmt(struct arena *a, uint8_t family, bool target, const char *name, uint8_t rev,
			 const void *data, uint32_t size);

/* xt_ext_save() - append as iptables-save prints it: " -m owner --uid-owner 1337" / " -j REDIRECT ..." */
void xt_ext_save(const struct xt_ext *x, struct buf *b);
/* xt_ext_json() - {"type":"match","name":"owner","rev":1,"options":{...}} under @key */
void xt_ext_json(const struct xt_ext *x, struct json *j, const char *key);

#endif
