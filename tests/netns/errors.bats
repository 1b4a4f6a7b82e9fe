#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# errors - what may not be done, and what is no namespace: the status, and what the message names
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"

# fails STATUS PATTERN COMMAND...: ends so, and says so in one line on standard error
fails() {
	local want=$1 pattern=$2 status=0
	shift 2
	"$@" >/run/out 2>/run/err </dev/null || status=$?
	if [ $status != "$want" ] || ! grep -qE "$pattern" /run/err || [ "$(wc -l </run/err)" != 1 ]; then
		echo "$*: status $status: $(cat /run/out /run/err)"
		return 1
	fi
}

# The checkout may be where an ordinary user cannot look.
copy_program() {
	mkdir /run/bin
	cp "$CNISH" /run/bin/cnish
	chmod 755 /run /run/bin /run/bin/cnish
	CNISH=/run/bin/cnish
}

nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"; }
without() { setpriv --bounding-set "-$1" --inh-caps "-$1" -- "${@:2}"; }

ordinary_user() {
	copy_program
	pod_istio legacy
	pod_exec nft add table inet mine
	# a process of root: its namespace link is not to be looked at
	fails 4 CAP_SYS_PTRACE nobody "$CNISH" --runtime none -t "pid:$POD_PID" sockets
	# a namespace that may be looked at but not entered
	fails 4 CAP_SYS_ADMIN nobody "$CNISH" --runtime none -t netns:pod conns
	fails 4 CAP_SYS_ADMIN nobody "$CNISH" --runtime none -t netns:pod exec true
	fails 4 CAP_ nobody "$CNISH" --runtime none -t netns:pod tables
	# the own namespace, without the right to ask for its rules
	fails 4 CAP_NET_ADMIN in_ns pod setpriv --reuid 65534 --regid 65534 --clear-groups -- \
		"$CNISH" --runtime none tables --store native
	# the same as an object
	nobody "$CNISH" --runtime none -t netns:pod -o json conns >/run/json 2>/run/err || true
	jq -e '.error.code == "permission" and (.error.why | contains("CAP_SYS_ADMIN"))' /run/json
}
@test "an ordinary user: status 4, and the capability is named" { in_pod ordinary_user; }

net_admin_dropped() {
	pod_istio legacy
	pod_exec nft add table inet mine
	fails 4 CAP_NET_ADMIN without net_admin "$CNISH" --runtime none -t netns:pod conns
	fails 4 CAP_NET_ADMIN without net_admin "$CNISH" --runtime none -t netns:pod tables
	fails 4 CAP_NET_ADMIN without net_admin "$CNISH" --runtime none -t netns:pod trace out tcp "$FAR_IP:80" uid 1
	# what needs no capability works
	without net_admin "$CNISH" --runtime none -t netns:pod sockets
}
@test "CAP_NET_ADMIN dropped: status 4, and it is named" { in_pod net_admin_dropped; }

sys_admin_dropped() {
	fails 4 CAP_SYS_ADMIN without sys_admin "$CNISH" --runtime none -t netns:pod tables
	fails 4 CAP_SYS_ADMIN without sys_admin "$CNISH" --runtime none -t "pid:$POD_PID" conns
}
@test "CAP_SYS_ADMIN dropped: another namespace cannot be entered, and it is named" { in_pod sys_admin_dropped; }

# kubectl debug --profile=netadmin: NET_ADMIN and NET_RAW, in the pod's own namespace.
ephemeral_container() {
	pod_istio legacy
	pod_exec nft add table inet mine
	local c
	for c in 'tables -o json' 'sockets -o json' 'conns -o json' 'istio show -o json' \
		"trace out tcp $FAR_IP:80 uid 1000 -o json"; do
		# shellcheck disable=SC2086
		in_ns pod setpriv --bounding-set -all,+net_admin,+net_raw --inh-caps -all -- \
			"$CNISH" --runtime none $c >/run/json
		jq -e .schema /run/json
	done
	in_ns pod setpriv --bounding-set -all,+net_admin,+net_raw --inh-caps -all -- \
		"$CNISH" --runtime none tables -o json >/run/json
	jq -e '[.tables[].store] | index("legacy") and index("native")' /run/json
}
@test "with CAP_NET_ADMIN and CAP_NET_RAW alone the own namespace can be read" { in_pod ephemeral_container; }

not_a_namespace() {
	mkfifo /run/fifo
	touch /run/netns/file
	local t
	for t in netns:/etc/passwd netns:/dev/null netns:/dev/zero netns:/ netns:/run/fifo netns:/proc/self/ns/mnt \
		netns:/proc/1/ns/user netns:file; do
		fails 3 'is no network namespace' timeout 5 "$CNISH" --runtime none -t $t sockets
	done
	fails 3 'netns' "$CNISH" --runtime none -t netns:nosuch sockets
	fails 3 'network namespace' "$CNISH" --runtime none -t netns:/nosuch/path sockets
	fails 3 . "$CNISH" --runtime none -t pid:2147483600 sockets
	fails 3 . "$CNISH" --runtime none -t nosuchpod sockets
	fails 3 . "$CNISH" --runtime none -t inode:1 sockets
}

no_root() {
	fails 5 'root /nosuch: No such file' "$CNISH" --host-root /nosuch pods
	fails 5 'root /nosuch: No such file' "$CNISH" --host-root /nosuch -t shop/cart info
	fails 5 'Not a directory' "$CNISH" --host-root /etc/passwd pods
}
@test "a root of the node that is not there is said to be so, not a node without pods" { in_pod no_root; }
@test "what is no network namespace: status 3, said at once" { in_pod not_a_namespace; }

dies_between() {
	local pid status=0
	mkfifo /run/lines
	nsenter --net=/run/netns/pod sleep infinity &
	pid=$!
	until_true same_ns "/proc/$pid/ns/net" /run/netns/pod
	# the second line is only written when the first was answered and the process is gone
	"$CNISH" --runtime none -f - </run/lines >/run/out 2>/run/err &
	local cnish=$!
	exec 9>/run/lines
	printf 'use pid:%s\nsockets -o json\n' $pid >&9
	until_true grep -q '"cnish.sockets/1"' /run/out
	kill -9 $pid
	wait $pid || true
	printf 'sockets -o json\n' >&9
	exec 9>&-
	wait $cnish || status=$?
	[ $status = 3 ]
	[ "$(grep -c '"cnish.sockets/1"' /run/out)" = 1 ]
	grep -q "$pid" /run/out /run/err
}
@test "a process that dies between two commands: status 3, not the namespace of another" { in_pod dies_between; }

# The number of the dead process is given to another one, in another namespace.
number_reused() {
	local pid status=0
	mkfifo /run/lines
	nsenter --net=/run/netns/pod sleep infinity &
	pid=$!
	until_true same_ns "/proc/$pid/ns/net" /run/netns/pod
	"$CNISH" --runtime none -f - </run/lines >/run/out 2>/run/err &
	local cnish=$!
	exec 9>/run/lines
	printf 'use pid:%s\nsockets -o json\n' $pid >&9
	until_true grep -q '"cnish.sockets/1"' /run/out
	kill -9 $pid
	wait $pid || true
	echo $((pid - 1)) >/proc/sys/kernel/ns_last_pid
	sleep infinity &
	[ $! = $pid ] || { echo "the number was not given again" >&2; return 1; }
	printf 'sockets -o json\n' >&9
	exec 9>&-
	wait $cnish || status=$?
	kill $pid
	[ $status = 3 ]
}
@test "a process number that is given again is not taken for the same process" {
	[ -e /proc/sys/kernel/ns_last_pid ] || skip "the kernel has no ns_last_pid (CONFIG_CHECKPOINT_RESTORE)"
	in_pod number_reused
}

# What a person names may be no file at all: the node's /dev/null must be one afterwards.
odd_files() {
	local what
	ip link set lo up
	iptables-legacy -A INPUT -p tcp -j ACCEPT
	mknod /run/null c 1 3
	mknod /run/full c 1 7
	mkfifo /run/fifo
	mkdir /run/folder
	echo old >/run/file
	ln -s file /run/link
	for what in save bundle; do
		"$CNISH" $what /run/null
		[ "$(stat -c %F /run/null)" = 'character special file' ]
		fails 5 "/run/full.*No space left" "$CNISH" $what /run/full
		[ "$(stat -c %F /run/full)" = 'character special file' ]
		fails 5 "/run/folder.*Is a directory" "$CNISH" $what /run/folder
		timeout 10 cat /run/fifo >/run/read &
		"$CNISH" $what /run/fifo
		wait $!
		"$CNISH" $what /run/link
		[ "$(readlink /run/link)" = file ]
		"$CNISH" $what /run/file
		[ "$(head -c 12 /run/read)" = "$(head -c 12 /run/link)" ]
		[ "$(wc -c </run/read)" -gt 60 ]
		! grep -q old /run/link || false
		fails 2 "no name.*/dev/stdout" "$CNISH" $what -
		fails 2 "no name" "$CNISH" $what ''
		[ ! -e - ] && [ ! -e -.legacy.ip ]
	done
	"$CNISH" --runtime none save /run/link
	iptables-legacy-save | grep -v '^#' | diff <(grep -v '^#' /run/link) -
}
@test "save and bundle: devices, pipes, folders and links stay what they are" { sandbox odd_files; }

said_what_to_do() {
	local status=0
	"$CNISH" --version >/dev/full 2>/run/err || status=$?
	[ $status = 5 ]
	grep 'No space left' /run/err
	fails 2 'trace tcp [0-9.]+:80.*help trace' "$CNISH" trace
	fails 2 'trace tcp [0-9.]+:80.*help trace' "$CNISH" trace udp
	fails 2 'quit: cannot be repeated' timeout 10 "$CNISH" watch quit
}
@test "what is missing is said with an example; output that does not arrive is told" { sandbox said_what_to_do; }
