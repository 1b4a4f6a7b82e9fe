#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_random - random configurations: apply gives what the real tools load, verify is clean, flush leaves nothing
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"

one_of() {
	local -a words=("$@")
	echo "${words[RANDOM % ${#words[@]}]}"
}

# random_settings SEED: sets 'settings'
random_settings() {
	RANDOM=$1
	settings=(
		"MODE=$(one_of sidecar sidecar sidecar ambient)" "ENABLE_INBOUND_IPV6=$(one_of true false)"
		"INGRESS_MODE=$(one_of true false)"
		"ISTIO_INBOUND_PORTS=$(one_of '*' '' 80 80,443,8080)"
		"ISTIO_LOCAL_EXCLUDE_PORTS=$(one_of '' 22 15090,15021,15020 80,80)"
		"ISTIO_SERVICE_CIDR=$(one_of '*' '' 10.0.0.0/8 10.1.2.3/8,fd00::1/64 127.0.0.1/8,::1/128)"
		"ISTIO_SERVICE_EXCLUDE_CIDR=$(one_of '' 10.0.0.1/32 1.1.1.1/0,::/0)"
		"ISTIO_OUTBOUND_PORTS=$(one_of '' 443 80,81)"
		"ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE=$(one_of '' 15020 53,1000:2000)"
		"ISTIO_EXCLUDE_INTERFACES=$(one_of '' eth5 eth5,net+)"
		"KUBE_VIRT_INTERFACES=$(one_of '' tap1 tap1,tap2)"
		"PROXY_UID=$(one_of '' 0 1337 1,2)" "PROXY_GID=$(one_of '' 1337 7,8)"
		"ISTIO_INBOUND_INTERCEPTION_MODE=$(one_of REDIRECT TPROXY '')"
		"ISTIO_INBOUND_TPROXY_MARK=$(one_of 1337 1 4294967295)"
		"REDIRECT_DNS=$(one_of true false)" "CAPTURE_ALL_DNS=$(one_of true false)"
		"DNS_SERVERS=$(one_of '' 10.96.0.10 10.96.0.10,fd00::a 1.2.3.4,5.6.7.8,::2)"
		"DROP_INVALID=$(one_of true false)"
		"ISTIO_OUTBOUND_OWNER_GROUPS=$(one_of '*' '' 5 5,6,7)"
		"ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=$(one_of '' 9 9,10)"
		"ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=$(one_of 127.0.0.1/32 127.0.0.0/8 127.0.0.1/8)"
	)
}

# state NS TOOLS: both families, tables in one order, without empty ones
state() {
	local tool
	for tool in iptables ip6tables; do
		in_ns "$1" "$tool-$2-save" | sed -E '/^#/d; /^:/s/ \[[0-9:]*\]$//' |
			awk '/^\*/ { text = ""; used = 0; name = $0 } { text = text $0 "\n" } /^-A/ || /^:.* -$/ { used = 1 }
				/^COMMIT/ && used { all[name] = text }
				END { n = split("raw mangle nat filter", t); for (i = 1; i <= n; i++) printf "%s", all["*" t[i]] }'
	done
}

load_plan() {
	local f tool
	for f in 4 6; do
		tool=iptables
		[ $f = 4 ] || tool=ip6tables
		"$CNISH" -t netns:got istio show -o save -$f "${settings[@]}" 2>/dev/null >/run/text
		[ ! -s /run/text ] || in_ns ref "$tool-$1-restore" --noflush </run/text
	done
}

# What Istio does besides, in ip's words, from the settings alone
load_steps() {
	local set=" ${settings[*]} " six=false mark table="" f
	[[ $set != *" ENABLE_INBOUND_IPV6=true "* ]] || six=true
	if [[ $set == *" MODE=ambient "* ]]; then
		mark="0x111/0xfff pref 32764" table=100
	else
		! $six || in_ns "$1" ip -6 addr add ::6/128 dev lo
		if [[ $set == *"_MODE=TPROXY "* && $set != *" ISTIO_INBOUND_PORTS= "* ]]; then
			mark=$(sed -E 's/.*TPROXY_MARK=([0-9]+).*/\1/' <<<"$set") table=133
		fi
	fi
	for f in 4 6; do
		[ -n "$table" ] && { [ $f = 4 ] || $six; } || continue
		# shellcheck disable=SC2086
		in_ns "$1" ip -$f rule add fwmark $mark lookup $table
		in_ns "$1" ip -$f route add local default dev lo scope host table $table
	done
}

routing() {
	in_ns "$1" ip -4 rule
	in_ns "$1" ip -6 rule
	in_ns "$1" ip -4 route show table all type local
	in_ns "$1" ip -6 route show table all type local | sed 's/ pref medium//'
	in_ns "$1" ip -6 addr show dev lo | sed 's/^[0-9]*: //; /valid_lft/d'
}

one_round() {
	local tools=$1 store=compat
	local -a settings
	random_settings "$2"
	[ "$tools" = nft ] || store=legacy
	ip netns add ref
	ip netns add got
	in_ns ref ip link set lo up
	in_ns got ip link set lo up
	load_plan "$tools"
	routing ref >/run/bare
	load_steps ref
	"$CNISH" -t netns:got --yes istio apply --store $store "${settings[@]}" >/dev/null 2>&1
	diff <(state ref "$tools") <(state got "$tools")
	diff <(routing ref) <(routing got)
	"$CNISH" -t netns:got istio verify "${settings[@]}" 2>/dev/null
	"$CNISH" -t netns:ref istio verify "${settings[@]}" 2>/dev/null
	"$CNISH" -t netns:ref --yes istio flush "${settings[@]}" >/dev/null 2>&1
	[ -z "$(state ref "$tools")" ]
	routing ref | diff /run/bare -
	ip netns del ref
	ip netns del got
}

rounds() {
	local i seed
	export XDG_STATE_HOME=/run/state
	for ((i = 0; i < 8; i++)); do
		seed=$(($2 + i))
		echo "round: $1 $seed" >&2
		one_round "$1" "$seed"
	done
}
@test "random configurations in the legacy store" { in_pod rounds legacy "$(date +%s)"; }
@test "random configurations in the compat store" { in_pod rounds nft "$(($(date +%s) + 1000))"; }
