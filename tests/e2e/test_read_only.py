# SPDX-License-Identifier: Apache-2.0
"""A server that is told to be read-only (serve --read-only) is what a ZooKeeper server without a quorum is to clients
(ReadOnlyZooKeeperServer, ReadOnlyRequestProcessor). The oracle can't be told to."""
import time

import pytest

import zkraw
from zkraw import EPHEMERAL, NOT_READ_ONLY, OK, UNIMPLEMENTED

pytestmark = pytest.mark.only_ours("a single ZooKeeper is never read-only")


@pytest.fixture
def read_only(start_server):
    """A server with a node /a and a stored session, started again as read-only; (server, session)."""
    server = start_server()
    writer = server.connect()
    writer.create("/a", b"data")
    writer.create("/a/mine", flags=EPHEMERAL)
    writer.abort()
    server.stop()
    server.arguments = ["--read-only"]
    return server.start(), writer


def test_only_clients_that_allow_it_are_served(read_only):
    server, _ = read_only
    for flag in (False, None):
        refused = zkraw.Connection(server.address, connect=False)
        refused.send(zkraw.frame(zkraw.connect_request(read_only=flag)))
        assert refused.is_closed()
    client = server.connect(read_only=True)
    assert (client.response.read_only, client.response.size, client.response.timeout) == (True, 37, 10000)
    client.close_session()


def test_a_client_that_is_ahead_is_refused(read_only):
    server, _ = read_only
    ahead = zkraw.Connection(server.address, connect=False)
    ahead.send(zkraw.frame(zkraw.connect_request(read_only=True, last_zxid=10**9)))
    assert ahead.is_closed()


def test_reads_are_answered(read_only):
    server, _ = read_only
    client = server.connect(read_only=True)
    assert client.get("/a")[1] == b"data"
    assert client.children("/a", watch=True) == (OK, ["mine"])
    assert client.exists("/missing", watch=True)[0] == zkraw.NO_NODE
    assert client.get_acl("/a")[0] == OK
    assert client.auth("digest", "user:password") == OK
    assert client.call(zkraw.ADD_WATCH, zkraw.ustring("/a") + zkraw.int32(1)).body == bytes(4)
    assert client.call(zkraw.WHO_AM_I).err == OK
    assert client.take_events() == []
    client.close_session()


def test_what_writes_is_refused_and_sync_too(read_only):
    server, _ = read_only
    client = server.connect(read_only=True)
    zxid = client.ping().zxid
    version = zkraw.ustring("/a") + zkraw.int32(-1)
    acl = zkraw.ustring("/a") + zkraw.acl_list(zkraw.OPEN_ACL) + zkraw.int32(-1)
    for op, body in ((zkraw.CREATE, zkraw.create_body("/b")), (zkraw.CREATE2, zkraw.create_body("/b")),
                     (zkraw.CREATE_CONTAINER, zkraw.create_body("/b", flags=zkraw.CONTAINER)),
                     (zkraw.CREATE_TTL, zkraw.create_ttl_body("/b")), (zkraw.DELETE, version),
                     (zkraw.DELETE_CONTAINER, zkraw.ustring("/a")), (zkraw.SYNC, zkraw.ustring("/a")),
                     (zkraw.SET_DATA, zkraw.ustring("/a") + zkraw.buffer(b"x") + zkraw.int32(-1)),
                     (zkraw.SET_ACL, acl), (zkraw.MULTI, zkraw.multi_body([(zkraw.DELETE, version)])),
                     (zkraw.RECONFIG, b""), (zkraw.CREATE, b"not even a body")):
        reply = client.call(op, body)
        assert (reply.err, reply.zxid, reply.body) == (NOT_READ_ONLY, zxid, b""), op
    assert client.get("/a")[1] == b"data" and client.exists("/b")[0] == zkraw.NO_NODE
    assert client.call(zkraw.CHECK, version).err == UNIMPLEMENTED
    assert client.is_closed()


def test_replies_come_in_order(read_only):
    server, _ = read_only
    client = server.connect(read_only=True)
    client.post(zkraw.GET_DATA, zkraw.path_watch("/a"))
    client.post(zkraw.CREATE, zkraw.create_body("/b"))
    client.post(zkraw.EXISTS, zkraw.path_watch("/a"))
    client.post(zkraw.CLOSE_SESSION)
    assert [(reply.xid, reply.err) for reply in (client.reply() for _ in range(4))] == \
        [(1, OK), (2, NOT_READ_ONLY), (3, OK), (4, OK)]
    assert client.is_closed()


def test_its_sessions_are_its_own(read_only):
    server, _ = read_only
    client = server.connect(read_only=True)
    client.abort()
    again = server.connect(read_only=True, session=client.session, password=client.password)
    assert (again.session, again.response.read_only) == (client.session, True)
    thief = server.connect(read_only=True, session=client.session, password=b"x" * 16)
    assert (thief.session, thief.response.timeout, thief.is_closed()) == (0, 0, True)
    assert again.ping().err == OK
    newer = server.connect(read_only=True, session=client.session, password=client.password)
    assert again.is_closed()
    newer.abort()
    server.stop()
    server.start()
    gone = server.connect(read_only=True, session=client.session, password=client.password)
    assert (gone.session, gone.is_closed()) == (0, True)


def test_its_sessions_end_with_their_time(start_server):
    server = start_server({"tickTime": "200"}, arguments=["--read-only"])
    client = server.connect(read_only=True, timeout=400)
    client.abort()
    idle = server.connect(read_only=True, timeout=400)
    time.sleep(1.5)
    assert idle.is_closed()
    gone = server.connect(read_only=True, session=client.session, password=client.password)
    assert gone.session == 0


def test_a_stored_session_goes_on_and_is_kept(read_only):
    server, writer = read_only
    client = server.connect(read_only=True, session=writer.session, password=writer.password)
    assert client.session == writer.session
    assert client.call(zkraw.GET_EPHEMERALS, zkraw.ustring("/")).err == OK
    assert client.call(zkraw.CLOSE_SESSION).err == NOT_READ_ONLY
    client.abort()
    server.stop()
    server.arguments = []
    server.start()
    back = server.connect(session=writer.session, password=writer.password)
    assert back.session == writer.session and back.exists("/a/mine")[0] == OK
    back.close_session()


def test_operators_are_told(read_only):
    server, _ = read_only
    assert zkraw.four_letters(server.address, "isro") == "ro"
    assert "Mode: read-only\n" in zkraw.four_letters(server.address, "srvr")
