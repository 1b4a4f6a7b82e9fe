/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chains - questions about the rules that several diagnoses ask */
#include "nsutil/doctor/chains.h"

#include <ctype.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/ruleset/owner.h"
#include "nsutil/ruleset/text.h"

bool chains_of(const struct chain *c, const char *owner)
{
	const char *whose = owner_chain(c);
	size_t n = strlen(owner);

	return whose && strncmp(whose, owner, n) == 0 && (!whose[n] || whose[n] == ' ');
}

unsigned chains_count(const struct ruleset *rs, enum store store, uint8_t family, const char *owner)
{
	unsigned n = 0;

	for (const struct table *t = rs->tables; t; t = t->next) {
		if (t->store != store || (family && t->family != family && t->family != NFPROTO_INET))
			continue;
		for (const struct chain *c = t->chains; c; c = c->next)
			n += chains_of(c, owner);
	}
	return n;
}

unsigned chains_stores(const struct ruleset *rs, uint8_t family, const char *owner)
{
	unsigned stores = 0;

	for (unsigned s = 0; s < STORE_COUNT; s++)
		if (chains_count(rs, (enum store)s, family, owner))
			stores |= 1U << s;
	return stores;
}

const char *chains_store_names(unsigned stores, char text[40])
{
	text[0] = '\0';
	for (unsigned s = 0; s < STORE_COUNT; s++)
		if (stores & (1U << s)) {
			if (text[0])
				strcat(text, " and ");
			strcat(text, store_name((enum store)s));
		}
	return text;
}

bool chains_named(const struct chain *c, const char *name)
{
	const char *at = c->name;

	for (; *name && *at; name++, at++)
		if (*at != *name && *at != (*name == '_' ? '-' : tolower((unsigned char)*name)))
			return false;
	return !*name && !*at;
}

static const struct stmt_verdict *verdict_of(const struct rule *r)
{
	for (const struct stmt *s = r->stmts; s; s = s->next)
		if (s->kind == STMT_VERDICT)
			return &s->verdict;
	return NULL;
}

const char *chains_jump(const struct rule *r)
{
	const struct stmt_verdict *v = verdict_of(r);

	return v && (v->code == VERDICT_JUMP || v->code == VERDICT_GOTO) ? v->chain : NULL;
}

bool chains_returns(const struct rule *r)
{
	const struct stmt_verdict *v = verdict_of(r);

	return v && v->code == VERDICT_RETURN;
}

unsigned chains_dport(const char *text)
{
	long port;

	if (strstr(text, "! --dport ") || strstr(text, "dport != ") || strstr(text, "dports "))
		return 0;
	port = chains_number_after(text, "dport ");
	return port > 0 && port < 65536 ? (unsigned)port : 0;
}

bool chains_catches_all(const char *text)
{
	static const char *const words[] = { "dport", "sport", "-s ", "-d ", "-i ", "-o ", "saddr", "daddr", "ifname", "owner", "skuid",
					     "skgid", "mark", "ctstate", "ct ", NULL };

	for (unsigned i = 0; words[i]; i++)
		if (strstr(text, words[i]))
			return false;
	return true;
}

const char *chains_text(const struct rule *r, struct buf *b)
{
	buf_reset(b);
	if (r->chain->table->store == STORE_NATIVE || !rule_iptables(r, b))
		rule_nft(r, false, b);
	return buf_cstr(b);
}

const char *chains_save_command(enum store store, bool v6)
{
	if (store == STORE_NATIVE)
		return "nft list ruleset";
	if (store == STORE_LEGACY)
		return v6 ? "ip6tables-legacy-save" : "iptables-legacy-save";
	return v6 ? "ip6tables-nft-save" : "iptables-nft-save";
}

long chains_number_after(const char *text, const char *word)
{
	const char *at = strstr(text, word);
	char *end;
	long v;

	if (!at)
		return -1;
	at += strlen(word);
	v = strtol(at, &end, 0);
	return end == at ? -1 : v;
}

static const struct stmt *meaning_of(const struct stmt *s)
{
	return s->kind == STMT_XT && s->xt->meaning ? s->xt->meaning : s;
}

unsigned chains_port(const struct rule *r, bool *ret_tproxy)
{
	for (const struct stmt *s = r->stmts; s; s = s->next)
		for (const struct stmt *m = meaning_of(s); m; m = m == s ? NULL : m->next) {
			bool redirect = m->kind == STMT_NAT && m->nat.kind == NAT_REDIRECT && m->nat.port;
			bool tproxy = m->kind == STMT_TPROXY && m->tproxy.port;
			const struct expr *port = redirect ? m->nat.port : tproxy ? m->tproxy.port : NULL;

			if (!port || port->kind != EXPR_VALUE)
				continue;
			if (ret_tproxy)
				*ret_tproxy = tproxy;
			return (unsigned)expr_uint(port);
		}
	return 0;
}

bool chains_each(const struct ruleset *rs, bool (*fn)(const struct rule *r, void *arg), void *arg)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next)
			for (const struct rule *r = c->rules; r; r = r->next)
				if (fn(r, arg))
					return true;
	return false;
}
