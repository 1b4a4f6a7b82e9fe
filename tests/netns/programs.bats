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
@test "firewalld that uses iptables and ipset" {
	command -v firewalld >/dev/null && command -v dbus-daemon >/dev/null || skip "no firewalld or no dbus-daemon here"
	sandbox with_firewalld iptables
}

# One jail for each way in which fail2ban bans; an address of each family is banned in each.
with_fail2ban() {
	local jail
	ip link set lo up
	copy_over /etc/fail2ban
	rm -f /etc/fail2ban/jail.d/*
	printf '[Definition]\ndbfile = None\n' >/etc/fail2ban/fail2ban.local
	: >/run/log
	printf '[DEFAULT]\nfilter = sshd\nlogpath = /run/log\nbackend = polling\n' >/etc/fail2ban/jail.local
	while read -r jail action; do
		printf '[%s]\nenabled = true\naction = %s\n' "$jail" "$action"
	done >>/etc/fail2ban/jail.local <<-'END'
		one iptables[name=one, port=ssh]
		many iptables-multiport[name=many, port="53,80,2222:2229", protocol=udp, blocktype=DROP]
		all iptables-allports[name=all]
		new iptables-new[name=new, port=ssh]
		set iptables-ipset-proto6[name=set, port="ssh,http"]
		setall iptables-ipset-proto6-allports[name=setall, blocktype=DROP]
		recent iptables-xt_recent-echo[name=recent]
		nft nftables-multiport[name=nft, port="ssh,http"]
		nftall nftables-allports[name=nftall]
	END
	fail2ban-server -xf --loglevel INFO -s /run/f2b.sock -p /run/f2b.pid --logtarget /run/f2b.log start >/run/f2b.out 2>&1 &
	until_true test -S /run/f2b.sock
	for jail in one many all new set setall recent nft nftall; do
		fail2ban-client -s /run/f2b.sock set "$jail" banip 192.0.2.1 2001:db8::1 198.51.100.7 >/dev/null
	done
	# each jail has a thread of its own
	until_true sh -c '[ "$(grep -c "Ban 2001:db8::1" /run/f2b.log)" = 9 ]'
	same 'fail2ban: [1-9]'
	! grep -m 3 ERROR /run/f2b.log
}
@test "fail2ban, by iptables, ipset and nftables" {
	command -v fail2ban-server >/dev/null || skip "no fail2ban here"
	sandbox with_fail2ban
}

post() { curl -s --unix-socket /run/docker.sock -X POST -H "Content-Type: $1" --data-binary "$3" "http://x/$2"; }
with_docker() {
	ip link set lo up
	mkdir -p /run/docker
	[ ! -d /etc/docker ] || copy_over /etc/docker
	echo '{"ipv6":true,"fixed-cidr-v6":"fd00:5::/64","experimental":true,"ip6tables":true}' >/run/docker.json
	dockerd --config-file /run/docker.json --data-root /run/docker/data --exec-root /run/docker/exec -H unix:///run/docker.sock \
		--pidfile /run/docker.pid --userland-proxy=false --storage-driver vfs >/run/docker.log 2>&1 &
	until_true curl -s --unix-socket /run/docker.sock http://x/_ping
	for network in '{"Name":"n2","Internal":true}' '{"Name":"n3"}'; do
		post application/json networks/create "$network"
	done
	mkdir -p /run/root/bin
	cp "$(command -v busybox)" /run/root/bin/
	tar -C /run/root -c -f /run/image .
	post application/x-tar 'images/create?fromSrc=-&repo=image' @/run/image
	post application/json 'containers/create?name=published' '{"Image":"image","Cmd":["/bin/busybox","sleep","100"],
		"ExposedPorts":{"80/tcp":{},"53/udp":{}},"HostConfig":{"NetworkMode":"n3","PortBindings":{"80/tcp":[{"HostPort":"8080"}],
		"53/udp":[{"HostIp":"127.0.0.1","HostPort":"5353"}]}}}'
	post application/json containers/published/start ''
	"$CNISH" tables -4 --store compat -o save DOCKER | grep -- '--dport 8080 -j DNAT'
	same 'Docker: [1-9]'
}
@test "dockerd, IPv4 and IPv6, networks of its own and internal, a container with published ports" {
	command -v dockerd >/dev/null || skip "no dockerd here"
	sandbox with_docker
}

# The commands that libvirt's network driver issues for a network with NAT and one that is isolated
# (src/network/network_iptables.c); libvirt itself is large.
libvirt_chains() {
	local table pair
	for table in filter nat mangle; do
		for pair in INPUT:LIBVIRT_INP OUTPUT:LIBVIRT_OUT FORWARD:LIBVIRT_FWO FORWARD:LIBVIRT_FWI FORWARD:LIBVIRT_FWX POSTROUTING:LIBVIRT_PRT; do
			[ "$table" = filter ] && [ "$pair" = POSTROUTING:LIBVIRT_PRT ] && continue
			[ "$table" != filter ] && [ "$pair" != POSTROUTING:LIBVIRT_PRT ] && continue
			"$1" -w --table "$table" --new-chain "${pair#*:}"
			"$1" -w --table "$table" --insert "${pair%:*}" --jump "${pair#*:}"
		done
	done
}
libvirt_network() {
	local tool=$1 bridge=$2 net=$3 port proto
	for proto in tcp udp; do
		for port in 67 53; do
			"$tool" -w --table filter --insert LIBVIRT_INP --in-interface "$bridge" --protocol "$proto" --destination-port $port --jump ACCEPT
			"$tool" -w --table filter --insert LIBVIRT_OUT --out-interface "$bridge" --protocol "$proto" --destination-port $((port == 67 ? 68 : 53)) --jump ACCEPT
		done
	done
	"$tool" -w --table filter --insert LIBVIRT_FWO --in-interface "$bridge" --jump REJECT
	"$tool" -w --table filter --insert LIBVIRT_FWI --out-interface "$bridge" --jump REJECT
	"$tool" -w --table filter --insert LIBVIRT_FWX --in-interface "$bridge" --out-interface "$bridge" --jump ACCEPT
	[ -n "$net" ] || return 0
	"$tool" -w --table filter --insert LIBVIRT_FWO --source "$net" --in-interface "$bridge" --jump ACCEPT
	"$tool" -w --table filter --insert LIBVIRT_FWI --destination "$net" --out-interface "$bridge" --match conntrack --ctstate ESTABLISHED,RELATED --jump ACCEPT
	"$tool" -w --table nat --insert LIBVIRT_PRT --source "$net" '!' --destination "$net" --jump MASQUERADE
	for proto in udp tcp; do
		"$tool" -w --table nat --insert LIBVIRT_PRT --source "$net" -p $proto '!' --destination "$net" --jump MASQUERADE --to-ports 1024-65535
	done
	case $net in
	*:*) "$tool" -w --table nat --insert LIBVIRT_PRT --source "$net" --destination ff02::/16 --jump RETURN ;;
	*) for port in 255.255.255.255/32 224.0.0.0/24; do
		"$tool" -w --table nat --insert LIBVIRT_PRT --source "$net" --destination $port --jump RETURN
	done ;;
	esac
	"$tool" -w --table mangle --insert LIBVIRT_PRT --out-interface "$bridge" --protocol udp --destination-port 68 --jump CHECKSUM --checksum-fill
}
with_libvirt() {
	local tool
	ip link set lo up
	for tool in "iptables-$1" "ip6tables-$1"; do
		libvirt_chains "$tool"
		libvirt_network "$tool" virbr1 ''
	done
	libvirt_network "iptables-$1" virbr0 192.168.122.0/24
	libvirt_network "ip6tables-$1" virbr0 fd00:122::/64
	same 'libvirt: [1-9]'
}
@test "libvirt's networks, in the compat store" { sandbox with_libvirt nft; }
@test "libvirt's networks, in the legacy store" { sandbox with_libvirt legacy; }

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
