# SPDX-License-Identifier: Apache-2.0
"""What the scripts here share: they run functions and count them, as tests/run.py wants it."""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("FK_BINARY", ROOT / "build" / "faaskeeper"))
START_SECONDS = 30


class Skip(Exception):
    """The reason why a check can't be made here."""


def run(*words, **options):
    """The finished process; its output stands in the message where it failed."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{words[0]} ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}"
    return done


def answers_of(command, **options):
    """What a server started by `command` answers to ruok and srvr; it is stopped, and must end with 0.

    The command's server listens on {socket}."""
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/socket"
        words = [str(word).replace("{socket}", path) for word in command]
        server = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, **options)
        try:
            line = server.stdout.readline()
            assert line.startswith("serving on"), line + server.stderr.read()
            words = [ask(line.split()[2], word) for word in ("ruok", "srvr")]
            server.send_signal(signal.SIGTERM)
            assert server.wait(START_SECONDS) == 0, server.stderr.read()
            return words
        finally:
            server.kill()
            server.communicate()


def ask(address, word):
    """A four-letter word's answer; unix:PATH or HOST:PORT."""
    deadline = time.monotonic() + START_SECONDS
    local = address.startswith("unix:")
    with socket.socket(socket.AF_UNIX if local else socket.AF_INET) as client:
        client.settimeout(deadline - time.monotonic())
        client.connect(address[5:] if local else (address.rsplit(":", 1)[0], int(address.rsplit(":", 1)[1])))
        client.sendall(word.encode())
        answer = b""
        while True:
            data = client.recv(65536)
            if not data:
                return answer.decode()
            answer += data


def main(*checks):
    """Runs them; never returns."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for check in checks:
        try:
            check()
            counts["passed"] += 1
        except Skip as reason:
            counts["skipped"] += 1
            print(f"SKIPPED {check.__name__}: {reason}")
        except Exception as problem:  # whatever it is, it failed
            counts["failed"] += 1
            traceback.print_exc(file=sys.stdout)
            print(f"FAILED {check.__name__}: {str(problem)[:500]}")
        sys.stdout.flush()
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    sys.exit(1 if counts["failed"] else 0)
