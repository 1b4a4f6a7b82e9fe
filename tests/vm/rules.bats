#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# rules - nftables rules that the kernel of the machine that tests may refuse, on Debian's: text and JSON as nft's

setup() {
	cd "$TOP"
	command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64 here"
	script=$BATS_TEST_TMPDIR/script
	corpus=tests/netns/corpus
}

# Loads all in one go, and what is refused of it once more by itself; then every listing between marks.
load_and_list() {
	cat <<-'EOS'
	echo /sbin/modprobe >/proc/sys/kernel/modprobe
	printf 'tcp 6 TCP\nudp 17 UDP\n' >/etc/protocols
	ip link set dummy0 up
	mount -t cgroup2 none /sys/fs/cgroup && mkdir -p /sys/fs/cgroup/a/b /sys/fs/cgroup/c
	EOS
	echo "cat >/tmp/rules <<'END'"
	grep '^add' "$corpus/vm-objects.nft"
	sed -nE 's/^([a-z]+) ([a-z]+) (.*)/add rule \1 t \2 \3/p' "$corpus/vm.rules"
	echo "END"
	cat <<-'EOS'
	nft -f /tmp/rules 2>/dev/null || while read -r line; do nft "$line" 2>/tmp/err || { echo "refused: $line"; head -1 /tmp/err; }; done </tmp/rules
	echo "@ peer"; nft -s list ruleset
	echo "@ ours"; cnish tables --store native -o nft
	echo "@ peer-counters"; nft list ruleset
	echo "@ ours-counters"; cnish tables --store native -o nft --counters
	echo "@ peer-json"; nft -j list ruleset
	echo "@ ours-json"; cnish tables --store native -o json
	echo "@ end"
	EOS
}
part() { sed -n "/^@ $1\$/,/^@ /p" "$BATS_TEST_TMPDIR/out" | grep -v '^@ '; }
words() { tr '\t\n' '  ' | sed -e 's/  */ /g' -e 's/[{};,]/\n&/g' | sed -E 's/^ +//; s/ +$//; s/expires [0-9a-z]+/expires T/' | grep -v '^$'; }

@test "queue, flow, connlimits in sets, cgroups, bridge's own: as nft has them" {
	load_and_list >"$script"
	MODULES="nf_tables nft_chain_nat dummy" VM_TIMEOUT="${VM_TIMEOUT:-300}" run tests/lib/vm boot "$script"
	echo "$output" >"$BATS_TEST_TMPDIR/out"
	grep -aA1 'refused' "$BATS_TEST_TMPDIR/out" || :
	[ "$status" = 0 ]
	diff <(part peer | words) <(part ours | words)
	diff <(part peer-counters | words) <(part ours-counters | words)
	# nft 1.0.6 leaves the level of a control group out of its JSON; without it the rule would be another
	diff <(part peer-json | jq -cS '.nftables[] | .rule // empty | [.family, .table, .chain, .expr]') \
		<(part ours-json | jq -cS '.tables[] | .family as $f | .name as $t | .chains[] | .name as $c | .rules[] | [$f, $t, $c, .expr]' |
			sed 's/"key":"cgroupv2","level":[12]/"key":"cgroupv2"/')
	part ours-json | jq -e '[.tables[].chains[].rules[] | select(.opaque)] == []'
	# most of them, or the test tests nothing
	[ "$(part ours-json | jq '[.tables[].chains[].rules[]] | length')" -gt $(($(grep -c '^[a-z]' "$corpus/vm.rules") * 3 / 4)) ]
}
