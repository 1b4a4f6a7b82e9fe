/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan - collects planned rules and writes them as text */
#include "nsutil/istio/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"

static void add_rule(struct istio_maker *m, struct istio_rules *to, struct istio_rule rule)
{
	struct istio_rule *at = arena_grow(m->arena, to->at, to->n, sizeof(*at));

	if (!at || !rule.text) {
		m->failed = true;
		return;
	}
	to->at = at;
	rule.role = m->role;
	at[to->n++] = rule;
}

static const char *format(struct istio_maker *m, const char *fmt, va_list ap)
{
	char *text = NULL;
	const char *copy;

	if (vasprintf(&text, fmt, ap) < 0)
		return NULL;
	copy = arena_strdup(m->arena, text);
	free(text);
	return copy;
}

/* The format with '@' replaced; done before formatting, so that an '@' in a value stays. */
static const char *put_address(struct istio_maker *m, const char *fmt, const char *address)
{
	const char *at = strchr(fmt, '@');

	if (!at || !address)
		return fmt;
	return arena_printf(m->arena, "%.*s%s%s", (int)(at - fmt), fmt, address, at + 1);
}

void istio_make_rule(struct istio_maker *m, unsigned families, const char *table, const char *chain,
		     int position, const char *at4, const char *at6, const char *fmt, ...)
{
	const struct {
		unsigned bit;
		const char *address;
		struct istio_rules *to;
	} each[] = { { ISTIO_V4, at4, &m->plan->v4 }, { ISTIO_V6, at6, &m->plan->v6 } };

	for (unsigned i = 0; i < ARRAY_SIZE(each); i++) {
		struct istio_rule rule = { .table = table, .chain = chain, .position = position };
		const char *f;
		va_list ap;

		if (!(families & each[i].bit) || (each[i].bit == ISTIO_V6 && !m->c->ipv6))
			continue;
		f = put_address(m, fmt, each[i].address);
		va_start(ap, fmt);
		rule.text = f ? format(m, f, ap) : NULL;
		va_end(ap);
		add_rule(m, each[i].to, rule);
	}
}

/* 1.27 wrote no counters. */
static const char *without_counter(struct istio_maker *m, const char *text)
{
	static const char word[] = "counter ";
	const char *at = text ? strstr(text, word) : NULL;

	return at ? arena_printf(m->arena, "%.*s%s", (int)(at - text), text, at + strlen(word)) : text;
}

void istio_make_nft(struct istio_maker *m, const char *table, const char *chain, int index,
		    const char *fmt, ...)
{
	struct istio_rule rule = { .table = table, .chain = chain, .position = index };
	va_list ap;

	va_start(ap, fmt);
	rule.text = format(m, fmt, ap);
	va_end(ap);
	if (m->c->minor < 28)
		rule.text = without_counter(m, rule.text);
	add_rule(m, &m->plan->nft, rule);
}

int istio_plan_make(struct arena *a, const struct istio_config *c, struct istio_plan **ret, struct err *e)
{
	struct istio_plan *p = arena_alloc(a, sizeof(*p));
	struct istio_maker m = { .arena = a, .c = c, .plan = p };

	if (!p)
		return err_oom(e);
	p->arena = a;
	p->config = c;
	if (c->ambient)
		(c->native_nftables ? istio_make_ambient_nft : istio_make_ambient)(&m);
	else
		(c->native_nftables ? istio_make_sidecar_nft : istio_make_sidecar)(&m);
	if (m.failed)
		return err_oom(e);
	*ret = p;
	return 0;
}

bool istio_is_builtin(const char *chain)
{
	static const char *const names[] = { "INPUT", "OUTPUT", "FORWARD", "PREROUTING",
					     "POSTROUTING", "ACCEPT", "RETURN", "DROP" };

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(chain, names[i]) == 0)
			return true;
	return false;
}

const char *istio_rule_target(const char *text)
{
	const char *space = strrchr(text, ' ');

	if (!space || space - text < 2 || memcmp(space - 2, "-j", 2) != 0)
		return NULL;
	return space - text == 2 || space[-3] == ' ' ? space + 1 : NULL;
}

/* The chain that rule @i brings in: its own (of pass 0) or its target (of pass 1). */
static const char *new_chain(const struct istio_rules *rules, unsigned i, unsigned pass)
{
	const char *chain = pass ? istio_rule_target(rules->at[i].text) : rules->at[i].chain;

	return chain && !istio_is_builtin(chain) ? chain : NULL;
}

static bool seen_before(const struct istio_rules *rules, unsigned end, unsigned pass, const char *chain)
{
	for (unsigned p = 0; p <= pass; p++)
		for (unsigned i = 0; i < (p < pass ? rules->n : end); i++) {
			const char *other = new_chain(rules, i, p);

			if (other && strcmp(rules->at[i].table, rules->at[end].table) == 0 &&
			    strcmp(other, chain) == 0)
				return true;
		}
	return false;
}

static void restore_chains(const struct istio_rules *rules, const char *table, struct buf *b)
{
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < rules->n; i++) {
			const char *chain = new_chain(rules, i, pass);

			if (chain && strcmp(rules->at[i].table, table) == 0 &&
			    !seen_before(rules, i, pass, chain))
				buf_fmt(b, "-N %s\n", chain);
		}
}

static bool table_used(const struct istio_rules *rules, const char *table)
{
	for (unsigned i = 0; i < rules->n; i++)
		if (strcmp(rules->at[i].table, table) == 0)
			return true;
	return false;
}

static void restore_table(const struct istio_rules *rules, const char *table, struct buf *b)
{
	if (!table_used(rules, table))
		return;
	buf_fmt(b, "* %s\n", table);
	restore_chains(rules, table, b);
	for (unsigned i = 0; i < rules->n; i++) {
		const struct istio_rule *r = &rules->at[i];

		if (strcmp(r->table, table) != 0)
			continue;
		if (r->position)
			buf_fmt(b, "-I %s %d %s\n", r->chain, r->position, r->text);
		else
			buf_fmt(b, "-A %s %s\n", r->chain, r->text);
	}
	buf_str(b, "COMMIT\n");
}

void istio_plan_restore(const struct istio_rules *rules, struct buf *b)
{
	static const char *const tables[] = { "filter", "mangle", "nat", "raw" };

	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
		restore_table(rules, tables[i], b);
}
