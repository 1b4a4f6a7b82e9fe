/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gather - what the sources say of containers, brought together by container id */
#include "nsutil/pod/gather.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nsutil/pod/proc.h"

enum { IPS_MAX = 64 };

struct record *gather_find(const struct gather *g, const char *id)
{
	for (struct record *r = g->records; r; r = r->next)
		if (strcmp(r->id, id) == 0)
			return r;
	return NULL;
}

struct record *gather_record(struct gather *g, const char *id)
{
	struct record *r;

	id = hostfs_word(g->arena, id);
	if (!id)
		return NULL;
	r = gather_find(g, id);
	if (r)
		return r;
	r = arena_alloc(g->arena, sizeof(*r));
	if (!r)
		return NULL;
	r->id = id;
	if (g->last)
		g->last->next = r;
	else
		g->records = r;
	g->last = r;
	return r;
}

void gather_set(struct gather *g, const char **field, const char *value)
{
	if (!*field)
		*field = hostfs_word(g->arena, value);
}

bool gather_pid(struct gather *g, struct record *r, pid_t pid, uint64_t starttime, const char *source)
{
	struct proc_stat st;

	if (pid <= 0)
		return false;
	if (proc_stat(g->host.proc, pid, &st) < 0 || st.state == 'Z') {
		gather_say(g, r, source, "says pid %d, but no such process lives", (int)pid);
		return false;
	}
	if (starttime && starttime != st.starttime) {
		gather_say(g, r, source, "says pid %d started at tick %llu, but the process that has it now at %llu: stale",
			   (int)pid, (unsigned long long)starttime, (unsigned long long)st.starttime);
		return false;
	}
	if (r->pid && r->pid != pid) {
		gather_say(g, r, source, "says pid %d; the earlier source is kept", (int)pid);
		return false;
	}
	r->pid = pid;
	r->starttime = st.starttime;
	return true;
}

void gather_ip(struct gather *g, struct record *r, const char *text)
{
	struct addr ip, *grown;
	unsigned len;

	if (!text || r->n_ips >= IPS_MAX || addr_parse_prefix(text, &ip, &len) || addr_is_loopback(&ip))
		return;
	for (unsigned i = 0; i < r->n_ips; i++)
		if (addr_equal(&r->ips[i], &ip))
			return;
	grown = arena_grow(g->arena, r->ips, r->n_ips, sizeof(ip));
	if (!grown)
		return;
	r->ips = grown;
	r->ips[r->n_ips++] = ip;
}

static void add_evidence(struct gather *g, struct evidence **list, const char *source, const char *fmt, va_list ap)
{
	struct evidence *ev = arena_alloc(g->arena, sizeof(*ev));
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	if (!ev)
		return;
	ev->source = hostfs_word(g->arena, source);
	ev->says = hostfs_word(g->arena, text);
	while (*list)
		list = &(*list)->next;
	*list = ev;
}

void gather_say(struct gather *g, struct record *r, const char *source, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_evidence(g, &r->evidence, source, fmt, ap);
	va_end(ap);
}

void gather_source(struct gather *g, const char *source, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_evidence(g, &g->sources, source, fmt, ap);
	va_end(ap);
}

bool gather_k8s_name(struct gather *g, struct record *r, const char *name)
{
	const char *part[5], *p = name;
	char *copy;

	if (*p == '/')
		p++;
	if (strncmp(p, "k8s_", 4) != 0 || !(copy = arena_strdup(g->arena, p + 4)))
		return false;
	for (unsigned i = 0; i < 5; i++) {
		part[i] = strsep(&copy, "_");
		if (!part[i] || !*part[i])
			return false;
	}
	gather_set(g, &r->pod_name, part[1]);
	gather_set(g, &r->k8s_namespace, part[2]);
	gather_set(g, &r->pod_uid, part[3]);
	if (strcmp(part[0], "POD") == 0)
		r->sandbox = true;
	else
		gather_set(g, &r->name, part[0]);
	return true;
}

int64_t gather_time(const char *text)
{
	struct tm tm = { .tm_isdst = 0 };
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	int64_t ns = 0, scale = 100000000;
	time_t secs;

	if (!rest || tm.tm_year < 70)
		return 0;
	if (*rest == '.')
		for (rest++; *rest >= '0' && *rest <= '9'; rest++, scale /= 10)
			ns += (*rest - '0') * scale;
	secs = timegm(&tm);
	if (*rest == '+' || *rest == '-') {
		int h = 0, m = 0;

		if (sscanf(rest + 1, "%2d:%2d", &h, &m) == 2)
			secs -= (*rest == '-' ? -1 : 1) * (h * 3600 + m * 60);
	}
	return secs > INT32_MAX * 4LL ? 0 : (int64_t)secs * 1000000000 + ns;
}
