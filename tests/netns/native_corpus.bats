#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# native_corpus - every nftables expression and statement that nft creates: same text, same JSON, nothing opaque

@test "native rules print as nft prints them, every word of its manual stands in one, every field is tried at its bounds" {
	run "$TOP/tests/lib/nft-corpus"
	echo "$output"
	[ "$status" = 0 ]
}
