# SPDX-License-Identifier: Apache-2.0
"""Watches that stay, and taking watches away: addWatch, removeWatches, checkWatches, setWatches2 as 3.9 has them.

The bytes were taken from a real ZooKeeper 3.9.4; 3.8.0 knows neither types 4 and 5 of removeWatches nor several modes
on one path.
"""
import pytest

import zkraw
from zkraw import (CHILDREN_CHANGED, CREATED, DATA_CHANGED, DELETED, MARSHALLING, MODE_PERSISTENT, MODE_RECURSIVE,
                   NO_WATCHER, OK, READ, WATCH_ANY, WATCH_CHILDREN, WATCH_DATA, WATCH_PERSISTENT, WATCH_RECURSIVE)

TYPES = (WATCH_CHILDREN, WATCH_DATA, WATCH_ANY, WATCH_PERSISTENT, WATCH_RECURSIVE)
of_3_9 = pytest.mark.only_ours("from 3.9 on")


def add(client, path, mode):
    reply = client.call(zkraw.ADD_WATCH, zkraw.ustring(path) + zkraw.int32(mode))
    assert reply.err or reply.body == bytes(4), reply   # an ErrorResponse: Java's client reads it
    return reply.err


def ask(client, op, path, kind):
    reply = client.call(op, zkraw.ustring(path) + zkraw.int32(kind))
    assert reply.body == b""
    return reply.err


def remove(client, path, kind):
    return ask(client, zkraw.REMOVE_WATCHES, path, kind)


def has(client, path):
    """The types of watches that checkWatches finds."""
    codes = {kind: ask(client, zkraw.CHECK_WATCHES, path, kind) for kind in TYPES}
    assert set(codes.values()) <= {OK, NO_WATCHER}
    return {kind for kind, code in codes.items() if code == OK}


def set_watches2(client, zxid, data=(), exist=(), child=(), persistent=(), recursive=()):
    lists = (data, exist, child, persistent, recursive)
    body = zkraw.int64(zxid) + b"".join(zkraw.vector(list(paths), zkraw.ustring) for paths in lists)
    reply = client.call(zkraw.SET_WATCHES2, body, zkraw.XID_SET_WATCHES)
    assert reply.body == b""
    return reply.err


# ---- addWatch

def test_a_persistent_watch_hears_all_of_its_node_again_and_again(client, other, path):
    assert add(other, path + "/a", MODE_PERSISTENT) == OK    # there need be no node
    for _ in range(2):
        client.create(path + "/a")
        client.set(path + "/a", b"x")
        client.create(path + "/a/b")
        client.set(path + "/a/b", b"x")                      # not of the node
        client.delete(path + "/a/b")
        client.delete(path + "/a")
    once = [(CREATED, path + "/a"), (DATA_CHANGED, path + "/a"), (CHILDREN_CHANGED, path + "/a"),
            (CHILDREN_CHANGED, path + "/a"), (DELETED, path + "/a")]
    assert other.take_events() == 2 * once


def test_a_recursive_watch_hears_the_subtree_and_never_children_changed(client, other, path):
    assert add(other, path, MODE_RECURSIVE) == OK
    client.create(path + "/a")
    client.create(path + "/a/b")
    client.set(path + "/a/b", b"x")
    client.set(path, b"x")
    client.create(path + "x")                                # a neighbour with the same beginning
    client.delete(path + "x")
    client.delete(path + "/a/b")
    assert other.take_events() == [(CREATED, path + "/a"), (CREATED, path + "/a/b"), (DATA_CHANGED, path + "/a/b"),
                                   (DATA_CHANGED, path), (DELETED, path + "/a/b")]


def test_a_recursive_watch_on_the_root_hears_everything(client, other, path):
    assert add(other, "/", MODE_RECURSIVE) == OK
    client.create(path + "/a")
    client.delete(path + "/a")
    assert [event for event in other.take_events() if event[1].startswith(path)] == \
        [(CREATED, path + "/a"), (DELETED, path + "/a")]


def test_an_event_comes_once_though_several_watches_match(client, other, path):
    for mode in (MODE_PERSISTENT, MODE_RECURSIVE):
        assert add(other, path, mode) == OK
    assert add(other, "/", MODE_RECURSIVE) == OK
    other.get(path, watch=True)
    other.children(path, watch=True)
    client.set(path, b"x")
    client.create(path + "/a")
    client.delete(path + "/a")
    client.delete(path)
    assert [event for event in other.take_events() if event[1].startswith(path)] == [
        (DATA_CHANGED, path), (CREATED, path + "/a"), (CHILDREN_CHANGED, path), (DELETED, path + "/a"),
        (CHILDREN_CHANGED, path), (DELETED, path)]


def test_one_multi_fires_each_event_of_its_nodes(client, other, path):
    add(other, path, MODE_RECURSIVE)
    client.multi((zkraw.CREATE, zkraw.create_body(path + "/a")), (zkraw.CREATE, zkraw.create_body(path + "/b")),
                 (zkraw.DELETE, zkraw.ustring(path + "/a") + zkraw.int32(-1)))
    assert other.take_events() == [(CREATED, path + "/a"), (CREATED, path + "/b"), (DELETED, path + "/a")]


@of_3_9
def test_events_carry_the_zxid_of_the_change(client, other, path):
    add(other, path, MODE_RECURSIVE)
    reply = client.call(zkraw.SET_DATA, zkraw.ustring(path) + zkraw.buffer(b"x") + zkraw.int32(-1))
    assert other.event().zxid == reply.zxid


@pytest.mark.parametrize("mode", [2, -1, 3, 2**31 - 1])
def test_another_mode_is_an_error(client, path, mode):
    assert add(client, path, mode) == MARSHALLING
    assert client.ping().err == OK


def test_a_body_that_ends_early_is_an_error(client, path):
    for op in (zkraw.ADD_WATCH, zkraw.REMOVE_WATCHES, zkraw.CHECK_WATCHES):
        assert client.call(op, zkraw.ustring(path)).err == MARSHALLING
    assert client.ping().err == OK


def test_any_path_will_do_and_nothing_happens_to_most(client, other, path):
    for odd in (path + "/", "bad", "/a//b", "x" * 5000):
        for mode in (MODE_PERSISTENT, MODE_RECURSIVE):
            assert add(other, odd, mode) == OK
    client.set(path, b"x")
    assert other.take_events() == []


# ---- several modes on one path, and what removeWatches takes away

@of_3_9
def test_modes_stand_beside_each_other(client, other, path):
    assert has(other, path) == set()
    other.get(path, watch=True)
    assert has(other, path) == {WATCH_DATA, WATCH_ANY}
    add(other, path, MODE_RECURSIVE)
    add(other, path, MODE_PERSISTENT)
    other.children(path, watch=True)
    assert has(other, path) == set(TYPES)
    client.set(path, b"x")
    client.create(path + "/a")
    assert has(other, path) == {WATCH_ANY, WATCH_PERSISTENT, WATCH_RECURSIVE}   # the one-shot ones are used up


@of_3_9
@pytest.mark.parametrize("kind", [WATCH_CHILDREN, WATCH_DATA, WATCH_PERSISTENT, WATCH_RECURSIVE])
def test_only_the_kind_that_was_asked_for_is_removed(other, path, kind):
    other.get(path, watch=True)
    other.children(path, watch=True)
    add(other, path, MODE_PERSISTENT)
    add(other, path, MODE_RECURSIVE)
    assert remove(other, path, kind) == OK
    assert has(other, path) == set(TYPES) - {kind}
    assert remove(other, path, kind) == NO_WATCHER
    assert other.take_events() == []                      # the client tells itself


@of_3_9
def test_any_removes_all_of_one_path_and_connection(client, other, path):
    client.create(path + "/a")
    for one in (client, other):
        one.get(path, watch=True)
        one.get(path + "/a", watch=True)
        add(one, path, MODE_PERSISTENT)
    assert remove(other, path, WATCH_ANY) == OK
    assert remove(other, path, WATCH_ANY) == NO_WATCHER
    assert has(other, path) == set()
    assert has(other, path + "/a") == {WATCH_DATA, WATCH_ANY}
    assert has(client, path) == {WATCH_DATA, WATCH_ANY, WATCH_PERSISTENT}
    client.set(path, b"x")
    assert other.take_events() == []


@of_3_9
def test_a_removed_watch_hears_nothing_and_the_others_do(client, other, path):
    other.get(path, watch=True)
    other.children(path, watch=True)
    add(other, path, MODE_RECURSIVE)
    assert remove(other, path, WATCH_RECURSIVE) == OK
    client.create(path + "/a")
    assert other.take_events() == [(CHILDREN_CHANGED, path)]
    assert remove(other, path, WATCH_DATA) == OK
    client.set(path, b"x")
    assert other.take_events() == []


@pytest.mark.parametrize("op", [zkraw.REMOVE_WATCHES, zkraw.CHECK_WATCHES])
@pytest.mark.parametrize("kind, code", [(0, MARSHALLING), (6, MARSHALLING), (-1, MARSHALLING), (1, NO_WATCHER)])
def test_types_that_are_none_and_watches_that_are_not_there(client, path, op, kind, code):
    assert ask(client, op, path, kind) == code
    assert ask(client, op, "no path at all", kind) == code


# ---- setWatches2

def test_set_watches2_catches_up_and_sets_the_rest(client, other, path):
    for name in ("/old", "/new", "/gone"):
        client.create(path + name)
    zxid = client.ping().zxid
    client.set(path + "/new", b"x")
    client.delete(path + "/gone")
    client.create(path + "/made")
    assert set_watches2(other, zxid, data=[path + "/old", path + "/new", path + "/gone"],
                        exist=[path + "/made", path + "/missing"], child=[path, path + "/old"],
                        persistent=[path + "/new"], recursive=[path + "/gone"]) == OK
    events, other.events = other.events, []
    assert [(event.type, event.path) for event in events] == [
        (DATA_CHANGED, path + "/new"), (DELETED, path + "/gone"), (CREATED, path + "/made"), (CHILDREN_CHANGED, path)]
    assert {event.zxid for event in events} == {-1}
    client.create(path + "/missing")
    client.set(path + "/old", b"x")
    client.create(path + "/old/a")
    client.set(path + "/new", b"y")
    client.create(path + "/gone")
    client.create(path + "/gone/a")
    assert other.take_events() == [
        (CREATED, path + "/missing"), (DATA_CHANGED, path + "/old"), (CHILDREN_CHANGED, path + "/old"),
        (DATA_CHANGED, path + "/new"), (CREATED, path + "/gone"), (CREATED, path + "/gone/a")]


def test_watches_that_stay_tell_of_nothing_that_was_missed(client, other, path):
    zxid = client.ping().zxid
    client.set(path, b"x")
    client.create(path + "/a")
    assert set_watches2(other, zxid, persistent=[path], recursive=[path]) == OK
    assert other.take_events() == []
    client.set(path + "/a", b"x")
    assert other.take_events() == [(DATA_CHANGED, path + "/a")]


@pytest.mark.parametrize("cut", ["recursive", "both", "null"])
def test_set_watches2_needs_all_lists(client, path, cut):
    lists = [zkraw.vector([path], zkraw.ustring)] * 5
    lists = lists[:4] if cut == "recursive" else lists[:3] if cut == "both" else lists[:4] + [zkraw.int32(-1)]
    reply = client.call(zkraw.SET_WATCHES2, zkraw.int64(0) + b"".join(lists), zkraw.XID_SET_WATCHES)
    assert reply.err == MARSHALLING
    assert client.ping().err == OK


def test_watches_end_with_their_connection(server, client, path):
    one = server.connect()
    add(one, path, MODE_RECURSIVE)
    session, password = one.session, one.password
    one.abort()
    again = server.connect(session=session, password=password)
    client.set(path, b"x")
    assert again.take_events() == []
    assert has(again, path) == set()
    again.close_session()


# ---- READ is asked for when the event is delivered

def private(user):
    return [(zkraw.ALL, "digest", zkraw.digest_id(user))]


@of_3_9
@pytest.mark.parametrize("mode", [MODE_PERSISTENT, MODE_RECURSIVE])
def test_nothing_is_told_of_a_node_that_can_not_be_read(client, other, path, mode):
    client.auth("digest", "owner:secret")
    assert add(other, path + "/a", mode) == OK              # nobody asks for permission here
    client.create(path + "/a", acl=private("owner:secret"))
    client.set(path + "/a", b"x")
    client.create(path + "/a/b")
    client.delete(path + "/a/b")
    client.delete(path + "/a")                              # by the list as it was
    seen = other.take_events()
    assert seen == ([] if mode == MODE_PERSISTENT else [(CREATED, path + "/a/b"), (DELETED, path + "/a/b")])


@of_3_9
def test_the_list_of_the_moment_counts(client, other, path):
    client.auth("digest", "owner:secret")
    client.create(path + "/a")
    add(other, path, MODE_RECURSIVE)
    client.set(path + "/a", b"1")
    client.set_acl(path + "/a", private("owner:secret"))
    client.set(path + "/a", b"2")
    client.set_acl(path + "/a", zkraw.OPEN_ACL)
    client.set(path + "/a", b"3")
    assert other.take_events() == 2 * [(DATA_CHANGED, path + "/a")]


@of_3_9
def test_the_connection_s_identities_of_the_moment_count(client, other, path):
    client.create(path + "/a", acl=private("owner:secret"))
    add(other, path, MODE_RECURSIVE)
    client.auth("digest", "owner:secret")
    client.set(path + "/a", b"1")
    assert other.auth("digest", "owner:secret") == OK
    client.set(path + "/a", b"2")
    assert other.take_events() == [(DATA_CHANGED, path + "/a")]


@of_3_9
def test_a_parent_s_list_decides_about_children_changed(client, other, path):
    client.auth("digest", "owner:secret")
    client.create(path + "/a", acl=private("owner:secret") + [(zkraw.MAY_CREATE, "world", "anyone")])
    add(other, path + "/a", MODE_PERSISTENT)
    client.create(path + "/a/b")
    assert other.take_events() == []
    client.set_acl(path + "/a", private("owner:secret") + [(READ, "world", "anyone")])
    client.create(path + "/a/c")
    assert other.take_events() == [(CHILDREN_CHANGED, path + "/a")]


@of_3_9
def test_a_parent_s_list_at_the_moment_of_the_operation_counts_within_a_multi(client, other, path):
    """The node is made anew, readable, in the multi that removed its child: the child went while it was not."""
    client.auth("digest", "owner:secret")
    client.create(path + "/a", acl=private("owner:secret"))
    client.create(path + "/a/b", acl=private("owner:secret"))
    add(other, path + "/a", MODE_PERSISTENT)
    err, results = client.multi((zkraw.DELETE, zkraw.ustring(path + "/a/b") + zkraw.int32(-1)),
                                (zkraw.DELETE, zkraw.ustring(path + "/a") + zkraw.int32(-1)),
                                (zkraw.CREATE, zkraw.create_body(path + "/a")))
    assert err == OK and all(result.err == OK for result in results)
    assert other.take_events() == [(CREATED, path + "/a")]
