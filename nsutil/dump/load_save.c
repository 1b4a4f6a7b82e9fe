/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load_save - iptables-save text, also several, also within a log, into the model */
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/dump/dump.h"
#include "nsutil/dump/save.h"
#include "nsutil/xt/blob.h"
#include "nsutil/xt/parse.h"

/* Errors name the line of the file; with very many sections that is not worth the padding. */
#define NUMBERED_SECTIONS 64

static bool same_place(const struct save_section *a, const struct save_section *b)
{
	return a->store == b->store && a->family == b->family && strcmp(a->table, b->table) == 0;
}

static bool holds(const struct save_section *x, const char *word)
{
	return memmem(x->text, x->size, word, strlen(word)) != NULL;
}

/* Words and addresses that only one family has; nothing of the kind fits both, and is IPv4. */
static uint8_t guess_family(const struct save_section *x, const struct save_section *first)
{
	static const char *const v6[] = { "icmpv6", "ipv6", "icmp6", "/128", "::", "ip6t", " -m hl", " -m rt ", " -j HL" };

	for (size_t i = 0; i < ARRAY_SIZE(v6); i++)
		if (holds(x, v6[i]))
			return NFPROTO_IPV6;
	/* without headings, the second of a table's two sections is the other family's */
	for (const struct save_section *o = first; o != x; o = o->next)
		if (o->store == x->store && o->family == NFPROTO_IPV4 && strcmp(o->table, x->table) == 0 &&
		    x->origin == SAVE_PLAIN)
			return NFPROTO_IPV6;
	return NFPROTO_IPV4;
}

/* Of a log, what was there in the end; of tables written twice, the last writing. */
static bool stands(const struct save_section *x, const struct save_section *first)
{
	if (x->origin == SAVE_INPUT && !x->makes)
		return false;
	for (const struct save_section *o = first; o; o = o->next)
		if (x->origin == SAVE_INPUT && o->origin == SAVE_FINAL)
			return false;
	for (const struct save_section *o = x->next; o; o = o->next)
		if (x->origin != SAVE_PLAIN && o->origin == x->origin && o->makes && same_place(x, o))
			return false;
	return true;
}

/* Built-in chains need no line of their own in what iptables-restore reads. */
static unsigned declare(const struct save_section *x, struct buf *b)
{
	uint32_t hooks = xt_table_hooks(x->table);
	char word[40];
	unsigned n = 0;

	for (unsigned h = 0; h < 5; h++) {
		const char *chain = xt_hook_chain(h);
		bool used = x->origin == SAVE_INPUT;

		if (!(hooks & 1u << h))
			continue;
		snprintf(word, sizeof(word), "-A %s ", chain);
		used |= holds(x, word);
		snprintf(word, sizeof(word), "-I %s ", chain);
		used |= holds(x, word);
		snprintf(word, sizeof(word), "\n:%s ", chain);
		if (!used || holds(x, word))
			continue;
		buf_fmt(b, ":%s ACCEPT\n", chain);
		n++;
	}
	return n;
}

static int load_section(const struct save_section *x, bool numbered, const char *name, struct ruleset *rs,
			struct err *e)
{
	struct buf declared _cleanup_buf_ = BUF_INIT, b _cleanup_buf_ = BUF_INIT;
	unsigned lines = declare(x, &declared);
	size_t first = strcspn(x->text, "\n") + 1;

	for (unsigned long i = 1 + lines; numbered && i < x->line; i++)
		buf_chr(&b, '\n');
	buf_add(&b, x->text, first);
	buf_add(&b, declared.data ? declared.data : "", declared.len);
	buf_add(&b, x->text + first, x->size - first);
	if (buf_failed(&b) || buf_failed(&declared))
		return err_oom(e);
	return xt_parse_restore(rs, x->store, x->family, b.data, b.len, name, e);
}

bool dump_has_save(const char *text, size_t size)
{
	struct arena *a _cleanup_arena_ = arena_new();
	struct save_section *first = NULL;

	return a && save_sections(a, text, size, &first, NULL) == 0 && first;
}

bool dump_save_is_log(const char *text, size_t size)
{
	struct arena *a _cleanup_arena_ = arena_new();
	struct save_section *first = NULL;

	return a && save_sections(a, text, size, &first, NULL) == 0 && first && first->origin != SAVE_PLAIN;
}

int dump_load_save(const char *text, size_t size, const char *name, struct ruleset *rs, struct err *e)
{
	struct arena *a _cleanup_arena_ = arena_new();
	struct save_section *first = NULL;
	unsigned n = 0;

	if (!a)
		return err_oom(e);
	if (save_sections(a, text, size, &first, e) < 0)
		return err_wrap(e, "%s", name);
	for (struct save_section *x = first; x; x = x->next, n++)
		if (x->family == NFPROTO_UNSPEC)
			x->family = guess_family(x, first);
	for (const struct save_section *x = first; x; x = x->next)
		if (stands(x, first) && load_section(x, n <= NUMBERED_SECTIONS, name, rs, e) < 0)
			return -1;
	return 0;
}
