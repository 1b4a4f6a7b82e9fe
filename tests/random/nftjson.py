# SPDX-License-Identifier: GPL-2.0-or-later
"""nftjson - nft's JSON read as a file, against what nft itself makes of that JSON"""
import json
import os
import re
import tempfile
from multiprocessing import get_context

from nftlib import OUTPUT_JSON, each, parts, run, unshare

# In an order in which nothing refers to what comes later; chains come before the rules of all
ORDER = ("table", "chain", "flowtable", "counter", "quota", "limit", "ct helper", "ct timeout", "ct expectation", "secmark", "synproxy",
         "set", "map", "rule")


def kind(item):
    return next(iter(item))


def load(items):
    """each by itself into this namespace, as nft reads JSON; those taken"""
    commands = [json.dumps({"nftables": [{"add": i}]}) for i in items]
    said = each(commands, lambda status, ctx: b"1" if status == 0 else b"0", OUTPUT_JSON)
    return [i for i, s in zip(items, said) if s == "1"]


class Judge:
    """what there is in a namespace, as text and for comparisons by meaning"""

    def __init__(self):
        self.rules, self.others = parts(run("nft", "-s", "list", "ruleset")[1])

    def apart(self, cnish, path):
        """the rules of the file that the namespace has not, by chain and text; and all else that differs"""
        status, out, err = run(cnish, "-o", "json", "diff", "file:" + path, "self", "--store", "native")
        if status not in (0, 1):
            return {"status %d: %s" % (status, err.decode())}
        return {(d["family"], d["table"], d["chain"], d["set"] or (d["left"] or {}).get("text"), (d["left"] or {}).get("form"))
                for d in json.loads(out)["differences"] if d["left"]}


# What no reader of nft's JSON can know: an ingress chain's device, the size of a type's integers, "dynamic"; why it did not
UNSAID = re.compile(r"type filter hook (in|e)gress (?!device)|type(?! filter| nat| route)|flags |# ")


def unsaid(expr):
    """nft 1.0.6 has no JSON for some statements, and writes their text; some fields are "unknown"; below a prefix is nothing"""
    return any(isinstance(x, str) for x in expr) or re.search(
        r'"unknown"|"base": "nh".*"cs1"|\[invalid type\]|"op": "[<>]=?".{,99}"right": \{"prefix"', json.dumps(expr))


def places(items):
    """the rules by table and chain"""
    out = {}
    for r in (i["rule"] for i in items if kind(i) == "rule"):
        out.setdefault(("table %s %s {" % (r["family"], r["table"]), "chain %s {" % r["chain"]), []).append(r)
    return out


def differences(cnish, listing):
    items = sorted((i for i in listing if kind(i) in ORDER), key=lambda i: ORDER.index(kind(i)))
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f, tempfile.NamedTemporaryFile("w", suffix=".json") as g:
        json.dump({"nftables": items}, f)
        f.flush()
        status, ours, err = run(cnish, "-t", "file:" + f.name, "tables", "-o", "nft")
        if status:
            yield "status %d" % status, [err.decode()]
            return
        source = Judge()
        source.differ = source.apart(cnish, f.name)
        unshare()
        taken = load(items)
        if run("nft", "-s", "list", "ruleset")[0]:
            return  # it dies of its own
        loaded = Judge()
        json.dump({"nftables": taken}, g)
        g.flush()
        loaded.differ = loaded.apart(cnish, g.name)
        rules, others = parts(ours)
        # What nft's JSON leaves out or nft does not read of it, ours may have as either of the two.
        only = [x for x in others if x not in source.others and x not in loaded.others and not UNSAID.match(x)]
        only = ["+" + x for x in only] + ["-" + x for x in loaded.others if x not in others and x in source.others]
        if only:
            yield "text", only
        handles = {place: [r["handle"] for r in rr] for place, rr in places(taken).items()}
        for place, rr in places(items).items():
            now = dict(zip(handles.get(place, []), loaded.rules.get(place, [])))
            for r, x, q in zip(rr, source.rules[place], rules.get(place, [])):
                if q not in (x, now.get(r["handle"])) and not unsaid(r["expr"]):
                    yield "text", ["-" + x, "-" + now.get(r["handle"], "(not read by nft)"), "+" + q, json.dumps(r["expr"])]
        for x in source.differ & loaded.differ:
            yield "meaning", [str(x)]


def compare(cnish, listing):
    """[(what, lines)] that differ; in a process, and so in a namespace, of its own"""
    context = get_context("fork")
    mine, theirs = context.Pipe(duplex=False)
    p = context.Process(target=lambda: theirs.send(list(differences(cnish, listing))))
    p.start()
    theirs.close()
    try:
        return mine.recv()
    finally:
        p.join()
