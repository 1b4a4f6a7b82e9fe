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
		cnish --yes doctor --fix --log /tmp/log | grep -c 'modprobe\|changes made'
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
