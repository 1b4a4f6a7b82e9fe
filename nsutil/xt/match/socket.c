/* SPDX-License-Identifier: GPL-2.0-or-later */
/* socket - -m socket: a socket that the packet belongs to */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_socket.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

#define FLAG(f) XT_SET(xt_socket_mtinfo3, flags, f)

static const struct xt_opt socket_opts[] = {
	{ "transparent", NULL, &xt_flag, FLAG(XT_SOCKET_TRANSPARENT) },
	{ "nowildcard", NULL, &xt_flag, FLAG(XT_SOCKET_NOWILDCARD) },
	{ "restore-skmark", NULL, &xt_flag, FLAG(XT_SOCKET_RESTORESKMARK) },
	XT_END,
};

static struct expr *socket_key(struct xt_low *l, uint32_t key, enum dtype type, unsigned bits)
{
	struct expr *x = expr_new(l->a, EXPR_SOCKET, type, ORDER_HOST, bits);

	if (x)
		x->socket.key = key;
	return x;
}

/*
 * Without --nowildcard a listener bound to the any address does not count, which is what
 * "socket wildcard 0" asks; --restore-skmark copies the socket's mark.
 */
static void socket_lower(struct xt_low *l, const struct xt_ext *x)
{
	uint8_t flags = xt_data(xt_socket_mtinfo3, x)->flags;
	uint8_t zero = 0, one = 1;

	if (!(flags & XT_SOCKET_NOWILDCARD) || x->rev == 0)
		low_match(l, false, socket_key(l, NFT_SOCKET_WILDCARD, DT_INTEGER, 8),
			  expr_bytes(l->a, DT_INTEGER, ORDER_HOST, &zero, 8));
	else if (!(flags & XT_SOCKET_TRANSPARENT)) /* any socket: reading its mark needs one */
		low_match(l, false, socket_key(l, NFT_SOCKET_MARK, DT_MARK, 32),
			  expr_range(l->a, expr_u32(l->a, DT_MARK, 0), expr_u32(l->a, DT_MARK, UINT32_MAX)));
	if (flags & XT_SOCKET_TRANSPARENT)
		low_match(l, false, socket_key(l, NFT_SOCKET_TRANSPARENT, DT_INTEGER, 8),
			  expr_bytes(l->a, DT_INTEGER, ORDER_HOST, &one, 8));
	if (flags & XT_SOCKET_RESTORESKMARK)
		low_set(l, low_meta_mark(l->a), socket_key(l, NFT_SOCKET_MARK, DT_MARK, 32));
}

#define SOCKET(r)                                                                                          \
	const struct xt_codec xt_match_socket_v##r = {                                                     \
		.name = "socket", .rev = r, .size = sizeof(struct xt_socket_mtinfo3), .opts = socket_opts, \
		.lower = socket_lower,                                                                     \
	}
SOCKET(1);
SOCKET(2);
SOCKET(3);

/* Revision 0 has no data at all. */
static const struct xt_opt no_opts[] = { XT_END };
static const uint8_t no_data[1];

static void socket0_lower(struct xt_low *l, const struct xt_ext *x)
{
	struct xt_ext plain = *x;

	plain.data = no_data;
	socket_lower(l, &plain);
}

const struct xt_codec xt_match_socket_v0 = {
	.name = "socket", .family = NFPROTO_IPV4, .opts = no_opts, .lower = socket0_lower,
};
