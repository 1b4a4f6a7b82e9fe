#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# build - the build itself: two compilers without a warning, install, lint, and what is said when packages are missing

setup() {
	cd "$TOP"
}

# Syntax-checks every source with all warnings on; generated headers come from the build folder.
check_with() {
	local flags
	flags=$(pkg-config --cflags libmnl libnftnl libip4tc jansson libnghttp2 libprotobuf-c)
	find shell commands nsutil tests/lib tests/unit -name '*.c' -print0 |
		# shellcheck disable=SC2086
		xargs -0 -n 12 "$1" -std=gnu11 -fsyntax-only -Wall -Wextra -Wshadow -Wstrict-prototypes -Werror \
			-D_GNU_SOURCE -DCNISH_VERSION='"test"' -I. -I"$BUILD/gen" $flags
}

@test "clang compiles every source without a warning" {
	check_with clang
}

@test "gcc compiles every source without a warning" {
	check_with gcc
}

@test "make lint is clean" {
	make lint
}

@test "make install puts program, manual and schemas below DESTDIR and PREFIX" {
	make DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/opt/c install
	[ -x "$BATS_TEST_TMPDIR/root/opt/c/bin/cnish" ]
	[ -s "$BATS_TEST_TMPDIR/root/opt/c/share/man/man1/cnish.1" ]
	ls "$BATS_TEST_TMPDIR"/root/opt/c/share/cnish/schema/*.json
}

@test "missing packages are named, and nobody but root is asked to install" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho gcc installed\n' >"$BATS_TEST_TMPDIR/bin/dpkg-query"
	printf '#!/bin/sh\necho 1000\n' >"$BATS_TEST_TMPDIR/bin/id"
	chmod +x "$BATS_TEST_TMPDIR"/bin/*
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run tests/lib/setup --test build
	[ "$status" = 1 ]
	[[ $output == *libnftnl-dev* && $output == *apt-get* ]]
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run tests/lib/setup build
	[ "$status" = 1 ]
	[[ $output == *"Not root"* && $output == *libnftnl-dev* ]]
}

@test "without apt the missing packages are named" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	for tool in sh sed grep id; do ln -s "$(command -v $tool)" "$BATS_TEST_TMPDIR/bin/$tool"; done
	PATH=$BATS_TEST_TMPDIR/bin run tests/lib/setup build
	[ "$status" = 1 ]
	[[ $output == *"No apt-get"* && $output == *libmnl-dev* ]]
}

@test "make static: what is missing by name, package and command; with all that is given it links, and runs" {
	local dir=$BATS_TEST_TMPDIR/given name found=
	run make -s static
	if [ "$status" = 0 ]; then
		# all are here
		[ "$(stat -c %s "$BUILD/cnish-static")" -lt 3000000 ]
		run ldd "$BUILD/cnish-static"
		[[ $output == *'not a dynamic executable'* ]]
		"$BUILD/cnish-static" --version
		return 0
	fi
	[[ $output != *' LD '* && $output == *STATIC_DIRS* && $output == *'make portable'* ]]
	# each that the compiler does not find, and no other
	for name in mnl nftnl ip4tc ip6tc jansson nghttp2 protobuf-c readline tinfo z; do
		if [ -e "$(cc -print-file-name="lib$name.a")" ]; then
			[[ $output != *"missing: lib$name.a"* ]] || { echo "$name: $output"; false; }
		else
			[[ $output == *"missing: lib$name.a: "* ]] || { echo "$name: $output"; false; }
			found="$found $name"
		fi
	done
	# what is given is missing no more; the last one given, nothing is
	mkdir "$dir"
	for name in $found; do
		run tests/lib/static cc "$dir"
		[ "$status" = 1 ]
		[[ $output == *"lib$name.a"* ]]
		touch "$dir/lib$name.a"
	done
	[[ $(tests/lib/static cc "$dir") == *-lmnl*-lip4tc* ]]
}

@test "make static: what no package has is built from source, and a folder without any is refused" {
	local d=$BATS_TEST_TMPDIR f
	mkdir -p "$d/libmnl-1/src" "$d/libmnl-1/include/libmnl" "$d/iptables-1/libiptc" "$d/none"
	touch "$d/libmnl-1/include/libmnl/libmnl.h"
	for f in socket callback nlmsg attr; do
		printf '#include "config.h"\n#include <libmnl/libmnl.h>\nint mnl_%s(void) { return 1; }\n' $f >"$d/libmnl-1/src/$f.c"
	done
	for f in 4 6; do printf 'int ip%stc_init(void) { return 1; }\n' $f >"$d/iptables-1/libiptc/libip${f}tc.c"; done
	tests/lib/static-source cc "$d/out" "$d"
	[ "$(nm "$d"/out/libmnl.a | grep -c ' T mnl_')" = 4 ]
	nm "$d/out/libip4tc.a" | grep ' T ip4tc_init'
	nm "$d/out/libip6tc.a" | grep ' T ip6tc_init'
	# a folder of its own as well
	tests/lib/static-source cc "$d/out2" "$d/libmnl-1"
	[ -e "$d/out2/libmnl.a" ]
	run tests/lib/static-source cc "$d/out3" "$d/none"
	[ "$status" = 1 ]
	[[ $output == "make static: "*"$d/none"*"apt-get source"* ]]
}

# The folder that STATIC_SRC names, or what apt has: "deb-src" may be missing, or the archive out of reach.
static_src() {
	if [ -z "${STATIC_SRC:-}" ]; then
		STATIC_SRC=$BATS_FILE_TMPDIR/source
		mkdir -p "$STATIC_SRC"
		(cd "$STATIC_SRC" && timeout 120 apt-get -qq source libmnl iptables) >"$BATS_FILE_TMPDIR/apt" 2>&1 ||
			skip "no source of libmnl and iptables: STATIC_SRC is not set, and apt-get source says: $(tail -1 "$BATS_FILE_TMPDIR/apt")"
	fi
	export STATIC_SRC
}

@test "make static STATIC_SRC: under 3 MB, and its main commands run in an empty chroot" {
	local root=$BATS_TEST_TMPDIR/root
	static_src
	make -s static
	[ "$(stat -c %s "$BUILD/cnish-static")" -lt 3000000 ]
	mkdir -p "$root/proc"
	cp "$BUILD/cnish-static" "$root/cnish"
	unshare -n -m sh -ec '
		mount -t proc proc "$1/proc"
		ip link set lo up
		iptables-legacy -A INPUT -p tcp --dport 80 -j ACCEPT
		nft add table ip native; nft "add chain ip native c { type filter hook input priority 0; }"
		chroot "$1" /cnish --version
		chroot "$1" /cnish tables
		chroot "$1" /cnish trace in tcp 10.0.0.1 to 127.0.0.1:80
		chroot "$1" /cnish -c info -c sockets' sh "$root" >"$root/out"
	grep -- '-p tcp -m tcp --dport 80 -j ACCEPT' "$root/out"
	grep 'ip native' "$root/out"
}
