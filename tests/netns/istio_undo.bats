#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_undo - a change is taken back: the real tools print what they printed before
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"

bats_require_minimum_version 1.5.0

cnish_json() { "$CNISH" -t netns:pod -o json --yes istio "$@"; }

# All there is, by the real tools; without counters
everything() {
	local t
	for t in iptables ip6tables; do
		pod_exec "$t-legacy-save" | sed -E '/^#/d; /^:/s/ \[[0-9:]*\]$//' |
			awk '/^\*/ { text = ""; used = 0; name = $0 } { text = text $0 "\n" } /^-A/ || /^:.* -$/ { used = 1 }
				/^COMMIT/ && used { all[name] = text }
				END { n = split("raw mangle nat filter", t); for (i = 1; i <= n; i++) printf "%s", all["*" t[i]] }'
	done
	for t in iptables ip6tables; do
		pod_exec "$t-nft-save" 2>/dev/null | sed -E '/^#/d; /^:/s/ \[[0-9:]*\]$//' | sort
	done
	pod_exec nft list tables | sort
	pod_exec ip rule
	pod_exec ip -6 rule
	pod_exec ip route show table all
	pod_exec ip -6 route show table all
	pod_exec ip -6 addr show dev lo | grep inet6
}

foreign() {
	local t
	for t in "iptables-$1" "ip6tables-$1"; do
		pod_exec "$t" -w 10 -t nat -N MINE
		pod_exec "$t" -w 10 -t nat -A MINE -p tcp --dport 22 -m comment --comment 'a "b" c' -j RETURN
		pod_exec "$t" -w 10 -t nat -A OUTPUT -p udp --dport 5353 -j MINE
		pod_exec "$t" -w 10 -t mangle -A PREROUTING -i eth9 -p tcp -m connmark --mark 5 -j RETURN
	done
}

undo_all() {
	local tools=$1 store=legacy
	[ "$tools" = legacy ] || store=compat
	foreign "$tools"
	everything >/run/first
	cnish_json apply --store $store DUAL_STACK=true ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY REDIRECT_DNS=true \
		CAPTURE_ALL_DNS=true ISTIO_EXCLUDE_INTERFACES=eth7 >/dev/null
	everything >/run/second
	! diff -q /run/first /run/second
	pod_exec ip rule add fwmark 1337 lookup 133 # a duplicate, as Istio leaves it
	everything >/run/second
	cnish_json flush >/dev/null
	everything >/run/third
	"$CNISH" -t netns:pod -o json istio undo --list >/run/json
	"$TOP/tests/lib/validate" istio-undo-list </run/json
	jq -e '[.changes[] | .command] == ["istio flush", "istio apply"] and all(.changes[]; .undone | not)' /run/json
	"$CNISH" -t netns:pod --dry-run istio undo | grep -q 'nothing was done'
	everything | diff /run/third -
	cnish_json undo >/run/json
	"$TOP/tests/lib/validate" istio-undo </run/json
	everything | diff /run/second -
	"$CNISH" -t netns:pod istio verify DUAL_STACK=true ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY REDIRECT_DNS=true \
		CAPTURE_ALL_DNS=true ISTIO_EXCLUDE_INTERFACES=eth7 >/dev/null && false # the duplicate
	pod_exec ip rule del fwmark 1337 lookup 133
	cnish_json undo >/dev/null
	everything | diff /run/first -
	"$CNISH" -t netns:pod -o json istio undo --list | jq -e '[.changes[] | .undone] == [false, false, true, true]'
	local status=0
	"$CNISH" -t netns:pod --yes istio undo 2>/run/err || status=$?
	[ $status = 3 ]
	# an undo has an ID as well
	cnish_json undo "$("$CNISH" -t netns:pod -o json istio undo --list | jq -r '.changes[0].id')" >/dev/null
	pod_exec "iptables-$tools-save" | grep -q ISTIO_TPROXY
}
@test "legacy: apply and flush are undone, foreign rules between them" { in_pod undo_all legacy; }
@test "compat: apply and flush are undone, tables that were not there go" { in_pod undo_all nft; }

moved_on() {
	local tools=$1 status=0
	pod_istio "$tools"
	everything >/run/first
	cnish_json flush >/dev/null
	pod_exec "iptables-$tools" -w 10 -t nat -A OUTPUT -p tcp --dport 1 -j ACCEPT
	everything >/run/second
	"$CNISH" -t netns:pod --yes istio undo >/run/out 2>/run/err || status=$?
	[ $status = 5 ]
	grep -q 'table nat' /run/err
	everything | diff /run/second -
	cnish_json undo --force >/dev/null
	everything | diff /run/first -
}
@test "legacy: what changed since is not undone, but by force" { in_pod moved_on legacy; }
@test "compat: what changed since is not undone, but by force" { in_pod moved_on nft; }

move_back() {
	pod_istio legacy
	pod_exec iptables-legacy -w 10 -t nat -D ISTIO_INBOUND 2
	everything >/run/first
	cnish_json apply --store compat >/dev/null
	! pod_exec iptables-legacy-save | grep ISTIO
	cnish_json undo >/dev/null
	everything | diff /run/first -
}
@test "a move to another store is undone" { in_pod move_back; }

# A foreign rule that means what one of Istio's means, but for its comment, stands above it.
twin() { # legacy|nft
	local tool=iptables-$1 store=legacy settings=(ISTIO_EXCLUDE_INTERFACES=eth7,eth8 ISTIO_INBOUND_PORTS=)
	[ "$1" = legacy ] || store=compat
	cnish_json apply --store $store "${settings[@]}" >/dev/null
	pod_exec "$tool" -w 10 -t nat -I PREROUTING 2 -i eth8 -m comment --comment mine -j RETURN
	pod_exec "$tool" -t nat -S >/run/mixed
	cnish_json flush "${settings[@]}" >/dev/null
	pod_exec "$tool" -t nat -S PREROUTING | diff <(printf '%s\n' '-P PREROUTING ACCEPT' '-A PREROUTING -i eth8 -m comment --comment mine -j RETURN') -
	cnish_json undo >/dev/null
	pod_exec "$tool" -t nat -S | diff /run/mixed -
}
@test "legacy: a rule that differs by its comment only is not taken for the one that was" { in_pod twin legacy; }
@test "compat: a rule that differs by its comment only is not taken for the one that was" { in_pod twin nft; }

# The file is of this namespace, not of one that had its inode before
others() {
	local file
	pod_istio legacy
	cnish_json flush >/run/json
	file=$(jq -r .undo /run/json)
	sed -i -E 's/^# netns ([0-9]+) [0-9]+/# netns \1 1/' "$file"
	"$CNISH" -t netns:pod -o json istio undo --list | jq -e '.changes == []'
	printf '# cnish undo 2\n# store legacy' >"${file%-*}-1.000000001.rules"
	"$CNISH" -t netns:pod -o json istio undo --list | jq -e '.changes == []'
}
@test "files of other namespaces and damaged ones are passed over" { in_pod others; }
