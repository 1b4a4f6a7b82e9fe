#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# xt_corpus - every option of every xt extension: loaded by the real tools, printed as they print it, nothing opaque

corpus() {
	run "$TOP/tests/lib/xt-corpus" "$1"
	echo "$output"
	[ "$status" = 0 ]
}

@test "IPv4: every extension and option of the manual, in both stores and all revisions" { corpus 4; }
@test "IPv6: every extension and option of the manual, in both stores and all revisions" { corpus 6; }
