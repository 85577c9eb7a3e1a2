#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs ZooKeeper's own Java tests, or Apache Curator's, unchanged, against our server (or the real ZooKeeper).

    java_suite.py zookeeper|curator [--jobs N] [--baseline] [--keep DIR] [WORD...]

The tests come from Maven Central (java/SUITE.xml has the versions). They start servers inside their own JVM; the few
classes in java/ make that a process: see README.md. Each test class gets a JVM of its own. java/SUITE.classes lists
the classes, those that are left out with the reason. A WORD keeps the tests whose name contains it.

java/SUITE.known lists the tests that are known to fail, `test  # reason`: they count as skipped. A new failure
fails, a listed test that passes fails too (take it off the list), and so does a listed test that does not exist.
`# flaky: reason` marks a test that depends on timing: it may do either.

A test that fails and is not listed is run again, alone, at most twice; so is each failure of the real server. It
passed if it did so once: many of these tests race with themselves, and the rule is the same for both servers. Those
that needed it are named, on lines that begin with AGAIN, and in the baseline.

FK_CONFORMANCE_SERVER=zookeeper runs the real server, 3.9.4; --baseline then writes java/SUITE.baseline.
FK_BINARY names our program (default: build/faaskeeper), FK_CACHE the directory for what Maven fetches.
Last line: N passed, N failed, N skipped. Exit code 1 when something failed or nothing passed.
"""
import argparse
import collections
import hashlib
import os
import pathlib
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import oracle

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
JAVA = HERE / "java"
ORACLE = os.environ.get("FK_CONFORMANCE_SERVER") == "zookeeper"
FETCH = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
FETCH_SECONDS = 900
TEST_SECONDS = 120  # for one test; JUnit interrupts it then
CLASS_SECONDS = 900
SILENCE_SECONDS = 200  # a JVM that reports nothing for so long is ended
ATTEMPTS = 3
SLOTS = 12  # port ranges of ZooKeeper's PortAssignment
# What the JVMs of a suite are given; the superDigest is that of ZooKeeper's own pom, its password is "test".
FLAGS = {
    "zookeeper": ["-Dzookeeper.serverCnxnFactory=faaskeeper.conformance.ProcessCnxnFactory",
                  "-Dzookeeper.DigestAuthenticationProvider.superDigest=super:D/InIHSb7yEEbrWz8b9l71RjZJU="],
    "curator": [],
}
PREFIXES = ("org.apache.zookeeper.", "org.apache.curator.")


def fetch(pom):
    """The directory with the jars of a pom, fetched once; the pom's text is part of its name."""
    directory = oracle.CACHE / f"{pom.stem}-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    if directory.is_dir():
        return directory
    oracle.CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=oracle.CACHE) as scratch:
        done = subprocess.run(["mvn", "-B", "-q", "-f", str(pom), FETCH, f"-DoutputDirectory={scratch}/lib"],
                              cwd=scratch, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=FETCH_SECONDS, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"java_suite.py: Maven could not fetch {pom.name}: {done.stdout[-800:]}")
        try:
            os.rename(f"{scratch}/lib", directory)
        except OSError:  # another process was faster
            if not directory.is_dir():
                raise
    return directory


def compile_harness(suite, jars, into):
    sources = [str(path) for part in ("common", suite) for path in sorted((JAVA / part).rglob("*.java"))]
    done = subprocess.run(["javac", "-nowarn", "-d", str(into), "-cp", f"{jars}/*", *sources], capture_output=True,
                          text=True, check=False)
    if done.returncode:
        raise SystemExit(f"java_suite.py: javac: {done.stderr[-3000:]}")


def order_jars(jars):
    """Test jars first: a class of a test may stand in for one of the product."""
    names = sorted(jars.glob("*.jar"), key=lambda path: (not path.name.endswith("-tests.jar"), path.name))
    return ":".join(str(path) for path in names)


def short(name):
    for prefix in PREFIXES:
        if name.startswith(prefix):
            return name[len(prefix):]
    return name


def read_lines(path):
    """(text, reason) of each line `text  # reason`; comments and empty lines are left out."""
    if not path.exists():
        return
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            text, _, reason = line.partition(" # ")
            yield text.strip(), reason.strip()


def read_classes(suite):
    """{class: flags of its JVM} to run, and {class: reason} of those that are left out."""
    wanted, left_out = {}, {}
    for name, reason in read_lines(JAVA / f"{suite}.classes"):
        if name.startswith("-"):
            if not reason:
                raise SystemExit(f"{suite}.classes: {name} has no reason")
            left_out[name[1:].strip()] = reason
        else:
            name, *flags = name.split()
            wanted[name] = flags
    return wanted, left_out


def read_known(suite):
    known = dict(read_lines(JAVA / f"{suite}.known")) if not ORACLE else {}
    for test, reason in known.items():
        if not reason:
            raise SystemExit(f"{suite}.known: {test} has no reason")
    return known


class Jvm:
    """One run of one class in a JVM; what it left behind is ended with it."""

    running = set()

    def __init__(self, command, directory, env):
        self.output = open(directory / "output", "ab")
        self.process = subprocess.Popen(command, cwd=directory, env=env, stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        Jvm.running.add(self)

    def wait(self, record):
        """Waits for the end; why it was ended, or None."""
        deadline = time.monotonic() + CLASS_SECONDS
        heard, size = time.monotonic(), -1
        while self.process.poll() is None:
            now = time.monotonic()
            new_size = record.stat().st_size if record.exists() else 0
            if new_size != size:
                heard, size = now, new_size
            if now > deadline or now > heard + SILENCE_SECONDS:
                subprocess.run(["jstack", str(self.process.pid)], stdout=self.output, stderr=subprocess.STDOUT,
                               timeout=20, check=False)
                return f"no end in {CLASS_SECONDS} s" if now > deadline else f"no word in {SILENCE_SECONDS} s"
            time.sleep(0.2)
        return None

    def end(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.output.close()
        Jvm.running.discard(self)

    @staticmethod
    def end_all(number, _frame):
        for jvm in list(Jvm.running):
            jvm.end()
        print(f"java_suite.py: ended by signal {number}", flush=True)
        os._exit(1)


class Suite:
    """Runs the classes, several at a time, and keeps one result per test."""

    def __init__(self, name, options, work):
        self.name, self.options, self.work = name, options, pathlib.Path(work)
        self.results = {}  # test -> (outcome, text, seconds)
        self.class_of = {}  # test -> class
        self.again = {}  # test -> (attempt that passed, text of the first failure)
        self._lock = threading.Lock()
        jars = fetch(JAVA / f"{name}.xml")
        classes = self.work / "classes"
        classes.mkdir()
        compile_harness(name, jars, classes)
        self.class_path = f"{classes}:{JAVA / name}:{order_jars(jars)}"
        self.slot_base = os.getpid() % SLOTS

    def server(self):
        """(command, how properties reach it)"""
        if not ORACLE:
            binary = os.environ.get("FK_BINARY", str(ROOT / "build" / "faaskeeper"))
            return [str(pathlib.Path(binary).resolve()), "serve", "--config"], "file"
        command = oracle.command("CONFIG", memory="256m")[:-1]
        return command[:1] + ["-XX:TieredStopAtLevel=1"] + command[1:], "flags"

    def environment(self, directory):
        command, properties = self.server()
        return dict(os.environ, FK_SERVER_COMMAND="\n".join(command), FK_SERVER_PROPERTIES=properties,
                    FK_SERVER_LOG=str(directory / "server.log"))

    def run(self, classes, known):
        words = self.options.words
        self.run_all([(name, flags, [word for word in words if word.startswith(short(name) + ".")])
                      for name, flags in classes.items()], "")
        for attempt in range(2, ATTEMPTS + 1):
            self.run_again(classes, known, attempt)

    def run_again(self, classes, known, attempt):
        """What failed, and is not known to, gets another chance; a server that crashed gets none."""
        before = {test: result for test, result in self.results.items()
                  if result[0] == "failed" and test not in known and test in self.class_of}
        wanted = collections.defaultdict(list)
        for test in before:
            wanted[self.class_of[test]].append(re.sub(r"\[.*", "", test))
        self.run_all([(name, classes[name], [] if short(name) in tests else tests) for name, tests in wanted.items()],
                     f"-{attempt}")
        for test, result in before.items():
            if self.results[test][0] == "passed":
                self.again[test] = (attempt, result[1])
            elif self.results[test] is result and test == short(self.class_of[test]):
                del self.results[test]  # the class failed as a whole, and did not this time
                self.again[test] = (attempt, result[1])

    def run_all(self, classes, suffix):
        work = queue.Queue()
        for number, (name, flags, only) in enumerate(classes):
            work.put((f"{number:03}-{name.rsplit('.', 1)[-1]}{suffix}", name, flags, only))
        threads = [threading.Thread(target=self.work_off, args=(work, slot)) for slot in range(self.options.jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def work_off(self, work, slot):
        while True:
            try:
                directory, name, flags, only = work.get_nowait()
            except queue.Empty:
                return
            self.run_class(self.work / directory, name, flags, only, slot)

    def run_class(self, directory, name, flags, only, slot):
        directory.mkdir()
        done = []
        for attempt in range(4):  # again, without what was done, after a crash
            ended, finished, left = self.run_once(name, directory, attempt, slot, flags, only, done)
            if finished:
                break
            if not left:
                self.take(name, short(name), "failed", f"{ended or 'the JVM ended'}, no test ran\n"
                          + (directory / "output").read_text(errors="replace")[-1500:], 0.0)
                break
            for test in left:
                self.take(name, test, "failed", f"{ended or 'the JVM ended'} in this test", 0.0)
        self.look_for_crashes(short(name), directory / "server.log")
        shutil.rmtree(directory / "tmp", ignore_errors=True)

    def run_once(self, name, directory, attempt, slot, flags, only, done):
        record, skip, keep = (directory / f"{what}-{attempt}" for what in ("record", "done", "only"))
        skip.write_text("\n".join(done) + "\n")
        keep.write_text("\n".join(only))
        scratch = directory / "tmp"
        scratch.mkdir(exist_ok=True)
        slot = (slot + self.slot_base) % SLOTS + 1
        command = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                   "--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/java.util=ALL-UNNAMED",
                   f"-Djava.io.tmpdir={scratch}", f"-Dbuild.test.dir={scratch}", f"-Dtest.junit.threads={SLOTS}",
                   f"-Dzookeeper.junit.threadid={slot}", *FLAGS[self.name], *flags, "-cp", self.class_path,
                   "faaskeeper.conformance.RunTests", name, str(record), str(TEST_SECONDS), "--done", str(skip),
                   "--only", str(keep)]
        jvm = Jvm(command, directory, self.environment(directory))
        try:
            ended = jvm.wait(record)
        finally:
            jvm.end()
        return ended, *self.read_record(name, record, done)

    def read_record(self, name, record, done):
        """(whether the JVM came to its end, the tests that had begun and not ended)"""
        finished, begun = False, []
        for line in record.read_text(errors="replace").splitlines() if record.exists() else ():
            kind, test, milliseconds, text = (line.split("\t", 3) + ["", "", ""])[:4]
            if kind == "end":
                finished = True
            elif kind == "start":
                begun.append(test)
            else:
                self.take(name, test, kind, text.replace("\\n", "\n"), int(milliseconds) / 1000)
                done.append(test)
                if test in begun:
                    begun.remove(test)
        done += begun
        return finished, begun

    def take(self, name, test, outcome, text, seconds):
        with self._lock:
            if name:
                self.class_of[test] = name
            if self.results.get(test, ("",))[0] == "passed":
                return  # another invocation of its method is run again
            self.results[test] = (outcome, text, seconds)
            if self.options.verbose:
                print(f"{outcome:7} {seconds:6.1f} {test}", flush=True)

    def look_for_crashes(self, name, log):
        """A server that fell over and came up again must not go unseen."""
        text = log.read_text(errors="replace") if log.exists() else ""
        for word in ("AddressSanitizer", "ThreadSanitizer", "runtime error:", "ssertion"):
            at = text.find(word) if not ORACLE else -1
            if at >= 0:
                self.take(None, f"(server) of {name}", "failed", text[max(0, at - 200):][:1500], 0.0)


def last_line(text):
    """The line that says most of a stack trace: its first."""
    return text.strip().splitlines()[0].strip() if text.strip() else "no text"


def judge(run, known, left_out, complete):
    """Prints what is worth reading; counts of passed, failed, skipped."""
    suite, results = run.name, run.results
    counts = collections.Counter()
    for test, (attempt, text) in sorted(run.again.items()):
        print(f"AGAIN   {suite} {test}: passed at attempt {attempt}, before: {last_line(text)}")
    for test, (outcome, text, _) in sorted(results.items()):
        reason = known.get(test)
        if outcome == "failed" and reason:
            outcome, line = "skipped", f"known: {reason}"
        elif outcome == "passed" and reason and not reason.startswith("flaky:"):
            outcome, line = "failed", f"new pass: take it off {suite}.known ({reason})"
        else:
            line = "\n    ".join(text.strip().splitlines()[:12]) if outcome == "failed" else last_line(text)
        counts[outcome] += 1
        if outcome != "passed":
            print(f"{outcome.upper():7} {suite} {test}: {line}")
    if complete:
        for test in sorted(set(known) - set(results)):
            counts["failed"] += 1
            print(f"FAILED  {suite} {test}: listed in {suite}.known, but there is no such test")
        for name, reason in sorted(left_out.items()):
            counts["skipped"] += 1
            print(f"SKIPPED {suite} {short(name)} (whole class): {reason}")
    return counts


def write_baseline(run):
    suite, results = run.name, run.results
    counts = collections.Counter(result[0] for result in results.values())
    lines = [f"# {suite} against Apache ZooKeeper {oracle.VERSION}, one server in a process of its own: "
             + ", ".join(f"{counts[name]} {name}" for name in ("passed", "failed", "skipped")) + ".",
             "# The tests that fail there, with the first line of the failure. Written by java_suite.py --baseline."]
    for test, (outcome, text, _) in sorted(results.items()):
        if outcome == "failed":
            lines.append(f"{test}  # {last_line(text)}")
    lines += [f"# passed at attempt {attempt}: {test}" for test, (attempt, _) in sorted(run.again.items())]
    (JAVA / f"{suite}.baseline").write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=sorted(FLAGS))
    parser.add_argument("--jobs", type=int, default=4, help="JVMs at a time (default: 4)")
    parser.add_argument("--baseline", action="store_true", help="write java/SUITE.baseline")
    parser.add_argument("--slowest", type=int, default=0, metavar="N", help="print the N slowest tests")
    parser.add_argument("--keep", metavar="DIR", help="copy the output and the servers' logs to DIR")
    parser.add_argument("--verbose", action="store_true", help="a line for each test as it ends")
    parser.add_argument("words", nargs="*", help="only classes, or one test, whose name contains this")
    options = parser.parse_intermixed_args()
    if options.baseline and (not ORACLE or options.words):
        parser.error("--baseline is a record of the real server, and whole: set FK_CONFORMANCE_SERVER=zookeeper")
    for program, package in (("mvn", "maven"), ("javac", "default-jdk-headless")):
        if not shutil.which(program):
            raise SystemExit(f"java_suite.py: no {program}: install {package} (tools/install.sh conformance)")
    signal.signal(signal.SIGTERM, Jvm.end_all)
    signal.signal(signal.SIGINT, Jvm.end_all)
    classes, left_out = read_classes(options.suite)
    wanted = {name: flags for name, flags in classes.items() if not options.words
              or any(word in name or short(name) in word for word in options.words)}
    known = read_known(options.suite)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"fk-{options.suite}-") as work:
        suite = Suite(options.suite, options, work)
        suite.run(wanted, known)
        if options.keep:
            shutil.copytree(work, options.keep, dirs_exist_ok=True)
    counts = judge(suite, known, left_out, complete=not options.words)
    if options.baseline:
        write_baseline(suite)
    for test, result in sorted(suite.results.items(), key=lambda pair: -pair[1][2])[:options.slowest]:
        print(f"{result[2]:7.1f} s {test}")
    print(f"{options.suite}: {time.monotonic() - began:.0f} s")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
