/* SPDX-License-Identifier: GPL-2.0-or-later */
/* groups - the multicast groups that interfaces of a namespace belong to, from /proc/net */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/netns/parts.h"

#define GROUPS_MOST (1u << 20) /* bytes of the file */

static int add(struct netview *nv, int ifindex, const struct addr *a, struct err *e)
{
	struct nv_group *g = nv_more(nv, nv->groups, nv->n_groups);

	if (!g)
		return err_oom(e);
	*g = (struct nv_group){ ifindex, *a };
	return 0;
}

/* "2	eth0      :     1      V3", and below it "				010000E0     1 0:00000000		0": a word as it lies in memory */
static bool parse_v4(const char *line, int *ifindex, struct addr *ret)
{
	unsigned word;

	if (line[0] != '\t')
		*ifindex = atoi(line);
	if (line[0] != '\t' || sscanf(line, "%8x", &word) != 1)
		return false;
	*ret = addr_from(AF_INET, (const uint8_t *)&word);
	return true;
}

/* "2    eth0            ff0200000000000000000000000000fb     1 00000004 0" */
static bool parse_v6(const char *line, int *ifindex, struct addr *ret)
{
	char hex[33];

	return sscanf(line, "%d %*s %32[0-9a-f]", ifindex, hex) == 2 && strlen(hex) == 32 && addr_from_hex(hex, ret);
}

int nv_parse_groups(const char *text, uint8_t family, struct netview *nv, struct err *e)
{
	int ifindex = 0;

	while (*text) {
		size_t n = strcspn(text, "\n");
		char line[256];
		struct addr a;

		snprintf(line, sizeof(line), "%.*s", n < sizeof(line) ? (int)n : (int)sizeof(line) - 1, text);
		text += n + (text[n] == '\n');
		if ((family == AF_INET ? parse_v4 : parse_v6)(line, &ifindex, &a) && add(nv, ifindex, &a, e) < 0)
			return -1;
	}
	return 0;
}

/* No such file of IPv6: the kernel has none. */
int nv_read_groups(const struct netns *ns, struct netview *nv, struct err *e)
{
	_cleanup_free_ char *four = NULL, *six = NULL;

	if (netns_read_proc(ns, "net/igmp", GROUPS_MOST, &four, NULL, NULL) < 0)
		return 0;
	if (nv_parse_groups(four, AF_INET, nv, e) < 0)
		return -1;
	if (netns_read_proc(ns, "net/igmp6", GROUPS_MOST, &six, NULL, NULL) == 0 && nv_parse_groups(six, AF_INET6, nv, e) < 0)
		return -1;
	nv->groups_read = true;
	return 0;
}
