# SPDX-License-Identifier: Apache-2.0
"""The handshake in all its variants (research: ConnectRequest, ConnectResponse)."""
import pytest

import zkraw
from zkraw import OK


def refused(response):
    """A session that does not exist: everything zero, and the client knows that its session is gone."""
    return (response.timeout, response.session, response.password) == (0, 0, bytes(16))


def test_answers_37_bytes_to_a_client_that_sent_the_read_only_byte(connect):
    response = connect().response
    assert (response.size, response.version, response.read_only) == (37, 0, False)
    assert response.session != 0 and len(response.password) == 16


def test_answers_36_bytes_to_a_client_that_did_not(connect):
    response = connect(read_only=None).response
    assert (response.size, response.read_only) == (36, None)


def test_read_only_client_gets_a_read_write_server(connect):
    assert connect(read_only=True).response.read_only is False


def test_protocol_version_is_answered_with_0(connect):
    assert connect(version=7).response.version == 0


@pytest.mark.parametrize("password", [None, b"", bytes(16), b"x" * 16, b"x" * 40])
def test_a_new_session_takes_any_password(connect, password):
    client = connect(password=password)
    assert client.response.session != 0 and client.ping().err == OK


@pytest.mark.parametrize("asked, given", [
    (10000, 10000), (1, 4000), (0, 4000), (-5, 4000), (3999, 4000), (4000, 4000), (40000, 40000), (40001, 40000),
    (1000000, 40000), (2**31 - 1, 40000), (-2**31, 4000),
])
def test_timeout_is_clamped_to_2_and_20_ticks(connect, asked, given):
    assert connect(timeout=asked).response.timeout == given


def test_session_timeouts_from_the_configuration(start_server):
    server = start_server({"tickTime": "500", "minSessionTimeout": "3000", "maxSessionTimeout": "5000"})
    for asked, given in ((1, 3000), (4000, 4000), (60000, 5000)):
        client = server.connect(timeout=asked)
        assert client.response.timeout == given
        client.close_session()


def test_session_ids_differ_and_are_of_the_plain_kind(connect):
    ids = [connect().session for _ in range(20)]
    assert len(set(ids)) == 20
    for session in ids:
        high = (session >> 56) & 0xff
        assert session != 0 and high != 0xff and session & (2**64 - 1) != 0x8000000000000000


def test_passwords_differ(connect):
    assert len({connect().password for _ in range(5)}) == 5


def test_reattach_gives_the_same_session_and_password(connect):
    first = connect()
    first.abort()
    second = connect(session=first.session, password=first.password)
    assert (second.session, second.password) == (first.session, first.password)
    assert second.response.size == 37
    assert second.ping().err == OK


def test_reattach_renegotiates_the_timeout(connect):
    first = connect(timeout=8000)
    first.abort()
    assert connect(session=first.session, password=first.password, timeout=6000).response.timeout == 6000


def test_reattach_without_the_read_only_byte(connect):
    first = connect()
    first.abort()
    assert connect(session=first.session, password=first.password, read_only=None).response.size == 36


def test_unknown_session_is_answered_with_zeros_and_closed(connect):
    client = connect(session=0x123456789, password=b"p" * 16)
    assert refused(client.response) and client.response.size == 37
    assert client.is_closed()


def test_unknown_session_of_an_old_client(connect):
    client = connect(session=0x123456789, read_only=None)
    assert refused(client.response) and client.response.size == 36
    assert client.is_closed()


def test_closed_session_is_unknown(connect):
    first = connect()
    session, password = first.session, first.password
    first.close_session()
    second = connect(session=session, password=password)
    assert refused(second.response) and second.is_closed()


@pytest.mark.parametrize("session", [-1, 1, -2**63, 2**63 - 1])
def test_odd_session_ids_are_refused(connect, session):
    client = connect(session=session)
    assert refused(client.response) and client.is_closed()


@pytest.mark.parametrize("password", [b"wrong password!!", bytes(16), b"", None, b"short", b"x" * 17])
def test_wrong_password_is_refused(connect, password):
    owner = connect()
    thief = connect(session=owner.session, password=password)
    assert refused(thief.response) and thief.is_closed()


@pytest.mark.only_ours("ZooKeeper closes the owner's connection before it looks at the password")
def test_wrong_password_does_not_disturb_the_owner(connect, path):
    owner = connect()
    assert owner.create(path + "/e", flags=zkraw.EPHEMERAL)[0] == OK
    assert refused(connect(session=owner.session, password=b"x" * 16).response)
    assert owner.ping().err == OK
    assert owner.exists(path + "/e")[0] == OK


def test_right_password_takes_the_session_over(connect, path):
    first = connect()
    assert first.create(path + "/e", flags=zkraw.EPHEMERAL)[0] == OK
    second = connect(session=first.session, password=first.password)
    assert second.session == first.session
    assert first.is_closed()
    assert second.stat(path + "/e").ephemeral_owner == first.session


def test_takeover_many_times(connect):
    current = connect()
    for _ in range(10):
        after = connect(session=current.session, password=current.password)
        assert current.is_closed()
        current = after
    assert current.ping().err == OK


def test_last_zxid_seen_ahead_closes_without_bytes(connect, client):
    zxid = client.exists("/")[0] or client.call(zkraw.EXISTS, zkraw.path_watch("/")).zxid
    future = connect(connect=False)
    future.send(zkraw.frame(zkraw.connect_request(last_zxid=zxid + 1000)))
    assert future.is_closed()


def test_last_zxid_seen_ahead_on_reattach_leaves_the_session(connect, client):
    first = connect()
    first.abort()
    zxid = client.call(zkraw.EXISTS, zkraw.path_watch("/")).zxid
    future = connect(connect=False)
    future.send(zkraw.frame(zkraw.connect_request(session=first.session, password=first.password,
                                                  last_zxid=zxid + 1000)))
    assert future.is_closed()
    assert connect(session=first.session, password=first.password).session == first.session


def test_last_zxid_seen_equal_is_accepted(connect, client):
    zxid = client.call(zkraw.EXISTS, zkraw.path_watch("/")).zxid
    assert connect(last_zxid=zxid).response.session != 0


def test_requests_may_be_sent_before_the_response_came(connect, path):
    client = connect(connect=False)
    client.send(zkraw.frame(zkraw.connect_request())
                + zkraw.frame(zkraw.int32(-4) + zkraw.int32(zkraw.AUTH) + zkraw.int32(0) + zkraw.ustring("digest")
                              + zkraw.buffer(b"u:p"))
                + zkraw.frame(zkraw.int32(1) + zkraw.int32(zkraw.EXISTS) + zkraw.path_watch(path))
                + zkraw.frame(zkraw.int32(-2) + zkraw.int32(zkraw.PING)))
    assert client.read_connect_response().session != 0
    replies = [client.read() for _ in range(3)]
    assert [(reply.xid, reply.err) for reply in replies] == [(-4, 0), (1, 0), (-2, 0)]


def test_handshake_in_single_bytes(connect):
    client = connect(connect=False)
    for byte in zkraw.frame(zkraw.connect_request()):
        client.send(bytes([byte]))
    assert client.read_connect_response().session != 0


def test_a_request_before_the_handshake_is_closed_without_bytes(connect, path):
    client = connect(connect=False)
    client.post(zkraw.EXISTS, zkraw.path_watch(path))
    assert client.is_closed()


def test_a_second_connect_request_does_not_make_a_session(connect):
    client = connect()
    client.send(zkraw.frame(zkraw.connect_request()))
    # As a request it has xid 0 and operation 0: unknown.
    reply = client.read()
    assert (reply.xid, reply.zxid, reply.err) == (0, -1, zkraw.UNIMPLEMENTED)
    assert client.is_closed()
