#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# trace_explain - for each rule that did not match: the first condition that failed, what it wanted, what was seen

setup() {
	source "$TOP/tests/lib/pod.sh"
	export CNISH TOOLS TOP
	export WORK=$BATS_TEST_TMPDIR
}

kinds() {
	pod_exec ipset create one hash:ip
	pod_exec iptables-legacy-restore <<-EOF
	*filter
	-A OUTPUT -p tcp -m set --match-set one dst -j DROP
	-A OUTPUT -p tcp -m multiport --dports 1,2:5,9 -m conntrack --ctstate INVALID -j DROP
	-A OUTPUT -m owner ! --uid-owner 1000 -j DROP
	-A OUTPUT -m addrtype --dst-type LOCAL -j DROP
	COMMIT
	EOF
	pod_exec nft -f - <<-EOF
	table ip t {
		set p { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 1-10 }; }
		chain o {
			type filter hook output priority 10;
			ip daddr . tcp dport @p drop
			tcp dport != { 80, 81 } drop
			oifname "lo" drop
			ip daddr != 10.96.0.0/12 drop
			fib daddr type local drop
			tcp dport vmap { 1 : drop, 2 : accept }
			meta l4proto udp drop
		}
	}
	EOF
	"$CNISH" -o json -t netns:pod trace --explain out tcp 10.96.0.11:80 uid 1000 | jq -r '.steps[] | select(.matched == false) | .why' >"$WORK/why"
	diff - "$WORK/why" <<-EOF
	ip daddr ipset one; it is 10.96.0.11
	th dport { 1, 2-5, 9 }; it is 80
	meta skuid != 1000; it is 1000
	fib daddr type local; it is unicast
	ip daddr . tcp dport @p; it is 10.96.0.11 . 80
	tcp dport != { 80, 81 }; it is 80
	meta oifname "lo"; it is "eth0"
	ip daddr != 10.96.0.0/12; it is 10.96.0.11
	fib daddr type local; it is unicast
	tcp dport vmap { 1, 2 }; it is 80
	meta l4proto udp; it is tcp
	EOF
}

@test "each kind of condition says what it wanted and what it saw" {
	in_pod kinds
}
