#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# mutants - each place where the evaluator is broken on purpose is still there, and a test is known that notices

@test "each mutant of the evaluator has its place and its killer (tests/trace/mutate runs them, make mutants shows them)" {
	run "$TOP/tests/trace/mutate" --check
	echo "$output"
	[ "$status" = 0 ]
	[ "$("$TOP/tests/trace/mutate" --list | wc -l)" -ge 250 ]
}

# The tool itself: a change that a test notices, and one that changes nothing
@test "a mutant that nothing notices is a failure" {
	local copy=$BATS_TEST_TMPDIR/copy
	[[ $BUILD != *san ]] || skip "the mutants are built without sanitizers; the libraries of this build are with"
	mkdir "$copy"
	(cd "$TOP" && cp -r nsutil shell commands tests Makefile man "$copy" && ln -s "$(realpath "$BUILD")" "$copy/build")
	printf 'value.c\treturn tri_not(value_lt(b, a));\treturn value_lt(a, b);\nvalue.c\treturn tri_not(value_lt(b, a));\treturn tri_not( value_lt(b, a));\n' \
		>"$copy/tests/trace/mutants"
	: >"$copy/tests/trace/killers"
	run "$copy/tests/trace/mutate" -u
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == *"1  test_trace_"* && $output == *"2  no unit test"* && $output == *"2 mutants, 1 not killed"* ]]
	run "$copy/tests/trace/mutate" --check
	[ "$status" = 1 ] && [[ $output == *"mutant 2 has no killer"* ]]
}
