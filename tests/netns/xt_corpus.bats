#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# xt_corpus - every option of every xt extension: loaded by the real tools, printed as they print it, nothing opaque

corpus() {
	run "$TOP/tests/lib/xt-corpus" "$1" "$2"
	echo "$output"
	[ "$status" = 0 ]
}

@test "legacy store, IPv4" { corpus legacy 4; }
@test "legacy store, IPv6" { corpus legacy 6; }
@test "compat store, IPv4" { corpus compat 4; }
@test "compat store, IPv6" { corpus compat 6; }
