#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""xtload - the corpus of xt rules, and loading it with the real tools in few calls

xtload.py 4|6 STORE...: loads into this namespace what all the stores (legacy, compat) take; prints "TABLE CHAIN SPEC" of it
"""
import ctypes
import glob
import os
import pickle
import re
import subprocess
import sys

CORPUS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "netns", "corpus")
libc = ctypes.CDLL(None, use_errno=True)
TABLES = ("filter", "nat", "mangle", "raw", "security")


class Rule:
    counters = ""

    def __init__(self, extension, line):
        self.extension = extension
        self.table, self.chain, self.spec = (line.split(None, 2) + [""])[:3]

    def __str__(self):
        return ("%s %s %s" % (self.table, self.chain, self.spec)).strip()


def rules(family, files=None):
    """the rules of the family, those of one extension together"""
    found = {}
    for name in files or (CORPUS + "/xt.rules", CORPUS + "/xt%s.rules" % family):
        extension = "none"
        with open(name) as f:
            for line in f.read().splitlines():
                if line.startswith("= "):
                    extension = line[2:]
                elif line and not line.startswith("#"):
                    found.setdefault(extension, []).append(Rule(extension, line))
    return found


def tool(store, family, what=""):
    return "ip%stables-%s%s" % ("6" if family == "6" else "", "legacy" if store == "legacy" else "nft", what)


def run(*argv, text=None, env=None):
    p = subprocess.run(argv, input=text, capture_output=True, env=env, encoding="utf-8", errors="surrogateescape")
    return p.returncode, p.stdout, p.stderr


def restore(store, family, text, *options, env=None):
    return run(tool(store, family, "-restore"), *options, text=text, env=env)


def prepare(family):
    """what rules refer to: sets, accounting objects, an interface; estimators are made by prepare_store()"""
    inet = "inet6" if family == "6" else "inet"
    run("ip", "link", "set", "lo", "up")
    for name, kind, *more in (("hip", "hash:ip", "counters"), ("hipport", "hash:ip,port"), ("hskb", "hash:ip", "skbinfo"),
                              ("hnet", "hash:net", "timeout", "60"), ("ports", "bitmap:port", "range", "0-65535"),
                              ("a_long_name_of_an_ipset_of_31_c", "hash:ip,port,ip"), ("list", "list:set")):
        run("ipset", "create", name, kind, *(["family", inet] if kind.startswith("hash") else []), *more)
    run("nfacct", "add", "acct1")
    run("nfacct", "add", "an account with 31 characters..")


ESTIMATORS = "".join("-A ESTIMATORS -j RATEEST --rateest-name est%d --rateest-interval 250ms --rateest-ewmalog 500ms\n" % n for n in (1, 2))


def prepare_store(store, family):
    """a user chain C1 in every table, and the estimators that the rateest match needs"""
    for t in TABLES:
        text = "*%s\n:C1 - [0:0]\n%sCOMMIT\n" % (t, ":ESTIMATORS - [0:0]\n" + ESTIMATORS if t == "mangle" else "")
        status, _, err = restore(store, family, text)
        if status and t == "mangle":
            status, _, err = restore(store, family, "*%s\n:C1 - [0:0]\nCOMMIT\n" % t)
        if status:
            raise SystemExit("xtload: %s %s: %s" % (store, t, err))


def batch(store, family, some, env=None):
    """load rules of one table in one call; an error text when one is refused (then none is loaded)"""
    text = "*%s\n%sCOMMIT\n" % (some[0].table, "".join("%s-A %s %s\n" % (r.counters, r.chain, r.spec) for r in some))
    status, _, err = restore(store, family, text, "--noflush", "--counters", env=env)
    return err or "refused" if status or re.search(r"revision \d+ not supported", err) else None


def papers(env, old=None):
    """what lies on paper, or put back what lay there: of some the tool only warns"""
    now = {f: open(f, "rb").read() for f in glob.glob(env["PAPER"] + ".*")} if env else {}
    for f in now if old is not None else ():
        if f in old:
            with open(f, "wb") as out:
                out.write(old[f])
        else:
            os.unlink(f)
    return now


def load(store, family, some, refused=None, env=None):
    """load as many as the store takes, in order; returns those"""
    taken = []
    for table in TABLES:
        mine = [r for r in some if r.table == table]
        if not mine:
            continue
        before = papers(env)
        err = batch(store, family, mine, env)
        if err:
            papers(env, before)
        if err is None:
            taken += mine
        elif len(mine) == 1:
            if refused is not None:
                refused[str(mine[0])] = err.strip().splitlines()[0]
        else:
            half = len(mine) // 2
            taken += load(store, family, mine[:half], refused, env) + load(store, family, mine[half:], refused, env)
    return taken


def main(family, *stores):
    wanted = taken_by_all(family, stores)
    prepare(family)
    for s in stores:
        prepare_store(s, family)
        for some in wanted.values():
            if load(s, family, some) != some:
                raise SystemExit("xtload: %s does not take the same twice" % s)
    print("".join("%s\n" % r for some in wanted.values() for r in some), end="")


def taken_by_all(family, stores):
    """tried in a namespace of its own, so that a later store's refusal leaves nothing in an earlier one"""
    back, forth = os.pipe()
    child = os.fork()
    if child == 0:
        unshare()
        prepare(family)
        keep = rules(family)
        for s in stores:
            prepare_store(s, family)
            keep = {e: load(s, family, some) for e, some in keep.items()}
        with os.fdopen(forth, "wb") as f:
            pickle.dump(keep, f)
        os._exit(0)
    os.close(forth)
    with os.fdopen(back, "rb") as f:
        keep = pickle.load(f)
    os.waitpid(child, 0)
    return keep


def unshare():
    if libc.unshare(0x40000000):
        raise OSError(ctypes.get_errno(), "unshare")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
