/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptc - libip4tc and libip6tc behind one table of functions, loaded when a table is to be written */
#include "nsutil/xt/iptc.h"

#include <dlfcn.h>
#include <libiptc/libip6tc.h>
#include <libiptc/libiptc.h>
#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/base/dl.h"

/*
 * Most runs only look, and loading two libraries makes a short one a tenth longer. 'make static' has them in
 * the program, where the names below are found; elsewhere they are NULL, being weak.
 */
#define FUNCTIONS(x)                                                                                         \
	x(init) x(free) x(is_chain) x(create_chain) x(flush_entries) x(delete_chain) x(append_entry)         \
		x(insert_entry) x(delete_num_entry) x(set_policy) x(commit) x(strerror)

#define WEAK4(f)   extern __typeof__(iptc_##f) iptc_##f __attribute__((weak));
#define WEAK6(f)   extern __typeof__(ip6tc_##f) ip6tc_##f __attribute__((weak));
#define MEMBER4(f) __typeof__(iptc_##f) *f;
#define MEMBER6(f) __typeof__(ip6tc_##f) *f;
#define LINKED4(f) .f = iptc_##f,
#define LINKED6(f) .f = ip6tc_##f,
#define NAME4(f)   "iptc_" #f,
#define NAME6(f)   "ip6tc_" #f,

FUNCTIONS(WEAK4)
FUNCTIONS(WEAK6)

static const char *const names4[] = { FUNCTIONS(NAME4) }, *const names6[] = { FUNCTIONS(NAME6) };

static struct {
	FUNCTIONS(MEMBER4)
} iptc = { FUNCTIONS(LINKED4) };

static struct {
	FUNCTIONS(MEMBER6)
} ip6tc = { FUNCTIONS(LINKED6) };

/* libiptc takes names as arrays of 32 bytes; callers have checked their length. */
static const char *label(const char *name, xt_chainlabel to)
{
	memset(to, 0, sizeof(xt_chainlabel));
	memcpy(to, name, strnlen(name, sizeof(xt_chainlabel) - 1));
	return to;
}

#define WRAP(x, entry_type)                                                                                  \
	static int x##_create(const char *chain, struct xtc_handle *h)                                       \
	{                                                                                                    \
		xt_chainlabel l;                                                                             \
		return x.create_chain(label(chain, l), h);                                                   \
	}                                                                                                    \
	static int x##_flush(const char *chain, struct xtc_handle *h)                                        \
	{                                                                                                    \
		xt_chainlabel l;                                                                             \
		return x.flush_entries(label(chain, l), h);                                                  \
	}                                                                                                    \
	static int x##_remove(const char *chain, struct xtc_handle *h)                                       \
	{                                                                                                    \
		xt_chainlabel l;                                                                             \
		return x.delete_chain(label(chain, l), h);                                                   \
	}                                                                                                    \
	static int x##_append(const char *chain, const void *entry, struct xtc_handle *h)                    \
	{                                                                                                    \
		xt_chainlabel l;                                                                             \
		return x.append_entry(label(chain, l), (const entry_type *)entry, h);                        \
	}                                                                                                    \
	static int x##_insert(const char *chain, const void *entry, unsigned at, struct xtc_handle *h)       \
	{                                                                                                    \
		xt_chainlabel l;                                                                             \
		return x.insert_entry(label(chain, l), (const entry_type *)entry, at, h);                    \
	}                                                                                                    \
	static int x##_remove_at(const char *chain, unsigned at, struct xtc_handle *h)                       \
	{                                                                                                    \
		xt_chainlabel l;                                                                             \
		return x.delete_num_entry(label(chain, l), at, h);                                           \
	}                                                                                                    \
	static int x##_policy(const char *chain, const char *policy, struct xtc_handle *h)                   \
	{                                                                                                    \
		xt_chainlabel l, p;                                                                          \
		return x.set_policy(label(chain, l), label(policy, p), NULL, h);                             \
	}                                                                                                    \
	static struct xtc_handle *x##_open(const char *table)                                                \
	{                                                                                                    \
		return x.init(table);                                                                        \
	}                                                                                                    \
	static void x##_close(struct xtc_handle *h)                                                          \
	{                                                                                                    \
		x.free(h);                                                                                   \
	}                                                                                                    \
	static int x##_there(const char *chain, struct xtc_handle *h)                                        \
	{                                                                                                    \
		return x.is_chain(chain, h);                                                                 \
	}                                                                                                    \
	static int x##_carry_out(struct xtc_handle *h)                                                       \
	{                                                                                                    \
		return x.commit(h);                                                                          \
	}                                                                                                    \
	static const char *x##_why(int errnum)                                                               \
	{                                                                                                    \
		return x.strerror(errnum);                                                                   \
	}                                                                                                    \
	static const struct iptc_calls x##_table = {                                                         \
		.init = x##_open,                                                                            \
		.free = x##_close,                                                                           \
		.is_chain = x##_there,                                                                       \
		.create = x##_create,                                                                        \
		.flush = x##_flush,                                                                          \
		.remove = x##_remove,                                                                        \
		.append = x##_append,                                                                        \
		.insert = x##_insert,                                                                        \
		.remove_at = x##_remove_at,                                                                  \
		.policy = x##_policy,                                                                        \
		.commit = x##_carry_out,                                                                     \
		.strerror = x##_why,                                                                         \
	}

WRAP(iptc, struct ipt_entry);
WRAP(ip6tc, struct ip6t_entry);

/* Never closed: the process ends soon. @ret: the functions of a library, in the order of their names */
static int load(const char *library, const char *const *names, void *ret, struct err *e)
{
	const char *lacks;
	void *first, *dl;

	memcpy(&first, ret, sizeof(first)); /* ISO C has no conversion from a function to an object */
	if (first)
		return 0;
	dl = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	if (!dl) {
		err_set(e, ERR_SYS, "legacy tables", "they are written by %s, which cannot be loaded: %s", library, dlerror());
		return err_hint(e, "install it (Debian: libip4tc2 and libip6tc2, others: iptables-libs)");
	}
	lacks = dl_find(dl, names, ARRAY_SIZE(names4), ret);
	if (lacks)
		return err_set(e, ERR_SYS, "legacy tables", "the %s that is installed lacks %s()", library, lacks);
	return 0;
}

int iptc_load(struct err *e)
{
	_Static_assert(sizeof(iptc) == sizeof(names4) && sizeof(ip6tc) == sizeof(names6), "one pointer for each name");
	return load("libip4tc.so.2", names4, &iptc, e) < 0 ? -1 : load("libip6tc.so.2", names6, &ip6tc, e);
}

const struct iptc_calls *iptc_calls_of(uint8_t family)
{
	return family == NFPROTO_IPV6 ? &ip6tc_table : &iptc_table;
}
