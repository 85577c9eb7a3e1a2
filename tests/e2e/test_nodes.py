# SPDX-License-Identifier: Apache-2.0
"""create, create2, delete, exists, getData, setData, getChildren, sync: what they answer, and every Stat field."""
import time

import pytest

import zkraw
from zkraw import (BAD_ARGUMENTS, BAD_VERSION, EPHEMERAL, EPHEMERAL_SEQUENTIAL, NO_CHILDREN_FOR_EPHEMERALS, NO_NODE,
                   NODE_EXISTS, NOT_EMPTY, OK, PERSISTENT, SEQUENTIAL)


# ---- create

def test_create_answers_the_path(client, path):
    assert client.create(path + "/a", b"data") == (OK, path + "/a")
    assert client.get(path + "/a")[1] == b"data"


def test_create2_answers_path_and_stat(client, path):
    err, created, stat = client.create2(path + "/a", b"four")
    assert (err, created) == (OK, path + "/a")
    assert stat == client.stat(path + "/a")
    assert stat.data_length == 4


@pytest.mark.parametrize("flags, owned, numbered", [
    (PERSISTENT, False, False), (EPHEMERAL, True, False), (SEQUENTIAL, False, True),
    (EPHEMERAL_SEQUENTIAL, True, True),
])
@pytest.mark.parametrize("op", ["create", "create2"])
def test_create_modes(client, path, op, flags, owned, numbered):
    err, created = getattr(client, op)(path + "/n-", flags=flags)[:2]
    assert err == OK
    assert created == path + ("/n-0000000000" if numbered else "/n-")
    assert client.stat(created).ephemeral_owner == (client.session if owned else 0)


@pytest.mark.parametrize("flags", [-1, 7, 8, 100, 2**31 - 1, -2**31])
def test_unknown_flags(client, path, flags):
    assert client.create(path + "/a", flags=flags) == (BAD_ARGUMENTS, None)
    assert client.create2(path + "/a", flags=flags)[0] == BAD_ARGUMENTS
    assert client.exists(path + "/a")[0] == NO_NODE


def test_data_may_be_null(client, path):
    assert client.create(path + "/null", None)[0] == OK
    err, data, stat = client.get(path + "/null")
    assert (err, data, stat.data_length) == (OK, None, 0)
    assert client.set(path + "/null", b"")[0] == OK
    assert client.get(path + "/null")[1] == b""
    assert client.set(path + "/null", None)[0] == OK
    assert client.get(path + "/null")[1] is None


def test_empty_data_is_not_null(client, path):
    assert client.create(path + "/empty", b"")[0] == OK
    assert client.get(path + "/empty")[1] == b""


def test_large_data(client, path):
    data = bytes(range(256)) * 4000  # 1,024,000 bytes: as much as one frame takes
    assert client.create(path + "/large", data)[0] == OK
    err, got, stat = client.get(path + "/large")
    assert (err, got == data, stat.data_length) == (OK, True, len(data))


def test_names_are_utf8(client, path):
    name = path + "/grüße-漢字-\U0001f600"
    # Java's check of paths sees UTF-16: a character beyond the basic plane is two surrogates, which it refuses.
    assert client.create(name) == (BAD_ARGUMENTS, None)
    name = path + "/grüße-漢字"
    assert client.create(name) == (OK, name)
    assert client.children(path) == (OK, ["grüße-漢字"])


def test_ephemerals_have_no_children(client, path):
    assert client.create(path + "/e", flags=EPHEMERAL)[0] == OK
    for flags in (PERSISTENT, EPHEMERAL, SEQUENTIAL, EPHEMERAL_SEQUENTIAL):
        assert client.create(path + "/e/child", flags=flags) == (NO_CHILDREN_FOR_EPHEMERALS, None)


def test_create_existing_and_create_without_parent(client, path):
    assert client.create(path) == (NODE_EXISTS, None)
    assert client.create(path + "/no/child") == (NO_NODE, None)
    assert client.create("/") == (NODE_EXISTS, None)


# ---- sequence numbers

def test_the_suffix_counts_every_create_under_the_parent(client, path):
    """Not only the sequential ones, and deletes do not count."""
    assert client.create(path + "/s-", flags=SEQUENTIAL)[1] == path + "/s-0000000000"
    assert client.create(path + "/plain")[0] == OK
    assert client.delete(path + "/plain") == OK
    assert client.create(path + "/other-", flags=EPHEMERAL_SEQUENTIAL)[1] == path + "/other-0000000002"
    assert client.delete(path + "/s-0000000000") == OK
    assert client.create(path + "/s-", flags=SEQUENTIAL)[1] == path + "/s-0000000003"


def test_the_suffix_is_ten_digits_after_any_name(client, path):
    assert client.create(path + "/x0000000007", flags=SEQUENTIAL)[1] == path + "/x00000000070000000000"


def test_a_sequential_name_may_be_empty(client, path):
    assert client.create(path + "/", flags=SEQUENTIAL) == (OK, path + "/0000000000")


def test_a_failed_create_takes_no_number(client, path):
    assert client.create(path + "/s-", flags=SEQUENTIAL)[1].endswith("0000000000")
    assert client.create(path + "/s-", acl=[], flags=SEQUENTIAL)[0] == zkraw.INVALID_ACL
    assert client.create(path + "/s-", flags=SEQUENTIAL)[1].endswith("0000000001")


def test_a_sequential_name_that_is_taken(client, path):
    assert client.create(path + "/s-0000000001")[0] == OK
    assert client.create(path + "/s-", flags=SEQUENTIAL) == (NODE_EXISTS, None)


def test_numbers_of_concurrent_clients_are_distinct(connect, path):
    clients = [connect() for _ in range(8)]
    for one in clients:
        for _ in range(50):
            one.post(zkraw.CREATE, zkraw.create_body(path + "/q-", flags=SEQUENTIAL))
    names = [zkraw.Reader(one.reply().body).ustring() for one in clients for _ in range(50)]
    assert sorted(names) == [f"{path}/q-{number:010}" for number in range(400)]


# ---- delete, exists, getData, setData

def test_delete(client, path):
    assert client.create(path + "/a")[0] == OK
    assert client.delete(path + "/a") == OK
    assert client.delete(path + "/a") == NO_NODE
    assert client.exists(path + "/a") == (NO_NODE, None)


def test_delete_checks_version_and_children(client, path):
    assert client.create(path + "/a")[0] == OK
    assert client.create(path + "/a/b")[0] == OK
    assert client.delete(path + "/a", 3) == BAD_VERSION
    assert client.delete(path + "/a", 0) == NOT_EMPTY
    assert client.delete(path + "/a") == NOT_EMPTY
    assert client.delete(path + "/a/b", 0) == OK
    assert client.delete(path + "/a", -1) == OK


def test_set_checks_the_version(client, path):
    assert client.set(path, b"1", 0)[1].version == 1
    assert client.set(path, b"2", 0) == (BAD_VERSION, None)
    assert client.set(path, b"2", 2) == (BAD_VERSION, None)
    assert client.set(path, b"2", 1)[1].version == 2
    assert client.set(path, b"3", -1)[1].version == 3
    assert client.get(path)[1] == b"3"


@pytest.mark.parametrize("version", [-2, -5, -2**31])
def test_only_minus_one_means_any_version(client, path, version):
    assert client.set(path, b"x", version)[0] == BAD_VERSION
    assert client.delete(path, version) == BAD_VERSION
    assert client.set_acl(path, zkraw.OPEN_ACL, version)[0] == BAD_VERSION


def test_reads_of_a_missing_node(client, path):
    missing = path + "/missing"
    assert client.get(missing)[0] == NO_NODE
    assert client.children(missing)[0] == NO_NODE
    assert client.children2(missing)[0] == NO_NODE
    assert client.get_acl(missing)[0] == NO_NODE
    assert client.exists(missing)[0] == NO_NODE
    assert client.set(missing, b"")[0] == NO_NODE


def test_children(client, path):
    assert client.children(path) == (OK, [])
    for name in ("b", "a", "c"):
        assert client.create(f"{path}/{name}")[0] == OK
    assert client.create(f"{path}/a/deep")[0] == OK
    assert client.children(path) == (OK, ["a", "b", "c"])
    err, names, stat = client.children2(path)
    assert (err, names) == (OK, ["a", "b", "c"])
    assert stat == client.stat(path)


def test_children_of_the_root(client, path):
    err, names = client.children("/")
    assert err == OK
    assert "zookeeper" in names and path[1:] in names
    assert client.children("/zookeeper") == (OK, ["config", "quota"])


def test_many_children(client, path):
    for number in range(3000):
        client.post(zkraw.CREATE, zkraw.create_body(f"{path}/{'x' * 400}{number:06}"))
    assert {client.reply().err for _ in range(3000)} == {OK}
    err, names = client.children(path)  # 1.2 MB: replies are not bounded by the size of a request
    assert err == OK and len(names) == 3000


# ---- sync

@pytest.mark.parametrize("name", ["/", "/not/there", "bad", "", "/x/"])
def test_sync_answers_the_path_unchecked(client, name):
    assert client.sync(name) == (OK, name)


def test_sync_takes_no_zxid(client, path):
    before = client.call(zkraw.EXISTS, zkraw.path_watch(path)).zxid
    for _ in range(3):
        assert client.call(zkraw.SYNC, zkraw.ustring(path)).zxid == before


# ---- Stat

def test_stat_of_a_new_node(client, path):
    before = time.time() * 1000
    zxid = client.call(zkraw.CREATE, zkraw.create_body(path + "/a", b"12345")).zxid
    after = time.time() * 1000
    stat = client.stat(path + "/a")
    assert (stat.czxid, stat.mzxid, stat.pzxid) == (zxid, zxid, zxid)
    assert (stat.version, stat.cversion, stat.aversion) == (0, 0, 0)
    assert stat.ctime == stat.mtime and before - 2 <= stat.ctime <= after + 2
    assert (stat.ephemeral_owner, stat.data_length, stat.num_children) == (0, 5, 0)


def test_set_changes_mzxid_mtime_and_version_only(client, path):
    before = client.stat(path)
    reply = client.call(zkraw.SET_DATA, zkraw.ustring(path) + zkraw.buffer(b"123") + zkraw.int32(-1))
    after = client.stat(path)
    assert zkraw.Reader(reply.body).stat() == after
    assert after == before._replace(mzxid=reply.zxid, mtime=after.mtime, version=1, data_length=3)
    assert after.mtime >= before.mtime


def test_create_of_a_child_changes_cversion_pzxid_and_the_count_only(client, path):
    before = client.stat(path)
    zxid = client.call(zkraw.CREATE, zkraw.create_body(path + "/a")).zxid
    assert client.stat(path) == before._replace(cversion=1, pzxid=zxid, num_children=1)


def test_delete_of_a_child_counts_in_cversion_and_pzxid(client, path):
    before = client.stat(path)
    client.create(path + "/a")
    client.create(path + "/b")
    zxid = client.call(zkraw.DELETE, zkraw.ustring(path + "/a") + zkraw.int32(-1)).zxid
    assert client.stat(path) == before._replace(cversion=3, pzxid=zxid, num_children=1)


def test_set_of_a_child_does_not_touch_the_parent(client, path):
    client.create(path + "/a")
    before = client.stat(path)
    client.set(path + "/a", b"x")
    assert client.stat(path) == before


def test_grandchildren_do_not_touch_the_node(client, path):
    client.create(path + "/a")
    before = client.stat(path)
    client.create(path + "/a/b")
    client.delete(path + "/a/b")
    assert client.stat(path) == before


def test_set_acl_changes_aversion_only(client, path):
    before = client.stat(path)
    err, stat = client.set_acl(path, zkraw.OPEN_ACL)
    assert err == OK
    assert stat == client.stat(path) == before._replace(aversion=1)


def test_failed_operations_change_nothing(client, path):
    client.create(path + "/a")
    before = client.stat(path)
    assert client.create(path + "/a")[0] == NODE_EXISTS
    assert client.delete(path) == NOT_EMPTY
    assert client.set(path, b"x", 9)[0] == BAD_VERSION
    assert client.set_acl(path, zkraw.OPEN_ACL, 9)[0] == BAD_VERSION
    assert client.stat(path) == before


def test_ephemeral_owner_and_removal_with_the_session(connect, client, path):
    owner = connect()
    for number in range(3):
        assert owner.create(f"{path}/e{number}", flags=EPHEMERAL)[0] == OK
    assert client.stat(path + "/e0").ephemeral_owner == owner.session
    before = client.stat(path)
    zxid = owner.close_session().zxid
    assert client.children(path) == (OK, [])
    assert client.stat(path) == before._replace(cversion=6, pzxid=zxid, num_children=0)


def test_a_node_created_again_is_new(client, path):
    client.create(path + "/a")
    client.set(path + "/a", b"x")
    client.create(path + "/a/b")
    client.delete(path + "/a/b")
    old = client.stat(path + "/a")
    client.delete(path + "/a")
    client.create(path + "/a")
    stat = client.stat(path + "/a")
    assert stat.czxid > old.mzxid
    assert (stat.version, stat.cversion, stat.pzxid) == (0, 0, stat.czxid)


def test_the_root_of_a_fresh_tree(start_server):
    client = start_server().connect()
    stat = client.stat("/")
    assert (stat.czxid, stat.mzxid, stat.ctime, stat.mtime) == (0, 0, 0, 0)
    assert (stat.version, stat.cversion, stat.aversion, stat.ephemeral_owner) == (0, -1, 0, 0)
    assert (stat.data_length, stat.num_children, stat.pzxid) == (0, 1, 0)
    assert client.children("/") == (OK, ["zookeeper"])
    zxid = client.call(zkraw.CREATE, zkraw.create_body("/a")).zxid
    assert client.stat("/") == stat._replace(cversion=0, num_children=2, pzxid=zxid)
    assert client.get("/")[1] == b""
    assert client.set("/", b"root")[1].version == 1
    assert client.get("/")[1] == b"root"


def test_the_special_nodes_of_a_fresh_tree(start_server):
    client = start_server().connect()
    for name, children, cversion in (("/zookeeper", 2, -2), ("/zookeeper/quota", 0, 0), ("/zookeeper/config", 0, 0)):
        stat = client.stat(name)
        assert (stat.czxid, stat.mzxid, stat.pzxid, stat.ctime, stat.mtime) == (0, 0, 0, 0, 0), name
        assert (stat.version, stat.aversion, stat.ephemeral_owner) == (0, 0 if name != "/zookeeper/config" else -1, 0)
        assert (stat.num_children, stat.cversion) == (children, cversion), name
        print(name, stat, client.get(name)[1])
    assert client.create("/zookeeper/x")[0] == OK
    assert client.create("/zookeeper/config/x")[0] == zkraw.NO_AUTH
    assert client.set("/zookeeper/config", b"x")[0] == zkraw.NO_AUTH
    assert client.set("/zookeeper/quota", b"x")[0] == OK
    assert client.delete("/zookeeper/x") == OK
