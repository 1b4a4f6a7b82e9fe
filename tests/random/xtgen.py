# SPDX-License-Identifier: GPL-2.0-or-later
"""xtgen - random iptables rulesets over the language of iptables-extensions(8): chains, policies, rules, counters"""
import random
import re

R = random.Random()
V6 = False


def pick(*a):
    return R.choice(a)


def chance(p):
    return R.random() < p


def num(bits, low=0, high=None):
    """a number, often at a bound"""
    top = high if high is not None else (1 << bits) - 1
    return max(low, pick(low, low + 1, top, top - 1, top >> 1, R.randint(low, top), R.randint(low, top), R.randint(low, max(low, min(top, 300)))))


def some(values, most=4, sep=","):
    return sep.join(R.sample(values, R.randint(1, min(most, len(values)))))


def ip():
    if V6:
        return pick("::", "::1", "fe80::1", "2001:db8::%x" % num(16), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:10.0.0.1",
                    "64:ff9b::c000:201", "1:0:0:2::3", ":".join("%x" % R.randint(0, 65535) for _ in range(8)))
    return pick("0.0.0.0", "255.255.255.255", "127.0.0.1", "10.0.0.%d" % num(8), ".".join(str(R.randint(0, 255)) for _ in range(4)))


def mask():
    if V6:
        return pick("ffff::ffff", "ffff:ffff:ffff:ff00::", "::1", "0:ffff::", ip())
    return pick("255.0.255.0", "255.255.255.128", "0.0.0.1", "0.255.255.255", ip())


def net():
    return ip() + pick("", "/%d" % num(0, 0, 128 if V6 else 32), "/%d" % num(0, 0, 128 if V6 else 32), "/" + mask())


def between(one, many, colon=":"):
    """A:B in order, or not"""
    a, b = sorted((many(), many())) if chance(0.95) else (many(), many())
    return pick(one, lambda: "%s%s%s" % (one(), colon, one()), lambda: "%d%s%d" % (a, colon, b), lambda: "%d%s%d" % (a, colon, b))()


def span(bits):
    return pick(lambda: str(num(bits)), lambda: between(lambda: str(num(bits)), lambda: num(bits)),
                lambda: "%d:" % num(bits), lambda: ":%d" % num(bits))()


def port():
    return str(num(16)) if chance(0.9) else pick("ssh", "http", "domain", "https")


def ports():
    return pick(port, lambda: span(16))()


def iprange():
    if V6:
        a = sorted((R.randint(0, 65535), R.randint(0, 65535)))
        return pick("2001:db8::%x-2001:db8::%x" % tuple(a), "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ip(), ip() + "-" + ip())
    a = sorted((R.randint(0, 1 << 32), R.randint(0, 1 << 32)))
    return pick("10.0.0.%d-10.0.%d.255" % (num(8), num(8)), "0.0.0.0-255.255.255.255", ip(), ip() + "-" + ip(),
                "%d.0.0.0-%d.0.0.0" % tuple(x >> 24 & 255 for x in a))


def multiports():
    out, left = [], 15
    for _ in range(pick(1, 2, 3, 5, 15)):
        wide = chance(0.3)
        if left < (2 if wide else 1):
            break
        a = sorted((num(16), num(16)))
        out.append("%d:%d" % tuple(a) if wide else str(a[0]))
        left -= 2 if wide else 1
    return ",".join(out)


CHARS = "abcXYZ019 -_.:,/!#$%&()*+;<=>?@[]^`{|}~'\\\"äß€"


def text(most, chars=CHARS):
    n = pick(1, 2, most, R.randint(1, most), R.randint(1, min(most, 20)))
    s = "".join(R.choice(chars) for _ in range(n))
    while len(s.encode()) > n:
        s = s[:-1]
    return s or "x"


def quoted(s):
    return '"%s"' % s.replace("\\", "\\\\").replace('"', '\\"')


def word(most):
    return text(most, "abcdefghijklmnopqrstuvwxyz0123456789_-.").lstrip("-.") or "w"


def iface():
    return pick("lo", "eth0", "eth+", "+", "veth12", "eth0.100", "abcdefghijklmno", "abcdefghijklmn+", "cali" + word(9), word(15), word(14) + "+",
                "a+b", "e'0", "-x", "eth0:1", "br-%x" % num(40), "é0", "a*", '"a!b"', "++")


def mac():
    return pick("00:00:00:00:00:00", "FF:ff:ff:ff:ff:ff", ":".join("%02x" % R.randint(0, 255) for _ in range(6)))


def x(bits):
    return pick("0x%x", "%d", "0x%X") % num(bits)


def masked(bits):
    return x(bits) + pick("", "", "/" + x(bits), "/0x%x" % (0xff << R.randint(0, bits - 8) if bits > 8 else num(8)))


def clock():
    return "%02d:%02d" % (R.randint(0, 23), R.randint(0, 59)) + pick("", ":%02d" % R.randint(0, 59))


def date():
    return pick("%d" % R.randint(1971, 2037), "%d-%02d" % (R.randint(1971, 2037), R.randint(1, 12)), "1970-01-01T00:00:01", "2038-01-19T03:14:07",
                "%d-%02d-%02d" % (R.randint(1971, 2037), R.randint(1, 12), R.randint(1, 28)),
                "%d-%02d-%02dT%s:%02d" % (R.randint(1971, 2037), R.randint(1, 12), R.randint(1, 28), clock()[:5], R.randint(0, 59)))


def bytecode():
    ops = [("48 0 0 %d" % num(6)), "21 0 %d %d" % (R.randint(0, 1), num(32)), "40 0 0 12", "84 0 0 %d" % num(32), "0 0 0 %d" % num(32), "177 0 0 0"]
    body = [R.choice(ops) for _ in range(pick(0, 1, 3, 20, 61))]
    body = [re.sub(r"^21 0 \d", "21 0 0", o) for o in body] + ["6 0 0 0", "6 0 0 %d" % num(32)]
    return '"%d,%s"' % (len(body), ",".join(body))


def u32():
    def location():
        s = pick("%d", "0x%x") % num(32)
        for _ in range(pick(0, 1, 1, 2, 4)):
            s += pick("&", ">>", "<<", "@") + pick("%d", "0x%X") % pick(num(5), num(8), num(32))
        return s

    def value():
        return ",".join(pick(lambda: pick("%d", "0x%x") % num(32), lambda: "%d:%d" % tuple(sorted((num(32), num(32)))))() for _ in range(pick(1, 1, 2, 10)))
    return '"%s"' % pick("&&", " && ").join(location() + "=" + value() for _ in range(pick(1, 1, 2, 5, 10)))


def hexstring():
    s = ""
    for _ in range(pick(1, 1, 2, 3)):
        s += pick(lambda: text(20).replace("|", ""), lambda: "|" + pick("", " ").join("%02x" % R.randint(0, 255) for _ in range(R.randint(1, 12))) + "|")()
    return quoted(s or "|00|")


def rate(units):
    return "%d/%s" % (pick(1, 2, 3, 7, 10, 59, 60, 100, 999, 3600, 10000, num(14), num(20, 1)), pick(*units))


UNITS = ("s", "sec", "second", "min", "minute", "m", "hour", "h", "day", "d")


def hashrate():
    return pick(lambda: rate(("sec", "min", "hour", "day")), lambda: "%d%s/s" % (num(12, 1), pick("b", "kb", "mb")))()


def bits(unit):
    return pick("%d" % num(20), "%d%s" % (num(10), unit), "%d%s" % (num(10), pick("bit", "kbit", "mbit", "gbit", "bps", "kbps", "mbps")))


def tcpflags():
    flags = ["SYN", "ACK", "FIN", "RST", "URG", "PSH"]
    return pick(some(flags, 6), "ALL") + " " + pick(some(flags, 6), "NONE", "ALL")


def chunks():
    names = ("INIT INIT_ACK SACK HEARTBEAT HEARTBEAT_ACK SHUTDOWN SHUTDOWN_ACK ERROR COOKIE_ECHO COOKIE_ACK ECN_ECNE ECN_CWR ASCONF "
             "ASCONF_ACK FORWARD_TSN RE_CONFIG PAD I_DATA I_FORWARD_TSN").split()
    flags = lambda letters: pick("", ":" + "".join(pick(c, c.lower()) for c in R.sample(letters, R.randint(1, len(letters)))))  # noqa: E731
    out = R.sample(names, pick(0, 1, 1, 2, 3))
    out += R.sample(["DATA" + flags("IUBE"), "ABORT" + flags("T"), "SHUTDOWN_COMPLETE" + flags("T"), "I_DATA" + flags("IUBE")], pick(0, 1, 2) if out else 1)
    R.shuffle(out)
    return pick("all", "any", "only") + " " + pick(",".join(out), ",".join(out), ",".join(out), "ALL", "NONE")


def optlist(most):
    return ",".join("%d%s" % (num(8), pick("", ":%d" % num(8))) for _ in range(R.randint(1, most)))


def nat(low="", dash="-"):
    """an address, a range, ports of it"""
    a = ip()
    more = pick("", "", "-" + ip())
    p = pick("", ":%d" % num(16), ":%d-%d" % tuple(sorted((num(16), num(16)))), ":%d-%d/%d" % (*sorted((num(16), num(16))), num(16)), ":http")
    if pick(1, 0, 0, 0) and p:
        return p
    return ("[%s%s]%s" if V6 and p else "%s%s%s") % (a, more, p)


def policy():
    out = "--dir %s --pol %s" % (pick("in", "out"), pick("ipsec", "ipsec", "none"))
    if out.endswith("ipsec"):
        strict = chance(0.5)
        out += " --strict" if strict else ""
        for n in range(pick(1, 1, 2, 4) if strict else 1):
            items = ["!--reqid {u32}", "!--spi {x32}", "!--proto {ipsec}", "!--mode {mode}", "!--tunnel-src {net}", "!--tunnel-dst {net}"]
            out += " --next" if n else ""
            out += " " + " ".join(one(i) for i in R.sample(items, R.randint(0 if not strict else 1, 6)))
    return out


def sethow():
    return pick("hip src", "hip dst", "hipport src,dst", "hipport dst,dst", "a_long_name_of_an_ipset_of_31_c src,dst,src", "list src", "hnet dst",
                "ports dst", "list src,src,dst,dst,src,dst")


def addrtypes():
    return some("UNSPEC UNICAST LOCAL BROADCAST ANYCAST MULTICAST BLACKHOLE UNREACHABLE PROHIBIT THROW NAT XRESOLVE".split(), 4)


def prefix(most):
    return quoted(text(most))


def count(low, high):
    return lambda: str(num(0, low, high))


V = {
    "ip": ip, "net": net, "mask": mask, "port": port, "ports": ports, "iprange": iprange, "multiports": multiports, "iface": iface, "mac": mac,
    "u4": lambda: str(num(4)), "u5": lambda: str(num(5)), "u6": lambda: str(num(6)), "u7": lambda: str(num(7)),
    "u8": lambda: str(num(8)), "u16": lambda: str(num(16)), "u32": lambda: str(num(32)), "u64": lambda: str(num(64)),
    "u31": lambda: str(num(31)), "u23": lambda: str(num(22)), "x6": lambda: x(6), "x8": lambda: x(8), "x32": lambda: x(32), "m8": lambda: masked(8),
    "m32": lambda: masked(32), "s8": lambda: span(8), "s16": lambda: span(16), "s32": lambda: span(32), "s64": lambda: span(64), "clock": clock,
    "date": date, "bytecode": bytecode, "u32expr": u32, "hex": hexstring, "limit": lambda: rate(UNITS), "hashrate": hashrate,
    "burst": lambda: pick("%d" % num(10, 1), "%d" % num(14, 1), "%d%s" % (num(10, 1), pick("b", "kb", "mb"))), "tcpflags": tcpflags, "chunks": chunks,
    "optlist": lambda: optlist(pick(1, 2, 16)), "nat": nat, "policy": policy, "sethow": sethow, "addrtypes": addrtypes,
    "text": lambda: prefix(20), "comment": lambda: prefix(pick(255, 40, 40)), "pattern": lambda: prefix(pick(128, 20)), "logprefix": lambda: prefix(29),
    "nflogprefix": lambda: prefix(63), "name": lambda: pick("a", "b", word(12), word(15)), "recentname": lambda: pick("a", "DEFAULT", word(12), word(199)), "label": lambda: pick("t", word(27), text(27, "abc_-.:,+@")), "helper": lambda: pick("ftp", "sip", "tftp"),
    "anyhelper": lambda: pick("ftp", "ftp-2121", '""', word(15)), "proto": lambda: pick("tcp", "udp", "0", "6", "255", "icmp", "sctp", "%d" % num(8)),
    "ctstates": lambda: some("INVALID NEW RELATED ESTABLISHED UNTRACKED SNAT DNAT".split(), 7),
    "states": lambda: some("INVALID NEW RELATED ESTABLISHED UNTRACKED".split(), 5),
    "ctstatus": lambda: pick("NONE", some("EXPECTED SEEN_REPLY ASSURED CONFIRMED".split(), 4)),
    "ctdir": lambda: pick("ORIGINAL", "REPLY"), "bytesdir": lambda: pick("original", "reply", "both"), "bytesmode": lambda: pick("packets", "bytes", "avgpkt"),
    "dscpclass": lambda: pick("EF", "CS0", "BE", "CS%d" % R.randint(0, 7), "AF%d%d" % (R.randint(1, 4), R.randint(1, 3))),
    "tos": lambda: pick("Minimize-Delay", "Maximize-Throughput", "Maximize-Reliability", "Minimize-Cost", "Normal-Service", masked(8)),
    "ect": lambda: str(R.randint(0, 3)), "hashmode": lambda: some("srcip srcport dstip dstport".split(), 4), "bits": lambda: str(num(0, 0, 128 if V6 else 32)),
    "connmask": lambda: pick(str(num(0, 0, 128 if V6 else 32)), str(num(0, 0, 128 if V6 else 32)), mask()), "genre": lambda: pick("Linux", "Windows", "FreeBSD", "unknown"),
    "ttlmode": count(0, 2), "pkttype": lambda: pick("unicast", "broadcast", "multicast", "host", "otherhost"), "ipsec": lambda: pick("ah", "esp", "ipcomp", "50"),
    "mode": lambda: pick("tunnel", "transport"), "algo": lambda: pick("bm", "kmp"), "days": lambda: some("Mon Tue Wed Thu Fri Sat Sun".split(), 6),
    "monthdays": lambda: some([str(n) for n in range(1, 32)], pick(1, 3, 31)), "bps": lambda: bits("kbit"), "probability": lambda: pick(
        "0", "1", "0.5", "0.00000000047", "0.99999999953", "%.11f" % R.random(), "%.3f" % R.random()),
    "realm": lambda: pick("cosmos", masked(32)), "icmptype": lambda: pick("any", "%d" % num(8), "%d/%d" % (num(8), num(8)), "echo-request", "network-unreachable", "TOS-host-redirect",
                                                          "ttl-exceeded", "parameter-problem", "fragmentation-needed", "router-advertisement"),
    "icmp6type": lambda: pick("%d" % num(8), "%d/%d" % (num(8), num(8)), "echo-request", "no-route", "packet-too-big", "ttl-zero-during-transit", "bad-header",
                              "router-solicitation", "neighbour-advertisement", "redirect"),
    "v6headers": lambda: some("hop-by-hop dst route frag auth esp none prot".split(), 8), "mhtype": lambda: pick(span(8), "brr", "hoti:cot", "be", "bu"),
    "addrs": lambda: ",".join(ip() for _ in range(pick(1, 2, 16))), "dccptypes": lambda: some(
        "REQUEST RESPONSE DATA ACK DATAACK CLOSEREQ CLOSE RESET SYNC SYNCACK INVALID".split(), 11),
    "loglevel": lambda: pick("%d" % R.randint(0, 7), "emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"),
    "reject": lambda: pick(*(["icmp6-no-route", "icmp6-adm-prohibited", "icmp6-addr-unreachable", "icmp6-port-unreachable", "icmp6-policy-fail",
                              "icmp6-reject-route", "tcp-reset", "addr-unreach"] if V6 else [
                                  "icmp-net-unreachable", "icmp-host-unreachable", "icmp-proto-unreachable", "icmp-port-unreachable",
                                  "icmp-net-prohibited", "icmp-host-prohibited", "icmp-admin-prohibited", "tcp-reset", "host-unreach"])),
    "natports": lambda: pick("%d" % num(16), "%d-%d" % tuple(sorted((num(16), num(16))))), "zone": lambda: pick("%d" % num(16), "mark"),
    "events": lambda: some("new related destroy reply assured protoinfo helper mark".split(), 8), "class": lambda: "%x:%x" % (num(16), num(16)),
    "tuple": lambda: some("src dst sport dport spi proto ct".split(), 7), "hmask": lambda: pick("%d" % num(0, 0, 128 if V6 else 32), mask()),
    "balance": lambda: "%d:%d" % tuple(sorted((num(16), num(16)))), "est": lambda: pick("est1", "est2"), "interval": lambda: pick("250ms", "500ms", "1s", "2s", "4s", "8s"),
    "ewma": lambda: pick("500ms", "1s", "4s", "8s", "64s"), "newest": lambda: pick("e1", word(15)), "ctx": lambda: quoted(word(40)), "wscale": count(0, 15),
    "stripopts": lambda: some(["mss", "wscale", "sack-permitted", "sack", "timestamp", "md5", "33", "64", "254", "%d" % num(0, 2, 254)], 10),
    "prefix64": lambda: "%s/%d" % (ip(), pick(64, 48, 32, 0, 1, num(6))), "nets": lambda: "%s/%s" % (ip(), pick(mask(), "%d" % num(0, 0, 128 if V6 else 32))),
    "delay": lambda: pick("%d" % num(20), "inf"), "cpr": lambda: str(num(16)), "node": count(1, 32), "nodes": count(1, 32), "vmethod": lambda: pick("GATE", "IPIP", "MASQ"),
    "hashmodes": lambda: pick("sourceip", "sourceip-sourceport", "sourceip-sourceport-destport"), "cluster4": lambda: "01:%02x:5e:00:%02x:20" % (num(8), num(8)),
    "timeoutset": lambda: str(pick(0, 1, 4294967, num(22))), "owner": lambda: pick("root", "daemon", "0-65535", "%d" % num(32), "0-4294967294", "%d-%d" % tuple(sorted((num(32), num(32))))),
    "idletime": count(1, 4294967), "recentmask": mask, "hitcount": count(1, 255), "seconds": count(1, 2147483647), "path": lambda: pick("/", "/a b", '"/x/y"', '"/%s"' % word(510)),
    "u32_1": count(1, 4294967295), "htable": count(1, 100000), "mark": lambda: masked(32),
    "limitburst": count(0, 10000),
}

# What an item of the tables below says: "!" it may be negated, "+" it must be there; of a list one or none; {value} of V.
MATCHES = {
    "tcp": ("-p tcp", ["!--sport {ports}", "!--dport {ports}", ["!--syn", "!--tcp-flags {tcpflags}"], "!--tcp-option {u8}"]),
    "udp": ("-p udp", ["!--sport {ports}", "!--dport {ports}"]),
    "sctp": ("-p sctp", ["!--sport {ports}", "!--dport {ports}", "!--chunk-types {chunks}"]),
    "dccp": ("-p dccp", ["!--sport {ports}", "!--dport {ports}", "!--dccp-types {dccptypes}", "!--dccp-option {u8}"]),
    "esp": ("-p esp", ["!--espspi {s32}"]),
    "ipcomp": ("-p ipcomp", ["!--ipcompspi {s32}", "--compres"]),
    "icmp": ("4 -p icmp", ["+!--icmp-type {icmptype}"]),
    "icmp6": ("6 -p ipv6-icmp", ["+!--icmpv6-type {icmp6type}"]),
    "ah": ("4 -p ah", ["!--ahspi {s32}"]),
    "ah ": ("6", ["!--ahspi {s32}", "!--ahlen {u32}", "--ahres"]),
    "mh": ("6 -p mh", ["!--mh-type {mhtype}"]),
    "tcpmss": ("-p tcp", ["+!--mss {s16}"]),
    "osf": ("-p tcp", ["+!--genre {genre}", "--ttl {ttlmode}", "--log {ttlmode}"]),
    "owner": ("", ["!--uid-owner {owner}", ["!--gid-owner {owner}", "!--gid-owner {owner} --suppl-groups"], "!--socket-exists"]),
    "conntrack": ("", ["!--ctstate {ctstates}", "!--ctproto {proto}", "!--ctorigsrc {net}", "!--ctorigdst {net}", "!--ctreplsrc {net}",
                       "!--ctrepldst {net}", "!--ctorigsrcport {s16}", "!--ctorigdstport {s16}", "!--ctreplsrcport {s16}", "!--ctrepldstport {s16}",
                       "!--ctstatus {ctstatus}", "!--ctexpire {s32}", "--ctdir {ctdir}"]),
    "state": ("", ["+!--state {states}"]), "mark": ("", ["+!--mark {m32}"]), "connmark": ("", ["+!--mark {m32}"]),
    "comment": ("", ["+--comment {comment}"]), "addrtype": ("", ["!--src-type {addrtypes}", "!--dst-type {addrtypes}", ["--limit-iface-in", "--limit-iface-out"]]),
    "statistic": ("", [["+--mode random !--probability {probability}", "+--mode nth !--every {u32_1} --packet {u32}", "+--mode nth !--every {u8} --packet 0"]]),
    "limit": ("", ["--limit {limit}", "--limit-burst {limitburst}"]),
    "multiport": ("", [["+!--sports {multiports}", "+!--dports {multiports}", "+!--ports {multiports}"]]),
    "iprange": ("", ["!--src-range {iprange}", "!--dst-range {iprange}"]),
    "length": ("", ["+!--length {s16}"]), "mac": ("", ["+!--mac-source {mac}"]), "pkttype": ("", ["+!--pkt-type {pkttype}"]),
    "cpu": ("", ["+!--cpu {u32}"]), "devgroup": ("", ["!--src-group {m32}", "!--dst-group {m32}"]),
    "dscp": ("", [["+!--dscp {x6}", "+!--dscp-class {dscpclass}"]]), "tos": ("", ["+!--tos {tos}"]),
    "ecn": ("-p tcp", ["!--ecn-tcp-cwr", "!--ecn-tcp-ece", "!--ecn-ip-ect {ect}"]), "ecn ": ("", ["+!--ecn-ip-ect {ect}"]),
    "ttl": ("4", [["+!--ttl-eq {u8}", "+--ttl-lt {u8}", "+--ttl-gt {u8}"]]), "hl": ("6", [["+!--hl-eq {u8}", "+--hl-lt {u8}", "+--hl-gt {u8}"]]),
    "hashlimit": ("", [["+!--hashlimit-upto {hashrate}", "+!--hashlimit-above {hashrate}"], "--hashlimit-burst {burst}", "--hashlimit-mode {hashmode}",
                       "--hashlimit-srcmask {bits}", "--hashlimit-dstmask {bits}", "+--hashlimit-name {name}", "--hashlimit-htable-size {htable}",
                       "--hashlimit-htable-max {htable}", "--hashlimit-htable-expire {u23}", "--hashlimit-htable-gcinterval {u23}",
                       "--hashlimit-rate-match", "--hashlimit-rate-interval {u32_1}"]),
    "helper": ("", ["+!--helper {anyhelper}"]), "nfacct": ("", ["+--nfacct-name acct1"]), "policy": ("", ["+{policy}"]),
    "quota": ("", ["+!--quota {u64}"]), "realm": ("4", ["+!--realm {realm}"]),
    "recent": ("", [["+!--set", "+!--rcheck", "+!--update", "+!--remove"], "--seconds {seconds}", "--hitcount {hitcount}", "--rttl", "--reap",
                    "--name {recentname}", "--mask {recentmask}", ["--rsource", "--rdest"]]),
    "rpfilter": ("", ["--loose", "--validmark", "--accept-local", "--invert"]),
    "set": ("", ["+!--match-set {sethow}", "--return-nomatch", "! --update-counters", "! --update-subcounters", ["!--packets-eq {u64}", "--packets-lt {u64}", "--packets-gt {u64}"],
                 ["!--bytes-eq {u64}", "--bytes-lt {u64}", "--bytes-gt {u64}"]]),
    "socket": ("", ["--transparent", "--nowildcard", "--restore-skmark"]),
    "string": ("", ["+--algo {algo}", ["+!--string {pattern}", "+!--hex-string {hex}"], "--from {u16}", "--to {u16}", "--icase"]),
    "time": ("", ["--timestart {clock}", "--timestop {clock}", "--datestart {date}", "--datestop {date}", "!--weekdays {days}", "!--monthdays {monthdays}",
                  "--kerneltz", "--contiguous"]),
    "u32": ("", ["+!--u32 {u32expr}"]), "bpf": ("", ["+--bytecode {bytecode}"]), "cgroup": ("", [["+!--cgroup {u32}", "+!--path {path}"]]),
    "cluster": ("", ["+--cluster-total-nodes {nodes}", ["+!--cluster-local-node {node}", "+!--cluster-local-nodemask {x32}"], "+--cluster-hash-seed {x32}"]),
    "connbytes": ("", ["+!--connbytes {s64}", "+--connbytes-dir {bytesdir}", "+--connbytes-mode {bytesmode}"]),
    "connlabel": ("", ["+!--label {u7}", "--set"]), "connlimit": ("", [["+!--connlimit-upto {u32}", "+!--connlimit-above {u32}"], "--connlimit-mask {connmask}",
                                                                      ["--connlimit-saddr", "--connlimit-daddr"]]),
    "physdev": ("", ["!--physdev-in {iface}", "!--physdev-out {iface}", "!--physdev-is-in", "!--physdev-is-out", "!--physdev-is-bridged"]),
    "rateest": ("", [["+--rateest {est} !--rateest-lt --rateest-bps {bps}", "+--rateest {est} !--rateest-gt --rateest-pps {u32}",
                      "+--rateest-delta --rateest {est} --rateest-bps1 {bps} !--rateest-eq --rateest-bps2 {bps}",
                      "+--rateest1 {est} !--rateest-lt --rateest2 {est} --rateest-bps --rateest-pps",
                      "+--rateest-delta --rateest1 {est} --rateest-pps1 {u32} !--rateest-gt --rateest2 {est} --rateest-pps2 {u32}"]]),
    "ipvs": ("", ["!--ipvs", "!--vproto {proto}", "!--vaddr {net}", "!--vport {u16}", "--vdir {ctdir}", "!--vmethod {vmethod}", "!--vportctl {u16}"]),
    "dst": ("6", ["!--dst-len {u32}", "--dst-opts {optlist}"]), "hbh": ("6", ["!--hbh-len {u32}", "--hbh-opts {optlist}"]), "eui64": ("6", []),
    "frag": ("6", ["!--fragid {s32}", "!--fraglen {u32}", "--fragres", "--fragfirst", ["--fragmore", "--fraglast"]]),
    "ipv6header": ("6", ["+!--header {v6headers}", "--soft"]),
    "rt": ("6", ["!--rt-type {u32}", "!--rt-segsleft {s32}", "!--rt-len {u32}"]),
    "rt ": ("6", ["+--rt-type 0", "!--rt-len {u32}", "--rt-0-res", "--rt-0-addrs {addrs}", "--rt-0-not-strict"]),
    "srh": ("6", ["!--srh-next-hdr {proto}", ["!--srh-hdr-len-eq {u8}", "!--srh-hdr-len-gt {u8}", "!--srh-hdr-len-lt {u8}"],
                  ["!--srh-segs-left-eq {u8}", "!--srh-segs-left-gt {u8}", "!--srh-segs-left-lt {u8}"],
                  ["!--srh-last-entry-eq {u8}", "!--srh-last-entry-gt {u8}", "!--srh-last-entry-lt {u8}"], "!--srh-tag {u16}",
                  "!--srh-psid {nets}", "!--srh-nsid {nets}", "!--srh-lsid {nets}"]),
}
# The chains that the kernel takes a match in; what of a match may be left out entirely.
HOOKS = {"owner": ("OUTPUT", "POSTROUTING"), "socket": ("PREROUTING", "INPUT"), "rpfilter": ("PREROUTING",), "mac": ("PREROUTING", "INPUT", "FORWARD")}
HOOKS_ALL = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
BARE = ("tcp", "udp", "sctp", "dccp", "esp", "ah", "ah ", "ipcomp", "mh", "conntrack", "limit", "socket", "rpfilter", "time", "eui64", "frag", "rt", "dst", "hbh", "srh")
BUILTIN = {"filter": "INPUT FORWARD OUTPUT", "nat": "PREROUTING INPUT OUTPUT POSTROUTING", "mangle": "PREROUTING INPUT FORWARD OUTPUT POSTROUTING",
           "raw": "PREROUTING OUTPUT", "security": "INPUT FORWARD OUTPUT"}
# the tables and chains that a target wants, the family, what must stand before it, its options
TARGETS = {
    "REJECT": ("filter", "", ["--reject-with {reject}"]), "LOG": ("", "", ["--log-prefix {logprefix}", "--log-level {loglevel}", "--log-tcp-sequence",
                                                                          "--log-tcp-options", "--log-ip-options", "--log-uid", "--log-macdecode"]),
    "NFLOG": ("", "", ["--nflog-group {u16}", "--nflog-prefix {nflogprefix}", ["--nflog-size {u32}", "--nflog-range {u31}"], "--nflog-threshold {u16}"]),
    "REDIRECT": ("nat PREROUTING OUTPUT", "-p {natproto}", ["--to-ports {natports}", "--random"]),
    "DNAT": ("nat PREROUTING OUTPUT", "-p {natproto}", ["+--to-destination {nat}", "--random", "--persistent"]),
    "SNAT": ("nat POSTROUTING INPUT", "-p {natproto}", ["+--to-source {nat}", "--random", "--random-fully", "--persistent"]),
    "MASQUERADE": ("nat POSTROUTING", "-p {natproto}", ["--to-ports {natports}", "--random", "--random-fully"]),
    "NETMAP": ("nat PREROUTING POSTROUTING", "", ["+--to {net}"]),
    "MARK": ("mangle", "", [["+--set-mark {m32}", "+--set-xmark {m32}", "+--and-mark {x32}", "+--or-mark {x32}", "+--xor-mark {x32}"]]),
    "CONNMARK": ("mangle", "", [["+--set-mark {m32}", "+--set-xmark {m32}", "+--and-mark {x32}", "+--or-mark {x32}", "+--xor-mark {x32}", "+--save-mark",
                                 "+--restore-mark", "+--save-mark --nfmask {x32} --ctmask {x32}", "+--restore-mark --nfmask {x32} --ctmask {x32}",
                                 "+--restore-mark --mask {x32}", "+--save-mark --mask {x32}"], ["--left-shift-mark {u5}", "--right-shift-mark {u5}"]]),
    "TPROXY": ("mangle PREROUTING", "-p {tcpudp}", ["+--on-port {u16}", "--on-ip {ip}", "--tproxy-mark {m32}"]),
    "CT": ("raw", "", ["--notrack", ["--zone {zone}", "--zone-orig {zone}", "--zone-reply {zone}"], "--ctevents {events}", "--expevents new"]),
    "CT ": ("raw", "-p tcp", ["+--helper ftp", "--zone {zone}", "--ctevents {events}"]),
    "NOTRACK": ("raw", "", []), "TRACE": ("raw", "", []), "AUDIT": ("", "", [["+--type accept", "+--type drop", "+--type reject"]]),
    "CHECKSUM": ("mangle", "-p udp", ["+--checksum-fill"]), "CLASSIFY": ("mangle POSTROUTING OUTPUT FORWARD", "", ["+--set-class {class}"]),
    "CONNSECMARK": ("security", "", [["+--save", "+--restore"]]), "SECMARK": ("security", "", ["+--selctx {ctx}"]),
    "DSCP": ("mangle", "", [["+--set-dscp {x6}", "+--set-dscp-class {dscpclass}"]]),
    "TOS": ("mangle", "", [["+--set-tos {tos}", "+--and-tos {x8}", "+--or-tos {x8}", "+--xor-tos {x8}"]]),
    "ECN": ("mangle", "4 -p tcp", ["+--ecn-tcp-remove"]), "TTL": ("mangle", "4", [["+--ttl-set {u8}", "+--ttl-inc {u8}", "+--ttl-dec {u8}"]]),
    "HL": ("mangle", "6", [["+--hl-set {u8}", "+--hl-inc {u8}", "+--hl-dec {u8}"]]),
    "HMARK": ("mangle PREROUTING OUTPUT", "-p {natproto}", ["--hmark-tuple {tuple}", "--hmark-src-prefix {hmask}", "--hmark-dst-prefix {hmask}", ["--hmark-sport-mask {x16}", "--hmark-sport {u16}"],
                                         ["--hmark-dport-mask {x16}", "--hmark-dport {u16}"], ["--hmark-spi-mask {x32}", "--hmark-spi {x32}"],
                                         "--hmark-proto-mask {x8}", "--hmark-offset {u32}", "+--hmark-mod {u32_1}", "+--hmark-rnd {x32}"]),
    "IDLETIMER": ("", "", ["+--timeout {idletime}", "+--label {label}", "--alarm"]),
    "NFQUEUE": ("", "", [["--queue-num {u16}", "--queue-balance {balance}"], "--queue-bypass", "--queue-cpu-fanout"]),
    "RATEEST": ("mangle", "", ["+--rateest-name {newest}", "+--rateest-interval {interval}", "+--rateest-ewmalog {ewma}"]),
    "SET": ("", "", [["+--add-set {sethow}", "+--add-set {sethow} --exist", "+--add-set {sethow} --exist --timeout {timeoutset}", "+--add-set {sethow} --timeout {timeoutset}"],
                     "--del-set {sethow}"]),
    "SET ": ("mangle", "", ["+--map-set hskb src", "--map-mark", "--map-prio", "--map-queue"]),
    "SYNPROXY": ("filter INPUT FORWARD", "-p tcp", ["--mss {u16}", "--wscale {wscale}", "--sack-perm", "--timestamp", "--ecn"]),
    "TCPMSS": ("mangle", "-p tcp --syn", [["+--set-mss {u16}", "+--clamp-mss-to-pmtu"]]), "TCPOPTSTRIP": ("mangle", "-p tcp", ["+--strip-options {stripopts}"]),
    "TEE": ("mangle", "", ["+--gateway {ip}", "--oif lo", "--oif {iface}"]),
    "SNPT": ("mangle INPUT POSTROUTING", "6", ["+--src-pfx {prefix64}", "+--dst-pfx {prefix64}"]),
    "DNPT": ("mangle PREROUTING OUTPUT", "6", ["+--src-pfx {prefix64}", "+--dst-pfx {prefix64}"]),
    "LED": ("", "", ["+--led-trigger-id {text}", "--led-delay {delay}", "--led-always-blink"]),
    "ULOG": ("", "4", ["--ulog-nlgroup {node}", "--ulog-prefix {logprefix}", "--ulog-cprange {cpr}", "--ulog-qthreshold {hitcount}"]),
    "CLUSTERIP": ("filter INPUT", "4 -d 10.0.0.1/32 -i eth0", ["+--new", "+--hashmode {hashmodes}", "+--clustermac {cluster4}", "+--total-nodes {node}",
                                                                "+--local-node {node}", "--hash-init {u32}"]),
}
V["natproto"] = lambda: pick("tcp", "udp", "tcp", "udp", "tcp", "sctp", "dccp", "icmp", "esp", "all")
V["tcpudp"] = lambda: pick("tcp", "udp")
V["x16"] = lambda: x(16)


def fill(s):
    return re.sub(r"\{(\w+)\}", lambda m: V[m[1]](), s)


def one(item):
    """an option with its value, where it may be negated with "!" or without"""
    item = item.lstrip("+")
    return " ".join(pick("! ", "") + w[1:] if w.startswith("!--") else w for w in fill(re.sub(r"\{policy\}", lambda m: policy(), item)).split(" ")) \
        if "!--" in item else fill(item)


def options(items, often, least=0):
    out = []
    for i in items:
        must = (i[0] if isinstance(i, list) else i).startswith("+")
        if must or chance(often):
            out.append(one(R.choice(i) if isinstance(i, list) else i))
    if len(out) < least:
        i = R.choice(items)
        out.append(one(R.choice(i) if isinstance(i, list) else i))
    if chance(0.3):
        R.shuffle(out)
    return " ".join(out)


def wants(need):
    """the family and what must stand before"""
    family, _, rest = need.partition(" ") if need[:1] in ("4", "6") else ("", "", need)
    return family, rest


def fits(need):
    return wants(need)[0] in ("", "6" if V6 else "4")


PROTOCOLS = tuple(str(n) for n in (2, 3, 58, 103, 115, 131, 135, 136, 139, 143, 253, 254)) + ("all", "tcp", "udp", "udplite", "sctp", "dccp", "icmp", "ipv6-icmp", "esp", "ah", "gre", "0", "255", "41", "mh", "ipcomp")


def matches(chain, proto):
    able = [m for m in MATCHES if fits(MATCHES[m][0]) and wants(MATCHES[m][0])[1] in ("", "-p " + proto) and (
        m not in HOOKS or chain in HOOKS[m] or chain not in HOOKS_ALL and chance(0.5))]
    able = [m for m in able if m != "multiport" or proto in ("tcp", "udp", "udplite", "sctp", "dccp")]
    mine = [m for m in able if wants(MATCHES[m][0])[1]]
    out = []
    for _ in range(pick(0, 1, 1, 1, 2, 2, 3, 5)):
        m = R.choice(mine if mine and chance(0.4) else able)
        if m not in out or m not in mine and chance(0.1):
            out.append(m)
    return ["-m %s %s" % (m.strip(), options(MATCHES[m][1], pick(0.2, 0.5, 0.9), m not in BARE)) for m in out]


def header(chain, proto):
    out = []
    if proto != "all" or chance(0.05):
        # some of "! -p udp -m udp" iptables-nft takes, which its own other store refuses
        out.append("-p " + proto if any(wants(MATCHES[m][0])[1] == "-p " + proto for m in MATCHES) else pick("", "", "! ") + "-p " + proto)
    for o in "sd":
        if chance(0.2):
            out.append(pick("", "! ") + "-%s %s" % (o, net()))
    for o, no in (("i", ("OUTPUT", "POSTROUTING")), ("o", ("INPUT", "PREROUTING"))):
        if chance(0.15) and chain not in no:
            name = iface()  # of "! -i +", which nothing matches, iptables-legacy-save says nothing
            out.append((pick("", "! ") if name != "+" else "") + "-%s %s" % (o, name))
    if not V6 and chance(0.05):
        out.append(pick("", "! ") + "-f")
    return out


def target(table, chain, chains):
    """what must stand before, and the verdict or target"""
    kind = pick("none", "verdict", "jump", "target", "target", "target", "target")
    if kind == "verdict":
        return "", "-j " + pick("ACCEPT", "DROP" if table != "nat" else "ACCEPT", "RETURN")
    if kind == "jump" and chains:
        return "", pick("-j ", "-j ", "-g ") + R.choice(chains)
    if kind != "target":
        return "", ""
    able = [t for t, (where, need, _) in TARGETS.items() if fits(need) and (not where or where.split()[0] == table) and (
        chain in where.split() or len(where.split()) < 2 or chain not in BUILTIN[table].split())]
    own = [t for t in able if TARGETS[t][0]]
    t = R.choice(own if own and chance(0.6) else able)
    return fill(wants(TARGETS[t][1])[1]), "-j %s %s" % (t.strip(), options(TARGETS[t][2], pick(0.2, 0.5, 0.9)))


def rule(table, chain, chains):
    """of a negated full range, which nothing matches, the tools make nothing, and iptables-nft one condition of two negated ports"""
    while True:
        made = any_rule(table, chain, chains)
        if not re.search(r"! --[a-z0-9-]+ 0?:(65535|4294967295)?( |$)|--ct\w+port [1-9]\d*:0( |$)|--connbytes 0?:0( |$)|! --[sd]port .*! --[sd]port |--syn .*-m tcp ", made):
            return made


def any_rule(table, chain, chains):
    before, then = target(table, chain, chains)
    m = re.match(r"-p (\S+)", before)
    proto = m[1] if m else pick(*(PROTOCOLS if chance(0.5) else ("all", "tcp", "udp")))
    parts = header(chain, proto)
    if before:
        parts = [p for p in parts if not re.search(r"-[pdi] ", p)] + [before]
    return " ".join(parts + matches(chain, proto) + [then]).strip()


def counters():
    return "[%d:%d] " % (pick(0, num(32), num(63)), pick(0, num(32), num(63))) if chance(0.6) else ""


def chains(table):
    """names of user chains"""
    return R.sample(["C1", "a", "0", "INPUTS", "%", "a,b;c", "(x)", "#c", "~", "ACCEPTS", "é" * 14, text(28, "aZ9_.:,/%@=+()[]{}<>^~|;*?$&`-").lstrip("-!") or "x",  "KUBE-SVC-ABCDEFGHIJKLMNOP", "a_chain_of_28_characters_0_1", "x:y.z", "cali-" + word(10), "input", "_", word(28), "A/B", "Ä"], R.randint(0, 4))


def ruleset(seed, family, rules):
    """[(table, {builtin: policy and counters}, user chains, [(chain, counters, specification)])]"""
    global V6
    R.seed("%d %s" % (seed, family))
    V6 = family == "6"
    out = []
    for table in BUILTIN:
        own = list(dict.fromkeys(["C1"] + chains(table)))
        builtin = {c: (pick("ACCEPT", "DROP" if table != "nat" else "ACCEPT"), counters().strip() or "[0:0]") for c in BUILTIN[table].split()}
        every = BUILTIN[table].split() + own
        some_rules = []
        for _ in range(rules // 8 if table in ("raw", "security") else rules // 4):
            chain = R.choice(every)
            later = [c for c in own if c > chain] if chain in own else own
            some_rules.append((chain, counters(), rule(table, chain, later)))
        out.append((table, builtin, own, some_rules))
    return out
