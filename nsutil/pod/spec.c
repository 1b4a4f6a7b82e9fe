/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spec - the grammar of a target: what the user typed, taken apart without looking anything up */
#include "nsutil/pod/spec.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"

static int bad(struct err *e, const char *text, const char *why)
{
	char what[200] = "target '";
	size_t len = strnlen(text, 120);

	memcpy(what + strlen(what), text, len);
	strcat(what, "'");
	err_set(e, ERR_USAGE, what, "%s", why);
	return err_hint(e, "a target is NS/POD, POD, NS/POD/CONTAINER, pid:N, cid:HEX, netns:NAME, netns:/path, "
			   "inode:N, self, host or file:PATH");
}

/* Decimal digits only: no sign, no blank, no other base. */
static bool number(const char *s, uint64_t max, uint64_t *ret)
{
	unsigned long long v;
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (*end || errno || v > max)
		return false;
	*ret = v;
	return true;
}

static int parse_pid(const char *v, struct spec *s)
{
	uint64_t n;

	s->kind = SPEC_PID;
	if (!number(v, INT_MAX, &n) || n == 0)
		return -1;
	s->pid = (pid_t)n;
	return 0;
}

static int parse_inode(const char *v, struct spec *s)
{
	s->kind = SPEC_INODE;
	return number(v, UINT64_MAX, &s->inode) && s->inode ? 0 : -1;
}

static int parse_netns(const char *v, struct spec *s)
{
	s->kind = *v == '/' ? SPEC_NETNS_PATH : SPEC_NETNS_NAME;
	s->name = v;
	if (*v == '/')
		return 0;
	return *v && !strchr(v, '/') && strcmp(v, ".") && strcmp(v, "..") ? 0 : -1;
}

static int parse_cid(const char *v, struct spec *s)
{
	const char *scheme = strstr(v, "://"); /* "containerd://1f2e", as kubectl prints it */

	s->kind = SPEC_CID;
	s->name = scheme ? scheme + 3 : v;
	return *s->name && strspn(s->name, "0123456789abcdef") == strlen(s->name) ? 0 : -1;
}

static int parse_file(const char *v, struct spec *s)
{
	s->kind = SPEC_FILE;
	s->name = v;
	return *v ? 0 : -1;
}

static const struct prefix {
	const char *word;
	int (*parse)(const char *value, struct spec *s);
	const char *why;
} prefixes[] = {
	{ "pid:", parse_pid, "'pid:' is followed by a process number" },
	{ "inode:", parse_inode, "'inode:' is followed by a number, as 'stat -L /proc/PID/ns/net' shows it" },
	{ "netns:", parse_netns, "'netns:' is followed by a name below /run/netns or an absolute path" },
	{ "cid:", parse_cid, "'cid:' is followed by the beginning of a container id in lower-case hexadecimal" },
	{ "file:", parse_file, "'file:' is followed by a path" },
};

/* POD | NS/POD | NS/POD/CONTAINER | pod/POD */
static int parse_pod(char *text, const char *k8s_namespace, struct spec *s)
{
	char *first = strchr(text, '/'), *second = first ? strchr(first + 1, '/') : NULL;

	s->kind = SPEC_POD;
	s->name = text;
	s->k8s_namespace = k8s_namespace;
	if (!first)
		return *text ? 0 : -1;
	*first = '\0';
	s->name = first + 1;
	if (second) {
		*second = '\0';
		s->container = second + 1;
	}
	if (second || (strcmp(text, "pod") && strcmp(text, "pods") && strcmp(text, "po")))
		s->k8s_namespace = text;
	if (second && (!*s->container || strchr(s->container, '/')))
		return -1;
	return *text && *s->name ? 0 : -1;
}

int spec_parse(const char *text, const char *k8s_namespace, struct arena *a, struct spec *ret, struct err *e)
{
	struct spec s = { .kind = SPEC_SELF };
	char *copy = arena_strdup(a, text);

	if (!copy)
		return err_oom(e);
	if (strlen(text) > PATH_MAX)
		return bad(e, text, "it is longer than any name or path can be");
	if (k8s_namespace && !*k8s_namespace)
		k8s_namespace = NULL;
	if (strcmp(text, "host") == 0)
		s.kind = SPEC_HOST;
	if (strcmp(text, "self") == 0 || strcmp(text, "host") == 0) {
		*ret = s;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t len = strlen(prefixes[i].word);

		if (strncmp(copy, prefixes[i].word, len) != 0)
			continue;
		if (prefixes[i].parse(copy + len, &s))
			return bad(e, text, prefixes[i].why);
		*ret = s;
		return 0;
	}
	if (*text && strspn(text, "0123456789") == strlen(text)) {
		if (parse_pid(copy, &s))
			return bad(e, text, "no process has such a number");
	} else if (parse_pod(copy, k8s_namespace, &s)) {
		return bad(e, text, "a part of it is empty, or there are too many '/'");
	}
	*ret = s;
	return 0;
}
