#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# trace_sources - connections out of conntrack, out of sockets and out of captures

setup() {
	source "$TOP/tests/lib/pod.sh"
	export CNISH TOOLS TOP
	export WORK=$BATS_TEST_TMPDIR
}

# held WHERE UID ADDRESS PORT: a connection that stays
held() { "$1" setpriv --reuid "$2" --regid "$2" --clear-groups nc "$3" "$4" < <(sleep infinity) >/dev/null 2>&1 3>&- & }
here() { "$@"; }
listening() { pod_exec setpriv --reuid 1337 --regid 1337 --clear-groups nc -lk "$@" >/dev/null 2>&1 3>&- & }

three_connections() {
	pod_istio legacy
	listening 0.0.0.0 15001
	listening 0.0.0.0 15006
	until_true pod_exec sh -c 'test "$(ss -Hltn | wc -l)" = 2'
	held pod_exec 1000 "$SERVICE_IP" 80	# to Envoy
	held here 0 "$POD_IP" 8080		# from the node, to Envoy too
	until_true pod_exec sh -c 'test "$(ss -Htn state established | wc -l)" = 3'
	pod_exec ip route add blackhole 198.51.100.0/24
}

# Of a traced connection: what was asked and where it came out, without the port the client took
export told='[.packet.path, .packet.saddr, .packet.daddr, .packet.dport, .packet.uid, .packet.gid,
	(.outcomes | map(.verdict + " " + .destination.address + ":" + (.destination.port | tostring)) | join("|"))] | @csv'

conns_and_sockets() {
	three_connections
	printf '%s\n' "\"in\",\"$NODE_IP\",\"$POD_IP\",8080,,,\"accept $POD_IP:15006\"" \
		"\"out\",\"$POD_IP\",\"$SERVICE_IP\",80,1000,1000,\"accept 127.0.0.1:15001\"" >"$WORK/want"
	for source in --from-conns --from-sockets; do
		"$CNISH" -t netns:pod -o jsonl trace "$source" >"$WORK/got.jsonl"
		"$TOP/tests/lib/validate" trace <"$WORK/got.jsonl"
		jq -r "$told" "$WORK/got.jsonl" | sort >"$WORK/got"
		diff "$WORK/want" "$WORK/got" || { echo "$source"; return 1; }
	done
	# the ports are those that conntrack(8) shows
	pod_exec conntrack -L 2>/dev/null | sed -n 's/.*src=\([^ ]*\) dst=[^ ]* sport=\([0-9]*\).* src=.*/\1 \2/p' | sort >"$WORK/want"
	"$CNISH" -t netns:pod -o jsonl trace --from-conns | jq -r '.packet | .saddr + " " + (.sport | tostring)' | sort >"$WORK/got"
	diff "$WORK/want" "$WORK/got"
	"$CNISH" -t netns:pod trace --from-sockets >"$WORK/text"
	grep -q "=> goes to 127.0.0.1:15001, where nc (pid [0-9]*, uid 1337) listens" "$WORK/text"
}

@test "--from-conns and --from-sockets: each connection once, with its owner and its first destination" {
	in_pod conns_and_sockets
}

# A server that connects its socket to who asked: no port listens any more, but conntrack knows who began
answering() {
	pod_exec nft 'add table ip t; add chain ip t i { type filter hook input priority 0; }; add rule ip t i ct state new counter'
	printf '%s\n' 'import socket, time' 's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)' 's.bind(("0.0.0.0", 6000))' \
		'd, a = s.recvfrom(10)' 's.connect(a)' 's.send(d)' 'time.sleep(60)' >"$WORK/server.py"
	printf '%s\n' 'import socket, time' 's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)' "s.connect((\"$POD_IP\", 6000))" \
		's.send(b"x")' 's.recv(10)' 'print("answered", flush=True)' 'time.sleep(60)' >"$WORK/client.py"
	pod_exec python3 "$WORK/server.py" >/dev/null 2>&1 3>&- &
	until_true pod_exec sh -c 'ss -Hlun | grep -q 6000'
	python3 "$WORK/client.py" >"$WORK/client" 2>&1 3>&- &
	until_true grep -q answered "$WORK/client"
	"$CNISH" -t netns:pod -o jsonl trace --from-sockets >"$WORK/got.jsonl"
	[ "$(pod_exec conntrack -L -p udp 2>/dev/null | sed -n 's/.* src=\([^ ]*\) dst=\([^ ]*\) sport=\([0-9]*\) dport=6000 src.*/in \1 \3 \2 6000/p')" = \
		"$(jq -r '.packet | .path + " " + .saddr + " " + (.sport | tostring) + " " + .daddr + " " + (.dport | tostring)' "$WORK/got.jsonl")" ]
}

@test "--from-sockets: who began is told by conntrack, where no port listens any more" {
	in_pod answering
}

captures() {
	pod_istio legacy
	"$TOP/tests/lib/pcapgen" "$WORK"
	"$CNISH" -t netns:pod -o jsonl trace --from "$WORK/lines" >"$WORK/want.jsonl"
	[ "$(wc -l <"$WORK/want.jsonl")" = "$(wc -l <"$WORK/lines")" ]
	for name in eth big-endian nano vlan qinq sll sll2 raw null short; do
		"$CNISH" -t netns:pod -o jsonl trace --pcap "$WORK/$name.pcap" >"$WORK/got.jsonl"
		diff "$WORK/want.jsonl" "$WORK/got.jsonl" || { echo "$name"; return 1; }
	done
	"$TOP/tests/lib/validate" trace <"$WORK/got.jsonl"
	"$CNISH" -t netns:pod -o jsonl trace --pcap - <"$WORK/eth.pcap" | diff "$WORK/want.jsonl" -
}

@test "--pcap: every link type gives the same connections as lines" {
	in_pod captures
}

hostile() {
	"$TOP/tests/lib/pcapgen" "$WORK"
	for name in bad-cut bad-lies; do
		"$CNISH" -t netns:pod -o jsonl trace --pcap "$WORK/$name.pcap" >"$WORK/got.jsonl" || { echo "$name"; return 1; }
	done
	for name in bad-link bad-none bad-torn missing; do
		status=0
		"$CNISH" -t netns:pod trace --pcap "$WORK/$name.pcap" >/dev/null 2>"$WORK/err" || status=$?
		[ "$status" = 5 ] && grep -q 'pcap' "$WORK/err" || { echo "$name: $status"; cat "$WORK/err"; return 1; }
	done
}

@test "--pcap: what is no capture, cut off or a lie is said or passed over" {
	in_pod hostile
}

without_library() {
	local lib
	lib=$(readlink -f "$(ldconfig -p | sed -n 's/.*libpcap.so.0.8.*=> //p' | head -1)")
	mount --bind /dev/null "$lib"
	status=0
	"$CNISH" -t netns:pod trace --pcap "$WORK/x.pcap" 2>"$WORK/err" || status=$?
	[ "$status" = 5 ]
	grep -q 'libpcap is not installed' "$WORK/err"
	"$CNISH" -t netns:pod trace out tcp 10.0.0.1:80 >/dev/null
}

@test "--pcap without libpcap says so; nothing else needs it" {
	in_pod without_library
}

one_of() {
	for words in '--from-conns --from-sockets' '--from-conns tcp 10.0.0.1' '--pcap x --from y'; do
		status=0
		"$CNISH" -t netns:pod trace $words >/dev/null 2>"$WORK/err" || status=$?
		[ "$status" = 2 ] || { echo "$words: $status"; return 1; }
	done
	echo '*nat
COMMIT' >"$WORK/rules"
	for words in --from-conns --from-sockets; do
		status=0
		"$CNISH" -t "file:$WORK/rules" trace $words >/dev/null 2>"$WORK/err" || status=$?
		[ "$status" = 2 ] || { echo "$words: $status"; return 1; }
	done
}

@test "one source at a time, and a file has no connections" {
	in_pod one_of
}

# A pod with hostUsers: false: its user 1000 is another one on the node.
own_users() {
	local pid
	unshare -U -n sleep infinity 3>&- &
	pid=$!
	until_true sh -c "! [ /proc/$pid/ns/user -ef /proc/self/ns/user ] && ! [ /proc/$pid/ns/net -ef /proc/self/ns/net ]"
	echo 0 100000 65536 >"/proc/$pid/uid_map"
	echo 0 100000 65536 >"/proc/$pid/gid_map"
	inside() { nsenter --net="/proc/$pid/ns/net" -- "$@"; }
	inside ip link set lo up
	inside nft -f - <<-EOF
	table ip t {
		chain o { type filter hook output priority 0; tcp dport 7000 meta skuid 1000 meta skgid 1001 counter; }
	}
	EOF
	inside nc -lk 127.0.0.1 7000 >/dev/null 2>&1 3>&- &
	until_true inside sh -c 'ss -Hltn | grep -q 7000'
	inside setpriv --reuid 101000 --regid 101001 --clear-groups nc 127.0.0.1 7000 < <(sleep infinity) >/dev/null 2>&1 3>&- &
	until_true inside sh -c 'ss -Htn state established | grep -q 7000'
	"$CNISH" -t "pid:$pid" -o jsonl trace --from-sockets >"$WORK/got.jsonl"
	jq -e '.packet.uid == 1000 and .packet.gid == 1001 and .steps[0].chain == "o" and .steps[0].matched' "$WORK/got.jsonl"
	# so the kernel has it too
	! inside nft list chain ip t o | grep -q 'packets 0 '
	# a bundle knows how the pod numbers them
	"$CNISH" -t "pid:$pid" bundle "$WORK/bundle.json"
	"$TOP/tests/lib/validate" bundle <"$WORK/bundle.json"
	jq -e '.network.uids == [{"inside": 0, "outside": 100000, "count": 65536}] and .network.gids == .network.uids' "$WORK/bundle.json"
	"$CNISH" -t "file:$WORK/bundle.json" -o jsonl trace --from-sockets >"$WORK/offline.jsonl"
	diff <(jq -S 'del(.target, .legs[].namespace)' "$WORK/got.jsonl") <(jq -S 'del(.target, .legs[].namespace)' "$WORK/offline.jsonl")
	# one that was made before that is still read
	jq 'del(.network.uids, .network.gids, .network.sockets[].gid, .network.sockets[].has_gid)' "$WORK/bundle.json" >"$WORK/old.json"
	"$CNISH" -t "file:$WORK/old.json" -o jsonl trace --from-sockets | jq -e '.packet.uid == 101000'
	jq '.network.uids[0].count = "many"' "$WORK/bundle.json" >"$WORK/broken.json"
	run "$CNISH" -t "file:$WORK/broken.json" sockets
	[ "$status" != 0 ] && [[ $output == *"'count' is missing or is not what it should be"* ]]
}

@test "users are numbered as in the user namespace that the network namespace belongs to" {
	in_pod own_users
}
