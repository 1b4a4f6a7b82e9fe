#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# scenarios - every tests/trace/*.scn in the simulator and against the kernel

setup() {
	source "$TOP/tests/lib/pod.sh"
	source "$TOP/tests/lib/ktrace.sh"
	source "$TOP/tests/trace/scenario.sh"
	export CNISH TOOLS TOP
	export WORK=$BATS_TEST_TMPDIR
}

@test "scenario files: simulator and kernel" {
	local f failed=
	for f in "$TOP"/tests/trace/${SCN:-*}.scn; do
		in_pod scenario_run "$f" || failed="$failed ${f##*/}"
		[ -z "${SIM_ONLY:-}" ] || [ -z "$failed" ] || break # of mutate, for which one is enough
	done
	[ -z "$failed" ] || { echo "failed:$failed"; false; }
}

# The runner itself must see what is wrong.
@test "a scenario with a wrong expectation fails" {
	local line
	for line in 'hits nat OUTPUT 2' 'misses nat OUTPUT 1' 'ends local 127.0.0.1:15006' 'ends drop' 'bogus'; do
		printf '%s\n' 'load iptables-legacy' '*nat' '-A OUTPUT -p tcp -j REDIRECT --to-ports 15001' COMMIT end \
			'trace out tcp 10.96.0.10:80 uid 0' "$line" 'ends local 127.0.0.1:15001' >"$WORK/wrong.scn"
		run in_pod scenario_run "$WORK/wrong.scn"
		[ "$status" != 0 ] || { echo "passed: $line"; false; }
	done
	sed -i '/^bogus$/d' "$WORK/wrong.scn"
	in_pod scenario_run "$WORK/wrong.scn"
}
