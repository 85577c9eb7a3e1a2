# SPDX-License-Identifier: Apache-2.0
"""One of the two servers with its clients. Answers come as values that can be compared: times and session ids are masked,
lists without an order are sorted."""
import zkraw
import zxids
from zkraw import Closed, Reader
from requests import CLIENTS, FIXED_XID

CREATES = (zkraw.CREATE2, zkraw.CREATE_CONTAINER, zkraw.CREATE_TTL)
STATS = (zkraw.EXISTS, zkraw.SET_DATA, zkraw.SET_ACL)
SESSION_MS = 300000  # clients send no pings, and a sequence through a cloud on a machine with much to do takes its time


class Side:
    def __init__(self, name, address):
        self.name, self.address = name, address
        self.super = zkraw.Connection(address, timeout=SESSION_MS)
        assert self.super.auth("digest", "super:test") == 0
        self.sessions = {}
        self.clients = []
        self.source = None

    # -- connections

    def begin(self, seed):
        """Fresh clients, in the same order on both sides. They have an address of their own: ours answers later who
        fails to authenticate too often."""
        self.source = f"127.1.{seed // 250 % 250}.{1 + seed % 250}"
        self.sessions = {0: 0}  # session id -> number in the order of creation
        self.clients = [self.open() for _ in range(CLIENTS)]

    def open(self, **handshake):
        client = zkraw.Connection(self.address, timeout=SESSION_MS, source=self.source, **handshake)
        client.reached = 0  # highest zxid that a reply named on this connection
        self.sessions.setdefault(client.session, len(self.sessions))
        return client

    def reattach(self, number):
        client = self.clients[number]
        client.abort()
        self.clients[number] = self.open(session=client.session, password=client.password)
        return self.sessions[self.clients[number].session]

    def reopen(self, number):
        """After a connection that ended without its session: that is closed too, so that both sides know when."""
        client = self.clients[number]
        client.abort()
        try:
            self.open(session=client.session, password=client.password).close_session()
        except (Closed, AssertionError):
            pass  # it has ended already
        self.clients[number] = self.open()

    # -- requests

    def send(self, number, requests):
        client = self.clients[number]
        self.sent = []
        data = []
        for op, body in requests:
            xid = FIXED_XID.get(op)
            if xid is None:
                client.xid += 1
                xid = client.xid
            self.sent.append((xid, op))
            data.append(zkraw.frame(zkraw.int32(xid) + zkraw.int32(op) + body))
        client.send(b"".join(data))

    def receive(self, number):
        """What came back for each request that was sent, up to the end of the connection."""
        answers, client = [], self.clients[number]
        for xid, op in self.sent:
            try:
                reply = client.reply()
            except Closed:
                answers.append("closed")
                break
            assert reply.xid == xid, f"{self.name}: reply to xid {reply.xid}, sent {xid} for {op}: {reply}"
            try:
                value = reply.body if reply.err else self.value(op, reply.body)
            except AssertionError as error:
                raise AssertionError(f"{self.name}: reply to {op}: {error}: {reply.body.hex()}") from error
            answers.append((reply.err, zxids.of_reply(op, reply.err, reply.zxid, value), value))
            assert reply.zxid <= 0 or reply.zxid >= client.reached, f"{self.name}: zxid {reply.zxid} after {client.reached}"
            client.reached = max(client.reached, reply.zxid)
        return answers

    def ends(self, number):
        return "closed" if self.clients[number].is_closed() else "open"

    def events(self):
        """All that was sent to each client up to now, with the zxids of headers."""
        for client in self.clients:
            client.post(zkraw.PING, xid=zkraw.XID_PING)
        lists = []
        for client in self.clients:
            reply = client.reply()
            assert reply.xid == zkraw.XID_PING
            lists.append([(event.type, event.state, event.path, zxids.Changed(event.zxid)) for event in client.events])
            client.events = []
        return lists

    # -- values

    def stat(self, stat):
        return stat._replace(ctime=0, mtime=0, ephemeral_owner=self.sessions.get(stat.ephemeral_owner, "unknown"))

    def value(self, op, body):
        reader = Reader(body)
        if op in (zkraw.MULTI, zkraw.MULTI_READ):
            return self.results(reader)
        value = self.record(op, reader)
        reader.end()
        return value

    def record(self, op, reader):
        if op in (zkraw.CREATE, zkraw.SYNC):
            return reader.ustring()
        if op in CREATES:
            return reader.ustring(), self.stat(reader.stat())
        if op in STATS:
            return self.stat(reader.stat())
        if op == zkraw.GET_DATA:
            return reader.buffer(), self.stat(reader.stat())
        if op in (zkraw.GET_CHILDREN, zkraw.GET_EPHEMERALS):
            return sorted(reader.strings())
        if op == zkraw.GET_CHILDREN2:
            return sorted(reader.strings()), self.stat(reader.stat())
        if op == zkraw.GET_ACL:
            return reader.acl(), self.stat(reader.stat())
        if op == zkraw.GET_ALL_CHILDREN_NUMBER:
            return reader.int32()
        if op == zkraw.ADD_WATCH:
            return reader.int32()
        if op == zkraw.WHO_AM_I:
            return sorted((reader.ustring(), reader.ustring()) for _ in range(reader.int32()))
        return reader.take(len(reader.data) - reader.at)

    def results(self, reader):
        results = []
        while True:
            kind, done, err = reader.int32(), reader.boolean(), reader.int32()
            if done:
                reader.end()
                return results + [(kind, err)]
            if kind in (zkraw.DELETE, zkraw.CHECK):
                results.append((kind, err))
            else:
                results.append((kind, err, reader.int32() if kind == zkraw.ERROR else self.record(kind, reader)))

    # -- the whole tree

    def tree(self):
        """All nodes as the super user sees them; one round trip a level."""
        nodes, level = {}, ["/"]
        while level:
            for name in level:
                self.super.post(zkraw.GET_DATA, zkraw.path_watch(name))
                self.super.post(zkraw.GET_ACL, zkraw.ustring(name))
                self.super.post(zkraw.GET_CHILDREN, zkraw.path_watch(name))
            below = []
            for name in level:
                got = []
                for op in (zkraw.GET_DATA, zkraw.GET_ACL, zkraw.GET_CHILDREN):
                    reply = self.super.reply()
                    got.append((reply.err, None if reply.err else self.value(op, reply.body)))
                nodes[name] = got
                below += [name.rstrip("/") + "/" + child for child in got[2][1] or []]
            level = below
        return nodes

    def clear(self, nodes):
        """Removes what a sequence left, deepest first; the codes."""
        kept = ("/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config")
        names = sorted((name for name in nodes if name not in kept), reverse=True)
        for name in names:
            self.super.post(zkraw.DELETE, zkraw.ustring(name) + zkraw.int32(-1))
        replies = [self.super.reply() for _ in names]
        return [(reply.err, zxids.of_reply(zkraw.DELETE, reply.err, reply.zxid)) for reply in replies]

    def finish(self):
        """Ends the sessions in order; what each end answered."""
        answers = []
        for client in self.clients:
            reply = client.close_session()
            answers.append((reply.err, zxids.of_reply(zkraw.CLOSE_SESSION, reply.err, reply.zxid)))
        return answers
