#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Figures of the cloud's gateway alone, against a stub that answers each call after 5 ms (fk-stub-aws, plain HTTP).

    bench/gateway.py [--build DIR] [--sessions N] [--seconds S] [--threads N] [--delay MS] [--json]

N sessions each read the root node, one read after the other. Prints reads a second, reads a second of one core (by the
processor time that the gateway's process used), latencies, and resident memory for each session: while all of them read,
and after a rest. Every reply is checked.
"""
import argparse
import json
import os
import pathlib
import select
import socket
import struct
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
CONNECT = struct.pack(">iiqiqi", 44, 0, 0, 30000, 0, 16) + bytes(16)
GET_ROOT = struct.pack(">iiii", 14, 1, 4, 1) + b"/\0"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "stub", "AWS_SECRET_ACCESS_KEY": "stub", "AWS_REGION": "eu-west-1"}


class Session:
    def __init__(self, address):
        self.sock = socket.create_connection(address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.sent = 0.0

    def frame(self):
        """The next whole frame that has come, or None."""
        if len(self.buffer) < 4:
            return None
        size = struct.unpack_from(">i", self.buffer)[0]
        if len(self.buffer) < 4 + size:
            return None
        frame, self.buffer = self.buffer[4:4 + size], self.buffer[4 + size:]
        return frame

    def receive(self):
        data = self.sock.recv(1 << 16)
        assert data, "the gateway closed a connection"
        self.buffer += data


def wait_frame(session):
    while True:
        frame = session.frame()
        if frame is not None:
            return frame
        session.receive()


def open_sessions(address, count):
    sessions = []
    for _ in range(count):
        sessions.append(Session(address))
        sessions[-1].sock.sendall(CONNECT)
    for session in sessions:
        assert struct.unpack_from(">q", wait_frame(session), 8)[0] != 0, "no session"
    return sessions


def read_for(sessions, seconds):
    """Latencies in ms of all reads that were answered."""
    poll = select.epoll()
    by_descriptor = {session.sock.fileno(): session for session in sessions}
    for session in sessions:
        poll.register(session.sock, select.EPOLLIN)
        session.sent = time.monotonic()
        session.sock.sendall(GET_ROOT)
    end, waiting, latencies = time.monotonic() + seconds, len(sessions), []
    while waiting:
        for descriptor, _ in poll.poll(10):
            session = by_descriptor[descriptor]
            session.receive()
            frame = session.frame()
            if frame is None:
                continue
            now = time.monotonic()
            assert struct.unpack_from(">i", frame, 12)[0] == 0 and len(frame) == 16 + 4 + 68, frame
            latencies.append((now - session.sent) * 1000)
            if now < end:
                session.sent = now
                session.sock.sendall(GET_ROOT)
            else:
                waiting -= 1
    return sorted(latencies)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def status(pid, name):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise KeyError(name)


class Pair:
    """A gateway over a stub of AWS."""

    def __init__(self, build, delay, threads, more=()):
        self.processes = []
        environment = {**os.environ, **CREDENTIALS}
        try:
            self.port = int(self.start([build / "bench" / "fk-stub-aws", str(delay), *more], environment))
            environment["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{self.port}"
            line = self.start([build / "faaskeeper", "gateway", "--deployment", "bench", "--listen", "127.0.0.1:0",
                               "--threads", str(threads), "-D", "maxClientCnxns=0", "--log-level", "warn"], environment)
        except BaseException:
            self.stop()
            raise
        self.gateway = self.processes[1]
        self.address = ("127.0.0.1", int(line.rsplit(":", 1)[1]))

    def start(self, command, environment):
        """Its first line."""
        self.processes.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE))
        line = self.processes[-1].stdout.readline().decode()
        assert line, f"{command[0]} did not start"
        return line

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait(15)
            process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def run(options):
    with Pair(options.build, options.delay, options.threads) as pair:
        gateway = pair.gateway
        empty_kb = status(gateway.pid, "VmRSS")
        sessions = open_sessions(pair.address, options.sessions)
        read_for(sessions, 1)
        cpu, began = cpu_seconds(gateway.pid), time.monotonic()
        latencies = read_for(sessions, options.seconds)
        took, cpu = time.monotonic() - began, cpu_seconds(gateway.pid) - cpu
        busy_kb = status(gateway.pid, "VmHWM")
        time.sleep(3)
        rest_kb = status(gateway.pid, "VmRSS")
        at = lambda share: round(latencies[int((len(latencies) - 1) * share)], 1)
        return {"sessions": options.sessions, "threads": options.threads, "delay_ms": options.delay,
                "reads_per_second": round(len(latencies) / took), "reads_per_core_second": round(len(latencies) / cpu),
                "cores": round(cpu / took, 2), "p50_ms": at(0.5), "p99_ms": at(0.99), "empty_kb": empty_kb,
                "busy_kb_per_session": round((busy_kb - empty_kb) / options.sessions, 1),
                "rest_kb_per_session": round((rest_kb - empty_kb) / options.sessions, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--delay", type=int, default=5, help="milliseconds of each answer (5)")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    options = parser.parse_args()
    figures = run(options)
    print(json.dumps(figures) if options.json else "\n".join(f"{name:24} {value}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
