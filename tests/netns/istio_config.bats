#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_config - what a pod's programmer was told, from the node's files and from processes, without any daemon

source "$TOP/tests/lib/pod.sh"

# id LETTER: a container id
id() { printf "%064d" 0 | tr 0 "$1"; }

# container ID NAME LABELS REST...: as cri-dockerd leaves it in docker's files
container() {
	mkdir -p "/run/node/var/lib/docker/containers/$1"
	jq -n --arg id "$1" --arg name "/k8s_$2" "{ID: \$id, Name: \$name, Config: {Labels: ($3 +
		{\"io.kubernetes.pod.name\": \"cart\", \"io.kubernetes.pod.namespace\": \"shop\", \"io.kubernetes.pod.uid\": \"u-1\",
		\"io.kubernetes.sandbox.id\": \"$(id a)\", \"io.kubernetes.container.name\": \"$2\"})}} * $4" \
		>"/run/node/var/lib/docker/containers/$1/config.v2.json"
}

node() {
	nsenter --net=/run/netns/pod sleep 1000 &
	until_true pod_alive $!
	container "$(id a)" POD "{\"io.kubernetes.docker.type\": \"podsandbox\"} + ${1:-null}" "{State: {Running: true, Pid: $!}}"
}

pod_alive() { [ "$(stat -L -c %i "/proc/$1/ns/net")" = "$(stat -L -c %i /run/netns/pod)" ]; }

show() { "$CNISH" --host-root /run/node --runtime none -t shop/cart -o json istio show 2>/run/err >/run/json || { cat /run/err; false; }; }

# is KEY VALUE FROM
is() {
	jq -e --arg k "$1" --arg v "$2" --arg f "$3" '.expected.settings[$k] == $v and .sources[$k] == $f' /run/json >/dev/null ||
		{ jq -c --arg k "$1" '[$k, .expected.settings[$k], .sources[$k]]' /run/json; false; }
}

init() {
	node
	container "$(id b)" istio-init '{}' '{State: {Running: false}, Path: "pilot-agent", Args: ["istio-iptables", "-p", "15001", "-z",
		"15006", "-u", "1337", "-m", "REDIRECT", "-i", "10.0.0.0/8", "-x", "", "-b", "*", "-d", "15090,15021,9999,15020"],
		Config: {Image: "docker.io/istio/proxyv2:1.22.3-distroless", Env: ["PATH=/bin", "INVALID_DROP=true",
		"REDIRECT_DNS=maybe", "INBOUND_CAPTURE_PORT=1", "PROXY_GID=", "MODE=ambient", "ISTIO_SERVICE_CIDR=*"]}}'
	show
	"$TOP/tests/lib/validate" istio-show </run/json
	jq -e '.expected.from == "pod" and (.expected.told_by | startswith("istio-init (/"))' /run/json
	is ISTIO_SERVICE_CIDR 10.0.0.0/8 'argument of istio-init'
	is INBOUND_CAPTURE_PORT 15006 'argument of istio-init'
	is DROP_INVALID true 'environment of istio-init'
	is REDIRECT_DNS false default
	is MODE sidecar default
	is ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE '' default
	is ISTIO_VERSION 1.22 'image docker.io/istio/proxyv2:1.22.3-distroless'
	jq -r .restore.ip /run/json | grep -- '-A OUTPUT -p tcp -j ISTIO_OUTPUT'
	local cnish=("$CNISH" --host-root /run/node --runtime none -t shop/cart)
	"${cnish[@]}" --yes istio apply >/dev/null 2>&1
	"${cnish[@]}" istio verify >/dev/null
	# a rule less is a difference, though other settings would explain it; so does the namespace alone
	pod_exec iptables-legacy -t nat -D ISTIO_INBOUND -p tcp --dport 9999 -j RETURN 2>/dev/null ||
		pod_exec iptables-nft -t nat -D ISTIO_INBOUND -p tcp --dport 9999 -j RETURN
	! "${cnish[@]}" -o json istio verify >/run/json
	jq -e '.differences | length == 1 and .[0].kind == "missing" and (.[0].rule | contains("9999"))' /run/json
	"$CNISH" -t netns:pod -o json istio verify 2>/dev/null | jq -e '.expected.from == "rules" and .clean'
	# a scan goes by what the programmer was told, too
	"$CNISH" --host-root /run/node --runtime none -o json scan >/run/scan || [ $? = 1 ]
	jq -e '[.pods[] | select(.name == "cart") | .drift] == [1]' /run/scan
	# what is typed is taken at its word
	"${cnish[@]}" -o json istio show --preset istio-init 2>/dev/null | jq -e '.expected.from == "settings"'
	# interfaces' rules look like anybody's where others stand between: the pod says whose they are
	local x="pod_exec iptables-legacy -w 10 -t nat"
	"${cnish[@]}" --yes istio flush >/dev/null 2>&1
	"$CNISH" -t netns:pod istio show -o save -4 ENABLE_INBOUND_IPV6=false ISTIO_EXCLUDE_INTERFACES=eth5 2>/dev/null | pod_exec iptables-legacy-restore --noflush
	$x -I OUTPUT 2 -p udp -j ACCEPT
	"$CNISH" -t netns:pod --yes istio flush >/dev/null 2>&1
	[ "$($x -S | grep -c eth5)" = 2 ]
	printf '*nat\nCOMMIT\n' | pod_exec iptables-legacy-restore
	"$CNISH" -t netns:pod istio show -o save -4 ENABLE_INBOUND_IPV6=false ISTIO_EXCLUDE_INTERFACES=eth5 2>/dev/null | pod_exec iptables-legacy-restore --noflush
	$x -I OUTPUT 2 -p udp -j ACCEPT
	container "$(id b)" istio-init '{}' '{State: {Running: false}, Path: "pilot-agent", Args: ["istio-iptables", "-c", "eth5"], Config: {}}'
	"${cnish[@]}" --yes istio flush >/dev/null 2>&1
	$x -S | grep -- '^-[AN]' | diff - <(echo '-A OUTPUT -p udp -j ACCEPT')
	# a vector that is none of Istio's: said, and passed over
	container "$(id b)" istio-init '{}' '{State: {Running: false}, Path: "pilot-agent", Args: ["istio-iptables", "--frobnicate"], Config: {}}'
	show
	grep 'not understood.*frobnicate' /run/err >/dev/null
}
@test "an init container that has ended: its arguments over its environment over the defaults" { in_pod init; }

cni() {
	node '{"annotation.sidecar.istio.io/status": "{}", "annotation.traffic.sidecar.istio.io/excludeInboundPorts": "8080,15021",
		"annotation.traffic.sidecar.istio.io/includeOutboundIPRanges": "10.1.0.0/16", "annotation.other.io/x": "y",
		"annotation.traffic.sidecar.istio.io/kubevirtInterfaces": "tap1", "annotation.istio.io/reroute-virtual-interfaces": "tap2"}'
	container "$(id c)" istio-proxy '{}' '{State: {Running: false}, Path: "x", Config: {Env: ["ISTIO_META_DNS_CAPTURE=true"]}}'
	show
	jq -e '.expected.from == "pod"' /run/json
	is ISTIO_LOCAL_EXCLUDE_PORTS 8080,15021,15020,15090 'annotation traffic.sidecar.istio.io/excludeInboundPorts'
	is ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE 15020 preset
	is ISTIO_SERVICE_CIDR 10.1.0.0/16 'annotation traffic.sidecar.istio.io/includeOutboundIPRanges'
	is KUBE_VIRT_INTERFACES tap2 'annotation istio.io/reroute-virtual-interfaces'
	is REDIRECT_DNS true 'environment of istio-proxy'
	is CAPTURE_ALL_DNS true 'environment of istio-proxy'
	# what the plugin reads from the node agent's environment is told from the rules; all else is known
	"$CNISH" -t netns:pod --yes istio apply --preset cni ISTIO_LOCAL_EXCLUDE_PORTS=8080,15021,15020,15090 \
		ISTIO_SERVICE_CIDR=10.1.0.0/16 KUBE_VIRT_INTERFACES=tap2 REDIRECT_DNS=true CAPTURE_ALL_DNS=true \
		ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.0.0/8 ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=77 ISTIO_OUTBOUND_PORTS=81 >/dev/null 2>&1
	! "$CNISH" --host-root /run/node --runtime none -t shop/cart -o json istio verify >/run/json 2>/dev/null
	jq -e '[.differences[] | [.kind, .rule]] == [["extra", "-p tcp -m tcp --dport 81 -j ISTIO_REDIRECT"]]' /run/json
}
@test "no init container: annotations and the proxy's environment, as the CNI plugin goes by them" { in_pod cni; }

ambient() {
	node '{"annotation.ambient.istio.io/bypass-inbound-capture": "true", "annotation.ambient.istio.io/dns-capture": "false",
		"annotation.istio.io/reroute-virtual-interfaces": "tap2"}'
	show
	jq -e '.expected.mode == "ambient"' /run/json
	is INGRESS_MODE true 'annotation ambient.istio.io/bypass-inbound-capture'
	is REDIRECT_DNS false 'annotation ambient.istio.io/dns-capture'
	is KUBE_VIRT_INTERFACES tap2 'annotation istio.io/reroute-virtual-interfaces'
	# the rules are not as the pod asks: that is a difference, not another setting
	"$CNISH" -t netns:pod --yes istio apply MODE=ambient REDIRECT_DNS=true INGRESS_MODE=true KUBE_VIRT_INTERFACES=tap2 >/dev/null 2>&1
	! "$CNISH" --host-root /run/node --runtime none -t shop/cart -o json istio verify >/run/json 2>/dev/null
	jq -e '.differences | length > 0 and all(.[]; .kind == "extra" and (.rule | test("15053|53 -j CT|ISTIO_(PRERT|OUTPUT)$")))' /run/json
	# a word that is no truth is none
	node '{"annotation.ambient.istio.io/dns-capture": "maybe"}'
	show
	is REDIRECT_DNS true rules
	# a sidecar's rules are a sidecar's, whatever was asked of the agent
	"$CNISH" -t netns:pod --yes istio apply --preset istio-init >/dev/null 2>&1
	node '{"annotation.ambient.istio.io/dns-capture": "true"}'
	show
	jq -e '.expected.mode == "REDIRECT"' /run/json
}
@test "an ambient pod: annotations for the node's agent" { in_pod ambient; }

proxy() {
	cp "$(command -v sleep)" /run/pilot-agent
	nsenter --net=/run/netns/pod env -i ISTIO_META_INTERCEPTION_MODE=TPROXY ISTIO_META_DNS_CAPTURE=true CAPTURE_ALL_DNS=1 /run/pilot-agent 1000 &
	"$CNISH" -t netns:pod -o json istio show 2>/dev/null >/run/json
	for n in $(seq 50); do
		! jq -e '.expected.settings.REDIRECT_DNS == "true"' /run/json >/dev/null || break
		sleep 0.1
		"$CNISH" -t netns:pod -o json istio show 2>/dev/null >/run/json
	done
	is ISTIO_INBOUND_INTERCEPTION_MODE TPROXY 'environment of pilot-agent'
	is REDIRECT_DNS true 'environment of pilot-agent'
	is ISTIO_LOCAL_EXCLUDE_PORTS 15090,15021,15020 preset
	jq -e '.expected.from == "preset"' /run/json
}
@test "no runtime tells: the environment of a proxy process" { in_pod proxy; }
