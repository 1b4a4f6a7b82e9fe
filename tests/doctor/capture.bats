#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# capture - diagnoses of rules, listeners, processes and logs, each on a fault that was made for real
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"
source "$TOP/tests/doctor/common.bash"

# healthy KIND: a sidecar with rules, on which nothing is found
healthy() {
	nft_node
	sidecar
	pod_istio nft
	finds ''
}

d10() {
	healthy
	pod_exec iptables-nft -t nat -A PREROUTING -p 255 -m comment --comment "Istio no-op iptables capability probe" -j RETURN
	finds D10
}
@test "D10: the probe rule was left" { in_pod d10; }

d12() {
	healthy
	pod_exec iptables-nft -t nat -A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT
	finds D12
}
@test "D12: a rule stands twice" { in_pod d12; }

d13() {
	nft_node
	pod_exec iptables-nft -t nat -N ISTIO_REDIRECT
	pod_exec iptables-nft -t nat -A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001
	finds D13
	pod_exec iptables-nft -t nat -F ISTIO_REDIRECT
	pod_exec iptables-nft -t nat -X ISTIO_REDIRECT
	finds ''
	pod_exec iptables-nft -t nat -A OUTPUT -p tcp --dport 80 -j REDIRECT --to-ports 15001
	finds D13
}
@test "D13: a chain without a jump to it; a single rule of Istio's shape" { in_pod d13; }

d14() {
	healthy
	nsenter --net=/run/netns/pod setpriv --reuid 1337 --regid 1337 --clear-groups sleep 100 &
	until_true grep -qs "^Uid:.*1337" "/proc/$!/status"
	until_true grep -qs sleep "/proc/$!/comm"
	finds D14
	kill $!
	wait $! || true
	finds ''
	nsenter --net=/run/netns/pod setpriv --reuid 1000 --regid 1000 --clear-groups sleep 100 &
	until_true grep -qs "^Uid:.*1000" "/proc/$!/status"
	finds ''
}
@test "D14: an application with the proxy's user" { in_pod d14; }

d16() {
	nft_node
	pod_istio nft
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15020 >/dev/null
	finds D16
	jq -e '.findings[0].cause | test("15006")' /run/json
	pod_standin -n envoy -u 1337 -g 1337 tcp/15006 >/dev/null
	finds ''
}
@test "D16: nobody listens on 15006" { in_pod d16; }

d22() {
	nft_node
	sidecar
	pod_standin -n envoy -u 1337 -g 1337 udp/15053 tcp/15053 >/dev/null
	"$CNISH" -t netns:pod --yes istio apply --store compat DUAL_STACK=true REDIRECT_DNS=true CAPTURE_ALL_DNS=true >/dev/null
	finds ''
	pod_exec nft delete table ip raw
	pod_exec nft delete table ip6 raw
	finds D22
}
@test "D22: DNS capture without zones" { in_pod d22; }

d26() {
	local f
	nft_node
	pod_standin -t -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	"$CNISH" -t netns:pod --yes istio apply --store compat DUAL_STACK=true ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY >/dev/null
	finds ''
	for f in -4 -6; do pod_exec ip "$f" route flush table 133; done
	finds D26
	jq -e '.findings | length == 2' /run/json
	for f in -4 -6; do pod_exec ip "$f" route add local default dev lo table 133; done
	finds ''
	for f in -4 -6; do pod_exec ip "$f" rule del fwmark 1337; done
	finds D26
}
@test "D26: TPROXY without its rule and route" { in_pod d26; }

d29() {
	healthy
	pod_exec iptables-nft -A INPUT -p tcp --dport 9 -j DROP
	finds ''
	pod_exec nft add rule ip filter INPUT meta hour '"10:00"-"11:00"' accept
	run pod_exec iptables-nft -S
	[[ "$output" == *incompatible* ]]
	finds D29
}
@test "D29: a native rule in iptables' table, which iptables-nft refuses" { in_pod d29; }

d35() {
	healthy
	flock /run/xtables.lock sleep 100 &
	until_true grep -q FLOCK /proc/locks
	NODE=/ finds D35
	jq -e '.findings[0].cause | test("holds the xtables lock")' /run/json
	kill $!
	wait $! || true
}
@test "D35: somebody holds the xtables lock" { in_pod d35; }

d37() {
	local status=0
	healthy
	pod_exec setpriv --bounding-set -net_admin --inh-caps -net_admin "$CNISH" -o json doctor >/run/json || status=$?
	[ "$status" = 1 ]
	"$TOP/tests/lib/validate" doctor </run/json
	[ "$(jq -r '[.findings[].id] | join(" ")' /run/json)" = D37 ]
	jq -e '.findings[0].evidence | map(.what) | index("CAP_NET_ADMIN")' /run/json
	jq -e '.unchecked | map(.id) | index("D08")' /run/json
}
@test "D37: cnish without CAP_NET_ADMIN says so, and what it could not check" { in_pod d37; }

d40() {
	nft_node
	sidecar
	istio_rules 4 | pod_exec iptables-nft-restore --noflush
	pod_exec ip -4 addr flush dev eth0
	finds D40
	istio_rules 6 | pod_exec ip6tables-nft-restore --noflush
	finds ''
}
@test "D40: an IPv6-only pod with IPv4 rules" { in_pod d40; }

d41() {
	nft_node
	sidecar
	pod_standin -n app dual/8080 >/dev/null
	istio_rules 4 | pod_exec iptables-nft-restore --noflush
	finds D41
	istio_rules 6 | pod_exec ip6tables-nft-restore --noflush
	finds ''
}
@test "D41: IPv6 of a dual-stack pod is not captured" { in_pod d41; }

d42() {
	nft_node
	pod_standin -n envoy -u 66873 -g 66873 tcp/15001 tcp/15006 >/dev/null
	pod_istio nft
	finds D42
}
@test "D42: the proxy runs as a user that no rule lets pass" { in_pod d42; }

d46() {
	nft_node
	sidecar
	pod_istio nft
	for t in iptables-nft ip6tables-nft; do
		pod_exec "$t" -t nat -R ISTIO_IN_REDIRECT 1 -p tcp -j REDIRECT --to-ports 15001
	done
	finds D46
}
@test "D46: inbound connections go to the outbound port" { in_pod d46; }

d50() {
	pod_exec iptables-nft -t nat -N KUBE-SERVICES
	finds ''
	pod_exec nft 'add table ip kube-proxy; add chain ip kube-proxy services'
	finds D50
}
@test "D50: kube-proxy's rules of two modes" { in_pod d50; }

d52() {
	healthy
	[ "$(cat /proc/sys/net/netfilter/nf_log_all_netns 2>/dev/null || echo 0)" = 0 ] || skip "this machine logs all namespaces"
	pod_exec iptables-nft -A INPUT -p tcp --dport 9 -j NFLOG
	finds ''
	pod_exec iptables-nft -A INPUT -p tcp --dport 9 -j LOG
	finds D52
}
@test "D52: a LOG rule in a pod" { in_pod d52; }

# ---- the node ----

host() {
	local status=0
	"$CNISH" -o json doctor host >/run/json || status=$?
	"$TOP/tests/lib/validate" doctor </run/json
	jq -r '[.findings[].id] | unique | join(" ")' /run/json
}

d27() {
	[ "$(host)" = "" ]
	iptables-nft -t nat -N ISTIO_POSTRT
	[ "$(host)" = D27 ]
	iptables-nft -t nat -A POSTROUTING -j ISTIO_POSTRT
	[ "$(host)" = "" ]
	iptables-nft -t nat -I POSTROUTING -s 10.9.0.0/16 -j MASQUERADE
	[ "$(host)" = D27 ]
}
@test "D27: the jump for kubelet's probes is missing, then is not the first" { in_pod d27; }

# Pods of the ambient mesh whose addresses are not among those that are probed, in both kinds of sets
d27_members() {
	"$CNISH" -t netns:pod --yes istio apply --store compat --preset ambient >/dev/null
	pod_standin -n ztunnel tcp/15001 tcp/15006 tcp/15008 tcp/15053 udp/15053 >/dev/null
	pod_make other 2
	ipset create istio-inpod-probes-v4 hash:ip
	ipset add istio-inpod-probes-v4 10.0.9.9
	iptables-nft-restore --noflush <<-'END'
		*nat
		:ISTIO_POSTRT - [0:0]
		-I POSTROUTING 1 -j ISTIO_POSTRT
		-A ISTIO_POSTRT -p tcp -m owner --socket-exists -m set --match-set istio-inpod-probes-v4 dst -j SNAT --to-source 169.254.7.127
		COMMIT
	END
	[ "$(host)" = D27 ]
	jq -e '.findings[0].evidence | length == 1 and (.[0].value | contains("10.0.1.39"))' /run/json
	ipset add istio-inpod-probes-v4 10.0.1.39
	[ "$(host)" = "" ]
	pod_exec ip addr add 10.7.7.7/24 dev eth0 # a further one, which kubelet does not know
	[ "$(host)" = "" ]
	ipset create istio-inpod-probes-v6 hash:ip family inet6
	[ "$(host)" = D27 ]
	ipset add istio-inpod-probes-v6 fd00:1::39
	[ "$(host)" = "" ]
	iptables-nft -t nat -F
	iptables-nft -t nat -X
	ipset destroy
	[ "$(host)" = "" ]
	nft 'add table inet istio-ambient-nat
		add set inet istio-ambient-nat istio-inpod-probes-v4 { type ipv4_addr; }
		add chain inet istio-ambient-nat postrouting { type nat hook postrouting priority 100; }
		add rule inet istio-ambient-nat postrouting meta l4proto tcp meta skuid 0 ip daddr @istio-inpod-probes-v4 counter snat ip to 169.254.7.127'
	[ "$(host)" = D27 ]
	nft add element inet istio-ambient-nat istio-inpod-probes-v4 '{ 10.0.1.39 }'
	[ "$(host)" = "" ]
}
@test "D27: an ambient pod is not in the set of those that are probed" { in_pod d27_members; }

d28() {
	"$TOOLS/standin" -d -n kube-proxy tcp/10256 >/dev/null
	[ "$(host)" = D28 ]
	iptables-nft -t nat -N KUBE-SERVICES
	iptables-nft -t nat -A PREROUTING -j KUBE-SERVICES
	[ "$(host)" = "" ]
}
@test "D28: kube-proxy runs without rules" { in_pod d28; }

# ---- istio-init's log ----

with_log() {
	nft_node
	printf '%s\n' "Istio iptables environment:" "$2" >/run/log
	finds "$1" --log /run/log
	# as containerd and docker keep it, and from standard input
	printf '2024-01-02T03:04:05.678901234Z stderr F %s\n' "$2" >/run/log
	finds "$1" --log /run/log
	jq -cn --arg l "$2" '{log: ($l + "\n"), stream: "stderr", time: "x"}' >/run/log
	finds "$1" --log - </run/log
}
@test "D11: istio-init's log says that a chain exists" {
	in_pod with_log D11 'iptables-restore: line 2 failed: Chain already exists.'
}
@test "D29: istio-init's log says that a table is incompatible" {
	in_pod with_log D29 "iptables v1.8.9 (nf_tables): table \`nat' is incompatible, use 'nft' tool."
}
@test "D34: istio-init's log says that the kernel lacks an extension" {
	in_pod with_log D34 'Warning: Extension owner revision 0 not supported, missing kernel module?'
}
@test "D35: istio-init's log says that the lock was held" {
	in_pod with_log D35 'Another app is currently holding the xtables lock. Perhaps you want to use the -w option?'
}
@test "D37: istio-init's log says that it was not root" {
	in_pod with_log D37 "iptables v1.8.4 (legacy): can't initialize iptables table \`nat': Permission denied (you must be root)"
}
@test "D47: istio-init's log shows a swallowed option" {
	in_pod with_log D47 'OUTBOUND_IP_RANGES_EXCLUDE=-b'
}

garbage() {
	nft_node
	head -c 6000000 /dev/urandom >/run/log
	finds '' --log /run/log
	head -c 6000000 /dev/zero >/run/log
	finds '' --log /run/log
	: >/run/log
	finds '' --log /run/log
	printf '{"log":' >/run/log
	finds '' --log /run/log
	{ yes "iptables-restore: line 2 failed: Chain already exists." || true; } | head -c 20000000 >/run/log
	finds D11 --log /run/log
}
@test "garbage, zeros, nothing, half a record and a flood for a log" { in_pod garbage; }
