#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# resolve - pods of a real containerd and containers of a real docker: by every form of target, with sockets and without

bats_require_minimum_version 1.5.0
load ../lib/runtime.bash

setup_file() {
	world_up containerd docker
}

teardown_file() {
	world_down
}

setup() {
	world_ids
}

# resolves TARGET PID: both ways lead to the kernel's inode of that process's namespace, and name a living process in it
resolves() {
	local way want got
	want=$(inode_of "$2")
	for way in on_node no_socket; do
		got=$($way -t "$1" -o json info)
		[ "$(jq .target.netns.inode <<<"$got")" = "$want" ] || { echo "$way $1: $got, not $want"; return 1; }
		[ "$(inode_of "$(jq .target.pid <<<"$got")")" = "$want" ] || { echo "$way $1: $got"; return 1; }
	done
}

# fails STATUS TEXT ARG...: cnish ends so, with one line that holds the text
fails() {
	local status_wanted=$1 text=$2
	shift 2
	run --separate-stderr "$@"
	[ "$status" = "$status_wanted" ] || { echo "status $status: $stderr"; return 1; }
	[[ $stderr == *"$text"* ]] || { echo "$stderr"; return 1; }
	[ "$(wc -l <<<"$stderr")" = 1 ]
}

@test "pods resolve by name, by prefix, with namespace, as kubectl and istioctl write them" {
	local cart web
	cart=$(pid_of "$CART") web=$(pid_of "$WEB")
	for t in shop/cart-7d9f cart-7d9f cart shop/cart pod/cart-7d9f cart-7d9f.shop cart.shop; do resolves "$t" "$cart"; done
	for t in prod/web-0 web-0 web-0.prod prod/w; do resolves "$t" "$web"; done
	[ "$(inode_of "$cart")" != "$(inode_of "$web")" ]
}

@test "-n is the namespace of a bare name" {
	resolves web "$(pid_of "$WEB")"
	[ "$(on_node -n prod -t web -o json info | jq -r .target.label)" = prod/web-0 ]
	fails 3 "none with this name" on_node -n shop -t web info
}

@test "pods -A is all namespaces, as kubectl has it, whatever -n says" {
	local all
	all=$(on_node -o json pods | jq -c '[.pods[].name] | sort')
	[ "$(jq 'length > 2' <<<"$all")" = true ]
	[ "$(on_node -n prod -o json pods -A | jq -c '[.pods[].name] | sort')" = "$all" ]
	[ "$(on_node -n prod pods --all-namespaces -o json | jq -c '[.pods[].name] | sort')" = "$all" ]
	[ "$(on_node pods -n prod -o json | jq -c '[.pods[].name]')" = '["web-0"]' ]
}

# The stand-in for the proxy is no envoy, but what runs in the container istio-proxy has its user by design.
@test "doctor: what runs in the container istio-proxy is no D14; a node's pod is silent" {
	on_node -o json -t shop/cart-7d9f doctor >"$BATS_TEST_TMPDIR/json" || [ $? = 1 ]
	[ "$(jq -r '[.findings[].id] | join(" ")' "$BATS_TEST_TMPDIR/json")" = 'D03 D16' ]
	on_node -t kube-system/proxy-x doctor
	on_node -t prod/web-0 doctor
}

@test "containers resolve by name and by id, to their own process" {
	local c
	resolves shop/cart-7d9f/app "$(pid_of "$CART_APP")"
	resolves shop/cart-7d9f/istio "$(pid_of "$CART_PROXY")"
	for c in "$CART" "$CART_APP" "$CART_PROXY" "$WEB_APP" "$WEB_LOG"; do
		resolves "cid:$c" "$(pid_of "$c")"
		resolves "cid:${c:0:12}" "$(pid_of "$c")"
		for way in on_node no_socket; do
			[ "$($way -t "cid:$c" -o json info | jq .target.pid)" = "$(pid_of "$c")" ]
		done
	done
	resolves "cid:containerd://$WEB_APP" "$(pid_of "$WEB_APP")"
}

@test "PIDs, namespaces by name, path and inode" {
	local pid ino path
	pid=$(pid_of "$CART_APP") ino=$(inode_of "$(pid_of "$CART")")
	resolves "$pid" "$pid"
	resolves "pid:$pid" "$pid"
	resolves "inode:$ino" "$pid"
	path=$(on_node -o json pods | jq -r '.pods[] | select(.name == "cart-7d9f").netns.path')
	resolves "netns:$path" "$pid"
	resolves "netns:$(basename "$path")" "$pid"
	resolves host 1
}

@test "a host-network pod is in the node's namespace, and says so" {
	resolves kube-system/proxy-x 1
	for way in on_node no_socket; do
		$way -o json pods | jq -e '.pods[] | select(.name == "proxy-x") | .host_network and .ips == []'
	done
}

@test "docker's containers resolve through its socket and without it, also one that shares another's network" {
	local web side want
	web=$(docker_pid "$DOCKER") side=$(docker_pid "$DOCKER_SIDE")
	want=$(inode_of "$web")
	[ "$(inode_of "$side")" = "$want" ]
	for way in "inside $CNISH --runtime unix://$WORLD/dk/d.sock" no_socket; do
		for t in dk-web dk-w "cid:$DOCKER"; do
			[ "$($way -t "$t" -o json info | jq .target.netns.inode,.target.pid | xargs)" = "$want $web" ]
		done
		[ "$($way -t dk-side -o json info | jq .target.netns.inode,.target.pid | xargs)" = "$want $side" ]
		$way -o json pods | jq -e '.pods[] | select(.name == "dk-web") | .runtime == "docker" and .namespace == null'
	done
}

@test "both ways list the same pods, processes, namespaces and containers" {
	local filter='.pods | map({namespace, name, uid, state, pid, inode: .netns.inode, ips: (.ips | sort), mesh, stores,
		runtime, sandbox_id, containers: (.containers | sort_by(.id))}) | sort_by(.sandbox_id)'
	on_node -o json pods | jq "$filter" >"$BATS_TEST_TMPDIR/socket"
	no_socket -o json pods | jq "$filter" >"$BATS_TEST_TMPDIR/files"
	diff "$BATS_TEST_TMPDIR/socket" "$BATS_TEST_TMPDIR/files"
	[ "$(jq length "$BATS_TEST_TMPDIR/socket")" = 5 ]
	inside "$CNISH" --runtime "unix://$WORLD/dk/d.sock" -o json pods --all | jq -e ".pods | length == 5 and all(.name)"
}

@test "pods tell addresses, mesh and stores as the kernel has them" {
	local pods address
	pods=$(on_node -o json pods)
	address=$(inside nsenter -t "$(pid_of "$CART")" -n ip -4 -o addr show eth0 | awk '{ sub("/.*", "", $4); print $4 }')
	jq -e --arg ip "$address" '.pods[] | select(.name == "cart-7d9f") |
		.ips == [$ip] and .mesh == "sidecar" and .stores == ["legacy"]' <<<"$pods"
	jq -e '.pods[] | select(.name == "web-0") | .mesh == "none" and .stores == []' <<<"$pods"
}

@test "info counts the rules the kernel has, and names the evidence of both worlds" {
	local info rules
	info=$(on_node -t shop/cart -o json info)
	rules=$(inside nsenter -t "$(pid_of "$CART")" -n iptables-legacy-save -t nat | grep -c '^-A')
	[ "$(jq .stores.legacy.rules <<<"$info")" = "$rules" ]
	jq -e '.pod_evidence | any(.source | startswith("cri unix://"))' <<<"$info"
	jq -e '.pod_evidence | any(.source | endswith("config.json"))' <<<"$info"
	no_socket -t shop/cart -o json info | jq -e '.pod_evidence | all(.source | startswith("cri") | not)'
}

@test "the node's root mounted elsewhere, with all below it and without" {
	local want out
	want=$(inode_of "$(pid_of "$CART")")
	# shellcheck disable=SC2016
	inside unshare -m --propagation private bash -c '
		mkdir -p "$1/all" "$1/bare" && mount --rbind / "$1/all" && mount --bind / "$1/bare" &&
		"$2" --host-root "$1/all" --runtime none -t shop/cart -o json info >"$1/all.json" &&
		"$2" --host-root "$1/all" --runtime "unix://$1/ctd/c.sock" -t shop/cart -o json info >"$1/socket.json" &&
		"$2" --host-root "$1/bare" --runtime none -t shop/cart -o json info >"$1/bare.json"' _ "$WORLD" "$CNISH"
	for out in all socket bare; do
		[ "$(jq .target.netns.inode "$WORLD/$out.json")" = "$want" ]
	done
}

@test "ambiguous and unknown names: candidates and a hint, status 3" {
	fails 3 "could be dk-web, dk-side" no_socket -t dk info || fails 3 "could be dk-side, dk-web" no_socket -t dk info
	fails 3 "did you mean shop/cart-7d9f?" on_node -t shop/catr-7d9f info
	fails 3 "it has: " on_node -t shop/cart/nope info
	fails 3 "none that begins so" on_node -t cid:0123456789 info
	fails 3 "no process" on_node -t 4999999 info
	fails 3 "no network namespace" on_node -t netns:/etc/hostname info
	fails 3 "no network namespace" on_node -t netns:/proc/1/ns/mnt info
	fails 3 "no process is in it" on_node -t inode:77 info
	fails 2 "too many '/'" on_node -t a/b/c/d info
}

@test "without the right to look, the capability is named, status 4" {
	fails 4 CAP_SYS_PTRACE inside setpriv --reuid 65534 --clear-groups --inh-caps=-all "$CNISH" --runtime none \
		-t "$(pid_of "$CART")" info
	fails 4 CAP_SYS_PTRACE inside capsh --drop=cap_sys_ptrace -- -c \
		"exec setpriv --reuid 0 '$CNISH' --runtime none -t $(pid_of "$CART_PROXY") info" || skip "capsh is not installed"
}

@test "a target whose process ends between two commands is told, and resolved anew by its name" {
	local pid
	pid=$(inside bash -c 'sleep 1000 >/dev/null 2>&1 & echo $!')
	fails 3 "has ended" inside bash -c "{ echo 'use pid:$pid'; echo '! true'; echo info; } >/dev/null
		{ echo 'use pid:$pid'; sleep 0.3; kill -9 $pid; sleep 0.2; echo info; } | '$CNISH' --runtime none -f -"
}

@test "a restarted pod is there once: the sandbox that is ready" {
	local uid=11111111-2222-3333-4444-555555555504 first second sock=$WORLD/ctd/c.sock
	local parent=/cnish-test-$(basename "$WORLD")/kubepods/besteffort/pod$uid
	first=$(inside "$TOOLS/cripod" "$sock" pod shop again-1 "$uid" "$parent" bridge 0)
	inside "$TOOLS/cripod" "$sock" stop "$first"
	second=$(inside "$TOOLS/cripod" "$sock" pod shop again-1 "$uid" "$parent" bridge 1)
	for way in on_node no_socket; do
		[ "$($way -o json pods --all | jq -r '.pods[] | select(.name == "again-1").sandbox_id')" = "$second" ]
	done
	resolves again-1 "$(pid_of "$second")"
	inside "$TOOLS/cripod" "$sock" remove "$first"
	inside "$TOOLS/cripod" "$sock" remove "$second"
	fails 3 "none with this name" on_node -t again-1 info
	fails 3 "none with this name" no_socket -t again-1 info
}
