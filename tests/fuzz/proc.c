/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proc - fuzz harness: text of /proc and of runtimes' sockets: stat, cgroup, mountinfo, sockets, addresses, HTTP */
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/netns/parts.h"
#include "nsutil/pod/cgroup.h"
#include "nsutil/pod/http.h"
#include "nsutil/pod/nsfs.h"
#include "nsutil/pod/proc.h"
#include "nsutil/ruleset/netview.h"

static void sockets(struct arena *a, const char *text)
{
	struct netview nv = { .arena = a };

	nv_parse_proc_sockets(text, AF_INET, IPPROTO_TCP, &nv, NULL);
	nv_parse_proc_sockets(text, AF_INET6, IPPROTO_UDP, &nv, NULL);
}

static void one(struct arena *a, uint8_t kind, const char *text, size_t len)
{
	struct proc_stat stat;
	struct cgroup_id id;
	struct http_head head;
	struct addr *addrs = NULL;
	unsigned n = 0;

	switch (kind % 6) {
	case 0: proc_stat_parse(text, &stat); break;
	case 1: cgroup_parse(text, &id); break;
	case 2: nsfs_parse(text, a); break;
	case 3: sockets(a, text); break;
	case 4:
		proc_parse_fib_trie(text, a, &addrs, &n);
		proc_parse_if_inet6(text, a, &addrs, &n);
		break;
	case 5:
		if (!http_parse_head(text, len, &head) && head.body > len)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a;
	char *text;

	if (size == 0)
		return 0;
	a = arena_new();
	text = malloc(size); /* exactly, so that a read behind its end is seen */
	if (a && text) {
		memcpy(text, data + 1, size - 1);
		text[size - 1] = '\0';
		one(a, data[0], text, size - 1);
	}
	free(text);
	arena_free(a);
	return 0;
}
