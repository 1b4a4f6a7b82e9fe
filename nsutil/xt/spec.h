/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spec - a rule's specification while it is read: header, extensions, verdict */
#ifndef NSUTIL_XT_SPEC_H
#define NSUTIL_XT_SPEC_H

#include <linux/in.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "nsutil/xt/type.h"

#define SPEC_EXTS 80 /* matches and the target of one rule: Istio puts up to 64 groups into one */

struct spec {
	struct arena *a;
	uint8_t family;
	const char *const *words;
	size_t n, at;
	bool invert;		/* "!" stood before the option at hand */
	uint8_t proto;
	bool proto_inverted;
	struct xt_parse exts[SPEC_EXTS]; /* in the order of loading */
	unsigned n_exts;
	const char *jump;	/* of -j or -g when it is no extension */
	bool go, has_target;
	uint64_t packets, bytes;
	bool has_counters;
	struct err *e;
	union { /* last, since an entry ends in a flexible array */
		struct ipt_entry v4;
		struct ip6t_entry v6;
	} header;
};

/* spec_short() - the letter of an option of the header ('s' for -s, --src, --source); 0: it is none */
char spec_short(const char *word);
/* spec_header() - take one option of the header; 0, or -1 */
int spec_header(struct spec *s, char letter);
/* spec_arg() - the next word, as the argument of an option; NULL with the error set when there is none */
const char *spec_arg(struct spec *s, const char *option);

/* spec_load() - begin a match or target by the name it has in the text */
int spec_load(struct spec *s, bool target, const char *name);
/* spec_option() - give an option to the extension that has it: 1 taken, 0 nobody's, -1 error. Only by its
 * whole name when @exact, and then only to one that is loaded */
int spec_option(struct spec *s, const char *name, size_t len, const char *value, bool exact);
/* spec_finish() - what extensions check when all options were given */
int spec_finish(struct spec *s);

#endif
