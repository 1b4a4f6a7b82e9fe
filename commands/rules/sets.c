/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sets - "tables --sets": the ipsets that rules name, and named nft sets, with their members */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "commands/rules/rules.h"
#include "nsutil/load.h"
#include "nsutil/ruleset/ipset.h"
#include "nsutil/ruleset/text.h"
#include "nsutil/xt/codec.h"
#include "nsutil/xt/ipset.h"

static void ipset_list_freep(struct ipset_list **list)
{
	ipset_list_free(*list);
}

/* Names that are asked for, in the order in which rules name them. */
struct names {
	struct arena *arena;
	const char **v;
	size_t n;
};

static int names_add(struct names *names, const char *name)
{
	if (!name)
		return 0;
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->v[i], name) == 0)
			return 0;
	names->v = arena_grow(names->arena, names->v, names->n, sizeof(*names->v));
	if (!names->v)
		return -1;
	names->v[names->n++] = name;
	return 0;
}

static int names_of_rule(struct names *names, const struct rule *r)
{
	for (const struct stmt *s = r->stmts; s; s = s->next)
		for (unsigned i = 0; s->kind == STMT_XT && s->xt->ipsets && i < s->xt->codec->n_sets; i++)
			if (names_add(names, s->xt->ipsets[i]) < 0)
				return -1;
	return 0;
}

static int names_of_rules(struct names *names, const struct ruleset *rs)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = rules_is_xt(t->store) ? t->chains : NULL; c; c = c->next)
			for (const struct rule *r = c->rules; r; r = r->next)
				if (names_of_rule(names, r) < 0)
					return -1;
	return 0;
}

static const char *why_unread(const struct target *t, const char *name, struct ipset_list *list, struct arena *a)
{
	struct err e = ERR_INIT;

	/* of a bundle come all at once */
	if (t->kind == TARGET_FILE && ipset_find(list, name))
		return NULL;
	if (load_ipset(t, name, list, &e) == 0 && (t->kind != TARGET_FILE || ipset_find(list, name)))
		return NULL;
	if (e.code == ERR_NONE)
		return "there is no such set (any more)";
	return e.errnum == ENOENT ? "there is no such set (any more)" : arena_printf(a, "%s: %s", e.what, e.why);
}

static void put_members(const struct ipset *set, struct out *o)
{
	struct buf b _cleanup_buf_ = BUF_INIT;

	out_array(o, "members");
	for (const struct ipset_elem *m = set ? set->elems : NULL; m; m = m->next) {
		buf_reset(&b);
		ipset_elem_text(set, m, &b);
		out_str(o, NULL, "    %s", buf_cstr(&b));
		out_nl(o);
	}
	out_array_end(o);
}

static void put_ipset(const char *name, const struct ipset *set, const char *unread, struct out *o)
{
	uint64_t n = 0;

	for (const struct ipset_elem *m = set ? set->elems : NULL; m; m = m->next)
		n++;
	out_object(o, NULL);
	out_style(o, STYLE_NAME);
	out_str(o, "name", "  %s", name);
	out_style(o, STYLE_PLAIN);
	out_str(o, "type", "  %s", set ? set->type : NULL);
	if (set) {
		out_str(o, "family", "  %s", set->family ? family_name(set->family) : NULL);
		out_uint(o, "count", "  %" PRIu64 " members", n);
		out_uint(o, "references", ", named by %" PRIu64, set->references);
	}
	out_style(o, STYLE_BAD);
	if (unread)
		out_str(o, "unread", "  ! %s", unread);
	else if (out_structured(o))
		out_null(o, "unread");
	out_style(o, STYLE_PLAIN);
	out_nl(o);
	put_members(set, o);
	out_object_end(o);
}

/* Named sets and maps of nftables stand in the tables' JSON; as text they are shown here. */
static void put_nft_set(const struct set *s, bool counters, struct out *o)
{
	struct buf b _cleanup_buf_ = BUF_INIT;

	set_type_nft(s, &b);
	out_style(o, STYLE_NAME);
	out_text(o, "  %s %s %s", family_name(s->table->family), s->table->name, s->name);
	out_style(o, STYLE_PLAIN);
	out_text(o, "  %s  %u elements", buf_cstr(&b), s->n_elems);
	if (s->unread)
		out_text(o, "  ! %s", s->unread);
	out_nl(o);
	for (uint32_t i = 0; i < s->n_elems; i++) {
		buf_reset(&b);
		set_elem_nft(s, &s->elems[i], counters, &b);
		out_text(o, "    %s", buf_cstr(&b));
		out_nl(o);
	}
}

static void put_nft_sets(const struct rules_selection *sel, const struct ruleset *rs, struct out *o)
{
	bool any = false;

	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct set *s = t->sets; s; s = s->next) {
			if (s->flags & SET_ANONYMOUS)
				continue;
			if (!any) {
				out_style(o, STYLE_HEAD);
				out_text(o, "sets of nftables");
				out_style(o, STYLE_PLAIN);
				out_nl(o);
			}
			any = true;
			put_nft_set(s, sel->counters, o);
		}
}

int tables_sets(const struct rules_selection *sel, const struct target *t, const struct ruleset *rs, struct out *o,
		struct err *e)
{
	__attribute__((cleanup(ipset_list_freep))) struct ipset_list *list = ipset_list_new();
	struct names names = { .arena = rs->arena };

	if (!list || names_of_rules(&names, rs) < 0)
		return err_oom(e);
	out_array(o, "ipsets");
	if (names.n) {
		out_style(o, STYLE_HEAD);
		out_text(o, "ipsets");
		out_style(o, STYLE_PLAIN);
		out_nl(o);
	}
	/* a set of sets adds names while the list is walked */
	for (size_t i = 0; i < names.n; i++) {
		const char *unread = why_unread(t, names.v[i], list, rs->arena);
		const struct ipset *set = ipset_find(list, names.v[i]);

		put_ipset(names.v[i], set, unread, o);
		for (const struct ipset_elem *m = set ? set->elems : NULL; m; m = m->next)
			if (names_add(&names, m->set) < 0)
				return err_oom(e);
	}
	out_array_end(o);
	if (!out_structured(o))
		put_nft_sets(sel, rs, o);
	return 0;
}
