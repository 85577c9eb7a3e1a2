#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long getChildren of a very large node takes: a client, the gateway, and a stub of DynamoDB (fk-stub-aws) that
answers each page after 5 ms.

    bench/children.py [--build DIR] [--children N] [--name-size BYTES] [--data-size BYTES] [--delay MS] [--times N] [--json]

Every list is checked: all names, each once, in the order of the table. Prints the shortest and longest time, the requests
that one list took, the bytes of the reply, and the processor time and memory of the gateway.
"""
import argparse
import json
import pathlib
import struct
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import gateway as bench  # noqa: E402

PARENT = b"/many"
GET_CHILDREN2 = 12
REQUEST = struct.pack(">iii", 1, GET_CHILDREN2, len(PARENT)) + PARENT + b"\0"


def names_of(frame):
    """The names of a reply to getChildren2."""
    _, _, error, count = struct.unpack_from(">iqii", frame)
    assert error == 0, f"error {error}"
    names, at = [], 20
    for _ in range(count):
        size = struct.unpack_from(">i", frame, at)[0]
        names.append(frame[at + 4:at + 4 + size])
        at += 4 + size
    assert len(frame) == at + 68, "the stat is missing"
    return names


def counts(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/counts", timeout=60) as answer:
        return json.load(answer)


def list_once(session, children, name_size):
    """Seconds, and the size of the reply."""
    began = time.monotonic()
    session.sock.sendall(struct.pack(">i", len(REQUEST)) + REQUEST)
    frame = bench.wait_frame(session)
    took = time.monotonic() - began
    names = names_of(frame)
    assert names == [(b"n%07d" % number).ljust(name_size, b"x") for number in range(children)], "not the children that there are"
    return took, len(frame)


def run(options):
    with bench.Pair(options.build, options.delay, 32, [str(options.children), str(options.name_size), str(options.data_size)]) as pair:
        session = bench.open_sessions(pair.address, 1)[0]
        empty_kb = bench.status(pair.gateway.pid, "VmRSS")
        before, cpu = counts(pair.port), bench.cpu_seconds(pair.gateway.pid)
        results = [list_once(session, options.children, options.name_size) for _ in range(options.times)]
        cpu, after = bench.cpu_seconds(pair.gateway.pid) - cpu, counts(pair.port)
        return {"children": options.children, "delay_ms": options.delay, "shortest_s": round(min(results)[0], 2),
                "longest_s": round(max(results)[0], 2), "queries": (after["Query"] - before.get("Query", 0)) / options.times,
                "reply_bytes": results[0][1], "cpu_s": round(cpu / options.times, 2),
                "grown_kb": bench.status(pair.gateway.pid, "VmHWM") - empty_kb}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=bench.ROOT / "build")
    parser.add_argument("--children", type=int, default=100000)
    parser.add_argument("--name-size", type=int, default=8)
    parser.add_argument("--data-size", type=int, default=1000, help="bytes of each child (1000); up to 700 are in its record")
    parser.add_argument("--delay", type=int, default=5, help="milliseconds of each answer (5)")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    options = parser.parse_args()
    figures = run(options)
    print(json.dumps(figures) if options.json else "\n".join(f"{name:12} {value}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
