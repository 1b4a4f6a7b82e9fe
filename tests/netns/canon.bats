#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# canon - rules that mean the same compare equal, whichever tool wrote them; others do not
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"

# Every rule of the corpus that both kinds of iptables take, in both stores.
load_both() { "$TOP/tests/lib/xtload.py" "$1" legacy compat >/dev/null; }

# What matches nothing (lengths of extension headers come in eights), and what another rule of the corpus says as well.
same_in_other_words() {
	cat <<-'END'
		-m statistic --mode random --probability 0\.00000000000
		! -s (0\.0\.0\.0|::)/0
		-m (ttl --ttl|hl --hl)-(lt 0|gt 255)
		-m tos --tos 0xff/0x0f
		-m (mark|tos) (! )?--(mark|tos) 0x0+/0x0+
		-m iprange ! --src-range ::-ffff:.*
		-m (dst|hbh) --(dst|hbh)-len 5
		-m (dst|hbh) ! --(dst|hbh)-len 0
		-m (frag ! --fraglen 3|rt|frag)
		-m (ttl --ttl|hl --hl)-gt 0
		-j NFLOG --nflog-(range 40|size 0)
		-j TOS --set-tos 0x04/0xfc
	END
}

corpus() {
	load_both "$1"
	# iptables-nft drops "! --sport 0:65535" of UDP, which matches nothing, when it translates it; and of two negated
	# ports (two rules) it makes one comparison, that not both be so
	"$CNISH" diff -o json >/run/json || true
	jq -e --argjson least "$2" '.counts.same >= $least and .counts.same == .counts.left_rules - 3' /run/json || { "$CNISH" diff; false; }
	# What says the same in other words; apart from that as many forms as texts.
	"$TOOLS/canon" | awk -F '\t' '$1 == "legacy" { print $2, $6 }' | sort -u >/run/forms
	"$CNISH" tables --store legacy -o json | jq -r '.tables[] | .family as $f | .chains[].rules[] | $f + " " + .iptables' |
		sed -E 's/ ?-m comment --comment ("([^"\\]|\\.)*"|[^ ]+)//; s/-m state --state/-m conntrack --ctstate/
			s/-j NOTRACK/-j CT --notrack/; s/^(ip6? )-p tcp -m tcp$/\1-p tcp/; s/^(ip6?) +/\1 /; s/ +$//
			s/ -m (icmp|tcp|udp|ah|esp)( --icmp-type any)?$//' | grep -vxE "ip6? ($(same_in_other_words | paste -sd'|'))" | sort -u >/run/texts
	[ "$(wc -l </run/forms)" -ge "$(wc -l </run/texts)" ] || { wc -l /run/forms /run/texts; false; }
}
@test "every xt match and target: the same in legacy and compat, IPv4" { sandbox corpus 4 300; }
@test "every xt match and target: the same in legacy and compat, IPv6" { sandbox corpus 6 60; }

# an iptables rule => the nft rule that means the same
native() {
	cat <<-'END'
		-d 10.0.0.0/8 -p tcp --dport 80 -j ACCEPT => tcp dport 80 ip daddr 10.0.0.0/8 counter accept
		-s 10.1.2.3 -j DROP => ip saddr { 10.1.2.3 } drop
		-s 10.0.0.0/255.0.255.0 -j DROP => ip saddr & 255.0.255.0 == 10.0.0.0 drop
		! -s 10.0.0.0/30 -j DROP => ip saddr != 10.0.0.0-10.0.0.3 drop
		-i eth+ -o lo -j ACCEPT => oifname "lo" iifname "eth*" accept
		-p udp -j RETURN => meta l4proto udp return
		! -p tcp -j DROP => ip protocol != tcp drop
		-p tcp -m multiport --dports 443,80 => tcp dport { 80, 443 }
		-p tcp -m multiport ! --sports 1:1024 => tcp sport != 1-1024
		-p tcp --sport 1024: => tcp sport >= 1024
		-p tcp --tcp-flags FIN,SYN,RST,ACK SYN => tcp flags & (fin | syn | rst | ack) == syn
		-p icmp --icmp-type echo-request -j ACCEPT => icmp type 8 accept
		-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT => ct state { related, established } accept
		-m conntrack ! --ctstate INVALID -j ACCEPT => ct state != invalid accept
		-m state --state NEW => ct state new
		-m conntrack --ctorigdst 10.0.0.0/8 => ct original ip daddr 10.0.0.0/8
		-m mark --mark 0x1 => meta mark 1
		-m mark ! --mark 0x4000/0x4000 => meta mark & 0x4000 == 0
		-m connmark --mark 0x1/0xff => ct mark & 0xff == 1
		-m owner --uid-owner 1337 => meta skuid 1337
		-m owner --gid-owner 1000-2000 => meta skgid 1000-2000
		-m addrtype --dst-type LOCAL => fib daddr type local
		-m pkttype --pkt-type broadcast => meta pkttype broadcast
		-m limit --limit 6/min --limit-burst 7 -j ACCEPT => limit rate 6/minute burst 7 packets accept
		-m comment --comment "a b" -j ACCEPT => accept comment "other"
		-m statistic --mode random --probability 0.5 => numgen random mod 2147483648 < 1073741824
		-m ttl --ttl-lt 5 => ip ttl < 5
		-m length --length 100:200 => meta length 100-200
		-m iprange --src-range 10.0.0.5-10.0.0.9 => ip saddr 10.0.0.5-10.0.0.9
		-j REJECT --reject-with icmp-port-unreachable => reject
		-p tcp -j REJECT --reject-with tcp-reset => meta l4proto tcp reject with tcp reset
		-j LOG --log-prefix "x: " => log prefix "x: "
		-j NFLOG --nflog-group 5 => log group 5
		-m connmark --mark 0x0/0x0 => ct mark 0/0
		-m conntrack --ctrepldst 10.1.2.3/8 => ct reply ip daddr 10.0.0.0/8
		-m hashlimit --hashlimit-above 3/min --hashlimit-burst 8 --hashlimit-mode srcip,dstip --hashlimit-srcmask 24 --hashlimit-name m -j DROP => meter m { ip daddr . ip saddr & 255.255.255.0 timeout 60s limit rate over 3/minute burst 8 packets } drop
		-p sctp --chunk-types all INIT,DATA => sctp chunk init exists sctp chunk data exists
		-p tcp ! --tcp-option 5 => meta l4proto tcp tcp option 5 missing
	END
}

by_meaning() {
	local line n=0
	nft 'add table ip same; add chain ip same c'
	iptables-legacy -N c
	while read -r line; do
		eval "iptables-legacy -A c ${line%% => *}"
		nft -f - <<<"add rule ip same c ${line#* => }"
		n=$((n + 1))
	done < <(native)
	"$TOOLS/canon" | awk -F '\t' '$1 == "legacy" { print $5 "\t" $6 }' >/run/legacy
	"$TOOLS/canon" | awk -F '\t' '$1 == "native" { print $5 "\t" $6 }' >/run/native
	[ "$(wc -l </run/legacy)" = "$n" ]
	diff /run/legacy /run/native
	# and no two of them are the same
	[ "$(cut -f 2 /run/legacy | sort -u | wc -l)" = "$n" ]
}
@test "an xt rule and the native rule that means the same" { sandbox by_meaning; }

# iptables-nft makes one comparison of two negated ports, of the same text: 03e8 is 1000, 07d0 is 2000.
alike() {
	iptables-legacy -A INPUT -p udp ! --sport 1000 ! --dport 2000
	iptables-nft -A INPUT -p udp ! --sport 1000 ! --dport 2000
	iptables-nft -A INPUT -p tcp -j ACCEPT
	nft --debug=netlink list chain ip filter INPUT | grep 'cmp neq reg 1 0xd007e803'
	! "$CNISH" diff >/run/out
	grep -A1 '^- .* -p udp -m udp ! --sport 1000 ! --dport 2000$' /run/out | grep '^ *nft: udp sport \. udp dport != '
	grep -A1 '^+ .* -p udp -m udp ! --sport 1000 ! --dport 2000$' /run/out | grep '^ *nft: .*@th,0,32 != 0x3e807d0 '
	! grep -A1 -- '-p tcp' /run/out | grep 'nft:' || false
	! "$CNISH" -o json diff >/run/json
	jq -e '[.differences[] | (.left // .right).form] | length == 3 and .[0] != .[1] and (map(select(. == null)) | length) == 1' /run/json
	# nft does not say that the first of these asks for TCP
	ip netns add a; ip netns add b
	in_ns a nft 'add table ip t; add chain ip t c; add rule ip t c ip protocol tcp tcp option 255 missing'
	in_ns b nft 'add table ip t; add chain ip t c; add rule ip t c tcp option 255 missing'
	diff <(in_ns a nft list ruleset) <(in_ns b nft list ruleset)
	! "$CNISH" diff netns:a netns:b >/run/out
	[ "$(grep -c '^ *compared as: ' /run/out)" = 2 ]
	[ "$(grep '^ *compared as: ' /run/out | sort -u | wc -l)" = 2 ]
}
@test "of differing rules that read the same the form is shown in which they differ" { sandbox alike; }
