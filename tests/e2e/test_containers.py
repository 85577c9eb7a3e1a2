# SPDX-License-Identifier: Apache-2.0
"""Containers and TTL nodes: how they are made, what clients see of them, and when they go. As ZooKeeper 3.9.4."""
import time

import pytest

import zkraw
from server import wait_until
from zkraw import (BAD_ARGUMENTS, CONTAINER, MARSHALLING, NO_NODE, NOT_EMPTY, OK, SEQUENTIAL_WITH_TTL, UNIMPLEMENTED,
                   WITH_TTL)

pytestmark = pytest.mark.only_ours("the oracle has no extended types by default")

TTL_MAX = 0xffffffffff
QUICK = {"extendedTypesEnabled": "true", "znode.container.checkIntervalMs": "100"}


def create_as(client, op, body):
    """(err, path, stat) of create, createContainer or createTTL."""
    reply = client.call(op, body)
    if reply.err:
        return reply.err, None, None
    reader = zkraw.Reader(reply.body)
    result = reply.err, reader.ustring(), reader.stat()
    reader.end()
    return result


def container(client, path, flags=CONTAINER):
    return create_as(client, zkraw.CREATE_CONTAINER, zkraw.create_body(path, b"", None, flags))


def with_ttl(client, path, ttl, flags=WITH_TTL):
    return create_as(client, zkraw.CREATE_TTL, zkraw.create_ttl_body(path, b"", None, flags, ttl))


@pytest.fixture(name="quick")
def fixture_quick(start_server):
    client = start_server(QUICK).connect()
    yield client
    client.close_session()


def is_gone(client, path):
    return client.exists(path)[0] == NO_NODE


# ---- making them

@pytest.mark.parametrize("flags", [CONTAINER, 0, 1])
def test_the_operation_makes_the_container(client, path, flags):
    err, created, stat = container(client, path + "/c", flags)
    assert (err, created) == (OK, path + "/c")
    assert (stat.ephemeral_owner, stat.version, stat.num_children) == (0, 0, 0)
    assert stat == client.stat(path + "/c")
    assert client.create(path + "/c/child")[0] == OK
    assert client.create(path + "/c/ephemeral", flags=zkraw.EPHEMERAL)[0] == OK


def test_a_container_outlives_its_session(server, client, path):
    other = server.connect()
    assert container(other, path + "/c", 1)[0] == OK
    other.close_session()
    assert client.exists(path + "/c")[0] == OK


def test_without_extended_types_there_are_no_ttls(client, path):
    for flags in (WITH_TTL, SEQUENTIAL_WITH_TTL):
        for ttl in (1000, 0, -1):
            assert with_ttl(client, path + "/t", ttl, flags)[0] == UNIMPLEMENTED
        assert client.create(path + "/t", flags=flags)[0] == UNIMPLEMENTED
    assert with_ttl(client, path + "/t", 1000, 0)[0] == BAD_ARGUMENTS
    assert client.children(path)[1] == []


@pytest.mark.parametrize("ttl, err", [(1, OK), (TTL_MAX, OK), (0, BAD_ARGUMENTS), (-1, BAD_ARGUMENTS),
                                      (TTL_MAX + 1, BAD_ARGUMENTS), (-2**63, BAD_ARGUMENTS)])
@pytest.mark.parametrize("flags", [WITH_TTL, SEQUENTIAL_WITH_TTL])
def test_ttls(start_server, ttl, err, flags):
    client = start_server({"extendedTypesEnabled": "true"}).connect()
    answered, created, stat = with_ttl(client, "/t", ttl, flags)
    assert answered == err
    if err == OK:
        assert created == ("/t" if flags == WITH_TTL else "/t0000000000")
        assert stat.ephemeral_owner == 0
    client.close_session()


def test_a_ttl_needs_its_flags(quick):
    for flags in (0, 1, 2, 3, CONTAINER):
        assert with_ttl(quick, "/t", 1000, flags)[0] == BAD_ARGUMENTS
    assert quick.create("/t", flags=WITH_TTL)[0] == BAD_ARGUMENTS
    assert quick.call(zkraw.CREATE_TTL, zkraw.create_body("/t", b"", None, WITH_TTL)).err == MARSHALLING


@pytest.mark.only_ours("ZooKeeper ends itself")
def test_flags_without_a_ttl_and_no_ttl(quick):
    assert with_ttl(quick, "/t", -1, 0)[0] == BAD_ARGUMENTS
    assert is_gone(quick, "/t")


def test_in_a_multi(quick):
    err, results = quick.multi((zkraw.CREATE_CONTAINER, zkraw.create_body("/c", b"", None, CONTAINER)),
                               (zkraw.CREATE, zkraw.create_body("/c/child")),
                               (zkraw.CREATE_TTL, zkraw.create_ttl_body("/t", b"", None, WITH_TTL, 60000)))
    assert err == OK
    assert [result.type for result in results] == [zkraw.CREATE2, zkraw.CREATE, zkraw.CREATE2]
    assert results[0].value[0] == "/c" and results[2].value[0] == "/t"
    assert quick.delete("/c/child") == OK
    wait_until(lambda: is_gone(quick, "/c"), what="the container goes")
    assert quick.exists("/t")[0] == OK


@pytest.mark.only_ours("ZooKeeper removes it, whatever the permissions")
def test_clients_may_not_sweep(client, path):
    assert container(client, path + "/c")[0] == OK
    assert client.call(zkraw.DELETE_CONTAINER, zkraw.ustring(path + "/c")).err == UNIMPLEMENTED


# ---- their end

def test_a_container_goes_when_it_is_empty_again(quick):
    assert container(quick, "/c")[0] == OK
    assert container(quick, "/unused")[0] == OK
    assert quick.create("/c/a")[0] == OK
    time.sleep(0.5)
    assert quick.exists("/c", watch=True)[0] == OK
    assert quick.delete("/c/a") == OK
    wait_until(lambda: is_gone(quick, "/c"), what="the container goes")
    events = [event[:2] for event in quick.take_events()]
    assert (zkraw.DELETED, "/c") in events
    time.sleep(0.5)
    assert quick.exists("/unused")[0] == OK


def test_an_unused_container_goes_if_that_is_asked_for(start_server):
    client = start_server(dict(QUICK, **{"znode.container.maxNeverUsedIntervalMs": "700"})).connect()
    assert container(client, "/c")[0] == OK
    time.sleep(0.3)
    assert client.exists("/c")[0] == OK
    wait_until(lambda: is_gone(client, "/c"), what="the container goes")
    client.close_session()


def test_a_ttl_node_goes_when_its_data_is_old(quick):
    assert with_ttl(quick, "/t", 800)[0] == OK
    assert with_ttl(quick, "/parent", 1)[0] == OK
    assert quick.create("/parent/child")[0] == OK
    started = time.monotonic()
    wait_until(lambda: is_gone(quick, "/t"), what="the node goes")
    assert time.monotonic() - started >= 0.7
    assert quick.exists("/parent")[0] == OK
    assert quick.delete("/parent") == NOT_EMPTY
    before = quick.stat("/").pzxid
    assert quick.delete("/parent/child") == OK
    wait_until(lambda: is_gone(quick, "/parent"), what="the parent goes")
    assert quick.stat("/").pzxid > before


def test_setting_the_data_starts_the_time_anew(quick):
    assert with_ttl(quick, "/t", 900)[0] == OK
    for _ in range(6):
        time.sleep(0.3)
        assert quick.set("/t", b"")[0] == OK
    wait_until(lambda: is_gone(quick, "/t"), what="the node goes")


def test_ends_per_minute_are_bounded(start_server):
    client = start_server(dict(QUICK, **{"znode.container.maxPerMinute": "60"})).connect()
    for number in range(10):
        assert with_ttl(client, f"/t{number}", 1)[0] == OK
    time.sleep(2.5)
    left = len(client.children("/")[1]) - 1
    assert 6 <= left <= 9, left
    client.close_session()


@pytest.mark.only_ours("starts again")
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_they_outlive_the_server(start_server, end):
    server = start_server({"extendedTypesEnabled": "true"})
    client = server.connect()
    assert container(client, "/c")[0] == OK
    assert client.create("/c/a")[0] == OK
    assert client.delete("/c/a") == OK
    assert with_ttl(client, "/t", 500)[0] == OK
    assert with_ttl(client, "/long", 3600000)[0] == OK
    getattr(server, end)()
    server.config.update(QUICK)
    server.start()
    client = server.connect()
    for gone in ("/c", "/t"):
        wait_until(lambda path=gone: is_gone(client, path), what=f"{gone} goes")
    assert client.exists("/long")[0] == OK
    client.close_session()
