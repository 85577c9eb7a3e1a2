# SPDX-License-Identifier: Apache-2.0
"""SASL GSSAPI with a real KDC (MIT krb5): tickets for the server's principal prove names, and nothing else does."""
import os
import subprocess

import pytest

import kdc as kdc_module
import saslraw
import server as server_module
import zkraw
from kdc import REALM
from zkraw import AUTH_FAILED, NO_AUTH, OK, SASL_REQUIRED

pytestmark = [
    pytest.mark.only_ours("other configuration"),
    pytest.mark.skipif(bool(kdc_module.missing()), reason=f"not installed: {kdc_module.missing()}"),
]

PRINCIPAL = "zookeeper/localhost"
SERVICE = "zookeeper@localhost"
PASSWORD = "alices secret"
PROVIDER = {"authProvider.1": "org.apache.zookeeper.server.auth.SASLAuthenticationProvider"}
LOGIN = """Server {{
    com.sun.security.auth.module.Krb5LoginModule required
        useKeyTab=true storeKey=true useTicketCache=false
        keyTab="{keytab}"
        principal="{principal}";
}};
"""


@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    """A KDC; what this process and its servers do with Kerberos, they do there."""
    one = kdc_module.Kdc(tmp_path_factory.mktemp("kdc"))
    before = {name: os.environ.get(name) for name in one.environment}
    try:
        one.start()
        os.environ.update(one.environment)
        one.add(PRINCIPAL)
        for user in ("alice", "alice/admin", "bob"):
            one.add(user, PASSWORD)
        yield one
    finally:
        one.stop()
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@pytest.fixture
def config(kdc, tmp_path):
    """config(keytab, ...) -> a configuration whose login file names the keytab and the principal."""
    def make(keytab=None, principal=f"{PRINCIPAL}@{REALM}", **more):
        keytab = keytab or kdc.keytab(PRINCIPAL, "server.keytab")
        path = tmp_path / "login.conf"
        path.write_text(LOGIN.format(keytab=keytab, principal=principal))
        return {"java.security.auth.login.config": str(path), **PROVIDER, **more}
    return make


def ids(client):
    reader = zkraw.Reader(client.call(zkraw.WHO_AM_I).body)
    return {(reader.ustring(), reader.ustring()) for _ in range(reader.int32())}


def log_in(server, user="alice", **options):
    """(client, code, last token)."""
    client = server.connect()
    code, token = kdc_module.authenticate(client, kdc_module.ticket_context(user, PASSWORD, SERVICE), **options)
    return client, code, token


@pytest.mark.parametrize("user, keys, identity", [
    ("alice", {}, f"alice@{REALM}"),
    ("alice/admin", {}, f"alice/admin@{REALM}"),
    ("alice/admin", {"kerberos.removeHostFromPrincipal": "true"}, f"alice@{REALM}"),
    ("alice/admin", {"kerberos.removeRealmFromPrincipal": "true"}, "alice/admin"),
    ("alice/admin", {"kerberos.removeHostFromPrincipal": "true", "kerberos.removeRealmFromPrincipal": "true"},
     "alice"),
])
def test_a_ticket_proves_a_name(start_server, config, user, keys, identity):
    server = start_server(config(**keys))
    client, code, _ = log_in(server, user)
    assert code == OK
    assert {("sasl", identity)} == {one for one in ids(client) if one[0] == "sasl"}
    assert client.create("/mine", b"x", acl=[(zkraw.ALL, "sasl", identity)])[0] == OK
    bob, code, _ = log_in(server, "bob")
    assert code == OK and bob.get("/mine")[0] == NO_AUTH
    assert client.get("/mine")[0] == OK
    bob.close_session()
    client.close_session()


@pytest.mark.parametrize("authzid, err", [("alice", OK), (f"alice@{REALM}", OK), ("bob", AUTH_FAILED),
                                          (f"bob@{REALM}", AUTH_FAILED), ("alice@OTHER.TEST", AUTH_FAILED)])
def test_nobody_acts_for_another(start_server, config, authzid, err):
    client, code, _ = log_in(start_server(config()), authzid=authzid)
    assert code == err
    assert client.is_closed() if err else ("sasl", f"alice@{REALM}") in ids(client)


@pytest.mark.parametrize("layer", [2, 4])
def test_a_layer_that_was_not_offered_fails(start_server, config, layer):
    client, code, _ = log_in(start_server(config()), layer=layer)
    assert code == AUTH_FAILED and client.is_closed()


def test_a_keytab_with_an_old_key_opens_no_ticket(kdc, start_server, config):
    kdc.add("zookeeper/old.localhost")
    keytab = kdc.keytab("zookeeper/old.localhost", "old.keytab")
    server = start_server(config(keytab, f"zookeeper/old.localhost@{REALM}"))
    context = kdc_module.ticket_context("alice", PASSWORD, "zookeeper@old.localhost")
    client = server.connect()
    assert kdc_module.authenticate(client, context)[0] == OK
    kdc.change_key("zookeeper/old.localhost")
    context = kdc_module.ticket_context("alice", PASSWORD, "zookeeper@old.localhost")
    other = server.connect()
    assert kdc_module.authenticate(other, context) == (AUTH_FAILED, None)
    assert other.is_closed()
    client.close_session()


def test_a_ticket_for_another_service_fails(kdc, start_server, config):
    kdc.add("http/localhost")
    server = start_server(config())
    client = server.connect()
    context = kdc_module.ticket_context("alice", PASSWORD, "http@localhost")
    assert kdc_module.authenticate(client, context) == (AUTH_FAILED, None)
    assert client.is_closed()


@pytest.mark.parametrize("token", [b"", b"x", b"\x60\x03\x06\x01\x00", b"\0" * 60000], ids=len)
def test_tokens_that_are_none(start_server, config, token):
    client = start_server(config()).connect()
    code, answer = saslraw.step(client, token)
    if code == OK and token == b"":  # an empty word asks for the client's first one, as in RFC 4752
        code, answer = saslraw.step(client, b"x")
    assert (code, answer) == (AUTH_FAILED, None)
    assert client.is_closed()


def test_changed_tickets_fail(start_server, config):
    """One bit of the first token, at many places: no name is proved, and the server lives."""
    server = start_server(config(**{"maxClientCnxns": "0"}))
    token = kdc_module.ticket_context("alice", PASSWORD, SERVICE).step()
    for place in range(0, len(token), max(1, len(token) // 8)):
        client = server.connect()
        changed = bytearray(token)
        changed[place] ^= 0x10
        assert saslraw.step(client, bytes(changed))[0] == AUTH_FAILED, place
        assert client.is_closed()


def test_a_token_is_not_taken_twice(start_server, config):
    """The replay cache: whoever saw a ticket on the wire can't use it."""
    server = start_server(config())
    token = kdc_module.ticket_context("alice", PASSWORD, SERVICE).step()
    first, second = server.connect(), server.connect()
    assert saslraw.step(first, token)[0] == OK
    assert saslraw.step(second, token) == (AUTH_FAILED, None)
    first.close_session()


def test_a_second_round_fails(start_server, config):
    client, code, _ = log_in(start_server(config()))
    assert code == OK
    token = kdc_module.ticket_context("bob", PASSWORD, SERVICE).step()
    assert saslraw.step(client, token) == (AUTH_FAILED, None)
    assert client.is_closed()


def test_sessions_can_require_it(start_server, config):
    server = start_server(config(sessionRequireClientSASLAuth="true"))
    client = server.connect()
    assert client.get("/")[0] == SASL_REQUIRED
    assert client.is_closed()
    client, code, _ = log_in(server)
    assert code == OK and client.get("/")[0] == OK
    client.close_session()


def refused(config, tmp_path):
    path = tmp_path / "zoo.cfg"
    path.write_text("".join(f"{key}={value}\n" for key, value in config.items()))
    done = subprocess.run([server_module.BINARY, "serve", "--memory", "--listen", "127.0.0.1:0", "--config", str(path)],
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2, done.stderr
    return done.stderr


def test_a_keytab_that_is_none_is_refused_at_the_start(kdc, config, tmp_path):
    assert "keytab" in refused(config(tmp_path / "missing.keytab"), tmp_path)
    text = tmp_path / "text.keytab"
    text.write_text("no keytab\n")
    assert "keytab" in refused(config(text), tmp_path)
    kdc.add("zookeeper/elsewhere")
    assert "keytab" in refused(config(kdc.keytab("zookeeper/elsewhere", "elsewhere.keytab")), tmp_path)
