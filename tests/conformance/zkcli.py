#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The Java client, zkCli.sh of Debian's zookeeper, scripted against our server.

    zkcli.py

Each case is a command typed into one running zkCli.sh and what it must print. FK_BINARY names our program
(default: build/faaskeeper); FK_CONFORMANCE_SERVER=zookeeper runs the cases against the real server.
Last line: N passed, N failed, N skipped.
"""
import os
import pathlib
import re
import select
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
if os.environ.get("FK_CONFORMANCE_SERVER") == "zookeeper":
    os.environ["FK_E2E_SERVER"] = "zookeeper"
import server as server_module  # noqa: E402  (after the environment that it reads)
import zkraw  # noqa: E402

ZKCLI = "/usr/share/zookeeper/bin/zkCli.sh"
END_OF_OUTPUT = "ZooKeeper CLI version:"  # what `version` prints; sent after each command
WAIT_SECONDS = 30

STAT = r"cZxid = 0x[0-9a-f]+\nctime = .+\nmZxid = 0x[0-9a-f]+\nmtime = .+\npZxid = 0x[0-9a-f]+\n"


def stat(cversion, version, aversion, owner, length, children):
    return (STAT + rf"cversion = {cversion}\ndataVersion = {version}\naclVersion = {aversion}\n"
            rf"ephemeralOwner = {owner}\ndataLength = {length}\nnumChildren = {children}\n")


SECRET_ID = zkraw.digest_id("u:p")

# command, a pattern for the whole of its output
CASES = [
    ("ls /", r"\[zookeeper\]\n"),
    ("create /cli \"some data\"", r"Created /cli\n"),
    ("create /cli again", r"Node already exists: /cli\n"),
    ("get -s /cli", r"some data\n" + stat(0, 0, 0, "0x0", 9, 0)),
    ("create -s -e /cli/seq- payload", r"Created /cli/seq-0000000000\n"),
    ("create -s -e /cli/seq- payload", r"Created /cli/seq-0000000001\n"),
    ("create -e /cli/seq-0000000000/x y", r"Ephemerals cannot have children: /cli/seq-0000000000/x\n"),
    ("create /cli/none/x y", r"Node does not exist: /cli/none/x\n"),
    ("get -s /cli/seq-0000000000", r"payload\n" + stat(0, 0, 0, "0x[0-9a-f]{6,16}", 7, 0)),
    ("ls -s /cli", r"\[seq-0000000000, seq-0000000001\]" + "\n?" + stat(2, 0, 0, "0x0", 9, 2)),
    ("get -w /cli", r"some data\n"),
    ("set /cli \"new data\"", "", r"WatchedEvent state:SyncConnected type:NodeDataChanged path:/cli\b"),
    ("get /cli", r"new data\n"),
    ("set -v 7 /cli x", r"version No is not valid : /cli\n"),
    ("set -s -v 1 /cli third", stat(2, 2, 0, "0x0", 5, 2)),
    ("stat -w /cli/later", r"Node does not exist: /cli/later\n"),
    ("ls -w /cli", r"\[seq-0000000000, seq-0000000001\]\n"),
    ("create /cli/later", r"Created /cli/later\n",
     r"type:NodeCreated path:/cli/later\b(?s:.*)type:NodeChildrenChanged path:/cli\b"),
    ("stat /cli", stat(3, 2, 0, "0x0", 5, 3)),
    ("getAcl /cli", r"'world,'anyone\n: cdrwa\n"),
    ("setAcl /cli world:anyone:cdra", ""),
    ("getAcl -s /cli", r"'world,'anyone\n: cdra\n" + stat(3, 2, 1, "0x0", 5, 3)),
    ("set /cli denied", r"Insufficient permission : /cli\n"),
    ("addauth digest u:p", ""),
    (f"create /cli/secret hush digest:{SECRET_ID}:ra", r"Created /cli/secret\n"),
    ("get /cli/secret", r"hush\n"),
    ("getAcl /cli/secret", rf"'digest,'{re.escape(SECRET_ID)}\n: ra\n"),
    ("delete /cli", r"Node not empty: /cli\n"),
    ("delete -v 3 /cli/later", r"version No is not valid : /cli/later\n"),
    ("delete /cli/later", ""),
    ("delete /nosuch", r"Node does not exist: /nosuch\n"),
    ("ls -R /cli", r"/cli\n/cli/secret\n/cli/seq-0000000000\n/cli/seq-0000000001\n"),
    ("sync /", r"Sync is OK\n"),
    ("create /quota abc", r"Created /quota\n"),
    ("setquota -n 5 /quota", ""),
    ("create /quota/a 12", r"Created /quota/a\n"),
    ("listquota /quota", r"absolute path is /zookeeper/quota/quota/zookeeper_limits\n"
     r"Output quota for /quota count=5,bytes=-1\S*\nOutput stat for /quota count=2,bytes=5\n"),
    ("delquota /quota", ""),
    ("listquota /quota", r"absolute path is /zookeeper/quota/quota/zookeeper_limits\nquota for /quota does not exist.\n"),
    ("create -c /quota/container", r"Created /quota/container\n"),
    ("create -t 5000 /quota/ttl", r"KeeperErrorCode = Unimplemented for /quota/ttl\n"),
    ("config", r"\n"),
    ("reconfig -remove 1", r"KeeperErrorCode = Reconfig is disabled\n"),
    ("deleteall /quota", ""),
    ("deleteall /cli", ""),
    ("ls /", r"\[zookeeper\]\n"),
]


class ZkCli:
    """One running zkCli.sh, spoken to a command at a time."""

    def __init__(self, address):
        command = [ZKCLI, "-waitforconnection", "-timeout", "20000", "-server", "%s:%d" % address]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, cwd="/")
        self.unread = ""
        self.whole = ""

    def read_until(self, done):
        """Reads until done(text read so far) gives (text to return, text left); '' and all at the end."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            found = done(self.unread)
            if found:
                text, self.unread = found
                return text
            left = deadline - time.monotonic()
            part = b""
            if left > 0 and select.select([self.process.stdout], [], [], left)[0]:
                part = os.read(self.process.stdout.fileno(), 65536)
            if not part:
                raise AssertionError(f"zkCli.sh printed no answer; the last of it: {self.unread[-500:]!r}")
            self.unread += part.decode()
            self.whole += part.decode()

    def command(self, line):
        """Types the line; what was printed until the next prompt's worth of output."""
        self.process.stdin.write(f"{line}\nversion\n".encode())
        self.process.stdin.flush()

        def done(text):
            at = text.find(END_OF_OUTPUT)
            end = text.find("\n", at)
            return (text[:at], text[end + 1:]) if at >= 0 and end >= 0 else None

        return self.read_until(done)

    def wait_for(self, pattern, since):
        """Waits until the pattern is in what was printed after `since` characters."""
        self.read_until(lambda text: ("", text) if re.search(pattern, self.whole[since:]) else None)

    def quit(self):
        self.process.stdin.write(b"quit\n")
        self.process.stdin.close()
        code = self.process.wait(WAIT_SECONDS)
        return code


def without_events(text):
    """Watch events are printed by another thread, whenever they come: either half may stand in another command's output."""
    return re.sub(r"\n?WATCHER::\n|\n?WatchedEvent .*\n", "", text)


def run_case(cli, command, pattern, event=None):
    since = len(cli.whole)
    output = without_events(cli.command(command))
    if not re.fullmatch(pattern, output):
        return f"printed {output!r}, want {pattern!r}"
    if event:
        cli.wait_for(event, since)
    return None


def run_all(address):
    """(passed, failed)"""
    passed = failed = 0
    cli = ZkCli(address)
    try:
        cli.command("")  # the greeting
        for case in CASES:
            try:
                problem = run_case(cli, *case)
            except AssertionError as error:
                problem = str(error)
            if problem:
                print(f"FAILED zkcli `{case[0]}`: {problem}")
            passed, failed = passed + (not problem), failed + bool(problem)
        code = cli.quit()
        if code:
            print(f"FAILED zkcli `quit`: exit code {code}")
        passed, failed = passed + (not code), failed + bool(code)
    finally:
        if cli.process.poll() is None:
            cli.process.kill()
        cli.process.wait()
    return passed, failed


def main():
    if not os.path.exists(ZKCLI):
        print(f"zkcli.py: no {ZKCLI}: install the package zookeeper")
        return 1
    with tempfile.TemporaryDirectory(prefix="fk-zkcli-") as directory:
        one = server_module.Server(directory).start()
        try:
            passed, failed = run_all(one.address)
            # After quit the ephemerals are gone at once: the session was closed, not left.
            names = one.connect().children("/")[1]
            if names != ["zookeeper"]:
                print(f"FAILED zkcli: left behind: {names}")
                failed += 1
        finally:
            one.kill()
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
