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
	diff <(echo "$before") <(state)
	"$CNISH" --yes -t netns:pod trace --live --count 1000 --time 600 >/dev/null &
	pid=$!
	until_true sh -c 'nsenter --net=/run/netns/pod nft list tables | grep -q cnish-trace'
	kill -9 "$pid"
	until_true sh -c '! nsenter --net=/run/netns/pod nft list tables | grep -q cnish-trace'
	"$CNISH" --yes -t netns:pod trace --live --count 1 --time 1 2>&1 | grep 'put back'
	kill "$busy"
	diff <(echo "$before") <(state)
}

@test "packets are shown with both stores' steps; the pod is as before, also after a kill" {
	in_pod watched
}
