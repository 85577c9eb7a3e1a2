# SPDX-License-Identifier: Apache-2.0
"""Random requests of every kind that a client can send. Equal seeds draw equal ones."""
import random

import zkraw
from zkraw import buffer, int32, int64, ustring, vector

CLIENTS = 3
NAMES = ["/a", "/b", "/a/x", "/a/y", "/b/x", "/a/x/1", "/a/x/2", "/", "/none/x"]
BAD_NAMES = ["", "a", "/a/", "//", "/a/../b", "/a\0", "/a/\x01", "/zookeeper", "/zookeeper/quota", "/zookeeper/config",
             "/zookeeper/quota/a", "/zookeeper/nosuch"]
LIMIT_PATHS = ["/zookeeper/quota/a", "/zookeeper/quota/b"]
LIMITS = [b"count=3,bytes=40", b"count=2,bytes=-1", b"count=-1,bytes=60=;byteHardLimit=60;countHardLimit=-1",
          b"count=4,bytes=-1=;byteHardLimit=-1;countHardLimit=4", b"count=-1,bytes=-1", b"byteHardLimit=10"]
ACLS = [zkraw.OPEN_ACL] * 14 + [
    [(zkraw.READ, "world", "anyone")], [(zkraw.READ | zkraw.MAY_CREATE, "world", "anyone")],
    [(zkraw.ALL, "auth", "")], [(zkraw.ALL, "auth", "ignored")], [(zkraw.ALL, "digest", zkraw.digest_id("u:p"))],
    [(zkraw.WRITE, "world", "anyone"), (zkraw.ALL, "digest", zkraw.digest_id("v:q"))],
    [(zkraw.ALL, "ip", "127.0.0.0/8")], [(zkraw.ALL, "ip", "10.0.0.0/8")], [(zkraw.ADMIN, "world", "anyone")],
    [(zkraw.ALL & ~zkraw.READ, "world", "anyone")], [(zkraw.READ, "world", "anyone")] * 2, [], None,
    [(255, "world", "anyone")], [(0, "world", "anyone")],
    [(zkraw.ALL, "nosuch", "x")], [(zkraw.ALL, "digest", "bad")], [(zkraw.ALL, "world", "me")],
]
DATA = [b"", None, b"x", b"some data", bytes(300)]
VERSIONS = [-1, -1, -1, 0, 0, 1, 2, 3, -2]
KINDS = [zkraw.WATCH_CHILDREN, zkraw.WATCH_DATA, zkraw.WATCH_ANY, zkraw.WATCH_PERSISTENT, zkraw.WATCH_RECURSIVE, 0, 6]
FIXED_XID = {zkraw.AUTH: zkraw.XID_AUTH, zkraw.SET_WATCHES: zkraw.XID_SET_WATCHES,
             zkraw.SET_WATCHES2: zkraw.XID_SET_WATCHES, zkraw.PING: zkraw.XID_PING}
# After these the server closes the connection: nothing may follow them.
ENDS = (zkraw.CHECK, 0, 99, 500)


class Requests:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.zxid = 0  # newest that a reply named; the driver sets it

    def path(self):
        return self.random.choice(BAD_NAMES if self.random.random() < 0.06 else NAMES)

    def flags(self):
        return self.random.choice([0, 0, 0, 1, 1, 2, 3, 4, 5, -1, 9] if self.random.random() < 0.1 else [0, 0, 1, 2, 3])

    def acl(self):
        return self.random.choice(ACLS)

    def create_body(self, flags):
        path = self.path()
        return ustring(path) + buffer(self.random.choice(DATA)) + zkraw.acl_list(self.acl()) + int32(flags)

    def version(self):
        return int32(self.random.choice(VERSIONS))

    def create(self):
        kind = self.random.random()
        if kind < 0.5:
            return zkraw.CREATE, self.create_body(self.flags())
        if kind < 0.75:
            return zkraw.CREATE2, self.create_body(self.flags())
        if kind < 0.87:
            # Not with ephemeral flags: the real server takes the node for an ephemeral one until it is applied.
            return zkraw.CREATE_CONTAINER, self.create_body(self.random.choice([4, 4, 4, 0, 2]))
        # Flags 0 with -1 would end the real server.
        ttl = self.random.choice([100000, 100000, 100000, 1 << 39, 1 << 40, 0])
        return zkraw.CREATE_TTL, self.create_body(self.random.choice([5, 5, 5, 6, 1, 0])) + int64(ttl)

    def write(self, inside=False):
        kind = self.random.choice(["create", "create", "create", "delete", "set", "check" if inside else "acl"])
        if kind == "create":
            return self.create()
        if kind == "delete":
            return zkraw.DELETE, ustring(self.path()) + self.version()
        if kind == "set":
            return zkraw.SET_DATA, ustring(self.path()) + buffer(self.random.choice(DATA)) + self.version()
        if kind == "check":
            return zkraw.CHECK, ustring(self.path()) + self.version()
        return zkraw.SET_ACL, ustring(self.path()) + zkraw.acl_list(self.acl()) + self.version()

    def quota(self):
        """Limits come and go like any node."""
        path = self.random.choice(LIMIT_PATHS)
        limits = path + "/zookeeper_limits"
        kind = self.random.random()
        if kind < 0.35:
            return zkraw.CREATE, zkraw.create_body(path)
        if kind < 0.65:
            return zkraw.CREATE, zkraw.create_body(limits, self.random.choice(LIMITS))
        if kind < 0.75:
            return zkraw.CREATE, zkraw.create_body(path + "/zookeeper_stats", b"count=0,bytes=0")
        if kind < 0.85:
            return zkraw.SET_DATA, ustring(limits) + buffer(self.random.choice(LIMITS)) + int32(-1)
        if kind < 0.95:
            return zkraw.GET_DATA, ustring(path + "/zookeeper_stats") + zkraw.boolean(False)
        return zkraw.DELETE, ustring(limits) + int32(-1)

    def read(self):
        op = self.random.choice([zkraw.EXISTS, zkraw.EXISTS, zkraw.GET_DATA, zkraw.GET_DATA, zkraw.GET_CHILDREN,
                                 zkraw.GET_CHILDREN2, zkraw.GET_ACL, zkraw.SYNC, zkraw.GET_EPHEMERALS,
                                 zkraw.GET_ALL_CHILDREN_NUMBER, zkraw.WHO_AM_I, zkraw.PING])
        if op in (zkraw.WHO_AM_I, zkraw.PING):
            return op, b""
        path = self.path()
        body = ustring(path)
        if op in (zkraw.EXISTS, zkraw.GET_DATA, zkraw.GET_CHILDREN, zkraw.GET_CHILDREN2):
            # Java takes "" for the root but leaves the watch on "", where it never fires; ours is on the root.
            body += zkraw.boolean(path != "" and self.random.random() < 0.5)
        return op, body

    def sub_read(self):
        op = self.random.choice([zkraw.GET_DATA, zkraw.GET_CHILDREN] * 12 + [zkraw.EXISTS])
        return op, ustring(self.path()) + zkraw.boolean(self.random.random() < 0.3)

    def several(self):
        count = self.random.randrange(0, 6)
        if self.random.random() < 0.25:
            return zkraw.MULTI_READ, zkraw.multi_body([self.sub_read() for _ in range(count)])
        return zkraw.MULTI, zkraw.multi_body([self.write(inside=True) for _ in range(count)])

    def some_names(self, most):
        return vector(self.random.sample(NAMES, self.random.randrange(0, most)), ustring)

    def watching(self):
        kind = self.random.random()
        if kind < 0.4:
            return zkraw.ADD_WATCH, ustring(self.path() or "/") + int32(self.random.choice([0, 0, 0, 1, 1, 1, 2, -1]))
        if kind < 0.65:
            return zkraw.REMOVE_WATCHES, ustring(self.path() or "/") + int32(self.random.choice(KINDS))
        if kind < 0.75:
            return zkraw.CHECK_WATCHES, ustring(self.path() or "/") + int32(self.random.choice(KINDS))
        relative = int64(max(0, self.zxid - self.random.randrange(0, 12)))
        if kind < 0.87:
            return zkraw.SET_WATCHES, relative + b"".join(self.some_names(4) for _ in range(3))
        return zkraw.SET_WATCHES2, relative + b"".join(self.some_names(3) for _ in range(5))

    def auth(self):
        credentials = self.random.choice([b"u:p", b"v:q", b"nocolon", b"super:wrong"])
        return zkraw.AUTH, int32(0) + ustring("digest") + buffer(credentials)

    def last(self):
        """Something after which the connection is over."""
        kind = self.random.random()
        if kind < 0.3:
            return self.random.choice(ENDS), ustring("/a") + int32(-1)
        if kind < 0.5:
            return zkraw.AUTH, int32(0) + ustring(self.random.choice(["nosuch", "world", ""])) + buffer(b"x")
        return zkraw.CLOSE_SESSION, b""

    def request(self):
        drawn = self.random.random()
        if drawn < 0.42:
            op, body = self.write()
        elif drawn < 0.70:
            op, body = self.read()
        elif drawn < 0.80:
            op, body = self.several()
        elif drawn < 0.92:
            op, body = self.watching()
        elif drawn < 0.95:
            op, body = self.auth()
        elif drawn < 0.99:
            op, body = self.quota()
        else:
            op, body = zkraw.RECONFIG, vector_or_null(self.random) + int64(-1)
        if self.random.random() < 0.02 and body:
            body = body[:self.random.randrange(len(body))]
        return op, body

    def burst(self, most):
        """(client, action, requests): a few requests of one client in one write, or the end of its connection."""
        client = self.random.randrange(CLIENTS)
        drawn = self.random.random()
        requests = [self.request() for _ in range(min(most, self.random.choice([1, 1, 2, 3, 5, 8])))]
        # Java answers addauth at once, past the requests in its pipeline: it comes first, or not at all.
        requests = requests[:1] + [one for one in requests[1:] if one[0] != zkraw.AUTH]
        # Nor do its checks see a new ACL that is still in its pipeline: nothing follows one.
        operations = [op for op, _ in requests]
        if zkraw.SET_ACL in operations:
            requests = requests[:operations.index(zkraw.SET_ACL) + 1]
        if drawn < 0.02:
            return client, "reattach", []
        if drawn < 0.05:
            last = self.last()  # Java answers what it does not know at once, too
            return client, "end", (requests[1:] if last[0] == zkraw.CLOSE_SESSION else []) + [last]
        return client, "call", requests


def vector_or_null(dice):
    """The three texts of a reconfig."""
    return b"".join(ustring(dice.choice([None, "server.1=localhost:1:2"])) for _ in range(3))
