#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# kubectl - the plugin, with a kubectl that writes down how it was called

setup() {
	plugin=$TOP/shell/kubectl-cnish
	export CALLS=$BATS_TEST_TMPDIR/calls KUBECTL=$BATS_TEST_TMPDIR/kubectl INPUT=$BATS_TEST_TMPDIR/input ENDED=0
	# as kubectl debug: it tells of itself on standard output unless it is to be quiet, ends with 0 whatever ran, and
	# leaves the pod behind
	cat >"$KUBECTL" <<'END'
#!/bin/sh
for a in "$@"; do printf '[%s]' "$a"; done >>"$CALLS"
echo >>"$CALLS"
case " $* " in
*" get pod missing "*) echo 'pods "missing" not found' >&2; exit 1 ;;
*" get pod "*) printf 'node-7 shop' ;;
*" get pods "*) printf 'node-debugger-node-7-x %s' "$ENDED" ;;
*" debug "*)
	case " $* " in *" --quiet "*) ;; *) echo "Creating debugging pod node-debugger-node-7-x with container debugger on node node-7." ;; esac
	cat >"$INPUT"
	;;
esac
END
	chmod +x "$KUBECTL"
}

# the calls without what differs from run to run
calls() { sed -E 's/cnish-[0-9]+-[0-9]+/cnish-N/g' "$CALLS"; }

@test "the pod's node is found, cnish runs there with the pod as target, and its pod is deleted" {
	run "$plugin" cart -n shop --context prod -- trace out tcp 10.0.0.1:80 'a "b\' </dev/null
	[ "$status" = 0 ]
	[ -z "$output" ] # of kubectl's own nothing
	diff <(calls) - <<'END'
[--context][prod][-n][shop][get][pod][cart][-o][jsonpath={.spec.nodeName}{" "}{.metadata.namespace}]
[--context][prod][debug][node/node-7][-i][--quiet][--image=cnish][--profile=sysadmin][-c][cnish-N][--][cnish][--host-root][/host][-t][shop/cart][-f][-]
[--context][prod][get][pods][-o][jsonpath={range .items[?(@.spec.containers[0].name=="cnish-N")]}{.metadata.name} {.status.containerStatuses[0].state.terminated.exitCode}{end}]
[--context][prod][delete][pod][node-debugger-node-7-x][--wait=false]
END
	# the words come as one line of cnish's language, once kubectl is attached, and are read as those words
	[ "$(cat "$INPUT")" = 'trace out tcp 10.0.0.1:80 "a \"b\\"' ]
	run "$CNISH" -o json -f - <<<'help "a \"b\\"'
	[ "$(jq -r .error.what <<<"$output")" = 'a "b\' ]
	"$plugin" cart --keep --profile netadmin -- tables --table nat </dev/null
	[ "$(cat "$INPUT")" = 'tables --table nat' ]
	calls | tail -n 2 | head -n 1 | grep -qF '[--profile=netadmin]'
	[ "$(calls | grep -c '\[delete\]')" = 1 ]
}

@test "the exit status is that of cnish, which kubectl debug does not pass on" {
	ENDED=1 run "$plugin" cart -- istio verify </dev/null
	[ "$status" = 1 ]
	ENDED=3 run "$plugin" cart -- info </dev/null
	[ "$status" = 3 ]
}

@test "what reads standard input gets it" {
	"$plugin" cart -- trace --from - <<<'tcp 10.0.0.1:80'
	calls | grep -qF '[-t][shop/cart][trace][--from][-]'
	[ "$(cat "$INPUT")" = 'tcp 10.0.0.1:80' ]
	"$plugin" cart <<<'info'
	[ "$(cat "$INPUT")" = info ]
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
	run "$plugin" cart --print -- tables --table nat </dev/null
	[[ $output == *" debug node/node-7 -i --quiet --image=cnish --profile=sysadmin -- cnish --host-root /host -t shop/cart tables --table nat" ]]
	! grep -qF '[debug]' "$CALLS"
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
