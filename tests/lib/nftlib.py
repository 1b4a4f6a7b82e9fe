#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""nftlib - what the comparisons with nft share: commands loaded one by one, and listings taken apart"""
import ctypes
import os
import re
import subprocess

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
libnft = ctypes.CDLL("libnftables.so.1")
libnft.nft_ctx_new.restype = ctypes.c_void_p
libnft.nft_ctx_get_output_buffer.restype = ctypes.c_char_p


LINKS = "ip link set lo up; ip link add v0 type veth peer name v1; ip link add b0 type bridge"


def unshare():
    """a network namespace of its own, with its loopback up, and some more links where the kernel has them"""
    if libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["sh", "-c", LINKS], stderr=subprocess.DEVNULL)


OUTPUT_JSON = 1 << 4  # and then input is JSON as well


def each(commands, say, flags=0):
    """what say(status, ctx) has to write of each command, run one by one in a process that may die of one (nft 1.0.6 has
    assertions); None for that one"""
    said, at = [], 0
    while at < len(commands):
        back, forth = os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
            ctx = ctypes.c_void_p(libnft.nft_ctx_new(0))
            libnft.nft_ctx_output_set_flags(ctx, flags)
            libnft.nft_ctx_buffer_error(ctx)
            libnft.nft_ctx_buffer_output(ctx)
            with os.fdopen(forth, "wb") as f:
                for c in commands[at:]:
                    f.write(say(libnft.nft_run_cmd_from_buffer(ctx, c.encode()), ctx) + b"\0")
                    f.flush()
            os._exit(0)
        os.close(forth)
        with os.fdopen(back, "rb") as f:
            texts = f.read().decode().split("\0")[:-1]
        os.waitpid(child, 0)
        at += len(texts) + 1
        said += texts + [None]
    return said[:len(commands)]


def load(commands):
    """run the commands; the ones taken"""
    said = each(commands, lambda status, ctx: b"1" if status == 0 else b"0")
    return [c for c, s in zip(commands, said) if s == "1"]


def load_some(commands):
    """as load(); of several in a tuple, the first that is taken"""
    taken, at = [], 0
    left = [c if isinstance(c, tuple) else (c,) for c in commands]
    while at < max(map(len, left), default=0):
        tried = [c[at] for c in left if len(c) > at]
        got = set(load(tried))
        taken += [c for c in tried if c in got]
        left = [c for c in left if not got & set(c[:at + 1])]
        at += 1
    return taken


def load_all(commands):
    """as load(), but together, as each costs nft its whole cache; what is refused is searched for among ever fewer"""
    if len(commands) <= 1:
        return load(commands)
    if load(["\n".join(commands)]):
        return commands
    step = (len(commands) + 7) // 8
    return [c for at in range(0, len(commands), step) for c in load_all(commands[at:at + step])]


def answers(commands):
    """what nft prints for each command; the empty text for one that it refuses or dies of"""
    return [s or "" for s in each(commands, lambda status, ctx: libnft.nft_ctx_get_output_buffer(ctx))]


def run(*argv, text=None):
    p = subprocess.run(argv, input=text, capture_output=True)
    return p.returncode, p.stdout, p.stderr


def prune(taken):
    """nft 1.0.6 dies of listing some of what it takes: what it dies of is emptied; False when that is not enough"""
    if run("nft", "list", "ruleset")[0] == 0 == run("nft", "-j", "list", "ruleset")[0]:
        return True
    for c in taken:
        w = c.split()
        if w[1] in ("chain", "set", "map") and any(run("nft", *j, "list", *w[1:5])[0] for j in ([], ["-j"])):
            run("nft", "flush", *w[1:5])
    return run("nft", "list", "ruleset")[0] == 0 == run("nft", "-j", "list", "ruleset")[0]


def plain(text):
    """white space is free; an item a line, so that differences are short"""
    text = re.sub(rb"expires [0-9a-z]+", b"expires T", text)
    text = re.sub(rb"(elements = \{.*?\})", lambda m: re.sub(rb",\s+", b",\n", m[1]), text, flags=re.S)
    text = re.sub(rb",\s+", b", ", text)
    return [re.sub(rb"\s+", b" ", x).strip().decode(errors="backslashreplace") for x in text.split(b"\n") if x.strip()]


def parts(text):
    """the rules by chain, in order, and all other lines"""
    rules, other, place, depth = {}, [], None, 0
    pending = ""
    for line in plain(text):
        bare = re.sub(r'"[^"]*"', "", line)
        level = depth
        depth += bare.count("{") - bare.count("}")
        if level == 0:
            table = line
        if level == 1 and line.startswith("chain "):
            place = (table, line)
            rules[place] = []
        if place and level >= 2 and not (level == 2 and (line == "}" or re.match(r"type \w+ hook |comment |policy ", line))):
            pending = (pending + " " + line).strip()
            if depth == 2:
                rules[place].append(pending)
                pending = ""
        else:
            other.append(line)
        if depth < 2:
            place = None
    return rules, other
