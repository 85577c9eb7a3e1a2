#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the first inputs of the fuzz targets, made of the golden frames: corpus.py DIR gives DIR/TARGET/NAME."""
import pathlib
import struct
import sys

FRAMES = pathlib.Path(__file__).resolve().parents[1] / "golden" / "zookeeper-3.8.0.frames"
# enum frame_kind of tests/unit/wire/transcode.h, and the extra choice of records_fuzz.c
CONNECT_REQUEST, CONNECT_REPLY, REQUEST, REPLY, EVENT, ACL_ENTRIES = range(6)
OP_CREATE, OP_SET_DATA, OP_GET_ACL = 1, 5, 6


def golden_frames():
    """(client.label, kind, frame without its length) of each."""
    for line in FRAMES.read_text().splitlines():
        name, frame = line.split()
        label, kind = name.rsplit(".", 1)
        yield label, kind, bytes.fromhex(frame)[4:]


def operations(frames):
    """The operation of each label's request."""
    return {label: struct.unpack_from(">i", frame, 4)[0]
            for label, kind, frame in frames if kind == "request" and "connect" not in label}


def record_inputs(frames):
    ops = operations(frames)
    for label, kind, frame in frames:
        if "connect" in label:
            choice = CONNECT_REQUEST if kind == "request" else CONNECT_REPLY
        else:
            choice = {"request": REQUEST, "reply": REPLY, "event": EVENT}[kind]
        op = ops.get(label, 0)
        yield f"{label}.{kind}", struct.pack(">Bb", choice, op) + frame
        if op == OP_GET_ACL and kind == "reply":
            yield f"{label}.entries", struct.pack(">Bb", ACL_ENTRIES, 0) + frame[20:-68]


def change(zxid, puts):
    return struct.pack(">qqi", zxid, 1700000000000 + zxid, len(puts)) + b"".join(puts)


def change_inputs(frames):
    """Bodies of create and setData are puts as they are, but for the end: path, data, ACL, and a number."""
    zxid = 1
    for label, kind, frame in frames:
        op = struct.unpack_from(">i", frame, 4)[0]
        body = frame[8:]
        if kind != "request" or "connect" in label or op not in (OP_CREATE, OP_SET_DATA):
            continue
        path = body[:4 + struct.unpack_from(">i", body)[0]] if body[:4] != b"\xff" * 4 else b"\0\0\0\1/"
        kind_of_put, tail = (1, struct.pack(">q", zxid)) if op == OP_CREATE else (2, struct.pack(">i", 7))
        acl = struct.pack(">iii5si6s", 1, 1, 5, b"world", 6, b"anyone")
        puts = [bytes([kind_of_put]) + body[:-4] + tail,
                b"\3" + path + acl + struct.pack(">i", 2),
                b"\4" + path + struct.pack(">ii", 3, 1),
                b"\5" + path,
                b"\6" + struct.pack(">qi16s", zxid, 30000, b"password"),
                b"\7" + struct.pack(">q", zxid)]
        yield label, change(zxid, puts)
        yield label + ".two", change(zxid, puts[:1]) + change(zxid + 1, puts[3:4])
        zxid += 2
    yield "refused", change(zxid, [])


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: corpus.py DIR")
    frames = list(golden_frames())
    for target, inputs in (("records_fuzz", record_inputs(frames)), ("change_codec_fuzz", change_inputs(frames))):
        directory = pathlib.Path(sys.argv[1]) / target
        directory.mkdir(parents=True, exist_ok=True)
        for name, data in inputs:
            (directory / name).write_bytes(data)


if __name__ == "__main__":
    main()
