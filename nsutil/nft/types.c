/* SPDX-License-Identifier: GPL-2.0-or-later */
/* types - the data types of nft's user space, which the kernel only stores with a set */
#include "nsutil/base/cleanup.h"
#include "nsutil/nft/decode.h"

/* Numbers are those of nft(8)'s data types, as the kernel keeps them in NFTA_SET_KEY_TYPE. */
static const struct {
	enum dtype dtype;
	enum byteorder order;
	uint16_t bits;
} types[] = {
	[0] = { DT_INTEGER, ORDER_NET, 0 },
	[1] = { DT_VERDICT, ORDER_HOST, 0 },
	[2] = { DT_NFPROTO, ORDER_HOST, 8 },
	[3] = { DT_BITMASK, ORDER_HOST, 0 },
	[4] = { DT_INTEGER, ORDER_NET, 0 },
	[5] = { DT_STRING, ORDER_HOST, 0 },
	[6] = { DT_LLADDR, ORDER_NET, 0 },
	[7] = { DT_IPV4, ORDER_NET, 32 },
	[8] = { DT_IPV6, ORDER_NET, 128 },
	[9] = { DT_ETHER, ORDER_NET, 48 },
	[10] = { DT_ETHERTYPE, ORDER_NET, 16 },
	[11] = { DT_ARP_OP, ORDER_NET, 16 },
	[12] = { DT_INET_PROTO, ORDER_NET, 8 },
	[13] = { DT_SERVICE, ORDER_NET, 16 },
	[14] = { DT_ICMP_TYPE, ORDER_NET, 8 },
	[15] = { DT_TCP_FLAG, ORDER_NET, 8 },
	[16] = { DT_DCCP_PKTTYPE, ORDER_NET, 4 },
	[17] = { DT_MH_TYPE, ORDER_NET, 8 },
	[18] = { DT_TIME, ORDER_HOST, 64 },
	[19] = { DT_MARK, ORDER_HOST, 32 },
	[20] = { DT_IFINDEX, ORDER_HOST, 32 },
	[21] = { DT_ARPHRD, ORDER_HOST, 16 },
	[22] = { DT_REALM, ORDER_HOST, 32 },
	[23] = { DT_CLASSID, ORDER_HOST, 32 },
	[24] = { DT_UID, ORDER_HOST, 32 },
	[25] = { DT_GID, ORDER_HOST, 32 },
	[26] = { DT_CT_STATE, ORDER_HOST, 32 },
	[27] = { DT_CT_DIR, ORDER_HOST, 8 },
	[28] = { DT_CT_STATUS, ORDER_HOST, 32 },
	[29] = { DT_ICMPV6_TYPE, ORDER_NET, 8 },
	[30] = { DT_CT_LABEL, ORDER_HOST, 128 },
	[31] = { DT_PKTTYPE, ORDER_HOST, 8 },
	[32] = { DT_ICMP_CODE, ORDER_NET, 8 },
	[33] = { DT_ICMPV6_CODE, ORDER_NET, 8 },
	[34] = { DT_ICMPX_CODE, ORDER_NET, 8 },
	[35] = { DT_DEVGROUP, ORDER_HOST, 32 },
	[36] = { DT_DSCP, ORDER_NET, 6 },
	[37] = { DT_ECN, ORDER_NET, 2 },
	[38] = { DT_FIB_ADDRTYPE, ORDER_HOST, 32 },
	[39] = { DT_BOOLEAN, ORDER_HOST, 1 },
	[40] = { DT_CT_EVENT, ORDER_HOST, 32 },
	[41] = { DT_IFNAME, ORDER_HOST, 128 },
	[42] = { DT_IGMP_TYPE, ORDER_NET, 8 },
	[43] = { DT_DATE, ORDER_HOST, 64 },
	[44] = { DT_HOUR, ORDER_HOST, 32 },
	[45] = { DT_DAY, ORDER_HOST, 8 },
	[46] = { DT_CGROUPV2, ORDER_HOST, 64 },
};

enum dtype dec_type(uint32_t type, enum byteorder *order, unsigned *bits)
{
	if (type >= ARRAY_SIZE(types))
		type = 4;
	if (order)
		*order = types[type].order;
	if (bits)
		*bits = types[type].bits;
	return types[type].dtype;
}

bool dec_type_known(uint32_t type)
{
	return type < ARRAY_SIZE(types);
}
