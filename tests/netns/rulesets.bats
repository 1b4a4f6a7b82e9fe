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
	[ "$(grep -c '^# rule .* has no iptables form: ..*' "$BATS_TEST_TMPDIR/save")" = 4 ]
	[ "$(grep -c '^-A' "$BATS_TEST_TMPDIR/save")" = 22 ]
	diff <(grep -v '^#' "$BATS_TEST_TMPDIR/save") \
		<(unshare -n sh -c 'iptables-nft-restore <"$0" && iptables-nft-save' "$BATS_TEST_TMPDIR/save" | grep -v '^#')
}
@test "what newer iptables write natively is iptables text that iptables-nft takes and saves alike" {
	export -f newer
	unshare -n bash -euc newer
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
