# SPDX-License-Identifier: Apache-2.0
"""ACLs and authentication: world, auth, digest, ip and super; enforced and redacted."""
import pytest

import zkraw
from zkraw import (ADMIN, ALL, AUTH_FAILED, BAD_VERSION, EPHEMERAL, INVALID_ACL, MAY_CREATE, MAY_DELETE, NO_AUTH,
                   OK, READ, WRITE)

WORLD = ("world", "anyone")
USER, USER_ID = "user:secret", zkraw.digest_id("user:secret")


def world(perms):
    return [(perms, *WORLD)]


# ---- what an ACL may be

def test_the_default(client, path):
    err, acl, stat = client.get_acl(path)
    assert (err, acl) == (OK, [(ALL, *WORLD)])
    assert stat == client.stat(path)


@pytest.mark.parametrize("special, perms", [("/", ALL), ("/zookeeper", ALL), ("/zookeeper/quota", ALL),
                                            ("/zookeeper/config", READ)])
def test_of_the_special_nodes(start_server, special, perms):
    assert start_server().connect().get_acl(special)[:2] == (OK, [(perms, *WORLD)])


@pytest.mark.parametrize("acl", [
    [], [(ALL, "world", "somebody")], [(ALL, "world", "")], [(ALL, "nosuch", "x")], [(ALL, "", "")],
    [(ALL, "auth", "")], [(ALL, "digest", "nocolon")], [(ALL, "digest", "a:b:c")], [(ALL, "ip", "nonsense")],
    [(ALL, "ip", "1.2.3")], [(ALL, "ip", "1.2.3.4/33")], [(ALL, "ip", "1.2.3.400")], [(ALL, *WORLD), (1, "nosuch", "x")],
    [(ALL, "super", "x")],
], ids=str)
def test_lists_that_are_refused(client, path, acl):
    assert client.create(path + "/a", acl=acl) == (INVALID_ACL, None)
    assert client.set_acl(path, acl) == (INVALID_ACL, None)


def test_a_null_list_is_refused(client, path):
    body = zkraw.ustring(path + "/a") + zkraw.buffer(b"") + zkraw.int32(-1) + zkraw.int32(0)
    assert client.call(zkraw.CREATE, body).err == INVALID_ACL
    assert client.call(zkraw.SET_ACL, zkraw.ustring(path) + zkraw.int32(-1) + zkraw.int32(-1)).err == INVALID_ACL


@pytest.mark.parametrize("acl", [
    [(ALL, "digest", "user:anything=")], [(READ, "ip", "10.1.2.3")],
    [(READ, "ip", "10.0.0.0/8")], [(READ, "ip", "0.0.0.0/0")], [(0, *WORLD)], [(READ, *WORLD), (ALL, "ip", "127.0.0.1")],
], ids=str)
def test_lists_that_are_stored_as_they_are(client, path, acl):
    admin = [(ALL, "ip", "127.0.0.1")]
    wanted = acl + [entry for entry in admin if entry not in acl]
    assert client.create(path + "/a", acl=wanted)[0] == OK
    assert client.get_acl(path + "/a")[1] == wanted


def test_a_bare_colon_is_no_digest(client, path):
    """Java splits it into no parts at all."""
    assert client.create(path + "/a", acl=[(ALL, "digest", ":")]) == (INVALID_ACL, None)


def test_duplicates_are_removed(client, path):
    assert client.create(path + "/a", acl=[(READ, *WORLD), (ALL, "ip", "127.0.0.1"), (READ, *WORLD)])[0] == OK
    assert client.get_acl(path + "/a")[1] == [(READ, *WORLD), (ALL, "ip", "127.0.0.1")]


def test_bits_beyond_all_are_stored(client, path):
    assert client.create(path + "/a", acl=world(255))[0] == OK
    assert client.get_acl(path + "/a")[1] == world(255)


def test_no_permissions_for_anybody(client, path):
    assert client.create(path + "/a", acl=world(0))[0] == OK
    assert client.get(path + "/a")[0] == NO_AUTH
    assert client.get_acl(path + "/a")[0] == NO_AUTH
    assert client.set_acl(path + "/a", world(ALL))[0] == NO_AUTH
    assert client.delete(path + "/a") == OK  # the parent's DELETE counts


# ---- enforcement: each permission allows its operations and no other

@pytest.mark.parametrize("perms", [0, READ, WRITE, MAY_CREATE, MAY_DELETE, ADMIN, ALL, READ | WRITE, ALL & ~READ,
                                   ALL & ~WRITE, ALL & ~MAY_CREATE, ALL & ~MAY_DELETE, ALL & ~ADMIN])
def test_each_permission(client, path, perms):
    node = path + "/a"
    assert client.create(node)[0] == OK
    assert client.create(node + "/old")[0] == OK
    assert client.set_acl(node, world(perms))[0] == OK

    def allowed(permission):
        return OK if perms & permission else NO_AUTH

    assert client.get(node)[0] == allowed(READ)
    assert client.children(node)[0] == allowed(READ)
    assert client.children2(node)[0] == allowed(READ)
    assert client.set(node, b"x")[0] == allowed(WRITE)
    assert client.create(node + "/new")[0] == allowed(MAY_CREATE)
    assert client.create2(node + "/new2")[0] == allowed(MAY_CREATE)
    assert client.delete(node + "/old") == allowed(MAY_DELETE)
    assert client.get_acl(node)[0] == allowed(READ | ADMIN)
    assert client.multi((zkraw.CHECK, zkraw.ustring(node) + zkraw.int32(-1)))[1][0].err == allowed(READ)
    assert client.set_acl(node, world(ALL))[0] == allowed(ADMIN)


def test_the_acl_of_the_node_does_not_protect_it_from_deletion(client, path):
    assert client.create(path + "/a", acl=world(ALL & ~MAY_DELETE))[0] == OK
    assert client.delete(path + "/a") == OK


@pytest.mark.only_ours("exists asks for READ from 3.8.4 and 3.9.2 on")
def test_exists_needs_read(client, path):
    assert client.create(path + "/a", acl=world(ALL & ~READ))[0] == OK
    assert client.exists(path + "/a") == (NO_AUTH, None)
    assert client.exists(path + "/none", watch=True) == (zkraw.NO_NODE, None)


def test_ephemerals_go_with_the_session_whatever_the_acl(client, connect, path):
    owner = connect()
    assert owner.create(path + "/e", acl=world(0), flags=EPHEMERAL)[0] == OK
    assert client.set_acl(path, world(READ | ADMIN))[0] == OK
    owner.close_session()
    assert client.children(path) == (OK, [])


# ---- setACL

def test_set_acl_checks_its_own_version(client, path):
    assert client.set(path, b"x")[0] == OK
    assert client.set_acl(path, world(ALL), 1) == (BAD_VERSION, None)
    assert client.set_acl(path, world(ALL), 0)[1].aversion == 1
    assert client.set_acl(path, world(ALL), 0) == (BAD_VERSION, None)
    assert client.set_acl(path, world(ALL), -1)[1].aversion == 2


# ---- digest

def test_digest_lets_its_user_in(connect, path):
    owner, stranger = connect(), connect()
    assert owner.create(path + "/a", b"mine", [(ALL, "digest", USER_ID)])[0] == OK
    for client in (owner, stranger):
        assert client.get(path + "/a")[0] == NO_AUTH
    assert stranger.auth("digest", "user:wrong") == OK
    assert stranger.get(path + "/a")[0] == NO_AUTH
    assert owner.auth("digest", USER) == OK
    assert owner.get(path + "/a")[1] == b"mine"


def test_authentication_is_the_connections_not_the_sessions(connect, path):
    client = connect()
    client.auth("digest", USER)
    assert client.create(path + "/a", acl=[(ALL, "digest", USER_ID)])[0] == OK
    client.abort()
    again = connect(session=client.session, password=client.password)
    assert again.get(path + "/a")[0] == NO_AUTH
    again.auth("digest", USER)
    assert again.get(path + "/a")[0] == OK


def test_several_users_on_one_connection(client, path):
    assert client.auth("digest", "a:1") == OK and client.auth("digest", "b:2") == OK
    for who in ("a:1", "b:2"):
        node = f"{path}/{who[0]}"
        assert client.create(node, acl=[(ALL, "digest", zkraw.digest_id(who))])[0] == OK
        assert client.get(node)[0] == OK


def test_ids_are_redacted_for_those_who_may_not_administrate(connect, path):
    owner, reader = connect(), connect()
    owner.auth("digest", USER)
    acl = [(ALL, "digest", USER_ID), (READ, *WORLD), (READ, "ip", "10.0.0.1")]
    assert owner.create(path + "/a", acl=acl)[0] == OK
    assert owner.get_acl(path + "/a")[1] == acl
    assert reader.get_acl(path + "/a")[1] == [(ALL, "digest", "user:x")] + acl[1:]


def test_credentials_without_a_password(client, path):
    assert client.auth("digest", "nocolon") == OK
    assert client.auth("digest", "") == OK
    assert client.ping().err == OK


def test_a_password_may_hold_colons(client, path):
    assert client.auth("digest", "user:a:b:c") == OK
    assert client.create(path + "/a", acl=[(ALL, "digest", zkraw.digest_id("user:a:b:c"))])[0] == OK
    assert client.get(path + "/a")[0] == OK


# ---- auth

def test_auth_stands_for_all_ids_of_the_connection(client, path):
    client.auth("digest", "a:1")
    client.auth("digest", "b:2")
    assert client.create(path + "/a", acl=[(READ | ADMIN, "auth", "ignored")])[0] == OK
    assert sorted(client.get_acl(path + "/a")[1]) == sorted(
        (READ | ADMIN, "digest", zkraw.digest_id(who)) for who in ("a:1", "b:2"))


def test_auth_takes_a_null_id(client, path):
    """kazoo writes an empty string as a null one."""
    assert client.create(path + "/a", acl=[(ALL, "auth", None)]) == (INVALID_ACL, None)
    client.auth("digest", USER)
    assert client.create(path + "/a", acl=[(ALL, "auth", None)])[0] == OK
    assert client.get_acl(path + "/a")[1] == [(ALL, "digest", USER_ID)]


@pytest.mark.parametrize("scheme, want", [("world", zkraw.MARSHALLING), ("digest", zkraw.MARSHALLING),
                                          ("ip", zkraw.MARSHALLING), (None, INVALID_ACL)])
def test_other_null_ids(client, path, scheme, want):
    assert client.create(path + "/a", acl=[(ALL, scheme, None if scheme else "x")])[0] == want


def test_auth_without_authentication_is_refused(client, path):
    assert client.create(path + "/a", acl=[(ALL, "auth", "")]) == (INVALID_ACL, None)


def test_auth_uses_what_was_added_before_in_the_pipeline(client, path):
    client.post(zkraw.AUTH, zkraw.int32(0) + zkraw.ustring("digest") + zkraw.buffer(b"p:q"), zkraw.XID_AUTH)
    client.post(zkraw.CREATE, zkraw.create_body(path + "/a", acl=[(ALL, "auth", "")]))
    assert [client.reply().err for _ in range(2)] == [OK, OK]
    assert client.get_acl(path + "/a")[1] == [(ALL, "digest", zkraw.digest_id("p:q"))]


def test_auth_with_world(client, path):
    client.auth("digest", USER)
    assert client.create(path + "/a", acl=[(READ, *WORLD), (ALL, "auth", "")])[0] == OK
    assert client.get_acl(path + "/a")[1] == [(READ, *WORLD), (ALL, "digest", USER_ID)]


# ---- ip

@pytest.mark.parametrize("where, want", [
    ("127.0.0.1", OK), ("127.0.0.0/8", OK), ("127.0.0.1/32", OK), ("126.0.0.0/7", OK), ("0.0.0.0/0", OK),
    ("127.0.0.2", NO_AUTH), ("10.0.0.0/8", NO_AUTH), ("127.0.0.2/32", NO_AUTH), ("127.0.0.2/31", NO_AUTH),
    ("127.0.0.0/31", OK),
])
def test_ip(client, path, where, want):
    assert client.create(path + "/a", acl=[(ALL, "ip", where)])[0] == OK
    assert client.get(path + "/a")[0] == want


def test_an_auth_packet_for_ip_is_accepted(client):
    assert client.auth("ip", "") == OK
    assert client.auth("ip", "1.2.3.4") == OK
    assert client.ping().err == OK


# ---- super

def test_super_may_everything(connect, path):
    client, root = connect(), connect()
    assert client.create(path + "/a", acl=world(0))[0] == OK
    assert root.auth("digest", "super:test") == OK
    assert root.get(path + "/a")[0] == OK
    assert root.set(path + "/a", b"x")[0] == OK
    assert root.create(path + "/a/b")[0] == OK
    assert root.delete(path + "/a/b") == OK
    assert root.get_acl(path + "/a")[1] == world(0)
    assert root.set_acl(path + "/a", world(READ))[0] == OK


def test_super_sees_ids_unredacted(connect, path):
    client, root = connect(), connect()
    assert client.create(path + "/a", acl=[(READ, "digest", USER_ID)])[0] == OK
    root.auth("digest", "super:test")
    assert root.get_acl(path + "/a")[1] == [(READ, "digest", USER_ID)]


def test_super_needs_its_password(connect, path):
    client, fake = connect(), connect()
    assert client.create(path + "/a", acl=world(0))[0] == OK
    assert fake.auth("digest", "super:wrong") == OK
    assert fake.get(path + "/a")[0] == NO_AUTH


def test_no_super_without_configuration(start_server):
    client = start_server({"DigestAuthenticationProvider.superDigest": None}).connect()
    assert client.create("/a", acl=world(0))[0] == OK
    assert client.auth("digest", "super:test") == OK
    assert client.get("/a")[0] == NO_AUTH


def test_super_creates_with_auth(connect, path):
    root = connect()
    root.auth("digest", "super:test")
    assert root.create(path + "/a", acl=[(ALL, "auth", "")])[0] == OK
    assert root.get_acl(path + "/a")[1] == [(ALL, "digest", zkraw.digest_id("super:test"))]


# ---- failed authentication

@pytest.mark.parametrize("scheme", ["world", "auth", "nosuch", "", "x509", "super", "DIGEST"])
def test_a_scheme_that_cannot_authenticate_is_answered_and_closed(connect, scheme):
    client = connect()
    assert client.auth(scheme, "anyone") == AUTH_FAILED
    assert client.is_closed()


def test_the_session_outlives_a_failed_authentication(connect, path):
    client = connect()
    assert client.create(path + "/e", flags=EPHEMERAL)[0] == OK
    assert client.auth("nosuch", "x") == AUTH_FAILED and client.is_closed()
    again = connect(session=client.session, password=client.password)
    assert again.stat(path + "/e").ephemeral_owner == client.session


def test_the_auth_reply_keeps_its_place_in_the_pipeline(client, path):
    client.post(zkraw.CREATE, zkraw.create_body(path + "/a"))
    client.post(zkraw.AUTH, zkraw.int32(0) + zkraw.ustring("digest") + zkraw.buffer(b"p:q"), zkraw.XID_AUTH)
    client.post(zkraw.EXISTS, zkraw.path_watch(path + "/a"))
    replies = sorted((client.reply() for _ in range(3)), key=lambda reply: reply.xid)
    assert [(reply.xid, reply.err) for reply in replies] == [(-4, OK), (client.xid - 1, OK), (client.xid, OK)]


def test_the_auth_reply_carries_the_xid_of_its_request(client):
    """Clients in Java and C send -4; go-zookeeper sends an ordinary number and waits for it."""
    body = zkraw.int32(0) + zkraw.ustring("digest") + zkraw.buffer(b"p:q")
    for xid in (-4, 77, 0, -4):
        client.post(zkraw.AUTH, body, xid)
        reply = client.reply()
        assert (reply.xid, reply.err) == (xid, OK)
