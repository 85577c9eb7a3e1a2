#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: FaaSKeeper against Debian's ZooKeeper on this machine.

Starts both servers on free ports of 127.0.0.1 with fresh data on disk, drives them in turns with fk-load, and prints
throughput, latency, CPU, start-up time and memory beside the targets.
Exit code: 0 everything was measured (targets may be missed: see the verdicts), 1 a server or a check failed, 2 usage.
"""
import argparse
import json
import os
import pathlib
import platform
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import report
import servers

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
SIZE = 1024
FOREIGN_LIMIT_PERCENT = 30
TRIES_PER_REPETITION = 3
JVM_WARM_S = 12
FILL_NODES = 100000
IDLE_SESSIONS = 1000

ROWS = [  # operation, connections, outstanding per connection, least ratio ours / ZooKeeper
    ("get", 1, 1, 1.8), ("get", 16, 1, 2.5), ("get", 64, 1, 2.5), ("get", 16, 32, 15),
    ("exists", 16, 32, 15), ("children", 16, 32, 8),
    ("set", 1, 1, 1.8), ("set", 16, 1, 1.5), ("set", 64, 1, 2), ("set", 16, 32, 5),
    ("create-delete", 16, 32, 4), ("seq", 16, 32, 4),
    ("mix", 16, 1, 2.3), ("mix", 64, 1, 2), ("mix", 16, 32, 7),
]
FIGURES = [  # name, unit, most for ours; in the order of measurement, idle CPU last
    ("start, empty", "ms", 50),
    ("resident, idle", "MB", 10),
    ("start, 100000 nodes", "ms", 1000),
    ("start after kill -9, 100000 nodes", "ms", 1000),
    ("resident, 100000 nodes, just filled", "MB", 160),
    ("resident, 100000 nodes, restarted", "MB", 160),
    ("idle CPU, 1000 sessions", "% of a core", 0.5),
]
CPU_RATIO_MAX = 1 / 3  # of an un-pipelined get


class Progress:
    """Prints one line per step, with the time left by the pace so far."""

    def __init__(self, total):
        self.total = total  # seconds expected for all steps
        self.done = 0.0
        self.begin = time.monotonic()

    def add(self, expected, text):
        self.done += expected
        elapsed = time.monotonic() - self.begin
        left = max(0.0, self.total - self.done) * (elapsed / self.done if self.done else 1)
        print(f"[{100 * min(1, self.done / self.total):3.0f} %, {int(left) // 60}:{int(left) % 60:02d} left] {text}",
              flush=True)

    def skip(self, expected):
        self.total -= expected


def busy_seconds():
    """Time that any core was not idle since boot, stolen time included."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    ticks = [int(field) for field in fields[:8]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def wait_quiet(limit_s):
    """Waits until a quarter of a second passes with little CPU in use, for at most limit_s."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        before, begin = busy_seconds(), time.monotonic()
        time.sleep(0.25)
        if 100 * (busy_seconds() - before) / (time.monotonic() - begin) <= FOREIGN_LIMIT_PERCENT:
            return


class Bench:
    def __init__(self, options, work):
        self.options = options
        self.servers = []
        if options.only != "zookeeper":
            self.servers.append(servers.FaasKeeper(work, options.binary))
        if options.only != "ours":
            self.servers.append(servers.ZooKeeper(work))
        self.rows = [row for row in ROWS if options.rows in f"{row[0]} {row[1]}x{row[2]}"]
        self.with_figures = not options.no_figures and (not options.rows or options.rows == "figures")
        self.failures = []
        self.run_s = options.seconds + options.warmup + 1
        self.progress = Progress(self.expected_seconds())

    def expected_seconds(self):
        per_server = len(self.rows) * self.options.reps * self.run_s
        per_server += JVM_WARM_S + 5 if self.rows else 0
        per_server += self.options.idle_seconds + 40 if self.with_figures else 0
        return max(1, per_server * len(self.servers))

    def fail(self, text):
        self.failures.append(text)
        print(f"FAILED: {text}", flush=True)

    # ---- one run of the load generator ----

    def load(self, server, op, *arguments, timeout_s=300):
        """Runs fk-load and returns its results; ServerError if a reply was wrong or the server is gone."""
        command = [str(self.options.load), "--target", server.target(), "--pid", str(server.pid()), "--json",
                   "--size", str(SIZE), "--op", op] + [str(argument) for argument in arguments]
        try:
            ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, timeout=timeout_s, check=False)
        except subprocess.TimeoutExpired as late:
            raise servers.ServerError(f"{server.title}: {op} did not end within {timeout_s} s") from late
        if ended.returncode != 0:
            raise servers.ServerError(f"{server.title}: {op}: {ended.stderr.strip()} (exit {ended.returncode})"
                                      + ("" if server.is_running() else f"; the server ended: {server.log_tail()}"))
        return json.loads(ended.stdout)

    def shape(self, server, op, conns, depth, seconds, warmup):
        return self.load(server, op, "--conns", conns, "--depth", depth, "--seconds", seconds, "--warmup", warmup,
                         timeout_s=seconds + warmup + 120)

    # ---- rows ----

    def warm(self, server):
        """Mixed load until the JVM has compiled what the rows use; ours gets the same, for the same start."""
        steps = [("mix", 16, 32), ("create-delete", 16, 32), ("seq", 16, 32), ("children", 16, 32), ("mix", 16, 1),
                 ("exists", 1, 1)]
        for op, conns, depth in steps:
            self.shape(server, op, conns, depth, JVM_WARM_S / len(steps), 0)
        self.progress.add(JVM_WARM_S + 5, f"{server.title} warmed for {JVM_WARM_S} s")

    def run_once(self, server, row, repetition):
        """One measured run, or None when it failed; a server that ended is started again for the next row."""
        op, conns, depth, _ = row
        wait_quiet(self.options.pause)
        try:
            run = self.shape(server, op, conns, depth, self.options.seconds, self.options.warmup)
        except servers.ServerError as error:
            self.fail(str(error))
            if not server.is_running():
                server.wipe()
                server.start()
            return None
        noise = " (noisy: repeated if the bound allows)" if run["foreign_cpu_percent"] > FOREIGN_LIMIT_PERCENT else ""
        self.progress.add(self.run_s if repetition < self.options.reps else 0,
                          f"{op} {conns}x{depth} {server.title} run {repetition + 1}: "
                          f"{run['ops_per_second'] / 1000:.1f} kop/s, p99 {run['p99_us']:.0f} us, "
                          f"CPU {run['server_cpu_us_per_op']:.2f} us/op, "
                          f"other CPU {run['foreign_cpu_percent']:.0f} %{noise}")
        return run

    def measure_row(self, row):
        """Servers in turns, until each has enough quiet runs or the tries are used up."""
        wanted = self.options.reps
        runs = {server.name: [] for server in self.servers}
        failed = set()

        def quiet(name):
            return [run for run in runs[name] if run["foreign_cpu_percent"] <= FOREIGN_LIMIT_PERCENT]

        for repetition in range(wanted * TRIES_PER_REPETITION):
            order = self.servers if repetition % 2 == 0 else self.servers[::-1]
            for server in order:
                if server.name in failed or len(quiet(server.name)) >= wanted:
                    continue
                run = self.run_once(server, row, repetition)
                if run is None:
                    failed.add(server.name)
                else:
                    runs[server.name].append(run)
        results = {}
        for name, all_runs in runs.items():
            if all_runs and name not in failed:
                used = sorted(all_runs, key=lambda run: run["foreign_cpu_percent"])[:wanted]
                results[name] = {"used": used, "quiet": len(quiet(name)), "tried": len(all_runs), "all": all_runs}
        return self.judge_row(row, results, failed)

    @staticmethod
    def ratio(entry, key):
        """Median of ours by median of ZooKeeper's."""
        return report.median(entry, "ours", key) / report.median(entry, "zookeeper", key)

    def judge_row(self, row, results, failed):
        op, conns, depth, target = row
        entry = {"op": op, "conns": conns, "depth": depth, "target": target, "servers": results, "ratio": None,
                 "verdict": "-"}
        if failed:
            entry["verdict"] = "FAILED: " + ", ".join(sorted(failed))
        if len(results) < 2:
            return entry
        entry["ratio"] = self.ratio(entry, "ops_per_second")
        missed = []
        if entry["ratio"] < target:
            missed.append("ratio")
        if self.ratio(entry, "p99_us") >= 1:
            missed.append("p99")
        if op == "get" and depth == 1 and self.ratio(entry, "server_cpu_us_per_op") > CPU_RATIO_MAX:
            missed.append("CPU")
        entry["verdict"] = "MISSED: " + ", ".join(missed) if missed else "met"
        return entry

    def measure_rows(self):
        for server in self.servers:
            server.wipe()
            server.start()
            self.warm(server)
        entries = [self.measure_row(row) for row in self.rows]
        for server in self.servers:
            server.stop()
        return entries

    # ---- start-up, memory, idle ----

    def measure_figures(self):
        values = {name: {} for name, _, _ in FIGURES}
        for server in self.servers:
            try:
                for name, figures in self.figures_of(server).items():
                    values[name][server.name] = figures
            except servers.ServerError as error:
                self.fail(str(error))
            server.stop()
        entries = []
        for name, unit, target in FIGURES:
            ours = values[name].get("ours")
            verdict = "-" if self.options.only == "zookeeper" else "FAILED: ours"
            if ours:
                verdict = "met" if statistics.median(ours) <= target else "MISSED"
            entries.append({"name": name, "unit": unit, "target": target, "values": values[name], "verdict": verdict})
        return entries

    def figures_of(self, server):
        """All figures of one server, as lists of values."""
        found = {}
        found["start, empty"] = []
        for _ in range(self.options.starts):
            server.stop()
            server.wipe()
            wait_quiet(self.options.pause)
            found["start, empty"].append(1000 * server.start())
        time.sleep(2)  # memory that start-up needs only for a moment
        found["resident, idle"] = [server.rss_bytes() / 1e6]
        self.progress.add(10, f"{server.title}: empty start {report.spread(found['start, empty'])} ms, "
                              f"resident {found['resident, idle'][0]:.1f} MB")
        idle = self.load(server, "idle-sessions", "--conns", IDLE_SESSIONS, "--seconds", self.options.idle_seconds,
                         "--warmup", 5, timeout_s=self.options.idle_seconds + 120)
        found["idle CPU, 1000 sessions"] = [idle["server_cpu_percent"]]
        self.progress.add(self.options.idle_seconds + 5, f"{server.title}: {IDLE_SESSIONS} idle sessions take "
                                                         f"{idle['server_cpu_percent']:.2f} % of a core")
        found.update(self.figures_filled(server))
        return found

    def figures_filled(self, server):
        self.load(server, "fill", "--nodes", FILL_NODES)
        self.load(server, "fill-check", "--nodes", FILL_NODES)
        found = {"resident, 100000 nodes, just filled": [server.rss_bytes() / 1e6],
                 "resident, 100000 nodes, restarted": []}
        for name, how in (("start, 100000 nodes", signal.SIGTERM),
                          ("start after kill -9, 100000 nodes", signal.SIGKILL)):
            found[name] = []
            for _ in range(self.options.starts):
                server.stop(how)
                wait_quiet(self.options.pause)
                found[name].append(1000 * server.start())
                self.load(server, "fill-check", "--nodes", FILL_NODES)
                found["resident, 100000 nodes, restarted"].append(server.rss_bytes() / 1e6)
            self.progress.add(10, f"{server.title}: {name}: {report.spread(found[name])} ms")
        return found

    def run(self):
        try:
            rows = self.measure_rows() if self.rows else []
            figures = self.measure_figures() if self.with_figures else []
        finally:
            for server in self.servers:
                server.stop(signal.SIGKILL)
        return {"environment": environment(self.options, self.servers),
                "settings": settings(self.options, self.servers), "rows": rows, "figures": figures,
                "failures": self.failures}


# ---- what the figures are of ----

def output_of(*command):
    try:
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, timeout=30, check=False)
    except OSError:
        return ""
    return ended.stdout.strip() if ended.returncode == 0 else ""


def first_match(path, key):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(key):
            return line.split(":", 1)[1].strip()
    return "unknown"


def distribution():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return "unknown distribution"


def filesystem_of(path):
    """Type of the file system that path is on, by the longest mount point above it."""
    best = ("", "unknown")
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, point, kind = line.split()[:3]
        above = point if point.endswith("/") else point + "/"
        if (str(path) + "/").startswith(above) and len(above) > len(best[0]):
            best = (above, kind)
    return best[1]


def commit_text():
    commit = output_of("git", "-C", str(REPOSITORY), "rev-parse", "--short=12", "HEAD") or "unknown"
    changed = output_of("git", "-C", str(REPOSITORY), "status", "--porcelain", "--untracked-files=no", "--", "src",
                        "include", "bench", "meson.build")
    return commit + (" with uncommitted changes" if changed else "")


def environment(options, measured):
    memory_gb = int(first_match("/proc/meminfo", "MemTotal").split()[0]) / 1e6
    facts = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores of {first_match('/proc/cpuinfo', 'model name')}, {memory_gb:.0f} GB",
        "system": f"{distribution()}, Linux {platform.release()}, data on {filesystem_of(options.work)}",
    }
    names = [server.name for server in measured]
    if "ours" in names:
        version = output_of(str(options.binary), "version") or "unknown version"
        facts["FaaSKeeper"] = f"{version}, commit {commit_text()}"
    if "zookeeper" in names:
        version = output_of("dpkg-query", "-W", "-f", "${Version}", "zookeeper") or "unknown version"
        java = (output_of(servers.ZooKeeper.java, "-version") or "unknown java").splitlines()[0]
        facts["ZooKeeper"] = f"Debian {version} on {java}, -Xmx1000m, logging and admin server off"
    return facts


def settings(options, measured):
    commands = {}
    for server in measured:
        command = [pathlib.Path(part).name if part == str(options.binary) else part
                   for part in server.command("zoo.cfg")]
        commands[server.title] = shlex.join(command)
    return {
        "command": f"bench/bench.py --reps {options.reps} --seconds {options.seconds:g}"
                   + (f" --rows {shlex.quote(options.rows)}" if options.rows else "")
                   + (" --no-figures" if options.no_figures else "") + (" --quick" if options.quick else ""),
        "servers": commands,
        "load": f"fk-load --target 127.0.0.1:PORT --op OP --conns C --depth D --seconds {options.seconds:g} "
                f"--warmup {options.warmup:g} --size {SIZE} --pid SERVER --json",
        "reps": options.reps, "seconds": options.seconds, "size": SIZE,
    }


# ---- command line ----

def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="", metavar="TEXT",
                        help="only rows whose name contains TEXT, as in 'get' or '16x32'; 'figures': only start-up, "
                             "memory and idle CPU")
    parser.add_argument("--no-figures", action="store_true", help="leave out start-up, memory and idle CPU")
    parser.add_argument("--reps", type=int, help="runs per row and server (5)")
    parser.add_argument("--seconds", type=float, help="measured seconds per run (2)")
    parser.add_argument("--quick", action="store_true", help="2 runs of 1 s, 10 s idle: for a look, not for the record")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all results there")
    parser.add_argument("--from-json", type=pathlib.Path, metavar="FILE", help="measure nothing, report that file")
    parser.add_argument("--only", choices=["ours", "zookeeper"], help="measure one server")
    parser.add_argument("--write-docs", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--build", type=pathlib.Path, default=REPOSITORY / "build", metavar="DIR",
                        help="where faaskeeper and bench/fk-load are (build)")
    parser.add_argument("--load", type=pathlib.Path, metavar="FILE", help="the load generator (DIR/bench/fk-load)")
    parser.add_argument("--work", type=pathlib.Path, metavar="DIR",
                        help="where data is put for the time of the run (the build directory); not a tmpfs")
    options = parser.parse_args()
    options.reps = options.reps or (2 if options.quick else 5)
    options.seconds = options.seconds or (1.0 if options.quick else 2.0)
    options.warmup = 0.5
    options.idle_seconds = 10 if options.quick else 60
    options.starts = 2 if options.quick else 5
    options.pause = 2 if options.quick else 15
    options.binary = find_binary(options.build)
    options.load = options.load or options.build / "bench" / "fk-load"
    options.work = (options.work or options.build).resolve()
    return parser, options


def find_binary(build):
    """make build leaves build/faaskeeper; plain meson builds it in the directory of its sources."""
    for place in ("faaskeeper", "src/faaskeeper", "src/cli/faaskeeper"):
        if (build / place).is_file():
            return (build / place).resolve()
    return (build / "faaskeeper").resolve()


def check_options(parser, options):
    if options.reps < 1 or options.seconds <= 0:
        parser.error("--reps and --seconds must be above 0")
    if options.rows not in ("", "figures") and not any(options.rows in f"{row[0]} {row[1]}x{row[2]}" for row in ROWS):
        parser.error(f"no row contains '{options.rows}'")
    needed = [(options.load, "run `make build`")]
    if options.only != "zookeeper":
        needed.append((options.binary, "run `make build`"))
    if options.only != "ours":
        needed += [(pathlib.Path(servers.ZOOKEEPER_JAR), "install Debian's zookeeper and libzookeeper-java"),
                   (pathlib.Path(servers.ZooKeeper.java), "install default-jre-headless")]
    for path, advice in needed:
        if not path.exists():
            parser.error(f"{path} is missing: {advice}")
    if not options.work.is_dir():
        parser.error(f"--work {options.work} is no directory")
    if filesystem_of(options.work) in ("tmpfs", "ramfs"):
        parser.error(f"--work {options.work} is in memory ({filesystem_of(options.work)}): fsync costs nothing there")


def measure(options):
    work = tempfile.mkdtemp(prefix="bench-", dir=options.work)
    try:
        return Bench(options, work).run()
    finally:
        shutil.rmtree(work, ignore_errors=True)


def interrupted(signum, _frame):
    sys.exit(128 + signum)  # through the finally clauses, which stop the servers


def main():
    parser, options = parse_options()
    signal.signal(signal.SIGTERM, interrupted)
    if options.from_json:
        results = json.loads(options.from_json.read_text())
    else:
        check_options(parser, options)
        try:
            results = measure(options)
        except servers.ServerError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    print("\n" + report.tables(results) + "\n\n" + report.verdict_line(results))
    if options.write_docs:
        path = REPOSITORY / "docs" / "benchmarks.md"
        path.write_text(report.document(results, path.read_text() if path.exists() else ""))
        print(f"wrote {path.relative_to(REPOSITORY)}")
    for text in results["failures"]:
        print(f"FAILED: {text}")
    return 1 if results["failures"] else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
