#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# liar - runtime sockets that lie, hang or never end: a clear error within the time allowed, and never a wrong answer

bats_require_minimum_version 1.5.0

# The longest a call may take (3 s) and what a loaded machine needs on top.
LIMIT=9

setup() {
	# Names of sockets are short; bats's folders may not be.
	dir=$(mktemp -d /tmp/liar.XXXXXX)
	liars=
}

teardown() {
	# shellcheck disable=SC2086
	[ -z "$liars" ] || kill $liars 2>/dev/null || true
	rm -rf "$dir"
}

# lie SOCKET MODE [ARGUMENT...]: starts one; its pid is added to 'liars'
lie() {
	local n
	"$TOOLS/liar" "$dir/$1" "${@:2}" >"$dir/$1.ready" 2>"$dir/$1.err" 3>&- &
	liars="$liars $!"
	for n in $(seq 200); do
		[ ! -s "$dir/$1.ready" ] || return 0
		sleep 0.02
	done
	cat "$dir/$1.err"
	return 1
}

# alone COMMAND...: with a network of its own, and without a view of what else runs on the machine
alone() {
	unshare -n -m -p -f --mount-proc --kill-child --propagation private "$@"
}

# ask SOCKET ARG...: cnish with this socket; status, output and error to files
ask() {
	local status=0
	alone timeout "$LIMIT" "$CNISH" --runtime "unix://$dir/$1" "${@:2}" >"$dir/$1.out" 2>"$dir/$1.err" </dev/null ||
		status=$?
	echo "$status" >"$dir/$1.status"
}

# told MODE TEXT...: the mode's answer was status 5 and one line with each text
told() {
	local name=$1.$KIND text
	[ "$(cat "$dir/$name.status")" = 5 ] || { echo "$1: status $(cat "$dir/$name.status")"; cat "$dir/$name.err"; return 1; }
	for text in "${@:2}"; do
		grep -qF -- "$text" "$dir/$name.err" || { echo "$1: $(cat "$dir/$name.err")"; return 1; }
	done
	[ "$(wc -l <"$dir/$name.err")" = 1 ] && [ ! -s "$dir/$name.out" ]
	! grep -q $'\033' "$dir/$name.err"
}

# all_at_once MODE...: the time-outs run side by side. A file name that tells nothing makes cnish find out
# itself whom it talks to.
all_at_once() {
	local m running=
	for m; do lie "$m.$KIND" "$m"; done
	for m; do
		ask "$m.$KIND" -t shop/web-0 info 3>&- &
		running="$running $!"
	done
	# shellcheck disable=SC2086
	wait $running
}

@test "CRI: connections that end, hang, or speak another language" {
	KIND=s
	all_at_once shut silent garbage endless-zeros goaway endless-pings drip later
	told shut "closed the connection"
	told silent "within the time allowed"
	told garbage "Version"
	told endless-zeros "HTTP/2"
	# the reset of the call or the end of the connection: which of them is seen first is chance
	told goaway "Version" "the c"
	told endless-pings "within the time allowed"
	told drip "within the time allowed"
	told later "ListPodSandbox" "closed the connection"
}

@test "CRI: frames, lengths and messages that are not true" {
	KIND=s
	all_at_once short-frame wrong-length huge-length compressed not-protobuf reset endless-data endless-headers
	told short-frame "closed the connection"
	told wrong-length "length is not the one"
	told huge-length "length is not the one"
	told compressed compressed
	told not-protobuf "no VersionResponse"
	told reset "INTERNAL_ERROR"
	told endless-data "larger than 16 MiB"
	told endless-headers "larger than 16 MiB"
}

@test "CRI: statuses, in the first headers or in the trailers, are told; none is an error" {
	KIND=s
	all_at_once status-14 status-late status-word no-status http-503 neither
	told status-14 "gRPC status 14: shutting down"
	told status-late "gRPC status 13: no"
	told status-word "without a gRPC status"
	told no-status "without a gRPC status"
	told http-503 "HTTP status 503"
	told neither "v1alpha2" "status 12"
}

@test "docker: answers that are cut, endless, too long or not JSON" {
	KIND=d
	all_at_once http-json http-object http-cut http-huge http-negative http-chunked http-500 http-head http-endless
	told http-json "not JSON"
	told http-object "no list"
	told http-cut "has 2 bytes, but says 1000"
	told http-huge "larger than 16 MiB"
	told http-negative "Content-Length is no number"
	told http-chunked "transfer encoding"
	told http-500 "status 500: database"
	told http-head "no end of headers"
	told http-endless "larger than 16 MiB"
}

@test "docker: a socket that ends, hangs or speaks another language" {
	local m running=
	for m in shut silent garbage endless-zeros; do
		mkdir "$dir/$m"
		lie "$m/docker.sock" "$m"
		ask "$m/docker.sock" pods 3>&- &
		running="$running $!"
	done
	# shellcheck disable=SC2086
	wait $running
	for m in shut silent garbage endless-zeros; do [ "$(cat "$dir/$m/docker.sock.status")" = 5 ]; done
	grep -q "closed the connection" "$dir/shut/docker.sock.err"
	grep -q "within the time allowed" "$dir/silent/docker.sock.err"
	grep -q "not HTTP" "$dir/garbage/docker.sock.err"
	grep -q "no end of headers" "$dir/endless-zeros/docker.sock.err"
}

@test "docker: ids that are no ids are not asked for" {
	lie x.d http-traversal
	ask x.d -o json pods --all
	[ "$(cat "$dir/x.d.status")" = 0 ]
	! grep -q secret "$dir/x.d.out"
}

@test "a socket found by looking that lies is no error: /proc and files answer, and the evidence tells" {
	mkdir -p "$dir/root/run/containerd"
	lie root/run/containerd/containerd.sock status-14
	run --separate-stderr alone "$CNISH" --host-root "$dir/root" -o json pods
	[ "$status" = 0 ]
	jq -e '.sources | any((.source | endswith("containerd.sock")) and (.says | contains("status 14")))' <<<"$output"
}

@test "no socket, no listener, no socket at all: said in words" {
	for what in "nothing:No such file" "dead:no process listens" "file:"; do
		case $what in
		dead:*) python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$dir/dead" ;;
		file:*) echo hello >"$dir/file" ;;
		esac
		ask "${what%%:*}" pods
		[ "$(cat "$dir/${what%%:*}.status")" = 5 ]
		grep -qF "${what#*:}" "$dir/${what%%:*}.err"
	done
	run --separate-stderr "$CNISH" --runtime nonsense pods
	[ "$status" = 2 ]
	[[ $stderr == *"is no socket"*unix://* ]]
}

@test "a stopped runtime does not stop cnish" {
	lie x.s crio /proc/1/ns/net 1
	kill -STOP $liars
	ask x.s pods
	kill -CONT $liars
	[ "$(cat "$dir/x.s.status")" = 5 ]
	grep -q "within the time allowed" "$dir/x.s.err"
}

# A namespace that only a mount keeps, and one process in it, seen as CRI-O would tell of them.
as_crio() {
	alone bash -c '
		unshare -n sleep 1000 >/dev/null 2>&1 3>&- & pid=$!
		while [ /proc/$pid/ns/net -ef /proc/self/ns/net ]; do sleep 0.02; done
		rm -f "$1/ready" # of an earlier one
		touch "$1/netns" && mount --bind /proc/$pid/ns/net "$1/netns" || exit
		"$2/liar" "$1/crio.sock" "$3" "$1/netns" "$4$pid" >"$1/ready" 3>&- & liar=$!
		while [ ! -s "$1/ready" ]; do sleep 0.02; done
		stat -L -c %i "$1/netns" >"$1/inode"
		timeout 9 "$5" --runtime "unix://$1/crio.sock" -o json "${@:6}" >"$1/out"
		status=$?
		echo $pid >"$1/pid"
		kill $pid $liar
		exit $status' _ "$dir" "$TOOLS" "$@"
}

@test "CRI-O without a pause process: the netns path resolves, a container gives the process" {
	as_crio crio "" "$CNISH" -t shop/web-0 info
	[ "$(jq .target.netns.inode "$dir/out")" = "$(cat "$dir/inode")" ]
	[ "$(jq .target.pid "$dir/out")" = "$(cat "$dir/pid")" ]
	jq -e '.target.pod.runtime == "cri-o"' "$dir/out"
	# PIDs that do not exist: only the path is left.
	as_crio crio 99999 "$CNISH" -t shop/web info
	[ "$(jq .target.netns.inode "$dir/out")" = "$(cat "$dir/inode")" ]
	jq -e '.pod_evidence | any(.says | contains("no such process"))' "$dir/out"
}

@test "a runtime that knows v1alpha2 only is asked in it" {
	as_crio old "" "$CNISH" pods
	jq -e '.pods | length == 1 and .[0].name == "web-0"' "$dir/out"
	jq -e '.sources | any(.says | contains("runtime.v1alpha2"))' "$dir/out"
	[ "$(jq '.pods[0].netns.inode' "$dir/out")" = "$(cat "$dir/inode")" ]
}

@test "verbose information that is no JSON, or nonsense, costs the answer only what it held" {
	as_crio bad-info "" "$CNISH" -t web-0 info
	jq -e '.pod_evidence | any(.says | contains("not JSON"))' "$dir/out"
	[ "$(jq .target.pid "$dir/out")" = "$(cat "$dir/pid")" ]
	as_crio bad-pid "" "$CNISH" -t web-0 info
	[ "$(jq .target.pid "$dir/out")" = "$(cat "$dir/pid")" ]
}
