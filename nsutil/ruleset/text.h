/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text - a rule as iptables text, as nft text, as libnftables JSON */
#ifndef NSUTIL_RULESET_TEXT_H
#define NSUTIL_RULESET_TEXT_H

#include "nsutil/base/buf.h"
#include "nsutil/base/json.h"
#include "nsutil/ruleset/model.h"

/**
 * rule_iptables() - append the rule's specification as iptables-save prints it behind "-A CHAIN":
 *	" -p tcp -m tcp --dport 80 -j ACCEPT"
 * @r:		rule of the legacy or the compat store
 * @b:		text is appended
 *
 * Return: true; false (and nothing appended) when iptables has no form for it
 */
bool rule_iptables(const struct rule *r, struct buf *b);

/**
 * rule_nft() - append the rule as "nft list" prints it, without handle
 * @r:		rule of any store; xt parts are given in native terms where iptables-translate has a
 *		form, else as nft prints opaque xt expressions
 * @counters:	print counter values ("counter packets 0 bytes 0"), else just "counter"
 * @b:		text is appended
 */
void rule_nft(const struct rule *r, bool counters, struct buf *b);

/* rule_expr_json() - write the "expr" array of libnftables-json(5) under @key; xt in full */
void rule_expr_json(const struct rule *r, struct json *j, const char *key);

/* ruleset_save() - iptables-save text of one store and family; all tables, or the one named @table;
 * it and table_nft() spill @b by lines (buf_spill()) */
void ruleset_save(const struct ruleset *rs, enum store store, uint8_t family, const char *table,
		  bool counters, struct buf *b);
/* table_nft() - "table ip nat { ... }" as nft lists it, sets and objects included */
void table_nft(const struct table *t, bool counters, struct buf *b);


/* set_json() - the members of a named set or map as libnftables-json(5) has them: type, map, flags, policy, size,
 * timeout, gc-interval, auto-merge, stmt, elem. "map" is null for sets */
void set_json(const struct set *s, struct json *j);
/* object_json() - "kind" and the members that libnftables-json(5) has for that kind of object */
void object_json(const struct object *o, struct json *j);

/* set_type_nft() - "set ipv4_addr . inet_service" or "map inet_service : verdict" */
void set_type_nft(const struct set *s, struct buf *b);
/* set_elem_nft() - one element as nft lists it; with @counters the state that it has */
void set_elem_nft(const struct set *s, const struct set_elem *e, bool counters, struct buf *b);

#endif
