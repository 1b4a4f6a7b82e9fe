# SPDX-License-Identifier: GPL-2.0-or-later
"""rules - random rulesets and packets for the differential test; small pools, so that rules are hit"""
import ipaddress

ADDR = {
    4: ["10.0.1.39", "10.0.1.40", "10.0.2.39", "10.0.1.1", "10.0.2.2", "10.96.0.10", "203.0.113.7", "127.0.0.1", "127.0.0.6"],
    6: ["fd00:1::39", "fd00:1::40", "fd00:2::39", "fd00:1::1", "fd00:2::2", "fd00:96::10", "2001:db8:113::7", "::1"],
}
LOCAL = {4: ["10.0.1.39", "10.0.1.40", "10.0.2.39"], 6: ["fd00:1::39", "fd00:1::40", "fd00:2::39"]}
NETS = {
    4: ["10.0.1.0/24", "10.0.0.0/16", "10.0.0.0/8", "127.0.0.0/8", "203.0.113.0/24", "0.0.0.0/1", "10.0.1.32/28"],
    6: ["fd00:1::/64", "fd00::/16", "fd00::/8", "2001:db8::/32", "::/1", "fd00:1::30/124"],
}
RANGES = {
    4: ["10.0.1.1-10.0.1.39", "10.0.1.40-10.0.2.2", "10.0.2.3-203.0.113.7", "127.0.0.0-127.255.255.255"],
    6: ["fd00:1::1-fd00:1::39", "fd00:1::40-fd00:2::2", "::1-fd00::", "2001:db8::-2001:db8:ffff::"],
}
PORTS = [53, 80, 443, 8080, 9090, 15001, 15006, 5353]
IDS = [0, 1000, 1337]
MARKS = [0, 1, 2, 5, 7, 0x539, 0x10000]
DEVS = ["lo", "eth0", "eth1"]
TYPES = ["UNICAST", "LOCAL", "BROADCAST", "MULTICAST", "UNREACHABLE"]
STATES = ["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"]
OUT_HOOKS = ("OUTPUT", "POSTROUTING")


class Text:
    """Random pieces that both syntaxes share."""

    def __init__(self, rnd, v):
        self.r, self.v = rnd, v

    def chance(self, p):
        return self.r.random() < p

    def one(self, xs):
        return self.r.choice(xs)

    def net(self):
        return self.one(NETS[self.v]) if self.chance(0.4) else self.one(ADDR[self.v])

    def port_range(self):
        a, b = sorted(self.r.sample(PORTS + [1, 1024, 20000, 30000, 65535], 2))
        return a, b

    def mark(self):
        return hex(self.one(MARKS))

    def mask(self):
        return hex(self.one([0xffffffff, 1, 7, 0xff, 0xffff, 0x10000]))


# ---- ipsets ----

class Ipsets(Text):
    """One set of each type and family; what is in them is random."""
    TYPES = {
        "ip": ("hash:ip", "", 1), "net": ("hash:net", "", 1), "port": ("bitmap:port", "range 0-65535", 1), "ipport": ("hash:ip,port", "", 2),
        "ipportip": ("hash:ip,port,ip", "", 3), "netport": ("hash:net,port", "", 2), "netiface": ("hash:net,iface", "", 2),
        "ipportnet": ("hash:ip,port,net", "", 3), "masked": ("hash:ip", "netmask 24", 1),
        "list": ("list:set", "", 1), "list2": ("list:set", "", 2),
    }

    @classmethod
    def create(cls, v):
        for name, (kind, more, _) in cls.TYPES.items():
            family = "" if kind.startswith(("bitmap", "list")) else f"family inet{'6' if v == 6 else ''}"
            yield f"create {name}{v} {kind} {family} {more.replace('24', '64') if v == 6 else more}"

    def addr(self):
        return self.one(ADDR[self.v])

    def port(self):
        return self.one([f"tcp:{self.one(PORTS)}", f"udp:{self.one(PORTS)}", f"tcp:{self.one(PORTS)}", "sctp:80", "tcp:80-100", "icmp:8/0" if self.v == 4 else "icmpv6:128/0"])

    def range(self):
        return self.one(NETS[4]) if self.v == 4 and self.chance(0.3) else self.addr()

    def element(self, name):
        nets = [n for n in NETS[self.v] if not n.endswith("/1")]
        net = lambda: self.one(nets) if self.chance(0.6) else self.addr()
        nomatch = " nomatch" if self.chance(0.3) else ""
        a = self.one(["10.0.1.0/24", self.addr()]) if self.v == 4 else self.addr()
        return {
            "ip": lambda: a, "masked": lambda: self.one([x for x in ADDR[self.v] if x != "::1"]), "net": lambda: net() + nomatch, "port": lambda: str(self.one(PORTS + ["8000-9000", "udp:53"])),
            "ipport": lambda: f"{self.addr()},{self.port()}", "ipportip": lambda: f"{self.addr()},{self.port()},{self.addr()}",
            "netport": lambda: f"{net()},{self.port()}{nomatch}", "netiface": lambda: f"{net()},{self.one(DEVS)}{nomatch}",
            "ipportnet": lambda: f"{self.addr()},{self.port()},{net()}{nomatch}",
            "list": lambda: self.one(["ip", "net", "port"]) + str(self.v), "list2": lambda: self.one(["ipport", "netport", "ip", "netiface"]) + str(self.v),
        }[name]()

    def members(self):
        lines = [f"flush {n}{self.v}" for n in self.TYPES]
        for name in self.TYPES:
            seen = set()
            for _ in range(self.r.randint(0, 4)):
                e = self.element(name)
                if e.replace(" nomatch", "") not in seen:
                    seen.add(e.replace(" nomatch", ""))
                    lines.append(f"add {name}{self.v} {e} -exist")
        return lines


# ---- iptables-save text ----

class Iptables(Text):
    TABLES = {
        "raw": ["PREROUTING", "OUTPUT"],
        "mangle": ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
        "nat": ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
        "filter": ["INPUT", "FORWARD", "OUTPUT"],
        "security": ["INPUT", "FORWARD", "OUTPUT"],
    }

    def bang(self, p=0.15):
        return "! " if self.chance(p) else ""

    def ifname(self):
        return self.one(["lo", "eth0", "eth1", "eth+", "e+", "+", "veth9"])

    def proto(self):
        """The protocol and what hangs on it."""
        p = self.one(["tcp", "tcp", "tcp", "udp", "udp", "icmp", "other"])
        if p == "other":
            return self.one([f"{self.bang()}-p sctp", "-p 47", "-p esp", f"-p sctp -m sctp {self.bang()}--dport {self.dport()}",
                             "-p sctp -m multiport --dports 80,443", "-p 253", f"-p sctp -m sctp {self.bang()}--chunk-types any INIT"])
        if p == "icmp":
            return self.icmp()
        if self.chance(0.08):
            return f"! -p {p}"
        s = f"-p {p}"
        k = self.r.random()
        if k < 0.25:
            return s
        if k < 0.6:
            s += f" {self.bang()}--dport " + self.dport()
        elif k < 0.7:
            s += f" {self.bang()}--sport " + self.one(["1024:65535", "20000:24999", "25000:27000", "80", ":1023"])
        elif k < 0.9:
            ports = ",".join(str(self.one(PORTS)) for _ in range(self.r.randint(1, 4)))
            if self.chance(0.4):
                a, b = self.port_range()
                ports += f",{a}:{b}"
            s += f" -m multiport {self.bang()}--{self.one(['dports', 'dports', 'sports', 'ports'])} {ports}"
        elif p == "tcp":
            s += self.one([" --syn", " ! --syn", " --tcp-flags SYN,ACK SYN", " --tcp-flags ALL NONE",
                           " --tcp-flags FIN,SYN,RST,PSH,ACK,URG SYN,ACK", " ! --tcp-flags SYN,RST SYN,RST"])
        return s

    def dport(self):
        if self.chance(0.25):
            a, b = self.port_range()
            return f"{a}:{b}"
        return str(self.one(PORTS))

    def icmp(self):
        if self.v == 4:
            return f"-p icmp -m icmp {self.bang()}--icmp-type " + self.one(["8", "8/0", "any", "3", "3/1", "echo-reply", "11", "13"]) \
                if self.chance(0.6) else "-p icmp"
        return f"-p ipv6-icmp -m icmp6 {self.bang()}--icmpv6-type " + self.one(["128", "128/0", "1", "129", "1/4", "3"]) \
            if self.chance(0.6) else "-p ipv6-icmp"

    def conntrack(self):
        b = self.bang()
        return "-m conntrack " + self.one([
            f"{b}--ctstate " + ",".join(self.r.sample(STATES, self.r.randint(1, 3))),
            f"{b}--ctproto " + self.one(["tcp", "udp", "1"]),
            f"{b}--ctorigsrc {self.net()}", f"{b}--ctorigdst {self.net()}",
            f"{b}--ctorigdstport " + self.dport(), f"{b}--ctorigsrcport 20000:26000",
            f"{b}--ctstatus " + self.one(["NONE", "SEEN_REPLY", "CONFIRMED", "ASSURED", "EXPECTED"]),
            "--ctdir " + self.one(["ORIGINAL", "REPLY"]),
            "--ctstate " + self.one(["SNAT", "DNAT", "DNAT,SNAT", "NEW,DNAT"]),
        ])

    def ipset(self):
        name = self.one(list(Ipsets.TYPES))
        dims = Ipsets.TYPES[name][2]
        flags = ",".join(self.one(["src", "dst", "dst"]) for _ in range(dims if self.chance(0.9) else self.r.randint(1, 3)))
        more = " --return-nomatch" if "net" in name and self.chance(0.2) else ""
        return f"-m set {self.bang()}--match-set {name}{self.v} {flags}{more}"

    def match(self, hook):
        b = self.bang()
        kinds = [
            self.ipset, self.ipset, lambda: f"{b}-s {self.net()}", lambda: f"{b}-d {self.net()}", lambda: f"{b}-d {self.net()}",
            self.proto, self.proto, self.proto, self.proto,
            lambda: f"-m mark {b}--mark {self.mark()}/{self.mask()}",
            lambda: f"-m mark {b}--mark {self.mark()}",
            lambda: f"-m connmark {b}--mark {self.mark()}/{self.mask()}",
            self.conntrack, self.conntrack,
            lambda: f"-m state {b}--state " + ",".join(self.r.sample(STATES, 2)),
            lambda: f"-m addrtype {b}--{self.one(['src', 'dst'])}-type " + ",".join(self.r.sample(TYPES, self.r.randint(1, 2))) + self.limit_iface(hook),
            lambda: f"-m length {b}--length " + self.one(["0:59", "60", "40:80", "61:65535", "33"]),
            lambda: (f"-m ttl --ttl-{self.one(['eq', 'lt', 'gt'])} " if self.v == 4 else f"-m hl --hl-{self.one(['eq', 'lt', 'gt'])} ") + self.one(["63", "64", "32"]),
            lambda: f"-m dscp {b}--dscp " + self.one(["0", "0x0a", "46"]),
            lambda: f"-m tos {b}--tos " + self.one(["0x00/0xfc", "0x28/0xfc", "0xb8/0xfc"]),
            lambda: f"-m iprange {b}--{self.one(['src', 'dst'])}-range {self.one(RANGES[self.v])}",
            lambda: "-m comment --comment x",
            lambda: f"-m conntrack {b}--ctreplsrc {self.net()}", lambda: f"-m conntrack {b}--ctrepldst {self.net()}",
            lambda: f"-m conntrack {b}--ctreplsrcport {self.dport()}", lambda: f"-m conntrack {b}--ctrepldstport 20000:26000",
        ]
        if hook in ("PREROUTING", "INPUT", "FORWARD", "any"):
            kinds += [lambda: f"{b}-i {self.ifname()}"] * 2
        if hook in ("FORWARD", "OUTPUT", "POSTROUTING", "any"):
            kinds += [lambda: f"{b}-o {self.ifname()}"] * 2
        if hook in OUT_HOOKS:
            kinds += [lambda: f"-m owner {b}--uid-owner " + self.one(["0", "1000", "1337", "1-1000", "1000-1400"]),
                      lambda: f"-m owner {b}--uid-owner " + self.one(["0", "1000", "1337"]),
                      lambda: f"-m owner {b}--gid-owner " + self.one(["0", "1000", "1337"]),
                      lambda: f"-m owner {b}--socket-exists"]
        if self.chance(0.08):
            return self.rare(hook)
        if self.chance(0.1):
            return self.headers(hook)
        if self.chance(0.02):
            return self.one(["-m statistic --mode random --probability 0.5", f"-m pkttype {b}--pkt-type {self.one(['unicast', 'broadcast', 'multicast'])}", f"-m conntrack --ctreplsrc {self.net()}",
                             "-m u32 --u32 0>>28=" + str(self.v), "-p tcp --tcp-option 2", "-m limit --limit 1/sec", "-m statistic --mode nth --every 1 --packet 0"])
        return self.one(kinds)()

    def words(self):
        """u32 and BPF over the headers: ports, protocol, lengths, marks, flags, what is no header any more."""
        x = self.one(["80", "53:443", "443,8080"])
        u32 = [f"6&0xFF={self.one(['6', '17', '1,6'])}", f"0>>22&0x3C@0&0xFFFF={x}", "0&0xFFFF=0x28:0x3c", "8>>24=63:64", f"16=0x0a000127", "4&0x1FFF=0",
               "0>>22&0x3C@12>>16&0xFF=2", "0>>22&0x3C@12>>26&0x3C@0=0:5", "0&0xFFFF=0:65535&&6&0xFF=17", "1000=0:0xffffffff", "4=0"] if self.v == 4 else \
              ["4>>8&0xFF=6", f"40&0xFFFF={x}", "4>>16=20,40", "4&0xFF=64", "24=0xfd000001", "52>>16&0xFF=2", "0>>28=6", "2000=1"]
        bpf = ["4,48 0 0 9,21 0 1 6,6 0 0 65535,6 0 0 0", "5,177 0 0 0,72 0 0 2,21 0 1 80,6 0 0 1,6 0 0 0", "4,40 0 0 2,37 1 0 50,6 0 0 1,6 0 0 0",
               "4,32 0 0 16,21 0 1 167772455,6 0 0 1,6 0 0 0", "6,48 0 0 9,7 0 0 0,135 0 0 0,4 0 0 3,21 0 1 9,6 0 0 7,6 0 0 0".replace("6,48", "7,48", 1)] if self.v == 4 else \
              ["4,48 0 0 6,21 0 1 6,6 0 0 1,6 0 0 0", "4,40 0 0 42,21 0 1 80,6 0 0 1,6 0 0 0", "4,48 0 0 53,69 0 1 2,6 0 0 1,6 0 0 0"]
        bpf += ["4,32 0 0 4294963220,21 0 1 5,6 0 0 1,6 0 0 0", "4,128 0 0 0,37 0 1 60,6 0 0 1,6 0 0 0", "1,6 0 0 1", "3,32 0 0 1500,6 0 0 1,6 0 0 0",
                "4,40 0 0 4294963200,21 0 1 2048,6 0 0 1,6 0 0 0"]
        return self.one([f'-m u32 {self.bang()}--u32 "{self.one(u32)}"', f'-m bpf --bytecode "{self.one(bpf)}"'])

    def headers(self, hook):
        """Options of TCP, extension headers, lengths of headers"""
        b = self.bang()
        kinds = [f"-p tcp -m tcp {b}--tcp-option {self.one(['2', '4', '8', '3', '1', '30', '254', '19'])}", f"-p tcp -m tcpmss {b}--mss {self.one(['1000:1460', '1460', '536', '1:999'])}"]
        if self.v == 4:
            kinds += ["-f", "! -f"]
        else:
            kinds += ["-m eui64"] * (hook in ("PREROUTING", "INPUT", "FORWARD")) + [f"-m hbh {b}--hbh-len 8", "-m hbh --hbh-opts 1:4", "-m hbh --hbh-opts 5:2,1", "-m dst --dst-opts 1", f"-m dst {b}--dst-len 16", "-m frag --fragfirst",
                      "-m srh", f"-m srh {b}--srh-{self.one(['segs-left-eq 1', 'next-hdr 6', 'hdr-len-lt 5', 'last-entry-gt 0', 'lsid fd00:3::1/128', 'nsid fd00:3::/64'])}",
                      f"-m rt {b}--rt-type {self.one([0, 4])}", f"-m ipv6header {b}--header {self.one(['hop', 'hop,proto', 'dst,proto', 'proto'])}{self.one(['', ' --soft'])}"]
        return self.one(kinds)

    def rare(self, hook):
        b = self.bang()
        if self.chance(0.25):
            return self.words()
        out = hook in ("OUTPUT", "POSTROUTING")
        kinds = [f"-m devgroup {b}--{'dst' if out else 'src'}-group {self.one(['0', '0x1', '0x7'])}" if hook != "any" else "-m comment --comment y",
                 f"-m connlabel {b}--label {self.r.randint(0, 3)}", f"-m connlabel --label {self.r.randint(0, 3)} --set",
                 f"-p esp -m esp {b}--espspi 1:500", f"-m ecn {b}--ecn-ip-ect {self.r.randint(0, 3)}",
                 "-p udp -m udp --sport 25000:26000 --dport 1:9000", f"-m cgroup {b}--cgroup 0" if hook in ("OUTPUT", "POSTROUTING") else "-m comment --comment z",
                 f"-m helper {b}--helper ftp", f"-m conntrack {b}--ctexpire 0", f"-m policy --dir out --pol {self.one(['none', 'ipsec', 'ipsec --proto esp'])}" if out else f"-m policy --dir in --pol {self.one(['none', 'ipsec'])}" if hook in ("PREROUTING", "INPUT") else "-m comment --comment q",
                 f"-p tcp -m tcpmss {b}--mss 1000:1460", f"-m mac {b}--mac-source 02:00:00:00:00:{self.one(['99', '98', '01'])}" if hook in ("PREROUTING", "INPUT", "FORWARD") else "-m comment --comment r",
                 f"-m set {b}--match-set {self.one([n for n in Ipsets.TYPES if Ipsets.TYPES[n][2] == 1])}{self.v} src",
                 f"-p tcp -m ecn {b}--ecn-tcp-cwr", f"-m recent {b}--set --name kd", f"-m physdev {b}--physdev-is-bridged",
                 f"-m physdev {b}--physdev-in eth0" if hook in ("PREROUTING", "INPUT", "FORWARD") else "-m comment --comment u", "-m socket --restore-skmark" if hook == "PREROUTING" else "-m comment --comment v"]
        if hook == "PREROUTING":
            kinds += [f"-m rpfilter {self.one(['', '--loose', '--validmark', '--invert', '--accept-local'])}"] * 2
        if hook in ("PREROUTING", "INPUT"):
            kinds += ["-m socket", "-m socket --nowildcard", "-m socket --transparent"]
        if hook in OUT_HOOKS:
            kinds.append(f"-m owner {b}--suppl-groups --gid-owner 1000")
        return self.one(kinds).replace("  ", " ").strip()

    def limit_iface(self, hook):
        if hook in ("PREROUTING", "INPUT", "FORWARD") and self.chance(0.3):
            return " --limit-iface-in"
        if hook in ("OUTPUT", "POSTROUTING", "FORWARD") and self.chance(0.3):
            return " --limit-iface-out"
        return ""

    def span(self):
        a = self.one([2000, 8000, 15000])
        return f"{a}-{a + self.r.randint(0, 60)}"

    def nat_target(self, hook):
        """Targets that need ports bring their protocol."""
        a = self.one(ADDR[self.v])
        a6 = f"[{a}]" if self.v == 6 else a
        p = self.one(["tcp", "udp"])
        if hook in ("PREROUTING", "OUTPUT"):
            return self.one([
                ("", f"DNAT --to-destination {a}"), (f"-p {p}", f"DNAT --to-destination {a6}:{self.one(PORTS)}"),
                (f"-p {p}", f"REDIRECT --to-ports {self.one(PORTS)}"), (f"-p {p}", f"REDIRECT --to-ports {self.one(PORTS)}"),
                ("", "REDIRECT"), (f"-p {p}", f"DNAT --to-destination :{self.one(PORTS)}"),
                ("", f"NETMAP --to {self.one(NETS[self.v][:3])}"),
            ] + [("", f"DNAT --to-destination {a} --persistent"), (f"-p {p}", f"DNAT --to-destination {a6}:{self.one(PORTS)} --random"),
                 (f"-p {p}", f"REDIRECT --to-ports {self.span()} --random"), (f"-p {p}", f"DNAT --to-destination {a6}:{self.span()}"),
                 (f"-p {p}", "REDIRECT --random"), (f"-p {p}", f"REDIRECT --to-ports {self.span()}")] * self.chance(0.3))
        if hook == "INPUT":
            return ("", f"SNAT --to-source {a}")
        if self.chance(0.2):
            return self.one([("", "MASQUERADE --random-fully"), ("", "MASQUERADE --random"), ("", f"SNAT --to-source {a} --random-fully"),
                             (f"-p {p}", f"SNAT --to-source {a6}:{self.span()}"), (f"-p {p}", f"MASQUERADE --to-ports {self.span()} --random"),
                             ("", f"SNAT --to-source {a} --persistent"), (f"-p {p}", "MASQUERADE --to-ports 20000-30000")])
        return self.one([
            ("", "MASQUERADE"), ("", f"SNAT --to-source {a}"), (f"-p {p}", f"SNAT --to-source {a6}:{self.r.randint(2000, 3000)}"),
            (f"-p {p}", f"MASQUERADE --to-ports {self.r.randint(2000, 3000)}"), ("", f"NETMAP --to {self.one(NETS[self.v][:3])}"),
        ])

    def mangle_target(self, hook):
        m, k = self.mark(), self.mask()
        ttl = "TTL --ttl" if self.v == 4 else "HL --hl"
        kinds = [f"MARK --set-xmark {m}/{k}", f"MARK --set-mark {m}", f"MARK --or-mark {m}", f"MARK --and-mark {k}", f"MARK --xor-mark {m}",
                 f"CONNMARK --set-xmark {m}/{k}", "CONNMARK --save-mark", "CONNMARK --restore-mark",
                 f"CONNMARK --save-mark --nfmask {k} --ctmask {k}", f"CONNMARK --restore-mark --nfmask {k} --ctmask 0xffffffff",
                 "DSCP --set-dscp " + self.one(["0", "10", "46"]), "TOS --set-tos " + self.one(["0x28", "0x10/0xf0"]),
                 f"{ttl}-" + self.one(["set 64", "dec 1", "inc 2", "set 63"])]
        if hook in ("FORWARD", "OUTPUT", "POSTROUTING"):
            kinds.append("CLASSIFY --set-class 1:2")
        if hook == "PREROUTING" and self.chance(0.5):
            to = self.one(["", "", f" --on-ip {self.one(ADDR[self.v])}"])
            return self.one([("-p tcp", f"TPROXY --on-port {self.one([15001, 15006] + PORTS)}{to} --tproxy-mark {self.one(['0x1/0x1', '0x5/0x7'])}"), ("-p tcp", f"TPROXY --on-port 15001{to}"),
                             ("-p udp", f"TPROXY --on-port 53{to} --tproxy-mark 0x1/0x1"), ("-p tcp", "TPROXY --on-port 0 --tproxy-mark 0x1/0x1")])
        if self.chance(0.15):
            return self.one([("-p tcp --syn", "TCPMSS --set-mss 1200") if hook in ("FORWARD", "OUTPUT", "POSTROUTING") else ("", "CONNMARK --set-mark 1"),
                             ("-p tcp", "TCPOPTSTRIP --strip-options timestamp,5"), ("-p tcp", "ECN --ecn-tcp-remove") if self.v == 4 else ("", "MARK --set-mark 3"),
                             ("", "CONNMARK --left-shift-mark 1 --set-xmark 0x3/0xf"), ("", "CONNMARK --right-shift-mark 2 --save-mark"),
                             ("", f"HMARK --hmark-tuple {self.one(['src', 'dst', 'src,dst,dport', 'ct'])} --hmark-mod 16 --hmark-offset 3 --hmark-rnd 0x1234"),
                             ("", "MARK --set-xmark 0x0/0xff"), ("", "DSCP --set-dscp-class AF11"), ("", "IDLETIMER --timeout 100 --label kd")])
        return ("", self.one(kinds))

    def raw_target(self, hook):
        if self.chance(0.1):
            return ("", self.one(["CT --notrack", "NOTRACK"]))
        if self.chance(0.1):
            return ("", self.one(["CT --zone-orig 2", "CT --zone-reply 2", "CT --zone mark", "CT --ctevents new", "CT --zone 3 --ctevents destroy"]))
        return ("", self.one([f"CT --zone {self.r.randint(1, 3)}", "ACCEPT", "RETURN", f"MARK --set-mark {self.mark()}", "NFLOG --nflog-group 5"]))

    def filter_target(self, hook, table="filter"):
        if table == "security":
            return ("", self.one(["ACCEPT", "RETURN", "DROP", "NFLOG --nflog-group 5", ""]))
        rej = self.one(["REJECT", "REJECT --reject-with " + ("icmp-port-unreachable" if self.v == 4 else "icmp6-adm-prohibited")])
        p = self.one([("", rej), ("-p tcp", "REJECT --reject-with tcp-reset"), ("", "DROP"), ("", "DROP")])
        return p if self.chance(0.25) else ("", self.one(["ACCEPT", "RETURN", "NFLOG --nflog-group 5", "LOG", "", "ACCEPT"]))

    def target(self, table, hook, chains):
        jumps = [c for c, h in chains if h in (hook, "any")]
        if jumps and self.chance(0.4):
            return ("", self.one(jumps) if self.chance(0.8) else "GOTO " + self.one(jumps))
        if self.chance(0.2):
            return ("", self.one(["RETURN", "ACCEPT", ""]))
        if hook == "any":
            return self.mangle_target(hook) if table == "mangle" else ("", self.one(["RETURN", "ACCEPT", ""] + ["DROP"] * (table != "nat")))
        if self.chance(0.1):
            return ("", "DROP") if table != "nat" else ("", "ACCEPT")
        by = {"nat": self.nat_target, "mangle": self.mangle_target, "raw": self.raw_target}
        return by[table](hook) if table in by else self.filter_target(hook, table)

    def rule(self, table, chain, hook, chains):
        need, target = self.target(table, hook, chains)
        ms = [self.match(hook) for _ in range(self.one([0, 1, 1, 1, 2, 2, 3]))]
        words, seen = [need] if need else [], ["-p"] if need else []
        for m in ms:
            # one option of a kind, and one protocol
            bare = m.replace("! ", "").split()
            key = "-p" if bare[0] == "-p" else bare[1] if bare[0] == "-m" else bare[0]
            if key in seen:
                continue
            seen.append(key)
            words.append(m)
        words.sort(key=lambda w: "-p " not in w)
        if target.startswith("GOTO "):
            words.append("-g " + target[5:])
        elif target:
            words.append("-j " + target)
        return f"-A {chain} " + " ".join(words)

    def table(self, name):
        hooks = self.TABLES[name]
        users = [(f"{name[0]}{i}", self.one(hooks + ["any"])) for i in range(self.r.randint(0, 4))]
        lines = [f"*{name}"]
        for h in hooks:
            drop = name == "filter" and self.chance(0.08)
            lines.append(f":{h} {'DROP' if drop else 'ACCEPT'} [0:0]")
        lines += [f":{c} - [0:0]" for c, _ in users]
        for h in hooks:
            lines += [self.rule(name, h, h, users) for _ in range(self.one([0, 1, 2, 3, 5]))]
        for i, (c, h) in enumerate(users):
            lines += [self.rule(name, c, h, users[i + 1:]) for _ in range(self.r.randint(0, 4))]
        return lines + ["COMMIT"]

    def text(self, p):
        """All tables, so that what was there before goes; those that are not chosen are empty."""
        lines = []
        for t, hooks in self.TABLES.items():
            if self.chance(p):
                lines += self.table(t)
            else:
                lines += [f"*{t}"] + [f":{h} ACCEPT [0:0]" for h in hooks] + ["COMMIT"]
        return lines


# ---- native nftables ----

class Nft(Text):
    HOOKS = ["prerouting", "input", "forward", "output", "postrouting"]
    changing = False  # its rules change sets

    def __init__(self, rnd, v):
        super().__init__(rnd, v)
        self.fam = "ip" if v == 4 else "ip6"

    def port_set(self):
        xs = [str(p) for p in self.r.sample(PORTS, self.r.randint(1, 4))]
        if self.chance(0.3):
            xs.append("16000-18000")
        return "{ " + ", ".join(xs) + " }"

    def ways(self):
        """Intervals of a map must not overlap."""
        net, host = self.one(NETS[self.v]), self.one(ADDR[self.v])
        first = f"{net} : {self.one(['accept', 'continue', 'return', 'continue'])}"
        return first if ipaddress.ip_address(host) in ipaddress.ip_network(net) else f"{first}, {host} : continue"

    def addr_set(self):
        return "{ " + ", ".join(self.r.sample(ADDR[self.v], self.r.randint(1, 4))) + " }"

    def op(self):
        return "!= " if self.chance(0.2) else ""

    def ports(self):
        k = self.r.random()
        if k < 0.4:
            return self.op() + str(self.one(PORTS))
        if k < 0.6:
            a, b = self.port_range()
            return f"{self.op()}{a}-{b}"
        if k < 0.7:
            return self.one(["< ", "> ", "<= ", ">= "]) + str(self.one(PORTS))
        return self.op() + self.port_set()

    def addrs(self):
        k = self.r.random()
        if k < 0.6:
            return self.op() + self.net()
        if k < 0.75:
            return self.op() + self.one(RANGES[self.v])
        return self.op() + self.addr_set()

    def match(self, hook):
        r, o = self.r, self.op()
        f = self.fam
        kinds = [
            lambda: f"{f} saddr {self.addrs()}", lambda: f"{f} daddr {self.addrs()}", lambda: f"{f} daddr {self.addrs()}",
            lambda: f"tcp dport {self.ports()}", lambda: f"tcp dport {self.ports()}", lambda: f"udp dport {self.ports()}",
            lambda: f"th dport {self.ports()}", lambda: f"tcp sport {self.one(['20000-24999', '25000-26000', '!= 80', '> 21000'])}",
            lambda: f"meta l4proto {o}{self.one(['tcp', 'udp', '{ tcp, udp }', 'icmp', 'ipv6-icmp'])}",
            lambda: f"meta mark {o}{self.mark()}", lambda: f"meta mark & {self.mask()} {self.one(['==', '!='])} {self.mark()}",
            lambda: f"meta mark {self.one(['<', '>', '<=', '>='])} {self.mark()}",
            lambda: f"meta mark {o}" + "{ 1, 5, 0x539 }", lambda: "meta mark 1-0x600",
            lambda: f"ct mark {o}{self.mark()}", lambda: f"ct mark & {self.mask()} == {self.mark()}",
            lambda: f"ct state {o}{','.join(r.sample([s.lower() for s in STATES], r.randint(1, 3)))}",
            lambda: f"ct state {o}" + "{ new, established }", lambda: "ct state & (new | related) != 0",
            lambda: f"ct direction {self.one(['original', 'reply'])}", lambda: f"ct status & {self.one(['dnat', 'snat', 'confirmed'])} != 0",
            lambda: f"ct status {self.one(['dnat', 'snat'])}", lambda: f"ct original {f} daddr {self.net()}", lambda: f"meta l4proto tcp ct original proto-dst {self.one(PORTS)}",
            lambda: f"ct l3proto ipv{self.v}" if self.v == 4 else "ct l3proto ipv6",
            lambda: f"ct reply {f} saddr {o}{self.net()}", lambda: f"ct reply {f} daddr {self.net()}", lambda: f"meta l4proto {self.one(['tcp', 'udp'])} ct reply proto-src {self.ports()}",
            lambda: f"ct protocol {self.one(['tcp', 'udp'])}", lambda: f"ct zone {self.r.randint(0, 3)}",
            lambda: f"tcp flags {self.one(['syn', '& (syn|ack) == syn', '!= syn', '& (fin|syn|rst|ack) == syn', '== 0', 'syn,ack', '== syn|ack', '& (rst|fin) != 0'])}",
            lambda: f"meta length {self.one(['60', '40-80', '> 60', '!= 33', '{ 40, 60, 80 }'])}",
            lambda: (f"ip ttl {self.one(['64', '63', '< 64', '!= 64', '{ 63, 32 }'])}" if self.v == 4 else f"ip6 hoplimit {self.one(['64', '63', '< 64', '!= 64'])}"),
            lambda: f"{f} dscp {self.one(['0', 'cs1', 'ef', '!= 0', '{ 0, 10 }'])}",
            lambda: ("icmp type " + self.one(["echo-request", "{ echo-request, echo-reply }", "!= echo-request", "destination-unreachable"])) if self.v == 4
            else "icmpv6 type " + self.one(["echo-request", "{ echo-request, echo-reply }", "!= echo-request"]),
            lambda: ("icmp code 0" if self.v == 4 else "icmpv6 code 0"),
            lambda: f"fib daddr type {o}{self.one(['local', 'unicast', 'broadcast', '{ local, multicast }'])}",
            lambda: f"fib saddr type {o}{self.one(['local', 'unicast'])}",
            lambda: f"meta nfproto ipv{self.v}" if self.v == 4 else "meta nfproto ipv6",
            lambda: ("ip version 4" if self.v == 4 else "ip6 version 6"), lambda: "ip protocol tcp" if self.v == 4 else "ip6 nexthdr tcp",
            lambda: ("ip length > 50" if self.v == 4 else "ip6 length > 20"), lambda: "@th,16,16 80", lambda: "@th,0,8 & 0xf0 == 0x60",
            lambda: (f"@nh,96,16 0x0a00" if self.v == 4 else "@nh,64,16 0xfd00"), lambda: "ip frag-off & 0x1fff == 0" if self.v == 4 else "exthdr frag missing",
            lambda: f"{f} saddr . {f} daddr " + "{ " + ", ".join(f"{self.one(ADDR[self.v])} . {self.one(ADDR[self.v])}" for _ in range(3)) + " }",
            lambda: f"{f} daddr . tcp dport " + "{ " + ", ".join(f"{self.one(ADDR[self.v])} . {p}" for p in r.sample(PORTS, 3)) + " }",
            lambda: f"{f} daddr . th dport " + "{ " + ", ".join(f"{self.net()} . {p}-{p + 100}" for p in r.sample(PORTS, 2)) + " }",
            lambda: f"meta l4proto . th dport " + "{ tcp . 80, udp . 53, tcp . 8080 }",
            lambda: f"{f} daddr {self.op()}@addrs", lambda: f"{f} saddr {self.op()}@nets", lambda: f"tcp dport {self.op()}@ports",
            lambda: f"{f} daddr . tcp dport {self.op()}@pairs", lambda: f"{f} daddr . th dport @spans", lambda: f"{f} saddr . {f} daddr . meta l4proto @three",
            lambda: f"meta mark . meta l4proto {self.op()}@marks", lambda: f"{f} daddr vmap @ways", lambda: f"{f} saddr {self.op()}@wide",
            lambda: f"ct state . meta l4proto {{ new . tcp, established . udp, new . sctp }}", lambda: f"meta mark & 0xff {{ 1, 5-7, 0x39 }}",
            lambda: f"sctp dport {self.ports()}", lambda: f"sctp sport > 26000", lambda: "sctp chunk init exists", lambda: f"meta l4proto {{ sctp, gre, esp }}",
            lambda: f"meta l4proto {o}{self.one(['253', '47', '0-17'])}", lambda: "@th,16,16 { 80, 53 }",
            self.headers, self.headers,
            lambda: f"fib daddr . mark oif {self.one(DEVS)}", lambda: f"fib daddr . mark type vmap {{ local : continue, unicast : continue }}",
            lambda: f"fib daddr oifname {{ lo, eth1 }}", lambda: f"ct original zone {o}{self.r.randint(0, 2)}", lambda: "ct mark & 0xf vmap { 1 : accept, 5 : continue }",
            lambda: f"{f} daddr & {'255.255.0.0 == 10.0.0.0' if self.v == 4 else 'ffff:ffff:: == fd00:1::'}",
        ]
        if hook in ("prerouting", "input", "forward", "any"):
            kinds += [lambda: f"iifname {o}{self.one(DEVS + ['eth*', '{ lo, eth0 }'])}", lambda: f"iif {o}{self.one(DEVS)}", lambda: "iiftype ether",
                      lambda: f"fib saddr . iif oif {self.one(['exists', 'missing'])}", lambda: f"fib daddr . iif type {self.one(['local', 'unicast'])}"]
        if hook in ("forward", "output", "postrouting", "any"):
            kinds += [lambda: f"oifname {o}{self.one(DEVS + ['eth*', '{ lo, eth1 }'])}", lambda: f"oif {o}{self.one(DEVS)}", lambda: "oiftype loopback"]
        if hook in ("output", "postrouting", "any"):
            kinds += [lambda: f"meta skuid {self.op()}{self.one(['0', '1000', '1337', '1-1000', '{ 0, 1337 }', '> 999'])}",
                      lambda: f"meta skgid {self.op()}{self.one(['0', '1000', '1337'])}"] * 2
        if self.chance(0.1):
            return self.rare(hook)
        if self.chance(0.02):
            return self.one(["limit rate 1/second", "meta pkttype host", f"ct reply {f} saddr {self.net()}", "udp length > 10", "numgen random mod 2 0", "ct count 5"])
        return self.one(kinds)()

    def rare(self, hook):
        f, o = self.fam, self.op()
        kinds = [f"meta protocol {o}{self.one(['ip', 'ip6', '{ ip, ip6 }'])}", f"ct label {self.r.randint(0, 3)}", f"ct label set {self.r.randint(0, 3)}", f"ct helper {o}\"ftp\"",
                 f"meta mark set jhash {f} saddr . {f} daddr mod 8 seed 0xdeadbeef", f"jhash {f} saddr mod 4 seed 0x1 {o}{self.r.randint(0, 3)}",
                 f"meta mark set jhash {f} daddr mod 16 seed 0x7 offset 100", "@nh,0,4 4" if self.v == 4 else "@nh,0,4 6",
                 f"th dport . th sport {{ {self.one(PORTS)} . 20000-26000, 53 . 1-65535 }}", f"ct state new ct original {f} saddr {self.net()}",
                 f"{f} saddr & {'0.0.0.1' if self.v == 4 else '::1'} == {'0.0.0.1' if self.v == 4 else '::1'}", f"tcp dport & 1 == {self.r.randint(0, 1)}",
                 f"meta mark {o}{{ 0-4, 0x500-0x600 }}", f"ct mark vmap {{ 0 : continue, 1-10 : accept }}", f"{f} daddr != {{ {self.one(NETS[self.v])} }}",
                 f"ip protocol != {{ tcp, 17 }}" if self.v == 4 else "ip6 nexthdr != { tcp, 17 }", f"{f} {self.one(['saddr', 'daddr'])} . meta mark {{ {self.one(ADDR[self.v])} . 0, {self.one(ADDR[self.v])} . 1 }}",
                 f"ct original {f} daddr . ct original proto-dst {{ {self.one(ADDR[self.v])} . 80 }}", f"udp length {self.one(['8', '> 8', '13', '8-20'])}",
                 f"icmp id > 5" if self.v == 4 else "icmpv6 id > 5", f"meta l4proto tcp @th,104,8 & 0x02 == 0x02", f"meta l4proto . meta mark vmap {{ tcp . 0 : continue, udp . 1 : accept }}",
                 f"{f} ecn {self.one(['not-ect', 'ect0', '!= ce'])}", f"ip6 flowlabel {self.one(['0', '!= 0'])}" if self.v == 6 else f"ip id {self.one(['0', '!= 0'])}",
                 f"ip hdrlength {self.one(['5', '> 5'])}" if self.v == 4 else "meta nfproto . meta l4proto { ipv6 . tcp, ipv4 . tcp, ipv4 . 1 }",
                 f"tcp doff {self.one(['> 5', '5', '10'])}", f"tcp ackseq {self.one(['0', '!= 0'])}", f"meta cgroup {self.one(['0', '5'])}", "tcp urgptr 0",
                 f"meta pkttype {o}{self.one(['host', 'broadcast', 'multicast', 'other', '{ host, multicast }'])}",
                 f"tcp dport . ct state {{ 80 . new, 8080 . established }}", "ct expiration > 1s"]
        if hook in ("prerouting", "input", "forward"):
            kinds += [f"iifgroup {o}{self.one(['default', '1', '7'])}", f"ether saddr {o}02:00:00:00:00:99", f"ether daddr {o}02:00:00:00:01:98", f"@ll,48,48 {o}{self.one(['0', '0x20000000099'])}", f"ether saddr . {f} saddr {{ 02:00:00:00:00:99 . {self.one(ADDR[self.v])}, 02:00:00:00:00:98 . {self.one(ADDR[self.v])} }}", f"iifname . {f} saddr {{ eth0 . {self.one(ADDR[self.v])}, lo . {self.one(ADDR[self.v])} }}",
                      f"iif . tcp dport {{ eth0 . 80, lo . 8080 }}", f"iifname vmap {{ eth0 : continue, lo : accept }}", f"iifkind {o}veth", f"iiftype {o}loopback",
                      f"meta ipsec {self.one(['exists', 'missing'])}", f"ipsec in reqid {o}7"]
        if hook in ("forward", "postrouting", "output"):
            kinds += [f"oifgroup {o}{self.one(['default', '1', '7'])}", f"rt {f} nexthop {o}{self.one(ADDR[self.v])}", f"oifname . {f} daddr {{ eth0 . {self.one(ADDR[self.v])}, lo . {self.one(ADDR[self.v])} }}",
                      f"rt mtu {self.one(['1460', '1440', '> 1300', '< 1420', '1240', '536', '65495', '!= 1440'])}",
                      f"rt ipsec {self.one(['exists', 'missing'])}", f"ipsec out spi {o}1", f"oifkind {o}veth", "oifname { \"e*\" }", f"oifname {o}\"eth?\""]
        if hook in ("prerouting", "input"):
            kinds += [f"socket transparent {self.r.randint(0, 1)}", f"socket mark {self.mark()}", f"socket wildcard {self.r.randint(0, 1)}"]
        if hook == "prerouting":
            kinds += [f"meta pkttype set {self.one(['host', 'broadcast', 'multicast', 'other'])}"]
            kinds += ["fib saddr . mark . iif oif missing", "fib saddr oif eth0", f"fib daddr . iif type {o}unicast", "fib saddr . iif oifname eth0"]
        return self.one(kinds)

    def headers(self):
        kinds = [f"tcp option {self.one(['maxseg', 'sack-perm', 'timestamp', 'window', 'nop', '254', 'md5sig'])} {self.one(['exists', 'missing'])}",
                 f"tcp option maxseg size {self.one(['1460', '> 1000', '!= 536', '1000-1300', '{ 1000, 1200 }'])}", f"tcp option timestamp tsval {self.op()}7",
                 "tcp option window count 7", f"tcp option mptcp subtype {self.op()}0", f"tcp doff {self.one(['5', '> 5', '7'])}", "@th,160,8 2", "@th,160,16 & 0xff00 == 0x200"]
        kinds += [f"ip option ra {self.one(['exists', 'missing'])}", "ip option ra value 0", f"ip option rr {self.one(['exists', 'missing'])}", "ip hdrlength 5", "ip hdrlength > 5", "@nh,160,8 148"] \
            if self.v == 4 else [f"exthdr {self.one(['hbh', 'dst', 'rt', 'frag', 'mh'])} {self.one(['exists', 'missing'])}", f"hbh hdrlength {self.op()}0", f"dst hdrlength {self.op()}1",
                                 f"hbh nexthdr {self.one(['tcp', 'ipv6-opts', '!= udp'])}", "ip6 nexthdr { hopopt, tcp }", "@nh,320,8 60", "@nh,384,8 6"]
        return self.one(kinds)

    def changes(self):
        """What changes sets, or asks those that change"""
        f, a = self.fam, self.one(["saddr", "daddr"])
        return self.one([f"add @seen {{ {f} {a} }}", f"update @seen {{ {f} {a} timeout 2h }}", f"delete @seen {{ {f} {a} }}", f"{f} {a} @seen", f"{f} {a} != @seen",
                         f"update @noted {{ {f} {a} : {self.mark()} }}", f"add @noted {{ {f} {a} : {self.mark()} }}", f"meta mark set {f} {a} map @noted",
                         f"add @flows {{ {f} {a} . th dport timeout 1h }}", f"{f} {a} . tcp dport @flows", f"{f} {a} . udp dport != @flows", f"delete @flows {{ {f} {a} . tcp dport }}"])

    def setter(self, hook):
        if self.changing and self.chance(0.4):
            return self.changes()
        if self.chance(0.06):
            return self.one([f"tcp option maxseg size set {self.one(['1000', '1400', '536'])}", f"reset tcp option {self.one(['sack-perm', 'timestamp', 'maxseg', 'window'])}"])
        m = self.mark()
        return self.one([f"meta mark set {m}", f"meta mark set meta mark & {self.mask()} | {m}", f"meta mark set meta mark xor {m}",
                         f"ct mark set {m}", "ct mark set meta mark", "meta mark set ct mark", f"ct mark set ct mark | {m}",
                         "ip dscp set cs1" if self.v == 4 else "ip6 dscp set cs1", "ip ttl set 63" if self.v == 4 else "ip6 hoplimit set 63",
                         "meta mark set tcp dport map { 80 : 1, 8080 : 5 }", f"meta mark set {self.fam} daddr . tcp dport map @by_dst", "ct mark set meta l4proto map { tcp : 1, udp : 5, sctp : 7 }",
                         f"meta mark set {self.fam} daddr map {{ {self.one(NETS[self.v])} : {m}, * : 2 }}", f"ct mark set ct mark and {self.mask()} xor {m}", "meta priority set 1:2", "counter", "meta mark set meta mark << 1",
                         "meta mark set ip protocol map { tcp : 7, udp : 2 }" if self.v == 4 else "meta mark set 1"])

    def vmap(self, chains):
        v = [self.one(["accept", "continue", "return"] + [f"jump {c}" for c in chains] + [f"goto {c}" for c in chains]) for _ in range(4)]
        d = "drop" if self.chance(0.15) else v[3]
        return self.one([
            f"tcp dport vmap {{ 80 : {v[0]}, 8080 : {v[1]}, 15000-15010 : {d} }}",
            f"meta l4proto vmap {{ tcp : {v[0]}, udp : {v[1]} }}",
            f"ct state vmap {{ new : {v[0]}, established : {v[1]}, invalid : {d} }}",
            f"{self.fam} daddr vmap {{ {self.one(ADDR[self.v])} : {v[0]} }}",
            f"{self.fam} saddr . th dport vmap {{ {self.one(ADDR[self.v])} . 80 : {v[0]}, {self.one(ADDR[self.v])} . 53 : {v[1]} }}",
            f"meta mark vmap {{ 0 : {v[0]}, 1-10 : {v[1]}, * : {v[2]} }}",
            f"{self.fam} daddr vmap {{ {self.one(NETS[self.v])} : {v[0]}, * : {v[2]} }}",
        ])

    def nat(self, hook, inet):
        a = self.one(ADDR[self.v])
        a6 = f"[{a}]" if self.v == 6 else a
        fam = f" {self.fam}" if inet else ""
        p, l4 = self.one(PORTS), self.one(["tcp", "udp"])
        if hook in ("prerouting", "output"):
            return self.one([
                f"dnat{fam} to {a}", f"meta l4proto {l4} dnat{fam} to {a6}:{p}", f"meta l4proto {l4} redirect to :{p}", "redirect",
                f"meta l4proto {l4} redirect to :{p}",
                f"dnat{fam} to {self.fam} daddr map {{ {self.one(ADDR[self.v])} : {a} }}",
                f"dnat{fam} to tcp dport map {{ 80 : {a}, 8080 : {self.one(ADDR[self.v])} }}",
                f"dnat{fam} addr . port to tcp dport map {{ 80 : {a} . {p}, 8080 : {a} . 9090 }}" if not inet else "continue",
                f"meta l4proto tcp redirect to :tcp dport map {{ 80 : {p}, 8080 : 15001 }}", f"dnat{fam} to tcp dport map @dests",
                f"dnat{fam} to udp dport map @dests", f"dnat {'ip' if self.v == 4 else 'ip6'} prefix to {self.fam} daddr map {{ {NETS[self.v][0]} : {NETS[self.v][0]} }}",
                f"meta l4proto sctp dnat{fam} to {a6}:{p}",
                f"meta l4proto {l4} dnat{fam} to :{p}",
            ] + ["redirect random", f"meta l4proto {l4} redirect to :2000-2050 random", f"meta l4proto {l4} dnat{fam} to {a6}:2000-2050",
                 f"meta l4proto {l4} redirect to :80-9000", f"dnat{fam} to {a} persistent",
                 f"dnat{fam} to {self.fam} daddr map {{ {self.one(NETS[self.v])} : {a} }}",
                 f"meta l4proto {l4} dnat{fam} to {self.fam} daddr . th dport map {{ {self.one(ADDR[self.v])} . {p} : {a} . 8081 }}"] * self.chance(0.3))
        if hook == "input":
            return f"snat{fam} to {a}"
        if self.chance(0.2):
            return self.one(["masquerade random", "masquerade fully-random", "masquerade persistent", f"snat{fam} to {a} random",
                             f"meta l4proto {l4} masquerade to :2000-2050 fully-random", f"meta l4proto {l4} snat{fam} to {a6}:20000-30000",
                             f"snat{fam} to {self.fam} saddr map {{ {self.one(LOCAL[self.v])} : {a} }}",
                             f"snat{fam} to {self.fam} daddr map {{ {self.one(NETS[self.v])} : {a} }}",
                             f"meta l4proto {l4} snat{fam} to {a6} : {self.fam} daddr map {{ {self.one(ADDR[self.v])} : 2345 }}"])
        return self.one(["masquerade", f"snat{fam} to {a}", f"meta l4proto {l4} snat{fam} to {a6}:{self.r.randint(2000, 3000)}",
                         f"meta l4proto {l4} masquerade to :{self.r.randint(2000, 3000)}"])

    def action(self, kind, hook, chains, inet):
        k = self.r.random()
        if kind == "nat" and k < 0.5:
            return self.nat(hook, inet)
        if k < 0.35 and chains:
            return self.one(["jump ", "jump ", "goto "]) + self.one(chains)
        if k < 0.6:
            return self.setter(hook) + self.one(["", "", " accept", " return"])
        if k < 0.66:
            rej = ["reject", "reject with tcp reset"] if hook in ("input", "forward", "output") and kind == "filter" else []
            return self.one(["drop"] + rej)
        if k < 0.72 and hook == "prerouting" and kind == "filter":
            a = self.one([f"[{self.one(ADDR[6])}]" if self.v == 6 else self.one(ADDR[4]), ""]) if self.chance(0.3) else ""
            fam = f" {self.fam}" if inet and a else ""
            return self.one(["meta l4proto tcp ", "meta l4proto tcp ", "meta l4proto udp "]) + f"tproxy{fam} to {a}:{self.one([15001, 15006, 53, 53] + PORTS)}" + \
                self.one(["", " meta mark set 1", " meta mark set 1 accept", " accept", " meta mark set 5"])
        if k < 0.7 and hook in ("prerouting", "output"):
            return self.one(["notrack", "ct zone set 2", "ct zone set 1"])
        return self.one(["accept", "return", "continue", "counter", 'log prefix "x" group 5'])

    def rule(self, kind, hook, chains, inet):
        ms = [self.match(hook) for _ in range(self.one([0, 1, 1, 1, 2, 2, 3]))]
        if self.chance(0.15):
            return " ".join(ms[:1] + [self.vmap(chains)])
        return " ".join(ms + [self.action(kind, hook, chains, inet)])

    def chain(self, kind, hook, prio, chains, inet, name):
        policy = " policy drop;" if kind == "filter" and self.chance(0.06) else ""
        body = [self.rule(kind, hook, chains, inet) for _ in range(self.one([0, 1, 2, 3, 5]))]
        return [f"chain {name} {{ type {kind} hook {hook} priority {prio};{policy}"] + ["\t" + b for b in body] + ["}"]

    def table(self, name, fam):
        inet = fam == "inet"
        users = [f"u{i}" for i in range(self.r.randint(0, 3))]
        out = [f"table {fam} {name} {{"]
        t = "ipv4_addr" if self.v == 4 else "ipv6_addr"
        out += [f"set addrs {{ type {t}; elements = {self.addr_set()}; }}",
                f"set nets {{ type {t}; flags interval; elements = {{ {', '.join(self.r.sample(NETS[self.v][:2] + NETS[self.v][4:5], 2))} }}; auto-merge; }}",
                f"set ports {{ type inet_service; elements = {{ {', '.join(str(p) for p in self.r.sample(PORTS, 3))} }}; }}",
                f"set pairs {{ type {t} . inet_service; elements = {{ {self.one(ADDR[self.v])} . 80, {self.one(ADDR[self.v])} . 8080 }}; }}",
                f"set spans {{ type {t} . inet_service; flags interval; elements = {{ {self.one(NETS[self.v][:5])} . 50-8080, {self.one(ADDR[self.v])} . 1-65000 }}; }}",
                f"set three {{ type {t} . {t} . inet_proto; flags interval; elements = {{ {self.one(ADDR[self.v])} . {self.one(NETS[self.v])} . {self.one(['tcp', 'udp', '0-20'])} }}; }}",
                f"set marks {{ type mark . inet_proto; elements = {{ {self.mark()} . tcp, 0 . {self.one(['udp', 'sctp', 'tcp'])} }}; }}",
                f"set wide {{ type {t}; flags interval; elements = {{ {self.one(RANGES[self.v])} }}; }}",
                f"map ways {{ type {t} : verdict; flags interval; elements = {{ {self.ways()} }}; }}",
                f"map dests {{ type inet_service : {t} . inet_service; elements = {{ 80 : {self.one(ADDR[self.v])} . 8080, 443 : {self.one(ADDR[self.v])} . 9090 }}; }}",
                f"map by_dst {{ type {t} . inet_service : mark; flags interval; elements = {{ {self.one(NETS[self.v])} . 80-443 : {self.mark()} }}; }}"]
        if self.changing:
            out += [f"set seen {{ type {t}; flags dynamic,timeout; timeout 1h; }}", f"map noted {{ type {t} : mark; flags dynamic; size 100; }}",
                    f"set flows {{ type {t} . inet_service; flags dynamic,timeout; }}"]
        for i, u in reversed(list(enumerate(users))):
            body = [self.rule("filter", "any", users[i + 1:], inet) for _ in range(self.r.randint(0, 4))]
            out += [f"chain {u} {{"] + ["\t" + b for b in body] + ["}"]
        for i in range(self.r.randint(1, 4)):
            kind = self.one(["filter", "filter", "filter", "nat", "nat", "route"])
            hook = "output" if kind == "route" else self.one([h for h in self.HOOKS if kind == "filter" or h != "forward"])
            prio = self.one([-100, -90, 100, 0, -110] if kind == "nat" else [-300, -290, -200, -150, -100, -10, 0, 0, 10, 50, 100, 300])
            if kind == "nat":
                prio = self.one([-100, -90, -110]) if hook in ("prerouting", "output") else self.one([100, 90, 110])
            if kind == "filter" and prio in (-200, -100, 100):
                prio += self.one([-1, 1])
            out += self.chain(kind, hook, prio, users, inet, f"b{i}_{hook}")
        return out + ["}"]

    def device_rule(self, hook):
        """Of what chains of devices can ask."""
        never = ("ct ", "rt ", "socket ", "fib ", "ipsec", "iifgroup", "@")
        ms = [m for m in (self.match(hook) for _ in range(self.one([0, 1, 1, 2]))) if not any(w in m for w in never)]
        m = self.mark()
        return " ".join(ms + [self.one([f"meta mark set {m}", f"meta mark set meta mark xor {m}", "ip dscp set cs1" if self.v == 4 else "ip6 dscp set cs1",
                                        "ip ttl set 63" if self.v == 4 else "ip6 hoplimit set 63", "accept", "drop", "counter", "return", "tcp dport set 8080", "udp dport set 53", "jump u0", "goto u0"])])

    def devices(self, fam):
        """A table of chains of the interfaces: netdev, or inet's ingress"""
        rules = lambda hook, jump: ["\t" + x for x in (self.device_rule(hook) for _ in range(self.one([1, 2, 3]))) if jump or " u0" not in x]
        out = [f"table {fam} d {{", "chain u0 {"] + rules("any", False) + ["}"]
        for hook in ["ingress"] + ["egress"] * (fam == "netdev" and self.chance(0.5)):
            dev = self.one(["device eth0", "device eth1", "devices = { eth0, eth1 }"])
            policy = " policy drop;" if self.chance(0.04) else ""
            out += [f"chain {hook} {{ type filter hook {hook} {dev} priority {self.one([-400, 0, 10])};{policy}"] + rules("prerouting" if hook == "ingress" else "postrouting", True) + ["}"]
        return out + ["}"]

    def text(self):
        lines = []
        for i in range(self.one([0, 1, 1, 2])):
            lines += self.table(f"t{i}", self.one([self.fam, self.fam, "inet"]))
        return lines + (self.devices(self.one(["netdev", "netdev", "inet"])) if self.chance(0.2) else [])


# ---- packets ----

OPTIONS = ["none", "maxseg=1460,sack-perm,nop,nop", "maxseg=1000", "maxseg=1460,nop,window=7", "sack-perm,timestamp:0000000100000000",
           "timestamp:0000000700000000,nop,nop,maxseg=536", "mptcp:0081000000000000000a,maxseg=1200", "254:abcd,md5sig:" + "00" * 16 + ",nop,nop"]


def packet(rnd, v, n, flow):
    """One packet; n makes its port its own. flow: the first of a connection, made by raw sockets"""
    t = Text(rnd, v)
    place = t.one([0, 0, 0, 1, 1, 2])
    kind = t.one("rrrwwwix") if flow else t.one("tttuuirsx") if t.chance(0.5) else t.one("ttuuir")
    p = {"place": place, "kind": kind, "uid": t.one(IDS), "gid": t.one(IDS), "dport": t.one(PORTS),
         "sport": (20000 if kind == "t" else 25000) + n % 5000, "ttl": t.one([64, 64, 63, 32]), "dscp": t.one([0, 0, 0, 10, 46]),
         "size": t.one([0, 5, 5, 100]) if kind in "uwi" else 8 if kind == "x" else 0}
    if kind == "x":
        p["proto"] = t.one([47, 50, 253, 253])
    if place == 0:
        p["dst"] = t.one(ADDR[v])
        if kind in "rswx" or flow or t.chance(0.25):
            p["src"] = t.one(LOCAL[v] + [ADDR[v][7]])
        p["mark"] = t.one([0, 0, 0] + MARKS)
    elif place == 1:
        p["src"] = t.one(["10.0.1.1", "10.0.1.1", "10.96.0.10"] if v == 4 else ["fd00:1::1", "fd00:1::1", "fd00:96::10", "fd00:1::ff:fe00:99"])
        p["dst"] = t.one(LOCAL[v][:2] * 2 + [LOCAL[v][2], ADDR[v][4], ADDR[v][6]])
    else:
        p["src"] = t.one([ADDR[v][4], ADDR[v][6]])
        p["dst"] = t.one(LOCAL[v][2:] * 2 + [LOCAL[v][0], ADDR[v][3], ADDR[v][5]])
    if kind == "i":
        p["type"] = t.one(([8] if v == 4 else [128]) if flow else [8, 8, 8, 13, 3, 11] if v == 4 else [128, 128, 128, 1, 3])
        p["code"] = 0 if flow else t.one([0, 0, 0, 1])
    if kind == "r":
        p["flags"] = 2 if flow else t.one([2, 2, 0x10, 0x12, 1, 0x11, 0x29, 0, 0x18])
    if kind == "r" and t.chance(0.6):
        p["tcpopt"] = t.one(OPTIONS)
    # the kernel shows no port behind an extension header, which the answers of a connection need
    if kind in "rwxs" and t.chance(0.25) and (v == 4 or not flow):
        p["ipopt" if v == 4 else "exthdr"] = "ra=0" if v == 4 else t.one(["hbh:010400000000", "dst:010400000000", "hbh:050200000100,dst:010c" + "00" * 12])
    if flow:
        p["flow"], p["spoof"] = 1, 1
    return " ".join(f"{k}={x}" for k, x in p.items())
