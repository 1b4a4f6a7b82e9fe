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

# What iptables-nft writes itself is none; the others it refuses, or shows without their condition.
odd() {
	local rule
	nft_node
	pod_exec iptables-nft -A OUTPUT -p tcp -m owner --uid-owner 5 -m conntrack --ctstate NEW -j REJECT --reject-with tcp-reset
	pod_exec iptables-nft -A OUTPUT -p tcp -m multiport --dports 1,2 -m limit --limit 5/sec -m mark --mark 5 -j ACCEPT
	nat -A OUTPUT -p tcp --dport 80:90 -j REDIRECT --to-ports 81
	pod_exec iptables-nft -t mangle -A OUTPUT -j MARK --set-mark 5
	finds ''
	for rule in 'ct state established accept' reject 'tcp dport { 1, 2 } accept' 'ip saddr 10.0.0.1-10.0.0.9 accept' 'meta skuid 5 accept' \
		'meta mark set 5' 'dup to 10.0.1.1'; do
		with D29 pod_exec nft "add rule ip filter OUTPUT $rule" -- pod_exec nft flush chain ip filter OUTPUT
	done
}
@test "D29: native rules that have a form in iptables' words, and it cannot read them" { in_pod odd; }

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

without_rules() {
	local pid
	pid=$(pod_standin -n envoy -u 1337 tcp/8443 tcp/15021)
	finds ''
	pod_standin tcp/8080 >/dev/null
	finds D08
	kill "$pid"
	pid=$(pod_standin -n envoy -u 1337 tcp/15006)
	finds D08
	kill "$pid"
	until_true pod_gone "$pid"
	finds ''
	pod_standin -n ztunnel tcp/15008 >/dev/null
	finds D08
}
pod_gone() { [ ! -e "/proc/$1" ]; }
@test "D08: a proxy beside an application, with one of its listeners, ztunnel's; not a gateway" { in_pod without_rules; }

# What a programmer that was killed between "Setting up" and "Removing guardrails" leaves; some of it is anybody's.
guardrails() {
	local c p
	nft_node
	sidecar
	pod_istio nft
	for c in INPUT FORWARD OUTPUT; do
		finds ''
		for p in tcp udp; do pod_exec iptables-nft -I $c 1 -p $p -j DROP; done
	done
	finds D13
	jq -e '.findings[0].severity == "error" and .findings[0].mendable' /run/json
	"$CNISH" -t netns:pod --host-root "$NODE" --yes doctor --fix >/dev/null
	finds ''
	! pod_exec iptables-nft-save -t filter | grep DROP
}
@test "D13: guardrails were left behind; --fix removes them" { in_pod guardrails; }

words() {
	local id line
	sidecar
	while IFS='|' read -r id line; do
		echo "$line" >/run/log
		finds "$id" --log /run/log
	done <<-'END'
		D01|iptables binary iptables-legacy has no loaded kernel support and cannot be used
		D08|error iptables validation failed; workload is not ready for Envoy
		D11|iptables-restore v1.8.9 (nf_tables): line 2: CHAIN_USER_ADD failed (File exists): chain ISTIO_INBOUND
		D11|iptables-restore: line 2 failed
		D33|iptables v1.8.9 (nf_tables):  CHAIN_ADD failed (No such file or directory): chain PREROUTING
		D33|iptables/1.8.7 Failed to initialize nft: Protocol not supported
		D37|iptables/1.8.7 Failed to initialize nft: Operation not permitted
		D33|nftables run failed: /dev/stdin:12:1-70: Error: Could not process rule: No such file or directory
		D34|iptables v1.8.4 (legacy): Couldn't load target `REDIRECT':No such file or directory
		D36|type=AVC msg=audit(16.1:4): avc:  denied  { read } for  pid=4 comm="xtables-legacy-" path="/tmp/x"
		D37|Error: Operation not permitted (you must be root)
		D37|iptables v1.6.1: can't initialize iptables table `nat': Operation not permitted
		D38|[denied by autogke-default-linux-capabilities]: linux capability 'NET_ADMIN,NET_RAW' on container 'istio-init' not allowed
		D40|ip6tables v1.8.4 (legacy): can't initialize ip6tables table `nat': Address family not supported by protocol
	END
}
@test "D01, D08, D11, D33, D34, D36, D37, D38, D40 by other words of a log" { in_pod words; }

before_proxy() {
	echo 'error iptables validation failed; workload is not ready for Envoy' >/run/log
	finds D08 --log /run/log
}
@test "D08: istio-validation failed, and no proxy runs yet" { in_pod before_proxy; }

kernel() {
	local lists
	lists=/run/root/lib/modules/$(uname -r)
	mkdir -p /run/root/proc "$lists"
	echo 'nf_tables 1 0 - Live 0x0' >/run/root/proc/modules
	printf 'kernel/net/%s.ko:\n' netfilter/xt_owner ipv4/netfilter/iptable_nat >"$lists/modules.dep"
	touch "$lists/modules.builtin"
	export NODE=/run/root
	sidecar
	echo "iptables-restore v1.8.4 (legacy): iptables-restore: unable to initialize table 'nat'" >/run/log
	finds D01 --log /run/log
	jq -e '[.findings[0].fix[] | select(. == "modprobe iptable_nat")] | length == 1' /run/json
	sed -i /iptable_nat/d "$lists/modules.dep"
	finds D02 --log /run/log
	sed -i /xt_owner/d "$lists/modules.dep"
	finds D02 --log /run/log
	finds D34
}
@test "D01, D02, D34 by the modules of a node whose root was copied (a fixture)" { in_pod kernel; }

guest() {
	local pid
	cp /bin/sleep /run/exe
	nsenter --net=/run/netns/pod bash -c 'exec -a runsc-sandbox /run/exe 100' &
	pid=$!
	# not by cmdline: the bash before the exec has the word in its own
	until_true grep -qsx exe "/proc/$pid/comm"
	finds D43
	kill $pid
	wait $pid || true
	finds ''
	cp /bin/sleep /run/qemu-system-aarch64
	nsenter --net=/run/netns/pod /run/qemu-system-aarch64 100 &
	until_true grep -qs qemu "/proc/$!/comm"
	finds D43
	cp /bin/sleep /run/virt-launcher
	nsenter --net=/run/netns/pod /run/virt-launcher 100 &
	until_true grep -qs virt "/proc/$!/comm"
	finds ''
	pod_exec ip link add tap0_kata type veth peer name x
	finds D43
}
@test "D43: gVisor's process called exe, other machines, Kata's tap; not a KubeVirt machine" { in_pod guest; }

# hostUsers: false: the pod's network namespace belongs to its user namespace
users() {
	local pid
	nft_node
	unshare -U -n sleep infinity &
	pid=$!
	until_true grep -qs sleep "/proc/$pid/comm"
	echo '0 100000 65536' >"/proc/$pid/uid_map"
	echo '0 100000 65536' >"/proc/$pid/gid_map"
	ip netns del pod
	touch /run/netns/pod
	mount --bind "/proc/$pid/ns/net" /run/netns/pod
	nsenter -t $pid -U -n ip link set lo up
	istio_rules 4 | nsenter -t $pid -U -n iptables-nft-restore --noflush
	# its users may not look into /root, where the tree may be
	cp "$TOOLS/standin" /run/standin
	nsenter -t $pid -U -n /run/standin -d -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	finds ''
	nsenter -t $pid -U -n /run/standin -d -n app -u 1337 -g 5 tcp/8080 >/dev/null
	finds D14
}
@test "D14 in a pod with users of its own; D42 is silent where its rules count as the pod does" { in_pod users; }

on_node() {
	local got
	got=$("$CNISH" -o json --runtime none --host-root /run/node-nft doctor host | jq -r '[.findings[].id] | unique | join(" ")') || true
	[ "$got" = "$1" ] || { echo "wanted '$1', found '$got'"; return 1; }
}

node() {
	node_with nft
	iptables-nft -N KUBE-FIREWALL
	iptables-nft -A INPUT -j KUBE-FIREWALL
	nft 'add table ip kube-proxy; add chain ip kube-proxy c { type nat hook prerouting priority -100; }'
	on_node ''
	node_standin -n kube-proxy tcp/10256 >/dev/null
	on_node ''
	nft delete table ip kube-proxy
	iptables-nft -t nat -N KUBE-SERVICES
	on_node D28
	iptables-nft -t nat -A PREROUTING -j KUBE-SERVICES
	on_node ''
	iptables-nft -t nat -N CNI-HOSTPORT-DNAT
	iptables-nft -t nat -A CNI-HOSTPORT-DNAT -p tcp --dport 81 -j DNAT --to-destination 10.0.1.39:80
	on_node D28
	iptables-nft -t nat -A PREROUTING -j CNI-HOSTPORT-DNAT
	nft 'add table inet istio-ambient-nat; add set inet istio-ambient-nat istio-inpod-probes-v4 { type ipv4_addr; };
		add chain inet istio-ambient-nat postrouting { type nat hook postrouting priority 100; }'
	on_node D27
	nft add rule inet istio-ambient-nat postrouting meta skuid 0 ip daddr @istio-inpod-probes-v4 snat ip to 169.254.7.127
	on_node ''
}
@test "D27 with native rules, D28 where jumps are gone; kubelet's chains are no D50" { sandbox node; }

# A shell in the proxy's container has its user; in the application's container it is the application's.
containers() {
	nft_node
	pod_istio nft
	nsenter --net=/run/netns/pod unshare -m "$TOOLS/standin" -d -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/run/envoy
	nsenter --net=/run/netns/pod --mount="/proc/$(cat /run/envoy)/ns/mnt" setpriv --reuid 1337 --regid 1337 --clear-groups sleep 100 &
	until_true uid_is $! 1337
	finds ''
	nsenter --net=/run/netns/pod unshare -m setpriv --reuid 1337 --regid 1337 --clear-groups sleep 100 &
	until_true uid_is $! 1337
	finds D14
}
uid_is() { [ "$(stat -c %u "/proc/$1")" = "$2" ]; }
@test "D14: not a shell in the proxy's own container, but one in another" { in_pod containers; }

# On a node Envoy may be anybody's: a gateway in the node's network, a CNI's.
node_envoy() {
	node_with nft
	NODE=/run/node-nft
	node_standin -n envoy -u 1337 -g 1337 tcp/80 tcp/15021 >/dev/null
	node_standin -n cilium-envoy tcp/9878 >/dev/null
	on_self D08
	node_standin -n kubelet tcp/10250 >/dev/null
	on_self ''
	on_node ''
}
on_self() {
	"$CNISH" -o json --host-root "$NODE" --runtime none -t self doctor >/run/json || [ $? = 1 ]
	[ "$(jq -r '[.findings[].id] | unique | join(" ")' /run/json)" = "$1" ] || { jq -c .findings[] /run/json; return 1; }
}
@test "D08: not of Envoy in the node's own network, beside kubelet" { sandbox node_envoy; }

old_clients() {
	nft_node
	# a mark and a port, to an iptables of Debian 11
	sed -i 's/1\.8\.9/1.8.7/g' /run/node-nft/usr/sbin/xtables-nft-multi
	finds ''
	with D30 pod_exec iptables-nft -A INPUT -m mark --mark 5 -j ACCEPT -- pod_exec iptables-nft -F INPUT
	with D30 pod_exec iptables-nft -A INPUT -p udp --sport 53 -j ACCEPT -- pod_exec iptables-nft -F INPUT
	with '' pod_exec iptables-nft -A INPUT -p tcp -m multiport --dports 1,2 -j ACCEPT -- pod_exec iptables-nft -F INPUT
	# what Ubuntu 18.04 shows of a pod's, or of Docker's, DNAT
	node_with legacy
	export NODE=/run/node-legacy
	pod_exec iptables-legacy -t nat -A OUTPUT -p tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8080
	finds ''
	sed -i 's/1\.8\.9/1.6.1/g' /run/node-legacy/usr/sbin/xtables-legacy-multi
	finds D30
	pod_exec iptables-legacy -t nat -F
	finds ''
}
@test "D30: marks and ports for 1.8.7, DNAT for 1.6.1 (their files are fixtures)" { in_pod old_clients; }

# agent NAME VERSION: a process of that name in a root that has an nft of that version, until it is killed
agent() {
	local d root=/run/agent-$1
	mkdir -p "$root/usr/sbin" "$root/usr/lib/x86_64-linux-gnu" "$root/dev" "$root/proc"
	sed "s/1\\.0\\.6\\x00/$2\\x00/" /usr/sbin/nft >"$root/usr/sbin/nft"
	cp -L /usr/lib/x86_64-linux-gnu/libnftables.so.1 "$root/usr/lib/x86_64-linux-gnu/"
	for d in /bin /lib /lib64 /usr/lib/x86_64-linux-gnu "$(dirname "$TOOLS")"; do
		[ ! -e "$d" ] || { mkdir -p "$root$d" && mount --bind "$d" "$root$d"; }
	done
	touch "$root/dev/null" && mount --bind /dev/null "$root/dev/null"
	chroot "$root" "$TOOLS/standin" -d -n "$1" "tcp/$3"
}

old_nft() {
	local pid
	node_with nft
	nft 'add table inet x; add map inet x m { type ipv4_addr : verdict; }'
	sed "s/1\\.0\\.6\\x00/1.1.0\\x00/" /usr/sbin/nft >/run/node-nft/usr/sbin/nft
	mkdir -p /run/node-nft/usr/lib/x86_64-linux-gnu
	cp -L /usr/lib/x86_64-linux-gnu/libnftables.so.1 /run/node-nft/usr/lib/x86_64-linux-gnu/
	on_node ''
	pid=$(agent flanneld 1.0.2 10001)
	on_node D31
	kill "$pid"
	until_true pod_gone "$pid"
	on_node ''
	# both are of agents, the node's own is as old as the older
	sed -i "s/1\\.1\\.0\\x00/0.9.8\\x00/" /run/node-nft/usr/sbin/nft
	pid=$(agent calico-node 0.9.6 10002)
	on_node ''
	agent cilium-agent 1.0.1 10003 >/dev/null
	on_node D31
	nft delete table inet x
	on_node ''
}
@test "D31: a map, other agents, and the older of two that differ (their files are fixtures)" { without_sanitizer; sandbox old_nft; }

# The kernel log gets nothing of TRACE of iptables-nft, on the node either: who is to see it listens in the namespace.
traces() {
	local pid
	nft_node
	pod_exec iptables-nft -t raw -A OUTPUT -p tcp --dport 9 -j TRACE
	finds D52
	jq -e '.findings[0] | .mendable | not' /run/json
	nsenter --net=/run/netns/pod nft monitor trace >/dev/null 3>&- &
	pid=$!
	until_true pod_exec awk '$2 == 12 && $4 != "00000000" { ok = 1 } END { exit !ok }' /proc/net/netlink
	finds ''
	kill $pid
	wait $pid || true
	finds D52
	pod_exec iptables-nft -t raw -F
	finds ''
}
@test "D52: TRACE of iptables-nft, unless somebody listens to it" { in_pod traces; }

# Segments of a connection that the pod never had come in from outside, as behind a firewall that forgot it.
strays() {
	python3 -c '
import socket, struct, time
def total(b): s = sum(struct.unpack("!%dH" % (len(b) // 2), b)); s = (s & 65535) + (s >> 16); return ~(s + (s >> 16)) & 65535
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
me, pod = socket.inet_aton("10.0.1.1"), socket.inet_aton("10.0.1.39")
while True:
    t = struct.pack("!HHIIBBHHH", 443, 40000, 7, 9, 0x50, 0x00, 1024, 0, 0)  # no flags: no state of a connection has that
    c = total(me + pod + struct.pack("!BBH", 0, 6, len(t)) + t)
    s.sendto(t[:16] + struct.pack("!H", c) + t[18:], ("10.0.1.39", 0))
    time.sleep(0.005)
' 3>&- &
}

invalid() {
	local liberal=/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal
	[ -e /proc/net/stat/nf_conntrack ] || skip "no counters of connection tracking here"
	nft_node
	pod_exec nft 'table inet own { chain c { type filter hook input priority 0; ct state established accept; }; }'
	finds ''
	strays
	until_true pod_exec awk 'NR > 1 && $5 != "00000000" { ok = 1 } END { exit !ok }' /proc/net/stat/nf_conntrack
	finds D48
	pod_exec sh -c "echo 1 >$liberal"
	finds ''
	pod_exec sh -c "echo 0 >$liberal"
	finds D48
	pod_exec nft insert rule inet own c ct state invalid counter drop
	finds ''
	pod_exec nft 'flush chain inet own c; add rule inet own c ct state established accept'
	finds D48
	kill $!
	sleep 0.1
	finds ''
}
@test "D48: strays from outside; silent where they are allowed, dropped by a native rule, or come no more" { in_pod invalid; }

# The runtime tells of a process that is gone, or of none and no namespace.
lost() {
	local gone=/run/netns/gone
	on_cri() {
		rm -f /run/cri.sock /run/liar
		"$TOOLS/liar" /run/cri.sock "$@" >/run/liar 2>&1 3>&- &
		until_true grep -qs ready /run/liar
		"$CNISH" -o json --runtime unix:///run/cri.sock doctor host | jq -r '[.findings[].id] | unique | join(" ")'
		kill $!
	}
	[ "$(on_cri crio $gone 4194000)" = D45 ]
	[ "$(on_cri old $gone 0)" = D45 ]
	: >$gone # a file where the namespace's mount was
	[ "$(on_cri crio $gone 0)" = D45 ]
	rm $gone
	ip netns add gone
	[ "$(on_cri crio $gone 0)" = "" ]
	[ "$(on_cri crio $gone 4194000)" = "" ]
	[ "$(on_cri old $gone 0)" = "" ]
}
@test "D45: a process that is gone, an old runtime, a file without a mount; not when the mount is there" { sandbox lost; }

# docker in docker: a control group below the container's, with namespaces of its own, one of them two processes'.
nested() {
	local group=$1 inner one two
	nft_node
	mkdir -p "$group"
	echo "$POD_PID" >"$group/cgroup.procs"
	of_pod() {
		"$CNISH" --runtime none --host-root "$NODE" -t cid:bbbb -o json doctor >/run/json || [ $? = 1 ]
		jq -r '[.findings[].id] | unique | join(" ")' /run/json
	}
	[ "$(of_pod)" = "" ]
	inner=$group/docker/$(printf '%064d' 0 | tr 0 c)
	mkdir -p "$inner"
	unshare -n sh -c 'sleep 100 & exec sleep 100' 3>&- &
	one=$!
	until_true grep -qs sleep "/proc/$one/comm"
	two=$(until_true pgrep -P $one sleep)
	# a namespace of somebody else's is none of the pod's
	[ "$(of_pod)" = "" ]
	echo $one >"$inner/cgroup.procs"
	echo "$two" >"$inner/cgroup.procs"
	[ "$(of_pod)" = D44 ]
	jq -e '[.findings[0].evidence[] | select(.what == "another one")] | length == 1' /run/json
	kill "$two" $one
	wait $one || true
	until_true pod_gone "$two"
	[ "$(of_pod)" = "" ]
}
@test "D44: docker in docker, one namespace of two processes; not one of somebody else's" { in_pod_group d44n nested; }
