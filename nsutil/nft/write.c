/* SPDX-License-Identifier: GPL-2.0-or-later */
/* write - changing nftables tables: several edits as one transaction */
#include "nsutil/nft/write.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/nft/batch.h"
#include "nsutil/nft/body.h"
#include "nsutil/nft/encode.h"
#include "nsutil/nft/nlsock.h"

#define MSG_ROOM 65536
#define ERESTART_KERNEL 85 /* not in errno.h's contract, but what the kernel answers */

/* ---- messages ---- */

static const char *edit_chain(const struct nft_edit *ed)
{
	return ed->chain_name ? ed->chain_name : ed->chain ? ed->chain->name : NULL;
}

/* The policy is sent only when it is not the kernel's own choice, so that a chain that is there keeps its. */
static void put_base(struct enc *m, const struct chain *c)
{
	struct nlattr *hook = enc_nest(m, NFTA_CHAIN_HOOK);

	enc_be32(m, NFTA_HOOK_HOOKNUM, c->hook);
	enc_be32(m, NFTA_HOOK_PRIORITY, (uint32_t)c->priority);
	enc_nest_end(m, hook);
	if (c->policy == VERDICT_DROP)
		enc_be32(m, NFTA_CHAIN_POLICY, NF_DROP);
	enc_str(m, NFTA_CHAIN_TYPE, c->type ? c->type : "filter");
}

static void put_body(struct enc *m, const struct nft_body *body)
{
	uint32_t id = htonl(m->msg->nlmsg_seq);
	char *list = mnl_nlmsg_get_payload_tail(m->msg);

	enc_put(m, NFTA_RULE_EXPRESSIONS | NLA_F_NESTED, (const char *)body->list + NLA_HDRLEN, body->len - NLA_HDRLEN);
	if (body->n_ports && !m->full)
		memcpy(list + body->set_id, &id, sizeof(id));
}

static void put_rule(struct enc *m, const struct nft_edit *ed)
{
	if (ed->op == NFT_EDIT_DELETE_RULE) {
		enc_be64(m, NFTA_RULE_HANDLE, ed->handle);
		return;
	}
	if (ed->handle && ed->op != NFT_EDIT_APPEND_RULE)
		enc_be64(m, NFTA_RULE_POSITION, ed->handle);
	if (ed->body)
		put_body(m, ed->body);
	else
		enc_rule(m, ed->rule);
}

/* The anonymous set of a native rule goes in front of it; the rule names it by the edit's number. */
static void put_set(struct buf *batch, const struct nft_edit *ed, uint32_t seq, void *room)
{
	struct enc m = { .room = MSG_ROOM };
	struct nlattr *list;

	m.msg = nlsock_request(room, NFT_MSG_NEWSET, ed->family, NLM_F_CREATE);
	m.msg->nlmsg_seq = seq;
	enc_str(&m, NFTA_SET_TABLE, ed->table);
	enc_str(&m, NFTA_SET_NAME, "__set%d");
	enc_be32(&m, NFTA_SET_FLAGS, NFT_SET_ANONYMOUS | NFT_SET_CONSTANT);
	enc_be32(&m, NFTA_SET_KEY_TYPE, 13); /* nft's inet_service */
	enc_be32(&m, NFTA_SET_KEY_LEN, 2);
	enc_be32(&m, NFTA_SET_ID, seq);
	buf_add(batch, m.msg, m.msg->nlmsg_len);

	m = (struct enc){ .room = MSG_ROOM };
	m.msg = nlsock_request(room, NFT_MSG_NEWSETELEM, ed->family, NLM_F_CREATE);
	m.msg->nlmsg_seq = seq;
	enc_str(&m, NFTA_SET_ELEM_LIST_TABLE, ed->table);
	enc_str(&m, NFTA_SET_ELEM_LIST_SET, "__set%d");
	enc_be32(&m, NFTA_SET_ELEM_LIST_SET_ID, seq);
	list = enc_nest(&m, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (unsigned i = 0; i < ed->body->n_ports; i++) {
		struct nlattr *elem = enc_nest(&m, NFTA_LIST_ELEM), *key = enc_nest(&m, NFTA_SET_ELEM_KEY);
		uint16_t be = htons(ed->body->ports[i]);

		enc_put(&m, NFTA_DATA_VALUE, &be, sizeof(be));
		enc_nest_end(&m, key);
		enc_nest_end(&m, elem);
	}
	enc_nest_end(&m, list);
	buf_add(batch, m.msg, m.msg->nlmsg_len);
}

static const struct {
	uint8_t type;
	uint16_t flags;
	const char *what;
} kinds[] = {
	[NFT_EDIT_ADD_TABLE] = { NFT_MSG_NEWTABLE, NLM_F_CREATE, "add table" },
	[NFT_EDIT_ADD_CHAIN] = { NFT_MSG_NEWCHAIN, NLM_F_CREATE, "add chain" },
	[NFT_EDIT_FLUSH_CHAIN] = { NFT_MSG_DELRULE, 0, "flush chain" },
	[NFT_EDIT_DELETE_CHAIN] = { NFT_MSG_DELCHAIN, 0, "delete chain" },
	[NFT_EDIT_APPEND_RULE] = { NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, "append rule to" },
	[NFT_EDIT_INSERT_RULE] = { NFT_MSG_NEWRULE, NLM_F_CREATE, "insert rule into" },
	[NFT_EDIT_ADD_AFTER] = { NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, "add rule to" },
	[NFT_EDIT_DELETE_RULE] = { NFT_MSG_DELRULE, 0, "delete rule of" },
	[NFT_EDIT_DELETE_TABLE] = { NFT_MSG_DELTABLE, 0, "delete table" },
};

static bool of_table(enum nft_edit_op op)
{
	return op == NFT_EDIT_ADD_TABLE || op == NFT_EDIT_DELETE_TABLE;
}

static bool of_rule(enum nft_edit_op op)
{
	return op == NFT_EDIT_APPEND_RULE || op == NFT_EDIT_INSERT_RULE || op == NFT_EDIT_ADD_AFTER;
}

static int edit_err(struct err *e, const struct nft_edit *ed, const char *why)
{
	char what[200];

	snprintf(what, sizeof(what), "cannot %s %s%s%s %s", kinds[ed->op].what,
		 of_table(ed->op) ? "" : edit_chain(ed) ? edit_chain(ed) : "?",
		 of_table(ed->op) ? "" : " in table ", family_name(ed->family), ed->table);
	return err_set(e, ERR_SYS, what, "%s", why);
}

static int put_edit(struct buf *batch, const struct nft_edit *ed, uint32_t seq, bool last, void *room,
		    struct err *e)
{
	uint16_t flags = (uint16_t)(kinds[ed->op].flags | (last ? NLM_F_ACK : 0));
	struct enc m = { .room = MSG_ROOM };
	const char *chain = edit_chain(ed);

	if (!ed->table || (!of_table(ed->op) && !chain) || (of_rule(ed->op) && !ed->rule && !ed->body))
		return edit_err(e, ed, "the edit is not complete");
	if (ed->body && ed->body->n_ports)
		put_set(batch, ed, seq, room);
	m.msg = nlsock_request(room, kinds[ed->op].type, ed->family, flags);
	m.msg->nlmsg_seq = seq;
	enc_str(&m, NFTA_TABLE_NAME, ed->table);
	if (ed->op == NFT_EDIT_ADD_CHAIN || ed->op == NFT_EDIT_DELETE_CHAIN)
		enc_str(&m, NFTA_CHAIN_NAME, chain);
	else if (!of_table(ed->op))
		enc_str(&m, NFTA_RULE_CHAIN, chain);
	if (ed->op == NFT_EDIT_ADD_CHAIN && ed->chain && ed->chain->base)
		put_base(&m, ed->chain);
	if (of_rule(ed->op) || ed->op == NFT_EDIT_DELETE_RULE)
		put_rule(&m, ed);
	if (m.why || m.full)
		return edit_err(e, ed, m.why ? m.why : "the rule is too long");
	buf_add(batch, m.msg, m.msg->nlmsg_len);
	return 0;
}

/* ---- the answer ---- */

struct answer {
	int error;	 /* the first one; 0 */
	uint32_t seq;	 /* of the message it is about */
	uint32_t last;	 /* the last edit, and */
	bool ack;	 /* it was acknowledged */
};

static void take_answer(void *arg, uint32_t seq, int error)
{
	struct answer *a = arg;

	if (error == 0 && seq == a->last)
		a->ack = true;
	if (error != 0 && !a->error) {
		a->error = error;
		a->seq = seq;
	}
}

static int judge(const struct answer *a, const struct nft_edit *edits, size_t n, struct err *e)
{
	if (a->error == ERESTART_KERNEL) {
		err_set(e, ERR_SYS, "cannot change the nftables rules", "they have changed meanwhile");
		return NFT_COMMIT_CHANGED;
	}
	if (a->error && a->seq >= 1 && a->seq <= n) {
		edit_err(e, &edits[a->seq - 1], strerror(a->error));
		if (e)
			e->errnum = a->error;
		if (e && (a->error == EPERM || a->error == EACCES))
			e->code = ERR_PERM;
		return -1;
	}
	if (a->error)
		return err_sys(e, a->error, "cannot change the nftables rules");
	if (!a->ack)
		return err_set(e, ERR_SYS, "cannot change the nftables rules", "the kernel did not confirm it");
	return 0;
}

int nft_commit(const struct netns *ns, const struct nft_edit *edits, size_t n, uint32_t generation,
	       struct err *e)
{
	struct buf batch _cleanup_buf_ = BUF_INIT;
	void *room _cleanup_free_ = malloc(MSG_ROOM);
	struct answer answer = { .last = (uint32_t)n };
	int fd _cleanup_close_ = -1;

	if (n == 0)
		return 0;
	if (!room || n > UINT32_MAX - 2)
		return err_oom(e);
	batch_frame(&batch, NFNL_MSG_BATCH_BEGIN, 0, generation);
	for (size_t i = 0; i < n; i++)
		if (put_edit(&batch, &edits[i], (uint32_t)i + 1, i + 1 == n, room, e) < 0)
			return -1;
	batch_frame(&batch, NFNL_MSG_BATCH_END, (uint32_t)n + 1, 0);
	if (buf_failed(&batch))
		return err_oom(e);
	fd = nlsock_open(ns, e);
	if (fd < 0 || batch_send(fd, &batch, e) < 0 || batch_answers(fd, take_answer, &answer, e) < 0)
		return -1;
	return judge(&answer, edits, n, e);
}
