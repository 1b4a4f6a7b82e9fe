#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pod.sh - a throw-away pod for tests and the demo; to be sourced
#
#   source "$TOP/tests/lib/pod.sh"
#   body() { pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006; "$CNISH" -t netns:pod sockets; }
#   @test "..." { in_pod body; }
#
# in_pod runs a function of the calling script in fresh mount, PID and network namespaces (the
# "node") with a pod beside it. All of it ends with the function and with the shell that called it,
# however these end: nothing stays.
# The node has a /run of its own, so that the xtables lock and /run/netns are its own too.

TOOLS=${TOOLS:-build/tests/lib}

# What pod_make gives the first pod ("pod"); a further one has other numbers.
POD=pod POD_IP=10.0.1.39 POD_IP6=fd00:1::39 NODE_IP=10.0.1.1 NODE_IP6=fd00:1::1
# Addresses the node answers on besides: a "service" and something far away.
SERVICE_IP=10.96.0.10 SERVICE_IP6=fd00:96::10 FAR_IP=203.0.113.7 FAR_IP6=2001:db8:113::7

# sandbox FUNCTION [ARG...]: the namespaces without a pod. SANDBOX_EXEC=exec: in place of this shell.
sandbox() {
	${SANDBOX_EXEC:-} setpriv --pdeathsig KILL unshare -m -n -p -f --mount-proc --kill-child --propagation private -- bash <(
		declare -p TOOLS POD POD_IP POD_IP6 NODE_IP NODE_IP6 SERVICE_IP SERVICE_IP6 FAR_IP FAR_IP6
		declare -f
		echo 'set -eEuo pipefail; trap '\''echo "failed: in ${FUNCNAME[0]:-main}: $BASH_COMMAND" >&2'\'' ERR'
		echo sandbox_init
		printf '%q ' "$@"
	) 3>&-
}

# in_pod FUNCTION [ARG...]: the namespaces with one pod
in_pod() { sandbox sandbox_with_pod "$@"; }

sandbox_with_pod() {
	pod_make
	"$@"
}

# until_true COMMAND...: polls, 10 s at most
until_true() {
	local i
	for ((i = 0; i < 500; i++)); do
		"$@" && return 0
		sleep 0.02
	done
	echo "never came true: $*" >&2
	return 1
}

sandbox_init() {
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir -p /run/netns
	export XDG_STATE_HOME=/run/state # undo files and history vanish with the sandbox
	ip link set lo up
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
	local a
	for a in "$SERVICE_IP/32" "$FAR_IP/32"; do ip addr add "$a" dev lo; done
	for a in "$SERVICE_IP6/128" "$FAR_IP6/128"; do ip -6 addr add "$a" dev lo nodad; done
}

# in_ns NAME CMD...: run inside a namespace of /run/netns (not "ip netns exec": it hides the cgroups)
in_ns() {
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" -- "$@"
}
pod_exec() { in_ns "$POD" "$@"; }

# pod_make [NAME [N]]: a pod; N is the third number of its addresses. Sets POD_PID, a process that
# does nothing in it (the "pause" container) and nothing else.
pod_make() {
	local name=${1:-pod} n=${2:-1} end="node-${1:-pod}"
	ip netns add "$name"
	ip link add "$end" type veth peer name eth0 netns "$name"
	# no duplicate address detection: addresses work at once and do not change later
	echo 0 >"/proc/sys/net/ipv6/conf/$end/accept_dad"
	in_ns "$name" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad'
	ip link set "$end" up
	ip addr add "10.0.$n.1/24" dev "$end"
	ip -6 addr add "fd00:$n::1/64" dev "$end" nodad
	in_ns "$name" ip link set lo up
	in_ns "$name" ip link set eth0 up
	in_ns "$name" ip addr add "10.0.$n.39/24" dev eth0
	in_ns "$name" ip -6 addr add "fd00:$n::39/64" dev eth0 nodad
	in_ns "$name" ip route add default via "10.0.$n.1"
	in_ns "$name" ip -6 route add default via "fd00:$n::1"
	nsenter --net="/run/netns/$name" sleep infinity </dev/null >/dev/null 2>&1 3>&- &
	POD_PID=$!
	until_true same_ns "/proc/$POD_PID/ns/net" "/run/netns/$name"
}

same_ns() { [ "$(stat -Lc %d:%i "$1" 2>/dev/null)" = "$(stat -Lc %d:%i "$2")" ]; }

# pod_standin ARG...: start a stand-in inside the pod (see standin.c); prints its PID when it listens
pod_standin() { pod_exec "$TOOLS/standin" -d "$@"; }
node_standin() { "$TOOLS/standin" -d "$@"; }

# pod_connect ARG... / node_connect ARG...: make a connection (see connect.c); prints what came of it
pod_connect() { pod_exec "$TOOLS/connect" "$@"; }
node_connect() { "$TOOLS/connect" "$@"; }

# istio_rules 4|6 [UID]: what istio-init writes with its default settings, as iptables-restore text
istio_rules() {
	local lo=127.0.0.1/32 probe=127.0.0.6/32 id=${2:-1337} owner
	[ "$1" = 4 ] || { lo=::1/128 probe=::6/128; }
	echo '*nat'
	printf ':%s - [0:0]\n' ISTIO_INBOUND ISTIO_REDIRECT ISTIO_IN_REDIRECT ISTIO_OUTPUT
	echo '-A PREROUTING -p tcp -j ISTIO_INBOUND'
	echo '-A OUTPUT -j ISTIO_OUTPUT'
	printf -- '-A ISTIO_INBOUND -p tcp --dport %s -j RETURN\n' 15008 15090 15021 15020
	echo '-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT'
	echo '-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001'
	echo '-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006'
	echo "-A ISTIO_OUTPUT -o lo -s $probe -j RETURN"
	for owner in "--uid-owner $id" "--gid-owner $id"; do
		echo "-A ISTIO_OUTPUT -o lo ! -d $lo -p tcp ! --dport 15008 -m owner $owner -j ISTIO_IN_REDIRECT"
		echo "-A ISTIO_OUTPUT -o lo -m owner ! $owner -j RETURN"
		echo "-A ISTIO_OUTPUT -m owner $owner -j RETURN"
	done
	echo "-A ISTIO_OUTPUT -d $lo -j RETURN"
	echo '-A ISTIO_OUTPUT -j ISTIO_REDIRECT'
	echo COMMIT
}

# pod_istio legacy|nft [UID]: load them into the pod, IPv4 and IPv6. Only ever in a pod: the legacy
# tools instantiate tables for good.
pod_istio() {
	istio_rules 4 "${2:-}" | pod_exec "iptables-$1-restore" --noflush
	istio_rules 6 "${2:-}" | pod_exec "ip6tables-$1-restore" --noflush
	pod_exec ip -6 addr replace ::6/128 dev lo
}
