# SPDX-License-Identifier: GPL-2.0-or-later
"""nftgen - random nftables rulesets over the language of nft(8): sets, objects, chains and rules as commands"""
import random
import re

R = random.Random()


def pick(*a):
    return R.choice(a)


def chance(p):
    return R.random() < p


def num(bits, low=0):
    """a number, often at a bound"""
    top = (1 << bits) - 1
    return max(low, pick(0, 1, top, top - 1, top >> 1, R.randint(0, top), R.randint(0, min(top, 300))))


def bytes_of(chars, most):
    """some of the characters, of at most so many bytes, often of just as many"""
    out = "".join(R.choice(chars) for _ in range(pick(1, 2, most, most - 1, R.randint(1, most))))
    while len(out.encode()) > most:
        out = out[:-1]
    return out


def comment(most=128):
    """what nft's text can hold: anything but the quote that ends it"""
    return pick(*[lambda: bytes_of("abc XYZ019-_.:,/!#$%&()*+;<=>?@[]^`{|}~'\\äß€\t", most), lambda: "a b c", lambda: "it's", lambda: "\\\\", lambda: "x" * most])()


def ident(most=255):
    """a name as nft reads one without quotes"""
    return R.choice("abcXYZ_.") + bytes_of("abcXYZ019-_./", most - 1) if chance(0.5) else "KUBE-SVC-" + bytes_of("ABCDEFGH2345", 16)


def ip4():
    return pick("0.0.0.0", "255.255.255.255", "127.0.0.1", "10.0.0.%d" % R.randint(0, 255),
                ".".join(str(R.randint(0, 255)) for _ in range(4)))


def ip6():
    return pick("::", "::1", "fe80::1", "2001:db8::%x" % R.randint(0, 65535), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "::ffff:10.0.0.1", "64:ff9b::c000:201", ":".join("%x" % R.randint(0, 65535) for _ in range(8)))


def mac():
    return pick("00:00:00:00:00:00", "ff:ff:ff:ff:ff:fe", ":".join("%02x" % R.randint(0, 255) for _ in range(6)))


def name4(prefix):
    return prefix + str(R.randint(0, 9))


def words(*w):
    return lambda: R.choice(w)


def n(bits):
    def number():
        return str(num(bits))
    number.sized = False
    return number


def hx(bits):
    def number():
        return pick("0x%x", "%d") % num(bits)
    number.sized = bits == 32
    return number


def span(unit=True):
    return pick("1s", "1m", "1h", "1d", "59s", "3599s", "86399s", "365d", "23h59m59s", "%ds" % R.randint(1, 100000), "%dm" % R.randint(1, 100), "1d2h3m4s", "7d", "49d", "%dh" % R.randint(1, 99))


def lasting():
    """Of what is listed twice, by nft and by the program: nothing may end in between."""
    short = re.fullmatch(r"(\d+)([sm])", text := span())
    return short[1] + "h" if short and int(short[1]) < {"s": 3600, "m": 60}[short[2]] else text


PROTO = words("tcp", "udp", "icmp", "icmpv6", "sctp", "dccp", "esp", "ah", "comp", "udplite", "0", "1", "41", "47", "89", "132", "254", "255")
PORT = lambda: pick("0", "1", "22", "80", "443", "65535", "ssh", str(R.randint(0, 65535)))  # noqa: E731
DSCP = words("cs0", "cs1", "cs2", "cs7", "af11", "af12", "af43", "ef", "0x00", "0x3f", "0x05", "3")
ECN = words("not-ect", "ect0", "ect1", "ce")
TCPFLAG = words("fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr")
ETHER = words("ip", "ip6", "arp", "vlan", "0x88b5", "0x0800", "8021q", "8021ad")
IFNAME = words('"lo"', '"eth\\\\*"', '"br-0123456789a"', '"a.b-c_d:e"', '"eth0"', '"veth12"', '"a"', '"wlan0.5"', '"abcdefghijklmno"')
CTSTATE = words("new", "established", "related", "invalid", "untracked")
CTSTATUS = words("expected", "seen-reply", "assured", "confirmed", "snat", "dnat", "dying")
ICMP = words("echo-reply", "destination-unreachable", "source-quench", "redirect", "echo-request", "router-advertisement",
             "router-solicitation", "time-exceeded", "parameter-problem", "timestamp-request", "timestamp-reply", "info-request",
             "info-reply", "address-mask-request", "address-mask-reply", "20", "255")
ICMP6 = words("destination-unreachable", "packet-too-big", "time-exceeded", "parameter-problem", "echo-request", "echo-reply",
              "mld-listener-query", "mld-listener-report", "mld-listener-done", "nd-router-solicit", "nd-router-advert",
              "nd-neighbor-solicit", "nd-neighbor-advert", "nd-redirect", "router-renumbering", "ind-neighbor-solicit",
              "ind-neighbor-advert", "mld2-listener-report", "200", "255")
FIBTYPE = words("unspec", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit")
PKTTYPE = words("host", "unicast", "broadcast", "multicast", "other")
DAY = words('"Monday"', '"Sunday"', '"Saturday"', '"Wednesday"', "3", '"Friday"')
HOUR = lambda: '"%02d:%02d%s"' % (R.randint(0, 23), R.randint(0, 59), pick("", ":%02d" % R.randint(0, 59)))  # noqa: E731
TIME = lambda: '"20%02d-%02d-%02d %02d:%02d:%02d"' % (R.randint(0, 37), R.randint(1, 12), R.randint(1, 28), R.randint(0, 23), R.randint(0, 59), R.randint(0, 59))  # noqa: E731,E501
IFTYPE = words("ether", "ppp", "loopback", "ipgre", "sit", "ipip", "5", "65535")

# left side: (value generator, options). r: ranges and order; p: prefixes (its bits); m: masks; f: flags; n: no sets
IP = {
    "ip saddr": (ip4, "rp32m"), "ip daddr": (ip4, "rp32m"), "ip protocol": (PROTO, "r"), "ip version": (n(4), ""),
    "ip hdrlength": (n(4), "r"), "ip dscp": (DSCP, "r"), "ip ecn": (ECN, ""), "ip length": (n(16), "r"), "ip id": (n(16), "rm"),
    "ip frag-off": (hx(16), "m"), "ip ttl": (n(8), "r"), "ip checksum": (n(16), "r"),
    "icmp type": (ICMP, ""), "icmp code": (words("net-unreachable", "host-unreachable", "prot-unreachable", "port-unreachable",
                                                 "net-prohibited", "host-prohibited", "admin-prohibited", "frag-needed", "11", "255"), ""),
    "icmp checksum": (n(16), "r"), "icmp id": (n(16), "r"), "icmp sequence": (n(16), "r"), "icmp mtu": (n(16), "r"),
    "icmp gateway": (ip4, "r"), "igmp type": (words("membership-query", "membership-report-v1", "membership-report-v2",
                                                   "membership-report-v3", "leave-group", "5"), ""),
    "igmp mrt": (n(8), "r"), "igmp checksum": (n(16), ""), "igmp group": (n(32), "r"),
}
IP6 = {
    "ip6 saddr": (ip6, "rp128m"), "ip6 daddr": (ip6, "rp128m"), "ip6 version": (n(4), ""), "ip6 dscp": (DSCP, "r"), "ip6 ecn": (ECN, ""),
    "ip6 flowlabel": (n(20), "r"), "ip6 length": (n(16), "r"), "ip6 nexthdr": (PROTO, "r"), "ip6 hoplimit": (n(8), "r"),
    "icmpv6 type": (ICMP6, ""), "icmpv6 code": (words("no-route", "admin-prohibited", "addr-unreachable", "port-unreachable",
                                                     "policy-fail", "reject-route", "9"), ""),
    "icmpv6 checksum": (n(16), "r"), "icmpv6 parameter-problem": (n(32), "r"), "icmpv6 mtu": (n(32), "r"), "icmpv6 id": (n(16), "r"),
    "icmpv6 sequence": (n(16), "r"), "icmpv6 max-delay": (n(16), "r"),
    "hbh nexthdr": (PROTO, ""), "hbh hdrlength": (n(8), "r"), "rt nexthdr": (PROTO, ""), "rt hdrlength": (n(8), "r"), "rt type": (n(8), "r"),
    "rt seg-left": (n(8), "r"), "rt0 addr[1]": (ip6, ""), "rt2 addr": (ip6, ""), "srh last-entry": (n(8), "r"), "srh flags": (n(8), "r"),
    "srh tag": (n(16), "r"), "srh sid[1]": (ip6, ""), "frag nexthdr": (PROTO, ""), "frag reserved": (n(8), ""), "frag frag-off": (n(13), "r"),
    "frag reserved2": (n(2), ""), "frag more-fragments": (n(1), ""), "frag id": (n(32), "r"), "dst nexthdr": (PROTO, ""),
    "dst hdrlength": (n(8), "r"), "mh nexthdr": (PROTO, ""), "mh hdrlength": (n(8), "r"), "mh type": (words("binding-refresh-request",
        "home-test-init", "careof-test-init", "home-test", "careof-test", "binding-update", "binding-acknowledgement", "binding-error",
        "fast-binding-update", "fast-binding-acknowledgement", "fast-binding-advertisement", "experimental-mobility-header",
        "home-agent-switch-message"), "r"), "mh reserved": (n(8), ""), "mh checksum": (n(16), "r"),
}
L4 = {
    "tcp sport": (PORT, "rm"), "tcp dport": (PORT, "rm"), "tcp sequence": (n(32), "rm"), "tcp ackseq": (n(32), "r"), "tcp doff": (n(4), "r"),
    "tcp reserved": (n(4), ""), "tcp flags": (TCPFLAG, "f"), "tcp window": (n(16), "r"), "tcp checksum": (n(16), "r"),
    "tcp urgptr": (n(16), "r"), "udp sport": (PORT, "rm"), "udp dport": (PORT, "rm"), "udp length": (n(16), "r"), "udp checksum": (n(16), "r"),
    "udplite sport": (PORT, "r"), "udplite dport": (PORT, "r"), "udplite checksum": (n(16), "r"),
    "sctp sport": (PORT, "r"), "sctp dport": (PORT, "r"), "sctp vtag": (n(32), "r"), "sctp checksum": (n(32), "r"),
    "dccp sport": (PORT, "r"), "dccp dport": (PORT, "r"), "dccp type": (words("request", "response", "data", "ack", "dataack", "closereq",
        "close", "reset", "sync", "syncack"), "r"),
    "ah nexthdr": (PROTO, ""), "ah hdrlength": (n(8), "r"), "ah reserved": (n(16), ""), "ah spi": (n(32), "r"), "ah sequence": (n(32), "r"),
    "esp spi": (n(32), "r"), "esp sequence": (n(32), "r"), "comp nexthdr": (PROTO, ""), "comp flags": (hx(8), "rm"), "comp cpi": (n(16), "r"),
    "th sport": (PORT, "r"), "th dport": (PORT, "r"),
}
ETH = {"ether saddr": (mac, "r"), "ether daddr": (mac, "r"), "ether type": (ETHER, ""), "vlan id": (n(12), "r"),
       "vlan dei": (n(1), ""), "vlan pcp": (n(3), "r"), "vlan type": (ETHER, "")}
ARP = {"arp htype": (n(16), "r"), "arp ptype": (ETHER, ""), "arp hlen": (n(8), "r"), "arp plen": (n(8), "r"),
       "arp operation": (words("request", "reply", "rrequest", "rreply", "inrequest", "inreply", "nak", "11"), ""),
       "arp saddr ip": (ip4, "rp32"), "arp daddr ip": (ip4, "rp32"), "arp saddr ether": (mac, ""), "arp daddr ether": (mac, "")}
META = {
    "meta length": (n(32), "r"), "meta protocol": (ETHER, ""), "meta nfproto": (words("ipv4", "ipv6"), ""), "meta l4proto": (PROTO, "r"),
    "meta priority": (lambda: pick("none", "%x:%x" % (num(16), num(16)), "root"), "r"), "meta mark": (hx(32), "rm"), "iif": (words("lo", "1"), ""),
    "oif": (words("lo", "1"), ""), "iifname": (IFNAME, "w"), "oifname": (IFNAME, "w"), "iiftype": (IFTYPE, ""), "oiftype": (IFTYPE, ""),
    "meta skuid": (n(32), "r"), "meta skgid": (n(32), "r"), "meta rtclassid": (n(32), ""), "meta pkttype": (PKTTYPE, ""),
    "meta cpu": (n(32), "r"), "iifgroup": (pick, ""), "oifgroup": (n(32), ""), "meta cgroup": (n(32), "r"),
    "meta iifkind": (words('"veth"', '"bridge"', '"vxlan"'), ""), "meta oifkind": (words('"veth"', '"bond"'), ""), "meta day": (DAY, "r"),
    "meta hour": (HOUR, "r"), "meta time": (TIME, "r"), "meta sdif": (n(32), ""), "meta sdifname": (IFNAME, "w"), "rt classid": (n(32), ""),
    "socket mark": (hx(32), "rm"), "socket transparent": (n(1), "n"), "socket wildcard": (n(1), "n"), "meta random": (words("0.5", "0.001", "0.999"), "rn"),
}
META["iifgroup"] = (words('"default"', "0", "7"), "")
CT = {
    "ct state": (CTSTATE, "f"), "ct status": (CTSTATUS, "f"), "ct direction": (words("original", "reply"), ""), "ct mark": (hx(32), "rm"),
    "ct expiration": (span, "r"), "ct helper": (words('"ftp"', '"sip"', '"abcdefghijklmno"'), ""), "ct bytes": (n(64), "r"),
    "ct packets": (n(64), "r"), "ct avgpkt": (n(64), "r"), "ct original bytes": (n(64), "r"), "ct reply packets": (n(64), "r"),
    "ct zone": (n(16), "r"), "ct original zone": (n(16), "r"), "ct id": (n(32), "r"), "ct label": (n(7), "n"),
    "ct original ip saddr": (ip4, "rp32"), "ct reply ip daddr": (ip4, "rp32"), "ct original ip6 daddr": (ip6, "rp128"),
    "ct original proto-src": (n(16), "r"), "ct reply proto-dst": (n(16), "r"), "ct original protocol": (PROTO, ""),
}
# Left out: "ct l3proto", a condition that nft 1.0.6 does not list before a header of that protocol
FIB = {"fib saddr type": (FIBTYPE, ""), "fib daddr type": (FIBTYPE, ""), "fib daddr . iif type": (FIBTYPE, ""), "fib saddr . mark type": (FIBTYPE, ""),
       "fib saddr oifname": (IFNAME, ""), "fib daddr . mark . iif oif": (words("lo", "1"), ""), "fib saddr . iif oif": (words("lo"), "")}
TCPOPT = {"tcp option maxseg size": (n(16), "r"), "tcp option window count": (n(8), "r"), "tcp option sack left": (n(32), "r"),
          "tcp option sack1 right": (n(32), ""), "tcp option sack3 left": (n(32), ""), "tcp option timestamp tsval": (n(32), "r"),
          "tcp option timestamp tsecr": (n(32), "r"), "tcp option mptcp subtype": (n(4), ""), "tcp option maxseg length": (n(8), "r"),
          "tcp option window kind": (n(8), ""), "tcp option sack length": (n(8), ""), "tcp option fastopen length": (n(8), "")}
IPOPT = {"ip option rr ptr": (n(8), "r"), "ip option rr addr": (n(32), ""), "ip option lsrr length": (n(8), ""), "ip option ssrr type": (n(8), ""),
         "ip option ra value": (n(16), "r"), "ip option lsrr addr": (n(32), "r")}
IPSEC = {"ipsec in reqid": (n(32), "r"), "ipsec out spi": (n(32), "r"), "ipsec in spnum 2 ip saddr": (ip4, ""), "ipsec out ip6 daddr": (ip6, "")}
BRIDGE = {"meta ibrname": (IFNAME, "w"), "meta obrname": (IFNAME, "w"), "meta ibrpvid": (n(16), "r"), "meta ibrvproto": (ETHER, "")}

FAMILY = {
    "ip": [IP, IP, L4, META, CT, FIB, TCPOPT, IPOPT, IPSEC], "ip6": [IP6, IP6, L4, META, CT, FIB, TCPOPT, IPSEC],
    "inet": [IP, IP6, L4, L4, META, META, CT, CT, FIB, TCPOPT, IPOPT, IPSEC, ETH], "arp": [ARP, META, ETH],
    "bridge": [ETH, ETH, IP, IP6, L4, ARP, META, BRIDGE, TCPOPT, CT], "netdev": [ETH, IP, IP6, L4, META, ARP, TCPOPT],
}
CHAINS = {
    "ip": ["in", "out", "fw", "pre", "post", "natpre", "natout", "natpost", "natin", "route", "reg"],
    "ip6": ["in", "out", "fw", "pre", "post", "natpre", "natpost", "natout", "natin", "route", "reg"],
    "inet": ["in", "out", "fw", "pre", "post", "natpre", "natpost", "natout", "natin", "ing", "reg"],
    "arp": ["in", "out", "reg"], "bridge": ["in", "fw", "pre", "out", "reg"], "netdev": ["ing", "egr", "reg"],
}
HOOK = {
    "in": "type filter hook input", "out": "type filter hook output", "fw": "type filter hook forward", "pre": "type filter hook prerouting",
    "post": "type filter hook postrouting", "natpre": "type nat hook prerouting", "natout": "type nat hook output",
    "natpost": "type nat hook postrouting", "natin": "type nat hook input", "route": "type route hook output",
    "ing": "type filter hook ingress", "egr": "type filter hook egress",
}


def field(family):
    table = R.choice(FAMILY[family])
    return R.choice(list(table.items()))


def ordered(a, b):
    try:
        x, y = int(a, 0), int(b, 0)
        return (a, b) if x <= y else (b, a)
    except ValueError:
        return (a, b)


def value(gen, opts, interval=True):
    v = gen()
    if interval and "r" in opts and chance(0.25):
        return "%s-%s" % ordered(v, gen())
    if interval and "p" in opts and chance(0.3):
        return "%s/%d" % (v, R.randint(0, 32 if "p32" in opts else 128))
    return v


def elements(gen, opts, most=6):
    interval = chance(0.4)
    return ", ".join(dict.fromkeys(value(gen, opts, interval) for _ in range(R.randint(1, most))))


SUBS = ["sub1", "sub2"]


def verdict(jumps=True):
    return pick("accept", "drop", "continue", "return", *(["jump " + R.choice(SUBS), "goto " + R.choice(SUBS)] if jumps else []))


def concat(family):
    parts = []
    for _ in range(R.randint(2, pick(2, 2, 3, 4, 5))):
        f = field(family)
        if "n" not in f[1][1] and not any(f[0] == p[0] for p in parts):
            parts.append(f)
    return parts


# Numbers that have a type of their own, with a size. nft 1.0.6 lists nothing but 0 from the first one without on where a
# set of concatenations has ranges ("ip saddr . meta length { 10.0.0.1 . 5-6 }"), or more parts than its user data have room for
SIZED = ("meta skuid", "meta skgid", "meta rtclassid", "oifgroup", "rt classid", "socket mark", "ct label")


UNSIZED = ("icmp gateway", "ct helper", "fib saddr oifname", "meta random", "osf name", "osf version")


def sized(parts):
    return all((getattr(p[1][0], "sized", True) or p[0] in SIZED) and p[0] not in UNSIZED for p in parts)


def tuple_of(parts, interval):
    return " . ".join(value(p[1][0], p[1][1] if interval else "", interval) for p in parts)


def data(kind):
    return {"mark": hx(32), "ip4": ip4, "ip6": ip6, "port": PORT, "verdict": verdict, "counter": words('"cnt1"', '"cnt2"'), "quota": words('"q1"'),
            "limit": words('"lim1"'), "synproxy": words('"sp1"'), "ip4port": lambda: "%s . %s" % (ip4(), PORT()), "classid": words("1:2", "ffff:0"),
            "ip4range": lambda: value(ip4, "r"), "iface": IFNAME}[kind]()


def compare(family):
    """one condition"""
    left, (gen, opts) = field(family)
    op = pick("", "", "", "!= ")
    kind = R.random()
    if "f" in opts and chance(0.6):
        flags = list(dict.fromkeys(gen() for _ in range(R.randint(1, 4))))
        return "%s %s%s" % (left, pick("", "!= "), R.choice([",".join(flags), " | ".join(flags), "{ %s }" % ", ".join(flags)])) if chance(0.6) \
            else "%s & (%s) %s %s" % (left, " | ".join(flags), pick("==", "!="), pick("0", flags[0], "(" + " | ".join(flags[:2]) + ")"))
    if "m" in opts and kind < 0.2:
        return "%s %s %s %s %s" % (left, pick("&", "&", "|", "^"), gen(), pick("==", "!=", "<", ">"), gen())
    if "m" in opts and kind < 0.24:
        # to the right nft 1.0.6 compares more bytes than there are: such a condition never holds, and its listing lacks it
        return "%s << %d %s %d" % (left, R.randint(0, 3), pick("==", "!="), R.randint(0, 1) << 3)
    if "r" in opts and kind < 0.34:
        return "%s %s %s" % (left, pick("<", ">", "<=", ">="), gen())
    if "w" in opts and kind < 0.3:
        return '%s %s"%s*"' % (left, op, pick("eth", "cali", "v", "abcdefghijklmn"))
    if "n" not in opts and kind < 0.5:
        return "%s %s{ %s }" % (left, op, elements(gen, opts))
    return "%s %s%s" % (left, op, value(gen, opts))


def special(family):
    return pick(
        "exthdr %s %s" % (pick("hbh", "rt", "frag", "dst", "mh"), pick("exists", "missing")),
        "tcp option %s %s" % (pick("eol", "nop", "maxseg", "window", "sack-perm", "sack", "timestamp", "fastopen", "md5sig", "mptcp", "253"),
                              pick("exists", "missing")),
        "ip option %s %s" % (pick("rr", "ra", "lsrr", "ssrr"), pick("exists", "missing")),
        "fib %s oif %s" % (pick("saddr", "daddr", "saddr . iif", "daddr . mark", "saddr . mark . iif", "daddr . oif"), pick("exists", "missing")),
        "meta ipsec %s" % pick("exists", "missing"), "rt ipsec %s" % pick("exists", "missing"),
        "osf %s%s %s" % (pick("", "ttl loose ", "ttl skip "), pick("name", "version"), pick('"Linux"', '"unknown"', '"Windows:XP"')),
        "@%s,%d,%d %s%s" % (pick("ll", "nh", "th", "ih"), pick(0, 8, 16, 32, 96, 3, 13, 200), pick(1, 4, 8, 16, 32, 48, 64, 128),
                            # other bytes than these: nft 1.0.6 lists each field within as another one, which is not the same
                            *pick(("", "0"), ("", "1"), ("", "0x5"), ("", "{ 1, 2 }"), ("!= ", "{ 1, 2 }"))),
        "@%s,%d,%d & %s == %s" % (pick("nh", "th"), pick(0, 16, 32), pick(8, 16, 32), pick("0xf0", "0x3", "1"), pick("0", "1", "0x10")),
        "tcp option @%d,%d,%d %s" % (pick(2, 30, 255), pick(0, 8, 16), pick(8, 16, 32), pick("1", "!= 5", "1-5")),
        "numgen %s mod %d %s%s" % (pick("inc", "random"), R.randint(1, 100), pick("", "offset 5 "), pick("0", "< 3", "!= 1", "1-4")),
        "jhash %s mod %d %s%s%s" % (pick("ip saddr", "ip saddr . tcp dport", "ip6 saddr . ip6 daddr", "ether saddr"), R.randint(2, 99),
                                    pick("", "seed 0x%x " % num(32)), pick("", "offset 3 "), pick("1", "{ 1, 2 }", "!= 7")),
        "symhash mod %d %s%s" % (R.randint(2, 50), pick("", "offset 100 "), pick("1", "101", "< 3")),
        "sctp chunk %s %s" % (pick("data", "init", "init-ack", "sack", "heartbeat", "abort", "shutdown", "cookie-echo", "ecne", "cwr", "asconf",
                                   "forward-tsn"), pick("exists", "missing", "flags 1", "tsn 5", "num-gap-ack-blocks 1", "stream 7")),
        "ct count %s%d" % (pick("", "over "), num(32)), "dup to %s" % ip4(),
        "rt %s" % pick("ip nexthop %s" % ip4(), "ip6 nexthop %s" % ip6(), "nexthop %s" % ip4(), "mtu %d" % num(16), "mtu < 1400", "classid %d" % num(32)),
        "ct %s" % pick("l3proto ipv4", "l3proto ipv6", "protocol tcp", "protocol { tcp, udp }", "original saddr %s" % ip4(), "reply ip saddr %s/%d" % (
            ip4(), R.randint(1, 32)), "original proto-dst { 22, 80 }", "secmark %d" % num(32), "state new,established", "status != snat", "event new"),
        "meter m%d { %s %s }" % (R.randint(0, 99), pick("ip saddr", "ip saddr . tcp dport", "tcp dport", "ether saddr", "iif"), pick(rate(), "counter", quota())),
        "ah nexthdr %d %s" % (num(8), pick("ah spi 5", "ah hdrlength < 7", "")), "ether type %s vlan type %s" % (pick("8021q", "8021ad"), pick("ip", "ip6", "8021q", "arp")),
        "vlan id %d vlan type %s %s" % (num(12), pick("ip", "ip6", "8021q"), pick("ip saddr %s" % ip4(), "vlan id 7", "tcp dport 5", "ether saddr %s" % mac(), "")),
        "%s %s %s" % (pick("ip protocol", "ip6 nexthdr", "meta l4proto"), pick("tcp", "udp", "icmp", "icmpv6", "sctp", "esp"), pick(
            "tcp dport 5", "udp sport { 1, 2 }", "th dport 7", "@th,0,16 5", "sctp vtag 5", "esp spi 6", "icmp type echo-reply", "tcp flags syn", "")),
        "meta %s" % pick("skuid { 0, 1000-2000 }", "skgid != 0-5", "cgroup 5", "secmark 7", "nfproto { ipv4, ipv6 }", "protocol { ip, ip6 }", "l4proto != { tcp, 47 }",
                         "oif . iif { 1 . 1 }", "ibrname \"br0\"", "cpu 0-3", "pkttype { host, multicast }"),
        "socket %s" % pick("wildcard 1 socket mark 5", "transparent 1", "cgroupv2 level 1 \"a\""),
        pick("tcp flags syn / syn,ack", "tcp flags fin,syn / fin,syn,rst,ack", "tcp flags ! syn,rst", "ct state ! new", "ct status ! snat,dnat",
             "tcp flags != syn / syn,ack", "tcp flags syn | ack"),
        "meta l4proto %s th dport %s" % (pick("{ tcp, udp }", "tcp", "17"), pick("53", "{ 53, 80-90 }")),
        "ether type %s %s" % (pick("ip", "ip6", "vlan"), pick("", "ip saddr 10.0.0.1", "vlan id 5")),
        "meta protocol ip %s" % pick("udp dport 5", "ip saddr 1.2.3.4", "icmp type echo-request"),
        "meta nfproto %s %s" % (pick("ipv4", "ipv6"), pick("tcp dport 80", "meta l4proto udp", "")),
    )


def rate():
    unit = pick("second", "minute", "hour", "day", "week")
    if chance(0.5):
        return "limit rate %s%d/%s%s" % (pick("", "over "), max(1, num(20)), unit, pick("", " burst %d packets" % num(32)))
    return "limit rate %s%d %s/%s%s" % (pick("", "over "), max(1, num(16)), pick("bytes", "kbytes", "mbytes"), unit,
                                        pick("", " burst %d %s" % (num(20), pick("bytes", "kbytes", "mbytes"))))


def quota():
    return "quota %s%d %s%s" % (pick("", "over ", "until "), num(20), pick("bytes", "kbytes", "mbytes"), pick("", "", " used %d bytes" % num(20)))


def log():
    if chance(0.3):
        return "log " + " ".join(x for x in (pick("", 'prefix "x y: "', 'prefix "%s"' % comment(127)), "group %d" % num(16), pick("", "snaplen %d" % num(32)),
                                             pick("", "queue-threshold %d" % num(16))) if x)
    return "log " + " ".join(x for x in (
        pick("", 'prefix "%s"' % comment(127), 'prefix "IN=%s "' % pick("a", "b'c", "!", "{x}", "$", "\\\\")), pick("", "level " + pick("emerg", "alert", "crit", "err", "warn", "notice", "info",
                                                                                                "debug", "audit")),
        pick("", "flags " + pick("all", "skuid", "ether", "ip options", "tcp sequence", "tcp options", "tcp sequence,options",
                                 "tcp sequence flags skuid flags ether"))) if x)


def port_range():
    a, b = sorted((R.randint(1, 65535), R.randint(1, 65535)))
    return pick(str(a), "%d-%d" % (a, b))


def natflags():
    return pick("", "", " random", " persistent", " fully-random", " random,persistent", " fully-random,persistent")


def nat(family, chain):
    six = family == "ip6" or (family == "inet" and chance(0.4))
    address = ip6 if six else ip4
    fam = (" ip6" if six else " ip") if family == "inet" else ""
    proto = pick("", "tcp dport 80 ", "meta l4proto udp ", "meta l4proto { tcp, udp } ")
    kind = "dnat" if chain in ("natpre", "natout") else "snat"
    one = ("[%s]" if six else "%s") % address()
    if chance(0.2) and chain in ("natpre", "natout"):
        return proto + "redirect" + pick("", " to :" + port_range()) + natflags()
    if chance(0.2) and chain == "natpost":
        return proto + "masquerade" + pick("", " to :" + port_range()) + natflags()
    if chance(0.2):
        return "%s%s%s to %s map { %s }" % (proto, kind, fam, pick("tcp dport", "ip saddr", "ip6 saddr", "numgen inc mod 2", "jhash ip saddr mod 2"),
                                            pick("80 : %s, 443 : %s", "0 : %s, 1 : %s", "10.0.0.1 : %s, 10.0.0.2 : %s") % (address(), address()))
    if chance(0.12) and not six:
        return "%s%s%s to tcp dport map { 80 : %s . 8080, 443 : %s . 8443 }" % ("", kind, fam, ip4(), ip4())
    if chance(0.1):
        return "%s%s prefix to %s/%d" % (kind, fam, address(), R.randint(1, 128 if six else 32))
    if chance(0.3):
        pair = sorted((R.randint(0, 255), R.randint(0, 255)))
        one = ("2001:db8::%x-2001:db8::%x" if six else "10.0.0.%d-10.0.0.%d") % tuple(pair)
        if six:
            return proto + "%s%s to [2001:db8::%x]-[2001:db8::%x]%s%s" % (kind, fam, pair[0], pair[1], pick("", ":" + port_range()), natflags())
    return proto + "%s%s to %s%s%s" % (kind, fam, one, pick("", "", ":" + port_range()), natflags())


def queue():
    flags = pick("", "", "bypass", "fanout", "bypass,fanout")
    if flags and chance(0.4):
        return "queue flags %s to %s" % (flags.split(",")[0], pick("numgen inc mod 5", "symhash mod 3 offset 7", "jhash ip saddr mod 9",
                                                                 "tcp dport map { 80 : 1, 443 : 5 }", "numgen random mod 7 offset 100"))
    a, b = sorted((num(16), num(16)))
    return "queue %s%s" % ("flags %s " % flags if flags else "", pick("to %d" % a, "to %d-%d" % (a, b))) if flags or chance(0.8) else "queue"


def changes(family):
    return pick(
        "meta mark set %s" % pick("0x%x" % num(32), "ct mark", "meta mark | 0x10", "meta mark & 0x%x" % num(32), "meta mark ^ 0x%x" % num(32),
                                  "meta mark << 4", "ct mark & 0xff | 0x100", "tcp dport map { 80 : 1, 1000-2000 : 0x2 }", "ip dscp", "jhash ip saddr mod 5",
                                  "numgen inc mod 7 offset 2", "ip saddr map { 10.0.0.0/8 : 5, 1.2.3.4 : 7 }", "meta cpu", "meta priority",
                                  "symhash mod 3", "iifname map { \"lo\" : 1, \"eth*\" : 2 }"),
        "ct mark set %s" % pick("%d" % num(32), "meta mark", "ct mark | 5", "meta mark & 0xff", "ct mark & 0xfff000ff | 0x%x" % num(16), "ct mark >> 8"),
        "meta priority set %s" % pick("none", "1:2", "ffff:ffff", "0xabcd"), "meta nftrace set 1", "meta pkttype set %s" % PKTTYPE(),
        "ct event set %s" % pick("new", "new,destroy", "new | related", "label,mark", "assured"), "notrack", "ct zone set %d" % num(16),
        "ct original zone set %d" % num(16), "ct label set %d" % num(7), "ct zone set iif map { lo : 7 }",
        "ip ttl set %d" % num(8), "ip dscp set %s" % DSCP(), "ip ecn set %s" % ECN(), "ip6 hoplimit set %d" % num(8), "ip6 dscp set %s" % DSCP(),
        "ip6 flowlabel set %d" % num(20), "ip saddr set %s" % ip4(), "ip6 daddr set %s" % ip6(), "tcp dport set %s" % PORT(),
        "udp checksum set 0", "ether daddr set %s" % mac(), "tcp option maxseg size set %s" % pick("1360", "rt mtu"), "reset tcp option %s" % pick(
            "timestamp", "sack", "maxseg", "window", "sack-perm", "fastopen"), "@th,16,16 set %d" % num(16), "@nh,8,8 set 5",
        "tcp dport set numgen inc mod 3 map { 0 : 80, 1 : 81, 2 : 82 }", "vlan id set %d" % num(12), "arp operation set reply",
        "ip daddr set ip saddr map { 1.1.1.1 : 2.2.2.2 }", "dccp dport set 5", "tcp flags set syn", "exthdr frag exists", "frag id set 5",
        "ip option rr ptr set 4", "tcp sequence set 7", "flow add @ft", "meta secmark set ct secmark", "ct secmark set meta secmark",
        "meta mark set %s map { %s : 0x1, * : 0x%x }" % (*pick(("tcp dport", "80"), ("ip protocol", "tcp"), ("meta l4proto", "udp"), ("iif", "lo"),
                                                               ("ether type", "ip"), ("vlan id", "5"), ("ip dscp", "cs1"), ("ct state", "new")), num(32)),
        "%s set %s" % (pick("meta mark", "ct mark", "meta priority"), pick("ip ttl", "tcp dport", "meta skuid", "ct zone", "ip6 hoplimit", "vlan id", "ip version",
                                                                          "ether saddr", "fib daddr oif", "th sport", "meta iif", "ct id")),
        "%s set %s" % (pick("tcp dport", "udp sport", "ip id", "th dport"), pick("tcp sport", "udp sport", "meta mark", "ip id", "numgen random mod 9 offset 1000",
                                                                               "jhash ip saddr mod 9 offset 7")),
        "ip saddr set ip daddr", "ip6 saddr set ip6 daddr", "ether saddr set ether daddr", "vlan pcp set %d" % num(3), "ip length set %d" % num(16),
        "icmp id set 5", "icmpv6 mtu set 5", "@ll,0,48 set 0x5", "@th,0,8 set %d" % num(8), "@nh,64,16 set 5", "dccp type set 1",
        "tcp option window count set 5", "tcp option timestamp tsval set %d" % num(32), "tcp doff set 5", "udp length set 8",
        "tcp option sack left set %d" % num(32), "reset tcp option %s" % pick("md5sig", "mptcp", "eol", "nop", "sack"),
    )


def terminal(family, chain):
    if chain.startswith("nat") and chance(0.7):
        return nat(family, chain)
    return pick(
        verdict(), verdict(), verdict(False), "", "reject", "reject with icmpx %s" % pick("port-unreachable", "admin-prohibited", "no-route", "host-unreachable"),
        "reject with icmp %s" % pick("net-unreachable", "host-unreachable", "prot-unreachable", "port-unreachable", "net-prohibited", "host-prohibited",
                                     "admin-prohibited"),
        "reject with icmpv6 %s" % pick("no-route", "admin-prohibited", "addr-unreachable", "port-unreachable", "policy-fail", "reject-route"),
        "tcp dport %s reject with tcp reset" % PORT(), queue(), "reject with tcp reset", "jump { %s; %s; }" % (rate(), pick("accept", "counter", "return")),
        "goto { ip saddr %s drop; counter; }" % ip4(), "synproxy mss %d wscale %d%s%s" % (
            num(16), R.randint(0, 14), pick("", " timestamp"), pick("", " sack-perm")),
        "meta l4proto tcp tproxy %s" % pick("to :%d" % R.randint(1, 65535), "ip to %s:%d" % (ip4(), R.randint(1, 65535)), "ip6 to [%s]:%d" % (
            ip6(), R.randint(1, 65535)), "to %s" % ip4(), "to [%s]:5" % ip6()),
        "dup to %s%s" % (pick(ip4(), ip6(), '"lo"'), pick("", ' device "lo"')), 'fwd %s' % pick('to "lo"', 'ip to %s device "lo"' % ip4(),
                                                                                              'ip6 to %s device "lo"' % ip6()),
        "tcp dport vmap { %s }" % ", ".join("%s : %s" % (p, verdict()) for p in dict.fromkeys(value(PORT, "r") for _ in range(R.randint(1, 4)))),
        "meta mark vmap { 0x1 : accept, 0x5-0x%x : drop }" % R.randint(5, 1 << 31),
        "ip saddr vmap { 10.0.0.0/8 : jump sub1, 1.2.3.4 : drop }", "iifname vmap { \"lo\" : accept, \"eth*\" : drop, \"a\" : goto sub2 }",
        "ip daddr . tcp dport vmap { 10.0.0.1 . 80 : accept, 10.0.0.0/24 . 1-5 : drop }", "ct state vmap { new : accept, established : drop, invalid : continue }",
        "ct state . ct direction vmap { new . original : accept }", "ct helper set \"ftp-std\"", "counter name \"cnt1\"", "quota name \"q1\"", "limit name \"lim1\"",
        "synproxy name \"sp1\"", "ct timeout set \"to1\"", "ct expectation set \"exp1\"", "counter name tcp dport map { 80 : \"cnt1\", 81 : \"cnt2\" }",
    )


def set_statement(sets):
    name, parts, flags, kind = R.choice(sets)
    key = " . ".join(p[0] for p in parts)
    if kind == "verdict":
        return "%s vmap @%s" % (key, name)
    if kind:
        use = {"mark": "%s set %%s map @%%s" % pick("meta mark", "ct mark"), "ip4": "%s to %%s map @%%s" % pick("dnat", "snat", "dnat ip", "dup"),
               "ip6": "%s to %%s map @%%s" % pick("dnat", "snat ip6"), "port": pick("tcp dport set %s map @%s", "redirect to :%s map @%s"),
               "ip4port": "dnat ip to %s map @%s", "ip4range": "snat ip to %s map @%s", "classid": "meta priority set %s map @%s"}
        if "dynamic" in flags and chance(0.5) and kind in ("mark", "ip4", "port"):
            return "%s @%s { %s : %s }" % (pick("add", "update"), name, key, {"mark": "meta mark", "ip4": "ip daddr", "port": "tcp dport"}[kind])
        return use.get(kind, kind + " name %s map @%s") % (key, name)
    if "dynamic" in flags and chance(0.7):
        timeout = pick("", " timeout " + span()) if "timeout" in flags else ""
        return "%s @%s { %s%s%s%s }" % (pick("add", "update", "delete"), name, key, timeout, pick("", "", " " + rate(), " counter", " ct count over 5", " quota over 5 mbytes"),
                                        pick("", "", ' comment "c"'))
    return "%s %s@%s" % (key, pick("", "!= "), name)


def other_bytes(line):
    """behind a tag, nft 1.0.6 lists bytes of the frame without a name as others: their fields, or another offset"""
    return re.search(r"vlan .*(ether daddr !=|@ll,)|@ll,.*vlan |vlan type \{.*vlan ", line)


def merged(a, b):
    """nft 1.0.6 lists two neighbours as one range, whatever they are bounds of: one of the two conditions is lost"""
    return (" >= " in a and " <= " in b) or (" < " in a and " > " in b)


def rule(family, chain, sets):
    out = []
    for _ in range(pick(0, 1, 1, 1, 2, 3)):
        if sets and chance(0.15):
            out.append(set_statement(sets))
        elif chance(0.15):
            out.append(special(family))
        elif chance(0.1):
            parts = concat(family)
            if len(parts) > 3 and not sized(parts):
                parts = parts[:3]
            interval = chance(0.4) and sized(parts)
            out.append("%s %s{ %s }" % (" . ".join(p[0] for p in parts), pick("", "!= "),
                                        ", ".join(dict.fromkeys(tuple_of(parts, interval) for _ in range(R.randint(1, 4))))))
        else:
            out.append(compare(family))
        if len(out) > 1 and merged(*out[-2:]):
            out.pop()
    if other_bytes(" ".join(out)):
        out = []
    for _ in range(pick(0, 0, 1, 1, 2)):
        out.append(pick("counter", "counter packets %d bytes %d" % (num(40), num(50)), rate(), quota(), log(), changes(family), changes(family)))
    end = terminal(family, chain)
    if end:
        out.append(end)
    if not out:
        out.append("counter")
    if chance(0.1):
        out[-1] += ' comment "%s"' % comment()
    return out


TYPES = {"ipv4_addr": (ip4, "rp32"), "ipv6_addr": (ip6, "rp128"), "ether_addr": (mac, "r"), "inet_proto": (PROTO, "r"), "inet_service": (PORT, "r"),
         "mark": (hx(32), "r"), "ifname": (IFNAME, "w"), "ct_state": (CTSTATE, ""), "ct_dir": (words("original", "reply"), ""), "ct_status": (CTSTATUS, ""),
         "icmp_type": (ICMP, ""), "icmpv6_type": (ICMP6, ""), "ether_type": (ETHER, ""), "pkt_type": (PKTTYPE, ""), "dscp": (DSCP, ""), "ecn": (ECN, ""),
         "day": (DAY, ""), "hour": (HOUR, ""), "time": (TIME, "r"), "uid": (n(32), "r"), "gid": (n(32), "r"), "realm": (n(32), ""), "classid": (lambda: "%x:%x" % (num(16), num(16)), ""),
         "cgroupsv2": (words('"a"'), ""), "iface_index": (words("lo"), ""), "iface_type": (IFTYPE, ""), "arp_op": (words("request", "reply"), ""),
         "nf_proto": (words("ipv4", "ipv6"), ""), "ct_label": (n(6), ""), "ct_event": (words("new", "related", "destroy"), ""), "fib_addrtype": (FIBTYPE, ""),
         "tcp_flag": (TCPFLAG, ""), "dccp_pkttype": (words("request", "reset"), ""), "mh_type": (words("binding-update"), ""), "boolean": (words("exists", "missing"), ""),
         "igmp_type": (words("membership-query", "leave-group"), ""), "icmp_code": (words("host-unreachable", "3"), ""), "string": (words('"x"'), ""),
         "icmpx_code": (words("port-unreachable", "no-route"), ""), "devgroup": (words('"default"', "7"), ""), "bitmask": (n(8), "")}


def make_set(family, t, index):
    """a set or map as a command, its elements, and how rules may use it"""
    name = "%s%d" % (pick("s", "s", "s", ident(240)), index)
    typeof = chance(0.5)
    if typeof:
        # a set of "typeof ct label" makes nft 1.0.6 lose all sets that it lists behind it
        parts = [p for p in ([field(family)] if chance(0.5) else concat(family)) if p[0] != "ct label"] or [("ct mark", CT["ct mark"])]
        key = "typeof " + " . ".join(p[0] for p in parts)
    else:
        chosen = [R.choice(list(TYPES.items()))] if chance(0.5) else [R.choice(list(TYPES.items())) for _ in range(R.randint(2, 4))]
        parts = [(c[0], c[1]) for c in chosen]
        key = "type " + " . ".join(c[0] for c in chosen)
    kinds = ("", "", "", "verdict", "mark", "ip4", "port", "ip6", "counter", "quota", "limit", "ip4port", "classid", "ip4range", "synproxy", "iface")
    # nft 1.0.6 lists a map of intervals by its types even if it has "typeof", and those without a size as "type 0"
    kind = pick(*[k for k in kinds if k != "ip4range" or not typeof or sized(parts)])
    of = {"mark": pick("meta mark", "ct mark"), "ip4": pick("ip saddr", "ip daddr"), "port": pick("tcp dport", "udp sport"), "ip6": "ip6 saddr",
          "ip4port": "ip daddr . tcp dport", "classid": "meta priority", "ip4range": "interval ip saddr", "iface": "iifname"}
    flags = [f for f in ("constant", "dynamic", "timeout", "interval") if chance({"constant": .1, "dynamic": .25, "timeout": .25, "interval": .35}[f])]
    interval = "interval" in flags
    data_type = {"mark": "mark", "ip4": "ipv4_addr", "ip6": "ipv6_addr", "port": "inet_service", "ip4port": "ipv4_addr . inet_service", "iface": "ifname",
                 "ip4range": "interval ipv4_addr"}.get(kind, kind)
    if typeof and kind in of:
        data_type = of[kind]
    body = [key + (" : " + data_type if data_type else "")]
    if chance(0.15):
        body.append("size %d" % R.randint(1, 70000))
    if flags:
        body.append("flags " + ",".join(flags))
    if "timeout" in flags and chance(0.5):
        body.append("timeout " + lasting())
    if "timeout" in flags and chance(0.3):
        body.append("gc-interval " + span())
    if chance(0.15):
        body.append("policy " + pick("memory", "performance"))
    if interval and chance(0.3):
        body.append("auto-merge")
    statement = not kind and chance(0.2) and pick("counter", "limit rate 5/second", "quota 5 mbytes", "counter limit rate over 7/minute", "ct count over 5")
    if statement:
        body.append(statement)
    if chance(0.15):
        body.append('comment "%s"' % comment())
    commands = ["add %s %s %s %s { %s; }" % ("map" if kind else "set", family, t, name, "; ".join(body))]
    for _ in range(pick(0, 1, 3, R.randint(0, 7), R.randint(0, 7), R.randint(0, 7), 60)):
        e = tuple_of(parts, interval)
        if len(parts) == 1 and "w" in parts[0][1][1] and interval and chance(0.3):
            e = '"eth*"'
        if len(parts) == 1 and chance(0.05):
            e = "*"
        if statement and chance(0.5):
            e += " " + pick("counter", "counter packets %d bytes %d" % (num(40), num(50)), "limit rate 7/hour", "limit rate over 5 kbytes/day burst 9 bytes", "ct count 5", "ct count over %d" % num(32))
        if "timeout" in flags and chance(0.4):
            e += " timeout " + lasting()
            if chance(0.3):
                e += " expires " + pick("1h", "59m", "1d1h1m1s")
        if chance(0.15):
            e += ' comment "%s"' % comment()
        if kind:
            e += " : " + data(kind)
        commands.append("add element %s %s %s { %s }" % (family, t, name, e))
    usable = typeof and (name, parts, flags, kind)
    return commands, usable


PRIORITIES = {"ip": ("raw", "mangle", "dstnat", "filter", "security", "srcnat"), "arp": ("filter",), "netdev": ("filter",),
              "bridge": ("filter", "dstnat", "out", "srcnat")}
NAMED = {"dstnat": ("pre", "natpre"), "srcnat": ("post", "natpost"), "out": ("out",)}  # only at these hooks; a bridge's too


def priority(family="netdev", chain=""):
    """a number or one of the names that the hook has, with or without an offset"""
    names = [p for p in PRIORITIES.get(family, PRIORITIES["ip"]) if chain in NAMED.get(p, (chain,))]
    if chain == "ing":
        names = ["filter"]
    low = -199 if chain.startswith("nat") else -(1 << 31)  # conntrack comes before
    return pick("0", "%s" % R.choice(names), "%s %s %d" % (R.choice(names), pick("+", "-"), R.randint(1, 60)), "%s + %d" % (R.choice(names), num(20, 1)),
                "%d" % max(low, pick(-1, 17, 300, -32768, (1 << 31) - 1, -(1 << 31) + 1, -225, -300, -400, R.randint(-1000, 1000))))


TIMEOUTS = {"tcp": "syn_sent syn_recv established fin_wait close_wait last_ack time_wait close syn_sent2 retrans unack".split(),
            "udp": ["unreplied", "replied"]}


def policy():
    proto = pick("tcp", "udp")
    states = R.sample(TIMEOUTS[proto], R.randint(1, len(TIMEOUTS[proto])))
    return "protocol %s; %spolicy = { %s };" % (proto, pick("", "l3proto ip; ", "l3proto ip6; "), ", ".join("%s : %d" % (x, num(20)) for x in states))


def objects():
    """kind, name and body of named objects; those that rules refer to come first"""
    said = lambda most=128: pick("", "", ' comment "%s";' % comment(most))  # noqa: E731
    yield "counter", "cnt1", pick("", "packets 5 bytes 100;", "packets %d bytes %d;" % (num(40), num(50))) + said()
    yield "counter", "cnt2", said()
    yield "quota", "q1", pick("", "over ") + "%d %s%s;" % (num(20), pick("bytes", "kbytes", "mbytes"), pick("", " used %d bytes" % num(20))) + said()
    yield "limit", "lim1", "%s;" % re.sub("^limit ", "", rate()) + said()
    yield "ct helper", "ftp-std", 'type "%s" protocol tcp;%s' % (pick("ftp", "sip"), pick("", " l3proto ip;", " l3proto ip6;")) + said()
    yield "ct timeout", "to1", policy() + said()
    yield "ct expectation", "exp1", "protocol %s; dport %d; timeout %s; size %d;" % (pick("udp", "tcp"), num(16, 1), span(), num(8)) + said()
    yield "synproxy", "sp1", "mss %d; wscale %d;%s" % (num(16), R.randint(0, 14), pick("", " timestamp sack-perm;", " timestamp;", " sack-perm;")) + said()
    yield "secmark", "sec1", '"system_u:object_r:ssh_server_packet_t:s0";' + said()
    for _ in range(R.randint(0, 3)):
        yield pick(("counter", ident(), said()), ("quota", ident(), "%d mbytes;" % num(20) + said()), ("limit", ident(), "%s;" % re.sub("^limit ", "", rate())),
                   ("ct timeout", ident(), policy()), ("ct expectation", ident(), "protocol tcp; dport 5; timeout 5m; size 1; l3proto %s;" % pick("ip", "ip6")))


LINKS = ("lo", "v0", "v1", "b0")  # what the namespace has


def devices(few=1):
    names = R.sample(LINKS, R.randint(few, len(LINKS)))
    return "device %s" % pick("%s", '"%s"') % names[0] if len(names) == 1 and few else "devices = { %s }" % ", ".join(names)


def hook(family, chain):
    if chain not in HOOK:
        return pick("", "", '{ comment "%s"; }' % comment())
    on = " " + devices() if chain in ("ing", "egr") else ""
    return "{ %s%s priority %s; %s%s }" % (HOOK[chain], on, priority(family, chain), pick("", "policy drop;", "policy accept;"), pick("", "", ' comment "%s";' % comment()))


def table(family, t, rules):
    """the commands that make one table"""
    yield "add table %s %s { %s %s }" % (family, t, pick("", "", "", "flags dormant;"), pick("", 'comment "%s";' % comment()))
    for kind, name, body in objects():
        if chance(0.8):
            yield "add %s %s %s %s { %s }" % (kind, family, t, name, body)
    yield "add flowtable %s %s ft { hook ingress priority %s; %s; %s }" % (family, t, priority(), devices(0), pick("", "counter;", "flags offload;", "counter; flags offload;"))
    for c in SUBS:
        yield "add chain %s %s %s%s" % (family, t, c, pick("", ' { comment "%s"; }' % comment()))
    for c in CHAINS[family]:
        yield "add chain %s %s %s %s" % (family, t, c, hook(family, c))
    sets = []
    for i in range(R.randint(0, 10)):
        commands, usable = make_set(family, t, i)
        yield from commands
        if usable:
            sets.append(usable)
    for _ in range(rules):
        chain = R.choice(CHAINS[family])
        parts = rule(family, chain, sets)
        # what is refused as a whole may do in part
        yield tuple("add rule %s %s %s %s" % (family, t, chain, " ".join(p)) for p in dict.fromkeys((tuple(parts), tuple(parts[:-1]), tuple(parts[-1:]))) if p)


def ruleset(seed, rules):
    """the commands of one ruleset, or several of which one is enough; what the kernel or nft does not take is to be left out"""
    R.seed(seed)
    SUBS[2:] = [ident(pick(127, 255, 20)) for _ in range(R.randint(0, 3))]
    for family in R.sample(sorted(FAMILY), R.randint(1, 3)):
        t = pick("t", "t", ident())
        yield from table(family, t, rules)
