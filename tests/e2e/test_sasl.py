# SPDX-License-Identifier: Apache-2.0
"""SASL DIGEST-MD5: users of the login file, in both directions of the proof; what is foreign, doubled or missing fails."""
import subprocess
import time

import pytest

import saslraw
import server as server_module
import zkraw
from zkraw import AUTH_FAILED, INVALID_ACL, NO_AUTH, OK, SASL_REQUIRED

pytestmark = pytest.mark.only_ours("other configuration")

LOGIN = """
Server {
    org.apache.zookeeper.server.auth.DigestLoginModule required
        user_super="adminsecret"
        user_bob="bobsecret"
        user_eve="eve secret \\"quoted\\"";
};
Client { other.Module required user_x="y"; };
"""
PROVIDER = {"authProvider.1": "org.apache.zookeeper.server.auth.SASLAuthenticationProvider"}


@pytest.fixture
def login(tmp_path):
    path = tmp_path / "login.conf"
    path.write_text(LOGIN)
    return {"java.security.auth.login.config": str(path), **PROVIDER}


@pytest.fixture
def sasl(start_server, login):
    return start_server(login)


def ids(client):
    reply = client.call(zkraw.WHO_AM_I)
    reader = zkraw.Reader(reply.body)
    return {(reader.ustring(), reader.ustring()) for _ in range(reader.int32())}


@pytest.mark.parametrize("user, password", [("bob", "bobsecret"), ("eve", 'eve secret "quoted"'), ("super", "adminsecret")])
def test_users_of_the_file_prove_who_they_are(sasl, user, password):
    client = sasl.connect()
    code, challenge = saslraw.step(client, b"")
    assert code == OK
    fields = saslraw.fields_of(challenge)
    assert fields["realm"] == saslraw.REALM and fields["algorithm"] == "md5-sess" and "auth" in fields["qop"].split(",")
    code, last = saslraw.step(client, saslraw.response(user, password, challenge))
    assert code == OK
    # The server proves that it knows the password, too.
    assert last == b"rspauth=" + saslraw.proof(user, password, fields["nonce"], "c0ffee", verb=b"").encode()
    assert ("sasl", user) in ids(client)
    client.close_session()


def test_the_identity_counts_in_acls(sasl):
    bob, eve, nobody = sasl.connect(), sasl.connect(), sasl.connect()
    assert saslraw.authenticate(bob, "bob", "bobsecret")[0] == OK
    assert saslraw.authenticate(eve, "eve", 'eve secret "quoted"')[0] == OK
    assert bob.create("/bobs", b"x", acl=[(zkraw.ALL, "sasl", "bob")])[0] == OK
    assert bob.get("/bobs")[0] == OK
    assert eve.get("/bobs")[0] == NO_AUTH
    assert nobody.get("/bobs")[0] == NO_AUTH
    assert bob.create("/mine", b"", acl=[(zkraw.ALL, "auth", "")])[0] == OK
    reply = bob.call(zkraw.GET_ACL, zkraw.ustring("/mine"))
    assert ("sasl", "bob") in {one[1:] for one in zkraw.Reader(reply.body).acl()}
    for client in (bob, eve, nobody):
        client.close_session()


def test_super_user_by_name(start_server, login):
    sasl = start_server({**login, "superUser": "bob"})
    nobody, bob = sasl.connect(), sasl.connect()
    assert nobody.create("/closed", b"", acl=[(zkraw.READ, "ip", "192.0.2.1")])[0] == OK
    assert bob.get("/closed")[0] == NO_AUTH
    assert saslraw.authenticate(bob, "bob", "bobsecret")[0] == OK
    assert bob.get("/closed")[0] == OK
    bob.close_session()
    nobody.close_session()


@pytest.mark.parametrize("user, password", [("bob", "wrong"), ("bob", ""), ("nobody", "bobsecret"), ("BOB", "bobsecret"),
                                            ("bob ", "bobsecret"), ("", "")])
def test_a_wrong_name_or_password_ends_the_connection(sasl, user, password):
    client = sasl.connect()
    assert saslraw.authenticate(client, user, password) == (AUTH_FAILED, None)
    assert client.is_closed()


def test_the_own_name_as_authorization_id(sasl):
    """Java's client always sends it."""
    client = sasl.connect()
    assert saslraw.authenticate(client, "bob", "bobsecret", authzid='"bob"')[0] == OK
    assert client.ping().err == OK


@pytest.mark.parametrize("changes", [
    {"realm": '"other"'}, {"realm": None}, {"digest_uri": '"zookeeper/other"'}, {"digest_uri": None},
    {"nonce": '"bm9uY2U="'}, {"nonce": None}, {"nc": "00000002"}, {"nc": None}, {"cnonce": None}, {"response": None},
    {"response": "0" * 32}, {"response": "x"}, {"username": None}, {"qop": "auth-int"}, {"qop": "auth-conf"},
    {"authzid": '"super"'}, {"charset": "latin1"}, {"username": '"bob",username="super"'}, {"maxbuf": "0"},
], ids=str)
def test_a_field_that_is_foreign_missing_or_doubled(sasl, changes):
    client = sasl.connect()
    assert saslraw.authenticate(client, "bob", "bobsecret", **changes) == (AUTH_FAILED, None)
    assert client.is_closed()


@pytest.mark.parametrize("token", [b"x", b"\0" * 100, b"=,=,=", b'username="', b",", b"a=b" * 2000, b"\xff" * 4096])
def test_tokens_that_are_none(sasl, token):
    client = sasl.connect()
    assert saslraw.step(client, b"")[0] == OK
    assert saslraw.step(client, token) == (AUTH_FAILED, None)
    assert client.is_closed()


def test_the_first_word_is_the_servers(sasl):
    """What the client says before it counts for nothing, as with 3.9.4."""
    client = sasl.connect()
    code, challenge = saslraw.step(client, b"username=bob")
    assert code == OK and b"nonce=" in challenge
    assert saslraw.step(client, saslraw.response("bob", "bobsecret", challenge))[0] == OK
    client.close_session()


def test_a_response_is_not_taken_twice(sasl):
    first, second = sasl.connect(), sasl.connect()
    _, challenge = saslraw.step(first, b"")
    token = saslraw.response("bob", "bobsecret", challenge)
    assert saslraw.step(second, b"")[0] == OK
    assert saslraw.step(second, token) == (AUTH_FAILED, None)  # the nonce is of another exchange
    assert saslraw.step(first, token)[0] == OK
    assert saslraw.step(first, token) == (AUTH_FAILED, None)


@pytest.mark.parametrize("key", ["sessionRequireClientSASLAuth=true", "requireClientAuthScheme=sasl"])
def test_sessions_can_require_it(start_server, login, key):
    name, value = key.split("=")
    sasl = start_server({**login, name: value})
    client = sasl.connect()
    assert client.get("/")[0] == SASL_REQUIRED
    assert client.is_closed()
    client = sasl.connect()
    assert saslraw.authenticate(client, "bob", "bobsecret")[0] == OK
    assert client.get("/")[0] == OK
    client.close_session()


def test_without_a_login_section_there_is_no_sasl(server):
    client = server.connect()
    assert saslraw.step(client, b"") == (OK, None)
    client.close_session()


def test_who_fails_often_is_answered_late(sasl):
    began = time.monotonic()
    for _ in range(14):
        client = sasl.connect()
        saslraw.authenticate(client, "bob", "wrong")
        client.sock.close()
    assert time.monotonic() - began > 1.0  # the attempts behind the tenth wait a second each


@pytest.mark.parametrize("text, found", [
    ("Server { org.apache.zookeeper.server.auth.DigestLoginModule required user_x=\"\"; };", "login.conf:1"), ("Server {", "login.conf:1"),
    ("Server { org.apache.zookeeper.server.auth.DigestLoginModule required user_bob=\"canary1\" user_bob=\"canary2\"; };", "login.conf:1"),
    ("Server { org.apache.zookeeper.server.auth.DigestLoginModule required; };", "no user"),
])
def test_a_bad_login_file_is_named(tmp_path, text, found):
    path = tmp_path / "login.conf"
    path.write_text(text)
    done = subprocess.run([server_module.BINARY, "serve", "--memory", "--listen", "127.0.0.1:0", "-D",
                           f"java.security.auth.login.config={path}"], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2 and found in done.stderr, done.stderr
    assert "canary" not in done.stderr + done.stdout


def test_a_required_proof_that_nobody_can_give_lets_nobody_in(start_server):
    """As with ZooKeeper, which starts too."""
    client = start_server({"sessionRequireClientSASLAuth": "true"}).connect()
    assert client.create("/a")[0] == SASL_REQUIRED
    assert client.is_closed()


def test_secrets_are_told_nobody(start_server, tmp_path):
    """Passwords of the login file, of addauth and of SASL are in no log, no word and no command line."""
    path = tmp_path / "login.conf"
    path.write_text('Server { org.apache.zookeeper.server.auth.DigestLoginModule required user_bob="canary-login"; };')
    sasl = start_server({"java.security.auth.login.config": str(path), **PROVIDER,
                         "DigestAuthenticationProvider.superDigest": "super:canary+digest+AAAAAAAAAAAA="},
                        arguments=["--log-level", "debug"])
    client = sasl.connect()
    saslraw.authenticate(client, "bob", "canary-wrong")
    client = sasl.connect()
    client.auth("digest", "super:canary-super")
    client.auth("digest", "user:canary-user")
    assert saslraw.authenticate(client, "bob", "canary-login")[0] == OK
    server_module.wait_until(lambda: "bob" in sasl.stderr(), what="who came is told")  # a thread writes the log
    told = sasl.stderr() + open(f"/proc/{sasl.process.pid}/cmdline").read()
    for word in ("conf", "envi", "cons", "stat", "srvr", "mntr", "dump", "dirs"):
        told += zkraw.four_letters(sasl.address, word)
    assert "canary" not in told, told
    client.close_session()


def test_a_name_is_hashed_like_javas(tmp_path):
    done = subprocess.run([server_module.BINARY, "digest", "super"], input="test\n", capture_output=True, text=True,
                          timeout=20, check=False)
    assert (done.returncode, done.stdout) == (0, server_module.SUPER_DIGEST + "\n")
    done = subprocess.run([server_module.BINARY, "digest", "super:canary"], input="", capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.returncode == 2 and "canary" not in done.stderr
