/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify - a trace beside what the kernel did with the same connection */
#include "commands/trace/verify.h"

#include <stdio.h>
#include <string.h>

#include "nsutil/live/packet.h"
#include "nsutil/ruleset/text.h"

static void rule_texts(const struct live_step *s, struct buf *ipt, struct buf *nft)
{
	if (!s->rule)
		return;
	if (s->chain->table->store != STORE_NATIVE && !rule_iptables(s->rule, ipt))
		buf_reset(ipt);
	rule_nft(s->rule, false, nft);
}

static const char *trimmed(const struct buf *b)
{
	return b->len ? buf_cstr(b) + strspn(buf_cstr(b), " ") : NULL;
}

void report_live_step(const char *key, const struct live_step *s, struct out *o)
{
	_cleanup_buf_ struct buf ipt = BUF_INIT, nft = BUF_INIT;
	const struct table *t = s->chain ? s->chain->table : NULL;

	rule_texts(s, &ipt, &nft);
	out_object(o, key);
	out_str(o, "store", NULL, t ? store_name(t->store) : NULL);
	out_str(o, "family", NULL, t ? family_name(t->family) : NULL);
	out_str(o, "table", NULL, t ? t->name : NULL);
	out_str(o, "chain", NULL, t ? s->chain->name : NULL);
	if (s->rule)
		out_uint(o, "rule", NULL, s->rule->index);
	else
		out_null(o, "rule");
	out_str(o, "iptables", NULL, trimmed(&ipt));
	out_str(o, "nft", NULL, trimmed(&nft));
	out_str(o, "verdict", NULL, s->tells_verdict ? verdict_name(s->verdict) : NULL);
	out_str(o, "to", NULL, s->to);
	out_str(o, "strange", NULL, s->strange);
	out_object_end(o);
}

/* "legacy ip nat OUTPUT 1  -p tcp -j ISTIO_OUTPUT" */
void report_step_text(const struct live_step *s, struct out *o)
{
	_cleanup_buf_ struct buf ipt = BUF_INIT, nft = BUF_INIT;
	const struct table *t = s->chain ? s->chain->table : NULL;

	if (!t && !s->strange) {
		out_text(o, "no further step");
		return;
	}
	if (t)
		out_text(o, "%s %s %s %s ", store_name(t->store), family_name(t->family), t->name, s->chain->name);
	if (s->strange) {
		out_text(o, "%s", s->strange);
		return;
	}
	rule_texts(s, &ipt, &nft);
	if (s->rule)
		out_text(o, "%u  %s", s->rule->index, trimmed(&ipt) ? trimmed(&ipt) : trimmed(&nft) ? trimmed(&nft) : "");
	else
		out_text(o, "policy");
	if (s->tells_verdict)
		out_text(o, "  (%s%s%s)", verdict_name(s->verdict), s->to ? " " : "", s->to ? s->to : "");
}

static const char *judgement_word(enum live_judgement j)
{
	static const char *const words[] = { "agrees", "differs", "ends alike", "unknown" };

	return words[j];
}

static const char *end_word(const struct live_end *end)
{
	return !end->known ? NULL : end->local ? "local" : end->out ? "out" : "gone";
}

void report_end(const struct live_end *end, struct out *o)
{
	char src[ADDR_TEXT], dst[ADDR_TEXT];

	out_object(o, "end");
	out_str(o, "path", NULL, end_word(end));
	out_str(o, "saddr", NULL, end->src.family ? addr_fmt(&end->src, src) : NULL);
	out_str(o, "daddr", NULL, end->dst.family ? addr_fmt(&end->dst, dst) : NULL);
	if (end->sport >= 0)
		out_int(o, "sport", NULL, end->sport);
	else
		out_null(o, "sport");
	if (end->dport >= 0)
		out_int(o, "dport", NULL, end->dport);
	else
		out_null(o, "dport");
	out_object_end(o);
}

static void text_end(const struct live_end *end, struct out *o)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	char text[ADDR_TEXT];

	if (!end->local && !end->out) {
		out_text(o, "in the kernel it comes to no end, locally or out");
		return;
	}
	if (end->dst.family)
		buf_fmt(&b, end->dst.family == 10 && end->dport >= 0 ? "[%s]" : "%s", addr_fmt(&end->dst, text));
	if (end->dport >= 0)
		buf_fmt(&b, ":%d", end->dport);
	out_text(o, "in the kernel it %s %s", end->local ? "goes to" : "leaves for", buf_cstr(&b));
}

static void text_difference(const struct live_comparison *c, const struct live_end *end, struct out *o)
{
	out_text(o, "the kernel disagrees, behind %u of %u steps that are the same:", c->same, c->steps);
	out_nl(o);
	if (c->end_differs) {
		out_text(o, "   all steps agree, but ");
		text_end(end, o);
	} else {
		out_text(o, "   kernel  ");
		report_step_text(&c->kernel, o);
		out_nl(o);
		out_text(o, "   cnish   ");
		report_step_text(&c->expected, o);
	}
	out_nl(o);
}

static void text_comparison(const struct live_comparison *c, const struct live_end *end, struct out *o)
{
	out_style(o, c->judgement == LIVE_AGREES ? STYLE_GOOD : c->judgement == LIVE_DIFFERS ? STYLE_BAD : STYLE_WARN);
	switch (c->judgement) {
	case LIVE_AGREES: out_text(o, "kernel agrees in all %u steps", c->steps); break;
	case LIVE_DIFFERS: text_difference(c, end, o); break;
	case LIVE_ENDS_ALIKE:
		out_text(o, "kernel agrees in the outcome; of the ways that lead to it, it took another one than the one shown "
			    "(%u steps)", c->steps);
		break;
	case LIVE_UNKNOWN:
		out_text(o, "nothing to compare, since the outcome is not known; ");
		text_end(end, o);
		break;
	}
	out_style(o, STYLE_PLAIN);
}

int report_comparison(const struct live_comparison *c, const struct live_end *end, struct out *o)
{
	out_str(o, "result", NULL, judgement_word(c->judgement));
	out_uint(o, "steps_compared", NULL, c->steps);
	out_uint(o, "same", NULL, c->same);
	report_end(end, o);
	if (c->judgement == LIVE_DIFFERS && !c->end_differs) {
		report_live_step("kernel", &c->kernel, o);
		report_live_step("expected", &c->expected, o);
	} else {
		out_null(o, "kernel");
		out_null(o, "expected");
	}
	text_comparison(c, end, o);
	return c->judgement == LIVE_DIFFERS;
}

static void put_gaps(const struct gaps *gaps, struct out *o)
{
	out_array(o, "not_copied");
	for (const struct gap *g = gaps->first; g; g = g->next) {
		out_object(o, NULL);
		out_str(o, "what", NULL, g->what);
		out_str(o, "why", NULL, g->why);
		out_object_end(o);
		out_text(o, "   not copied: %s: %s", g->what, g->why);
		out_nl(o);
	}
	out_array_end(o);
}

static void put_steps(const struct verify *v, const struct ruleset *shown, struct out *o)
{
	out_array(o, "steps");
	for (unsigned i = 0; i < v->probe->n && out_structured(o); i++) {
		struct live_step s;

		if (live_step_of(&v->probe->steps[i], shown, v->ran, &s))
			report_live_step(NULL, &s, o);
	}
	out_array_end(o);
}

/* What was not given had to be something. */
static void text_sent(const struct verify *v, const struct trace_result *res, struct out *o)
{
	const struct trace_request *asked = &res->request, *sent = &v->probe->sent;
	char text[ADDR_TEXT], frag[16];

	out_text(o, "   sent in a copy of the target");
	if (sent->path == TRACE_OUT && !asked->has_uid)
		out_text(o, " as uid %u, gid %u", sent->uid, sent->gid);
	if (!asked->src.family && sent->src.family)
		out_text(o, " from %s", addr_fmt(&sent->src, text));
	if (asked->sport < 0 && sent->sport >= 0)
		out_text(o, " from port %d", sent->sport);
	if (live_is_fragment(sent))
		out_text(o, " as fragment %s with id %u", frag_text(&sent->parts, frag), sent->parts.id);
	if (v->expected->gathers)
		out_text(o, ", behind the others of its packet");
	if (v->probe->error)
		out_text(o, "; the kernel refused it: %s", strerror(v->probe->error));
	if (v->outcome >= 0 && res->n_outcomes > 1)
		out_text(o, "; this is outcome %d of those above", v->outcome + 1);
	if (res->order_unknown)
		out_text(o, "; in the copy, legacy tables are older than those of nftables, so they run behind these at equal priority");
	out_nl(o);
}

static void put_sent(const struct verify *v, struct out *o)
{
	const struct trace_request *rq = &v->probe->sent;
	char text[ADDR_TEXT], frag[16];

	out_object(o, "sent");
	out_str(o, "saddr", NULL, rq->src.family ? addr_fmt(&rq->src, text) : NULL);
	if (rq->sport >= 0)
		out_int(o, "sport", NULL, rq->sport);
	else
		out_null(o, "sport");
	out_uint(o, "uid", NULL, rq->uid);
	out_uint(o, "gid", NULL, rq->gid);
	out_uint(o, "mark", NULL, rq->mark);
	out_str(o, "frag", NULL, live_is_fragment(rq) ? frag_text(&rq->parts, frag) : NULL);
	if (rq->parts.has_id)
		out_uint(o, "fragid", NULL, rq->parts.id);
	else
		out_null(o, "fragid");
	out_bool(o, "others", NULL, v->expected->gathers);
	out_str(o, "error", NULL, v->probe->error ? strerror(v->probe->error) : NULL);
	out_object_end(o);
}

int report_verify(const struct verify *v, const struct trace_result *res, struct out *o)
{
	int found;

	if (!v) {
		out_null(o, "verify");
		return 0;
	}
	out_object(o, "verify");
	out_text(o, "   ");
	found = report_comparison(&v->comparison, &v->end, o);
	if (v->outcome >= 0)
		out_int(o, "outcome", NULL, v->outcome);
	else
		out_null(o, "outcome");
	if (v->comparison.judgement != LIVE_DIFFERS)
		out_nl(o);
	text_sent(v, res, o);
	put_sent(v, o);
	put_steps(v, v->shown, o);
	put_gaps(&v->scratch->gaps, o);
	out_object_end(o);
	return found;
}
