# SPDX-License-Identifier: Apache-2.0
"""Histories that lie, made of one that does not: what a judge that passes them is worth is known then.

A history is what life.write_history writes (sim/history_file.c). Each lie changes one thing that a client was told, or
that the final state shows.
"""
import json
import struct

SET_DATA = 5
HEADER = struct.Struct(">iqi")  # of a reply: xid, zxid, error
VERSION_AT = HEADER.size + 32   # in the stat that setData answers


def answered_sets(lines):
    """Places of the answers to setData that were not refused."""
    sent, found = {}, []
    for at, line in enumerate(lines):
        if line.get("k") == "sent":
            xid, op = struct.unpack(">ii", bytes.fromhex(line["f"])[:8])
            sent[line["n"], xid] = op
        elif line.get("k") == "received":
            frame = bytes.fromhex(line["f"])
            xid, _, error = HEADER.unpack(frame[:HEADER.size])
            if error == 0 and sent.get((line["n"], xid)) == SET_DATA:
                found.append(at)
    return found


def nodes(lines):
    """Places of the nodes of the final state below the clients' directories."""
    return [at for at, line in enumerate(lines) if line.get("k") == "node" and bytes.fromhex(line["path"]).count(b"/") > 2]


def another_version(lines):
    at = answered_sets(lines)[-1]
    frame = bytearray.fromhex(lines[at]["f"])
    frame[VERSION_AT + 3] ^= 1
    lines[at]["f"] = frame.hex()


def one_zxid_twice(lines):
    first, second = answered_sets(lines)[:2]
    frame = bytes.fromhex(lines[second]["f"])
    lines[second]["f"] = (frame[:4] + bytes.fromhex(lines[first]["f"])[4:12] + frame[12:]).hex()


def a_node_is_lost(lines):
    del lines[nodes(lines)[-1]]


def a_value_nobody_wrote(lines):
    lines[nodes(lines)[-1]]["data"] = b"nobody's".hex()


LIES = {lie.__name__: lie for lie in (another_version, one_zxid_twice, a_node_is_lost, a_value_nobody_wrote)}


def write_lies(path):
    """{name: file} beside the history."""
    text = path.read_text(encoding="ascii").splitlines()
    files = {}
    for name, lie in LIES.items():
        lines = [json.loads(line) for line in text]
        lie(lines)
        files[name] = path.with_name(f"{path.stem}-{name}.ndjson")
        files[name].write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="ascii")
    return files
