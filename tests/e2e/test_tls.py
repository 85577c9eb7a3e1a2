# SPDX-License-Identifier: Apache-2.0
"""TLS: who is let in, who he is then, and that everything else works as without it. With FK_TLS_ORACLE=1 against the
real ZooKeeper 3.9.4."""
import contextlib
import importlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import time

import pytest

import pki
import server as server_module
import tls_server
import zkraw
from tls_server import ORACLE
from zkraw import ALL, AUTH_FAILED, INVALID_ACL, NO_AUTH, OK, READ

pytestmark = pytest.mark.only_ours("Debian's 3.8.0 has no Netty; FK_TLS_ORACLE=1 is for these")
only_ours = pytest.mark.skipif(ORACLE, reason="not what ZooKeeper does")
PASSWORD = "correct-horse"
NAME = "CN=alice,OU=Ops,O=Acme\\, Inc,C=DE"
MEGABYTE = 1000 * 1000


class Pki:
    """The certificates of all tests here."""

    def __init__(self, directory):
        self.directory = directory
        self.ca = pki.Authority(directory)
        self.server = self.ca.issue("server")
        self.other_server = self.ca.issue("other-server", kind="rsa")
        self.alice = self.ca.issue("alice", "/C=DE/O=Acme, Inc/OU=Ops/CN=alice")
        self.bob = self.ca.issue("bob")
        self.mallory = pki.Authority(directory / "other", "other").issue("mallory")
        self.old = self.ca.issue("old", days="0")  # ends the moment it is made

    def config(self, **more):
        """Keys of a server that wants certificates of clients (ZooKeeper 3.9.4 speaks 1.3 only where none are named)."""
        keys = {"ssl.enabledProtocols": "TLSv1.3,TLSv1.2",
                "ssl.keyStore.location": self.server.pem, "ssl.keyStore.type": "PEM",
                "ssl.trustStore.location": self.ca.cert, "ssl.trustStore.type": "PEM",
                "ssl.clientAuth": "need", "ssl.clientHostnameVerification": "false"}
        return {**keys, **{key.replace("__", "."): value for key, value in more.items()}}

    def as_client(self, certificate=None, **versions):
        return tls_server.context(self.ca, certificate, **versions)


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def start(tmp_path):
    with contextlib.ExitStack() as stack:
        def start_one(config):
            server = tls_server.start(tmp_path / f"server-{time.monotonic_ns()}", config)
            stack.callback(server.kill)
            stack.callback(server.finish)
            return server
        yield start_one


@pytest.fixture(scope="module")
def shared(certs, tmp_path_factory):
    """A server that wants certificates, for tests that leave it clean."""
    server = tls_server.start(tmp_path_factory.mktemp("tls"), certs.config())
    yield server
    server.finish()


def secure(server, context, **handshake):
    return tls_server.Connection(server.secure, context, **handshake)


def is_refused(server, context):
    try:
        client = secure(server, context)
    except zkraw.Closed:
        return True
    client.close_session()
    return False


def ids_of(client):
    """Scheme and id of each identity of the session."""
    reply = client.call(zkraw.WHO_AM_I)
    reader = zkraw.Reader(reply.body)
    return [(reader.ustring(), reader.ustring()) for _ in range(reader.int32())]


# ---- who is let in

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_with_a_certificate(shared, certs, version):
    client = secure(shared, certs.as_client(certs.alice, oldest=version, newest=version))
    assert client.sock.version() == {771: "TLSv1.2", 772: "TLSv1.3"}[version]
    assert client.create("/x", b"data") == (OK, "/x")
    assert client.get("/x")[:2] == (OK, b"data")
    assert client.delete("/x") == OK
    client.close_session()


def test_who_has_none_is_refused(shared, certs):
    assert is_refused(shared, certs.as_client())
    assert is_refused(shared, certs.as_client(newest=ssl.TLSVersion.TLSv1_2))
    assert is_refused(shared, certs.as_client(certs.mallory))
    assert is_refused(shared, certs.as_client(certs.old))
    assert not is_refused(shared, certs.as_client(certs.bob))


@pytest.mark.parametrize("mode, without, strange", [("want", False, True), ("none", False, False)])
def test_certificates_that_are_not_needed(start, certs, mode, without, strange):
    server = start(certs.config(ssl__clientAuth=mode))
    assert is_refused(server, certs.as_client()) == without
    assert is_refused(server, certs.as_client(certs.mallory)) == strange
    assert not is_refused(server, certs.as_client(certs.alice))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_refused(shared, certs, version):
    assert is_refused(shared, certs.as_client(certs.alice, oldest=version, newest=version))


def test_a_plain_client_on_the_port_for_tls(shared, certs):
    plain = zkraw.Connection(shared.secure, connect=False)
    plain.send(zkraw.frame(zkraw.connect_request()))
    with pytest.raises((zkraw.Closed, AssertionError)):  # an alert at most, which is no frame
        plain.read_connect_response()
    assert not is_refused(shared, certs.as_client(certs.alice))


def test_tls_on_the_plain_port(shared, certs):
    with pytest.raises(zkraw.Closed):
        tls_server.Connection(shared.address, certs.as_client(certs.alice))
    client = shared.connect()
    client.close_session()


def test_four_letter_words_through_tls(shared, certs):
    client = secure(shared, certs.as_client(certs.alice), connect=False)
    client.send(b"ruok")
    client._fill(4, zkraw.WAIT_SECONDS)
    assert client.received == b"imok" and client.sock.recv(10) == b""


def test_port_unification(start, certs):
    server = start(certs.config(client__portUnification="true"))
    plain = server.connect()
    sealed = tls_server.Connection(server.address, certs.as_client(certs.alice))
    assert plain.create("/x", b"1") == (OK, "/x")
    assert sealed.get("/x", watch=True)[:2] == (OK, b"1")
    assert plain.set("/x", b"2")[0] == OK
    assert sealed.event()[:1] == (zkraw.DATA_CHANGED,)
    assert ("x509", NAME) in ids_of(sealed)
    assert not [one for one in ids_of(plain) if one[0] == "x509"]
    with pytest.raises(zkraw.Closed):
        tls_server.Connection(server.address, certs.as_client())
    assert zkraw.four_letters(server.address, "ruok") == "imok"
    assert not is_refused(server, certs.as_client(certs.alice))
    plain.close_session()
    sealed.close_session()


@only_ours
def test_only_named_versions_and_suites(start, certs):
    server = start(certs.config(ssl__enabledProtocols="TLSv1.2",
                                ssl__ciphersuites="TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"))
    client = secure(server, certs.as_client(certs.alice))
    assert client.sock.cipher()[:2] == ("ECDHE-ECDSA-AES256-GCM-SHA384", "TLSv1.2")
    client.close_session()
    other = certs.as_client(certs.alice, newest=ssl.TLSVersion.TLSv1_2)
    other.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    assert is_refused(server, other)
    assert is_refused(server, certs.as_client(certs.alice, oldest=ssl.TLSVersion.TLSv1_3))


def test_revoked_certificates(start, certs):
    trust = certs.ca.revocation_list(certs.bob)
    if ORACLE:
        pytest.skip("Java takes revocation lists from addresses in certificates only")
    server = start(certs.config(ssl__trustStore__location=trust, ssl__crl="true"))
    assert is_refused(server, certs.as_client(certs.bob))
    assert not is_refused(server, certs.as_client(certs.alice))


@only_ours
def test_the_address_in_a_client_certificate(start, certs):
    elsewhere = certs.ca.issue("elsewhere", san="IP:192.0.2.1")
    server = start(certs.config(ssl__clientHostnameVerification="true"))
    assert is_refused(server, certs.as_client(elsewhere))
    assert not is_refused(server, certs.as_client(certs.alice))


# ---- who he is then

def test_the_subject_is_an_identity(shared, certs):
    alice, bob = (secure(shared, certs.as_client(one)) for one in (certs.alice, certs.bob))
    assert ("x509", NAME) in ids_of(alice) and ("x509", "CN=bob") in ids_of(bob)
    assert alice.auth("x509", "") == OK
    assert alice.create("/mine", b"secret", [(ALL, "x509", NAME)]) == (OK, "/mine")
    assert bob.get("/mine")[0] == NO_AUTH
    assert alice.get("/mine")[:2] == (OK, b"secret")
    assert alice.create("/auth", b"", [(ALL, "auth", "")]) == (OK, "/auth")
    assert alice.get_acl("/auth")[1] == [(ALL, "x509", NAME)]
    assert bob.set("/auth", b"x")[0] == NO_AUTH
    assert alice.create("/bad", b"", [(ALL, "x509", "no name")])[0] == INVALID_ACL
    for path in ("/auth", "/mine"):
        assert alice.delete(path) == OK
    alice.close_session()
    bob.close_session()


def test_addauth_without_a_certificate_fails(shared):
    client = shared.connect()
    assert client.auth("x509", "") == AUTH_FAILED
    assert client.is_closed()


def test_the_super_user(start, certs):
    server = start(certs.config(X509AuthenticationProvider__superUser=NAME.replace("\\", "\\\\")))
    alice, bob = (secure(server, certs.as_client(one)) for one in (certs.alice, certs.bob))
    assert bob.create("/b", b"x", [(READ, "x509", "CN=bob")]) == (OK, "/b")
    assert alice.get("/b")[:2] == (OK, b"x")
    assert ("super", "") in ids_of(alice) and not [one for one in ids_of(bob) if one[0] == "super"]
    assert alice.delete("/b") == OK
    alice.close_session()
    bob.close_session()


# ---- bytes

def test_large_frames_both_ways(shared, certs):
    data = os.urandom(MEGABYTE)
    client = secure(shared, certs.as_client(certs.alice))
    assert client.create("/big", data) == (OK, "/big")
    for _ in range(20):
        assert client.get("/big")[1] == data
    for _ in range(20):  # nobody reads meanwhile: what is unsent waits
        client.post(zkraw.GET_DATA, zkraw.path_watch("/big"))
    time.sleep(0.3)
    for _ in range(20):
        assert len(client.reply().body) == 4 + MEGABYTE + 68
    assert client.delete("/big") == OK
    client.close_session()


def test_requests_in_one_record_and_in_many(shared, certs):
    client = secure(shared, certs.as_client(certs.alice))
    pings = b"".join(zkraw.frame(zkraw.int32(-2) + zkraw.int32(zkraw.PING)) for _ in range(500))
    client.send(pings)
    for at in range(0, 12 * 20, 5):
        client.send(pings[at:at + 5])
    assert [client.reply().xid for _ in range(520)] == [-2] * 520
    client.close_session()


@only_ours  # ZooKeeper keeps a connection of TLS 1.3 that said close_notify until its session ends
def test_the_end_is_told_both_ways(shared, certs):
    client = secure(shared, certs.as_client(certs.alice))
    client.post(zkraw.CLOSE_SESSION)
    client.reply()
    assert client.sock.recv(10) == b""  # close_notify: a cut would be an error
    session = secure(shared, certs.as_client(certs.alice))
    raw = session.sock.unwrap()  # says close_notify, waits for the server's
    raw.settimeout(zkraw.WAIT_SECONDS)
    with contextlib.suppress(ConnectionResetError):
        assert raw.recv(10) == b""
    again = secure(shared, certs.as_client(certs.alice), session=session.session, password=session.password)
    assert again.session == session.session
    again.close_session()


def test_a_session_moves_between_the_ports(shared, certs):
    first = shared.connect()
    second = secure(shared, certs.as_client(certs.alice), session=first.session, password=first.password)
    assert second.session == first.session and first.is_closed()
    third = shared.connect(session=first.session, password=first.password)
    assert third.session == first.session
    third.close_session()


# ---- those who mean harm, and those who are slow

GARBAGE = [b"GET / HTTP/1.1\r\n\r\n", bytes(64), b"\x16\x03\x01\xff\xff" + bytes(70000), b"\x80\x2e\x01\x00\x02" + bytes(64),
           b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03", b"\x15\x03\x03\x00\x02\x02\x28", os.urandom(4096)]


@pytest.mark.parametrize("number", range(len(GARBAGE)))
def test_garbage_instead_of_a_hello(shared, certs, number):
    raw = zkraw.open_socket(shared.secure)
    with contextlib.suppress(OSError):  # the end may come before all is sent
        raw.sendall(GARBAGE[number])
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(4096):  # an alert may come
            pass
    assert not is_refused(shared, certs.as_client(certs.alice))


def hello_of(context):
    """The first bytes that a client says."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


@only_ours
def test_slow_handshakes_end(start, certs):
    server = start(certs.config())
    before = server.open_files()
    hello = hello_of(certs.as_client(certs.alice))
    slow = [zkraw.open_socket(server.secure) for _ in range(20)]
    for number, raw in enumerate(slow):
        raw.sendall(hello[:number * 10] if number < 19 else hello)
    assert not is_refused(server, certs.as_client(certs.alice))
    began = time.monotonic()
    for raw in slow:
        with contextlib.suppress(ConnectionResetError):
            while raw.recv(1 << 16):
                pass
    assert time.monotonic() - began < 12
    server_module.wait_until(lambda: server.open_files() <= before + 5, what="their descriptors are free again")


def test_a_hello_byte_by_byte(shared, certs):
    raw = zkraw.open_socket(shared.secure)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = certs.as_client(certs.alice).wrap_bio(incoming, outgoing, server_hostname="localhost")
    while True:
        try:
            client.do_handshake()
            break
        except ssl.SSLWantReadError:
            for byte in outgoing.read():
                raw.sendall(bytes([byte]))
            incoming.write(raw.recv(1))
    for byte in outgoing.read():
        raw.sendall(bytes([byte]))
    client.write(zkraw.frame(zkraw.connect_request()))
    raw.sendall(outgoing.read())
    answer = b""
    while len(answer) < 41:
        incoming.write(raw.recv(4096))
        with contextlib.suppress(ssl.SSLWantReadError):
            answer += client.read(100)
    assert zkraw.Reader(answer).int32() == 37
    raw.close()


def test_no_renegotiation(shared, certs):
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{shared.secure[1]}", "-tls1_2", "-cert", certs.alice.cert,
         "-key", certs.alice.key], input=b"R\n", capture_output=True, timeout=30, check=False)
    assert b"RENEGOTIATING" in done.stdout + done.stderr
    assert re.search(rb"no renegotiation|handshake failure|unexpected message|alert", done.stderr) or ORACLE
    assert not is_refused(shared, certs.as_client(certs.alice))


@only_ours
def test_cut_handshakes_leave_nothing(start, certs):
    server = start(certs.config())
    hello = hello_of(certs.as_client(certs.alice))
    before = server.open_files()
    for number in range(300):
        raw = zkraw.open_socket(server.secure)
        raw.sendall(hello[:number] if number % 2 else hello)
        raw.close()
    server_module.wait_until(lambda: server.open_files() <= before + 5, what="their descriptors are free again")
    assert not is_refused(server, certs.as_client(certs.alice))


# ---- other people's clients

def test_kazoo(shared, certs):
    kazoo = importlib.import_module("kazoo.client")
    client = kazoo.KazooClient(f"localhost:{shared.secure[1]}", use_ssl=True, ca=str(certs.ca.cert),
                               certfile=str(certs.alice.cert), keyfile=str(certs.alice.key), verify_certs=True)
    client.start(timeout=zkraw.WAIT_SECONDS)
    seen = []
    assert client.create("/kazoo", b"v1") == "/kazoo"
    assert client.get("/kazoo", watch=seen.append)[0] == b"v1"
    client.set("/kazoo", os.urandom(MEGABYTE))
    server_module.wait_until(lambda: seen, what="the event")
    assert len(client.get("/kazoo")[0]) == MEGABYTE
    client.delete("/kazoo")
    client.stop()
    client.close()


def test_kazoo_knows_a_wrong_server(start, certs):
    kazoo = importlib.import_module("kazoo.client")
    server = start(certs.config(ssl__clientAuth="none"))
    client = kazoo.KazooClient(f"localhost:{server.secure[1]}", use_ssl=True, ca=str(certs.mallory.issuer.cert),
                               verify_certs=True)
    with pytest.raises(client.handler.timeout_exception):
        client.start(timeout=2)
    client.stop()
    client.close()


@pytest.mark.skipif(shutil.which("java") is None, reason="no java")
def test_zkcli(shared, certs):
    flags = {"zookeeper.clientCnxnSocket": "org.apache.zookeeper.ClientCnxnSocketNetty",
             "zookeeper.client.secure": "true", "zookeeper.ssl.keyStore.location": certs.alice.pem,
             "zookeeper.ssl.trustStore.location": certs.ca.pem}
    done = subprocess.run(["java", "-Xmx128m", *[f"-D{key}={value}" for key, value in flags.items()], "-cp",
                           tls_server.oracle.class_path(), "org.apache.zookeeper.ZooKeeperMain", "-server",
                           f"localhost:{shared.secure[1]}", "whoami"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert NAME in done.stdout, done.stdout + done.stderr


def numbers_of(server):
    """Those of mntr that tell of handshakes."""
    lines = [line.split("\t") for line in zkraw.four_letters(server.address, "mntr").splitlines()]
    return {key.removeprefix("zk_"): int(value) for key, value in lines if "handshake" in key}


@only_ours  # the real one counted none that wait, as far as the first answer had come
def test_handshakes_are_counted_and_bounded(start, certs):
    server = start(certs.config(netty__server__outstandingHandshake__limit="3"))
    before = numbers_of(server)
    assert set(before.values()) == {0} and len(before) == 3
    assert is_refused(server, certs.as_client())
    assert not is_refused(server, certs.as_client(certs.alice))
    assert numbers_of(server)["unsuccessful_handshake"] == 1
    hello = hello_of(certs.as_client(certs.alice))
    waiting = [zkraw.open_socket(server.secure) for _ in range(3)]
    for raw in waiting:
        raw.sendall(hello)
        assert raw.recv(1)
    assert numbers_of(server)["outstanding_tls_handshake"] == 3
    assert is_refused(server, certs.as_client(certs.alice))
    assert numbers_of(server)["tls_handshake_exceeded"] == 1
    for raw in waiting:
        raw.close()
    server_module.wait_until(lambda: numbers_of(server)["outstanding_tls_handshake"] == 0, what="they are gone")
    assert not is_refused(server, certs.as_client(certs.alice))
    assert numbers_of(server)["unsuccessful_handshake"] in (4, 5)
