# SPDX-License-Identifier: Apache-2.0
"""Each known vulnerability of ZooKeeper, as a test of ours. The table in SECURITY.md names these tests."""
import contextlib
import http.client
import os
import pathlib
import re
import ssl
import subprocess
import time

import pytest

import pki
import saslraw
import server as server_module
import tls_server
import zkraw
from zkraw import ADMIN, ALL, AUTH_FAILED, DATA_CHANGED, NO_AUTH, OK, READ

pytestmark = pytest.mark.only_ours("Debian's 3.8.0 has some of them")

CANARY = "canary-7f3a91"
LOGIN = f"""Server {{
    org.apache.zookeeper.server.auth.DigestLoginModule required user_super="{CANARY}-s" user_bob="{CANARY}-b";
}};
"""
SASL = {"authProvider.1": "org.apache.zookeeper.server.auth.SASLAuthenticationProvider"}


@pytest.fixture
def login(tmp_path):
    path = tmp_path / "login.conf"
    path.write_text(LOGIN)
    path.chmod(0o600)
    return {"java.security.auth.login.config": str(path), **SASL}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return pki.Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def start_tls(tmp_path, authority):
    """start_tls(keys) -> a server with a port for TLS that wants certificates."""
    keys = {"ssl.keyStore.location": authority.issue("server").pem, "ssl.trustStore.location": authority.cert}
    with contextlib.ExitStack() as stack:
        def start_one(**more):
            server = tls_server.start(tmp_path / "tls", {**keys, **{k.replace("__", "."): v for k, v in more.items()}})
            stack.callback(server.kill)
            stack.callback(server.finish)
            return server
        yield start_one


def private(user, perms=ALL):
    return [(perms, "digest", zkraw.digest_id(user))]


def ids(client):
    """What whoAmI tells: (scheme, id) pairs."""
    reader = zkraw.Reader(client.call(zkraw.WHO_AM_I).body)
    return {(reader.ustring(), reader.ustring()) for _ in range(reader.int32())}


def sessions(server):
    found = re.search(r"zk_global_sessions\t(\d+)", zkraw.four_letters(server.address, "mntr"))
    return int(found.group(1)) if found else None


def listening(pid):
    """The TCP ports that a process listens on."""
    inodes = set()
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.update(re.findall(r"socket:\[(\d+)\]", os.readlink(link)))
    ports = set()
    for name in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                ports.add(int(fields[1].rsplit(":", 1)[1], 16))
    return ports


# ---- what is told

def test_cve_2026_24308_secrets_are_not_logged(start_server, login, tmp_path):
    """Configuration values in the log (3.9.4 logs those of its client at INFO)."""
    keys = {"DigestAuthenticationProvider.superDigest": f"super:{CANARY}-hash",
            "ssl.keyStore.password": f"{CANARY}-key",
            "SASLAuthenticationProvider.superPassword": f"{CANARY}-super", **login}
    server = start_server(keys, arguments=["--log-level", "debug"])
    client = server.connect()
    assert client.auth("digest", f"user:{CANARY}-password") == OK
    client.create("/node", f"{CANARY}-data".encode(), private(f"user:{CANARY}-password"))
    assert server.connect().auth("no-such-scheme", f"{CANARY}-other") == AUTH_FAILED
    client.send(zkraw.frame(f"{CANARY}-garbage".encode()))  # what does not parse either
    words = "".join(zkraw.four_letters(server.address, word)
                    for word in "srvr stat mntr envi conf cons dump wchs wchc wchp dirs".split())
    command = pathlib.Path(f"/proc/{server.pid()}/cmdline").read_bytes().decode()
    server.stop()
    for place, text in (("log", server.stderr()), ("words", words), ("command line", command)):
        assert CANARY not in text, f"{place}: {text[max(0, text.index(CANARY) - 200):][:400]}"
    bad = tmp_path / "bad.cfg"
    bad.write_text(f"ssl.keyStore.password={CANARY}\nDigestAuthenticationProvider.superDigest={CANARY}\n")
    done = subprocess.run([server_module.BINARY, "serve", "--memory", "--config", str(bad)], capture_output=True,
                          text=True, timeout=30, check=False)
    assert done.returncode == 2 and CANARY not in done.stderr + done.stdout


def test_cve_2019_0201_get_acl_needs_permission_and_hides_hashes(connect):
    owner, stranger = connect(), connect()
    owner.auth("digest", "owner:secret")
    assert owner.create("/cve-2019-0201", b"", private("owner:secret"))[0] == OK
    assert stranger.get_acl("/cve-2019-0201")[0] == NO_AUTH
    readable = private("owner:secret") + [(READ, "world", "anyone")]
    assert owner.set_acl("/cve-2019-0201", readable)[0] == OK
    told = stranger.get_acl("/cve-2019-0201")[1]
    assert ("digest", "owner:x") in [entry[1:] for entry in told]
    assert zkraw.digest_id("owner:secret") not in str(told)
    assert owner.get_acl("/cve-2019-0201")[1] == readable
    assert owner.set_acl("/cve-2019-0201", private("owner:secret") + [(ADMIN, "world", "anyone")])[0] == OK
    assert zkraw.digest_id("owner:secret") in str(stranger.get_acl("/cve-2019-0201")[1])
    owner.delete("/cve-2019-0201")


@pytest.mark.parametrize("mode", [zkraw.MODE_PERSISTENT, zkraw.MODE_RECURSIVE])
def test_cve_2024_23944_watches_tell_only_who_may_read(connect, mode):
    """Permission is asked for when the event is delivered, on the node that the event names."""
    owner, stranger, root = connect(), connect(), "/cve-2024-23944"
    owner.auth("digest", "owner:secret")
    assert owner.create(root)[0] == OK
    assert stranger.call(zkraw.ADD_WATCH, zkraw.ustring(root) + zkraw.int32(mode)).err == OK
    assert owner.create(root + "/secret-name", b"", private("owner:secret"))[0] == OK
    assert owner.set(root + "/secret-name", b"1")[0] == OK
    assert owner.create(root + "/secret-name/below")[0] == OK  # open itself
    seen = stranger.take_events()
    assert root + "/secret-name" not in [path for _, path in seen]
    assert owner.set_acl(root, private("owner:secret"))[0] == OK  # between the watch and the event
    assert owner.set(root, b"2")[0] == OK
    assert owner.create(root + "/other", b"", private("owner:secret"))[0] == OK
    assert stranger.take_events() == []
    assert owner.set_acl(root, zkraw.OPEN_ACL)[0] == OK
    assert owner.set(root, b"3")[0] == OK
    assert stranger.take_events() == [(DATA_CHANGED, root)]
    for path in ("/secret-name/below", "/secret-name", "/other", ""):
        assert owner.delete(root + path) == OK


def test_zookeeper_2590_exists_needs_read(connect):
    owner, stranger = connect(), connect()
    owner.auth("digest", "owner:secret")
    assert owner.create("/zookeeper-2590", b"", private("owner:secret"))[0] == OK
    assert stranger.exists("/zookeeper-2590") == (NO_AUTH, None)
    assert owner.exists("/zookeeper-2590")[0] == OK
    owner.delete("/zookeeper-2590")


# ---- who somebody is

@pytest.mark.parametrize("lie", [
    b"PROXY TCP4 10.9.8.7 127.0.0.1 4711 2181\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x0a\x09\x08\x07\x7f\0\0\1\x12\x67\x08\x85",
    b"GET /commands/snapshot HTTP/1.1\r\nX-Forwarded-For: 10.9.8.7\r\nHost: x\r\n\r\n",
], ids=["PROXY", "PROXY2", "X-Forwarded-For"])
def test_cve_2024_51504_an_address_is_that_of_the_socket(server, connect, lie):
    """What says that somebody comes from elsewhere is no frame, and ends the connection."""
    liar = zkraw.Connection(server.address, connect=False)
    liar.send(lie + zkraw.frame(zkraw.connect_request()))
    assert liar.is_closed()
    client = connect()
    assert ids(client) == {("ip", "127.0.0.1")}
    client.auth("ip", "10.9.8.7")
    assert ids(client) == {("ip", "127.0.0.1")}
    owner = connect()
    owner.auth("digest", "owner:secret")
    path = "/cve-2024-51504"
    assert owner.create(path, b"", private("owner:secret") + [(READ, "ip", "10.9.8.7")])[0] == OK
    assert client.get(path)[0] == NO_AUTH
    owner.delete(path)


def test_cve_2026_24281_names_are_not_looked_up_in_reverse(start_tls, authority):
    """A client's certificate must name its address. That 127.0.0.1 is called localhost says nothing."""
    server = start_tls(ssl__clientHostnameVerification="true")
    named = authority.issue("named", san="DNS:localhost")
    addressed = authority.issue("addressed", san="IP:127.0.0.1")
    common = authority.issue("localhost", san="")  # only the common name, which is no name of a host
    for certificate in (named, common):
        with pytest.raises(zkraw.Closed):
            tls_server.Connection(server.secure, tls_server.context(authority, certificate))
    tls_server.Connection(server.secure, tls_server.context(authority, addressed)).close_session()


def test_zookeeper_3905_no_session_without_the_certificate(start_tls, authority, tmp_path):
    """A storm of clients with certificates of somebody else: not one session is made."""
    server = start_tls()
    good = tls_server.Connection(server.secure, tls_server.context(authority, authority.issue("good")))
    good.ping()
    before, files = sessions(server), server.open_files()
    stranger = pki.Authority(tmp_path / "stranger", "stranger").issue("mallory")
    bad = tls_server.context(authority, stranger)
    for _ in range(100):
        with pytest.raises((zkraw.Closed, ssl.SSLError, OSError)):
            tls_server.Connection(server.secure, bad)
    assert sessions(server) == before
    server_module.wait_until(lambda: server.open_files() <= files, 20, "descriptors are closed")
    good.close_session()


def test_cve_2023_44981_a_missing_part_of_a_credential_fails(start_server, login):
    """Optional parts of a SASL name let anybody join a quorum. Nobody gets an identity by leaving something out."""
    server = start_server(login)
    changes = [{}] + [dict([one]) for one in (("username", None), ("realm", None), ("nonce", None), ("response", None),
                                       ("cnonce", None), ("username", '""'), ("realm", '""'), ("nonce", '""'),
                                       ("response", ""), ("digest-uri", None), ("digest-uri", '""'), ("nc", None))]
    accepted = []
    for change in changes:
        client = server.connect()
        challenge = saslraw.step(client, b"")[1]
        good = saslraw.response("bob", f"{CANARY}-b", challenge).decode()
        try:
            code, _ = saslraw.step(client, altered(good, change).encode())
        except (zkraw.Closed, ConnectionError):
            continue
        if code == OK and ("sasl", "bob") in ids(client):
            accepted.append(change)
        client.abort()
    assert accepted == [{}], accepted  # only the whole one


def altered(response, change):
    """The response with one of its fields left out (None) or replaced."""
    if not change:
        return response
    (name, value), = change.items()
    parts = [part for part in re.findall(r'[^,=]+=(?:"[^"]*"|[^,]*)', response) if not part.startswith(name + "=")]
    return ",".join(parts + ([f"{name}={value}"] if value is not None else []))


def test_credentials_without_a_part_prove_nothing(server, connect):
    owner, path = connect(), "/credentials"
    owner.auth("digest", "owner:secret")
    assert owner.create(path, b"", private("owner:secret"))[0] == OK
    for scheme, credential in (("digest", b""), ("digest", b":"), ("digest", b"owner"), ("digest", b"owner:"),
                               ("digest", b":secret"), ("digest", b"owner:secret\0"), ("", b"owner:secret"),
                               ("digest\0", b"owner:secret"), ("super", b"x"), ("auth", b"owner:secret"),
                               ("world", b"anyone"), ("x509", b"CN=owner"), ("sasl", b"owner")):
        stranger = zkraw.Connection(server.address)
        with contextlib.suppress(zkraw.Closed):
            stranger.auth(scheme, credential)
            assert stranger.get(path)[0] == NO_AUTH, (scheme, credential)
        stranger.abort()
    owner.delete(path)


# ---- who may ask for what, and what it costs

def test_cve_2025_58457_and_2018_8012_only_the_client_port_listens(start_server):
    """No admin port unless it is asked for; and no port where a server could join without authentication."""
    server = start_server({"server.1": "127.0.0.1:2888:3888"})
    assert listening(server.pid()) == {server.address[1]}


def ask_admin(port, path, method="GET", body=None, **headers):
    """Status and text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    with contextlib.closing(connection):
        return answer.status, answer.read().decode()


@pytest.fixture
def admin(start_server):
    """A server with an admin port, and a node that only its owner may read."""
    port = server_module.free_port()
    server = start_server({"admin.enableServer": "true", "admin.serverPort": str(port),
                           "admin.rateLimiterIntervalInMS": "0", "X509AuthenticationProvider.superUser": "CN=root"})
    server.admin_port = port
    client = server.connect(timeout=30000)
    client.auth("digest", "owner:secret")
    assert client.create("/private", CANARY.encode(), private("owner:secret"))[0] == OK
    return server


@pytest.mark.parametrize("identity", [None, "digest", "digest nobody:wrong", "digest owner:secret", "digest super:test",
                                      "ip 127.0.0.1", "x509 CN=root", "world anyone", "auth x", "sasl super"])
@pytest.mark.parametrize("method, command", [("GET", "snapshot"), ("POST", "snapshot"), ("GET", "restore"),
                                             ("POST", "restore"), ("GET", "snap"), ("POST", "rest")])
def test_cve_2025_58457_nobody_copies_the_tree_through_the_admin_port(admin, method, command, identity):
    """Whoever asks: no data comes out, and none goes in."""
    before = admin.connect().get("/private")[0]
    headers = {"Authorization": identity} if identity else {}
    body = b"ZKSN" + bytes(1000) if method == "POST" else None
    status, text = ask_admin(admin.admin_port, f"/commands/{command}?streaming=true", method, body, **headers)
    assert status >= 400 and CANARY not in text
    assert before == NO_AUTH == admin.connect().get("/private")[0]


def test_cve_2024_51504_the_admin_port_believes_no_header(admin):
    """ZooKeeper's took the address for its ip scheme from X-Forwarded-For."""
    names = ("X_Forwarded_For", "X_Real_IP", "Forwarded", "X_Client_IP", "Client_IP", "True_Client_IP")
    for command in ("snapshot", "restore", "connections", "watches"):
        plain = ask_admin(admin.admin_port, f"/commands/{command}", Authorization="ip 10.9.8.7")
        for name in names:
            lie = {name: "10.9.8.7", "Authorization": "ip 10.9.8.7"}
            told = ask_admin(admin.admin_port, f"/commands/{command}", **lie)
            assert told[0] == plain[0] and "10.9.8.7" not in told[1]


def test_cve_2018_8012_a_quorum_is_refused(tmp_path):
    config = tmp_path / "zoo.cfg"
    config.write_text("server.1=a:2888:3888\nserver.2=b:2888:3888\n")
    done = subprocess.run([server_module.BINARY, "serve", "--memory", "--config", str(config)], capture_output=True,
                          text=True, timeout=30, check=False)
    assert done.returncode == 2 and "server.N" in done.stderr


@pytest.mark.parametrize("word", ["wchp", "wchc", "wchs", "dump", "cons", "stat", "mntr", "envi", "conf"])
def test_cve_2017_5637_costly_words_are_off(start_server, word):
    """Listing every watch stopped the server. Without being asked for there is only srvr."""
    server = start_server({"4lw.commands.whitelist": None})
    client = server.connect()
    for number in range(500):
        client.exists(f"/canary-{number}", watch=True)
    answer = zkraw.four_letters(server.address, word)
    assert "canary" not in answer and len(answer) < 200
    assert "Zookeeper version" in zkraw.four_letters(server.address, "srvr")


def test_cve_2017_5637_a_flood_of_words_stops_nobody(start_server):
    """Even where they are allowed."""
    server = start_server({"4lw.commands.whitelist": "*"})
    client = server.connect()
    for number in range(5000):
        client.post(zkraw.EXISTS, zkraw.path_watch(f"/watched/by/us-{number}", True))
    while client.reply().xid != client.xid:
        pass
    before = server.resident_kb()
    socks = []
    for word in 100 * ["wchp", "wchc", "dump", "cons"]:
        sock = zkraw.open_socket(server.address)
        sock.sendall(word.encode())  # nobody reads the answers
        socks.append(sock)
    began = time.monotonic()
    for _ in range(20):
        assert client.ping().err == OK
    assert time.monotonic() - began < 10
    if server_module.MEASURES_MEMORY:
        assert server.resident_kb() - before < 256 * 1024
    for sock in socks:
        sock.close()


def test_cve_2016_5017_long_words_on_the_command_line():
    """ZooKeeper's C shell copied a command into a buffer of fixed size. We have no shell, but a command line."""
    long = "x" * 60000
    for words in (["serve", "--listen", long], ["serve", "--memory", "--data", long], ["serve", "--config", long],
                  ["serve", "-D", long], ["serve", "-D", f"{long}={long}", "--listen", "bad"], ["digest", long],
                  [long]):
        done = subprocess.run([server_module.BINARY, *words], capture_output=True, timeout=30, check=False, text=True,
                              stdin=subprocess.DEVNULL)
        assert done.returncode in (0, 1, 2), (words[:2], done.returncode, done.stderr[:300])


# ---- what else is in the process

DEPENDENCIES = {"libc", "libm", "libuv", "libsqlite3", "libssl", "libcrypto", "libsasl2", "libjansson", "libsystemd",
                "libseccomp", "libz", "libgssapi_krb5", "libkrb5", "libkrb5support",
                "libk5crypto", "libcom_err", "libkeyutils", "libresolv"}


@pytest.mark.skipif(server_module.SANITIZED, reason="the sanitizers' own libraries")
def test_few_dependencies():
    """Most of ZooKeeper's security releases are for its libraries. A new one here is a decision."""
    shown = subprocess.run(["readelf", "-d", server_module.BINARY], capture_output=True, text=True, check=True).stdout
    needed = {name.split(".so")[0] for name in re.findall(r"NEEDED.*\[(.*?)\]", shown)}
    assert needed and needed <= DEPENDENCIES, needed - DEPENDENCIES
    assert len(needed) <= 10


# ---- classes of errors in ZooKeeper's history: ephemerals that stay, floods, leaks

def test_zookeeper_1208_no_ephemeral_outlives_its_session(start_server):
    """Creates on their way when the session ends, by its client or by time."""
    server = start_server({"tickTime": "500"})
    looking = server.connect(timeout=10000)
    for turn in range(20):
        client = server.connect(timeout=1000)
        for number in range(50):
            client.post(zkraw.CREATE, zkraw.create_body(f"/e-{turn}-{number}", b"", flags=zkraw.EPHEMERAL))
        client.post(zkraw.CLOSE_SESSION)
        client.post(zkraw.CREATE, zkraw.create_body(f"/late-{turn}", b"", flags=zkraw.EPHEMERAL))
        if turn % 2:
            client.abort()
    server_module.wait_until(lambda: looking.children("/")[1] == ["zookeeper"], 15, "they are all gone")


def test_zookeeper_3059_nothing_leaks_where_somebody_fails(start_server):
    """Failed handshakes and failed authentication: descriptors and memory come back."""
    server = start_server()
    looking = server.connect(timeout=30000)

    def fail_some(turn):
        for number in range(1, 250):
            # Addresses of their own: who fails often is made to wait.
            client = zkraw.Connection(server.address, connect=False, source=f"127.0.{number}.{1 + turn}")
            if number % 3 == 0:
                client.handshake(session=0x1234567, password=b"wrong" + bytes(11))
            elif number % 3 == 1:
                client.handshake()
                client.auth("nonsense", "x")
            else:
                client.send(zkraw.frame(zkraw.connect_request(last_zxid=1 << 60)))
            client.abort()
        looking.ping()

    fail_some(0)
    files, before = server.open_files(), server.resident_kb()
    for turn in range(1, 6):
        fail_some(turn)
    server_module.wait_until(lambda: looking.ping() and server.open_files() <= files + 2, 20, "descriptors are closed")
    if server_module.MEASURES_MEMORY:
        assert server.resident_kb() - before < 4096


def test_zookeeper_1049_a_flood_of_sessions_keeps_nobody_from_pinging(start_server):
    server = start_server({"tickTime": "500"})
    client = server.connect(timeout=1000)
    hello, socks, end = zkraw.frame(zkraw.connect_request(timeout=1000)), [], time.monotonic() + 4
    while time.monotonic() < end:
        for _ in range(50):
            sock = zkraw.open_socket(server.address)
            sock.sendall(hello)
            socks.append(sock)
        assert client.ping().err == OK
        while len(socks) > 500:
            socks.pop(0).close()
    assert client.ping().err == OK  # its session lives, with a timeout of a second
    for sock in socks:
        sock.close()
