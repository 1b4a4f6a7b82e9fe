#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_config - what the programmer of a pod was told: from an init container that ended, annotations, processes

bats_require_minimum_version 1.5.0
load ../lib/runtime.bash

setup_file() {
	world_up mesh docker-mesh
}

teardown_file() {
	world_down
}

setup() {
	world_ids
}

# is KEY VALUE FROM: of the settings of istio show in $json
is() {
	jq -e --arg k "$1" --arg v "$2" --arg f "$3" '.expected.settings[$k] == $v and .sources[$k] == $f' <<<"$json" >/dev/null ||
		{ jq -c --arg k "$1" '[$k, .expected.settings[$k], .sources[$k]]' <<<"$json"; return 1; }
}

@test "an init container that has ended: its arguments over its environment over the defaults" {
	json=$(on_node -t shop/init-0 -o json istio show 2>/dev/null)
	"$TOP/tests/lib/validate" istio-show <<<"$json"
	jq -e '.expected.from == "pod" and (.expected.told_by | startswith("istio-init (cri unix://"))' <<<"$json"
	is ISTIO_INBOUND_INTERCEPTION_MODE TPROXY 'argument of istio-init'
	is INBOUND_CAPTURE_PORT 15006 'argument of istio-init'
	is ISTIO_SERVICE_CIDR 10.0.0.0/8 'argument of istio-init'
	is ISTIO_LOCAL_EXCLUDE_PORTS 15090,15021,9999,15020 'argument of istio-init'
	is ISTIO_EXCLUDE_INTERFACES eth7 'argument of istio-init'
	is REDIRECT_DNS true 'environment of istio-init'
	is DROP_INVALID true 'environment of istio-init'
	is ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE '' default
	on_node -t shop/init-0 istio show --explain 2>/dev/null | grep -E 'ISTIO_EXCLUDE_INTERFACES +eth7 +argument of istio-init'
	# it is what apply writes, and what verify asks for
	! on_node -t shop/init-0 istio verify >/dev/null 2>&1
	inside env XDG_STATE_HOME=/run/state "$CNISH" --runtime "unix://$WORLD/ctd/c.sock" -t shop/init-0 --yes istio apply >/dev/null 2>&1
	on_node -t shop/init-0 istio verify 2>/dev/null
	inside nsenter -t "$(pid_of "$INIT")" -n iptables-save -t mangle 2>/dev/null | grep -- '-A PREROUTING -i eth7 -j RETURN' ||
		inside nsenter -t "$(pid_of "$INIT")" -n iptables-legacy-save -t mangle | grep -- '-A PREROUTING -i eth7 -j RETURN'
	# a rule less is a difference, though it would be a set of settings
	on_node -t shop/init-0 exec sh -c 'for i in iptables-legacy iptables-nft; do
		$i -t mangle -D ISTIO_INBOUND -p tcp --dport 9999 -j RETURN 2>/dev/null; done; true'
	! on_node -t shop/init-0 -o json istio verify 2>/dev/null >"$BATS_TEST_TMPDIR/json"
	jq -e '.differences | length == 1 and .[0].kind == "missing" and (.[0].rule | contains("9999"))' "$BATS_TEST_TMPDIR/json"
	# what is typed is taken at its word
	[ "$(on_node -t shop/init-0 -o json istio show --preset istio-init 2>/dev/null | jq -r .expected.from)" = settings ]
}

@test "no init container: annotations and the proxy's environment, as the CNI plugin goes by them" {
	json=$(on_node -t shop/cni-0 -o json istio show 2>/dev/null)
	jq -e '.expected.from == "pod"' <<<"$json"
	is ISTIO_LOCAL_EXCLUDE_PORTS 8080,15021,15020,15090 'annotation traffic.sidecar.istio.io/excludeInboundPorts'
	is ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE 15020 preset
	is ISTIO_SERVICE_CIDR 10.1.0.0/16 'annotation traffic.sidecar.istio.io/includeOutboundIPRanges'
	is KUBE_VIRT_INTERFACES tap2 'annotation istio.io/reroute-virtual-interfaces'
	is REDIRECT_DNS true 'environment of istio-proxy'
	is CAPTURE_ALL_DNS true 'environment of istio-proxy'
	is PROXY_UID 2000 'user of istio-proxy'
}

@test "docker: the inspected container that shares the network" {
	json=$(inside "$CNISH" --runtime "unix://$WORLD/dk/d.sock" -t dk-web -o json istio show 2>/dev/null)
	is envoy-port 12345 'argument of istio-init'
	is ISTIO_LOCAL_EXCLUDE_PORTS 15090 'argument of istio-init'
	is CAPTURE_ALL_DNS true 'environment of istio-init'
	jq -e '.expected.told_by | startswith("istio-init (docker unix://")' <<<"$json"
}

@test "doctor reads istio-init's log where the runtime keeps it: containerd, docker" {
	json=$(on_node -t shop/init-0 -o json doctor) || [ $? = 1 ]
	jq -e --arg w "$WORLD/logs/istio-init.log" '.findings[] | select(.id == "D11").evidence[] | select(.where // "" | startswith($w))' <<<"$json"
	json=$(inside "$CNISH" --runtime "unix://$WORLD/dk/d.sock" -t dk-web -o json doctor) || [ $? = 1 ]
	jq -e --arg w "$WORLD/dk/root/containers/" '.findings[] | select(.id == "D11").evidence[] | select(.where // "" | startswith($w))' <<<"$json"
	# of a pod whose istio-init wrote nothing there is no such word
	json=$(on_node -t shop/cni-0 -o json doctor) || [ $? = 1 ]
	jq -e 'all(.findings[]; .id != "D11")' <<<"$json"
}

@test "no runtime tells: the environment of a proxy process" {
	cp "$(command -v sleep)" "$WORLD/pilot-agent"
	inside sh -c "unshare -n env -i ISTIO_META_INTERCEPTION_MODE=TPROXY ISTIO_META_DNS_CAPTURE=true CAPTURE_ALL_DNS=1 \
		'$WORLD/pilot-agent' 1000 </dev/null >/dev/null 2>&1 3>&- & echo \$! >/run/agent"
	pid=$(inside cat /run/agent)
	for n in $(seq 100); do
		[ "$(inside cat "/proc/$pid/comm")" != pilot-agent ] || break
		sleep 0.1
	done
	json=$(no_socket -t "pid:$pid" -o json istio show 2>/dev/null)
	inside kill "$pid"
	is ISTIO_INBOUND_INTERCEPTION_MODE TPROXY 'environment of pilot-agent'
	is REDIRECT_DNS true 'environment of pilot-agent'
	is ISTIO_LOCAL_EXCLUDE_PORTS 15090,15021,15020 preset
	jq -e '.expected.from == "preset"' <<<"$json"
}
