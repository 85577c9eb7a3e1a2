#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Records zookeeper-3.8.0.frames: what real clients and a real ZooKeeper say to each other, byte by byte.

Starts Debian's ZooKeeper on a free loopback port with an empty directory, puts a recording proxy in front of it and
drives three clients through the proxy: the Java client (its command line program), kazoo, and hand-made frames for what
neither of them sends. Both processes are stopped by pid. Usage: capture.py [OUTPUT]; see README.md.
"""
import contextlib
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
OUTPUT = HERE / "zookeeper-3.8.0.frames"
CLASS_PATH = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-nop.jar"  # the manifest names the other jars
WAIT_SECONDS = 30
XID_EVENT, XID_PING, XID_AUTH = -1, -2, -4
OP_SET_WATCHES = 101
ZOO_CFG = """\
tickTime=2000
dataDir={data}
clientPort={port}
clientPortAddress=127.0.0.1
admin.enableServer=false
4lw.commands.whitelist=ruok
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what):
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {WAIT_SECONDS} s")
        time.sleep(0.02)


def read_exactly(connection, size):
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)


def read_frame(connection):
    """A whole frame with its length, or None at the end of the stream."""
    prefix = read_exactly(connection, 4)
    if prefix is None:
        return None
    body = read_exactly(connection, struct.unpack(">i", prefix)[0])
    return None if body is None else prefix + body


class Recorder:
    """A proxy that keeps each frame under the name `client.label.kind`, kind being request, reply or event."""

    def __init__(self, target):
        self.target = target
        self.frames = {}
        self.set_watches_xid = None
        self.client, self.label, self.connect_label = "", "", "connect"
        self.lock = threading.Condition()
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()
        self.cut()

    def cut(self):
        """Breaks all connections, as a network would."""
        with self.lock:
            sockets, self.sockets = self.sockets, []
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def start(self, client, connect_label="connect"):
        with self.lock:
            self.client, self.label, self.connect_label = client, "", connect_label
            self.set_watches_xid = None

    @contextlib.contextmanager
    def recording(self, label, *kinds):
        """Names what the body causes; waits for a frame of each kind (default: a reply)."""
        with self.lock:
            self.label = label
        yield
        self.wait(label, *(kinds or ("reply",)))
        with self.lock:
            self.label = ""

    def wait(self, label, *kinds):
        names = [f"{self.client}.{label}.{kind}" for kind in kinds]
        wait_until(lambda: all(name in self.frames for name in names), " ".join(names))

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.sockets += [client, server]
            threading.Thread(target=self._forward, args=(client, server, "request"), daemon=True).start()
            threading.Thread(target=self._forward, args=(server, client, "reply"), daemon=True).start()

    def _forward(self, source, sink, kind):
        first = True
        with contextlib.suppress(OSError):
            while True:
                frame = read_frame(source)
                if frame is None:
                    break
                self._keep(frame, kind, first)
                first = False
                sink.sendall(frame)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def _keep(self, frame, kind, first):
        xid, op = struct.unpack_from(">ii", frame, 4)
        with self.lock:
            label = self.label
            # The Java client's -8 for setWatches never gets to the wire: its socket layer numbers it like any request.
            if kind == "request" and op == OP_SET_WATCHES and not first:
                self.set_watches_xid = xid
            if first:
                label = self.connect_label
            elif xid == XID_PING:
                label = "ping"
            elif xid == XID_AUTH:
                label = "auth" if self.connect_label == "connect" else "reauth"
            elif xid == self.set_watches_xid and not label:
                label = "set-watches"
            elif xid == XID_EVENT and kind == "reply":
                kind = "event"
            if label:
                self.frames.setdefault(f"{self.client}.{label}.{kind}", frame)


class Server:
    """A real ZooKeeper in a directory of its own."""

    def __init__(self, directory):
        self.port = free_port()
        config = directory / "zoo.cfg"
        config.write_text(ZOO_CFG.format(data=directory / "data", port=self.port))
        self.process = subprocess.Popen(
            ["/usr/bin/java", "-cp", CLASS_PATH, "-Xmx128m",
             "org.apache.zookeeper.server.quorum.QuorumPeerMain", str(config)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._answers, "the server's first answer")

    def _answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"the server ended with {self.process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as probe:
                probe.sendall(b"ruok")
                return probe.recv(4) == b"imok"
        except OSError:
            return False

    def stop(self):
        stop(self.process)


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


JAVA_STEPS = (
    # label, command, kinds to wait for
    ("create", "create /golden hello", "reply"),
    ("create-null", "create /golden/null", "reply"),
    ("create-sequential", "create -s -e /golden/seq- x", "reply"),
    ("create-container", "create -c /golden/container", "reply"),
    ("create-exists", "create /golden again", "reply"),
    ("create-no-parent", "create /missing/child x", "reply"),
    ("create-acl", "create /golden/acl data world:anyone:r,ip:127.0.0.1:cdrwa", "reply"),
    ("exists", "stat /golden", "reply"),
    ("exists-absent", "stat -w /golden/absent", "reply"),
    ("get-data-watch", "get -s -w /golden", "reply"),
    ("get-data-null", "get /golden/null", "reply"),
    ("get-data-missing", "get /missing", "reply"),
    ("set-data", "set -s /golden world", "reply event"),
    ("set-data-version", "set -v 7 /golden x", "reply"),
    ("get-children", "ls /golden", "reply"),
    ("get-children2", "ls -s -w /golden", "reply"),
    ("get-children-empty", "ls /golden/null", "reply"),
    ("get-acl", "getAcl -s /golden/acl", "reply"),
    ("auth", "addauth digest user:password", "reply"),
    ("set-acl", "setAcl -v 0 /golden/null auth::cdrwa,world:anyone:r", "reply"),
    ("set-acl-invalid", "setAcl /golden/null digest:broken:cdrwa", "reply"),
    ("sync", "sync /golden", "reply"),
    ("delete", "delete -v 0 /golden/container", "reply event"),
    ("delete-not-empty", "delete /golden", "reply"),
    ("rewatch-data", "get -w /golden", "reply"),
    ("rewatch-children", "ls -w /golden", "reply"),
)
JAVA_AFTER_RECONNECT = (
    ("create-watched", "create /golden/absent now", "reply event"),
    ("delete-watched", "delete /golden/absent", "reply"),
)


def capture_java(recorder):
    recorder.start("java")
    host, port = recorder.address
    program = subprocess.Popen(
        ["/usr/bin/java", "-cp", CLASS_PATH, "-Xmx64m", "org.apache.zookeeper.ZooKeeperMain",
         "-timeout", "30000", "-server", f"{host}:{port}"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)

    def run(label, command, kinds):
        with recorder.recording(label, *kinds.split()):
            program.stdin.write(command + "\n")
            program.stdin.flush()

    try:
        recorder.wait("connect", "request", "reply")
        for step in JAVA_STEPS:
            run(*step)
        recorder.start("java", "reconnect")
        recorder.cut()
        recorder.wait("set-watches", "request", "reply")
        for step in JAVA_AFTER_RECONNECT:
            run(*step)
        run("close", "quit", "reply")
        program.wait(WAIT_SECONDS)
    finally:
        stop(program)


def failing(call, *arguments, **options):
    """Runs a call that the server refuses: the refusal is what is recorded."""
    from kazoo.exceptions import ZookeeperError
    try:
        call(*arguments, **options)
    except ZookeeperError:
        return
    raise RuntimeError(f"{call} was not refused")


def kazoo_multi(client, recorder):
    with recorder.recording("multi"):
        multi = client.transaction()
        multi.create("/kazoo/multi", b"one")
        multi.set_data("/kazoo/multi", b"two")
        multi.check("/kazoo/multi", 1)
        multi.delete("/kazoo/multi", 1)
        multi.commit()
    with recorder.recording("multi-refused"):
        multi = client.transaction()
        multi.create("/kazoo/other", b"")
        multi.check("/kazoo", 41)
        multi.delete("/kazoo/none")
        multi.commit()
    with recorder.recording("multi-empty"):
        client.transaction().commit()


def kazoo_nodes(client, recorder):
    with recorder.recording("create"):
        client.create("/kazoo", b"")
    with recorder.recording("create2"):
        client.create("/kazoo/two", "Größe".encode(), ephemeral=True, include_data=True)
    with recorder.recording("exists-watch"):
        client.exists("/kazoo/later", watch=lambda event: None)
    with recorder.recording("get-children-watch"):
        client.get_children("/kazoo", watch=lambda event: None)
    with recorder.recording("set-data"):
        client.set("/kazoo", b"\x00\xff" * 40, version=0)
    with recorder.recording("get-data"):
        client.get("/kazoo")
    with recorder.recording("get-acl"):
        client.get_acls("/kazoo")
    with recorder.recording("ephemeral-parent"):
        failing(client.create, "/kazoo/two/child", b"")
    with recorder.recording("create-later", "reply", "event"):
        client.create("/kazoo/later", b"x")
    with recorder.recording("get-data-later"):
        client.get("/kazoo/later", watch=lambda event: None)
    with recorder.recording("delete-later", "reply", "event"):
        client.delete("/kazoo/later")
    with recorder.recording("sync"):
        client.sync("/kazoo")


def capture_kazoo(recorder):
    from kazoo.client import KazooClient
    from kazoo.security import make_digest_acl
    recorder.start("kazoo")
    client = KazooClient(hosts="%s:%d" % recorder.address, timeout=6.0)
    client.start()
    try:
        kazoo_nodes(client, recorder)
        kazoo_multi(client, recorder)
        with recorder.recording("auth"):
            client.add_auth("digest", "other:secret")
        recorder.wait("ping", "request", "reply")  # kazoo pings by itself, at a third of the timeout
        with recorder.recording("set-acl"):
            client.set_acls("/kazoo/two", [make_digest_acl("other", "secret", all=True)])
        with recorder.recording("close"):
            client.stop()
    finally:
        client.stop()
        client.close()


def string(text):
    data = text.encode()
    return struct.pack(">i", len(data)) + data


def frame_of(body):
    return struct.pack(">i", len(body)) + body


def capture_raw(recorder):
    """What real clients of today do not send."""
    hello = struct.pack(">iqiqi16s", 0, 0, 10000, 0, 16, b"")
    recorder.start("raw", "connect-old")  # clients before 3.4 have no readOnly byte
    with socket.create_connection(recorder.address) as old:
        old.sendall(frame_of(hello))
        read_frame(old)
        with recorder.recording("unknown-operation"):
            old.sendall(frame_of(struct.pack(">ii", 1, 77)))
            read_frame(old)
    recorder.start("raw", "connect-expired")
    with socket.create_connection(recorder.address) as expired:
        expired.sendall(frame_of(struct.pack(">iqiqi16s?", 0, 0, 10000, 0x1234567890, 16, b"p" * 16, False)))
        read_frame(expired)
    recorder.start("raw")
    with socket.create_connection(recorder.address) as peer:
        peer.sendall(frame_of(hello + b"\x00"))
        read_frame(peer)
        for label, op, body in (
                ("create-null-acl", 1, string("/raw") + string("") + struct.pack(">ii", -1, 0)),
                ("set-data-null", 5, string("/golden/null") + struct.pack(">ii", -1, -1)),
                ("null-path", 4, struct.pack(">i?", -1, False)),
                ("set-watches-null", 101, struct.pack(">qiii", 0, -1, -1, -1))):
            with recorder.recording(label):
                peer.sendall(frame_of(struct.pack(">ii", -8 if op == 101 else 5, op) + body))
                read_frame(peer)


def main():
    output = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    with tempfile.TemporaryDirectory() as directory:
        server = Server(pathlib.Path(directory))
        try:
            recorder = Recorder(("127.0.0.1", server.port))
            capture_java(recorder)
            capture_kazoo(recorder)
            capture_raw(recorder)
            recorder.close()
        finally:
            server.stop()
    lines = [f"{name} {frame.hex()}\n" for name, frame in recorder.frames.items()]
    output.write_text("".join(lines))
    print(f"{output}: {len(lines)} frames")


if __name__ == "__main__":
    main()
