#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""nftmanual - the words of the installed nft(8), and rules at the bounds of each field that it and `nft describe` name"""
import gzip
import re

from nftlib import answers

MANUAL = "/usr/share/man/man8/nft.8.gz"
# Where a header can be matched: family and chain of native-objects.nft. All others: inet.
PLACE = {"ether": "bridge in", "vlan": "bridge in", "arp": "arp in", "ip": "ip in", "icmp": "ip in", "igmp": "ip in",
         "ip6": "ip6 in", "icmpv6": "ip6 in", "hbh": "ip6 in", "frag": "ip6 in", "rt": "ip6 in", "dst": "ip6 in",
         "mh": "ip6 in", "srh": "ip6 in", "ip option": "ip in", "meta": "inet in", "ct": "inet in"}
SAMPLES = {"ipv4_addr": ("10.1.2.3", "255.255.255.255"), "ipv6_addr": ("2001:db8::1", "ffff:ffff::"),
           "ether_addr": ("00:01:02:03:04:05", "ff:ff:ff:ff:ff:ff"), "ifname": ('"eth0"', '"a-name.of15char"'),
           "iface_index": ("lo", "1"), "boolean": ("exists", "missing"), "string": ('"ftp"', '"veth"')}


def manual(path=MANUAL):
    """the sections of expressions and statements: name, synopses, tables"""
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as f:
        text = f.read()
    text = text[text.index('.SH "PRIMARY EXPRESSIONS"'):text.index('.SS "XT STATEMENT"')].replace("\\-", "-")
    for m in re.finditer(r'^\.SS "([^"]+)"\n(.*?)(?=^\.SS |^\.SH |\Z)', text, re.M | re.S):
        synopses = [s for s in re.findall(r"^\.nf\n(.*?)^\.fi", m[2], re.M | re.S) if "\\fB" in s]
        tables = [[re.sub(r"\.sp\n", "", row).strip().split("\nT}:T{\n") for row in re.findall(r"^T\{\n(.*?)\nT\}$", t, re.M | re.S)]
                  for t in re.findall(r"^\.TS\n(.*?)^\.TE", m[2], re.M | re.S)]
        yield m[1], synopses, [t for t in tables if t and t[0][0] in ("Keyword", "Name", "Base", "Flag")], m[2]


def head_of(text):
    """the word that a synopsis begins with; one section has its own in plain text"""
    return re.search(r"\\f[BI]([a-z0-9]+)", text) or re.search(r"^([a-z0-9]+) \{", text, re.M)


def words(path=MANUAL):
    """pairs (head, word): each is to stand in some rule"""
    found = {}
    for name, synopses, tables, body in manual(path):
        for line in re.split(r"\n(?=\\fB|\[\\fB|\{\\fB)", "".join(synopses)):
            bold = [w for b in re.findall(r"\\fB(.*?)\\fR", line) for w in re.findall(r"[a-z0-9][a-z0-9-]*", b)]
            if not bold:
                continue
            # A line of alternatives has no head: each word is its own.
            head = None if line.startswith("{") or line.startswith("\\fI") else bold[0]
            for w in bold:
                found[(head if w != head else None, w)] = name
        head = head_of("".join(synopses) or body)
        if head and "STATEMENT" not in name and "CHUNK" not in name:
            for row in (r for t in tables for r in t[1:]):
                for w in re.findall(r"^[a-z0-9-]+", row[0]):
                    found[(head[1] if "EXTENSION" not in name and "RAW" not in name else None, w)] = name
    return found


def stands_in(pair, rule):
    head, word = pair
    word = "jhash" if word == "hash" else word  # as the manual has it once
    word = r"(?<![\w-])%s(?![\w-])" % re.escape(word)
    return re.search(word if head is None else r"(?<![\w-])%s(?![\w-]).*%s" % (re.escape(head), word), rule) is not None


def fields(path=MANUAL):
    """each field that the manual names with its header, as an expression"""
    seen = []
    for name, synopses, tables, body in manual(path):
        syn = "".join(synopses)
        if "HEADER EXPRESSION" in name and "EXTENSION" not in name:
            head = head_of(syn or body)
            seen += [(head[1], "%s %s" % (head[1], r[0])) for t in tables for r in t[1:] if re.match(r"[a-z0-9 -]+$", r[0])]
            if "SCTP" in name:
                rows = tables[-1][1:]
                chunks = re.findall(r"\\fB([a-z-]+)", re.search(r"CHUNK\\fR :=(.*?)\n\n", syn, re.S)[1])
                for c in chunks:
                    seen += [("sctp", "sctp chunk %s %s" % (c, r[0])) for r in rows if c in r[2].split(", ") or r[2] == "all"]
        elif "EXTENSION HEADER EXPR" in name:
            for h, alternatives in re.findall(r"^\\fB([a-z0-9]+)\\fR \{(.*?)\}", synopses[0], re.M):
                if h != "tcp":
                    seen += [(h, "%s %s" % (h, f)) for f in re.findall(r"\\fB([a-z-]+)", alternatives)]
            for t, option in zip(tables[1:], ("tcp option", "ip option")):
                seen += [(option, "%s %s %s" % (option, r[0], f)) for r in t[1:] for f in re.findall(r"[a-z]+", r[2])]
        elif name == "META EXPRESSIONS":
            seen += [("meta", "meta " + r[0]) for r in tables[0][1:]]
        elif name == "CONNTRACK EXPRESSIONS":
            seen += [("ct", "ct " + w) for w in re.findall(r"\\fB([a-z0-9-]+)", syn) if w not in ("ct", "original", "reply", "ip", "ip6")]
            seen += [("ct", "ct %s %s" % (d, w)) for d in ("original", "reply") for w in
                     ("l3proto", "protocol", "bytes", "packets", "avgpkt", "zone", "proto-src", "proto-dst", "ip saddr", "ip daddr", "ip6 saddr", "ip6 daddr")]
    return list(dict.fromkeys(seen))


def rules_of(field, said):
    """the field with each of its names, at its bounds, inverted, as range, in a set"""
    kind = re.search(r"datatype (\S+) .*?, (\d+) bits", said)
    if not kind:
        return []
    bits, names = int(kind[2]), re.findall(r"^\t(\S+) +\t", said, re.M)
    if kind[1] in SAMPLES:
        low, high = SAMPLES[kind[1]]
    elif kind[1] in ("time", "day", "hour", "invalid"):
        return []
    else:
        low, high = "0", str(2 ** bits - 1)
    rules = ["%s %s" % (field, low), "%s != %s" % (field, high), "%s { %s, %s }" % (field, low, high)]
    if low == "0":
        rules += ["%s %s" % (field, high), "%s < %s" % (field, high), "%s >= %s" % (field, high)]
        if bits > 1 and "chunk" not in field:
            # nft writes flags between bounds with the words of bytes that it turned
            rules += ["%s 1-%s" % (field, "3" if "bitmask" in said else high), "%s & %d == 1" % (field, 2 ** bits - 1 - 2)]
    if names:
        rules += ["%s { %s }" % (field, ", ".join(names))] + ["%s %s" % (field, n) for n in names[:1] + names[-1:]]
    if names and "bitmask" in said:
        rules += ["%s %s" % (field, ",".join(names[:3])), "%s & (%s) == %s" % (field, " | ".join(names), names[-1])]
    return rules


def generated(path=MANUAL):
    """(group, "FAMILY CHAIN RULE") for every field of the manual"""
    named = fields(path)
    for (head, field), said in zip(named, answers(["describe " + f for _, f in named])):
        for rule in rules_of(field, said):
            yield "fields of " + head, "%s %s" % (PLACE.get(head, "inet in"), rule)
    for base in ("ll", "nh", "th", "ih"):
        for offset, length in ((0, 4), (3, 5), (4, 12), (8, 16), (5, 24), (0, 32), (16, 48), (0, 64), (7, 1), (64, 128)):
            for op in ("", "!= "):
                yield "raw payload", "inet in @%s,%d,%d %s0x1" % (base, offset, length, op)
