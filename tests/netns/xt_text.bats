#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# xt_text - what cnish reads as iptables words and writes to a legacy table is what iptables-legacy itself has there

setup() {
	command -v iptables-legacy-save >/dev/null || skip "no iptables-legacy"
	export XTABLES_LOCKFILE=$BATS_TEST_TMPDIR/lock
}

# in_netns SCRIPT: a namespace of its own
in_netns() { unshare -n bash -eu -c "$1"; }

# The peer loads each rule of the corpus; its save text is read by cnish, written elsewhere, and saved by the peer.
round_trip() {
	local family=$1 ipt=$2
	export family ipt
	in_netns '
		"$TOP/tests/lib/xtload.py" $family legacy >/dev/null
		$ipt-legacy-save 2>/dev/null | grep -v "^#" | grep -vE "nfacct|hip|hskb|hnet|ipset|a::/64|-m set|-j SET" >"$BATS_TEST_TMPDIR/one"'
	in_netns '
		"$TOOLS/xtsave" $family write <"$BATS_TEST_TMPDIR/one"
		$ipt-legacy-save 2>/dev/null | grep -v "^#" >"$BATS_TEST_TMPDIR/two"'
	# tables are listed in the order of their making, which differs
	run diff <(csplit_tables one) <(csplit_tables two)
	echo "$output"
	[ "$status" = 0 ]
	[ "$(grep -c '^-A' "$BATS_TEST_TMPDIR/one")" -gt 300 ]
}

csplit_tables() {
	awk '/^\*/ { t = $0 } { print t "\t" NR "\t" $0 }' "$BATS_TEST_TMPDIR/$1" | sort -s -t"$(printf '\t')" -k1,1 |
		cut -f1,3
}

@test "IPv4: the corpus read, written and saved by iptables-legacy" { round_trip 4 iptables; }
@test "IPv6: the corpus read, written and saved by ip6tables-legacy" { round_trip 6 ip6tables; }

@test "a lock that is held is an error that names the holder" {
	printf '*filter\n:INPUT ACCEPT\n-A INPUT -j ACCEPT\nCOMMIT\n' >"$BATS_TEST_TMPDIR/rules"
	flock "$XTABLES_LOCKFILE" sleep 60 3>&- &
	holder=$!
	until ! flock -n "$XTABLES_LOCKFILE" true; do :; done
	run unshare -n "$TOOLS/xtsave" 4 write <"$BATS_TEST_TMPDIR/rules"
	pkill -P $holder
	[ "$status" != 0 ]
	[[ $output == *"process "*"holds it"* ]]
}

@test "a text that is not understood says where and why" {
	printf '*filter\n:INPUT ACCEPT\n-A INPUT -m owner --uid-owner root\nCOMMIT\n' >"$BATS_TEST_TMPDIR/rules"
	run "$TOOLS/xtsave" 4 parse <"$BATS_TEST_TMPDIR/rules"
	[[ $output == *"line 3"*"--uid-owner"*"number"* ]]
	printf '*filter\n:INPUT ACCEPT\n-A INPUT --dport 80\nCOMMIT\n' >"$BATS_TEST_TMPDIR/rules"
	run "$TOOLS/xtsave" 4 parse <"$BATS_TEST_TMPDIR/rules"
	[[ $output == *"line 3"*"--dport"* ]]
}
