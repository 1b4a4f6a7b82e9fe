#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_foreign - random configurations among random foreign rules: apply, verify, flush and undo touch nothing foreign
#
#   istio_foreign.py CNISH SEED COUNT [STORE...]    inside a sandbox (tests/lib/pod.sh); status 1 at the first difference
#
# Two namespaces get the same foreign rules, sets, routing rules, routes and addresses, in all three stores. In the one
# the real tools load the text of the plan, in the other cnish applies it: both must be the same. Then there are foreign
# rules before, between and behind Istio's; verify is clean; a flush leaves the foreign ones, in their order; an undo
# brings back exactly what there was. Before any of it: what apply did is undone to exactly what there was.
import json
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import istio_oracle as oracle  # noqa: E402

XTABLES = [('iptables-legacy', 4), ('ip6tables-legacy', 6), ('iptables-nft', 4), ('ip6tables-nft', 6)]
HOOKS = {'raw': ['PREROUTING', 'OUTPUT'], 'mangle': ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
         'nat': ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'], 'filter': ['INPUT', 'FORWARD', 'OUTPUT']}
# as the kernel and Istio write them, none of them Istio's
CHAINS = ['MINE', 'KUBE-SERVICES', 'cali-PREROUTING', 'ISTIOX', 'MY_ISTIO_OUTPUT', 'istio_output', 'CNI-a1b2c3']


def run(ns, words, text=None, check=True):
    r = subprocess.run((['nsenter', '--net=/run/netns/' + ns] if ns else []) + words, input=text, text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if check and r.returncode:
        raise RuntimeError('%s in %s: status %d\n%s%s\n%s' % (' '.join(words), ns, r.returncode, r.stdout[-500:], r.stderr[-800:], text or ''))
    return r


class Foreign:
    """ Random rules; each bears a comment of its own, so that it is known again. """

    def __init__(self, r):
        self.r, self.n = r, 0

    def words(self, family, table, chain, targets):
        r, w = self.r, []
        out = chain in ('OUTPUT', 'POSTROUTING')
        six = family == 6
        for choice in r.sample(range(6), r.randint(0, 2)):
            w += [
                '-%s %s' % ('o' if out else 'i', r.choice(['eth0', 'eth9', 'lo', 'tap+'])),
                '-%s %s' % (r.choice('sd'), r.choice(['fd00:9::/32', '::6/128', '::1/128'] if six else ['10.9.0.0/16', '127.0.0.6/32', '127.0.0.1/32'])),
                '-m mark --mark %s' % r.choice(['0x539', '0x1/0xff', '0x111/0xfff']),
                '-m conntrack --ctstate %s' % r.choice(['INVALID', 'NEW', 'RELATED,ESTABLISHED']) if table != 'raw' else '-m mark ! --mark 0x53a',
                r.choice(['-p tcp -m tcp --dport %d', '-p udp -m udp --dport %d', '-p tcp -m multiport --dports 22,%d']) %
                r.choice([53, 80, 15008, 15001, 15020]),
                '-m owner --uid-owner %d' % r.choice([0, 1337]) if chain == 'OUTPUT' else '-m limit --limit 5/sec',
            ][choice:choice + 1]
        w.sort(key=lambda x: (x[:2] not in ('-s', '-d'), x[:2] not in ('-i', '-o'), x[:2] != '-p'))
        self.n += 1
        w.append('-m comment --comment f%d' % self.n)
        target = r.choice(targets)
        if target.startswith('REDIRECT') and not any('-p ' in x for x in w):
            w.insert(0, '-p tcp')
        return '%s -j %s' % (' '.join(w), target)

    def targets(self, table, chain, chains):
        t = ['ACCEPT', 'RETURN', 'LOG'] + chains
        if table == 'nat' and chain in ('PREROUTING', 'OUTPUT'):
            t.append('REDIRECT --to-ports 15001')
        if table == 'nat' and chain == 'POSTROUTING':
            t.append('MASQUERADE')
        if table == 'mangle':
            t += ['MARK --set-xmark 0x539/0xffffffff', 'CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff']
        if table == 'raw':
            t += ['CT --notrack', 'CT --zone 1']
        if table == 'filter':
            t.append('DROP')
        return t

    def restore(self, family):
        """ Text for iptables-restore: some tables, with chains and rules of one's own """
        r, out = self.r, ''
        for table in r.sample(sorted(HOOKS), r.randint(1, 4)):
            out += '*%s\n' % table
            chains = r.sample(CHAINS, r.randint(0, 2))
            out += ''.join(':%s - [0:0]\n' % c for c in chains)
            if table == 'filter' and r.random() < 0.3:
                out += ':FORWARD DROP [0:0]\n'
            for c in chains:
                for _ in range(r.randint(0, 2)):
                    out += '-A %s %s\n' % (c, self.words(family, table, c, ['ACCEPT', 'RETURN']))
            for hook in r.sample(HOOKS[table], r.randint(0, len(HOOKS[table]))):
                for _ in range(r.randint(1, 3)):
                    out += '-A %s %s\n' % (hook, self.words(family, table, hook, self.targets(table, hook, chains)))
            out += 'COMMIT\n'
        return out

    def between(self, saved, family):
        """ Rules inserted anywhere into the built-in chains of tables that are there """
        r, out = self.r, ''
        for table, body in re.findall(r'^\*(\w+)\n(.*?)^COMMIT', saved, re.M | re.S):
            lines = ''
            for hook in HOOKS.get(table, []):
                there = len(re.findall(r'^-A %s ' % hook, body, re.M))
                for _ in range(r.randint(0, 2)):
                    lines += '-I %s %d %s\n' % (hook, r.randint(1, there + 1), self.words(family, table, hook, self.targets(table, hook, [])))
                    there += 1
            if lines:
                out += '*%s\n%sCOMMIT\n' % (table, lines)
        return out

    def native(self, tag):
        r, out = self.r, ''
        for name in r.sample(['inet mine%s' % tag, 'ip istio-proxy-nat%s' % tag, 'inet istio-proxy-natural%s' % tag, 'ip6 mine%s' % tag], r.randint(0, 3)):
            out += 'table %s {\n set s { type inet_service; elements = { %d, 99 }; }\n chain istio-output { tcp dport @s counter accept; }\n' % (name, r.randint(1, 90))
            for hook in r.sample(['prerouting', 'input', 'output', 'postrouting'], r.randint(0, 3)):
                prio = r.choice([-300, -150, -101, -99, 0, 7])
                out += ' chain c_%s { type filter hook %s priority %d; policy accept; tcp dport %d counter comment "f"; %s }\n' % (
                    hook, hook, prio, r.randint(1, 65535), r.choice(['jump istio-output;', 'meta mark set 0x539;', 'udp dport vmap { 53 : accept, 54 : continue };']))
            out += '}\n'
        return out

    def routing(self):
        r, four, six = self.r, [], []
        for lines, net, host in (four, '10.9.%d.0/24', '10.8.%d.1/32'), (six, 'fd00:9:%x::/48', 'fd00:8::%x/128'):
            for i in range(r.randint(0, 4)):
                n = r.randint(1, 250)
                lines.append(r.choice([
                    'rule add fwmark 0x539 lookup %d pref %d' % (r.choice([134, 99]), 1000 + i * 300 + n),
                    'rule add from %s lookup %d pref %d' % (net % n, r.choice([133, 101]), 1000 + i * 300 + n),
                    'rule add fwmark 0x111/0xff lookup 101 pref %d' % (1000 + i * 300 + n),
                    'route replace %s dev lo table %d' % (net % n, r.choice([133, 100, 7, 254])),
                    'route replace unreachable default metric %d table %d' % (4000 + n, r.choice([133, 100, 9])),
                    'addr replace %s dev lo' % (host % n)]))
        return four, six


def load_foreign(ns, first):
    for (tool, _), text in zip(XTABLES, first['xt']):
        run(ns, [tool + '-restore', '--noflush'], text)
    run(ns, ['nft', '-f', '-'], first['nft'])
    for six, lines in enumerate(first['routing']):
        run(ns, ['ip', '-6' if six else '-4', '-batch', '-'], ''.join(x + '\n' for x in lines))


# An IPv6 address is tentative until the kernel's worker had its turn, and has its route then.
STATE = '''for i in $(seq 500); do
  [ "$(ip -6 addr show dev lo -tentative | grep -c inet6)" = "$(ip -6 route show table local dev lo | grep -c ^local)" ] && break; sleep 0.01; done
for t in iptables-legacy ip6tables-legacy iptables-nft ip6tables-nft; do echo "@ $t"; $t-save 2>/dev/null; done
echo "@ native"; nft -s list ruleset 2>/dev/null
echo "@ routing"; for f in -4 -6; do printf 'rule\\nroute show table all\\n' | ip $f -batch -; done; ip addr show dev lo'''


def one_save(text):
    """ Its tables in one order, without those that say nothing: once a table is there, nothing removes it """
    out = []
    for table, body in re.findall(r'^\*(\w+)\n(.*?)^COMMIT', text, re.M | re.S):
        body = re.sub(r'^(:\S+ \S+).*$', r'\1', body, flags=re.M)
        if re.search(r'^-A|^:.* (DROP|-)$', body, re.M):
            chains = sorted(x for x in body.split('\n') if x.startswith(':'))
            rules = [x for x in body.split('\n') if x.startswith('-A')]
            order = {}
            for x in rules:
                order.setdefault(x.split(' ')[1], []).append(x)
            out.append('*%s\n%s' % (table, '\n'.join(chains + sum((order[k] for k in sorted(order)), []))))
    return '\n'.join(sorted(out))


def state(ns):
    parts = dict(re.findall(r'^@ (\S+)\n(.*?)(?=^@ |\Z)', run(ns, ['bash', '-c', STATE]).stdout, re.M | re.S))
    ret = {tool: one_save(parts.get(tool, '')) for tool, _ in XTABLES}
    tables = re.findall(r'^table (\S+) (\S+) \{\n(.*?)^\}', parts['native'], re.M | re.S)
    compat = {'raw', 'mangle', 'nat', 'filter', 'security'}
    ret['native'] = '\n'.join(sorted('%s %s\n%s' % t for t in tables if t[0] == 'inet' or t[1] not in compat))
    ret['routing'] = re.sub(r'\n.*valid_lft.*| pref medium|^\d+: lo.*$', '', parts['routing'], flags=re.M)
    return ret


def differences(a, b):
    out = []
    for key in a:
        if a[key] != b[key]:
            x, y = a[key].split('\n'), b[key].split('\n')
            out += ['%s: wanted %s' % (key, line) for line in x if line not in y]
            out += ['%s: is     %s' % (key, line) for line in y if line not in x] or ['%s: another order' % key]
    return '\n'.join(out)


def without_istio(s):
    """ Of a state what is foreign: by comment, by chain, by table's name """
    ret = {}
    for tool, _ in XTABLES:
        kept = []
        for table in s[tool].split('\n*') if s[tool] else []:
            lines = table.lstrip('*').split('\n')
            foreign = [x for x in lines[1:] if '--comment f' in x or (x.startswith(':') and not x.startswith(':ISTIO_'))]
            if any(x.startswith('-A') or x.endswith((' -', ' DROP')) for x in foreign):
                kept.append('\n'.join(['*' + lines[0]] + foreign))
        ret[tool] = '\n'.join(kept)
    tables = re.split(r'\n(?=(?:inet|ip|ip6) \S+\n)', s['native']) if s['native'] else []
    istio = re.compile(r'inet istio-(proxy|ambient)-(nat|mangle|raw)\n')
    ret['native'] = '\n'.join(t.rstrip('\n') + '\n' for t in tables if not istio.match(t + '\n'))
    return ret


def load_plan(ns, store, plan):
    """ What Istio's programmer would do, with the real tools; None, or why they refuse """
    if store == 'native':
        r = run(ns, ['nft', '-f', '-'], plan['nft'], check=False)
        return r.stderr if r.returncode else None
    for tool, key in ('iptables', 'ip'), ('ip6tables', 'ip6'):
        if plan['restore'][key]:
            r = run(ns, ['%s-%s-restore' % (tool, 'legacy' if store == 'legacy' else 'nft'), '--noflush'], plan['restore'][key], check=False)
            if r.returncode:
                return r.stderr
    return None


def load_steps(ns, s):
    six, steps = s['ENABLE_INBOUND_IPV6'] == 'true', []
    if s['MODE'] == 'ambient':
        steps = ['rule add fwmark 0x111/0xfff pref 32764 lookup 100', 'route replace local default dev lo scope host table 100']
    elif s['ISTIO_INBOUND_INTERCEPTION_MODE'] == 'TPROXY' and s['ISTIO_INBOUND_PORTS']:
        steps = ['rule add fwmark %s lookup 133' % s['ISTIO_INBOUND_TPROXY_MARK'], 'route add local default dev lo scope host table 133']
    if six and s['MODE'] != 'ambient':
        run(ns, ['ip', '-6', 'addr', 'add', '::6/128', 'dev', 'lo'])
    for family in ['-4', '-6'] if six else ['-4']:
        run(ns, ['ip', family, '-batch', '-'], '\n'.join(steps) + '\n')


def tame(s, store):
    """ Numbers in place of group names: cnish takes no names, since they differ between containers """
    for key in 'ISTIO_OUTBOUND_OWNER_GROUPS', 'ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE':
        # iptables-restore takes 255 words, nf_tables 128 instructions in one rule
        s[key] = ','.join(s[key].split(',')[:40]).replace('root', '0').replace('www-data', '33')
    s['NATIVE_NFTABLES'] = 'true' if store == 'native' else 'false'
    return s


class Round:
    def __init__(self, cnish, seed, store):
        self.cnish, self.seed, self.store = cnish, seed, store
        r = self.r = random.Random('%s %d' % (store, seed))
        self.f = Foreign(r)
        self.s = tame(oracle.settings(r), store)
        self.first = {'xt': [self.f.restore(family) for _, family in XTABLES], 'nft': self.f.native(''), 'routing': self.f.routing()}
        self.words = ['%s=%s' % kv for kv in self.s.items()]

    def istio(self, *words, check=True):
        return run(None, [self.cnish, '-t', 'netns:got', '-o', 'json', '--yes', 'istio'] + list(words), check=check)

    def must(self, wanted, got, what):
        if wanted != got:
            raise RuntimeError('%s\n%s' % (what, differences(wanted, got)))

    def verify(self, what):
        r = self.istio('verify', '--preset', 'none', *self.words, check=False)
        if r.returncode:
            d = json.loads(r.stdout).get('differences') if r.stdout.startswith('{') else r.stderr
            raise RuntimeError('%s: verify is not clean\n%s' % (what, '\n'.join(map(str, d)) if isinstance(d, list) else d))

    def refused(self, why, before):
        """ What the real tools do not take, cnish does not take either, says so and changes nothing """
        r = self.istio('apply', '--preset', 'none', '--store', self.store, *self.words, check=False)
        if r.returncode == 0:
            raise RuntimeError('applied, though the real tool says: %s' % why)
        said = [x for x in (r.stdout + '\n' + r.stderr).split('\n') if x.startswith('{"error"')]
        if not said:
            raise RuntimeError('no error said: %s%s' % (r.stdout, r.stderr))
        error = json.loads(said[0])['error']
        if os.environ.get('VERBOSE'):
            print('%s %d: %s: %s | %s' % (self.store, self.seed, error['what'], error['why'], ' '.join(why.split())[:200]))
        self.must(before, state('got'), 'a refused apply changed something')

    def run(self):
        for ns in 'ref', 'got':
            run(None, ['ip', 'netns', 'add', ns])
            run(ns, ['ip', 'link', 'set', 'lo', 'up'])
            load_foreign(ns, self.first)
        before = state('got')
        shown = self.istio('show', '--preset', 'none', *self.words, check=False)
        why = load_plan('ref', self.store, json.loads(shown.stdout)) if shown.returncode == 0 else shown.stderr or shown.stdout
        if why:
            self.refused(why, before)
            return 'refused'
        load_steps('ref', self.s)
        self.istio('apply', '--preset', 'none', '--store', self.store, *self.words)
        applied = state('got')
        self.must(state('ref'), applied, 'apply is not what the real tools make of the plan')
        self.verify('after apply')
        self.istio('undo')
        self.must(before, state('got'), 'undo of apply')
        self.istio('apply', '--preset', 'none', '--store', self.store, *self.words)
        self.must(applied, state('got'), 'apply after undo')
        for tool, family in XTABLES:
            run('got', [tool + '-restore', '--noflush'], self.f.between(run('got', [tool + '-save']).stdout, family))
        run('got', ['nft', '-f', '-'], self.f.native('b'))
        mixed = state('got')
        self.verify('with foreign rules between')
        again = json.loads(self.istio('apply', '--preset', 'none', '--store', self.store, *self.words).stdout)
        if again['changed']:
            raise RuntimeError('a second apply changed: %s' % again)
        self.istio('flush')
        left, wanted = state('got'), without_istio(mixed)
        wanted['routing'] = before['routing']
        self.must(wanted, left, 'flush')
        self.istio('undo')
        self.must(mixed, state('got'), 'undo of flush')
        return 'done'


def main():
    cnish, seed, count, stores = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:] or ['legacy', 'compat', 'native']
    ends = {}
    for n in range(seed, seed + count):
        for store in stores:
            one = Round(cnish, n, store)
            try:
                end = one.run()
            except (RuntimeError, subprocess.SubprocessError, ValueError) as e:
                sys.exit('%s, seed %d: %s\nsettings: %s' % (store, n, e, ' '.join("'%s'" % w for w in one.words)))
            ends[store, end] = ends.get((store, end), 0) + 1
            for ns in 'ref', 'got':
                run(None, ['ip', 'netns', 'del', ns])
    print(', '.join('%s %s: %d' % (s, e, n) for (s, e), n in sorted(ends.items())))


if __name__ == '__main__':
    main()
