# SPDX-License-Identifier: Apache-2.0
"""What the scripted tests of applications share: the server, waiting, steps that build on each other."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "conformance"))
from clients import common  # noqa: E402

Server = common.Server
free_port = common.server_module.free_port


def wait_for(condition, seconds, what):
    """Polls until condition() is true; its value. What it raises counts as not yet, and is told at the end."""
    deadline = time.monotonic() + seconds
    problem = ""
    while True:
        try:
            value = condition()
            if value:
                return value
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            problem = f": {error}"
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s{problem}"
        time.sleep(0.3)


class Program:
    """A process of an application, as another user where it refuses root; its output goes to a file."""

    def __init__(self, name, line, directory, user=None, env=None):
        self.name, self.line, self.directory, self.user, self.env = name, line, pathlib.Path(directory), user, env
        self.process = None

    def start(self):
        with open(self.directory / f"{self.name}.log", "ab") as log:
            who = {"user": self.user, "group": self.user, "extra_groups": []} if self.user and os.getuid() == 0 else {}
            self.process = subprocess.Popen([str(word) for word in self.line], cwd=self.directory, env=self.env,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                            **who)
        return self

    def log(self):
        return (self.directory / f"{self.name}.log").read_text(errors="replace")

    def end(self, number=signal.SIGTERM, seconds=60, group=False):
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.process.pid, number)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise AssertionError(f"{self.name} does not end") from None
        finally:
            self.process = None


def give_to(user, *directories):
    """The software refuses root, or should: its files are its user's."""
    if os.getuid() == 0:
        for directory in directories:
            shutil.chown(directory, user, user)


def run(what, session):
    """Runs the steps, the methods step_*, in their order; after one that fails the rest are skipped. The exit code."""
    passed = failed = skipped = 0
    for name in [name for name in vars(type(session)) if name.startswith("step_")]:
        text = name[len("step_"):].replace("_", " ")
        if failed:
            print(f"SKIPPED {what} {text}: an earlier step failed", flush=True)
            skipped += 1
            continue
        began = time.monotonic()
        try:
            getattr(session, name)()
        except (AssertionError, OSError, subprocess.SubprocessError) as problem:
            line = traceback.extract_tb(problem.__traceback__)[-1].line
            print(f"FAILED {what} {text}: {type(problem).__name__}: {problem} in: {line}", flush=True)
            failed += 1
        else:
            print(f"passed  {time.monotonic() - began:5.1f} s  {text}", flush=True)
            passed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0
