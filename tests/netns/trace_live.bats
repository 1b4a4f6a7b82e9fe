#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# trace_live.bats - "trace --live": the kernel's trace of real packets, and what it leaves behind: nothing

bats_require_minimum_version 1.5.0
source "$TOP/tests/lib/pod.sh"

state() { pod_exec sh -c 'nft -a list ruleset; cat /proc/sys/net/netfilter/nf_log/2 /proc/sys/net/netfilter/nf_log/10' 2>/dev/null | sed 's/packets.*bytes [0-9]*//'; }
busy() { while sleep 0.2; do pod_connect -w 100 -u 1000 -g 1000 tcp "$FAR_IP" 80; done >/dev/null 2>&1; }

watched() {
	local before busy pid
	pod_istio legacy
	pod_exec nft 'add table inet x; add chain inet x o { type filter hook output priority -10; }; add rule inet x o tcp dport 80 counter'
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	before=$(state)
	run -6 "$CNISH" -t netns:pod trace --live tcp "$FAR_IP:80" </dev/null
	"$CNISH" --dry-run -t netns:pod trace --live tcp "$FAR_IP:80" </dev/null | grep -q 'nothing was done'
	diff <(echo "$before") <(state)
	busy &
	busy=$!
	"$CNISH" --yes -o json -t netns:pod trace --live --count 1 --time 60 tcp "$FAR_IP:80" uid 1000 >/run/out
	"$TOP/tests/lib/validate" trace-live </run/out
	jq -e '.packets | length == 1 and (.[0].steps | map(.store) | unique == ["legacy", "native"]) and (.[0].steps | any(.chain == "ISTIO_REDIRECT" and .rule == 1))' /run/out
	jq -e '.plan[0] | startswith("table inet cnish-trace, hook output: ") and contains("skuid 1000")' /run/out
	diff <(echo "$before") <(state)
	"$CNISH" --yes -t netns:pod trace --live --count 1000 --time 600 >/dev/null &
	pid=$!
	until_true sh -c 'nsenter --net=/run/netns/pod nft list tables | grep -q cnish-trace'
	kill -9 "$pid"
	until_true sh -c '! nsenter --net=/run/netns/pod nft list tables | grep -q cnish-trace'
	# any other look says that something is left, and what to type, and changes nothing
	left=$(state)
	[ "$left" != "$before" ]
	"$CNISH" -t netns:pod info 2>&1 | grep -F "'cnish -t netns:pod --yes trace --live --time 1' puts the former one back"
	"$CNISH" -t netns:pod -o json tables 2>&1 >/dev/null | grep -F "has left its packet logger in netns:pod"
	"$CNISH" -t self info 2>&1 | { ! grep 'packet logger'; }
	diff <(echo "$left") <(state)
	# what it says to type
	"$CNISH" -t netns:pod --yes trace --live --time 1 2>&1 | grep 'put back'
	kill "$busy"
	diff <(echo "$before") <(state)
	"$CNISH" -t netns:pod info 2>&1 | { ! grep 'packet logger'; }
}

# Every packet of real connections beside the simulation: the first ones, the answers, those after them
compared() {
	local busy
	pod_istio legacy
	pod_exec nft 'add table inet x; add chain inet x o { type filter hook output priority -10; }; add rule inet x o tcp dport 80 counter'
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	busy &
	busy=$!
	"$CNISH" --yes -o jsonl -t netns:pod trace --live --verify --count 3 --time 60 tcp "$FAR_IP:80" uid 1000 >/run/lines
	[ "$(wc -l </run/lines)" = 3 ]
	"$TOP/tests/lib/validate" trace-live </run/lines
	jq -se 'all(.packet.daddr == "203.0.113.7" and .verify.result == "agrees" and .verify.same == .verify.steps_compared)' /run/lines
	jq -se '.[0].verify.steps_compared > 2' /run/lines
	"$CNISH" --yes -o json -t netns:pod trace --live --verify --count 1 --time 60 tcp "$FAR_IP:80" uid 1000 >/run/out
	"$TOP/tests/lib/validate" trace-live </run/out
	jq -e '.packets | length == 1 and .[0].verify.result == "agrees"' /run/out
	"$CNISH" --yes -t netns:pod trace --live --verify --count 1 --time 60 tcp "$FAR_IP:80" uid 1000 >/run/text
	grep -E '^   kernel agrees in all [0-9]+ steps$' /run/text
	kill "$busy"
}

asking() { while sleep 0.2; do pod_connect -w 100 -u 1000 -g 1000 tcp "$FAR_IP" 80; pod_connect -w 100 udp "$FAR_IP" 53; done >/dev/null 2>&1; }

# A group that the node joins: its report has a hop-by-hop header, and conntrack leaves it alone
joining() {
	while sleep 0.3; do
		python3 -c 'import socket, struct, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, "ff02::1234") + struct.pack("@I", socket.if_nametoindex("node-pod")))'
	done
}

reports() {
	local joining
	pod_istio legacy
	joining &
	joining=$!
	"$CNISH" --yes -o jsonl -t netns:pod trace --live --verify --count 4 --time 20 in icmpv6 ff02::16 >/run/lines || true
	"$CNISH" --yes -t netns:pod trace --live --verify --count 2 --time 20 in icmpv6 ff02::16 >/run/text || true
	kill "$joining"
	"$TOP/tests/lib/validate" trace-live </run/lines
	jq -c '[.packet.protocol, .packet.daddr, .end.path, .verify.result]' /run/lines
	jq -se 'length == 4 and all(.packet.daddr == "ff02::16" and .verify.result == "unknown")' /run/lines
	grep -q 'its extension headers are not shown by the kernel: nothing to compare' /run/text
}

@test "--live --verify: where the kernel does not show the headers nothing is claimed" {
	in_pod reports
}

# Answers of connections that began since: they are rewritten back, and nothing that was read says how
answers() {
	local busy
	pod_istio legacy
	pod_exec nft -f - <<-EOF
	table ip u {
		chain o { type nat hook output priority -90; udp dport 53 dnat to $FAR_IP:5353; }
		chain i { type filter hook input priority 0; counter; }
	}
	table netdev e {
		chain o { type filter hook egress device eth0 priority 0; udp dport 5353 counter; }
	}
	EOF
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	node_standin -n far udp/5353 >/dev/null
	asking &
	busy=$!
	"$CNISH" --yes -o jsonl -t netns:pod trace --live --verify --count 40 --time 60 >/run/lines || true
	kill "$busy"
	"$TOP/tests/lib/validate" trace-live </run/lines
	jq -c '[.packet.protocol, .packet.sport, .packet.dport, .end.sport, .end.dport, .verify.result]' /run/lines
	jq -se 'map(select(.packet.protocol == "tcp" or .packet.protocol == "udp")) | all(.verify.result != "differs")' /run/lines
	# answers of both, rewritten in the kernel
	jq -se 'any(.packet.sport == 15001 and .end.sport == 80) and any(.packet.sport == 5353 and .end.sport == 53)' /run/lines
	# what leaves goes through its interface's own chains behind everything else
	jq -se 'map(select(.packet.dport == 53)) | length > 0 and all(.steps | any(.table == "e" and .rule == 1))' /run/lines
	jq -se 'map(select(.packet.dport == 80 or .packet.dport == 53)) | length > 3 and all(.verify.result == "agrees")' /run/lines
}

@test "--live --verify: of answers that began since nothing is claimed" {
	in_pod answers
}

@test "--live --verify: the simulation agrees with each real packet; jsonl has a line for each" {
	in_pod compared
}

interrupted() {
	local before pid
	pod_istio legacy
	before=$(state)
	for signal in INT TERM HUP; do
		env --default-signal=INT "$CNISH" --yes -t netns:pod trace --live --count 1000 --time 600 >/run/out 2>/run/err &
		pid=$!
		until_true sh -c 'nsenter --net=/run/netns/pod nft list tables | grep -q cnish-trace'
		kill "-$signal" "$pid"
		status=0
		wait "$pid" || status=$?
		diff <(echo "$before") <(state) || { echo "after $signal"; return 1; }
		[ -z "$(ls "$XDG_STATE_HOME/cnish/live")" ] || { echo "a note is left after $signal"; return 1; }
		[ "$signal" != INT ] || { [ "$status" = 0 ] && grep -qE '^[0-9]+ packets? seen$' /run/out; } || { echo "$status"; cat /run/out /run/err; return 1; }
	done
}

@test "--live: Ctrl-C, a hang-up and a request to end leave nothing behind" {
	in_pod interrupted
}

@test "packets are shown with both stores' steps; the pod is as before, also after a kill" {
	in_pod watched
}
