#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# trace_verify.bats - "trace --verify": the kernel's trace in a copy of the target beside the simulation

bats_require_minimum_version 1.5.0
source "$TOP/tests/lib/pod.sh"

# agrees WORD...: the kernel agrees, in at least one step, and the JSON says so too
agrees() {
	"$CNISH" -o json -t netns:pod trace --verify "$@" >/run/verify.json || { jq -c .verify /run/verify.json; echo "status: $*"; return 1; }
	jq -e '.verify | .result == "agrees" and .steps_compared > 0 and .same == .steps_compared
		and .not_copied == [] and .kernel == null and (.steps | length) == .steps_compared' /run/verify.json >/dev/null ||
		{ jq -c .verify /run/verify.json; echo "not agreed: $*"; return 1; }
}

snapshot() {
	pod_exec sh -c 'iptables-legacy-save -c; ip6tables-legacy-save -c; nft -a list ruleset; ip addr; ip route show table all; ip rule
		ss -lntu; cat /proc/net/ip_tables_names; grep -r . /proc/sys/net/netfilter/nf_log; grep -rs . /proc/sys/net/ipv4/conf' 2>/dev/null |
		sed '/^#/d; s/valid_lft.*//'
}

connections() {
	agrees out tcp "$FAR_IP:80" uid 1000
	agrees out tcp "$FAR_IP:80" uid 1337
	agrees out tcp "[$FAR_IP6]:80" uid 1000
	agrees out tcp "$POD_IP:8080" uid 1337
	agrees out udp "$FAR_IP:53" uid 5
	agrees out icmp "$FAR_IP" uid 5
	agrees in tcp "$NODE_IP" to "$POD_IP:8080"
	agrees in tcp "$NODE_IP" to "$POD_IP:15021"
	agrees in tcp "[$NODE_IP6]:4000" to "[$POD_IP6]:8080"
	agrees in udp "$NODE_IP" to "$POD_IP:53"
	agrees in icmpv6 "$NODE_IP6" to "$POD_IP6"
	agrees in sctp "$NODE_IP" to "$POD_IP:9"
}

one_store() {
	local before
	pod_istio "$1"
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	before=$(snapshot)
	connections
	diff <(echo "$before") <(snapshot)
}

@test "Istio's rules in the legacy store: the kernel agrees, and the pod is as it was" { in_pod one_store legacy; }
@test "Istio's rules in the compat store: the kernel agrees, and the pod is as it was" { in_pod one_store nft; }

# What the words say of headers is in the packet that is sent
headers() {
	pod_exec nft -f - <<-'EOF'
	table inet h {
		chain o { type filter hook output priority 10; jump look; }
		chain i { type filter hook prerouting priority 10; jump look; }
		chain look {
			tcp option maxseg size 1400 counter
			tcp option sack-perm exists counter
			tcp option window missing counter
			ip option ra exists counter
			ip hdrlength 6 counter
			exthdr hbh exists counter
			rt type 2 counter
			ip ecn ce counter
			ip6 ecn ect1 counter
			esp spi 7 counter
			udp dport 53 counter
		}
	}
	EOF
	agrees in tcp "$NODE_IP" to "$POD_IP:8080" mss 1400
	agrees in tcp "$NODE_IP" to "$POD_IP:8080" tcpopt maxseg=1400,sack-perm,nop,nop ecn ce
	agrees in udp "$NODE_IP" to "$POD_IP:53" ipopt ra=0
	agrees in udp "[$NODE_IP6]" to "[$POD_IP6]:53" exthdr hbh:010400000000,rt:020000000000fd000000000000000000000000000001 ecn ect1
	agrees in esp "$NODE_IP" to "$POD_IP" spi 7
	agrees out tcp "$FAR_IP:80" tcpopt maxseg=1400,sack-perm,nop,nop
	agrees out udp "$FAR_IP:53" ipopt ra=0 length 60
	agrees out udp "[$FAR_IP6]:53" exthdr hbh:010400000000
}

frames() {
	local own
	own=$(pod_exec ip -o link show eth0 | sed 's/.*link.ether \([^ ]*\) .*/\1/')
	pod_exec nft -f - <<-'EOF'
	table inet h {
		chain i {
			type filter hook prerouting priority 10
			meta pkttype host counter
			meta pkttype broadcast counter
			meta pkttype multicast counter
			ether saddr 02:00:00:00:00:07 counter
		}
	}
	EOF
	pod_exec nft 'table netdev e { chain o { type filter hook egress device eth0 priority 0; udp dport 80 counter; ip option ra missing counter; }; }'
	agrees out udp "$NODE_IP:80" ipopt ra=0
	agrees in tcp "$NODE_IP" to "$POD_IP:8080" smac 02:00:00:00:00:07 dmac "$own"
	agrees in tcp "$NODE_IP" to "$POD_IP:8080" dmac ff:ff:ff:ff:ff:ff
	agrees in udp "[$NODE_IP6]" to "[$POD_IP6]:53" dmac 33:33:00:00:00:01
	# another station's: no rule sees it
	[ "$("$CNISH" -o json -t netns:pod trace --verify in udp "$NODE_IP" to "$POD_IP:53" dmac 02:00:00:00:00:77 iif eth0 |
		jq -r '.outcomes[0].verdict + " " + .verify.result + " " + .verify.end.path')" = "drop agrees gone" ]
}

@test "frames are sent to and from the addresses that are given" { in_pod frames; }

@test "options, extension headers, ECN: sent as they were said" { in_pod headers; }

# A link without a carrier, as Docker's bridge before there is a container, never ends trying its address; one that is deprecated
# is a source only where there is no other.
sources() {
	pod_exec ip link add docker0 type veth peer name other
	pod_exec ip addr add fd00:5::1/64 dev docker0
	pod_exec ip addr add fd00:6::1/64 dev docker0 nodad
	pod_exec ip addr add fd00:6::2/64 dev docker0 nodad preferred_lft 0
	pod_exec ip link set docker0 up
	pod_exec ip route add fd00:6::/64 dev docker0 2>/dev/null || true
	pod_exec ip6tables-nft -t nat -A POSTROUTING -o docker0 -m addrtype --src-type LOCAL -j MASQUERADE
	[ "$(pod_exec ip -j -6 addr show dev docker0 tentative | jq -r '.[].addr_info[]?.local' | grep -c fd00:5)" = 1 ]
	agrees out tcp '[fd00:5::9]:80'
	jq -e '.verify.end.saddr != "fd00:5::1"' /run/verify.json
	agrees out tcp '[fd00:6::2:1]:80'
	jq -e '.verify.end.saddr == "fd00:6::1"' /run/verify.json
	agrees out tcp '[fd00:6::1:1]:80'
}

@test "source addresses: one still tried, one deprecated" { in_pod sources; }

# A mixture of stores, equal priorities, TPROXY, marks that route, NAT and rejections
mixture() {
	pod_istio legacy
	pod_istio nft
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	agrees out tcp "$FAR_IP:80" uid 1000
	pod_exec nft -f - <<-'EOF'
	table inet x {
		set ports { type inet_service; flags interval; elements = { 1000-2000 } }
		chain o { type filter hook output priority filter; policy accept
			udp dport 53 drop
			tcp dport @ports meta mark set 0x5 counter
			meta skuid 77 reject
		}
		chain n { type nat hook output priority -100; ip daddr 198.51.100.7 udp dport 99 dnat ip to 10.0.1.1:7000; }
		chain s { type nat hook postrouting priority srcnat; oifname "eth0" ip daddr 10.0.1.1 masquerade; }
		chain i { type filter hook input priority 10; icmp type echo-request limit rate 1/day burst 1 packets accept; meta l4proto icmp drop; }
	}
	EOF
	agrees out udp "$FAR_IP:53" uid 5
	agrees out tcp "$FAR_IP:1500" uid 5
	agrees out udp "$FAR_IP:1234" uid 77
	agrees out udp 198.51.100.7:99 uid 5
	pod_exec iptables-legacy -t raw -A PREROUTING -p udp --dport 9 -j DROP
	pod_exec iptables-legacy -A INPUT -p udp --dport 10 -j REJECT
	agrees in udp "$NODE_IP" to "$POD_IP:9"
	agrees in udp "$NODE_IP" to "$POD_IP:10"
	# what is left open, and what is random: one of the outcomes is the kernel's
	"$CNISH" -o json -t netns:pod trace --verify out tcp "$FAR_IP:80" >/run/out
	jq -e '(.outcomes | length) > 1 and .verify.result == "agrees" and .outcomes[.verify.outcome].destination.port == 15001 and .verify.sent.uid == 0' /run/out
	"$CNISH" -o json -t netns:pod trace --verify in icmp "$NODE_IP" to "$POD_IP" >/run/out
	jq -e '(.outcomes | length) == 2 and (.verify.result | IN("agrees", "ends alike")) and .outcomes[.verify.outcome].verdict == "accept"' /run/out
}

@test "mixtures of stores, sets, NAT, rejections, limits: the kernel agrees" { in_pod mixture; }

# The rules of a file, with an assumed pod around them; a wrong expectation is found: what the file's counterpart
# does not say ("-m rpfilter" hangs on a setting that a file does not have) is not what the kernel does.
files() {
	istio_rules 4 >/run/rules
	"$CNISH" -o json -t file:/run/rules trace --verify out tcp 10.0.0.9 to 1.2.3.4:80 uid 1000 >/run/out
	jq -e '.verify.result == "agrees" and .verify.same > 2' /run/out
	pod_exec nft -f - <<-'EOF'
	table inet x {
		set ports { type inet_service; flags interval; elements = { 80-90, 443 } }
		map to { type ipv4_addr . inet_service : ipv4_addr . inet_service; elements = { 1.2.3.4 . 80 : 5.6.7.8 . 8080 } }
		chain o { type filter hook output priority -150; policy accept
			tcp dport @ports meta mark set 0x5 jump more
		}
		chain more { meta skuid 1000 counter return; drop; }
	}
	table ip y {
		map to { type ipv4_addr . inet_service : ipv4_addr . inet_service; elements = { 1.2.3.4 . 80 : 5.6.7.8 . 8080 } }
		chain n { type nat hook output priority -100; dnat ip to ip daddr . tcp dport map @to; }
	}
	EOF
	pod_exec nft -j list ruleset >/run/native.json
	"$CNISH" -o json -t file:/run/native.json trace --verify out tcp 10.0.0.9 to 1.2.3.4:80 uid 1000 >/run/out
	jq -e '.verify.result == "agrees" and .verify.same == 4 and .verify.not_copied == [] and .verify.end.daddr == "5.6.7.8"' /run/out ||
		{ jq -c .verify /run/out; false; }
	PATH=/run/nothing run -5 "$CNISH" -t file:/run/native.json trace --verify out tcp 10.0.0.9 to 1.2.3.4:80 uid 1000
	[[ "$output" == *"native inet table x: "*"nft, which is not here"* ]]
}

@test "rules of a file are tried out around an assumed pod: iptables' and native ones" { in_pod files; }

# What passes through: in at one link, out at another one
passing() {
	pod_exec sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
		ip link add out0 type veth peer name out1; ip link set out1 up; ip link set out0 up; ip addr add 10.9.0.1/24 dev out0; ip addr add fd09::1/64 dev out0 nodad'
	pod_exec iptables-legacy -A FORWARD -p udp --dport 9 -j DROP
	pod_exec iptables-nft -t mangle -A FORWARD -i eth0 -o out0 -j MARK --set-mark 7
	pod_exec nft 'table inet x {
		chain f { type filter hook forward priority 0; mark 7 ip ttl 63 counter; ip6 hoplimit 63 counter; tcp dport 81 reject; }
		chain s { type nat hook postrouting priority 100; oifname "out0" meta l4proto tcp masquerade; }
		chain d { type nat hook prerouting priority -100; tcp dport 82 dnat ip to 10.9.0.7:8080; }
	}'
	agrees forward tcp "$NODE_IP:4000" to 10.9.0.5:80 iif eth0
	jq -e '.verify.end == {path: "out", saddr: "10.9.0.1", daddr: "10.9.0.5", sport: 4000, dport: 80}' /run/verify.json
	agrees forward tcp "$NODE_IP" to 10.9.0.5:81 iif eth0
	agrees forward tcp "$NODE_IP" to 10.9.0.5:82 iif eth0
	agrees forward udp "$NODE_IP" to 10.9.0.5:9 iif eth0
	agrees forward icmp 10.9.0.5 to "$NODE_IP" iif out0
	agrees forward tcp "[$NODE_IP6]" to "[fd09::5]:80" iif eth0
}

@test "forwarded: the kernel agrees" { in_pod passing; }

# A socket of the copy stands for that of the target, transparent where it is
proxied() {
	pod_standin -n proxy -t tcp/15007 >/dev/null
	pod_exec ip rule add fwmark 0x539 lookup 133
	pod_exec ip route add local default dev lo table 133
	pod_exec iptables-legacy -t mangle -A PREROUTING -i eth0 -p tcp --dport 8081 -j TPROXY --on-port 15007 --tproxy-mark 0x539
	pod_exec iptables-legacy -t mangle -A INPUT -m mark --mark 0x539 -j ACCEPT
	agrees in tcp "$NODE_IP" to "$POD_IP:8081"
	agrees in tcp "$NODE_IP" to 192.0.2.9:8081 iif eth0
	jq -e '.outcomes[0].listener.name == "proxy" and .verify.same >= 2' /run/verify.json
}

@test "TPROXY: the kernel agrees" { in_pod proxied; }

# Rules name ipsets by number: some are missing in between
members() {
	local n
	for n in first gone near gone2 pairs both six; do pod_exec ipset create "$n" hash:ip; done
	for n in gone gone2 near pairs both six; do pod_exec ipset destroy "$n"; done
	pod_exec ipset restore <<-EOF
	create near hash:net
	add near $FAR_IP/24
	add near $FAR_IP/32 nomatch
	create gone hash:ip
	create pairs hash:ip,port timeout 600
	add pairs $FAR_IP,tcp:80
	create both list:set
	add both near
	add both pairs
	create six hash:net family inet6
	add six $FAR_IP6/64
	destroy gone
	EOF
	pod_exec iptables-legacy -A OUTPUT -m set --match-set both dst,dst -j MARK --set-mark 5 2>/dev/null || true
	pod_exec iptables-legacy -A OUTPUT -m set --match-set pairs dst,dst
	pod_exec iptables-legacy -A OUTPUT -m set --match-set near dst
	pod_exec ip6tables-legacy -A OUTPUT -m set --match-set six dst -j DROP
	pod_exec iptables-nft -A OUTPUT -m set --match-set both dst,dst -p tcp --dport 80
	agrees out tcp "$FAR_IP:80" uid 5
	jq -e '.verify.same == 5' /run/verify.json || { jq -c .verify /run/verify.json; false; }
	agrees out tcp "$FAR_IP:81" uid 5
	agrees out udp "[$FAR_IP6]:81" uid 5
	# the copy is gone, and the target's sets are as they were
	[ "$(pod_exec ipset list -n | sort | xargs)" = "both first near pairs six" ]
}

@test "ipsets are copied, numbers and all: the kernel agrees" { in_pod members; }

# The simulation takes nf_conntrack_tcp_loose to be 1: the kernel does not pick up the middle of a connection here. It
# knows of rp_filter.
wrong() {
	pod_exec iptables-legacy -A INPUT -p tcp -m conntrack --ctstate NEW -j ACCEPT
	pod_exec sh -c 'echo 0 >/proc/sys/net/netfilter/nf_conntrack_tcp_loose'
	run -1 "$CNISH" -t netns:pod trace --verify in tcp "$NODE_IP:5" to "$POD_IP:8080" flags ack
	[[ "$output" == *"the kernel disagrees"* ]]
	run -1 "$CNISH" -o json -t netns:pod trace --verify in tcp "$NODE_IP:5" to "$POD_IP:8080" flags ack
	jq -e '.verify.result == "differs" and .verify.expected.rule == 1 and .verify.kernel.rule == null' <<<"$output"
	pod_exec sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter'
	pod_exec ip route add 192.0.2.0/24 dev lo
	run -0 "$CNISH" -t netns:pod trace --verify in udp 192.0.2.1:5 to "$POD_IP:53" iif eth0
	[[ "$output" == *"martian"* && "$output" == *"kernel agrees"* ]]
}

@test "what the simulation does not know shows as a difference, with status 1" { in_pod wrong; }

refusals() {
	run -5 "$CNISH" -t netns:pod trace --verify out tcp "$FAR_IP:80" ctstate established
	[[ "$output" == *"ctstate"* ]]
	run -2 "$CNISH" -t netns:pod trace --verify --from-conns
	run -4 setpriv --bounding-set -sys_admin --inh-caps -sys_admin -- "$CNISH" trace --verify out tcp 127.0.0.1:80
	[[ "$output" == *CAP_SYS_ADMIN* ]]
}

@test "what cannot be verified says why" { in_pod refusals; }

validated() {
	pod_istio legacy
	"$CNISH" -o json -t netns:pod trace --verify out tcp "$FAR_IP:80" uid 1000 >/run/out
	"$TOP/tests/lib/validate" trace </run/out
	"$CNISH" -o json -t netns:pod trace out tcp "$FAR_IP:80" >/run/out
	"$TOP/tests/lib/validate" trace </run/out
}

@test "the output follows its schema" { in_pod validated; }
