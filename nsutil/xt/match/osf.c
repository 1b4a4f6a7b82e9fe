/* SPDX-License-Identifier: GPL-2.0-or-later */
/* osf - -m osf: which operating system sent a SYN */
#include <linux/netfilter/nfnetlink_osf.h>
#include <linux/netfilter/xt_osf.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt osf_opts[] = {
	{ "genre", NULL, &xt_name, XT_AT(nf_osf_info, genre), XT_INV(nf_osf_info, flags, NF_OSF_INVERT),
	  .min = 1, .always = true },
	{ "ttl", NULL, &xt_uint, XT_AT(nf_osf_info, ttl), XT_SET(nf_osf_info, flags, NF_OSF_TTL), .max = 2 },
	{ "log", NULL, &xt_uint, XT_AT(nf_osf_info, loglevel), XT_SET(nf_osf_info, flags, NF_OSF_LOG), .max = 2 },
	XT_END,
};

/* The kernel compares as many characters as 'len' says. */
static int osf_final(struct xt_parse *p, struct err *e)
{
	struct nf_osf_info *o = (struct nf_osf_info *)p->data;

	(void)e;
	o->len = (uint32_t)strnlen(o->genre, sizeof(o->genre));
	return 0;
}

const struct xt_codec xt_match_osf_v0 = {
	.name = "osf", .size = sizeof(struct nf_osf_info), .opts = osf_opts, .final = osf_final,
	.unknown = "the fingerprint of the SYN packet decides",
};
