#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# readonly - looking leaves a namespace exactly as it was, also when it is killed
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"

# Every command that only looks, with an option or two that take other ways through the program.
looks() {
	printf '%s\n' pods info 'info -o json' tables 'tables -o json' 'tables -o save' 'tables -o nft' \
		'tables -4 --table nat' diff 'diff -o json' sockets 'sockets --all -o json' conns 'conns -o json' \
		'istio show' 'istio show -o save' 'istio verify' 'istio verify -o json' \
		"trace out tcp $SERVICE_IP:80 uid 1000" "trace in tcp $FAR_IP:999 -> $POD_IP:8080" \
		"trace out tcp [$SERVICE_IP6]:80 uid 1337 -o json" "trace out udp $FAR_IP:53 --all" \
		"trace out icmp $NODE_IP"
}

# state_of NS: what is to stay the same. Reads with the kernel's own files and with nft, ip and
# conntrack, never with the legacy tools, which make tables.
state_of() {
	local f
	echo "== legacy"
	in_ns "$1" cat /proc/thread-self/net/ip_tables_names /proc/thread-self/net/ip6_tables_names
	echo "== nftables"
	in_ns "$1" "$TOOLS/nftgen"
	in_ns "$1" nft -a list ruleset 2>/dev/null
	echo "== loggers"
	for f in /proc/sys/net/netfilter/nf_log/*; do in_ns "$1" cat "$f"; done
	echo "== links, routes"
	in_ns "$1" ip -d link
	in_ns "$1" ip -o addr | sed 's/valid_lft.*//'
	in_ns "$1" ip route show table all
	in_ns "$1" ip -6 route show table all | sed 's/ expires [0-9]*sec//'
	in_ns "$1" ip rule
	echo "== sockets"
	# netlink: protocol and port (the kernel's own are 0); the rest: local and remote end
	in_ns "$1" awk 'FNR > 1 && $3 != 0 { print $2, $3 }' /proc/thread-self/net/netlink
	for f in tcp tcp6 udp udp6 raw raw6 packet; do
		in_ns "$1" awk -v f=$f 'FNR > 1 { print f, $2, $3 }' "/proc/thread-self/net/$f"
	done
	echo "== connections"
	in_ns "$1" cat /proc/sys/net/netfilter/nf_conntrack_count
}

# What is not a namespace's: processes, modules, the lock of the xtables tools.
state_of_node() {
	local p
	echo "== processes"
	for p in /proc/[0-9]*/comm; do
		# of others only the long-lived ones: the shells of this test come and go
		case $(cat "$p" 2>/dev/null || true) in cnish | sleep | standin | envoy) echo "$p" ;; esac
	done
	echo "== modules"
	cat /proc/modules 2>/dev/null || true
	echo "== lock"
	stat -c '%n %i %s %X %Y %Z' /run/xtables.lock 2>&1 || true
	ls -A /run
}

# The whole state; the files it is kept in exist before, since /run is part of it.
take() {
	state_of_node
	echo "=== pod"
	state_of pod
}

# "! cmd" does not end a function under set -e, "absent cmd" does
absent() { ! "$@"; }

begin() {
	touch /run/out /run/err /run/.before /run/.after
	take >/run/.before
}

# The command's own status does not matter here (diff and verify find things), but a usage error
# would mean that nothing was looked at.
look() {
	local status=0
	# shellcheck disable=SC2086
	"$CNISH" --runtime none -t "$1" $2 >/run/out 2>/run/err </dev/null || status=$?
	if [ $status -gt 1 ]; then
		echo "cnish $2: status $status: $(cat /run/err)"
		return 1
	fi
}

each_look() {
	local target=$1 command
	begin
	while IFS= read -r command; do
		look "$target" "$command"
		take >/run/.after
		diff /run/.before /run/.after || { echo "changed by: $command"; return 1; }
	done < <(looks)
}

fresh() {
	each_look netns:pod
	# a namespace that nobody touched has no table, and still has none
	absent in_ns pod grep -q . /proc/thread-self/net/ip_tables_names /proc/thread-self/net/ip6_tables_names
	[ ! -e /run/xtables.lock ]
	[ "$(in_ns pod "$TOOLS/nftgen")" = "$(unshare -n "$TOOLS/nftgen")" ]
}
@test "looking at a fresh namespace changes nothing: no legacy table, no lock, no generation" { in_pod fresh; }

# From inside, as in an ephemeral container: the namespace is the program's own.
fresh_inside() {
	local command status
	begin
	while IFS= read -r command; do
		status=0
		# shellcheck disable=SC2086
		in_ns pod "$CNISH" --runtime none $command >/run/out 2>/run/err </dev/null || status=$?
		[ $status -le 1 ] || { echo "$command: $status: $(cat /run/err)"; return 1; }
		take >/run/.after
		diff /run/.before /run/.after || { echo "changed by: $command"; return 1; }
	done < <(looks)
	absent in_ns pod grep -q . /proc/thread-self/net/ip_tables_names /proc/thread-self/net/ip6_tables_names
}
@test "looking at the own fresh namespace changes nothing" { in_pod fresh_inside; }

# Istio in the legacy store, something else in nftables, a lock file that others use.
furnish() {
	pod_istio legacy
	pod_istio nft 1338 2>/dev/null
	pod_exec nft -f - <<-'N'
		table inet mine {
			set s { type ipv4_addr; flags timeout; elements = { 192.0.2.1 } }
			map m { type inet_service : verdict; elements = { 80 : accept } }
			counter c { }
			chain in { type filter hook input priority 0; tcp dport vmap @m; ip saddr @s counter name c; }
		}
	N
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 dual/15006 >/dev/null
	touch -d '2001-02-03' /run/xtables.lock
}

furnished() {
	furnish
	each_look netns:pod
}
@test "looking at a namespace with rules in all stores changes nothing" { in_pod furnished; }

# The system calls: no lock, no module, nothing set, only requests that get.
calls() {
	local command
	furnish
	while IFS= read -r command; do
		# shellcheck disable=SC2086
		strace -f -o /run/strace -s 256 "$CNISH" --runtime none -t netns:pod $command >/dev/null 2>&1 </dev/null || true
		absent grep -E 'xtables\.lock|(finit|init|delete)_module|flock\(' /run/strace
		absent grep -E '(IPT|IP6T)_SO_SET|setsockopt\([0-9]+, (SOL_IP|SOL_IPV6), (0x40|64|65)' /run/strace
		# every netlink request is one that gets; the first of a socket strace shows as a number (23, 25: counts of IPsec)
		grep -E 'send(to|msg|mmsg)\(' /run/strace | grep -oE 'nlmsg_type=[^,]*' | sed 's/ .*//' |
			grep -vE '(_|T)GET[A-Z]*$|SOCK_DIAG_BY_FAMILY|=0x(a(01|04|07|0a|0d|10|13|17)|101|12|14|16|1a|22|23|25|c00)$' >/run/asked || true
		absent grep . /run/asked
		# files are written nowhere but to the standard streams
		grep -E 'openat?\(.*O_(WRONLY|RDWR|CREAT)' /run/strace | grep -vE '/dev/(null|tty)' >/run/opened || true
		absent grep . /run/opened
	done < <(looks)
}
@test "the system calls of looking set, lock, load and write nothing" {
	command -v strace >/dev/null || skip "strace is not installed"
	in_pod calls
}

# Killed at any moment; 4 times each, which is about a hundred moments in all.
killed() {
	local command i pid
	furnish
	begin
	while IFS= read -r command; do
		for i in 1 2 3 4; do
			# shellcheck disable=SC2086
			"$CNISH" --runtime none -t netns:pod $command >/dev/null 2>&1 </dev/null &
			pid=$!
			sleep "0.0$((RANDOM % 4))$((RANDOM % 10))"
			kill -9 $pid 2>/dev/null || true
			wait $pid 2>/dev/null || true
		done
	done < <(looks)
	take >/run/.after
	diff /run/.before /run/.after
}
@test "killed at random moments, looking leaves nothing behind" { in_pod killed; }

killed_fresh() {
	local command pid
	begin
	while IFS= read -r command; do
		# shellcheck disable=SC2086
		"$CNISH" --runtime none -t netns:pod $command >/dev/null 2>&1 </dev/null &
		pid=$!
		sleep "0.00$((RANDOM % 10))"
		kill -9 $pid 2>/dev/null || true
		wait $pid 2>/dev/null || true
	done < <(looks)
	take >/run/.after
	diff /run/.before /run/.after
	absent in_ns pod grep -q . /proc/thread-self/net/ip_tables_names
}
@test "killed while looking at a fresh namespace: it is still fresh" { in_pod killed_fresh; }
