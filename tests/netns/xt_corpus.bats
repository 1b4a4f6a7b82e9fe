#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# xt_corpus - every option of every xt extension: loaded by the real tools, printed as they print it, nothing opaque

source "$TOP/tests/lib/pod.sh"

corpus() {
	run "$TOP/tests/lib/xt-corpus" "$1"
	echo "$output"
	[ "$status" = 0 ]
}

@test "IPv4: every extension and option of the manual, in both stores and all revisions" { corpus 4; }
@test "IPv6: every extension and option of the manual, in both stores and all revisions" { corpus 6; }

# What the tools print of a rule, and then read as another one or not at all
lossy() {
	cat <<-'END'
		INPUT -p udp -m udp ! --sport 65534 ! --dport 1
		INPUT -p tcp -m tcp ! --sport 5 ! --dport 6 --tcp-flags SYN SYN -j DROP
		INPUT -p udp -m udp --sport 47 -m udp ! --sport 65534 --dport 1
		INPUT ! -p udp -m udp --sport 1:65535 ! --dport 32767
		INPUT -m time --datestop 1970
		INPUT -m time --datestart 2038-01-19T03:14:07
		INPUT -m conntrack --ctorigsrcport 65534:0 --ctorigdstport 0:5
		INPUT -m time ! --weekdays Mon,Tue,Wed,Thu,Fri,Sat,Sun
		INPUT -m hashlimit --hashlimit-upto 1b/s --hashlimit-name h
		INPUT -m connbytes --connbytes 0:0 --connbytes-dir both --connbytes-mode bytes
		POSTROUTING -t nat -p tcp -j SNAT --to-source 10.0.0.1:1-2/5
	END
}
in_both() {
	local line n=0
	while read -r line; do
		# the kernel takes "! -p udp -m udp" from iptables-nft alone, which makes native terms of it
		# shellcheck disable=SC2086
		iptables-legacy -A $line || [ "${line#INPUT ! -p udp}" != "$line" ]
		# shellcheck disable=SC2086
		iptables-nft -A $line
		n=$((n + 1))
	done < <(lossy)
	for store in legacy compat; do
		tool=$([ $store = legacy ] && echo legacy || echo nft)
		"$CNISH" tables -4 --store $store -o save --counters | grep -v '^#' >/run/ours
		"iptables-$tool-save" -c | grep -v '^#' | diff - /run/ours
	done
	[ "$(grep -c -- '-A ' /run/ours)" = "$n" ]
	# two negated ports are one condition to iptables-nft, which is another one; and it keeps one UDP match of two
	"$CNISH" -o json diff >/run/diff || [ $? = 1 ]
	jq -e --argjson n "$n" '.counts | .same == $n - 3 and .left_rules == $n - 1 and .right_rules == $n' /run/diff || { cat /run/diff; false; }
}
@test "rules that the tools print as others: cnish's text is theirs, and the comparison tells them apart" {
	sandbox in_both
}
