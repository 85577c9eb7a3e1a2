#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs kazoo's own test-suite, unchanged, against our server (or against the real ZooKeeper).

    kazoo.py [--version 2.8|2.11] [--jobs N] [--baseline] [TEST...]

2.8 is Debian's python3-kazoo, 2.11 comes from PyPI into <build>/venv-kazoo-2.11. The suite starts `java`;
the program of that name in shim/ starts our server instead, one server per suite process. Test classes are
spread over several processes, each with its own ports.

kazoo-<version>.known lists the tests that are known to fail, `id  # reason`: they count as skipped. A new
failure fails, a listed test that passes fails too (take it off the list), and so does a listed test that
does not exist. `# flaky: reason` marks a test that depends on timing: it may do either.

FK_CONFORMANCE_SERVER=zookeeper runs the real server; --baseline then writes kazoo-<version>.baseline. With
FK_CONFORMANCE_SERVER=cloud servers are gateways of the deployments that FK_DEPLOYMENTS names, one for each process of the
suite (tests/aws/run-kazoo makes them); kazoo-<version>-cloud.known is then added to the known ones.
FK_BINARY names our program (default: build/faaskeeper), FK_CACHE the directory for the virtual environment.
Last line: N passed, N failed, N skipped. Exit code 1 when something failed or nothing passed.
"""
import argparse
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import kdc as kdc_module  # noqa: E402

CACHE = pathlib.Path(os.environ.get("FK_CACHE", ROOT / "build"))
ORACLE = os.environ.get("FK_CONFORMANCE_SERVER") == "zookeeper"
CLOUD = os.environ.get("FK_CONFORMANCE_SERVER") == "cloud"
DEPLOYMENTS = os.environ.get("FK_DEPLOYMENTS", "").split()
# 2.11 makes the server use Netty; Debian's zookeeper.jar names only some of the jars that this needs.
ORACLE_CLASSPATH = ":".join(["/etc/zookeeper/conf", "/usr/share/java/zookeeper.jar"] + [
    f"/usr/share/java/netty-{part}.jar" for part in ("codec", "resolver", "transport-native-unix-common")])
TEST_TIMEOUT_SECONDS = 90
SILENCE_SECONDS = 180  # a suite process that reports nothing for so long is ended
PORT_FIRST, PORT_LAST = 11000, 32000  # below Linux' range for outgoing connections
PORTS_PER_SERVER = 10
# Classes that take longest first, so that the last process to end is not a long one.
LONG_CLASSES = ("TestConnection", "TestClient", "LockTest", "KazooPartitioner", "KazooTreeCache", "Semaphore")


def python_of_kazoo_2_8():
    python = "/usr/bin/python3"
    missing = []
    for module, package in (("kazoo", "python3-kazoo"), ("pytest", "python3-pytest"), ("mock", "python3-mock"),
                            ("objgraph", "python3-objgraph"), ("puresasl", "python3-pure-sasl"),
                            ("kerberos", "python3-kerberos")):
        if subprocess.run([python, "-c", f"import {module}"], cwd="/", capture_output=True).returncode:
            missing.append(package)
    if missing:
        raise SystemExit(f"kazoo.py: missing packages: {' '.join(missing)}")
    return python


def python_of_kazoo_2_11():
    """Makes the virtual environment once; a stamp with the requirements says that it is complete."""
    home = CACHE / "venv-kazoo-2.11"
    wanted = "".join((HERE / name).read_text() for name in ("requirements-2.11.txt", "requirements-2.11-nodeps.txt"))
    stamp = home / "fk-complete"
    python = str(home / "bin" / "python")
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(home, ignore_errors=True)
    subprocess.run(["/usr/bin/python3", "-m", "venv", str(home)], check=True)
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--only-binary", ":all:"]
    for options in (["-r", "requirements-2.11.txt"], ["--no-deps", "-r", "requirements-2.11-nodeps.txt"]):
        for attempt in range(3):
            done = subprocess.run(pip + options, cwd=HERE, capture_output=True, text=True)
            if done.returncode == 0:
                break
        else:
            raise SystemExit(f"kazoo.py: pip {' '.join(options)} failed:\n{done.stdout}{done.stderr}")
    stamp.write_text(wanted)
    return python


def modules_of_the_system(directory):
    """A directory with Debian's kerberos module: PyPI has none that is built."""
    for module in pathlib.Path("/usr/lib/python3/dist-packages").glob("kerberos.*.so"):
        (directory / module.name).symlink_to(module)
    return directory


def start_kdc(directory):
    """The realm that kazoo's tests of GSSAPI want; None where there is no KDC: the tests skip themselves."""
    if kdc_module.missing():
        return None
    kdc = kdc_module.Kdc(directory, "KAZOOTEST.ORG").start()
    kdc.add("zookeeper/127.0.0.1")
    kdc.add("client")
    kdc.keytab("zookeeper/127.0.0.1", "server.keytab")
    kdc.keytab("client", "client.keytab")
    return kdc


class Processes:
    """The suite processes that run; each leads a group that its servers are in too."""

    def __init__(self):
        self._running = set()
        signal.signal(signal.SIGTERM, self._end_all)
        signal.signal(signal.SIGINT, self._end_all)

    def start(self, *arguments, **options):
        process = subprocess.Popen(*arguments, start_new_session=True, **options)
        self._running.add(process)
        return process

    def end(self, process):
        """Ends the process and what it left behind."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        self._running.discard(process)

    def _end_all(self, number, frame):
        for process in list(self._running):
            self.end(process)
        print(f"kazoo.py: ended by signal {number}", flush=True)
        os._exit(1)


class Ports:
    """Hands out blocks of free ports; a block is probed when it is taken."""

    def __init__(self):
        self._next = PORT_FIRST + (os.getpid() * 37) % 2000 * PORTS_PER_SERVER
        self._lock = threading.Lock()

    def take(self):
        with self._lock:
            for _ in range(4096):
                first = self._next
                self._next += PORTS_PER_SERVER
                if self._next > PORT_LAST:
                    self._next = PORT_FIRST
                if all(self._free(first + i) for i in range(PORTS_PER_SERVER)):
                    return first
        raise SystemExit("kazoo.py: no free ports")

    @staticmethod
    def _free(port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
        return True


def short_id(node_id):
    """`.../kazoo/tests/test_x.py::Class::test` -> `test_x.py::Class::test`."""
    return node_id.rsplit("/", 1)[-1]


class Suite:
    """One version of kazoo's tests: collects, runs in parallel, keeps one result per test."""

    def __init__(self, version, python, jobs, work, processes, kdc):
        self.kdc = kdc
        self.version, self.python, self.jobs = version, python, jobs
        self.work = pathlib.Path(work)
        (self.work / "modules").mkdir()
        self.modules = modules_of_the_system(self.work / "modules")
        self.tests = subprocess.run([python, "-c", "import kazoo.tests; print(kazoo.tests.__path__[0])"], cwd="/",
                                    check=True, capture_output=True, text=True).stdout.strip()
        self.processes = processes
        self.ports = Ports()
        self.results = {}  # id -> (outcome, text, seconds)
        self._lock = threading.Lock()

    def environment(self, record):
        env = dict(os.environ)
        env.update(
            PATH=f"{HERE / 'shim'}:{env['PATH']}",
            PYTHONPATH=f"{HERE / 'plugin'}:{self.modules}", PYTHONDONTWRITEBYTECODE="1",
            FK_RECORD=str(record), FK_TEST_TIMEOUT=str(TEST_TIMEOUT_SECONDS),
            FK_SERVER_LOG=str(record.parent / "server.log"),
            FK_BINARY=os.environ.get("FK_BINARY", str(ROOT / "build" / "faaskeeper")),
            ZOOKEEPER_VERSION="3.8.0" if ORACLE else "3.9.3",
            ZOOKEEPER_CLASSPATH=ORACLE_CLASSPATH if ORACLE else "none",
            ZOOKEEPER_CLUSTER_SIZE="1", ZOOKEEPER_PORT_OFFSET=str(self.ports.take()),
            ZOOKEEPER_JAAS_AUTH="digest")
        if CLOUD:  # directories of processes are NUMBER-COUNT
            number = record.parent.name.split("-")[0]
            env["FK_DEPLOYMENT"] = DEPLOYMENTS[int(number)] if number.isdigit() else DEPLOYMENTS[0]
        if self.kdc is not None:
            env.update({**self.kdc.environment, "PATH": env["PATH"]}, KRB5_TEST_ENV=str(self.kdc.directory),
                       KRB5CCNAME=f"FILE:{record.parent / 'tickets'}")
        return env

    def pytest(self, record, directory, arguments):
        output = open(directory / "output", "ab")
        command = [self.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "fk_record", "--tb=short",
                   "--rootdir", self.tests, *arguments]
        env = self.environment(record)
        env["TMPDIR"] = str(directory)
        return self.processes.start(command, cwd=directory, env=env, stdin=subprocess.DEVNULL, stdout=output,
                                    stderr=subprocess.STDOUT)

    def collect(self):
        directory = self.work / "collect"
        directory.mkdir()
        record = directory / "record"
        process = self.pytest(record, directory, ["--collect-only", self.tests])
        process.wait()
        self.processes.end(process)
        found, broken = [], []
        for line in self.read(record):
            if line["kind"] == "collected":
                found = line["ids"]
            elif line["kind"] == "broken":
                broken.append(line)
        for line in broken:
            self.results[short_id(line["id"]) + " (import)"] = ("failed", line["text"], 0.0)
        if not found and not broken:
            raise SystemExit("kazoo.py: nothing collected:\n" + (directory / "output").read_text()[-2000:])
        return [short_id(node_id) for node_id in found]

    def look_for_crashes(self, log, test):
        """A server that fell over and came up again must not go unseen."""
        text = log.read_text(errors="replace") if log.exists() else ""
        found = re.search(r"^.*(AddressSanitizer|ThreadSanitizer|runtime error:|assertion|Assertion).*$", text, re.M)
        if found:
            with self._lock:
                self.results[f"(server) of {test}"] = ("failed", text[found.start():][:1500], 0.0)

    @staticmethod
    def read(record):
        if not record.exists():
            return []
        return [json.loads(line) for line in record.read_text().splitlines()]

    def run(self, wanted):
        groups = {}
        for test in self.collect():
            if not wanted or any(word in test for word in wanted):
                groups.setdefault("::".join(test.split("::")[:2]), []).append(test)
        order = sorted(groups.values(), key=lambda tests: (
            not any(word in tests[0] for word in LONG_CLASSES), -len(tests)))
        work = queue.Queue()
        for tests in order:
            work.put(tests)
        threads = [threading.Thread(target=self.work_off, args=(work, n)) for n in range(self.jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def work_off(self, work, number):
        count = 0
        while True:
            try:
                tests = work.get_nowait()
            except queue.Empty:
                return
            # A suite process that is ended for its silence is followed by one with the tests that are left.
            while tests:
                count += 1
                directory = self.work / f"{number}-{count}"
                directory.mkdir()
                tests = self.run_group(tests, directory)

    def run_group(self, tests, directory):
        """Runs the tests in one process; the tests that are left when it had to be ended."""
        record = directory / "record"
        process = self.pytest(record, directory, [f"{self.tests}/{test}" for test in tests])
        silent_since, size = time.monotonic(), -1
        while process.poll() is None:
            now = record.stat().st_size if record.exists() else 0
            if now != size:
                silent_since, size = time.monotonic(), now
            if time.monotonic() - silent_since > SILENCE_SECONDS:
                break
            try:
                process.wait(0.5)
            except subprocess.TimeoutExpired:
                pass
        self.processes.end(process)
        started = self.take_results(record)
        self.look_for_crashes(directory / "server.log", tests[0])
        left = [test for test in tests if test not in started]
        for test in started:
            with self._lock:
                self.results.setdefault(test, ("failed", f"no result: the suite's process ended or hung "
                                                         f"({process.returncode})", 0.0))
        if len(left) == len(tests):
            text = "the suite's process ran nothing: " + (directory / "output").read_text()[-1000:]
            with self._lock:
                for test in left:
                    self.results[test] = ("failed", text, 0.0)
                    text = "as the test before"
            return []
        return left

    def take_results(self, record):
        started = []
        for line in self.read(record):
            if line["kind"] == "start":
                started.append(short_id(line["id"]))
            elif line["kind"] == "report":
                self.take_report(short_id(line["id"]), line)
        return started

    def take_report(self, test, line):
        worse = {"passed": 0, "skipped": 1, "failed": 2}
        with self._lock:
            outcome, text, seconds = self.results.get(test, ("none", "", 0.0))
            seconds += line["seconds"]
            if outcome == "none" or worse[line["outcome"]] > worse[outcome]:
                if line["outcome"] == "passed" and line["when"] != "call":
                    return  # set up, not yet passed
                outcome, text = line["outcome"], line["text"]
            self.results[test] = (outcome, text, seconds)


def read_known(version):
    known = {}
    for path in [HERE / f"kazoo-{version}.known"] + [HERE / f"kazoo-{version}-cloud.known"] * CLOUD:
        if ORACLE or not path.exists():
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            test, mark, reason = line.partition(" # ")
            if not mark or not reason.strip():
                raise SystemExit(f"{path}:{number}: want `test id  # reason`")
            known[test.strip()] = reason.strip()
    return known


def judge(version, results, known, complete):
    """Prints what is worth reading; (passed, failed, skipped)."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for test, (outcome, text, _) in sorted(results.items()):
        reason = known.get(test)
        if outcome == "failed" and reason:
            outcome, line = "skipped", f"known: {reason}"
        elif outcome == "passed" and reason and not reason.startswith("flaky:"):
            outcome, line = "failed", f"new pass: take it off kazoo-{version}.known ({reason})"
        else:
            line = text.strip()[-1500:] if outcome == "failed" else text.strip().splitlines()[-1] if text.strip() else ""
        counts[outcome] += 1
        if outcome != "passed":
            print(f"{outcome.upper():7} kazoo-{version} {test}: {line}")
    for test in sorted(set(known) - set(results)) if complete else ():
        counts["failed"] += 1
        print(f"FAILED  kazoo-{version} {test}: listed in kazoo-{version}.known, but there is no such test")
    return counts


def write_baseline(version, results):
    counts = {name: sum(1 for result in results.values() if result[0] == name)
              for name in ("passed", "failed", "skipped")}
    lines = [f"# kazoo {version} against Apache ZooKeeper 3.8.0 (Debian), one server: "
             + ", ".join(f"{counts[name]} {name}" for name in ("passed", "failed", "skipped")) + ".",
             "# The tests that fail there, with the last line of the failure. Written by kazoo.py --baseline."]
    for test, (outcome, text, _) in sorted(results.items()):
        if outcome == "failed":
            last = [line for line in text.strip().splitlines() if line.strip()][-1:]
            lines.append(f"{test}  # {last[0].strip() if last else 'no text'}")
    (HERE / f"kazoo-{version}.baseline").write_text("\n".join(lines) + "\n")


def run_version(version, options, processes):
    python = python_of_kazoo_2_8() if version == "2.8" else python_of_kazoo_2_11()
    known = read_known(version)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"fk-kazoo-{version}-") as work:
        kdc = start_kdc(pathlib.Path(work) / "kdc")
        try:
            suite = Suite(version, python, options.jobs, work, processes, kdc)
            suite.run(options.tests)
        finally:
            if kdc is not None:
                kdc.stop()
        if options.keep:
            shutil.copytree(work, options.keep, dirs_exist_ok=True)
    counts = judge(version, suite.results, known, complete=not options.tests)
    if options.baseline:
        write_baseline(version, suite.results)
    if options.slowest:
        for test, result in sorted(suite.results.items(), key=lambda pair: -pair[1][2])[:options.slowest]:
            print(f"{result[2]:7.1f} s {test}")
    print(f"kazoo {version}: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"
          f" in {time.monotonic() - began:.0f} s")
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", choices=("2.8", "2.11"), action="append")
    parser.add_argument("--jobs", type=int, default=6, help="suite processes at a time (default: 6)")
    parser.add_argument("--baseline", action="store_true", help="write kazoo-<version>.baseline")
    parser.add_argument("--slowest", type=int, default=0, metavar="N", help="print the N slowest tests")
    parser.add_argument("--keep", metavar="DIR", help="copy the suites' output and the servers' logs to DIR")
    parser.add_argument("tests", nargs="*", help="run only tests whose id contains one of these words")
    options = parser.parse_args()
    if options.baseline and not ORACLE:
        parser.error("--baseline is a record of the real server: set FK_CONFORMANCE_SERVER=zookeeper")
    if CLOUD and options.jobs > len(DEPLOYMENTS):
        parser.error(f"{options.jobs} processes need as many deployments; FK_DEPLOYMENTS names {len(DEPLOYMENTS)}")
    processes = Processes()
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for version in options.version or ("2.8", "2.11"):
        for name, count in run_version(version, options, processes).items():
            total[name] += count
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
