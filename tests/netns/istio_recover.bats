#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_recover - mode, version and settings are told from the rules alone: random settings of each era, and a rule lost

source "$TOP/tests/lib/pod.sh"

recover() { python3 "$TOP/tests/netns/istio_recover.py" "$CNISH" "$(date +%s)" 2; }
@test "random settings of each era and mode are recovered from the rules" {
	sandbox recover >"$BATS_TEST_TMPDIR/rates" || { cat "$BATS_TEST_TMPDIR/rates"; false; }
	sed 's/^/# /' "$BATS_TEST_TMPDIR/rates" >&3
}

# setting KEY VALUE: verify without settings has taken it so
setting() {
	"$CNISH" -t netns:pod -o json istio verify 2>/run/err >/run/json || :
	jq -e --arg k "$1" --arg v "$2" '.expected.settings[$k] == $v' /run/json >/dev/null ||
		{ echo "$1 is not $2 but $(jq --arg k "$1" '.expected.settings[$k]' /run/json)"; false; }
}

load() {
	"$CNISH" -t netns:pod istio show -o save -4 ENABLE_INBOUND_IPV6=false "$@" 2>/dev/null |
		pod_exec iptables-nft-restore --noflush
}

empty() { printf '*nat\nCOMMIT\n*mangle\nCOMMIT\n*raw\nCOMMIT\n' | pod_exec iptables-nft-restore; }

missing() { jq -e --arg r "$1" 'any(.differences[]; .kind == "missing" and (.rule | contains($r)))' /run/json >/dev/null; }

lost() {
	local x="pod_exec iptables-nft -t nat"
	# One rule less is a rule less, though there are settings without it
	load
	$x -D ISTIO_OUTPUT -j ISTIO_REDIRECT
	setting ISTIO_SERVICE_CIDR '*'
	missing '-j ISTIO_REDIRECT'
	grep 'ISTIO_SERVICE_CIDR is empty' /run/err >/dev/null
	empty; load
	$x -D ISTIO_INBOUND -p tcp --dport 15021 -j RETURN
	setting ISTIO_LOCAL_EXCLUDE_PORTS 15090,15021,15020
	missing 15021
	empty; load
	$x -D PREROUTING -p tcp -j ISTIO_INBOUND
	setting ISTIO_INBOUND_PORTS '*'
	missing '-j ISTIO_INBOUND'
	empty; load ISTIO_META_DNS_CAPTURE=true DNS_SERVERS=10.96.0.10
	$x -D ISTIO_OUTPUT_DNS -p udp --dport 53 -d 10.96.0.10/32 -j REDIRECT --to-ports 15053
	setting DNS_SERVERS 10.96.0.10
	missing '-p udp --dport 53 -d 10.96.0.10/32'
	# What is asked for in no way at all is what there is
	empty; load ISTIO_SERVICE_CIDR= ISTIO_OUTBOUND_PORTS=443
	setting ISTIO_SERVICE_CIDR ''
	jq -e '.differences == []' /run/json
	# Nonsense in Istio's chains is nobody's settings
	empty; load
	$x -I ISTIO_OUTPUT 9 -d 10.0.0.0/255.0.255.0 -j RETURN
	setting ISTIO_SERVICE_EXCLUDE_CIDR ''
	grep 'no set of settings' /run/err >/dev/null
	"$CNISH" -t netns:pod --yes istio flush >/dev/null 2>&1
	[ -z "$(pod_exec iptables-nft-save | grep ISTIO)" ]
}
@test "a lost rule is not taken for a setting" { in_pod lost; }

# Rules of excluded interfaces look like anybody's; foreign ones stand between them, one of them in one table only.
# (In the legacy store without TPROXY nothing tells the one from the other: then those directly above the jump count.)
excluded() {
	local x i tool=$1 store=$2 mode
	shift 2
	for mode; do
		x="pod_exec iptables-$tool -t"
		"$CNISH" -t netns:pod --yes istio apply --store "$store" ISTIO_EXCLUDE_INTERFACES=eth5,net1 "ISTIO_INBOUND_INTERCEPTION_MODE=$mode" >/dev/null 2>&1
		$x nat -I OUTPUT 2 -p tcp --dport 99 -j ACCEPT
		$x nat -I PREROUTING 2 -p tcp --dport 98 -j ACCEPT
		$x nat -A PREROUTING -i eth9 -j RETURN
		$x nat -I OUTPUT 4 -o eth9 -j RETURN
		$x mangle -I OUTPUT 1 -p tcp --dport 97 -j ACCEPT
		setting ISTIO_EXCLUDE_INTERFACES eth5,net1
		jq -e '.differences == []' /run/json
		"$CNISH" -t netns:pod --yes istio flush >/dev/null 2>&1
		for i in nat mangle; do $x $i -S; done | grep '^-[AN]' >/run/left
		diff - /run/left <<-'END'
			-A PREROUTING -p tcp -m tcp --dport 98 -j ACCEPT
			-A PREROUTING -i eth9 -j RETURN
			-A OUTPUT -p tcp -m tcp --dport 99 -j ACCEPT
			-A OUTPUT -o eth9 -j RETURN
			-A OUTPUT -p tcp -m tcp --dport 97 -j ACCEPT
		END
		printf '*nat\nCOMMIT\n*mangle\nCOMMIT\n' | pod_exec "iptables-$tool-restore"
	done
}
@test "legacy: excluded interfaces among foreign rules are recovered and flushed" { in_pod excluded legacy legacy TPROXY; }
@test "compat: excluded interfaces among foreign rules are recovered and flushed" { in_pod excluded nft compat REDIRECT TPROXY; }

# What somebody put in by hand is no setting: where Istio has no such rule, only one of two, or one in another place
tampered() {
	local want rule
	while IFS='|' read -r want rule; do
		istio_rules 4 | pod_exec iptables-nft-restore
		pod_exec sh -c "iptables-nft -t $rule"
		"$CNISH" -t netns:pod -o json istio verify >/run/json 2>/dev/null || :
		[ "$(jq -r '[.differences[] | "\(.kind) \(.table) \(.chain) \(.index)"] | join(", ")' /run/json)" = "$want" ] ||
			{ echo "$rule: wanted $want"; jq -c '.differences[] | [.kind, .table, .chain, .index, .rule]' /run/json; return 1; }
	done <<-'END'
		|nat -S
		extra nat ISTIO_OUTPUT 1|nat -I ISTIO_OUTPUT 1 -p tcp --dport 443 -j RETURN
		extra nat ISTIO_OUTPUT 1|nat -I ISTIO_OUTPUT 1 -p udp --dport 443 -j RETURN
		extra nat ISTIO_OUTPUT 1|nat -I ISTIO_OUTPUT 1 -d 10.0.0.0/8 -j RETURN
		extra nat ISTIO_OUTPUT 1|nat -I ISTIO_OUTPUT 1 -m owner --uid-owner 1000 -j RETURN
		extra nat ISTIO_OUTPUT 5|nat -I ISTIO_OUTPUT 5 -m owner --uid-owner 0 -j RETURN
		extra nat ISTIO_OUTPUT 1|nat -I ISTIO_OUTPUT 1 -m owner --gid-owner 1000 -j RETURN
		extra nat ISTIO_OUTPUT 10|nat -A ISTIO_OUTPUT -d 10.0.0.0/8 -j RETURN
		extra nat ISTIO_INBOUND 1|nat -I ISTIO_INBOUND 1 -p tcp --dport 8080 -j RETURN
		changed nat ISTIO_OUTPUT 4|nat -R ISTIO_OUTPUT 4 -m owner --uid-owner 1338 -j RETURN
		changed nat ISTIO_OUTPUT 8|nat -R ISTIO_OUTPUT 8 -d 127.0.0.0/8 -j RETURN
		changed nat ISTIO_IN_REDIRECT 1|nat -R ISTIO_IN_REDIRECT 1 -p tcp -j REDIRECT --to-ports 15001
		extra mangle ISTIO_INBOUND null|mangle -N ISTIO_INBOUND
	END
}
@test "a rule put in by hand is an extra one, no setting" { in_pod tampered; }
