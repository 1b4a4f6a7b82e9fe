#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# demo - the demo tells its story to the end, and leaves nothing behind when it does not get there

source "$TOP/tests/lib/pod.sh"

# Processes that carry the mark of this test in their environment, whatever namespace they are in.
marked() {
	local p
	for p in /proc/[0-9]*; do
		if grep -qzs "^DEMO_MARK=$BATS_TEST_TMPDIR\$" "$p/environ" && [ "${p#/proc/}" != $$ ] &&
			[ "${p#/proc/}" != "$BASHPID" ]; then
			echo "${p#/proc/}"
		fi
	done
}
nothing_marked() { [ -z "$(marked)" ]; }

@test "make demo tells the story of the incident" {
	run "$TOP/tests/lib/demo" "$CNISH"
	echo "$output"
	[ "$status" = 0 ]
	# what the stores hold, where the connections go, and that they really do
	[[ $output == *"legacy store"* ]]
	[ "$(grep -c 'where envoy (pid [0-9]*, uid 1337) listens' <<<"$output")" -ge 3 ]
	[ "$(grep -c 'a real connection of uid 1000 was answered by envoy on port 15001' <<<"$output")" = 2 ]
	[ "$(grep -c 'a real connection of uid 1000 was answered by payments on port 80' <<<"$output")" = 1 ]
	[ "$(grep -c 'answered by envoy on port 15006' <<<"$output")" = 1 ]
}

# interrupted SIGNAL: the demo gets it in the middle of its story
interrupted() {
	local pid before i
	before=$(ls /run/netns 2>/dev/null; wc -l </proc/self/mountinfo)
	# started by a shell's "&", a program has SIGINT ignored for good; env brings it back
	DEMO_PAUSE=2 DEMO_MARK=$BATS_TEST_TMPDIR env --default-signal=INT "$TOP/tests/lib/demo" "$CNISH" \
		>"$BATS_TEST_TMPDIR/out" 2>&1 3>&- </dev/null &
	pid=$!
	until_true grep -q 'cnish -t netns:cart info' "$BATS_TEST_TMPDIR/out"
	[ "$(marked | wc -l)" -ge 3 ]
	kill -"$1" "$pid"
	for ((i = 0; i < 500; i++)); do
		if ! kill -0 "$pid" 2>/dev/null; then break; fi
		sleep 0.01
	done
	wait "$pid" || true
	until_true nothing_marked
	# it did not simply run to its end
	run grep 'Done. The pod' "$BATS_TEST_TMPDIR/out"
	[ "$status" = 1 ]
	[ "$(ls /run/netns 2>/dev/null; wc -l </proc/self/mountinfo)" = "$before" ]
}

@test "interrupted with Ctrl-C the demo leaves no process, namespace or mount" { interrupted INT; }
@test "killed with SIGTERM the demo leaves no process, namespace or mount" { interrupted TERM; }
@test "killed with SIGKILL the demo leaves no process, namespace or mount" { interrupted KILL; }
