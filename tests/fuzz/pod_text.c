/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pod_text - fuzz harness: texts of /proc, targets as typed, and JSON of state files */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/pod/bundle.h"
#include "nsutil/pod/cgroup.h"
#include "nsutil/pod/docker.h"
#include "nsutil/pod/gather.h"
#include "nsutil/pod/ipt.h"
#include "nsutil/pod/jget.h"
#include "nsutil/pod/mesh.h"
#include "nsutil/pod/nsfs.h"
#include "nsutil/pod/proc.h"
#include "nsutil/pod/spec.h"

static void control_groups(const char *text, struct arena *a)
{
	struct cgroup_id c;

	(void)a;
	/* An id becomes part of file names: it is a full hexadecimal one or none. */
	if (cgroup_parse(text, &c) && c.id[0] && (strlen(c.id) != 64 || strspn(c.id, "0123456789abcdef") != 64))
		abort();
}

static void proc_texts(const char *text, struct arena *a)
{
	struct addr *ips = NULL;
	struct proc_stat st;
	unsigned n = 0;

	proc_stat_parse(text, &st);
	proc_parse_fib_trie(text, a, &ips, &n);
	proc_parse_if_inet6(text, a, &ips, &n);
	mesh_listens(text, 15008);
	gather_time(text);
	for (const struct nsfs_mount *m = nsfs_parse(text, a); m; m = m->next)
		if (m->path[0] != '/')
			abort();
}

static void typed(const char *text, struct arena *a)
{
	struct err e = ERR_INIT;
	struct spec s;

	if (spec_parse(text, NULL, a, &s, &e) == 0)
		return;
	if (e.code != ERR_USAGE || !e.why[0])
		abort();
}

static void json(const char *text, struct arena *a)
{
	struct gather g = { .arena = a, .host = { .root = "/nowhere", .proc = "/nowhere" } };
	json_t *j _cleanup_json_ = jget_load(text, strlen(text), NULL, 0);
	const char *dir;

	docker_take_list(&g, j);
	docker_take_inspect(&g, gather_record(&g, "a"), j, "fuzz");
	bundle_take_config(&g, gather_record(&g, "b"), j, "fuzz");
	bundle_take_runc(&g, gather_record(&g, "c"), j, "fuzz");
	dir = bundle_docker_dir(j, "id", a);
	if (dir && strcmp(dir + strlen(dir) - 3, "/id") != 0)
		abort();
	/* What is shown of it cannot disturb a terminal. */
	for (const struct record *r = g.records; r; r = r->next)
		for (const struct evidence *ev = r->evidence; ev; ev = ev->next)
			for (const char *p = ev->says; *p; p++)
				if ((unsigned char)*p < 0x20)
					abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const parts[])(const char *text, struct arena *a) = { control_groups, proc_texts, typed, json };
	struct arena *a = arena_new();
	char *text = malloc(size + 1), version[32];

	if (size && a && text) {
		memcpy(text, data + 1, size - 1);
		text[size - 1] = '\0';
		parts[data[0] % 4](text, a);
		ipt_judge_bytes(data, size, version);
	}
	free(text);
	arena_free(a);
	return 0;
}
