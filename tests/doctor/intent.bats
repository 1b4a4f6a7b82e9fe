#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# intent - diagnoses of what was meant and what the rules do: exclusions, interfaces, listeners, zones
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"
source "$TOP/tests/doctor/common.bash"

# envoy_with VARIABLE=VALUE...: the proxy's stand-in with this environment
envoy_with() { pod_exec env "$@" "$TOOLS/standin" -d -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 tcp/15020 tcp/15021 tcp/15090 >/dev/null; }

# annotated KEY VALUE [KEY VALUE]: the proxy with annotations of traffic.sidecar.istio.io
annotated() {
	nft_node
	envoy_with "ISTIO_METAJSON_ANNOTATIONS=$(jq -cn '[$ARGS.positional | _nwise(2) | {key: ("traffic.sidecar.istio.io/" + .[0]), value: .[1]}] | from_entries' --args "$@")"
}

# apply STORE SETTING...: Istio's rules of both families
apply() { "$CNISH" -t netns:pod --yes istio apply --store "$1" DUAL_STACK=true "${@:2}" >/dev/null; }

d15() {
	nft_node
	pod_istio nft
	nsenter --net=/run/netns/pod sleep 100 &
	until_true grep -qs sleep "/proc/$!/comm"
	finds D15
	jq -e '.findings[0].cause | test("^sleep runs before")' /run/json
	# when the proxy comes it is over
	sidecar
	finds ''
}
@test "D15: a program runs before the proxy does" { in_pod d15; }

d15_not() {
	nft_node
	pod_istio nft
	# only the process that holds the namespace; then an application that listens, whose proxy is gone
	finds D16
	pod_standin -n app tcp/8080 >/dev/null
	finds D16
}
@test "D15: not when nothing runs but pause, or an application listens already" { in_pod d15_not; }

d17() {
	annotated excludeInboundPorts 8080,9090
	apply "$1" ISTIO_LOCAL_EXCLUDE_PORTS=15090,15021,15020,8080,9090
	finds ''
	"$CNISH" -t netns:pod --yes istio flush >/dev/null
	apply "$1" ISTIO_LOCAL_EXCLUDE_PORTS=15090,15021,15020,8080
	finds D17
	jq -e '.findings[0].cause | test("port 9090")' /run/json
}
@test "D17: an annotation excludes a port and the rules do not, iptables-nft" { in_pod d17 compat; }
@test "D17: an annotation excludes a port and the rules do not, native" { in_pod d17 native; }

d17_list() {
	annotated excludeInboundPorts 8080 includeInboundPorts 8080,9090
	apply compat ISTIO_INBOUND_PORTS=8080,9090 ISTIO_LOCAL_EXCLUDE_PORTS=8080
	finds D17
	jq -e '.findings[0].cause | test("only when all ports are included")' /run/json
	"$CNISH" -t netns:pod --yes istio flush >/dev/null
	apply compat ISTIO_INBOUND_PORTS=9090 ISTIO_LOCAL_EXCLUDE_PORTS=8080
	finds ''
}
@test "D17: a port is included and excluded" { in_pod d17_list; }

d17_order() {
	local store
	nft_node
	sidecar
	pod_istio nft
	pod_exec iptables-nft -t nat -A ISTIO_INBOUND -p tcp --dport 8080 -j RETURN
	finds D17
	pod_exec iptables-nft -t nat -D ISTIO_INBOUND -p tcp --dport 8080 -j RETURN
	pod_exec iptables-nft -t nat -I ISTIO_INBOUND -p tcp --dport 8080 -j RETURN
	finds ''
}
@test "D17: the rule of an excluded port stands behind the one that takes all" { in_pod d17_order; }

d18() {
	nft_node
	sidecar
	apply "$1" ISTIO_OUTBOUND_PORTS=9000
	finds D18
	"$CNISH" -t netns:pod --yes istio flush >/dev/null
	apply "$1" ISTIO_OUTBOUND_PORTS=9000 ISTIO_SERVICE_CIDR=
	finds ''
}
@test "D18: included outbound ports beside all addresses, iptables-nft" { in_pod d18 compat; }
@test "D18: included outbound ports beside all addresses, native" { in_pod d18 native; }

d19() {
	nft_node
	sidecar
	pod_istio nft
	pod_exec ip link add net1 type veth peer name other
	pod_exec ip link set net1 up
	pod_exec ip link set other up
	finds '' # without an address it takes no part
	pod_exec ip addr add 192.168.7.2/24 dev net1
	finds D19
	for t in iptables-nft ip6tables-nft; do
		pod_exec "$t" -t nat -A PREROUTING -i net1 -j RETURN
	done
	finds D19
	jq -e '.findings[0].cause | test("stands behind the jump")' /run/json
	for t in iptables-nft ip6tables-nft; do
		pod_exec "$t" -t nat -F PREROUTING
		pod_exec "$t" -t nat -A PREROUTING -i net1 -j RETURN
		pod_exec "$t" -t nat -A PREROUTING -p tcp -j ISTIO_INBOUND
		pod_exec "$t" -t nat -I OUTPUT -o net1 -j RETURN
	done
	finds ''
}
@test "D19: a second interface is captured; its rule stands behind the jump" { in_pod d19; }

d19_annotation() {
	annotated excludeInterfaces net1
	pod_istio nft
	pod_exec ip link add net1 type veth peer name other
	finds D19
	jq -e '.findings[0].severity == "warning"' /run/json
}
@test "D19: an annotation excludes an interface and no rule does" { in_pod d19_annotation; }

d20() {
	nft_node
	sidecar
	pod_standin -n app tcp/8080 >/dev/null
	apply compat ISTIO_LOCAL_EXCLUDE_PORTS=15090,15021,15020,8080
	pod_connect tcp 127.0.0.1 8080 >/dev/null
	finds ''
	# what the proxy sends to its own pod comes back to it
	pod_exec setpriv --reuid 1337 --regid 1337 --clear-groups "$TOOLS/connect" tcp "$POD_IP" 8080 | jq -e '.reply.port == 15006'
	finds D20
}
@test "D20: a call of the pod to itself is captured in spite of an exclusion" { in_pod d20; }

d21() {
	nft_node
	envoy_with 'ISTIO_META_POD_PORTS=[{"containerPort":8080,"protocol":"TCP"}]'
	pod_istio nft
	pod_standin -n app tcp4/8080@127.0.0.1 >/dev/null
	finds D21
	jq -e '.findings[0].severity == "warning"' /run/json
	pod_standin -n app tcp4/8080@"$POD_IP" >/dev/null
	finds ''
}
@test "D21: a declared port has a listener on 127.0.0.1 only" { in_pod d21; }

d21_old() {
	nft_node
	envoy_with 'ISTIO_META_POD_PORTS=[{"containerPort":8080,"protocol":"TCP"}]' ISTIO_META_ISTIO_VERSION=1.9.3
	pod_istio nft
	pod_standin -n app tcp4/8080@"$POD_IP" >/dev/null
	finds D21
	pod_standin -n app tcp4/8080@127.0.0.1 >/dev/null
	finds ''
}
@test "D21: before Istio 1.10 a listener on the pod's address only" { in_pod d21_old; }

d21_admin() {
	nft_node
	sidecar
	pod_istio nft
	pod_standin -n app tcp/8080 >/dev/null
	pod_standin -n app tcp4/6060@127.0.0.1 >/dev/null
	finds ''
}
@test "D21: not for an application that also listens on loopback" { in_pod d21_admin; }

d23() {
	nft_node
	sidecar
	pod_standin -n envoy -u 1337 -g 1337 udp/15053 tcp/15053 >/dev/null
	"$CNISH" -t netns:pod --yes istio apply --store compat REDIRECT_DNS=true DNS_SERVERS=10.96.0.10 >/dev/null
	finds ''
	local rule
	rule=$(pod_exec iptables-nft -t raw -S | grep -- '--sport 53 ' | head -1)
	# as 1.11 to 1.19 wrote it
	pod_exec bash -c "iptables-nft -t raw ${rule/-A/-D}"
	pod_exec bash -c "iptables-nft -t raw ${rule/-s 10/-d 10}"
	finds D23
}
@test "D23: the zone of DNS replies asks for the destination" { in_pod d23; }

file_annotations() {
	mkdir -p /run/image/etc/istio/pod /run/image/proc
	printf 'kubernetes.io/x="a\\"b"\ntraffic.sidecar.istio.io/excludeInboundPorts="8080"\n' >/run/image/etc/istio/pod/annotations
	nft_node
	# a process whose root is the proxy's image; its listeners are opened before
	for d in bin lib lib64 usr; do [ ! -e "/$d" ] || { mkdir -p "/run/image/$d" && mount --bind "/$d" "/run/image/$d"; }; done
	mkdir -p "/run/image$(dirname "$TOOLS")" && mount --bind "$(dirname "$TOOLS")" "/run/image$(dirname "$TOOLS")"
	mkdir -p /run/image/dev && touch /run/image/dev/null && mount --bind /dev/null /run/image/dev/null
	pod_exec chroot /run/image "$TOOLS/standin" -d -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 tcp/15020 >/dev/null
	pod_istio nft
	finds D17
}
@test "annotations are taken from the file in the proxy's container too" { without_sanitizer; in_pod file_annotations; }
