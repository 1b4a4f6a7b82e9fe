#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# batch - trace --from: wrong lines among right ones, endless input, memory that does not grow
# shellcheck disable=SC2030,SC2031

setup() {
	cd "$BATS_TEST_TMPDIR" || exit
	printf '%s\n' '*nat' '-A OUTPUT -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 15001' COMMIT >rules
}

batch() { "$CNISH" -t file:rules "$@"; }

@test "wrong lines are told by their number, and the others go on" {
	local status=0
	{
		echo 'out tcp 10.0.0.7 to 10.0.0.1:80 uid 1'
		echo
		echo '{"protocol":"tcp","daddr":"nowhere"}'
		echo '# remark'
		printf 'tcp 10.0.0.1:80\0 uid 1\n'
		printf 'tcp 10.0.0.1:80 %20000s\n' x
		echo '{"protocol":"tcp","daddr":"10.0.0.1","dport":81'
		printf 'tcp 10.0.0.2:81' # without an end
	} >lines
	batch -o jsonl trace --from lines >all.jsonl || status=$?
	[ "$status" = 2 ]
	"$TOP/tests/lib/validate" trace < <(head -n -1 all.jsonl)
	diff - <(head -n -1 all.jsonl | jq -c '[.line, .error.code, .packet.daddr, .outcomes[0].destination.port]') <<'END'
[null,null,"10.0.0.1",15001]
[3,"usage",null,null]
[5,"usage",null,null]
[6,"usage",null,null]
[7,"usage",null,null]
[null,null,"10.0.0.2",81]
END
	# at the end the command says what it failed of
	tail -n 1 all.jsonl | jq -e '.error.what == "line 3: trace" and (.error.hint | startswith("4 of 8 lines"))'
	batch -o json trace --from lines >all.json || status=$?
	head -n 1 all.json | "$TOP/tests/lib/validate" trace
	[ "$(head -n 1 all.json | jq '.traces | length')" = 6 ]
	batch trace --from lines >text 2>err || status=$?
	grep -qx 'line 5: trace: the line holds a zero byte' text
	grep -q "^cnish: line 3: trace: 'nowhere' is no address" err
}

@test "lines may end, and a file begin, as on other systems" {
	printf '\xef\xbb\xbftcp 10.0.0.1:80\r\n\r\n# remark\r\n{"protocol":"tcp","daddr":"10.0.0.2","dport":81}\r\ntcp 10.0.0.3:82 uid 1\r' >lines
	batch -o jsonl trace --from lines | jq -r '.packet.daddr' | diff - <(printf '10.0.0.%s\n' 1 2 3)
}

@test "where there is nothing to trace, that is said" {
	batch trace --from /dev/null >text
	grep -qx 'No connection was given.' text
	unshare -n "$CNISH" trace --from-conns >text
	grep -qx 'Connection tracking has no entry here that can be traced.' text
	unshare -n "$CNISH" trace --from-sockets >text
	grep -qx 'No socket here is connected.' text
	unshare -n "$CNISH" -o json trace --from-conns | jq -e '.traces == []'
}

@test "a line of any length is passed over, the one behind it is not" {
	local size
	for size in 16384 16385 131071 131072 131073 400000; do
		{ printf '#%*s\n' $((size - 1)) ''; echo tcp 10.0.0.1:80; } | batch -o jsonl trace --from - >out.jsonl || true
		[ "$(jq -r 'select(.packet) | .packet.daddr' out.jsonl)" = 10.0.0.1 ]
		[ "$(jq -s 'map(select(.line)) | length' out.jsonl)" = $((size > 16384)) ]
	done
}

@test "what has come is answered before more is waited for" {
	local line
	coproc CNISH_BATCH { batch -o jsonl trace --from -; }
	for port in 80 81; do
		echo "tcp 10.0.0.1:$port" >&"${CNISH_BATCH[1]}"
		read -r -t 60 line <&"${CNISH_BATCH[0]}"
		[ "$(jq .packet.dport <<<"$line")" = $port ]
	done
	echo nonsense >&"${CNISH_BATCH[1]}"
	read -r -t 60 line <&"${CNISH_BATCH[0]}"
	[ "$(jq .line <<<"$line")" = 3 ]
	exec {CNISH_BATCH[1]}>&-
	wait "$CNISH_BATCH_PID" || true
}

@test "memory does not grow with the input" {
	awk 'BEGIN { for (i = 0; i < 60000; i++) print "{\"protocol\":\"tcp\",\"saddr\":\"10.0.0.7\",\"daddr\":\"10.0." \
		int(i / 250) % 250 "." i % 250 + 1 "\",\"dport\":" 80 + i % 3 ",\"uid\":1000}" }' >many
	head -n 200 many >few
	"$TOOLS/measure" 1 "$CNISH -t file:rules -o jsonl trace --from few" "$CNISH -t file:rules -o jsonl trace --from many" |
		tee sizes
	awk '{ exit $4 > 1.5 * $2 }' sizes
	batch -o jsonl trace --from many >out.jsonl
	[ "$(wc -l <out.jsonl)" = 60000 ]
	[ "$(grep -c '"destination":{"address":"127.0.0.1","port":15001}' out.jsonl)" = 20000 ]
}
