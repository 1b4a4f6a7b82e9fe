/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load - read the stores of a target into one ruleset */
#include "nsutil/load.h"

#include <linux/netfilter.h>
#include <stdio.h>
#include <sys/stat.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/dump/bundle.h"
#include "nsutil/dump/dump.h"
#include "nsutil/dump/file.h"
#include "nsutil/netns/cgroups.h"
#include "nsutil/nft/nft.h"
#include "nsutil/pod/users.h"
#include "nsutil/ruleset/cgroups.h"
#include "nsutil/xt/ipset.h"
#include "nsutil/xt/sets.h"
#include "nsutil/xt/xt.h"

enum { STORES = LOAD_LEGACY | LOAD_COMPAT | LOAD_NATIVE };

/* How the parts came out: one that was read is an answer, however many others were not. */
struct parts {
	struct ruleset *rs;
	unsigned read, failed;
	bool refused;
	struct err first; /* of the first that was refused, else of the first that failed */
};

static int note(struct parts *p, enum store store, uint8_t family, const struct err *why, struct err *e)
{
	char text[sizeof(why->what) + sizeof(why->why) + 4];

	if (!p->failed++ || (why->code == ERR_PERM && !p->refused))
		p->first = *why;
	p->refused |= why->code == ERR_PERM;
	snprintf(text, sizeof(text), "%s: %s", why->what, why->why);
	return ruleset_add_unread(p->rs, store, family, NULL, text) < 0 ? err_oom(e) : 0;
}

/* By family, since a host may refuse one of them (net/ip6_tables_names is a file of its own). */
static int load_legacy(const struct netns *ns, unsigned families, struct parts *p, struct err *e)
{
	static const uint8_t family[] = { NFPROTO_IPV4, NFPROTO_IPV6 };

	for (unsigned i = 0; i < ARRAY_SIZE(family); i++) {
		struct err why = ERR_INIT;

		if (!(families & 1u << i))
			continue;
		if (xt_read(ns, 1u << i, p->rs, &why) == 0)
			p->read++;
		else if (note(p, STORE_LEGACY, family[i], &why, e) < 0)
			return -1;
	}
	return 0;
}

static int load_nft(const struct netns *ns, unsigned stores, unsigned families, struct parts *p, struct err *e)
{
	struct err why = ERR_INIT;

	if (nft_read(ns, stores, families == 3 ? 0 : families, p->rs, &why) == 0) {
		p->read++;
		if (stores & 1u << STORE_COMPAT)
			xt_name_sets(ns, p->rs, NULL); /* without names, sets are shown by number */
		return 0;
	}
	for (unsigned s = 0; s < STORE_COUNT; s++)
		if ((stores & 1u << s) && note(p, s, NFPROTO_UNSPEC, &why, e) < 0)
			return -1;
	return 0;
}

static int load_stores(const struct netns *ns, unsigned what, struct parts *p, struct err *e)
{
	unsigned families = (what & LOAD_V4 ? 1 : 0) | (what & LOAD_V6 ? 2 : 0);
	unsigned nft = what & (LOAD_COMPAT | LOAD_NATIVE);

	if (!families)
		families = 3;
	if ((what & LOAD_LEGACY) && load_legacy(ns, families, p, e) < 0)
		return -1;
	if (nft && load_nft(ns, nft, families, p, e) < 0)
		return -1;
	/* a missing capability is the caller's to mend, so it is not passed over as a gap */
	if (p->failed && (!p->read || p->refused)) {
		if (e)
			*e = p->first;
		return -1;
	}
	return 0;
}

static bool family_asked(unsigned what, uint8_t family)
{
	unsigned asked = what & (LOAD_V4 | LOAD_V6);

	return !((asked == LOAD_V4 && family == NFPROTO_IPV6) || (asked == LOAD_V6 && family == NFPROTO_IPV4));
}

/* A file is read whole; what was not asked for is taken out again. */
static int load_file(const struct target *t, unsigned what, struct ruleset *rs, struct err *e)
{
	struct dump_source src = { .path = t->file, .data = t->file_data, .size = t->file_size };
	struct table **at = &rs->tables;

	if (dump_load(&src, rs, e) < 0)
		return -1;
	while (*at)
		if ((what & 1u << (*at)->store) && family_asked(what, (*at)->family))
			at = &(*at)->next;
		else
			*at = (*at)->next;
	rs->tables_tail = at;
	return 0;
}

/* The text of a file target; @own is the caller's to free. Return: 1; 0: it is a folder; -1 */
static int file_text(const struct target *t, char **own, const char **data, size_t *size, struct err *e)
{
	struct stat st;

	*own = NULL;
	*data = t->file_data;
	*size = t->file_size;
	if (*data)
		return 1;
	if (stat(t->file, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	if (dump_file_read(t->file, DUMP_FILE_MAX, own, size, e) < 0)
		return -1;
	*data = *own;
	return 1;
}

/* As file_text(), of a bundle: 0 when it is anything else */
static int bundle_text(const struct target *t, char **own, const char **data, size_t *size, struct err *e)
{
	int r = file_text(t, own, data, size, e);

	return r == 1 && dump_format(*data, *size) != DUMP_BUNDLE ? 0 : r;
}

static int file_ipsets(const struct target *t, struct ipset_list *list, struct err *e)
{
	_cleanup_free_ char *own = NULL;
	const char *data;
	size_t size;
	int r = bundle_text(t, &own, &data, &size, e);

	if (r == 0)
		return err_set(e, ERR_USAGE, "ipsets", "a file of rules has no members of ipsets");
	return r < 0 ? -1 : bundle_load_ipsets(data, size, t->file, list, e);
}

int load_ipset(const struct target *t, const char *name, struct ipset_list *list, struct err *e)
{
	return t->kind == TARGET_FILE ? file_ipsets(t, list, e) : ipset_read(&t->netns, name, list, e);
}

/* All of them in one go: those that rules name may be lists of others. */
int load_ipsets(const struct target *t, const struct ruleset *rs, struct ipset_list **ret, struct err *e)
{
	struct ipset_list *list;

	*ret = NULL;
	if (!ruleset_names_ipsets(rs))
		return 0;
	list = ipset_list_new();
	if (!list)
		return err_oom(e);
	if (load_ipset(t, NULL, list, e) < 0) {
		ipset_list_free(list);
		return -1;
	}
	*ret = list;
	return 0;
}

/* Only a bundle has more than rules. */
static int load_file_view(const struct target *t, struct netview **ret, struct err *e)
{
	_cleanup_free_ char *own = NULL;
	const char *data;
	size_t size;
	int r = bundle_text(t, &own, &data, &size, e);

	*ret = NULL;
	return r == 1 ? bundle_load_view(data, size, t->file, ret, e) : r;
}

int load_netview(const struct target *t, unsigned parts, struct netview **ret, struct err *e)
{
	if (t->kind == TARGET_FILE)
		return load_file_view(t, ret, e);
	if (netview_read(&t->netns, parts, t->proc, ret, e) < 0)
		return -1;
	if (users_read(t, *ret) == 0)
		return 0;
	netview_free(*ret);
	return err_oom(e);
}

int load_cgroups(const struct target *t, const struct ruleset *rs, struct netview *nv, struct err *e)
{
	return t->kind != TARGET_FILE && nv && ruleset_asks_cgroups(rs) ? nv_read_cgroups(nv, e) : 0;
}

int load_conns(const struct target *t, struct conn_list **ret, struct err *e)
{
	_cleanup_free_ char *own = NULL;
	const char *data;
	size_t size;
	int r;

	if (t->kind != TARGET_FILE)
		return conns_read(&t->netns, ret, e);
	r = bundle_text(t, &own, &data, &size, e);
	if (r == 0)
		return err_set(e, ERR_USAGE, "conns", "a file of rules has no connections");
	return r < 0 ? -1 : bundle_load_conns(data, size, t->file, ret, e);
}

int load_about(const struct target *t, struct arena *a, struct bundle_about *ret, struct err *e)
{
	_cleanup_free_ char *own = NULL;
	const char *data;
	size_t size;
	int r = t->kind == TARGET_FILE ? bundle_text(t, &own, &data, &size, e) : 0;

	if (r == 1 && bundle_load_about(data, size, t->file, a, ret, e) < 0)
		return -1;
	return r;
}

int load_doctor(const struct target *t, struct arena *a, struct doctor_report *ret, struct err *e)
{
	_cleanup_free_ char *own = NULL;
	const char *data;
	size_t size;
	int r = bundle_text(t, &own, &data, &size, e);

	if (r == 0) {
		err_set(e, ERR_USAGE, t->label, "a file of rules has no processes, modules or sockets to look at");
		return err_hint(e, "what 'bundle' writes has what the doctor found then");
	}
	return r < 0 ? -1 : bundle_load_doctor(data, size, t->file, a, ret, e);
}

int load_ruleset(const struct target *t, unsigned what, struct ruleset **ret, struct err *e)
{
	_cleanup_ruleset_ struct ruleset *rs = NULL;
	struct parts p = { .rs = NULL };

	rs = ruleset_new();
	if (!rs)
		return err_oom(e);
	p.rs = rs;
	rs->text_only = what & LOAD_TEXT;
	if (!(what & STORES))
		what |= LOAD_ALL;
	if ((t->kind == TARGET_FILE ? load_file(t, what, rs, e) : load_stores(&t->netns, what, &p, e)) < 0)
		return -1;
	*ret = steal_ptr(rs);
	return 0;
}
