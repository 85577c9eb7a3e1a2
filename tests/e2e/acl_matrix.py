# SPDX-License-Identifier: Apache-2.0
"""What each permission lets each identity do: every operation on a node and its parent whose ACL gives one permission to
one id. Recorded from the real ZooKeeper 3.9 into acl_matrix.golden by `acl_matrix.py HOST PORT > acl_matrix.golden` (a
server with extendedTypesEnabled and the tests' superDigest); test_acl_matrix.py compares ours with it."""
import itertools
import sys

import zkraw
from zkraw import (ADMIN, ALL, CHECK, CREATE, CREATE2, CREATE_CONTAINER, CREATE_TTL, DELETE, EPHEMERAL, MAY_CREATE,
                   MAY_DELETE, MULTI_READ, READ, SEQUENTIAL, SET_DATA, WRITE, Reader, int32, int64, ustring)

PERMISSIONS = {"none": 0, "read": READ, "write": WRITE, "create": MAY_CREATE, "delete": MAY_DELETE, "admin": ADMIN,
               "all": ALL}
DIGEST = ("digest", zkraw.digest_id("u:p"))
# identity -> (what its connection says in addauth, the id in the ACL)
IDENTITIES = {
    "nobody": (None, DIGEST),
    "wrong": ("u:wrong", DIGEST),
    "digest": ("u:p", DIGEST),
    "ip": (None, ("ip", "127.0.0.1")),
    "auth": ("u:p", ("auth", "")),
    "super": ("super:test", DIGEST),
}
_numbers = itertools.count()


class Cell:
    """A parent p and its child n with the ACL in question, below a node that is open to everybody."""

    def __init__(self, client, admin, acl):
        self.client, self.admin = client, admin
        self.base = f"/matrix-{next(_numbers)}"
        self.parent, self.node = self.base + "/p", self.base + "/p/n"
        assert admin.create(self.base)[0] == 0
        maker = client if acl[0][1] == "auth" else admin
        assert maker.create(self.parent)[0] == 0
        assert maker.create(self.node, b"data")[0] == 0
        assert maker.set_acl(self.node, acl)[0] == 0
        assert maker.set_acl(self.parent, acl)[0] == 0

    def code(self, op, body):
        return self.client.call(op, body).err

    def one(self, op, body):
        """The operation alone in a multi: the codes of its result."""
        err, results = self.client.multi((op, body))
        return (err, [result.err for result in results or []])

    def events(self):
        """What the client hears of the path, below the base."""
        return [(kind, path[len(self.base):]) for kind, path in self.client.take_events()]

    def touch(self):
        """Somebody who may do everything changes the node, its ACL too, adds a child and removes all."""
        assert self.admin.set(self.node, b"new")[0] == 0
        assert self.admin.create(self.node + "/c")[0] == 0
        assert self.admin.delete(self.node + "/c") == 0
        assert self.admin.delete(self.node) == 0

    def heard(self, op, body, xid=None):
        """Sets a watch, then lets the node change: its code and the events."""
        err = self.client.call(op, body, xid).err
        self.touch()
        return err, self.events()


def get_acl(cell):
    err, acl, _ = cell.client.get_acl(cell.node)
    return err, [(perms, scheme, who.replace(zkraw.digest_id("u:p"), "HASH")) for perms, scheme, who in acl or []]


def multi_read(op):
    def run(cell):
        reply = cell.client.call(MULTI_READ, zkraw.multi_body([(op, zkraw.path_watch(cell.node))]))
        reader = Reader(reply.body)
        return reply.err, reader.int32(), reader.boolean(), reader.int32()
    return run


def set_watches2(cell):
    zxid = cell.client.ping().zxid
    lists = b"".join(zkraw.vector([cell.node], ustring) if index in (0, 3) else int32(0) for index in range(5))
    return cell.heard(zkraw.SET_WATCHES2, int64(zxid) + lists, zkraw.XID_SET_WATCHES)


def remove_watches(cell):
    added = cell.code(zkraw.ADD_WATCH, ustring(cell.node) + int32(zkraw.MODE_PERSISTENT))
    removed = cell.code(zkraw.REMOVE_WATCHES, ustring(cell.node) + int32(zkraw.WATCH_ANY))
    return added, removed


def acl_between(cell):
    """The watch was set while everybody could read; the ACL decides when the event is delivered (CVE-2024-23944)."""
    wanted = cell.admin.get_acl(cell.node)[1]
    assert cell.admin.set_acl(cell.node, zkraw.OPEN_ACL)[0] == 0
    err = cell.code(zkraw.GET_DATA, zkraw.path_watch(cell.node, True))
    assert cell.admin.set_acl(cell.node, wanted)[0] == 0
    cell.touch()
    return err, cell.events()


OPERATIONS = {
    "exists": lambda cell: cell.code(zkraw.EXISTS, zkraw.path_watch(cell.node)),
    "getData": lambda cell: cell.code(zkraw.GET_DATA, zkraw.path_watch(cell.node)),
    "getChildren": lambda cell: cell.code(zkraw.GET_CHILDREN, zkraw.path_watch(cell.node)),
    "getChildren2": lambda cell: cell.code(zkraw.GET_CHILDREN2, zkraw.path_watch(cell.node)),
    "getACL": get_acl,
    "setACL": lambda cell: cell.client.set_acl(cell.node, zkraw.OPEN_ACL)[0],
    "setData": lambda cell: cell.client.set(cell.node, b"x")[0],
    "setData, wrong version": lambda cell: cell.client.set(cell.node, b"x", 7)[0],
    "sync": lambda cell: cell.client.sync(cell.node)[0],
    "create": lambda cell: cell.client.create(cell.parent + "/x")[0],
    "create, there already": lambda cell: cell.client.create(cell.node)[0],
    "create ephemeral": lambda cell: cell.client.create(cell.parent + "/x", flags=EPHEMERAL)[0],
    "create sequential": lambda cell: cell.client.create(cell.parent + "/x", flags=SEQUENTIAL)[0],
    "create2": lambda cell: cell.client.create2(cell.parent + "/x")[0],
    "createContainer": lambda cell: cell.code(CREATE_CONTAINER, zkraw.create_body(cell.parent + "/x", flags=4)),
    "createTTL": lambda cell: cell.code(CREATE_TTL, zkraw.create_ttl_body(cell.parent + "/x", ttl=1 << 30)),
    "delete": lambda cell: cell.client.delete(cell.node),
    "delete, not there": lambda cell: cell.client.delete(cell.parent + "/no"),
    "multi create": lambda cell: cell.one(CREATE, zkraw.create_body(cell.parent + "/x")),
    "multi create2": lambda cell: cell.one(CREATE2, zkraw.create_body(cell.parent + "/x")),
    "multi createContainer": lambda cell: cell.one(CREATE_CONTAINER, zkraw.create_body(cell.parent + "/x", flags=4)),
    "multi delete": lambda cell: cell.one(DELETE, ustring(cell.node) + int32(-1)),
    "multi setData": lambda cell: cell.one(SET_DATA, ustring(cell.node) + zkraw.buffer(b"x") + int32(-1)),
    "multi check": lambda cell: cell.one(CHECK, ustring(cell.node) + int32(-1)),
    "multiRead getData": multi_read(zkraw.GET_DATA),
    "multiRead getChildren": multi_read(zkraw.GET_CHILDREN),
    "getAllChildrenNumber": lambda cell: cell.code(zkraw.GET_ALL_CHILDREN_NUMBER, ustring(cell.node)),
    "getEphemerals": lambda cell: cell.code(zkraw.GET_EPHEMERALS, ustring(cell.node)),
    "watch of exists": lambda cell: cell.heard(zkraw.EXISTS, zkraw.path_watch(cell.node, True)),
    "watch of getData": lambda cell: cell.heard(zkraw.GET_DATA, zkraw.path_watch(cell.node, True)),
    "watch of getChildren": lambda cell: cell.heard(zkraw.GET_CHILDREN, zkraw.path_watch(cell.node, True)),
    "addWatch persistent": lambda cell: cell.heard(zkraw.ADD_WATCH, ustring(cell.node) + int32(0)),
    "addWatch recursive": lambda cell: cell.heard(zkraw.ADD_WATCH, ustring(cell.base) + int32(1)),
    "setWatches2": set_watches2,
    "removeWatches": remove_watches,
    "ACL changed under a watch": acl_between,
}


def run(address, permission, identity):
    """{operation: result} of one permission and one identity, as text."""
    credentials, (scheme, who) = IDENTITIES[identity]
    results = {}
    for name, operation in OPERATIONS.items():
        admin, client = zkraw.Connection(address), zkraw.Connection(address)
        assert admin.auth("digest", "super:test") == 0
        if credentials:
            assert client.auth("digest", credentials) == 0
        cell = Cell(client, admin, [(PERMISSIONS[permission], scheme, who)])
        results[name] = str(operation(cell))
        client.close_session()
        admin.close_session()
    return results


def lines(address):
    """The whole matrix, a line a cell."""
    for permission, identity in itertools.product(PERMISSIONS, IDENTITIES):
        for name, result in run(address, permission, identity).items():
            yield f"{permission:6}  {identity:6}  {name:26}  {result}"


if __name__ == "__main__":
    for line in lines((sys.argv[1], int(sys.argv[2]))):
        print(line)
