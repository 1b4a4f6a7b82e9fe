#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# trace_known - connections that are tracked already: later packets, in both directions, beside the kernel's trace of them

setup() {
	source "$TOP/tests/lib/pod.sh"
	source "$TOP/tests/lib/ktrace.sh"
	export CNISH TOOLS TOP
	export WORK=$BATS_TEST_TMPDIR
}

# held NAME COMMAND...: what is written into $WORK/NAME is sent; what comes stands in $WORK/NAME.got
held() {
	local name=$1
	shift
	mkfifo "$WORK/$name"
	"$@" <>"$WORK/$name" >"$WORK/$name.got" 2>/dev/null 3>&- &
}
nc_as() { "$1" setpriv --reuid "$2" --regid "$2" --clear-groups nc "${@:3}"; }
here() { "$@"; }

# Segments that carry data are traced, and no others.
trace_data() {
	pod_exec nft -f - <<-EOF
	table inet ktrace {
		chain prerouting { type filter hook prerouting priority -500; tcp flags & psh == psh meta nftrace set 1; udp dport 5300 meta nftrace set 1; }
		chain output { type filter hook output priority -500; tcp flags & psh == psh meta nftrace set 1; udp dport 5300 meta nftrace set 1; }
	}
	EOF
}

# said FROM TO WORD...: what FROM says arrives at TO; the kernel's trace of it is that of "trace WORD..."
said() {
	local from=$1 to=$2 word=said$RANDOM kernel cnish
	shift 2
	pod_exec "$TOOLS/ktrace" bash -c "timeout 5 bash -c \"echo $word >'$WORK/$from'\"
		for ((i = 0; i < 500; i++)); do ! grep -q $word '$WORK/$to.got' || exit 0; sleep 0.02; done; exit 1" >"$WORK/kernel.json"
	"$CNISH" -o json -t netns:pod trace --all "$@" >"$WORK/cnish.json"
	"$TOP/tests/lib/validate" trace <"$WORK/cnish.json"
	kernel=$(ktrace_words <"$WORK/kernel.json")
	cnish=$(ktrace_cnish_words <"$WORK/cnish.json")
	[ -n "$kernel" ] && [ "$kernel" = "$cnish" ] && [ "$(jq '.outcomes | length' "$WORK/cnish.json")" = 1 ] && return 0
	echo "trace $*: the kernel (<) and cnish (>) differ"
	diff <(echo "$kernel") <(echo "$cnish")
	jq -c '.outcomes[]' "$WORK/cnish.json"
	return 1
}
outcome() { jq -r ".outcomes[0] | $1" "$WORK/cnish.json"; }
# The port that the client of a connection took
client_port() { pod_exec conntrack -L 2>/dev/null | sed -n "s/.*src=\([^ ]*\) dst=$1 sport=\([0-9]*\) dport=$2 .*/\2/p" | head -1; }
tracked() { [ -n "$(client_port "$1" "$2")" ]; }

# Every condition on what an entry holds; each is a rule that only counts.
conditions() {
	cat <<-EOF
	ct state new counter
	ct state established counter
	ct direction original counter
	ct direction reply counter
	ct status & seen-reply != 0 counter
	ct status & assured != 0 counter
	ct status & confirmed != 0 counter
	ct status & snat != 0 counter
	ct status & dnat != 0 counter
	ct mark 0x2a counter
	ct mark 0 counter
	ct label 7 counter
	ct label 8 counter
	ct zone 5 counter
	ct original ip daddr 10.96.0.10 counter
	meta l4proto tcp ct original proto-dst 80 counter
	ct reply ip saddr 203.0.113.7 counter
	ct reply ip saddr 127.0.0.1 counter
	ct helper "ftp" counter
	EOF
}

redirected() {
	local port
	pod_istio legacy
	pod_exec nft -f - <<-EOF
	table ip c {
		chain marks { type filter hook output priority -140; tcp dport 80 ct mark set 0x2a; tcp dport 80 ct label set 7; }
		chain output { type filter hook output priority 10; $(conditions); }
		chain prerouting { type filter hook prerouting priority 10; $(conditions); }
		chain input { type filter hook input priority 10; $(conditions); }
		chain postrouting { type filter hook postrouting priority 110; $(conditions); }
	}
	EOF
	held envoy nc_as pod_exec 1337 -l 0.0.0.0 15001
	until_true pod_exec sh -c 'ss -Hltn | grep -q 15001'
	held app nc_as pod_exec 1000 10.96.0.10 80
	until_true tracked 10.96.0.10 80
	port=$(client_port 10.96.0.10 80)
	trace_data
	said app envoy out tcp "10.0.1.39:$port" to 10.96.0.10:80 uid 1000 flags psh,ack
	[ "$(outcome '.connection | .used, .direction, .mark, .state')" = $'true\noriginal\n42\nESTABLISHED' ]
	[ "$(outcome '.path + " " + .destination.address + " " + (.destination.port | tostring) + " " + .listener.name')" = "local 127.0.0.1 15001 nc" ]
	said envoy app out tcp 127.0.0.1:15001 to "10.0.1.39:$port" uid 1337 flags psh,ack
	[ "$(outcome '.connection.direction + " " + .source.address + " " + .listener.name')" = "reply 10.96.0.10 nc" ]
	# the flags of a later packet need not be given; a person is told
	"$CNISH" -t netns:pod trace out tcp "10.0.1.39:$port" to 10.96.0.10:80 uid 1000 >"$WORK/text"
	grep -q 'This connection is tracked already (ESTABLISHED): it goes to 127.0.0.1:15001 instead of 10.96.0.10:80' "$WORK/text"
	grep -q 'where nc (pid [0-9]*, uid 1337) is connected' "$WORK/text"
	# its first packet, and what it was compared with what it is
	"$CNISH" -o json -t netns:pod trace out tcp "10.0.1.39:$port" to 10.96.0.10:80 uid 1000 ctstate new >"$WORK/cnish.json"
	[ "$(outcome '.connection | .used, .agrees')" = $'false\ntrue' ]
	[ "$(outcome .by.chain)" = ISTIO_REDIRECT ]
	"$CNISH" -o jsonl -t netns:pod trace --from-conns >"$WORK/cnish.json"
	[ "$(outcome '.connection | .used, .agrees')" = $'false\ntrue' ]
	pod_exec iptables-legacy -t nat -I OUTPUT -p tcp --dport 80 -j ACCEPT
	"$CNISH" -t netns:pod trace --from-conns >"$WORK/text"
	grep -q '! As it is tracked, it went to 127.0.0.1:15001 instead of 10.96.0.10:80' "$WORK/text"
	# the kernel's copy of the target has no connections
	"$CNISH" -t netns:pod trace --verify out tcp "10.0.1.39:$port" to 10.96.0.10:80 uid 1000 >"$WORK/text" || { cat "$WORK/text"; return 1; }
	grep -q 'kernel agrees' "$WORK/text"
}

@test "a connection that was redirected: both directions as the kernel has them; its first packet when asked for" {
	in_pod redirected
}

zoned() {
	local port
	pod_exec nft -f - <<-EOF
	table ip c {
		chain early { type filter hook output priority -300; tcp dport 80 ct zone set 5; }
		chain earlyin { type filter hook prerouting priority -300; tcp sport 8080 ct zone set 5; }
		chain go { type nat hook output priority -100; tcp dport 80 dnat to 203.0.113.7:8080; }
		chain as { type nat hook postrouting priority 100; oif eth0 tcp dport 8080 snat to 10.0.1.39:4711; }
		chain marks { type filter hook output priority 5; tcp dport 8080 ct mark set 0x2a; }
		chain output { type filter hook output priority 10; $(conditions); }
		chain prerouting { type filter hook prerouting priority 10; $(conditions); }
		chain input { type filter hook input priority 10; $(conditions); }
		chain postrouting { type filter hook postrouting priority 110; $(conditions); }
	}
	EOF
	held server nc -l 203.0.113.7 8080
	until_true sh -c 'ss -Hltn | grep -q 8080'
	held app nc_as pod_exec 1000 10.96.0.10 80
	until_true tracked 10.96.0.10 80
	port=$(client_port 10.96.0.10 80)
	trace_data
	said app server out tcp "10.0.1.39:$port" to 10.96.0.10:80 uid 1000 flags psh,ack
	[ "$(outcome '.destination.address + " " + (.source.port | tostring)')" = "203.0.113.7 4711" ]
	said server app in tcp 203.0.113.7:8080 to 10.0.1.39:4711 flags psh,ack
	[ "$(outcome '.destination.port')" = "$port" ]
	[ "$(outcome '.connection.direction + " " + .listener.name')" = "reply nc" ]
	# another zone: another connection
	pod_exec nft insert rule ip c early tcp dport 80 ct zone set 6 accept
	"$CNISH" -o json -t netns:pod trace out tcp "10.0.1.39:$port" to 10.96.0.10:80 uid 1000 >"$WORK/cnish.json"
	[ "$(outcome .connection)" = null ]
	[ "$(outcome .by.chain)" = go ]
}

@test "a connection with a zone, rewritten at both ends" {
	in_pod zoned
}

# Zones of one direction, or of both: whether a packet from an address to itself is its own answer
alone() {
	local zone
	pod_exec nft -f - <<-EOF
	table ip c {
		chain early { type filter hook output priority -300; }
		chain output { type filter hook output priority 10; $(conditions | grep -v proto-dst); }
		chain ktrace { type filter hook output priority -500; ip ttl 77 meta nftrace set 1; }
	}
	EOF
	for zone in "" "ct zone set 5" "ct original zone set 5" "ct reply zone set 5"; do
		pod_exec conntrack -F 2>/dev/null
		pod_exec nft "flush chain ip c early; ${zone:+add rule ip c early $zone}"
		pod_exec "$TOP/tests/lib/rawsend" out 253 10.0.1.39 to 10.0.1.39
		"$CNISH" -o json -t netns:pod trace --all out 253 10.0.1.39 to 10.0.1.39 ttl 77 >"$WORK/cnish.json"
		pod_exec "$TOOLS/ktrace" "$TOP/tests/lib/rawsend" out 253 10.0.1.39 to 10.0.1.39 >"$WORK/kernel.json"
		diff <(ktrace_words <"$WORK/kernel.json" | grep -v ' ktrace ') <(ktrace_cnish_words <"$WORK/cnish.json" | grep -v ' ktrace ') ||
			{ echo "zone: $zone: the kernel (<) and cnish (>) differ"; return 1; }
		case $zone in
		"" | "ct zone set 5") [ "$(outcome '.connection.direction')" = reply ] ;;
		*) [ "$(outcome '.connection.direction')" = original ] ;;
		esac
	done
}

@test "who talks to himself without ports: an answer, but for zones of one direction" {
	in_pod alone
}

# TPROXY gives a connection to the socket that has it, wherever the rule would send new ones
taken() {
	pod_exec sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
	pod_exec sh -c 'ip rule add fwmark 1 lookup 133; ip route add local default dev lo table 133'
	pod_exec iptables-legacy -t mangle -A PREROUTING -p tcp --dport 80 -j TPROXY --on-port 15006 --tproxy-mark 1/1
	pod_exec iptables-legacy -t mangle -A INPUT -p tcp --dport 80 -j ACCEPT
	ip route add 203.0.113.50 via 10.0.1.39
	held server pod_exec python3 -c 'import socket, time
s = socket.socket()
s.setsockopt(socket.SOL_IP, 19, 1)  # IP_TRANSPARENT
s.bind(("0.0.0.0", 15006))
s.listen()
c = s.accept()
time.sleep(60)'
	until_true pod_exec sh -c 'ss -Hltn | grep -q 15006'
	held client nc -p 4711 203.0.113.50 80
	until_true pod_exec sh -c 'ss -Htn state established | grep -q 203.0.113.50:80'
	pod_exec iptables-legacy -t mangle -R PREROUTING 1 -p tcp --dport 80 -j TPROXY --on-port 9999 --tproxy-mark 1/1
	trace_data
	pod_exec "$TOOLS/ktrace" bash -c "timeout 5 bash -c \"echo more >'$WORK/client'\"; sleep 0.1" | ktrace_words >"$WORK/kernel"
	"$CNISH" -o json -t netns:pod trace --all in tcp 10.0.1.1:4711 to 203.0.113.50:80 flags psh,ack >"$WORK/cnish.json"
	grep -q ' INPUT 1$' "$WORK/kernel"
	diff "$WORK/kernel" <(ktrace_cnish_words <"$WORK/cnish.json")
	# a new one finds nobody
	"$CNISH" -o json -t netns:pod trace in tcp 10.0.1.1:4712 to 203.0.113.50:80 >"$WORK/cnish.json"
	[ "$(outcome .verdict)" = drop ]
}

@test "TPROXY: a connection stays with the socket that has it" {
	in_pod taken
}

# A socket of the pod that holds an address which is not the pod's: the route says whether packets still get there
led_away() {
	pod_exec sysctl -qw net.ipv6.conf.all.forwarding=1
	pod_exec nft -f - <<-EOF
	table ip6 c {
		chain forward { type filter hook forward priority 0; counter; }
		chain input { type filter hook input priority 0; counter; }
	}
	EOF
	pod_exec sh -c 'ip -6 rule add to 2001:db8:50::1 lookup 133; ip -6 route add local default dev lo table 133'
	ip -6 route add 2001:db8:50::1 via fd00:1::39
	held server pod_exec nc -l :: 7000
	until_true pod_exec sh -c 'ss -Hltn | grep -q 7000'
	held client nc -s fd00:1::1 -p 4711 2001:db8:50::1 7000
	until_true pod_exec sh -c 'ss -Htn state established | grep -qF "[2001:db8:50::1]:7000"'
	trace_data
	said client server in tcp [fd00:1::1]:4711 to [2001:db8:50::1]:7000 flags psh,ack
	[ "$(outcome .path)" = local ]
	# nothing here is tracked; the socket that is found before INPUT has a user and a group all the same
	pod_exec nft add rule ip6 c input tcp dport 7000 meta skgid 0 counter drop
	"$CNISH" -o json -t netns:pod trace --all in tcp [fd00:1::1]:4711 to [2001:db8:50::1]:7000 flags psh,ack >"$WORK/cnish.json"
	[ "$(jq -c '[.outcomes[].verdict] | sort' "$WORK/cnish.json")" = '["accept","drop"]' ]
	echo more >"$WORK/client"
	until_true pod_exec sh -c 'nft list chain ip6 c input | grep -q "skgid 0 counter packets [1-9]"'
	pod_exec ip -6 rule del to 2001:db8:50::1 lookup 133
	pod_exec "$TOOLS/ktrace" bash -c "timeout 5 bash -c \"echo lost >'$WORK/client'\"; sleep 0.1" | ktrace_words | head -1 >"$WORK/kernel"
	"$CNISH" -o json -t netns:pod trace --all in tcp [fd00:1::1]:4711 to [2001:db8:50::1]:7000 flags psh,ack >"$WORK/cnish.json"
	[ "$(outcome .verdict)" = drop ]
	grep -q 'the route leads away' "$WORK/cnish.json"
	[ ! -s "$WORK/kernel" ] # neither INPUT nor FORWARD saw it
}

@test "who has a socket here and a route elsewhere is dropped" {
	in_pod led_away
}

# Of UDP's sockets with one address and port only the first is looked at; whether any is, sysctls say
sharing() {
	pod_exec sysctl -qw net.ipv4.ip_forward=1
	pod_exec nft 'table ip c { chain f { type filter hook forward priority 0; udp dport 5000 counter; }; }'
	pod_exec sh -c 'ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up; ip route add 10.0.1.39 dev d0 table 133
		ip rule add pref 50 to 10.0.1.39 lookup 133; ip rule add pref 100 lookup local; ip rule del pref 0'
	# nobody answers for the address any more
	ip neigh replace 10.0.1.39 dev node-pod nud permanent lladdr "$(pod_exec ip -o link show eth0 | sed 's/.*link.ether \([^ ]*\) .*/\1/')"
	cat >"$WORK/sockets" <<-'EOF'
	import socket, sys, time
	keep = []
	for port in sys.argv[1:]:
	    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	    s.bind(("10.0.1.39", 5000))
	    s.connect(("10.0.1.1", int(port)))
	    keep.append(s)
	time.sleep(1000)
	EOF
	verdicts() { "$CNISH" -o json -t netns:pod trace in udp "10.0.1.1:$1" to 10.0.1.39:5000 | jq -c '[.outcomes[].verdict] | sort'; }
	counted() { pod_exec nft list chain ip c f | sed -n 's/.*counter packets \([0-9]*\) .*/\1/p'; }
	send() { "$TOOLS/connect" -n -p "$1" udp 10.0.1.39 5000 >/dev/null; sleep 0.1; }
	pod_exec python3 "$WORK/sockets" 7001 3>&- &
	until_true pod_exec sh -c 'ss -Hun | grep -q 10.0.1.1:7001'
	[ "$(verdicts 7001)" = '["drop"]' ]
	send 7001
	[ "$(counted)" = 0 ]
	pod_exec python3 "$WORK/sockets" 7002 3>&- &
	until_true pod_exec sh -c 'ss -Hun | grep -q 10.0.1.1:7002'
	[ "$(verdicts 7001)" = '["accept","drop"]' ]
	[ "$(verdicts 7002)" = '["accept","drop"]' ]
	send 7001
	send 7002
	[ "$(counted)" = 1 ] # one of them
	pod_exec sysctl -qw net.ipv4.ip_early_demux=0
	[ "$(verdicts 7002)" = '["accept"]' ]
	send 7002
	[ "$(counted)" = 2 ]
}

@test "which of several UDP sockets the kernel finds is not claimed" {
	in_pod sharing
}

# begin_udp ADDRESS PORT: "app" in the pod sends from port 5000 to port 5300 of ADDRESS, which "node" gets at PORT of 203.0.113.7
begin_udp() {
	held node nc -u -l 203.0.113.7 "$2"
	until_true sh -c "ss -Hlun | grep -q 203.0.113.7:$2"
	held app pod_exec nc -u -p 5000 "$1" 5300
	until_true pod_exec sh -c 'ss -Hun | grep -q 10.0.1.39:5000'
	echo first >"$WORK/app"
	until_true grep -q first "$WORK/node.got"
}

unreplied() {
	pod_exec nft -f - <<-EOF
	table ip c {
		chain go { type nat hook output priority -100; udp dport 5300 dnat to 203.0.113.7:5301; }
		chain output { type filter hook output priority 10; $(conditions); }
	}
	EOF
	begin_udp 10.96.0.10 5301
	# nothing but the table says where it goes: the rule is gone
	pod_exec nft flush chain ip c go
	trace_data
	said app node out udp 10.0.1.39:5000 to 10.96.0.10:5300
	[ "$(outcome '.destination.address + " " + (.destination.port | tostring)')" = "203.0.113.7 5301" ]
	[ "$(outcome '.connection | .used, .replied')" = $'true\nfalse' ]
	# no chain of type nat: nothing rewrites any more
	pod_exec nft delete chain ip c go
	"$CNISH" -o json -t netns:pod trace out udp 10.0.1.39:5000 to 10.96.0.10:5300 >"$WORK/cnish.json"
	[ "$(outcome '.destination.address')" = 10.96.0.10 ]
}

# Masquerading to the address that it has already leaves no trace in the entry but the interface it left by
masked() {
	pod_exec sh -c 'ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up'
	pod_exec nft -f - <<-EOF
	table ip c {
		chain post { type nat hook postrouting priority 100; masquerade; }
		chain early { type filter hook output priority 10; udp dport 5300 counter; }
		chain late { type filter hook postrouting priority 200; udp dport 5300 counter; }
	}
	EOF
	begin_udp 203.0.113.7 5300
	trace_data
	said app node out udp 10.0.1.39:5000 to 203.0.113.7:5300
	# led out elsewhere, its source as before: what follows the nat core is not seen any more
	pod_exec ip route add 203.0.113.7 dev d0 src 10.0.1.39
	"$CNISH" -o json -t netns:pod trace --all out udp 10.0.1.39:5000 to 203.0.113.7:5300 >"$WORK/cnish.json"
	[ "$(jq -c '[.outcomes[].verdict] | sort' "$WORK/cnish.json")" = '["accept","drop"]' ]
	# the kernel drops it, and forgets the connection
	pod_exec "$TOOLS/ktrace" bash -c "timeout 5 bash -c \"echo lost >'$WORK/app'\"; sleep 0.1" | ktrace_words >"$WORK/kernel"
	! grep -q ' late ' "$WORK/kernel" || { cat "$WORK/kernel"; return 1; }
	grep -q ' early ' "$WORK/kernel" || { cat "$WORK/kernel"; return 1; }
}

# A later packet that leaves through an interface which has not the source's address, with rules that masquerade others:
# an address of lo, as nodes that announce a service have it, and that of eth0, as nodes talk to their pods
elsewhere() {
	local src
	pod_exec ip addr add 192.0.2.99/32 dev lo
	pod_exec sh -c 'ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up; ip addr flush dev d0; ip route add 198.51.100.7 dev d0'
	pod_exec nft -f - <<-EOF
	table ip c {
		chain post { type nat hook postrouting priority 100; meta mark 0x4000 masquerade; ip saddr 10.9.0.0/16 masquerade; oifname "lo" masquerade; }
		chain late { type filter hook postrouting priority 200; udp dport 5300 counter; }
	}
	EOF
	trace_data
	for src in 10.0.1.39 192.0.2.99; do
		pod_exec "$TOOLS/connect" -n -u 0 -g 0 -s "$src" -p 5000 udp 198.51.100.7 5300 >/dev/null
		"$CNISH" -o json -t netns:pod trace --all out udp "$src:5000" to 198.51.100.7:5300 >"$WORK/cnish.json"
		[ "$(outcome .connection.used)" = true ]
		[ "$(jq -c '[.outcomes[].verdict]' "$WORK/cnish.json")" = '["accept"]' ]
		pod_exec "$TOOLS/ktrace" "$TOOLS/connect" -n -u 0 -g 0 -s "$src" -p 5000 udp 198.51.100.7 5300 | ktrace_words >"$WORK/kernel"
		diff "$WORK/kernel" <(ktrace_cnish_words <"$WORK/cnish.json")
		grep -q ' late ' "$WORK/kernel"
	done
}

# The mark that leads a packet elsewhere is also what no rule masquerades: the first packet had none
marked() {
	pod_exec sh -c 'ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up; ip rule add fwmark 5 lookup 134; ip route add default dev d0 table 134'
	pod_exec nft -f - <<-EOF
	table ip c {
		chain post { type nat hook postrouting priority 100; meta mark 0 masquerade; }
		chain early { type filter hook output priority 10; udp dport 5300 counter; }
		chain late { type filter hook postrouting priority 200; udp dport 5300 counter; }
	}
	EOF
	trace_data
	pod_exec "$TOOLS/connect" -n -u 0 -g 0 -p 5000 udp 203.0.113.7 5300 >/dev/null
	"$CNISH" -o json -t netns:pod trace --all out udp "$POD_IP:5000" to 203.0.113.7:5300 mark 5 >"$WORK/cnish.json"
	[ "$(jq -c '[.outcomes[].verdict] | sort' "$WORK/cnish.json")" = '["accept","drop"]' ]
	{ pod_exec "$TOOLS/ktrace" "$TOOLS/connect" -n -u 0 -g 0 -p 5000 -s "$POD_IP" -m 5 udp 203.0.113.7 5300 || true; } | ktrace_words >"$WORK/kernel"
	grep -q ' early ' "$WORK/kernel" && ! grep -q ' late ' "$WORK/kernel" || { cat "$WORK/kernel"; return 1; }
}

@test "a mark that leads elsewhere: the first packet may have been masqueraded" {
	in_pod marked
}

@test "what no rule masquerades leaves where it is led" {
	in_pod elsewhere
}

@test "what was masqueraded to its own address may be dropped at another interface" {
	in_pod masked
}

@test "a connection without an answer stays new, and its mapping is the entry's" {
	in_pod unreplied
}
