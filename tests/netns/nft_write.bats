#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# nft_write - rules written to the compat store are the instructions that iptables-nft itself writes

instructions() { nft --debug=netlink list ruleset 2>/dev/null | grep -E '^  \[|^ip6? '; }
export -f instructions

# same RULES [-6]: loaded by iptables-nft-restore and by nft_load, the kernel holds the same.
same() {
	local restore=iptables-nft-restore save=iptables-nft-save
	[ "${2:-}" = -6 ] && restore=ip6tables-nft-restore save=ip6tables-nft-save
	unshare -n bash -c "$restore <'$1' && $save | grep -v '^#' >'$1.save'; instructions >'$1.peer'"
	unshare -n bash -c "'$TOOLS/nft_load' ${2:-} <'$1' && $save | grep -v '^#' >'$1.ours.save'; instructions >'$1.ours'
		$save >/dev/null && ${save%-save} -S >/dev/null 2>'$1.err'"
	diff "$1.save" "$1.ours.save"
	diff "$1.peer" "$1.ours"
	[ -s "$1.peer" ]
	! grep -i incompat "$1.err"
}

@test "IPv4 rules, native and extension parts, are encoded alike" {
	cat >"$BATS_TEST_TMPDIR/rules" <<-'END'
		*nat
		:PREROUTING ACCEPT [0:0]
		:INPUT ACCEPT [0:0]
		:OUTPUT ACCEPT [0:0]
		:POSTROUTING ACCEPT [0:0]
		:IN_REDIRECT - [0:0]
		:OUT - [0:0]
		-A PREROUTING -p tcp -j IN_REDIRECT
		-A OUTPUT -p tcp -j OUT
		-A OUTPUT -s 10.0.0.0/8 ! -d 1.2.3.4/32 -o eth0 -p tcp -m tcp --sport 1:5 --dport 80 -m mark --mark 0x1/0xf -j OUT
		-A OUTPUT ! -o eth+ ! -p udp -m mark ! --mark 0x7 -g OUT
		-A OUTPUT -p udp -f -m udp ! --dport 53:100 -j RETURN
		-A OUTPUT -p tcp ! -f -m tcp -m comment --comment "hi there" -j REDIRECT --to-ports 15001
		-A OUTPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DNAT --to-destination 1.2.3.4:80
		-A OUTPUT -s 10.128.0.0/9 -p tcp -m tcp --sport 80 ! --tcp-flags FIN,SYN,RST,ACK SYN -j DNAT --to-destination 1.2.3.4:80
		-A IN_REDIRECT -p tcp -m tcp --dport 1024: -j RETURN
		-A IN_REDIRECT -p tcp -m tcp ! --dport 1024: -j RETURN
		-A IN_REDIRECT -p tcp -m tcp --dport :1024 -j RETURN
		-A IN_REDIRECT -p tcp -m tcp ! --dport :1024 -j RETURN
		-A IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006
		-A OUT -s 127.0.0.6/32 -o lo -j RETURN
		-A OUT ! -d 127.0.0.1/32 -o lo -p tcp -m tcp ! --dport 15008 -m owner --uid-owner 1337 -j IN_REDIRECT
		-A OUT -o lo -m owner ! --uid-owner 1337 -j RETURN
		-A OUT -m owner --gid-owner 1337 -j RETURN
		-A OUT -s 10.0.1.2/255.0.255.255 -j ACCEPT
		-A OUT -p tcp -j REDIRECT --to-ports 15001
		COMMIT
	END
	same "$BATS_TEST_TMPDIR/rules"
}

@test "IPv6 rules are encoded alike" {
	cat >"$BATS_TEST_TMPDIR/rules" <<-'END'
		*nat
		:PREROUTING ACCEPT [0:0]
		:INPUT ACCEPT [0:0]
		:OUTPUT ACCEPT [0:0]
		:POSTROUTING ACCEPT [0:0]
		:OUT - [0:0]
		-A OUTPUT -p tcp -j OUT
		-A OUT -s ::6/128 -o lo -j RETURN
		-A OUT ! -d ::1/128 -o lo -p tcp -m tcp ! --dport 15008 -m owner --uid-owner 1337 -j RETURN
		-A OUT -d 2001:db8::/36 -j RETURN
		-A OUT -d 2001:db8::/32 -j RETURN
		-A OUT -p tcp -j REDIRECT --to-ports 15001
		COMMIT
	END
	same "$BATS_TEST_TMPDIR/rules" -6
}

@test "a change by somebody else in between is refused, and nothing is written" {
	printf '*nat\n:X - [0:0]\n-A X -p tcp -j RETURN\nCOMMIT\n' >"$BATS_TEST_TMPDIR/rules"
	run unshare -n bash -c "nft add table ip other; '$TOOLS/nft_load' -g 1 <'$BATS_TEST_TMPDIR/rules'; nft list ruleset"
	[[ $output == *"have changed meanwhile"* ]]
	[[ $output != *nat* ]]
}

@test "one refused edit leaves nothing of the others" {
	printf '*nat\n:X - [0:0]\n-A X -p tcp -j RETURN\n-A X -j NOSUCH\nCOMMIT\n' >"$BATS_TEST_TMPDIR/rules"
	run unshare -n bash -c "'$TOOLS/nft_load' <'$BATS_TEST_TMPDIR/rules' 2>/dev/null; echo status \$?; nft list ruleset"
	[[ $output == *"status 1"* ]]
	[[ $output != *"table ip nat"* ]]
}
