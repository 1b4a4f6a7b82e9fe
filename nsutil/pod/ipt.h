/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipt - which iptables a root file system has, found by reading the file and never by running it */
#ifndef NSUTIL_POD_IPT_H
#define NSUTIL_POD_IPT_H

#include <stddef.h>

enum ipt_variant { IPT_NONE, IPT_LEGACY, IPT_NFT, IPT_SCRIPT, IPT_UNKNOWN };

struct ipt_found {
	enum ipt_variant variant;
	char path[256];	   /* as the root's own processes see it; "" when there is none */
	char binary[256];  /* what it leads to ("/usr/sbin/xtables-nft-multi") */
	char version[32];  /* "1.8.9"; "" when the file does not tell */
};

/**
 * ipt_find() - look for iptables below a root
 * @root:	directory: "/", "/host", "/proc/PID/root"
 * @ret:	filled; IPT_NONE when there is no iptables, IPT_UNKNOWN when it may not be read or
 *		is neither of the known programs
 */
void ipt_find(const char *root, struct ipt_found *ret);

/* ipt_name() - legacy, nf_tables, script, none, unknown: as 'iptables --version' says it */
const char *ipt_name(enum ipt_variant v);

/**
 * ipt_judge_name() - the variant by the name of the program a link leads to
 * ipt_judge_bytes() - by strings within the program, which also hold the version
 */
enum ipt_variant ipt_judge_name(const char *binary);
enum ipt_variant ipt_judge_bytes(const void *data, size_t len, char version[32]);

#endif
