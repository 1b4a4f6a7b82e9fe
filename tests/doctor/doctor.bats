#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# doctor - each diagnosis on a fault that was made for real, and silence on healthy pods of every mode
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"
source "$TOP/tests/doctor/common.bash"

bats_require_minimum_version 1.5.0

# ---- healthy pods ----

healthy_plain() { finds ''; }
@test "silent: a pod that is not in the mesh" { in_pod healthy_plain; }

# healthy STORE LISTENER... -- ARG...: the rules that 'istio apply' makes, and who listens behind them
healthy() {
	local store=$1 tool=nft
	shift
	local listeners=()
	while [ "$1" != -- ]; do
		listeners+=("$1")
		shift
	done
	shift
	[ "$store" != legacy ] || tool=legacy
	node_with $tool
	pod_standin "${listeners[@]}" >/dev/null
	pod_standin -n app tcp/8080 >/dev/null
	"$CNISH" -t netns:pod --yes istio apply --store "$store" "$@" >/dev/null
	NODE=/run/node-$tool finds ''
}

# Functions, since a sandbox inherits no arrays.
healthy_envoy() {
	local store=$1
	shift
	healthy "$store" -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 tcp/15020 tcp/15021 tcp/15090 "$@"
}

# Sockets of ztunnel are in the pod, its process is elsewhere.
healthy_ztunnel() {
	local store=$1
	shift
	healthy "$store" -n ztunnel tcp/15001 tcp/15006 tcp/15008 "$@"
}

healthy_sidecar() { healthy_envoy "$1" -- DUAL_STACK=true; }
healthy_dns() { healthy_envoy "$1" udp/15053 tcp/15053 -- DUAL_STACK=true REDIRECT_DNS=true CAPTURE_ALL_DNS=true; }
healthy_tproxy() { healthy_envoy "$1" -t -- DUAL_STACK=true ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY; }
healthy_ambient() { healthy_ztunnel "$1" udp/15053 tcp/15053 -- --preset ambient; }
healthy_ambient_plain() { healthy_ztunnel "$1" -- --preset ambient REDIRECT_DNS=false; }

@test "silent: a sidecar, legacy" { in_pod healthy_sidecar legacy; }
@test "silent: a sidecar, iptables-nft" { in_pod healthy_sidecar compat; }
@test "silent: a sidecar, native nftables" { in_pod healthy_sidecar native; }
@test "silent: DNS capture, legacy" { in_pod healthy_dns legacy; }
@test "silent: DNS capture, iptables-nft" { in_pod healthy_dns compat; }
@test "silent: DNS capture, native nftables" { in_pod healthy_dns native; }
@test "silent: TPROXY, legacy" { in_pod healthy_tproxy legacy; }
@test "silent: TPROXY, iptables-nft" { in_pod healthy_tproxy compat; }
@test "silent: TPROXY, native nftables" { in_pod healthy_tproxy native; }
@test "silent: an ambient pod, legacy" { in_pod healthy_ambient legacy; }
@test "silent: an ambient pod, iptables-nft" { in_pod healthy_ambient compat; }
@test "silent: an ambient pod, native nftables" { in_pod healthy_ambient native; }
@test "silent: an ambient pod without DNS capture" { in_pod healthy_ambient_plain compat; }

# Rules that other programs wrote: Istio's text, loaded by the tool of each store.
healthy_by_tools() {
	node_with "$1"
	sidecar
	pod_istio "$1"
	NODE=/run/node-$1 finds ''
}
@test "silent: a sidecar whose rules iptables-legacy wrote" { in_pod healthy_by_tools legacy; }
@test "silent: a sidecar whose rules iptables-nft wrote" { in_pod healthy_by_tools nft; }

healthy_by_nft() {
	node_with nft
	sidecar
	"$CNISH" -t netns:pod -o nft istio show NATIVE_NFTABLES=true DUAL_STACK=true --preset istio-init >/run/native.nft
	pod_exec nft -f /run/native.nft
	NODE=/run/node-nft finds ''
}
@test "silent: a sidecar whose rules nft wrote" { in_pod healthy_by_nft; }

# A gateway runs Envoy and has no capture by design.
healthy_gateway() {
	pod_exec bash -c 'exec -a "pilot-agent proxy router" sleep 1000' &
	pod_standin -n envoy -u 1337 -g 1337 tcp/8080 tcp/8443 tcp/15021 tcp/15090 >/dev/null
	finds ''
}
@test "silent: a gateway without rules" { in_pod healthy_gateway; }

# ---- the stores ----

d03() {
	node_with nft
	sidecar
	pod_istio legacy
	NODE=/run/node-nft finds D03
	node_with legacy
	"$CNISH" -t netns:pod istio flush --yes >/dev/null
}
@test "D03: legacy rules, and the node's iptables is nft" { in_pod d03; }

d03_other() {
	node_with legacy
	sidecar
	pod_istio nft
	NODE=/run/node-legacy finds D03
}
@test "D03: nft rules, and the node's iptables is legacy" { in_pod d03_other; }

d04() {
	local tool
	for tool in legacy nft; do
		pod_exec "iptables-$tool-restore" --noflush <<-'END'
			*nat
			:KUBE-SERVICES - [0:0]
			-A PREROUTING -j KUBE-SERVICES
			-A PREROUTING -m comment --comment "not of KUBE-SERVICES"
			-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp --dport 443 -j DNAT --to-destination 10.0.1.9:6443
			COMMIT
		END
	done
	finds D04
	# the advice, typed as it is, takes that copy and nothing else
	jq -r '.findings[0].fix[] | select(startswith("iptables-legacy-save"))' /run/json >/run/advice
	pod_exec sh -e /run/advice
	finds ''
	[ "$(pod_exec iptables-legacy-save | grep -c '^-A\|^:KUBE')" = 1 ]
	[ "$(pod_exec iptables-nft-save | grep -c KUBE-SERVICES)" = 4 ]
}
@test "D04: kube-proxy's chains in both stores" { in_pod d04; }

# Both families, rules that lead there from elsewhere, and what is not theirs; taken back again
d04_fix() {
	local tool f before
	node_with nft
	export NODE=/run/node-nft
	for tool in iptables-legacy iptables-nft ip6tables-legacy ip6tables-nft; do
		f=10.0.1.9
		[[ $tool != ip6* ]] || f=fd00::9
		pod_exec "$tool-restore" <<-END
			*nat
			:KUBE-SERVICES - [0:0]
			:KUBE-SVC-ABC - [0:0]
			:own - [0:0]
			-A PREROUTING -p tcp --dport 7 -j own
			-A PREROUTING -j KUBE-SERVICES
			-A OUTPUT -p tcp -g KUBE-SERVICES
			-A OUTPUT -p tcp --dport 8 -j RETURN
			-A own -j KUBE-SVC-ABC
			-A own -j RETURN
			-A KUBE-SERVICES -p tcp --dport 443 -j KUBE-SVC-ABC
			-A KUBE-SVC-ABC -p tcp -j DNAT --to-destination $f
			COMMIT
		END
	done
	[ "$(doctor)" = D04 ]
	jq -e 'all(.findings[]; .mendable)' /run/json
	pod_exec iptables-nft-save -t nat >/run/nft
	before=$(pod_exec iptables-legacy-save -t nat; pod_exec ip6tables-legacy-save -t nat)
	"$CNISH" -t netns:pod --host-root "$NODE" doctor --fix </dev/null >/dev/null 2>&1 && return 1 # not confirmed
	[ "$(grep -v '^#' <<<"$before")" = "$( (pod_exec iptables-legacy-save -t nat; pod_exec ip6tables-legacy-save -t nat) | grep -v '^#')" ]
	"$CNISH" -t netns:pod --host-root "$NODE" --yes doctor --fix >/run/out
	grep -q 'take the chains of kube-proxy.*out of the legacy store' /run/out
	finds ''
	for f in iptables ip6tables; do
		pod_exec $f-legacy-save -t nat | grep -v '^#' >/run/left
		! grep KUBE /run/left
		[ "$(grep -c '^-A' /run/left)" = 3 ]
	done
	diff <(grep -v '^#' /run/nft) <(pod_exec iptables-nft-save -t nat | grep -v '^#')
	"$CNISH" -t netns:pod --yes istio undo >/dev/null
	[ "$(grep -v '^#' <<<"$before")" = "$( (pod_exec iptables-legacy-save -t nat; pod_exec ip6tables-legacy-save -t nat) | grep -v '^#')" ]
	# kubelet says that legacy is in use: then it is not sure
	pod_exec iptables-legacy -t mangle -N KUBE-IPTABLES-HINT
	finds D04
	jq -e 'any(.findings[]; .mendable) | not' /run/json
}
@test "D04: --fix takes the stale copy out, and nothing else" { in_pod d04_fix; }

d05() {
	sidecar
	pod_istio legacy
	pod_istio nft
	finds D05
	jq -e '[.findings[] | select(.mendable)] | length == 2' /run/json
	"$CNISH" -t netns:pod --yes doctor --fix >/dev/null || [ $? = 1 ]
	finds "$(pod_exec iptables-nft-save | grep -q ISTIO || echo D03)"
	"$CNISH" -t netns:pod istio verify DUAL_STACK=true >/dev/null
}
@test "D05: Istio in both stores; --fix leaves one, complete" { in_pod d05; }

d06_d07() {
	node_with nft
	sidecar
	pod_istio nft
	pod_exec iptables-legacy -t nat -S >/dev/null # as a detector does
	NODE=/run/node-nft finds 'D06 D07'
	jq -e '.verdicts[] | select(.detector == "Istio").store == "legacy"' /run/json
	jq -e '.verdicts[] | select(.detector == "iptables-wrappers").store == "compat"' /run/json
}
@test "D06, D07: a look with iptables-legacy made an empty table; Istio's detector would take legacy" { in_pod d06_d07; }

# ---- capture ----

d08() {
	sidecar
	finds D08
}
@test "D08: a sidecar without rules" { in_pod d08; }

# ---- the command itself ----

@test "--list names all, each explains itself" {
	local id n=0
	for id in $("$CNISH" -o json doctor --list | jq -r '.diagnoses[].id'); do
		run "$CNISH" doctor "$id"
		[ "$status" = 0 ]
		[[ "$output" == "$id ("* ]]
		[ "${#lines[@]}" -ge 4 ]
		n=$((n + 1))
	done
	[ "$n" -ge 8 ]
	"$CNISH" -o json doctor --list | "$TOP/tests/lib/validate" doctor-list
	"$CNISH" -o json doctor d01 | "$TOP/tests/lib/validate" doctor-list
	[ "$("$CNISH" doctor d7)" = "$("$CNISH" doctor D07)" ]
	run -2 "$CNISH" doctor D99
	run -2 "$CNISH" doctor D0
}

@test "every diagnosis has a test that makes its fault; the table says which" {
	run "$TOP/tests/doctor/table"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(grep -cE '^D[0-9]{2} ' <<<"$output")" = 54 ]
}
