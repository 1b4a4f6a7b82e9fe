#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_native - Istio's native nftables rules: what nft lists is what it lists after loading the plan's text
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"

bats_require_minimum_version 1.5.0

cnish_json() { "$CNISH" -t netns:pod -o json --yes istio "$@"; }
listing() { in_ns "$1" nft -s list ruleset; }

configs() {
	cat <<-'END'
		@
		ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY
		ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY ISTIO_INBOUND_PORTS=80,443 ISTIO_INBOUND_TPROXY_MARK=77
		ISTIO_META_DNS_CAPTURE=true DNS_SERVERS=10.96.0.10,fd00:96::10
		REDIRECT_DNS=true CAPTURE_ALL_DNS=true DROP_INVALID=true ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY
		ISTIO_EXCLUDE_INTERFACES=eth7,eth8 KUBE_VIRT_INTERFACES=tap0,tap1
		ISTIO_SERVICE_CIDR=10.96.0.0/12,fd00:96::/48 KUBE_VIRT_INTERFACES=tap0,tap1 ISTIO_SERVICE_EXCLUDE_CIDR=10.96.0.1/32
		ISTIO_INBOUND_PORTS=80,8080 ISTIO_OUTBOUND_PORTS=3306 ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE=15020,53
		ISTIO_OUTBOUND_OWNER_GROUPS=1000,1001 PROXY_UID=1337,1338 PROXY_GID=1340
		ISTIO_OUTBOUND_OWNER_GROUPS= ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.0.0/8 ISTIO_SERVICE_CIDR=127.0.0.9/32
		ENABLE_INBOUND_IPV6=false ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=5,6 ISTIO_INBOUND_PORTS= ISTIO_SERVICE_CIDR=
		ISTIO_SERVICE_CIDR=0.0.0.0/0,::/0,10.0.0.0/9 PROXY_UID=5-9 ISTIO_OUTBOUND_OWNER_GROUPS=100-200,5 INBOUND_CAPTURE_PORT=0
		MODE=ambient REDIRECT_DNS=true
		MODE=ambient INGRESS_MODE=true KUBE_VIRT_INTERFACES=tap0
		MODE=ambient ENABLE_INBOUND_IPV6=false
	END
}

apply_configs() {
	local line i=0
	local -a settings
	while read -r line; do
		settings=(DUAL_STACK=true)
		[ "$line" = @ ] || read -ra settings <<<"DUAL_STACK=true $line"
		ip netns add ref
		"$CNISH" -t netns:pod istio show -o nft "${settings[@]}" 2>/dev/null | in_ns ref nft -f -
		cnish_json apply --store native "${settings[@]}" >/run/json || { cat /run/json; echo "settings: $line"; false; }
		"$TOP/tests/lib/validate" istio-apply </run/json
		diff <(listing ref) <(listing pod) || { echo "settings: $line"; false; }
		"$CNISH" -t netns:pod istio verify NATIVE_NFTABLES=true "${settings[@]}" >/run/report 2>&1 ||
			{ echo "not clean: $line"; cat /run/report; false; }
		cnish_json apply --store native "${settings[@]}" | jq -e '(.changed | not) and .edits == []' >/dev/null
		cnish_json flush >/dev/null
		[ -z "$(listing pod)" ] || { echo "left: $line"; false; }
		cnish_json undo >/dev/null
		diff <(listing ref) <(listing pod) || { echo "undo: $line"; false; }
		cnish_json flush >/dev/null
		ip netns del ref
		i=$((i + 1))
	done < <(configs)
	[ $i = 15 ]
}
@test "apply in the native store: nft lists what it lists after loading the plan's text" { in_pod apply_configs; }

traffic() {
	local a
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	pod_standin -n app -u 1000 -g 1000 tcp/8080 >/dev/null
	node_standin tcp/80 >/dev/null
	cnish_json apply --store native DUAL_STACK=true >/dev/null
	for a in "$SERVICE_IP" "$SERVICE_IP6"; do
		pod_connect -u 1000 -g 1000 tcp "$a" 80 | jq -e '.reply.port == 15001 and .reply.oport == 80'
		pod_connect -u 1337 -g 1337 tcp "$a" 80 | jq -e '.reply.port == 80'
	done
	for a in "$POD_IP" "$POD_IP6"; do
		node_connect tcp "$a" 8080 | jq -e '.reply.port == 15006 and .reply.oport == 8080'
	done
}
@test "real connections arrive at 15001 and 15006 with native rules" { in_pod traffic; }

tproxy() {
	local a
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 >/dev/null
	pod_standin -t -n envoy -u 1337 -g 1337 tcp/15006 >/dev/null
	pod_standin -n app -u 1000 -g 1000 tcp/8080 >/dev/null
	cnish_json apply --store native DUAL_STACK=true ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY >/dev/null
	for a in "$POD_IP" "$POD_IP6"; do
		node_connect tcp "$a" 8080 | jq -e --arg a "$a" '.reply.port == 15006 and .reply.local == $a and .reply.lport == 8080'
	done
}
@test "TPROXY: connections arrive at a transparent listener with native rules" { in_pod tproxy; }

# drift KIND CHAIN COMMAND...: verify reports it, apply mends it
drift() {
	local kind=$1 chain=$2
	shift 2
	"$@"
	! "$CNISH" -t netns:pod -o json istio verify >/run/json 2>/dev/null
	"$TOP/tests/lib/validate" istio-verify </run/json
	jq -e --arg k "$kind" --arg c "$chain" 'any(.differences[]; .kind == $k and .chain == $c and .store == "native")' /run/json ||
		{ echo "no $kind in $chain after: $*"; jq -c '.differences[]' /run/json; false; }
	cnish_json apply >/dev/null
	listing pod | diff /run/good -
}

drifts() {
	local n="pod_exec nft"
	$n add table ip mine
	$n add chain ip mine c '{ type filter hook input priority 0; policy accept; }'
	$n add rule ip mine c tcp dport 22 accept
	cnish_json apply --store native DUAL_STACK=true ISTIO_META_DNS_CAPTURE=false >/dev/null
	listing pod | sed '/^table ip mine/,/^}/d' >/run/good
	listing() { in_ns "$1" nft -s list ruleset | sed '/^table ip mine/,/^}/d'; }
	# native rules are told from what there is; IPv6 is that of the pod
	"$CNISH" -t netns:pod istio verify DUAL_STACK=true NATIVE_NFTABLES=true
	cnish_json apply >/dev/null
	listing pod >/run/good
	drift missing istio-output $n delete rule inet istio-proxy-nat istio-output handle \
		"$($n -a list chain inet istio-proxy-nat istio-output | sed -n 's/.*jump istio-redirect # handle //p')"
	drift extra istio-inbound $n insert rule inet istio-proxy-nat istio-inbound tcp dport 99 accept
	drift extra istio-odd $n add chain inet istio-proxy-nat istio-odd
	drift extra istio-odd $n 'add table inet istio-proxy-raw; add chain inet istio-proxy-raw istio-odd; add rule inet istio-proxy-raw istio-odd drop'
	$n list table ip mine | grep 'tcp dport 22 accept' >/dev/null
	# a move to iptables and back, and both undone
	cnish_json apply --store compat NATIVE_NFTABLES=false DUAL_STACK=true >/dev/null
	pod_exec iptables-nft -t nat -S 2>/dev/null | grep ISTIO_OUTPUT >/dev/null
	! $n list tables | grep istio-proxy
	cnish_json apply --store native >/dev/null
	listing pod | grep -A200 istio-proxy | diff /run/good -
	! pod_exec iptables-nft -t nat -S 2>/dev/null | grep ISTIO
	cnish_json undo >/dev/null
	! $n list tables | grep istio-proxy
	pod_exec iptables-nft -t nat -S 2>/dev/null | grep ISTIO_OUTPUT >/dev/null
	cnish_json undo >/dev/null
	listing pod | grep -A200 istio-proxy | diff /run/good -
}
# all of it missing: every name is told, in each place the report has
nothing_there() {
	! "$CNISH" -t netns:pod -o json istio verify NATIVE_NFTABLES=true DUAL_STACK=true REDIRECT_DNS=true CAPTURE_ALL_DNS=true >/run/json
	jq -r '.differences[] | select(.store == "native") | [.table, .chain] | join(" ")' /run/json | sort -u >/run/got
	"$CNISH" -t netns:pod istio show -o nft NATIVE_NFTABLES=true DUAL_STACK=true REDIRECT_DNS=true CAPTURE_ALL_DNS=true 2>/dev/null |
		sed -n 's/^add chain inet \(\S* \S*\).*/\1/p' | sort | diff - /run/got
}
@test "native: of what is missing the tables and chains are named" { in_pod nothing_there; }

@test "native drift is found and mended; moves between stores, and their undoing" { in_pod drifts; }

refused() {
	local status=0
	"$CNISH" -t netns:pod --yes istio apply --store native ISTIO_OUTBOUND_OWNER_GROUPS=staff 2>/run/err || status=$?
	[ $status = 2 ]
	grep -q staff /run/err
	[ -z "$(listing pod)" ]
}
@test "what cannot be written is refused before anything is changed" { in_pod refused; }

# Istio's own plan jumps to a chain that it does not make: servers of IPv6 alone, and no IPv6.
routes() { printf 'rule\nroute show table all\n' | pod_exec ip -batch -; }
kernel_refuses() {
	local status=0 settings=(ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY REDIRECT_DNS=true DNS_SERVERS=2001:db8::1 ENABLE_INBOUND_IPV6=false)
	"$CNISH" -o nft istio show "${settings[@]}" NATIVE_NFTABLES=true >/run/plan
	! pod_exec nft -f /run/plan 2>/dev/null
	routes >/run/before
	"$CNISH" -t netns:pod --yes istio apply --store native "${settings[@]}" >/run/out 2>/run/err || status=$?
	[ $status = 5 ]
	grep -q 'changing nftables: .*: No such file' /run/err || { cat /run/err; false; }
	[ -z "$(listing pod)" ]
	routes | diff /run/before -
}
@test "what the kernel refuses leaves no routes and rules of ip(8) either" { in_pod kernel_refuses; }

# differs KIND CHAIN INDEX EFFECT: the one difference, and what it does to connections
differs() {
	"$CNISH" -t netns:pod -o json istio verify >/run/json 2>/dev/null || [ $? = 1 ]
	jq -e --arg k "$1" --arg c "$2" --argjson i "$3" --arg e "$4" \
		'.differences | length == 1 and (.[0] | .kind == $k and .chain == $c and .index == $i and (.effect | contains($e)))' /run/json >/dev/null ||
		{ jq -c '.differences[]' /run/json; return 1; }
}
handle_of() { pod_exec nft -a list chain inet istio-proxy-nat "$1" | sed -n "s/.*$2.*# handle //p" | head -1; }

kinds() {
	local n="pod_exec nft" t=istio-proxy-nat
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	pod_standin -n app tcp/8080 >/dev/null
	anew() { "$CNISH" -t netns:pod --yes istio flush >/dev/null; "$CNISH" -t netns:pod --yes istio apply --store native >/dev/null; }
	anew
	"$CNISH" -t netns:pod istio verify >/dev/null
	$n add rule inet $t istio-output counter jump istio-redirect
	differs duplicate istio-output 10 'never reached'
	anew
	$n delete rule inet $t istio-output handle "$(handle_of istio-output 'jump istio-redirect')"
	differs missing istio-output 9 'application to a service: leaves the pod, port 80, instead of port 15001, redirected'
	$n insert rule inet $t istio-output counter jump istio-redirect
	differs misplaced istio-output 1 'application to itself, localhost: port 15001, redirected, instead of port 8080'
	anew
	$n replace rule inet $t istio-output handle "$(handle_of istio-output 'skuid 1337 counter packets 0 bytes 0 return')" meta skuid 1338 counter return
	differs changed istio-output 4 "proxy's user in another group, to a service: port 15001, redirected, instead of leaves the pod"
	anew
	$n insert rule inet $t istio-inbound tcp dport 8080 counter return
	differs extra istio-inbound 1 'client to the application: port 8080, instead of port 15006, redirected'
	# and it is mended
	"$CNISH" -t netns:pod --yes istio apply >/dev/null 2>&1
	"$CNISH" -t netns:pod istio verify >/dev/null
}
@test "verify: missing, extra, moved, changed and duplicate native rules, and what each does" { in_pod kinds; }
