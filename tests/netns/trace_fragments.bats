#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# trace_fragments.bats - "trace --verify" of fragments: as they are, and put together in front of the rules

bats_require_minimum_version 1.5.0
source "$TOP/tests/lib/pod.sh"

# agrees "pre 2 6 ..." WORD...: the kernel agrees, and what it says are these base chains and rules of chain "look"
agrees() {
	local seen=$1 kernel
	shift
	"$CNISH" -o json -t netns:pod trace --verify "$@" >/run/verify.json ||
		{ jq -c .verify /run/verify.json; echo "status: $*"; return 1; }
	kernel=$(jq -r '[.verify.steps[] | if .chain == "look" then .rule elif .rule then .chain else empty end] | join(" ")' /run/verify.json)
	jq -e '.verify | .result == "agrees" and .same == .steps_compared and .not_copied == []' /run/verify.json >/dev/null &&
		[ "$kernel" = "$seen" ] || { jq -c .verify /run/verify.json; echo "$kernel: $*"; return 1; }
}

# sent FILTER: what is said of the packet that was sent
sent() { jq -e ".verify.sent | $1" /run/verify.json >/dev/null || { jq -c .verify.sent /run/verify.json; return 1; }; }
# ended FILTER: where the kernel's packet came to
ended() { jq -e ".verify.end | $1" /run/verify.json >/dev/null || { jq -c .verify.end /run/verify.json; return 1; }; }

# Every rule says one thing that tells a fragment from the whole packet
rules() {
	pod_exec ip link add out0 type veth peer name out1
	pod_exec ip link set out0 up
	pod_exec ip link set out1 up
	pod_exec ip addr add 10.9.0.1/24 dev out0
	pod_exec ip addr add fd09::1/64 dev out0 nodad
	pod_exec sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	pod_exec nft -f - <<-'EOR'
	table inet t {
		chain raw { type filter hook prerouting priority -450; jump look; }
		chain pre { type filter hook prerouting priority -140; jump look; }
		chain forw { type filter hook forward priority 0; jump look; }
		chain input { type filter hook input priority 0; jump look; }
		chain output { type filter hook output priority -140; jump look; }
		chain look {
			ip frag-off & 0x1fff != 0 counter
			ip frag-off & 0x2000 != 0 counter
			frag frag-off != 0 counter
			frag more-fragments 1 counter
			exthdr frag exists counter
			tcp dport 80 counter
			udp dport 53 counter
			sctp dport 9 counter
			icmp type echo-request counter
			meta skuid 5 counter
		}
	}
	EOR
}

both() { echo "raw $1 pre $1 forw $1"; }

as_they_are() {
	rules
	agrees "$(both "2 6")" forward tcp "$NODE_IP:4000" to 10.9.0.5:80 iif eth0 frag first
	sent '.frag == "first" and .fragid > 0 and (.others | not)'
	ended '.path == "out" and .dport == 80'
	agrees "$(both "1")" forward tcp "$NODE_IP:4000" to 10.9.0.5:80 iif eth0 frag later
	sent '.frag == "8"'
	ended '.path == "out" and .daddr == "10.9.0.5" and .dport == null'
	agrees "$(both "1 2")" forward tcp "$NODE_IP:4000" to 10.9.0.5:80 iif eth0 frag 185+ fragid 77 length 60
	sent '.frag == "185+" and .fragid == 77'
	agrees "$(both "1")" forward udp "$NODE_IP" to 10.9.0.5:53 iif eth0 frag 8191 ipopt ra=0
	agrees "$(both "1")" forward icmp "$NODE_IP" to 10.9.0.5 iif eth0 frag later
	agrees "$(both "6")" forward tcp "$NODE_IP:4000" to 10.9.0.5:80 iif eth0 frag 0
	sent '.frag == null'
	agrees "$(both "4 5 7")" forward udp "[$NODE_IP6]:4000" to '[fd09::5]:53' iif eth0 frag first
	agrees "$(both "3 5")" forward udp "[$NODE_IP6]:4000" to '[fd09::5]:53' iif eth0 frag later fragid 0x10005
	ended '.path == "out" and .daddr == null' # the kernel's trace has no header of such
	agrees "$(both "4 5 6")" forward tcp "[$NODE_IP6]:4000" to '[fd09::5]:80' iif eth0 frag first exthdr hbh:010400000000,frag,dst
	agrees "$(both "5 6")" forward tcp "[$NODE_IP6]:4000" to '[fd09::5]:80' iif eth0 frag 0
	agrees "output 1 10" out tcp "$FAR_IP:80" uid 5 frag later
	agrees "output 3 5 10" out tcp "[$FAR_IP6]:80" uid 5 frag later
	# in front of hook input, IPv4 puts them together all the same; IPv6 does so behind it
	agrees "raw 1 pre 1 input 6" in tcp "$NODE_IP" to "$POD_IP:80" frag later
	sent '.others'
	ended '.path == "local" and .dport == 80'
	agrees "raw 2 7 pre 2 7 input 7" in udp "$NODE_IP" to "$POD_IP:53" frag first
	agrees "raw 3 5 pre 3 5 input 3 5" in tcp "[$NODE_IP6]" to "[$POD_IP6]:80" frag later
	sent '.others | not'
}

@test "where nothing tracks connections: the kernel sees what the simulation sees" { in_pod as_they_are; }

# together WHO: what tracks connections, or looks for sockets, has them put together behind priority -400
together() {
	rules
	case $1 in
	tracked) pod_exec nft 'table inet c { chain c { type filter hook postrouting priority 0; ct state new counter; }; }' ;;
	sockets) pod_exec iptables-legacy -t mangle -A OUTPUT -d 192.0.2.1 -j MARK --set-mark 1
		pod_exec ip6tables-legacy -t mangle -A OUTPUT -d 2001:db8::1 -j MARK --set-mark 1
		pod_exec iptables-legacy -t mangle -A PREROUTING -d 192.0.2.1 -m socket -j DROP
		pod_exec ip6tables-legacy -t mangle -A PREROUTING -d 2001:db8::1 -m socket -j DROP ;;
	esac
	agrees "raw 2 6 pre 6 forw 6$2" forward tcp "$NODE_IP:4000" to 10.9.0.5:80 iif eth0 frag first
	sent '.frag == "first" and .others'
	agrees "raw 1 pre 6 forw 6$2" forward tcp "$NODE_IP:4000" to 10.9.0.5:80 iif eth0 frag later
	ended '.path == "out" and .dport == 80'
	agrees "raw 1 2 pre 7 forw 7$2" forward udp "$NODE_IP:4000" to 10.9.0.5:53 iif eth0 frag 1+ fragid 77
	agrees "raw 1 pre 7 forw 7$2" forward udp "$NODE_IP:4000" to 10.9.0.5:53 iif eth0 frag 1000 length 1000
	agrees "raw 1 pre 8 input 8" in sctp "$NODE_IP:4000" to "$POD_IP:9" frag later
	agrees "raw 2 9 pre 9 input 9" in icmp "$NODE_IP" to "$POD_IP" frag first
	agrees "raw 3 4 5 pre 7 forw 7$2" forward udp "[$NODE_IP6]:4000" to '[fd09::5]:53' iif eth0 frag 5+
	agrees "raw 3 5 pre 6 input 6" in tcp "[$NODE_IP6]:4000" to "[$POD_IP6]:80" frag later exthdr hbh:010400000000
	ended '.path == "local" and .daddr == "fd00:1::39"'
	agrees "raw 4 5 6 pre 6 input 6" in tcp "[$NODE_IP6]:4000" to "[$POD_IP6]:80" frag first
	agrees "raw 5 6 pre 6 input 6" in tcp "[$NODE_IP6]:4000" to "[$POD_IP6]:80" frag 0
	agrees "output 6 10$2" out tcp "$FAR_IP:80" uid 5 frag later
	agrees "output 7 10$2" out udp "[$FAR_IP6]:53" uid 5 frag first
	# what was put together here comes back through lo in fragments
	run "$CNISH" -t netns:pod trace --verify out tcp "$POD_IP:80" uid 5 frag later
	[[ $status = 0 && $output == *"comes here in fragments again"*"nothing to compare"*"it goes to $POD_IP:80"* ]] || { echo "$output"; return 1; }
	pod_exec nft flush chain inet t raw
	agrees "output 6 10$2 pre 6 input 6" out tcp "$POD_IP:80" uid 5 frag later
	agrees "output 7 10$2 pre 7 input 7" out udp "[$POD_IP6]:53" uid 5 frag first
	pod_exec nft 'table netdev d { chain e { type filter hook egress device out0 priority 0; counter; }; }'
	run "$CNISH" -t netns:pod trace --verify out tcp 10.9.0.5:80 uid 5 frag later
	[[ $output == *"comes here in fragments again"*"nothing to compare"* ]] || { echo "$output"; return 1; }
}

@test "where connections are tracked: the others are sent too, and the rules see the whole packet" { in_pod together tracked " c"; }
@test "where sockets are looked for: the same" { in_pod together sockets ""; }

# The others are packets too: the simulation takes it for granted that they come
different() {
	rules
	pod_exec nft 'insert rule inet t raw ip frag-off & 0x3fff == 0x2000 udp dport 53 drop'
	run -1 "$CNISH" -o json -t netns:pod trace --verify in udp "$NODE_IP" to "$POD_IP:53" frag later
	jq -e '.verify | .result == "differs" and .end.path == "gone" and .kernel.chain == null and .expected.chain == "input" and .sent.others' <<<"$output"
	pod_exec nft flush chain inet t raw
	agrees "pre 1 input 7" in udp "$NODE_IP" to "$POD_IP:53" frag later
}

@test "where another fragment is dropped, the kernel never has the whole: a difference" { in_pod different; }

refusals() {
	local -a words
	rules
	pod_exec nft 'table inet c { chain c { type filter hook postrouting priority 0; ct state new counter; }; }'
	while read -ra words; do
		run -5 "$CNISH" -t netns:pod trace --verify "${words[@]:1}"
		[[ $output == *"${words[0]//_/ }"* ]] || { echo "${words[*]}: $output"; return 1; }
	done <<-EOL
	a_multiple_of_eight in udp $NODE_IP to $POD_IP:53 frag first length 61
	no_packet_is_as_long in udp $NODE_IP to $POD_IP:53 frag 8191
	too_short_for_its_headers in tcp $NODE_IP to $POD_IP:80 frag 1 length 28
	holds_nothing in tcp $NODE_IP to $POD_IP:80 frag first length 20
	another_one out udp $FAR_IP:53 frag later fragid 0
	EOL
}

@test "fragments that no packet has are not sent, and it says why" { in_pod refusals; }

described() {
	rules
	run -0 "$CNISH" -t netns:pod trace --verify in udp "$NODE_IP:4000" to "$POD_IP:53" frag later fragid 9
	[[ $output == *"sent in a copy of the target as fragment 8 with id 9, behind the others of its packet"* ]]
	"$CNISH" -o json -t netns:pod trace --verify in udp "$NODE_IP:4000" to "$POD_IP:53" frag later >/run/out
	"$TOP/tests/lib/validate" trace </run/out
}

@test "what is sent is said, and follows the schema" { in_pod described; }
