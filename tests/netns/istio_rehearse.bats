#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_rehearse - apply --rehearse: what the copy says is what the target does afterwards; the target is not touched
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"

bats_require_minimum_version 1.5.0

everything() {
	pod_exec bash -c 'cat /proc/self/net/ip_tables_names /proc/self/net/ip6_tables_names; iptables-nft-save; nft list ruleset
		ip rule; ip -6 rule; ip route show table all; ip -6 addr show dev lo' 2>/dev/null | grep -v '^#' |
		sed 's/counter packets [0-9]* bytes [0-9]*/counter/; s/\[[0-9]*:[0-9]*\]//' # the pod speaks meanwhile, by itself
}

ends() { jq -r --arg n "$1" '.rehearsal.connections[] | select(.name == $n) | .before + " -> " + .after' /run/json; }

rehearsal() {
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 udp/15053 tcp/15053 >/dev/null
	pod_standin -n app -u 1000 -g 1000 tcp/8080 >/dev/null
	node_standin tcp/80 >/dev/null
	everything >/run/before
	"$CNISH" -t netns:pod -o json istio apply --rehearse --store "$1" DUAL_STACK=true REDIRECT_DNS=true CAPTURE_ALL_DNS=true >/run/json
	everything | diff /run/before -
	[ ! -e /run/state/cnish/undo ]
	"$TOP/tests/lib/validate" istio-apply </run/json
	# each went through the kernel of the copy, none was only followed
	jq -e '.rehearsal.not_sent == null and ([.rehearsal.connections[].sent] | all)' /run/json
	jq -e '(.changed | not) and .rehearsal.second_run == 0 and .rehearsal.changes == (.edits | length) + (.routing | length)' /run/json
	ends 'application to a service' | sort -u | diff - <(echo 'leaves the pod, port 80 -> port 15001, redirected')
	ends 'client to the application' | sort -u | diff - <(echo 'port 8080 -> port 15006, redirected')
	ends 'proxy to a service' | sort -u | diff - <(echo 'leaves the pod, port 80 -> leaves the pod, port 80')
	ends 'application asks DNS, udp' | sort -u | diff - <(echo 'leaves the pod, port 53 -> port 15053, redirected')
	ends 'proxy passes a client through' | sort -u | diff - <(echo 'port 8080 -> port 8080')
	# and so it is, once it is made
	"$CNISH" -t netns:pod --yes istio apply --store "$1" DUAL_STACK=true REDIRECT_DNS=true CAPTURE_ALL_DNS=true >/dev/null
	pod_connect -u 1000 -g 1000 tcp "$SERVICE_IP" 80 | jq -e '.reply.port == 15001'
	pod_connect -u 1000 -g 1000 udp "$SERVICE_IP6" 53 | jq -e '.reply.port == 15053'
	pod_connect -u 1337 -g 1337 tcp "$SERVICE_IP6" 80 | jq -e '.reply.port == 80'
	pod_connect -u 1337 -g 1337 -s 127.0.0.6 tcp "$POD_IP" 8080 | jq -e '.reply.port == 8080'
	node_connect tcp "$POD_IP6" 8080 | jq -e '.reply.port == 15006'
	everything >/run/before
	"$CNISH" -t netns:pod istio apply --rehearse --store "$1" DUAL_STACK=true REDIRECT_DNS=true CAPTURE_ALL_DNS=true >/run/out
	grep -q 'nothing to do' /run/out
	everything | diff /run/before -
}
@test "legacy: a rehearsal shows what comes, and leaves the target alone" { in_pod rehearsal legacy; }
@test "compat: a rehearsal shows what comes, and leaves the target alone" { in_pod rehearsal compat; }
@test "native: a rehearsal shows what comes, and leaves the target alone" { in_pod rehearsal native; }
