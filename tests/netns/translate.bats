#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# translate - the nft text of xt rules is what iptables-translate gives, but for differences with a reason

translate() {
	run "$TOP/tests/lib/xt-translate" "$1"
	echo "$output"
	[ "$status" = 0 ]
}

@test "IPv4 rules as iptables-translate has them" { translate 4; }
@test "IPv6 rules as ip6tables-translate has them" { translate 6; }
