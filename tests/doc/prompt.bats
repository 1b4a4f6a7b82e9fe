#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# prompt - the interactive shell: what it offers and tells, files and pipes, preferences, the prompt's marks, watch

load ../lib/terminal.bash

setup() {
	terminal_setup
}

@test "Tab: the words of a connection, and values of keys, settings and Istio's settings" {
	on_terminal '{ nc -l 127.0.0.1 15021 </dev/null >/dev/null 2>&1 & } && ip link set lo up &&
		until ss -Hltn | grep -q 15021; do read -rt 0.05 <> <(:) || :; done' <<-'END'
		set stty_init "rows 50 columns 110"
		start
		send "trace ou\ttc\t"
		want {trace out tcp }
		send "127.0.0.1:1\t uid 13\t ctst\testa\t"
		want {127.0.0.1:15021 +uid 1337 +ctstate established}
		send "\025trace out icmp 127.0.0.1 oif \t\t"
		want {oif lo}
		send "\025set colo\tal\t"
		want {set color=always}
		send "\025istio show ISTIO_INBOUND_INTER\tTP\t"
		want {ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY}
		send "\025istio show REDIRECT_\ttr\t"
		want {REDIRECT_DNS=true}
		send "\025doctor D0\t\t"
		want {D01 .*D08}
		send "\025\004"
		ends 0
	END
}

@test "Tab: files behind file: and behind '>', folders go on" {
	mkdir "$BATS_TEST_TMPDIR/folder"
	touch "$BATS_TEST_TMPDIR/folder/rules.save"
	export WHERE=$BATS_TEST_TMPDIR
	on_terminal <<-'END'
		set stty_init "rows 50 columns 200"
		start
		send "tables -t file:$env(WHERE)/fol\t"
		want {/folder/}
		send "ru\t"
		want {rules.save }
		send "\025set > $env(WHERE)/folder/ru\t"
		want {rules.save}
		send "\025\004"
		ends 0
	END
}

@test "a list of candidates tells what each is; where nothing can be offered, a line says what is expected" {
	on_terminal <<-'END'
		set stty_init "rows 50 columns 120"
		start
		send "watch --\t\t"
		want {--count +stop after N runs}
		want {--interval +seconds between two runs}
		send "\025watch -n \t"
		want {SECS: seconds between two runs}
		send "\025history \t"
		want {history \[COUNT\]}
		send "\025\004"
		ends 0
	END
}

@test "Ctrl-R searches the history of former sessions too" {
	mkdir -p "$XDG_STATE_HOME/cnish"
	printf 'help quit\nhelp set\nset\n' >"$XDG_STATE_HOME/cnish/history"
	on_terminal <<-'END'
		start
		send "\022qui"
		want {reverse-i-search}
		send "\r"
		want {leave the shell}
		prompt
		send "\004"
		ends 0
	END
}

@test "COMMAND > file and >> file; the arrow of a connection is none" {
	local f="$BATS_TEST_TMPDIR/a file"
	printf "*filter\\nCOMMIT\\n" >"$BATS_TEST_TMPDIR/rules"
	"$CNISH" -c "set > '$f'" -c "set >> \"$f\" # twice"
	[ "$(grep -c ^namespace "$f")" = 2 ]
	"$CNISH" -t "file:$BATS_TEST_TMPDIR/rules" -c "trace out tcp 10.0.0.2:1 -> 10.0.0.1:80 >'$f'"
	grep -q '10.0.0.1:80' "$f"
}

@test "mistakes with '>' are told and write nothing" {
	local line f=$BATS_TEST_TMPDIR/f
	for line in '> f' 'set >' 'set > ' 'set >> # x' "set > $f more" "set > $f | cat" 'set > | cat' 'set > > x'; do
		run "$CNISH" -c "$line"
		[ "$status" = 2 ] || { echo "$line: $status $output"; false; }
		[ ! -e "$f" ]
	done
	run "$CNISH" -c 'set > /nonexistent/file'
	[ "$status" = 5 ]
	[[ $output == "cnish: cannot write to '/nonexistent/file': No such file or directory"* ]]
	run "$CNISH" -c 'set > /dev/full'
	[ "$status" = 5 ]
	# what stands in front of a failed command is written all the same, and the error is not part of it
	run "$CNISH" -c "nonsense > $f"
	[ "$status" = 2 ]
	[ ! -s "$f" ]
	"$CNISH" -o json -c "set > $f" -c "set >> $f"
	[ "$(wc -l <"$f")" = 2 ]
}

@test "cnishrc: its lines are run, errors name file and line, and only a person's shell reads it" {
	mkdir -p "$XDG_CONFIG_HOME/cnish"
	printf '# mine\nset pager=off\nset colour=never\nset color=never\nset x=y | cat\n' >"$XDG_CONFIG_HOME/cnish/cnishrc"
	on_terminal <<-'END'
		spawn -noecho $::env(CNISH)
		want {cnish: [^ ]*/cnish/cnishrc:3: colour: no such setting \(did you mean 'color'}
		want {cnishrc:5: x: no such setting}
		prompt
		send "set\r"
		want {color +never}
		want {pager +off}
		prompt
		send "nonsense\r"
		want {[\r\n]cnish: nonsense: unknown command}
		prompt
		send "\004"
		ends 0
	END
	[ "$("$CNISH" -o json -c set | jq -r .settings.pager)" = "" ]
	chmod 666 "$XDG_CONFIG_HOME/cnish/cnishrc"
	on_terminal <<-'END'
		spawn -noecho $::env(CNISH)
		want {cnishrc: not read: it must be a file of yours}
		prompt
		send "set\r"
		want {color +auto}
		prompt
		send "\004"
		ends 0
	END
}

@test "the first lines say what there is and what to type next; scripts get none of it" {
	on_terminal 'iptables-legacy -t nat -A OUTPUT -p tcp -j REDIRECT --to-ports 15001' <<-'END'
		set stty_init "rows 50 columns 160"
		spawn -noecho $::env(CNISH) --runtime none
		want {cnish 0[^\n]* looks at self \(Linux [^)]*\): 1 legacy rule; not in the mesh}
		want {next: tables +\| +doctor +\| +trace out tcp}
		prompt
		send "\004"
		ends 0
	END
	run bash -c 'echo help quit | "$CNISH"'
	[[ $output != *looks\ at* ]]
}

@test "the prompt tells the mesh, and that Istio's rules drift; it is never waited for" {
	on_terminal true <<-'END'
		set timeout 60
		set stty_init "rows 50 columns 160"
		start --runtime none --color never
		send "istio apply --store legacy --yes\r"
		want {\[sidecar\]}
		send "!iptables-legacy -t nat -D ISTIO_REDIRECT 1\r"
		want {, drift}
		send "istio apply --store legacy --yes\r"
		want {changes? made}
		prompt
		send "istio flush --yes\r"
		want {changes? made}
		prompt
		# what was found before the change is not shown after it for long
		for {set i 0} {$i < 100} {incr i} {
			send "help quit\r"
			want {leave the shell}
			prompt
			if {[string match "*cnish self> *" $expect_out(buffer)]} { break }
			after 200
		}
		if {$i == 100} { fail "still says drift" }
		send "\004"
		ends 0
	END
}

@test "an empty line repeats what only looks, nothing else" {
	on_terminal <<-'END'
		start
		send "\r"
		prompt
		send "sockets\r"
		want {PROCESS|process}
		prompt
		send "\r"
		want {PROCESS|process}
		prompt
		send "help quit\r"
		want {leave the shell}
		prompt
		send "\r"
		prompt
		if {[string match "*leave*" $expect_out(buffer)]} { fail "help was repeated" }
		send "\004"
		ends 0
	END
}

@test "watch draws in place, marks counters with what they gained, pauses, follows the terminal's size" {
	on_terminal 'ip link set lo up && iptables-legacy -A OUTPUT -d 127.0.0.9/32 -m comment --comment old' <<-'END'
		set stty_init "rows 30 columns 100"
		start --color always
		send "watch -n 0.3 tables --store legacy --table filter\r"
		want {\[\?1049h}
		want {every 0.3s: tables}
		want {comment old}
		exec bash -c {for i in 1 2 3 4 5; do echo x >/dev/udp/127.0.0.9/9; done}
		want {--comment old[^\n]* \+[0-9.]+/s}
		exec iptables-legacy -A OUTPUT -d 127.0.0.8/32 -m comment --comment new
		want {\+[^\n]*--comment new}
		exec iptables-legacy -D OUTPUT 1
		want {- [^\n]*--comment old}
		send " "
		want {PAUSED}
		exec iptables-legacy -A OUTPUT -d 127.0.0.7/32 -m comment --comment later
		expect -timeout 2 -re {comment later} { fail "drawn while it pauses" }
		send " "
		want {comment later}
		stty rows 8 columns 40 < $spawn_out(slave,name)
		want {every 0.3s: tables --store legacy --tabl[^e]}
		send "q"
		want {\[\?1049l}
		prompt
		send "watch -n 0.2 set\r"
		want {every 0.2s: set}
		send "\003"
		want {\[\?1049l}
		prompt
		send "help quit\r"
		want {help quit.*leave the shell}
		prompt
		send "\004"
		ends 0
	END
}

@test "watch with --plain, TERM=dumb or into a pipe draws nothing in place" {
	on_terminal <<-'END'
		start --plain
		send "watch -n 0.1 --count 2 set\r"
		want {VALUE: text}
		prompt
		if {[string match "*1049*" $expect_out(buffer)]} { fail "alternate screen" }
		send "watch -n 0.1 --count 2 set | cat\r"
		want {VALUE: text}
		prompt
		if {[string match "*1049*" $expect_out(buffer)]} { fail "alternate screen" }
		send "\004"
		ends 0
	END
}

@test "the pager of the preferences goes before PAGER, off means none" {
	PAGER="sed s/^/PAGED:/" on_terminal <<-'END'
		set stty_init "rows 12 columns 100"
		start
		send "set 'pager=sed s/^/MINE:/'\r"
		prompt
		send "help\r"
		want {MINE:  -V}
		prompt
		send "set pager=off\r"
		prompt
		send "help\r"
		want {\n  -V}
		prompt
		send "set pager=\r"
		prompt
		send "help\r"
		want {PAGED:  -V}
		prompt
		send "\004"
		ends 0
	END
}

@test "--plain: no colour, no tables, one fact a line, the stores one after the other" {
	run "$CNISH" --plain --color always set
	[[ $output != *$'\033'* ]]
	[[ $output == *$'SETTING: output\nVALUE: text\n\n'* ]]
	run unshare -n bash -c 'for v in legacy nft; do iptables-$v -A OUTPUT -p tcp -j ACCEPT; done; "$CNISH" --plain tables'
	[ "$status" = 0 ]
	[[ $output == *$'legacy store\n'* && $output == *$'compat store\n'* ]]
	[[ $output == *'rule 1: -p tcp -j ACCEPT, packets 0, also in another store'* ]]
}

@test "wide characters: columns stand where they belong" {
	run unshare -n bash -c 'for v in legacy nft; do for c in ascii 汉字汉字 é; do
		iptables-$v -A OUTPUT -m comment --comment "$c" -j ACCEPT; done; done; "$CNISH" tables'
	[ "$status" = 0 ]
	/usr/bin/python3 - <<-END
		import unicodedata
		text = """$output"""
		lines = [l for l in text.split("\n") if "--comment" in l]
		assert len(lines) == 3, lines
		def width(s):
		    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in s)
		ends = {width(l[:l.rindex("=")]) for l in lines}
		assert len(ends) == 1, (ends, lines)
	END
}
