#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Figures of a `bootstrap`: measure.py [--runs N] PROGRAM. Start to the first /next, one invocation, resident memory.

The services are a stub on this machine that answers at once, so that these are the program's own times (and Python's: an
answer of the stub takes 0.1 to 0.2 ms). A first call connects to the table before /next, as in AWS.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import stub  # noqa: E402


def measure(program, runs):
    """{name: figure}: milliseconds and bytes."""
    server = stub.Stub()
    starts, invokes = [], []
    process = None
    for _ in range(runs):
        if process is not None:
            stub.end(process)
            server.events.put(b"{}")  # its thread waits for one
        process, began = stub.spawn([program], server.environment(), stderr=subprocess.DEVNULL)
        starts.append((server.asked.get(timeout=30) - began) * 1000)
    idle = stub.resident_bytes(process.pid)
    server.events.queue.clear()
    for _ in range(runs):
        server.events.put(b'{"Records":[]}')
        server.reports.get(timeout=30)
        invokes.append(server.asked.get(timeout=30))
    stub.end(process)
    server.close()
    pauses = [(after - before) * 1000 for before, after in zip(invokes, invokes[1:])]
    return {"start_ms_median": statistics.median(starts), "start_ms_least": min(starts),
            "invoke_ms_median": statistics.median(pauses), "invoke_ms_least": min(pauses), "resident_bytes": idle,
            "program_bytes": pathlib.Path(program).stat().st_size}


def main():
    parser = argparse.ArgumentParser(description="Measures a bootstrap.")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("program")
    options = parser.parse_args()
    for name, figure in measure(options.program, options.runs).items():
        print(f"{name} {figure:.2f}" if isinstance(figure, float) else f"{name} {figure}")


if __name__ == "__main__":
    main()
