#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shell - the command line: one grammar for arguments, -c, files and standard input; errors, formats, JSON

setup() {
	validate=$TOP/tests/lib/validate
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	unset PAGER NO_COLOR
}

# Standard output and standard error apart.
split() {
	status=0
	"$CNISH" "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" </dev/null || status=$?
	out=$(cat "$BATS_TEST_TMPDIR/out") err=$(cat "$BATS_TEST_TMPDIR/err")
}

@test "arguments, -c, -f and standard input mean the same" {
	local want
	want=$("$CNISH" help set)
	[ -n "$want" ]
	[ "$("$CNISH" -c 'help set')" = "$want" ]
	[ "$("$CNISH" -f - <<<'help   "set" # a comment')" = "$want" ]
	printf '# nothing\n\n  hel se\n' >"$BATS_TEST_TMPDIR/script" # prefixes; "se" is no command's name
	run "$CNISH" -f "$BATS_TEST_TMPDIR/script"
	[ "$status" = 2 ]
	printf '# nothing\n\n  hel set\n' >"$BATS_TEST_TMPDIR/script"
	[ "$("$CNISH" -f "$BATS_TEST_TMPDIR/script")" = "$want" ]
	[ "$("$CNISH" <"$BATS_TEST_TMPDIR/script")" = "$want" ]
}

@test "options stand before or after the command" {
	"$CNISH" -o json set | "$validate" set
	"$CNISH" set -o json | "$validate" set
	"$CNISH" set --output=json | "$validate" set
	"$CNISH" -ojson -c set | "$validate" set
	"$CNISH" -c 'set -ojson' | "$validate" set
}

@test "-c and -f run in their order and share a session" {
	printf 'set output=json\n' >"$BATS_TEST_TMPDIR/script"
	run "$CNISH" -c 'set color=never' -f "$BATS_TEST_TMPDIR/script" -c set
	[ "$status" = 0 ]
	[ "$(jq -r .settings.color <<<"${lines[-1]}")" = never ]
}

@test "a script ends at the first line that fails, with its status" {
	split -c 'help quit' -c nonsense -c 'help set'
	[ "$status" = 2 ]
	[[ $out == *'leave the shell'* && $out != *preferences* ]]
	split -c quit -c nonsense
	[ "$status" = 0 ]
	run "$CNISH" <<<$'set yes=maybe\nhelp'
	[ "$status" = 2 ]
	[ "${#lines[@]}" = 1 ]
}

@test "an error is one line on standard error, and nothing on standard output" {
	local words
	for words in 'hlp' '--bogus' 'help --bogus' '-o' '-o xml set' 'quit now' 'set x' 'set yes=perhaps' \
		'-o save set' '-f /nonexistent' '-c' "-c \"'\"" 'watch' 'watch -n x set' '-c help set'; do
		eval "split $words"
		[ "$status" != 0 ] || { echo "no failure: $words"; false; }
		[ -z "$out" ] || { echo "$words: $out"; false; }
		[ "$(wc -l <"$BATS_TEST_TMPDIR/err")" = 1 ] || { echo "$words: $err"; false; }
		[[ $err == 'cnish: '*': '* ]] || { echo "$words: $err"; false; }
	done
}

@test "with -o json an error is one JSON object on standard output, wherever -o stands" {
	local words
	for words in '-o json hlp' 'hlp -o json' '--output=json --bogus' '-ojson quit now' 'set x -o json' \
		'-o json -f /nonexistent' "-o json -c \"'\"" '-o jsonl set'; do
		eval "split $words"
		[ "$status" != 0 ] || { echo "no failure: $words"; false; }
		[ -z "$err" ] || { echo "$words: $err"; false; }
		[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" = 1 ] || { echo "$words: $out"; false; }
		"$validate" error <<<"$out" || { echo "$words: $out"; false; }
	done
}

@test "unknown words are answered with what was perhaps meant, ambiguous ones with the candidates" {
	split hlep
	[ "$status" = 2 ]
	[[ $err == *"did you mean 'help'"* ]]
	# words of kubectl, iproute2, iptables
	local word
	for word in get/pods describe/info ss/sockets conntrack/conns iptables/tables flush/istio\ flush nsenter/exec; do
		err=$("$CNISH" "${word%%/*}" 2>&1) || [ $? = 2 ]
		[[ $err == *"unknown command (did you mean '${word#*/}'?)" ]] || { echo "$err"; return 1; }
	done
	split h
	[[ $err == *ambiguous:*help*history* ]]
	split -t file:/dev/null trace oot tcp 10.0.0.1:80
	[[ $err == *"did you mean 'out'"* ]]
	split trace out tpc 10.0.0.1:80
	[[ $err == *"did you mean 'tcp'"* ]]
	split trace out tcp 10.0.0.1:80 uidd 7
	[[ $err == *"did you mean 'uid'"* ]]
	split set colour=never
	[[ $err == *"did you mean 'color'"* ]]
	split istio show ISTIO_SERVICE_CDIR=1
	[[ $err == *"did you mean"*ISTIO_SERVICE_CIDR* ]]
	split help --outptu json
	[[ $err == *"did you mean '--output'"* ]]
	printf '*nat\n:OUTPUT ACCEPT [0:0]\n:ISTIO_OUTPUT - [0:0]\nCOMMIT\n' >"$BATS_TEST_TMPDIR/rules"
	split -t "file:$BATS_TEST_TMPDIR/rules" tables istio_outptu
	[ "$status" = 2 ]
	[[ $err == *"no chain of this name"*"did you mean 'ISTIO_OUTPUT'"* ]]
	split -t "file:$BATS_TEST_TMPDIR/rules" tables --table nta
	[ "$status" = 2 ]
	[[ $err == *"no table of this name"*"did you mean 'nat'"* ]]
	# as iptables users type them
	split tables -t nat
	[[ $status == 3 && $err == *"--table nat"* ]]
	split -t "file:$BATS_TEST_TMPDIR/rules" tables nat
	[[ $status == 2 && $err == *"--table nat"* ]]
	split -t "file:$BATS_TEST_TMPDIR/rules" trace tcp 10.0.0.1 80
	[[ $status == 2 && $err == *ADDRESS:80* ]]
	split -t "file:$BATS_TEST_TMPDIR/rules" tables --table mangle # it may be there, and is not
	[ "$status" = 0 ]
	[ "$("$CNISH" help --complete -- -t "file:$BATS_TEST_TMPDIR/rules" tables istio)" = ISTIO_OUTPUT ]
}

@test "the JSON of every command about the shell fits its schema" {
	"$CNISH" -o json help | "$validate" help
	"$CNISH" -o json help watch | "$validate" help
	"$CNISH" watch --help -o json | "$validate" help
	"$CNISH" -o json set | "$validate" set
	"$CNISH" -o json history | "$validate" history
	run -2 "$CNISH" history many
	"$CNISH" -o json quit | "$validate" done
	"$CNISH" -o json -V | "$validate" version
	"$CNISH" -o json watch -n 0 --count 3 set | "$validate" watch
	[ "$("$CNISH" -o jsonl watch -n 0 --count 3 set | tee "$BATS_TEST_TMPDIR/out" | wc -l)" = 3 ]
	"$validate" watch <"$BATS_TEST_TMPDIR/out"
}

@test "COMMAND | shell command; the quoted bar is a word" {
	[ "$("$CNISH" -c 'help set | grep -c namespace')" = "$("$CNISH" help set | grep -c namespace)" ]
	run "$CNISH" -c "help '|'"
	[ "$status" = 2 ]
	[[ $output == *'|: no such command'* ]]
	run "$CNISH" -c 'help |'
	[ "$status" = 2 ]
	# what the reader does not take is no error, and the next command runs
	run "$CNISH" -c 'help | true' -c 'help set | head -1'
	[ "$status" = 0 ]
}

@test "a reader who leaves is no error; a full disk is one, told once" {
	run bash -c '"$CNISH" -f <(yes "help watch" | head -2000) | head -1; echo ${PIPESTATUS[0]}'
	[ "${lines[1]}" = 0 ]
	split help
	run bash -c '"$CNISH" help >/dev/full'
	[ "$status" = 5 ]
	[ "${#lines[@]}" = 1 ]
	[[ ${lines[0]} == 'cnish: writing the output: No space left on device'* ]]
}

@test "no terminal: no prompt, no colour, no pager; --color always colours; NO_COLOR is honoured" {
	run "$CNISH" <<<'help'
	[[ $output != *$'\033'* && $output != *'cnish self>'* ]]
	run "$CNISH" --color always help
	[[ $output == *$'\033['* ]]
	NO_COLOR=1 run "$CNISH" --color always help
	[[ $output == *$'\033['* ]] # an explicit option goes before the environment
}

@test "watch prints lines that came and went" {
	local file=$BATS_TEST_TMPDIR/n
	run timeout 20 "$CNISH" watch -n 0.05 --count 2 set
	[ "$status" = 0 ]
	[ "$(grep -c '^namespace' <<<"$output")" = 1 ] # nothing changed: the second run says nothing
	run "$CNISH" watch quit extra
	[ "$status" = 2 ]
	run "$CNISH" watch exec true
	[ "$status" = 2 ]
	[[ $output == *'cannot be repeated'* || $output == *unknown* ]]
}

@test "SIGTERM and SIGINT end a running watch in good order" {
	local sig pid
	for sig in TERM INT; do
		# env restores what a shell job in the background ignores
		env --default-signal=INT "$CNISH" -o json watch -n 60 set >"$BATS_TEST_TMPDIR/out" &
		pid=$!
		for _ in $(seq 200); do
			[ -s "$BATS_TEST_TMPDIR/out" ] && break
			read -rt 0.05 <> <(:) || :
		done
		kill -"$sig" $pid
		wait $pid
		"$validate" watch <"$BATS_TEST_TMPDIR/out"
	done
}

@test "endless and hostile input: bounded, one error" {
	local status=0
	# a sanitizer maps terabytes
	run bash -c '[[ $BUILD == *san ]] || ulimit -v 400000; timeout 60 "$CNISH" -f /dev/zero'
	[ "$status" = 2 ]
	[[ $output == 'cnish: command line: longer than '* ]]
	run bash -c 'head -c 300000 /dev/urandom | timeout 60 "$CNISH"'
	[ "$status" = 2 ]
	[ "${#lines[@]}" = 1 ]
	run bash -c 'printf "set\0 x" | "$CNISH"'
	[ "$status" = 2 ]
	run bash -c 'printf "set\033[A" | "$CNISH"'
	[ "$output" = 'cnish: command line: has a control character (0x1b)' ]
	run "$CNISH" -f "$BATS_TEST_TMPDIR"
	[ "$status" = 5 ]
	[ "${#lines[@]}" = 1 ]
}

@test "what is no command starts no shell and empties no file" {
	cd "$BATS_TEST_TMPDIR"
	echo kept >file
	printf 'sett | touch made\n' >one
	printf 'set -o no > file\n' >two
	for script in one two; do
		run "$CNISH" -f $script
		[ "$status" = 2 ]
		[ "${#lines[@]}" = 1 ]
	done
	[ ! -e made ]
	[ "$(cat file)" = kept ]
}

@test "closed standard streams: no file takes their place" {
	run bash -c '"$CNISH" help >&-'
	[ "$status" = 5 ]
	[[ $output == 'cnish: writing the output: '* ]]
	run bash -c '"$CNISH" <&-'
	[ "$status" = 5 ]
	run bash -c '"$CNISH" info <&- >/dev/null 2>&-'
	[ "$status" = 0 ]
}

@test "a signal ends a script: the lines behind are not run" {
	local pid status=0
	printf 'watch -n 60 set\nhelp quit\n' >"$BATS_TEST_TMPDIR/script"
	env --default-signal=INT "$CNISH" -f "$BATS_TEST_TMPDIR/script" >"$BATS_TEST_TMPDIR/out" &
	pid=$!
	for _ in $(seq 400); do
		[ -s "$BATS_TEST_TMPDIR/out" ] && break
		read -rt 0.05 <> <(:) || :
	done
	kill -INT $pid
	wait $pid || status=$?
	[ "$status" = 130 ]
	! grep -q 'leave the shell' "$BATS_TEST_TMPDIR/out"
}

@test "a target that dies between two commands is said to be gone" {
	local pid reader
	sleep 1000 3>&- &
	pid=$!
	mkfifo "$BATS_TEST_TMPDIR/lines"
	"$CNISH" -t "pid:$pid" --runtime none -o json <"$BATS_TEST_TMPDIR/lines" >"$BATS_TEST_TMPDIR/out" &
	reader=$!
	exec 7>"$BATS_TEST_TMPDIR/lines"
	echo info >&7
	for _ in $(seq 400); do
		[ -s "$BATS_TEST_TMPDIR/out" ] && break
		read -rt 0.05 <> <(:) || :
	done
	kill $pid
	wait $pid || :
	echo info >&7
	exec 7>&-
	wait $reader || status=$?
	cat "$BATS_TEST_TMPDIR/out"
	[ "$status" = 3 ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" = 2 ]
	[ "$(sed -n 2p "$BATS_TEST_TMPDIR/out" | jq -r .error.code)" = target ]
}

@test "use keeps the former target when the new one is not to be had" {
	run "$CNISH" -o json --runtime none -c 'use self' -c 'info' -c 'use pid:4194399'
	[ "$status" = 3 ]
	run bash -c '"$CNISH" --runtime none -t self -c "use pid:4194399" -c info'
	[ "$status" = 3 ]
}
