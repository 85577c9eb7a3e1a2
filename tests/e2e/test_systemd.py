# SPDX-License-Identifier: Apache-2.0
"""What the server says to systemd, and takes from it: readiness, watchdog, sockets, the end when nobody needs it."""
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

import pki
import server as server_module
import tls_server
import zkraw
from server import BINARY, ROOT, wait_until

pytestmark = pytest.mark.only_ours("ZooKeeper knows nothing of systemd")
UNITS = ROOT / "packaging" / "systemd"
WAIT = 20
# Becomes the server, with the sockets where systemd puts them: from descriptor 3 on.
LAUNCHER = """
import os, sys
away = [os.dup2(number, 200 + i) for i, number in enumerate(eval(sys.argv[1]))]
for i, number in enumerate(away):
    os.dup2(number, 3 + i, inheritable=True)
for number in away:
    os.close(number)
os.environ.setdefault("LISTEN_PID", str(os.getpid()))
os.environ.setdefault("WATCHDOG_PID", str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


class Manager:
    """A service manager: a socket that listens to what the service tells, listening sockets to hand over."""

    def __init__(self, directory, abstract=False):
        self.directory = directory
        self.name = f"@fk-test-{os.getpid()}-{id(self)}" if abstract else str(directory / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + self.name[1:] if abstract else self.name)
        self.listeners = []
        self.process = None

    def listen(self, name="client", address=("127.0.0.1", 0)):
        """A listening socket, to be handed over under a name."""
        internet = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        family = socket.AF_UNIX if isinstance(address, str) else internet
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.bind(address)
        listener.listen(64)
        self.listeners.append((name, listener))
        return listener.getsockname()[:2] if family != socket.AF_UNIX else address

    def start(self, *arguments, config="", wrapper=(), **environment):
        (self.directory / "zoo.cfg").write_text("tickTime=200\n4lw.commands.whitelist=*\n" + config)
        numbers = [listener.fileno() for _, listener in self.listeners]
        variables = {"NOTIFY_SOCKET": self.name, "LISTEN_FDS": str(len(numbers)),
                     "LISTEN_FDNAMES": ":".join(name for name, _ in self.listeners), **environment}
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, repr(numbers), *wrapper, BINARY, "serve", "--config",
             str(self.directory / "zoo.cfg"), "--data", str(self.directory / "data"), *arguments],
            env={**os.environ, **variables}, pass_fds=numbers, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        return self

    def hear(self, seconds=WAIT):
        """The next message as a dictionary; None where none comes."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return None
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def wait_for(self, key, seconds=WAIT):
        deadline = time.monotonic() + seconds
        while True:
            message = self.hear(max(0, deadline - time.monotonic()))
            assert message is not None, f"no {key} within {seconds} s"
            if key in message:
                return message

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self, seconds=WAIT):
        """(exit code, standard error)"""
        try:
            _, errors = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return self.process.returncode, errors

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        self.socket.close()
        for _, listener in self.listeners:
            listener.close()


@pytest.fixture
def manager(tmp_path):
    made = Manager(tmp_path)
    yield made
    made.close()


def address_of(message):
    return server_module.parse_address(message["STATUS"])


# ---- notify

def test_ready_reload_stopping(manager):
    manager.start("--listen", "127.0.0.1:0")
    ready = manager.wait_for("READY")
    assert ready["READY"] == "1"
    assert zkraw.four_letters(address_of(ready), "ruok") == "imok"  # ready means: answers
    manager.process.send_signal(signal.SIGHUP)
    reloading = manager.wait_for("RELOADING")
    assert reloading["RELOADING"] == "1" and int(reloading["MONOTONIC_USEC"]) > 0
    assert abs(int(reloading["MONOTONIC_USEC"]) / 1e6 - time.monotonic()) < 30
    assert manager.wait_for("READY")["STATUS"] == ready["STATUS"]
    manager.process.send_signal(signal.SIGTERM)
    assert manager.wait_for("STOPPING")["STOPPING"] == "1"
    assert manager.wait()[0] == 0


def test_abstract_socket(tmp_path):
    manager = Manager(tmp_path, abstract=True)
    try:
        manager.start("--listen", "127.0.0.1:0")
        assert manager.wait_for("READY")
        assert manager.stop()[0] == 0
    finally:
        manager.close()


def test_watchdog(manager):
    manager.start("--listen", "127.0.0.1:0", WATCHDOG_USEC="600000")
    manager.wait_for("READY")
    times = []
    for _ in range(5):
        assert manager.wait_for("WATCHDOG")["WATCHDOG"] == "1"
        times.append(time.monotonic())
    assert 0.6 < times[-1] - times[0] < 6  # four times half of 0.6 s; a busy machine may be late
    manager.process.send_signal(signal.SIGSTOP)
    while manager.hear(0):
        pass
    assert manager.hear(1.5) is None  # a process that stands still is not said to be alive
    manager.process.send_signal(signal.SIGCONT)
    assert manager.wait_for("WATCHDOG")


def test_no_watchdog_unless_asked(manager):
    manager.start("--listen", "127.0.0.1:0")
    manager.wait_for("READY")
    assert manager.hear(1) is None


@pytest.mark.parametrize("name", ["", "relative", "/no/such/socket", "/" + "x" * 200, "@"])
def test_a_manager_that_is_not_there(manager, name):
    manager.name = name
    manager.start("--listen", "unix:" + str(manager.directory / "s"))
    wait_until(lambda: (manager.directory / "s").exists(), WAIT)
    assert zkraw.four_letters(str(manager.directory / "s"), "ruok") == "imok"
    assert manager.stop()[0] == 0


def test_nothing_is_ready_before_the_port(manager):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        manager.start("--listen", "127.0.0.1:%d" % other.getsockname()[1])
        assert manager.wait()[0] == 1
    assert manager.hear(0) is None


# ---- sockets

def test_socket_activation(manager):
    address = manager.listen()
    client = socket.create_connection(address)  # before the server is there: it waits in the queue
    client.sendall(b"ruok")
    manager.start()
    ready = manager.wait_for("READY")
    assert address_of(ready) == address
    client.settimeout(WAIT)
    assert client.recv(100) == b"imok"
    client.close()
    session = zkraw.Connection(address)
    session.create("/a", b"1")
    session.close_session()
    assert manager.stop()[0] == 0
    with socket.create_connection(address):  # the manager's socket listens on: nothing was shut down
        pass


def test_several_sockets(manager):
    plain = manager.listen()
    six = manager.listen(name="more", address=("::1", 0))
    path = manager.listen(name="local", address=str(manager.directory / "client.sock"))
    manager.start()
    status = manager.wait_for("READY")["STATUS"]
    assert f"[::1]:{six[1]}" in status and path in status
    for address in (plain, six, path):
        assert zkraw.four_letters(address, "ruok") == "imok"
    assert manager.stop()[0] == 0
    assert os.path.exists(path)  # it is the manager's


def test_a_secure_socket(manager):
    authority = pki.Authority(manager.directory)
    certificate = authority.issue("server")
    secure = manager.listen("secure")
    plain = manager.listen("client")
    manager.start(config=f"ssl.keyStore.location={certificate.pem}\nssl.keyStore.type=PEM\nssl.clientAuth=none\n"
                  f"secureClientPort={server_module.free_port()}\n")
    status = manager.wait_for("READY")["STATUS"]
    assert status.count("(TLS)") == 1 and f"127.0.0.1:{secure[1]} (TLS)" in status, status  # in place of the port
    assert zkraw.four_letters(plain, "ruok") == "imok"
    client = tls_server.Connection(secure, tls_server.context(authority))
    assert client.sock.version().startswith("TLSv1.")
    client.close_session()
    assert manager.stop()[0] == 0


def test_sockets_of_another_process(manager):
    manager.listen()
    manager.start("--listen", "127.0.0.1:0", LISTEN_PID="1")
    assert address_of(manager.wait_for("READY")) != manager.listeners[0][1].getsockname()
    assert manager.stop()[0] == 0


def test_more_options_listen_besides(manager):
    address = manager.listen()
    manager.start("--listen", "unix:" + str(manager.directory / "s"))
    manager.wait_for("READY")
    for each in (address, str(manager.directory / "s")):
        assert zkraw.four_letters(each, "ruok") == "imok"
    assert manager.stop()[0] == 0


def test_an_exposed_socket_needs_the_word(manager):
    manager.listen(address=("0.0.0.0", 0))
    manager.start()
    code, errors = manager.wait()
    assert code == 2 and "--insecure" in errors
    manager.start("--insecure")
    assert manager.wait_for("READY")
    assert manager.stop()[0] == 0


def test_sockets_that_are_none(manager):
    def refused(reason):
        code, errors = manager.start().wait()
        assert code == 2 and reason in errors, errors
        for _, listener in manager.listeners:
            listener.close()
        manager.listeners.clear()

    manager.listeners.append(("client", socket.socket()))  # does not listen
    refused("descriptor 3 is not a listening")
    manager.listen()
    manager.listeners.append(("client", socket.socket(type=socket.SOCK_DGRAM)))
    refused("descriptor 4 is not a listening")
    manager.listen(address="\0fk-abstract-%d" % os.getpid())
    refused("descriptor 3 is not a listening")
    for _ in range(9):
        manager.listen()
    refused("9 sockets; 0 to 8")
    for number in ("1000000", "-1", "99999999999999999999"):
        code, errors = manager.start(LISTEN_FDS=number).wait()
        assert code == 2 and "0 to 8" in errors


# ---- the end when nobody needs it

def test_exit_when_idle(manager):
    address = manager.listen()
    manager.start("--exit-when-idle", "2")
    manager.wait_for("READY")
    client = zkraw.Connection(address, timeout=4000)
    client.create("/kept", b"1")
    client.create("/ephemeral", b"", flags=zkraw.EPHEMERAL)
    for _ in range(4):  # longer than the limit
        time.sleep(0.8)
        client.ping()
    assert manager.process.poll() is None
    client.abort()
    left = time.monotonic()
    manager.wait_for("STOPPING")
    code, errors = manager.wait()
    assert code == 0 and "idle" in errors
    assert time.monotonic() - left > 4  # the session first, then the limit
    with socket.create_connection(address) as early:  # comes while nobody is there
        early.sendall(b"ruok")
        manager.start("--exit-when-idle", "2")
        early.settimeout(WAIT)
        assert early.recv(10) == b"imok"
    client = zkraw.Connection(address)
    assert client.get("/kept")[1] == b"1"
    assert client.exists("/ephemeral")[0] == zkraw.NO_NODE
    client.close_session()
    assert manager.wait()[0] == 0


def test_idle_from_the_start_and_with_words_only(manager):
    address = manager.listen()
    start = time.monotonic()
    manager.start("--exit-when-idle", "2")
    manager.wait_for("READY")
    for _ in range(5):
        time.sleep(0.6)
        assert zkraw.four_letters(address, "ruok") == "imok"  # a connection counts, be it a short one
    assert manager.wait()[0] == 0
    assert 4.5 < time.monotonic() - start


def test_containers_and_ttl_nodes_do_not_hold_it(manager):
    address = manager.listen()
    config = "extendedTypesEnabled=true\nznode.container.checkIntervalMs=500\n"
    manager.start("--exit-when-idle", "1", config=config)
    client = zkraw.Connection(address)
    client.call(zkraw.CREATE_TTL, zkraw.create_ttl_body("/ttl", ttl=2500))
    assert client.exists("/ttl")[0] == zkraw.OK
    client.close_session()
    assert manager.wait()[0] == 0
    time.sleep(2)
    manager.start(config=config)
    client = zkraw.Connection(address)
    wait_until(lambda: client.exists("/ttl")[0] == zkraw.NO_NODE, WAIT, "the sweep after the next start")
    client.close_session()
    assert manager.stop()[0] == 0


@pytest.mark.parametrize("value", ["0", "-1", "x", "", "86401", "1s"])
def test_bad_seconds(value):
    done = subprocess.run([BINARY, "serve", "--memory", "--exit-when-idle", value], capture_output=True, text=True,
                          timeout=WAIT)
    assert done.returncode == 2 and "from 1 to 86400" in done.stderr


# ---- the units

@pytest.fixture
def unit_root(tmp_path):
    """The units as a package has them, with programs that are there."""
    for unit in UNITS.iterdir():
        text = unit.read_text().replace("/usr/bin/faaskeeper", BINARY)
        # The user comes with the package, the pages too.
        (tmp_path / unit.name).write_text(re.sub(r"(?m)^(Documentation|User|Group)=.*\n", "", text))
    return tmp_path


needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@needs_systemd
def test_units_verify(unit_root):
    done = subprocess.run(["systemd-analyze", "verify", *map(str, sorted(unit_root.glob("*.s*")))],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr == "", done.stderr


@needs_systemd
def test_the_unit_is_hardened():
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15",
                           str(UNITS / "faaskeeper.service")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-300:]


@needs_systemd
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.skipif(server_module.SANITIZED, reason="sanitizers make system calls of their own")
def test_system_calls_are_in_the_filter_of_the_unit(manager):
    allowed = allowed_calls()
    trace = manager.directory / "trace"
    address = manager.listen()
    certificate = pki.Authority(manager.directory).issue("server")
    manager.start("--exit-when-idle", "3", wrapper=["/usr/bin/strace", "-D", "-f", "-q", "-o", str(trace)],
                  config=f"ssl.keyStore.location={certificate.pem}\nssl.keyStore.type=PEM\nssl.clientAuth=none\n"
                  f"secureClientPort={server_module.free_port()}\npreAllocSize=64\n")
    manager.wait_for("READY")
    client = zkraw.Connection(address)
    client.create("/a", b"x" * 1000)
    for _ in range(300):  # more than a segment
        client.set("/a", b"y" * 100000)
    zkraw.four_letters(address, "mntr")
    client.close_session()
    assert manager.wait(60)[0] == 0
    wait_until(lambda: "+++ exited with 0 +++" in trace.read_text(), WAIT, "the end of the trace")
    made = set(re.findall(r"(?m)^\d+ +([a-z_0-9]+)\(", trace.read_text())) - {"execve"}
    made -= {"fchown"} if os.geteuid() == 0 else set()  # SQLite gives files to the directory's owner, as root only
    assert {"fdatasync", "accept4", "sendto", "getrandom"} <= made, made  # it was a trace of the server
    assert made - allowed == set()


def allowed_calls():
    """What the lines SystemCallFilter= of the unit come to."""
    allowed = set()
    for line in re.findall(r"(?m)^SystemCallFilter=(.*)$", (UNITS / "faaskeeper.service").read_text()):
        calls = set()
        for word in line.lstrip("~").split():
            calls |= calls_of(word)
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


def calls_of(word):
    if not word.startswith("@"):
        return {word}
    text = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", word], capture_output=True, text=True,
                          check=True, timeout=60).stdout
    names = [line.strip() for line in text.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
    return set().union(*(calls_of(name) for name in names))
