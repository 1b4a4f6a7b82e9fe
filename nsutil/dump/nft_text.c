/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_text - what "nft list ruleset" prints, into the model */
#include "nsutil/dump/nft_text.h"

#include <string.h>

#include "nsutil/dump/dump.h"
#include "nsutil/nft/nft.h"

#define TEXT_MAX (16u << 20)

/* The condition that stands for the i-th opaque part */
static bool is_mark(const struct stmt *s, const struct nft_text *t, uint32_t *ret)
{
	const struct expr *left = s->kind == STMT_MATCH ? s->match.left : NULL;

	if (!left || left->kind != EXPR_NUMGEN || left->numgen.modulus != NFT_TEXT_MODULUS ||
	    s->match.right->kind != EXPR_VALUE || s->match.right->bits != 32)
		return false;
	memcpy(ret, s->match.right->value, sizeof(*ret));
	return *ret < t->n_opaque;
}

static void open_rule(struct rule *r, const struct nft_text *t)
{
	uint32_t n;

	for (struct stmt *s = r->stmts; s; s = s->next)
		if (is_mark(s, t, &n)) {
			s->kind = STMT_OPAQUE;
			s->opaque = (struct stmt_opaque){
				.name = t->opaque[n],
				.why = "nft text does not have what it says",
				.type = OPAQUE_MATCH,
				.terminal = true,
			};
			r->opaque = true;
		}
}

/* What stood for opaque parts is put back. */
static void put_back(struct ruleset *rs, const struct nft_text *t)
{
	for (struct table *table = t->n_opaque ? rs->tables : NULL; table; table = table->next)
		for (struct chain *c = table->store == STORE_LEGACY ? NULL : table->chains; c; c = c->next)
			for (struct rule *r = c->rules; r; r = r->next)
				open_rule(r, t);
}

static int load(const struct nft_text *t, struct ruleset *rs, struct err *e)
{
	struct nv_link links[NFT_TEXT_LINKS + 1] = { { .index = 1, .name = "lo" } };
	struct netview nv = { .links = links, .n_links = t->n_links + 1 };
	_cleanup_buf_ struct buf tape = BUF_INIT;

	for (unsigned i = 0; i < t->n_links; i++) {
		links[i + 1].index = nft_text_index(i);
		strncpy(links[i + 1].name, t->links[i], sizeof(links[i + 1].name) - 1);
	}
	if (nft_text_load(t, &tape, e) < 0 || nft_play(buf_cstr(&tape), tape.len, &nv, rs, e) < 0)
		return -1;
	put_back(rs, t);
	return 0;
}

int dump_load_nft_text(const char *text, size_t size, const char *name, struct ruleset *rs, struct err *e)
{
	struct nft_text t = { .a = rs->arena, .clean = BUF_INIT };
	int r;

	if (size > TEXT_MAX)
		return err_set(e, ERR_USAGE, name, "nft text longer than %u MiB is not read", TEXT_MAX >> 20);
	r = nft_text_scan(text, size, name, &t, e);
	if (r == 0 && load(&t, rs, e) < 0)
		r = err_wrap(e, "%s", name);
	buf_free(&t.clean);
	return r;
}
