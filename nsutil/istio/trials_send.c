/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trials_send - the connections that matter, sent through the kernel in a copy of the namespace */
#include <linux/netfilter.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/istio/trials.h"
#include "nsutil/live/compare.h"
#include "nsutil/live/probe.h"
#include "nsutil/trace/connection.h"

struct sender {
	struct arena *a;
	struct probe *probe;
	struct tracer *tracer;
	const struct trace_result *res; /* what the evaluator says of the one at hand */
	struct live_end end;
};

/* It came somewhere: there is nothing to wait for. */
static bool arrived(void *arg, const struct probe_result *r)
{
	struct sender *s = arg;

	s->end = probe_end(r);
	return r->end != PROBE_ENDED_NOT && live_outcome(s->res, &s->end) >= 0;
}

/* What the connection leaves open: whoever sends it has no mark. */
static struct trace_request fill_in(const struct trace_result *res)
{
	struct trace_request rq = res->request;

	if (rq.path == TRACE_OUT && !rq.has_mark) {
		rq.has_mark = true;
		rq.mark = 0;
	}
	return rq;
}

/* Where the packet came to. The kernel tells no listener: that is the evaluator's, where both came to the same end. */
static void put_end(const struct sender *s, struct buf *b)
{
	int outcome = live_outcome(s->res, &s->end);

	if (outcome >= 0)
		istio_trial_outcome(&s->res->outcomes[outcome], &s->res->request, b);
	else if (s->end.local)
		buf_fmt(b, "port %d%s", s->end.dport, s->end.dport != s->res->request.dport ? ", redirected" : "");
	else if (s->end.out)
		buf_fmt(b, "leaves the pod, port %d", s->end.dport);
	else
		buf_str(b, "dropped");
}

/* Return: 0; -1 with @e: it could not be sent */
static int send_one(struct sender *s, struct istio_trial *x, struct err *e)
{
	char *words = arena_strdup(s->a, x->connection);
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct probe_result *r = NULL;
	struct trace_result *res;
	struct trace_request rq;
	int status;

	if (!words)
		return err_oom(e);
	if (connection_parse(s->a, 1, &words, &rq, e) < 0 || trace_run(s->tracer, &rq, &res, e) < 0)
		return -1;
	s->res = res;
	rq = fill_in(res);
	status = probe_send(s->probe, &rq, rq.path == TRACE_OUT ? NULL : res->n_legs ? res->legs[0].iif : rq.iif, res->gathers, arrived,
			    s, &r, e);
	if (status == 0) {
		s->end = probe_end(r);
		put_end(s, &b);
		x->ends = buf_failed(&b) ? NULL : arena_strdup(s->a, buf_cstr(&b));
		x->sent = true;
		status = x->ends ? 0 : err_oom(e);
	}
	probe_result_free(r);
	trace_result_free(res);
	return status;
}

static const char *reason(struct arena *a, const struct err *e)
{
	const char *text = e->why[0] ? arena_printf(a, "%s: %s", e->what, e->why) : arena_strdup(a, e->what);

	return text ? text : "out of memory";
}

int istio_trials_send(struct arena *a, struct scratch *scratch, const struct ruleset *rs, const struct netview *nv,
		      struct istio_trial *trials, unsigned n, const char **ret_why, struct err *e)
{
	struct trace_options opt = { .all = false };
	struct sender s = { .a = a };
	struct err trouble = ERR_INIT;

	*ret_why = NULL;
	if (istio_trials_run(a, rs, nv, trials, n, e) < 0)
		return -1;
	if (tracer_new(rs, nv, &opt, &s.tracer, e) < 0)
		return -1;
	if (probe_open(scratch, ruleset_has(rs, STORE_LEGACY), false, &s.probe, &trouble) < 0) {
		*ret_why = reason(a, &trouble);
		tracer_free(s.tracer);
		return 0;
	}
	for (unsigned i = 0; i < n; i++) {
		trouble = (struct err)ERR_INIT;
		if (send_one(&s, &trials[i], &trouble) < 0)
			*ret_why = reason(a, &trouble);
	}
	probe_close(s.probe);
	tracer_free(s.tracer);
	return 0;
}
