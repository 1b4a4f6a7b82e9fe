#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_concurrent - another program changes the same tables in the middle of a change: nothing of its is lost
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/crash.sh"

bats_require_minimum_version 1.5.0

pod_do() { echo "nsenter --net=/run/netns/pod -- $*"; }

# at PATTERN: the number of the first call like that of 'istio apply' with the store that is asked for
at() {
	local n
	n=$(grep -nE "$1" /run/points | head -1 | cut -d : -f 1)
	[ -n "$n" ] || { echo "no call like $1"; cat /run/points; false; } >&2
	echo "$n"
}

# meanwhile PATTERN COMMAND STORE: runs the command in front of the first call like that; the status is in 'status'
meanwhile() {
	status=0
	"$TOOLS/killat" -n "$(at "$1")" -x "$2" -- "$CNISH" -t netns:pod --yes istio apply --store "$3" >/run/out 2>&1 || status=$?
}

# start STORE TOOLS: one rule is missing; the calls that mend it are known; a chain of somebody else's is there
start() {
	pod_istio "$2"
	pod_exec "iptables-$2" -w 10 -t nat -N MINE
	pod_exec "iptables-$2" -w 10 -t nat -D ISTIO_INBOUND 2
	"$TOOLS/killat" -l -- "$CNISH" -t netns:pod --yes istio apply --store "$1" 3>/run/points >/run/out
	pod_exec "iptables-$2" -w 10 -t nat -D ISTIO_INBOUND 2
}

rule_of() { pod_exec "iptables-$1-save" -t nat 2>/dev/null | grep -q -- "$2"; }
mended() { rule_of "$1" '-A ISTIO_INBOUND -p tcp -m tcp --dport 15090 -j RETURN'; }

no_lock() {
	local x="env XTABLES_LOCKFILE=/run/nobody.lock iptables-legacy -w 10 -t nat"
	start legacy legacy
	# the kernel notices, cnish reads again
	meanwhile 'ip replace' "$(pod_do "$x -A MINE -p tcp --dport 1 -j RETURN")" legacy
	[ "$status" = 0 ] || { cat /run/out; false; }
	rule_of legacy '-A MINE -p tcp -m tcp --dport 1 -j RETURN'
	mended legacy
	# a chain that is to be changed: nothing is done
	pod_exec iptables-legacy -w 10 -t nat -D ISTIO_INBOUND 2
	meanwhile 'ip replace' "$(pod_do "$x -A ISTIO_INBOUND -p tcp --dport 2 -j RETURN")" legacy
	[ "$status" = 5 ]
	grep -q 'another program changed' /run/out
	rule_of legacy '-A ISTIO_INBOUND -p tcp -m tcp --dport 2 -j RETURN'
	! mended legacy
	# as many rules as before: seen as long as it comes before the last look
	pod_exec iptables-legacy -w 10 -t nat -D ISTIO_INBOUND 5
	meanwhile flock "$(pod_do "$x -R ISTIO_INBOUND 1 -p tcp --dport 3 -j RETURN")" legacy
	[ "$status" = 5 ]
	rule_of legacy '-A ISTIO_INBOUND -p tcp -m tcp --dport 3 -j RETURN'
	meanwhile flock "$(pod_do "$x -R MINE 1 -p tcp --dport 4 -j RETURN")" legacy
	[ "$status" = 0 ]
	rule_of legacy '-A MINE -p tcp -m tcp --dport 4 -j RETURN'
}
@test "legacy, a program that takes no lock: tried again, or refused; no rule is lost" { in_pod no_lock; }

with_lock() {
	start legacy legacy
	# it has to wait; so it comes when cnish is done
	meanwhile 'ip replace' "$(pod_do "iptables-legacy -w 60 -t nat -A MINE -p tcp --dport 1 -j RETURN") >/run/waits 2>&1 & echo \$! >/run/pid" legacy
	[ "$status" = 0 ]
	until_true rule_of legacy '-A MINE -p tcp -m tcp --dport 1 -j RETURN'
	mended legacy
	# many in a row, and cnish in between: each of both arrives
	(for i in {1..15}; do pod_exec iptables-legacy -w 60 -t nat -A MINE -p udp --dport "$i" -j RETURN; done; echo >/run/done) 3>&- &
	until [ -e /run/done ]; do
		pod_exec iptables-legacy -w 60 -t nat -D ISTIO_INBOUND 2
		"$CNISH" -t netns:pod --yes istio apply --store legacy >/run/out 2>&1 || { cat /run/out; false; }
		mended legacy
	done
	[ "$(pod_exec iptables-legacy-save -t nat | grep -c -- '-A MINE -p udp')" = 15 ]
}
@test "legacy, a program that takes the lock: both changes are made" { in_pod with_lock; }

with_nft() {
	pod_exec nft 'table inet mine { chain c { }; }'
	start compat nft
	# another table: the same transaction for the new generation
	meanwhile 'nftables transaction' "$(pod_do nft add rule inet mine c tcp dport 1 accept)" compat
	[ "$status" = 0 ] || { cat /run/out; false; }
	pod_exec nft list chain inet mine c | grep 'dport 1 '
	mended nft
	# another chain of the same table
	pod_exec iptables-nft -t nat -D ISTIO_INBOUND 2
	meanwhile 'nftables transaction' "$(pod_do iptables-nft -t nat -A MINE -p tcp --dport 1 -j RETURN)" compat
	[ "$status" = 0 ]
	rule_of nft '-A MINE -p tcp -m tcp --dport 1 -j RETURN'
	mended nft
	# the same chain
	pod_exec iptables-nft -t nat -D ISTIO_INBOUND 2
	meanwhile 'nftables transaction' "$(pod_do iptables-nft -t nat -I ISTIO_INBOUND 1 -p tcp --dport 2 -j RETURN)" compat
	[ "$status" = 5 ]
	grep -q 'another program changed' /run/out
	rule_of nft '-A ISTIO_INBOUND -p tcp -m tcp --dport 2 -j RETURN'
	! mended nft
	# a native table of Istio's that is to be made anew
	status=0
	"$CNISH" -t netns:pod --yes istio apply --store native >/run/out 2>&1
	pod_exec nft add rule inet istio-proxy-nat istio-output tcp dport 5 accept
	"$TOOLS/killat" -n "$(at 'nftables transaction')" -x "$(pod_do nft add rule inet istio-proxy-nat istio-output tcp dport 6 accept)" -- \
		"$CNISH" -t netns:pod --yes istio apply >/run/out 2>&1 || status=$?
	[ "$status" = 5 ]
	pod_exec nft list table inet istio-proxy-nat | grep 'dport 6 '
}
@test "nftables, nft and iptables-nft: tried again, or refused; no rule is lost" { in_pod with_nft; }

# The move is half done when somebody changes what is to go: all stays shut until it is finished
half_moved() {
	local x="iptables-legacy -w 10 -t nat" status=0
	pod_istio legacy
	"$TOOLS/killat" -n 14 -x "$(pod_do "env XTABLES_LOCKFILE=/run/nobody.lock $x -I ISTIO_OUTPUT 1 -p tcp --dport 1 -j RETURN")" -- \
		"$CNISH" -t netns:pod --yes istio apply --store compat >/run/out 2>&1 || status=$?
	[ "$status" = 5 ]
	grep -q 'guardrails stay' /run/out || { cat /run/out; false; }
	state | grep 'guardrails 12'
	rule_of legacy '-A ISTIO_OUTPUT -p tcp -m tcp --dport 1 -j RETURN'
	"$CNISH" -t netns:pod --yes istio apply --store compat >/run/out 2>&1
	grep -q 'were left behind' /run/out
	state | grep 'guardrails 0'
	! pod_exec iptables-legacy-save | grep ISTIO
	"$CNISH" -t netns:pod istio verify
	# before anything was changed they go again
	"$TOOLS/killat" -n 12 -x "$(pod_do "env XTABLES_LOCKFILE=/run/nobody.lock $x -A OUTPUT -p tcp --dport 1 -j RETURN")" -- \
		"$CNISH" -t netns:pod --yes istio apply --store legacy >/run/out 2>&1 || status=$?
	[ "$status" = 5 ]
	! grep 'guardrails stay' /run/out
	state | grep 'guardrails 0'
	"$CNISH" -t netns:pod istio verify
}
@test "a move that is stopped half-way stays shut, says so, and is finished by the next run" { in_pod half_moved; }
