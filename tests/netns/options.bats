#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# options - options that no other test has: what each does, by the kernel and the real tools
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"

istio() { "$CNISH" -t netns:pod --yes istio "$@"; }
# Istio's rules of a family: number of them, by the real tool
rules_of() { pod_exec "ip${1/4/}tables-legacy-save" | grep -c '^-A .*ISTIO' || true; }

one_family() {
	istio apply --store legacy -4 ENABLE_INBOUND_IPV6=true >/dev/null
	[ "$(rules_of 4)" -gt 10 ]
	[ "$(rules_of 6)" = 0 ]
	istio verify -4 ENABLE_INBOUND_IPV6=true
	! istio verify -6 ENABLE_INBOUND_IPV6=true >/run/out || { cat /run/out; false; }
	istio apply --store legacy -6 ENABLE_INBOUND_IPV6=true >/dev/null
	[ "$(rules_of 6)" -gt 10 ]
	istio verify -6 ENABLE_INBOUND_IPV6=true
	pod_exec iptables-legacy-save -t nat | grep -v '^[#:]' >/run/before
	istio flush -6 >/dev/null
	[ "$(rules_of 6)" = 0 ]
	pod_exec iptables-legacy-save -t nat | grep -v '^[#:]' | diff /run/before -
	istio flush -4 >/dev/null
	[ "$(rules_of 4)" = 0 ]
}
@test "istio apply, verify, flush -4 and -6: that family only" { in_pod one_family; }

show_family() {
	local f
	for f in 4 6; do
		istio show -o save "-$f" ENABLE_INBOUND_IPV6=true >/run/rules
		pod_exec "ip${f/4/}tables-legacy-restore" </run/rules
	done
	grep -q ' ::6/128 ' /run/rules
	! grep -E '127\.0\.0\.' /run/rules
	pod_exec ip -6 addr add ::6/128 dev lo
	istio verify ENABLE_INBOUND_IPV6=true
}
@test "istio show -4 and -6: rules that the tool of the family takes, and verify finds them right" { in_pod show_family; }

lock_waits() {
	local pid what status
	pod_istio legacy
	pod_exec iptables-legacy -w 10 -t nat -D ISTIO_INBOUND 2
	istio apply >/dev/null
	: >/run/xtables.lock
	flock -x /run/xtables.lock sleep 1000 &
	pid=$!
	until_true sh -c '! flock -n -x /run/xtables.lock true'
	for what in undo flush; do
		status=0
		both_tables >/run/before
		timeout 20 "$CNISH" -t netns:pod --yes istio $what --wait 1 >/run/out 2>/run/err || status=$?
		[ $status = 5 ] || { echo "$what: $status"; cat /run/out /run/err; false; }
		cat /run/out /run/err
		grep -q 'xtables.lock\|xtables lock' /run/err || { cat /run/err; false; }
		both_tables | diff /run/before -
	done
	pkill -P $pid sleep
	wait $pid || true
	istio flush --wait 60 >/dev/null
	[ "$(rules_of 4)" = 0 ]
}
both_tables() { { pod_exec iptables-legacy-save; pod_exec ip6tables-legacy-save; } | grep -v '^[#:]'; }
@test "istio flush --wait, undo --wait: no longer than that for the lock, and nothing is changed" { in_pod lock_waits; }

no_guardrails() {
	pod_istio legacy
	pod_exec iptables-legacy -w 10 -t nat -F ISTIO_INBOUND
	pod_exec iptables-legacy -w 10 -t mangle -N ISTIO_TPROXY
	istio apply --dry-run --store compat -o json | jq -e '.guardrails | length > 0'
	istio apply --dry-run --store compat --no-guardrails -o json | jq -e '.guardrails == []'
	istio apply --store compat --no-guardrails >/dev/null
	istio verify
	istio undo --dry-run -o json | jq -e '.guardrails | length > 0'
	istio undo --dry-run --no-guardrails -o json | jq -e '.guardrails == []'
	istio undo --no-guardrails >/dev/null
	[ "$(rules_of 4)" -gt 5 ]
}
@test "istio apply and undo --no-guardrails: none in the plan, and the change is made" { in_pod no_guardrails; }

flush_preset() {
	# rules of an interception of another mode: what is flushed follows from the words
	istio apply --preset istio-init --store legacy >/dev/null
	istio flush --preset istio-init >/dev/null
	[ "$(rules_of 4)" = 0 ] && [ "$(rules_of 6)" = 0 ]
	local status=0
	istio flush --preset nonsense 2>/run/err || status=$?
	[ $status = 2 ]
	grep nonsense /run/err
}
@test "istio flush --preset" { in_pod flush_preset; }

# As restore text: given to the real tools it does what the change does.
change_text() {
	local f
	istio apply --store legacy ENABLE_INBOUND_IPV6=true >/dev/null
	pod_exec iptables-legacy -t nat -A PREROUTING -p udp -j RETURN
	"$CNISH" -t netns:pod --dry-run -o save istio flush >/run/text
	pod_make copy 2
	for f in 4 6; do pod_exec "ip${f/4/}tables-legacy-save" | in_ns copy "ip${f/4/}tables-legacy-restore"; done
	istio flush >/dev/null
	both_tables >/run/want
	in_ns copy sh -c 'sed -n "/^# ip6/,\$!p" /run/text | grep -v "^#" | iptables-legacy-restore --noflush' || { cat /run/text; false; }
	in_ns copy sh -c 'sed -n "/^# ip6/,\$p" /run/text | grep -v "^#" | ip6tables-legacy-restore --noflush' || { cat /run/text; false; }
	{ in_ns copy iptables-legacy-save; in_ns copy ip6tables-legacy-save; } | grep -v '^[#:]' | diff /run/want -
}
@test "istio flush -o save: by the real tools it does what flush does" { in_pod change_text; }

@test "diff -4 and -6: that family only" { sandbox diff_families; }
diff_families() {
	iptables-legacy -A INPUT -p tcp --dport 4 -j ACCEPT
	ip6tables-legacy -A INPUT -p tcp --dport 6 -j ACCEPT
	! "$CNISH" diff -4 >/run/4
	! "$CNISH" diff -6 >/run/6
	grep -e '--dport 4 ' /run/4
	! grep -e '--dport 6 ' /run/4 || false
	grep -e '--dport 6 ' /run/6
	! grep -e '--dport 4 ' /run/6 || false
}

# Sockets and connections of both families; the kernel's own lists say which there are.
sockets_families() {
	python3 -c '
import socket, time
s = []
for f, a in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    x = socket.socket(f, socket.SOCK_STREAM)
    x.bind((a, 7000)); x.listen()
    y = socket.create_connection((a, 7000))
    s += [x, y, x.accept()]
print("up", flush=True)
time.sleep(1000)' >/run/up &
	until_true grep -q up /run/up
	nft 'add table inet t; add chain inet t c { type filter hook input priority 0; }; add rule inet t c ct state new accept'
	grep -q '0100007F:1B58 00000000:0000 0A' /proc/net/tcp
	grep -q '00000000000000000000000001000000:1B58 .*:0000 0A' /proc/net/tcp6
	"$CNISH" -o json sockets -4 | jq -e '[.sockets[] | select(.port == 7000) | .address] == ["127.0.0.1"]'
	"$CNISH" -o json sockets -6 | jq -e '[.sockets[] | select(.port == 7000) | .address] == ["::1"]'
	python3 -c '
import socket
for f, a in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    socket.create_connection((a, 7000)).close()'
	"$CNISH" -o json conns -4 >/run/4
	"$CNISH" -o json conns -6 >/run/6
	jq -e '[.connections[].original.dst] | length > 0 and all(. == "127.0.0.1")' /run/4
	jq -e '[.connections[].original.dst] | length > 0 and all(. == "::1")' /run/6
}
@test "sockets and conns, -4 and -6" { sandbox sockets_families; }

# Handles are those that nft has.
wide() {
	iptables-nft -A INPUT -p tcp -j ACCEPT
	nft 'add table ip t; add chain ip t c; add rule ip t c udp dport 5 drop; add rule ip t c counter; delete rule ip t c handle 2; add rule ip t c tcp dport 6 drop'
	nft -a list ruleset | grep -v 'chain\|table\| hook ' | sed -nE 's/.* # handle ([0-9]+)$/\1/p' | sort >/run/handles
	[ "$(wc -l </run/handles)" = 3 ]
	"$CNISH" -o wide tables >/run/wide
	sed -nE 's/.* handle ([0-9]+) .*/\1/p' /run/wide | sort | diff /run/handles -
	grep -q "$(iptables-translate -A INPUT -p tcp -j ACCEPT | sed "s/.* INPUT //; s/ip protocol/meta l4proto/; s/'$//")" /run/wide
}
@test "tables -o wide: handles, and the nft form" { sandbox wide; }

# As nft text: nft loads it, and lists it again.
save_nft() {
	iptables-legacy -A INPUT -p tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT
	nft 'add table ip t; add chain ip t c; add rule ip t c udp dport 5 drop'
	"$CNISH" save --nft --store legacy /run/saved
	unshare -n nft -f /run/saved
	unshare -n sh -c 'nft -f /run/saved; nft -s list ruleset' | grep "$(iptables-translate -A INPUT -p tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT | sed "s/.* INPUT //; s/'$//")"
	"$CNISH" save --nft --store native /run/native
	diff <(unshare -n sh -c 'nft -f /run/native; nft -s list ruleset') <(nft -s list table ip t)
}
@test "save --nft: nft takes it, and lists what iptables-translate has" { sandbox save_nft; }
