#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# incident - the incident itself on a real kernel: nf_tables is loaded, legacy nat is not, istio-init uses legacy

setup() {
	cd "$TOP"
	command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64 here"
	script=$BATS_TEST_TMPDIR/script
	source tests/lib/pod.sh
}

# The pod is the VM's own namespace: an address, a route, Envoy's stand-in; and istio-init's text for iptables-restore.
world() {
	cat <<-'EOS'
	ip link set dummy0 up
	ip addr add 10.0.1.39/24 dev dummy0
	ip route add default via 10.0.1.1
	standin -d -n envoy -u 1337 -g 1337 tcp4/15001 tcp4/15006 >/dev/null
	ids() { cnish -o json "$@" >/tmp/json; sed 's/"id":/\n"id":/g' /tmp/json | sed -n 's/^"id":"\(D[0-9]*\)".*"cause".*/\1/p' | sort -u | tr '\n' ' '; }
	captured() { connect tcp 10.96.0.10 80 2>&1 | grep -q '"port":15001' && echo "captured"; }
	EOS
	echo "cat >/tmp/rules <<'RULES'"
	istio_rules 4
	echo RULES
}

vm() {
	run tests/lib/vm boot "$script"
	echo "$output"
	[ "$status" = 0 ]
}

@test "legacy iptables without its nat table: D01 from log and modules, --fix loads them, the connection is captured" {
	{
		world
		cat <<-'EOS'
		iptables-legacy-restore --noflush </tmp/rules 2>/tmp/log
		cat /tmp/log
		echo "found: $(ids doctor --log /tmp/log)"
		cnish doctor --log /tmp/log
		echo "piped: $(cat /tmp/log | ids doctor --log -)"
		echo "without its log: $(ids doctor)"
		cnish --dry-run doctor --fix --log /tmp/log | sed -n 's/^ *modprobe -a.*iptable_nat.*/would load/p'
		grep -q '^iptable_nat ' /proc/modules && echo "loaded too early"
		cnish doctor --fix --log /tmp/log </dev/null >/dev/null 2>&1
		echo "without consent: $?"
		cnish --yes doctor --fix --log /tmp/log
		grep -q '^iptable_nat ' /proc/modules && echo "iptable_nat loaded"
		grep -x iptable_nat /etc/modules-load.d/istio-iptables.conf
		cnish istio verify >/dev/null && echo "verify: clean"
		captured
		echo "afterwards: $(ids doctor --log /tmp/log)"
		cnish --yes doctor --fix --log /tmp/log | grep -c 'modprobe -\|changes made'
		cnish --yes istio flush >/dev/null
		iptables-legacy-restore --noflush </tmp/rules && echo "legacy works now"
		cnish istio verify >/dev/null && echo "verify: clean in legacy"
		captured
		EOS
	} >"$script"
	MODULES="nf_tables nft_chain_nat nft_compat dummy" vm
	grep -q "unable to initialize table 'nat'" <<<"$output"
	grep -qx 'found: D01 ' <<<"$output"
	grep -qx 'piped: D01 ' <<<"$output"
	grep -q 'iptable_nat: not loaded; its file is there' <<<"$output"
	grep -qx 'without its log: D08 ' <<<"$output"
	grep -q 'would load' <<<"$output"
	! grep -q 'too early' <<<"$output"
	grep -qx 'without consent: 6' <<<"$output"
	grep -qx 'iptable_nat loaded' <<<"$output"
	grep -qx 'iptable_nat' <<<"$output"
	grep -qx 'verify: clean' <<<"$output"
	grep -qx 'afterwards: ' <<<"$output"
	grep -qx 'legacy works now' <<<"$output"
	grep -qx 'verify: clean in legacy' <<<"$output"
	[ "$(grep -cx captured <<<"$output")" = 2 ]
	[ "$(grep -cx 0 <<<"$output")" = 1 ] # a second --fix finds nothing to do
}

@test "a kernel whose modules know no legacy table (taken out of its list): D02, and not D01" {
	{
		world
		cat <<-'EOS'
		for f in /lib/modules/*/modules.dep; do sed -i '/ip6*table[s_]/d' $f; done
		iptables-legacy-restore --noflush </tmp/rules 2>/tmp/log
		echo "found: $(ids doctor --log /tmp/log)"
		cnish --yes istio apply --store compat >/dev/null
		echo "afterwards: $(ids doctor --log /tmp/log)"
		EOS
	} >"$script"
	MODULES="nf_tables nft_chain_nat nft_compat xt_owner xt_REDIRECT xt_tcpudp dummy" vm
	grep -qx 'found: D02 ' <<<"$output"
	grep -qx 'afterwards: ' <<<"$output"
}

@test "the second act: the rules are in the store that the node's iptables does not show; then in both" {
	{
		world
		cat <<-'EOS'
		ln -s xtables-nft-multi /usr/sbin/iptables
		iptables-legacy-restore --noflush </tmp/rules
		iptables-nft-save | grep -c ISTIO
		echo "legacy: $(ids doctor)"
		captured
		iptables-nft-restore --noflush </tmp/rules
		echo "both: $(ids doctor)"
		cnish --yes doctor --fix >/dev/null
		iptables-legacy-save 2>/dev/null | grep -c '^-A ISTIO' | sed 's/^/left in legacy: /'
		echo "mended: $(ids doctor)"
		captured
		EOS
	} >"$script"
	MODULES="nf_tables nft_chain_nat nft_compat xt_owner xt_REDIRECT xt_tcpudp iptable_nat iptable_filter dummy" vm
	[ "$(grep -cx 0 <<<"$output")" = 1 ]
	grep -qx 'legacy: D03 ' <<<"$output"
	grep -qE '^both: D05 ' <<<"$output"
	! grep -qE '^mended: .*D05' <<<"$output"
	[ "$(grep -cx captured <<<"$output")" = 2 ]
}

@test "acts on one kernel: no raw table (D24), a full connection table (D49), a lost logger (D52), what --fix mends" {
	{
		world
		cat <<-'EOS'
		mkdir -p /run/netns
		: >/run/netns/pod
		unshare --net=/run/netns/pod true
		in_pod() { nsenter --net=/run/netns/pod "$@"; }
		in_pod ip link set lo up
		in_pod standin -d -n envoy -u 1337 -g 1337 tcp4/15001 tcp4/15006 tcp4/15053 udp4/15053 >/dev/null
		in_pod iptables-legacy-restore --noflush </tmp/rules
		ln -s xtables-legacy-multi /usr/sbin/iptables
		echo "healthy: $(ids -t netns:pod doctor)."
		in_pod iptables-legacy -t nat -A OUTPUT -p udp --dport 53 -j REDIRECT --to-ports 15053
		echo "no raw: $(ids -t netns:pod doctor)"
		cnish --yes -t netns:pod doctor --fix >/dev/null
		grep -q '^iptable_raw ' /proc/modules && echo "iptable_raw loaded"
		echo "raw can be: $(ids -t netns:pod doctor)"
		in_pod iptables-legacy -t raw -A OUTPUT -p udp --dport 53 -j CT --zone 2
		in_pod iptables-legacy -t raw -A PREROUTING -p udp --sport 53 -j CT --zone 2
		echo "zones: $(ids -t netns:pod doctor)."
		echo 12 >/proc/sys/net/netfilter/nf_conntrack_max
		for p in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do in_pod connect tcp 127.0.0.1 15006 >/dev/null 2>&1; done
		echo "full: $(ids -t netns:pod doctor)"
		echo 65536 >/proc/sys/net/netfilter/nf_conntrack_max
		in_pod iptables-legacy -A INPUT -p tcp --dport 15006 -j LOG --log-prefix seen-it:
		echo "logs: $(ids -t netns:pod doctor)"
		in_pod connect tcp 127.0.0.1 15006 >/dev/null
		dmesg | grep -c seen-it: | sed 's/^/lines before: /'
		cnish --yes -t netns:pod doctor --fix >/dev/null
		in_pod connect tcp 127.0.0.1 15006 >/dev/null
		dmesg | grep -q seen-it: && echo "a line after"
		echo "mended: $(ids -t netns:pod doctor)."
		cnish --yes -t netns:pod doctor --fix | grep -c 'nothing that can be mended'
		EOS
	} >"$script"
	MODULES="nf_tables nft_chain_nat nft_compat nf_conntrack xt_owner xt_REDIRECT xt_tcpudp xt_CT xt_LOG nf_log_syslog iptable_nat iptable_filter dummy" vm
	grep -qx 'healthy: \.' <<<"$output"
	grep -qx 'no raw: D24 ' <<<"$output"
	grep -qx 'iptable_raw loaded' <<<"$output"
	grep -qx 'raw can be: D22 ' <<<"$output"
	grep -qx 'zones: \.' <<<"$output"
	grep -qx 'full: D49 ' <<<"$output"
	grep -qx 'logs: D52 ' <<<"$output"
	grep -qx 'lines before: 0' <<<"$output"
	grep -qx 'a line after' <<<"$output"
	grep -qx 'mended: \.' <<<"$output"
	[ "$(grep -cx 1 <<<"$output")" = 1 ]
}

@test "a second kernel version: the same finding, mending and capture; the order of equals, which it lists" {
	{
		world
		cat <<-'EOS'
		uname -r | sed 's/^/kernel /'
		iptables-legacy-restore --noflush </tmp/rules 2>/tmp/log
		echo "found: $(ids doctor --log /tmp/log)"
		cnish --yes doctor --fix --log /tmp/log >/dev/null
		cnish istio verify >/dev/null && echo "verify: clean"
		captured
		# Two chains of one priority: the kernel runs first the one that came last.
		in_pod() { nsenter --net=/run/netns/$pod "$@"; }
		rule_legacy() { in_pod iptables-legacy -I OUTPUT -p tcp --dport 81 -j DROP; }
		rule_nft() { in_pod iptables-nft -I OUTPUT -p tcp --dport 81 -j REJECT --reject-with tcp-reset; }
		mkdir -p /run/netns
		for pod in legacy-nft nft-legacy; do
			: >/run/netns/$pod
			unshare --net=/run/netns/$pod true
			in_pod ip link set lo up
			rule_${pod%-*}
			rule_${pod#*-}
			in_pod connect -w 500 tcp 127.0.0.1 81 | sed "s/.*\"result\":\"\([a-z]*\).*/$pod kernel: \1/"
			cnish --color=never -t netns:$pod trace out tcp 127.0.0.1:81 | sed -n "s/^=> /$pod trace: /p"
			cnish -t netns:$pod -o json trace out tcp 127.0.0.1:81 | sed -n "s/.*\"order\":\"\([a-z]*\)\".*/$pod order: \1/p"
		done
		EOS
	} >"$script"
	KERNEL_PACKAGE=$(tests/lib/vm second)
	[ -n "$KERNEL_PACKAGE" ] || skip "one kernel version only is packaged here"
	export KERNEL_PACKAGE
	MODULES="nf_tables nft_chain_nat nft_compat iptable_filter ipt_REJECT xt_tcpudp nfnetlink_hook dummy" vm
	grep -qx "kernel ${KERNEL_PACKAGE#linux-image-}" <<<"$output"
	grep -qx 'found: D01 ' <<<"$output"
	grep -qx 'verify: clean' <<<"$output"
	grep -qx captured <<<"$output"
	grep -qx 'legacy-nft kernel: refused' <<<"$output"
	grep -qx 'nft-legacy kernel: timeout' <<<"$output"
	grep -q '^legacy-nft trace: is rejected' <<<"$output"
	grep -q '^nft-legacy trace: is dropped' <<<"$output"
	[ "$(grep -c ' trace: ' <<<"$output")" = 2 ] # one outcome each
	[ "$(grep -c ' order: known' <<<"$output")" = 2 ]
}
