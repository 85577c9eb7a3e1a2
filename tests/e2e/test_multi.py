# SPDX-License-Identifier: Apache-2.0
"""multi: all or nothing, one zxid, each operation sees the ones before it."""
import pytest

import zkraw
from zkraw import (BAD_VERSION, CREATED, CHILDREN_CHANGED, DATA_CHANGED, EPHEMERAL, MARSHALLING, NO_NODE, NODE_EXISTS,
                   OK, RUNTIME_INCONSISTENCY, SEQUENTIAL)


def create(path, data=b"", flags=0, acl=None):
    return zkraw.CREATE, zkraw.create_body(path, data, acl, flags)


def create2(path, data=b"", flags=0):
    return zkraw.CREATE2, zkraw.create_body(path, data, None, flags)


def delete(path, version=-1):
    return zkraw.DELETE, zkraw.ustring(path) + zkraw.int32(version)


def set_data(path, data=b"", version=-1):
    return zkraw.SET_DATA, zkraw.ustring(path) + zkraw.buffer(data) + zkraw.int32(version)


def check(path, version=-1):
    return zkraw.CHECK, zkraw.ustring(path) + zkraw.int32(version)


def errors(results):
    return [result.err for result in results]


@pytest.mark.only_ours("3.8.0 answers a create2 inside of a multi as a create")
def test_every_operation_with_its_result(client, path):
    reply = client.call(zkraw.MULTI, zkraw.multi_body([
        create(path + "/a", b"1"), create2(path + "/b", b"22"), set_data(path + "/a", b"333", 0), check(path + "/a", 1),
        delete(path + "/b", 0)]))
    results = zkraw.read_results(reply.body)
    assert reply.err == OK and errors(results) == [OK] * 5
    assert [result.type for result in results] == [zkraw.CREATE, zkraw.CREATE2, zkraw.SET_DATA, zkraw.CHECK,
                                                   zkraw.DELETE]
    assert results[0].value == path + "/a" and results[1].value[0] == path + "/b"
    assert results[1].value[1].data_length == 2
    after = client.stat(path + "/a")
    assert results[2].value == after
    assert after.czxid == after.mzxid == reply.zxid
    assert after.ctime == after.mtime
    parent = client.stat(path)
    assert (parent.pzxid, parent.cversion, parent.num_children) == (reply.zxid, 3, 1)


def test_an_empty_multi(client):
    assert client.multi() == (OK, [])


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_failure_undoes_all_and_names_the_one(client, path, at):
    before = client.stat(path)
    operations = [create(path + "/a"), set_data(path, b"new"), create(path + "/b")]
    operations.insert(at, check(path, 77))
    err, results = client.multi(*operations)
    assert err == OK  # the error is in the results, not in the header
    assert {result.type for result in results} == {zkraw.ERROR}
    assert errors(results) == [OK] * at + [BAD_VERSION] + [RUNTIME_INCONSISTENCY] * (3 - at)
    assert client.stat(path) == before
    assert client.children(path) == (OK, [])


def test_the_first_of_two_failures_counts(client, path):
    assert errors(client.multi(delete(path + "/none"), check(path, 7), create(path + "/a"))[1]) == [
        NO_NODE, RUNTIME_INCONSISTENCY, RUNTIME_INCONSISTENCY]


def test_a_failed_multi_leaves_nothing_of_its_sets_behind(client, path):
    client.create(path + "/a", b"old")
    before = client.stat(path + "/a")
    assert errors(client.multi(set_data(path + "/a", b"1"), set_data(path + "/a", b"2"), check("/none"))[1])[2] == NO_NODE
    assert client.get(path + "/a") == (OK, b"old", before)
    assert client.set(path + "/a", b"x", 0)[0] == OK  # the version is the old one for later writes as well
    assert client.create(path + "/a/s-", flags=SEQUENTIAL)[1].endswith("/s-0000000000")


def test_later_operations_see_earlier_ones(client, path):
    err, results = client.multi(
        create(path + "/p"), create(path + "/p/q"), set_data(path + "/p/q", b"x", 0), check(path + "/p/q", 1),
        delete(path + "/p/q", 1), delete(path + "/p", 0))
    assert errors(results) == [OK] * 6
    assert client.children(path) == (OK, [])
    assert client.stat(path).cversion == 2


def test_later_operations_see_deletes(client, path):
    client.create(path + "/a")
    assert errors(client.multi(delete(path + "/a"), create(path + "/a"), create(path + "/a"))[1]) == [
        OK, OK, NODE_EXISTS]
    assert errors(client.multi(delete(path + "/a"), set_data(path + "/a"))[1]) == [OK, NO_NODE]
    assert errors(client.multi(delete(path + "/a"), create(path + "/a/b"))[1]) == [OK, NO_NODE]
    assert client.exists(path + "/a")[0] == OK


def test_sequence_numbers_inside(client, path):
    err, results = client.multi(*[create(path + "/s-", flags=SEQUENTIAL) for _ in range(3)])
    assert [result.value for result in results] == [f"{path}/s-{number:010}" for number in range(3)]
    assert errors(client.multi(create(path + "/s-", flags=SEQUENTIAL), check("/none"))[1]) == [OK, NO_NODE]
    assert client.create(path + "/s-", flags=SEQUENTIAL)[1].endswith("0000000003")


def test_ephemerals_inside(client, path):
    err, results = client.multi(create(path + "/e", flags=EPHEMERAL), create(path + "/e/x"))
    assert errors(results) == [OK, zkraw.NO_CHILDREN_FOR_EPHEMERALS]
    assert errors(client.multi(create2(path + "/e", flags=EPHEMERAL))[1]) == [OK]
    assert client.stat(path + "/e").ephemeral_owner == client.session


def test_sets_count_versions(client, path):
    err, results = client.multi(*[set_data(path, b"%d" % number, number) for number in range(4)])
    assert [result.value.version for result in results] == [1, 2, 3, 4]
    assert client.get(path)[1] == b"3"


@pytest.mark.parametrize("op, body", [
    (zkraw.GET_DATA, zkraw.path_watch("/")), (zkraw.EXISTS, zkraw.path_watch("/")),
    (zkraw.SET_ACL, zkraw.ustring("/") + zkraw.acl_list(zkraw.OPEN_ACL) + zkraw.int32(-1)),
    (zkraw.SYNC, zkraw.ustring("/")), (zkraw.MULTI, zkraw.multi_body([])), (99, b""), (0, b""),
    (zkraw.GET_CHILDREN, zkraw.path_watch("/")),
])
def test_operations_that_a_multi_does_not_take(client, path, op, body):
    for operations in ([(op, body)], [create(path + "/a"), (op, body)]):
        reply = client.call(zkraw.MULTI, zkraw.multi_body(operations))
        assert (reply.err, reply.body) == (MARSHALLING, b"")
    assert client.exists(path + "/a")[0] == NO_NODE


def test_a_multi_without_its_end(client, path):
    whole = zkraw.multi_body([create(path + "/a")])
    assert client.call(zkraw.MULTI, whole[:-9]).err == MARSHALLING
    assert client.exists(path + "/a")[0] == NO_NODE


def test_bad_arguments_inside(client, path):
    assert errors(client.multi(create("bad"))[1]) == [zkraw.BAD_ARGUMENTS]
    assert errors(client.multi(create(path + "/a", acl=[]))[1]) == [zkraw.INVALID_ACL]
    assert errors(client.multi(delete("/zookeeper"))[1]) == [zkraw.BAD_ARGUMENTS]


@pytest.mark.only_ours("3.8.0 finds them later: -8 for the operation")
def test_options_that_are_none_make_it_unparsable(client, path):
    """Flags take a zxid, a null ACL does not (CreateOptions)."""
    start = client.call(zkraw.EXISTS, zkraw.path_watch("/")).zxid
    null_acl = zkraw.CREATE, zkraw.ustring(path + "/a") + zkraw.buffer(b"") + zkraw.int32(-1) + zkraw.int32(0)
    for operation, zxid in ((create(path + "/a", flags=55), start + 1), (create(path + "/a", flags=5), start + 2),
                            (null_acl, start + 2)):
        reply = client.call(zkraw.MULTI, zkraw.multi_body([operation]))
        assert (reply.err, reply.zxid) == (zkraw.MARSHALLING, zxid)


def test_permissions_inside(client, path):
    client.create(path + "/locked", acl=[(zkraw.READ, "world", "anyone")])
    assert errors(client.multi(create(path + "/locked/a"))[1]) == [zkraw.NO_AUTH]
    assert errors(client.multi(set_data(path + "/locked"))[1]) == [zkraw.NO_AUTH]
    assert errors(client.multi(check(path + "/locked", 0))[1]) == [OK]


def test_permissions_set_up_inside_count_for_what_follows(client, path):
    """A node made by the multi is checked with the ACL it was made with."""
    err, results = client.multi(create(path + "/p", acl=[(zkraw.READ, "world", "anyone")]), create(path + "/p/q"))
    assert errors(results) == [OK, zkraw.NO_AUTH]


def test_a_large_multi(client, path):
    err, results = client.multi(*[create(f"{path}/n{number:05}", b"x" * 50) for number in range(2000)])
    assert err == OK and errors(results) == [OK] * 2000
    assert len(client.children(path)[1]) == 2000
    stat = client.stat(path)
    assert stat.cversion == 2000 and stat.num_children == 2000


# ---- watches

def test_events_come_in_the_order_of_the_operations(client, other, path):
    client.create(path + "/a")
    other.get(path + "/a", watch=True)
    other.exists(path + "/b", watch=True)
    other.children(path, watch=True)
    client.multi(create(path + "/b"), set_data(path + "/a", b"x"), create(path + "/c"))
    assert other.take_events() == [(CREATED, path + "/b"), (CHILDREN_CHANGED, path), (DATA_CHANGED, path + "/a")]


def test_a_one_shot_watch_fires_once(client, other, path):
    other.get(path, watch=True)
    client.multi(set_data(path, b"1"), set_data(path, b"2"))
    assert other.take_events() == [(DATA_CHANGED, path)]


def test_create_and_delete_in_one_multi_fire_the_first(client, other, path):
    other.exists(path + "/a", watch=True)
    other.children(path, watch=True)
    client.multi(create(path + "/a"), delete(path + "/a"))
    assert other.take_events() == [(CREATED, path + "/a"), (CHILDREN_CHANGED, path)]


def test_a_failed_multi_fires_nothing(client, other, path):
    other.get(path, watch=True)
    other.children(path, watch=True)
    other.exists(path + "/a", watch=True)
    client.multi(create(path + "/a"), set_data(path, b"x"), check("/none"))
    client.sync("/")
    assert other.take_events() == []
    client.set(path, b"y")
    assert other.take_events() == [(DATA_CHANGED, path)]


@pytest.mark.only_ours("events carry zxid -1 before 3.9")
def test_all_events_of_a_multi_carry_its_zxid(client, other, path):
    other.exists(path + "/a", watch=True)
    other.children(path, watch=True)
    zxid = client.call(zkraw.MULTI, zkraw.multi_body([create(path + "/a"), create(path + "/b")])).zxid
    other.ping()
    assert [event.zxid for event in other.events] == [zxid, zxid]


def test_own_events_come_before_the_reply(client, path):
    client.get(path, watch=True)
    client.multi(set_data(path, b"x"))
    assert [(event.type, event.path) for event in client.events] == [(DATA_CHANGED, path)]
