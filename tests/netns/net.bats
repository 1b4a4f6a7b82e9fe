#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# net - sockets, conns and exec against what ss, conntrack and the kernel say
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"

listeners() {
	local tcp udp
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 dual/15006 udp/15053 >/dev/null
	pod_standin -n app -u 1000 -g 1000 -t tcp4/8080@127.0.0.1 tcp6/9090 >/dev/null
	# protocol, address:port, PID, name of each listener, as ss has it
	ss -N pod -H -tulnp | sed -E 's/%[^ ]*//' |
		awk '{ match($0, /"[^"]*"/); n = substr($0, RSTART + 1, RLENGTH - 2)
			match($0, /pid=[0-9]+/); print $1, $5, substr($0, RSTART + 4, RLENGTH - 4), n }' | sort >/run/want
	"$CNISH" -t netns:pod sockets -o json >/run/json
	jq -r '.sockets[] | [.protocol,
		(if .family == 6 and .v6only == false and .address == "::" and .protocol == "tcp" then "*"
		 elif .family == 6 then "[\(.address)]" else .address end) + ":\(.port)", .pid, .process] |
		join(" ")' /run/json | sort >/run/got
	[ -s /run/want ]
	diff /run/want /run/got
	jq -e '.sockets | all(.listening)' /run/json
	jq -e '[.sockets[] | select(.port == 15001)] | length == 2 and all(.uid == 1337)' /run/json
	jq -e '.sockets[] | select(.port == 8080) | .transparent and .uid == 1000' /run/json
	jq -e '.sockets[] | select(.port == 15006) | .v6only == false' /run/json
	jq -e '.sockets[] | select(.port == 9090) | .v6only' /run/json
}
@test "sockets: listeners and their processes are those of ss" { in_pod listeners; }

foreign_holder() {
	# made inside, held outside: as ztunnel does
	nsenter --net=/run/netns/pod perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0); setsockopt(S, SOL_SOCKET,
		SO_REUSEADDR, 1); bind(S, sockaddr_in(7777, INADDR_ANY)) && listen(S, 1) or die; $^F = 99;
		open(my $n, "<", "/proc/1/ns/net") or die; syscall(308, fileno($n), 0) == 0 or die;
		open(R, ">", "/run/ready"); close(R); sleep 1000' &
	until_true test -e /run/ready
	"$CNISH" -t netns:pod sockets -o json |
		jq -e --argjson pid $! '.sockets[] | select(.port == 7777) | .pid == $pid and .process == "perl"'
}
@test "sockets: a listener held by a process of another namespace is found" { in_pod foreign_holder; }

connections() {
	node_standin tcp/80 udp/53 >/dev/null
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 >/dev/null
	pod_istio legacy
	local a
	for a in "$SERVICE_IP" "$SERVICE_IP6"; do
		pod_connect tcp "$a" 80
		pod_connect -u 1337 -g 1337 tcp "$a" 80
	done
	pod_connect udp "$FAR_IP" 53
	pod_connect icmp "$NODE_IP"
	pod_exec conntrack -L 2>/dev/null >/run/list
	# the first and second src, dst, sport, dport of each line are the two tuples
	awk '{ n = 0; line = $1; for (i = 1; i <= NF; i++) if ($i ~ /^(src|dst|sport|dport)=/) {
			split($i, kv, "="); line = line " " kv[2] } print line }' /run/list | grep -v icmp | sort -u >/run/want
	"$CNISH" -t netns:pod conns -o json >/run/json
	jq -r '.connections[] | select(.icmp == null) | [.protocol, (.original, .reply | .src, .dst, .sport, .dport)] |
		join(" ")' /run/json | sort >/run/got
	[ "$(wc -l </run/want)" -ge 5 ]
	diff /run/want /run/got
	jq -e '.connections | map(select(.redirected)) | length == 2 and
		all(.reply.sport == 15001 and .original.dport == 80 and (.flags | index("dnat")))' /run/json
	jq -e '.connections[] | select(.protocol == "icmp") | .icmp.type == 8' /run/json
	[ "$("$CNISH" -t netns:pod conns --nat -4 -o jsonl | wc -l)" = 1 ]
}
@test "conns: entries and their tuples are those of conntrack" { in_pod connections; }

marks_and_zones() {
	node_standin udp/53 >/dev/null
	pod_exec iptables-nft -t raw -A OUTPUT -p udp -j CT --zone-orig 7
	pod_exec iptables-nft -t mangle -A OUTPUT -j CONNMARK --set-mark 0x1234
	pod_exec sysctl -qw net.netfilter.nf_conntrack_acct=1
	pod_connect udp "$FAR_IP" 53 -n || true
	"$CNISH" -t netns:pod conns -o json |
		jq -e '.connections[0] | .mark == 4660 and .zone == 7 and .reply_zone == 0 and .packets == 1'
}
@test "conns: mark, zones and counters" { in_pod marks_and_zones; }

no_connections() {
	[ "$("$CNISH" -t netns:pod conns -o json | jq -c .connections)" = '[]' ]
}
@test "conns: a namespace that tracks nothing has an empty list" { in_pod no_connections; }

programs() {
	[ "$("$CNISH" -t netns:pod exec readlink /proc/self/ns/net)" = "net:[$(stat -Lc %i /run/netns/pod)]" ]
	[ "$("$CNISH" -t netns:pod exec readlink /proc/self/ns/mnt)" = "$(readlink /proc/self/ns/mnt)" ]
	[ "$("$CNISH" -t netns:pod -c '!cat /proc/self/net/dev | grep -c eth0')" = 1 ]
	status=0; "$CNISH" -t netns:pod exec sh -c 'exit 37' || status=$?
	[ $status = 37 ]
	status=0; "$CNISH" -t netns:pod exec sh -c 'kill -9 $$' || status=$?
	[ $status = 137 ]
	status=0; "$CNISH" -t netns:pod exec /no/such/program 2>/run/err || status=$?
	[ $status = 5 ]
	grep -q '/no/such/program' /run/err
	# options after the program are the program's; its words arrive as they are
	[ "$("$CNISH" -t netns:pod exec printf '%s|' -o json 'a b' '')" = '-o|json|a b||' ]
	# a dry run runs nothing
	[ "$("$CNISH" -t netns:pod --dry-run exec touch /run/touched)" = 'would run in netns:pod: touch /run/touched' ]
	[ ! -e /run/touched ]
	# standard input is the program's
	[ "$(echo hello | "$CNISH" -t netns:pod exec cat)" = hello ]
	# nothing of ours stays open in it
	[ "$("$CNISH" -t netns:pod exec ls /proc/self/fd)" = "$(ls /proc/self/fd)" ]
}
@test "exec: network of the target, all else of the caller; status passed on" { in_pod programs; }

signals() {
	local pid
	"$CNISH" -t netns:pod exec sh -c 'trap "echo term; exit 3" TERM; echo >/run/up; while :; do sleep 0.05; done' >/run/out &
	pid=$!
	until_true test -e /run/up
	kill -TERM $pid
	status=0; wait $pid || status=$?
	[ $status = 3 ]
	[ "$(cat /run/out)" = term ]
	# the program starts with the signals the caller had, whatever ours handles or blocks
	# (posix_spawn ignores two of glibc's own, 32 and 33; the caller may have been started so as well)
	"$CNISH" -t netns:pod exec awk '/^Sig(Blk|Ign):/ { print $1, substr($2, 9) }' /proc/self/status |
		sed 's/ 8/ 0/' >/run/got
	awk '/^Sig(Blk|Ign):/ { print $1, substr($2, 9) }' /proc/self/status | sed 's/ 8/ 0/' >/run/want
	diff /run/want /run/got
}
@test "exec: SIGTERM is passed on, the program starts with clean signals" { in_pod signals; }

schemas() {
	pod_standin -n envoy -u 1337 tcp/15001 udp/15053 >/dev/null
	node_standin tcp/80 udp/53 >/dev/null
	pod_istio legacy
	pod_connect -w 300 tcp "$SERVICE_IP" 80 || true
	pod_connect udp "$FAR_IP6" 53
	pod_connect icmp "$NODE_IP6"
	local c format
	for c in sockets conns; do
		for format in json jsonl; do
			"$CNISH" -t netns:pod -o $format $c | "$TOP/tests/lib/validate" $c
		done
	done
	"$CNISH" -t netns:pod -o json sockets --all | "$TOP/tests/lib/validate" sockets
}
@test "sockets, conns: the output is as their schemas say" { in_pod schemas; }

further_namespaces() {
	unshare -m -p -f -i -u --mount-proc --kill-child nsenter --net=/run/netns/pod sh -c 'hostname inner &&
		mount -t tmpfs none /mnt && echo secret >/mnt/file && echo $$ >/run/ready && exec sleep 1000' &
	local outer=$! pid status
	until_true test -s /run/ready
	until_true pgrep -P "$outer" -x sleep
	pid=$(pgrep -P "$outer" -x sleep)
	# what nsenter says is what exec says, for each choice of namespaces
	local script='hostname; cat /mnt/file 2>/dev/null; readlink /proc/self/ns/net; echo "$$"; exit 7'
	for pair in "-n:" "-n -m:--mount" "-n -p:--pid" "-n -m -p:-m -p" "-n -m -p -i -u -C:--all"; do
		local words=${pair#*:} status=0
		# shellcheck disable=SC2086
		nsenter -t "$pid" ${pair%%:*} sh -c "$script" >/run/want || status=$?
		[ "$status" = 7 ]
		status=0
		# shellcheck disable=SC2086
		"$CNISH" -t "$pid" exec $words sh -c "$script" >/run/got || status=$?
		[ "$status" = 7 ]
		diff <(sed '$d' /run/want) <(sed '$d' /run/got)
	done
	[ "$(tail -1 /run/got)" -lt 100 ] # a number of the target's
	status=0
	"$CNISH" -t "$pid" exec --all sh -c 'kill -TERM $$' || status=$?
	[ "$status" = 143 ]
	status=0
	"$CNISH" -t "$pid" exec --mount no-such-program 2>/run/err || status=$?
	[ "$status" = 5 ]
	grep -q 'no-such-program' /run/err
	# afterwards we are where we were
	[ "$("$CNISH" -c "-t $pid exec --all true" -c '!hostname')" = "$(hostname)" ]
	# a namespace without a process has no others
	status=0
	ip netns add empty
	"$CNISH" -t netns:empty exec --pid true 2>/run/err || status=$?
	[ "$status" = 3 ]
}
@test "exec: --mount, --pid and --all enter what nsenter enters" { in_pod further_namespaces; }

redirected_by() {
	node_standin tcp/80 >/dev/null
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 >/dev/null
	pod_istio legacy
	# shellcheck disable=SC2016
	pod_exec bash -c 'exec 5<>"/dev/tcp/$0/80"; : >/run/connected; sleep 1000' "$SERVICE_IP" &
	until_true test -e /run/connected
	"$CNISH" -t netns:pod conns -o json >/run/json
	"$TOP/tests/lib/validate" conns </run/json
	# the rule is the one whose counter moved, by iptables itself
	pod_exec iptables-legacy -t nat -S ISTIO_REDIRECT 1 -v | grep -q -- '-c [1-9]'
	jq -e --arg ip "$SERVICE_IP" '.connections[] | select(.original.dst == $ip) |
		.rule.store == "legacy" and .rule.table == "nat" and .rule.chain == "ISTIO_REDIRECT" and .rule.index == 1' /run/json
	jq -e '[.connections[] | select(.redirected | not)] | all(.rule == null)' /run/json
	# with the rule gone nothing is claimed
	pod_exec iptables-legacy -t nat -F ISTIO_REDIRECT
	"$CNISH" -t netns:pod conns -o json | jq -e --arg ip "$SERVICE_IP" '.connections[] | select(.original.dst == $ip) | .rule == null'
}
@test "conns: the rule that redirected a connection" { in_pod redirected_by; }

accepted() {
	pod_istio legacy
	pod_exec perl -MIO::Socket -e 'use POSIX; my $l = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => 15001,
		ReuseAddr => 1) or die; open(R, ">", "/run/up"); close R; my $c = $l->accept; sleep 1000' &
	until_true test -e /run/up
	pod_exec perl -MIO::Socket -e 'my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => 8080, Timeout => 10) or die;
		open(R, ">", "/run/connected"); close R; sleep 1000' "$SERVICE_IP" &
	until_true test -e /run/connected
	"$CNISH" -t netns:pod sockets --all -o json >/run/json
	"$TOP/tests/lib/validate" sockets </run/json
	jq -e --arg ip "$SERVICE_IP" '.sockets[] | select(.port == 15001 and (.listening | not)) |
		.original_address == $ip and .original_port == 8080 and .rule.chain == "ISTIO_REDIRECT" and .process == "perl"' /run/json
	"$CNISH" -t netns:pod conns -o json | jq -e '.connections[] | select(.original.dport == 8080) | .process == "perl" and .uid == 0'
}
@test "sockets: an accepted connection tells where it was meant to go, and by which rule it came" { in_pod accepted; }
