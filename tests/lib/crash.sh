#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# crash.sh - kills 'istio apply', 'flush' and 'undo' at every system call that changes something; to be sourced
#
#   crash_run SCENARIO [EVERY SEED]   all points of a scenario, or each EVERYth from SEED on; inside in_pod
#   crash_scenarios                   the names of all scenarios
#
# After each kill every table is the old or the new one, as the real tools print it; a second run, an undo, or a flush
# leaves what an uninterrupted run leaves, what there was before, or nothing of Istio's; and where Istio's rules were there before and
# will be there after, connections that are made all the while arrive at the proxy or nowhere.

source "$TOP/tests/lib/pod.sh"

crash_scenarios() {
	local a b
	for a in legacy compat native; do echo fresh-"$a" repair-"$a" flush-"$a"; done
	for a in legacy compat native; do
		for b in legacy compat native; do [ "$a" = "$b" ] || echo "move-$a-$b"; done
	done
	for a in legacy compat native; do echo tproxy-"$a" undo-fresh-"$a" undo-repair-"$a" undo-flush-"$a" undo-tproxy-"$a"; done
	for a in legacy compat native; do
		for b in legacy compat native; do [ "$a" = "$b" ] || echo "undo-move-$a-$b"; done
	done
}

crash_cnish() { "$CNISH" -t netns:pod --yes istio "$@" >/run/out 2>&1; }
crash_apply() { crash_cnish apply --store "$1" "${CRASH_SETTINGS[@]}" || { cat /run/out; false; }; }

# state: one line for each table that says something, and one for routing; guardrails, counters, handles and the
# order of tables aside. The guardrails that stand are counted in a line of their own, which same() forbids.
state() {
	pod_exec bash -c '
		echo "@ legacy ip"; iptables-legacy-save; echo "@ legacy ip6"; ip6tables-legacy-save
		echo "@ compat ip"; iptables-nft-save; echo "@ compat ip6"; ip6tables-nft-save
		echo "@ native"; nft -s list ruleset; echo "@ routing"
		printf "rule\nroute show table all\n" | ip -batch -
		printf "rule\nroute show table all\naddr show dev lo\n" | ip -6 -batch -' 2>/dev/null |
		awk '/^@/ { part = substr($0, 3); text = ""; next } /^#/ { next }
			part == "routing" { if (!/valid_lft/) { sub(/ pref medium/, ""); routing = routing $0 ";" } next }
			part == "native" { gsub(/counter packets [0-9]+ bytes [0-9]+/, "counter"); text = text $0 ";"
				if (/^table/) { text = $0 ";"; inet = /^table inet/ }
				if (/^}/ && inet) print part, text
				next }
			/^-A (INPUT|FORWARD|OUTPUT) -p (udp|tcp) -j DROP$/ { guards++; next }
			/^\*/ { text = ""; used = 0 } { sub(/ \[[0-9:]*\]$/, ""); text = text $0 ";" } /^-A/ || /^:.* -$/ { used = 1 }
			/^COMMIT/ && used { print part, text }
			END { print "routing", routing; print "guardrails", guards + 0 }' | sort
}

foreign() {
	local t
	for t in iptables ip6tables; do
		pod_exec $t-"$1" -w 10 -t nat -N MINE
		pod_exec $t-"$1" -w 10 -t nat -A MINE -p tcp --dport 22 -j RETURN
		pod_exec $t-"$1" -w 10 -t nat -A OUTPUT -p udp --dport 5353 -j MINE
		pod_exec $t-"$1" -w 10 -t mangle -A PREROUTING -i eth9 -p tcp -j RETURN
		pod_exec $t-"$1" -w 10 -t filter -A INPUT -i eth9 -p tcp --dport 23 -j ACCEPT
	done
}

# Drift in every table that does not decide about the probed connections
drift() {
	local t
	if [ "$1" = native ]; then
		for t in nat mangle raw; do pod_exec nft add rule inet istio-proxy-$t istio-output tcp dport 99 counter accept 2>/dev/null || :; done
		pod_exec nft add rule inet istio-proxy-nat istio-output tcp dport 99 counter accept
		return
	fi
	[ "$1" = legacy ] || set -- nft
	for t in iptables ip6tables; do
		pod_exec $t-"$1" -w 10 -t nat -D ISTIO_INBOUND 1
		pod_exec $t-"$1" -w 10 -t nat -I ISTIO_OUTPUT 1 -p tcp --dport 99 -j ACCEPT
		pod_exec $t-"$1" -w 10 -t raw -F ISTIO_INBOUND
		pod_exec $t-"$1" -w 10 -t mangle -N ISTIO_ODD
		pod_exec $t-"$1" -w 10 -t mangle -F ISTIO_DROP
	done
}

# The start of a scenario, and its command in 'deed'
begin() {
	local -a w
	IFS=- read -ra w <<<"$1"
	PROBE=true
	foreign legacy
	foreign nft
	pod_exec nft 'table inet mine { chain c { type filter hook output priority 0; tcp dport 1 counter accept; }; }'
	state >/run/bare
	case $1 in
	fresh-*) PROBE=false deed=(apply --store "${w[1]}" "${CRASH_SETTINGS[@]}") ;;
	repair-*)
		crash_apply "${w[1]}"
		drift "${w[1]}"
		deed=(apply --store "${w[1]}" "${CRASH_SETTINGS[@]}")
		;;
	flush-*) PROBE=false deed=(flush); crash_apply "${w[1]}" ;;
	move-*) crash_apply "${w[1]}"; deed=(apply --store "${w[2]}" "${CRASH_SETTINGS[@]}") ;;
	undo-*)
		begin_undo "${1#undo-}"
		deed=(undo)
		return
		;;
	tproxy-*)
		PROBE=false
		crash_apply legacy
		deed=(apply --store "${w[1]}" "${CRASH_SETTINGS[@]}" ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY)
		;;
	esac
	rm -rf /run/state # so that the only change that can be undone is the one that is killed
}

begin_undo() {
	local -a deed v
	IFS=- read -ra v <<<"$1"
	case $1 in
	fresh-*) PROBE=false deed=(apply --store "${v[1]}" "${CRASH_SETTINGS[@]}") ;;
	repair-*) crash_apply "${v[1]}"; drift "${v[1]}"; deed=(apply --store "${v[1]}" "${CRASH_SETTINGS[@]}") ;;
	flush-*) PROBE=false deed=(flush); crash_apply "${v[1]}" ;;
	move-*) crash_apply "${v[1]}"; deed=(apply --store "${v[2]}" "${CRASH_SETTINGS[@]}") ;;
	tproxy-*)
		PROBE=false
		crash_apply legacy
		deed=(apply --store "${v[1]}" "${CRASH_SETTINGS[@]}" ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY)
		;;
	esac
	rm -rf /run/state # what is undone is the only change
	crash_cnish "${deed[@]}"
}

keep() {
	rm -rf /run/kept
	mkdir -p /run/kept
	pod_exec bash -c 'for t in iptables-legacy ip6tables-legacy iptables-nft ip6tables-nft; do $t-save >/run/kept/$t; done
		echo flush ruleset
		for t in $(nft list tables inet | cut -d " " -f 3); do nft list table inet "$t"; done' 2>/dev/null >/run/kept/nft
	for t in iptables-legacy ip6tables-legacy; do # what a restore does not name stays
		for f in raw mangle nat filter; do
			grep -q "^\*$f" "/run/kept/$t" || printf '*%s\nCOMMIT\n' $f >>"/run/kept/$t"
		done
	done
	state >/run/kept/state
	printf 'rule del fwmark 0x539\nroute flush table 133\n' >/run/kept/ip4
	cp /run/kept/ip4 /run/kept/ip6
	if grep -q 'inet6 ::6' /run/kept/state; then echo addr replace ::6/128 dev lo; else echo addr del ::6/128 dev lo; fi >>/run/kept/ip6
	[ ! -d /run/state ] || cp -a /run/state /run/kept/undo
}

# back: the kept state again, with nobody probing
back() {
	! $PROBE || kill -STOP "${PROBERS[@]}"
	pod_exec bash -c 'cd /run/kept; nft -f nft; iptables-legacy-restore <iptables-legacy; ip6tables-legacy-restore <ip6tables-legacy
		[ ! -s iptables-nft ] || iptables-nft-restore <iptables-nft; [ ! -s ip6tables-nft ] || ip6tables-nft-restore <ip6tables-nft
		ip -force -batch ip4; ip -6 -force -batch ip6' >/dev/null 2>&1 || :
	rm -rf /run/state
	[ ! -d /run/kept/undo ] || cp -a /run/kept/undo /run/state
	! $PROBE || { kill -USR1 "${PROBERS[@]}"; kill -CONT "${PROBERS[@]}"; }
}

same() {
	state >/run/now
	[ "$(</run/now)" = "$(<"$1")" ] || { echo "$2"; diff "$1" /run/now; cat /run/out; exit 1; }
}

# each_old_or_new WHERE: nothing but tables of before or after, and what both have
each_old_or_new() {
	state >/run/now
	! grep -vE '^(routing|guardrails)' /run/now | grep -vxFf /run/either || { echo "$1: a table is neither old nor new"; exit 1; }
	! grep -vxFf /run/now /run/common || { echo "$1: a table is gone"; exit 1; }
}

# Nobody can tell old rules from new ones by where a connection arrives.
probe_once() {
	local reply
	reply=$(pod_connect -u 1000 -g 1000 -w 40 tcp "$SERVICE_IP" 80) || :
	[[ $reply == *'"reply":null'* || $reply == *'"port":15001,'* ]] || { echo "$1: out: $reply"; exit 1; }
	reply=$(node_connect -w 40 tcp "$POD_IP6" 8080) || :
	[[ $reply == *'"reply":null'* || $reply == *'"port":15006,'* ]] || { echo "$1: in: $reply"; exit 1; }
}

start_probers() {
	local i=0 a
	PROBERS=()
	for a in "$SERVICE_IP" "$SERVICE_IP6"; do
		i=$((i + 1))
		nsenter --net=/run/netns/pod -- "$TOOLS/prober" -u 1000 -g 1000 /run/probes.out$i "$a" 80 3>&- &
		PROBERS+=($!)
	done
	for a in "$POD_IP" "$POD_IP6"; do
		i=$((i + 1))
		"$TOOLS/prober" /run/probes.in$i "$a" 8080 3>&- &
		PROBERS+=($!)
	done
	for a in out1 out2 in3 in4; do until_true test -s /run/probes.$a; done
}

# judge_probers WHERE: all that was answered was answered by the proxy
judge_probers() {
	local a counts
	CONNECTIONS=0
	for a in out1:15001 out2:15001 in3:15006 in4:15006; do
		read -r counts </run/probes.${a%:*}
		[[ $counts =~ ^([0-9]+)( none=[0-9]+)?( ${a#*:}=[0-9]+)?$ ]] || { echo "$1: ${a%:*} bypassed: $counts"; exit 1; }
		CONNECTIONS=$((CONNECTIONS + BASH_REMATCH[1]))
	done
}

# ways SCENARIO: what heals it after a kill
ways() {
	case $1 in
	undo-*) echo again ;;
	flush-*) echo again undo ;;
	*) echo again undo flush ;;
	esac
}

# Nobody probes meanwhile: without rules there is no proxy to arrive at. 'back' sets the probers going again.
heal_by_flush() {
	! $PROBE || { judge_probers "$1"; kill -STOP "${PROBERS[@]}"; }
	crash_cnish flush || { echo "$1"; cat /run/out; exit 1; }
	same /run/bare "$1"
}

# one_point SCENARIO N WHERE HOW: kill, look, heal by a second run, an undo or a flush
one_point() {
	local status=99 tries label flag=()
	label="$1, call $(sed -n "$2p" /run/points), $3, $4"
	[ "$3" = before ] || flag=(-a)
	for ((tries = 0; tries < 3 && status == 99; tries++)); do # counters of a stray packet are a call more
		status=0
		back
		"$TOOLS/killat" -n "$2" "${flag[@]}" -- "$CNISH" -t netns:pod --yes istio "${deed[@]}" >/run/out 2>&1 || status=$?
	done
	[ $status = 137 ] || { echo "$label: status $status"; cat /run/out; exit 1; }
	each_old_or_new "$label"
	! $PROBE || probe_once "$label"
	if [ "$4" = again ]; then
		# an undo that was killed when all was done and noted has nothing left to undo: status 3
		crash_cnish "${deed[@]}" || { [ $? = 3 ] && [[ $1 = undo-* ]]; } || { echo "$label"; cat /run/out; exit 1; }
		same /run/after "$label"
	elif [ "$4" = flush ]; then
		heal_by_flush "$label"
	else
		crash_cnish undo || [ $? = 3 ] || { echo "$label"; cat /run/out; exit 1; }
		same /run/kept/state "$label"
	fi
	! $PROBE || [ "$4" = flush ] || judge_probers "$label"
	POINTS=$((POINTS + 1))
}

# crash_run SCENARIO [EVERY SEED]
crash_run() {
	local every=${2:-1} n i where how count=${3:-0}
	local -a deed CRASH_SETTINGS=(DUAL_STACK=true REDIRECT_DNS=true CAPTURE_ALL_DNS=true DROP_INVALID=true)
	POINTS=0 CONNECTIONS=0
	begin "$1"
	keep
	"$TOOLS/killat" -l -- "$CNISH" -t netns:pod --yes istio "${deed[@]}" 3>/run/points >/run/out 2>&1 || { cat /run/out; exit 1; }
	state >/run/after
	# again as each time from now on: tables whose counters are nothing take fewer calls
	(PROBE=false && back)
	"$TOOLS/killat" -l -- "$CNISH" -t netns:pod --yes istio "${deed[@]}" 3>/run/points >/run/out 2>&1 || { cat /run/out; exit 1; }
	same /run/after "$1, a second time"
	sort -u /run/kept/state /run/after >/run/either
	comm -12 /run/kept/state /run/after | grep -vE '^(routing|guardrails)' >/run/common || :
	n=$(wc -l </run/points)
	if $PROBE; then
		pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
		pod_standin -n app -u 1000 -g 1000 tcp/8080 >/dev/null
		node_standin tcp/80 >/dev/null
		start_probers
	fi
	for ((i = 1; i <= n; i++)); do
		for where in before after; do
			for how in $(ways "$1"); do
				count=$((count + 1))
				[ $((count % every)) != 0 ] || one_point "$1" "$i" "$where" "$how"
			done
		done
	done
	echo "$1: $n calls, $POINTS kills, $CONNECTIONS connections meanwhile"
}
