#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# nft_text - what 'nft list ruleset' prints, read by way of libnftables; nothing else in it is ever run
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"

# A namespace of one's own, with the links that the rules name.
elsewhere() {
	ip link add wan0 type veth peer name wan1
	nft -f - <<-'END'
		table inet fw {
			chain in {
				type filter hook input priority 0; policy drop;
				iif { "lo", "wan0" } accept
				iif != "wan0" tcp dport 22 accept
			}
		}
		table netdev early {
			chain x {
				type filter hook ingress device "wan0" priority 0;
				ip ttl 1 drop
			}
		}
	END
	nft list ruleset >/run/rules
	ip link del wan0
	"$CNISH" -t file:/run/rules tables -o nft >/run/out
	grep -q 'iif { "lo", "wan0" } accept' /run/out
	grep -q 'iif != "wan0" tcp dport 22 accept' /run/out
	grep -q 'device "wan0"' /run/out
	"$CNISH" -t file:/run/rules -o json trace in tcp 10.0.0.1 to 10.0.0.2:22 iif eth0 | jq -e '.outcomes[0].verdict == "accept"'
	! ip link show wan0
}
@test "links that the rules name are not needed here" { sandbox elsewhere; }

# As newer and older versions of nft print an xt extension they have no words for.
opaque() {
	local how
	for how in 'xt match "recent" counter packets 1 bytes 2' 'xt match recent  counter packets 1 bytes 2' \
		'# xt_recent counter packets 1 bytes 2' 'counter packets 1 bytes 2 # recent: SET name: x'; do
		printf 'table ip filter {\n\tchain INPUT { # handle 1\n\t\ttype filter hook input priority 0; policy accept;\n' >/run/rules
		printf '\t\ttcp dport 80 %s drop # handle 3\n\t}\n}\n' "$how" >>/run/rules
		"$CNISH" -t file:/run/rules -o json tables | jq -e '.tables[0].chains[0].rules | length == 1 and .[0].opaque and
			(.[0].expr[1:] | tostring | contains("recent")) and .[0].packets == 1' || { cat /run/rules; return 1; }
		"$CNISH" -t file:/run/rules -o json trace in tcp 10.0.0.1 to 10.0.0.2:80 >/run/json
		jq -e '[.outcomes[].verdict] | index("accept")' /run/json
		[[ $how == *SET* ]] || jq -e '[.outcomes[].verdict] | sort == ["accept", "drop"]' /run/json
		"$CNISH" -t file:/run/rules -o json trace in tcp 10.0.0.1 to 10.0.0.2:81 | jq -e '[.outcomes[].verdict] == ["accept"]'
	done
}
@test "xt extensions in nft text are opaque in their place, never left out" { sandbox opaque; }

hostile() {
	local text
	echo 'table ip stolen { }' >/run/other
	echo 'chain stolen { }' >/run/inner
	echo 'ip protocol tcp comment "stolen"' >/run/innermost
	nft add table ip mine
	nft list ruleset >/run/before
	for text in 'include "/run/other"' 'flush ruleset' 'delete table ip mine' 'add rule ip mine c accept' 'define x = 1' \
		'table ip t {\ninclude "/run/inner"\n}' 'table ip t {\nchain c {\ninclude "/run/innermost"\n}\n}' \
		'table ip t {\nchain c {\ndefine x = 5;\n}\n}' 'table ip t {\nchain c { tcp dport $x accept; }\n}' \
		'table ip t { }; delete table ip mine' 'table ip t { } include "/run/other"' '{ "nftables": [] }' \
		'table ip t {' 'table ip t { }\n}' 'table ip t {\n"x\n}' 'table ip t {\n\001\n}' '\\include "/run/other"' \
		'table ip t {\nchain c {\nin\\\nclude "/run/other"\n}\n}' 'list ruleset' '#!/bin/sh\ntouch /run/made' \
		'table ip t {\nset s { type ipv4_addr; elements = { $(touch /run/made), `touch /run/made` } }\n}'; do
		printf "table ip first {\n}\n$text\n" >/run/text
		run timeout 60 "$CNISH" -t file:/run/text tables
		[ "$status" = 2 ] || { echo "$text: $status $output"; return 1; }
		[ "${#lines[@]}" = 1 ]
		# by cnish, not by nft
		[[ $output == *line*'only tables stand'* || $output == *'ends within'* || $output == *quote* || $output == *control* ]] ||
			{ echo "$text: $output"; return 1; }
	done
	nft list ruleset | diff /run/before -
	[ ! -e /run/made ]
	# deep, long, and endless
	{ printf 'table ip t {\n'; printf '{\n%.0s' {1..1000}; } >/run/text
	run "$CNISH" -t file:/run/text tables
	[ "$status" = 2 ]
	{ printf 'table ip t {\n'; seq -f '# filling, a line of it, and more of it: %.0f' 500000; echo '}'; } >/run/text
	run "$CNISH" -t file:/run/text tables
	[ "$status" = 2 ]
	[[ $output == *MiB* ]]
}
@test "text that would run something else is refused, with the line, before anything is run" { sandbox hostile; }

unavailable() {
	local so
	printf 'table ip t {\n\tchain c {\n\t\taccept\n\t}\n}\n' >/run/text
	mkdir /run/bin /run/root
	cp "$CNISH" /run/bin/cnish
	chmod 755 /run /run/bin
	mount --rbind / /run/root
	# without rights, and where no user namespace can be made (in a chroot none can): the capability and the other way
	run setpriv --bounding-set -all --inh-caps -all chroot --userspec=65534:65534 /run/root /run/bin/cnish -t file:/run/text tables
	[ "$status" = 125 ] || [ "$status" = 4 ]
	run chroot --userspec=65534:65534 /run/root /run/bin/cnish -t file:/run/text tables
	[ "$status" = 4 ]
	[[ $output == *CAP_SYS_ADMIN*'nft -j list ruleset'* ]]
	for so in $(ldconfig -p | sed -n 's/.*libnftables\.so\.1 .* => //p'); do mount --bind /dev/null "$(readlink -f "$so")"; done
	run "$CNISH" -t file:/run/text tables
	[ "$status" = 5 ]
	[[ $output == *libnftables1*'nft -j list ruleset'* ]]
	[ "${#lines[@]}" = 1 ]
}
@test "without the library or the rights: what to install, which right, and the other way" { sandbox unavailable; }

killed() {
	local pid child
	# a set of intervals that takes nft a while
	{
		printf 'table ip t {\n\tset s {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\telements = { 0.0.0.1'
		seq 120000 | awk '{ printf ", %d.%d.%d.%d", 10 + $1 / 16000000, $1 / 62500 % 250, $1 / 250 % 250, $1 % 250 * 1 }'
		printf ' }\n\t}\n}\n'
	} >/run/text
	"$CNISH" -t file:/run/text tables >/run/out 2>&1 &
	pid=$!
	until_true grep -q . "/proc/$pid/task/$pid/children"
	child=$(tr -d ' ' <"/proc/$pid/task/$pid/children")
	kill -KILL $pid
	wait $pid || :
	gone() { ! kill -0 "$child" 2>/dev/null || grep -q '^State:.Z' "/proc/$child/status"; }
	until_true gone
	! ls /run/netns/* 2>/dev/null
}
@test "SIGKILL leaves nothing behind" { sandbox killed; }

# nft lists the rules of "jump { ... }" where it stands, and no chain of theirs; so it can be read again.
blocks() {
	nft -f - <<-'END'
		table ip t {
			chain c {
				tcp dport 80 jump { ip saddr 1.2.3.4 counter; accept; }
				ip ttl 1 counter goto { limit rate 5/second return; drop; } comment "elsewhere"
			}
		}
	END
	nft -s list ruleset >/run/theirs
	"$CNISH" -t self tables -o nft >/run/ours
	diff -w /run/theirs /run/ours
	"$CNISH" -t self tables -o nft --counters | diff -w <(nft list ruleset) -
	# elsewhere a chain is a chain, and the rule says which
	"$CNISH" -t self tables -o json | jq -e '.tables[0].chains | map(.name) as [$c, $first] | length == 3 and
		(.[] | select(.name == "c") | .rules[0].expr[1].jump.target | startswith("__chain"))'
	nft flush ruleset
	nft -f /run/ours
	nft -s list ruleset | diff /run/theirs -
}
@test "chains within rules stand within rules" { sandbox blocks; }
