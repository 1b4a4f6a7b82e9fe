#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# nft_torn - a ruleset that changes while it is read is never shown half old, half new

# churned PAUSE TIMES [MANY]: read TIMES while a writer changes all rules every PAUSE microseconds
churned() {
	unshare -n bash -c "'$TOOLS/nft_churn' -1 $3 && { '$TOOLS/nft_churn' $1 $3 & } && '$TOOLS/nft_read' $2; s=\$?; kill %1; wait; exit \$s"
}

@test "with pauses between changes every reading succeeds or is repeated" {
	run churned 20000 40
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"torn 0"* ]]
	[[ $output != *"read 0,"* ]]
}

@test "without a pause a reading is whole or refused, and the refusal says why" {
	run churned 0 400
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"torn 0"* ]]
	[[ $output != *"read 0,"* ]]
	[[ $output != *"nft_read:"* ]]
}

@test "the same with so many rules that they are asked for chain by chain" {
	run churned 0 40 15
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"torn 0"* ]]
	[[ $output != *"nft_read:"* ]]
}

@test "a dump that somebody began and does not go on reading is no change under way" {
	run unshare -n bash -c "'$TOOLS/nft_churn' -1 40 && python3 - '$TOOLS/nft_read'" <<-'END'
		import socket, struct, subprocess, sys
		stalled = []
		for n in range(3):
		    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
		    # NFT_MSG_GETRULE, NLM_F_REQUEST | NLM_F_DUMP
		    s.send(struct.pack("=IHHII", 20, 10 << 8 | 7, 0x301, 1, 0) + struct.pack("=BBH", 0, 0, 0))
		    stalled.append(s)
		busy = [l.split() for l in open("/proc/net/netlink") if l.split()[1] == "12"]
		assert any(l[2] == "0" and int(l[4]) for l in busy), busy
		assert sum(l[6] == "1" for l in busy) == 3, busy
		# waiting for it in vain would take seconds for each reading
		sys.exit(subprocess.run([sys.argv[1], "200"], timeout=60).returncode)
	END
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"read 200, refused 0, torn 0"* ]]
}

# A change of many rules takes a while; a reading that begins meanwhile waits until it is there in full.
waits() {
	unshare -n bash -c "'$TOOLS/nft_settle' & p=\$!; sleep 0.2; '$TOOLS/nft_churn' -1 1000; wait \$p"
}
@test "a change under way is waited for, where the kernel can be waited for" {
	local i
	for i in 1 2 3 4 5; do
		run waits
		[ "$status" != 77 ] || skip "this kernel is not waited for"
		[ "$output" = "too fast" ] || break
	done
	echo "$output"
	[ "$status" = 0 ]
	[ "$output" = settled ]
}
