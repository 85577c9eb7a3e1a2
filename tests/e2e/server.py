# SPDX-License-Identifier: Apache-2.0
"""Starts and stops the server under test: ours, its gateway over a cloud in memory, or Debian's real ZooKeeper as the
oracle.

FK_E2E_SERVER=zookeeper chooses the oracle, FK_E2E_SERVER=cloud the gateway; FK_BINARY names our program (default:
build/faaskeeper; the gateway is tests/support/fk-memory-gateway beside it).
"""
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import time

import zkraw

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("FK_BINARY", str(ROOT / "build" / "faaskeeper"))
ORACLE = os.environ.get("FK_E2E_SERVER") == "zookeeper"
CLOUD = os.environ.get("FK_E2E_SERVER") == "cloud"
GATEWAY = str(pathlib.Path(BINARY).parent / "tests" / "support" / "fk-memory-gateway")
SANITIZED = not ORACLE and os.path.exists(BINARY) and b"__asan_init" in pathlib.Path(BINARY).read_bytes()
MEASURES_MEMORY = not ORACLE and not SANITIZED  # resident memory of a JVM or under ASan says nothing
START_SECONDS = 30
SUPER_DIGEST = "super:D/InIHSb7yEEbrWz8b9l71RjZJU="  # password: test

DEFAULTS = {
    "tickTime": "2000",
    "maxClientCnxns": "0",
    "4lw.commands.whitelist": "*",
    "DigestAuthenticationProvider.superDigest": SUPER_DIGEST,
}


# Tests that do not hold of the gateway over a cloud in memory, and why (docs/compatibility.md, cloud topologies).
_LOCAL = "of the server on one machine"
_RESTART = "the memory of the cloud ends with the process"
_ERRORS = "each decided error takes a zxid"
CLOUD_DIFFERENCES = (
    (r"test_(a_write_that_can_not_be_read_takes_none.*|options_that_are_none_make_it_unparsable|reconfig_is_disabled)",
     _ERRORS),
    (r"test_a_ping_shows_the_zxid|test_the_cells_are_zookeepers.*", "a ping shows what the session has seen"),
    (r"test_(session_open_and_close_take_one_each|cons_tells_what_a_client_did_last)", "a new session takes no zxid"),
    (r"test_(a_large_multi|set_watches_with_many_paths)", "a multi has 100 items"),
    (r"test_the_root_counts_the_system_s_nodes", "there is no /zookeeper/config to count"),
    (r"test_a_client_that_never_reads_its_events_is_closed", "recursive watches list shorter paths"),
    (r"test_(srvr_of_a_fresh_server|srvr_counts|mntr_counts|mntr_keys|conf_and_dirs|dump_has_sessions.*|connections_and_sessions"
     r"|metrics|what_dashboards_and_alerts_ask_for)",
     "nobody counts what the table holds"),
    (r"test_(sessions_data_and_zxid_survive|a_client_that_saw_the_last_zxid|a_session_whose_client_stays_away_expires_a"
     r"|set_watches_after_the_restart|everything_acknowledged|they_outlive_the_server|ids_survive_a_restart).*", _RESTART),
    (r"test_ends_per_minute_are_bounded", "each sweep ends what is due"),
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def parse_address(line):
    """The last address of a line: (host, port), or the path of a unix socket."""
    unix = re.search(r"unix:(\S+)", line)
    if unix:
        return unix.group(1)
    found = re.findall(r"(\[[0-9a-fA-F:.]+\]|[0-9A-Za-z_.-]+):(\d+)", line)
    assert found, f"no address in the server's first line: {line!r}"
    host, port = found[-1]
    return host.strip("[]"), int(port)


def wait_until(condition, seconds=zkraw.WAIT_SECONDS, what="the condition"):
    """Polls until condition() is true; its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.02)


class Server:
    """A server process with its data directory; stop, kill and start keep the address and the data."""

    def __init__(self, directory, config=None, arguments=(), wrapper=()):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.data = self.directory / "data"
        self.config = dict(DEFAULTS, **(config or {}))
        self.arguments, self.wrapper = list(arguments), list(wrapper)
        self.address = ("127.0.0.1", free_port() if ORACLE else 0)
        self.process = None
        self.first_line = ""

    # -- life

    def start(self):
        config = self.directory / "zoo.cfg"
        lines = [f"{key}={value}" for key, value in self.config.items() if value is not None]
        if ORACLE:
            self.data.mkdir(exist_ok=True)
            lines += [f"dataDir={self.data}", f"clientPort={self.address[1]}", "admin.enableServer=false"]
            lines.append("clientPortAddress=127.0.0.1")
        config.write_text("\n".join(lines) + "\n")
        command = self._oracle(config) if ORACLE else self._ours(config)
        self.log = open(self.directory / "stderr", "ab")
        out = self.log if ORACLE else subprocess.PIPE
        self.process = subprocess.Popen(self.wrapper + command, stdin=subprocess.DEVNULL, stdout=out,
                                        stderr=self.log, cwd=self.directory)
        if ORACLE:
            self._wait_for_port()
        else:
            self._read_first_line()
        return self

    def _ours(self, config):
        listen = f"{self.address[0]}:{self.address[1]}"
        if CLOUD:
            return [GATEWAY, "gateway", "--deployment", "memory", "--listen", listen, "--config", str(config),
                    *self.arguments]
        return [BINARY, "serve", "--listen", listen, "--data", str(self.data), "--config", str(config),
                *self.arguments]

    def _oracle(self, config):
        digest = self.config.get("DigestAuthenticationProvider.superDigest")
        flags = [f"-Dzookeeper.DigestAuthenticationProvider.superDigest={digest}"] if digest else []
        timeout = self.config.get("nio.sessionlessCnxnTimeout")
        if timeout:
            flags.append(f"-Dzookeeper.nio.sessionlessCnxnTimeout={timeout}")
        if "jute.maxbuffer" in self.config:
            flags.append(f"-Djute.maxbuffer={self.config['jute.maxbuffer']}")
        whitelist = self.config.get("4lw.commands.whitelist")
        if whitelist:
            flags.append(f"-Dzookeeper.4lw.commands.whitelist={whitelist}")
        return ["/usr/bin/java", "-Xmx512m", *flags, "-cp", "/etc/zookeeper/conf:/usr/share/java/zookeeper.jar",
                "org.apache.zookeeper.server.quorum.QuorumPeerMain", str(config)]

    def _wait_for_port(self):
        def answers():
            assert self.process.poll() is None, f"the server ended: {self.process.returncode}"
            try:
                return zkraw.four_letters(self.address, "srvr", 1).startswith("Zookeeper version")
            except OSError:
                return False

        wait_until(answers, START_SECONDS, "the server answers")

    def _read_first_line(self):
        deadline = time.monotonic() + START_SECONDS
        line = b""
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self.process.stdout], [], [], left)[0]
            byte = os.read(self.process.stdout.fileno(), 1) if ready else b""
            if not byte:
                self.kill()
                raise AssertionError(f"the server printed no address: {line!r}, {self.stderr()[-800:]}")
            line += byte
        self.first_line = line.decode()
        self.address = parse_address(self.first_line)

    def stop(self):
        """SIGTERM; the exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._reap(20)

    def kill(self):
        """SIGKILL, as a crash."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        return self._reap(20)

    def _reap(self, seconds):
        if self.process is None:
            return None
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not end within {seconds} s of SIGTERM") from None
        if self.process.stdout:
            self.process.stdout.close()
        self.log.close()
        self.process = None
        return code

    def finish(self):
        """Stops the server; it must have run until now, end with 0, and no sanitizer may have complained."""
        assert self.process is None or self.is_running(), f"the server ended: {self.stderr()[-2000:]}"
        code = self.stop()
        complaint = re.search(r"Sanitizer|runtime error:", self.stderr())
        assert not complaint, self.stderr()[complaint.start() - 200:][:3000]
        assert ORACLE or code in (None, 0), f"exit code {code}: {self.stderr()[-2000:]}"

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    # -- looking at it

    def stderr(self):
        return (self.directory / "stderr").read_text(errors="replace")

    def pid(self):
        """The server's own process, not a wrapper's (prlimit replaces itself by it)."""
        return self.process.pid

    def resident_kb(self):
        text = pathlib.Path(f"/proc/{self.pid()}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1))

    def open_files(self):
        return len(os.listdir(f"/proc/{self.pid()}/fd"))

    def connect(self, **handshake):
        return zkraw.Connection(self.address, **handshake)
