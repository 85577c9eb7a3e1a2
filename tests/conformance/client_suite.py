#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of a ZooKeeper client, unchanged, against our server (or against the real ZooKeeper).

    client_suite.py c|go|node|rust [--baseline] [--keep DIR] [WORD...]

clients/SUITE_suite.py says where the tests come from and how they are run; what they start by name (zkServer.sh, java)
is a shim in clients/SUITE. A WORD keeps the tests whose name contains it.

clients/SUITE/left-out lists tests that are not run, with either server, `test  # reason`: those that need several
servers. clients/SUITE/known lists the tests that are known to fail against ours. Both count as skipped. A new failure
fails, a listed test that passes fails too (take it off the list), and so does a listed test that does not exist.

A test that fails and is not known to is run again, at most twice, with both servers; it passed if it did once. Those
that needed it are named, on lines that begin with AGAIN, and in the baseline.

FK_CONFORMANCE_SERVER=zookeeper runs the real server, 3.9.4; --baseline then writes clients/SUITE/baseline.
FK_BINARY names our program (default: build/faaskeeper), FK_CACHE the directory for what is fetched and built.
Last line: N passed, N failed, N skipped. Exit code 1 when something failed or nothing passed.
"""
import argparse
import collections
import importlib
import pathlib
import shutil
import sys
import tempfile
import time

from clients import common

ATTEMPTS = 3
SUITES = ("c", "go", "node", "rust")


def read_list(path):
    """{test: reason} of the lines `test  # reason`."""
    found = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        if line.strip() and not line.startswith("#"):
            test, _, reason = line.partition("  # ")
            if not reason.strip():
                raise SystemExit(f"{path}: {test} has no reason")
            found[test.strip()] = reason.strip()
    return found


def last_line(text):
    """The line that says most of a failure, as far as one can tell."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    for line in lines:
        if any(word in line for word in ("panicked at", "ssertion", "assertion", "_test.go", "Error:", "expected")):
            return line[:200]
    return lines[-1][:200] if lines else "no text"


class Run:
    """The results of one suite: test -> (outcome, text)."""

    def __init__(self, name, suite, words):
        self.name, self.suite = name, suite
        self.left_out = read_list(suite.directory / "left-out")
        self.known = {} if common.REAL else read_list(suite.directory / "known")
        self.all = suite.tests()
        self.wanted = [test for test in self.all if test not in self.left_out
                       and (not words or any(word in test for word in words))]
        self.results, self.again = {}, {}

    def run(self):
        wanted = self.wanted
        for attempt in range(1, ATTEMPTS + 1):
            for test, outcome, text in self.suite.run(wanted):
                if attempt > 1 and outcome == "passed":
                    self.again[test] = (attempt, self.results[test][1])
                self.results[test] = (outcome, text)
                print(f"{outcome:7} {test}", file=sys.stderr, flush=True)
            for test in wanted:
                self.results.setdefault(test, ("failed", "no result: the suite ended before it"))
            wanted = [test for test in wanted if self.results[test][0] == "failed" and test not in self.known]
            if not wanted:
                break

    def judge(self, complete):
        """Prints what is worth reading; counts of passed, failed, skipped."""
        counts = collections.Counter()
        for test, (attempt, text) in sorted(self.again.items()):
            print(f"AGAIN   {self.name} {test}: passed at attempt {attempt}, before: {last_line(text)}")
        for test, (outcome, text) in sorted(self.results.items()):
            reason = self.known.get(test)
            if outcome == "failed" and reason:
                outcome, line = "skipped", f"known: {reason}"
            elif outcome == "passed" and reason and not reason.startswith("flaky:"):
                outcome, line = "failed", f"new pass: take it off {self.name}/known ({reason})"
            else:
                line = "\n    ".join(text.strip().splitlines()[-15:]) if outcome == "failed" else last_line(text)
            counts[outcome] += 1
            if outcome != "passed":
                print(f"{outcome.upper():7} {self.name} {test}: {line}")
        if complete:
            self.judge_lists(counts)
        return counts

    def judge_lists(self, counts):
        for test in sorted((set(self.known) | set(self.left_out)) - set(self.all)):
            counts["failed"] += 1
            print(f"FAILED  {self.name} {test}: listed, but there is no such test")
        for test, reason in sorted(self.left_out.items()):
            counts["skipped"] += 1
            print(f"SKIPPED {self.name} {test}: left out: {reason}")

    def write_baseline(self):
        counts = collections.Counter(outcome for outcome, _ in self.results.values())
        lines = [f"# {self.suite.what} against Apache ZooKeeper {common.oracle.VERSION}, one server: "
                 + ", ".join(f"{counts[name]} {name}" for name in ("passed", "failed", "skipped"))
                 + f", {len(self.left_out)} left out.",
                 "# The tests that fail there. Written by client_suite.py --baseline."]
        for test, (outcome, text) in sorted(self.results.items()):
            if outcome == "failed":
                lines.append(f"{test}  # {last_line(text)}")
        lines += [f"# passed at attempt {attempt}: {test}" for test, (attempt, _) in sorted(self.again.items())]
        (self.suite.directory / "baseline").write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--baseline", action="store_true", help="write clients/SUITE/baseline")
    parser.add_argument("--keep", metavar="DIR", help="copy the output and the servers' logs to DIR")
    parser.add_argument("words", nargs="*", help="only tests whose name contains one of these")
    options = parser.parse_intermixed_args()
    if options.baseline and (not common.REAL or options.words):
        parser.error("--baseline is a record of the real server, and whole: set FK_CONFORMANCE_SERVER=zookeeper")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"fk-{options.suite}-") as work:
        work = pathlib.Path(work)
        run = Run(options.suite, importlib.import_module(f"clients.{options.suite}_suite").Suite(work), options.words)
        run.run()
        for log in work.rglob("server.log"):
            found = common.crash(log)
            if found:
                run.results[f"(server) {log.relative_to(work)}"] = ("failed", found)
        if options.keep:
            for test, (_, text) in run.results.items():
                (work / f"{test.replace('/', '_').replace(' ', '_')[:100]}.txt").write_text(text)
            shutil.copytree(work, options.keep, dirs_exist_ok=True, ignore_dangling_symlinks=True)
    counts = run.judge(complete=not options.words)
    if options.baseline:
        run.write_baseline()
    print(f"{run.suite.what}: {time.monotonic() - began:.0f} s")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
