#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# translate - the nft text of xt rules is what iptables-translate gives, and means the same when nft has loaded it, but for differences with a reason

source "$TOP/tests/lib/pod.sh"

# asks WORD...: what tests/lib/xt-translate asks holds
asks() {
	run "$TOP/tests/lib/xt-translate" "$@"
	echo "$output"
	[ "$status" = 0 ]
}

@test "IPv4 rules as iptables-translate has them" { asks 4; }
@test "IPv6 rules as ip6tables-translate has them" { asks 6; }

@test "IPv4 rules mean what nft makes of their translation" { asks meaning 4; }
@test "IPv6 rules mean what nft makes of their translation" { asks meaning 6; }

@test "packets fare by cnish's nft text as by the IPv4 rule; what is said of the translation is so" { asks kernel 4; }
@test "packets fare by cnish's nft text as by the IPv6 rule; what is said of the translation is so" { asks kernel 6; }

@test "no line tells of a difference that is no more" { asks stale; }

# Reasons that packets do not show.
not_both() {
	nft 'add table ip t; add chain ip t c; add rule ip t c udp sport != 1000 udp dport != 2000'
	"$CNISH" tables --store native -o nft | grep '@th,0,32 != '
}
@test "two negated ports are one comparison to nft, that not both be so" { sandbox not_both; }

# Now lies in what began yesterday: after the end of today, before the beginning.
past_midnight() {
	local now start stop day rule translated
	export TZ=UTC
	now=$(date +%s)
	stop=$(date -d "@$((now + 60))" +%H:%M) start=$(date -d "@$((now + 120))" +%H:%M) day=$(date -d "@$((now - 86400))" +%a)
	rule="-m time --weekdays $day --timestart $start --timestop $stop --contiguous"
	ip link set lo up
	eval "iptables-legacy -A INPUT $rule"
	translated=$(eval "iptables-translate -A INPUT $rule")
	nft 'add table ip filter; add chain ip filter INPUT { type filter hook input priority 0; }'
	eval "$translated"
	echo x >/dev/udp/127.0.0.1/9
	iptables-legacy-save -c | grep '^\[[1-9].* -A INPUT'
	nft list chain ip filter INPUT | grep 'packets 0 '
}
@test "a span past midnight is that of the day on which it began" {
	[ "$(TZ=UTC date +%H%M)" -lt 2357 ] || skip "it is midnight"
	sandbox past_midnight
}

renamed() {
	ip link add d0 type veth peer name p0
	iptables-legacy -t mangle -A PREROUTING -j TEE --gateway 10.0.0.1 --oif d0
	nft 'add table ip t; add chain ip t c { type filter hook prerouting priority 0; }; add rule ip t c dup to 10.0.0.1 device d0'
	ip link set d0 name d1
	iptables-legacy -t mangle -S | grep -- '--oif d0$'
	nft list chain ip t c | grep 'device "d1"'
}
@test "TEE keeps the name of a device, and nft its number" { sandbox renamed; }
