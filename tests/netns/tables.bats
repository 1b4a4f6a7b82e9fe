#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# tables - the stores side by side, their texts and JSON, compared with what iptables and nft say
# shellcheck disable=SC2030,SC2031,SC2155

source "$TOP/tests/lib/pod.sh"

export ISTIO_RULES='*nat
:ISTIO_INBOUND - [0:0]
:ISTIO_REDIRECT - [0:0]
:ISTIO_IN_REDIRECT - [0:0]
:ISTIO_OUTPUT - [0:0]
-A PREROUTING -p tcp -j ISTIO_INBOUND
-A OUTPUT -j ISTIO_OUTPUT
-A ISTIO_INBOUND -p tcp --dport 15008 -j RETURN
-A ISTIO_INBOUND -p tcp --dport 15090 -j RETURN
-A ISTIO_INBOUND -p tcp --dport 15021 -j RETURN
-A ISTIO_INBOUND -p tcp --dport 15020 -j RETURN
-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT
-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001
-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006
-A ISTIO_OUTPUT -s 127.0.0.6/32 -o lo -j RETURN
-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo -p tcp ! --dport 15008 -m owner --uid-owner 1337 -j ISTIO_IN_REDIRECT
-A ISTIO_OUTPUT -o lo -m owner ! --uid-owner 1337 -j RETURN
-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN
-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo -p tcp ! --dport 15008 -m owner --gid-owner 1337 -j ISTIO_IN_REDIRECT
-A ISTIO_OUTPUT -o lo -m owner ! --gid-owner 1337 -j RETURN
-A ISTIO_OUTPUT -m owner --gid-owner 1337 -j RETURN
-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN
-A ISTIO_OUTPUT -p tcp -j ISTIO_REDIRECT
COMMIT'

# What an earlier, other run left behind in nf_tables: 3 of the 18.
export STALE_RULES='*nat
:ISTIO_REDIRECT - [0:0]
:ISTIO_OUTPUT - [0:0]
-A OUTPUT -j ISTIO_OUTPUT
-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001
-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN
COMMIT'

# All the same rules, in every way the two tools write them.
export MANY_RULES='*nat
:T - [0:0]
-A OUTPUT -d 10.0.0.0/8 -p tcp -m tcp --dport 80 -j T
-A T -p tcp -m multiport --dports 80,443 -j RETURN
-A T -p udp -m udp --sport 1024:65535 --dport 53 -j REDIRECT --to-ports 15053
-A T -o eth+ -p tcp -j DNAT --to-destination 10.0.0.1:8080
-A POSTROUTING ! -o lo -m mark --mark 0x4000/0x4000 -j MASQUERADE --random-fully
-A T -m owner --uid-owner 1000-2000 -m comment --comment "hello world" -j RETURN
-A T -m addrtype --dst-type LOCAL -j ACCEPT
COMMIT
*filter
:F - [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -m icmp --icmp-type 8 -m limit --limit 5/min -j ACCEPT
-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m state --state NEW -j F
-A F -m connmark --mark 0x1/0xff -j LOG --log-prefix "F: " --log-level 4
-A F -p tcp -j REJECT --reject-with tcp-reset
-A F -j REJECT --reject-with icmp-port-unreachable
COMMIT
*mangle
-A PREROUTING -i eth0 -m mark ! --mark 0x1 -j MARK --set-xmark 0x4000/0x4000
-A PREROUTING -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff
-A OUTPUT -m statistic --mode random --probability 0.50000000000 -j MARK --set-xmark 0x2/0xffffffff
COMMIT'

legacy() { iptables-legacy-restore <<<"$1"; }
compat() { iptables-nft-restore <<<"$1"; }
# line TEXT: the line of the side-by-side view with this rule in it
line() { grep -F -- "$1" /run/text; }

same_in_both() {
	legacy "$MANY_RULES"
	compat "$MANY_RULES"
	"$CNISH" tables >/run/text
	cat /run/text
	# 16 rules, each on one line: number and text on the left, number and "=" on the right
	[ "$(grep -cE '^ +[0-9]+ +0  .* [0-9]+ +0  =$' /run/text)" = 16 ]
	! grep -q '·' /run/text
	"$CNISH" diff
	"$CNISH" diff -o json | jq -e '.equal and .counts.same == 16 and .differences == []'
}
@test "the same rules in both stores stand on the same lines, however each tool writes them" { sandbox same_in_both; }

one_missing() {
	legacy "$MANY_RULES"
	compat "$(grep -v 'multiport\|icmp-type' <<<"$MANY_RULES")"
	"$CNISH" tables >/run/text
	line '--dports 80,443' | grep -q '·$'
	line '--icmp-type 8' | grep -q '·$'
	line '--to-ports 15053' | grep -qE '^ +2 .* 1 +0  =$'
	[ "$(grep -c '·' /run/text)" = 2 ]
	run_diff=0; "$CNISH" diff -o json >/run/json || run_diff=$?
	[ "$run_diff" = 1 ]
	jq -e '[.differences[] | .kind] == ["missing", "missing"]' /run/json
	jq -e '.differences | any(.table == "nat" and .chain == "T" and .left.index == 1 and .right == null)' /run/json
	"$TOP/tests/lib/validate" diff </run/json
}
@test "a rule that one store lacks leaves a gap there" { sandbox one_missing; }

only_on_the_right() {
	legacy "$(grep -v multiport <<<"$MANY_RULES")"
	compat "$MANY_RULES"
	"$CNISH" tables >/run/text
	line '--dports 80,443' | grep -qE '^  · +1 +0  -p tcp'
}
@test "a rule that only the second store has is shown there" { sandbox only_on_the_right; }

changed_and_moved() {
	legacy "$MANY_RULES"
	compat "$(sed -e 's/8080/9090/' -e '/addrtype/d' -e '/multiport/i -A T -m addrtype --dst-type LOCAL -j ACCEPT' <<<"$MANY_RULES")"
	"$CNISH" diff -o json >/run/json || [ $? = 1 ]
	jq -e '[.differences[] | .kind] | sort == ["changed", "moved"]' /run/json
	jq -e '.differences[] | select(.kind == "moved") | .left.index == 5 and .right.index == 1' /run/json
	jq -e '.differences[] | select(.kind == "changed") | (.left.text | contains("8080")) and (.right.text | contains("9090"))' /run/json
}
@test "diff tells a moved and a changed rule from a missing one" { sandbox changed_and_moved; }

peers_text() {
	local store tool
	legacy "$MANY_RULES"
	compat "$MANY_RULES"
	ip6tables-legacy-restore <<<$'*filter\n-A INPUT -s 2001:db8::/32 -p ipv6-icmp -j DROP\nCOMMIT'
	for store in legacy compat; do
		tool=iptables-$store-save
		[ $store = compat ] && tool=iptables-nft-save
		"$CNISH" tables --store $store -4 -o save | grep -v '^#' >/run/got
		$tool 2>/dev/null | grep -v '^#' >/run/want
		diff /run/want /run/got
		grep -q '^-A T' /run/got
	done
	"$CNISH" tables --store legacy -6 -o save | grep -v '^#' >/run/got
	diff <(ip6tables-legacy-save | grep -v '^#') /run/got
	[ "$("$CNISH" tables --store compat t -o save | grep -c '^:')" = 1 ]
}
@test "-o save prints what the peers save" { sandbox peers_text; }

json_numbers() {
	legacy "$MANY_RULES"
	compat "$STALE_RULES"
	nft -f - <<<'table inet mine { set s { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 }; }
		counter c { }
		chain out { type filter hook output priority 0; policy drop; ip saddr @s counter accept; oifname "lo" accept; }
	}'
	ip link set lo up
	for _ in 1 2 3; do echo >/dev/udp/127.0.0.1/9; done
	"$CNISH" tables -o json >/run/json
	"$TOP/tests/lib/validate" tables </run/json
	"$CNISH" tables -o jsonl | "$TOP/tests/lib/validate" tables
	jq -e '[.tables[] | [.store, .family, .name]] | sort == [["compat", "ip", "nat"], ["legacy", "ip", "filter"],
		["legacy", "ip", "mangle"], ["legacy", "ip", "nat"], ["native", "inet", "mine"]]' /run/json
	jq -e '[.tables[] | select(.store == "legacy") | .chains[].rules | length] | add == 16' /run/json
	jq -e '[.tables[] | select(.store == "compat") | .chains[].rules | length] | add == 3' /run/json
	# rule numbers count from 1 within each chain, and nothing is opaque
	jq -e '[.tables[].chains[].rules | [.[].index] == [range(1; length + 1)]] | all' /run/json
	jq -e '[.tables[].chains[].rules[] | .opaque] | any | not' /run/json
	# counters and handles are those of the peers
	jq -e --argjson n "$(iptables-legacy -t mangle -nvxL OUTPUT 1 | awk '{ print $1 }')" \
		'.tables[] | select(.store == "legacy" and .name == "mangle") | .chains[] | select(.name == "OUTPUT") |
		.rules[0].packets == $n' /run/json
	jq -e --argjson h "$(nft -a list chain ip nat ISTIO_REDIRECT 2>/dev/null | sed -n 's/.*REDIRECT.*# handle //p; s/.*redirect.*# handle //p' | tail -1)" \
		'.tables[] | select(.store == "compat") | .chains[] | select(.name == "ISTIO_REDIRECT") |
		.rules[0].handle == $h' /run/json
	jq -e '.tables[] | select(.name == "mine") | .chains[0].base == {"type": "filter", "hook": "output", "priority": 0,
		"policy": "drop", "devices": []} and .sets[0].name == "s" and .sets[0].count == 2 and .objects[0].name == "c"' /run/json
	jq -e '.tables[] | select(.store == "compat") | .chains[] | select(.name == "ISTIO_OUTPUT") | .owner == "Istio"' /run/json
}
@test "JSON fits its schema and has the numbers of the peers" { sandbox json_numbers; }

filters() {
	legacy "$MANY_RULES"
	compat "$STALE_RULES"
	ip6tables-legacy-restore <<<$'*nat\n:T6 -\n-A OUTPUT -j T6\nCOMMIT'
	tables() { "$CNISH" tables "$@" -o json | jq -c '[.tables[] | .store + " " + .family + " " + .name] | sort'; }
	[ "$(tables -4)" = '["compat ip nat","legacy ip filter","legacy ip mangle","legacy ip nat"]' ]
	[ "$(tables -6)" = '["legacy ip6 nat"]' ]
	[ "$(tables --store compat,native)" = '["compat ip nat"]' ]
	[ "$(tables --store leg -6)" = '["legacy ip6 nat"]' ]
	[ "$(tables --table filter)" = '["legacy ip filter"]' ]
	[ "$(tables istio_output)" = '["compat ip nat"]' ]
	[ "$(tables t T6)" = '["legacy ip nat","legacy ip6 nat"]' ]
	"$CNISH" tables T -o json | jq -e '[.tables[].chains[].name] == ["T"]'
	run_status=0; "$CNISH" tables NOSUCH 2>/run/err || run_status=$?
	[ $run_status = 2 ]
	grep -q "NOSUCH.*no chain of this name" /run/err
	run_status=0; "$CNISH" tables --store x 2>/run/err || run_status=$?
	[ $run_status = 2 ]
}
@test "-4, -6, --store, --table and CHAIN choose" { sandbox filters; }

# terminal COLUMNS ARG...: cnish on a terminal of that width
terminal() {
	local cols=$1
	shift
	script -qec "stty cols $cols rows 1000; TERM=xterm NO_COLOR=1 '$CNISH' $*" /dev/null </dev/null | tr -d '\r'
}

narrow() {
	legacy "$ISTIO_RULES"
	compat "$STALE_RULES"
	terminal 200 tables >/run/wide
	grep -q 'legacy .* compat' /run/wide
	terminal 80 tables >/run/text
	! grep -q 'pkts *compat' /run/text
	# one below the other, and what both have is marked
	awk '/^legacy/ { l = NR } /^compat/ { c = NR } END { exit !(l && c > l) }' /run/text
	[ "$(grep -c '^= ' /run/text)" = 6 ]
	grep -qE '^  +5 .*-j ISTIO_IN_REDIRECT' /run/text
}
@test "on a narrow terminal the stores stand one below the other" { sandbox narrow; }

one_store() {
	legacy "$ISTIO_RULES"
	"$CNISH" tables >/run/text
	! grep -q 'compat$\|native$\|·\|–' /run/text
	grep -q '^ip nat  legacy' /run/text
	grep -qE 'the Istio rules are in the legacy store \(18\); .*nothing of them|^ip nat' /run/text
}
@test "with one store there are no columns for the others" { sandbox one_store; }

story() {
	legacy "$ISTIO_RULES"
	compat "$STALE_RULES"
	ln -sf /usr/sbin/iptables-nft /run/iptables-nft
	"$CNISH" tables >/run/text
	cat /run/text
	grep -qE '^! the Istio rules are in the legacy store \(18\); .* shows the compat store, which is stale: it has 3 of them' /run/text
	line '-p tcp -j ISTIO_INBOUND' | grep -qE '^  1 +0 '
	line '--gid-owner 1337 -j RETURN' | grep -q '·$'
	line 'ISTIO_INBOUND  (Istio)' | grep -q '–$'
	[ "$(grep -cE '[0-9]+ +0  =$' /run/text)" = 3 ]
	"$CNISH" tables -o json | jq -e '.warnings[0].id == "compat-stale"'
}
@test "the story of the incident: rules in legacy, a stale few in compat" { sandbox story; }

nothing_there() {
	"$CNISH" tables | grep -q 'no tables'
	"$CNISH" tables -o json | jq -e '.tables == [] and .warnings == []'
	# and looking made none
	[ ! -s /proc/self/net/ip_tables_names ]
	[ -z "$(nft list ruleset)" ]
	"$CNISH" diff
	# what was not looked at is not said to be missing
	! "$CNISH" tables --store native | grep -q 'no legacy iptables'
}
@test "an empty namespace has no tables, and none after looking" { sandbox nothing_there; }

saved() {
	cd /run
	legacy "$MANY_RULES"
	"$CNISH" save rules -o json >/run/json
	"$TOP/tests/lib/validate" save </run/json
	[ "$(stat -c %a rules)" = 600 ]
	diff <(grep -v '^#' rules | sort) <(iptables-legacy-save | grep -v '^#' | sort)
	jq -e '.files == [{"path": "rules", "store": "legacy", "family": "ip", "format": "iptables-save", "tables": 3,
		"rules": 16, "bytes": '"$(stat -c %s rules)"'}]' /run/json
	compat "$MANY_RULES"
	echo old >rules.compat.ip
	"$CNISH" save rules
	iptables-legacy-restore --test rules.legacy.ip
	iptables-nft-restore --test rules.compat.ip
	[ "$(ls rules*)" = "$(printf 'rules\nrules.compat.ip\nrules.legacy.ip')" ]
	run_status=0; "$CNISH" save /run/no/such/dir/rules 2>/run/err || run_status=$?
	[ $run_status = 5 ]
	"$CNISH" save --dry-run elsewhere
	[ ! -e elsewhere.legacy.ip ]
}
@test "save writes what the restore commands read, complete and for the owner only" { sandbox saved; }

two_targets() {
	ip netns add a; ip netns add b
	ip netns exec a iptables-legacy-restore <<<"$MANY_RULES"
	ip netns exec b iptables-nft-restore <<<"$MANY_RULES"
	run_status=0; "$CNISH" diff netns:a netns:b -o json >/run/json || run_status=$?
	[ $run_status = 1 ]
	jq -e '[.differences[] | .kind] == ["store", "store", "store"] and .counts.same == 16' /run/json
	ip netns exec a iptables-nft-restore <<<"$MANY_RULES"
	"$CNISH" -t netns:a diff --store compat netns:b
	"$TOP/tests/lib/validate" diff </run/json
}
@test "diff of two targets: the same rules in another store" { sandbox two_targets; }
