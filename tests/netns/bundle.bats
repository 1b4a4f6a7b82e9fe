#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# bundle - a file stands for the target: every answer is the one of the living target

source "$TOP/tests/lib/pod.sh"

# same WORDS...: the answer of the bundle is that of the target, but for who is asked
same() {
	local status=0 again=0
	"$CNISH" -t netns:pod "$@" >/run/living 2>/run/living.err || status=$?
	"$CNISH" -t file:/run/bundle.json "$@" >/run/offline 2>/run/offline.err || again=$?
	sed -i -E '1s/^(netns:pod|file:[^ ]*) .*//; s/^(netns:pod|file:.run.bundle.json)$//' /run/living /run/offline
	[ "$status" = "$again" ] || { echo "$*: status $status, $again"; cat /run/offline.err; return 1; }
	[ -s /run/living ] || { echo "$*: no answer"; cat /run/living.err; return 1; }
	diff <(sed 1d /run/living) <(sed 1d /run/offline) || { echo "differs: $*"; return 1; }
}

same_json() {
	# status 1: something was found
	{ "$CNISH" -t netns:pod -o json "$@" || [ $? = 1 ]; } | jq -S 'del(.target, .evidence, .pod_evidence) | walk(if type == "object" then del(.text, .namespace) | if has("ips") then .ips |= sort else . end else . end)' >/run/living
	{ "$CNISH" -t file:/run/bundle.json -o json "$@" || [ $? = 1 ]; } | jq -S 'del(.target, .evidence, .pod_evidence) | walk(if type == "object" then del(.text, .namespace) | if has("ips") then .ips |= sort else . end else . end)' >/run/offline
	[ -s /run/living ]
	diff /run/living /run/offline || { echo "differs: $*"; return 1; }
}

stands_for() {
	export SECRET=tell-nobody ISTIO_META_INTERCEPTION_MODE=REDIRECT
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	pod_standin -n app -u 1000 -g 1000 tcp/8080 >/dev/null
	pod_istio legacy
	pod_exec iptables-nft -A INPUT -p tcp -m multiport --dports 1,2,3 -m comment --comment "of compat" -j DROP
	pod_exec ip6tables-nft -A INPUT -p tcp -j ACCEPT
	pod_exec nft -f - <<-'END'
		table inet own {
			set hosts {
				type ipv4_addr . inet_service
				flags interval
				elements = { 10.0.0.0/8 . 80-90, 10.1.1.1 . 443 }
			}
			map marks {
				type mark : verdict
				elements = { 1 : drop, 2 : accept }
			}
			counter c { packets 3 bytes 4; }
			chain in {
				type filter hook input priority 5; policy accept;
				ip saddr . tcp dport @hosts counter name "c" accept
				meta mark vmap @marks
				iif lo limit rate 5/second accept comment "with a limit"
			}
			chain out {
				type route hook output priority -150;
				meta skuid 1000 meta mark set 0x7
			}
		}
		table netdev early {
			chain x {
				type filter hook ingress device lo priority 0;
				ip ttl 1 drop
			}
		}
	END
	pod_exec ip rule add fwmark 7 lookup 77
	pod_exec ip route add blackhole 192.0.2.0/24 table 77
	"$CNISH" -t netns:pod bundle /run/bundle.json
	[ "$(stat -c %a /run/bundle.json)" = 600 ]
	"$TOP/tests/lib/validate" bundle </run/bundle.json
	same tables --counters
	same tables -o save
	same tables -o nft
	same tables --table nat OUTPUT
	same_json tables
	same_json tables --sets
	same trace out tcp "$SERVICE_IP:80" uid 1000
	same trace --all out tcp "$SERVICE_IP:80" uid 1337
	same trace in tcp "$NODE_IP:4000" to "$POD_IP:8080"
	same_json trace out tcp 192.0.2.1:80 uid 1000
	same sockets -4
	same_json sockets --all
	same_json istio verify
	same istio show
	same doctor
	same_json doctor
	same sockets --all -o wide
	same tables --sets
	same_json info
	"$CNISH" diff netns:pod file:/run/bundle.json
	if grep -q tell-nobody /run/bundle.json; then return 1; fi
	# but the environment was looked at
	jq -e '.istio.proxy.env == ["ISTIO_META_INTERCEPTION_MODE=REDIRECT"]' /run/bundle.json
}
@test "tables, trace, sockets and verify of a bundle are those of the living target" { in_pod stands_for; }

# Sets and connections need modules that a kernel may lack.
sets_and_conns() {
	modprobe nf_conntrack_netlink 2>/dev/null || :
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	node_standin -n far tcp/80 >/dev/null
	pod_istio legacy
	if pod_exec ipset create some hash:ip,port 2>/run/why; then
		pod_exec ipset add some "$FAR_IP,tcp:80" timeout 0 2>/dev/null || pod_exec ipset add some "$FAR_IP,tcp:80"
		pod_exec ipset create many list:set
		pod_exec ipset add many some
		pod_exec iptables-legacy -A OUTPUT -m set --match-set some dst,dst -j ACCEPT
		pod_exec iptables-nft -A INPUT -m set --match-set many src -j DROP
	else
		grep -q 'Kernel\|kernel\|protocol' /run/why
	fi
	pod_connect -u 1000 -g 1000 tcp "$FAR_IP" 80 >/dev/null
	"$CNISH" -t netns:pod bundle /run/bundle.json
	"$TOP/tests/lib/validate" bundle </run/bundle.json
	same tables
	same tables --sets
	same_json tables --sets
	same trace out tcp "$FAR_IP:80" uid 1337
	same trace out tcp "$FAR_IP:81" uid 1337
	if "$CNISH" -t netns:pod conns >/run/out 2>&1; then
		same conns --nat
		same trace --from-conns
		# time goes on for the living
		"$CNISH" -t netns:pod -o json conns | jq -S '.connections | map(del(.timeout))' >/run/living
		"$CNISH" -t file:/run/bundle.json -o json conns | jq -S '.connections | map(del(.timeout))' | diff /run/living -
		jq -e 'length > 0' /run/living
	else
		grep -q nf_conntrack_netlink /run/out
		run "$CNISH" -t file:/run/bundle.json conns
		[ "$status" = 5 ]
		[[ $output == *"cannot list the connections"* ]]
	fi
}
@test "ipsets with their members, and connections with process and rule" { in_pod sets_and_conns; }

many_rules() {
	{ echo "*filter"; for i in $(seq 1500); do echo ":C$i - [0:0]"; echo "-A C$i -s 10.0.0.$((i % 250)) -j ACCEPT"; done; echo COMMIT; } |
		pod_exec iptables-nft-restore
	"$CNISH" -t netns:pod bundle /run/bundle.json
	same tables -o save
}
@test "more rules than come in one answer" { in_pod many_rules; }

broken() {
	pod_exec iptables-nft -A INPUT -p tcp -j DROP
	pod_exec iptables-legacy -A INPUT -p tcp -j DROP
	"$CNISH" -t netns:pod bundle /run/bundle.json
	local what
	for what in '.nftables.answers = "AAAA"' '.nftables.answers |= .[0:400]' '.nftables.answers = 3' '.legacy.ip.tables[0].entries |= .[0:200]' \
		'.legacy.ip.tables[0].entries = "%%%"' 'del(.network.links)' '.network.links[0].index = "x"' '.network.sockets = [{}]' \
		'.legacy.ip.tables[0].hook_entry = []' '.ipsets.names = [{"index": 1}]' '.schema = "cnish.bundle/2"' 'del(.legacy)'; do
		jq -c "$what" /run/bundle.json >/run/broken.json
		run "$CNISH" -t file:/run/broken.json trace out tcp 10.0.0.1:80
		[ "$status" = 2 ] || { echo "$what: $status $output"; return 1; }
		[ "${#lines[@]}" = 1 ]
	done
	# likewise of nftables' answers: the length of the first message, behind the head of its piece
	jq -r .nftables.answers /run/bundle.json | base64 -d >/run/tape
	printf '\377' | dd of=/run/tape bs=1 seek=11 conv=notrunc status=none
	jq -c --arg tape "$(base64 -w0 /run/tape)" '.nftables.answers = $tape' /run/bundle.json >/run/broken.json
	run "$CNISH" -t file:/run/broken.json tables
	[ "$status" = 2 ] || { echo "$status $output"; return 1; }
	# a message that is longer than all there is, and than a signed number
	jq -c '.connections = {answers: "LCmR/wAAAAAAAAAAAAAAAA==", unread: null}' /run/bundle.json >/run/broken.json
	run "$CNISH" -t file:/run/broken.json conns
	[ "$status" = 2 ] || { echo "$status $output"; return 1; }
	# what stood there stays when the new one cannot be written
	run "$CNISH" -t netns:pod bundle /nonexistent/x
	[ "$status" = 5 ]
	run "$CNISH" -t file:/run/bundle.json bundle /run/other
	[ "$status" = 2 ]
	"$CNISH" -t netns:pod --dry-run -o json bundle /run/none | "$TOP/tests/lib/validate" bundle-file
	[ ! -e /run/none ]
}
@test "a broken bundle is an error that says what is wrong; looking needs no rights" { in_pod broken; }
