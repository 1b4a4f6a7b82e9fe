#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# json - the JSON of every command, result or error, fits its schema; completion knows the namespace

setup() {
	validate=$TOP/tests/lib/validate
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
}

@test "every example of every command, with -o json" {
	local name line out status n=0
	while IFS=$'\t' read -r name line; do
		case $name in exec | watch) continue ;; esac
		[[ " $line " != *' -o '* && " $line " != *' --live '* ]] || continue
		status=0
		out=$(timeout 60 unshare -n -m "$CNISH" -o json --runtime none --dry-run -c "$line" </dev/null 2>"$BATS_TEST_TMPDIR/err") ||
			status=$?
		"$validate" <<<"$out" || { echo "$name: $line: status $status: ${out:0:500}"; false; }
		# an object or an error: the status says which
		if jq -e 'has("error")' <<<"$out" >/dev/null; then
			[ "$status" -ge 2 ] || { echo "$line: error, but status $status"; false; }
		else
			[ "$status" -le 1 ] || { echo "$line: result, but status $status: $(cat "$BATS_TEST_TMPDIR/err")"; false; }
		fi
		n=$((n + 1))
	done < <("$CNISH" -o json help | jq -r '.commands[].name' | while IFS= read -r name; do
		# shellcheck disable=SC2086
		"$CNISH" -o json help $name | jq -r '.commands[] | .name as $n | .examples[] | [$n, .] | @tsv'
	done)
	[ "$n" -gt 10 ]
}

@test "an unknown target is an error of class target, for every command that has one" {
	local name status out
	for name in info sockets conns "use pid:4194399"; do
		status=0
		out=$("$CNISH" -t pid:4194399 -o json --runtime none -c "$name") || status=$?
		[ "$status" = 3 ] || { echo "$name: $status: $out"; false; }
		"$validate" error <<<"$out"
		[ "$(jq -r .error.code <<<"$out")" = target ]
	done
}

@test "Tab completes names of namespaces, and tables and chains of the target" {
	cat >"$BATS_TEST_TMPDIR/tab.exp" <<-'END'
		set timeout 20
		log_user 0
		spawn -noecho $env(CNISH) --runtime none --color never
		expect "self> "
		send "use netns:blue-p\t\r"
		expect -re {use netns:blue-pod } {} timeout { puts "no namespace completed"; exit 1 }
		expect "> "
		if {[catch {exec $env(CNISH) help tables}]} { exit 0 }
		send "tables CNISH_CH\t--table\tna\t\r"
		expect -re {tables CNISH_CHAIN_ONE --table nat } {} timeout { puts "no chain or table completed"; exit 1 }
		expect "> "
		send "\004"
		expect eof
	END
	TERM=dumb INPUTRC=/dev/null unshare -n -m --propagation private bash -euc '
		mount -t tmpfs none /run
		ip netns add blue-pod
		ip netns exec blue-pod iptables-legacy -t nat -N CNISH_CHAIN_ONE
		timeout 100 expect -f "$BATS_TEST_TMPDIR/tab.exp" || { status=$?; ip netns del blue-pod; exit $status; }
		ip netns del blue-pod'
}
