#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# scenario.sh - runs a scenario file: rules, connections, and what is expected of each, in the simulator and for real
#
# A scenario is read by people first:
#
#   # what it is about
#   load nft                       a ruleset for the pod, up to "end": nft, or iptables-save text for
#       table ip t { ... }         iptables-legacy, iptables-nft, ip6tables-legacy, ip6tables-nft
#   end
#   run ip rule add ...            a command in the pod; "node ..." in the node
#   trace out tcp 10.96.0.10:80 uid 1000
#       hits nat out 1             table, chain and number of a rule that matches (in this order)
#       misses nat out 2           one that does not
#       ends local 127.0.0.1:8080 app
#   trace ...                      (each is traced in a bundle of the pod too)
#       ends drop                  several "ends": several outcomes, in any order
#       kernel no REASON           the connection cannot be made here for real
#       kernel whole               a fragment is sent with the others of its packet
#
# A connection with words of headers (tcpopt, ipopt, exthdr, frag, spi ...) is one packet of rawsend.
#
# ends: local ADDRESS:PORT [LISTENER|nobody], out ADDRESS:PORT [from ADDRESS], drop, reject, unreachable, unknown.
# The pod is that of pod.sh, with Envoy (15001, 15006) and an application (8080, udp 5353); the node answers
# on 80 and 8080. Each connection is made for real too, and the kernel's trace must be that of an outcome.

export HEADER_WORDS='tcpopt|ipopt|exthdr|frag|fragid|spi|ecn|type|flags'

# scenario_parse FILE: fills the arrays KIND and TEXT, one entry per line that says something
scenario_parse() {
	local line
	KIND=() TEXT=()
	while IFS= read -r line; do
		line=${line#"${line%%[![:space:]]*}"}
		case $line in '' | '#'*) continue ;; esac
		KIND+=("${line%%[[:space:]]*}")
		line=${line#"${line%%[[:space:]]*}"}
		TEXT+=("${line#"${line%%[![:space:]]*}"}")
		[ "${KIND[-1]}" = load ] || continue
		while IFS= read -r line && [ "$line" != end ]; do TEXT[-1]+=$'\n'$line; done
	done <"$1"
}

scenario_load() {
	local tool=${1%%$'\n'*} rules=${1#*$'\n'}
	rules=$(sed 's/^[[:space:]]*//' <<<"$rules")
	case $tool in
	nft) pod_exec nft -f - <<<"$rules" ;;
	*) pod_exec "$tool-restore" --noflush <<<"$rules" ;;
	esac
}

scenario_fail() {
	echo "$SCENARIO: trace $CONNECTION: $*"
	FAILED=1
}

# The connection as "connect" wants it; sets CONNECT and its place
scenario_connect() {
	local -a w
	local i=0 src=- dst port=0 endpoint
	read -ra w <<<"$CONNECTION"
	if [[ " $CONNECTION " =~ \ ($HEADER_WORDS)\  ]]; then
		CONNECT=("$TOP/tests/lib/rawsend" ${WHOLE:+--whole} "${w[@]}")
		[ "${w[0]}" = out ] || CONNECT=(nsenter --net=/proc/1/ns/net -- "${CONNECT[@]}")
		return 0
	fi
	CONNECT_PATH=${w[0]}
	CONNECT=("$TOOLS/connect" -w 300)
	[ "${w[1]}" = tcp ] || CONNECT+=(-n)
	i=2
	if [ "${w[3]:-}" = to ]; then
		src=${w[2]}
		i=4
	fi
	endpoint=${w[i]}
	case $endpoint in
	\[*\]:*) dst=${endpoint%]:*} dst=${dst#\[} port=${endpoint##*]:} ;;
	*:*:*) dst=$endpoint ;;
	*:*) dst=${endpoint%:*} port=${endpoint##*:} ;;
	*) dst=$endpoint ;;
	esac
	case $src in
	-) ;;
	\[*\]:*) CONNECT+=(-s "$(sed 's/^\[\(.*\)\]:.*/\1/' <<<"$src")" -p "${src##*]:}") ;;
	*:*:*) CONNECT+=(-s "$src") ;;
	*:*) CONNECT+=(-s "${src%:*}" -p "${src##*:}") ;;
	*) CONNECT+=(-s "$src") ;;
	esac
	for ((i++; i + 1 < ${#w[@]}; i += 2)); do
		case ${w[i]} in
		uid) CONNECT+=(-u "${w[i + 1]}") ;;
		gid) CONNECT+=(-g "${w[i + 1]}") ;;
		mark) CONNECT+=(-m "${w[i + 1]}") ;;
		oif) CONNECT+=(-i "${w[i + 1]}") ;;
		esac
	done
	# a uid alone is the gid too, as in the grammar of trace
	[[ " $CONNECTION " == *" gid "* || " $CONNECTION " != *" uid "* ]] ||
		CONNECT+=(-g "$(sed 's/.* uid \([0-9]*\).*/\1/' <<<" $CONNECTION ")")
	case ${w[1]} in
	icmp*) CONNECT+=(icmp "$dst") ;;
	*) CONNECT+=("${w[1]}" "$dst" "$port") ;;
	esac
	[ "$CONNECT_PATH" = out ] || CONNECT=(nsenter --net=/proc/1/ns/net -- "${CONNECT[@]}")
}

# The kernel's trace must be that of one outcome
scenario_kernel() {
	local kernel n
	[ -z "$NO_KERNEL${SIM_ONLY:-}" ] || return 0
	scenario_connect
	pod_exec "$TOOLS/ktrace" -o "$WORK/answer" "${CONNECT[@]}" >"$WORK/kernel.json" 2>"$WORK/kernel.err" || true
	kernel=$(ktrace_words <"$WORK/kernel.json" | ktrace_without_maybe "$WORK/cnish.json")
	for ((n = 0; n < $(jq '.outcomes | length' "$WORK/cnish.json"); n++)); do
		[ "$kernel" != "$(ktrace_cnish_words "$n" <"$WORK/cnish.json")" ] || return 0
	done
	scenario_fail "the kernel (<) did none of this (>)"
	cat "$WORK/kernel.err" "$WORK/answer"
	diff <(echo "$kernel") <(ktrace_cnish_words 0 <"$WORK/cnish.json") || true
}

# A bundle of the pod says the same, wherever it is looked at; once for each state of the pod
scenario_offline() {
	local -a w
	local what='{packet, steps, outcomes, order, branches, legs: [.legs[] | del(.namespace)]}'
	[ -z "${SIM_ONLY:-}$BUNDLED" ] || return 0
	BUNDLED=1
	read -ra w <<<"$CONNECTION"
	"$CNISH" -t netns:pod bundle "$WORK/bundle.json" >/dev/null 2>"$WORK/err" &&
		"$CNISH" -o json -t "file:$WORK/bundle.json" trace --all "${w[@]}" >"$WORK/offline.json" 2>>"$WORK/err" &&
		diff <(jq -S "$what" "$WORK/cnish.json") <(jq -S "$what" "$WORK/offline.json") >"$WORK/diff" && return 0
	scenario_fail "its bundle (>) says something else (<)"
	cat "$WORK/err" "$WORK/diff"
}

# What "ends" lines are compared with; LISTENER only where one is asked for
scenario_outcomes() {
	jq -r 'def at: .address + (if .port then ":" + (.port | tostring) else "" end);
		.packet.saddr as $src | .outcomes[]
		| if .verdict != "accept" then .verdict
		  elif .path == "local" then "local " + (.destination | at) + " " + (.listener.name // "nobody")
		  else .path + " " + (.destination | at) + (if .source.address != $src then " from " + .source.address else "" end)
		  end' "$WORK/cnish.json"
}

scenario_check_ends() {
	local want got
	want=$(printf '%s\n' "${ENDS[@]}" | sort)
	got=$(scenario_outcomes | sort)
	# "local A:P" without a listener takes any
	if [[ $want != "$got" ]] && ! diff -q <(echo "$want") <(sed -E 's/^(local [^ ]+) .*/\1/' <<<"$got") >/dev/null; then
		scenario_fail "ends (<) is expected, (>) is said"
		diff <(echo "$want") <(echo "$got") || true
	fi
}

scenario_check_rules() {
	local steps i line
	steps=$(jq -r '.steps[] | select(.matched and .rule) | .table + " " + .chain + " " + (.rule | tostring)' "$WORK/cnish.json")
	for line in "${MISSES[@]}"; do
		! grep -qxF -- "$line" <<<"$steps" || scenario_fail "hits $line, which it should miss"
	done
	for line in "${HITS[@]}"; do
		i=$(grep -nxF -m 1 -- "$line" <<<"$steps" | cut -d: -f1) || true
		if [ -z "$i" ]; then
			scenario_fail "does not hit $line (or not in this order); hits:"
			jq -r '.steps[] | select(.matched and .rule) | .table + " " + .chain + " " + (.rule | tostring)' "$WORK/cnish.json"
			return 0
		fi
		steps=$(tail -n "+$((i + 1))" <<<"$steps")
	done
}

# One connection with all that is said about it
scenario_check() {
	[ -n "$CONNECTION" ] || return 0
	local -a w
	read -ra w <<<"$CONNECTION"
	if ! "$CNISH" -o json -t netns:pod trace --all "${w[@]}" >"$WORK/cnish.json" 2>"$WORK/err"; then
		scenario_fail "$(cat "$WORK/err")"
		return 0
	fi
	CHECKED=$((CHECKED + 1))
	scenario_offline
	scenario_check_rules
	scenario_check_ends
	scenario_kernel
}

# What is said about a connection ends where something else begins
scenario_done() {
	scenario_check
	CONNECTION= HITS=() MISSES=() ENDS=() NO_KERNEL= WHOLE=
}

scenario_run() {
	local i
	SCENARIO=${1##*/} FAILED= CONNECTION= CHECKED=0 BUNDLED=
	HITS=() MISSES=() ENDS=() NO_KERNEL= WHOLE=
	scenario_parse "$1"
	pod_standin -n envoy -u 1337 -g 1337 -t tcp/15001 tcp/15006 >/dev/null
	pod_standin -n app -u 1000 -g 1000 tcp/8080 udp/5353 >/dev/null
	node_standin -n node tcp/80 tcp/8080 >/dev/null
	if grep -qE "^trace .* ($HEADER_WORDS) " "$1"; then ktrace_on rawsend; else ktrace_on; fi
	for i in "${!KIND[@]}"; do
		case ${KIND[i]} in load | run | node | trace) scenario_done ;; esac
		case ${KIND[i]} in
		load) BUNDLED= && scenario_load "${TEXT[i]}" ;;
		run) BUNDLED= && pod_exec sh -c "${TEXT[i]}" ;;
		node) sh -c "${TEXT[i]}" ;;
		trace) CONNECTION=${TEXT[i]} ;;
		hits) HITS+=("${TEXT[i]}") ;;
		misses) MISSES+=("${TEXT[i]}") ;;
		ends) ENDS+=("${TEXT[i]}") ;;
		kernel) if [ "${TEXT[i]}" = whole ]; then WHOLE=1; else NO_KERNEL=${TEXT[i]}; fi ;;
		*) scenario_fail "line '${KIND[i]} ${TEXT[i]}' is not understood" ;;
		esac
	done
	scenario_done
	[ "$CHECKED" != 0 ] || scenario_fail "no connection was traced"
	echo "$SCENARIO: $CHECKED connections"
	[ -z "$FAILED" ]
}
