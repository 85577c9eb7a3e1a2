#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Resident memory of our server per idle session through TLS, and without it.

    bench/tls_idle.py [--sessions N] [--certificates]

Opens N sessions (default 10000), lets each create a node, waits a moment, and compares the server's Rss with what it had
before them. --certificates: each client shows one (ssl.clientAuth=need).
"""
import argparse
import pathlib
import re
import resource
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import pki  # noqa: E402
import tls_server  # noqa: E402
import zkraw  # noqa: E402

WARM_UP = 50  # sessions before the first look: tables have their first size then
TIMEOUT_MS = 600 * 1000
SETTLE_SECONDS = 3


class Small(tls_server.Connection):
    """A client whose own memory does not matter; one node, and then nothing."""

    def __init__(self, address, context):
        super().__init__(address, context, timeout=TIMEOUT_MS)
        assert self.create("/idle-", b"x", flags=zkraw.EPHEMERAL_SEQUENTIAL)[0] == zkraw.OK
        self.received = b""


class Plain(zkraw.Connection):
    def __init__(self, address, _context):
        super().__init__(address, timeout=TIMEOUT_MS)
        assert self.create("/idle-", b"x", flags=zkraw.EPHEMERAL_SEQUENTIAL)[0] == zkraw.OK


def resident_bytes(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Rss:\s+(\d+) kB", text, re.MULTILINE).group(1)) * 1024


def measure(kind, sessions, needs_certificates):
    """Bytes per session."""
    with tempfile.TemporaryDirectory() as directory:
        authority = pki.Authority(directory)
        certificate = authority.issue("client") if needs_certificates else None
        config = {"ssl.keyStore.location": authority.issue("server").pem, "ssl.trustStore.location": authority.cert,
                  "ssl.clientAuth": "need" if needs_certificates else "none", "maxSessionTimeout": str(TIMEOUT_MS),
                  "snapCount": "1000000000"}
        server = tls_server.start(directory, config)
        try:
            context = tls_server.context(authority, certificate)
            address = server.secure if kind is Small else server.address
            clients = [kind(address, context) for _ in range(WARM_UP)]
            time.sleep(SETTLE_SECONDS)
            before = resident_bytes(server.pid())
            clients += [kind(address, context) for _ in range(sessions)]
            time.sleep(SETTLE_SECONDS)
            after = resident_bytes(server.pid())
            assert clients[-1].exists("/")[0] == zkraw.OK
            return (after - before) / sessions
        finally:
            server.kill()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=10000)
    parser.add_argument("--certificates", action="store_true")
    options = parser.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    for name, kind in (("plain", Plain), ("TLS", Small)):
        print(f"{name}: {measure(kind, options.sessions, options.certificates):.0f} bytes per idle session "
              f"({options.sessions} sessions)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
