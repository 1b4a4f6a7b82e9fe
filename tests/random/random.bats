#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# random - random rulesets over the whole language: every text, the JSON and the way back as the peers have them

@test "nftables: random tables, sets, maps, objects and rules of all families" {
	run unshare -n "$TOP/tests/random/nft" -s 1 -n "${RANDOM_N:-8}" -t "${RANDOM_T:-20}"
	echo "$output"
	[ "$status" = 0 ]
}
