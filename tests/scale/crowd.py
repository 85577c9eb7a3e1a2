# SPDX-License-Identifier: Apache-2.0
"""Many sessions at once, each on a socket of its own, in one thread; and one client whose waiting is measured."""
import resource
import select
import ssl
import struct
import time

import zkraw

BATCH = 200  # handshakes and requests on their way at once


def raise_open_files():
    """The soft limit of open files to the hard one; how many sockets a test may have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return 1 << 20 if hard == resource.RLIM_INFINITY else hard - 500


class Member:
    """A connection of the crowd: bytes that came, and frames out of them."""

    __slots__ = ("sock", "data", "session", "password")

    def __init__(self, sock):
        self.sock, self.data, self.session, self.password = sock, b"", 0, b""

    def frames(self):
        """The whole frames that have come."""
        while len(self.data) >= 4:
            size = struct.unpack(">i", self.data[:4])[0]
            if len(self.data) < 4 + size:
                return
            frame, self.data = self.data[4:4 + size], self.data[4 + size:]
            yield frame


class Crowd:
    def __init__(self, address, size, timeout, secure=None):
        """Opens `size` sessions; secure: an ssl.SSLContext."""
        self.members, self.poll, self.by_number, self.leaving = [], select.epoll(), {}, False
        hello = zkraw.frame(zkraw.connect_request(timeout=timeout))
        for first in range(0, size, BATCH):
            batch = []
            for _ in range(min(BATCH, size - first)):
                sock = zkraw.open_socket(address, 30)
                if secure:
                    sock = secure.wrap_socket(sock, server_hostname="localhost")
                sock.sendall(hello)
                batch.append(Member(sock))
            for member in batch:
                self._welcome(member)
            self.members += batch
        for member in self.members:
            member.sock.setblocking(False)
            self.by_number[member.sock.fileno()] = member
            self.poll.register(member.sock.fileno(), select.EPOLLIN)

    @staticmethod
    def _welcome(member):
        frames = []
        while not frames:
            part = member.sock.recv(4096)
            assert part, "closed instead of a session"
            member.data += part
            frames = list(member.frames())
        reader = zkraw.Reader(frames[0])
        reader.take(8)
        member.session, member.password = reader.int64(), reader.buffer()
        assert member.session

    def collect(self, wanted, seconds):
        """Frames as (member, frame) until so many came, or nothing came for `seconds`."""
        found, deadline = [], time.monotonic() + seconds
        while len(found) < wanted:
            ready = self.poll.poll(max(0, deadline - time.monotonic()))
            if not ready:
                return found
            for number, _ in ready:
                member = self.by_number[number]
                try:
                    part = member.sock.recv(1 << 16)
                except ssl.SSLWantReadError:
                    continue  # a record of TLS itself
                if not part:
                    assert self.leaving, "a connection of the crowd was closed"
                    self.poll.unregister(number)
                member.data += part
                found += [(member, frame) for frame in member.frames()]
            deadline = time.monotonic() + seconds
        return found

    def ask(self, request, replies=1):
        """Sends a request (or some in one go) on every connection and reads the replies, whose codes must be 0."""
        for first in range(0, len(self.members), BATCH):
            batch = self.members[first:first + BATCH]
            for index, member in enumerate(batch):
                member.sock.sendall(request(first + index) if callable(request) else request)
            got = self.collect(replies * len(batch), 30)
            assert len(got) == replies * len(batch), (len(got), len(batch))
            for _, frame in got:
                assert struct.unpack(">i", frame[12:16])[0] == 0, frame

    def ping(self):
        self.ask(zkraw.frame(zkraw.int32(zkraw.XID_PING) + zkraw.int32(zkraw.PING)))

    def close(self):
        """Ends the sessions."""
        self.leaving = True
        self.ask(zkraw.frame(zkraw.int32(1) + zkraw.int32(zkraw.CLOSE_SESSION)))
        self.abandon()

    def abandon(self):
        """Closes the sockets: the sessions stay for their timeout."""
        for member in self.members:
            member.sock.close()
        self.poll.close()
        self.members = []


class Prober:
    """A client that asks at fixed times, whether the answer before has come or not: what a stall does to it counts for
    each request that it holds up."""

    def __init__(self, address, path, every=0.001):
        self.client, self.every = zkraw.Connection(address, timeout=30000), every
        self.request = zkraw.frame(zkraw.int32(1) + zkraw.int32(zkraw.GET_DATA) + zkraw.path_watch(path))
        self.latencies = []

    def run(self, seconds=None, until=None):
        """Asks for so long, or until until() is true, which is called every 50 ms; for each request when it was
        due, and the ms until its answer."""
        member = Member(self.client.sock)
        member.sock.setblocking(False)
        due, sent, latencies = time.monotonic(), [], []
        end, look = (due + seconds if seconds else None), due
        while True:
            now = time.monotonic()
            if end and now >= end and not sent:
                break
            if until and now >= look:
                look = now + 0.05
                if until() and not end:
                    end = now
            if now >= due and not (end and now >= end):
                member.sock.send(self.request)
                sent.append(due)
                due += self.every
                continue
            if select.select([member.sock], [], [], max(0, due - now) if not end or now < end else 1)[0]:
                part = member.sock.recv(1 << 16)
                assert part, "the measured client was closed"
                member.data += part
                for _ in member.frames():
                    asked = sent.pop(0)
                    latencies.append((asked, (time.monotonic() - asked) * 1000))
        member.sock.setblocking(True)
        return latencies


def quantile(requests, part):
    """Of what Prober.run gives."""
    values = sorted(value for _, value in requests)
    return values[min(len(values) - 1, int(part * len(values)))]


def describe(requests):
    parts = [f"{name} {quantile(requests, part):.2f} ms"
             for name, part in (("p50", .5), ("p99", .99), ("p99.9", .999), ("most", 1))]
    return f"{len(requests)} requests, " + ", ".join(parts)
