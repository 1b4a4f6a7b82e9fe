#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# looking - on a real modular kernel, commands that only look load no module and create no table

setup() {
	cd "$TOP"
	command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64 here"
	script=$BATS_TEST_TMPDIR/script
}

# Runs every looking command with module loading allowed, and compares /proc/modules before and after.
looks() {
	cat <<-'EOS'
	echo /sbin/modprobe >/proc/sys/kernel/modprobe
	cut -d' ' -f1 /proc/modules | sort >/tmp/before
	for c in "info" "tables" "tables -o json" "tables -o save" "sockets" "conns" "pods" "diff" \
		"trace out tcp 127.0.0.1:80" "trace in tcp 1.2.3.4:5 -> 127.0.0.1:80" "istio show" "istio verify"; do
		cnish $c >/tmp/out 2>&1 || true
		cut -d' ' -f1 /proc/modules | sort >/tmp/after
		if ! cmp -s /tmp/before /tmp/after; then
			echo "LOADED by '$c':"
			grep -vxFf /tmp/before /tmp/after
			cp /tmp/after /tmp/before
		fi
	done
	cat /proc/net/ip_tables_names 2>/dev/null | sed 's/^/TABLE /'
	echo looked
	EOS
}

@test "with no netfilter module loaded" {
	looks >"$script"
	MODULES= run tests/lib/vm boot "$script"
	echo "$output"
	[ "$status" = 0 ]
	[ "$output" = looked ]
}

@test "with only nf_tables loaded, as on the node of the incident" {
	looks >"$script"
	MODULES="nf_tables nft_chain_nat nft_compat" run tests/lib/vm boot "$script"
	echo "$output"
	[ "$status" = 0 ]
	[ "$output" = looked ]
}

@test "with only legacy tables loaded" {
	looks >"$script"
	MODULES="ip_tables ip6_tables iptable_filter" run tests/lib/vm boot "$script"
	echo "$output"
	[ "$status" = 0 ]
	[ "$output" = looked ]
}
