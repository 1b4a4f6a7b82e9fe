#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# terminal.bash - the interactive shell on a real terminal, driven by expect; sourced by tests

# terminal_setup: a home of its own, and the words the scripts use
terminal_setup() {
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config TERM=xterm
	export INPUTRC=/dev/null
	unset PAGER NO_COLOR COLORTERM
	cat >"$BATS_TEST_TMPDIR/lib.exp" <<-'END'
		set timeout 20
		log_user 0
		match_max -d 200000
		proc fail {why} {
			puts "FAILED: $why; last: $::expect_out(buffer)"
			exit 1
		}
		set expect_out(buffer) ""
		# want RE: must come
		proc want {re} {
			global expect_out
			expect {
				-re $re { }
				timeout { expect *; fail "no '$re' in time" }
				eof { fail "ended before '$re'" }
			}
		}
		proc prompt {} { want {cnish[^\n]*self[^\n]*> } }
		# ends STATUS: the program must leave by itself, so
		proc ends {status} {
			expect {
				eof { }
				timeout { fail "did not end" }
			}
			set w [wait]
			if {[lindex $w 2] != 0 || [lindex $w 3] != $status} { fail "ended with $w" }
		}
		proc start {args} {
			global spawn_id spawn_out
			spawn -noecho $::env(CNISH) {*}$args
			prompt
		}
	END
}

# on_terminal [SETUP] <<'END' script END: with SETUP in a network namespace of its own, after that line of shell
on_terminal() {
	{ cat "$BATS_TEST_TMPDIR/lib.exp"; cat; } >"$BATS_TEST_TMPDIR/script.exp"
	if [ $# = 0 ]; then
		timeout 120 expect -f "$BATS_TEST_TMPDIR/script.exp"
	else
		timeout 120 unshare -n -p -f --mount-proc --kill-child bash -c "$1"' && expect -f "$0"' "$BATS_TEST_TMPDIR/script.exp"
	fi
}
