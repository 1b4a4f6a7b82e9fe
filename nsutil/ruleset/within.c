/* SPDX-License-Identifier: GPL-2.0-or-later */
/* within - do statements hold what is looked for, themselves or in what they consist of? */
#include "nsutil/ruleset/within.h"

static bool expr_has(const struct expr *x, const struct wanted *w)
{
	if (!x || !w->expr)
		return false;
	if (w->expr(x))
		return true;
	switch (x->kind) {
	case EXPR_BINOP: return expr_has(x->binop.left, w) || expr_has(x->binop.right, w);
	case EXPR_MAP: return expr_has(x->map.key, w);
	case EXPR_HASH: return expr_has(x->hash.src, w);
	case EXPR_CONCAT:
		for (unsigned i = 0; i < x->concat.n; i++)
			if (expr_has(x->concat.parts[i], w))
				return true;
		return false;
	default: return false;
	}
}

static bool stmt_has(const struct stmt *s, const struct wanted *w)
{
	if (w->stmt && w->stmt(s))
		return true;
	switch (s->kind) {
	case STMT_MATCH: return expr_has(s->match.left, w) || expr_has(s->match.right, w);
	case STMT_VMAP: return expr_has(s->vmap.key, w);
	case STMT_SET_VALUE: return expr_has(s->set_value.target, w) || expr_has(s->set_value.value, w);
	case STMT_SETOP: return expr_has(s->setop.key, w) || expr_has(s->setop.data, w) || stmts_have(s->setop.stmts, w);
	case STMT_OBJREF: return expr_has(s->objref.key, w);
	case STMT_NAT:
		return expr_has(s->nat.addr, w) || expr_has(s->nat.addr_max, w) || expr_has(s->nat.port, w) || expr_has(s->nat.port_max, w);
	case STMT_TPROXY: return expr_has(s->tproxy.addr, w) || expr_has(s->tproxy.port, w);
	case STMT_QUEUE: return expr_has(s->queue.expr, w);
	case STMT_DUP:
	case STMT_FWD: return expr_has(s->dup.addr, w) || expr_has(s->dup.dev, w);
	case STMT_NOT: return stmts_have(s->negated, w);
	case STMT_XT: return stmts_have(s->xt->meaning, w);
	case STMT_ANY:
		for (unsigned i = 0; i < s->any.n; i++)
			if (stmts_have(s->any.alternatives[i], w))
				return true;
		return false;
	default: return false;
	}
}

bool stmts_have(const struct stmt *list, const struct wanted *w)
{
	for (; list; list = list->next)
		if (stmt_has(list, w))
			return true;
	return false;
}
