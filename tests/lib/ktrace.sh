#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ktrace.sh - compares "cnish trace" with the kernel's own trace of a real connection; to be sourced after pod.sh
#
#   ktrace_on [rawsend]                         the pod's first packets get the trace bit (and what rawsend sends)
#   ktrace_compare out UID GID PROTO SRC DST PORT [WORD...]   a connection of the pod; SRC "-" lets routing choose
#   ktrace_compare in  UID GID PROTO SRC DST PORT [WORD...]   one of the node into the pod
# Compared are: every rule that matched and every policy, in order, with the verdict; and who answered.

# First packets only: answers and later segments would hide what is compared.
ktrace_on() {
	local hook
	{
		echo 'table inet ktrace {'
		for hook in prerouting output; do
			echo "chain $hook { type filter hook $hook priority -500;"
			echo 'tcp flags & (fin | syn | rst | ack) == syn meta nftrace set 1'
			echo 'udp dport { 53, 5353 } meta nftrace set 1'
			[ "${1:-}" != rawsend ] || printf 'ip ttl 77 meta nftrace set 1\nip6 hoplimit 77 meta nftrace set 1\n'
			echo 'icmp type echo-request meta nftrace set 1'
			echo 'icmpv6 type echo-request meta nftrace set 1'
			echo '}'
		done
		echo '}'
	} | pod_exec nft -f -
}

# The kernel's lines as words: "legacy ip nat OUTPUT 1", "nft ip nat OUTPUT 8 jump ISTIO_OUTPUT", "... policy"
ktrace_words() {
	jq -r 'select(.table != "ktrace" and .type != "return")
		| select(.type == "policy" or .world == "legacy" or .handle)
		| [.world, .family, .table, .chain]
		+ if .type == "policy" then ["policy"]
		  elif .world == "legacy" then [.rule]
		  else [.handle, .verdict, .to // empty] end | join(" ")'
}

# The same of cnish, one branch
ktrace_cnish_words() {
	jq -r --argjson branch "${1:-0}" '.steps[] | select(.branch == $branch and .matched and .table != "ktrace")
		| [(if .store == "legacy" then "legacy" else "nft" end), .family, .table, .chain]
		+ if .rule == null then ["policy"]
		  elif .store == "legacy" then [.rule]
		  else [.handle, (if .verdict == "reject" then "drop" else .verdict end), .to // empty] end | join(" ")'
}

# ktrace_without_maybe FILE: of the kernel's words those that cnish did not leave open (matched: null)
ktrace_without_maybe() {
	grep -vxFf <(jq -r '.steps[] | select(.matched == null)
		| [(if .store == "legacy" then "legacy" else "nft" end), .family, .table, .chain]
		+ (if .store == "legacy" then [.rule] else [.handle, "continue"] end) | join(" ")' "$1"; echo -) || true
}

# Who answered, as both sides tell it: "envoy 15001", "out", "-" (nobody, or no answer expected)
ktrace_answer() {
	jq -r 'if .reply then .reply.name + " " + (.reply.port | tostring) else "-" end'
}

ktrace_cnish_answer() {
	jq -r --argjson branch "${1:-0}" '.outcomes[$branch] | if .path == "out" then "node " + (.destination.port | tostring)
		elif .listener then .listener.name + " " + (.listener.port | tostring) else "-" end'
}

ktrace_compare() {
	local path=$1 uid=$2 gid=$3 proto=$4 src=$5 dst=$6 port=$7 target=$6 kernel cnish
	shift 7
	local -a connect=("$TOOLS/connect" -w 300 -u "$uid" -g "$gid") words=()
	[ "$src" = - ] || connect+=(-s "$src")
	case $proto in tcp) ;; *) connect+=(-n) ;; esac
	case $dst in *:*) target="[$dst]" ;; esac
	case $proto in
	icmp*) connect+=(icmp "$dst") target=$dst ;;
	*) connect+=("$proto" "$dst" "$port") target=$target:$port ;;
	esac
	case $path in
	out) words=(uid "$uid" gid "$gid") ;;
	in) connect=(nsenter --net=/proc/1/ns/net -- "${connect[@]}") ;;
	esac
	[ "$src" = - ] || target="$src to $target"
	pod_exec "$TOOLS/ktrace" -o "$WORK/answer" "${connect[@]}" >"$WORK/kernel.json" 2>"$WORK/kernel.err" || true
	"$CNISH" -o json -t netns:pod trace --all "$path" "$proto" "$target" "${words[@]}" "$@" >"$WORK/cnish.json" ||
		{ echo "trace $path $proto $target ${words[*]}: status $?"; return 1; }
	kernel=$(ktrace_words <"$WORK/kernel.json")
	cnish=$(ktrace_cnish_words <"$WORK/cnish.json")
	COMPARED=$((${COMPARED:-0} + $(wc -l <<<"$kernel")))
	if [ "$(jq '.outcomes | length' "$WORK/cnish.json")" != 1 ]; then
		echo "trace $path $proto $target ${words[*]}: several outcomes"
		jq -c '.outcomes[]' "$WORK/cnish.json"
		return 1
	fi
	if [ -z "$kernel" ] || [ "$kernel" != "$cnish" ]; then
		echo "trace $path $proto $target ${words[*]}: the kernel (<) and cnish (>) differ"
		cat "$WORK/kernel.err"
		diff <(echo "$kernel") <(echo "$cnish")
		return 1
	fi
	[ "$proto" = tcp ] || return 0
	if [ "$(ktrace_answer <"$WORK/answer")" != "$(ktrace_cnish_answer <"$WORK/cnish.json")" ]; then
		echo "trace $path $proto $target ${words[*]}: $(cat "$WORK/answer")"
		jq -c '.outcomes[]' "$WORK/cnish.json"
		return 1
	fi
}
