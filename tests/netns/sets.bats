#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# sets - tables --sets: members of the ipsets that rules name, as ipset itself prints them, and of nft sets

source "$TOP/tests/lib/pod.sh"

members() {
	ip link set lo up
	ipset create addrs hash:ip counters comment
	ipset add addrs 10.0.0.1 comment "the first"
	ipset add addrs 10.0.0.2
	ipset create pairs hash:ip,port timeout 0
	ipset add pairs 10.0.0.1,tcp:80
	ipset add pairs 10.0.0.1,udp:53 timeout 0
	ipset create nets hash:net family inet6
	ipset add nets 2001:db8::/32
	ipset add nets fe80::/10 nomatch
	ipset create both list:set
	ipset add both addrs
	ipset create marks hash:ip skbinfo comment
	ipset add marks 10.0.0.1 skbmark 0x1/0xff skbprio 1:ab skbqueue 3 comment "both words"
	ipset add marks 10.0.0.2 skbmark 0xabcdef12
	ipset create idle hash:ip
	ipset create ports bitmap:port range 0-1023
	ipset add ports 80-82
	iptables-legacy -A INPUT -m set --match-set both src -j DROP
	iptables-legacy -t mangle -A INPUT -j SET --map-set marks src --map-mark
	iptables-nft -A INPUT -m set --match-set pairs dst,dst -m set ! --match-set ports src -j DROP
	ip6tables-nft -A INPUT -m set --match-set nets src -j ACCEPT
	nft 'add table inet t; add set inet t s { type ipv4_addr . inet_service; elements = { 1.1.1.1 . 80 } }'
	"$CNISH" tables --sets -o json >/run/json
	"$TOP/tests/lib/validate" tables </run/json
	jq -e '[.ipsets[].name] | sort == ["addrs", "both", "marks", "nets", "pairs", "ports"]' /run/json
	for set in addrs both marks nets pairs ports; do
		diff <(ipset save "$set" | sed -n "s/^add $set //p" | sort) \
			<(jq -r --arg s "$set" '.ipsets[] | select(.name == $s) | .members[]' /run/json | sort)
		[ "$(ipset list "$set" | sed -n 's/^Type: //p')" = \
			"$(jq -r --arg s "$set" '.ipsets[] | select(.name == $s) | .type' /run/json)" ]
	done
	"$CNISH" tables --sets >/run/text
	grep -q '^  both  list:set' /run/text
	grep -q '^    10.0.0.2 packets 0 bytes 0$' /run/text
	grep -q '^  inet t s  set ipv4_addr . inet_service  1 elements' /run/text
	grep -q '^    1.1.1.1 . 80$' /run/text
	# nothing is read that was not asked for
	"$CNISH" tables -o json | jq -e 'has("ipsets") | not'
}
@test "ipsets that rules name, through sets of sets, and nft's named sets" { sandbox members; }
