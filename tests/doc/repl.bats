#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# repl - the interactive shell on a real terminal: completion, history, Ctrl-C, Ctrl-D, a lost terminal, the pager

load ../lib/terminal.bash

setup() {
	terminal_setup
	file=$XDG_STATE_HOME/cnish/history
}

@test "Tab completes commands, options, choices and targets" {
	on_terminal <<-'END'
		start
		send "he\tqu\t\r"
		want {help quit }
		want {leave the shell}
		prompt
		send "set --outp\tjsonl\025set --out\tjson\r"
		want {"schema":"cnish.set/1"}
		prompt
		send "set -t se\t-o js\t\t\t"
		want {json *jsonl}
		send "\003"
		want {\^C}
		prompt
		send "hi\t\r"
		want {1  help quit}
		prompt
		send "\004"
		ends 0
	END
}

@test "Tab completes names of programs: behind exec, '!' and a bar" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho "ran $*"\n' >"$BATS_TEST_TMPDIR/bin/qqprogram"
	chmod 755 "$BATS_TEST_TMPDIR/bin/qqprogram"
	touch "$BATS_TEST_TMPDIR/bin/qqno-program"
	PATH="$BATS_TEST_TMPDIR/bin:$PATH"
	on_terminal <<-'END'
		start
		foreach line {"exec qq\tone" "!qq\tone" "! qq\tone" "help quit | qq\tone"} {
			send "$line\r"
			want {ran one}
			prompt
		}
		send "exec qqprogram /dev/nul\t\r"
		want {ran /dev/null}
		prompt
		send "\004"
		ends 0
	END
}

@test "the history is kept, mode 0600, and read again" {
	umask 0
	on_terminal <<-'END'
		start
		send "help quit\r"
		prompt
		send " help set\r"
		prompt
		send "help quit\r"
		prompt
		send "nonsense\r"
		want {unknown command}
		prompt
		send "quit\r"
		ends 0
	END
	[ "$(stat -c %a "$file")" = 600 ]
	[ "$(cat "$file")" = $'help quit\nnonsense\nquit' ]
	on_terminal <<-'END'
		start
		send "\020\020\020\r"
		want {leave the shell}
		prompt
		send "history 2\r"
		want {help quit.*history 2}
		prompt
		send "\004"
		ends 0
	END
}

@test "no history file where there is no home, in /, or through a link" {
	local env
	for env in "HOME=/" "HOME=" "HOME=/proc/nonexistent"; do
		unset XDG_STATE_HOME
		export "${env?}"
		on_terminal <<-'END'
			start
			send "help quit\r"
			prompt
			send "history\r"
			want {1  help quit}
			prompt
			send "\004"
			ends 0
		END
	done
	[ ! -e /.local ] && [ ! -e /cnish ]
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	mkdir -p "$XDG_STATE_HOME/cnish"
	echo precious >"$BATS_TEST_TMPDIR/other"
	ln -s "$BATS_TEST_TMPDIR/other" "$file"
	on_terminal <<-'END'
		start
		send "help quit\r"
		prompt
		send "\004"
		ends 0
	END
	[ "$(cat "$BATS_TEST_TMPDIR/other")" = precious ]
}

@test "Ctrl-C drops the line, and ends the command but not the shell" {
	on_terminal <<-'END'
		start
		send "nonsense\003"
		want {\^C}
		prompt
		send "watch -n 1000 set\r"
		want {namespace}
		want {yes  *no}
		send "\003"
		prompt
		send "!sleep 1000\r"
		expect -timeout 1 -re {never}
		send "\003"
		prompt
		send "help quit\r"
		want {leave the shell}
		prompt
		send "\004"
		ends 0
	END
}

@test "Ctrl-C ends a program or a pipe, and the prompt stands on a line of its own" {
	on_terminal <<-'END'
		start --color never
		# "exec": between a fork and what follows it bash itself may lose the signal
		foreach line {{!echo begun; exec sleep 60} {set | (echo begun; exec sleep 60)}} {
			send "$line\r"
			want {[\r\n]begun\r\n}
			send "\003"
			want {\^C\r\n[^\n]*cnish self> }
		}
		send "\004"
		ends 0
	END
}

@test "a lost terminal ends the shell in good order, at the prompt and while a command runs" {
	on_terminal <<-'END'
		start
		close
		set w [wait]
		if {[lindex $w 2] != 0 || [lindex $w 3] != 0} { fail "ended with $w" }
		start
		send "watch -n 1000 set\r"
		want {namespace}
		close
		set w [wait]
		if {[lindex $w 2] != 0 || [lindex $w 3] != 0} { fail "ended with $w" }
		start
		exec kill -TERM [exp_pid]
		ends 0
	END
}

@test "long output goes through the pager, short output does not" {
	PAGER="sed s/^/PAGED:/" on_terminal <<-'END'
		set stty_init "rows 12 columns 100"
		start
		send "help\r"
		want {PAGED:  -V}
		prompt
		send "help quit\r"
		want {\n *leave the shell}
		prompt
		send "help | sed s/^/PIPED:/\r"
		want {PIPED:  -V}
		prompt
		send "\004"
		ends 0
	END
	PAGER="true" on_terminal <<-'END'
		set stty_init "rows 12 columns 100"
		start
		send "help\r"
		prompt
		send "\004"
		ends 0
	END
}

@test "errors do not end the shell; quit does, with status 0" {
	on_terminal <<-'END'
		start
		foreach line {"nonsense" "'open" "help nonsense" "set x=y" "watch" "|"} {
			send "$line\r"
			want {cnish: }
			prompt
		}
		send "ex\tit\025exit\r"
		ends 0
	END
}

@test "TERM=dumb: no colour, no control sequences" {
	TERM=dumb on_terminal <<-'END'
		start
		send "help quit\r"
		want {leave the shell}
		if {[string match "*\033*" $expect_out(buffer)]} { fail "escape sequence" }
		prompt
		send "\004"
		ends 0
	END
}
