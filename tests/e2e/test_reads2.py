# SPDX-License-Identifier: Apache-2.0
"""Reads that came with 3.6 and 3.7: multiRead, getEphemerals, getAllChildrenNumber, whoAmI. The bytes were taken from
a real ZooKeeper 3.9.4."""
import collections

import pytest

import zkraw
from zkraw import (BAD_ARGUMENTS, EPHEMERAL, GET_CHILDREN, GET_DATA, MARSHALLING, NO_AUTH, NO_NODE, OK, READ,
                   UNIMPLEMENTED)

Part = collections.namedtuple("Part", "type err value")


def read_parts(body):
    reader, parts = zkraw.Reader(body), []
    while True:
        kind, done, err = reader.int32(), reader.boolean(), reader.int32()
        if done:
            assert (kind, err) == (-1, -1)
            reader.end()
            return parts
        if kind == GET_DATA:
            value = (reader.buffer(), reader.stat())
        elif kind == GET_CHILDREN:
            value = sorted(reader.strings())
        else:
            assert kind == zkraw.ERROR, f"a part of type {kind}"
            value = reader.int32()
            assert value == err
        parts.append(Part(kind, err, value))


def multi_read(client, *operations):
    reply = client.call(zkraw.MULTI_READ, zkraw.multi_body(operations))
    return reply.err, read_parts(reply.body) if not reply.err else None


def data(path):
    return GET_DATA, zkraw.path_watch(path)


def children(path):
    return GET_CHILDREN, zkraw.path_watch(path)


def count(client, path):
    reply = client.call(zkraw.GET_ALL_CHILDREN_NUMBER, zkraw.ustring(path))
    return (reply.err, client._whole(reply, zkraw.Reader.int32)) if not reply.err else (reply.err, None)


def ephemerals(client, prefix):
    reply = client.call(zkraw.GET_EPHEMERALS, zkraw.ustring(prefix))
    return (reply.err, sorted(client._whole(reply, zkraw.Reader.strings))) if not reply.err else (reply.err, None)


# ---- multiRead

def test_each_part_has_its_own_answer(client, path):
    client.create(path + "/b", b"data")
    client.create(path + "/a", None)
    err, parts = multi_read(client, data(path + "/b"), children(path), data(path + "/missing"),
                            children(path + "/missing"), data(path + "/a"))
    assert err == OK
    assert parts[0] == Part(GET_DATA, OK, (b"data", client.stat(path + "/b")))
    assert parts[1] == Part(GET_CHILDREN, OK, ["a", "b"])
    assert parts[2] == parts[3] == Part(zkraw.ERROR, NO_NODE, NO_NODE)
    assert parts[4] == Part(GET_DATA, OK, (None, client.stat(path + "/a")))


def test_a_part_without_permission(client, other, path):
    client.auth("digest", "owner:secret")
    client.create(path + "/a", b"secret", acl=[(zkraw.ALL, "digest", zkraw.digest_id("owner:secret"))])
    err, parts = multi_read(other, data(path + "/a"), children(path + "/a"), data(path))
    assert (err, [part.err for part in parts]) == (OK, [NO_AUTH, NO_AUTH, OK])
    err, parts = multi_read(client, data(path + "/a"))
    assert parts[0].value[0] == b"secret"


def test_an_empty_one(client):
    assert multi_read(client) == (OK, [])


def test_it_sets_no_watch(client, other, path):
    err, _ = multi_read(other, (GET_DATA, zkraw.path_watch(path, True)), (GET_CHILDREN, zkraw.path_watch(path, True)))
    client.set(path, b"x")
    client.create(path + "/a")
    assert err == OK and other.take_events() == []


def test_bytes_behind_the_end_are_ignored(client, path):
    reply = client.call(zkraw.MULTI_READ, zkraw.multi_body([data(path)]) + b"more")
    assert reply.err == OK and len(read_parts(reply.body)) == 1


@pytest.mark.parametrize("operation", [
    (zkraw.EXISTS, zkraw.path_watch("/")), (zkraw.GET_CHILDREN2, zkraw.path_watch("/")),
    (zkraw.GET_ACL, zkraw.ustring("/")), (GET_DATA, zkraw.ustring("/")), (zkraw.MULTI_READ, b"")])
def test_what_is_no_read_of_its_kind_fails_the_whole(client, path, operation):
    assert multi_read(client, data(path), operation) == (MARSHALLING, None)
    assert client.ping().err == OK


@pytest.mark.only_ours("the reply of an error has no body; ZooKeeper sends what it has so far behind the header")
@pytest.mark.parametrize("operation", [
    (zkraw.CREATE, zkraw.create_body("/never")), (zkraw.DELETE, zkraw.ustring("/") + zkraw.int32(0)),
    (zkraw.CHECK, zkraw.ustring("/") + zkraw.int32(0)), (GET_DATA, zkraw.path_watch(None))])
def test_writes_and_null_paths_fail_the_whole(client, path, operation):
    assert multi_read(client, data(path), operation) == (MARSHALLING, None)
    assert multi_read(client, operation) == (MARSHALLING, None)
    assert client.exists("/never")[0] == NO_NODE


def test_without_its_end_it_is_an_error(client, path):
    body = zkraw.multi_body([data(path)])
    assert client.call(zkraw.MULTI_READ, body[:-9]).err == MARSHALLING
    assert client.call(zkraw.MULTI_READ).err == MARSHALLING


def test_it_sees_the_session_s_own_writes(client, path):
    client.post(zkraw.CREATE, zkraw.create_body(path + "/a", b"1"))
    client.post(zkraw.MULTI_READ, zkraw.multi_body([data(path + "/a"), children(path)]))
    client.post(zkraw.SET_DATA, zkraw.ustring(path + "/a") + zkraw.buffer(b"2") + zkraw.int32(-1))
    client.post(zkraw.MULTI_READ, zkraw.multi_body([data(path + "/a")]))
    assert client.reply().err == OK
    assert [part.value[0] for part in read_parts(client.reply().body)[:1]] == [b"1"]
    assert client.reply().err == OK
    assert read_parts(client.reply().body)[0].value[0] == b"2"


@pytest.mark.only_ours("the size of the reply has a bound")
def test_one_that_would_answer_with_too_much(client, path):
    client.set(path, b"x" * 1000000)
    err, parts = multi_read(client, *[data(path)] * 10)
    assert err == OK and len(parts) == 10
    assert multi_read(client, *[data(path)] * 20) == (BAD_ARGUMENTS, None)
    assert client.ping().err == OK


# ---- getEphemerals

def test_ephemerals_of_the_own_session_by_prefix(client, other, path):
    for name in ("/a", "/ab", "/b"):
        client.create(path + name, flags=EPHEMERAL)
    client.create(path + "/plain")
    other.create(path + "/other", flags=EPHEMERAL)
    own = [path + name for name in ("/a", "/ab", "/b")]
    for everything in ("/", "", None, " ", "\t/ "):
        assert ephemerals(client, everything) == (OK, own)
    assert ephemerals(client, path + "/a") == (OK, own[:2])      # of the text, not of the tree
    assert ephemerals(client, path + "/a/") == (OK, [])
    assert ephemerals(client, "/nothing") == (OK, [])
    client.delete(path + "/a")
    assert ephemerals(client, path) == (OK, own[1:])
    assert ephemerals(other, path) == (OK, [path + "/other"])


def test_ephemerals_need_a_body(client):
    assert client.call(zkraw.GET_EPHEMERALS).err == MARSHALLING


# ---- getAllChildrenNumber

def test_all_below_a_node_is_counted(client, path):
    assert count(client, path) == (OK, 0)
    for name in ("/a", "/a/b", "/a/b/c", "/d"):
        client.create(path + name)
    client.create(path + "x")                                    # a neighbour with the same beginning
    assert [count(client, path + name) for name in ("", "/a", "/a/b", "/a/b/c", "/d")] == \
        [(OK, number) for number in (4, 2, 1, 0, 0)]
    client.delete(path + "/a/b/c")
    assert count(client, path) == (OK, 3)
    client.multi((zkraw.CREATE, zkraw.create_body(path + "/m")), (zkraw.CREATE, zkraw.create_body(path + "/m/n")),
                 (zkraw.DELETE, zkraw.ustring(path + "/d") + zkraw.int32(-1)))
    assert count(client, path) == (OK, 4)


def test_the_root_counts_the_system_s_nodes(start_server):
    server = start_server()
    client = server.connect()
    assert count(client, "/") == (OK, 3)                         # /zookeeper, its quota and config
    assert count(client, "") == (OK, 4)                          # the root too, by its other name
    client.create("/a")
    assert count(client, "/") == (OK, 4)
    client.close_session()
    server.stop()
    server.start()
    again = server.connect()
    assert (count(again, "/"), count(again, "/zookeeper")) == ((OK, 4), (OK, 2))
    again.close_session()


def test_counting_needs_a_node_and_read(client, other, path):
    assert count(client, path + "/missing") == (NO_NODE, None)
    assert count(client, path + "/") == (NO_NODE, None)
    assert count(client, "bad") == (NO_NODE, None)
    assert count(client, None) == (MARSHALLING, None)
    assert client.call(zkraw.GET_ALL_CHILDREN_NUMBER).err == MARSHALLING
    client.auth("digest", "owner:secret")
    client.create(path + "/a", acl=[(zkraw.ALL, "digest", zkraw.digest_id("owner:secret")),
                                    (zkraw.ALL & ~READ, "world", "anyone")])
    assert count(other, path + "/a") == (NO_AUTH, None)
    assert count(client, path + "/a") == (OK, 0)


def test_a_session_s_end_is_counted_too(server, client, path):
    one = server.connect()
    one.create(path + "/a", flags=EPHEMERAL)
    assert count(client, path) == (OK, 1)
    one.close_session()
    assert count(client, path) == (OK, 0)


# ---- whoAmI

def who(client, body=b""):
    reply = client.call(zkraw.WHO_AM_I, body)
    reader = zkraw.Reader(reply.body)
    ids = [(reader.ustring(), reader.ustring()) for _ in range(reader.int32())]
    reader.end()
    assert reply.err == OK
    return sorted(ids)


def test_who_am_i(client):
    assert who(client) == who(client, b"ignored") == [("ip", "127.0.0.1")]
    client.auth("digest", "user:password")
    client.auth("digest", "user:password")
    assert who(client) == [("digest", "user"), ("ip", "127.0.0.1")]
    client.auth("digest", "super:test")
    assert who(client) == [("digest", "super"), ("digest", "user"), ("ip", "127.0.0.1"), ("super", "")]


# ---- what is no operation of a client's

@pytest.mark.parametrize("op", [23, 50, 71, 108, 500, 2**31 - 1, 0])
def test_an_unknown_operation_is_answered_then_the_connection_ends(server, op):
    one = server.connect()
    reply = one.call(op, zkraw.ustring("/"))
    assert (reply.err, reply.zxid, reply.body) == (UNIMPLEMENTED, -1, b"")
    assert one.is_closed()


@pytest.mark.only_ours("from 3.9 on")
def test_check_alone_is_no_operation(server, path):
    one = server.connect()
    assert one.call(zkraw.CHECK, zkraw.ustring(path) + zkraw.int32(-1)).err == UNIMPLEMENTED
    assert one.is_closed()
