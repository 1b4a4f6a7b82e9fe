#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# kdiff - random rulesets and packets: the kernel's own trace and the evaluator agree (make check-kernel runs more)

@test "random rulesets and packets: the kernel agrees in every step" {
	run "$TOP/tests/kernel/kdiff" -n "${KDIFF_N:-2000}" -s 1 -t 170 --show 3 --stop 3
	echo "$output"
	[ "$status" = 0 ]
}
