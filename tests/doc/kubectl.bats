#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# kubectl - the plugin, with a kubectl that writes down how it was called; and what make static lacks

setup() {
	plugin=$TOP/shell/kubectl-cnish
	export CALLS=$BATS_TEST_TMPDIR/calls KUBECTL=$BATS_TEST_TMPDIR/kubectl
	cat >"$KUBECTL" <<'END'
#!/bin/sh
for a in "$@"; do printf '[%s]' "$a"; done >>"$CALLS"
echo >>"$CALLS"
case " $* " in *" get pod missing "*) echo 'pods "missing" not found' >&2; exit 1 ;; esac
case " $* " in *" get pod "*) printf 'node-7 shop' ;; esac
END
	chmod +x "$KUBECTL"
}

@test "the pod's node is found, and cnish runs there with the pod as target" {
	"$plugin" cart -n shop --context prod -- trace out tcp 10.0.0.1:80 'a b' </dev/null
	[ "$(sed -n 1p "$CALLS")" = '[--context][prod][-n][shop][get][pod][cart][-o][jsonpath={.spec.nodeName}{" "}{.metadata.namespace}]' ]
	[ "$(sed -n 2p "$CALLS")" = '[--context][prod][debug][node/node-7][-i][--image=cnish][--profile=sysadmin][--][cnish][--host-root][/host][-t][shop/cart][trace][out][tcp][10.0.0.1:80][a b]' ]
}

@test "--in-pod runs in the pod; pod/NAME and NS/NAME are understood" {
	"$plugin" pod/cart --in-pod -c app -- tables </dev/null
	"$plugin" shop/cart --in-pod </dev/null
	[ "$(cat "$CALLS")" = '[exec][-i][cart][-c][app][--][cnish][tables]
[-n][shop][exec][-i][cart][--][cnish]' ]
}

@test "--print says the command, in words a shell takes, and runs nothing" {
	run "$plugin" cart --in-pod --print -- exec sh -c "echo 'x'" </dev/null
	[ "$status" = 0 ]
	[ ! -e "$CALLS" ]
	[[ $output == *" exec -i cart -- cnish exec sh -c 'echo '\\''x'\\'''" ]]
}

@test "mistakes are told, and kubectl's own status is passed on" {
	run "$plugin"
	[ "$status" = 2 ]
	run "$plugin" a b
	[ "$status" = 2 ]
	run "$plugin" --nonsense a
	[ "$status" = 2 ]
	run "$plugin" missing
	[ "$status" = 1 ]
	! grep -q debug "$CALLS"
}

@test "make static says exactly which libraries are missing, or builds" {
	run make -s -C "$TOP" static
	[[ $status == 0 || $output == *"missing: lib"*".a"* ]]
}
