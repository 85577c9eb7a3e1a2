# SPDX-License-Identifier: Apache-2.0
"""A ZooKeeper client on a raw socket, for tests that must see every byte.

It shares no code with the server and hides nothing: one connection, no reconnect, no retry, no thread.
Replies come back with their header; watch events that arrive meanwhile are collected in arrival order.
Source of the formats: zookeeper.jute of Apache ZooKeeper.
"""
import collections
import hashlib
import base64
import select
import socket
import struct
import time

# operations
CREATE, DELETE, EXISTS, GET_DATA, SET_DATA, GET_ACL, SET_ACL, GET_CHILDREN, SYNC = range(1, 10)
PING, GET_CHILDREN2, CHECK, MULTI, CREATE2, RECONFIG, CHECK_WATCHES, REMOVE_WATCHES = range(11, 19)
CREATE_CONTAINER, DELETE_CONTAINER, CREATE_TTL, MULTI_READ = 19, 20, 21, 22
AUTH, SET_WATCHES, SASL, GET_EPHEMERALS, GET_ALL_CHILDREN_NUMBER, SET_WATCHES2, ADD_WATCH, WHO_AM_I = range(100, 108)
CLOSE_SESSION, CREATE_SESSION, ERROR = -11, -10, -1

# error codes
OK, SYSTEM, RUNTIME_INCONSISTENCY, MARSHALLING, UNIMPLEMENTED, BAD_ARGUMENTS = 0, -1, -2, -5, -6, -8
NO_NODE, NO_AUTH, BAD_VERSION, NO_CHILDREN_FOR_EPHEMERALS = -101, -102, -103, -108
NODE_EXISTS, NOT_EMPTY, INVALID_ACL, AUTH_FAILED = -110, -111, -114, -115

NOT_READ_ONLY, NO_WATCHER, RECONFIG_DISABLED, SASL_REQUIRED, QUOTA_EXCEEDED = -119, -121, -123, -124, -125

# special xids
XID_NOTIFICATION, XID_PING, XID_AUTH, XID_SET_WATCHES = -1, -2, -4, -8

# event types
CREATED, DELETED, DATA_CHANGED, CHILDREN_CHANGED = 1, 2, 3, 4

# create flags
PERSISTENT, EPHEMERAL, SEQUENTIAL, EPHEMERAL_SEQUENTIAL, CONTAINER, WITH_TTL, SEQUENTIAL_WITH_TTL = range(7)

# modes of addWatch, kinds of removeWatches and checkWatches
MODE_PERSISTENT, MODE_RECURSIVE = 0, 1
WATCH_CHILDREN, WATCH_DATA, WATCH_ANY, WATCH_PERSISTENT, WATCH_RECURSIVE = range(1, 6)

# permissions
READ, WRITE, MAY_CREATE, MAY_DELETE, ADMIN, ALL = 1, 2, 4, 8, 16, 31
OPEN_ACL = [(ALL, "world", "anyone")]

WAIT_SECONDS = 15  # for a reply; generous, since the machine may be busy


class Closed(Exception):
    """The server closed the connection where a frame was expected."""


Stat = collections.namedtuple(
    "Stat", "czxid mzxid ctime mtime version cversion aversion ephemeral_owner data_length num_children pzxid")
Reply = collections.namedtuple("Reply", "xid zxid err body")
Event = collections.namedtuple("Event", "type state path zxid")
ConnectResponse = collections.namedtuple("ConnectResponse", "version timeout session password read_only size")
Result = collections.namedtuple("Result", "type err value")  # of one operation of a multi


# ---- jute, writing -------------------------------------------------------------------------------------

def int32(value):
    return struct.pack(">i", value)


def int64(value):
    return struct.pack(">q", value)


def boolean(value):
    return b"\1" if value else b"\0"


def buffer(value):
    return int32(-1) if value is None else int32(len(value)) + value


def ustring(value):
    return buffer(value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value)


def vector(items, write):
    return int32(-1) if items is None else int32(len(items)) + b"".join(write(item) for item in items)


def acl_list(acl):
    return vector(acl, lambda entry: int32(entry[0]) + ustring(entry[1]) + ustring(entry[2]))


def frame(body):
    return int32(len(body)) + body


def connect_request(timeout=10000, session=0, password=bytes(16), last_zxid=0, read_only=False, version=0):
    """The record without its length; read_only None leaves the byte out, as clients before 3.4 do."""
    tail = b"" if read_only is None else boolean(read_only)
    return int32(version) + int64(last_zxid) + int32(timeout) + int64(session) + buffer(password) + tail


def create_body(path, data=b"", acl=None, flags=PERSISTENT):
    return ustring(path) + buffer(data) + acl_list(OPEN_ACL if acl is None else acl) + int32(flags)


def create_ttl_body(path, data=b"", acl=None, flags=WITH_TTL, ttl=1000):
    return create_body(path, data, acl, flags) + int64(ttl)


def path_watch(path, watch=False):
    return ustring(path) + boolean(watch)


def multi_body(operations):
    """operations: (type, body) pairs."""
    parts = [int32(kind) + boolean(False) + int32(-1) + body for kind, body in operations]
    return b"".join(parts) + int32(-1) + boolean(True) + int32(-1)


def digest_id(credentials):
    user = credentials.split(":")[0]
    return f"{user}:{base64.b64encode(hashlib.sha1(credentials.encode()).digest()).decode()}"


# ---- jute, reading -------------------------------------------------------------------------------------

class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        assert 0 <= size <= len(self.data) - self.at, f"record of {len(self.data)} bytes ends early at {self.at}"
        self.at += size
        return self.data[self.at - size:self.at]

    def int32(self):
        return struct.unpack(">i", self.take(4))[0]

    def int64(self):
        return struct.unpack(">q", self.take(8))[0]

    def boolean(self):
        byte = self.take(1)
        assert byte in (b"\0", b"\1"), f"boolean byte {byte}"
        return byte == b"\1"

    def buffer(self):
        size = self.int32()
        return None if size == -1 else self.take(size)

    def ustring(self):
        value = self.buffer()
        return None if value is None else value.decode("utf-8")

    def strings(self):
        return [self.ustring() for _ in range(self.int32())]

    def stat(self):
        return Stat(*struct.unpack(">qqqqiiiqiiq", self.take(68)))

    def acl(self):
        return [(self.int32(), self.ustring(), self.ustring()) for _ in range(self.int32())]

    def end(self):
        assert self.at == len(self.data), f"{len(self.data) - self.at} bytes too many in the record"


def read_results(body):
    """The results of a multi reply, checked to the last byte."""
    reader, results = Reader(body), []
    while True:
        kind, done, err = reader.int32(), reader.boolean(), reader.int32()
        if done:
            assert (kind, err) == (-1, -1), (kind, err)
            reader.end()
            return results
        value = None
        if kind == CREATE:
            value = reader.ustring()
        elif kind == CREATE2:
            value = (reader.ustring(), reader.stat())
        elif kind == SET_DATA:
            value = reader.stat()
        elif kind == ERROR:
            value = reader.int32()
            assert value == err, "the two error codes of a multi result differ"
        else:
            assert kind in (DELETE, CHECK), f"multi result of type {kind}"
        results.append(Result(kind, err, value))


# ---- the connection ------------------------------------------------------------------------------------

def open_socket(address, timeout=WAIT_SECONDS, source=None):
    """address: (host, port), or a path of a unix socket. source: the host to come from."""
    if isinstance(address, str):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(timeout)
        sock.connect(address)
        return sock
    sock = socket.create_connection(address, timeout, source and (source, 0))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def readable(sock, seconds):
    """Waits until there is something to read; poll, since select knows 1024 descriptors only."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


class Connection:
    """One connection, with the handshake made unless `connect` is False."""

    def __init__(self, address, connect=True, source=None, **handshake):
        self.sock = open_socket(address, source=source)
        self.received = b""
        self.xid = 0
        self.events = []
        self.session = None
        self.response = None
        if connect:
            self.response = self.handshake(**handshake)

    # -- bytes

    def send(self, data):
        self.sock.sendall(data)

    def _fill(self, size, timeout):
        deadline = time.monotonic() + timeout
        while len(self.received) < size:
            left = deadline - time.monotonic()
            if left <= 0 or not readable(self.sock, left):
                raise TimeoutError(f"{len(self.received)} of {size} bytes after {timeout} s")
            try:
                data = self.sock.recv(1 << 20)
            except ConnectionResetError:
                data = b""
            if not data:
                raise Closed(f"closed after {len(self.received)} bytes of {size}")
            self.received += data

    def read_frame(self, timeout=WAIT_SECONDS):
        self._fill(4, timeout)
        size = struct.unpack(">i", self.received[:4])[0]
        assert size >= 0, f"frame length {size}"
        self._fill(4 + size, timeout)
        body, self.received = self.received[4:4 + size], self.received[4 + size:]
        return body

    def is_closed(self, timeout=WAIT_SECONDS):
        """Waits for the end of the stream; True when it came and no byte before it."""
        try:
            self._fill(1, timeout)
        except Closed:
            return True
        except TimeoutError:
            return False
        return False

    def abort(self):
        """Closes the socket; the session stays."""
        self.sock.close()

    # -- handshake

    def handshake(self, **fields):
        self.send(frame(connect_request(**fields)))
        return self.read_connect_response()

    def read_connect_response(self):
        body = self.read_frame()
        reader = Reader(body)
        fields = [reader.int32(), reader.int32(), reader.int64(), reader.buffer()]
        fields.append(reader.boolean() if reader.at < len(body) else None)
        reader.end()
        self.response = ConnectResponse(*fields, len(body))
        self.session, self.password = self.response.session, self.response.password
        return self.response

    # -- requests

    def post(self, op, body=b"", xid=None):
        """Sends a request, waits for nothing; the xid."""
        if xid is None:
            self.xid += 1
            xid = self.xid
        self.send(frame(int32(xid) + int32(op) + body))
        return xid

    def read(self, timeout=WAIT_SECONDS):
        """The next frame: a Reply, or an Event."""
        body = self.read_frame(timeout)
        reader = Reader(body)
        xid, zxid, err = reader.int32(), reader.int64(), reader.int32()
        rest = body[reader.at:]
        if xid == XID_NOTIFICATION:
            assert err == 0
            event = Event(reader.int32(), reader.int32(), reader.ustring(), zxid)
            reader.end()
            return event
        if err:
            # A refusal of SASL has one: the null token.
            assert rest in (b"", buffer(None)), f"an error reply ({err}) has a body of {len(rest)} bytes"
        return Reply(xid, zxid, err, rest)

    def reply(self, timeout=WAIT_SECONDS):
        """The next reply; events before it are appended to `events`."""
        while True:
            got = self.read(timeout)
            if isinstance(got, Reply):
                return got
            self.events.append(got)

    def call(self, op, body=b"", xid=None):
        sent = self.post(op, body, xid)
        reply = self.reply()
        assert reply.xid == sent, f"reply to xid {reply.xid}, sent {sent}"
        return reply

    def event(self, timeout=WAIT_SECONDS):
        """The next event; a reply instead is an error."""
        if self.events:
            return self.events.pop(0)
        got = self.read(timeout)
        assert isinstance(got, Event), f"a reply instead of an event: {got}"
        return got

    def take_events(self):
        """Everything the server sent so far as (type, path): a ping is answered after it."""
        self.ping()
        events, self.events = self.events, []
        return [(event.type, event.path) for event in events]

    # -- operations; each gives (err, what was asked)

    def create(self, path, data=b"", acl=None, flags=PERSISTENT):
        reply = self.call(CREATE, create_body(path, data, acl, flags))
        return (reply.err, self._whole(reply, Reader.ustring)) if not reply.err else (reply.err, None)

    def create2(self, path, data=b"", acl=None, flags=PERSISTENT):
        reply = self.call(CREATE2, create_body(path, data, acl, flags))
        if reply.err:
            return reply.err, None, None
        reader = Reader(reply.body)
        result = reply.err, reader.ustring(), reader.stat()
        reader.end()
        return result

    def delete(self, path, version=-1):
        reply = self.call(DELETE, ustring(path) + int32(version))
        assert reply.body == b""
        return reply.err

    def exists(self, path, watch=False):
        reply = self.call(EXISTS, path_watch(path, watch))
        return (reply.err, self._whole(reply, Reader.stat)) if not reply.err else (reply.err, None)

    def stat(self, path):
        err, stat = self.exists(path)
        assert err == OK, (path, err)
        return stat

    def get(self, path, watch=False):
        reply = self.call(GET_DATA, path_watch(path, watch))
        if reply.err:
            return reply.err, None, None
        reader = Reader(reply.body)
        result = reply.err, reader.buffer(), reader.stat()
        reader.end()
        return result

    def set(self, path, data, version=-1):
        reply = self.call(SET_DATA, ustring(path) + buffer(data) + int32(version))
        return (reply.err, self._whole(reply, Reader.stat)) if not reply.err else (reply.err, None)

    def children(self, path, watch=False):
        reply = self.call(GET_CHILDREN, path_watch(path, watch))
        return (reply.err, sorted(self._whole(reply, Reader.strings))) if not reply.err else (reply.err, None)

    def children2(self, path, watch=False):
        reply = self.call(GET_CHILDREN2, path_watch(path, watch))
        if reply.err:
            return reply.err, None, None
        reader = Reader(reply.body)
        result = reply.err, sorted(reader.strings()), reader.stat()
        reader.end()
        return result

    def sync(self, path):
        reply = self.call(SYNC, ustring(path))
        return (reply.err, self._whole(reply, Reader.ustring)) if not reply.err else (reply.err, None)

    def get_acl(self, path):
        reply = self.call(GET_ACL, ustring(path))
        if reply.err:
            return reply.err, None, None
        reader = Reader(reply.body)
        result = reply.err, reader.acl(), reader.stat()
        reader.end()
        return result

    def set_acl(self, path, acl, version=-1):
        reply = self.call(SET_ACL, ustring(path) + acl_list(acl) + int32(version))
        return (reply.err, self._whole(reply, Reader.stat)) if not reply.err else (reply.err, None)

    def auth(self, scheme, credentials):
        """addauth; the reply."""
        data = credentials.encode() if isinstance(credentials, str) else credentials
        reply = self.call(AUTH, int32(0) + ustring(scheme) + buffer(data), XID_AUTH)
        assert reply.zxid == 0 and reply.body == b""
        return reply.err

    def multi(self, *operations):
        """(header's err, results)."""
        reply = self.call(MULTI, multi_body(operations))
        return (reply.err, None) if reply.err else (reply.err, read_results(reply.body))

    def set_watches(self, relative_zxid, data=(), exist=(), child=()):
        body = int64(relative_zxid) + b"".join(vector(list(paths), ustring) for paths in (data, exist, child))
        reply = self.call(SET_WATCHES, body, XID_SET_WATCHES)
        assert reply.body == b""
        return reply.err

    def ping(self):
        reply = self.call(PING, xid=XID_PING)
        assert (reply.err, reply.body) == (0, b"")
        return reply

    def close_session(self):
        """Ends the session and sees the server close the connection."""
        reply = self.call(CLOSE_SESSION)
        assert (reply.err, reply.body) == (0, b""), reply
        assert self.is_closed()
        self.sock.close()
        return reply

    @staticmethod
    def _whole(reply, read):
        reader = Reader(reply.body)
        value = read(reader)
        reader.end()
        return value


def four_letters(address, word, timeout=WAIT_SECONDS):
    """Sends four raw bytes; all that comes back before the server closes."""
    sock = open_socket(address, timeout)
    data = b""
    with sock:
        sock.sendall(word.encode())
        while True:
            try:
                part = sock.recv(65536)
            except ConnectionResetError:
                return data.decode()
            if not part:
                return data.decode()
            data += part
