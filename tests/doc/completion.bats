#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# completion - the scripts for bash, zsh and fish, in the real shells

setup() {
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config HOME=$BATS_TEST_TMPDIR
	validate=$TOP/tests/lib/validate
	mkdir "$BATS_TEST_TMPDIR/bin" "$BATS_TEST_TMPDIR/no"
	ln -s "$CNISH" "$BATS_TEST_TMPDIR/bin/cnish"
	printf '#!/bin/sh\nexit 2\n' >"$BATS_TEST_TMPDIR/no/cnish"
	chmod +x "$BATS_TEST_TMPDIR/no/cnish"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# in_bash LINE: what bash offers at its end, one a line
in_bash() {
	bash --norc -c 'source <("$CNISH" help --completion bash); COMP_LINE=$1 COMP_POINT=${#1}; _cnish; printf "%s\n" "${COMPREPLY[@]}"' _ "$1"
}

in_fish() { fish --no-config -c '"$CNISH" help --completion fish | source; complete -C "$argv[1]"' "$1"; }

@test "what may stand next: every command, option, setting and Istio setting is offered, with its help" {
	local name list
	list=$("$CNISH" help --complete -- '')
	while IFS= read -r name; do
		grep -qE "^${name%% *}"$'\t' <<<"$list" || { echo "command: $name"; false; }
		# shellcheck disable=SC2086
		[ "$("$CNISH" help --complete -- $name --)" = "$("$CNISH" -o json help $name | jq -r --arg n "$name" \
			'.commands[] | select(.name == $n) | .options[] | "--\(.name)\t\(.help)"' |
			cat - <("$CNISH" -o json help | jq -r '.options[] | select(.name | IN("command", "file", "version") | not) |
				"--\(.name)\t\(.help)"') | LC_ALL=C sort -t $'\t' -k 1,1 -u -s)" ] || { echo "options of $name"; false; }
	done < <("$CNISH" -o json help | jq -r '.commands[].name')
	diff <("$CNISH" help --complete -- set '' | cut -f 1) <("$CNISH" -o json set | jq -r '.settings | keys[] + "="' | LC_ALL=C sort)
	diff <("$CNISH" help --complete -- istio show '' | cut -f 1) \
		<("$CNISH" istio show -o json | jq -r '.expected.settings | keys[] + "="' | LC_ALL=C sort)
	diff <("$CNISH" help --complete -- doctor D | cut -f 1) <("$CNISH" -o json doctor --list | jq -r '.. | .id? // empty' | LC_ALL=C sort -u)
	"$CNISH" -o json help --complete -- '' | "$validate" candidates
	"$CNISH" help --complete -- --target file:/etc/host | grep -q '^file:/etc/hostname'
	unshare -n sh -c 'iptables-legacy -N SOME_CHAIN && exec "$CNISH" help --complete -- -t self tables SOME' | grep -qx SOME_CHAIN
	sh -c 'exec sleep 100' 3>&- &
	unshare -n iptables-legacy -w -N IN_SELF
	[ -z "$("$CNISH" help --complete -- -t "pid:$!" tables NO_SUCH)" ]
	kill $!
}

@test "each script names every command and every option" {
	local shell name script
	for shell in bash zsh fish; do
		"$CNISH" -o json help --completion "$shell" | "$validate" completion
		script=$("$CNISH" help --completion "$shell")
		while IFS= read -r name; do
			[[ $script == *"'$name'"* ]] || { echo "$shell: $name"; false; }
			# shellcheck disable=SC2086
			while IFS= read -r option; do
				[[ $script == *" --$option"* ]] || { echo "$shell: $name --$option"; false; }
			done < <("$CNISH" -o json help $name | jq -r '.commands[].options[].name')
		done < <("$CNISH" -o json help | jq -r '.commands[].name')
	done
	run "$CNISH" help --completion tcsh
	[ "$status" = 2 ]
}

@test "bash: commands, options, values, words with ':' and '='" {
	[ "$(in_bash 'cnish wat')" = watch ]
	[ "$(in_bash 'cnish -t self watch --in')" = --interval ]
	[ "$(in_bash 'cnish set -o json')" = $'json\njsonl' ]
	[ "$(in_bash 'cnish set --output=jsonl')" = jsonl ] # bash completes what stands behind '='
	[ "$(in_bash 'cnish -t file:/etc/hostna')" = /etc/hostname ]
	[ "$(in_bash 'cnish istio ver')" = verify ]
	in_bash 'cnish ' | grep -qx tables
	# without a cnish that answers, the table stands in
	PATH=$BATS_TEST_TMPDIR/no:$PATH
	[ "$(in_bash 'cnish wat')" = watch ]
	[ "$(in_bash 'cnish watch --in')" = --interval ]
}

@test "fish: candidates with their help" {
	[ "$(in_fish 'cnish wat')" = $'watch\trepeat a command and show what changed' ]
	in_fish 'cnish watch --' | grep -q $'^--interval\tseconds'
	[ "$(in_fish 'cnish set colo')" = color= ]
	PATH=$BATS_TEST_TMPDIR/no:$PATH
	in_fish 'cnish watch --in' | grep -qx -- --interval
}

@test "zsh: on a terminal, by way of compinit and fpath" {
	mkdir "$BATS_TEST_TMPDIR/functions"
	"$CNISH" help --completion zsh >"$BATS_TEST_TMPDIR/functions/_cnish"
	cat >"$BATS_TEST_TMPDIR/script" <<-'END'
		set timeout 60
		log_user 0
		match_max -d 100000
		set stty_init "rows 60 columns 150"
		proc want {re} { expect -re $re {} timeout { expect *; puts "no '$re': $expect_out(buffer)"; exit 1 } eof { exit 1 } }
		spawn -noecho zsh -f -i
		send "PS1='ready%# '; fpath=($env(BATS_TEST_TMPDIR)/functions \$fpath); autoload -Uz compinit; compinit -u -D; echo set up\r"
				want {ready. }
		send "cnish wat\t"
		want {cnish watch}
		send -- "--inter\t"
		want {--interval}
		send "\025cnish set colo\tneve\t"
		want {color=never}
		send "\025cnish he\t--\t\t"
		want {--complete  [a-z]}
		exit 0
	END
	timeout 100 expect -f "$BATS_TEST_TMPDIR/script"
}

@test "make install puts them where the shells look" {
	make -s -C "$TOP" install DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/usr >/dev/null
	diff "$BATS_TEST_TMPDIR/root/usr/share/bash-completion/completions/cnish" <("$CNISH" help --completion bash)
	diff "$BATS_TEST_TMPDIR/root/usr/share/zsh/site-functions/_cnish" <("$CNISH" help --completion zsh)
	diff "$BATS_TEST_TMPDIR/root/usr/share/fish/vendor_completions.d/cnish.fish" <("$CNISH" help --completion fish)

}
