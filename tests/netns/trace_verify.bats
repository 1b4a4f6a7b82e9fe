#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# trace_verify.bats - "trace --verify": the kernel's trace in a copy of the target beside the simulation

bats_require_minimum_version 1.5.0
source "$TOP/tests/lib/pod.sh"

# agrees WORD...: the kernel agrees, in at least one step, and the JSON says so too
agrees() {
	"$CNISH" -o json -t netns:pod trace --verify "$@" >/run/verify.json || { jq -c .verify /run/verify.json; echo "status: $*"; return 1; }
	jq -e '.verify | .result == "agrees" and .steps_compared > 0 and .same == .steps_compared
		and .not_copied == [] and .kernel == null and (.steps | length) == .steps_compared' /run/verify.json >/dev/null ||
		{ jq -c .verify /run/verify.json; echo "not agreed: $*"; return 1; }
}

snapshot() {
	pod_exec sh -c 'iptables-legacy-save -c; ip6tables-legacy-save -c; nft -a list ruleset; ip addr; ip route show table all; ip rule
		ss -lntu; cat /proc/net/ip_tables_names; grep -r . /proc/sys/net/netfilter/nf_log; grep -rs . /proc/sys/net/ipv4/conf' 2>/dev/null |
		sed '/^#/d; s/valid_lft.*//'
}

connections() {
	agrees out tcp "$FAR_IP:80" uid 1000
	agrees out tcp "$FAR_IP:80" uid 1337
	agrees out tcp "[$FAR_IP6]:80" uid 1000
	agrees out tcp "$POD_IP:8080" uid 1337
	agrees out udp "$FAR_IP:53" uid 5
	agrees out icmp "$FAR_IP" uid 5
	agrees in tcp "$NODE_IP" to "$POD_IP:8080"
	agrees in tcp "$NODE_IP" to "$POD_IP:15021"
	agrees in tcp "[$NODE_IP6]:4000" to "[$POD_IP6]:8080"
	agrees in udp "$NODE_IP" to "$POD_IP:53"
	agrees in icmpv6 "$NODE_IP6" to "$POD_IP6"
	agrees in sctp "$NODE_IP" to "$POD_IP:9"
}

one_store() {
	local before
	pod_istio "$1"
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	before=$(snapshot)
	connections
	diff <(echo "$before") <(snapshot)
}

@test "Istio's rules in the legacy store: the kernel agrees, and the pod is as it was" { in_pod one_store legacy; }
@test "Istio's rules in the compat store: the kernel agrees, and the pod is as it was" { in_pod one_store nft; }

# A mixture of stores, equal priorities, TPROXY, marks that route, NAT and rejections
mixture() {
	pod_istio legacy
	pod_istio nft
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	agrees out tcp "$FAR_IP:80" uid 1000
	pod_exec nft -f - <<-'EOF'
	table inet x {
		set ports { type inet_service; flags interval; elements = { 1000-2000 } }
		chain o { type filter hook output priority filter; policy accept
			udp dport 53 drop
			tcp dport @ports meta mark set 0x5 counter
			meta skuid 77 reject
		}
		chain n { type nat hook output priority -100; ip daddr 198.51.100.7 udp dport 99 dnat ip to 10.0.1.1:7000; }
		chain s { type nat hook postrouting priority srcnat; oifname "eth0" ip daddr 10.0.1.1 masquerade; }
		chain i { type filter hook input priority 10; icmp type echo-request limit rate 1/day burst 1 packets accept; meta l4proto icmp drop; }
	}
	EOF
	agrees out udp "$FAR_IP:53" uid 5
	agrees out tcp "$FAR_IP:1500" uid 5
	agrees out udp "$FAR_IP:1234" uid 77
	agrees out udp 198.51.100.7:99 uid 5
	pod_exec iptables-legacy -t mangle -A PREROUTING -i eth0 -p tcp --dport 8081 -j TPROXY --on-port 15006 --on-ip 127.0.0.1 --tproxy-mark 0x539
	pod_exec iptables-legacy -t raw -A PREROUTING -p udp --dport 9 -j DROP
	pod_exec iptables-legacy -A INPUT -p udp --dport 10 -j REJECT
	pod_exec ip rule add fwmark 0x539 lookup 133
	pod_exec ip route add local default dev lo table 133
	agrees in udp "$NODE_IP" to "$POD_IP:9"
	agrees in udp "$NODE_IP" to "$POD_IP:10"
	# what is left open, and what is random: one of the outcomes is the kernel's
	"$CNISH" -o json -t netns:pod trace --verify out tcp "$FAR_IP:80" >/run/out
	jq -e '(.outcomes | length) > 1 and .verify.result == "agrees" and .outcomes[.verify.outcome].destination.port == 15001 and .verify.sent.uid == 0' /run/out
	"$CNISH" -o json -t netns:pod trace --verify in icmp "$NODE_IP" to "$POD_IP" >/run/out
	jq -e '(.outcomes | length) == 2 and (.verify.result | IN("agrees", "ends alike")) and .outcomes[.verify.outcome].verdict == "accept"' /run/out
}

@test "mixtures of stores, sets, NAT, rejections, limits: the kernel agrees" { in_pod mixture; }

# The rules of a file, with an assumed pod around them; a wrong expectation is found: what the file's counterpart
# does not say ("-m rpfilter" hangs on a setting that a file does not have) is not what the kernel does.
files() {
	istio_rules 4 >/run/rules
	"$CNISH" -o json -t file:/run/rules trace --verify out tcp 10.0.0.9 to 1.2.3.4:80 uid 1000 >/run/out
	jq -e '.verify.result == "agrees" and .verify.same > 2' /run/out
	printf '{"nftables":[{"table":{"family":"ip","name":"a"}}]}' >/run/native.json
	run -5 "$CNISH" -t file:/run/native.json trace --verify out tcp 10.0.0.9 to 1.2.3.4:80 uid 1000
	[[ "$output" == *"live target"* ]]
}

@test "rules of a file are tried out around an assumed pod; native ones of a file are refused with the reason" { in_pod files; }

# The simulation takes nf_conntrack_tcp_loose to be 1: the kernel does not pick up the middle of a connection here. It
# knows of rp_filter.
wrong() {
	pod_exec iptables-legacy -A INPUT -p tcp -m conntrack --ctstate NEW -j ACCEPT
	pod_exec sh -c 'echo 0 >/proc/sys/net/netfilter/nf_conntrack_tcp_loose'
	run -1 "$CNISH" -t netns:pod trace --verify in tcp "$NODE_IP:5" to "$POD_IP:8080" flags ack
	[[ "$output" == *"the kernel disagrees"* ]]
	run -1 "$CNISH" -o json -t netns:pod trace --verify in tcp "$NODE_IP:5" to "$POD_IP:8080" flags ack
	jq -e '.verify.result == "differs" and .verify.expected.rule == 1 and .verify.kernel.rule == null' <<<"$output"
	pod_exec sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter'
	pod_exec ip route add 192.0.2.0/24 dev lo
	run -0 "$CNISH" -t netns:pod trace --verify in udp 192.0.2.1:5 to "$POD_IP:53" iif eth0
	[[ "$output" == *"martian"* && "$output" == *"kernel agrees"* ]]
}

@test "what the simulation does not know shows as a difference, with status 1" { in_pod wrong; }

refusals() {
	run -5 "$CNISH" -t netns:pod trace --verify out tcp "$FAR_IP:80" ctstate established
	[[ "$output" == *"ctstate"* ]]
	run -2 "$CNISH" -t netns:pod trace --verify --from-conns
	run -4 setpriv --bounding-set -sys_admin --inh-caps -sys_admin -- "$CNISH" trace --verify out tcp 127.0.0.1:80
	[[ "$output" == *CAP_SYS_ADMIN* ]]
}

@test "what cannot be verified says why" { in_pod refusals; }

validated() {
	pod_istio legacy
	"$CNISH" -o json -t netns:pod trace --verify out tcp "$FAR_IP:80" uid 1000 >/run/out
	"$TOP/tests/lib/validate" trace </run/out
	"$CNISH" -o json -t netns:pod trace out tcp "$FAR_IP:80" >/run/out
	"$TOP/tests/lib/validate" trace </run/out
}

@test "the output follows its schema" { in_pod validated; }
