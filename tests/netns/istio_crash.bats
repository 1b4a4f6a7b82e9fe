#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_crash - guardrails while a change is half done; a change that is killed; all of it: tests/lib/crash
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/crash.sh"

bats_require_minimum_version 1.5.0

six() { # as they stand
	local c
	for c in INPUT FORWARD OUTPUT; do printf -- "-A $c -p %s -j DROP\n" udp tcp; done
}

# halfway TOOL CALL: the plan names the guardrails, they stand when CALL (a pattern, its second time) is reached
halfway() {
	local n
	local -a CRASH_SETTINGS=(DUAL_STACK=true REDIRECT_DNS=true CAPTURE_ALL_DNS=true)
	crash_apply legacy
	pod_exec iptables-legacy -w 10 -t raw -F ISTIO_INBOUND
	pod_exec iptables-legacy -w 10 -t nat -D ISTIO_INBOUND 2
	"$CNISH" -t netns:pod -o json --dry-run istio apply --store "$2" "${CRASH_SETTINGS[@]}" >/run/json
	"$TOP/tests/lib/validate" istio-apply </run/json
	jq -e --arg s "$2" '.guardrails[0] | .store == $s and .family == "ip" and .rules[1] == "-I INPUT 1 -p udp -j DROP"' /run/json
	[ "$2" = compat ] || jq -e '.guardrails | length == 1' /run/json # IPv6 has nothing to mend
	"$TOOLS/killat" -n "$3" -x "nsenter --net=/run/netns/pod $1-save >/run/half 2>/dev/null" -- \
		"$CNISH" -t netns:pod --yes istio apply --store "$2" "${CRASH_SETTINGS[@]}" >/run/out
	grep DROP /run/half | diff <(six) - || { cat /run/half; false; }
	state | grep 'guardrails 0'
	! pod_exec nft list table ip filter
	"$CNISH" -t netns:pod istio verify "${CRASH_SETTINGS[@]}"
	# one table is one commit
	[ "$2" = compat ] || pod_exec iptables-legacy -w 10 -t nat -D ISTIO_INBOUND 2
	"$CNISH" -t netns:pod -o json --dry-run istio apply "${CRASH_SETTINGS[@]}" | jq -e '.guardrails == []'
	"$CNISH" -t netns:pod -o json --yes istio flush | jq -e '.guardrails == []'
}
@test "guardrails stand in the legacy store while two of its tables are mended" { in_pod halfway iptables-legacy legacy 16; }
@test "guardrails stand in the compat store during a move there" { in_pod halfway iptables-nft compat 16; }

# A sample; SEED moves it on.
@test "killed anywhere: a repair in the compat store, a sample" { in_pod crash_run repair-compat 5 "${SEED:-0}"; }
@test "killed anywhere: a repair in the legacy store, a sample" { in_pod crash_run repair-legacy 17 "${SEED:-3}"; }
@test "killed anywhere: a move from legacy to compat, a sample" { in_pod crash_run move-legacy-compat 17 "${SEED:-5}"; }
@test "killed anywhere: a move from native to legacy, a sample" { in_pod crash_run move-native-legacy 17 "${SEED:-2}"; }
@test "killed anywhere: a flush of the legacy store, a sample" { in_pod crash_run flush-legacy 17 "${SEED:-1}"; }
@test "killed anywhere: an undo of a move, a sample" { in_pod crash_run undo-move-legacy-compat 11 "${SEED:-4}"; }
