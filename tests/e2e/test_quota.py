# SPDX-License-Identifier: Apache-2.0
"""Quotas: statistics beside limits, and what hard limits refuse. Expectations are those of ZooKeeper 3.9.4."""
import pytest

import server as server_module
import zkraw
from zkraw import BAD_VERSION, MARSHALLING, NODE_EXISTS, OK, QUOTA_EXCEEDED

pytestmark = pytest.mark.only_ours("quotas are those of 3.9")

ENFORCED = {"enforceQuota": "true"}
ROOT = "/zookeeper/quota"


@pytest.fixture(scope="module", name="server")
def fixture_server(tmp_path_factory):
    """A tree with quotas of its own: other tests look at /zookeeper."""
    shared = server_module.Server(tmp_path_factory.mktemp("quota")).start()
    yield shared
    shared.finish()


@pytest.fixture(name="enforcing")
def fixture_enforcing(start_server):
    server = start_server(ENFORCED)
    client = server.connect()
    yield client
    client.close_session()


def set_quota(client, path, limits):
    """What zkCli's setquota does."""
    at = ROOT
    for part in path.strip("/").split("/"):
        at += "/" + part
        assert client.create(at)[0] in (OK, NODE_EXISTS)
    assert client.create(at + "/zookeeper_limits", limits.encode())[0] == OK
    assert client.create(at + "/zookeeper_stats", b"count=0,bytes=0")[0] == OK


def stats(client, path):
    return client.get(f"{ROOT}{path}/zookeeper_stats")[1].decode()


def test_statistics_start_with_what_is_there(client, path):
    client.create(path + "/a", b"12345")
    client.create(path + "/a/b", b"123")
    set_quota(client, path, "count=10,bytes=100")
    assert stats(client, path) == "count=3,bytes=8"


def test_statistics_follow_each_change(client, path):
    set_quota(client, path, "count=10,bytes=100")
    client.create(path + "/a", b"1234")
    assert stats(client, path) == "count=2,bytes=4"
    client.set(path + "/a", b"1")
    client.set(path, b"99")
    assert stats(client, path) == "count=2,bytes=3"
    client.set(path + "/a", None)
    assert stats(client, path) == "count=2,bytes=2"
    client.delete(path + "/a")
    assert stats(client, path) == "count=1,bytes=2"


def test_changes_of_the_statistics_are_no_changes_of_their_stat(client, path):
    set_quota(client, path, "count=10,bytes=100")
    name = f"{ROOT}{path}/zookeeper_stats"
    before = client.stat(name)
    client.get(name, watch=True)
    client.create(path + "/a", b"0123456789")
    after = client.stat(name)
    assert after._replace(data_length=0) == before._replace(data_length=0)
    assert after.data_length == len("count=2,bytes=10")
    assert client.take_events() == []


def test_the_deepest_quota_counts(client, path):
    set_quota(client, path, "count=10,bytes=100")
    client.create(path + "/a")
    set_quota(client, path + "/a", "count=10,bytes=100")
    client.create(path + "/a/b", b"22")
    client.create(path + "/c", b"333")
    assert stats(client, path) == "count=3,bytes=3"
    assert stats(client, path + "/a") == "count=2,bytes=2"


def test_without_limits_nothing_is_counted(client, path):
    set_quota(client, path, "count=10,bytes=100")
    assert client.delete(f"{ROOT}{path}/zookeeper_limits") == OK
    client.create(path + "/a")
    assert stats(client, path) == "count=1,bytes=0"


def test_statistics_count_ephemerals_that_go(server, client, path):
    set_quota(client, path, "count=10,bytes=100")
    other = server.connect()
    for name in ("/e", "/f"):
        assert other.create(path + name, b"12", flags=zkraw.EPHEMERAL)[0] == OK
    assert stats(client, path) == "count=3,bytes=4"
    other.close_session()
    assert stats(client, path) == "count=1,bytes=0"


def test_a_multi_is_counted(client, path):
    set_quota(client, path, "count=10,bytes=100")
    err, results = client.multi((zkraw.CREATE, zkraw.create_body(path + "/a", b"12")),
                                (zkraw.CREATE, zkraw.create_body(path + "/b", b"34")),
                                (zkraw.DELETE, zkraw.ustring(path + "/a") + zkraw.int32(-1)))
    assert err == OK and len(results) == 3
    assert stats(client, path) == "count=2,bytes=2"


def test_limits_that_are_not_enforced_refuse_nothing(client, path):
    set_quota(client, path, "count=-1,bytes=-1=;byteHardLimit=1;countHardLimit=1")
    assert client.create(path + "/a", b"12345")[0] == OK
    assert client.set(path, b"12345")[0] == OK
    assert stats(client, path) == "count=2,bytes=10"


# ---- enforceQuota=true

def test_hard_limits_refuse(enforcing):
    enforcing.create("/q", b"12345")
    set_quota(enforcing, "/q", "count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=3")
    assert enforcing.create("/q/a", b"1234")[0] == OK
    assert enforcing.create("/q/b", b"12") == (QUOTA_EXCEEDED, None)
    assert enforcing.create2("/q/b", b"12")[0] == QUOTA_EXCEEDED
    assert enforcing.create("/q/b", b"1")[0] == OK
    assert enforcing.create("/q/c", b"") == (QUOTA_EXCEEDED, None)
    assert enforcing.set("/q/b", b"12")[0] == QUOTA_EXCEEDED
    assert enforcing.set("/q/b", b"")[0] == OK
    assert enforcing.set("/q/b", b"1")[0] == OK
    assert enforcing.delete("/q/a") == OK
    assert enforcing.create("/q/c", b"1234")[0] == OK
    assert stats(enforcing, "/q") == "count=3,bytes=10"


@pytest.mark.only_ours("Debian's ZooKeeper 3.8 does not count them")
def test_refusals_are_counted_by_namespace(start_server):
    server = start_server({**ENFORCED, "4lw.commands.whitelist": "*"})
    enforcing = server.connect()
    enforcing.create("/q", b"12")
    set_quota(enforcing, "/q", "count=-1,bytes=-1=;byteHardLimit=2;countHardLimit=2")
    assert enforcing.create("/q/a", b"1")[0] == QUOTA_EXCEEDED
    assert enforcing.set("/q", b"123")[0] == QUOTA_EXCEEDED
    assert "zk_q_quota_exceeded_error_per_namespace\t2\n" in zkraw.four_letters(server.address, "mntr")


def test_the_order_of_errors(enforcing):
    enforcing.create("/q", b"1")
    set_quota(enforcing, "/q", "count=-1,bytes=-1=;byteHardLimit=1;countHardLimit=2")
    enforcing.create("/q/a")
    assert enforcing.create("/q/a", b"xx")[0] == NODE_EXISTS
    assert enforcing.set("/q", b"xx", version=9)[0] == QUOTA_EXCEEDED  # before the version
    assert enforcing.set("/q", b"", version=9)[0] == BAD_VERSION


def test_soft_limits_refuse_nothing(enforcing):
    enforcing.create("/q", b"")
    set_quota(enforcing, "/q", "count=1,bytes=1")
    assert enforcing.create("/q/a", b"12345")[0] == OK
    assert stats(enforcing, "/q") == "count=2,bytes=5"


def test_an_operation_of_a_multi_is_refused(enforcing):
    enforcing.create("/q", b"")
    set_quota(enforcing, "/q", "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=1")
    zxid = enforcing.stat("/q").pzxid
    err, results = enforcing.multi((zkraw.SET_DATA, zkraw.ustring("/q") + zkraw.buffer(b"x") + zkraw.int32(-1)),
                                   (zkraw.CREATE, zkraw.create_body("/q/a")),
                                   (zkraw.CREATE, zkraw.create_body("/other")))
    assert err == OK
    assert [result[1] for result in results] == [0, QUOTA_EXCEEDED, -2]
    assert enforcing.get("/q")[1] == b""
    assert enforcing.stat("/q").pzxid == zxid
    assert stats(enforcing, "/q") == "count=1,bytes=0"


def test_limits_that_do_not_parse(enforcing):
    enforcing.create("/q", b"")
    set_quota(enforcing, "/q", "nonsense")
    assert enforcing.create("/q/a")[0] == MARSHALLING
    assert enforcing.create("/free")[0] == OK
    assert enforcing.set(f"{ROOT}/q/zookeeper_limits", b"count=5,bytes=-1")[0] == OK
    assert enforcing.create("/q/a")[0] == OK


@pytest.mark.only_ours("ZooKeeper ends itself")
def test_statistics_that_do_not_parse(enforcing):
    enforcing.create("/q", b"")
    set_quota(enforcing, "/q", "count=5,bytes=-1")
    assert enforcing.set(f"{ROOT}/q/zookeeper_stats", b"\xffgarbage")[0] == OK
    assert enforcing.create("/q/a")[0] == MARSHALLING
    assert enforcing.set("/q", b"x")[0] == OK
    assert enforcing.delete(f"{ROOT}/q/zookeeper_stats") == OK
    assert enforcing.create(f"{ROOT}/q/zookeeper_stats")[0] == OK
    assert stats(enforcing, "/q") == "count=1,bytes=1"


@pytest.mark.only_ours("the log line is ours")
def test_an_excess_is_told_once_in_a_while(start_server):
    server = start_server(ENFORCED)
    client = server.connect()
    client.create("/q")
    set_quota(client, "/q", "count=1,bytes=-1=;byteHardLimit=3;countHardLimit=-1")
    for number in range(20):
        assert client.create(f"/q/{number}")[0] == OK
    assert client.set("/q", b"1234")[0] == QUOTA_EXCEEDED
    assert server.stderr().count("quota exceeded: /q: count 2 is over the soft limit 1") == 1
    assert server.stderr().count("quota exceeded") == 1


@pytest.mark.only_ours("starts again")
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_statistics_outlive_the_server(start_server, end):
    server = start_server(ENFORCED)
    client = server.connect()
    client.create("/q", b"123")
    set_quota(client, "/q", "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=3")
    client.create("/q/a", b"45")
    name = f"{ROOT}/q/zookeeper_stats"
    before = client.get(name)[1:]
    getattr(server, end)()
    server.start()
    client = server.connect()
    assert client.get(name)[1:] == before
    assert client.create("/q/b", b"")[0] == OK
    assert client.create("/q/c", b"")[0] == QUOTA_EXCEEDED
    assert stats(client, "/q") == "count=3,bytes=5"
    client.close_session()
