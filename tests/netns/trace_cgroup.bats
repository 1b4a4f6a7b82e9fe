#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# trace_cgroup - control groups of version 2, of senders and of sockets, beside the kernel's trace

setup() {
	source "$TOP/tests/lib/pod.sh"
	source "$TOP/tests/lib/ktrace.sh"
	export CNISH TOOLS TOP
	export WORK=$BATS_TEST_TMPDIR
	HERE=$(findmnt -rn -t cgroup2 -o TARGET | head -1)
	[ -n "$HERE" ] && [ "$(stat -c %i "$HERE")" = 1 ] || skip "the root of cgroup2 is not mounted here"
	GROUP=/cnish-test-$BASHPID
	export HERE GROUP
	mkdir "$HERE$GROUP" 2>/dev/null || skip "no control group can be made"
	mkdir -p "$HERE$GROUP/a/b" "$HERE$GROUP/c"
}

teardown() {
	local i
	for ((i = 0; i < 500; i++)); do # processes of the sandbox are about to end
		find "$HERE$GROUP" -depth -type d -exec rmdir {} + 2>/dev/null
		[ -e "$HERE$GROUP" ] || break
		sleep 0.02
	done
}

# nft takes paths below /sys/fs/cgroup, whatever is mounted there.
mounted() { mount --bind "$HERE" /sys/fs/cgroup; }
in_group() { bash -c 'echo 0 >"/sys/fs/cgroup$0/cgroup.procs" && exec "$@"' "$GROUP/$1" "${@:2}"; }

levels() {
	printf 'socket cgroupv2 level %s counter\n' '0 "/"' "1 \"${GROUP#/}\"" "2 \"${GROUP#/}/a\"" "3 \"${GROUP#/}/a/b\"" "2 \"${GROUP#/}/c\"" \
		"2 != \"${GROUP#/}/a\"" "3 != \"${GROUP#/}/a/b\"" "4 != \"${GROUP#/}/a\"" '2 @known' '2 != @known'
}
# paths CHAIN
paths() {
	printf -- "-A $1 -m cgroup %s\n" "--path $GROUP/a" "! --path $GROUP/a" "--path ${GROUP#/}/a/b/" "! --path $GROUP/a/b" "--path /" "! --path $GROUP/c"
}

rules() {
	pod_exec nft -f - <<-EOF
	table ip s {
		set known { type cgroupsv2; elements = { "${GROUP#/}/c" } }
		chain out { type filter hook output priority 10; $(levels | tr '\n' ';') }
		chain pre { type filter hook prerouting priority 10; $(levels | tr '\n' ';') }
		chain in { type filter hook input priority 10; $(levels | tr '\n' ';') }
	}
	EOF
	{ printf '*filter\n'; paths OUTPUT; paths INPUT; printf 'COMMIT\n*mangle\n'; paths POSTROUTING; echo COMMIT; } >"$WORK/paths"
	pod_exec iptables-legacy-restore --noflush <"$WORK/paths"
	pod_exec iptables-nft-restore --noflush <"$WORK/paths"
}

# same WORD...: the kernel's trace of what runs is that of "trace WORD..."
same() {
	"$CNISH" -o json -t netns:pod trace --all "$@" >"$WORK/cnish.json"
	"$TOP/tests/lib/validate" trace <"$WORK/cnish.json"
	ktrace_words <"$WORK/kernel.json" | grep -v -f <(echo "${LEAVE:-^$}") | sort >"$WORK/want"
	ktrace_cnish_words <"$WORK/cnish.json" | grep -v -f <(echo "${LEAVE:-^$}") | sort >"$WORK/got"
	[ "$(wc -l <"$WORK/want")" -gt 8 ] && diff "$WORK/want" "$WORK/got" &&
		[ "$(jq "[.steps[] | select(.matched == null)] | length" "$WORK/cnish.json")" = "${UNSURE:-0}" ] && return 0
	echo "trace $*: the kernel (<) and cnish (>) differ"
	jq -c '.steps[] | select(.matched == null)' "$WORK/cnish.json"
	return 1
}

senders() {
	local g to
	mounted
	rules
	ktrace_on
	in_group c "$TOOLS/standin" -d tcp/7000 >/dev/null
	pod_exec bash -c "$(declare -f in_group); in_group c '$TOOLS/standin' -d tcp/7000" >/dev/null
	for g in . a a/b c; do
		for to in 10.0.1.1:7000 10.0.1.39:7000; do
			in_group "$g" nsenter --net=/run/netns/pod -- "$TOOLS/ktrace" -o "$WORK/answer" "$TOOLS/connect" -w 300 -u 0 -g 0 tcp "${to%:*}" 7000 >"$WORK/kernel.json"
			same out tcp "$to" uid 0 cgroupv2 "$GROUP/${g#.}"
		done
	done
	# what comes in is the listener's
	pod_exec "$TOOLS/ktrace" -o "$WORK/answer" nsenter --net=/proc/1/ns/net -- "$TOOLS/connect" -w 300 tcp 10.0.1.39 7000 >"$WORK/kernel.json"
	same in tcp 10.0.1.1 to 10.0.1.39:7000
	# a bundle knows the groups of sockets; of others the path
	"$CNISH" -t netns:pod bundle "$WORK/bundle.json"
	"$TOP/tests/lib/validate" bundle <"$WORK/bundle.json"
	"$CNISH" -o json -t "file:$WORK/bundle.json" trace --all in tcp 10.0.1.1 to 10.0.1.39:7000 >"$WORK/offline.json"
	diff <(jq -S '.steps | map(del(.nft))' "$WORK/cnish.json") <(jq -S '.steps | map(del(.nft))' "$WORK/offline.json")
	"$CNISH" -o json -t "file:$WORK/bundle.json" trace --all out tcp 10.0.1.1:7000 cgroupv2 "$GROUP/a" >"$WORK/offline.json"
	jq -e '[.steps[] | select(.chain == "OUTPUT" and .table == "filter" and .store == "legacy" and .matched) | .rule] == [1, 4, 5, 6, null]' "$WORK/offline.json"
	jq -e '[.steps[] | select(.chain == "out" and .rule == 3) | .matched] == [null]' <("$CNISH" -o json -t "file:$WORK/bundle.json" trace --all out tcp 10.0.1.1:7000 cgroupv2 "$GROUP/a/b")
	# one that was made before that is still read
	jq 'del(.network.cgroups, .network.cgroups_unread, .network.sockets[].cgroup)' "$WORK/bundle.json" >"$WORK/old.json"
	"$CNISH" -t "file:$WORK/old.json" trace out tcp 10.0.1.1:7000 | grep -q "cgroupv2) is not given"
}

@test "senders and listeners in control groups: nft's levels and xt's paths as the kernel has them" {
	in_pod senders
}

# Segments that carry data
later() {
	local port said=said$RANDOM
	mounted
	rules
	mkfifo "$WORK/client"
	nc -l 10.96.0.10 80 >"$WORK/server.got" 2>/dev/null 3>&- < <(sleep infinity) &
	until_true sh -c 'ss -Hltn | grep -q 10.96.0.10:80'
	in_group a/b nsenter --net=/run/netns/pod -- nc 10.96.0.10 80 <>"$WORK/client" >/dev/null 2>&1 3>&- &
	until_true pod_exec sh -c 'ss -Htn state established | grep -q 10.96.0.10'
	port=$(pod_exec ss -Htn state established | sed -n 's/.*10.0.1.39:\([0-9]*\) .*/\1/p')
	pod_exec nft -f - <<-EOF
	table inet ktrace {
		chain output { type filter hook output priority -500; tcp flags & psh == psh meta nftrace set 1; }
		chain prerouting { type filter hook prerouting priority -500; tcp flags & (psh | ack) == ack tcp sport 80 meta nftrace set 1; }
	}
	EOF
	pod_exec "$TOOLS/ktrace" bash -c "echo $said >'$WORK/client'; until grep -q $said '$WORK/server.got'; do sleep 0.02; done; sleep 0.2" >"$WORK/all.json"
	# without the word: it is the socket's
	grep -v '"chain":"\(pre\|prerouting\|PREROUTING\|in\|input\|INPUT\)"' "$WORK/all.json" >"$WORK/kernel.json"
	same out tcp "10.0.1.39:$port" to 10.96.0.10:80 uid 0 flags psh,ack
	# the answer: a connected socket; whether one was looked for before INPUT is not known
	grep '"chain":"\(pre\|prerouting\|PREROUTING\|in\|input\|INPUT\)"' "$WORK/all.json" >"$WORK/kernel.json"
	LEAVE='filter INPUT [0-9]' UNSURE=8 same in tcp 10.96.0.10:80 to "10.0.1.39:$port" flags ack
	# of what it leaves open, each is what the kernel says
	diff <(ktrace_words <"$WORK/kernel.json" | grep -c 'filter INPUT [0-9]') <(jq '[.steps[] | select(.matched == null)] | length' "$WORK/cnish.json")
	# by the number of the group, or by a walk where that is not allowed
	"$CNISH" -t netns:pod -o jsonl trace --from-sockets >"$WORK/got.jsonl"
	jq -e --arg g "$GROUP/a/b" 'select(.packet.sport == '"$port"') | .packet.cgroupv2 == $g' "$WORK/got.jsonl"
	setpriv --bounding-set -dac_read_search "$CNISH" -t netns:pod -o jsonl trace --from-sockets | diff "$WORK/got.jsonl" -
	setpriv --bounding-set -dac_read_search env ASAN_OPTIONS=detect_leaks=0 strace -qq -o "$WORK/calls" -e trace=open_by_handle_at "$CNISH" -t netns:pod -o jsonl trace --from-sockets >/dev/null &&
		grep -q EPERM "$WORK/calls"
	# only where a rule asks
	pod_exec nft delete table ip s
	pod_exec sh -c 'for t in filter mangle; do iptables-legacy -t $t -F; iptables-nft -t $t -F; done'
	ASAN_OPTIONS=detect_leaks=0 strace -qq -o "$WORK/calls" -e trace=open_by_handle_at "$CNISH" -t netns:pod -o jsonl trace --from-sockets >/dev/null
	[ ! -s "$WORK/calls" ]
}

@test "a connected socket's own control group, also without the word" {
	in_pod later
}

# What a rule counts from does not show: where that may matter nothing is claimed.
namespaced() {
	mounted
	in_group . unshare -C nsenter --net=/run/netns/pod -- nft -f - <<-EOF
	table ip s {
		chain out { type filter hook output priority 10; socket cgroupv2 level 1 "${GROUP#/}/a" counter; socket cgroupv2 level 1 != "${GROUP#/}/a" counter; }
	}
	EOF
	in_group . unshare -C nsenter --net=/run/netns/pod -- iptables-legacy -A OUTPUT -m cgroup --path /a
	ktrace_on
	in_group a/b nsenter --net=/run/netns/pod -- "$TOOLS/ktrace" -o "$WORK/answer" "$TOOLS/connect" -w 300 -u 0 -g 0 tcp 10.0.1.1 80 >"$WORK/kernel.json" || true
	"$CNISH" -o json -t netns:pod trace --all out tcp 10.0.1.1:80 cgroupv2 "$GROUP/a/b" >"$WORK/cnish.json"
	jq -e '[.steps[] | select(.rule and .table != "ktrace") | .matched] == [null, null, null]' "$WORK/cnish.json"
	jq -e '[.steps[] | select(.matched == null) | .why | contains("cgroup namespace")] | all' "$WORK/cnish.json"
	# and so it is, on kernels that count so
	if [ "$(printf '%s\n6.11\n' "$(uname -r)" | sort -V | head -1)" = 6.11 ]; then
		[ "$(ktrace_words <"$WORK/kernel.json" | grep -c 'legacy ip filter OUTPUT 1\|nft ip s out [0-9]* continue')" = 2 ]
	fi
	"$CNISH" -o json -t netns:pod trace --all out tcp 10.0.1.1:80 cgroupv2 "$GROUP/c" >"$WORK/cnish.json"
	jq -e '[.steps[] | select(.rule and .table != "ktrace") | .matched] == [false, false, true]' "$WORK/cnish.json"
}

@test "rules that were made in a cgroup namespace: unknown" {
	in_pod namespaced
}

wrong() {
	mounted
	pod_exec nft "add table ip s; add chain ip s out { type filter hook output priority 10; }; add rule ip s out socket cgroupv2 level 1 \"${GROUP#/}\" counter"
	run "$CNISH" -t netns:pod trace tcp 10.0.1.1:80 cgroupv2 "$GROUP/none"
	[ "$status" = 2 ] && [[ $output == *"there is no control group '$GROUP/none': No such file or directory"*"as /proc/PID/cgroup shows it"* ]]
	run "$CNISH" -t netns:pod trace tcp 10.0.1.1:80 cgroupv2 "$GROUP/cgroup.procs"
	[ "$status" = 2 ] && [[ $output == *"Not a directory"* ]]
	printf '%s\n' "tcp 10.0.1.1:80 cgroupv2 $GROUP" "tcp 10.0.1.1:80 cgroupv2 $GROUP/none" '{"protocol":"tcp","daddr":"10.0.1.1","dport":80,"cgroupv2":"'"$GROUP/c"'"}' |
		"$CNISH" -t netns:pod -o jsonl trace --all --from - >"$WORK/got.jsonl" || true
	cat "$WORK/got.jsonl"
	jq -es '[.[0, 2] | .steps[0].matched] == [true, true]' "$WORK/got.jsonl"
	run "$CNISH" -t netns:pod trace --verify tcp 10.0.1.1:80 cgroupv2 "$GROUP"
	[ "$status" = 5 ] && [[ $output == *"would have to come from that cgroup"* ]]
	# it cannot be read: unknown, with the reason
	mount -t tmpfs none /sys/fs/cgroup
	[ ! -e "$HERE" ] || mount -t tmpfs none "$HERE"
	"$CNISH" -t netns:pod trace tcp 10.0.1.1:80 cgroupv2 "$GROUP" >"$WORK/text"
	grep -q 'perhaps: .*the root of the control groups (cgroup2) is not mounted here' "$WORK/text"
}

@test "control groups that are not there, and those that cannot be read" {
	in_pod wrong
}
