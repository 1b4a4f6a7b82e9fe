#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# scan - all namespaces of a node: what each is, what captures it, what is wrong; in every format
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"
source "$TOP/tests/doctor/common.bash"

# row NAME KEY: of the scan in /run/json
row() { jq -r --arg n "$1" ".pods[] | select(.name == \$n) | .$2" /run/json; }

# Pods of several kinds side by side.
node() {
	local POD=pod
	node_with nft
	sidecar
	pod_istio nft
	POD=bare && pod_make bare 2
	POD=empty && pod_make empty 3 && sidecar
	POD=both && pod_make both 4 && sidecar && pod_istio legacy && pod_istio nft
	POD=drift && pod_make drift 5 && sidecar && pod_istio nft && pod_exec iptables-nft -t nat -D ISTIO_INBOUND 1
}

all_kinds() {
	node
	"$CNISH" --runtime none --host-root /run/node-nft -o json scan >/run/json || [ $? = 1 ]
	"$TOP/tests/lib/validate" scan </run/json
	[ "$(row pod mesh) $(row pod capture) $(row pod drift) $(row pod 'findings | join(" ")')" = "sidecar complete 0 " ]
	[ "$(row pod 'stores | join(" ")')" = compat ]
	[ "$(row pod why) $(row bare why)" = "null null" ]
	[ "$(row bare mesh) $(row bare capture) $(row bare drift)" = "none outside null" ]
	[ "$(row empty capture) $(row empty 'findings | join(" ")')" = "none D08" ]
	[ "$(row both capture) $(row both 'findings | join(" ")')" = "partial D05" ]
	[ "$(row drift capture) $(row drift drift)" = "complete 1" ]
	jq -e '.summary == {pods: 5, unknown: 0, outside: 1, none: 1, partial: 1, complete: 2}' /run/json
}
@test "a node with healthy, bare, uncaptured, doubled and drifted pods" { in_pod all_kinds; }

# All chains are there, and yet a part of the traffic goes past the proxy
gaps() {
	local rule
	node_with nft
	sidecar
	for rule in 'ISTIO_OUTPUT -j ISTIO_REDIRECT' 'ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT' 'ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001'; do
		pod_exec nft flush ruleset
		pod_istio nft
		# shellcheck disable=SC2086
		pod_exec iptables-nft -t nat -D $rule
		"$CNISH" --runtime none --host-root /run/node-nft -o json scan >/run/json || [ $? = 1 ]
		[ "$(row pod capture) $(row pod drift)" = "partial 1" ] || { echo "$rule"; cat /run/json; return 1; }
	done
}
@test "a pod that lacks a rule which captures is partial, whatever else is there" { in_pod gaps; }

formats() {
	local n
	node
	"$CNISH" --runtime none -o jsonl scan >/run/jsonl || [ $? = 1 ]
	"$TOP/tests/lib/validate" scan </run/jsonl
	[ "$(wc -l </run/jsonl)" = 6 ]
	"$CNISH" --runtime none -o wide scan >/run/wide || [ $? = 1 ]
	grep -q 'WHY' /run/wide
	"$CNISH" --runtime none -o prom scan >/run/prom || [ $? = 1 ]
	"$CNISH" --runtime none -o prom scan -O /run/cnish.prom >/run/nothing || [ $? = 1 ]
	[ ! -s /run/nothing ]
	cmp /run/prom /run/cnish.prom
	! ls /run/cnish.prom.* 2>/dev/null
	grep -qx 'cnish_pod_finding{namespace="",pod="empty",id="D08",severity="error"} 1' /run/prom
	# a label set stands once, though two namespaces have one name
	mkdir -p /run/docker/netns
	touch /run/docker/netns/empty
	unshare --net=/run/docker/netns/empty true
	"$CNISH" --runtime none -o prom scan >/run/prom || [ $? = 1 ]
	grep -qx 'cnish_scan_pods 6' /run/prom
	[ -z "$(sed 's/ [0-9]*$//' /run/prom | sort | uniq -d)" ]
	! grep -vE '^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+="[^"]*",?)+\})? [0-9]+)$' /run/prom
	# one that cannot be written leaves the old one as it was
	cp /run/cnish.prom /run/old
	mkdir /run/dir
	n=0
	"$CNISH" --runtime none -o prom scan -O /run/dir || n=$?
	[ "$n" = 5 ]
	! ls /run/dir.* 2>/dev/null
}
@test "jsonl, wide, prom, and a file that is written as a whole or not at all" { in_pod formats; }

silent() {
	node_with nft
	sidecar
	pod_istio nft
	"$CNISH" --runtime none --host-root /run/node-nft -o json scan >/run/json
	jq -e '.summary.complete == 1' /run/json
}
@test "status 0 when nothing is wrong" { in_pod silent; }

# Pods come and go while scans run: never a failure, always an answer.
vanishing() {
	local i churn
	(
		for ((i = 0; i < 60; i++)); do
			ip netns add "gone$i"
			ip netns del "gone$((i - 3))" 2>/dev/null || true
		done
	) &
	churn=$!
	for ((i = 0; i < 15; i++)); do
		"$CNISH" --runtime none -o json scan >/run/json || [ $? = 1 ]
		"$TOP/tests/lib/validate" scan </run/json
	done
	wait "$churn"
}
@test "pods that come and go during scans" { in_pod vanishing; }

many() {
	local i
	for ((i = 0; i < 60; i++)); do
		ip netns add "n$i"
		if ((i % 3 == 0)); then istio_rules 4 | in_ns "n$i" iptables-legacy-restore --noflush; fi
		if ((i % 3 == 1)); then istio_rules 4 | in_ns "n$i" iptables-nft-restore --noflush; fi
	done
	"$CNISH" --runtime none -o json scan >/run/json || [ $? = 1 ]
	jq -e '[.pods[] | select(.stores == ["legacy"])] | length == 20' /run/json
	jq -e '[.pods[] | select(.stores == ["compat"])] | length == 20' /run/json
	"$CNISH" --runtime none -o json scan >/run/again || [ $? = 1 ]
	cmp /run/json /run/again # threads take turns as they like; the answer does not
}
@test "sixty namespaces in mixed stores, twice the same answer" { in_pod many; }

# What one pod was found to be says nothing about the next: of pods alike some have drifted.
alike() {
	local i tool
	for ((i = 0; i < 18; i++)); do
		tool=iptables-legacy
		((i % 2 == 0)) || tool=iptables-nft
		ip netns add "n$i"
		istio_rules 4 | in_ns "n$i" $tool-restore --noflush
		case $((i / 2)) in
		2) in_ns "n$i" $tool -t nat -D ISTIO_OUTPUT 4 ;;
		3) in_ns "n$i" $tool -t nat -I ISTIO_OUTPUT 2 -p tcp --dport 81 -j RETURN ;;
		4) in_ns "n$i" $tool -t nat -A PREROUTING -p tcp --dport 82 -j ACCEPT ;;
		5) in_ns "n$i" $tool -t nat -N ISTIO_LOST ;;
		6) istio_rules 6 | in_ns "n$i" "${tool/ip/ip6}-restore" --noflush ;;
		7) istio_rules 4 | in_ns "n$i" iptables-nft-restore --noflush && istio_rules 4 | in_ns "n$i" iptables-legacy-restore --noflush ;;
		8) in_ns "n$i" nft 'table inet istio-proxy-nat { chain istio-output { tcp dport 83 accept; }; }' ;;
		esac
	done
	"$CNISH" --runtime none -o json scan >/run/json || [ $? = 1 ]
	for ((i = 0; i < 18; i++)); do
		[ "$(row "n$i" drift)" = "$("$CNISH" -t "netns:n$i" -o json istio verify ENABLE_INBOUND_IPV6=$((i / 2 == 6)) 2>/dev/null | jq '.differences | length')" ] ||
			{ echo "n$i: $(row "n$i" drift)"; "$CNISH" -t "netns:n$i" istio verify; false; }
		[ "$(row "n$i" drift)" = 0 ] || echo "n$i" >>/run/drifted
	done
	[ "$(wc -l </run/drifted)" -ge 10 ]
}
@test "pods alike, of which some have drifted: each has the drift that verify counts" { in_pod alike; }
