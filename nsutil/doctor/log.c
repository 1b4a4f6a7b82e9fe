/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log - istio-init's log, taken apart: what of it tells why rules are missing */
#include "nsutil/doctor/log.h"

#include <jansson.h>
#include <string.h>

enum { TEXT_MAX = 300, NAME_MAX_LEN = 40 };

/* The words are those of iptables, nft and Istio's programmer. */
static const struct pattern {
	enum log_kind kind;
	const char *words;
	const char *also;  /* must stand in the line too; NULL */
	const char *quote; /* the name follows this; NULL: there is none */
} patterns[] = {
	{ LOG_NOT_ROOT, "Permission denied (you must be root)", NULL, NULL },
	{ LOG_NOT_ROOT, "can't open lock file", "Permission denied", NULL },
	{ LOG_NOT_ROOT, "cache initialization failed: Operation not permitted", NULL, NULL },
	{ LOG_NOT_ROOT, "Operation not permitted (you must be root)", NULL, NULL },
	{ LOG_NOT_ROOT, "Failed to initialize nft: Operation not permitted", NULL, NULL },
	{ LOG_NOT_ROOT, "can't initialize ip", "Operation not permitted", NULL },
	{ LOG_AUTOPILOT, "autogke-default-linux-capabilities", NULL, NULL },
	{ LOG_AUTOPILOT, "GKE Warden", "NET_ADMIN", NULL },
	{ LOG_NO_FAMILY, "can't initialize ip", "Address family not supported", NULL },
	{ LOG_NO_FAMILY, "can't initialize ip", "Protocol not supported", NULL },
	{ LOG_NO_TABLE, "has no loaded kernel support", "legacy", NULL },
	{ LOG_NO_TABLE, "unable to initialize table '", NULL, "unable to initialize table '" },
	{ LOG_NO_TABLE, "can't initialize ip", "do you need to insmod", "tables table `" },
	{ LOG_CHAIN_EXISTS, "Chain already exists", NULL, NULL },
	{ LOG_CHAIN_EXISTS, "CHAIN_USER_ADD failed (File exists)", NULL, NULL },
	{ LOG_CHAIN_EXISTS, "Chain '", "already exists", NULL },
	{ LOG_CHAIN_EXISTS, "tables-restore: line 2 failed", NULL, NULL }, /* legacy says no more; line 2 makes the first chain */
	{ LOG_NO_EXTENSION, "No chain/target/match by that name", NULL, NULL },
	{ LOG_NO_EXTENSION, "not supported, missing kernel module", NULL, "Extension " },
	{ LOG_NO_EXTENSION, "RULE_APPEND failed (No such file or directory)", NULL, NULL },
	{ LOG_NO_EXTENSION, "Couldn't load match `", NULL, "Couldn't load match `" },
	{ LOG_NO_EXTENSION, "Couldn't load target `", NULL, "Couldn't load target `" },
	{ LOG_LOCKED, "holding the xtables lock", NULL, NULL },
	{ LOG_VALIDATION, "iptables validation failed; workload is not ready", NULL, NULL },
	{ LOG_NO_ADDRESS, "no valid local IP address found", NULL, NULL },
	{ LOG_SWALLOWED, "OUTBOUND_IP_RANGES_EXCLUDE=-", NULL, NULL },
	{ LOG_SWALLOWED, "invalid value for OUTBOUND_IP_RANGES_EXCLUDE", NULL, NULL },
	{ LOG_NO_NFT, "the nft binary is missing", NULL, NULL },
	{ LOG_NO_NFT, "could not find nftables binary", NULL, NULL },
	{ LOG_NO_JSON, "JSON support not compiled-in", NULL, NULL },
	{ LOG_NO_EXPRESSION, "RULE_APPEND failed (Operation not supported)", NULL, NULL },
	{ LOG_NO_EXPRESSION, "nftables run failed", "Operation not supported", NULL },
	{ LOG_NO_EXPRESSION, "CHAIN_ADD failed (No such file or directory)", NULL, NULL }, /* a type of chains */
	{ LOG_NO_EXPRESSION, "CHAIN_ADD failed (Operation not supported)", NULL, NULL },
	{ LOG_NO_EXPRESSION, "TABLE_ADD failed (Operation not supported)", NULL, NULL },
	{ LOG_NO_EXPRESSION, "Failed to initialize nft: Protocol not supported", NULL, NULL }, /* no nf_tables at all */
	{ LOG_NO_EXPRESSION, "Could not process rule: Operation not supported", NULL, NULL },
	{ LOG_NO_EXPRESSION, "Could not process rule: No such file or directory", NULL, NULL },
	{ LOG_NO_EXPRESSION, "iptables: Operation not supported", NULL, NULL },
	{ LOG_SELINUX, "avc: ", "{ module_request }", NULL },
	{ LOG_SELINUX, "avc: ", "comm=\"iptables", NULL },
	{ LOG_SELINUX, "avc: ", "comm=\"ip6tables", NULL },
	{ LOG_SELINUX, "avc: ", "comm=\"xtables-", NULL },
	{ LOG_READ_ONLY, "failed to setup execution environment", NULL, NULL },
	{ LOG_READ_ONLY, "failed to remount", NULL, NULL },
	{ LOG_READ_ONLY, "exec: \"iptables", "executable file not found", NULL },
	{ LOG_READ_ONLY, "exec: \"sh\"", "executable file not found", NULL },
	{ LOG_INCOMPATIBLE, "is incompatible, use 'nft' tool", NULL, "table `" },
};

/* What containerd and CRI-O put in front: "2024-01-02T03:04:05.6Z stderr F "; docker wraps in JSON. */
static const char *after_prefix(const char *line)
{
	const char *at;

	if (strlen(line) < 20 || line[4] != '-' || line[10] != 'T')
		return line;
	at = strchr(line, ' ');
	if (!at || (strncmp(at + 1, "stdout ", 7) != 0 && strncmp(at + 1, "stderr ", 7) != 0))
		return line;
	at += 8;
	return (at[0] == 'F' || at[0] == 'P') && at[1] == ' ' ? at + 2 : at;
}

static const char *copy_clean(const char *text, size_t most, struct arena *a)
{
	char *copy = arena_strndup(a, text, most);

	for (char *c = copy; c && *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	return copy;
}

/* The word behind an opening: up to a quote or blank. */
static const char *name_after(const char *line, const char *opening, struct arena *a)
{
	const char *at = strstr(line, opening);
	size_t n;

	if (!at)
		return NULL;
	at += strlen(opening);
	n = strcspn(at, "'`:\" ");
	return n && n <= NAME_MAX_LEN ? copy_clean(at, n, a) : NULL;
}

/* "iptables-restore v1.8.4 (legacy): ..." */
static void note_variant(const char *line, struct arena *a, struct log *l)
{
	const char *at = strstr(line, "tables-restore v"), *open;
	size_t n;

	if (!at)
		at = strstr(line, "tables v");
	if (!at)
		return;
	at = strstr(at, " v") + 2;
	n = strspn(at, "0123456789.");
	open = at + n;
	if (!n || n > 16 || strncmp(open, " (", 2) != 0)
		return;
	if (strncmp(open + 2, "legacy)", 7) == 0)
		l->variant = "legacy";
	else if (strncmp(open + 2, "nf_tables)", 10) == 0)
		l->variant = "nf_tables";
	l->version = arena_strndup(a, at, n);
}

static int note_hit(const struct pattern *p, const char *line, struct arena *a, struct log *l)
{
	struct log_hit *h;

	if (p->kind != LOG_NO_IPV6 && strstr(line, "continuing because IPv6 support is disabled"))
		return 0;
	if (l->n == LOG_HITS_MAX) /* the last one counts, as in log_hit() */
		l->n--;
	h = &l->hits[l->n++];
	h->kind = p->kind;
	h->line = l->lines;
	h->text = copy_clean(line, TEXT_MAX, a);
	h->name = p->quote ? name_after(line, p->quote, a) : NULL;
	return h->text ? 0 : -1;
}

static int take_text(const char *line, struct arena *a, struct log *l)
{
	note_variant(line, a, l);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		const struct pattern *p = &patterns[i];

		if (strstr(line, p->words) && (!p->also || strstr(line, p->also)))
			return note_hit(p, line, a, l);
	}
	return 0;
}

static int take_line(const char *line, struct arena *a, struct log *l)
{
	json_t *j = line[0] == '{' ? json_loads(line, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const char *inner = json_string_value(json_object_get(j, "log"));
	int r = take_text(inner ? inner : after_prefix(line), a, l);

	json_decref(j);
	return r;
}

int log_parse(const char *text, size_t len, struct arena *a, struct log *ret)
{
	struct log l = { .n = 0 };
	const char *end = text + len, *at = len > LOG_MAX ? end - LOG_MAX : text;
	char line[LOG_LINE_MAX + 1];

	while (at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((nl ? nl : end) - at);
		size_t take = n > LOG_LINE_MAX ? LOG_LINE_MAX : n;

		memcpy(line, at, take);
		line[take] = '\0';
		for (size_t i = 0; i < take; i++)
			if (!line[i])
				line[i] = ' ';
		l.lines++;
		if (take_line(line, a, &l) < 0)
			return -1;
		at += n + 1;
	}
	*ret = l;
	return 0;
}

const struct log_hit *log_hit(const struct log *l, enum log_kind kind)
{
	for (unsigned i = l ? l->n : 0; i > 0; i--)
		if (l->hits[i - 1].kind == kind)
			return &l->hits[i - 1];
	return NULL;
}
