# SPDX-License-Identifier: Apache-2.0
"""A server to be killed, its clients, and what strace can do to it. FK_BINARY names our program (default:
build/faaskeeper); the recording clients are tests/chaos/record in the same build.
"""
import json
import os
import pathlib
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import zkraw  # noqa: E402

ROOT = HERE.parents[1]
BINARY = pathlib.Path(os.environ.get("FK_BINARY", ROOT / "build" / "faaskeeper")).resolve()
RECORD = BINARY.parent / "tests" / "chaos" / "record"
SIM = BINARY.parent / "sim" / "faaskeeper-sim"
STRACE = shutil.which("strace")
CLIENTS = 16
START_SECONDS = 30
RUN_SECONDS = 60
SESSION_MS = 40000  # 20 ticks, the longest
HEALTHY, DAMAGED, SYNC_FAILED = 0, 3, 4


class Failure(Exception):
    """The server did what it must not."""


class Skip(Exception):
    """Cannot be tried here; the text says why."""


def wait_until(condition, seconds, what):
    """Polls until condition() is true; its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(0.01)


class Life:
    """A data directory and the servers that live on it, one after the other."""

    running = set()  # every server of this process, for end_all

    def __init__(self, directory, data=None, **config):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.data = pathlib.Path(data or self.directory / "data")
        self.config = {"tickTime": "2000", "maxClientCnxns": "0", "preAllocSize": "1024", **config}
        self.errors = self.directory / "stderr"
        self.process = self.address = self.tracer = None
        self.errors_from = 0

    # -- life and death

    def start(self, wrapper=(), may_die=False):
        """Starts a server and waits for its address; with may_die false when it ended before that."""
        self.spawn(wrapper)
        line = self.first_line()
        if not line and may_die:
            self.reap()
            return False
        if not line:
            code = self.reap()
            raise Failure(f"the server does not start: exit code {code}: {self.messages()}")
        self.address = ("127.0.0.1", int(re.search(r":(\d+)$", line.strip()).group(1)))
        return True

    def spawn(self, wrapper=()):
        config = self.directory / "zoo.cfg"
        config.write_text("".join(f"{key}={value}\n" for key, value in self.config.items()))
        self.errors_from = self.errors.stat().st_size if self.errors.exists() else 0
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen(
                [*wrapper, str(BINARY), "serve", "--config", str(config), "--data", str(self.data), "--listen",
                 "127.0.0.1:0"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        Life.running.add(self)

    def first_line(self):
        """The line with the address; empty when the server ended without one."""
        line, deadline = b"", time.monotonic() + START_SECONDS
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                self.kill()
                raise Failure(f"the server printed no address within {START_SECONDS} s: {self.messages()}")
            byte = os.read(self.process.stdout.fileno(), 1)
            if not byte:
                return ""
            line += byte
        return line.decode()

    def reap(self, seconds=START_SECONDS):
        """Waits for the end; the exit code, negative for a signal."""
        if self.process is None:
            return None
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"the server did not end within {seconds} s") from None
        self.process.stdout.close()
        self.process = None
        Life.running.discard(self)
        self.end_tracer()
        if re.search(r"Sanitizer|runtime error:", self.messages()):
            raise Failure(f"a sanitizer speaks: {self.messages()[:4000]}")
        return code

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            return self.reap()
        return None

    @classmethod
    def end_all(cls):
        """Kills the servers that a failed case has left."""
        for life in list(cls.running):
            life.kill()

    def stop(self):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.reap()

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def messages(self):
        """What the last server wrote to standard error."""
        with open(self.errors, "rb") as errors:
            errors.seek(self.errors_from)
            return errors.read().decode(errors="replace")

    # -- strace

    def threads(self):
        """Thread ids by name, `main` for the first; what ends meanwhile is left out."""
        found = {"main": self.process.pid}
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                found[(task / "comm").read_text().strip()] = int(task.name)
            except OSError:
                continue
        return found

    def trace(self, thread, inject):
        """Attaches strace to one thread, by name, and waits until it is there."""
        tid = wait_until(lambda: self.threads().get(thread), START_SECONDS, f"the thread {thread}")
        self.tracer = subprocess.Popen([STRACE, "-o", "/dev/null", "-p", str(tid), *inject], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.tracer.poll() is not None or is_traced(self.process.pid, tid), START_SECONDS,
                   "strace attaches")

    def end_tracer(self):
        if self.tracer is not None:
            self.tracer.terminate()
            self.tracer.wait()
            self.tracer = None

    # -- clients

    def connect(self, **handshake):
        """A session that stays while the test is busy with something else: a machine under load takes its time."""
        return zkraw.Connection(self.address, **{"timeout": SESSION_MS, **handshake})

    def record(self, out, sessions, **options):
        """Starts the recording clients."""
        words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        return subprocess.Popen([str(RECORD), f"--target=127.0.0.1:{self.address[1]}", f"--out={out}",
                                 f"--sessions={sessions}", f"--clients={CLIENTS}", *words], stdin=subprocess.DEVNULL)

    def check_data(self):
        """faaskeeper data check: the directory must be healthy."""
        done = subprocess.run([str(BINARY), "data", "check", str(self.data)], capture_output=True, text=True,
                              timeout=RUN_SECONDS)
        if done.returncode != HEALTHY or "healthy" not in done.stdout:
            raise Failure(f"data check: exit code {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout


def killing(calls, when):
    """Arguments for strace: the process gets SIGKILL as it enters the when-th of these calls."""
    return ["-e", f"trace={calls}", "-e", f"inject={calls}:signal=KILL:when={when}"]


def can_trace():
    """None, or why strace cannot attach to a process of ours (not installed, a container, ptrace_scope)."""
    if STRACE is None:
        return "strace is not installed"
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as target:
        tracer = subprocess.Popen([STRACE, "-o", "/dev/null", "-e", "inject=getppid:error=EIO", "-p", str(target.pid)],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  text=True)
        wait_until(lambda: tracer.poll() is not None or is_traced(target.pid, target.pid), START_SECONDS,
                   "strace attaches")
        code = tracer.poll()
        target.stdin.close()
        target.wait()
    _, errors = tracer.communicate()
    return None if code is None else f"strace cannot attach: {' '.join(errors.split())}"


def is_traced(pid, tid):
    try:
        status = pathlib.Path(f"/proc/{pid}/task/{tid}/status").read_text()
    except OSError:
        return True  # and killed at once
    return "TracerPid:\t0\n" not in status


# ---- the state over the wire

def read_all(connection, requests, op):
    """Sends requests for paths without waiting for answers between; {path: body}, None for those that are not there."""
    results = {}
    for start in range(0, len(requests), 200):
        part = requests[start:start + 200]
        for path in part:
            connection.post(op, zkraw.path_watch(path))
        for path in part:
            reply = connection.reply()
            if reply.err not in (0, zkraw.NO_NODE):
                raise Failure(f"reading {path}: error {reply.err}")
            results[path] = None if reply.err else reply.body
    return results


def value_id(data):
    """The id:size of a value that is whole."""
    token = data.split(b" ", 1)[0] + b" "
    if data != (token * (len(data) // len(token) + 1))[:len(data)]:
        return f"CORRUPT:{len(data)}"
    return f"{token[:-1].decode()}:{len(data)}"


def read_tree(connection, roots, raw=None):
    """{path: (value, stat)} of these nodes and all below them; raw: a list that takes (path, body of getData), parents
    first."""
    seen, level = {}, list(roots)
    while level:
        below = []
        children = read_all(connection, level, zkraw.GET_CHILDREN)
        for path, body in read_all(connection, level, zkraw.GET_DATA).items():
            if body is None or children[path] is None:
                raise Failure(f"{path} is not there")
            reader = zkraw.Reader(body)
            data = reader.buffer()
            seen[path] = (value_id(data), reader.stat())
            if raw is not None:
                raw.append((path, body))
            below += [f"{path}/{name}" for name in zkraw.Reader(children[path]).strings()]
        level = below
    return seen


def node_line(kind, path, body):
    """A node as a line of a history: body is getData's, the data and 68 bytes of stat."""
    size = int.from_bytes(body[:4], "big", signed=True)
    node = {"k": kind, "path": path.encode().hex(), "stat": body[-68:].hex()}
    if size >= 0:
        node["data"] = body[4:4 + size].hex()
    return json.dumps(node) + "\n"


def write_history(path, frames, first, first_zxid, final, final_zxid):
    """A history as faaskeeper-sim --check reads it (sim/history_file.c): the recorder's frames between the states
    before and behind them, as read_tree's `raw` has them."""
    with open(path, "w", encoding="ascii") as out:
        head = {"format": "faaskeeper-history", "version": 1, "first_zxid": first_zxid}
        out.write(json.dumps(head) + "\n")
        out.writelines(node_line("first", *node) for node in first)
        with open(frames, encoding="ascii") as lines:
            shutil.copyfileobj(lines, out)
        out.writelines(node_line("node", *node) for node in final)
        out.write(json.dumps({"k": "end", "final_zxid": final_zxid, "nodes": True}) + "\n")


def check_history(path):
    """Holds a history against the simulator's checkers: (what is wrong or None, whether they could decide all of it)."""
    done = subprocess.run([str(SIM), "--check", str(path)], capture_output=True, text=True, timeout=RUN_SECONDS)
    wrong = None
    if done.returncode != 0:
        wrong = f"faaskeeper-sim --check {path}: exit code {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-1000:]}"
    return wrong, "undecided" not in done.stdout


def make_tree(connection, clients):
    """What the recording clients need."""
    paths = ["/w", "/shared", "/shared/q", "/shared/a", "/shared/b"] + [f"/shared/s{i}" for i in range(4)]
    for i in range(clients):
        base = f"/w/{i:02d}"
        paths += [base, f"{base}/q", f"{base}/m0", f"{base}/m1"] + [f"{base}/r{j}" for j in range(4)]
    for path in paths:
        connection.post(zkraw.CREATE, zkraw.create_body(path, b"first "))
    for path in paths:
        reply = connection.reply()
        if reply.err:
            raise Failure(f"creating {path}: error {reply.err}")


def delete_all(connection, paths):
    """Deletes nodes; the last zxid."""
    zxid = 0
    for start in range(0, len(paths), 200):
        for path in paths[start:start + 200]:
            connection.post(zkraw.DELETE, zkraw.ustring(path) + zkraw.int32(-1))
        for path in paths[start:start + 200]:
            reply = connection.reply()
            if reply.err:
                raise Failure(f"deleting {path}: error {reply.err}")
            zxid = reply.zxid
    return zxid


# ---- reports

class Report:
    """Counts cases; the lines that tests/run.py reads. late: failures and skips are printed at the end."""

    def __init__(self, late=False):
        self.passed = self.failed = self.skipped = 0
        self.late = [] if late else None

    def tell(self, text):
        if self.late is None:
            print(text, flush=True)
        else:
            self.late.append(text)

    def ok(self):
        self.passed += 1

    def fail(self, text):
        self.failed += 1
        self.tell("FAILED " + text.strip().replace("\n", "\n    "))

    def skip(self, text):
        self.skipped += 1
        self.tell("SKIPPED " + text)

    def finish(self):
        for text in self.late or ():
            print(text)
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        return 1 if self.failed or not self.passed else 0


def scratch(name):
    """A directory for servers' data, in FK_CHAOS_DIR or where temporary files are; kept where a test fails."""
    return pathlib.Path(tempfile.mkdtemp(prefix=f"faaskeeper-{name}-", dir=os.environ.get("FK_CHAOS_DIR") or None))


def dice(seed):
    return random.Random(seed)
