#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_twins - flush leaves foreign rules that are the same as Istio's, in their places, with their counters
# (A pair of RETURNs for an interface, -i and -o, directly above Istio's jumps is what Istio's exclusion of it looks
# like: that is taken for Istio's, since no rule tells who wrote it.)
# shellcheck disable=SC2016,SC2086

source "$TOP/tests/lib/pod.sh"

rules() { pod_exec "iptables-$1-save" -c 2>/dev/null | grep -E -- '-A ' || true; }

# twin TOOLS BEFORE AFTER [WORD...]: foreign rules made before and after Istio's are all that is left, in order
twin() {
	local x="pod_exec iptables-$1" save="iptables-$1-restore"
	printf '*nat\nCOMMIT\n*mangle\nCOMMIT\n*raw\nCOMMIT\n' | pod_exec $save
	eval "$2"
	eval "$3"
	rules "$1" >/run/wanted
	printf '*nat\nCOMMIT\n*mangle\nCOMMIT\n*raw\nCOMMIT\n' | pod_exec $save
	eval "$2"
	"$CNISH" -t netns:pod istio show -o save -4 ENABLE_INBOUND_IPV6=false ISTIO_EXCLUDE_INTERFACES=eth5 "${@:4}" 2>/dev/null |
		pod_exec $save --noflush
	eval "$3"
	"$CNISH" -t netns:pod --yes istio flush >/dev/null 2>&1
	rules "$1" | diff /run/wanted - || { echo "after: $2 / $3 / ${*:4}"; false; }
}

twins() {
	twin "$1" '$x -t nat -A PREROUTING -i eth5 -j RETURN; $x -t nat -A PREROUTING -p udp -j ACCEPT
		$x -t nat -A OUTPUT -o eth5 -j RETURN; $x -t nat -A OUTPUT -p udp -j ACCEPT' ':'
	twin "$1" ':' '$x -t nat -A PREROUTING -i eth5 -j RETURN; $x -t nat -A OUTPUT -o eth5 -j RETURN'
	twin "$1" ':' '$x -t nat -I PREROUTING -c 7 8 -i eth5 -j RETURN; $x -t nat -I OUTPUT -c 9 10 -o eth5 -j RETURN'
	twin "$1" '$x -t mangle -A PREROUTING -i eth5 -j RETURN; $x -t mangle -A PREROUTING -p udp -j ACCEPT' \
		'$x -t mangle -A PREROUTING -p tcp -j ACCEPT' ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY
	twin "$1" ':' '$x -t nat -A OUTPUT -p udp --dport 53 -j ACCEPT' --istio-version 1.17 REDIRECT_DNS=true CAPTURE_ALL_DNS=true
}
@test "legacy: flush leaves foreign rules that look like Istio's" { in_pod twins legacy; }
@test "compat: flush leaves foreign rules that look like Istio's" { in_pod twins nft; }
