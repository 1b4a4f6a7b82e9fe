#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# rulesets - whole rulesets in the shapes that real programs write: same text, same JSON, and the way back

@test "nftables: text with and without counters, back through nft, rules, sets and objects as JSON" {
	run "$TOP/tests/lib/nft-same" "$TOP"/tests/netns/rulesets/*.nft
	echo "$output"
	[ "$status" = 0 ]
}
