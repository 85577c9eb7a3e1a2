#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of a build and prints one table; the runner behind `make test`.

    tests/run.py [--build DIR] [--with asan|tsan]... [--suite NAME]... [--list]

Suites: the test executables that meson knows (unit, contract, ...), the files of
tests/e2e by pytest, the scripts of tests/conformance, and every executable tests/*/run-NAME. A script's last line
is `N passed, N failed, N skipped`; it names each failure and each skip on a line that begins with FAILED or SKIPPED.
--with asan adds the executables of build-asan and the files of tests/e2e against its server; --with tsan those of
build-tsan that have threads in them. --suite takes a name or the first part of one: `--suite e2e`, `--suite e2e/watches`.

Output of each suite: DIR/test-logs. A suite that is missing is a failure, and so is one that ran nothing.
Last line: N passed, N failed, N skipped. Exit code 1 when something failed or nothing passed.
"""
import argparse
import collections
import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
PYTHON = "/usr/bin/python3"
SUITE_SECONDS = int(os.environ.get("FK_SUITE_SECONDS", "1500"))  # at most, for one suite
SUITES_AT_ONCE = 2  # of those that may run beside others: what they time allows for one more, not for many
LAST_LINE = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")
# What must be there; the rest is found.
REQUIRED = ("unit", "contract", "e2e/handshake", "e2e/nodes", "e2e/errors", "e2e/acl", "e2e/multi", "e2e/watches",
            "e2e/sessions", "e2e/fourletter", "e2e/garbage", "e2e/cve", "e2e/cli", "scale/scale", "conformance/kazoo-2.8",
            "conformance/kazoo-2.11", "conformance/zkcli", "conformance/sidebyside", "chaos/crash", "chaos/faults",
            "sim/seeds", "sim/golden", "sim/determinism", "porcupine/porcupine", "tidy/tidy", "e2e/systemd",
            "cloud/e2e/nodes", "cloud/e2e/sessions", "cloud/e2e/watches", "cloud/e2e/cloud", "pipeline/e2e/nodes",
            "paper/paper",
            "packaging/program", "packaging/deb", "packaging/oci", "aws/proxy", "aws/contract", "aws/lambda", "aws/rie",
            "aws/deploy", "aws/sigv4", "aws/meter", "aws/sidebyside", "aws/kazoo", "aws/faults")


class Result:
    """Counts of one suite, and what a reader must know about failures and skips."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.skips = []
        self.seconds = 0.0

    def fail(self, text):
        self.failed += 1
        self.failures.append(text)

    def skip(self, text):
        self.skipped += 1
        self.skips.append(text)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures
        self.skips += other.skips


_running = set()


def run_process(command, log, cwd, env=None, seconds=SUITE_SECONDS):
    """Runs a command in a process group of its own, output to the file log; its exit code, None when it was ended."""
    with open(log, "wb") as out:
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=subprocess.STDOUT, cwd=cwd, env={**os.environ, **(env or {})},
                                   start_new_session=True)
        _running.add(process)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            end_group(process)


def end_group(process):
    """Ends what the command left behind, servers of a test that was ended for instance."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    _running.discard(process)


def on_signal(number, frame):
    for process in list(_running):
        end_group(process)
    print(f"ended by signal {number}", flush=True)
    os._exit(1)


def tail(log, lines=30):
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


# ---- test executables of meson

def read_tap(text, name, code):
    """Counts the cases of TAP output; an executable that prints none is one case, judged by its exit code."""
    result = Result()
    lines = text.splitlines()
    planned = sum(int(line[3:]) for line in lines if re.fullmatch(r"1\.\.\d+", line))
    for at, line in enumerate(lines):
        found = re.match(r"(ok|not ok) \d+\s*(?:- )?(.*)", line)
        if not found:
            continue
        skip = re.search(r"#\s*SKIP\b\s*(.*)", found[2], re.IGNORECASE)
        if skip:
            case = found[2].split("# SKIP")[0].strip() or skip[1]
            told = [more[len("# skipped: "):] for more in lines[max(0, at - 3):at] if more.startswith("# skipped: ")]
            result.skip(f"{name} {case}: " + (told[-1] if told else "no reason given"))
        elif found[1] == "ok":
            result.passed += 1
        else:
            told = [more for more in lines[max(0, at - 4):at + 8] if more.startswith("#") or "error" in more.lower()]
            result.fail(f"{name}: {found[2]}\n" + "\n".join(told))
    counted = result.passed + result.failed + result.skipped
    if not planned and not counted:
        if code == 0:
            result.passed = 1
        elif code == 77:  # meson: skipped
            result.skip(f"{name}: {text.strip().splitlines()[-1] if text.strip() else 'no reason given'}")
    if counted < planned:
        result.fail(f"{name}: {planned - counted} of {planned} cases did not run")
        result.failed += planned - counted - 1
    if code not in (0, 77) and not result.failed:
        result.fail(f"{name}: " + ("no end in time" if code is None else f"exit code {code}"))
        result.failures[-1] += "\n" + "\n".join(lines[-20:])
    return result


class Executables:
    """All test executables of one meson suite; it runs several at once by itself."""

    beside = False

    def __init__(self, name, tests):
        self.name, self.tests = name, tests

    def run(self, logs):
        total = Result()
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            for result in pool.map(lambda test: self.run_one(test, logs), self.tests):
                total.add(result)
        return total

    def run_one(self, test, logs):
        log = logs / f"{self.name}-{test['name']}.log".replace("/", "-").replace(" ", "_")
        # A request for far too much memory fails, as malloc's does, instead of ending the process.
        sanitizers = {name: "allocator_may_return_null=1" for name in ("ASAN_OPTIONS", "TSAN_OPTIONS")}
        env = {**sanitizers, **test["env"], "CMOCKA_MESSAGE_OUTPUT": "TAP"}
        code = run_process(test["cmd"], log, test["workdir"] or ROOT, env, test["timeout"] * 4)
        return read_tap(log.read_text(errors="replace"), test["name"], code)


def find_executables(build, prefix=""):
    """The suites of a meson build; an exception with a clear text when there is no build."""
    if not (build / "build.ninja").exists():
        raise FileNotFoundError(f"no build in {build}: run `make build`")
    done = subprocess.run(["meson", "introspect", "--tests", str(build)], capture_output=True, text=True)
    if done.returncode:
        raise FileNotFoundError(f"meson introspect --tests {build}: {done.stderr.strip()}")
    suites = collections.defaultdict(list)
    for test in json.loads(done.stdout):
        suites[prefix + test["suite"][0].split(":")[-1]].append(test)
    return [Executables(name, tests) for name, tests in sorted(suites.items())]


# ---- pytest

class Pytest:
    """One file of Python tests against servers of its own. Most of its time is waiting for timeouts."""

    beside = True

    def __init__(self, name, file, env):
        self.name, self.file, self.env = name, file, env

    def run(self, logs):
        log, junit = (logs / f"{self.name}{ending}".replace("/", "-") for ending in (".log", ".xml"))
        junit.unlink(missing_ok=True)
        command = [PYTHON, "-m", "pytest", "--tb=short", f"--junit-xml={junit}", self.file]
        code = run_process(command, log, self.file.parent, {**self.env, "PYTHONDONTWRITEBYTECODE": "1"})
        result = self.read_junit(junit) if junit.exists() else Result()
        if code is None or (code != 0 and not result.failed):
            result.fail(f"{self.name}: " + ("no end in time" if code is None else f"exit code {code}") + "\n" + tail(log))
        return result

    @staticmethod
    def read_junit(junit):
        result = Result()
        for case in xml.etree.ElementTree.parse(junit).getroot().iter("testcase"):
            name = f"{case.get('classname')}::{case.get('name')}"
            problems = [part for part in case if part.tag in ("failure", "error")]
            skips = [part for part in case if part.tag == "skipped"]
            if problems:
                text = (problems[0].text or problems[0].get("message") or "").strip()
                result.fail(f"{name}\n" + "\n".join(text.splitlines()[-12:]))
            elif skips:
                result.skip(f"{name}: {skips[0].get('message')}")
            else:
                result.passed += 1
        return result


# ---- scripts

class Script:
    """A program whose last line is the count. It may load the machine as much as it can: nothing runs beside it."""

    beside = False

    def __init__(self, name, command, env):
        self.name, self.command, self.env = name, command, env

    def run(self, logs):
        log = logs / (self.name.replace("/", "-") + ".log")
        code = run_process(self.command, log, ROOT, self.env)
        result = Result()
        lines = log.read_text(errors="replace").splitlines()
        found = LAST_LINE.fullmatch(lines[-1].strip()) if lines else None
        if found:
            result.passed, result.failed, result.skipped = (int(number) for number in found.groups())
        result.failures = split_reports(lines, "FAILED")
        result.skips = split_reports(lines, "SKIPPED")
        if not found:
            result.fail(f"{self.name}: " + ("no end in time" if code is None else f"exit code {code}, no last line with "
                                            "the counts") + "\n" + tail(log))
        elif code and not result.failed:
            result.fail(f"{self.name}: exit code {code}\n" + tail(log))
        elif result.failed and not result.failures:
            result.failures = [f"{self.name}:\n" + tail(log)]
        return result


def split_reports(lines, word):
    """The reports that begin with the word, each with its indented or following lines."""
    reports = []
    inside = False
    for line in lines:
        if line.startswith(("FAILED", "SKIPPED")) or LAST_LINE.search(line):
            inside = line.startswith(word)
            if inside:
                reports.append(line[len(word):].strip())
        elif inside:
            reports[-1] += "\n" + line
    return reports


# ---- all of them

# What runs where threads meet: the engine, the store over it, and a server with restarts and load.
WITH_THREADS = re.compile(r"tsan/(unit|contract)|tsan/e2e/(nodes|sessions|multi)|tsan/cloud/e2e/(nodes|sessions|watches|cloud)")


# What holds of the gateway over a cloud in memory, too; the first ones in the pipeline topology as well.
CLOUD_PIPELINE = ("nodes", "multi", "watches", "sessions")
CLOUD = (*CLOUD_PIPELINE, "handshake", "errors", "acl", "watches2", "reads2", "garbage", "fourletter", "admin", "sasl",
         "schemes", "containers", "config_node", "cloud")


def find_cloud(prefix, env):
    """The process tests against the gateway."""
    cloud = {**env, "FK_E2E_SERVER": "cloud"}
    for names, kind, more in ((CLOUD, "cloud", {}), (CLOUD_PIPELINE, "pipeline", {"FK_MEMORY_PIPELINE": "1"})):
        for name in names:
            yield Pytest(f"{prefix}{kind}/e2e/{name}", HERE / "e2e" / f"test_{name}.py", {**cloud, **more})


def find_variant(build, prefix):
    """The suites of one build of ours: test executables, and the process tests against its server."""
    env = {"FK_BINARY": str(build / "faaskeeper"), "FK_CACHE": str(ROOT / "build")}
    suites = find_executables(build, prefix)
    for file in sorted((HERE / "e2e").glob("test_*.py")):
        if file.stem != "test_cloud":
            suites.append(Pytest(f"{prefix}e2e/{file.stem[len('test_'):]}", file, env))
    suites += find_cloud(prefix, env)
    return [suite for suite in suites if prefix != "tsan/" or WITH_THREADS.match(suite.name)]


def find_suites(build, variants, names):
    """Every suite that is on disk, and a text for each that should be and is not."""
    env = {"FK_BINARY": str(build / "faaskeeper"), "FK_CACHE": str(ROOT / "build")}
    suites, problems = [], []
    for directory, prefix in [(build, "")] + [(ROOT / f"build-{name}", f"{name}/") for name in variants]:
        try:
            suites += find_variant(directory, prefix)
        except FileNotFoundError as error:
            problems.append(str(error))
    for name, file, *arguments in (("kazoo-2.8", "kazoo.py", "--version", "2.8"),
                                   ("kazoo-2.11", "kazoo.py", "--version", "2.11"), ("zkcli", "zkcli.py"),
                                   ("sidebyside", "sidebyside.py"),
                                   ("java-zookeeper", "java_suite.py", "zookeeper"),
                                   ("java-curator", "java_suite.py", "curator"),
                                   ("client-c", "client_suite.py", "c"), ("client-go", "client_suite.py", "go"),
                                   ("client-node", "client_suite.py", "node"),
                                   ("client-rust", "client_suite.py", "rust")):
        script = HERE / "conformance" / file
        if script.exists():
            suites.append(Script(f"conformance/{name}", [PYTHON, script, *arguments], env))
    for file in sorted(HERE.glob("*/run-*")):
        if os.access(file, os.X_OK):
            suites.append(Script(f"{file.parent.name}/{file.name[len('run-'):]}", [file], env))
    return suites, problems


# Suites that run only when they are named: other people's, that take long or install much (`make conformance`).
ONLY_BY_NAME = re.compile(r"apps/|conformance/(java|client)-|packaging/reproducible")


def wanted_by(names, suite):
    if not names:
        return not ONLY_BY_NAME.match(suite)
    return any(suite == name or suite.startswith(name + "/") for name in names)


def select(suites, problems, names):
    """The suites to run; what is missing is added to problems."""
    found = [suite.name for suite in suites]
    for name in REQUIRED:
        if name not in found and wanted_by(names, name):
            problems.append(f"the suite {name} is missing")
    for name in names:
        if not any(wanted_by([name], suite) for suite in found):
            problems.append(f"no suite is called {name}: see --list")
    return [suite for suite in suites if wanted_by(names, suite.name)]


def report_skips(skips):
    """The reasons, once each, with the number of tests and the first of their names."""
    reasons = collections.defaultdict(list)
    for text in skips:
        name, _, reason = text.partition(": ")
        reasons[reason or text].append(name)
    for reason, names in reasons.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        print(f"        skipped: {names[0]}{more}: {reason.strip().splitlines()[0] if reason.strip() else ''}")


def report(suite, result):
    print(f"{suite.name:26} {result.passed:6} {result.failed:6} {result.skipped:7} {result.seconds:8.1f}", flush=True)
    for text in result.failures:
        print("        FAILED: " + text.replace("\n", "\n            "), flush=True)
    report_skips(result.skips)


def run_suite(suite, logs):
    began = time.monotonic()
    result = suite.run(logs)
    result.seconds = time.monotonic() - began
    if not result.passed and not result.failed and not result.skipped:
        result.fail(f"{suite.name}: ran nothing")
    return result


def run_suites(suites, logs):
    """Runs them in their order, those that wait more than they work side by side; each is reported in its turn."""
    total = Result()
    print(f"{'suite':26} {'passed':>6} {'failed':>6} {'skipped':>7} {'seconds':>8}", flush=True)
    for beside, group in itertools.groupby(suites, lambda suite: suite.beside):
        group = list(group)
        with concurrent.futures.ThreadPoolExecutor(min(SUITES_AT_ONCE, os.cpu_count() or 1) if beside else 1) as pool:
            for suite, result in zip(group, pool.map(lambda suite: run_suite(suite, logs), group)):
                report(suite, result)
                total.add(result)
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="build directory (default: build)")
    parser.add_argument("--with", dest="variants", action="append", default=[], choices=("asan", "tsan"),
                        help="also the tests of that build; may be repeated")
    parser.add_argument("--suite", action="append", default=[], metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--list", action="store_true", help="print the suites and end")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    suites, problems = find_suites(options.build.resolve(), options.variants, options.suite)
    suites = select(suites, problems, options.suite)
    if options.list:
        print("\n".join([suite.name for suite in suites] + [f"error: {problem}" for problem in problems]))
        return 1 if problems else 0
    logs = options.build.resolve() / "test-logs"
    logs.mkdir(parents=True, exist_ok=True)
    total = run_suites(suites, logs)
    for problem in problems:
        total.fail(problem)
        print(f"FAILED: {problem}")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped", flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
