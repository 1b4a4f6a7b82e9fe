/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spec - the grammar of a target: what the user typed, taken apart without looking anything up */
#ifndef NSUTIL_POD_SPEC_H
#define NSUTIL_POD_SPEC_H

#include <stdint.h>
#include <sys/types.h>

#include "nsutil/base/arena.h"
#include "nsutil/base/err.h"

enum spec_kind {
	SPEC_SELF,
	SPEC_HOST,
	SPEC_PID,	 /* pid */
	SPEC_NETNS_NAME, /* name, as in ip-netns(8) */
	SPEC_NETNS_PATH, /* name: absolute path */
	SPEC_INODE,	 /* inode */
	SPEC_CID,	 /* name: hex prefix of a container or sandbox id */
	SPEC_FILE,	 /* name: path */
	SPEC_POD,	 /* k8s_namespace (may be NULL), name, container (may be NULL) */
};

struct spec {
	enum spec_kind kind;
	const char *k8s_namespace, *name, *container;
	pid_t pid;
	uint64_t inode;
};

/**
 * spec_parse() - take a target apart (DESIGN section 2, TARGET)
 * @text:	the user's words; "pod/NAME", "pods/NAME" and "po/NAME" are taken as kubectl's form
 * @k8s_namespace: -n, of a bare pod name; NULL: any
 * @a:		arena for the parts
 * @ret:	set on success
 * @e:		error of class ERR_USAGE
 *
 * Return: 0, or -1
 */
int spec_parse(const char *text, const char *k8s_namespace, struct arena *a, struct spec *ret, struct err *e);

#endif
