#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The same random requests to our server and to the real ZooKeeper; every reply and every event is compared.

    differential.py [--seed N] [--rounds N] [--operations N] [--verbose]

Both servers start empty and get the same requests of three clients in lockstep, so that even zxids and sequence
numbers must be equal; only times and session ids are masked. Requests are valid and invalid ones of every kind of
the core protocol: each create mode, versions that fit and do not, ACLs, multi, watches, setWatches, reattaching,
closing, truncated records. What we do as 3.9 does and 3.8.0 does not is left out: ACLs always let everyone read
(exists and events ask for READ since 3.9.2), and the zxid of an event is not compared.

A failure prints the seed, the number of the operation and both answers. One round is one case.
FK_BINARY names our program. Last line: N passed, N failed, N skipped.
"""
import argparse
import os
import pathlib
import random
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import server as server_module  # noqa: E402
import zkraw  # noqa: E402

CLIENTS = 3
NAMES = ["/a", "/b", "/a/x", "/a/y", "/b/x", "/a/x/1", "/a/x/2", "/zookeeper", "/", "/none/x"]
BAD_NAMES = ["", "a", "/a/", "//", "/a/../b", "/a\0", "/a/\x01", "/zookeeper/quota", "/zookeeper/config"]
WORLD_READ = (zkraw.READ, "world", "anyone")
ACLS = [zkraw.OPEN_ACL] * 12 + [
    [WORLD_READ], [WORLD_READ, (zkraw.ALL, "auth", "")], [(zkraw.READ | zkraw.MAY_CREATE, "world", "anyone")],
    [WORLD_READ, (zkraw.ALL, "digest", zkraw.digest_id("u:p"))], [WORLD_READ, (zkraw.ALL, "ip", "127.0.0.0/8")],
    [WORLD_READ, WORLD_READ], [], [(zkraw.ALL, "nosuch", "x")], [(zkraw.ALL, "digest", "bad")],
]
DATA = [b"", None, b"x", b"some data", bytes(3000)]
VERSIONS = [-1, -1, -1, 0, 0, 1, 2, 3, -2]


class Generator:
    """Draws requests; equal seeds draw equal ones."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def path(self):
        if self.random.random() < 0.06:
            return self.random.choice(BAD_NAMES)
        return self.random.choice(NAMES)

    def flags(self):
        return self.random.choice([0, 0, 0, 0, 1, 1, 2, 3, 3, -1, 9] if self.random.random() < 0.1 else [0, 0, 1, 2, 3])

    def create(self):
        return zkraw.create_body(self.path(), self.random.choice(DATA), self.random.choice(ACLS), self.flags())

    def version(self):
        return zkraw.int32(self.random.choice(VERSIONS))

    def write(self, inside=False):
        kind = self.random.choice(["create", "create", "create2", "delete", "set", "check" if inside else "acl"])
        if kind == "create":
            return zkraw.CREATE, self.create()
        if kind == "create2":
            return zkraw.CREATE2, self.create()
        if kind == "delete":
            return zkraw.DELETE, zkraw.ustring(self.path()) + self.version()
        if kind == "set":
            return zkraw.SET_DATA, zkraw.ustring(self.path()) + zkraw.buffer(self.random.choice(DATA)) + self.version()
        if kind == "check":
            return zkraw.CHECK, zkraw.ustring(self.path()) + self.version()
        return zkraw.SET_ACL, (zkraw.ustring(self.path()) + zkraw.acl_list(self.random.choice(ACLS)) + self.version())

    def read(self):
        op = self.random.choice([zkraw.EXISTS, zkraw.EXISTS, zkraw.GET_DATA, zkraw.GET_DATA, zkraw.GET_CHILDREN,
                                 zkraw.GET_CHILDREN2, zkraw.GET_ACL, zkraw.SYNC])
        path = self.path()
        body = zkraw.ustring(path)
        if op not in (zkraw.GET_ACL, zkraw.SYNC):
            # Java takes "" for the root but leaves the watch on "", where it never fires; ours is on the root.
            body += zkraw.boolean(path != "" and self.random.random() < 0.6)
        return op, body

    def multi(self):
        return zkraw.MULTI, zkraw.multi_body([self.write(inside=True) for _ in range(self.random.randrange(0, 6))])

    def set_watches(self, zxid):
        lists = b"".join(zkraw.vector(self.random.sample(NAMES, self.random.randrange(0, 4)), zkraw.ustring)
                         for _ in range(3))
        return zkraw.SET_WATCHES, zkraw.int64(max(0, zxid - self.random.randrange(0, 12))) + lists

    def request(self, zxid):
        """(operation, body)"""
        drawn = self.random.random()
        if drawn < 0.45:
            op, body = self.write()
        elif drawn < 0.80:
            op, body = self.read()
        elif drawn < 0.92:
            op, body = self.multi()
        elif drawn < 0.97:
            return self.set_watches(zxid)
        else:
            return zkraw.AUTH, zkraw.int32(0) + zkraw.ustring("digest") + zkraw.buffer(
                self.random.choice([b"u:p", b"v:q"]))
        if self.random.random() < 0.03 and body:
            body = body[:self.random.randrange(len(body))]
        return op, body


class Side:
    """One of the two servers with its clients; answers come as values that can be compared."""

    def __init__(self, server):
        self.server = server
        self.sessions = {0: 0}  # session id -> number in the order of creation
        self.clients = [self.open() for _ in range(CLIENTS)]

    def open(self, **handshake):
        client = zkraw.Connection(self.server.address, timeout=30000, **handshake)
        self.sessions.setdefault(client.session, len(self.sessions))
        return client

    def stat(self, stat):
        return stat._replace(ctime=0, mtime=0, ephemeral_owner=self.sessions.get(stat.ephemeral_owner, "unknown"))

    def mask(self, value):
        """A value of a multi result: a Stat, a pair with one, or neither."""
        if isinstance(value, zkraw.Stat):
            return self.stat(value)
        return (value[0], self.stat(value[1])) if isinstance(value, tuple) else value

    def call(self, number, op, body):
        client = self.clients[number]
        xid = {zkraw.AUTH: zkraw.XID_AUTH, zkraw.SET_WATCHES: zkraw.XID_SET_WATCHES}.get(op)
        reply = client.call(op, body, xid)
        return reply.err, reply.zxid, self.value(op, reply.body) if not reply.err else reply.body

    def value(self, op, body):
        reader = zkraw.Reader(body)
        if op in (zkraw.CREATE, zkraw.SYNC):
            value = reader.ustring()
        elif op == zkraw.CREATE2:
            value = reader.ustring(), self.stat(reader.stat())
        elif op in (zkraw.EXISTS, zkraw.SET_DATA, zkraw.SET_ACL):
            value = self.stat(reader.stat())
        elif op == zkraw.GET_DATA:
            value = reader.buffer(), self.stat(reader.stat())
        elif op == zkraw.GET_CHILDREN:
            value = sorted(reader.strings())
        elif op == zkraw.GET_CHILDREN2:
            value = sorted(reader.strings()), self.stat(reader.stat())
        elif op == zkraw.GET_ACL:
            value = reader.acl(), self.stat(reader.stat())
        elif op == zkraw.MULTI:
            return [result._replace(value=self.mask(result.value)) for result in zkraw.read_results(body)]
        else:
            value = None
        reader.end()
        return value

    def reattach(self, number):
        client = self.clients[number]
        client.abort()
        self.clients[number] = self.open(session=client.session, password=client.password)
        return self.sessions[self.clients[number].session]

    def close(self, number):
        reply = self.clients[number].close_session()
        self.clients[number] = self.open()
        return reply.err, reply.zxid

    def events(self):
        return [client.take_events() for client in self.clients]

    def tree(self):
        """All nodes, as a client with every right sees them."""
        root = zkraw.Connection(self.server.address)
        root.auth("digest", "super:test")
        nodes, names = {}, ["/"]
        while names:
            name = names.pop()
            err, data, stat = root.get(name)
            acl = root.get_acl(name)[1]
            nodes[name] = err, data, self.stat(stat), acl
            names += [name.rstrip("/") + "/" + child for child in root.children(name)[1]]
        root.close_session()
        return nodes


def step(side, number, action, op, body):
    if action == "reattach":
        return side.reattach(number)
    if action == "close":
        return side.close(number)
    return side.call(number, op, body)


def run_round(seed, operations, ours, oracle, verbose):
    """Text of the first difference, or None."""
    generator = Generator(seed)
    sides = [Side(ours), Side(oracle)]
    zxid = 0
    for count in range(1, operations + 1):
        number = generator.random.randrange(CLIENTS)
        drawn = generator.random.random()
        action = "reattach" if drawn < 0.01 else "close" if drawn < 0.02 else "call"
        op, body = generator.request(zxid) if action == "call" else (0, b"")
        answers = [step(side, number, action, op, body) for side in sides]
        events = [side.events() for side in sides]
        if action == "close":  # the order in which a session's ephemerals go is open
            events = [[sorted(list_) for list_ in lists] for lists in events]
        if verbose:
            print(count, number, action, op, body, answers[1], events[1])
        if answers[0] != answers[1] or events[0] != events[1]:
            return (f"seed {seed}, operation {count}, client {number}: {action} {op} {body!r}\n"
                    f"  ours:      {answers[0]} events {events[0]}\n  zookeeper: {answers[1]} events {events[1]}")
        if action == "call" and answers[1][1] > 0:
            zxid = answers[1][1]
    trees = [side.tree() for side in sides]
    if trees[0] != trees[1]:
        names = [name for name in sorted(set(trees[0]) | set(trees[1])) if trees[0].get(name) != trees[1].get(name)]
        return f"seed {seed}: the trees differ at the end: " + "; ".join(
            f"{name}: ours {trees[0].get(name)}, zookeeper {trees[1].get(name)}" for name in names[:5])
    return None


def start(directory, oracle):
    """A server of the kind; the module's choice is made per server here."""
    server_module.ORACLE = oracle
    try:
        return server_module.Server(directory).start()
    finally:
        server_module.ORACLE = False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--operations", type=int, default=2500)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    ours_is_oracle = os.environ.get("FK_CONFORMANCE_SERVER") == "zookeeper"  # to test this program itself
    passed = failed = 0
    for seed in range(options.seed, options.seed + options.rounds):
        with tempfile.TemporaryDirectory(prefix="fk-differential-") as directory:
            servers = []
            try:
                servers.append(start(directory + "/ours", ours_is_oracle))
                servers.append(start(directory + "/oracle", True))
                problem = run_round(seed, options.operations, *servers, options.verbose)
            except (AssertionError, zkraw.Closed, OSError, TimeoutError) as error:
                problem = f"seed {seed}: {type(error).__name__}: {error}"
            finally:
                for server in servers:
                    server.kill()
        if problem:
            print(f"FAILED differential {problem}", flush=True)
        passed, failed = passed + (not problem), failed + bool(problem)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
