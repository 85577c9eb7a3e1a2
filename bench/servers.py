# SPDX-License-Identifier: Apache-2.0
"""The two servers that the benchmark compares: how each is started, probed, measured and stopped."""
import os
import pathlib
import select
import shutil
import signal
import socket
import struct
import subprocess
import time

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
PROBE_EVERY_S = 0.05
ZOOKEEPER_JAR = "/usr/share/java/zookeeper.jar"  # its manifest names the other jars
SLF4J_NOP_JAR = "/usr/share/java/slf4j-nop.jar"  # logging off
CONFIG = """\
tickTime=2000
dataDir={data}
clientPort={port}
clientPortAddress=127.0.0.1
maxClientCnxns=0
"""
HANDSHAKE = struct.pack(">iiqiqi16s?", 45, 0, 0, 10000, 0, 16, b"", False)
CLOSE_SESSION = struct.pack(">iii", 8, 1, -11)


class ServerError(Exception):
    """A server that did not do what the benchmark needs of it."""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def is_answer(reply):
    """True for a whole ConnectResponse with a session."""
    return len(reply) >= 40 and struct.unpack_from(">q", reply, 12)[0] != 0


def close_session(probe):
    """Ends the probe's session; returns when the server has."""
    probe.settimeout(5)
    try:
        probe.sendall(CLOSE_SESSION)
        while probe.recv(4096):
            pass
    except OSError:
        pass


class Probe:
    """Handshakes until one is answered. A connection that was accepted too early may never be answered, so a new one
    is tried every PROBE_EVERY_S while the older ones stay open."""

    def __init__(self, port):
        self.port = port
        self.sockets = []
        self.next_try = 0.0

    def step(self):
        """Returns the socket of the first answer, or None."""
        if time.monotonic() >= self.next_try and len(self.sockets) < 200:
            self._try()
        if not self.sockets:
            time.sleep(0.0005)
            return None
        ready, _, _ = select.select(self.sockets, [], [], 0.002)
        for one in ready:
            try:
                reply = one.recv(4096)
            except OSError:
                reply = b""
            if is_answer(reply):
                return one
            self.sockets.remove(one)
            one.close()
        return None

    def _try(self):
        one = socket.socket()
        try:
            one.connect(("127.0.0.1", self.port))
            one.sendall(HANDSHAKE)
        except OSError:
            one.close()
            return
        self.sockets.append(one)
        self.next_try = time.monotonic() + PROBE_EVERY_S

    def close(self):
        for one in self.sockets:
            one.close()


class Server:
    """One server process with its own directory and port."""

    name = ""  # key in results
    title = ""  # in tables

    def __init__(self, work):
        self.directory = pathlib.Path(work) / self.name
        self.process = None
        self.port = 0

    def command(self, config):
        raise NotImplementedError

    def environment(self):
        return None

    def target(self):
        return f"127.0.0.1:{self.port}"

    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def wipe(self):
        """Drops all data; the server must be stopped."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self):
        """Starts on the data that is there; returns the seconds from exec to the first answered handshake."""
        data = self.directory / "data"
        data.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        config = self.directory / "zoo.cfg"
        config.write_text(CONFIG.format(data=data, port=self.port))
        log = (self.directory / "log").open("ab")
        begin = time.monotonic()
        self.process = subprocess.Popen(self.command(config), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        cwd=self.directory, env=self.environment())
        log.close()
        return self._wait(begin)

    def _wait(self, begin):
        probe = Probe(self.port)
        try:
            while True:
                answered = probe.step()
                now = time.monotonic()
                if answered:
                    close_session(answered)
                    return now - begin
                if self.process.poll() is not None:
                    raise ServerError(f"{self.title} ended with {self.process.returncode}: {self.log_tail()}")
                if now - begin > START_TIMEOUT_S:
                    self.stop(signal.SIGKILL)
                    raise ServerError(f"{self.title} gave no answer for {START_TIMEOUT_S} s: {self.log_tail()}")
        finally:
            probe.close()

    def log_tail(self):
        try:
            lines = (self.directory / "log").read_text(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return " / ".join(lines[-4:]) or "its log is empty"

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def rss_bytes(self):
        """Resident memory, shared file pages included."""
        for line in pathlib.Path(f"/proc/{self.pid()}/smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                return int(line.split()[1]) * 1024
        raise ServerError("no Rss in smaps_rollup")


class FaasKeeper(Server):
    name = "ours"
    title = "FaaSKeeper"

    def __init__(self, work, binary):
        super().__init__(work)
        self.binary = str(binary)

    def command(self, config):
        return [self.binary, "serve", "--config", str(config)]


class ZooKeeper(Server):
    """Debian's ZooKeeper with upstream's default heap (Debian sets none)."""

    name = "zookeeper"
    title = "ZooKeeper"
    java = "/usr/bin/java"

    def command(self, config):
        jars = [jar for jar in (SLF4J_NOP_JAR, ZOOKEEPER_JAR) if os.path.exists(jar)]
        return [self.java, "-Xmx1000m", "-Dzookeeper.admin.enableServer=false", "-cp", ":".join(jars),
                "org.apache.zookeeper.server.quorum.QuorumPeerMain", str(config)]
