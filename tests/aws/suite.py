# SPDX-License-Identifier: Apache-2.0
"""What the runners of tests/aws share: cases, their report, a proxy as a process."""
import contextlib
import json
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "chaos"), str(HERE.parent / "e2e")]
import cloud  # noqa: E402
import install  # noqa: E402
from life import BINARY, Failure, Report, Skip, scratch, wait_until  # noqa: E402, F401


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that emulators are ended


def expect(condition, text):
    if not condition:
        raise Failure(text)


def in_boto_python(name):
    """Goes on in the Python that has boto3; where it cannot be installed the whole suite is one skip, with the reason."""
    try:
        cloud.in_our_python()
    except install.Missing as error:
        report = Report()
        report.skip(f"aws/{name}: the test cloud cannot be installed: {error}")
        report.finish()
        sys.exit(0)


def run_cases(suite, cases, words, report=None):
    """Runs the functions {name: case} that the words name, or all; the exit code."""
    own = report or Report(late=True)
    for name in words or cases:
        if name not in cases:
            print(f"no case is called {name}; there are: {' '.join(cases)}", file=sys.stderr)
            return 2
        began = time.monotonic()
        try:
            cases[name]()
            own.ok()
            print(f"{name}: {time.monotonic() - began:.1f} s", flush=True)
        except (Skip, install.Missing) as reason:
            own.skip(f"aws/{suite}/{name}: {reason}")
        except Exception as error:  # whatever it is, the case failed and the others go on
            own.fail(f"aws/{suite}/{name}: {type(error).__name__}: {error}")
    return own.finish() if report is None else 0


def cases_of(names):
    """The functions case_NAME among the globals of a runner."""
    return {name[len("case_"):]: case for name, case in names.items() if name.startswith("case_")}


CONTROL_SECONDS = 60  # the proxy looks through all processes of the machine before it stops one


class Proxy:
    """proxy.py before an emulator."""

    def __init__(self, upstream, seed=1):
        self.process = subprocess.Popen([sys.executable, str(HERE / "proxy.py"), "--upstream", upstream, "--seed", str(seed)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.urls = json.loads(self.process.stdout.readline())

    def plan(self, *rules):
        """Sets the rules; none: everything passes."""
        request = urllib.request.Request(self.urls["control"] + "/plan", data=json.dumps(rules).encode(), method="PUT")
        with urllib.request.urlopen(request, timeout=CONTROL_SECONDS):
            pass

    def counts(self):
        with urllib.request.urlopen(self.urls["control"] + "/counts", timeout=CONTROL_SECONDS) as answer:
            return json.load(answer)

    def injected(self):
        """{fault: times} so far."""
        totals = {}
        for what, count in self.counts().items():
            if what.startswith("injected "):
                fault = what.split()[1]
                totals[fault] = totals.get(fault, 0) + count
        return totals

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
