# SPDX-License-Identifier: Apache-2.0
"""Judges what record wrote down: a model of each client's own nodes, and evidence for the shared ones.

A client's requests are decided in the order in which it sent them, so what was decided of those without an answer is a
prefix of them: the state after a crash must be the model's after all answered requests and the first k of the others,
for one k. The nodes that all clients write are held against the answers of all: each version has one writer, and the
missing ones must be among the requests without an answer.
"""
import collections
import copy

NO_NODE, BAD_VERSION, NODE_EXISTS, INCONSISTENT = -101, -103, -110, -2
EPHEMERAL, SEQUENTIAL = 1, 2
SHARED_REGISTERS = 4
REGISTERS = 4


class Node:
    """A node as its stat shows it; a zxid is None where no answer told it."""

    __slots__ = ("value", "version", "created", "children", "owner", "czxid", "mzxid", "pzxid")

    def __init__(self, value, owner, zxid):
        self.value, self.owner = value, owner  # value: id:size
        self.version = self.created = self.children = 0
        self.czxid = self.mzxid = self.pzxid = zxid

    def differs(self, value, stat):
        """What of a node that was read is not as it is here; None: nothing."""
        wanted = {"value": self.value, "version": self.version, "cversion": 2 * self.created - self.children,
                  "aversion": 0, "ephemeral_owner": self.owner, "data_length": int(self.value.split(":")[1]),
                  "num_children": self.children, "czxid": self.czxid, "mzxid": self.mzxid, "pzxid": self.pzxid}
        got = dict(stat._asdict(), value=value)
        wrong = [f"{name} {got[name]} instead of {wanted[name]}" for name in wanted
                 if wanted[name] is not None and got[name] != wanted[name]]
        return ", ".join(wrong) or None

    def learn(self, stat):
        self.czxid, self.mzxid, self.pzxid = stat.czxid, stat.mzxid, stat.pzxid


def parent_of(path):
    return path.rsplit("/", 1)[0]


class Tree:
    """The nodes below one client's directory."""

    def __init__(self, nodes):
        self.nodes = nodes

    def clone(self):
        return Tree({path: copy.copy(node) for path, node in self.nodes.items()})

    def run(self, operation, session, zxid):
        """Applies one operation (a list of words); (err, result)."""
        kind, path = operation[0], operation[1]
        node = self.nodes.get(path)
        if kind == "create":
            return self.create(path, int(operation[2]), ":".join(operation[3:5]), session, zxid)
        if node is None:
            return NO_NODE, None
        if kind == "get":
            return 0, f"{node.value} {node.version}:{node.mzxid}"
        if int(operation[2]) not in (-1, node.version):
            return BAD_VERSION, None
        if kind == "check":
            return 0, "done:13:0"
        if kind == "delete":
            self.remove(path, zxid)
            return 0, "done:2:0"
        node.version += 1
        node.value, node.mzxid = ":".join(operation[3:5]), zxid
        return 0, f"{node.version}:{zxid}"

    def create(self, path, flags, value, session, zxid):
        parent = self.nodes[parent_of(path)]
        if flags & SEQUENTIAL:
            path += f"{parent.created:010d}"
        if path in self.nodes:
            return NODE_EXISTS, None
        parent.created += 1
        parent.children += 1
        parent.pzxid = zxid
        self.nodes[path] = Node(value, session if flags & EPHEMERAL else 0, zxid)
        return 0, path

    def remove(self, path, zxid):
        del self.nodes[path]
        parent = self.nodes[parent_of(path)]
        parent.children -= 1
        parent.pzxid = zxid

    def end_session(self, session, zxid):
        for path in [path for path, node in self.nodes.items() if node.owner == session]:
            self.remove(path, zxid)

    def run_all(self, operations, session, zxid):
        """A multi: all or nothing; the results as the record has them."""
        staged = self.clone()
        results = []
        for i, operation in enumerate(operations):
            err, result = staged.run(operation, session, zxid)
            if err:
                after = len(operations) - i - 1
                return ["error:0"] * i + [f"error:{err}"] + [f"error:{INCONSISTENT}"] * after
            results.append(result)
        self.nodes = staged.nodes
        return results

    def differs(self, seen):
        """seen: {path: (value, stat)}; what is not as it is here, None where all is."""
        lost, new = self.nodes.keys() - seen.keys(), seen.keys() - self.nodes.keys()
        if lost or new:
            return f"missing {sorted(lost)}, unexpected {sorted(new)}"
        for path, (value, stat) in seen.items():
            wrong = self.nodes[path].differs(value, stat)
            if wrong:
                return f"{path}: {wrong}"
        return None

    def learn(self, seen):
        for path, (_, stat) in seen.items():
            self.nodes[path].learn(stat)


Request = collections.namedtuple("Request", "number text acked")  # acked: highest zxid anyone had when it was sent


class Client:
    """One client over all runs."""

    def __init__(self, index, seen):
        """seen: its nodes as they are before its first request."""
        self.index = index
        self.directory = f"/w/{index:02d}"
        self.tree = Tree({})
        for path, (value, stat) in seen.items():
            node = Node(value, 0, None)
            node.version, node.children = stat.version, stat.num_children
            node.created = (stat.cversion + stat.num_children) // 2
            node.learn(stat)
            self.tree.nodes[path] = node
        self.session, self.password = 0, bytes(16).hex()
        self.may_be_closed = self.must_be_closed = False
        self.last_zxid = 0
        self.pending = collections.deque()


class Shared:
    """A node that all clients set: what was answered for it in this run, and what was not."""

    def __init__(self, value, stat):
        self.begin(value, stat)

    def begin(self, value, stat):
        self.first = self.last = (stat.version, value, stat.mzxid)
        self.sets = {}     # version: (value, mzxid), answered
        self.reads = []    # (version, value, mzxid)
        self.unknown = {}  # value: (client, position among its unanswered, wanted version)


class History:
    """All runs on one data directory. Violations are collected as texts."""

    def __init__(self, count, seen, zxid):
        self.clients = [Client(i, {path: got for path, got in seen.items()
                                   if path == f"/w/{i:02d}" or path.startswith(f"/w/{i:02d}/")}) for i in range(count)]
        self.shared = {path: Shared(*seen[path]) for path in self.shared_paths()}
        self.queue = Shared(*seen["/shared/q"])
        self.queue_created = 0
        self.violations = []
        self.lost_sessions = 0  # asked for without an answer: they may be there, and expire
        self.answered_total = self.unknown_total = 0
        self.begin(zxid)

    @staticmethod
    def shared_paths():
        return [f"/shared/s{i}" for i in range(SHARED_REGISTERS)] + ["/shared/a", "/shared/b"]

    def begin(self, zxid):
        """A new run: the server's zxid is this."""
        self.first_zxid = self.acked_zxid = zxid
        self.zxids = set()
        self.new_sessions = 0
        self.queue_acked = {}  # path: value
        for client in self.clients:
            client.pending.clear()

    def wrong(self, text):
        self.violations.append(text)

    # ---- reading the record

    def read(self, lines):
        handlers = {"S": self.on_sent, "R": self.on_answer, "C": self.on_session, "X": self.on_refused,
                    "N": self.on_new, "E": self.on_error, "L": self.on_lost, "K": self.on_lost}
        for line in lines:
            words = line.split()
            handlers[words[0]](words)

    def on_lost(self, words):
        pass

    def on_error(self, words):
        self.wrong(f"protocol: client {' '.join(words[1:])}")

    def on_new(self, words):
        self.new_sessions += 1
        self.lost_sessions += 1
        self.clients[int(words[1])].session = 0

    def on_session(self, words):
        client = self.clients[int(words[1])]
        session = int(words[2])
        if client.session and client.must_be_closed:
            self.wrong(f"client {client.index} got its closed session {session:#x} back")
        if client.session not in (0, session):
            self.wrong(f"client {client.index} asked for session {client.session:#x} and got {session:#x}")
        if not client.session:
            self.lost_sessions -= 1
        client.session, client.password = session, words[3]
        client.may_be_closed = client.must_be_closed = False

    def on_refused(self, words):
        client = self.clients[int(words[1])]
        if not client.may_be_closed:
            self.wrong(f"client {client.index}: its session {client.session:#x} is refused")

    def on_sent(self, words):
        client = self.clients[int(words[1])]
        client.pending.append(Request(int(words[2]), words[3], self.acked_zxid))

    def on_answer(self, words):
        client = self.clients[int(words[1])]
        request = client.pending.popleft()
        number, err, zxid, results = int(words[2]), int(words[3]), int(words[4]), words[5:]
        self.answered_total += 1
        if number != request.number:
            self.wrong(f"client {client.index}: an answer to {number}, waited for {request.number}")
        self.check_zxid(client, request, zxid)
        if request.text == "close":
            client.tree.end_session(client.session, zxid)
            client.may_be_closed = client.must_be_closed = True
            if err:
                self.wrong(f"client {client.index}: closeSession answered {err}")
        elif "/shared/" in request.text:
            self.take_shared(request, err, zxid, results)
        else:
            self.take_own(client, request, err, zxid, results)

    def check_zxid(self, client, request, zxid):
        where = f"client {client.index} request {request.number} ({request.text})"
        if request.text.startswith("get:"):
            if zxid < client.last_zxid:
                self.wrong(f"{where}: zxid {zxid:#x} after {client.last_zxid:#x}")
        else:
            if zxid in self.zxids:
                self.wrong(f"{where}: zxid {zxid:#x} was given twice")
            if zxid <= self.first_zxid:
                self.wrong(f"{where}: zxid {zxid:#x} is not behind {self.first_zxid:#x}, which the last start had")
            if zxid <= client.last_zxid or zxid <= request.acked:
                self.wrong(f"{where}: zxid {zxid:#x}, but {max(client.last_zxid, request.acked):#x} was answered "
                           "before it was sent")
            self.zxids.add(zxid)
        client.last_zxid = max(client.last_zxid, zxid)
        self.acked_zxid = max(self.acked_zxid, zxid)

    def take_own(self, client, request, err, zxid, results):
        operations = [part.split(":") for part in request.text.split("|")]
        if len(operations) > 1:
            wanted, wanted_err = client.tree.run_all(operations, client.session, zxid), 0
        else:
            wanted_err, result = client.tree.run(operations[0], client.session, zxid)
            wanted = [] if result is None or operations[0][0] == "delete" else result.split()
        if (err, results) != (wanted_err, wanted) and not self.is_unknown_zxid(wanted, results):
            self.wrong(f"client {client.index} request {request.number} ({request.text}): answered {err} {results}, "
                       f"expected {wanted_err} {wanted}")

    @staticmethod
    def is_unknown_zxid(wanted, results):
        """A get of what no answer told the zxid of: all but it is right."""
        return (len(wanted) == len(results) == 2 and wanted[1].endswith(":None") and wanted[0] == results[0]
                and wanted[1].split(":")[0] == results[1].split(":")[0])

    def take_shared(self, request, err, zxid, results):
        operations = [part.split(":") for part in request.text.split("|")]
        kind, path = operations[0][:2]
        if kind == "create":
            if err or results[0] in self.queue_acked:
                self.wrong(f"{request.text}: answered {err} {results}")
                return
            self.queue_acked[results[0]] = (":".join(operations[0][3:5]), zxid)
        elif kind == "get":
            version, mzxid = (int(word) for word in results[1].split(":"))
            self.shared[path].reads.append((version, results[0], mzxid))
        elif err:
            if err != BAD_VERSION or operations[0][2] == "-1":
                self.wrong(f"{request.text}: answered {err}")
        else:
            for operation, result in zip(operations, results):
                self.take_shared_set(operation, request, zxid, result)

    def take_shared_set(self, operation, request, zxid, result):
        if result.startswith("error"):
            self.wrong(f"{request.text}: answered {result}")
            return
        version, mzxid = (int(word) for word in result.split(":"))
        shared = self.shared[operation[1]]
        if mzxid != zxid or operation[2] not in ("-1", str(version - 1)) or version in shared.sets:
            self.wrong(f"{request.text}: answered version {version}, mzxid {mzxid:#x}, zxid {zxid:#x}; "
                       f"that version had {shared.sets.get(version)}")
        shared.sets[version] = (":".join(operation[3:5]), mzxid)

    # ---- after the restart

    def check(self, seen, zxid):
        """Holds the state that was read after the restart, at this zxid, against the record."""
        self.unknown_total += sum(len(client.pending) for client in self.clients)
        if zxid < self.acked_zxid:
            self.wrong(f"the server is at zxid {zxid:#x}, but {self.acked_zxid:#x} was answered")
        bounds = {client.index: [0, len(client.pending)] for client in self.clients}
        self.collect_unknown()
        self.check_queue(seen, bounds)
        for path in self.shared_paths():
            self.check_shared(path, *seen[path], bounds)
        self.check_pair(seen)
        for client in self.clients:
            self.check_client(client, seen, bounds[client.index])
        self.check_density(zxid)
        for path, shared in self.shared.items():
            shared.begin(*seen[path])

    def collect_unknown(self):
        self.queue_unknown = {}
        for client in self.clients:
            for at, request in enumerate(client.pending):
                for operation in [part.split(":") for part in request.text.split("|")]:
                    if operation[0] == "set" and operation[1] in self.shared:
                        shared = self.shared[operation[1]]
                        shared.unknown[":".join(operation[3:5])] = (client.index, at, int(operation[2]))
                    elif operation[0] == "create" and operation[1] == "/shared/q/x-":
                        self.queue_unknown[":".join(operation[3:5])] = (client.index, at)

    @staticmethod
    def happened(bounds, client, at):
        bounds[client][0] = max(bounds[client][0], at + 1)

    def check_queue(self, seen, bounds):
        there = {path: got for path, got in seen.items() if path.startswith("/shared/q/")}
        for path, (value, zxid) in self.queue_acked.items():
            if path not in there:
                self.wrong(f"{path} was acknowledged and is lost")
            elif there[path][0] != value or there[path][1].czxid != zxid:
                self.wrong(f"{path} was acknowledged as {value} at {zxid:#x}, and is {there[path]}")
        extra = {there[path][0]: path for path in there.keys() - self.queue_acked.keys()}
        if len(extra) != len(there) - len(self.queue_acked.keys() & there.keys()):
            self.wrong(f"/shared/q: a request without an answer happened twice: {sorted(extra)}")
        for value, path in extra.items():
            if value not in self.queue_unknown:
                self.wrong(f"{path} has {value}, which nobody asked for in this run")
            else:
                self.happened(bounds, *self.queue_unknown[value])
        for value, (client, at) in self.queue_unknown.items():
            if value not in extra:
                bounds[client][1] = min(bounds[client][1], at)
        stat = seen["/shared/q"][1]
        created = (stat.cversion + stat.num_children) // 2
        numbers = sorted(int(path[-10:]) for path in there)
        if numbers != list(range(self.queue_created, created)):
            self.wrong(f"/shared/q: numbers {numbers} instead of {self.queue_created} to {created - 1}")
        self.queue_created = created

    def check_shared(self, path, value, stat, bounds):
        shared = self.shared[path]
        versions = sorted(shared.sets)
        order = [shared.sets[version][1] for version in versions]
        if order != sorted(order) or (versions and versions[0] <= shared.first[0]):
            self.wrong(f"{path}: versions {versions} with zxids {order}, after {shared.first}")
        if versions and versions[-1] > stat.version:
            self.wrong(f"{path}: version {versions[-1]} was acknowledged, is {stat.version}")
        missing = stat.version - shared.first[0] - len(versions)
        if missing > len(shared.unknown):
            self.wrong(f"{path}: version {stat.version}, {len(versions)} sets were answered and "
                       f"{len(shared.unknown)} not, since {shared.first[0]}")
        for version, got, mzxid in shared.reads + [(stat.version, value, stat.mzxid)]:
            self.check_version(path, shared, version, got, mzxid, bounds)
            if version > stat.version:
                self.wrong(f"{path}: version {version} was read, is {stat.version}")

    def check_version(self, path, shared, version, value, mzxid, bounds):
        if version == shared.first[0]:
            wanted = shared.first[1:]
        else:
            wanted = shared.sets.get(version)
        if wanted is not None:
            if wanted != (value, mzxid):
                self.wrong(f"{path}: version {version} is {value} of {mzxid:#x}, was {wanted}")
        elif value not in shared.unknown or shared.unknown[value][2] not in (-1, version - 1):
            self.wrong(f"{path}: version {version} is {value}, which nobody asked for")
        else:
            self.happened(bounds, *shared.unknown[value][:2])

    def check_pair(self, seen):
        a, b = seen["/shared/a"], seen["/shared/b"]
        a_id, b_id = a[0].split(":")[0], b[0].split(":")[0]
        same_zxid = a[1].mzxid == b[1].mzxid or a[1].version == 0  # they were created one after the other
        if (a_id, a[1].version) != (b_id, b[1].version) or not same_zxid:
            self.wrong(f"a multi happened by half: /shared/a is {a}, /shared/b is {b}")

    def check_client(self, client, seen, bounds):
        mine = {path: got for path, got in seen.items()
                if path == client.directory or path.startswith(client.directory + "/")}
        tree = client.tree.clone()
        fits, reasons, closed = [], [], client.must_be_closed
        for k in range(len(client.pending) + 1):
            reason = tree.differs(mine)
            if reason is None and bounds[0] <= k <= bounds[1]:
                fits.append((tree.clone(), closed))
            reasons.append(f"after {k}: {reason or 'fits'}")
            if k < len(client.pending):
                closed = self.run_unknown(client, tree, client.pending[k].text) or closed
        if not fits:
            pending = [f"{request.number} {request.text}" for request in client.pending]
            self.wrong(f"client {client.index}: the state fits no number from {bounds[0]} to {bounds[1]} of its "
                       f"unanswered requests {pending}: {reasons}")
            fits = [(tree, closed)]
        client.tree = fits[0][0]
        client.may_be_closed = any(closed for _, closed in fits)
        client.must_be_closed = all(closed for _, closed in fits)
        if not self.violations:
            client.tree.learn(mine)

    @staticmethod
    def run_unknown(client, tree, text):
        """Applies a request without an answer; true for a close."""
        if text == "close":
            tree.end_session(client.session, None)
            return True
        operations = [part.split(":") for part in text.split("|")]
        if operations[0][1].startswith("/shared/"):
            return False
        if len(operations) > 1:
            tree.run_all(operations, client.session, None)
        else:
            tree.run(operations[0], client.session, None)
        return False

    def check_density(self, zxid):
        """Every zxid is somebody's: answered, unanswered, or a session's begin or end."""
        given = zxid - self.first_zxid
        unknown = sum(len(client.pending) for client in self.clients)
        most = len(self.zxids) + unknown + self.new_sessions + self.lost_sessions
        if not len(self.zxids) <= given <= most:
            self.wrong(f"{given} zxids were given, {len(self.zxids)} answered, at most {most} asked for")
