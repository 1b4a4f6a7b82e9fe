/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfts - the nft programs of the node, the containers and the agents (within doctor/) */
#ifndef NSUTIL_DOCTOR_NFTS_H
#define NSUTIL_DOCTOR_NFTS_H

#include "nsutil/doctor/check.h"
#include "nsutil/pod/nftbin.h"

struct fact_nft {
	const char *where; /* "node", "container istio-proxy", "process kube-proxy" */
	struct nftbin bin;
	struct fact_nft *next;
};

/* facts_nfts() - by their files; the node's first, those without nft left out. Empty with 'quick' */
const struct fact_nft *facts_nfts(struct doctor *d);

#endif
