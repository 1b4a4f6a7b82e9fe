# SPDX-License-Identifier: GPL-2.0-or-later
"""xtkernel - what the kernel makes of an xt rule and of an nft rule, packet by packet

A Bench is a namespace through which the same packets go each time: to it, through it and out of it. observe() loads one rule,
xt or native, in place of the one before, sends them all and returns what each was in the end: its marks, its label, what
a target may change of its header, and whether the rule matched, as a bit of the mark. Two rules of which
that differs are not the same rule. For rules of nat tables it is the addresses and ports that a packet leaves with; of a port
that the kernel takes by chance only whether it is within what the rule allows.
"""
import ctypes
import os
import re
import socket
import struct
import time

import xtload
from xtload import run

HOOKS = {"raw": ("PREROUTING", "OUTPUT"), "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
         "filter": ("INPUT", "FORWARD", "OUTPUT"), "security": ("INPUT", "FORWARD", "OUTPUT"), "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")}
PRIORITY = {"raw": -300, "mangle": -150, "filter": 0, "security": 50}
NAT_PRIORITY = {"PREROUTING": -100, "OUTPUT": -100, "INPUT": 100, "POSTROUTING": 100}
PORTS = (6, 17, 33, 132, 136)  # the protocols that have some
HIT = "0x20000000"
LOCAL = {"ip": ("10.0.1.1", "10.0.0.5", "10.9.0.7"), "ip6": ("fd00:1::1", "fd00::5", "fd00:9::7")}  # here, near, far
MULTICAST = {"ip": "224.0.0.5", "ip6": "ff02::5"}
# In a namespace: v0 is where packets come in, w0 where those that are passed on go out.
WORLD = """
ip link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02; ip link add w0 type veth peer name w1
for d in v0 w0; do for f in accept_local=1 rp_filter=0; do sysctl -qw net.ipv4.conf.$d.$f; done; done
sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.all.accept_local=1 net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv4.conf.all.accept_source_route=1 net.ipv4.icmp_ratelimit=0
for d in v0 v1 w0 w1; do sysctl -qw net.ipv6.conf.$d.accept_dad=0 net.ipv6.conf.$d.accept_ra=0 net.ipv6.conf.$d.router_solicitations=0
	ip link set $d up arp off; done
ip addr add 10.0.1.1/16 dev v0; ip addr add fd00:1::1/32 dev v0 nodad; ip addr add 10.9.0.1/24 dev w0; ip addr add fd00:9::1/64 dev w0 nodad
ip route add default dev v0; ip -6 route add default dev v0
ip route add unreachable 10.66.0.0/16; ip route add blackhole 10.67.0.0/16; ip -6 route add unreachable fd00:66::/32; ip -6 route add blackhole fd00:67::/32
"""


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def tcp(sport, dport, flags, options=b""):
    options += b"\0" * (-len(options) % 4)
    return 6, struct.pack("!HHIIHHHH", sport, dport, 1, 0, (5 + len(options) // 4) << 12 | flags, 1024, 0, 0) + options + b"data"


def udp(sport, dport, proto=17):
    return proto, struct.pack("!HHHH", sport, dport, 12, 0 if proto == 17 else 12) + b"data"


def chunk(kind, flags=0, body=b"\0" * 4):
    return struct.pack("!BBH", kind, flags, 4 + len(body)) + body


def sctp(sport, dport, *chunks):
    return 132, struct.pack("!HHII", sport, dport, 7, 0) + b"".join(chunks)


def dccp(sport, dport, kind, options=b""):
    options += b"\0" * (-len(options) % 4)
    return 33, struct.pack("!HHBBHBBH", sport, dport, 4 + len(options) // 4, 0, 0, kind << 1 | 1, 0, 1) + b"\0" * 4 + options


MSS = struct.pack("!BBH", 2, 4, 1460)
INNER = tcp(7, 8, 2)


def common():
    """payloads that both families have: (protocol, bytes)"""
    SYN, ACK, RST, FIN, ECE, CWR, PSH, URG = 2, 16, 4, 1, 64, 128, 8, 32
    return [
        tcp(1000, 80, SYN, MSS), tcp(1001, 80, SYN, struct.pack("!BBH", 2, 4, 42)), tcp(1002, 53, SYN), tcp(53, 1003, SYN | ACK, MSS),
        tcp(1004, 5, ACK), tcp(0, 80, ACK), tcp(1005, 0, ACK | PSH), tcp(1, 4, RST), tcp(2, 3, FIN | ACK), tcp(1006, 443, 0),
        tcp(1007, 8080, SYN | ECE | CWR), tcp(1008, 80, SYN | ECE), tcp(1009, 80, SYN | CWR), tcp(1010, 22, 0x3f), tcp(4, 65535, URG | ACK),
        tcp(1011, 80, SYN, b"\x01\x01\x05\x02"), tcp(1012, 80, SYN, b"\xff\x04\0\0" + MSS), tcp(1013, 80, ACK, b"\x08\x0a" + b"\0" * 8),
        udp(1000, 2000), udp(1000, 2001), udp(1001, 2000), udp(0, 53), udp(53, 0), udp(5, 4), udp(68, 67), udp(500, 4500), udp(65535, 1), udp(65535, 9),
        udp(4000, 4001), udp(4100, 4200), udp(5353, 5353), udp(1, 65535, 136), udp(1000, 53, 136),
        sctp(1000, 2000, chunk(1)), sctp(1, 65535, chunk(0, 15)), sctp(2, 65535, chunk(0, 4), chunk(1)), sctp(1, 3, chunk(6, 1), chunk(0, 15), chunk(14)),
        sctp(1000, 80, chunk(1), chunk(0)), sctp(80, 80, chunk(3)), sctp(9, 9, chunk(7), chunk(14, 1)), sctp(9, 10, chunk(192, 0)),
        dccp(1, 2, 0), dccp(1, 3, 2, b"\x20\x03\x05"), dccp(3, 2, 7), dccp(1000, 2000, 1),
        (50, struct.pack("!II", 5, 1) + b"secret!!"), (50, struct.pack("!II", 0, 1) + b"secret!!"), (50, struct.pack("!II", 0xffffffff, 9) + b"secret!!"),
        (108, struct.pack("!BBH", 6, 0, 5) + b"abcd"), (108, struct.pack("!BBH", 6, 1, 5) + b"abcd"), (108, struct.pack("!BBH", 6, 0, 30) + b"abcd"),
        (108, struct.pack("!BBH", 6, 1, 30) + b"abcd"),
        (47, b"\0\0\x08\0abcd"), (253, b"0123456789ab"), (103, b"\x20\0\0\0abcd"),
    ]


def ah(nexthdr, spi, payload, length=4, reserved=0):
    return struct.pack("!BBHII", nexthdr, length, reserved, spi, 1) + b"\0" * ((length + 2) * 4 - 12) + payload


def icmp4():
    found = []
    for kind, code, rest in (
            (8, 0, b"\0\1\0\1abcd"), (0, 0, b"\0\2\0\1abcd"), (13, 0, b"\0\3\0\1" + b"\0" * 12), (3, 1, b""), (3, 4, b""),
            (5, 1, b"\x0a\0\0\1"), (11, 0, b""), (17, 0, b"\0\4\0\1\0\0\0\0"), (255, 255, b"abcd")):
        data = struct.pack("!BBH", kind, code, 0) + (rest or b"\0" * 4 + bytes(28))
        found.append((1, data[:2] + struct.pack("!H", checksum(data)) + data[4:]))
    return found


def icmp6():
    return [(58, struct.pack("!BBH", kind, code, 0) + rest) for kind, code, rest in (
        (128, 0, b"\0\1\0\1abcd"), (129, 0, b"\0\2\0\1abcd"), (1, 4, b"\0" * 4 + bytes(48)), (2, 0, b"\0\0\5\0" + bytes(48)), (3, 0, b"\0" * 4 + bytes(48)),
        (4, 1, b"\0" * 4 + bytes(48)), (135, 0, b"\0" * 4 + bytes(16)), (137, 0, b"\0" * 36), (200, 7, b"abcd"))]


def options(nexthdr, units, kind=0x1e):
    """a hop-by-hop or destination options header of so many units of 8 beyond the first"""
    return struct.pack("!BBBB", nexthdr, units, kind, 8 * units + 4) + b"\0" * (8 * units + 4)


def routing(nexthdr, kind, left, units=0):
    return struct.pack("!BBBB", nexthdr, units, kind, left) + b"\0" * (4 + 8 * units)


def frag(nexthdr, offset, more, ident, reserved=0, reserved2=0):
    return struct.pack("!BBHI", nexthdr, reserved, offset << 3 | reserved2 << 1 | more, ident)


def headers6():
    """payloads with extension headers; each ends in TCP but for those that say otherwise"""
    t = INNER[1]
    found = [(135, struct.pack("!BBBBHH", nxt, 0, kind, 0, 0, 0)) for nxt, kind in (
        (59, 0), (59, 1), (59, 2), (59, 3), (59, 5), (59, 7), (59, 8), (59, 19), (6, 1), (6, 5))]
    found += [(60, options(135, 0) + struct.pack("!BBBBHH", 59, 0, 1, 0, 0, 0)), (135, struct.pack("!BBBBHH", 59, 1, 1, 0, 0, 0) + b"\0" * 8)]
    found += [(0, options(6, n) + t) for n in (0, 1, 4, 5, 7)]
    found += [(0, b"\x06\0\x05\2\0\0\1\0" + t), (60, options(6, 0) + t), (60, options(6, 5) + t), (60, options(17, 1) + udp(3, 4)[1])]
    found += [(43, routing(6, kind, left, n) + t) for kind, left, n in ((0, 0, 2), (42, 0, 0), (42, 3, 0), (2, 1, 2), (2, 0, 2), (42, 9, 1), (77, 6, 0))]
    found += [(44, frag(6, 0, 0, i, r, r2) + t) for i, r, r2 in ((0, 0, 0), (3, 0, 0), (0, 1, 0), (5, 0, 3), (5, 255, 0))]
    return found + [(59, b"")]


def auth6():
    """An authentication header ends the search for what a packet carries to nftables and not to xt, so "-p tcp" is not
    "meta l4proto tcp" of these packets: they show what is asked of the header itself"""
    t = INNER[1]
    esp = b"\0\0\0\5\0\0\0\1secret!!"
    found = [(51, ah(6, spi, t, length, res)) for spi, length, res in (
        (5, 4, 0), (7, 4, 0), (1, 1, 0), (2, 1, 1), (0, 4, 0), (0xffffffff, 7, 0), (1, 4, 1))]
    found += [(51, ah(50, spi, esp, length, res)) for spi, length, res in ((1, 3, 1), (8, 9, 0), (9, 4, 0))]
    return found + [(51, ah(59, 5, b"")), (60, options(51, 0) + ah(17, 5, udp(1, 2)[1]))]


def summed(src, dst, proto, payload):
    """with the checksum that connection tracking asks for"""
    at = {6: 16, 17: 6, 58: 2}.get(proto)
    if not at or len(payload) < at + 2:
        return payload
    head = src + dst + struct.pack("!II", len(payload), proto)
    return payload[:at] + struct.pack("!H", checksum(head + payload[:at] + b"\0\0" + payload[at + 2:]) or 0xffff) + payload[at + 2:]


def packet4(i, src, dst, proto, payload, tos=0, ttl=64, off=0, opts=b""):
    src, dst = socket.inet_aton(src), socket.inet_aton(dst)
    head = struct.pack("!BBHHHBBH4s4s", 0x45 + len(opts) // 4, tos, 20 + len(opts) + len(payload), i, off, ttl, proto, 0, src, dst) + opts
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + summed(src, dst, proto, payload)


def packet6(i, src, dst, proto, payload, tos=0, ttl=64):
    src, dst = socket.inet_pton(socket.AF_INET6, src), socket.inet_pton(socket.AF_INET6, dst)
    return struct.pack("!IHBB16s16s", 6 << 28 | tos << 20 | i, len(payload), proto, ttl, src, dst) + summed(src, dst, proto, payload)


def packets(fam, tracked, auth):
    """[(to be received?, destination, bytes)], each with a number of its own: IPv4's identification, IPv6's flow label"""
    here, near, far = LOCAL[fam]
    six, found = fam == "ip6", []
    make = packet6 if six else packet4

    def add(incoming, src, dst, *rest, **more):
        found.append((incoming, dst, make(len(found) + 1, src, dst, *rest, **more)))

    loads = common() + (icmp6() + headers6() + (auth6() if auth else []) if six else icmp4() + [
        (51, ah(6, 5, INNER[1])), (51, ah(6, 0xffffffff, INNER[1])), (2, b"\x16\0\0\0\xe0\0\0\1"), (255, b"abcd")])
    for proto, payload in loads:
        add(True, near, here, proto, payload)
        add(True, near, far, proto, payload)
        add(False, here, near, proto, payload)
    a, b = ("1.1.1.1", "1.2.3.4") if not six else ("2001:db8::1", "2001:db8:1::7")
    multicast, any_, lo = MULTICAST[fam], "::" if six else "0.0.0.0", "::1" if six else "127.0.0.1"
    for n, (src, dst) in enumerate(((a, here), (b, here), (here, here), (near, multicast), (any_, multicast), (a, far), (far, here), (near, b), (a, b))):
        add(True, src, dst, *udp(3000 + n, 9), tos=(0, 1, 2, 3, 0x10, 8, 0xb8, 0xff, 0x20)[n], ttl=(64, 1, 2, 255, 5, 64, 63, 33, 128)[n])
        add(True, src, dst, *tcp(3000 + n, 5, 2))
    lost, gone, there = ("10.66.0.1", "10.67.0.1", "10.9.0.1") if not six else ("fd00:66::1", "fd00:67::1", "fd00:9::1")
    for n, (src, dst) in enumerate(((lost, here), (near, lost), (gone, here), (near, gone), (there, here), (lost, gone))):
        add(True, src, dst, *udp(3100 + n, 9))
    for src, dst in ((here, here), (here, a), (here, b), (here, multicast), (here, far), (lo, lo)):
        add(False, src, dst, *udp(3000, 9), tos=0x10)
        if src != lo:
            add(False, src, dst, *tcp(3000, 5, 2), tos=2)
    for sport, dport in ((2000, 1000), (9, 3001), (4001, 4000)):  # answers
        add(True, near, here, *udp(sport, dport))
    for off in () if tracked else (0x2000, 0x2001, 3) if not six else ((6, 0, 1, 0), (6, 2, 1, 9), (6, 4, 0, 3), (135, 3, 0, 8)):
        if six:
            add(True, near, far, 44, frag(*off) + INNER[1])
        else:
            add(True, near, far, *tcp(6, 80, 2), off=off)
    for flags, tos in ((2 | 64, 1), (2 | 128, 2), (64, 3), (16 | 64 | 128, 2)):
        add(True, near, here, *tcp(3200, 80, flags), tos=tos)
    if not six:
        add(True, near, here, *tcp(6, 80, 2), off=0x4000)
        for opts in (b"\x07\x04\x04\0", b"\x94\x04\0\0", b"\x83\x03\x04\0", b"\x01\x01\x01\0"):
            add(True, near, here, *udp(6, 7), opts=opts)
    return found


PRE = "ID & 3 == 1 meta mark set 1; ID & 3 == 2 meta mark set 0xdeadbeef;"
UNTRACKED = "ID & 15 == 7 notrack;"
CTPRE = """ID & 7 == 1 ct mark set 1; ID & 7 == 2 ct mark set 0x12345678; ID & 7 == 3 ct label set 127;"""
STATIC = """table FAM bench {
set arrived { typeof ID; size 65535; flags dynamic; }
set late { typeof ID . meta mark . NET dscp . NET ecn . NET TTL . meta priority; size 65535; flags dynamic; }
set seen { typeof ID . meta mark . NET dscp . NET ecn . NET TTL . meta priority; size 65535; flags dynamic; }
CT
chain incoming { type filter hook prerouting priority -600; add @arrived { ID }; PRE }
chain outgoing { type filter hook output priority -600; policy drop; meta skuid 0 jump mine; }
chain mine { add @arrived { ID }; PRE accept; }
chain late { type filter hook prerouting priority 1000; add @late { ID . meta mark . NET dscp . NET ecn . NET TTL . meta priority }; }
chain input { type filter hook input priority 1000; jump see; }
chain post { type filter hook postrouting priority 1000; jump see; }
REWRITTEN
chain see { REWRITE add @seen { ID . meta mark . NET dscp . NET ecn . NET TTL . meta priority }; CTSEE; }
}"""
TRACKED = """set labelled { typeof ID; size 65535; flags dynamic; }
set tracked { typeof ID . ct mark; size 65535; flags dynamic; }
chain rawpre { type filter hook prerouting priority -290; UNTRACKED }
chain rawout { type filter hook output priority -290; UNTRACKED }
chain ctpre { type filter hook prerouting priority -190; CTPRE }
chain ctout { type filter hook output priority -190; CTPRE }
"""
TRANSLATED = """chain natpre { type nat hook prerouting priority -100; udp dport 2001 dnat to :2002; }
chain natpost { type nat hook postrouting priority 100; udp sport 4100 snat to :4101; udp dport 2001-2002 snat to :4102; }"""


REWRITTEN = "set rewritten { typeof ID . NET saddr . NET daddr . @th,0,16 . @th,16,16; size 65535; flags dynamic; }"
REWRITE = "add @rewritten { ID . NET saddr . NET daddr . @th,0,16 . @th,16,16 };"


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def attributes(data):
    """[(kind, bytes)] of a list of netlink attributes"""
    found = []
    while len(data) >= 4:
        size, kind = struct.unpack_from("=HH", data)
        found.append((kind & 0x3fff, data[4:size]))
        data = data[size + 3 & ~3:]
    return found


def ports_of(data, fam):
    """(protocol, (the first two numbers of 16 bits behind the IP header))"""
    proto, at = (data[6], 40) if fam == "ip6" else (data[9], (data[0] & 15) * 4)
    return proto, struct.unpack("!HH", data[at:at + 4]) if len(data) >= at + 4 else (0, 0)


class Nft:
    """libnftables, within the process: a call takes a millisecond"""

    def __init__(self):
        self.lib = ctypes.CDLL("libnftables.so.1")
        self.lib.nft_ctx_new.restype = ctypes.c_void_p
        self.lib.nft_ctx_get_output_buffer.restype = self.lib.nft_ctx_get_error_buffer.restype = ctypes.c_char_p
        self.ctx = ctypes.c_void_p(self.lib.nft_ctx_new(0))
        self.lib.nft_ctx_buffer_error(self.ctx)
        self.lib.nft_ctx_buffer_output(self.ctx)
        self.lib.nft_ctx_output_set_flags(self.ctx, 7 << 7 | 1 << 2)  # numbers, not names

    def __call__(self, text):
        """what it prints, or None where it refuses"""
        self.error = ""
        if self.lib.nft_run_cmd_from_buffer(self.ctx, text.encode(errors="surrogateescape")):
            self.error = self.lib.nft_ctx_get_error_buffer(self.ctx).decode(errors="replace")
            self.lib.nft_ctx_get_output_buffer(self.ctx)
            return None
        self.lib.nft_ctx_get_error_buffer(self.ctx)
        return self.lib.nft_ctx_get_output_buffer(self.ctx).decode(errors="replace")


class Bench:
    def __init__(self, family, tracked=True, auth=False, nat=False):
        self.family, self.fam, self.tracked, self.nat = family, "ip6" if family == "6" else "ip", tracked, nat
        xtload.unshare()
        os.sched_setaffinity(0, {0})  # packets stay in order
        xtload.prepare(family)
        status, _, err = run("sh", "-ec", WORLD)
        if status:
            raise SystemExit("xtkernel: " + err)
        xtload.prepare_store("legacy", family)
        self.nft, self.packets = Nft(), packets(self.fam, tracked, auth)
        text = STATIC.replace("CTSEE", "add @tracked { ID . ct mark }; ct label 127 add @labelled { ID }" if tracked else "")
        more = TRACKED.replace("CTPRE", CTPRE).replace("UNTRACKED", UNTRACKED) + ("" if nat else TRANSLATED)
        text = text.replace("CT\n", more + "\n" if tracked else "")
        text = text.replace("REWRITTEN\n", REWRITTEN + "\n" if nat else "").replace("REWRITE ", REWRITE if nat else "")
        text = text.replace("PRE", PRE).replace("FAM", self.fam).replace("NET", self.fam)
        ttl, number = ("hoplimit", "ip6 flowlabel") if self.fam == "ip6" else ("ttl", "ip id")
        if self.nft(text.replace("TTL", ttl).replace("ID", number)) is None:
            raise SystemExit("xtkernel: nft: " + self.nft.error)
        self.sets = ("late", "seen") + (("tracked", "labelled") if tracked else ()) + (("rewritten",) if nat else ())
        self.open()
        self.ports = {i + 1: ports_of(data, self.fam) for i, (_, _, data) in enumerate(self.packets)}
        self.last = None
        self.everything = self.send()
        self.matched = False

    def open(self):
        self.link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.link.bind(("v1", 0))
        self.frame = b"\2\0\0\0\0\1\2\0\0\0\0\2" + (b"\x86\xdd" if self.fam == "ip6" else b"\x08\0")
        if self.fam == "ip6":
            self.raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
            self.raw.setsockopt(41, 36, 1)
        else:
            self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.joined = socket.socket(socket.AF_INET6 if self.fam == "ip6" else socket.AF_INET, socket.SOCK_DGRAM)
        if self.fam == "ip6":
            self.joined.setsockopt(41, 20, socket.inet_pton(socket.AF_INET6, MULTICAST["ip6"]) + struct.pack("=I", socket.if_nametoindex("v0")))
        else:
            self.joined.setsockopt(0, 35, socket.inet_aton(MULTICAST["ip"]) + struct.pack("=4xI", socket.if_nametoindex("v0")))
        self.ctnl = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)

    def forget(self):
        """no connection is known"""
        self.ctnl.send(struct.pack("=IHHII", 20, 1 << 8 | 2, 5, 1, 0) + struct.pack("=BBH", 0, 0, 0))
        self.ctnl.recv(4096)

    def elements(self, name):
        """the keys of a set, in bytes (nft 1.0.6 dies of listing them)"""
        family = 10 if self.fam == "ip6" else 2
        body = struct.pack("=BBH", family, 0, 0) + attribute(1, b"bench\0") + attribute(2, name.encode() + b"\0")
        self.ctnl.send(struct.pack("=IHHII", 16 + len(body), 10 << 8 | 13, 0x301, 1, 0) + body)
        found = []
        while True:
            data = self.ctnl.recv(1 << 20)
            while data:
                size, kind = struct.unpack_from("=IH", data)
                if kind in (2, 3):
                    return frozenset(found)
                for element in attributes(dict(attributes(data[20:size]))[3]):
                    found.append(dict(attributes(dict(attributes(element[1]))[1]))[1])
                data = data[size + 3 & ~3:]

    def send(self):
        """what has become of each packet"""
        if self.tracked:
            self.forget()
        self.nft("".join("flush set %s bench %s\n" % (self.fam, s) for s in ("arrived",) + self.sets))
        for incoming, dst, data in self.packets:
            try:
                if incoming:
                    self.link.send(self.frame + data)
                else:
                    self.raw.sendto(data, (dst, 0))
            except OSError:
                pass  # the same each time, or it is seen
        count = -1
        for _ in range(100):
            found = self.elements("arrived")
            if len(found) == (self.last if self.last is not None else count):
                break
            count = len(found)
            time.sleep(0.001 if self.last is not None else 0.2)
        self.last = len(found)
        return frozenset((s, x) for s in self.sets for x in self.elements(s))

    def addresses(self, found, spec):
        """found, with each packet's new addresses, and of a port that may be taken by chance only whether it is one that is asked for"""
        size, m = (16 if self.fam == "ip6" else 4), re.search(r"(?::|--to-ports )(\d+)(?:-(\d+))?", re.sub(r"\[.*?\]", "", spec))
        asked = range(int(m[1]), int(m[2] or m[1]) + 1) if m else ()
        chance = re.search("--random|SNAT|MASQUERADE", spec)
        out = set()
        for name, key in found:
            if name != "rewritten":
                out.add((name, key))
                continue
            number = struct.unpack_from(">I", key)[0] >> (8 if size == 16 else 16)  # 20 bits, 16 bits
            now, (proto, before) = struct.unpack_from(">H2xH", key, 4 + 2 * size), self.ports[number]
            words = ["asked for" if a in asked else "kept" if a == b else "another" for a, b in zip(now, before)]
            if not chance:  # of two connections that would be one, one gets another source
                words[1] = now[1]
            out.add((name, (number, key[4:4 + 2 * size]) + (tuple(words) if proto in PORTS else ())))
        return frozenset(out)

    def legacy(self, table, chain, spec):
        """the rule in the legacy store alone; False where it is refused"""
        where = chain if chain in HOOKS[table] else "RULE"
        jumps = "".join("-A %s -j RULE\n" % h for h in HOOKS[table]) if where == "RULE" else ""
        rule = "-A %s %s\n" % (where, spec) if spec is not None else ""
        text = "*%s\n:C1 - [0:0]\n:RULE - [0:0]\n%s%sCOMMIT\n" % (table, jumps, rule)
        return xtload.restore("legacy", self.family, text)[0] == 0

    def native(self, table, chain, text):
        hooks = "".join("chain %s {\ntype %s hook %s priority %d\n%s\n}\n" % (
            h, "nat" if table == "nat" else "filter", h.lower(), NAT_PRIORITY[h] if table == "nat" else PRIORITY[table],
            text if h == chain else "jump RULE" if chain not in HOOKS[table] else "") for h in HOOKS[table])
        rule = "chain RULE {\n%s\n}\n" % text if chain not in HOOKS[table] else ""
        return self.nft("table %s one {\nchain C1 { }\n%s%s}" % (self.fam, rule, hooks)) is not None

    def observe_xt(self, rule):
        self.matched = False
        spec = re.sub(r"-j (ACCEPT|DROP|RETURN)( |$)", "", rule.spec)
        if not re.search(r"(^| )-[jg] ", spec):
            spec += " -j MARK --set-xmark %s/%s" % (HIT, HIT)
        if not self.legacy(rule.table, rule.chain, spec):
            return None
        found = self.send()
        self.matched = found != self.everything
        self.legacy(rule.table, rule.chain, None)
        return self.addresses(found, spec)

    def observe_nft(self, rule, text):
        m = re.match(r"(.*?)(?: (accept|drop|return))?( comment \"[^\"]*\")?$", text)
        verdict = m[2] or not re.search(r"(^| )-[jg] ", rule.spec)
        body = m[1] + (" meta mark set meta mark | %s" % HIT if verdict else "")
        if not self.native(rule.table, rule.chain, body):
            return None
        found = self.send()
        self.nft("delete table %s one" % self.fam)
        return self.addresses(found, rule.spec)
