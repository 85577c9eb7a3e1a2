# SPDX-License-Identifier: Apache-2.0
"""The audit log: ours beside that of the real ZooKeeper 3.9.4, line by line, for the same requests."""
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import sys

import pytest
import server as server_module
import zkraw

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "conformance"))
import oracle  # noqa: E402 (the path above)

LOGGER = "org.apache.zookeeper.audit.Slf4jAuditLogger"
OURS = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO o\.a\.z\.a\.Slf4jAuditLogger: (.*)$")
DIGEST_ACL = [(zkraw.ALL, "digest", zkraw.digest_id("bob:secret"))]


def requests(address):
    """What both servers are asked; the session's id."""
    with_user = zkraw.Connection(address)
    assert with_user.auth("digest", b"bob:secret") == zkraw.OK
    with_user.create("/a", b"x")
    with_user.create("/a")  # exists
    with_user.create("/a/e", flags=1)
    with_user.create("/a/s-", flags=2)
    with_user.create("/no/parent")
    with_user.set("/a", b"y")
    with_user.set("/none", b"y")
    with_user.set("/a", b"y", 77)
    with_user.set_acl("/a", DIGEST_ACL)
    with_user.delete("/none")
    with_user.delete("/a")  # not empty
    with_user.create("/a/d")
    with_user.delete("/a/d")
    with_user.multi((zkraw.CREATE, zkraw.create_body("/m")), (zkraw.CREATE2, zkraw.create_body("/m/s-", flags=2)),
                    (zkraw.SET_DATA, zkraw.ustring("/m") + zkraw.buffer(b"z") + zkraw.int32(-1)),
                    (zkraw.DELETE, zkraw.ustring("/a/e") + zkraw.int32(-1)))
    with_user.multi((zkraw.CREATE, zkraw.create_body("/n")), (zkraw.CHECK, zkraw.ustring("/none") + zkraw.int32(0)))
    with_user.create("/e2", flags=1)
    session = with_user.session
    with_user.close_session()
    return session


def ours(start_server, tmp_path):
    path = tmp_path / "audit.log"
    running = start_server({"audit.enable": "true", "audit.file": str(path)})
    session = requests(running.address)
    assert running.stop() == 0
    lines = [OURS.match(line) for line in path.read_text().splitlines()]
    assert all(lines), path.read_text()
    return [normal(line.group(1), session) for line in lines]


def theirs(tmp_path):
    data = tmp_path / "oracle"
    data.mkdir()
    port = server_module.free_port()
    config = data / "zoo.cfg"
    config.write_text(f"dataDir={data}\nclientPort={port}\nclientPortAddress=127.0.0.1\ntickTime=2000\n"
                      "admin.enableServer=false\n4lw.commands.whitelist=*\n")
    command = oracle.command(config, ["zookeeper.audit.enable=true", f"org.slf4j.simpleLogger.log.{LOGGER}=info"])
    with open(data / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=data)
    try:
        server_module.wait_until(lambda: answers(port), 60, "ZooKeeper answers")
        session = requests(("127.0.0.1", port))
    finally:
        process.terminate()
        process.wait(20)
    found = re.findall(rf"{re.escape(LOGGER)} - (.*)", (data / "log").read_text())
    return [normal(line, session) for line in found]


def answers(port):
    try:
        return zkraw.four_letters(("127.0.0.1", port), "srvr", 1).startswith("Zookeeper version")
    except OSError:
        return False


def normal(line, session):
    """Without what differs by nature: the session's number, the order of users (ZooKeeper's is a hash table's), and
    the hashes of an ACL, which ZooKeeper shows and we do not."""
    line = line.replace(f"0x{session:x}", "0xS")
    line = re.sub(r"user=(\S+)", lambda found: "user=" + ",".join(sorted(found.group(1).split(","))), line)
    return re.sub(r"(digest:[^:\t]+):[^:\t]+:", r"\1:x:", line)


@pytest.mark.only_ours("3.9.4 is started by the test itself")
@pytest.mark.skipif(not (shutil.which("java") and shutil.which("mvn")), reason="SKIPPED: no Java or Maven here")
def test_lines_are_zookeepers(start_server, tmp_path):
    assert ours(start_server, tmp_path) == theirs(tmp_path)


@pytest.mark.only_ours("format and file are ours")
def test_lines_as_they_are(start_server, tmp_path):
    user = pwd.getpwuid(os.geteuid()).pw_name
    lines = ours(start_server, tmp_path)
    assert lines[0] == f"user={user}\toperation=serverStart\tresult=success"
    assert lines[1] == ("session=0xS\tuser=127.0.0.1,bob\tip=127.0.0.1\toperation=create\tznode=/a\t"
                        "znode_type=persistent\tresult=success")
    assert lines[-2] == (f"session=0xS\tuser={user}\toperation=ephemeralZNodeDeletionOnSessionCloseOrExpire\t"
                         "znode=/e2\tresult=success")
    assert lines[-1] == f"user={user}\toperation=serverStop\tresult=invoked"


@pytest.mark.only_ours("our message")
def test_a_file_that_can_not_be_written(tmp_path):
    done = subprocess.run([server_module.BINARY, "serve", "--memory", "--listen", "127.0.0.1:0", "-D",
                           "audit.enable=true", "-D", "audit.file=/nowhere/audit.log"], cwd=tmp_path,
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1 and "/nowhere/audit.log" in done.stderr
