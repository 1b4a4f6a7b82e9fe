#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_eras - rule sets of former versions of Istio: the real tools load them, verify tells the version from them
# shellcheck disable=SC2030,SC2031

source "$TOP/tests/lib/pod.sh"

bats_require_minimum_version 1.5.0

one_of() {
	local -a words=("$@")
	echo "${words[RANDOM % ${#words[@]}]}"
}

# What may stand in the note for a version: its era, as far as the configuration shows it
in_range() {
	local v=${1#1.} from=${2%-*} to=${2#*-}
	[ "$v" -ge "${from#1.}" ] && [ "$v" -le "${to#1.}" ]
}

one_version() {
	local version=$1 tools=$2 f range
	local -a settings=("--istio-version" "$version")
	[ "${version#1.}" -lt 12 ] || settings+=(DUAL_STACK=true)
	[ "${version#1.}" -ge 12 ] || settings+=(ENABLE_INBOUND_IPV6=false)
	if [ "${version#1.}" -ge 12 ]; then
		settings+=("ISTIO_INBOUND_INTERCEPTION_MODE=$(one_of REDIRECT TPROXY)")
		case $(one_of none servers all) in
		servers) settings+=(REDIRECT_DNS=true DNS_SERVERS=10.96.0.10,fd00::a) ;;
		all) settings+=(REDIRECT_DNS=true CAPTURE_ALL_DNS=true) ;;
		esac
	fi
	[ "${version#1.}" -lt 13 ] || settings+=("DROP_INVALID=$(one_of true false)")
	echo "$version: ${settings[*]}" >&2
	for f in 4 6; do
		"$CNISH" -t netns:pod istio show -o save -$f "${settings[@]}" >/run/text 2>/dev/null
		[ $f = 4 ] || [ -s /run/text ] || continue
		pod_exec "$([ $f = 4 ] && echo iptables || echo ip6tables)-$tools-restore" --noflush </run/text
	done
	# IPv6 rules lean on an address, TPROXY on routes: see istio_apply
	"$CNISH" -t netns:pod -o json istio verify "${settings[@]}" >/run/json 2>/dev/null || true
	jq -e '.differences == []' /run/json >/dev/null
	"$CNISH" -t netns:pod -o json istio verify >/run/json 2>/run/err || true
	jq -e '.differences == []' /run/json >/dev/null || { jq -c '.expected, .differences[]' /run/json; cat /run/err; false; }
	if [ "${version#1.}" -lt 25 ]; then
		range=$(sed -n 's/.*the form of Istio //p' /run/err)
		in_range "$version" "$range" || { echo "$version is not in '$range'"; false; }
	else
		jq -e '.expected.version == "1.30"' /run/json >/dev/null
	fi
	"$CNISH" -t netns:pod --yes istio flush >/dev/null 2>&1
	! { pod_exec "iptables-$tools-save"; pod_exec "ip6tables-$tools-save"; } 2>/dev/null | grep -E '^-A|ISTIO'
}

eras() {
	local v
	RANDOM=$(date +%s)
	echo "seed $(date +%s)" >&2
	for v in 1.7 1.10 1.12 1.13 1.17 1.18 1.19 1.20 1.22 1.23 1.24 1.25 1.30; do one_version $v "$1"; done
}
@test "legacy: each era is told from its rules, verified and removed" { in_pod eras legacy; }
@test "compat: each era is told from its rules, verified and removed" { in_pod eras nft; }

refusals() {
	local s
	for s in 1.6 2.0 1 x 1.30x '1.26 NATIVE_NFTABLES=true' '1.10 ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY' '1.20 MODE=ambient' '1.24 MODE=ambient INGRESS_MODE=true' '1.27 MODE=ambient NATIVE_NFTABLES=true' \
		'1.13 ISTIO_OUTBOUND_OWNER_GROUPS=5' '1.11 DROP_INVALID=true' '1.20 ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.0.0/8'; do
		# shellcheck disable=SC2086
		! "$CNISH" -t netns:pod istio show ENABLE_INBOUND_IPV6=false --istio-version $s 2>/run/err || { echo "taken: $s"; false; }
		grep ISTIO_VERSION /run/err >/dev/null
	done
	"$CNISH" -t netns:pod istio show --istio-version 1.26 ISTIO_SERVICE_CIDR=10.0.0.0/8,10.1.0.0,11.0.0.0/8 ISTIO_SERVICE_EXCLUDE_CIDR=x -o save 2>/run/err >/run/text
	grep -c 'passes it over' /run/err | grep -x 2
	[ "$(grep -c -- '-d 1[01].0.0.0/8 -j ISTIO_REDIRECT' /run/text)" = 2 ]
	! "$CNISH" -t netns:pod istio show --istio-version 1.27 ISTIO_SERVICE_CIDR=10.0.0.0/8,10.1.0.0 2>/run/err
	grep "'10.1.0.0' is no address range" /run/err
	"$CNISH" -t netns:pod istio show --istio-version 1.99 2>&1 | grep 'Istio 1.99 are not known: taken as those of 1.30'
}
@test "versions that are not known are refused" { in_pod refusals; }
