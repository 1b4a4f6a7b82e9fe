#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# json_walk - every command of the program's own list, in every JSON it offers: results and errors fit their schemas
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"

# line_of NAME: words with which this command succeeds in the pod. A command that is not here has no test.
line_of() {
	case $1 in
	pods | info | tables | diff | 'istio show' | 'istio verify' | doctor | scan | sockets | conns | help | history | set | quit) echo "$1" ;;
	'istio flush' | 'istio apply') echo "$1 --yes" ;;
	'istio undo') echo "$1 --list" ;;
	use) echo 'use netns:pod' ;;
	trace) echo "trace out tcp $SERVICE_IP:80 uid 1000" ;;
	save | bundle) echo "$1 /run/$1.out" ;;
	watch) echo 'watch -n 0 --count 2 set' ;;
	exec) echo 'exec true' ;;
	*) return 1 ;;
	esac
}

# also_of NAME: more forms of it that print something of another kind
also_of() {
	case $1 in
	use) echo 'use file:/run/rules' ;;
	tables) printf '%s\n' 'tables --sets' 'tables -4 --counters' 'tables OUTPUT' ;;
	diff) echo 'diff file:/run/rules' ;;
	trace)
		printf '%s\n' "trace --all --explain in tcp $NODE_IP to $POD_IP:8080" 'trace --from /run/lines' \
			"trace --verify out tcp $SERVICE_IP:80" 'trace --live --time 1 --yes' 'trace --from-sockets'
		;;
	'istio show') echo 'istio show --preset ambient' ;;
	'istio apply') printf '%s\n' 'istio apply --dry-run' 'istio apply --rehearse' ;;
	'istio flush') echo 'istio flush --dry-run' ;;
	'istio undo') printf '%s\n' 'istio undo --dry-run' 'istio undo --yes' ;;
	doctor) printf '%s\n' 'doctor host' 'doctor D01' 'doctor --list' 'doctor --fix --dry-run' ;;
	sockets) echo 'sockets --all' ;;
	conns) echo 'conns --nat' ;;
	watch) echo 'watch -n 0 --count 2 tables' ;;
	help) printf '%s\n' 'help tables' 'help --completion bash' 'help --complete -- tab' ;;
	set) echo 'set color=never' ;;
	bundle | save) echo "$1 --dry-run /run/none" ;;
	esac
}

# No target is looked at by these, or only in passing.
targetless() { [[ $1 =~ ^(pods|scan|use|watch|help|history|set|quit)$ ]]; }

commands() { "$CNISH" -o json help | jq -r '.commands[].name'; }
# streams: those that offer jsonl, as |NAME|NAME|
streams() {
	commands | while IFS= read -r name; do
		# shellcheck disable=SC2086
		"$CNISH" -o json help $name
	done | jq -rs '[.[].commands[] | select(.formats | index("jsonl")) | .name] | unique | "|" + join("|") + "|"'
}

# fits WANT FMT WORDS...: the output is JSON that fits its schema, and the status is what it says. WANT: result,
# any, or the code of an error
fits() {
	local want=$1 fmt=$2 status=0 code
	shift 2
	"${AS[@]}" "$CNISH" --runtime none -o "$fmt" "$@" >/run/json 2>/run/err </dev/null || status=$?
	[[ $(</run/json) =~ ^(.*$'\n')?'{"error":{"code":"'([a-z]+)'"' ]] && code=${BASH_REMATCH[2]} || code=result
	SEEN=$((SEEN + 1))
	{ echo "$fmt: $*" && cat /run/json; } >/run/seen/$SEEN
	case $code in
	result) [ $status -le 1 ] ;;
	usage) [ $status = 2 ] ;;
	target) [ $status = 3 ] ;;
	permission) [ $status = 4 ] ;;
	system) [ $status = 5 ] ;;
	unconfirmed) [ $status = 6 ] ;;
	*) false ;;
	esac || { echo "$fmt: $*: status $status, but $code: $(head -c 500 /run/json /run/err)"; return 1; }
	[[ $want == any || $want == "$code" ]] || { echo "$fmt: $*: $code, not $want: $(head -c 500 /run/json /run/err)"; return 1; }
	# told once: with an object on standard output nothing is on standard error
	[ "$code" = result ] || [ ! -s /run/err ] || { echo "$fmt: $*: also $(cat /run/err)"; return 1; }
}

# valid: all that was printed fits its schema; at once, since a validator is slow to start
valid() {
	local f bad=0
	tail -qn +2 /run/seen/* | "$TOP/tests/lib/validate" && return
	for f in /run/seen/*; do
		[ "$(wc -l <"$f")" = 1 ] || tail -n +2 "$f" | "$TOP/tests/lib/validate" || { head -c 300 "$f"; bad=1; }
	done
	[ $bad = 0 ]
}

# walk FUNCTION FORMATS: FUNCTION NAME FMT LINE for every command and those formats that it offers; all that is wrong is told
walk() {
	local name line bad=0 n=0
	while IFS= read -r name; do
		line=$(line_of "$name") || { echo "$name: no line in this test"; bad=1; continue; }
		"$1" "$name" json "$line" || bad=1
		[[ $2 != *jsonl* || $STREAMS != *"|$name|"* ]] || "$1" "$name" jsonl "$line" || bad=1
		n=$((n + 1))
	done < <(commands)
	[ $n -gt 20 ] && [ $bad = 0 ]
}

# prepare: what the functions share; the checkout may be where an ordinary user cannot look
prepare() {
	AS=() SEEN=0 NOBODY=(setpriv --reuid 65534 --regid 65534 --clear-groups --)
	STREAMS=$(streams)
	mkdir /run/bin /run/seen
	cp "$CNISH" /run/bin/cnish
	chmod 755 /run /run/bin /run/bin/cnish
	CNISH=/run/bin/cnish
}

succeeds() {
	local line
	while IFS= read -r line; do
		fits result "$2" -t netns:pod -c "$line" || return 1
		[ "$1" = exec ] || [ -s /run/json ] || { echo "$line: no answer"; return 1; }
	done < <(echo "$3"; also_of "$1")
}
results() {
	prepare
	pod_istio legacy
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	istio_rules 4 >/run/rules
	echo "tcp $SERVICE_IP:80" >/run/lines
	walk succeeds json,jsonl
	valid
}
@test "what every command prints when it succeeds" { in_pod results; }

bad_option() { fits usage "$2" -c "$1 --no-such-option"; }
missing() {
	local want=target
	! targetless "$1" || want=any
	fits $want "$2" -t netns:no-such -c "$3"
}
dead() {
	local want=target
	! targetless "$1" || want=any
	fits $want "$2" -t "pid:$DEAD" -c "$3"
}
forbidden() {
	local want=permission AS=("${NOBODY[@]}")
	! targetless "$1" && [ "$1" != 'istio show' ] || want=any
	fits $want "$2" -t "pid:$POD_PID" -c "$3"
}
unreadable() {
	local want=permission AS=("${NOBODY[@]}")
	! targetless "$1" || want=any
	fits $want "$2" -t file:/run/secret -c "$3"
}
errors() {
	local DEAD bad=0 f
	prepare
	sleep 0.01 &
	DEAD=$!
	wait $DEAD
	pod_istio legacy
	istio_rules 4 >/run/secret
	echo "tcp $SERVICE_IP:80" >/run/lines
	chmod 600 /run/secret
	walk bad_option json,jsonl || bad=1
	for f in missing dead forbidden unreadable; do walk $f json || { echo "in $f"; bad=1; }; done
	valid
	[ $bad = 0 ]
}
@test "what every command prints when it is misused, or its target is missing, dead, forbidden or unreadable" { in_pod errors; }
