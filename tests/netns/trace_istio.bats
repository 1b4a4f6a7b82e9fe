#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# trace_istio - the Istio set in a pod: real connections, the kernel's trace compared with "cnish trace" step by step

setup() {
	source "$TOP/tests/lib/pod.sh"
	source "$TOP/tests/lib/ktrace.sh"
	export CNISH TOOLS TOP
	export WORK=$BATS_TEST_TMPDIR COMPARED=0
}

# captured_pod STORE: Envoy, an application, and the node as the world outside
captured_pod() {
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	pod_standin -n app -u 1000 -g 1000 tcp/8080 tcp/15020 tcp/15008 >/dev/null
	node_standin -n node tcp/80 tcp/8080 tcp/15008 >/dev/null
	pod_exec ip -6 addr add ::6/128 dev lo nodad
	pod_istio "$1"
	ktrace_on
}

# connections POD SERVICE LO PROBE NODE ICMP: all the ways of the Istio set
connections() {
	local pod=$1 service=$2 lo=$3 probe=$4 node=$5 icmp=$6
	# veth: applications, root, Envoy by uid, by gid, by both
	ktrace_compare out 1000 1000 tcp - "$service" 80
	ktrace_compare out 0 0 tcp - "$service" 80
	ktrace_compare out 1337 1337 tcp - "$service" 80
	ktrace_compare out 1000 1337 tcp - "$service" 80
	ktrace_compare out 1337 1000 tcp - "$service" 80
	ktrace_compare out 1000 1000 tcp - "$service" 15008
	ktrace_compare out 1000 1000 tcp "$pod" "$node" 8080
	# loopback: the pod's own address and 127.0.0.1, the passthrough address
	ktrace_compare out 1000 1000 tcp - "$pod" 8080
	ktrace_compare out 1337 1337 tcp - "$pod" 8080
	ktrace_compare out 1337 1337 tcp - "$pod" 15008
	ktrace_compare out 1000 1337 tcp - "$pod" 8080
	ktrace_compare out 1000 1000 tcp - "$lo" 8080
	ktrace_compare out 1337 1337 tcp - "$lo" 8080
	ktrace_compare out 1337 1337 tcp "$probe" "$pod" 8080
	ktrace_compare out 1337 1337 tcp "$probe" "$pod" 15008
	# what the set does not redirect
	ktrace_compare out 1000 1000 udp - "$service" 53
	ktrace_compare out 1337 1337 udp - "$service" 53
	ktrace_compare out 1000 1000 "$icmp" - "$service" 0
	ktrace_compare out 1000 1000 "$icmp" - "$pod" 0
	# from outside
	ktrace_compare in 0 0 tcp "$node" "$pod" 8080
	ktrace_compare in 0 0 tcp "$node" "$pod" 80
	ktrace_compare in 0 0 tcp "$node" "$pod" 15020
	ktrace_compare in 0 0 tcp "$node" "$pod" 15008
	ktrace_compare in 0 0 udp "$node" "$pod" 53
	ktrace_compare in 0 0 "$icmp" "$node" "$pod" 0
}

both_families() {
	captured_pod "$1"
	connections "$POD_IP" "$SERVICE_IP" 127.0.0.1 127.0.0.6 "$NODE_IP" icmp
	connections "$POD_IP6" "$SERVICE_IP6" ::1 ::6 "$NODE_IP6" icmpv6
	echo "compared: $COMPARED steps"
	[ "$COMPARED" -gt 100 ]
}

@test "legacy store: the kernel agrees in every step, IPv4 and IPv6" { in_pod both_families legacy; }
@test "compat store: the kernel agrees in every step, IPv4 and IPv6" { in_pod both_families nft; }

# Both stores redirect, to different ports: without the order both are possible, and the kernel does one of them.
both_stores() {
	local kernel n
	captured_pod legacy
	istio_rules 4 | sed 's/15001/15006/' | pod_exec iptables-nft-restore --noflush
	pod_exec "$TOOLS/ktrace" "$TOOLS/connect" -u 1000 -g 1000 tcp "$SERVICE_IP" 80 >"$WORK/kernel.json"
	"$CNISH" -o json -t netns:pod trace --all out tcp "$SERVICE_IP:80" uid 1000 >"$WORK/cnish.json"
	jq -e '.order == "unknown" and (.outcomes | length) == 2' "$WORK/cnish.json"
	jq -e '[.outcomes[].listener.port] | sort == [15001, 15006]' "$WORK/cnish.json"
	jq -e 'all(.outcomes[]; .depends_on | length == 1)' "$WORK/cnish.json"
	kernel=$(ktrace_words <"$WORK/kernel.json")
	for n in 0 1; do
		[ "$(ktrace_cnish_words "$n" <"$WORK/cnish.json")" != "$kernel" ] || return 0
	done
	echo "the kernel did neither:"
	echo "$kernel"
	return 1
}
@test "both stores with different rules: two outcomes, and the kernel's is one of them" { in_pod both_stores; }

schema() {
	local status=0
	captured_pod legacy
	{
		"$CNISH" -o json -t netns:pod trace out tcp "$SERVICE_IP:80"
		"$CNISH" -o json -t netns:pod trace --explain in tcp "$POD_IP6"
		"$CNISH" -o json -t netns:pod trace out udp 240.0.0.1 ctstate invalid
		printf '%s\n' '{"protocol":"tcp","daddr":"10.96.0.10","dport":80,"uid":1000}' '# remark' '' \
			'out tcp 10.96.0.10:80 uid 1337' >"$WORK/batch"
		"$CNISH" -o json -t netns:pod trace --from "$WORK/batch"
		"$CNISH" -o jsonl -t netns:pod trace --from - <"$WORK/batch"
	} >"$WORK/all.json"
	"$TOP/tests/lib/validate" trace <"$WORK/all.json"
	# a batch says of each connection what it would say of it alone, and can be fed its own output
	jq -e -s '.[3].traces | length == 2' "$WORK/all.json"
	"$CNISH" -o json -t netns:pod trace out tcp 10.96.0.10:80 uid 1000 >"$WORK/alone.json"
	diff <(jq -S 'del(.schema, .target)' "$WORK/alone.json") <(jq -S -s '.[4] | del(.schema, .target)' "$WORK/all.json")
	jq -c .packet "$WORK/alone.json" | "$CNISH" -o jsonl -t netns:pod trace --from - >"$WORK/again.json"
	diff <(jq -S . "$WORK/alone.json") <(jq -S . "$WORK/again.json")
	# the line that is wrong is named
	printf 'tcp 10.0.0.1:80\ntcp nowhere\n' | "$CNISH" -t netns:pod trace --from - 2>"$WORK/err" || status=$?
	[ "$status" = 2 ]
	grep -q "^cnish: line 2: trace: 'nowhere' is no address" "$WORK/err"
}
@test "the output is as its schema says" { in_pod schema; }

words() {
	local text status=0
	captured_pod legacy
	text=$("$CNISH" -t netns:pod trace out tcp "$SERVICE_IP:80" uid 1000)
	grep -q "^=> goes to 127.0.0.1:15001, where envoy (pid [0-9]*, uid 1337) listens, by rule ISTIO_REDIRECT 1 of legacy ip nat\.$" <<<"$text"
	grep -q "Nothing unknown was involved" <<<"$text"
	text=$("$CNISH" -t netns:pod trace --explain out tcp "$SERVICE_IP:80" uid 1000)
	grep -q 'no: meta oifname "lo"; it is "eth0"' <<<"$text"
	grep -q 'no: meta skuid 1337; it is 1000' <<<"$text"
	"$CNISH" -t netns:pod trace tcp "$SERVICE_IP:80" uid nobody 2>"$WORK/err" || status=$?
	[ "$status" = 2 ]
	grep -q "^cnish: trace: uid 'nobody' is no number" "$WORK/err"
}
@test "what a person sees: the closing line, the reasons, the error" { in_pod words; }
