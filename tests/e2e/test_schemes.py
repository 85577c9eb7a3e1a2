# SPDX-License-Identifier: Apache-2.0
"""Schemes of ACLs that need a provider: sasl and x509 are valid where it is configured, as in ZooKeeper 3.9.4."""
import subprocess

import pytest

import server as server_module
import zkraw
from zkraw import INVALID_ACL, NO_AUTH, OK, READ

pytestmark = pytest.mark.only_ours("other configuration")

PACKAGE = "org.apache.zookeeper.server.auth."
SASL = {"authProvider.1": PACKAGE + "SASLAuthenticationProvider"}
X509 = {"authProvider.x509": PACKAGE + "X509AuthenticationProvider"}


def create_with(client, scheme, identity):
    return client.create("/n-", acl=[(READ, scheme, identity)], flags=zkraw.SEQUENTIAL)[0]


def test_without_a_provider_they_are_unknown(client):
    for scheme, identity in (("sasl", "user"), ("x509", "CN=a"), ("super", ""), ("kerberos", "x")):
        assert create_with(client, scheme, identity) == INVALID_ACL


@pytest.mark.parametrize("identity, err", [
    ("user", OK), ("user@REALM", OK), ("user/host@REALM", OK), ("a/b/c", OK), ("", OK),
    ("a/b/c@REALM", INVALID_ACL), ("a@b@c", INVALID_ACL), ("a@b/c", INVALID_ACL),
])
def test_sasl_ids(start_server, identity, err):
    client = start_server(SASL).connect()
    assert create_with(client, "sasl", identity) == err
    assert create_with(client, "x509", "CN=a") == INVALID_ACL
    client.close_session()


def test_x509_ids(start_server):
    client = start_server(X509).connect()
    for identity in ("CN=a", "CN=a,O=\"b, c\"", "1.2.3=#040141", "emailAddress=x@y"):
        assert create_with(client, "x509", identity) == OK, identity
    for identity in ("anyone", "CN", "XX=a", "CN=a,", "CN=\"a"):
        assert create_with(client, "x509", identity) == INVALID_ACL, identity
    assert create_with(client, "sasl", "user") == INVALID_ACL
    client.close_session()


def test_digest_can_be_disabled(start_server):
    client = start_server({"DigestAuthenticationProvider.enabled": "false",
                           "DigestAuthenticationProvider.superDigest": None}).connect()
    assert create_with(client, "digest", "user:hash") == INVALID_ACL
    assert create_with(client, "ip", "127.0.0.1") == OK
    client.close_session()


def test_who_is_not_of_the_scheme_is_refused(start_server):
    client = start_server({**SASL, **X509}).connect()
    assert client.create("/s", acl=[(zkraw.ALL, "sasl", "user")])[0] == OK
    assert client.create("/x", acl=[(zkraw.ALL, "x509", "CN=a")])[0] == OK
    for path in ("/s", "/x"):
        assert client.get(path)[0] == NO_AUTH
        assert client.set(path, b"")[0] == NO_AUTH
    assert client.auth("digest", "super:test") == OK
    assert client.get("/s")[0] == OK
    assert client.get_acl("/x")[1] == [(zkraw.ALL, "x509", "CN=a")]
    client.close_session()


def test_ids_survive_a_restart_without_the_provider(start_server):
    server = start_server(SASL)
    client = server.connect()
    assert client.create("/s", acl=[(zkraw.ALL, "sasl", "user"), (READ, "world", "anyone")])[0] == OK
    server.stop()
    server.config.pop("authProvider.1")
    server.start()
    client = server.connect()
    assert client.get_acl("/s")[1] == [(zkraw.ALL, "sasl", "user"), (READ, "world", "anyone")]
    assert client.set("/s", b"")[0] == NO_AUTH
    client.close_session()


@pytest.mark.parametrize("address, err", [
    ("::1", OK), ("2001:db8::/32", OK), ("1:2:3:4:5:6:7:8/128", OK), ("::/0", OK), ("127.0.0.1/8", OK),
    ("::1/129", INVALID_ACL), ("1::2::3", INVALID_ACL), ("12345::", INVALID_ACL), ("::ffff:1.2.3.4", INVALID_ACL),
    ("127.0.0.1/33", INVALID_ACL),
])
def test_addresses(client, path, address, err):
    assert client.create(path + "/a", acl=[(READ, "ip", address)])[0] == err


@pytest.mark.only_ours("the message is ours")
def test_a_class_of_ones_own_is_refused(tmp_path):
    config = tmp_path / "zoo.cfg"
    config.write_text("authProvider.1=com.example.Provider\n")
    done = subprocess.run([server_module.BINARY, "serve", "--memory", "--config", str(config)], capture_output=True,
                          text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert "zoo.cfg:1: authProvider.1=com.example.Provider" in done.stderr
