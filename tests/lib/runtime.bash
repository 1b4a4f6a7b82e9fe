# SPDX-License-Identifier: GPL-2.0-or-later
# runtime - start a node with real runtimes for a bats file, work in it, end it without a trace

# world_up WHAT...: for setup_file; sets and exports WORLD (folder), HOLDER (its first process)
world_up() {
	local n
	WORLD=$(mktemp -d "${BATS_FILE_TMPDIR:-/tmp}/w.XXXXXX")
	export WORLD
	unshare -m -n -p -f --mount-proc --kill-child --propagation private \
		"$TOP/tests/lib/world" "$WORLD" "$@" >"$WORLD/log" 2>&1 3>&- &
	UNSHARE=$!
	export UNSHARE
	for n in $(seq 1200); do
		[ ! -e "$WORLD/ready" ] || break
		kill -0 "$UNSHARE" 2>/dev/null || break
		sleep 0.05
	done
	if [ ! -e "$WORLD/ready" ]; then
		echo "the node did not come up:" >&2
		tail -n 5 "$WORLD/log" "$WORLD"/*/log >&2
		return 1
	fi
	HOLDER=$(pgrep -P "$UNSHARE")
	export HOLDER
}

# world_down: for teardown_file; all its processes end with its PID namespace
world_down() {
	local n
	if [ -n "${UNSHARE:-}" ]; then
		kill -9 "${HOLDER:-$UNSHARE}" 2>/dev/null || true
		for n in $(seq 200); do
			kill -0 "$UNSHARE" 2>/dev/null || break
			sleep 0.05
		done
	fi
	# Control groups outlive their processes, and mkdir made those above them too.
	for n in $(seq 20); do
		find /sys/fs/cgroup -depth -type d -path "*/cnish-test-$(basename "$WORLD")*" -exec rmdir {} + 2>/dev/null
		[ -n "$(find /sys/fs/cgroup -maxdepth 2 -type d -name "cnish-test-$(basename "$WORLD")" -print -quit)" ] || break
		sleep 0.1
	done
}

# world_ids: sets the ids of pods and containers as variables
world_ids() {
	# shellcheck disable=SC1091
	. "$WORLD/ids.done"
}

# inside COMMAND...: runs it on the node
inside() {
	nsenter -t "$HOLDER" -m -n -p -- "$@"
}

# on_node ARG...: cnish there, with its containerd's socket
on_node() {
	inside "$CNISH" --runtime "unix://$WORLD/ctd/c.sock" "$@"
}

# no_socket ARG...: cnish there, without any socket
no_socket() {
	inside "$CNISH" --runtime none "$@"
}

# pid_of ID: the first process of a CRI container, as containerd's own tool tells
pid_of() {
	inside ctr -a "$WORLD/ctd/c.sock" -n k8s.io tasks ls | awk -v id="$1" '$1 == id { print $2 }'
}

# inode_of PID: of its network namespace, as the kernel tells
inode_of() {
	inside stat -L -c %i "/proc/$1/ns/net"
}

# docker_pid ID: as docker itself tells
docker_pid() {
	inside curl -sf --unix-socket "$WORLD/dk/d.sock" "http://localhost/containers/$1/json" | jq .State.Pid
}
