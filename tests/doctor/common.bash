# SPDX-License-Identifier: GPL-2.0-or-later
# common - what the tests of the doctor share; to be sourced
# shellcheck shell=bash

# A node root whose iptables is of one kind (D03 asks); /proc is the real one.
node_with() {
	mkdir -p "/run/node-$1/usr/sbin"
	cp "/usr/sbin/xtables-$1-multi" "/run/node-$1/usr/sbin/"
	ln -sf "xtables-$1-multi" "/run/node-$1/usr/sbin/iptables"
}

# doctor [ARG...]: the ids of what is found in the pod, in one line; a structured answer that fits its schema
doctor() {
	local status=0
	"$CNISH" -t netns:pod -o json --host-root "${NODE:-/}" doctor "$@" >/run/json || status=$?
	"$TOP/tests/lib/validate" doctor </run/json
	[ "$status" = "$(jq '.findings | length | if . > 0 then 1 else 0 end' /run/json)" ]
	jq -r '[.findings[].id] | unique | join(" ")' /run/json
}

# finds IDS [ARG...]: exactly these
finds() {
	local want=$1 got
	shift
	got=$(doctor "$@")
	[ "$got" = "$want" ] || { echo "wanted '$want', found '$got'"; jq -c '.findings[], .unchecked[]' /run/json; return 1; }
}

sidecar() { pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 tcp/15020 tcp/15021 tcp/15090 >/dev/null; }

# A node whose iptables is of the nft kind: then rules of iptables-nft are no D03
nft_node() {
	node_with nft
	export NODE=/run/node-nft
}

# A program built with sanitizers looks for leaks through /proc, which the root of an image does not have.
without_sanitizer() { [[ $BUILD != *san ]] || skip "the stand-in was built with sanitizers, and its root has no /proc"; }

# in_pod_group NAME FUNCTION: the function in a pod, with the control group of a container, which is gone afterwards
in_pod_group() {
	local top group r=0 n
	top=$(find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs -writable -printf '%h\n' | head -1)/cnish-test-$1-$$
	group=$top/kubepods/besteffort/pod0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f/$(printf '%064d' 0 | tr 0 b)
	mkdir -p "$group" || skip "control groups are not writable here"
	in_pod "$2" "$group" || r=$?
	for n in $(seq 50); do
		find "$top" -depth -type d -exec rmdir {} + 2>/dev/null
		[ -e "$top" ] || break
		sleep 0.1
	done
	[ $r = 0 ]
	[ ! -e "$top" ]
}
