#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_traffic - real connections under the rules that apply writes: they arrive where Istio means them to, in every store
# (REDIRECT and TPROXY of a sidecar's tcp: istio_apply, istio_native)
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"

applied() { "$CNISH" -t netns:pod --yes istio apply --store "$@" >/run/out 2>&1 || { cat /run/out; false; }; }

# arrives WHAT JQ COMMAND...: the answer of whoever answered
arrives() {
	local what=$1 filter=$2
	shift 2
	"$@" >/run/conn 2>&1 || :
	jq -e "$filter" /run/conn >/dev/null || { echo "$what: not $filter: $(</run/conn)"; false; }
}

app() { pod_connect -u 1000 -g 1000 "$@"; }
proxy() { pod_connect -u 1337 -g 1337 "$@"; }

# One source port for both: without zones the two would be one connection to the kernel.
asked() { # ADDRESS
	arrives "application asks $1, udp" '.reply.port == 15053 and .reply.name == "envoy"' app -p 5000 udp "$1" 53
	arrives "proxy asks $1, udp" '.reply.port == 53 and .reply.name == "dns"' proxy -p 5000 udp "$1" 53
	arrives "application asks $1, udp, again" '.reply.port == 15053' app -p 5000 udp "$1" 53
	arrives "application asks $1, tcp" ".reply.port == 15053 and .reply.orig == \"$1\" and .reply.oport == 53" app tcp "$1" 53
	arrives "proxy asks $1, tcp" '.reply.port == 53' proxy tcp "$1" 53
}

dns() {
	local a
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 udp/15053 tcp/15053 >/dev/null
	node_standin -n dns udp/53 tcp/53 >/dev/null
	applied "$1" DUAL_STACK=true REDIRECT_DNS=true CAPTURE_ALL_DNS=true
	for a in "$SERVICE_IP" "$SERVICE_IP6" "$FAR_IP"; do asked "$a"; done
	# of two servers those that resolv.conf names
	applied "$1" DUAL_STACK=true REDIRECT_DNS=true CAPTURE_ALL_DNS=false "DNS_SERVERS=$SERVICE_IP,$SERVICE_IP6"
	for a in "$SERVICE_IP" "$SERVICE_IP6"; do asked "$a"; done
	for a in "$FAR_IP" "$FAR_IP6"; do
		arrives "another server, udp" '.reply.port == 53' app udp "$a" 53
		arrives "another server, tcp" '.reply.port == 15001 and .reply.oport == 53' app tcp "$a" 53
	done
}
@test "legacy: DNS arrives at the proxy, its own questions at the server" { in_pod dns legacy; }
@test "compat: DNS arrives at the proxy, its own questions at the server" { in_pod dns compat; }
@test "native: DNS arrives at the proxy, its own questions at the server" { in_pod dns native; }

tproxy_own() {
	local a client service six
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 >/dev/null
	pod_standin -t -n envoy -u 1337 -g 1337 tcp/15006 >/dev/null
	pod_standin -n app -u 1000 -g 1000 tcp/8080 >/dev/null
	node_standin tcp/80 >/dev/null
	applied "$1" DUAL_STACK=true ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY
	while read -r a client service six; do
		arrives "client to the application" ".reply.port == 15006 and .reply.local == \"$a\" and .reply.lport == 8080 and .reply.peer == \"$client\"" \
			node_connect tcp "$a" 8080
		arrives "proxy passes a client through" '.reply.name == "app"' proxy -s "$six" tcp "$a" 8080
		arrives "proxy to itself by the pod's address" '.reply.port == 15006' proxy tcp "$a" 8080
		arrives "proxy to a service" '.reply.port == 80' proxy tcp "$service" 80
		arrives "application to itself" '.reply.port == 8080' app tcp "$a" 8080
	done <<-END
		$POD_IP $NODE_IP $SERVICE_IP 127.0.0.6
		$POD_IP6 $NODE_IP6 $SERVICE_IP6 ::6
	END
}
@test "legacy: with TPROXY clients arrive at the proxy, its own connections do not" { in_pod tproxy_own legacy; }
@test "compat: with TPROXY clients arrive at the proxy, its own connections do not" { in_pod tproxy_own compat; }
@test "native: with TPROXY clients arrive at the proxy, its own connections do not" { in_pod tproxy_own native; }

ztunnel() { pod_connect -m 0x539 "$@"; }

ambient() {
	local a client service prober
	pod_standin -n ztunnel -m 0x539 -t tcp/15001 tcp/15006 tcp/15008 udp/15053 tcp/15053 >/dev/null
	pod_standin -n app -u 1000 -g 1000 tcp/8080 >/dev/null
	node_standin -n service tcp/80 udp/53 tcp/53 >/dev/null
	ip addr add 169.254.7.127/32 dev lo
	ip -6 addr add fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128 dev lo nodad
	applied "$1" MODE=ambient ENABLE_INBOUND_IPV6=true REDIRECT_DNS=true
	while read -r a client service prober; do
		arrives "application to a service" ".reply.port == 15001 and .reply.orig == \"$service\" and .reply.oport == 80" app tcp "$service" 80
		arrives "client to the application" ".reply.port == 15006 and .reply.orig == \"$a\" and .reply.oport == 8080" node_connect tcp "$a" 8080
		arrives "another ztunnel" '.reply.port == 15008 and .reply.lport == 15008' node_connect tcp "$a" 15008
		arrives "the node's probe" '.reply.name == "app"' node_connect -s "$prober" tcp "$a" 8080
		arrives "application asks DNS, udp" '.reply.port == 15053' app udp "$service" 53
		arrives "application asks DNS, tcp" '.reply.port == 15053 and .reply.oport == 53' app tcp "$service" 53
		arrives "ztunnel asks DNS" '.reply.name == "service"' ztunnel udp "$service" 53
		arrives "ztunnel to a service" '.reply.name == "service" and .reply.port == 80' ztunnel tcp "$service" 80
		# the answer finds back to ztunnel, though the address is the client's: by the mark, the rule and the route
		arrives "ztunnel in the client's name" ".reply.name == \"app\" and .reply.peer == \"$client\"" ztunnel -t -s "$client" tcp "$a" 8080
		arrives "application to itself" '.reply.name == "app"' app tcp "$a" 8080
	done <<-END
		$POD_IP $NODE_IP $SERVICE_IP 169.254.7.127
		$POD_IP6 $NODE_IP6 $SERVICE_IP6 fd16:9254:7127:1337:ffff:ffff:ffff:ffff
	END
	"$CNISH" -t netns:pod --yes istio apply --store "$1" MODE=ambient INGRESS_MODE=true ENABLE_INBOUND_IPV6=true >/dev/null 2>&1
	arrives "ingress: client to the application" '.reply.name == "app"' node_connect tcp "$POD_IP" 8080
	arrives "ingress: application to a service" '.reply.port == 15001' app tcp "$SERVICE_IP6" 80
}
@test "legacy: in ambient mode connections arrive at ztunnel in the pod, its own do not" { in_pod ambient legacy; }
@test "compat: in ambient mode connections arrive at ztunnel in the pod, its own do not" { in_pod ambient compat; }
@test "native: in ambient mode connections arrive at ztunnel in the pod, its own do not" { in_pod ambient native; }
