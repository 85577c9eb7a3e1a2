#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the server under load, restarts it, and looks whether what was acknowledged is there and nothing else.

    crash.py [--cycles N] [--seed S] [--first CYCLE] [--keep]

In each cycle 16 clients (record.c) load one server until it is killed: at a random moment, or by strace as one of its
threads enters its n-th write, fdatasync, send, rename, remove ... Some cycles kill the next starts too, at their n-th
system call, and some leave a torn frame behind the log. Then `faaskeeper data check` must say healthy, and a server
must start and hold exactly what history.py allows; sessions go on in the next cycle, and the directory too.
Cycles of small values also go through the checkers of the simulator (faaskeeper-sim --check): every answer and the
final state against its reference model.
A cycle is one case. After a failure the directory is kept (named in the report) and a fresh one is used.
--first CYCLE with the seed of a failure repeats its kills, not its exact timing. --keep copies the directory as it was
after each kill. Last line: N passed, N failed, N skipped.
"""
import argparse
import collections
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import history as history_module
from life import (CLIENTS, RECORD, RUN_SECONDS, SIM, Failure, Life, Report, can_trace, check_history, delete_all, dice,
                  killing, make_tree, read_tree, scratch, write_history)

SENDS = "write,writev,sendmsg,sendto"
START_CALLS = ("pwrite64,fdatasync,fsync,ftruncate,fallocate,unlink,unlinkat,rename,renameat,renameat2,openat,fcntl,"
               "flock,mkdir,pread64")
# thread, system calls, the largest n: where strace kills. The main thread writes and syncs inline when nobody reads.
PLACES = [("fk-log", "pwrite64", 400), ("fk-log", "fdatasync", 400), ("fk-log", "pwrite64,fdatasync", 60),
          ("main", "pwrite64", 60), ("main", "fdatasync", 60), ("main", SENDS, 3000),
          ("fk-segment", "pwrite64,fdatasync,fsync,fallocate,rename,renameat,renameat2,openat", 24)]
CHECKPOINT_PLACES = [("fk-checkpoint", "pwrite64", 400), ("fk-checkpoint", "fdatasync,fsync", 4),
                     ("fk-checkpoint", "fcntl", 40), ("fk-checkpoint", "unlink,unlinkat", 20),
                     ("fk-checkpoint", "ftruncate,openat", 4)]
CHECKED_SIZE = 4096  # cycles with values up to this are judged by the simulator's checkers too
HEAVY_EVERY = 7  # cycles whose load makes a checkpoint due


class Plan:
    """What happens in one cycle: a function of the seed and the cycle's number."""

    def __init__(self, seed, cycle, traced):
        random = dice(f"{seed}/{cycle}")
        self.cycle = cycle
        self.heavy = cycle % HEAVY_EVERY == HEAVY_EVERY - 1
        self.reads = random.choice([0, 8, 30])
        self.value_size = 48 * 1024 if self.heavy else random.choice([64, 256, 1024, 4096])
        self.replies = random.randint(1, 6000) if not self.heavy else random.randint(2000, 5000)
        self.delay_us = random.choice([0, 0, random.randint(0, 3000)])
        self.seed = random.randint(1, 1 << 40)
        self.segment_kb = random.choice([1024, 1024, 1024, 4096, 65536])
        self.force_sync = random.random() < 0.85  # without, what was written outlives the process
        self.stop = random.random() < 0.1  # SIGTERM instead
        self.place = None
        if not self.stop and traced and (self.heavy or random.random() < 0.7):
            self.choose_place(random)
        self.start_kills = []
        if traced and random.random() < 0.4:
            self.start_kills = [random.randint(1, 60) for _ in range(random.randint(1, 3))]
        self.torn = random.choice([None, None, "bytes", "frame"])
        self.torn_seed = random.randint(1, 1 << 30)

    def choose_place(self, random):
        """Where strace kills, and a load that comes there before the clients' own kill."""
        thread, calls, most = random.choice(CHECKPOINT_PLACES if self.heavy else PLACES)
        self.place = (thread, calls, max(1, int(most ** random.random())))
        self.replies = random.randint(4000, 8000)
        if thread == "main" and calls != SENDS:
            self.reads = 0
        elif thread == "fk-segment":
            self.value_size, self.segment_kb = 8192, 1024

    def __str__(self):
        where = "by {} in {} {}".format(*self.place) if self.place else "at a random moment" + " (SIGTERM)" * self.stop
        return (f"cycle {self.cycle}: killed {where}, {self.replies} replies at most, "
                f"values to {self.value_size} bytes, {self.reads} % reads, segments of {self.segment_kb} kB, "
                f"forceSync {self.force_sync}, starts killed {self.start_kills}, torn {self.torn}")


class Crash:
    """One directory over many cycles."""

    def __init__(self, seed, keep):
        self.seed, self.keep = seed, keep
        self.directory = scratch("crash")
        self.life = Life(self.directory)
        self.history = None
        self.first = []  # the state at the start of a cycle: (path, body of getData)
        self.first_zxid = 0
        self.checked = 0
        self.timings = []
        self.hits = collections.Counter()

    # -- a cycle

    def run(self, plan):
        self.life.config.update(preAllocSize=str(plan.segment_kb), forceSync="yes" if plan.force_sync else "no")
        if self.history is None:
            self.begin()
        self.load(plan)
        self.life.check_data()
        if plan.torn:
            self.tear(plan)
        for when in plan.start_kills:
            self.kill_start(when)
        began = time.monotonic()
        self.life.start()
        self.timings.append(time.monotonic() - began)
        self.verify(plan.value_size <= CHECKED_SIZE and SIM.exists())

    def begin(self):
        self.life.start()
        connection = self.life.connect()
        make_tree(connection, CLIENTS)
        self.first = []
        seen = read_tree(connection, ["/w", "/shared"], self.first)
        self.first_zxid = connection.close_session().zxid
        self.history = history_module.History(CLIENTS, seen, self.first_zxid)

    def load(self, plan):
        """The clients work until the server is dead."""
        out, sessions = self.directory / "record", self.directory / "sessions"
        sessions.write_text("".join(f"{client.index} {client.session} {client.password} {client.last_zxid}\n"
                                    for client in self.history.clients))
        if plan.place is not None:
            thread, calls, when = plan.place
            self.life.trace(thread, killing(calls, when))
        recorder = self.life.record(out, sessions, seed=plan.seed, run=plan.cycle, value_size=plan.value_size,
                                    reads=plan.reads, kill_pid=self.life.process.pid, kill_after=plan.replies,
                                    kill_delay_us=plan.delay_us, history=self.directory / "frames",
                                    kill_signal=signal.SIGTERM if plan.stop else signal.SIGKILL)
        try:
            code = recorder.wait(RUN_SECONDS)
        except subprocess.TimeoutExpired:
            recorder.kill()
            recorder.wait()
            code = "no end"
        alive = self.life.is_alive() and code != 0
        ended = self.life.kill() if alive else self.life.reap()
        if self.keep:
            shutil.rmtree(self.directory / "killed", ignore_errors=True)
            shutil.copytree(self.life.data, self.directory / "killed")
        lines = out.read_text().splitlines()
        injected = not any(line.startswith("K ") for line in lines)
        self.hits[plan.place[0] if injected and plan.place else "stopped" if plan.stop else "random"] += 1
        self.history.read(lines)
        if code != 0 or ended != (0 if plan.stop else -signal.SIGKILL):
            raise Failure(f"the clients ended with {code}, the server with {ended}: {self.life.messages()[-500:]}\n"
                          + "\n".join(self.history.violations))

    def tear(self, plan):
        """Puts what a power cut may leave of an unsynced write behind the log's end."""
        found = re.search(r"\((log\.[0-9a-f]{16}), offset (\d+)\)", self.life.check_data())
        if found is None:
            raise Failure("data check does not name the log's end")
        random = dice(plan.torn_seed)
        with open(self.life.data / found[1], "r+b") as segment:
            size = os.fstat(segment.fileno()).st_size
            end = int(found[2])
            position = int(found[1][4:], 16) + end
            piece = random.randbytes(random.randint(1, 4096))
            if plan.torn == "frame":  # a header that promises more than there is
                piece = b"FKdt" + (100000).to_bytes(4, "big") + position.to_bytes(8, "big") + piece
            segment.seek(end)
            segment.write(piece[:max(0, size - end)])
        self.life.check_data()

    def kill_start(self, when):
        """A start that is killed at its n-th call; where it gets up before that, it is killed then."""
        wrapper = [*("strace", "-D", "-f", "-o", "/dev/null"), *killing(START_CALLS, when)]
        if self.life.start(wrapper, may_die=True):
            self.life.kill()
            self.hits["just started"] += 1
        else:
            self.hits["while starting"] += 1
        self.life.check_data()

    def verify(self, checked):
        newest = max(client.last_zxid for client in self.history.clients)
        connection = self.life.connect(last_zxid=newest)
        zxid = connection.call(3, b"\0\0\0\1/\0").zxid - 1  # without the session that asks
        final = []
        seen = read_tree(connection, ["/w", "/shared"], final)
        self.history.check(seen, zxid)
        if checked:
            self.check_frames(final, zxid)
        if self.history.violations:
            raise Failure("\n".join(self.history.violations[:20]))
        self.first_zxid = self.sweep(connection, seen)
        self.history.begin(self.first_zxid)

    def check_frames(self, final, zxid):
        """The frames of this cycle, between the states before and behind it, through the simulator's checkers."""
        path = self.directory / "history.ndjson"
        write_history(path, self.directory / "frames", self.first, self.first_zxid, final, zxid)
        wrong, decided = check_history(path)
        if wrong:
            self.history.wrong(wrong)
        self.checked += decided

    def sweep(self, connection, seen):
        """Removes what would grow from cycle to cycle; the zxid at the end."""
        queue = [path for path in seen if path.startswith("/shared/q/")]
        old = []
        for client in self.history.clients:
            mine = sorted(path for path in client.tree.nodes if path.startswith(client.directory + "/q/"))
            old += [(client, path) for path in mine[:-20]]
        delete_all(connection, queue + [path for _, path in old])
        self.first = []
        read_tree(connection, ["/w", "/shared"], self.first)
        reply = connection.close_session()
        for client, path in old:
            client.tree.remove(path, None)
        return reply.zxid

    def end(self, failed):
        self.life.kill()
        if not failed:
            shutil.rmtree(self.directory)


def progress(cycle, cycles, began, crash):
    history = crash.history
    kills = ", ".join(f"{count} {where}" for where, count in sorted(crash.hits.items()))
    print(f"cycle {cycle} of {cycles}: {history.answered_total} requests answered, {history.unknown_total} not, {crash.checked} cycles checked by the model, "
          f"slowest start {max(crash.timings) * 1000:.0f} ms, killed {kills}, {time.monotonic() - began:.0f} s",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1000000)
    parser.add_argument("--first", type=int, default=0, help="number of the first cycle")
    parser.add_argument("--keep", action="store_true", help="keep a copy of the directory as the kill left it")
    options = parser.parse_args()
    report = Report()
    if not RECORD.exists():
        report.fail(f"{RECORD} is missing: build with -Dtests=true")
        return report.finish()
    reason = can_trace()
    if reason:
        report.skip(f"crash/injected: kills at the n-th system call: {reason}; random moments only")
    print(f"seed {options.seed}", flush=True)
    began, crash = time.monotonic(), None
    for cycle in itertools.islice(itertools.count(options.first), options.cycles):
        plan = Plan(options.seed, cycle, reason is None)
        crash = crash or Crash(options.seed, options.keep)
        try:
            crash.run(plan)
            report.ok()
        except Exception as error:  # a crash of the test itself is a failure of the cycle, not of the rest
            report.fail(f"crash/{cycle}: {plan}\n{type(error).__name__}: {error}\n"
                        f"seed {options.seed}; the directory is {crash.directory}")
            crash.end(failed=True)
            crash = None
            continue
        done = cycle - options.first + 1
        if done == options.cycles or done % 5 == 0:
            progress(done, options.cycles, began, crash)
    if crash is not None:
        crash.end(failed=False)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
