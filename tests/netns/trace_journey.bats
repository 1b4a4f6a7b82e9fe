#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# trace_journey - two meshed pods and the node between them: proxies, kube-proxy's and Docker's rules, real connections

setup() {
	source "$TOP/tests/lib/pod.sh"
	source "$TOP/tests/lib/ktrace.sh"
	export CNISH TOOLS TOP
	export WORK=$BATS_TEST_TMPDIR COMPARED=0
}

# kube_proxy TOOL CLUSTER-IP PORT ENDPOINT...: as kube-proxy writes a service, with the masquerade of hairpins
kube_proxy() {
	local tool=$1 ip=$2 port=$3 n=0 left
	shift 3
	left=$#
	{
		printf '%s\n' '*nat' ':KUBE-SERVICES - [0:0]' ':KUBE-POSTROUTING - [0:0]' ':KUBE-MARK-MASQ - [0:0]' \
			':KUBE-SVC-WEB - [0:0]' '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES' \
			'-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES' \
			'-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING' \
			'-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000' \
			'-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN' \
			'-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0' '-A KUBE-POSTROUTING -j MASQUERADE --random-fully' \
			"-A KUBE-SERVICES -d $ip/32 -p tcp -m comment --comment \"shop/web cluster IP\" -m tcp --dport $port -j KUBE-SVC-WEB" \
			"-A KUBE-SVC-WEB ! -s 10.0.0.0/16 -d $ip/32 -p tcp -m tcp --dport $port -j KUBE-MARK-MASQ"
		for endpoint; do
			n=$((n + 1))
			printf ':KUBE-SEP-%s - [0:0]\n' "$n"
			printf '%s\n' "-A KUBE-SEP-$n -s ${endpoint%:*}/32 -j KUBE-MARK-MASQ" \
				"-A KUBE-SEP-$n -p tcp -m tcp -j DNAT --to-destination $endpoint"
			[ "$left" = 1 ] || printf -- '-A KUBE-SVC-WEB -m statistic --mode random --probability %s -j KUBE-SEP-%s\n' \
				"$(awk "BEGIN { printf \"%.11f\", 1 / $left }")" "$n"
			[ "$left" != 1 ] || echo "-A KUBE-SVC-WEB -j KUBE-SEP-$n"
			left=$((left - 1))
		done
		echo COMMIT
	} >"$WORK/kube"
	"$tool-restore" --noflush <"$WORK/kube"
}

# What Docker leaves on such a node: a policy of DROP, and chains that let its own through
docker_rules() {
	iptables-nft-restore --noflush <<-EOF
	*filter
	:DOCKER - [0:0]
	:DOCKER-USER - [0:0]
	:DOCKER-ISOLATION-STAGE-1 - [0:0]
	:FORWARD DROP [0:0]
	-A FORWARD -j DOCKER-USER
	-A FORWARD -j DOCKER-ISOLATION-STAGE-1
	-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	-A FORWARD -i node-pod -j ACCEPT
	-A FORWARD -i node-web -j ACCEPT
	-A DOCKER-USER -p tcp -m tcp --dport 9999 -j DROP
	-A DOCKER-USER -j RETURN
	-A DOCKER-ISOLATION-STAGE-1 -j RETURN
	COMMIT
	*nat
	:DOCKER - [0:0]
	-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
	-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
	-A POSTROUTING -s 10.0.0.0/16 ! -d 10.0.0.0/8 -j MASQUERADE
	COMMIT
	EOF
}

meshed() { # NAME STORE
	in_ns "$1" "$TOOLS/standin" -d -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	in_ns "$1" "$TOOLS/standin" -d -n "app-$1" -u 1000 -g 1000 tcp/8080 >/dev/null
	POD=$1 pod_istio "$2"
}

world() { # KUBE-TOOL ENDPOINT...
	local tool=$1
	shift
	pod_make web 2
	meshed pod legacy
	meshed web nft
	kube_proxy "$tool" 10.96.0.99 80 "$@"
	docker_rules
}

# One line per leg: namespace, how it came there, how it ends
legs='([{through: "first", namespace: .target.label, outcomes}] + .onward)[] | .namespace + " " + .through + " " + (.outcomes | map(
	if .verdict == "accept" then .path + " " + (.source.address // "?") + " " + .destination.address + ":" + (.destination.port | tostring)
		+ " " + (.listener.name // .oif // "-") else .verdict end) | join("|"))'
export legs

# json ARG...: the trace, checked against its schema
json() {
	"$CNISH" -o json -t netns:pod trace "$@" >"$WORK/cnish.json"
	"$TOP/tests/lib/validate" trace <"$WORK/cnish.json"
}

whole_way() {
	world "$1" 10.0.2.39:8080
	json --through-proxy --through-node --all out tcp 10.96.0.99:80 uid 1000
	jq -r "$legs" "$WORK/cnish.json" >"$WORK/legs"
	cat "$WORK/legs"

	# first and second: who takes it in the pod, and that the proxy itself is let out
	pod_connect -u 1000 -g 1000 tcp 10.96.0.99 80 >"$WORK/one"
	[ "$(sed -n 1p "$WORK/legs")" = "netns:pod first local $POD_IP $(jq -r '.reply | .local + ":" + (.lport | tostring) + " " + .name' "$WORK/one")" ]
	[ "$(sed -n 2p "$WORK/legs")" = "netns:pod proxy out $POD_IP 10.96.0.99:80 eth0" ]
	# third: the node's DNAT and source, as the other pod sees them
	pod_connect -u 1337 -g 1337 tcp 10.96.0.99 80 >"$WORK/two"
	[ "$(sed -n 3p "$WORK/legs")" = "host node forward $(jq -r '.reply | .peer + " " + .orig + ":" + (.oport | tostring)' "$WORK/two") node-web" ]
	# fourth: the other pod's proxy; fifth: its connection to the application
	[ "$(sed -n 4p "$WORK/legs")" = "netns:web pod local $(jq -r '.reply | .peer + " " + .local + ":" + (.lport | tostring) + " " + .name' "$WORK/two")" ]
	in_ns web "$TOOLS/connect" -u 1337 -g 1337 -s 127.0.0.6 tcp 10.0.2.39 8080 >"$WORK/three"
	[ "$(sed -n 5p "$WORK/legs")" = "netns:web proxy local $(jq -r '.reply | .peer + " " + .local + ":" + (.lport | tostring) + " " + .name' "$WORK/three")" ]
	[ "$(wc -l <"$WORK/legs")" = 5 ]
	[ "$(jq -c .stops "$WORK/cnish.json")" = '[]' ]
}

# The node's rules, step by step as its kernel walks them
node_steps() {
	( pod_exec() { "$@"; }; ktrace_on )
	"$TOOLS/ktrace" -o "$WORK/answer" nsenter --net=/run/netns/pod -- "$TOOLS/connect" -u 1337 -g 1337 tcp 10.96.0.99 80 \
		>"$WORK/kernel.json" 2>"$WORK/kernel.err"
	# which of two nat tables of one priority comes first is not known, and of no consequence here
	ktrace_words <"$WORK/kernel.json" | grep -v ' policy$' >"$WORK/kernel"
	jq '.onward[] | select(.through == "node")' "$WORK/cnish.json" | ktrace_cnish_words | grep -v ' policy$' >"$WORK/node"
	grep -q KUBE-SEP-1 "$WORK/node"
	diff "$WORK/kernel" "$WORK/node"
}

legacy_way() {
	whole_way iptables-legacy
	node_steps
}

compat_way() {
	whole_way iptables-nft
	node_steps
}

@test "from an application through proxy, node and the other pod's proxy: kube-proxy's rules in the legacy store" {
	in_pod legacy_way
}

@test "and in the nftables store, beside Docker's" {
	in_pod compat_way
}

several_ends() {
	world iptables-legacy 10.0.2.39:8080 10.0.1.39:8080 203.0.113.7:80
	node_standin -n far tcp/80 >/dev/null
	json --through-node --through-proxy out tcp 10.96.0.99:80 uid 1337
	jq -r "$legs" "$WORK/cnish.json" | tee "$WORK/legs"
	# one endpoint in the other pod, one in the pod itself (masqueraded, a hairpin), one that is the node
	grep -qx "host node forward $POD_IP 10.0.2.39:8080 node-web|forward $NODE_IP 10.0.1.39:8080 node-pod|local $POD_IP 203.0.113.7:80 far" "$WORK/legs"
	grep -qx "netns:web pod local $POD_IP 10.0.2.39:15006 envoy" "$WORK/legs"
	grep -qx "netns:pod pod local $NODE_IP $POD_IP:15006 envoy" "$WORK/legs"
	# a person is told which end each leg follows
	"$CNISH" -t netns:pod trace --through-node --through-proxy out tcp 10.96.0.99:80 uid 1337 >"$WORK/text"
	for leg in '-- netns:web .* in through eth0' '-- netns:pod .* in through eth0'; do
		grep -A1 -e "^$leg" "$WORK/text" | grep -q "^If " || { cat "$WORK/text"; return 1; }
	done
	# reality takes each of them now and then
	for i in {1..40}; do
		pod_connect -u 1337 -g 1337 tcp 10.96.0.99 80
	done | jq -r '.reply | .name + " " + .peer + " " + .local + ":" + (.lport | tostring)' | sort -u >"$WORK/real"
	jq -r '.onward[].outcomes[] | select(.listener and .source.address != "127.0.0.6") | .listener.name + " " + .source.address + " "
		+ .destination.address + ":" + (.destination.port | tostring)' "$WORK/cnish.json" | sort -u | diff "$WORK/real" -
}

@test "several endpoints: each outcome is followed, and reality takes one of them" {
	in_pod several_ends
}

stops() {
	world iptables-legacy 10.0.2.39:8080
	json --through-node out tcp 10.0.9.9:80 uid 1337
	ip link add up0 type veth peer name up1
	ip link set up0 up
	ip addr add 192.0.2.1/24 dev up0
	json --through-node out tcp 192.0.2.77:80 uid 1337
	jq -r '.stops[].why' "$WORK/cnish.json" | grep -q 'no pod of this node behind up0 has the address 192.0.2.77: it leaves the node'
	json --through-node out tcp 10.0.2.39:9999 uid 1337	# Docker's user chain
	[ "$(jq -r '.onward[0].outcomes[].verdict' "$WORK/cnish.json")" = drop ]
	json out tcp 10.96.0.99:80 uid 1000
	[ "$(jq -c '[.onward, .stops]' "$WORK/cnish.json")" = '[[],[]]' ]
	"$CNISH" -t netns:pod trace --through-proxy --through-node out tcp 10.96.0.99:80 uid 1000 >"$WORK/text"
	grep -q '^-- netns:pod .* the connection that envoy (pid [0-9]*, uid 1337) makes$' "$WORK/text"
	grep -q '^-- host .* in through node-pod$' "$WORK/text"
	grep -q '^-- netns:web .* in through eth0$' "$WORK/text"
	printf '%s\n' '*nat' COMMIT >"$WORK/rules"
	! "$CNISH" -t "file:$WORK/rules" trace --through-node out tcp 10.0.0.1:80 2>"$WORK/err"
	grep -q 'a file holds no node' "$WORK/err"
	# many connections, each with what follows
	printf 'out tcp 10.96.0.99:80 uid %s\n' 1000 1337 >"$WORK/lines"
	"$CNISH" -o jsonl -t netns:pod trace --through-proxy --through-node --from "$WORK/lines" | tee "$WORK/lines.json" | "$TOP/tests/lib/validate" trace
	[ "$(jq -c '.onward | map(.through)' "$WORK/lines.json" | tr '\n' ' ')" = '["proxy","node","pod","proxy"] ["node","pod","proxy"] ' ]
}

@test "where it cannot be followed it says why; text and batches" {
	in_pod stops
}

# The end of each leg, as one line
ends() { json --through-proxy "$@" && jq -r "$legs" "$WORK/cnish.json"; }

proxies() {
	pod_istio legacy
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	pod_standin -n app -u 1000 -g 1000 tcp/8080 >/dev/null
	# the proxy calls its own pod: the inbound one takes it, and goes on to the application
	ends out tcp "$POD_IP:8080" uid 1337 gid 1337 | tee "$WORK/legs"
	pod_connect -u 1337 -g 1337 tcp "$POD_IP" 8080 | grep -q '"lport":15006,.*"name":"envoy"'
	pod_connect -u 1337 -g 1337 -s 127.0.0.6 tcp "$POD_IP" 8080 | grep -q '"peer":"127.0.0.6",.*"name":"app"'
	[ "$(sed -n 2p "$WORK/legs")" = "netns:pod proxy local 127.0.0.6 $POD_IP:8080 app" ]
	[ "$(jq -c .stops "$WORK/cnish.json")" = '[]' ]
}

@test "a proxy that calls its own pod comes to the application, not to itself" {
	in_pod proxies
}

# ztunnel's rules in the pod: its own packets are told by their mark, which all its sockets have
ambient() {
	pod_exec iptables-nft-restore <<-'EOF'
	*nat
	:ISTIO_OUTPUT - [0:0]
	-A OUTPUT -j ISTIO_OUTPUT
	-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo -j ACCEPT
	-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -p tcp -m mark ! --mark 0x539/0xfff -j REDIRECT --to-ports 15001
	COMMIT
	*mangle
	-A PREROUTING -p tcp -m tcp --dport 8080 -j TPROXY --on-port 15006 --on-ip 0.0.0.0 --tproxy-mark 0x539/0xffffffff
	COMMIT
	EOF
	pod_standin -t -m 1337 -n ztunnel tcp/15001 tcp/15006 >/dev/null
	node_standin -n far tcp/80 >/dev/null
	ends --through-node out tcp "$FAR_IP:80" uid 1000 | tee "$WORK/legs"
	pod_connect -u 1000 tcp "$FAR_IP" 80 | grep -q '"name":"ztunnel"'
	pod_connect -m 1337 tcp "$FAR_IP" 80 | grep -q '"name":"far"'
	[ "$(sed -n 2p "$WORK/legs")" = "netns:pod proxy out $POD_IP $FAR_IP:80 eth0" ]
	[ "$(sed -n 3p "$WORK/legs")" = "host node local $POD_IP $FAR_IP:80 far" ]
	# several changes of one rule
	"$CNISH" -t netns:pod trace in tcp "$POD_IP:8080" | grep -q 'tproxy to [^ ]*:15006, mark to 0x539$'
}

@test "a proxy's own connection has the mark of its sockets" {
	in_pod ambient
}

# Two pods of one bridge, and a node that forwards nothing
bridged() {
	local n
	ip link add cni0 type bridge
	ip link set cni0 up
	ip addr add 10.88.0.1/16 dev cni0
	for n in 2 3; do
		ip netns add "b$n"
		ip link add "vb$n" type veth peer name eth0 netns "b$n"
		ip link set "vb$n" master cni0 up
		in_ns "b$n" ip link set eth0 up
		in_ns "b$n" ip addr add "10.88.0.$n/16" dev eth0
		in_ns "b$n" ip route add default via 10.88.0.1
	done
	iptables-nft -P FORWARD DROP
	in_ns b3 "$TOOLS/standin" -d -n app tcp/8080 >/dev/null
	# neighbours: the bridge asks the node's rules only where br_netfilter has it do so
	for n in 0 1; do
		[ ! -e /proc/sys/net/bridge ] || echo "$n" >/proc/sys/net/bridge/bridge-nf-call-iptables
		[ -e /proc/sys/net/bridge ] || [ "$n" = 0 ] || continue
		"$CNISH" -o json -t netns:b2 trace --through-node out tcp 10.88.0.3:8080 >"$WORK/cnish.json"
		"$TOP/tests/lib/validate" trace <"$WORK/cnish.json"
		{ in_ns b2 "$TOOLS/connect" -w 700 tcp 10.88.0.3 8080 || true; } >"$WORK/real"
		[ "$(jq -r .result "$WORK/real") $(jq -r '.onward[-1].outcomes[0] | .verdict + " " + (.listener.name // "-")' "$WORK/cnish.json")" = \
			"$([ "$n" = 0 ] && echo 'connected accept app' || echo 'timeout drop -')" ]
	done
	# what is for the node itself, or by way of it, meets its rules
	"$CNISH" -o json -t netns:b2 trace --through-node out tcp 10.88.0.1:8080 | jq -e '.onward[0].through == "node"'
	"$CNISH" -o json -t netns:b2 trace --through-node out tcp "$POD_IP:80" | jq -e '.onward[0] | .through == "node" and .outcomes[0].verdict == "drop"'
}

@test "neighbours on a bridge of the node: its rules are asked as br_netfilter says" {
	in_pod bridged
}
