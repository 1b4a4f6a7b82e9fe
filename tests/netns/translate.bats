#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# translate - the nft text of xt rules is what iptables-translate gives, and means the same when nft has loaded it, but for differences with a reason

source "$TOP/tests/lib/pod.sh"

translate() {
	run "$TOP/tests/lib/xt-translate" "$1"
	echo "$output"
	[ "$status" = 0 ]
}

@test "IPv4 rules as iptables-translate has them" { translate 4; }
@test "IPv6 rules as ip6tables-translate has them" { translate 6; }

meaning() {
	run "$TOP/tests/lib/xt-translate" meaning "$1"
	echo "$output"
	[ "$status" = 0 ]
}
@test "IPv4 rules mean what nft makes of their translation" { meaning 4; }
@test "IPv6 rules mean what nft makes of their translation" { meaning 6; }

# The reasons of meaning.known, as the kernel has them.
not_both() {
	ip link set lo up
	iptables-legacy -A INPUT -p udp ! --sport 1000 ! --dport 2000
	nft 'add table ip t; add chain ip t c { type filter hook input priority 0; }; add rule ip t c udp sport != 1000 udp dport != 2000 counter'
	python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 1000))
s.sendto(b"x", ("127.0.0.1", 2001))'
	iptables-legacy-save -c | grep -F '[0:0] -A INPUT -p udp'
	nft list chain ip t c | grep 'packets 1 '
	"$CNISH" tables --store native -o nft | grep '@th,0,32 != '
}
@test "two negated ports are one comparison to nft, that not both be so" { sandbox not_both; }

renamed() {
	ip link add d0 type veth peer name p0
	iptables-legacy -t mangle -A PREROUTING -j TEE --gateway 10.0.0.1 --oif d0
	nft 'add table ip t; add chain ip t c { type filter hook prerouting priority 0; }; add rule ip t c dup to 10.0.0.1 device d0'
	ip link set d0 name d1
	iptables-legacy -t mangle -S | grep -- '--oif d0$'
	nft list chain ip t c | grep 'device "d1"'
}
@test "TEE keeps the name of a device, and nft its number" { sandbox renamed; }
