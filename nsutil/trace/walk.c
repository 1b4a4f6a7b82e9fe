/* SPDX-License-Identifier: GPL-2.0-or-later */
/* walk - through a base chain and the chains it jumps to (nft_do_chain, ipt_do_table) */
#include <string.h>

#include "nsutil/trace/quick.h"
#include "nsutil/trace/run.h"

/* Where the walk is in a chain: the next rule, by its place where all of them are known by that. */
struct frame {
	const struct chain *chain;
	const struct rule *next; /* NULL: the chain is at its end */
	const struct quick_chain *quick; /* NULL: every rule is looked at, and 'next' counts */
	uint32_t at;		 /* else this, from 0 */
};

struct stack {
	unsigned n;
	struct quick_cursor cursor;
	struct frame f[RUN_DEPTH];
};

/* What a packet has of a key, part by part; NULL when looking would ask questions anew. */
static const char *seen_key(struct run *r, const struct expr *key)
{
	struct expr *const *parts = key->kind == EXPR_CONCAT ? key->concat.parts : (struct expr *const[]){ (struct expr *)key };
	unsigned n = key->kind == EXPR_CONCAT ? key->concat.n : 1;
	const char *text = "", *why = r->why;
	struct value v;

	for (unsigned i = 0; i < n && text; i++) {
		if (parts[i]->kind != EXPR_PAYLOAD && parts[i]->kind != EXPR_META && parts[i]->kind != EXPR_CT &&
		    parts[i]->kind != EXPR_FIB)
			return NULL;
		eval_expr(r, parts[i], &v);
		text = arena_printf(r->arena, "%s%s%s", text, i ? " . " : "", describe_value(r->arena, &v, parts[i]));
	}
	r->why = why;
	return text;
}

/* Why a rule did not match: the condition, and what was seen in its place. */
static const char *failure(struct run *r)
{
	const struct stmt *s = r->failed && r->failed->kind == STMT_XT && r->inner ? r->inner : r->failed;
	const struct expr *like = NULL;

	if (r->undecided)
		return arena_printf(r->arena, "%s: %s; nothing hangs on it", describe_condition(r->arena, s),
				    r->why ? r->why : "not known");
	if (!s)
		return r->why;
	if (s->kind == STMT_MATCH)
		like = s->match.left;
	if (s->kind == STMT_VMAP)
		like = s->vmap.key;
	if (like && (like->kind == EXPR_CONCAT || s->kind == STMT_VMAP)) {
		const char *seen = seen_key(r, like);

		return seen ? arena_printf(r->arena, "%s; it is %s", describe_condition(r->arena, s), seen)
			    : describe_condition(r->arena, s);
	}
	if (!like)
		return describe_condition(r->arena, s);
	return arena_printf(r->arena, "%s; it is %s", describe_condition(r->arena, s),
			    describe_value(r->arena, &r->seen, like));
}

static const char *join(struct arena *a, const char *const *parts)
{
	size_t n = 1;
	char *text, *at;

	for (unsigned i = 0; parts[i]; i++)
		n += strlen(parts[i]);
	text = at = arena_alloc(a, n);
	for (unsigned i = 0; text && parts[i]; i++)
		at = stpcpy(at, parts[i]);
	return text;
}

static const char *assumption(const struct run *r)
{
	const struct decision *d = r->n_decisions ? &r->decisions[r->n_decisions - 1] : NULL;

	if (!r->assumed || !d)
		return NULL;
	return join(r->arena, (const char *const[]){ "assumed: ", d->a.what, ": ", d->a.answer, " (",
						     d->a.why ? d->a.why : "", ")", NULL });
}

static void record(struct run *r, const struct chain *c, const struct rule *rule, enum flow f)
{
	struct trace_step s = { .leg = r->leg, .hook = r->hook, .chain = c, .rule = rule,
				.assumed = r->assumed, .changes = r->changes };

	if (f == FLOW_BREAK && !r->t->opt.all && !r->undecided && !r->changes)
		return;
	s.matched = f != FLOW_BREAK ? TRI_TRUE : r->undecided ? TRI_UNKNOWN : TRI_FALSE;
	s.verdict = f == FLOW_VERDICT ? r->verdict.code : VERDICT_CONTINUE;
	if (f == FLOW_VERDICT) {
		s.reject = r->verdict.reject;
		s.to = r->verdict.name;
	}
	s.why = f == FLOW_BREAK ? failure(r) : assumption(r);
	run_step(r, &s);
}

static void record_policy(struct run *r, const struct chain *c)
{
	struct trace_step s = { .leg = r->leg, .hook = r->hook, .chain = c, .matched = TRI_TRUE,
				.verdict = c->policy };

	if (c->policy == VERDICT_DROP)
		r->out.by_policy = c;
	if (c->policy == VERDICT_DROP || r->t->opt.all)
		run_step(r, &s);
}

static bool push(struct run *r, struct stack *st, const struct frame *f)
{
	if (st->n == RUN_DEPTH) {
		run_end(r, TRACE_UNKNOWN, "jumps nest too deep");
		return false;
	}
	st->f[st->n++] = *f;
	return true;
}

static struct frame enter(const struct chain *c, const struct quick_chain *q)
{
	if (q)
		quick_expect(q);
	return (struct frame){ c, q ? NULL : c->rules, q, 0 };
}

/* What is to be looked at of a rule: a NULL rule is the end of the chain. */
struct look {
	const struct rule *rule;
	const struct quick_rule *quick; /* all its tests hold; NULL: not known, or not told beforehand */
};

/*
 * The next rule that is to be looked at. Those at which a look would find nothing are passed over; they count as
 * looked at.
 */
static struct look next_rule(struct run *r, struct stack *st, struct frame *f)
{
	struct look look = { f->next, NULL };
	bool sure = false;
	uint32_t to;

	if (!f->quick) {
		if (look.rule)
			f->next = look.rule->next;
		return look;
	}
	to = quick_next(f->quick, &r->pkt, &st->cursor, f->at, &sure);
	if (to != f->at) {
		r->work += to - f->at;
		r->chain = f->chain;
		r->rule = f->quick->rules[to - 1].rule;
		r->changes = NULL;
	}
	f->at = to;
	if (to == f->quick->n)
		return (struct look){ NULL, NULL };
	f->at++;
	look.rule = f->quick->rules[to].rule;
	look.quick = sure ? &f->quick->rules[to] : NULL;
	return look;
}

/* The chain of a jump, which a rule of which anything is kept knows. */
static struct frame jump(const struct run *r, const struct quick_rule *q)
{
	const struct chain *c = r->verdict.to;

	if (eval_behind_ah(r, c))
		return enter(c, NULL);
	return enter(c, q && q->act == ACT_VERDICT ? quick_jump(r->t->quick, q) : quick_chain(r->t->quick, c));
}

/* Where to go on after a verdict inside the walk; a NULL rule means the end of the chain. */
static bool follow(struct run *r, struct stack *st, struct frame *f, const struct quick_rule *q)
{
	switch (r->verdict.code) {
	case VERDICT_JUMP:
	case VERDICT_GOTO:
		if (!r->verdict.to) {
			run_end(r, TRACE_UNKNOWN, "the chain of a jump is missing");
			return false;
		}
		if (r->verdict.code == VERDICT_JUMP && !push(r, st, f))
			return false;
		*f = jump(r, q);
		return true;
	case VERDICT_RETURN:
		f->next = NULL;
		f->quick = NULL;
		return true;
	default: return true;
	}
}

static bool ends_walk(enum verdict v)
{
	return v == VERDICT_ACCEPT || v == VERDICT_DROP || v == VERDICT_QUEUE || v == VERDICT_STOLEN;
}

enum verdict walk_chain(struct run *r, const struct chain *base)
{
	struct frame here = enter(base, eval_behind_ah(r, base) ? NULL : quick_chain(r->t->quick, base));
	struct stack st;

	st.n = 0;
	st.cursor.q = NULL;
	while (!r->ended) {
		struct look look = next_rule(r, &st, &here);
		enum flow f;

		r->work += look.rule != NULL;
		if (r->work > RUN_WORK) {
			run_end(r, TRACE_UNKNOWN, "too many rules to look at");
			break;
		}
		if (!look.rule && st.n == 0) {
			record_policy(r, base);
			return base->policy == VERDICT_DROP ? VERDICT_DROP : VERDICT_ACCEPT;
		}
		if (!look.rule) {
			here = st.f[--st.n];
			continue;
		}
		r->chain = here.chain;
		f = look.quick ? exec_quick(r, look.quick) : exec_rule(r, look.rule, look.rule->stmts);
		if (r->ended)
			break;
		record(r, here.chain, look.rule, f);
		if (f != FLOW_VERDICT)
			continue;
		if (ends_walk(r->verdict.code)) {
			if (r->verdict.code == VERDICT_DROP)
				r->out.by = look.rule;
			return r->verdict.code;
		}
		if (!follow(r, &st, &here, look.quick))
			break;
	}
	return VERDICT_DROP;
}
