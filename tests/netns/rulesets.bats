#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# rulesets - whole rulesets in the shapes that real programs write: same text, same JSON, and the way back

@test "nftables: text with and without counters, back through nft, rules, sets and objects as JSON" {
	run "$TOP/tests/lib/nft-same" "$TOP"/tests/netns/rulesets/*.nft
	echo "$output"
	[ "$status" = 0 ]
}

newer() {
	nft -f "$TOP/tests/netns/corpus/newer-iptables.rules"
	"$CNISH" tables --store compat -o save >"$BATS_TEST_TMPDIR/save"
	cat "$BATS_TEST_TMPDIR/save"
	# what has no form says so, with the rule itself
	[ "$(grep -c '^# rule .* has no iptables form: ..*' "$BATS_TEST_TMPDIR/save")" = 7 ]
	[ "$(grep -c '^-A' "$BATS_TEST_TMPDIR/save")" = 22 ]
	diff <(grep -v '^#' "$BATS_TEST_TMPDIR/save") \
		<(unshare -n sh -c 'iptables-nft-restore <"$0" && iptables-nft-save' "$BATS_TEST_TMPDIR/save" | grep -v '^#')
}
@test "what newer iptables write natively is iptables text that iptables-nft takes and saves alike" {
	export -f newer
	unshare -n bash -euc newer
}

# shared FAMILY CONDITION: a native condition that iptables-nft reads as one of its own
shared() {
	local t=${1}tables
	nft flush chain "$1" filter OUTPUT
	nft add rule "$1" filter OUTPUT $2 accept
	"$t-nft-save" | grep '^-A' >"$BATS_TEST_TMPDIR/peer"
	[ -s "$BATS_TEST_TMPDIR/peer" ] || { echo "$t has no text for $2"; return 1; }
	"$CNISH" tables --store compat -o save "-$3" | grep '^-A' | diff "$BATS_TEST_TMPDIR/peer" - || { echo "differs: $1 $2"; return 1; }
}

share() {
	local c
	ip link set lo up
	iptables-nft -A OUTPUT -j ACCEPT
	ip6tables-nft -A OUTPUT -j ACCEPT
	for c in 'oif lo' 'iif lo' 'oif != lo' 'ip ttl 64' 'ip ttl != 64' 'ip ttl < 64' 'ip ttl > 64' 'icmp type 3 icmp code 1' 'icmp type 8' \
		'meta mark and 0xf == 5' 'tcp dport 5-9' 'tcp flags & (syn|ack) == syn' 'iifname e*' 'ip saddr & 255.0.255.0 == 10.0.1.0'; do
		shared ip "$c" 4
	done
	for c in 'oif lo' 'ip6 hoplimit 64' 'ip6 hoplimit < 5' 'icmpv6 type 128 icmpv6 code 0' 'ip6 saddr fd00::/8'; do
		shared ip6 "$c" 6
	done
}

@test "native conditions in iptables' tables are saved as iptables-nft saves them" {
	export -f share shared
	unshare -nm bash -euc share
}

# back VARIANT FAMILY: the corpus, saved with counters, restored by the peer from cnish's text
back() {
	local ipt=ip$([ "$2" = 6 ] && echo 6)tables-$1 line table chain spec
	export XTABLES_LOCKFILE=$BATS_TEST_TMPDIR/lock
	ip link set lo up
	for table in filter nat mangle raw security; do "$ipt" -t $table -N C1; done
	while IFS= read -r line; do
		case $line in '#'* | '' | '= '*) continue ;; esac
		read -r table chain spec <<<"$line"
		eval "\"$ipt\" -t $table -A $chain $spec" 2>/dev/null || :
	done < <(grep -vE -- '--match-set|SET --|nfacct|rateest|RATEEST|IDLETIMER|--path' "$TOP/tests/netns/corpus/xt$2.rules")
	"$ipt" -P FORWARD DROP
	ping -"$2" -c 2 -i 0.01 $([ "$2" = 6 ] && echo ::1 || echo 127.0.0.1) >/dev/null 2>&1 || :
	"$ipt-save" -c | grep -v '^#' >"$BATS_TEST_TMPDIR/peer"
	"$CNISH" tables "-$2" --store "$3" -o save --counters >"$BATS_TEST_TMPDIR/ours"
	diff "$BATS_TEST_TMPDIR/peer" <(grep -v '^#' "$BATS_TEST_TMPDIR/ours")
	unshare -n sh -c "$ipt-restore -c <'$BATS_TEST_TMPDIR/ours' && $ipt-save -c" | grep -v '^#' |
		diff "$BATS_TEST_TMPDIR/peer" -
	[ "$(grep -c '^\[' "$BATS_TEST_TMPDIR/peer")" -gt 40 ]
}
run_back() {
	export -f back
	unshare -n bash -euc "back $*"
}
@test "compat IPv4: cnish's text with counters is the peer's, and restores to the same" { run_back nft 4 compat; }
@test "compat IPv6: cnish's text with counters is the peer's, and restores to the same" { run_back nft 6 compat; }
