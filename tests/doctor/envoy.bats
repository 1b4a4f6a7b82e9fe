#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# envoy - what Envoy says of itself is told; one that hangs, floods or lies costs its time-out and nothing else
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"
source "$TOP/tests/doctor/common.bash"

# speaks MODE: the admin and the status port
speaks() {
	rm -f /run/envoy.out # the one before has said "ready" there
	nsenter --net=/run/netns/pod "$TOP/tests/lib/envoy" "$1" >/run/envoy.out 2>&1 3>&- &
	ENVOY=$!
	until_true grep -qs ready /run/envoy.out
}

sidecar_without_status() { pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 tcp/15020 tcp/15090 >/dev/null; }

well() {
	nft_node
	sidecar_without_status
	pod_istio nft
	speaks good
	finds ''
	jq -e '.envoy == {ready: 200, ready_why: null, listeners: [15001, 15006, 443], listeners_why: null, requests_total: true, stats_why: null}' /run/json
	kill $ENVOY
	wait $ENVOY || :
	speaks unready
	finds ''
	jq -e '.envoy.ready == 503 and .envoy.requests_total' /run/json
}
@test "a healthy Envoy: silent, and its listeners, telemetry and readiness are told" { in_pod well; }

# The incident's end: the proxy is well, and counts nothing.
gone() {
	nft_node
	sidecar_without_status
	speaks idle
	finds D08
	jq -e '.findings[0].evidence[] | select(.what == "Envoy").value | test("has seen no request")' /run/json
	jq -e '.envoy.requests_total == false' /run/json
}
@test "D08 tells that the proxy has seen no request" { in_pod gone; }

dead_listener() {
	nft_node
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15020 >/dev/null
	pod_istio nft
	speaks good
	finds D16
	jq -e '[.findings[0].evidence[] | select(.what == "Envoy").value] == ["it has a listener for 15006", "HTTP status 200"]' /run/json
}
@test "D16 tells what Envoy means to listen on" { in_pod dead_listener; }

# hostile MODE CONDITION: bounded time and memory, an honest answer
hostile() {
	local start kb
	nft_node
	sidecar_without_status
	pod_istio nft
	speaks "$1"
	# the memory that it may have on top of its code: an endless answer would need more
	start=$(date +%s%N)
	(ulimit -v 400000 && finds '')
	echo "took $(((($(date +%s%N) - start)) / 1000000)) ms"
	jq -c .envoy /run/json
	jq -e "$2" /run/json
	! grep -q $'\033' /run/json
}
@test "silent: no answer" { in_pod hostile silent '.envoy | .ready == null and .requests_total == null and (.stats_why | test("1000 ms"))'; }
@test "slow: a byte now and then" { in_pod hostile slow '.envoy | .ready == 200 and .requests_total == null and (.stats_why | test("1000 ms"))'; }
@test "endless lines" { in_pod hostile endless '.envoy | .listeners == [15006] or .listeners == []'; }
@test "an endless line" { in_pod hostile no-newline '.envoy | .listeners == [] and .requests_total == null'; }
@test "bytes that are no HTTP" { in_pod hostile binary '.envoy | .ready == null and .listeners == [] and (.listeners_why | test("not one of HTTP"))'; }
@test "a body of all bytes" { in_pod hostile binary-body '.envoy | .ready == 200 and .listeners == [] and .requests_total == false'; }
@test "an endless head" { in_pod hostile head-only '.envoy | .requests_total == null'; }
@test "a status out of range" { in_pod hostile status '.envoy | .ready == null and .requests_total == null'; }
@test "a refusal" { in_pod hostile forbidden '.envoy | .ready == 403 and .requests_total == null and (.stats_why | test("403"))'; }
@test "escapes for a terminal" { in_pod hostile escape '.envoy.listeners == [15006]'; }

# What a dead one costs: the time of three questions together, as strace sees the waits
dead() {
	nft_node
	sidecar_without_status
	pod_istio nft
	speaks silent
	ASAN_OPTIONS=detect_leaks=0 strace -f -e trace=poll -o /run/trace "$CNISH" -t netns:pod --host-root "$NODE" doctor >/dev/null
	awk -F'[,)]' '/poll\(.*POLLIN/ { split($0, a, ", "); for (i in a) if (a[i] ~ /^[0-9]+\)/) sum += a[i] + 0 } END { print sum; exit !(sum > 500 && sum <= 1001) }' /run/trace
}
@test "a dead Envoy is waited for one second in all" { in_pod dead; }
