#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# scratch.bats - the scratch namespace is a copy of the pod, as the peer tools show both

bats_require_minimum_version 1.5.0
source "$TOP/tests/lib/pod.sh"

# What the tools print for the pod and for its copy, without counters and remarks of the kernel's own making
plain() {
	sed -E 's/^#.*//; s/\[[0-9]+:[0-9]+\]//; s/ (nodad|noprefixroute|onlink)//g; s/NOARP,//; s/packets [0-9]+ bytes [0-9]+//;
		s/^(tcp|udp) +(LISTEN|UNCONN) +[0-9]+ +[0-9]+ +/\1 \2 /' | sed 's/ *$//'
}

same() {
	diff <(pod_exec "$@" 2>/dev/null | plain) <("$TOOLS/scratch" netns:pod "$@" 2>"$BATS_TEST_TMPDIR/gaps" | plain) || { echo "differs: $*"; return 1; }
	! grep '^gap: ' "$BATS_TEST_TMPDIR/gaps"
}

native_rules() {
	pod_exec nft -f - <<-'EOF'
	table inet t {
		set a { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.168.0.1-192.168.0.77, 1.2.3.4 } }
		set dyn { type ipv4_addr; timeout 1h; flags dynamic; }
		map m { type inet_service : verdict; elements = { 80 : jump c1, 81 : goto c1 } }
		map iv { type ipv4_addr . inet_service : mark; flags interval; elements = { 10.0.0.0/8 . 80-90 : 0x5 } }
		counter cc { packets 5 bytes 6 }
		chain c1 { counter; accept; }
		chain p { type filter hook prerouting priority -5; policy drop
			tcp dport vmap @m
			ip saddr @a counter name cc comment "a counter"
			ip daddr { 1.1.1.1, 2.2.2.2 } drop
			tcp dport { 1-5, 6-7 } jump { meta mark set 5; }
			meta mark set ip saddr . tcp dport map @iv
			update @dyn { ip saddr limit rate 5/second }
		}
		chain dev { type filter hook ingress device "eth0" priority 0; ip saddr 1.2.3.4 drop; }
	}
	table netdev n {
		chain in { type filter hook ingress device "eth0" priority 3; udp dport 9 drop; }
	}
	EOF
}

everything() {
	pod_istio legacy
	pod_istio nft
	native_rules
	pod_exec iptables-legacy -t mangle -A PREROUTING -m conntrack --ctstate NEW -m limit --limit 5/s -j MARK --set-mark 0x7
	pod_exec iptables-legacy -P FORWARD DROP
	pod_exec ip rule add pref 100 fwmark 0x1/0xf lookup 133
	pod_exec ip rule add pref 90 from 10.0.1.0/24 iif eth0 goto 100
	pod_exec ip route add local default dev lo table 133
	pod_exec ip route add blackhole 198.51.100.0/24
	pod_exec ip -6 route add 2001:db8:9::/48 via fe80::1 dev eth0 metric 7
	pod_exec ip route add 10.9.0.0/16 nexthop via 10.0.1.2 weight 2 nexthop via 10.0.1.3
	pod_exec sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet; echo 2 >/proc/sys/net/ipv4/conf/all/rp_filter'
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 udp/53 >/dev/null
}

listing() {
	local before after
	everything
	before=$(pod_exec sh -c 'iptables-legacy-save; ip6tables-legacy-save; nft list ruleset; ip addr; ip link; ip route; ip rule; ss -lntu' 2>/dev/null | grep -v '^#')
	same iptables-legacy-save
	same ip6tables-legacy-save
	same nft -s list ruleset
	same ip -o addr
	same ip -o link
	same ip route show table all
	same ip -6 route show table all
	same ip rule
	same ip -6 rule
	same sh -c "ss -Hlntu | sort"
	same sh -c 'cat /proc/sys/net/ipv4/conf/eth0/route_localnet /proc/sys/net/ipv4/conf/*/rp_filter /proc/sys/net/ipv4/ip_forward'
	after=$(pod_exec sh -c 'iptables-legacy-save; ip6tables-legacy-save; nft list ruleset; ip addr; ip link; ip route; ip rule; ss -lntu' 2>/dev/null | grep -v '^#')
	# the pod is as it was
	diff <(sed 's/valid_lft.*//; s/\[[0-9:]*\]//; s/packets.*bytes [0-9]*//' <<<"$before") \
		<(sed 's/valid_lft.*//; s/\[[0-9:]*\]//; s/packets.*bytes [0-9]*//' <<<"$after")
}

@test "rules of all stores, links, addresses, routes, policy rules, settings and listeners are the pod's" {
	in_pod listing
}

# Handles tell which chain was registered last; the tool's -r makes the legacy tables the newest.
newest_first() {
	local who
	pod_exec iptables-legacy -t nat -A OUTPUT -p tcp --dport 80 -j REDIRECT --to-ports 1111
	pod_exec iptables-nft -t nat -A OUTPUT -p tcp --dport 80 -j REDIRECT --to-ports 2222
	for who in "" -r; do
		"$TOOLS/scratch" $who netns:pod sh -c "
			'$TOOLS/standin' -d -n a tcp/1111 >/dev/null; '$TOOLS/standin' -d -n b tcp/2222 >/dev/null
			'$TOOLS/connect' tcp $FAR_IP 80" | grep -o '"name":"."'
	done
}

@test "chains of equal priority run in the order that is asked for" {
	run -0 in_pod newest_first
	[ "$output" = $'"name":"b"\n"name":"a"' ] || { echo "$output"; false; }
}


vanished() {
	local pid inode
	"$TOOLS/scratch" netns:pod sh -c 'stat -Lc %i /proc/self/ns/net >/run/inode; sleep infinity' &
	pid=$!
	until_true test -s /run/inode
	inode=$(cat /run/inode)
	kill -9 "$pid"
	wait "$pid" 2>/dev/null || true
	kill -9 $(pgrep -f 'sleep infinit[y]' | while read -r p; do [ "$(stat -Lc %i "/proc/$p/ns/net")" = "$inode" ] && echo "$p"; done)
	until_true sh -c "! lsns -t net -no NS | grep -qx ' *$inode'"
}

@test "the scratch is gone with the program, also when that is killed" {
	in_pod vanished
}
