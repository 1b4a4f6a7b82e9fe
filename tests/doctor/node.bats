#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# node - diagnoses of the node, its programs and its kernel; what is seen from a container, and from within a pod only
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"
source "$TOP/tests/doctor/common.bash"

# host [ARG...]: the ids of what is found on the node, no runtime asked
host() {
	local status=0
	"$CNISH" --runtime "${RUNTIME:-none}" --host-root "${NODE:-/}" -o json doctor host "$@" >/run/json || status=$?
	"$TOP/tests/lib/validate" doctor </run/json
	jq -r '[.findings[].id] | unique | join(" ")' /run/json
}

# told IDS LINE: what is found when the log holds this line
told() {
	nft_node
	printf '%s\n' "$2" >/run/log
	finds "$1" --log /run/log
}

d09() {
	nft_node
	sidecar
	pod_istio nft
	[ "$(host)" = "" ]
	POD=bare && pod_make bare 2
	POD=lost && pod_make lost 3 && sidecar
	[ "$(host)" = D09 ]
	jq -e '.findings[0].evidence == [{what: "netns:lost", where: "its network namespace", value: .findings[0].evidence[0].value}]' /run/json
}
@test "D09: a pod of the node is in the mesh and has no rules" { in_pod d09; }

ambient() { "$CNISH" -t "netns:$1" --yes istio apply --preset ambient --store compat REDIRECT_DNS="$2" >/dev/null; }

d25() {
	nft_node
	ambient pod false
	[ "$(host)" = "" ]
	sleep 0.05 # the age of a process counts in hundredths of a second
	POD=newer && pod_make newer 2
	ambient newer true
	[ "$(host)" = D25 ]
	jq -e '.findings[0].evidence[0] | .what == "pod" and (.value | test("newer has one"))' /run/json
	ambient pod true
	[ "$(host)" = "" ]
}
@test "D25: an older ambient pod has no DNS capture, a newer one has" { in_pod d25; }

d25_opt_out() {
	nft_node
	ambient pod true
	sleep 0.05
	POD=newer && pod_make newer 2
	ambient newer false
	[ "$(host)" = "" ]
}
@test "D25: not when the newer pod is the one without" { in_pod d25_opt_out; }

d30() {
	nft_node
	sidecar
	pod_istio nft
	finds ''
	sed -i 's/1\.8\.9/1.8.4/g' /run/node-nft/usr/sbin/xtables-nft-multi
	finds D30
	pod_exec iptables-nft -t nat -F && pod_exec iptables-nft -t nat -X
	pod_exec ip6tables-nft -t nat -F && pod_exec ip6tables-nft -t nat -X
	pod_exec iptables-nft -A INPUT -s 10.0.0.1 -j ACCEPT
	[ "$(doctor)" = D08 ] # plain addresses were always written so
}
@test "D30: the node's iptables is older than what wrote the rules (its file is a fixture)" { in_pod d30; }

# nft_root DIR VERSION: a root with an nft of that version
nft_root() {
	mkdir -p "$1/usr/sbin" "$1/usr/lib/x86_64-linux-gnu"
	sed "s/1\\.0\\.6\\x00/$2\\x00/" /usr/sbin/nft >"$1/usr/sbin/nft"
	cp -L /usr/lib/x86_64-linux-gnu/libnftables.so.1 "$1/usr/lib/x86_64-linux-gnu/"
}

# agent DIR NAME: a process of that name whose root is DIR
agent() {
	local d
	for d in /bin /lib /lib64 /usr/lib/x86_64-linux-gnu "$(dirname "$TOOLS")"; do
		[ ! -e "$d" ] || [ "$d" = "${SKIP:-}" ] || { mkdir -p "$1$d" && mount --bind "$d" "$1$d"; }
	done
	mkdir -p "$1/dev" "$1/proc" && touch "$1/dev/null" && mount --bind /dev/null "$1/dev/null"
	chroot "$1" "$TOOLS/standin" -d -n "$2" tcp/10256 >/dev/null
}

d31() {
	nft_root /run/node-old 1.1.5
	cp -a /run/node-old/. /run/image
	nft_root /run/image 1.0.6
	NODE=/run/node-old
	agent /run/image kube-proxy
	nft 'add table ip kube-proxy; add chain ip kube-proxy services'
	[ "$(host)" = "" ]
	nft 'add set ip kube-proxy ports { type ifname; }'
	[ "$(host)" = D31 ]
}
@test "D31: kube-proxy's nft is older than the node's, and there are sets (files are fixtures)" { without_sanitizer; in_pod d31; }

d32() {
	nft_root /run/image 1.0.6
	agent /run/image kube-proxy
	nft 'add table ip kube-proxy; add chain ip kube-proxy services'
	[ "$(host)" = "" ]
	umount /run/image/usr/lib/x86_64-linux-gnu
	sed -i 's/libjansson/libxxxxxxx/' /run/image/usr/lib/x86_64-linux-gnu/libnftables.so.1
	[ "$(host)" = D32 ]
}
@test "D32: kube-proxy's nft has no JSON (its library is a fixture)" { without_sanitizer; in_pod d32; }
@test "D32: a log says that there is no JSON" { in_pod told D32 'failed to run nft: JSON support not compiled-in'; }

@test "D33: istio-init's log says that an expression is not supported" {
	in_pod told D33 'iptables: RULE_APPEND failed (Operation not supported): rule in chain ISTIO_PRERT'
}
@test "D33: nft's own words for it" {
	in_pod told D33 '/dev/stdin:12:1-66: Error: Could not process rule: Operation not supported'
}

d36() {
	nft_node
	printf '%s\n' 'type=AVC msg=audit(1.2:3): avc:  denied  { module_request } for  pid=9 comm="iptables-restor" kmod="ipt_nat" scontext=system_u:system_r:container_t:s0' >/run/log
	finds D36 --log /run/log
	mkdir -p /run/node-nft/sys/fs/selinux
	echo 1 >/run/node-nft/sys/fs/selinux/enforce
	finds D36 --log /run/log
	jq -e '.kernel.selinux == "enforcing"' /run/json
}
@test "D36: SELinux denied to load a module (its mode is a fixture)" { in_pod d36; }

d38() {
	nft_node
	printf '%s\n' "iptables v1.8.4 (legacy): can't initialize iptables table \`nat': Permission denied (you must be root)" >/run/log
	mkdir -p /run/node-nft/etc
	echo gk3-shop-pool-1-0123 >/run/node-nft/etc/hostname
	finds 'D37 D38' --log /run/log
	: >/run/log
	finds '' --log /run/log
}
@test "D38: refused on a node of GKE Autopilot (its name is a fixture)" { in_pod d38; }

d39() {
	nft_node
	mkdir -p /run/node-nft/etc
	printf 'ID=bottlerocket\nPRETTY_NAME="Bottlerocket OS 1.20"\n' >/run/node-nft/etc/os-release
	echo 'failed to setup execution environment, attempting to continue anyways: failed to remount /: permission denied' >/run/log
	finds D39 --log /run/log
	jq -e '.findings[0].evidence[] | select(.what == "system").value == "Bottlerocket OS 1.20"' /run/json
}
@test "D39: a node that lets nothing be remounted (its name is a fixture)" { in_pod d39; }

d43() {
	nft_node
	finds ''
	pod_standin -n runsc-sandbox tcp/9999 >/dev/null
	finds D43
}
@test "D43: the pod runs in a sandbox (a process of its name)" { in_pod d43; }

# A pod as kubelet's control groups name it, with a process that has made a network namespace of its own.
d44() {
	local group=$1
	nft_node
	mkdir -p "$group"
	echo "$POD_PID" >"$group/cgroup.procs"
	finds ''
	status=0
	"$CNISH" --runtime none --host-root "$NODE" -t cid:bbbb -o json doctor >/run/json || status=$?
	jq -e '.findings == []' /run/json
	jq -e '.target.pod != null' /run/json || { echo "not seen as a pod"; return 1; }
	unshare -n sleep 100 3>&- &
	echo $! >"$group/cgroup.procs"
	until_true grep -qs sleep "/proc/$!/comm"
	"$CNISH" --runtime none --host-root "$NODE" -t cid:bbbb -o json doctor >/run/json || [ $? = 1 ]
	jq -e '[.findings[].id] == ["D44"]' /run/json
}
@test "D44: a process of the pod is in a network namespace of its own" { in_pod_group d44 d44; }

d45() {
	"$TOOLS/liar" /run/cri.sock crio /run/netns/gone 0 >/run/liar 2>&1 3>&- &
	until_true grep -qs ready /run/liar
	[ "$(RUNTIME=unix:///run/cri.sock host)" = D45 ]
	kill $!
	"$TOOLS/liar" /run/cri2.sock crio /run/netns/pod 0 >/run/liar2 2>&1 3>&- &
	until_true grep -qs ready /run/liar2
	[ "$(RUNTIME=unix:///run/cri2.sock host)" = "" ]
}
@test "D45: a running pod whose namespace is not there" { in_pod d45; }

# Segments that belong to no connection, again and again.
flood() {
	nsenter --net=/run/netns/pod python3 -c '
import socket, struct, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
while True:
    s.sendto(struct.pack("!HHIIBBHHH", 1000, 2000, 1, 0, 0x50, 0x03, 1024, 0, 0), ("127.0.0.1", 0))
    time.sleep(0.005)
' 3>&- &
}

d48() {
	[ -e /proc/net/stat/nf_conntrack ] || skip "no counters of connection tracking here"
	nft_node
	pod_exec iptables-nft -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
	finds ''
	flood
	until_true pod_exec awk 'NR > 1 && $5 != "00000000" { ok = 1 } END { exit !ok }' /proc/net/stat/nf_conntrack
	finds D48
	pod_exec iptables-nft -I INPUT -m conntrack --ctstate INVALID -j DROP
	finds ''
}
@test "D48: packets are invalid, and none are dropped" { in_pod d48; }

d51() {
	iptables-nft -t nat -N KUBE-SERVICES
	iptables-nft -t nat -N KUBE-NODEPORTS
	iptables-nft -t nat -N CNI-HOSTPORT-DNAT
	iptables-nft -t nat -A PREROUTING -j KUBE-SERVICES
	iptables-nft -t nat -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
	iptables-nft -t nat -A KUBE-NODEPORTS -p tcp --dport 30080 -j DNAT --to-destination 10.0.1.39:8080
	iptables-nft -t nat -I PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
	iptables-nft -t nat -A CNI-HOSTPORT-DNAT -p tcp -m multiport --dports 9100 -j DNAT --to-destination 10.0.1.39:9100
	[ "$(host)" = "" ]
	iptables-nft -t nat -A CNI-HOSTPORT-DNAT -p tcp -m multiport --dports 30080 -j DNAT --to-destination 10.0.1.39:9100
	[ "$(host)" = D51 ]
	jq -e '.findings[0].cause | test("the hostPort wins")' /run/json
}
@test "D51: a hostPort is the port of a Service" { in_pod d51; }

# ---- mending ----

d13_fix() {
	nft_node
	pod_istio nft
	pod_exec iptables-nft -t nat -F PREROUTING && pod_exec iptables-nft -t nat -F OUTPUT
	pod_exec ip6tables-nft -t nat -F PREROUTING && pod_exec ip6tables-nft -t nat -F OUTPUT
	finds D13
	"$CNISH" -t netns:pod --host-root "$NODE" --dry-run -o json doctor --fix >/run/json || [ $? = 1 ]
	"$TOP/tests/lib/validate" doctor </run/json
	jq -e '.steps == [{id: "D13", cause: .steps[0].cause, commands: ["cnish -t netns:pod istio flush"], undo: ["cnish -t netns:pod istio undo"]}] and (.fixed | not)' /run/json
	finds D13
	"$CNISH" -t netns:pod --host-root "$NODE" --yes doctor --fix
	! pod_exec iptables-nft-save | grep ISTIO
	finds ''
	"$CNISH" -t netns:pod --host-root "$NODE" --yes doctor --fix | grep 'nothing that can be mended'
	"$CNISH" -t netns:pod --yes istio undo >/dev/null
	finds D13
}
@test "--fix removes what nothing leads to, once, and it can be undone" { in_pod d13_fix; }

# As apply and flush: who has the lock is said when it is waited for, not when that was in vain.
held_fix() {
	local status=0 fix holder
	node_with legacy
	export NODE=/run/node-legacy
	istio_rules 4 | grep -v -e '-j ISTIO_OUTPUT' -e 'PREROUTING.*-j ISTIO_INBOUND' | pod_exec iptables-legacy-restore --noflush
	finds D13
	flock -o /run/xtables.lock sleep 100 3>&- &
	holder=$!
	until_true grep -q "FLOCK .* $holder " /proc/locks
	"$CNISH" -t netns:pod --host-root "$NODE" --yes doctor --fix >/run/out 2>&1 3>&- &
	fix=$!
	until_true grep -q "the xtables lock is held by process $holder (flock); waiting 30 s" /run/out
	kill -0 $fix
	kill $holder
	wait $fix || status=$?
	[ $status = 0 ]
	finds ''
}
@test "--fix says who holds the xtables lock while it waits for it" { in_pod held_fix; }

d52_fix() {
	[ "$(cat /proc/sys/net/netfilter/nf_log_all_netns 2>/dev/null || echo 0)" = 0 ] || skip "this machine logs all namespaces"
	nft_node
	pod_exec iptables-nft -A INPUT -p tcp --dport 9 -j LOG
	# a tracer that was ended has left its logger behind
	pod_exec sh -c 'echo nfnetlink_log >/proc/sys/net/netfilter/nf_log/2' || skip "no nfnetlink_log here"
	finds D52
	jq -e '.findings[0].mendable' /run/json
	"$CNISH" -t netns:pod --host-root "$NODE" --dry-run doctor --fix >/run/text || [ $? = 1 ]
	grep -q 'nf_log.2=nfnetlink_log' /run/text
	[ "$(pod_exec cat /proc/sys/net/netfilter/nf_log/2)" = nfnetlink_log ]
	[ "$("$CNISH" -t netns:pod --host-root "$NODE" doctor --fix </dev/null >/dev/null 2>&1 || echo $?)" = 6 ]
	[ "$(pod_exec cat /proc/sys/net/netfilter/nf_log/2)" = nfnetlink_log ]
	"$CNISH" -t netns:pod --host-root "$NODE" --yes doctor --fix >/dev/null || [ $? = 1 ]
	pod_exec cat /proc/sys/net/netfilter/nf_log/2 | grep -qx 'nf_log_ipv4\|nf_log_syslog'
}
@test "--fix gives a namespace its logger back" { in_pod d52_fix; }

# ---- where cnish runs ----

elsewhere() {
	mkdir -p /run/host
	mount --rbind / /run/host
	nft_node
	sidecar
	NODE=/run/host
	[ "$(doctor)" = D08 ]
	pod_istio legacy
	[ "$(doctor)" = D03 ]
	[ "$(host)" = "" ]
	jq -e '.iptables[0] | .where == "node" and .variant == "nf_tables"' /run/json
}
@test "from a container that has the node's root elsewhere" { in_pod elsewhere; }

# An ephemeral container: the pod's network, its own processes and files, CAP_NET_ADMIN and no more.
ephemeral() {
	local status=0
	sidecar
	pod_istio nft
	pod_exec unshare -p -f --mount-proc setpriv --bounding-set="-all,+net_admin$1" --inh-caps="-all,+net_admin$1" "$CNISH" -o json doctor \
		>/run/json 2>/run/err || status=$?
	"$TOP/tests/lib/validate" doctor </run/json
	jq -c '.findings[], .unchecked[]' /run/json
}
with_net_admin() {
	ephemeral ",+net_raw"
	# rules and listeners are seen, so nothing is wrong; what needs the pod's processes says why it is not known
	jq -e '[.findings[].id] == []' /run/json
	jq -e '.verdicts[0].store == "compat"' /run/json
	jq -e '.kernel.modprobe == false' /run/json
}
@test "in an ephemeral container with CAP_NET_ADMIN alone: rules and listeners are seen" { in_pod with_net_admin; }

without_any() {
	local status=0
	pod_istio nft
	pod_exec unshare -p -f --mount-proc setpriv --bounding-set=-all --inh-caps=-all "$CNISH" -o json doctor >/run/json || status=$?
	jq -c '.findings[]' /run/json
	jq -e '[.findings[].id] == ["D37"]' /run/json
	jq -e '.findings[0].fix[0] | test("--profile=netadmin")' /run/json
}
@test "without any capability: which kubectl debug --profile would show more" { in_pod without_any; }

# ---- nothing to read ----

blind() {
	nft_node
	sidecar
	pod_istio nft
	mkdir -p /run/empty
	mount --bind /run/empty /proc/sys/net/netfilter 2>/dev/null || true
	NODE=/run/empty finds ''
	jq -e '.iptables[0].variant == "none"' /run/json
	# processes of others are hidden
	mount -o remount,hidepid=2 /proc
	pod_exec setpriv --reuid 1000 --clear-groups --inh-caps=+net_admin --ambient-caps=+net_admin "$CNISH" -o json doctor >/run/json || [ $? = 1 ]
	"$TOP/tests/lib/validate" doctor </run/json
}
@test "no files of the node, and hidden processes: no false finding" { in_pod blind; }
