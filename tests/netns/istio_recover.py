#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_recover - random settings, written by the real tools, read back by cnish: which are recovered from the rules
#
#   istio_recover.py CNISH SEED ROUNDS [ERA...]     run as root where namespaces may be made
#
# Prints a rate for each era and mode. Status 1 when something that leaves a trace was not recovered.
import ipaddress
import json
import os
import random
import subprocess
import sys

CNISH, SEED, ROUNDS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
NS = 'recover'
# name: versions, what they can do
ERAS = {
    '1.7-1.12': [7, 10, 11, 12], '1.13-1.17': [13, 14, 17], '1.18-1.19': [18, 19], '1.20-1.22': [20, 21, 22],
    '1.23': [23], '1.24': [24], '1.25-': [25, 27, 30],
}
KINDS = ['REDIRECT', 'TPROXY', 'ambient', 'native', 'native TPROXY', 'native ambient']


def run(*args, **kw):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw)


def ns(*args, **kw):
    return run('ip', 'netns', 'exec', NS, *args, **kw)


def cidrs(r, v6, n):
    out = []
    for _ in range(n):
        if v6 and r.random() < 0.4:
            out.append(str(ipaddress.ip_network((r.getrandbits(128) | 1 << 125, r.choice([32, 48, 64, 128])), strict=False)))
        else:
            out.append(str(ipaddress.ip_network((r.randrange(1 << 24, 120 << 24), r.choice([8, 12, 16, 24, 32])), strict=False)))
    return ','.join(dict.fromkeys(out))


def ports(r, low, high):
    return ','.join(str(r.randrange(16000, 60000)) for _ in range(r.randint(low, high)))


def ids(r, n):
    return ','.join(map(str, r.sample(range(1000, 60000), n)))


def sidecar(r, minor, tproxy, native):
    v6 = minor >= 12 and r.random() < 0.5
    s = {'ENABLE_INBOUND_IPV6': str(v6).lower(), 'ISTIO_INBOUND_INTERCEPTION_MODE': 'TPROXY' if tproxy else 'REDIRECT',
         'envoy-port': str(r.choice([15001, 15001, 12001])), 'INBOUND_CAPTURE_PORT': str(r.choice([15006, 15006, 12006])),
         'INBOUND_TUNNEL_PORT': str(r.choice([15008, 15008, 12008])),
         'PROXY_UID': r.choice(['1337', '1337', '0', ids(r, 2)]), 'PROXY_GID': r.choice(['', '1337', ids(r, 2)])}
    s['ISTIO_INBOUND_PORTS'] = r.choice(['*', '*', '', ports(r, 1, 3)])
    if s['ISTIO_INBOUND_PORTS'] == '*':
        s['ISTIO_LOCAL_EXCLUDE_PORTS'] = r.choice(['15090,15021,15020', '15020,15021,15090', '15090,15021,' + ports(r, 1, 3) + ',15020',
                                                   ports(r, 1, 3), ''])
    loop = '127.0.0.1/32'
    if minor >= 21:
        loop = r.choice([loop, loop, '127.0.0.0/8', '127.0.0.0/16'])
    s['ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR'] = loop
    s['ISTIO_OUTBOUND_PORTS'] = r.choice(['', '', ports(r, 1, 2)])
    s['ISTIO_SERVICE_CIDR'] = r.choice(['*', '*', cidrs(r, v6, 3), cidrs(r, v6, 1) + ',127.0.0.0/8'])
    if s['ISTIO_OUTBOUND_PORTS']:
        s['ISTIO_SERVICE_CIDR'] = r.choice([s['ISTIO_SERVICE_CIDR'], ''])
    s['ISTIO_SERVICE_EXCLUDE_CIDR'] = r.choice(['', cidrs(r, v6, 2)])
    s['ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE'] = r.choice(['', '15020', ports(r, 1, 3), '53' if native else '53,20000:30000'])
    if minor >= 12:
        s['ISTIO_EXCLUDE_INTERFACES'] = r.choice(['', 'eth5', 'net1,net0'])
    if s['ISTIO_SERVICE_CIDR']:
        s['KUBE_VIRT_INTERFACES'] = r.choice(['', 'tap1', 'tap2,tap0'])
    if minor >= 13:
        s['DROP_INVALID'] = r.choice(['true', 'false'])
    if minor >= 14:
        s['ISTIO_OUTBOUND_OWNER_GROUPS'] = r.choice(['*', '*', ids(r, r.randint(1, 6)), ''])
        if s['ISTIO_OUTBOUND_OWNER_GROUPS'] == '*':
            s['ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE'] = r.choice(['', ids(r, 2), '1337'])
    if tproxy:
        s['ISTIO_INBOUND_TPROXY_MARK'] = str(r.choice([1337, 77, 4000000000]))
        s['ISTIO_INBOUND_TPROXY_ROUTE_TABLE'] = str(r.choice([133, 444]))
    if minor >= 11:
        s['REDIRECT_DNS'] = r.choice(['true', 'false'])
    if s.get('REDIRECT_DNS') == 'true':
        s['CAPTURE_ALL_DNS'] = r.choice(['true', 'false'])
        if s['CAPTURE_ALL_DNS'] == 'false':
            s['DNS_SERVERS'] = '10.96.0.%d' % r.randrange(1, 200) + r.choice(['', ',10.9.8.7']) + (',fd00::%x' % r.randrange(1, 99) if v6 else '')
    if native:
        s['NATIVE_NFTABLES'] = 'true'
    return s


def ambient(r, minor, native):
    v6 = r.random() < 0.5
    s = {'MODE': 'ambient', 'ENABLE_INBOUND_IPV6': str(v6).lower(), 'REDIRECT_DNS': r.choice(['true', 'false']),
         'INGRESS_MODE': r.choice(['true', 'false']) if minor >= 25 else 'false',
         'KUBE_VIRT_INTERFACES': r.choice(['', 'tap1', 'tap1,tap0']) if minor >= 25 else '',
         'HOST_PROBE_SNAT_IP': r.choice(['169.254.7.127', '169.254.9.9'])}
    if minor in (23, 24):
        s['ISTIO_INBOUND_INTERCEPTION_MODE'] = r.choice(['TPROXY', 'REDIRECT'])
    if native:
        s['NATIVE_NFTABLES'] = 'true'
    return s


def clear(tools):
    for six in '', '6':
        ns('ip%stables-%s-restore' % (six, tools), input=''.join('*%s\nCOMMIT\n' % t for t in ('nat', 'mangle', 'raw')))
    ns('nft', 'flush', 'ruleset')
    for table in '133', '444':
        while ns('ip', 'rule', 'del', 'lookup', table).returncode == 0:
            pass
        ns('ip', 'route', 'flush', 'table', table)


def load(settings, version, tools):
    words = ['%s=%s' % kv for kv in settings.items()]
    show = [CNISH, '-t', 'netns:' + NS, 'istio', 'show', '--preset', 'none', '--istio-version', version]
    if settings.get('NATIVE_NFTABLES'):
        text = run(*show, '-o', 'nft', *words)
        done = ns('nft', '-f', '-', input=text.stdout)
        assert text.returncode == 0 and done.returncode == 0, (settings, text.stderr, done.stderr)
    for f in () if settings.get('NATIVE_NFTABLES') else ('4', '6'):
        text = run(*show, '-o', 'save', '-' + f, *words)
        assert text.returncode == 0, (settings, text.stderr)
        if text.stdout:
            done = ns('ip%stables-%s-restore' % ('' if f == '4' else '6', tools), '--noflush', input=text.stdout)
            assert done.returncode == 0, (settings, text.stdout, done.stderr)
    if settings.get('ISTIO_INBOUND_INTERCEPTION_MODE') == 'TPROXY' and settings.get('MODE') != 'ambient':
        table = settings['ISTIO_INBOUND_TPROXY_ROUTE_TABLE']
        ns('ip', 'rule', 'add', 'fwmark', settings['ISTIO_INBOUND_TPROXY_MARK'], 'lookup', table)
        if int(version[2:]) % 2:  # else it was lost
            ns('ip', 'route', 'add', 'local', 'default', 'dev', 'lo', 'table', table)


def canonical(key, value, settings):
    if key == 'PROXY_GID' and not value:
        return settings.get('PROXY_UID', '')
    if 'CIDR' in key and value not in ('', '*') and 'LOOPBACK' not in key:
        nets = [ipaddress.ip_network(n, strict=False) for n in value.split(',')]
        return [str(n) for n in nets if n.version == 4] + [str(n) for n in nets if n.version == 6]
    if key == 'DNS_SERVERS':
        return [str(ipaddress.ip_address(a)) for a in value.split(',') if a]
    return value


def check(settings, version, want_era):
    answer = run(CNISH, '-t', 'netns:' + NS, '-o', 'json', 'istio', 'verify')
    got = json.loads(answer.stdout)
    have, wrong = got['expected']['settings'], []
    for key, value in settings.items():
        mine = canonical(key, value, settings)
        his = canonical(key, have[key], have)
        if key == 'ENABLE_INBOUND_IPV6':
            his = str(got['expected']['ipv6']).lower()
        if key == 'ISTIO_INBOUND_TPROXY_ROUTE_TABLE' and not settings['ISTIO_INBOUND_PORTS']:
            continue
        if key == 'ISTIO_INBOUND_INTERCEPTION_MODE' and settings.get('MODE') == 'ambient':
            continue # a default in one version, another's choice in the next: what counts are the rules
        if mine != his:
            wrong.append('%s: %s, not %s' % (key, his, mine))
    if got['differences']:
        wrong.append('%d differences: %s' % (len(got['differences']), got['differences'][0]))
    first, last = (got['expected']['versions'] + '-').split('-')[:2]
    minor = int(version[2:])
    if not int(first[2:]) <= minor <= int((last or ('1.30' if got['expected']['versions'].endswith('-') else first))[2:]):
        wrong.append('version %s is not in %s' % (version, got['expected']['versions']))
    return len(settings) + 1, wrong


def main():
    r = random.Random(SEED)
    run('ip', 'netns', 'add', NS)
    ns('ip', 'link', 'set', 'lo', 'up')
    bad = False
    for era, versions in ERAS.items():
        if sys.argv[4:] and era not in sys.argv[4:]:
            continue
        for kind in KINDS:
            usable = [v for v in versions if (kind in ('REDIRECT',) or (kind == 'TPROXY' and v >= 11) or
                      (kind == 'ambient' and v >= 21) or (kind in ('native', 'native TPROXY') and v >= 27) or
                      (kind == 'native ambient' and v >= 28))]
            asked = recovered = 0
            for i in range(ROUNDS if usable else 0):
                minor = r.choice(usable)
                version = '1.%d' % minor
                tools = r.choice(['legacy', 'nft'])
                native = 'native' in kind
                s = ambient(r, minor, native) if 'ambient' in kind else sidecar(r, minor, 'TPROXY' in kind, native)
                load(s, version, tools)
                n, wrong = check(s, version, era)
                asked += n
                recovered += n - len(wrong)
                if wrong:
                    bad = True
                    print('# %s %s %s: %s' % (version, tools, ' '.join('%s=%s' % kv for kv in s.items()), '; '.join(wrong)))
                clear(tools)
            if usable:
                print('%-10s %-15s %d of %d settings recovered (%.1f%%) in %d configurations' %
                      (era, kind, recovered, asked, 100 * recovered / asked, ROUNDS))
    sys.exit(bad)


main()
