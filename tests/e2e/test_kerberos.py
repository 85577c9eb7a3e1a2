# SPDX-License-Identifier: Apache-2.0
"""SASL GSSAPI against a Kerberos server of the test's own: MIT's KDC on a free port, its database in a temporary
directory. The client is MIT's library, through python3-gssapi."""
import os
import shutil
import subprocess

import pytest

import saslraw
import server as server_module
import zkraw
from zkraw import AUTH_FAILED, NO_AUTH, OK, SASL_REQUIRED

SBIN = "/usr/sbin:/usr/bin:/sbin:/bin"
TOOLS = ("krb5kdc", "kadmin.local", "kdb5_util", "kinit")
MISSING = [tool for tool in TOOLS if not shutil.which(tool, path=SBIN)]
try:
    import gssapi
except ImportError:
    MISSING.append("python3-gssapi")

pytestmark = [pytest.mark.only_ours("other configuration"),
              pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (tools/install.sh test)")]
REALM = "TEST.FAASKEEPER"
SERVICE = "zookeeper/localhost"
PROVIDER = {"authProvider.1": "org.apache.zookeeper.server.auth.SASLAuthenticationProvider"}


class Kdc:
    """A realm with the service and two users, whose tickets lie in caches of their own."""

    def __init__(self, directory):
        self.directory = directory
        self.port = server_module.free_port()
        self.env = {"PATH": SBIN, "KRB5_CONFIG": str(directory / "krb5.conf"), "KRB5_KDC_PROFILE": str(directory / "kdc.conf"),
                    "KRB5RCACHETYPE": "none"}
        (directory / "krb5.conf").write_text(
            f"[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = false\n dns_lookup_realm = false\n rdns = false\n"
            f" dns_canonicalize_hostname = false\n udp_preference_limit = 1\n"
            f"[realms]\n {REALM} = {{\n  kdc = 127.0.0.1:{self.port}\n }}\n")
        (directory / "kdc.conf").write_text(
            f"[kdcdefaults]\n kdc_listen = 127.0.0.1:{self.port}\n kdc_tcp_listen = 127.0.0.1:{self.port}\n"
            f"[realms]\n {REALM} = {{\n  database_name = {directory}/principal\n  key_stash_file = {directory}/stash\n"
            f"  acl_file = {directory}/acl\n }}\n")
        self.run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        self.admin(f"addprinc -randkey {SERVICE}", f"ktadd -k {directory}/service.keytab {SERVICE}",
                   "addprinc -randkey other/localhost", f"ktadd -k {directory}/other.keytab other/localhost",
                   "addprinc -pw secret alice", "addprinc -pw secret bob/host")
        self.log = open(directory / "kdc.log", "ab")
        self.process = subprocess.Popen(["krb5kdc", "-n", "-P", str(directory / "pid")], env=self.env, stdout=self.log,
                                        stderr=self.log, stdin=subprocess.DEVNULL)
        server_module.wait_until(lambda: self.answers(), what="the KDC listens")

    def run(self, *words, **options):
        return subprocess.run(words, env=self.env, check=True, capture_output=True, text=True, timeout=60, **options)

    def admin(self, *queries):
        for query in queries:
            self.run("kadmin.local", "-r", REALM, "-q", query)

    def answers(self):
        assert self.process.poll() is None, (self.directory / "kdc.log").read_text()
        return f"{self.port:04X}" in open("/proc/net/tcp").read()

    def ticket(self, user):
        """The environment of a client with the user's ticket."""
        cache = str(self.directory / f"cache-{user.replace('/', '-')}")
        self.run("kinit", "-c", cache, user, input="secret\n")
        return {**self.env, "KRB5CCNAME": cache}

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    if MISSING:
        pytest.skip("no KDC")
    one = Kdc(tmp_path_factory.mktemp("kdc"))
    yield one
    one.stop()


def login_file(tmp_path, keytab, principal=f"{SERVICE}@{REALM}"):
    path = tmp_path / "login.conf"
    path.write_text(f'Server {{ com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true '
                    f'keyTab="{keytab}" storeKey=true principal="{principal}"; }};')
    return str(path)


@pytest.fixture
def serve(kdc, tmp_path, start_server, monkeypatch):
    def start(config=None, keytab="service.keytab", **options):
        for name, value in kdc.env.items():
            if name != "PATH":
                monkeypatch.setenv(name, value)
        login = login_file(tmp_path, kdc.directory / keytab)
        return start_server({"java.security.auth.login.config": login, **PROVIDER, **(config or {})}, **options)
    return start


def authenticate(client, env, monkeypatch, target="zookeeper@localhost"):
    """The exchange of SASL's GSSAPI (RFC 4752) as a client; the code of the last answer."""
    monkeypatch.setenv("KRB5CCNAME", env["KRB5CCNAME"])
    monkeypatch.setenv("KRB5_CONFIG", env["KRB5_CONFIG"])
    name = gssapi.Name(target, gssapi.NameType.hostbased_service)
    context = gssapi.SecurityContext(name=name, usage="initiate", mech=gssapi.MechType.kerberos)
    token = context.step()
    while True:
        code, answer = saslraw.step(client, token or b"")
        if code != OK:
            return code
        if context.complete:
            break
        token = context.step(answer)
        if context.complete and not token:
            token = b""
    layers = context.unwrap(answer).message  # which security layers the server has, and its largest message
    assert layers[0] & 1, layers
    return saslraw.step(client, context.wrap(b"\x01\x00\x00\x00", False).message)[0]


def ids(client):
    reader = zkraw.Reader(client.call(zkraw.WHO_AM_I).body)
    return {(reader.ustring(), reader.ustring()) for _ in range(reader.int32())}


@pytest.mark.parametrize("options, user, identity", [
    ({}, "alice", f"alice@{REALM}"),
    ({"kerberos.removeRealmFromPrincipal": "true"}, "alice", "alice"),
    ({}, "bob/host", f"bob/host@{REALM}"),
    ({"kerberos.removeHostFromPrincipal": "true"}, "bob/host", f"bob@{REALM}"),
    ({"kerberos.removeHostFromPrincipal": "true", "kerberos.removeRealmFromPrincipal": "true"}, "bob/host", "bob"),
], ids=str)
def test_a_ticket_proves_a_principal(serve, kdc, monkeypatch, options, user, identity):
    sasl = serve(options)
    client, nobody = sasl.connect(), sasl.connect()
    assert authenticate(client, kdc.ticket(user), monkeypatch) == OK
    assert ("sasl", identity) in ids(client)
    assert client.create("/own", b"x", acl=[(zkraw.ALL, "sasl", identity)])[0] == OK
    assert client.get("/own")[0] == OK
    assert nobody.get("/own")[0] == NO_AUTH
    client.close_session()
    nobody.close_session()


def test_required_and_proved(serve, kdc, monkeypatch):
    sasl = serve({"sessionRequireClientSASLAuth": "true"})
    client = sasl.connect()
    assert client.get("/")[0] == SASL_REQUIRED
    client = sasl.connect()
    assert authenticate(client, kdc.ticket("alice"), monkeypatch) == OK
    assert client.get("/")[0] == OK
    client.close_session()


def test_a_ticket_for_another_service(serve, kdc, monkeypatch):
    client = serve().connect()
    assert authenticate(client, kdc.ticket("alice"), monkeypatch, target="other@localhost") == AUTH_FAILED
    assert client.is_closed()


@pytest.mark.parametrize("token", [b"", b"x", b"\x60\x82\xff\xff" + bytes(200), bytes(60000)], ids=len)
def test_tokens_that_are_none(serve, token):
    sasl = serve()
    client = sasl.connect()
    code, _ = saslraw.step(client, token)
    assert code == AUTH_FAILED or token == b""
    other = sasl.connect()
    assert other.get("/")[0] == OK
    other.close_session()


@pytest.mark.parametrize("keytab, found", [("missing.keytab", "missing.keytab"), ("other.keytab", "other.keytab")])
def test_a_keytab_without_the_key_is_told_at_the_start(kdc, tmp_path, keytab, found):
    login = login_file(tmp_path, kdc.directory / keytab)
    done = subprocess.run([server_module.BINARY, "serve", "--memory", "--listen", "127.0.0.1:0", "-D",
                           f"java.security.auth.login.config={login}"], env={**os.environ, **kdc.env},
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2 and found in done.stderr, done.stderr
