/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup - which container a process belongs to, by the names of its control groups */
#include "nsutil/pod/cgroup.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "nsutil/base/cleanup.h"

enum { HEX_ID = 64, HASH_UID = 32, UUID_LEN = 36 };

/* How runtimes name the group of a container: prefix, id, perhaps ".scope". */
static const struct form {
	const char *prefix, *runtime;
	bool hex_only; /* without a prefix of its own only a full id is believed */
} forms[] = {
	{ "crio-conmon-", NULL, false },   /* the monitor, not the container */
	{ "libpod-conmon-", NULL, false },
	{ "cri-containerd-", "containerd", false },
	{ "crio-", "cri-o", false },
	{ "docker-", "docker", false },
	{ "libpod-", "podman", false },
	{ "", NULL, true },
};

static bool is_hex(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isdigit((unsigned char)s[i]) && (s[i] < 'a' || s[i] > 'f'))
			return false;
	return len > 0;
}

/* A UUID, its dashes perhaps underscores (systemd), or the hash that static pods have. */
static bool is_uid(const char *s, size_t len)
{
	static const unsigned dashes[] = { 8, 13, 18, 23 };

	if (len == HASH_UID)
		return is_hex(s, len);
	if (len != UUID_LEN)
		return false;
	for (size_t i = 0, d = 0; i < len; i++) {
		bool dash = s[i] == '-' || s[i] == '_';

		if (d < ARRAY_SIZE(dashes) && i == dashes[d])
			d++;
		else if (dash || !isxdigit((unsigned char)s[i]))
			return false;
		else
			continue;
		if (!dash)
			return false;
	}
	return true;
}

static size_t without(const char *s, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && memcmp(s + len - n, suffix, n) == 0 ? len - n : len;
}

/* "pod<uid>", "kubepods-burstable-pod<uid>.slice", also "kubelet-kubepods-..." of kind */
static bool pod_part(const char *s, size_t len, struct cgroup_id *ret)
{
	size_t end = without(s, len, ".slice"), start = 3;

	if (end != len)
		while (start <= end && (start < 4 || memcmp(s + start - 4, "-pod", 4) != 0))
			start++;
	else if (len <= 3 || memcmp(s, "pod", 3) != 0)
		return false;
	if (start > end || !is_uid(s + start, end - start))
		return false;
	memcpy(ret->pod_uid, s + start, end - start);
	ret->pod_uid[end - start] = '\0';
	for (char *p = ret->pod_uid; *p; p++)
		if (*p == '_')
			*p = '-';
	return true;
}

static bool container_part(const char *s, size_t len, bool in_docker, struct cgroup_id *ret)
{
	len = without(s, len, ".scope");
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t n = strlen(forms[i].prefix);

		if (len <= n || memcmp(s, forms[i].prefix, n) != 0)
			continue;
		if (!is_hex(s + n, len - n) || len - n > CGROUP_ID_MAX)
			return false;
		if (len - n != HEX_ID)
			return false;
		if (!forms[i].hex_only && !forms[i].runtime)
			return false;
		memcpy(ret->id, s + n, len - n);
		ret->id[len - n] = '\0';
		ret->runtime = forms[i].runtime ? forms[i].runtime : in_docker ? "docker" : NULL;
		return true;
	}
	return false;
}

/*
 * A systemd path that was given to the cgroupfs driver stays in one piece:
 * "kubepods-besteffort-pod<uid>.slice:cri-containerd:<id>".
 */
static bool colon_part(const char *s, size_t len, struct cgroup_id *ret)
{
	const char *first = memchr(s, ':', len), *second;
	size_t left;

	if (!first)
		return false;
	left = len - (size_t)(first + 1 - s);
	second = memchr(first + 1, ':', left);
	if (!second)
		return false;
	left = len - (size_t)(second + 1 - s);
	pod_part(s, (size_t)(first - s), ret);
	if (!container_part(second + 1, left, false, ret))
		return false;
	if (strncmp(first + 1, "cri-containerd:", 15) == 0)
		ret->runtime = "containerd";
	else if (strncmp(first + 1, "crio:", 5) == 0)
		ret->runtime = "cri-o";
	return true;
}

static void parse_path(const char *path, size_t len, struct cgroup_id *ret)
{
	bool in_docker = false, fixed = false;

	while (len) {
		size_t n = 0;

		while (n < len && path[n] != '/')
			n++;
		if (colon_part(path, n, ret)) {
			fixed = true;
		} else if (pod_part(path, n, ret)) {
			ret->id[0] = '\0';
			fixed = false;
		} else if (!fixed) {
			fixed = container_part(path, n, in_docker, ret) && ret->pod_uid[0];
		}
		in_docker = n == 6 && memcmp(path, "docker", 6) == 0;
		path += n;
		len -= n;
		while (len && *path == '/') {
			path++;
			len--;
		}
	}
}

bool cgroup_parse(const char *text, struct cgroup_id *ret)
{
	struct cgroup_id best = { .id = "" };
	const char *line = text;

	while (*line) {
		size_t len = strcspn(line, "\n");
		const char *colon = memchr(line, ':', len);
		struct cgroup_id c = { .id = "" };

		if (colon)
			colon = memchr(colon + 1, ':', len - (size_t)(colon + 1 - line));
		if (colon)
			parse_path(colon + 1, len - (size_t)(colon + 1 - line), &c);
		/* A line with both pod and container beats one with less. */
		if (!!c.id[0] * 2 + !!c.pod_uid[0] > !!best.id[0] * 2 + !!best.pod_uid[0])
			best = c;
		line += len + (line[len] == '\n');
	}
	if (!best.id[0] && !best.pod_uid[0])
		return false;
	*ret = best;
	return true;
}
