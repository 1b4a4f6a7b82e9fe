#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# random - random rulesets over the whole language: every text, the JSON and the way back as the peers have them

@test "nftables: random tables, sets, maps, objects and rules of all families" {
	run unshare -n "$TOP/tests/random/nft" -s 1 -n "${RANDOM_N:-8}" -t "${RANDOM_T:-20}"
	echo "$output"
	[ "$status" = 0 ]
}

@test "iptables: random rulesets of all tables, both families and both stores, and on paper" {
	run unshare -nm sh -c 'mount -t tmpfs none /run && exec "$0" "$@"' "$TOP/tests/random/xt" -s 1 -n "${RANDOM_N:-2}" -r "${RANDOM_R:-60}" -t "${RANDOM_T:-20}"
	echo "$output"
	[ "$status" = 0 ]
}
