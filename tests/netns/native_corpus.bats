#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# native_corpus - every nftables expression and statement that nft creates: same text, same JSON, nothing opaque

@test "native rules print as nft prints them" {
	run "$TOP/tests/lib/nft-corpus"
	echo "$output"
	[ "$status" = 0 ]
}
