/* SPDX-License-Identifier: GPL-2.0-or-later */
/* codecs - the list of all extensions that are understood, one line for each revision */
#include "nsutil/xt/codec.h"

/* Adding one: see codec.h. The order decides nothing. */
#define MATCHES(X)                                                                           \
	X(addrtype_v0) X(addrtype_v1)                                                               \
	X(ah4_v0)                                                                                   \
	X(ah6_v0)                                                                                   \
	X(bpf_v0) X(bpf_v1)                                                                         \
	X(cgroup_v0) X(cgroup_v1) X(cgroup_v2)                                                      \
	X(cluster_v0)                                                                               \
	X(comment_v0)                                                                               \
	X(connbytes_v0)                                                                             \
	X(connlabel_v0)                                                                             \
	X(connlimit_v1)                                                                             \
	X(connmark_v1)                                                                              \
	X(conntrack_v1) X(conntrack_v2) X(conntrack_v3)                                             \
	X(cpu_v0)                                                                                   \
	X(dccp_v0)                                                                                  \
	X(devgroup_v0)                                                                              \
	X(dscp_v0)                                                                                  \
	X(dst_v0)                                                                                   \
	X(ecn_v0)                                                                                   \
	X(esp_v0)                                                                                   \
	X(eui64_v0)                                                                                 \
	X(frag_v0)                                                                                  \
	X(hashlimit_v1) X(hashlimit_v2) X(hashlimit_v3)                                             \
	X(hbh_v0)                                                                                   \
	X(helper_v0)                                                                                \
	X(hl_v0)                                                                                    \
	X(icmp_v0)                                                                                  \
	X(icmp6_v0)                                                                                 \
	X(ipcomp_v0)                                                                                \
	X(iprange_v1)                                                                               \
	X(ipv6header_v0)                                                                            \
	X(ipvs_v0)                                                                                  \
	X(l2tp_v1)                                                                                  \
	X(length_v0)                                                                                \
	X(limit_v0)                                                                                 \
	X(mac_v0)                                                                                   \
	X(mark_v1)                                                                                  \
	X(mh_v0)                                                                                    \
	X(multiport_v0) X(multiport_v1)                                                             \
	X(nfacct_v0) X(nfacct_v1)                                                                   \
	X(osf_v0)                                                                                   \
	X(owner_v1)                                                                                 \
	X(physdev_v0)                                                                               \
	X(pkttype_v0)                                                                               \
	X(policy_v0)                                                                                \
	X(quota_v0)                                                                                 \
	X(rateest_v0)                                                                               \
	X(realm_v0)                                                                                 \
	X(recent_v0) X(recent_v1)                                                                   \
	X(rpfilter_v0)                                                                              \
	X(rt_v0)                                                                                    \
	X(sctp_v0)                                                                                  \
	X(set_v0) X(set_v1) X(set_v2) X(set_v3) X(set_v4)                                               \
	X(socket_v0) X(socket_v1) X(socket_v2) X(socket_v3)                                         \
	X(srh_v0) X(srh_v1)                                                                         \
	X(state_v0) X(state_v3)                                                                     \
	X(statistic_v0)                                                                             \
	X(string_v0) X(string_v1)                                                                   \
	X(tcp_v0)                                                                                   \
	X(tcpmss_v0)                                                                                \
	X(time_v0)                                                                                  \
	X(tos_v1)                                                                                   \
	X(ttl_v0)                                                                                   \
	X(u32_v0)                                                                                   \
	X(udp_v0)

#define TARGETS(X)                                                                           \
	X(AUDIT_v0)                                                                                 \
	X(CHECKSUM_v0)                                                                              \
	X(CLASSIFY_v0)                                                                              \
	X(CLUSTERIP_v0)                                                                             \
	X(CONNMARK_v1) X(CONNMARK_v2)                                                               \
	X(CONNSECMARK_v0)                                                                           \
	X(CT_v0) X(CT_v1) X(CT_v2)                                                                  \
	X(CT_notrack)                                                                               \
	X(DNAT_v0) X(DNAT_v1) X(DNAT_v2)                                                            \
	X(DNPT_v0)                                                                                  \
	X(DSCP_v0)                                                                                  \
	X(ECN_v0)                                                                                   \
	X(HL_v0)                                                                                    \
	X(HMARK_v0)                                                                                 \
	X(IDLETIMER_v0) X(IDLETIMER_v1)                                                             \
	X(LED_v0)                                                                                   \
	X(LOG_v0)                                                                                   \
	X(MARK_v0) X(MARK_v1) X(MARK_v2)                                                            \
	X(MASQUERADE4_v0)                                                                           \
	X(MASQUERADE6_v0)                                                                           \
	X(NETMAP4_v0)                                                                               \
	X(NETMAP6_v0)                                                                               \
	X(NFLOG_v0)                                                                                 \
	X(NFQUEUE_v0) X(NFQUEUE_v1) X(NFQUEUE_v2) X(NFQUEUE_v3)                                     \
	X(NOTRACK_v0)                                                                               \
	X(RATEEST_v0)                                                                               \
	X(REDIRECT4_v0)                                                                             \
	X(REDIRECT6_v0)                                                                             \
	X(REJECT_v0)                                                                                \
	X(SECMARK_v0) X(SECMARK_v1)                                                                 \
	X(SET_v0) X(SET_v1) X(SET_v2) X(SET_v3)                                                     \
	X(SNAT_v0) X(SNAT4_v1) X(SNAT6_v1)                                                           \
	X(SNPT_v0)                                                                                  \
	X(SYNPROXY_v0)                                                                              \
	X(TCPMSS_v0)                                                                                \
	X(TCPOPTSTRIP_v0)                                                                           \
	X(TEE_v1)                                                                                   \
	X(TOS_v1)                                                                                   \
	X(TPROXY_v0) X(TPROXY_v1)                                                                   \
	X(TRACE_v0)                                                                                 \
	X(TTL_v0)                                                                                   \
	X(ULOG_v0)

#define DECLARE_MATCH(n)  extern const struct xt_codec xt_match_##n;
#define DECLARE_TARGET(n) extern const struct xt_codec xt_target_##n;
MATCHES(DECLARE_MATCH)
TARGETS(DECLARE_TARGET)

#define LIST_MATCH(n)  &xt_match_##n,
#define LIST_TARGET(n) &xt_target_##n,
const struct xt_codec *const xt_codecs[] = { MATCHES(LIST_MATCH) TARGETS(LIST_TARGET) NULL };
