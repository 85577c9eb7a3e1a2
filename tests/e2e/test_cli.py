# SPDX-License-Identifier: Apache-2.0
"""The program: options, configuration file, exit codes, what it prints. Ours only."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest

import zkraw
from server import BINARY, ROOT, SUPER_DIGEST, Server, free_port, parse_address, wait_until
from zkraw import OK

pytestmark = pytest.mark.only_ours("the command line is ours")

USAGE, ENVIRONMENT = 2, 1


def run(*arguments, cwd=None, seconds=20):
    """Runs the program to its end."""
    return subprocess.run([BINARY, *map(str, arguments)], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=seconds)


def assert_refused(done, code, *words):
    """The exit code, nothing on stdout, and one line on stderr that names what is wrong, the log's "starting" aside."""
    assert done.returncode == code, (done.returncode, done.stderr)
    assert done.stdout == ""
    lines = [line for line in done.stderr.strip().splitlines() if " info  host: starting " not in line]
    assert len(lines) == 1, done.stderr
    for word in words:
        assert str(word) in lines[0], f"{word!r} is not in {lines[0]!r}"


class Program:
    """`faaskeeper serve` with exactly these arguments; the address it printed."""

    def __init__(self, *arguments, cwd=None):
        self.process = subprocess.Popen([BINARY, "serve", *map(str, arguments)], cwd=cwd, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.first_line = self.process.stdout.readline()
        assert self.first_line, self.process.stderr.read()
        self.address = parse_address(self.first_line)

    def connect(self, **handshake):
        return zkraw.Connection(self.address, **handshake)

    def end(self, number=signal.SIGTERM):
        """(exit code, rest of stdout, stderr)."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


@pytest.fixture
def serve():
    programs = []

    def start(*arguments, cwd=None):
        programs.append(Program(*arguments, cwd=cwd))
        return programs[-1]

    yield start
    for program in programs:
        if program.process.poll() is None:
            program.process.kill()
        program.process.communicate()


@pytest.fixture
def config(tmp_path):
    def write(*lines, name="zoo.cfg"):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


# ---- help and version

@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"]])
def test_help(arguments):
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "serve" in done.stdout and "version" in done.stdout


def test_help_of_serve_names_every_option():
    done = run("serve", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    for option in ("--config", "--data", "--memory", "--listen", "--log-level"):
        assert option in done.stdout


@pytest.mark.parametrize("arguments", [["version"], ["--version"]])
def test_version(arguments):
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("faaskeeper ") and done.stdout.count("\n") == 1


# ---- usage errors

def test_no_command():
    done = run()
    assert done.returncode == USAGE and done.stdout == "" and "serve" in done.stderr


def test_an_unknown_command():
    assert_refused(run("sevre"), USAGE, "sevre")


@pytest.mark.parametrize("arguments, words", [
    (["--nosuch"], ["--nosuch"]), (["-x"], ["-x"]), (["--data"], ["--data"]), (["--listen"], ["--listen"]),
    (["--config"], ["--config"]), (["stray"], ["stray"]), (["--log-level", "loud"], ["--log-level", "loud"]),
    (["--listen", "nowhere"], ["nowhere"]), (["--listen", "127.0.0.1:"], ["127.0.0.1:"]),
    (["--listen", "127.0.0.1:port"], ["127.0.0.1:port"]), (["--listen", "127.0.0.1:65536"], ["65536"]),
    (["--listen", "127.0.0.1:-1"], ["-1"]), (["--listen", ""], ["''"]), (["--listen", "[::1"], ["[::1"]),
    (["--listen", "unix:"], ["unix:"]), (["--listen", "unix:/" + "x" * 200], ["unix:"]),
    (["--data", "d", "--memory"], ["--data", "--memory"]),
], ids=lambda value: " ".join(value)[:40])
def test_bad_arguments(tmp_path, arguments, words):
    assert_refused(run("serve", *arguments, cwd=tmp_path), USAGE, *words)
    assert os.listdir(tmp_path) == []


def test_a_missing_configuration_file(tmp_path):
    assert_refused(run("serve", "--config", tmp_path / "none.cfg"), ENVIRONMENT, "none.cfg")


@pytest.mark.parametrize("line, words", [
    ("tickTime=abc", ["tickTime", "abc"]), ("tickTime=0", ["tickTime"]), ("tickTime=-5", ["tickTime"]),
    ("tickTime=99999999999999999999", ["tickTime"]), ("tickTime=", ["tickTime"]), ("tickTime=20x", ["tickTime", "20x"]),
    ("clientPort=70000", ["clientPort", "70000"]), ("clientPort=abc", ["clientPort", "abc"]),
    ("maxClientCnxns=many", ["maxClientCnxns", "many"]), ("jute.maxbuffer=10", ["jute.maxbuffer"]),
    ("minSessionTimeout=x", ["minSessionTimeout"]), ("maxSessionTimeout=x", ["maxSessionTimeout"]),
    ("forceSync=maybe", ["forceSync", "maybe"]), ("clientPortAddress=not an address", ["clientPortAddress"]),
])
def test_a_bad_value_names_file_line_and_key(tmp_path, config, line, words):
    path = config("# a comment", "", line)
    done = run("serve", "--config", path, "--memory", cwd=tmp_path)
    assert_refused(done, USAGE, "zoo.cfg", "3", *words)


def test_timeouts_the_wrong_way_round(config):
    path = config("minSessionTimeout=9000", "maxSessionTimeout=8000")
    done = run("serve", "--config", path, "--memory", "--listen", "127.0.0.1:0")
    assert_refused(done, USAGE, "minSessionTimeout", "maxSessionTimeout")


def test_a_quorum_is_refused_with_what_to_use_instead(config, tmp_path):
    path = config(f"dataDir={tmp_path}/data", "clientPort=0", "server.1=a:2888:3888", "server.2=b:2888:3888",
                  "server.3=c:2888:3888")
    done = run("serve", "--config", path)
    assert_refused(done, USAGE, "server.")
    assert "Remove the server.N lines" in done.stderr


def test_one_server_line_is_no_quorum(serve, config):
    path = config("server.1=localhost:2888:3888")
    assert serve("--config", path, "--memory", "--listen", "127.0.0.1:0").connect().ping().err == OK


# ---- the environment

def test_a_port_in_use(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("serve", "--listen", f"127.0.0.1:{port}", "--data", tmp_path / "data")
        assert_refused(done, ENVIRONMENT, f"127.0.0.1:{port}")


def test_an_address_of_another_machine():
    assert_refused(run("serve", "--memory", "--insecure", "--listen", "192.0.2.1:0"), ENVIRONMENT, "192.0.2.1")


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"])
def test_other_machines_are_let_in_only_when_told(address):
    assert_refused(run("serve", "--memory", "--listen", address), USAGE, address, "--insecure", "secureClientPort")


def test_a_data_directory_that_cannot_be_made(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    done = run("serve", "--listen", "127.0.0.1:0", "--data", file / "data")
    assert_refused(done, ENVIRONMENT, file)
    assert_refused(run("serve", "--listen", "127.0.0.1:0", "--data", file), ENVIRONMENT, file)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_directory_without_permission(tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    assert_refused(run("serve", "--listen", "127.0.0.1:0", "--data", locked / "data"), ENVIRONMENT, locked)


def test_a_second_server_on_the_same_data(serve, tmp_path):
    first = serve("--listen", "127.0.0.1:0", "--data", tmp_path / "data")
    done = run("serve", "--listen", "127.0.0.1:0", "--data", tmp_path / "data")
    assert_refused(done, ENVIRONMENT, tmp_path / "data")
    assert first.connect().ping().err == OK


# ---- the configuration file

def test_the_document_of_the_keys_is_current():
    done = run("config", "document")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (ROOT / "docs" / "configuration.md").read_text()


def test_config_check(config, tmp_path):
    path = config("tickTime=700", "secretNot=1", "dataLogDir=/x", "ssl.keyStore.password=canary-1",
                  f"DigestAuthenticationProvider.superDigest={SUPER_DIGEST}")
    text, as_json = run("config", "check", path), run("config", "check", path, "--json")
    assert text.returncode == as_json.returncode == 0
    assert "tickTime=700\n" in text.stdout and "ssl.keyStore.password=(set)\n" in text.stdout
    assert json.loads(as_json.stdout)["tickTime"] == "700"
    assert "secretNot" in text.stderr and "dataLogDir is not honoured" in text.stderr
    for done in (text, as_json):
        assert "canary" not in done.stdout + done.stderr and SUPER_DIGEST not in done.stdout + done.stderr
    assert run("config", "check", config("tickTime=soon")).returncode == 2
    assert run("config", "check", tmp_path / "none").returncode == 1
    assert run("config", "check").returncode == run("config").returncode == 2


def test_definitions_win_over_the_file(serve, config):
    program = serve("--config", config("tickTime=1000"), "-D", "zookeeper.tickTime=500", "--memory", "--listen",
                    "127.0.0.1:0")
    assert program.connect(timeout=1).response.timeout == 1000


def test_a_bad_definition():
    done = run("serve", "--memory", "-D", "tickTime=soon")
    assert done.returncode == 2 and "-D: tickTime=soon: expected a whole number" in done.stderr


def test_unknown_keys_are_one_warning(serve, config):
    path = config("tickTime=2000", "nosuchKey=1", "another.unknown=x", "# noComment=1")
    program = serve("--config", path, "--memory", "--listen", "127.0.0.1:0")
    assert program.connect().ping().err == OK
    err = program.end()[2]
    warnings = [line for line in err.splitlines() if "nosuchKey" in line]
    assert len(warnings) == 1 and "another.unknown" in warnings[0]
    assert "tickTime" not in err and "noComment" not in err


def test_port_address_and_directory_from_the_file(serve, config, tmp_path):
    port = free_port()
    path = config(f"dataDir={tmp_path}/from-file", f"clientPort={port}", "clientPortAddress=127.0.0.1")
    program = serve("--config", path)
    assert program.address == ("127.0.0.1", port)
    assert program.connect().create("/a")[0] == OK
    assert (tmp_path / "from-file").is_dir()


def test_a_port_without_an_address(serve, config, tmp_path):
    port = free_port()
    program = serve("--config", config(f"dataDir={tmp_path}/data", f"clientPort={port}"))
    assert program.address[1] == port
    assert zkraw.Connection(("127.0.0.1", port)).ping().err == OK


def test_flags_win_over_the_file(serve, config, tmp_path):
    path = config(f"dataDir={tmp_path}/from-file", f"clientPort={free_port()}")
    program = serve("--config", path, "--data", tmp_path / "from-flag", "--listen", "127.0.0.1:0")
    assert program.address[1] != 0
    assert program.connect().create("/a")[0] == OK
    assert (tmp_path / "from-flag").is_dir() and not (tmp_path / "from-file").exists()


def test_memory_wins_over_the_file_too(serve, config, tmp_path):
    path = config(f"dataDir={tmp_path}/from-file")
    assert serve("--config", path, "--memory", "--listen", "127.0.0.1:0").connect().create("/a")[0] == OK
    assert not (tmp_path / "from-file").exists()


def test_a_java_properties_file(serve, config):
    """Spaces around, ':' as separator, '!' comments, continued lines, keys with escaped characters."""
    path = config("! a comment", "  tickTime = 1000  ", "maxSessionTimeout : 7000", "minSessionTimeout\\", "  =3000")
    client = serve("--config", path, "--memory", "--listen", "127.0.0.1:0").connect(timeout=60000)
    assert client.response.timeout == 7000


def test_tick_time_sets_the_session_timeouts(serve, config):
    program = serve("--config", config("tickTime=1000"), "--memory", "--listen", "127.0.0.1:0")
    assert program.connect(timeout=1).response.timeout == 2000
    assert program.connect(timeout=10**6).response.timeout == 20000


def test_super_digest_and_whitelist_from_the_file(serve, config):
    path = config(f"DigestAuthenticationProvider.superDigest={SUPER_DIGEST}", "4lw.commands.whitelist=ruok")
    program = serve("--config", path, "--memory", "--listen", "127.0.0.1:0")
    client = program.connect()
    assert client.create("/a", acl=[(0, "world", "anyone")])[0] == OK
    assert client.auth("digest", "super:test") == OK
    assert client.get("/a")[0] == OK
    assert zkraw.four_letters(program.address, "ruok") == "imok"


def test_without_force_sync_there_is_one_warning_and_data(serve, config, tmp_path):
    arguments = ["--config", config("forceSync=no"), "--data", tmp_path / "data", "--listen", "127.0.0.1:0"]
    program = serve(*arguments)
    assert program.connect().create("/a")[0] == OK
    code, _, err = program.end()
    assert code == 0
    assert len([line for line in err.splitlines() if "forceSync" in line]) == 1
    assert serve(*arguments).connect().exists("/a")[0] == OK


# ---- addresses

def test_the_line_with_the_address_is_all_that_is_printed(serve):
    program = serve("--memory", "--listen", "127.0.0.1:0")
    host, port = program.address
    assert host == "127.0.0.1" and port > 0
    program.connect().close_session()
    code, out, _ = program.end()
    assert (code, out) == (0, "")


def test_ipv6(serve):
    program = serve("--memory", "--listen", "[::1]:0")
    assert program.address[0] == "::1" and "[::1]:" in program.first_line
    client = program.connect()
    assert client.create("/a", acl=[(31, "ip", "127.0.0.1")])[0] == OK
    assert client.get("/a")[0] == zkraw.NO_AUTH


def test_a_unix_socket(serve, tmp_path):
    path = tmp_path / "socket"
    program = serve("--memory", "--listen", f"unix:{path}")
    assert program.address == str(path)
    assert program.connect().create("/a")[0] == OK
    assert program.end()[0] == 0
    assert not path.exists()


def test_a_unix_socket_left_by_a_crash_is_replaced(serve, tmp_path):
    path = tmp_path / "socket"
    serve("--memory", "--listen", f"unix:{path}").end(signal.SIGKILL)
    assert path.exists()
    assert serve("--memory", "--listen", f"unix:{path}").connect().ping().err == OK


def test_a_unix_socket_in_use_is_not_replaced(serve, tmp_path):
    path = tmp_path / "socket"
    program = serve("--memory", "--listen", f"unix:{path}")
    assert_refused(run("serve", "--memory", "--listen", f"unix:{path}"), ENVIRONMENT, path)
    assert program.connect().ping().err == OK


def test_a_file_in_the_place_of_the_unix_socket_is_kept(tmp_path):
    path = tmp_path / "precious"
    path.write_text("content")
    assert_refused(run("serve", "--memory", "--listen", f"unix:{path}"), ENVIRONMENT, path)
    assert path.read_text() == "content"


def test_several_addresses(serve, tmp_path):
    path = tmp_path / "socket"
    program = serve("--memory", "--listen", "127.0.0.1:0", "--listen", "[::1]:0", "--listen", f"unix:{path}")
    for word in ("127.0.0.1:", "[::1]:", f"unix:{path}"):
        assert word in program.first_line
    assert zkraw.Connection(str(path)).create("/a")[0] == OK


# ---- life

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_with_0(serve, tmp_path, number):
    program = serve("--listen", "127.0.0.1:0", "--data", tmp_path / "data")
    client = program.connect()
    assert client.create("/a")[0] == OK
    assert program.end(number)[0] == 0
    assert client.is_closed()


def test_many_signals_end_it_with_0_too(serve, tmp_path):
    program = serve("--listen", "127.0.0.1:0", "--data", tmp_path / "data")
    assert program.connect().create("/a")[0] == OK
    deadline = time.monotonic() + 20
    while program.process.poll() is None and time.monotonic() < deadline:
        program.process.send_signal(signal.SIGTERM)
        time.sleep(0.0002)
    assert program.end()[0] == 0


def test_a_signal_while_it_works_ends_it_cleanly(serve, tmp_path):
    arguments = ("--listen", "127.0.0.1:0", "--data", tmp_path / "data")
    program = serve(*arguments)
    client = program.connect()
    for number in range(2000):
        client.post(zkraw.CREATE, zkraw.create_body(f"/n{number:04}"))
    assert client.reply().err == OK
    program.process.send_signal(signal.SIGTERM)
    answered = 1
    try:
        while client.reply().err == OK:
            answered += 1
    except zkraw.Closed:
        pass
    assert program.end()[0] == 0
    assert len(serve(*arguments).connect().children("/")[1]) >= answered + 1


def test_memory_leaves_nothing_on_disk(serve, tmp_path):
    program = serve("--memory", "--listen", "127.0.0.1:0", cwd=tmp_path)
    client = program.connect()
    for number in range(100):
        assert client.create(f"/n{number}", b"x" * 1000)[0] == OK
    assert program.end()[0] == 0
    assert os.listdir(tmp_path) == []


def test_the_data_directory_is_private(serve, tmp_path):
    data = tmp_path / "data"
    program = serve("--listen", "127.0.0.1:0", "--data", data)
    assert program.connect().create("/a")[0] == OK
    assert data.stat().st_mode & 0o777 == 0o700
    files = [path for path in data.rglob("*") if path.is_file()]
    assert files and all(path.stat().st_mode & 0o077 == 0 for path in files)


def test_stdout_may_be_closed(tmp_path):
    """A supervisor that does not listen does no harm."""
    port = free_port()
    process = subprocess.Popen([BINARY, "serve", "--memory", "--listen", f"127.0.0.1:{port}"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    process.stdout.close()
    try:
        def answers():
            assert process.poll() is None
            try:
                return zkraw.Connection(("127.0.0.1", port)).ping().err == OK
            except ConnectionError:
                return False
        wait_until(answers)
    finally:
        process.kill()
        process.wait()


def test_it_raises_its_limit_of_open_files(tmp_path):
    server = Server(tmp_path, wrapper=["prlimit", "--nofile=256:2048"]).start()
    try:
        limits = pathlib.Path(f"/proc/{server.pid()}/limits").read_text()
        line = next(line for line in limits.splitlines() if line.startswith("Max open files"))
        assert line.split()[3:5] == ["2048", "2048"]
    finally:
        server.kill()


@pytest.mark.parametrize("level", ["error", "warn", "info", "debug"])
def test_log_levels(serve, level):
    program = serve("--memory", "--listen", "127.0.0.1:0", "--log-level", level)
    program.connect().close_session()
    code, out, err = program.end()
    assert (code, out) == (0, "")
    if level in ("error", "warn"):
        assert err == ""
