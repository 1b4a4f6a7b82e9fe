#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# programs - the rules that real programs write, each in namespaces of its own: every text as the peers have it, owners named

source "$TOP/tests/lib/pod.sh"

# The configuration of the machine is copied, not changed.
copy_over() {
	mkdir -p "/run/copy$1"
	cp -a "$1/." "/run/copy$1"
	mount --bind "/run/copy$1" "$1"
}
same() {
	"$TOP/tests/lib/same-as-peers" >/run/same || { cat /run/same; return 1; }
	cat /run/same
	grep -q "$1" /run/same
}

with_ufw() {
	ip link set lo up
	copy_over /etc/ufw
	copy_over /etc/default
	sed -i 's/^IPT_MODULES=.*/IPT_MODULES=""/' /etc/default/ufw
	ufw allow 22/tcp
	ufw limit 2222/tcp comment 'slow'
	ufw deny from 10.0.0.0/8
	ufw reject out 25
	ufw allow in on eth0 to any port 80,443 proto tcp
	ufw route allow in on eth0 out on eth1
	ufw logging high
	ufw --force enable
	same 'ufw: [1-9]'
}
@test "ufw" {
	command -v ufw >/dev/null || skip "no ufw here"
	sandbox with_ufw
}

with_firewalld() {
	ip link set lo up
	ip link add eth0 type veth peer name eth1
	mkdir -p /run/dbus /run/firewalld
	copy_over /etc/firewalld
	sed -i "s/^FirewallBackend=.*/FirewallBackend=$1/" /etc/firewalld/firewalld.conf
	dbus-daemon --system --fork --nopidfile
	firewalld --nofork --nopid --log-file /run/firewalld.log &
	until_true firewall-cmd --state
	firewall-cmd --zone=public --add-interface=eth0 --permanent
	firewall-cmd --permanent --add-service=http
	firewall-cmd --permanent --add-port=1000-2000/udp
	firewall-cmd --permanent --add-masquerade
	firewall-cmd --permanent --add-icmp-block=redirect
	firewall-cmd --permanent --add-rich-rule='rule family=ipv4 source address=10.0.0.0/8 service name=ssh log prefix="s " level=info limit value=3/m accept'
	firewall-cmd --permanent --add-rich-rule='rule family=ipv6 source address=fd00::/8 port port=53 protocol=udp reject'
	firewall-cmd --permanent --add-forward-port=port=8080:proto=tcp:toport=80:toaddr=10.0.0.9
	firewall-cmd --permanent --direct --add-rule ipv4 filter INPUT 0 -p tcp --dport 9999 -j DROP
	firewall-cmd --permanent --new-ipset=bl --type=hash:net
	firewall-cmd --permanent --ipset=bl --add-entry=10.9.0.0/16
	firewall-cmd --permanent --add-rich-rule='rule source ipset=bl drop'
	firewall-cmd --reload
	same 'firewalld: [1-9]'
}
@test "firewalld" {
	command -v firewalld >/dev/null && command -v dbus-daemon >/dev/null || skip "no firewalld or no dbus-daemon here"
	sandbox with_firewalld nftables
}

with_docker() {
	ip link set lo up
	mkdir -p /run/docker
	[ ! -d /etc/docker ] || copy_over /etc/docker
	echo '{"ipv6":true,"fixed-cidr-v6":"fd00:5::/64","experimental":true,"ip6tables":true}' >/run/docker.json
	dockerd --config-file /run/docker.json --data-root /run/docker/data --exec-root /run/docker/exec -H unix:///run/docker.sock \
		--pidfile /run/docker.pid --userland-proxy=false --storage-driver vfs >/run/docker.log 2>&1 &
	until_true curl -s --unix-socket /run/docker.sock http://x/_ping
	for network in '{"Name":"n2","Internal":true}' '{"Name":"n3"}'; do
		curl -s --unix-socket /run/docker.sock -X POST -H 'Content-Type: application/json' -d "$network" http://x/networks/create
	done
	same 'Docker: [1-9]'
}
@test "dockerd, IPv4 and IPv6, networks of its own and internal" {
	command -v dockerd >/dev/null || skip "no dockerd here"
	sandbox with_docker
}

# The plugins one after the other, as a runtime calls them.
with_plugins() {
	local plugins=/usr/lib/cni
	ip link set lo up
	ip netns add p1
	export CNI_COMMAND=ADD CNI_CONTAINERID=abc123 CNI_NETNS=/run/netns/p1 CNI_IFNAME=eth0 CNI_PATH=$plugins
	echo '{"cniVersion":"0.4.0","name":"n","type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":true,"ipam":{"type":"host-local",
		"dataDir":"/run/ipam","ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"fd00:7::/64"}]]}}' | "$plugins/bridge" >/run/result
	jq '{cniVersion: "0.4.0", name: "n", type: "portmap", snat: true, prevResult: ., runtimeConfig: {portMappings:
		[{hostPort: 8080, containerPort: 80, protocol: "tcp"}, {hostPort: 5353, containerPort: 53, protocol: "udp", hostIP: "10.1.0.1"}]}}' \
		/run/result | "$plugins/portmap" >/dev/null
	jq '{cniVersion: "0.4.0", name: "n", type: "firewall", backend: "iptables", prevResult: .}' /run/result | "$plugins/firewall" >/dev/null
	same 'CNI portmap: [1-9]'
	grep 'CNI firewall: [1-9]' /run/same
}
@test "CNI plugins: bridge with masquerading, portmap, firewall" {
	[ -x /usr/lib/cni/portmap ] || skip "no CNI plugins here"
	sandbox with_plugins
}

with_netavark() {
	ip link set lo up
	ip netns add p1
	echo '{"container_id":"abcd","container_name":"c","port_mappings":[{"host_ip":"","container_port":80,"host_port":8080,"range":1,"protocol":"tcp"}],
		"networks":{"podman":{"static_ips":["10.88.0.5"],"interface_name":"eth0"}},"network_info":{"podman":{"name":"podman",
		"id":"2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9","driver":"bridge","network_interface":"podman0",
		"subnets":[{"subnet":"10.88.0.0/16","gateway":"10.88.0.1"}],"ipv6_enabled":false,"internal":false,"dns_enabled":false,
		"ipam_options":{"driver":"host-local"}}}}' | NETAVARK_FW=iptables /usr/lib/podman/netavark --config /run/nv setup /run/netns/p1 >/dev/null
	same 'podman (netavark): [1-9]'
}
@test "podman's netavark" {
	[ -x /usr/lib/podman/netavark ] || skip "no netavark here"
	sandbox with_netavark
}

# Each of the examples that nft comes with; what names interfaces has them, what the kernel lacks is left out.
examples() {
	local file loaded=0
	ip link set lo up
	ip link add eth0 type veth peer name eth1
	ip link add wan type veth peer name lan
	for file in /usr/share/doc/nftables/examples/*.nft; do
		nft flush ruleset
		sed 's#include "\./#include "/usr/share/doc/nftables/examples/#' "$file" >/run/example
		nft -f /run/example 2>/run/err || { echo "$file: refused: $(head -1 /run/err)"; continue; }
		loaded=$((loaded + 1))
		"$TOP/tests/lib/same-as-peers" >/run/same || [ $? = 2 ] || { echo "$file"; cat /run/same; return 1; }
	done
	[ "$loaded" -gt 10 ]
}
@test "nftables' own examples" {
	[ -e /usr/share/doc/nftables/examples/nat.nft ] || skip "no examples of nftables here"
	sandbox examples
}
