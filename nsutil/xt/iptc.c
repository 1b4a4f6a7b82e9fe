/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptc - libip4tc and libip6tc behind one table of functions */
#include "nsutil/xt/iptc.h"

#include <libiptc/libip6tc.h>
#include <libiptc/libiptc.h>
#include <linux/netfilter.h>
#include <string.h>

/* libiptc takes names as arrays of 32 bytes; callers have checked their length. */
static const char *label(const char *name, xt_chainlabel to)
{
	memset(to, 0, sizeof(xt_chainlabel));
	memcpy(to, name, strnlen(name, sizeof(xt_chainlabel) - 1));
	return to;
}

#define WRAP(x, entry_type)                                                                                \
	static int x##_create(const char *chain, struct xtc_handle *h)                                     \
	{                                                                                                  \
		xt_chainlabel l;                                                                           \
		return x##_create_chain(label(chain, l), h);                                               \
	}                                                                                                  \
	static int x##_flush(const char *chain, struct xtc_handle *h)                                      \
	{                                                                                                  \
		xt_chainlabel l;                                                                           \
		return x##_flush_entries(label(chain, l), h);                                              \
	}                                                                                                  \
	static int x##_remove(const char *chain, struct xtc_handle *h)                                     \
	{                                                                                                  \
		xt_chainlabel l;                                                                           \
		return x##_delete_chain(label(chain, l), h);                                               \
	}                                                                                                  \
	static int x##_append(const char *chain, const void *entry, struct xtc_handle *h)                  \
	{                                                                                                  \
		xt_chainlabel l;                                                                           \
		return x##_append_entry(label(chain, l), (const entry_type *)entry, h);                    \
	}                                                                                                  \
	static int x##_insert(const char *chain, const void *entry, unsigned at, struct xtc_handle *h)     \
	{                                                                                                  \
		xt_chainlabel l;                                                                           \
		return x##_insert_entry(label(chain, l), (const entry_type *)entry, at, h);                \
	}                                                                                                  \
	static int x##_remove_at(const char *chain, unsigned at, struct xtc_handle *h)                     \
	{                                                                                                  \
		xt_chainlabel l;                                                                           \
		return x##_delete_num_entry(label(chain, l), at, h);                                       \
	}                                                                                                  \
	static int x##_policy(const char *chain, const char *policy, struct xtc_handle *h)                 \
	{                                                                                                  \
		xt_chainlabel l, p;                                                                        \
		return x##_set_policy(label(chain, l), label(policy, p), NULL, h);                         \
	}                                                                                                  \
	static const struct iptc_calls x##_table = {                                                       \
		x##_init,   x##_free,	   x##_is_chain, x##_create, x##_flush,	 x##_remove,               \
		x##_append, x##_insert, x##_remove_at,	 x##_policy, x##_commit, x##_strerror,             \
	}

WRAP(iptc, struct ipt_entry);
WRAP(ip6tc, struct ip6t_entry);

const struct iptc_calls *iptc_calls_of(uint8_t family)
{
	return family == NFPROTO_IPV6 ? &ip6tc_table : &iptc_table;
}
