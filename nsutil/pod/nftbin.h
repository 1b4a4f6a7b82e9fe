/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nftbin - which nft a root file system has, found by reading its files and never by running it */
#ifndef NSUTIL_POD_NFTBIN_H
#define NSUTIL_POD_NFTBIN_H

#include <stdbool.h>

struct nftbin {
	char path[64];	  /* "/usr/sbin/nft"; "" when there is none */
	char version[16]; /* "1.0.6"; "" when the file does not tell */
	bool json_known, json; /* it can speak JSON: its library is linked with jansson */
};

/**
 * nftbin_find() - look for nft below a root
 * @root:	directory: "/", "/host", "/proc/PID/root"
 * @ret:	filled
 */
void nftbin_find(const char *root, struct nftbin *ret);

/* nftbin_number() - "1.0.6.1" as 1000601, to compare; 0 when it is no version */
long nftbin_number(const char *version);

#endif
