#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_apply - apply, verify and flush against the real tools: what they print, what they load, real traffic
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"

bats_require_minimum_version 1.5.0

# Configurations of all steps of the plan; @ stands for none. IPv6 is on where the pod has it.
configs() {
	cat <<-'END'
		@
		ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY
		ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY ISTIO_INBOUND_PORTS=80,443 ISTIO_INBOUND_TPROXY_MARK=77
		ISTIO_META_DNS_CAPTURE=true DNS_SERVERS=10.96.0.10,fd00:96::10
		REDIRECT_DNS=true CAPTURE_ALL_DNS=true DROP_INVALID=true
		ISTIO_EXCLUDE_INTERFACES=eth7,eth8 KUBE_VIRT_INTERFACES=tap0,tap1
		ISTIO_SERVICE_CIDR=10.96.0.0/12,fd00:96::/48 KUBE_VIRT_INTERFACES=tap0,tap1 ISTIO_SERVICE_EXCLUDE_CIDR=10.96.0.1/32
		ISTIO_INBOUND_PORTS=80,8080 ISTIO_OUTBOUND_PORTS=3306 ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE=15020,53
		ISTIO_OUTBOUND_OWNER_GROUPS=1000,1001 PROXY_UID=1337,1338 PROXY_GID=1340
		ISTIO_OUTBOUND_OWNER_GROUPS= ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.0.0/8 ISTIO_SERVICE_CIDR=127.0.0.9/32
		ENABLE_INBOUND_IPV6=false ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=5,6 ISTIO_INBOUND_PORTS=
	END
}

# save NS TOOLS FAMILY [-c]: what iptables-save prints, without what varies: empty tables, and their order
save() {
	local tool=iptables
	[ "$3" = 4 ] || tool=ip6tables
	in_ns "$1" "$tool-$2-save" ${4:-} | sed -E '/^#/d; /^:/s/ \[[0-9:]*\]$//' |
		awk '/^\*/ { text = ""; used = 0; name = $0 } { text = text $0 "\n" } /^(\[|-A)/ || /^:.* -$/ { used = 1 }
			/^COMMIT/ && used { all[name] = text }
			END { n = split("raw mangle nat filter", t); for (i = 1; i <= n; i++) printf "%s", all["*" t[i]] }'
}

both() { save "$1" "$2" 4 "${3:-}" && save "$1" "$2" 6 "${3:-}"; }

store_of() { [ "$1" = legacy ] && echo legacy || echo compat; }

# show FAMILY SETTING...: the plan of the pod's configuration as text
show() {
	local f=$1
	shift
	"$CNISH" -t netns:pod istio show -o save "-$f" "$@"
}

cnish_json() { "$CNISH" -t netns:pod -o json --yes istio "$@"; }

# reference TOOLS SETTING...: a fresh namespace "ref" with what the real tools make of the plan's text
reference() {
	local tools=$1
	shift
	ip netns add ref
	show 4 "$@" | in_ns ref "iptables-$tools-restore" --noflush
	show 6 "$@" >/run/six
	[ ! -s /run/six ] || in_ns ref "ip6tables-$tools-restore" --noflush </run/six
}

apply_configs() {
	local tools=$1 line i=0
	local -a settings
	while read -r line; do
		settings=(DUAL_STACK=true)
		[ "$line" = @ ] || read -ra settings <<<"DUAL_STACK=true $line"
		reference "$tools" "${settings[@]}"
		cnish_json apply --store "$(store_of "$tools")" "${settings[@]}" >/run/json
		"$TOP/tests/lib/validate" istio-apply </run/json
		jq -e '.changed and (.edits | length > 0)' /run/json >/dev/null
		both ref "$tools" >/run/want
		both pod "$tools" >/run/got
		diff /run/want /run/got || { echo "settings: $line"; false; }
		"$CNISH" -t netns:pod istio verify "${settings[@]}" >/run/report ||
			{ echo "not clean: $line"; cat /run/report; false; }
		cnish_json apply "${settings[@]}" >/run/json
		jq -e '(.changed | not) and .edits == []' /run/json >/dev/null || { echo "not idempotent: $line"; false; }
		cnish_json flush >/run/json
		"$TOP/tests/lib/validate" istio-flush </run/json
		! both pod "$tools" | grep -E 'ISTIO|^-A' || { echo "left behind: $line"; false; }
		ip netns del ref
		i=$((i + 1))
	done < <(configs)
	[ $i = 11 ]
}
@test "apply in the legacy store: the real tools print what they load from the plan's text" {
	in_pod apply_configs legacy
}
@test "apply in the compat store: the real tools print what they load from the plan's text" {
	in_pod apply_configs nft
}

peers_read() {
	cnish_json apply --store compat >/dev/null
	pod_exec iptables-nft -t nat -S 2>&1 | tee /run/out
	! grep -iE 'incompatible|error|#' /run/out
	grep -q -- '-A OUTPUT -j ISTIO_OUTPUT' /run/out
	[ -z "$(pod_exec iptables-legacy-save)" ]
	cnish_json apply --store compat >/dev/null # a table made by looking above must not matter
}
@test "iptables-nft reads the compat store without complaint" { in_pod peers_read; }

traffic() {
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 >/dev/null
	pod_standin -n app -u 1000 -g 1000 tcp/8080 >/dev/null
	node_standin tcp/80 >/dev/null
	cnish_json apply --store "$1" DUAL_STACK=true >/dev/null
	local a
	for a in "$SERVICE_IP" "$SERVICE_IP6"; do
		pod_connect -u 1000 -g 1000 tcp "$a" 80 | jq -e '.reply.port == 15001 and .reply.oport == 80'
		# the proxy itself goes out
		pod_connect -u 1337 -g 1337 tcp "$a" 80 | jq -e '.reply.port == 80'
	done
	for a in "$POD_IP" "$POD_IP6"; do
		node_connect tcp "$a" 8080 | jq -e '.reply.port == 15006 and .reply.oport == 8080'
	done
	cnish_json flush >/dev/null
	pod_connect -u 1000 -g 1000 tcp "$SERVICE_IP" 80 | jq -e '.reply.port == 80'
	node_connect tcp "$POD_IP" 8080 | jq -e '.reply.port == 8080'
}
@test "real connections arrive at 15001 and 15006 with the rules in the legacy store" { in_pod traffic legacy; }
@test "real connections arrive at 15001 and 15006 with the rules in the compat store" { in_pod traffic compat; }

# foreign TOOLS WHEN: rules that are nobody's of Istio, with counters that the tools set
foreign() {
	local t c
	for t in iptables ip6tables; do
		c="pod_exec $t-$1 -w 10"
		case $2 in
		before)
			$c -t nat -N MINE
			$c -t nat -A MINE -p tcp --dport 22 -c 3 300 -j RETURN
			$c -t nat -A OUTPUT -p udp --dport 5353 -c 7 700 -j MINE
			$c -t nat -A PREROUTING -i eth9 -c 1 100 -j RETURN
			$c -t mangle -A OUTPUT -p tcp --dport 1 -c 2 200 -j MARK --set-mark 9
			$c -t filter -A INPUT -p tcp --dport 23 -c 9 900 -j DROP
			;;
		between)
			$c -t nat -I OUTPUT 1 -o eth9 -c 4 400 -j RETURN
			$c -t nat -A PREROUTING -p tcp --dport 9999 -c 5 500 -j MINE
			$c -t mangle -A PREROUTING -i eth9 -p tcp -c 6 600 -j RETURN
			;;
		esac
	done
}

keep_foreign() {
	local tools=$1
	shift
	foreign "$tools" before
	both pod "$tools" -c >/run/first
	cnish_json apply --store "$(store_of "$tools")" "$@" >/dev/null
	# what was there is there, in its order and with its counters
	both pod "$tools" -c | grep -vE 'ISTIO|eth8|0x(539|53a)' >/run/now
	diff <(grep -vE 'COMMIT|^[*:]' /run/first) <(grep -vE 'COMMIT|^[*:]' /run/now)
	foreign "$tools" between
	both pod "$tools" -c | grep -vE 'ISTIO|eth8|0x(539|53a)' | grep -vE 'COMMIT|^[*:]' >/run/want
	cnish_json flush >/run/json
	jq -e .changed /run/json
	both pod "$tools" -c | grep -vE 'COMMIT|^[*:]' >/run/got
	diff /run/want /run/got
	! both pod "$tools" | grep ISTIO
	cnish_json flush | jq -e '.changed | not'
}
@test "legacy: foreign rules before, between and after keep order and counters" { in_pod keep_foreign legacy; }
@test "compat: foreign rules before, between and after keep order and counters" { in_pod keep_foreign nft; }
@test "legacy: the same with TPROXY and an excluded interface" {
	in_pod keep_foreign legacy ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY ISTIO_EXCLUDE_INTERFACES=eth8
}
@test "compat: the same with TPROXY and an excluded interface" {
	in_pod keep_foreign nft ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY ISTIO_EXCLUDE_INTERFACES=eth8
}

# drift KIND CHAIN COMMAND...: after the command verify reports the kind in the chain, and apply mends it
drift() {
	local kind=$1 chain=$2 status=0
	shift 2
	"$@"
	"$CNISH" -t netns:pod -o json istio verify >/run/json || status=$?
	[ $status = 1 ] || { echo "status $status after: $*"; false; }
	"$TOP/tests/lib/validate" istio-verify </run/json
	jq -e --arg k "$kind" --arg c "$chain" \
		'(.clean | not) and any(.differences[]; .kind == $k and .chain == $c and (.effect | length > 10))' /run/json ||
		{ echo "no $kind in $chain after: $*"; jq -c '.differences[]' /run/json; false; }
	cnish_json apply >/dev/null
	both pod "$TOOLS_OF" | diff /run/good -
	"$CNISH" -t netns:pod istio verify >/dev/null
}

# both commands as one
swap() {
	"$@" -D ISTIO_INBOUND 2
	"$@" -I ISTIO_INBOUND 3 -p tcp --dport 15090 -j RETURN
}

drifts() {
	local TOOLS_OF=$1 x="pod_exec iptables-$1 -w 10 -t nat"
	pod_istio "$1"
	both pod "$1" >/run/good
	"$CNISH" -t netns:pod istio verify
	drift missing ISTIO_INBOUND $x -D ISTIO_INBOUND 2
	drift missing OUTPUT $x -D OUTPUT -j ISTIO_OUTPUT
	drift missing PREROUTING $x -F PREROUTING
	drift extra ISTIO_OUTPUT $x -I ISTIO_OUTPUT 2 -p tcp --dport 99 -j ACCEPT
	drift extra ISTIO_OLD $x -N ISTIO_OLD
	drift misplaced ISTIO_INBOUND swap $x
	drift changed ISTIO_REDIRECT $x -R ISTIO_REDIRECT 1 -p tcp -j REDIRECT --to-ports 15009
	drift changed OUTPUT $x -R OUTPUT 1 -p udp -j ISTIO_OUTPUT
	drift duplicate ISTIO_INBOUND $x -A ISTIO_INBOUND -p tcp --dport 15090 -j RETURN
	drift duplicate OUTPUT $x -A OUTPUT -j ISTIO_OUTPUT
	drift missing ISTIO_OUTPUT pod_exec "ip6tables-$1" -w 10 -t nat -D ISTIO_OUTPUT 1
	# foreign rules are none of its business
	$x -I OUTPUT -p udp --dport 1 -j ACCEPT
	"$CNISH" -t netns:pod istio verify
}
@test "legacy: each kind of drift is found and mended" { in_pod drifts legacy; }
@test "compat: each kind of drift is found and mended" { in_pod drifts nft; }

moves() {
	local status=0
	pod_istio legacy
	istio_rules 4 | grep -v 15021 | pod_exec iptables-nft-restore --noflush
	"$CNISH" -t netns:pod -o json istio verify >/run/json || status=$?
	[ $status = 1 ]
	jq -e '.stores == ["legacy", "compat"] and .checked.ip == "legacy" and
		all(.differences[]; .store == "compat" and .kind == "extra" and (.effect | test("residue")))' /run/json
	# an empty chain in the other store is residue too
	pod_exec ip6tables-nft -t nat -N ISTIO_REDIRECT
	"$CNISH" -t netns:pod -o json istio verify >/run/json || :
	jq -e 'any(.differences[]; .store == "compat" and .family == "ip6" and .chain == "ISTIO_REDIRECT" and
		.kind == "extra")' /run/json
	cnish_json apply --store compat >/dev/null
	! pod_exec iptables-legacy-save | grep ISTIO
	! pod_exec ip6tables-legacy-save | grep ISTIO
	"$CNISH" -t netns:pod -o json istio verify | jq -e '.clean and .stores == ["compat"]'
}
@test "residue in a second store is reported, and apply moves all into one" { in_pod moves; }

dry_run() {
	local tools=$1 store
	store=$(store_of "$tools")
	pod_istio "$tools"
	pod_exec "iptables-$tools" -w 10 -t nat -D ISTIO_OUTPUT 3
	pod_exec "iptables-$tools" -w 10 -t nat -A ISTIO_INBOUND -j LOG
	pod_exec "iptables-$tools" -w 10 -t nat -N ISTIO_ODD
	both pod "$tools" >/run/before
	"$CNISH" -t netns:pod --dry-run -o save istio apply --store "$store" >/run/text
	"$CNISH" -t netns:pod --dry-run istio apply --store "$store" | grep -q 'nothing was done'
	both pod "$tools" | diff /run/before -
	# the text does what apply does
	ip netns add ref
	pod_exec "iptables-$tools-save" | in_ns ref "iptables-$tools-restore"
	in_ns ref "iptables-$tools-restore" --noflush </run/text
	cnish_json apply >/dev/null
	diff <(save ref "$tools" 4) <(save pod "$tools" 4)
}
@test "legacy: --dry-run changes nothing, and its text is what apply does" { in_pod dry_run legacy; }
@test "compat: --dry-run changes nothing, and its text is what apply does" { in_pod dry_run nft; }

# refused STATUS ARG...: fails with that status and one line of error, and nothing was changed
refused() {
	local want=$1 status=0
	shift
	"$CNISH" -t netns:pod "$@" >/run/out 2>/run/err </dev/null || status=$?
	[ $status = "$want" ] || { echo "status $status of: $*"; cat /run/err; false; }
	grep -q '^cnish: ' /run/err
	[ -z "$(cat "/proc/$POD_PID/net/ip_tables_names")" ]
	[ -z "$(pod_exec nft list ruleset)" ]
}

refusals() {
	refused 2 --yes istio apply NO_SUCH_SETTING=1
	grep -q NO_SUCH_SETTING /run/err
	refused 2 --yes istio apply ISTIO_SERVICE_CIDR=10.0.0.0/33
	grep -q 'ISTIO_SERVICE_CIDR.*10.0.0.0/33' /run/err
	refused 2 --yes istio apply INBOUND_CAPTURE_PORT=99999
	refused 2 --yes istio apply ENVOY_PORT=15002
	refused 2 --yes istio apply REDIRECT_DNS=maybe
	refused 2 --yes istio apply --store nonesuch
	refused 2 --yes istio apply --preset nobody
	refused 2 --yes istio apply -- -p
	refused 2 --yes istio apply -- --no-such-flag x
	refused 2 --yes istio apply --store legacy NATIVE_NFTABLES=true
	refused 2 --yes istio apply --wait soon
	refused 6 istio apply
	"$CNISH" -t netns:pod istio apply -o json </dev/null >/run/out 2>/run/err || true
	cat /run/out /run/err | grep -q unconfirmed
}
@test "bad settings and a change nobody confirmed: an error, and nothing is changed" { in_pod refusals; }

# without_libiptc: a move to the legacy store, from where the library cannot be loaded; looking does not need it
without_libiptc() {
	local status=0 lib
	"$CNISH" -t netns:pod --yes istio apply --store compat >/dev/null
	pod_exec nft list ruleset >/run/before
	for lib in libip4tc.so.2 libip6tc.so.2; do
		mount --bind /dev/null "$(PATH=$PATH:/sbin ldconfig -p | sed -n "s/.*$lib .* => //p" | head -n 1)"
		status=0
		"$CNISH" -t netns:pod --yes istio apply --store legacy >/run/out 2>/run/err </dev/null || status=$?
		cat /run/err
		[ $status = 5 ]
		grep -q "written by $lib, which cannot be loaded" /run/err
		grep -q 'install it' /run/err
		pod_exec nft list ruleset | diff /run/before -
		[ -z "$(cat "/proc/$POD_PID/net/ip_tables_names")" ]
		"$CNISH" -t netns:pod tables -o save | grep -q ISTIO_OUTPUT
		umount "$(PATH=$PATH:/sbin ldconfig -p | sed -n "s/.*$lib .* => //p" | head -n 1)"
	done
	"$CNISH" -t netns:pod --yes istio apply --store legacy >/dev/null
}
@test "without libiptc a change is refused before it begins, and looking works" { in_pod without_libiptc; }

# answered TEXT: apply on a terminal, where TEXT is typed; its status
answered() {
	local status=0
	printf '%s' "$1" | script -qec "$CNISH -t netns:pod istio apply --store legacy" /run/typescript >/dev/null || status=$?
	echo $status
}

asked() {
	local no
	for no in $'n\n' $'\n' $'yesterday\n' $'\004'; do
		[ "$(answered "$no")" = 6 ]
		[ -z "$(cat /proc/$POD_PID/net/ip_tables_names)" ]
	done
	[ "$(answered $'y\n')" = 0 ]
	pod_exec iptables-legacy-save | grep -q 'ISTIO_REDIRECT -p tcp'
	# what changes something needs its full word
	! "$CNISH" -t netns:pod istio flus --yes 2>/run/err
	grep -q 'full word' /run/err
	pod_exec iptables-legacy-save | grep -q ISTIO_REDIRECT
}
@test "on a terminal it asks: yes makes the change, anything else does not" { in_pod asked; }

groups() {
	refused 5 --yes istio apply ISTIO_OUTBOUND_OWNER_GROUPS=nosuchgroup || refused 2 --yes istio apply ISTIO_OUTBOUND_OWNER_GROUPS=nosuchgroup
	grep -q nosuchgroup /run/err
}
@test "a group by name cannot be written, and nothing is changed" { in_pod groups; }

locked() {
	local pid status=0
	pod_istio legacy
	pod_exec iptables-legacy -w 10 -t nat -D ISTIO_INBOUND 2
	both pod legacy >/run/before
	: >/run/xtables.lock
	# the name of the holder is that of the process
	perl -e 'use Fcntl ":flock"; open(F, ">", "/run/xtables.lock"); flock(F, LOCK_EX); $0 = "holder";
		open(R, ">", "/run/held"); close(R); sleep 1000' &
	pid=$!
	until_true test -e /run/held
	timeout 20 "$CNISH" -t netns:pod --yes istio apply --wait 1 >/run/out 2>/run/err || status=$?
	[ $status = 5 ]
	grep -q "$pid" /run/err || { cat /run/err; false; }
	both pod legacy | diff /run/before -
	# one that waits goes on as soon as it can
	"$CNISH" -t netns:pod --yes istio apply --wait 60 >/run/out 2>&1 &
	kill $pid
	wait $!
	"$CNISH" -t netns:pod istio verify
}
@test "the xtables lock: waiting is bounded, the holder is named" { in_pod locked; }

presets() {
	local p
	for p in istio-init cni vm; do
		cnish_json apply --preset $p >/dev/null
		"$CNISH" -t netns:pod istio verify --preset $p >/dev/null
	done
	# the CNI's, TPROXY and DNS sets are told from the rules
	cnish_json apply --preset cni ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY REDIRECT_DNS=true DNS_SERVERS=10.96.0.10 >/dev/null
	"$CNISH" -t netns:pod istio verify --preset cni ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY REDIRECT_DNS=true DNS_SERVERS=10.96.0.10
	"$CNISH" -t netns:pod istio verify 2>/dev/null
	cnish_json apply ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY REDIRECT_DNS=true CAPTURE_ALL_DNS=1 >/dev/null
	"$CNISH" -t netns:pod istio verify 2>/run/err
	grep -q 'taken from the rules: ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY' /run/err
	cnish_json apply --preset cni >/dev/null
	"$CNISH" -t netns:pod istio verify
	# istio-init's own vector
	cnish_json apply -- -p 15001 -z 15006 -u 1337 -m REDIRECT -i '*' -x '' -b '*' -d 15090,15021,15020 >/dev/null
	"$CNISH" -t netns:pod istio verify --preset istio-init
}
@test "presets, istio-init's arguments, and sets told from the rules" { in_pod presets; }

former_state() {
	export XDG_STATE_HOME=/run/state
	pod_istio legacy
	cnish_json flush >/run/json
	local file
	file=$(jq -r .undo /run/json)
	[ "$(stat -c %a "$file")" = 600 ]
	grep -q -- '-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001' "$file"
	pod_exec iptables-legacy-restore < <(sed '/family ip6/,$d' "$file")
	ENABLE= "$CNISH" -t netns:pod istio verify -4
}
@test "the former state is kept in a file before the first change" { in_pod former_state; }

# steps: what there is of Istio's routing, and how often
steps() { { pod_exec ip rule; pod_exec ip -6 rule; } | grep -c 'fwmark'; }

tproxy_steps() {
	local tp=ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY f
	{ pod_exec ip rule; pod_exec ip -6 rule; pod_exec ip route show table all; pod_exec ip -6 route show table all; } >/run/bare
	cnish_json apply $tp DUAL_STACK=true >/run/json
	"$TOP/tests/lib/validate" istio-apply </run/json
	jq -e '[.routing[] | select(.op == "add") | .what] | sort == ["address", "route", "route", "rule", "rule"]' /run/json
	for f in 4 6; do
		pod_exec ip -$f rule | grep -E '^327[0-9]+:.from all fwmark 0x539 lookup 133$'
		pod_exec ip -$f route show table 133 | grep -E '^local default dev lo'
	done
	[ "$(steps)" = 2 ]
	cnish_json apply $tp DUAL_STACK=true | jq -e '(.changed | not) and .routing == []'
	# Istio adds the rule once more at each run
	pod_exec ip rule add fwmark 1337 lookup 133
	pod_exec ip rule add fwmark 1337 lookup 133
	pod_exec ip -6 route del local default dev lo table 133
	pod_exec ip -6 addr del ::6/128 dev lo
	! "$CNISH" -t netns:pod -o json istio verify >/run/json 2>/dev/null
	"$TOP/tests/lib/validate" istio-verify </run/json
	jq -e '([.routing[] | .kind + " " + .what] | sort) == ["duplicate rule", "duplicate rule", "missing address", "missing route"]' /run/json
	cnish_json apply $tp DUAL_STACK=true >/dev/null
	[ "$(steps)" = 2 ]
	"$CNISH" -t netns:pod istio verify
	# another mark and table; what belonged to the former goes
	cnish_json apply $tp DUAL_STACK=true ISTIO_INBOUND_TPROXY_MARK=77 ISTIO_INBOUND_TPROXY_ROUTE_TABLE=300 >/dev/null
	pod_exec ip rule | grep -E 'fwmark 0x4d lookup 300$'
	[ "$(steps)" = 2 ]
	# foreign ones are not touched; Istio's go, duplicates too, though nobody names mark and table
	pod_exec ip rule add fwmark 1 lookup 100
	pod_exec ip route add local default dev lo table 100
	pod_exec ip rule add fwmark 77 lookup 300
	cnish_json flush >/run/json
	"$TOP/tests/lib/validate" istio-flush </run/json
	pod_exec ip rule del fwmark 1 lookup 100
	pod_exec ip route del local default dev lo table 100
	{ pod_exec ip rule; pod_exec ip -6 rule; pod_exec ip route show table all; pod_exec ip -6 route show table all; } |
		diff /run/bare -
	# somebody's rule for the same mark, where Istio has none since it captures no port
	cnish_json apply $tp ISTIO_INBOUND_PORTS= ISTIO_EXCLUDE_INTERFACES=eth7 >/dev/null
	pod_exec ip rule add pref 1442 fwmark 1337 lookup 99
	cnish_json flush >/dev/null
	pod_exec ip rule del pref 1442 fwmark 1337 lookup 99
	# ambient
	cnish_json apply MODE=ambient DUAL_STACK=true >/dev/null
	pod_exec ip -6 rule | grep -E '^32764:.from all fwmark 0x111/0xfff lookup 100$'
	"$CNISH" -t netns:pod istio verify MODE=ambient DUAL_STACK=true
	cnish_json flush >/dev/null
	! { pod_exec ip rule; pod_exec ip -6 rule; } | grep fwmark
}
@test "routing rules, routes and ::6: set once, verified, removed with their duplicates" { in_pod tproxy_steps; }

tproxy_traffic() {
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 >/dev/null
	pod_standin -t -n envoy -u 1337 -g 1337 tcp/15006 >/dev/null
	pod_standin -n app -u 1000 -g 1000 tcp/8080 >/dev/null
	node_standin tcp/80 >/dev/null
	cnish_json apply --store "$1" ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY DUAL_STACK=true >/dev/null
	local a
	# the transparent listener sees the destination that was meant, and the client's own address
	for a in "$POD_IP" "$POD_IP6"; do
		node_connect tcp "$a" 8080 >/run/conn
		jq -e --arg a "$a" '.reply.port == 15006 and .reply.local == $a and .reply.lport == 8080' /run/conn
	done
	for a in "$SERVICE_IP" "$SERVICE_IP6"; do
		pod_connect -u 1000 -g 1000 tcp "$a" 80 | jq -e '.reply.port == 15001 and .reply.oport == 80'
	done
	# without the routing rule nothing arrives: the step is not for show
	cnish_json flush >/dev/null
	node_connect tcp "$POD_IP" 8080 | jq -e '.reply.port == 8080'
}
@test "TPROXY: connections arrive at a transparent listener, rules in the legacy store" { in_pod tproxy_traffic legacy; }
@test "TPROXY: connections arrive at a transparent listener, rules in the compat store" { in_pod tproxy_traffic compat; }

left_behind() {
	local tools=$1 c p x="pod_exec iptables-$1 -w 10"
	pod_istio "$tools"
	both pod "$tools" >/run/good
	for c in INPUT FORWARD OUTPUT; do
		for p in tcp udp; do $x -I $c 1 -p $p -j DROP; done
	done
	$x -t nat -A INPUT -p 255 -j RETURN
	! "$CNISH" -t netns:pod -o json istio verify >/run/json
	jq -e '([.differences[] | select(.table == "filter")] | length) == 6 and
		any(.differences[]; .table == "nat" and .chain == "INPUT")' /run/json
	cnish_json apply >/dev/null
	both pod "$tools" | diff /run/good -
	# fewer than all may be anybody's
	$x -I INPUT 1 -p tcp -j DROP
	"$CNISH" -t netns:pod istio verify
}
@test "legacy: guardrails and probe rules of a killed programmer are found and removed" { in_pod left_behind legacy; }
@test "compat: guardrails and probe rules of a killed programmer are found and removed" { in_pod left_behind nft; }

# effect WORDS...: what a rule's loss is said to do
effect() { jq -r --arg r "$1" '[.differences[] | select(.rule == $r)] | if length == 1 then .[0].effect else error("not one") end' /run/json; }

# What verify says of a difference is where real connections arrive then.
effects() {
	local x="pod_exec iptables-$1 -w 10 -t nat" exclude=ISTIO_SERVICE_EXCLUDE_CIDR=$FAR_IP/32 out
	pod_standin -n envoy -u 1337 -g 1337 tcp/15001 tcp/15006 tcp/15090 >/dev/null
	pod_standin -n app -u 1000 -g 1000 tcp/8080 >/dev/null
	node_standin tcp/80 >/dev/null
	cnish_json apply "$exclude" --store "$2" >/dev/null
	$x -D ISTIO_INBOUND -p tcp --dport 15090 -j RETURN
	$x -D ISTIO_OUTPUT -d "$FAR_IP" -j RETURN
	$x -D ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN
	$x -I ISTIO_IN_REDIRECT 1 -p tcp --dport 8080 -j ACCEPT
	! "$CNISH" -t netns:pod -o json istio verify "$exclude" >/run/json
	[ "$(effect '-p tcp --dport 15090 -j RETURN')" = 'client to excluded port 15090: port 15006, redirected, instead of port 15090' ]
	node_connect tcp "$POD_IP" 15090 | jq -e '.reply.port == 15006'
	out=$(effect "-d $FAR_IP/32 -j RETURN")
	[ "$out" = "application to excluded $FAR_IP/32: port 15001, redirected, instead of leaves the pod, port 80" ]
	pod_connect -u 1000 -g 1000 tcp "$FAR_IP" 80 | jq -e '.reply.port == 15001'
	out=$(effect '-m owner --uid-owner 1337 -j RETURN')
	[ "$out" = "proxy's user in another group, to a service: port 15001, redirected, instead of leaves the pod, port 80" ]
	pod_connect -u 1337 -g 1000 tcp "$SERVICE_IP" 80 | jq -e '.reply.port == 15001'
	effect '-p tcp -m tcp --dport 8080 -j ACCEPT' | grep 'client to the application: port 8080, instead of port 15006, redirected'
	node_connect tcp "$POD_IP" 8080 | jq -e '.reply.port == 8080'
	# a second set in the other store is told by what the two do together
	cnish_json apply "$exclude" --store "$2" >/dev/null
	pod_istio "$3"
	$x -S >/run/before
	! "$CNISH" -t netns:pod -o json istio verify --store "$2" "$exclude" >/run/json
	$x -S | diff /run/before -
	jq -e '[.differences[] | select(.table == "nat" and .family == "ip") | .effect] | unique | length == 1' /run/json
}
@test "legacy: what a difference is said to do is what real connections meet" { in_pod effects legacy legacy nft; }
@test "compat: what a difference is said to do is what real connections meet" { in_pod effects nft compat legacy; }

# A pod with hostUsers: false: its network namespace belongs to a user namespace of its own.
host_users() {
	local pid x
	unshare -U -n sleep 1000 3>&- &
	pid=$!
	until_true eval "[ \"\$(readlink /proc/$pid/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
	echo '0 100000 65536' >/proc/$pid/uid_map
	echo '0 100000 65536' >/proc/$pid/gid_map
	touch /run/anybody # the lock of the tools, which are not root here
	chmod 666 /run/anybody
	x="nsenter -t $pid -U -n env XTABLES_LOCKFILE=/run/anybody"
	$x ip link set lo up
	for store in legacy compat native; do
		cnish=("$CNISH" -t "pid:$pid" --yes -o json istio)
		"${cnish[@]}" apply --store $store ENABLE_INBOUND_IPV6=true ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=5 >/run/out || { cat /run/out; false; }
		"${cnish[@]}" verify ENABLE_INBOUND_IPV6=true ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=5 NATIVE_NFTABLES="$([ $store = native ] && echo true || echo false)" >/run/json
		case $store in
		legacy) $x iptables-legacy -t nat -S ISTIO_OUTPUT | grep -- '--uid-owner 1337 -j RETURN' ;;
		compat) $x iptables-nft -t nat -S ISTIO_OUTPUT 2>/dev/null | grep -- '--uid-owner 1337 -j RETURN' ;;
		native) $x nft list ruleset | grep 'skuid 1337 counter packets 0 bytes 0 return' ;;
		esac
		"${cnish[@]}" flush >/dev/null
		"${cnish[@]}" undo >/dev/null
		"${cnish[@]}" flush >/dev/null
		! { $x iptables-legacy-save; $x iptables-nft-save; $x nft list ruleset; } 2>/dev/null | grep -i istio
	done
	kill $pid
}
@test "a pod of a user namespace of its own: rules about users in every store" { in_pod host_users; }
