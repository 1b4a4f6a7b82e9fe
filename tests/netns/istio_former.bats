#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_former - what Istio wrote beside others' rules for another configuration: named, replaced and removed
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"

bats_require_minimum_version 1.5.0

istio() { "$CNISH" -t netns:pod --yes istio "$@" >/dev/null 2>&1; }

rules() {
	local t
	for t in raw mangle nat; do pod_exec "$1" -t $t -S 2>/dev/null | sed "s/^/$t /"; done | grep -v -- '-P '
}

# Uncommented rules of a foreign hand, none of them in the words of Istio's
foreign() {
	local t
	for t in "iptables-$1" "ip6tables-$1"; do
		pod_exec "$t" -w 10 -t nat -I OUTPUT 1 -p udp --dport 53 -j REDIRECT --to-ports 5353
		pod_exec "$t" -w 10 -t nat -A PREROUTING -i eth8 -j ACCEPT
		pod_exec "$t" -w 10 -t mangle -A OUTPUT -o lo -p tcp -m mark --mark 0x53b -j RETURN
		pod_exec "$t" -w 10 -t mangle -A PREROUTING -p tcp -m mark --mark 0x539 -j CONNMARK --set-mark 7
		pod_exec "$t" -w 10 -t raw -A OUTPUT -p udp --dport 54 -j CT --zone 2
	done
}

# The plan as the real tools load it, without a trace in cnish's records
load() {
	local tool=$1 f
	shift
	for f in 4 6; do
		"$CNISH" -t netns:pod istio show -o save -$f "$@" 2>/dev/null >/run/text
		[ ! -s /run/text ] || pod_exec "$([ $f = 4 ] && echo iptables || echo ip6tables)-$tool-restore" --noflush </run/text
	done
}

another() {
	local tool=$1 store=$2 x="iptables-$1" c n=0
	shift 2
	local old=(ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY ISTIO_EXCLUDE_INTERFACES=eth5 KUBE_VIRT_INTERFACES=tap1 DUAL_STACK=true
		ISTIO_INBOUND_TPROXY_MARK=77 REDIRECT_DNS=true)
	foreign "$tool"
	rules "$x" >/run/foreign
	"$CNISH" -t netns:pod --yes istio apply --store "$store" DUAL_STACK=true >/dev/null 2>&1
	rules "$x" >/run/wanted
	istio flush
	rules "$x" | diff /run/foreign -
	for c in "--istio-version 1.22 CAPTURE_ALL_DNS=true" "--istio-version 1.24 DNS_SERVERS=10.96.0.10,fd00::a" "--istio-version 1.30 CAPTURE_ALL_DNS=true"; do
		# shellcheck disable=SC2086
		load "$tool" $c "${old[@]}"
		pod_exec ip rule add fwmark 77 lookup 133
		pod_exec ip route add local default dev lo table 133
		rules "$x" >/run/old
		"$CNISH" -t netns:pod -o json istio verify DUAL_STACK=true >/run/json 2>/dev/null || :
		for n in '-o eth5 -j RETURN' '-p tcp -m mark --mark 0x4d -j CONNMARK' '-p tcp -m connmark --mark 0x4d -j CONNMARK'; do
			jq -e --arg r "$n" 'any(.differences[]; (.kind == "extra" or .kind == "changed") and (.rule | startswith($r)))' /run/json >/dev/null ||
				{ echo "$c: not named: $n"; false; }
		done
		jq -e 'any(.routing[]; .kind == "extra" and (.words | contains("fwmark 0x4d")))' /run/json >/dev/null
		istio apply --store "$store" DUAL_STACK=true
		rules "$x" | diff /run/wanted -
		! pod_exec ip rule | grep fwmark
		"$CNISH" -t netns:pod istio verify DUAL_STACK=true >/dev/null 2>&1
		istio undo
		rules "$x" | diff /run/old -
		istio flush
		rules "$x" | diff /run/foreign -
		pod_exec ip rule del fwmark 77 2>/dev/null || :
		pod_exec ip route flush table 133 2>/dev/null || :
	done
}
@test "legacy: rules of another mode and version are named and replaced, foreign ones stay" { in_pod another legacy legacy; }
@test "compat: rules of another mode and version are named and replaced, foreign ones stay" { in_pod another nft compat; }

# The chains are gone, by Istio's own clean-up of former versions; what it never removes is there still
orphans() {
	local tool=$1 x t
	foreign "$tool"
	rules "iptables-$tool" >/run/foreign
	for t in "iptables-$tool" "ip6tables-$tool"; do
		x="pod_exec $t -w 10 -t"
		$x mangle -A PREROUTING -p tcp -m mark --mark 1337 -j CONNMARK --save-mark
		$x mangle -A OUTPUT -o lo -p tcp -m mark --mark 1337 -j RETURN
		$x mangle -A OUTPUT -p tcp -m connmark --mark 1337 -j CONNMARK --restore-mark
		$x nat -A OUTPUT -p udp --dport 53 -m owner --uid-owner 1337 -j RETURN
		$x nat -A OUTPUT -p udp --dport 53 -m owner --gid-owner 1337 -j RETURN
		$x nat -A OUTPUT -p udp --dport 53 -j REDIRECT --to-port 15053
		$x raw -A OUTPUT -p udp --dport 53 -m owner --uid-owner 1337 -j CT --zone 1
		$x raw -A OUTPUT -p udp --sport 15053 -m owner --uid-owner 1337 -j CT --zone 2
		$x raw -A OUTPUT -p udp --dport 53 -j CT --zone 2
		$x raw -A PREROUTING -p udp --sport 53 -j CT --zone 1
	done
	# a comment makes it somebody's
	pod_exec "iptables-$tool" -w 10 -t mangle -A OUTPUT -o lo -p tcp -m mark --mark 1337 -m comment --comment mine -j RETURN
	rules "iptables-$tool" | grep mine >>/run/foreign
	istio flush
	rules "iptables-$tool" | sort | diff <(sort /run/foreign) -
	! rules "ip6tables-$tool" | grep -E '15053|0x539 -j (RETURN|CONNMARK --(save|restore))'
	# what goes with DNS capture is anybody's when there is none
	pod_exec "iptables-$tool" -w 10 -t raw -A OUTPUT -p udp --dport 53 -j CT --zone 2
	pod_exec "iptables-$tool" -w 10 -t nat -A OUTPUT -p udp --dport 53 -m owner --uid-owner 1337 -j RETURN
	# and Kuma's are those of another user
	pod_exec "iptables-$tool" -w 10 -t nat -A OUTPUT -p tcp --dport 99 -j ACCEPT
	pod_exec "iptables-$tool" -w 10 -t nat -A OUTPUT -p udp --dport 53 -m owner --uid-owner 5678 -j RETURN
	pod_exec "iptables-$tool" -w 10 -t nat -A OUTPUT -p udp --dport 53 -j REDIRECT --to-ports 15053
	pod_exec "iptables-$tool" -w 10 -t raw -A OUTPUT -p udp --sport 15053 -m owner --uid-owner 5678 -j CT --zone 2
	rules "iptables-$tool" >/run/foreign
	istio flush
	rules "iptables-$tool" | diff /run/foreign -
}
@test "legacy: what Istio's own clean-up leaves is flushed" { in_pod orphans legacy; }
@test "compat: what Istio's own clean-up leaves is flushed" { in_pod orphans nft; }

# A second one of a rule that nobody else would write is a duplicate, whatever mark it is about
duplicate() {
	local x="pod_exec iptables-$1 -w 10 -t mangle"
	istio apply --store "$2" ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY ISTIO_INBOUND_TPROXY_MARK=77
	rules "iptables-$1" >/run/applied
	$x -A OUTPUT -o lo -p tcp -m mark --mark 77 -j RETURN
	$x -A OUTPUT -o lo -p tcp -m mark --mark 77 -m comment --comment mine -j RETURN
	! "$CNISH" -t netns:pod -o json istio verify >/run/json 2>/dev/null
	jq -e '[.differences[] | [.kind, .chain]] == [["duplicate", "OUTPUT"]]' /run/json
	istio apply
	rules "iptables-$1" | grep -v mine | diff /run/applied -
	rules "iptables-$1" | grep -q mine
}
@test "legacy: a duplicate beside others' rules is named and removed" { in_pod duplicate legacy legacy; }
@test "compat: a duplicate beside others' rules is named and removed" { in_pod duplicate nft compat; }

# In the legacy store, without TPROXY, interfaces' rules look like anybody's: what cnish applied is on record
record() {
	local x="pod_exec iptables-legacy -w 10 -t nat"
	$x -A PREROUTING -i eth9 -j RETURN
	$x -A OUTPUT -o eth9 -j RETURN
	istio apply --store legacy ISTIO_EXCLUDE_INTERFACES=eth5,net1 KUBE_VIRT_INTERFACES=tap1 ISTIO_SERVICE_CIDR= ISTIO_OUTBOUND_PORTS=80
	$x -I OUTPUT 3 -p tcp --dport 99 -j ACCEPT
	$x -I OUTPUT 2 -p tcp --dport 98 -j ACCEPT
	"$CNISH" -t netns:pod -o json istio verify >/run/json 2>/dev/null
	jq -e '.expected.settings | .ISTIO_EXCLUDE_INTERFACES == "eth5,net1" and .KUBE_VIRT_INTERFACES == "tap1"' /run/json
	$x -D PREROUTING -i net1 -j RETURN # half of a pair
	istio flush
	$x -S | grep -- '^-[AN]' | diff - <(printf '%s\n' '-A PREROUTING -i eth9 -j RETURN' '-A OUTPUT -o eth9 -j RETURN' \
		'-A OUTPUT -p tcp -m tcp --dport 98 -j ACCEPT' '-A OUTPUT -p tcp -m tcp --dport 99 -j ACCEPT' '-A OUTPUT -o net1 -j RETURN')
	# the record is of what was applied last; when that was taken back, it says nothing
	istio apply --store legacy
	$x -I OUTPUT 1 -o eth5 -j RETURN
	$x -I PREROUTING 1 -i eth5 -j RETURN
	$x -I OUTPUT 2 -p tcp --dport 97 -j ACCEPT
	istio flush
	[ "$($x -S | grep -c eth5)" = 2 ]
}
@test "legacy: interfaces' rules among foreign ones are known from the record of the apply" { in_pod record; }
