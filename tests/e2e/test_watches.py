# SPDX-License-Identifier: Apache-2.0
"""The three kinds of one-shot watches: what fires them, in which order, and what a reconnect catches up."""
import pytest

import zkraw
from zkraw import CHILDREN_CHANGED, CREATED, DATA_CHANGED, DELETED, EPHEMERAL, NO_NODE, OK, READ

CONNECTED = 3


# ---- what fires

def test_exists_on_a_missing_node_fires_on_create(client, other, path):
    assert other.exists(path + "/a", watch=True) == (NO_NODE, None)
    client.create(path + "/a")
    event = other.event()
    assert (event.type, event.state, event.path) == (CREATED, CONNECTED, path + "/a")
    client.set(path + "/a", b"x")
    assert other.take_events() == []


@pytest.mark.parametrize("watch", ["exists", "get"])
def test_data_watch_fires_on_set_once(client, other, path, watch):
    getattr(other, watch)(path, watch=True)
    client.set(path, b"1")
    client.set(path, b"2")
    assert other.take_events() == [(DATA_CHANGED, path)]


@pytest.mark.parametrize("watch", ["exists", "get", "children", "children2"])
def test_every_watch_fires_on_delete(client, other, path, watch):
    client.create(path + "/a")
    getattr(other, watch)(path + "/a", watch=True)
    client.delete(path + "/a")
    assert other.take_events() == [(DELETED, path + "/a")]


@pytest.mark.parametrize("watch", ["children", "children2"])
def test_child_watch_fires_on_create_and_on_delete(client, other, path, watch):
    getattr(other, watch)(path, watch=True)
    client.create(path + "/a")
    client.create(path + "/b")
    assert other.take_events() == [(CHILDREN_CHANGED, path)]
    getattr(other, watch)(path, watch=True)
    client.delete(path + "/a")
    client.delete(path + "/b")
    assert other.take_events() == [(CHILDREN_CHANGED, path)]


def test_what_does_not_fire(client, other, path):
    client.create(path + "/a")
    other.get(path, watch=True)
    other.children(path, watch=True)
    client.set_acl(path, zkraw.OPEN_ACL)         # setACL fires nothing
    client.set(path + "/a", b"x")                # a child's data
    client.create(path + "/a/deep")              # a grandchild
    client.delete(path + "/a/deep")
    client.set(path, b"x", 99)                   # failures
    client.create(path + "/a")
    client.delete(path)
    client.sync(path)
    assert other.take_events() == []
    client.set(path, b"x")
    client.create(path + "/b")
    assert other.take_events() == [(DATA_CHANGED, path), (CHILDREN_CHANGED, path)]


def test_data_watch_does_not_fire_for_children_nor_child_watch_for_data(client, other, path):
    other.get(path, watch=True)
    client.create(path + "/a")
    assert other.take_events() == []
    other.children(path, watch=True)
    client.set(path, b"x")
    assert other.take_events() == [(DATA_CHANGED, path)]


def test_reads_of_a_missing_node_leave_no_watch(client, other, path):
    assert other.get(path + "/a", watch=True)[0] == NO_NODE
    assert other.children(path + "/a", watch=True)[0] == NO_NODE
    assert other.children2(path + "/a", watch=True)[0] == NO_NODE
    client.create(path + "/a")
    client.set(path + "/a", b"x")
    client.delete(path + "/a")
    assert other.take_events() == []


def test_reads_without_permission_leave_no_watch(client, other, path):
    client.create(path + "/a", acl=[(zkraw.ALL & ~READ, "world", "anyone")])
    assert other.get(path + "/a", watch=True)[0] == zkraw.NO_AUTH
    assert other.children(path + "/a", watch=True)[0] == zkraw.NO_AUTH
    client.set(path + "/a", b"x")
    client.create(path + "/a/b")
    assert other.take_events() == []


def test_watches_without_the_flag(client, other, path):
    other.get(path)
    other.exists(path)
    other.children(path)
    client.set(path, b"x")
    client.create(path + "/a")
    assert other.take_events() == []


def test_one_event_though_registered_many_times(client, other, path):
    for _ in range(3):
        other.get(path, watch=True)
        other.exists(path, watch=True)
    client.set(path, b"x")
    assert other.take_events() == [(DATA_CHANGED, path)]


def test_one_deletion_though_watched_in_both_tables(client, other, path):
    client.create(path + "/a")
    other.exists(path + "/a", watch=True)
    other.get(path + "/a", watch=True)
    other.children(path + "/a", watch=True)
    client.delete(path + "/a")
    assert other.take_events() == [(DELETED, path + "/a")]
    client.create(path + "/a")
    client.create(path + "/a/b")
    client.delete(path + "/a/b")
    client.delete(path + "/a")
    assert other.take_events() == []  # and the child watch is used up too


def test_deletion_comes_before_the_parents_event(client, other, path):
    client.create(path + "/a")
    other.children(path, watch=True)
    other.get(path + "/a", watch=True)
    client.delete(path + "/a")
    assert other.take_events() == [(DELETED, path + "/a"), (CHILDREN_CHANGED, path)]


def test_creation_comes_before_the_parents_event(client, other, path):
    other.children(path, watch=True)
    other.exists(path + "/a", watch=True)
    client.create(path + "/a")
    assert other.take_events() == [(CREATED, path + "/a"), (CHILDREN_CHANGED, path)]


def test_the_end_of_a_session_fires(connect, other, path):
    owner = connect()
    owner.create(path + "/e", flags=EPHEMERAL)
    other.exists(path + "/e", watch=True)
    other.children(path, watch=True)
    owner.close_session()
    assert other.take_events() == [(DELETED, path + "/e"), (CHILDREN_CHANGED, path)]


def test_a_session_with_many_ephemerals_fires_one_child_event(connect, other, path):
    owner = connect()
    for number in range(20):
        owner.create(f"{path}/e{number}", flags=EPHEMERAL)
    other.children(path, watch=True)
    owner.close_session()
    assert other.take_events() == [(CHILDREN_CHANGED, path)]


def test_a_watch_on_the_root(start_server):
    server = start_server()
    client, other = server.connect(), server.connect()
    other.children("/", watch=True)
    other.get("/", watch=True)
    client.create("/a")
    client.set("/", b"x")
    assert other.take_events() == [(CHILDREN_CHANGED, "/"), (DATA_CHANGED, "/")]


def test_every_watcher_is_told(connect, client, path):
    watchers = [connect() for _ in range(30)]
    for watcher in watchers:
        watcher.get(path, watch=True)
    client.set(path, b"x")
    for watcher in watchers:
        assert watcher.take_events() == [(DATA_CHANGED, path)]


def test_many_watches_of_one_connection(client, other, path):
    for number in range(500):
        client.create(f"{path}/n{number:03}")
        other.get(f"{path}/n{number:03}", watch=True)
    for number in range(500):
        client.set(f"{path}/n{number:03}", b"x")
    assert other.take_events() == [(DATA_CHANGED, f"{path}/n{number:03}") for number in range(500)]


# ---- order on one connection

def test_the_own_event_comes_before_the_reply(client, path):
    client.get(path, watch=True)
    client.post(zkraw.SET_DATA, zkraw.ustring(path) + zkraw.buffer(b"x") + zkraw.int32(-1))
    first, second = client.read(), client.read()
    assert isinstance(first, zkraw.Event) and (first.type, first.path) == (DATA_CHANGED, path)
    assert isinstance(second, zkraw.Reply) and second.err == OK


def test_the_event_comes_before_a_reply_that_shows_the_change(client, other, path):
    """Another client changes the node all the time; whoever sees a new value has had the event of the old one."""
    for round_number in range(1, 101):
        err, data, stat = other.get(path, watch=True)
        client.post(zkraw.SET_DATA, zkraw.ustring(path) + zkraw.buffer(b"x") + zkraw.int32(-1))
        while True:
            seen = other.get(path)[2].version
            if seen > stat.version:
                assert [(event.type, event.path) for event in other.events] == [(DATA_CHANGED, path)]
                other.events.clear()
                break
            assert not other.events or other.get(path)[2].version > stat.version
        client.reply()


def test_events_stand_between_the_replies_of_a_pipeline(client, path):
    for _ in range(3):
        client.post(zkraw.GET_DATA, zkraw.path_watch(path, True))
        client.post(zkraw.SET_DATA, zkraw.ustring(path) + zkraw.buffer(b"x") + zkraw.int32(-1))
    kinds = [type(client.read()).__name__ for _ in range(9)]
    assert kinds == ["Reply", "Event", "Reply"] * 3


@pytest.mark.only_ours("events carry zxid -1 before 3.9")
def test_an_event_carries_the_zxid_of_its_change(client, other, path):
    other.get(path, watch=True)
    zxid = client.call(zkraw.SET_DATA, zkraw.ustring(path) + zkraw.buffer(b"x") + zkraw.int32(-1)).zxid
    assert other.event().zxid == zxid


def test_a_disconnect_ends_the_watches(connect, client, path):
    first = connect()
    first.get(path, watch=True)
    first.children(path, watch=True)
    first.abort()
    second = connect(session=first.session, password=first.password)
    client.set(path, b"x")
    client.create(path + "/a")
    assert second.take_events() == []


def test_a_takeover_ends_the_watches_too(connect, client, path):
    first = connect()
    first.get(path, watch=True)
    second = connect(session=first.session, password=first.password)
    client.set(path, b"x")
    assert second.take_events() == []
    assert first.is_closed()


@pytest.mark.only_ours("events are filtered by READ from 3.8.4 and 3.9.2 on")
def test_events_of_an_unreadable_node_are_not_delivered(client, other, path):
    other.get(path, watch=True)
    client.set_acl(path, [(zkraw.ALL & ~READ, "world", "anyone")])
    client.set(path, b"x")
    assert other.take_events() == []


# ---- setWatches

@pytest.fixture
def past(client, path):
    """A zxid after which the tree changed: a kept, b set, c deleted, d created, e deleted and created again."""
    for name in "abce":
        client.create(f"{path}/{name}")
    client.create(path + "/a/child")
    zxid = client.call(zkraw.EXISTS, zkraw.path_watch(path)).zxid
    client.set(path + "/b", b"new")
    client.delete(path + "/c")
    client.create(path + "/d")
    client.delete(path + "/e")
    client.create(path + "/e")
    return zxid


def test_set_watches_catches_up_data(other, path, past):
    names = [f"{path}/{name}" for name in "abcde"]
    assert other.set_watches(past, data=names) == OK
    assert [(event.type, event.path) for event in other.events] == [
        (DATA_CHANGED, path + "/b"), (DELETED, path + "/c"), (DATA_CHANGED, path + "/d"), (DATA_CHANGED, path + "/e")]
    assert {event.zxid for event in other.events} == {-1}


def test_set_watches_catches_up_exist(other, path, past):
    assert other.set_watches(past, exist=[path + "/c", path + "/d", path + "/none"]) == OK
    assert [(event.type, event.path) for event in other.events] == [(CREATED, path + "/d")]


def test_set_watches_catches_up_children(client, other, path, past):
    client.create(path + "/b/child")
    assert other.set_watches(past, child=[path + "/a", path + "/b", path + "/c", path]) == OK
    assert [(event.type, event.path) for event in other.events] == [
        (CHILDREN_CHANGED, path + "/b"), (DELETED, path + "/c"), (CHILDREN_CHANGED, path)]


def test_set_watches_registers_what_has_not_fired(client, other, path, past):
    now = client.call(zkraw.EXISTS, zkraw.path_watch(path)).zxid
    assert other.set_watches(now, data=[path + "/a"], exist=[path + "/none"], child=[path + "/b"]) == OK
    assert other.take_events() == []
    client.set(path + "/a", b"x")
    client.create(path + "/none")
    client.create(path + "/b/child")
    assert other.take_events() == [(DATA_CHANGED, path + "/a"), (CREATED, path + "/none"),
                                   (CHILDREN_CHANGED, path + "/b")]


def test_set_watches_does_not_register_what_has_fired(client, other, path, past):
    other.set_watches(past, data=[path + "/b"], exist=[path + "/d"], child=[path])
    assert len(other.events) == 3
    other.events.clear()
    client.set(path + "/b", b"x")
    client.set(path + "/d", b"x")
    client.create(path + "/z")
    assert other.take_events() == []


def test_set_watches_events_come_before_its_reply(other, path, past):
    other.post(zkraw.SET_WATCHES, zkraw.int64(past) + zkraw.vector([path + "/b"], zkraw.ustring)
               + zkraw.vector([], zkraw.ustring) * 2, zkraw.XID_SET_WATCHES)
    assert isinstance(other.read(), zkraw.Event)
    reply = other.read()
    assert (reply.xid, reply.err, reply.body) == (-8, OK, b"")


def test_set_watches_in_both_lists_tells_twice(other, path, past):
    other.set_watches(past, data=[path + "/c"], child=[path + "/c"])
    assert [(event.type, event.path) for event in other.events] == [(DELETED, path + "/c")] * 2


def test_set_watches_with_many_paths(client, other, path):
    client.multi(*[(zkraw.CREATE, zkraw.create_body(f"{path}/n{number:04}")) for number in range(1000)])
    zxid = client.call(zkraw.EXISTS, zkraw.path_watch(path)).zxid
    names = [f"{path}/n{number:04}" for number in range(1000)]
    assert other.set_watches(zxid, data=names) == OK
    for name in names[::100]:
        client.set(name, b"x")
    assert other.take_events() == [(DATA_CHANGED, name) for name in names[::100]]


def test_an_empty_set_watches(client):
    assert client.set_watches(0) == OK
