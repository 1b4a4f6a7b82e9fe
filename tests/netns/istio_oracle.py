#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_oracle - a second generator of Istio's rules, written from the rules of the game and not from cnish's code
#
#   istio_oracle.py CNISH SEED COUNT    compares COUNT random configurations; status 1 at the first difference
#
# Sidecar for iptables (current version) and native nftables, ambient for both, and its rules of 1.21 to 1.24; IPv4 and IPv6.
import ipaddress
import json
import random
import subprocess
import sys

BUILTIN = {'INPUT', 'OUTPUT', 'FORWARD', 'PREROUTING', 'POSTROUTING', 'ACCEPT', 'RETURN', 'DROP'}


def split(s):
    return [x for x in s.split(',') if x]


def canonical(ip):
    """ As Go's netip prints it: dots only in a mapped address """
    mapped = ip.version == 6 and ip.ipv4_mapped
    return '::ffff:%s' % mapped if mapped else str(ip)


def cidrs(s):
    if s == '*':
        return True, [], [], False
    nets = [ipaddress.ip_interface(x) for x in split(s)]
    text = lambda n: '%s/%d' % (canonical(n.ip), n.network.prefixlen)
    return (False, [text(n) for n in nets if n.version == 4], [text(n) for n in nets if n.version == 6],
            any(n.ip.is_loopback for n in nets))


class Config:
    def __init__(self, s):
        if s['MODE'] == 'ambient':
            s = dict(s, KUBE_VIRT_INTERFACES=','.join(x.strip() for x in s['KUBE_VIRT_INTERFACES'].split(',')))
        self.s, self.six = s, s['ENABLE_INBOUND_IPV6'] == 'true'
        self.uids = split(s['PROXY_UID'] or '1337')
        self.gids = split(s['PROXY_GID'] or s['PROXY_UID'] or '1337')
        servers = [ipaddress.ip_address(a) for a in split(s['DNS_SERVERS'])]
        self.dns4 = [canonical(a) for a in servers if a.version == 4]
        self.dns6 = [canonical(a) for a in servers if a.version == 6]
        self.all_dns = s['CAPTURE_ALL_DNS'] == 'true'
        self.dns = s['REDIRECT_DNS'] == 'true'
        if s['MODE'] != 'ambient' and self.dns and not self.all_dns and not servers:
            self.dns = False
        self.tproxy = s['ISTIO_INBOUND_INTERCEPTION_MODE'] == 'TPROXY'
        self.star, self.in4, self.in6, self.loop = cidrs(s['ISTIO_SERVICE_CIDR'])
        _, self.out4, self.out6, _ = cidrs(s['ISTIO_SERVICE_EXCLUDE_CIDR'])


class Iptables:
    """ Two lists of (table, chain, position, words) and the text made of them. """

    def __init__(self, c):
        self.c, self.v4, self.v6 = c, [], []

    def both(self, table, chain, words, four=None, six=None, at=0, families='46'):
        if '4' in families:
            self.v4.append((table, chain, at, words.replace('@', four or '')))
        if '6' in families and self.c.six:
            self.v6.append((table, chain, at, words.replace('@', six or '')))

    @staticmethod
    def text(rules):
        chains, seen, out = {}, set(), ''

        def new(table, chain):
            if chain not in BUILTIN and (table, chain) not in seen:
                seen.add((table, chain))
                chains.setdefault(table, []).append(chain)
        for table, chain, _, _ in rules:
            new(table, chain)
        for table, _, _, words in rules:
            w = words.split(' ')
            if len(w) > 1 and w[-2] == '-j':
                new(table, w[-1])
        for table in ('filter', 'mangle', 'nat', 'raw'):
            mine = [r for r in rules if r[0] == table]
            if not mine:
                continue
            out += '* %s\n' % table + ''.join('-N %s\n' % c for c in chains.get(table, []))
            for _, chain, at, words in mine:
                out += '-I %s %d %s\n' % (chain, at, words) if at else '-A %s %s\n' % (chain, words)
            out += 'COMMIT\n'
        return out


def sidecar_iptables(c):
    s, p = c.s, Iptables(c)
    rule, L4, L6 = p.both, s['ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR'], '::1/128'
    mark, cap, tunnel = s['ISTIO_INBOUND_TPROXY_MARK'], s['INBOUND_CAPTURE_PORT'], s['INBOUND_TUNNEL_PORT']
    nics = split(s['KUBE_VIRT_INTERFACES'])
    for table in ['nat', 'mangle'] if c.tproxy else ['nat']:
        for i in split(s['ISTIO_EXCLUDE_INTERFACES']):
            rule(table, 'PREROUTING', '-i %s -j RETURN' % i)
            rule(table, 'OUTPUT', '-o %s -j RETURN' % i)
    for i in nics:
        rule('nat', 'PREROUTING', '-i %s -j RETURN' % i, at=1)
    if s['DROP_INVALID'] == 'true':
        rule('mangle', 'PREROUTING', '-m conntrack --ctstate INVALID -j ISTIO_DROP')
        rule('mangle', 'ISTIO_DROP', '-j DROP')
    rule('nat', 'ISTIO_INBOUND', '-p tcp --dport %s -j RETURN' % tunnel)
    rule('nat', 'ISTIO_REDIRECT', '-p tcp -j REDIRECT --to-ports %s' % s['envoy-port'])
    rule('nat', 'ISTIO_IN_REDIRECT', '-p tcp -j REDIRECT --to-ports %s' % cap)
    ports = s['ISTIO_INBOUND_PORTS']
    if ports:
        t = 'mangle' if c.tproxy else 'nat'
        if c.tproxy:
            rule('mangle', 'ISTIO_DIVERT', '-j MARK --set-mark %s' % mark)
            rule('mangle', 'ISTIO_DIVERT', '-j ACCEPT')
            rule('mangle', 'ISTIO_TPROXY', '! -d @ -p tcp -j TPROXY --tproxy-mark %s/0xffffffff --on-port %s' % (mark, cap), L4, L6)
        rule(t, 'PREROUTING', '-p tcp -j ISTIO_INBOUND')
        if ports == '*':
            for x in split(s['ISTIO_LOCAL_EXCLUDE_PORTS']):
                rule(t, 'ISTIO_INBOUND', '-p tcp --dport %s -j RETURN' % x)
        for match in [''] if ports == '*' else [' --dport %s' % x for x in split(ports)]:
            if c.tproxy:
                rule(t, 'ISTIO_INBOUND', '-p tcp%s -m conntrack --ctstate RELATED,ESTABLISHED -j ISTIO_DIVERT' % match)
                rule(t, 'ISTIO_INBOUND', '-p tcp%s -j ISTIO_TPROXY' % match)
            else:
                rule(t, 'ISTIO_INBOUND', '-p tcp%s -j ISTIO_IN_REDIRECT' % match)
    rule('nat', 'OUTPUT', '-j ISTIO_OUTPUT')
    for x in split(s['ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE']):
        for proto in 'tcp', 'udp':
            rule('nat', 'ISTIO_OUTPUT', '-p %s --dport %s -j RETURN' % (proto, x))
    rule('nat', 'ISTIO_OUTPUT', '-o lo -s @ -j RETURN', '127.0.0.6/32', '::6/128')
    for option, ids in ('--uid-owner', c.uids), ('--gid-owner', c.gids):
        for x in ids:
            m = '-p tcp ! --dport %s' % tunnel
            if c.dns and option == '--uid-owner':
                m = '-p tcp -m multiport ! --dports 53,%s' % tunnel
            rule('nat', 'ISTIO_OUTPUT', '-o lo ! -d @ %s -m owner %s %s -j ISTIO_IN_REDIRECT' % (m, option, x), L4, L6)
            if not c.loop:
                rule('nat', 'ISTIO_OUTPUT', '-o lo %s-m owner ! %s %s -j RETURN' %
                     ('-p tcp ! --dport 53 ' if c.dns else '', option, x))
            rule('nat', 'ISTIO_OUTPUT', '-m owner %s %s -j RETURN' % (option, x))
    if s['ISTIO_OUTBOUND_OWNER_GROUPS'] == '*':
        for g in split(s['ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE']):
            rule('nat', 'ISTIO_OUTPUT', '-m owner --gid-owner %s -j RETURN' % g)
    else:
        rule('nat', 'ISTIO_OUTPUT', ''.join('-m owner ! --gid-owner %s ' % g for g in split(s['ISTIO_OUTBOUND_OWNER_GROUPS'])) + '-j RETURN')
    if c.dns:
        rule('raw', 'OUTPUT', '-j ISTIO_OUTPUT_DNS')
        for f, servers in ('4', c.dns4), ('6', c.dns6):
            if c.all_dns or servers:
                rule('nat', 'ISTIO_OUTPUT', '-j ISTIO_OUTPUT_DNS', families=f)
        for proto, to in ('tcp', '--to-ports'), ('udp', '--to-port'):
            if c.all_dns:
                rule('nat', 'ISTIO_OUTPUT_DNS', '-p %s --dport 53 -j REDIRECT %s 15053' % (proto, to))
                continue
            for f, servers, n in ('4', c.dns4, 32), ('6', c.dns6, 128):
                for a in servers:
                    rule('nat', 'ISTIO_OUTPUT_DNS', '-p %s --dport 53 -d %s/%d -j REDIRECT %s 15053' % (proto, a, n, to), families=f)
        for option, ids in ('--uid-owner', c.uids), ('--gid-owner', c.gids):
            for x in ids:
                rule('raw', 'ISTIO_OUTPUT_DNS', '-p udp --dport 53 -m owner %s %s -j CT --zone 1' % (option, x))
                rule('raw', 'ISTIO_OUTPUT_DNS', '-p udp --sport 15053 -m owner %s %s -j CT --zone 2' % (option, x))
        if c.all_dns:
            rule('raw', 'PREROUTING', '-j ISTIO_INBOUND')
            rule('raw', 'ISTIO_OUTPUT_DNS', '-p udp --dport 53 -j CT --zone 2')
            rule('raw', 'ISTIO_INBOUND', '-p udp --sport 53 -j CT --zone 1')
        for f, servers, n in () if c.all_dns else (('4', c.dns4, 32), ('6', c.dns6, 128)):
            if servers:
                rule('raw', 'PREROUTING', '-j ISTIO_INBOUND', families=f)
            for a in servers:
                rule('raw', 'ISTIO_OUTPUT_DNS', '-p udp --dport 53 -d %s/%d -j CT --zone 2' % (a, n), families=f)
                rule('raw', 'ISTIO_INBOUND', '-p udp --sport 53 -s %s/%d -j CT --zone 1' % (a, n), families=f)
    rule('nat', 'ISTIO_OUTPUT', '-d @ -j RETURN', L4, L6)
    for f, nets in ('4', c.out4), ('6', c.out6):
        for net in nets:
            rule('nat', 'ISTIO_OUTPUT', '-d %s -j RETURN' % net, families=f)
    for x in split(s['ISTIO_OUTBOUND_PORTS']):
        rule('nat', 'ISTIO_OUTPUT', '-p tcp --dport %s -j ISTIO_REDIRECT' % x)
    for f, nets in ('4', c.in4), ('6', c.in6):
        if c.star:
            rule('nat', 'ISTIO_OUTPUT', '-j ISTIO_REDIRECT', families=f)
            for i in nics:
                rule('nat', 'PREROUTING', '-i %s -j ISTIO_REDIRECT' % i, at=1, families=f)
        for net in nets:
            for i in nics:
                rule('nat', 'PREROUTING', '-i %s -d %s -j ISTIO_REDIRECT' % (i, net), at=1, families=f)
            rule('nat', 'ISTIO_OUTPUT', '-d %s -j ISTIO_REDIRECT' % net, families=f)
    if c.tproxy:
        rule('mangle', 'PREROUTING', '-p tcp -m mark --mark %s -j CONNMARK --save-mark' % mark)
        rule('mangle', 'OUTPUT', '-p tcp -o lo -m mark --mark %s -j RETURN' % mark)
        for option, ids in ('--uid-owner', c.uids), ('--gid-owner', c.gids):
            for x in ids:
                rule('mangle', 'OUTPUT', '! -d @ -p tcp -o lo -m owner %s %s -j MARK --set-mark 1338' % (option, x), L4, L6)
        rule('mangle', 'OUTPUT', '-p tcp -m connmark --mark %s -j CONNMARK --restore-mark' % mark)
        rule('mangle', 'ISTIO_INBOUND', '-p tcp -m mark --mark %s -j RETURN' % mark, at=1)
        rule('mangle', 'ISTIO_INBOUND', '-p tcp -s @ -i lo -j RETURN', '127.0.0.6/32', '::6/128', at=2)
        rule('mangle', 'ISTIO_INBOUND', '-p tcp -i lo -m mark ! --mark 1338 -j RETURN', at=3)
    return p


def ambient_iptables(c):
    s, p = c.s, Iptables(c)
    rule, ingress, own = p.both, s['INGRESS_MODE'] == 'true', '0x539/0xfff'
    LO, S = ('127.0.0.1/32', '::1/128'), ('169.254.7.127', 'fd16:9254:7127:1337:ffff:ffff:ffff:ffff')
    rule('mangle', 'PREROUTING', '-j ISTIO_PRERT')
    rule('mangle', 'OUTPUT', '-j ISTIO_OUTPUT')
    rule('nat', 'OUTPUT', '-j ISTIO_OUTPUT')
    if c.dns:
        rule('raw', 'PREROUTING', '-j ISTIO_PRERT')
        rule('raw', 'OUTPUT', '-j ISTIO_OUTPUT')
    rule('nat', 'PREROUTING', '-j ISTIO_PRERT')
    for i in split(s['KUBE_VIRT_INTERFACES']):
        rule('nat', 'ISTIO_PRERT', '-i %s -p tcp -j REDIRECT --to-ports 15001' % i)
        rule('nat', 'ISTIO_PRERT', '-i %s -p tcp -j RETURN' % i)
    rule('mangle', 'ISTIO_PRERT', '-m mark --mark %s -j CONNMARK --set-xmark 0x111/0xfff' % own)
    if not ingress:
        rule('nat', 'ISTIO_PRERT', '-s @ -p tcp -m tcp -j ACCEPT', *S)
    rule('nat', 'ISTIO_OUTPUT', '-d @ -p tcp -m tcp -j ACCEPT', *S)
    if not ingress:
        rule('nat', 'ISTIO_PRERT', '! -d @ -p tcp ! --dport 15008 -m mark ! --mark %s -j REDIRECT --to-ports 15006' % own, *LO)
    rule('mangle', 'ISTIO_OUTPUT', '-m connmark --mark 0x111/0xfff -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff')
    if c.dns:
        rule('nat', 'ISTIO_OUTPUT', '! -o lo -p udp -m mark ! --mark %s -m udp --dport 53 -j REDIRECT --to-port 15053' % own)
        rule('nat', 'ISTIO_OUTPUT', '! -d @ -p tcp --dport 53 -m mark ! --mark %s -j REDIRECT --to-ports 15053' % own, *LO)
        rule('raw', 'ISTIO_OUTPUT', '-p udp -m mark --mark %s -m udp --dport 53 -j CT --zone 1' % own)
        rule('raw', 'ISTIO_PRERT', '-p udp -m mark ! --mark %s -m udp --sport 53 -j CT --zone 1' % own)
    rule('nat', 'ISTIO_OUTPUT', '-p tcp -m mark --mark 0x111/0xfff -j ACCEPT')
    rule('nat', 'ISTIO_OUTPUT', '! -d @ -o lo -j ACCEPT', *LO)
    rule('nat', 'ISTIO_OUTPUT', '! -d @ -p tcp -m mark ! --mark %s -j REDIRECT --to-ports 15001' % own, *LO)
    return p


def old_ambient(c):
    """ 1.21 to 1.24, with TPROXY: without it only from late in 1.23 """
    s, p, own, new = c.s, Iptables(c), '0x539/0xfff', c.s['ISTIO_VERSION'] == '1.24'
    tproxy = s['ISTIO_INBOUND_INTERCEPTION_MODE'] == 'TPROXY' if new else \
        s['ISTIO_VERSION'] != '1.23' or s['ISTIO_INBOUND_INTERCEPTION_MODE'] != 'REDIRECT'
    rule, LO, S = p.both, ('127.0.0.1/32', '::1/128'), ('169.254.7.127', 'fd16:9254:7127:1337:ffff:ffff:ffff:ffff')
    pre = 'mangle' if tproxy else 'nat'
    for table, chain, to in (('mangle', 'PREROUTING', 'PRERT'), ('mangle', 'OUTPUT', 'OUTPUT'), ('nat', 'OUTPUT', 'OUTPUT')) + \
            ((('raw', 'PREROUTING', 'PRERT'), ('raw', 'OUTPUT', 'OUTPUT')) if c.dns and new else ()) + \
            (() if tproxy else (('nat', 'PREROUTING', 'PRERT'),)):
        rule(table, chain, '-j ISTIO_' + to)
    rule('mangle', 'ISTIO_PRERT', '-m mark --mark %s -j CONNMARK --set-xmark 0x111/0xfff' % own)
    rule(pre, 'ISTIO_PRERT', '-s @ -p tcp -m tcp -j ACCEPT', *S)
    rule('nat', 'ISTIO_OUTPUT', '-d @ -p tcp -m tcp -j ACCEPT', *S)
    if tproxy:
        to = '-m mark ! --mark %s -j TPROXY --on-port %s --tproxy-mark 0x111/0xfff'
        rule(pre, 'ISTIO_PRERT', '! -d @ -p tcp -i lo -j ACCEPT', *LO)
        rule(pre, 'ISTIO_PRERT', '-p tcp -m tcp --dport 15008 ' + to % (own, 15008))
        rule(pre, 'ISTIO_PRERT', '-p tcp -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT')
        rule(pre, 'ISTIO_PRERT', '! -d @ -p tcp ' + to % (own, 15006), *LO)
    else:
        rule(pre, 'ISTIO_PRERT', '! -d @ -p tcp ! --dport 15008 -m mark ! --mark %s -j REDIRECT --to-ports 15006' % own, *LO)
    rule('mangle', 'ISTIO_OUTPUT', '-m connmark --mark 0x111/0xfff -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff')
    if c.dns and new:
        rule('nat', 'ISTIO_OUTPUT', '! -o lo -p udp -m mark ! --mark %s -m udp --dport 53 -j REDIRECT --to-port 15053' % own)
        rule('nat', 'ISTIO_OUTPUT', '! -d @ -p tcp --dport 53 -m mark ! --mark %s -j REDIRECT --to-ports 15053' % own, *LO)
        rule('raw', 'ISTIO_OUTPUT', '-p udp -m mark --mark %s -m udp --dport 53 -j CT --zone 1' % own)
        rule('raw', 'ISTIO_PRERT', '-p udp -m mark ! --mark %s -m udp --sport 53 -j CT --zone 1' % own)
    elif c.dns:
        rule('nat', 'ISTIO_OUTPUT', '! -o lo -p udp -m udp --dport 53 -j REDIRECT --to-port 15053')
    rule('nat', 'ISTIO_OUTPUT', '-p tcp -m mark --mark 0x111/0xfff -j ACCEPT')
    rule('nat', 'ISTIO_OUTPUT', '! -d @ -o lo -j ACCEPT', *LO)
    rule('nat', 'ISTIO_OUTPUT', '! -d @ -p tcp -m mark ! --mark %s -j REDIRECT --to-ports 15001' % own, *LO)
    return p


class Nft:
    def __init__(self, prefix, regular, targets):
        self.rules, self.prefix, self.regular, self.targets = [], prefix, regular, targets

    def __call__(self, table, chain, body, at=None):
        self.rules.append((table, chain, body, at))

    def text(self):
        hooks = {'nat': ('nat', 'nat', -100), 'mangle': ('filter', 'route', -150), 'raw': ('filter', 'filter', -300)}
        out = ''
        for table in 'nat', 'mangle', 'raw':
            mine = [r for r in self.rules if r[0] == table]
            name = '%s-%s' % (self.prefix, table)
            if not mine:
                continue
            used = {r[1] for r in mine}
            if self.targets:
                used |= {r[2].split('jump ')[1] for r in mine if 'jump ' in r[2]}
            out += 'add table inet %s\nflush table inet %s\n' % (name, name)
            for i, hook in enumerate(('prerouting', 'output')):
                if hook in used:
                    out += 'add chain inet %s %s { type %s hook %s priority %d ; }\n' % (name, hook, hooks[table][i], hook, hooks[table][2])
            out += ''.join('add chain inet %s %s\n' % (name, c) for c in self.regular[table] if c in used)
            count = {}
            for _, chain, body, at in mine:
                n = count.get(chain, 0)
                count[chain] = n + 1
                if at is None or at >= n:
                    out += 'add rule inet %s %s %s\n' % (name, chain, body)
                else:
                    out += 'insert rule inet %s %s index %d %s\n' % (name, chain, at, body)
        return out


def sidecar_nft(c):
    s, t4 = c.s, 'meta l4proto tcp '
    regular = {'nat': ['istio-inbound', 'istio-redirect', 'istio-in-redirect', 'istio-output', 'istio-output-dns'],
               'mangle': ['istio-divert', 'istio-tproxy', 'istio-inbound', 'istio-drop'], 'raw': ['istio-inbound', 'istio-output-dns']}
    r = Nft('istio-proxy', regular, False)
    mark, cap, tunnel, L4 = s['ISTIO_INBOUND_TPROXY_MARK'], s['INBOUND_CAPTURE_PORT'], s['INBOUND_TUNNEL_PORT'], s['ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR']
    nics, owners = split(s['KUBE_VIRT_INTERFACES']), [('skuid', u) for u in c.uids] + [('skgid', g) for g in c.gids]
    for table in ['nat', 'mangle'] if c.tproxy else ['nat']:
        for i in split(s['ISTIO_EXCLUDE_INTERFACES']):
            r(table, 'prerouting', 'iifname %s counter return' % i)
            r(table, 'output', 'oifname %s counter return' % i)
    for i in nics:
        r('nat', 'prerouting', 'iifname %s counter return' % i, 0)
    if s['DROP_INVALID'] == 'true':
        r('mangle', 'prerouting', t4 + 'ct state invalid counter jump istio-drop')
        r('mangle', 'istio-drop', 'counter drop')
    r('nat', 'istio-inbound', t4 + 'tcp dport %s counter return' % tunnel)
    r('nat', 'istio-redirect', t4 + 'counter redirect to :' + s['envoy-port'])
    r('nat', 'istio-in-redirect', t4 + 'counter redirect to :' + cap)
    ports = s['ISTIO_INBOUND_PORTS']
    if ports:
        if c.tproxy:
            r('mangle', 'istio-divert', 'counter meta mark set ' + mark)
            r('mangle', 'istio-divert', 'counter accept')
            r('mangle', 'istio-tproxy', t4 + 'ip daddr != %s tproxy ip to :%s meta mark set %s counter accept' % (L4, cap, mark))
            if c.six:
                r('mangle', 'istio-tproxy', t4 + 'ip6 daddr != ::1/128 tproxy ip6 to :%s meta mark set %s counter accept' % (cap, mark))
        t = 'mangle' if c.tproxy else 'nat'
        r(t, 'prerouting', t4 + 'counter jump istio-inbound')
        for x in split(s['ISTIO_LOCAL_EXCLUDE_PORTS']) if ports == '*' else []:
            r(t, 'istio-inbound', t4 + 'tcp dport %s counter return' % x)
        for m in [''] if ports == '*' else ['tcp dport %s ' % x for x in split(ports)]:
            if c.tproxy:
                r(t, 'istio-inbound', t4 + 'ct state related,established %scounter jump istio-divert' % m)
                r(t, 'istio-inbound', t4 + m + 'counter jump istio-tproxy')
            else:
                r(t, 'istio-inbound', t4 + m + 'counter jump istio-in-redirect')
    r('nat', 'output', 'counter jump istio-output')
    for x in split(s['ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE']):
        for proto in 'tcp', 'udp':
            r('nat', 'istio-output', '%s dport %s counter return' % (proto, x))
    r('nat', 'istio-output', 'oifname lo ip saddr 127.0.0.6/32 counter return')
    if c.six:
        r('nat', 'istio-output', 'oifname lo ip6 saddr ::6/128 counter return')
    for key, x in owners:
        to = '{ 53, %s }' % tunnel if c.dns and key == 'skuid' else tunnel
        r('nat', 'istio-output', 'oifname lo %sip daddr != %s tcp dport != %s %s %s counter jump istio-in-redirect' % (t4, L4, to, key, x))
        if c.six:
            r('nat', 'istio-output', 'oifname lo %sip6 daddr != ::1/128 tcp dport != %s %s %s counter jump istio-in-redirect' % (t4, to, key, x))
        if not c.loop:
            r('nat', 'istio-output', 'oifname lo %s%s != %s counter return' % (t4 + 'tcp dport != 53 ' if c.dns else '', key, x))
        r('nat', 'istio-output', '%s %s counter return' % (key, x))
    if s['ISTIO_OUTBOUND_OWNER_GROUPS'] == '*':
        for g in split(s['ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE']):
            r('nat', 'istio-output', 'skgid %s counter return' % g)
    else:
        r('nat', 'istio-output', ''.join('skgid != %s ' % g for g in split(s['ISTIO_OUTBOUND_OWNER_GROUPS'])) + 'counter return')
    servers = [('ip', a, 32) for a in c.dns4] + ([('ip6', a, 128) for a in c.dns6] if c.six else [])
    if c.dns:
        r('raw', 'output', 'counter jump istio-output-dns')
        r('nat', 'istio-output', 'counter jump istio-output-dns')
        for proto, pre in ('tcp', t4), ('udp', ''):
            if c.all_dns:
                r('nat', 'istio-output-dns', '%s%s dport 53 counter redirect to :15053' % (pre, proto))
            for ip, a, n in [] if c.all_dns else servers:
                r('nat', 'istio-output-dns', '%s daddr %s/%d %s dport 53 counter redirect to :15053' % (ip, a, n, proto))
        for key, x in owners:
            r('raw', 'istio-output-dns', 'udp dport 53 meta %s %s counter ct zone set 1' % (key, x))
            r('raw', 'istio-output-dns', 'udp sport 15053 meta %s %s counter ct zone set 2' % (key, x))
        r('raw', 'prerouting', 'counter jump istio-inbound')
        if c.all_dns:
            r('raw', 'istio-output-dns', 'udp dport 53 counter ct zone set 2')
            r('raw', 'istio-inbound', 'udp sport 53 counter ct zone set 1')
        for ip, a, n in [] if c.all_dns else servers:
            r('raw', 'istio-output-dns', 'udp dport 53 %s daddr %s/%d counter ct zone set 2' % (ip, a, n))
            r('raw', 'istio-inbound', 'udp sport 53 %s saddr %s/%d counter ct zone set 1' % (ip, a, n))
    r('nat', 'istio-output', 'ip daddr %s counter return' % L4)
    if c.six:
        r('nat', 'istio-output', 'ip6 daddr ::1/128 counter return')
    for ip, nets in ('ip', c.out4), ('ip6', c.out6 if c.six else []):
        for net in nets:
            r('nat', 'istio-output', '%s daddr %s counter return' % (ip, net))
    for x in split(s['ISTIO_OUTBOUND_PORTS']):
        r('nat', 'istio-output', 'tcp dport %s counter jump istio-redirect' % x)
    if c.star:
        r('nat', 'istio-output', 'counter jump istio-redirect')
        for i in nics:
            r('nat', 'prerouting', 'iifname %s counter jump istio-redirect' % i, 0)
    for ip, nets in ('ip', c.in4), ('ip6', c.in6 if c.six else []):
        for net in nets:
            for i in nics:
                r('nat', 'prerouting', 'iifname %s %s daddr %s counter jump istio-redirect' % (i, ip, net), 0)
            r('nat', 'istio-output', '%s daddr %s counter jump istio-redirect' % (ip, net))
    if c.tproxy:
        r('mangle', 'prerouting', t4 + 'mark %s counter ct mark set mark' % mark)
        r('mangle', 'output', 'oifname lo %smark %s counter return' % (t4, mark))
        for key, x in owners:
            r('mangle', 'output', 'oifname lo %sip daddr != %s %s %s counter meta mark set 1338' % (t4, L4, key, x))
            if c.six:
                r('mangle', 'output', 'oifname lo %sip6 daddr != ::1/128 %s %s counter meta mark set 1338' % (t4, key, x))
        r('mangle', 'output', t4 + 'ct mark %s counter meta mark set ct mark' % mark)
        r('mangle', 'istio-inbound', t4 + 'mark %s counter return' % mark, 0)
        r('mangle', 'istio-inbound', 'iifname lo %sip saddr 127.0.0.6/32 counter return' % t4, 1)
        if c.six:
            r('mangle', 'istio-inbound', 'iifname lo %sip6 saddr ::6/128 counter return' % t4, 1)
        r('mangle', 'istio-inbound', 'iifname lo %smark != 1338 counter return' % t4, 2)
    return r


def ambient_nft(c):
    s, t4, chains = c.s, 'meta l4proto tcp ', ['istio-prerouting', 'istio-output']
    r, ingress = Nft('istio-ambient', {'nat': chains, 'mangle': chains, 'raw': chains}, True), s['INGRESS_MODE'] == 'true'
    S4, S6, own = '169.254.7.127', 'fd16:9254:7127:1337:ffff:ffff:ffff:ffff', 'mark and 0xfff != 0x539'
    pairs = [('ip', '127.0.0.1/32')] + ([('ip6', '::1/128')] if c.six else [])
    probes = [('ip', S4)] + ([('ip6', S6)] if c.six else [])
    r('mangle', 'prerouting', 'jump istio-prerouting')
    r('mangle', 'output', 'jump istio-output')
    r('nat', 'output', 'jump istio-output')
    if c.dns:
        r('raw', 'prerouting', 'jump istio-prerouting')
        r('raw', 'output', 'jump istio-output')
    r('nat', 'prerouting', 'jump istio-prerouting')
    for i in split(s['KUBE_VIRT_INTERFACES']):
        r('nat', 'istio-prerouting', 'iifname %s %scounter redirect to :15001' % (i, t4))
        r('nat', 'istio-prerouting', 'iifname %s %scounter return' % (i, t4))
    r('mangle', 'istio-prerouting', 'meta mark & 0xfff == 0x539 counter ct mark set ct mark & 0xfffff000 |  0x111')
    for ip, a in [] if ingress else probes:
        r('nat', 'istio-prerouting', t4 + '%s saddr %s counter accept' % (ip, a))
    for ip, a in probes:
        r('nat', 'istio-output', t4 + '%s daddr %s counter accept' % (ip, a))
    for ip, a in [] if ingress else pairs:
        r('nat', 'istio-prerouting', '%s daddr != %s tcp dport != 15008 mark and 0xfff %s!= 0x539 counter redirect to :15006' %
          (ip, a, ' ' if ip == 'ip' else ''))
    r('mangle', 'istio-output', 'ct mark and 0xfff == 0x111 counter meta mark set ct mark')
    if c.dns:
        r('nat', 'istio-output', 'oifname != lo %s udp dport 53 counter redirect to :15053' % own)
        for ip, a in pairs:
            r('nat', 'istio-output', '%s daddr != %s tcp dport 53 %s counter redirect to :15053' % (ip, a, own))
        r('raw', 'istio-output', 'udp dport 53 meta mark and 0xfff == 0x539 counter ct zone set 1')
        r('raw', 'istio-prerouting', 'udp sport 53 meta mark and 0xfff != 0x539 counter ct zone set 1')
    r('nat', 'istio-output', t4 + 'mark and 0xfff == 0x111 counter accept')
    for ip, a in pairs:
        r('nat', 'istio-output', 'oifname lo %s daddr != %s counter accept' % (ip, a))
    for ip, a in pairs:
        r('nat', 'istio-output', t4 + '%s daddr != %s %s counter redirect to :15001' % (ip, a, own))
    return r


def settings(r):
    one = r.choice
    port = lambda: str(one([0, 1, 53, 80, 443, 8080, 15008, 65535, r.randrange(65536)]))
    ports = lambda: one(['', port(), ','.join(port() for _ in range(r.randint(2, 5))), ',%s,,%s,' % (port(), port()), ' 80, 81 ', '1000:2000,22', '80,80'])
    net4 = lambda: '%d.%d.%d.%d/%d' % (r.randrange(256), r.randrange(256), r.randrange(256), r.randrange(256), r.randint(0, 32))
    net6 = lambda: one(['::/0', '::1/128', 'fd00::/8', '::ffff:1.2.3.4/120', '::102:304/128', '2001:db8::%x/%d' % (r.randrange(65536), r.randint(0, 128))])
    nets = lambda: ','.join(one([net4, net4, net6, lambda: '127.0.0.1/8'])() for _ in range(r.randint(1, 5)))
    ids = lambda: one(['', '1337', '0', '1337,0', '1,,2,', '7,7', '%d,%d' % (r.randrange(70000), r.randrange(70000))])
    nics = lambda: one(['', '', 'eth1', 'eth1,net0', 'eth1,eth1', 'tap+,', ' eth3,x.y-z_1'])
    groups = lambda: ','.join(one(['5', 'root', 'www-data', '100-200', str(r.randrange(70000))]) for _ in range(r.randint(1, 64)))
    s = {'MODE': one(['sidecar'] * 4 + ['ambient']), 'ENABLE_INBOUND_IPV6': one(['true', 'false']), 'INGRESS_MODE': one(['true', 'false']),
         'NATIVE_NFTABLES': one(['true', 'false', 'false']), 'envoy-port': one(['15001', port()]), 'INBOUND_CAPTURE_PORT': one(['15006', port()]),
         'INBOUND_TUNNEL_PORT': one(['15008', port()]), 'PROXY_UID': ids(), 'PROXY_GID': ids(),
         'ISTIO_INBOUND_INTERCEPTION_MODE': one(['TPROXY', 'REDIRECT', '', 'tproxy', 'NONE', 'TPROXY']), 'ISTIO_INBOUND_PORTS': one(['*', '*', ports()]),
         'ISTIO_LOCAL_EXCLUDE_PORTS': ports(), 'ISTIO_EXCLUDE_INTERFACES': nics(), 'KUBE_VIRT_INTERFACES': one(['', 'tap1', 'tap1,,tap0,', ' tap1 ,tap0']),
         'ISTIO_SERVICE_CIDR': one(['*', '*', '', nets()]), 'ISTIO_SERVICE_EXCLUDE_CIDR': one(['', '', nets()]), 'ISTIO_OUTBOUND_PORTS': ports(),
         'ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE': ports(), 'ISTIO_INBOUND_TPROXY_MARK': one(['1337', '1', '4294967295', str(r.randrange(1 << 32))]),
         'REDIRECT_DNS': one(['true', 'false', 'true']), 'CAPTURE_ALL_DNS': one(['true', 'false']), 'DROP_INVALID': one(['true', 'false']),
         'DNS_SERVERS': one(['', '10.96.0.10', '10.96.0.10,FD00:0::0A,1.1.1.1', '2001:db8::1', '9.9.9.9', '::ffff:1.2.3.4,::102:304,64:ff9b::1.2.3.4']),
         'ISTIO_OUTBOUND_OWNER_GROUPS': one(['*', '*', '', groups()]), 'ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE': one(['', '0', groups()]),
         'ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR': one(['127.0.0.1/32', '127.0.0.1/8', '127.0.0.0/16', '127.9.9.9/31']), 'ISTIO_VERSION': '1.30'}
    if s['MODE'] == 'ambient' and r.random() < 0.5:
        s.update(ISTIO_VERSION=one(['1.21', '1.22', '1.23', '1.24']), INGRESS_MODE='false', KUBE_VIRT_INTERFACES='', NATIVE_NFTABLES='false',
                 ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR='127.0.0.1/32')
    return s


def expected(s):
    c = Config(s)
    if s['NATIVE_NFTABLES'] == 'true':
        return {'ip': None, 'ip6': None, 'nft': (ambient_nft if s['MODE'] == 'ambient' else sidecar_nft)(c).text()}
    p = (sidecar_iptables if s['MODE'] != 'ambient' else ambient_iptables if s['ISTIO_VERSION'] == '1.30' else old_ambient)(c)
    return {'ip': p.text(p.v4) or None, 'ip6': p.text(p.v6) or None, 'nft': None}


def main():
    cnish, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    r = random.Random(seed)
    all_of_them = [settings(r) for _ in range(count)]
    lines = ''.join('istio show --preset none %s\n' % ' '.join("'%s=%s'" % kv for kv in s.items()) for s in all_of_them)
    done = subprocess.run([cnish, '-o', 'json', '-f', '-'], input=lines, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    decoder, text = json.JSONDecoder(), done.stdout
    for n, s in enumerate(all_of_them):
        text = text.lstrip()
        if not text:
            sys.exit('no answer for %s\n%s' % (s, done.stderr[-500:]))
        got, end = decoder.raw_decode(text)
        text = text[end:]
        have, want = {'ip': got['restore']['ip'], 'ip6': got['restore']['ip6'], 'nft': got['nft']}, expected(s)
        for key in want:
            if have[key] != want[key]:
                a, b = (have[key] or '').split('\n'), (want[key] or '').split('\n')
                at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
                sys.exit('configuration %d of seed %d: %s differs at line %d:\n  %s\nnot\n  %s\n%s' %
                         (n, seed, key, at + 1, a[at:at + 1], b[at:at + 1], ' '.join("'%s=%s'" % kv for kv in s.items())))
    print('%d configurations equal (seed %d)' % (count, seed))


if __name__ == '__main__':
    main()
