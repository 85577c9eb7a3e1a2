# SPDX-License-Identifier: Apache-2.0
"""Sessions: expiry, what keeps one alive, what survives the server, takeover."""
import os
import signal
import time

import pytest

import zkraw
from server import ORACLE, wait_until
from zkraw import CHILDREN_CHANGED, DELETED, EPHEMERAL, NO_NODE, OK

FAST = {"tickTime": "500"}  # timeouts of 1 to 10 s
TIMEOUT_MS = 2000


def is_refused(client):
    return (client.response.session, client.response.timeout) == (0, 0)


@pytest.fixture
def fast(start_server):
    return start_server(FAST)


# ---- expiry

def test_a_silent_session_expires(fast):
    observer, owner = fast.connect(timeout=10000), fast.connect(timeout=TIMEOUT_MS)
    for number in range(3):
        assert owner.create(f"/e{number}", flags=EPHEMERAL)[0] == OK
    before = observer.stat("/")
    observer.exists("/e1", watch=True)
    observer.children("/", watch=True)
    owner.abort()
    began = time.monotonic()
    first = observer.event()
    seconds = time.monotonic() - began
    assert (first.type, first.path) in ((DELETED, "/e1"), (CHILDREN_CHANGED, "/"))
    second = observer.event()
    assert {(first.type, first.path), (second.type, second.path)} == {(DELETED, "/e1"), (CHILDREN_CHANGED, "/")}
    # Not before the timeout, and not more than two ticks after it (with room for a busy machine).
    assert TIMEOUT_MS / 1000 - 0.1 <= seconds <= TIMEOUT_MS / 1000 + 2 * 0.5 + 2
    after = observer.stat("/")
    assert (after.cversion, after.num_children) == (before.cversion + 3, before.num_children - 3)
    # All of it under one zxid, which is the parent's pzxid; nothing else happened.
    assert after.pzxid == observer.call(zkraw.EXISTS, zkraw.path_watch("/")).zxid == owner_zxid(before) + 1
    gone = fast.connect(session=owner.session, password=owner.password)
    assert is_refused(gone) and gone.is_closed()


def owner_zxid(stat):
    """The zxid of the last create under the node."""
    return stat.pzxid


def test_expiry_closes_a_connection_that_is_still_open(fast):
    silent = fast.connect(timeout=TIMEOUT_MS)
    assert silent.is_closed(15)
    assert is_refused(fast.connect(session=silent.session, password=silent.password))


@pytest.mark.parametrize("op, body", [(zkraw.PING, b""), (zkraw.EXISTS, zkraw.path_watch("/")), (9, zkraw.ustring("/"))])
def test_any_request_keeps_a_session_alive(fast, op, body):
    client = fast.connect(timeout=1000)
    assert client.create("/e", flags=EPHEMERAL)[0] == OK
    end = time.monotonic() + 3.5
    while time.monotonic() < end:  # the time that passes is what is tested
        assert client.call(op, body, xid=-2 if op == zkraw.PING else None).err == OK
        time.sleep(0.3)
    assert client.stat("/e").ephemeral_owner == client.session


def test_reattaching_keeps_a_session_alive(fast):
    client = fast.connect(timeout=1000)
    assert client.create("/e", flags=EPHEMERAL)[0] == OK
    end = time.monotonic() + 3.5
    while time.monotonic() < end:
        client.abort()
        client = fast.connect(session=client.session, password=client.password, timeout=1000)
        assert not is_refused(client)
        time.sleep(0.3)
    assert client.stat("/e").ephemeral_owner == client.session


def test_a_longer_timeout_counts_from_the_reattach(fast):
    client = fast.connect(timeout=1000)
    client.abort()
    client = fast.connect(session=client.session, password=client.password, timeout=8000)
    assert client.response.timeout == 8000
    time.sleep(3)
    assert client.ping().err == OK


def test_a_closed_session_takes_its_ephemerals_at_once(fast):
    observer, owner = fast.connect(), fast.connect()
    for number in range(10):
        owner.create(f"/e{number}", flags=EPHEMERAL)
    zxid = owner.close_session().zxid
    assert observer.children("/") == (OK, ["zookeeper"])
    assert observer.stat("/").pzxid == zxid


def test_ephemerals_in_many_places_go_under_one_zxid(fast):
    observer, owner = fast.connect(timeout=10000), fast.connect(timeout=1000)
    for number in range(5):
        observer.create(f"/p{number}")
        owner.create(f"/p{number}/e", flags=EPHEMERAL)
    owner.abort()
    wait_until(lambda: observer.ping() and observer.exists("/p4/e")[0] == NO_NODE, what="the session expires")
    stats = [observer.stat(f"/p{number}") for number in range(5)]
    assert len({stat.pzxid for stat in stats}) == 1
    assert {(stat.cversion, stat.num_children) for stat in stats} == {(2, 0)}


def test_an_expired_session_writes_nothing(fast):
    """What is in the pipeline of a session that has expired meanwhile has no effect."""
    observer, owner = fast.connect(timeout=10000), fast.connect(timeout=1000)
    wait_until(lambda: observer.ping() and owner.is_closed(0.1), what="the session expires")
    try:
        owner.post(zkraw.CREATE, zkraw.create_body("/late"))
    except OSError:
        pass
    assert observer.exists("/late")[0] == NO_NODE


def test_many_sessions_expire(fast):
    observer = fast.connect(timeout=10000)
    owners = [fast.connect(timeout=1000) for _ in range(50)]
    for number, owner in enumerate(owners):
        owner.create(f"/e{number}", flags=EPHEMERAL)
    for owner in owners:
        owner.abort()
    wait_until(lambda: observer.ping() and observer.children("/") == (OK, ["zookeeper"]), what="all expire")
    stat = observer.stat("/")
    assert stat.cversion == 2 * 50 - 1


@pytest.mark.only_ours("ZooKeeper expires sessions before it reads what waits in its sockets")
def test_a_stopped_server_reads_before_it_expires(fast):
    client = fast.connect(timeout=1000)
    assert client.create("/e", flags=EPHEMERAL)[0] == OK
    os.kill(fast.pid(), signal.SIGSTOP)
    client.post(zkraw.PING, xid=-2)
    time.sleep(4)
    os.kill(fast.pid(), signal.SIGCONT)
    assert client.reply().err == OK
    assert client.stat("/e").ephemeral_owner == client.session


# ---- takeover

def test_the_new_connection_has_the_session_and_the_old_one_is_closed(fast):
    first = fast.connect()
    assert first.create("/e", flags=EPHEMERAL)[0] == OK
    first.auth("digest", "u:p")
    second = fast.connect(session=first.session, password=first.password)
    assert first.is_closed()
    assert second.stat("/e").ephemeral_owner == second.session
    second.close_session()
    assert fast.connect().exists("/e")[0] == NO_NODE


def test_takeover_under_load_answers_or_closes(fast):
    """The first connection's requests are answered in order up to some point, then it is closed; what was answered is
    there."""
    first = fast.connect()
    for number in range(500):
        first.post(zkraw.CREATE, zkraw.create_body(f"/n{number:04}"))
    second = fast.connect(session=first.session, password=first.password)
    answered = 0
    try:
        while True:
            assert first.reply().err == OK
            answered += 1
    except zkraw.Closed:
        pass
    names = second.children("/")[1]
    assert [f"n{number:04}" for number in range(answered)] == names[:answered]


# ---- the server's restart

@pytest.mark.parametrize("end", ["stop", "kill"])
def test_sessions_data_and_zxid_survive(start_server, end):
    server = start_server({"tickTime": "2000"})
    client = server.connect(timeout=30000)
    assert client.create("/p", b"data", [(31, "ip", "127.0.0.1")])[0] == OK
    assert client.create("/p/e", b"mine", flags=EPHEMERAL)[0] == OK
    assert client.create("/p/s-", flags=zkraw.SEQUENTIAL)[1] == "/p/s-0000000001"
    assert client.set("/p", b"two")[0] == OK
    assert client.set("/p", b"9", 7)[0] == zkraw.BAD_VERSION  # its zxid must not come again
    before = [client.stat("/p"), client.stat("/p/e"), client.get_acl("/p")]
    zxid = client.call(zkraw.EXISTS, zkraw.path_watch("/p")).zxid
    code = getattr(server, end)()
    assert code == (-signal.SIGKILL if end == "kill" else 143 if ORACLE else 0)
    server.start()
    again = server.connect(session=client.session, password=client.password, timeout=30000, last_zxid=0)
    assert (again.session, again.password) == (client.session, client.password)
    assert [again.stat("/p"), again.stat("/p/e"), again.get_acl("/p")] == before
    assert again.get("/p")[1] == b"two"
    reply = again.call(zkraw.CREATE, zkraw.create_body("/p/s-", flags=zkraw.SEQUENTIAL))
    assert zkraw.Reader(reply.body).ustring() == "/p/s-0000000002"
    assert reply.zxid > zxid


@pytest.mark.only_ours("ZooKeeper forgets the zxids of refused writes that it did not log")
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_client_that_saw_the_last_zxid_is_welcome_after_the_restart(start_server, end):
    server = start_server()
    client = server.connect(timeout=30000)
    client.create("/a")
    zxid = client.call(zkraw.CREATE, zkraw.create_body("/a")).zxid
    getattr(server, end)()
    server.start()
    again = server.connect(session=client.session, password=client.password, timeout=30000, last_zxid=zxid)
    assert again.session == client.session
    assert again.call(zkraw.CREATE, zkraw.create_body("/b")).zxid > zxid


def test_a_session_whose_client_stays_away_expires_after_the_restart(start_server):
    server = start_server(FAST)
    client = server.connect(timeout=TIMEOUT_MS)
    assert client.create("/e", flags=EPHEMERAL)[0] == OK
    server.kill()
    server.start()
    observer = server.connect(timeout=10000)
    assert observer.exists("/e")[0] == OK  # it has a full timeout from the start on
    wait_until(lambda: observer.ping() and observer.exists("/e")[0] == NO_NODE, what="the session expires")
    assert is_refused(server.connect(session=client.session, password=client.password))


def test_a_closed_session_stays_closed(start_server):
    server = start_server()
    client = server.connect()
    client.create("/e", flags=EPHEMERAL)
    client.close_session()
    server.kill()
    server.start()
    again = server.connect(session=client.session, password=client.password)
    assert is_refused(again) and again.is_closed()
    assert server.connect().exists("/e")[0] == NO_NODE


def test_a_new_session_has_a_new_id_after_the_restart(start_server):
    server = start_server()
    ids = []
    for _ in range(3):
        ids += [server.connect().session for _ in range(5)]
        server.kill()
        server.start()
    assert len(set(ids)) == 15


def test_set_watches_after_the_restart(start_server):
    server = start_server()
    client = server.connect(timeout=30000)
    client.create("/a")
    client.create("/b")
    zxid = client.call(zkraw.EXISTS, zkraw.path_watch("/a")).zxid
    client.set("/b", b"x")
    client.abort()
    server.stop()
    server.start()
    again = server.connect(session=client.session, password=client.password, last_zxid=zxid, timeout=30000)
    assert again.set_watches(zxid, data=["/a", "/b"]) == OK
    assert [(event.type, event.path) for event in again.events] == [(3, "/b")]


def test_everything_acknowledged_is_there_after_a_crash(start_server):
    server = start_server()
    for round_number in range(3):
        client = server.connect(timeout=30000)
        for number in range(300):
            client.post(zkraw.CREATE, zkraw.create_body(f"/r{round_number}-{number:04}", b"x" * 100))
        acknowledged = 0
        while acknowledged < 100:
            assert client.reply().err == OK
            acknowledged += 1
        server.kill()
        try:
            while client.reply().err == OK:
                acknowledged += 1
        except (zkraw.Closed, OSError):
            pass
        server.start()
        names = [name for name in server.connect().children("/")[1] if name.startswith(f"r{round_number}-")]
        assert len(names) >= acknowledged
        assert names == [f"r{round_number}-{number:04}" for number in range(len(names))]
