/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntrack - counters of connection tracking */
#include "nsutil/doctor/conntrack.h"

#include <stdlib.h>
#include <string.h>

/* Which word of the first line it is; -1: none. */
static int column_of(const char *text, const char *column)
{
	size_t n = strlen(column);
	const char *end = strchr(text, '\n');
	int at = 0;

	for (const char *c = text; c && end && c < end; at++) {
		c += strspn(c, " ");
		if (strncmp(c, column, n) == 0 && (c[n] == ' ' || c[n] == '\n'))
			return at;
		c += strcspn(c, " \n");
	}
	return -1;
}

static unsigned long long value_of(const char *line, int column)
{
	for (; column > 0; column--) {
		line += strspn(line, " ");
		line += strcspn(line, " \n");
	}
	return strtoull(line, NULL, 16);
}

unsigned long long conntrack_stat(struct doctor *d, const char *column)
{
	const char *text = facts_proc(d, "net/stat/nf_conntrack");
	int at = text ? column_of(text, column) : -1;
	unsigned long long sum = 0;

	for (const char *line = at < 0 ? NULL : strchr(text, '\n'); line && line[1]; line = strchr(line + 1, '\n'))
		sum += value_of(line + 1, at);
	return sum;
}
