#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# ways - diagnoses whose fault can come about in further ways: other stores, chains, names, words of a log
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"
source "$TOP/tests/doctor/common.bash"

# As that of common.bash, without the schema: these are many, and their answers have no other shape.
doctor() {
	"$CNISH" -t netns:pod -o json --host-root "${NODE:-/}" doctor "$@" >/run/json || [ $? = 1 ]
	jq -r '[.findings[].id] | unique | join(" ")' /run/json
}

nat() { pod_exec iptables-nft -t nat "$@"; }

# with IDS COMMAND... -- COMMAND...: a change of the pod, what is then found, and how it is taken back
with() {
	local ids=$1 back=0 it
	local -a make=() undo=()
	shift
	for it; do
		if [ "$it" = -- ]; then back=1; elif [ $back = 0 ]; then make+=("$it"); else undo+=("$it"); fi
	done
	"${make[@]}"
	finds "$ids"
	"${undo[@]}"
}

again() { istio_rules 4 | grep -v '^:' | pod_exec iptables-nft-restore --noflush; }
anew() {
	pod_exec nft flush ruleset
	pod_istio nft
}

in_chains() {
	nft_node
	sidecar
	pod_istio nft
	with D10 nat -A OUTPUT -p 255 -j RETURN -- nat -D OUTPUT -p 255 -j RETURN
	with D13 nat -D PREROUTING 1 -- nat -A PREROUTING -p tcp -j ISTIO_INBOUND
	with D14 nat -I OUTPUT -m owner --uid-owner 0 -j RETURN -- nat -D OUTPUT 1
	with D12 again -- anew
	pod_exec iptables-nft -N LOGGED
	with '' pod_exec iptables-nft -A INPUT -p udp -j LOGGED -- anew
}
@test "D10, D12, D13, D14 in built-in chains and in whole blocks; a chain called LOGGED is no D52" { in_pod in_chains; }

owner_left() {
	nft_node
	with D13 nat -A OUTPUT -m owner --uid-owner 1337 -j RETURN -- nat -F OUTPUT
	with D13 nat -A OUTPUT -p udp --dport 53 -j REDIRECT --to-ports 15053 -- nat -F OUTPUT
	with D13 pod_exec iptables-nft -t raw -A OUTPUT -p udp --dport 53 -m owner --uid-owner 1337 -j CT --zone 1 -- \
		pod_exec iptables-nft -t raw -F OUTPUT
	finds ''
}
@test "D13: single rules for the proxy's user, for DNS and in raw; D22 is silent then" { in_pod owner_left; }

dns_rule() { "$@" -I OUTPUT -d 10.96.0.10 -p udp --dport 53 -j REDIRECT --to-ports 15053; }

one_way() {
	nft_node
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 tcp/15053 udp/15053 >/dev/null
	pod_istio nft
	dns_rule nat
	pod_exec iptables-nft -t raw -A OUTPUT -p udp --dport 53 -j CT --zone 1
	finds D22
	pod_exec iptables-nft -t raw -A PREROUTING -s 10.96.0.10 -p udp --sport 53 -j CT --zone 1
	finds ''
	dns_rule pod_exec ip6tables-nft -t nat 2>/dev/null || pod_exec ip6tables-nft -t nat -I OUTPUT -p udp --dport 53 -j REDIRECT --to-ports 15053
	finds D22
}
@test "D22: zones in one direction, in one family" { in_pod one_way; }

apply_native() { "$CNISH" -t netns:pod --yes istio apply --store native DUAL_STACK=true "$@" >/dev/null; }

native() {
	local handle
	sidecar
	apply_native ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY
	finds ''
	with D26 pod_exec ip rule del fwmark 1337 -- pod_exec ip rule add fwmark 1337 lookup 133
	"$CNISH" -t netns:pod --yes istio flush >/dev/null
	apply_native
	finds ''
	pod_exec nft 'add table inet own; add chain inet own c { type filter hook output priority 0; }'
	with '' pod_exec nft add rule inet own c tcp dport 80 log prefix x group 3 -- pod_exec nft flush chain inet own c
	with D52 pod_exec nft add rule inet own c tcp dport 80 log -- pod_exec nft delete table inet own
	handle=$(pod_exec nft -a list chain inet istio-proxy-nat istio-in-redirect | sed -n 's/.*redirect to.*handle //p')
	pod_exec nft "replace rule inet istio-proxy-nat istio-in-redirect handle $handle meta l4proto tcp redirect to :15001"
	finds D46
	"$CNISH" -t netns:pod --yes istio flush >/dev/null
	pod_exec nft 'add table inet istio-proxy-nat; add chain inet istio-proxy-nat istio-redirect; add rule inet istio-proxy-nat istio-redirect meta l4proto tcp redirect to :15001'
	finds D13
}
@test "D13, D26, D46, D52 with native rules" { in_pod native; }

mixed() {
	nft_node
	sidecar
	"$CNISH" -t netns:pod --yes istio apply --store compat DUAL_STACK=true ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY >/dev/null
	finds ''
	nat -A PREROUTING -p tcp -j ISTIO_INBOUND
	nat -A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT
	finds D26
}
@test "D26: rules of REDIRECT and TPROXY at once" { in_pod mixed; }

wrong_port() {
	nft_node
	sidecar
	istio_rules 4 | sed s/15006/15007/ | pod_exec iptables-nft-restore --noflush
	istio_rules 6 | sed s/15006/15007/ | pod_exec ip6tables-nft-restore --noflush
	finds D46
	pod_exec nft flush ruleset
	istio_rules 4 | grep -v ISTIO_INBOUND | pod_exec iptables-nft-restore --noflush
	istio_rules 6 | grep -v ISTIO_INBOUND | pod_exec ip6tables-nft-restore --noflush
	finds D47
}
@test "D46: a port on which nobody listens; D47: no chain for inbound at all" { in_pod wrong_port; }
