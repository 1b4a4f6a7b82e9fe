#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# portable - the folder that brings its libraries, in images that have none: scratch, distroless, busybox, under containerd

bats_require_minimum_version 1.5.0
load ../lib/runtime.bash

setup_file() {
	[[ $BUILD != *san ]] || return 0
	make -s -C "$TOP" portable >"$BATS_FILE_TMPDIR/log" 2>&1 || { cat "$BATS_FILE_TMPDIR/log" >&2; return 1; }
	FOLDER=$(echo "$TOP"/"$BUILD"/cnish-*-"$(uname -m)")
	export FOLDER
	world_up containerd
	images
}

teardown_file() {
	[ -z "${WORLD:-}" ] || world_down
}

setup() {
	[[ $BUILD != *san ]] || skip "with its sanitizers the folder is no longer small, and looks for leaks through a /proc that images lack"
	world_ids
}

# scratch: nothing but the folder; distroless: what such images have, no shell, another path; busybox: that, and a shell
images() {
	local r=$WORLD/images kind
	mkdir -p "$r/scratch/usr" "$r/distroless/etc" "$r/distroless/tmp" "$r/distroless/home/nonroot" "$r/distroless/opt" \
		"$r/busybox/bin" "$r/busybox/usr/local"
	cp -r "$FOLDER" "$r/scratch/usr/bin"
	cp -r "$FOLDER" "$r/distroless/opt/cnish"
	echo 'nonroot:x:65532:65532::/home/nonroot:/sbin/nologin' >"$r/distroless/etc/passwd"
	cp -r "$FOLDER" "$r/busybox/usr/local/bin"
	cp "$(command -v busybox)" "$r/busybox/bin/busybox"
	ln -s busybox "$r/busybox/bin/sh"
	for kind in scratch distroless busybox; do
		"$TOP/tests/lib/image" "$kind" "$r/$kind" "$r/$kind.tar" /none
		inside ctr -a "$WORLD/ctd/c.sock" -n k8s.io images import "$r/$kind.tar" >/dev/null
	done
}

# debug IMAGE PROGRAM ARG...: a container in the network of pod shop/cart, with the rights of kubectl debug --profile=netadmin
debug() {
	inside ctr -a "$WORLD/ctd/c.sock" -n k8s.io run --rm --cgroup "/cnish-test-$(basename "$WORLD")/debug" \
		--cap-add CAP_NET_ADMIN --cap-add CAP_NET_RAW --with-ns "network:/proc/$(pid_of "$CART")/ns/net" \
		"localhost/$1:test" "debug-$BATS_TEST_NUMBER-$RANDOM" "${@:2}"
}

# answers IMAGE PROGRAM: the main commands, as in the pod itself
answers() {
	local program=$2
	run --separate-stderr debug "$1" "$program" --version
	[ "$status" = 0 ] || { echo "$1: $output $stderr"; return 1; }
	[[ $output == cnish* ]]
	debug "$1" "$program" -o json tables >"$BATS_TEST_TMPDIR/tables"
	jq -e '[.tables[].chains[].name] | index("ISTIO_OUTPUT")' "$BATS_TEST_TMPDIR/tables"
	debug "$1" "$program" -o json -c 'trace out tcp 10.88.0.99:80 uid 1000' >"$BATS_TEST_TMPDIR/trace"
	jq -e '.outcomes | length == 1 and .[0].destination.port == 15001' "$BATS_TEST_TMPDIR/trace"
	run --separate-stderr debug "$1" "$program" -c info -c sockets -c 'istio show' -c doctor
	[ "$status" = 1 ] || [ "$status" = 0 ] || { echo "$1: $output $stderr"; return 1; }
	[[ $output == *'kernel '* && $output == *15001* && $output == *ISTIO_REDIRECT* && $output == *diagnoses* ]]
}

@test "it is smaller than 8 MB" {
	[ "$(du -sb "$FOLDER" | cut -f1)" -lt 8000000 ]
}

@test "in an image of nothing else" { answers scratch /usr/bin/cnish; }
@test "in a distroless image, from another path" { answers distroless /opt/cnish/cnish; }
@test "in a busybox image, from its shell" {
	answers busybox /usr/local/bin/cnish
	[[ $(debug busybox /bin/sh -c '/usr/local/bin/cnish help set') == *preferences* ]]
}

@test "in an empty root without /proc: what needs none" {
	local root=$BATS_TEST_TMPDIR/root
	mkdir -p "$root/some where"
	cp -r "$FOLDER"/. "$root/some where/"
	printf '*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n' >"$root/rules"
	chroot "$root" "/some where/cnish" -t file:/rules trace out tcp 10.0.0.1:80 | grep -q 15001
	chroot "$root" "/some where/cnish" help set | grep -q preferences
	# and says so where it does
	run --separate-stderr chroot "$root" "/some where/cnish" tables
	[ "$status" -ge 3 ]
	[[ $stderr == *proc* ]]
}

@test "nft text, by the libnftables that it brings" {
	local root=$BATS_TEST_TMPDIR/root
	mkdir -p "$root/proc" "$root/dev"
	cp -r "$FOLDER" "$root/cnish"
	printf 'table ip t {\n\tchain c {\n\t\ttcp dport 80 accept\n\t}\n}\n' >"$root/rules"
	unshare -m -p -f --propagation private bash -c 'mount -t proc none "$1/proc" && chroot "$1" /cnish/cnish -t file:/rules tables -o nft' _ "$root" |
		grep -q 'tcp dport 80 accept'
}
