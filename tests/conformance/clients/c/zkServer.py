#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for tests/zkServer.sh of ZooKeeper's C client: starts our server, or the real one, on the ports that its
tests name (22181, with TLS 22281), and returns when it answers.

    zkServer.sh startClean | start | startCleanReadOnly | stop
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
from clients import common  # noqa: E402

ADDRESS = ("127.0.0.1", int(os.environ.get("ZOOPORT", "22181")))
WORK = pathlib.Path(os.environ["FK_SHIM_WORK"])
TESTS = pathlib.Path(os.environ["FK_C_TESTS"])
CERTIFICATES = pathlib.Path("/tmp/certs")  # the tests name it
START_SECONDS = 60


def stop():
    pid = WORK / "zk.pid"
    if pid.exists():
        try:
            os.kill(int(pid.read_text()), signal.SIGKILL)
        except ProcessLookupError:
            pass
        pid.unlink()


def certificates():
    """By the suite's own script; once a run."""
    if not (WORK / "certificates").exists():
        shutil.rmtree(CERTIFICATES, ignore_errors=True)
        CERTIFICATES.mkdir(exist_ok=True)
        shutil.copy(TESTS.parent / "ssl" / "gencerts.sh", CERTIFICATES)
        subprocess.run(["bash", "gencerts.sh", "localhost"], cwd=CERTIFICATES, capture_output=True, check=True)
        for name in ("server", "servertrust"):  # Java's own format is not ours
            subprocess.run(["keytool", "-importkeystore", "-noprompt", "-srckeystore", f"{name}.jks", "-srcstorepass",
                            "password", "-destkeystore", f"{name}.p12", "-deststoretype", "PKCS12", "-deststorepass",
                            "password"], cwd=CERTIFICATES, capture_output=True, check=True)
        (WORK / "certificates").touch()


def configuration(read_only):
    text = (TESTS / "zoo.cfg").read_text()
    for name, value in {"TMPDIR": str(WORK), "CERTDIR": str(CERTIFICATES), "CLIENTPORT": str(ADDRESS[1]),
                        "MAXCLIENTCONNECTIONS": os.environ.get("ZKMAXCNXNS", "100")}.items():
        text = text.replace(name, value)
    text += "extendedTypesEnabled=true\nznode.container.checkIntervalMs=100\n4lw.commands.whitelist=*\n"
    if common.REAL:
        text += "admin.enableServer=false\n"
    else:
        text = text.replace(".jks", ".p12")
    if read_only and common.REAL:  # one of three servers is one without a quorum
        text += "readonlymode.enabled=true\n" + "".join(f"server.{n}=localhost:2288{n}:3388{n}\n" for n in (1, 2, 3))
        (WORK / "zkdata" / "myid").write_text("1\n")
    file = WORK / "zoo.cfg"
    file.write_text(text)
    return file


def answers():
    try:
        return "Zookeeper version" in common.server_module.zkraw.four_letters(ADDRESS, "srvr", 1)
    except OSError:
        return False


def start(verb):
    read_only = verb == "startCleanReadOnly"
    if verb != "start":
        shutil.rmtree(WORK / "zkdata", ignore_errors=True)
    (WORK / "zkdata").mkdir(parents=True, exist_ok=True)
    certificates()
    file = configuration(read_only)
    if common.REAL:
        line = common.oracle.command(file, ["znode.container.checkIntervalMs=100"] +
                                     (["readonlymode.enabled=true"] if read_only else []), memory="256m")
    else:
        # By its port alone ours listens on 127.0.0.1; a test comes by IPv6.
        listen = [f"127.0.0.1:{ADDRESS[1]}", f"[::1]:{ADDRESS[1]}"]
        line = [os.environ["FK_BINARY"], "serve", "--config", file, *(["--read-only"] if read_only else []),
                *(word for address in listen for word in ("--listen", address))]
    with open(WORK / "server.log", "ab") as log:
        process = subprocess.Popen([str(word) for word in line], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    (WORK / "zk.pid").write_text(str(process.pid))
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            print(f"zkServer.sh (shim): the server does not answer ({process.poll()})", file=sys.stderr)
            return 1
        time.sleep(0.1)
    return 0


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    verb = sys.argv[1]
    stop()
    if verb == "stop":
        return 0
    if verb not in ("start", "startClean", "startCleanReadOnly"):
        print(f"zkServer.sh (shim): {verb}: no such verb", file=sys.stderr)
        return 2
    return start(verb)


if __name__ == "__main__":
    sys.exit(main())
