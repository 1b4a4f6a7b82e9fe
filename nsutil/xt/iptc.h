/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptc - libip4tc and libip6tc behind one table of functions */
#ifndef NSUTIL_XT_IPTC_H
#define NSUTIL_XT_IPTC_H

#include <stdint.h>

#include "nsutil/base/err.h"

struct xtc_handle;

/* As in libiptc: 0 is failure with errno set; rule numbers count from 0 here. */
struct iptc_calls {
	struct xtc_handle *(*init)(const char *table);
	void (*free)(struct xtc_handle *h);
	int (*is_chain)(const char *chain, struct xtc_handle *h);
	int (*create)(const char *chain, struct xtc_handle *h);
	int (*flush)(const char *chain, struct xtc_handle *h);
	int (*remove)(const char *chain, struct xtc_handle *h);
	int (*append)(const char *chain, const void *entry, struct xtc_handle *h);
	int (*insert)(const char *chain, const void *entry, unsigned at, struct xtc_handle *h);
	int (*remove_at)(const char *chain, unsigned at, struct xtc_handle *h);
	int (*policy)(const char *chain, const char *policy, struct xtc_handle *h);
	int (*commit)(struct xtc_handle *h);
	const char *(*strerror)(int errnum);
};

/*
 * iptc_load() - the libraries are there from now on
 *
 * To be called before the first change, so that none is left half done where they are not installed. Fails with
 * ERR_SYS and what to install; may be called again.
 */
int iptc_load(struct err *e);

/* iptc_calls_of() - after iptc_load(): of NFPROTO_IPV4 or NFPROTO_IPV6 */
const struct iptc_calls *iptc_calls_of(uint8_t family);

#endif
