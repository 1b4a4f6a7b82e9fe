/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tape - the kernel's answers to the questions of one reading, kept and given again */
#include "nsutil/nft/tape.h"

#include <linux/netlink.h>
#include <string.h>

struct piece_head {
	uint32_t type, len;
};

void tape_put(struct tape *t, uint32_t type, const void *piece, size_t len)
{
	struct piece_head head = { type, (uint32_t)len };

	buf_add(t->to, &head, sizeof(head));
	buf_add(t->to, piece, len);
	buf_add(t->to, "\0\0\0", (4 - len % 4) % 4);
}

/*
 * Messages one behind the other, as the kernel gives them. libmnl takes the length of one for a signed number,
 * and would believe one beyond 2 GiB.
 */
static bool is_messages(const uint8_t *at, size_t left)
{
	while (left) {
		struct nlmsghdr head;

		if (left < sizeof(head))
			return false;
		memcpy(&head, at, sizeof(head));
		if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > left)
			return false;
		if (NLMSG_ALIGN((size_t)head.nlmsg_len) >= left)
			return true;
		at += NLMSG_ALIGN((size_t)head.nlmsg_len);
		left -= NLMSG_ALIGN((size_t)head.nlmsg_len);
	}
	return true;
}

int tape_take(struct tape *t, uint32_t type, const void **ret, size_t *ret_len, struct err *e)
{
	struct piece_head head;
	size_t room;

	if (t->size - t->at < sizeof(head))
		return err_set(e, ERR_USAGE, "nftables rules of the bundle", "they end too early");
	memcpy(&head, t->from + t->at, sizeof(head));
	room = ((size_t)head.len + 3) & ~(size_t)3;
	if (head.type != type || t->size - t->at - sizeof(head) < room ||
	    !is_messages(t->from + t->at + sizeof(head), head.len))
		return err_set(e, ERR_USAGE, "nftables rules of the bundle", "they are broken at byte %zu", t->at);
	*ret = head.len ? t->from + t->at + sizeof(head) : NULL;
	*ret_len = head.len;
	t->at += sizeof(head) + room;
	return 0;
}
