# SPDX-License-Identifier: Apache-2.0
"""The log of the process: JSON lines, files and their rotation, limits, what stands in it."""
import json
import os
import re
import signal
import subprocess

import pytest
import zkraw
from server import BINARY, wait_until

pytestmark = pytest.mark.only_ours("the log is ours")

TS = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def records(text):
    lines = [json.loads(line) for line in text.splitlines()]
    assert all(TS.match(line["ts"]) and line["level"] in ("error", "warn", "info", "debug") and line["module"]
               for line in lines), text
    return lines


def messages(text):
    return [line["msg"] for line in records(text)]


def test_json_tells_start_and_stop(start_server):
    server = start_server({"log.format": "json"})
    client = server.connect()
    client.create("/a")
    client.close_session()
    assert server.stop() == 0
    lines = records(server.stderr())
    starting, serving, stopping, stopped = [line for line in lines if line["module"] in ("host", "cli")]
    assert starting["msg"] == "starting" and starting["data"] == str(server.data) and starting["version"]
    assert serving["msg"] == "serving" and serving["addresses"].endswith(f":{server.address[1]}")
    assert stopping["reason"] == "SIGTERM" and stopping["zxid"] == "0x3"
    assert stopped["msg"] == "stopped" and isinstance(stopped["pid"], int)


def test_rotation(start_server, tmp_path):
    log, moved = tmp_path / "server.log", tmp_path / "server.log.1"
    server = start_server({"log.file": str(log), "log.format": "json"})
    wait_until(lambda: log.exists() and "serving" in log.read_text())
    assert os.stat(log).st_mode & 0o777 & ~0o640 == 0
    log.rename(moved)
    server.process.send_signal(signal.SIGHUP)
    wait_until(log.exists, what="the file is opened again")
    assert server.stop() == 0
    assert {"starting", "serving"} <= set(messages(moved.read_text()))
    assert messages(log.read_text())[-2:] == ["stopping", "stopped"]
    assert server.stderr() == ""


def test_one_place_does_not_flood(start_server):
    server = start_server({"log.format": "json"})
    for _ in range(80):
        with zkraw.open_socket(server.address) as sock:
            sock.sendall(zkraw.frame(zkraw.connect_request(last_zxid=1 << 40)))
            assert sock.recv(1) == b""
    assert server.stop() == 0
    lines = records(server.stderr())
    assert sum(line["msg"].startswith("connection refused") for line in lines) == 50
    told = [line for line in lines if line["msg"] == "lines like one before were suppressed"]
    assert [line["lines"] for line in told] == [30] and "local_session.c:" in told[0]["source"]


def test_a_full_disk_stops_nobody(start_server):
    server = start_server({"log.file": "/dev/full"})
    client = server.connect()
    assert client.create("/a") == (zkraw.OK, "/a")
    client.close_session()
    assert server.stop() == 0


def test_a_reader_that_sleeps_stops_nobody(tmp_path):
    """Standard error is a pipe that nobody reads: more than it holds is logged."""
    process = subprocess.Popen([BINARY, "serve", "--memory", "--listen", f"unix:{tmp_path}/s", "--log-level", "debug"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout.readline().startswith(b"serving on")
        for _ in range(200):
            with zkraw.open_socket(f"{tmp_path}/s") as sock:
                sock.sendall(zkraw.frame(zkraw.connect_request(last_zxid=1 << 40)))
                assert sock.recv(1) == b""
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()


@pytest.mark.parametrize("arguments, code, words", [
    (["--log-file", "/nowhere/x.log"], 1, ["/nowhere/x.log", "No such file"]),
    (["--log-format", "xml"], 2, ["--log-format", "text or json", "xml"]),
    (["-D", "log.level=loud"], 2, ["log.level", "loud", "error, warn, info or debug"]),
])
def test_what_can_not_be(tmp_path, arguments, code, words):
    done = subprocess.run([BINARY, "serve", "--memory", "--listen", "127.0.0.1:0", *arguments], cwd=tmp_path,
                          capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (code, "")
    assert all(word in done.stderr for word in words) and done.stderr.count("\n") == 1, done.stderr


def test_failed_authentication_has_no_secret(start_server):
    server = start_server({"log.format": "json"})
    client = server.connect()
    with pytest.raises((zkraw.Closed, AssertionError, OSError)):
        client.auth("nosuch", "bob:hunter2")
        client.create("/a")
        raise zkraw.Closed()
    assert server.stop() == 0
    security = [line for line in records(server.stderr()) if line["module"] == "security"]
    failed = next(line for line in security if line["msg"] == "authentication failed")
    assert failed["address"] == "127.0.0.1" and failed["scheme"] == "nosuch" and failed["session"].startswith("0x1")
    assert "hunter2" not in server.stderr()
