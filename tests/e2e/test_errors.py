# SPDX-License-Identifier: Apache-2.0
"""Which error wins, what a path may be, what zxid a reply carries, and what ends a connection."""
import pytest

import zkraw
from zkraw import (BAD_ARGUMENTS, BAD_VERSION, EPHEMERAL, INVALID_ACL, MARSHALLING, NO_AUTH,
                   NO_CHILDREN_FOR_EPHEMERALS, NO_NODE, NODE_EXISTS, NOT_EMPTY, OK, SEQUENTIAL, UNIMPLEMENTED)

READ_ONLY_ACL = [(zkraw.READ, "world", "anyone")]

# ---- paths

# {} is a node that exists, so that the path itself is what is wrong.
BAD_WRITE_PATHS = ["t", "", "{}/", "//t", "/.", "/..", "{}/.", "{}/..", "/t\0", "{}/\0", "{}/\x01", "{}/\x1f",
                   "{}/\x7f", "{}/\x9f", "{}/\ud800", "{}/\ue000", "{}/\uf8ff", "{}/\ufff0", "{}/\uffff"]
GOOD_NAMES = [".a", "a.", "...", "..a", " ", "a b", "\x20", "~", "é", "\xa0", "\ud7ff", "\uf900", "\uffef", "-", "%2F"]


@pytest.mark.parametrize("bad", BAD_WRITE_PATHS, ids=ascii)
def test_a_bad_path_is_refused_by_create(client, path, bad):
    assert client.create(bad.format(path)) == (BAD_ARGUMENTS, None)
    assert client.create2(bad.format(path))[0] == BAD_ARGUMENTS


@pytest.mark.parametrize("bad", ["t/a", "{}//", "/./t", "/../t", "{}//a", "{}/./a", "{}/../a"], ids=ascii)
def test_what_is_wrong_before_the_last_slash_is_a_missing_parent(client, path, bad):
    assert client.create(bad.format(path)) == (NO_NODE, None)
    assert client.delete(bad.format(path)) == NO_NODE


@pytest.mark.parametrize("name", GOOD_NAMES, ids=ascii)
def test_an_odd_name_is_a_name(client, path, name):
    assert client.create(f"{path}/{name}") == (OK, f"{path}/{name}")
    assert client.children(path) == (OK, [name])
    assert client.delete(f"{path}/{name}") == OK


def test_bytes_that_are_no_utf8_are_refused(client, path):
    assert client.create(path.encode() + b"/\xff\xfe") == (BAD_ARGUMENTS, None)


def test_a_sequential_path_is_checked_with_its_suffix(client, path):
    assert client.create(path + "/.", flags=SEQUENTIAL) == (OK, path + "/.0000000000")
    assert client.create(path + "/a/", flags=SEQUENTIAL) == (NO_NODE, None)
    assert client.create(path + "//", flags=SEQUENTIAL) == (NO_NODE, None)


@pytest.mark.parametrize("bad", ["t", "", "/t\0a"], ids=ascii)
def test_delete_of_a_bad_path(client, bad):
    assert client.delete(bad) == BAD_ARGUMENTS


@pytest.mark.parametrize("special", ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"])
def test_the_special_nodes_cannot_be_deleted(client, special):
    assert client.delete(special) == BAD_ARGUMENTS
    assert client.exists(special)[0] == OK


@pytest.mark.parametrize("bad", ["t", "", "/t/", "//t", "/t/.", "/t\x01"], ids=ascii)
def test_set_data_and_set_acl_of_a_bad_path(client, bad):
    assert client.set(bad, b"") == (BAD_ARGUMENTS, None)
    assert client.set_acl(bad, zkraw.OPEN_ACL) == (BAD_ARGUMENTS, None)


@pytest.mark.parametrize("bad", ["t", "/t/", "//t", "/t/..", "/t\x01"], ids=ascii)
def test_reads_do_not_check_the_path(client, bad):
    assert client.exists(bad) == (NO_NODE, None)
    assert client.get(bad)[0] == NO_NODE
    assert client.children(bad)[0] == NO_NODE
    assert client.children2(bad)[0] == NO_NODE
    assert client.get_acl(bad)[0] == NO_NODE


@pytest.mark.parametrize("name", ["/a\0", "\0", "a\0b"], ids=ascii)
def test_only_exists_minds_a_nul(client, name):
    assert client.exists(name) == (BAD_ARGUMENTS, None)
    assert client.exists(name, watch=True) == (BAD_ARGUMENTS, None)
    assert client.get(name)[0] == NO_NODE
    assert client.children(name)[0] == NO_NODE
    assert client.children2(name)[0] == NO_NODE
    assert client.get_acl(name)[0] == NO_NODE
    assert client.sync(name) == (OK, name)


def test_the_empty_path_reads_the_root(client):
    assert client.exists("") == client.exists("/")
    assert client.get("") == client.get("/")


# ---- precedence

@pytest.fixture
def locked(client, path):
    """A node whose children may not be changed, with one child, and an ephemeral."""
    assert client.create(path + "/locked/x")[0] == NO_NODE
    assert client.create(path + "/locked")[0] == OK
    assert client.create(path + "/locked/child")[0] == OK
    assert client.create(path + "/locked/child/grandchild")[0] == OK
    assert client.set_acl(path + "/locked", READ_ONLY_ACL)[0] == OK
    return path + "/locked"


@pytest.mark.parametrize("where, acl, flags, want", [
    ("no-slash", [], 99, BAD_ARGUMENTS),                # flags before all
    ("no-slash", [], 0, BAD_ARGUMENTS),                 # no slash before the ACL
    ("{path}/a\0", [], 0, BAD_ARGUMENTS),               # NUL before the ACL
    ("{path}/none/a", [], 0, INVALID_ACL),              # ACL before the parent
    ("{path}/none/..", zkraw.OPEN_ACL, 0, NO_NODE),     # parent before the rest of the path
    ("{locked}/..", zkraw.OPEN_ACL, 0, NO_AUTH),        # permission before the rest of the path
    ("{locked}/child", zkraw.OPEN_ACL, 0, NO_AUTH),     # permission before the node's existence
    ("{path}/e/..", zkraw.OPEN_ACL, 0, BAD_ARGUMENTS),  # the rest of the path before an ephemeral parent
    ("{path}/e/a", zkraw.OPEN_ACL, 0, NO_CHILDREN_FOR_EPHEMERALS),
])
@pytest.mark.parametrize("op", ["create", "create2"])
def test_errors_of_create_in_order(client, path, locked, op, where, acl, flags, want):
    assert client.create(path + "/e", flags=EPHEMERAL)[0] == OK
    assert getattr(client, op)(where.format(path=path, locked=locked), acl=acl, flags=flags)[0] == want


@pytest.mark.parametrize("where, version, want", [
    ("no-slash", 9, BAD_ARGUMENTS),
    ("{path}/none/a", 9, NO_NODE),       # the parent
    ("{locked}/missing", 9, NO_AUTH),    # permission on the parent before the node's existence
    ("{locked}/child", 9, NO_AUTH),
    ("{path}/missing", 9, NO_NODE),
    ("{path}/full", 9, BAD_VERSION),     # version before children
    ("{path}/full", 0, NOT_EMPTY),
])
def test_errors_of_delete_in_order(client, path, locked, where, version, want):
    assert client.create(path + "/full")[0] == OK
    assert client.create(path + "/full/a")[0] == OK
    assert client.delete(where.format(path=path, locked=locked), version) == want


def test_errors_of_set_data_in_order(client, path, locked):
    assert client.set("bad", b"", 9)[0] == BAD_ARGUMENTS
    assert client.set(path + "/missing", b"", 9)[0] == NO_NODE
    assert client.set(locked, b"", 9)[0] == NO_AUTH
    assert client.set(path, b"", 9)[0] == BAD_VERSION


def test_errors_of_set_acl_in_order(client, path, locked):
    assert client.set_acl("bad", [], 9)[0] == BAD_ARGUMENTS
    assert client.set_acl(path + "/missing", [], 9)[0] == INVALID_ACL
    assert client.set_acl(path + "/missing", zkraw.OPEN_ACL, 9)[0] == NO_NODE
    assert client.set_acl(locked, zkraw.OPEN_ACL, 9)[0] == NO_AUTH
    assert client.set_acl(path, zkraw.OPEN_ACL, 9)[0] == BAD_VERSION


def test_errors_of_check_in_order(client, path):
    assert client.create(path + "/secret", acl=[(zkraw.ADMIN, "world", "anyone")])[0] == OK
    for where, version, want in (("bad", 9, BAD_ARGUMENTS), (path + "/missing", 9, NO_NODE),
                                 (path + "/secret", 9, NO_AUTH), (path, 9, BAD_VERSION), (path, 0, OK)):
        err, results = client.multi((zkraw.CHECK, zkraw.ustring(where) + zkraw.int32(version)))
        assert (err, results[0].err) == (OK, want), where


# ---- zxids

def zxid_now(client):
    return client.call(zkraw.EXISTS, zkraw.path_watch("/")).zxid


def test_every_write_takes_the_next_zxid_refused_ones_too(client, path):
    start = zxid_now(client)
    writes = [
        (zkraw.CREATE, zkraw.create_body(path + "/a"), OK),
        (zkraw.CREATE, zkraw.create_body(path + "/a"), NODE_EXISTS),
        (zkraw.CREATE, zkraw.create_body("bad"), BAD_ARGUMENTS),
        (zkraw.CREATE2, zkraw.create_body(path + "/a", flags=77), BAD_ARGUMENTS),
        (zkraw.SET_DATA, zkraw.ustring(path) + zkraw.buffer(b"") + zkraw.int32(7), BAD_VERSION),
        (zkraw.SET_DATA, zkraw.ustring(path) + zkraw.buffer(b"") + zkraw.int32(-1), OK),
        (zkraw.SET_ACL, zkraw.ustring(path) + zkraw.acl_list([]) + zkraw.int32(-1), INVALID_ACL),
        (zkraw.SET_ACL, zkraw.ustring(path) + zkraw.acl_list(zkraw.OPEN_ACL) + zkraw.int32(-1), OK),
        (zkraw.MULTI, zkraw.multi_body([]), OK),
        (zkraw.MULTI, zkraw.multi_body([(zkraw.DELETE, zkraw.ustring("/none") + zkraw.int32(-1))]), OK),
        (zkraw.DELETE, zkraw.ustring(path + "/none") + zkraw.int32(-1), NO_NODE),
        (zkraw.DELETE, zkraw.ustring(path + "/a") + zkraw.int32(-1), OK),
        (zkraw.MULTI, b"\0", MARSHALLING),
    ]
    for number, (op, body, want) in enumerate(writes, 1):
        reply = client.call(op, body)
        assert (reply.err, reply.zxid) == (want, start + number), f"write {number}"
        assert zxid_now(client) == start + number


@pytest.mark.only_ours("3.8.0 takes one")
@pytest.mark.parametrize("op", [zkraw.CREATE, zkraw.CREATE2, zkraw.DELETE, zkraw.SET_DATA, zkraw.SET_ACL])
def test_a_write_that_can_not_be_read_takes_none(client, op):
    start = zxid_now(client)
    reply = client.call(op, b"")
    assert (reply.err, reply.zxid, zxid_now(client)) == (MARSHALLING, start, start)


def test_reads_take_no_zxid(client, path):
    start = zxid_now(client)
    for op in (zkraw.EXISTS, zkraw.GET_DATA, zkraw.GET_CHILDREN, zkraw.GET_CHILDREN2):
        for where in (path, path + "/none"):
            assert client.call(op, zkraw.path_watch(where)).zxid == start
    for where in (path, path + "/none"):
        assert client.call(zkraw.GET_ACL, zkraw.ustring(where)).zxid == start
    assert client.call(zkraw.EXISTS, b"").zxid == start
    assert client.set_watches(start, data=[path]) == OK
    assert zxid_now(client) == start


def test_a_ping_shows_the_zxid(client):
    assert client.ping().zxid == zxid_now(client)


def test_session_open_and_close_take_one_each(client, connect):
    start = zxid_now(client)
    second = connect()
    assert zxid_now(client) == start + 1
    assert second.close_session().zxid == start + 2
    assert zxid_now(client) == start + 2


def test_reattaching_takes_none(client, connect):
    first = connect()
    start = zxid_now(client)
    connect(session=first.session, password=first.password)
    assert zxid_now(client) == start


def test_auth_takes_none_and_answers_0(client):
    start = zxid_now(client)
    assert client.auth("digest", "a:b") == OK
    assert zxid_now(client) == start


# ---- pings, order

@pytest.mark.parametrize("xid", [-2, 0, 1, 77, -1, 2**31 - 1])
def test_a_ping_is_answered_with_xid_minus_2(client, xid):
    client.post(zkraw.PING, xid=xid)
    reply = client.reply()
    assert (reply.xid, reply.err, reply.body) == (-2, 0, b"")


@pytest.mark.parametrize("xid", [0, 5, 5, -3, -2**31, 2**31 - 1])
def test_xids_are_echoed_whatever_they_are(client, path, xid):
    client.post(zkraw.EXISTS, zkraw.path_watch(path), xid=xid)
    assert client.reply().xid == xid


def test_pipelined_requests_are_answered_in_order(client, path):
    kinds = [
        (zkraw.EXISTS, zkraw.path_watch(path)), (zkraw.SYNC, zkraw.ustring(path)), None, (zkraw.PING, b""),
        (zkraw.GET_DATA, zkraw.path_watch(path)), (zkraw.SET_DATA, zkraw.ustring(path) + zkraw.buffer(b"x")
                                                   + zkraw.int32(-1)), (zkraw.DELETE, zkraw.ustring(path + "/none")
                                                                        + zkraw.int32(-1)),
    ]
    want, data = [], b""
    for number in range(1, 701):
        kind = kinds[number % len(kinds)]
        op, body = kind or (zkraw.CREATE, zkraw.create_body(f"{path}/n{number}"))
        data += zkraw.frame(zkraw.int32(number) + zkraw.int32(op) + body)
        want.append(-2 if op == zkraw.PING else number)
    client.send(data)
    replies = [client.reply() for _ in range(700)]
    assert [reply.xid for reply in replies] == want
    zxids = [reply.zxid for reply in replies]
    assert zxids == sorted(zxids)


def test_a_read_sees_the_writes_before_it_in_the_pipeline(client, path):
    for number in range(1, 201):
        client.post(zkraw.SET_DATA, zkraw.ustring(path) + zkraw.buffer(b"%d" % number) + zkraw.int32(-1))
        client.post(zkraw.GET_DATA, zkraw.path_watch(path))
    for number in range(1, 201):
        written, read = client.reply(), client.reply()
        reader = zkraw.Reader(read.body)
        assert reader.buffer() == b"%d" % number
        assert reader.stat() == zkraw.Reader(written.body).stat()
        assert read.zxid >= written.zxid


def test_a_write_sees_the_writes_before_it_in_the_pipeline(client, path):
    for number in range(100):
        client.post(zkraw.CREATE, zkraw.create_body(path + "/a", b"%d" % number))
        client.post(zkraw.SET_DATA, zkraw.ustring(path + "/a") + zkraw.buffer(b"") + zkraw.int32(0))
        client.post(zkraw.DELETE, zkraw.ustring(path + "/a") + zkraw.int32(1))
        client.post(zkraw.DELETE, zkraw.ustring(path + "/a") + zkraw.int32(1))
    assert [client.reply().err for _ in range(400)] == [OK, OK, OK, NO_NODE] * 100


# ---- unknown operations, bodies that do not parse

@pytest.mark.parametrize("op", [0, 10, 71, 99, 108, 500, 507, -1, -2, -12, 2**31 - 1, -2**31])
def test_an_unknown_operation_is_answered_and_closed(connect, op):
    client = connect()
    client.post(op, zkraw.ustring("/"), xid=9)
    reply = client.reply()
    assert (reply.xid, reply.zxid, reply.err, reply.body) == (9, -1, UNIMPLEMENTED, b"")
    assert client.is_closed()


@pytest.mark.only_ours("3.8.0 carries out deleteContainer for a client")
@pytest.mark.parametrize("op", [20, -10], ids=["deleteContainer", "createSession"])
def test_internal_operations_are_refused(connect, op):
    client = connect()
    client.post(op, zkraw.ustring("/"), xid=9)
    reply = client.reply()
    assert (reply.xid, reply.zxid, reply.err) == (9, -1, UNIMPLEMENTED)
    assert client.is_closed()


@pytest.mark.only_ours("3.8.0 never answers a check that holds")
@pytest.mark.parametrize("version", [0, 9])
def test_check_outside_of_a_multi_is_refused_and_closed(connect, path, version):
    client = connect()
    client.post(zkraw.CHECK, zkraw.ustring(path) + zkraw.int32(version), xid=3)
    reply = client.reply()
    assert (reply.xid, reply.zxid, reply.err) == (3, -1, UNIMPLEMENTED)
    assert client.is_closed()


def test_the_session_outlives_an_unknown_operation(connect, path):
    client = connect()
    assert client.create(path + "/e", flags=EPHEMERAL)[0] == OK
    client.post(9999)
    assert client.reply().err == UNIMPLEMENTED and client.is_closed()
    again = connect(session=client.session, password=client.password)
    assert again.stat(path + "/e").ephemeral_owner == client.session


@pytest.mark.only_ours("3.8.0 closes at once and drops what is in its pipeline")
def test_requests_before_an_unknown_operation_are_answered(connect, path):
    client = connect()
    for number in range(20):
        client.post(zkraw.CREATE, zkraw.create_body(f"{path}/n{number}"))
    client.post(4242)
    client.post(zkraw.EXISTS, zkraw.path_watch(path))
    assert [client.reply().err for _ in range(20)] == [OK] * 20
    assert client.reply().err == UNIMPLEMENTED
    assert client.is_closed()


BODIES = {
    "create": (zkraw.CREATE, zkraw.create_body("/garbled", b"data")),
    "create2": (zkraw.CREATE2, zkraw.create_body("/garbled", b"data")),
    "delete": (zkraw.DELETE, zkraw.ustring("/garbled") + zkraw.int32(-1)),
    "exists": (zkraw.EXISTS, zkraw.path_watch("/garbled")),
    "getData": (zkraw.GET_DATA, zkraw.path_watch("/garbled")),
    "setData": (zkraw.SET_DATA, zkraw.ustring("/garbled") + zkraw.buffer(b"x") + zkraw.int32(-1)),
    "getACL": (zkraw.GET_ACL, zkraw.ustring("/garbled")),
    "setACL": (zkraw.SET_ACL, zkraw.ustring("/garbled") + zkraw.acl_list(zkraw.OPEN_ACL) + zkraw.int32(-1)),
    "getChildren": (zkraw.GET_CHILDREN, zkraw.path_watch("/garbled")),
    "getChildren2": (zkraw.GET_CHILDREN2, zkraw.path_watch("/garbled")),
    "sync": (zkraw.SYNC, zkraw.ustring("/garbled")),
    "multi": (zkraw.MULTI, zkraw.multi_body([(zkraw.CREATE, zkraw.create_body("/garbled"))])),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_ends_early_is_answered_and_the_connection_goes_on(client, name):
    op, body = BODIES[name]
    for size in range(len(body)):
        reply = client.call(op, body[:size])
        assert (reply.err, reply.body) == (MARSHALLING, b""), f"{size} of {len(body)} bytes"
    assert client.exists("/garbled")[0] == NO_NODE


@pytest.mark.parametrize("name", [name for name in BODIES if name != "multi"])
def test_bytes_after_a_record_are_ignored(client, path, name):
    op, body = BODIES[name]
    body = body.replace(zkraw.ustring("/garbled"), zkraw.ustring(path + "/n"))
    assert client.call(op, body + b"trailing").err in (OK, NO_NODE)


@pytest.mark.parametrize("length", [-2, -100, -2**31, 2**31 - 1, 1 << 20, 100])
def test_lengths_that_lie(client, length):
    for op, tail in ((zkraw.CREATE, b""), (zkraw.GET_DATA, b""), (zkraw.SYNC, b"/a")):
        assert client.call(op, zkraw.int32(length) + tail).err == MARSHALLING
    body = zkraw.ustring("/garbled") + zkraw.buffer(b"") + zkraw.int32(length)  # the ACL's count
    assert client.call(zkraw.CREATE, body).err == MARSHALLING
    assert client.ping().err == OK


def test_any_byte_but_0_is_true(client, path):
    assert client.call(zkraw.EXISTS, zkraw.ustring(path) + b"\7").err == OK
    assert client.set(path, b"x")[0] == OK
    assert client.take_events() == [(zkraw.DATA_CHANGED, path)]


def test_an_auth_packet_that_ends_early_closes(connect):
    """Java closes without a word; to say -115 before is kinder."""
    client = connect()
    client.post(zkraw.AUTH, b"\0\0", zkraw.XID_AUTH)
    try:
        assert client.reply().err == zkraw.AUTH_FAILED
    except zkraw.Closed:
        pass
    assert client.is_closed()


@pytest.mark.parametrize("lists", [zkraw.int32(-1) * 3, zkraw.vector([None], zkraw.ustring) + zkraw.int32(0) * 2,
                                   zkraw.int32(0) * 2, b""], ids=["null lists", "null path", "two lists", "no list"])
def test_set_watches_that_does_not_parse(client, lists):
    assert client.call(zkraw.SET_WATCHES, zkraw.int64(0) + lists, zkraw.XID_SET_WATCHES).err == MARSHALLING
    assert client.ping().err == OK


def test_a_null_path(client):
    """Java answers these with the error of a null string met somewhere inside; the connection goes on."""
    for op, rest in ((zkraw.CREATE, zkraw.create_body("x")[5:]), (zkraw.DELETE, zkraw.int32(-1)),
                     (zkraw.SET_DATA, zkraw.buffer(b"") + zkraw.int32(-1)), (zkraw.GET_DATA, b"\0"),
                     (zkraw.EXISTS, b"\0"), (zkraw.GET_CHILDREN, b"\0"), (zkraw.GET_ACL, b"")):
        assert client.call(op, zkraw.ustring(None) + rest).err != OK
    assert client.ping().err == OK


# ---- frames

def test_the_largest_request(connect, path):
    client = connect()
    head = len(zkraw.create_body(path + "/a")) + 8
    assert client.create(path + "/a", b"x" * (1048575 - head))[0] == OK
    client.send(zkraw.int32(1048576))
    assert client.is_closed()


@pytest.mark.parametrize("limit", [100, 4096, 40 * 1024 * 1024])
def test_jute_maxbuffer(start_server, limit):
    server = start_server({"jute.maxbuffer": str(limit), "preAllocSize": "100"})
    client = server.connect()
    head = len(zkraw.create_body("/a")) + 8
    data = b"x" * (limit - head)
    assert client.create("/a", data)[0] == OK
    assert client.get("/a")[1] == data
    client.send(zkraw.int32(limit + 1))
    assert client.is_closed()


@pytest.mark.parametrize("length", [-1, -2**31, 2**31 - 1, 1048576, 0x48545450])
def test_a_frame_length_out_of_range_closes(connect, length):
    client = connect()
    client.send(zkraw.int32(length))
    assert client.is_closed()


@pytest.mark.parametrize("size", range(8))
def test_a_frame_too_short_for_a_header(connect, client, size):
    """Whatever the answer: the connection may end, the server and the others go on."""
    broken = connect()
    broken.send(zkraw.frame(bytes(size)))
    broken.is_closed(0.3)
    assert client.ping().err == OK


def test_closing_a_session_answers_then_closes(connect, client, path):
    owner = connect()
    assert owner.create(path + "/e", flags=EPHEMERAL)[0] == OK
    owner.post(zkraw.EXISTS, zkraw.path_watch(path))
    owner.post(zkraw.CLOSE_SESSION)
    assert owner.reply().err == OK
    reply = owner.reply()
    assert (reply.xid, reply.err, reply.body) == (owner.xid, OK, b"")
    assert owner.is_closed()
    assert client.exists(path + "/e")[0] == NO_NODE


@pytest.mark.only_ours("3.8.0 sometimes answers them")
def test_requests_after_the_closing_are_dropped(connect, client, path):
    owner = connect()
    owner.send(b"".join(zkraw.frame(zkraw.int32(xid) + zkraw.int32(op) + body) for xid, op, body in (
        (1, zkraw.CLOSE_SESSION, b""), (2, zkraw.CREATE, zkraw.create_body(path + "/late")),
        (3, zkraw.EXISTS, zkraw.path_watch(path)))))
    assert owner.reply().xid == 1
    assert owner.is_closed()
    assert client.exists(path + "/late")[0] == NO_NODE
