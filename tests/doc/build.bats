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
