#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# smoke - every fuzz harness builds, and runs for a bounded while without a finding

@test "the harnesses build with clang and libFuzzer" {
	make -C "$TOP" -j2 fuzz >"$BATS_TEST_TMPDIR/log" 2>&1 || { tail -20 "$BATS_TEST_TMPDIR/log"; false; }
}

@test "each harness runs with its dictionary, from what was found before" {
	local source name dict
	for source in "$TOP"/tests/fuzz/*.c; do
		name=$(basename "$source" .c)
		dict=$TOP/tests/fuzz/$name.dict
		[ -e "$dict" ] || { echo "no dictionary: $dict"; false; }
		mkdir -p "$BATS_TEST_TMPDIR/$name/corpus"
		# what was once found, and stays mended
		cp "$TOP/tests/fuzz/seeds/$name/"* "$BATS_TEST_TMPDIR/$name/corpus/" 2>/dev/null || :
		cd "$BATS_TEST_TMPDIR/$name"
		"$TOP/build/fuzz/tests/fuzz/$name" -seed=1 -runs=30000 -max_total_time=15 -timeout=10 -rss_limit_mb=1024 \
			-dict="$dict" corpus >log 2>&1 || { tail -40 log; false; }
	done
}
