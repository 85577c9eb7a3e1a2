# SPDX-License-Identifier: Apache-2.0
"""TLS: stores of keys, what is wrong with them, new ones while the server runs; where it listens without TLS."""
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

import pki
import server as server_module
import tls_server
import zkraw
from test_tls import PASSWORD, Pki, is_refused, only_ours, secure, start  # noqa: F401
from test_tls import certs  # noqa: F401
from tls_server import ORACLE

pytestmark = pytest.mark.only_ours("Debian's 3.8.0 has no Netty; FK_TLS_ORACLE=1 is for these")
RELOAD_SECONDS = 20


# ---- stores

@pytest.mark.parametrize("kind", ["pkcs12", "encrypted_pem"])
def test_stores_with_a_password(start, certs, kind, tmp_path):  # noqa: F811
    if ORACLE and kind == "encrypted_pem":
        pytest.skip("ZooKeeper reads keys of openssl's option -v1 only")
    store = getattr(certs.server, kind)(PASSWORD)
    keys = {"ssl.keyStore.location": store, "ssl.keyStore.type": "PKCS12" if kind == "pkcs12" else "PEM"}
    server = start({**certs.config(), **keys, "ssl.keyStore.password": PASSWORD})
    assert not is_refused(server, certs.as_client(certs.alice))
    assert PASSWORD not in server.stderr()
    (tmp_path / "password").write_text(PASSWORD + ("" if ORACLE else "\n"))
    server = start({**certs.config(), **keys, "ssl.keyStore.passwordPath": tmp_path / "password"})
    assert not is_refused(server, certs.as_client(certs.alice))


def test_a_trust_store_of_pkcs12(start, certs):  # noqa: F811
    path = certs.directory / "trust.p12"
    if shutil.which("keytool"):  # what Java users have
        subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", certs.ca.cert, "-keystore", path,
                        "-storetype", "PKCS12", "-storepass", PASSWORD], check=True, capture_output=True)
    else:
        pki.openssl("pkcs12", "-export", "-nokeys", "-in", certs.ca.cert, "-out", path, "-passout", f"pass:{PASSWORD}")
    server = start({**certs.config(), "ssl.trustStore.location": path, "ssl.trustStore.type": "PKCS12",
                    "ssl.trustStore.password": PASSWORD})
    assert not is_refused(server, certs.as_client(certs.alice))
    assert is_refused(server, certs.as_client(certs.mallory))


def refusal(directory, config, *arguments):
    """Starts a server that must not start; what it says."""
    path = directory / "zoo.cfg"
    path.write_text("".join(f"{key}={value}\n" for key, value in config.items()))
    done = subprocess.run([server_module.BINARY, "serve", "--memory", "--config", path, *arguments],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert done.stdout == "" and PASSWORD not in done.stderr and "wrong-horse" not in done.stderr
    return done.stderr


def broken(tmp_path, certs, **keys):  # noqa: F811
    secure_port = {"secureClientPort": str(server_module.free_port()), "clientPort": str(server_module.free_port())}
    config = {**secure_port, **certs.config(), **{key.replace("__", "."): value for key, value in keys.items()}}
    return refusal(tmp_path, {key: value for key, value in config.items() if value is not None})


@only_ours
@pytest.mark.parametrize("kind", ["pkcs12", "encrypted_pem"])
@pytest.mark.parametrize("password", [None, "wrong-horse"])
def test_a_wrong_password(tmp_path, certs, kind, password):  # noqa: F811
    store = getattr(certs.server, kind)(PASSWORD)
    told = broken(tmp_path, certs, ssl__keyStore__location=store, ssl__keyStore__type=None,
                  ssl__keyStore__password=password)
    assert "ssl.keyStore" in told and "password" in told and str(store) in told


@only_ours
@pytest.mark.parametrize("keys, words", [
    ({"ssl__keyStore__location": None}, ["ssl.keyStore.location"]),
    ({"ssl__keyStore__location": "/nowhere/key.pem"}, ["ssl.keyStore.location", "/nowhere/key.pem", "No such file"]),
    ({"ssl__trustStore__location": None}, ["ssl.trustStore.location", "ssl.clientAuth"]),
    ({"ssl__trustStore__location": "/nowhere/ca.pem"}, ["ssl.trustStore.location", "/nowhere/ca.pem"]),
    ({"ssl__keyStore__type": "JKS"}, ["ssl.keyStore", "PKCS12"]),
    ({"ssl__keyStore__passwordPath": "/nowhere/password"}, ["ssl.keyStore.passwordPath", "/nowhere/password"]),
    ({"ssl__ciphersuites": "TLS_NO_SUCH_SUITE"}, ["ssl.ciphersuites", "TLS_NO_SUCH_SUITE"]),
    ({"ssl__enabledProtocols": "TLSv1.1"}, ["ssl.enabledProtocols", "TLSv1.1", "TLSv1.2"]),
    ({"ssl__protocol": "SSLv3", "ssl__enabledProtocols": None}, ["ssl.protocol", "SSLv3", "TLSv1.2"]),
    ({"ssl__clientAuth": "maybe"}, ["zoo.cfg:", "ssl.clientAuth", "want"]),
    ({"ssl__crl": "true"}, ["ssl.crl"]),
    ({"ssl__ocsp": "true"}, ["zoo.cfg:", "ssl.ocsp"]),
    ({"ssl__authProvider": "ldap"}, ["ssl.authProvider"]),
])
def test_what_is_wrong_is_named(tmp_path, certs, keys, words):  # noqa: F811
    told = broken(tmp_path, certs, **keys)
    for word in words:
        assert word in told, told


@only_ours
def test_files_that_are_no_stores(tmp_path, certs):  # noqa: F811
    text, jks, bytes_file = tmp_path / "text.pem", tmp_path / "store.jks", tmp_path / "store.p12"
    text.write_text("hello\n")
    jks.write_bytes(b"\xfe\xed\xfe\xed\0\0\0\2" + bytes(50))
    bytes_file.write_bytes(b"\x30\x82" + os.urandom(500))
    key_only = tmp_path / "key.pem"
    key_only.write_text(certs.server.key.read_text())
    wrong_key = tmp_path / "wrong.pem"
    wrong_key.write_text(certs.other_server.key.read_text() + certs.server.cert.read_text())
    for path in (text, jks, bytes_file, key_only, wrong_key, certs.ca.cert, tmp_path):
        told = broken(tmp_path, certs, ssl__keyStore__location=path, ssl__keyStore__type=None)
        assert "ssl.keyStore.location" in told and str(path) in told, told
        assert path != jks or "keytool -importkeystore" in told
    for path in (text, jks, bytes_file, key_only, tmp_path):
        told = broken(tmp_path, certs, ssl__trustStore__location=path, ssl__trustStore__type=None)
        assert "ssl.trustStore.location" in told and str(path) in told, told


# ---- new certificates

def fingerprint(server, certs):  # noqa: F811
    client = secure(server, certs.as_client(certs.alice))
    der = client.sock.getpeercert(binary_form=True)
    client.close_session()
    return der


def replace(path, text):
    """As tools that renew certificates do: a new file takes the place of the old one."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text)
    os.rename(fresh, path)


@pytest.mark.parametrize("how", ["SIGHUP", "client.certReload"])
def test_new_certificates(start, certs, tmp_path, how):  # noqa: F811
    if ORACLE and how == "SIGHUP":
        pytest.skip("Java ends at SIGHUP")
    store = tmp_path / "server.pem"
    store.write_text(certs.server.pem.read_text())
    server = start({**certs.config(), "ssl.keyStore.location": store,
                    "client.certReload": "false" if how == "SIGHUP" else "true"})
    old = fingerprint(server, certs)
    stays = secure(server, certs.as_client(certs.alice))

    def changed():
        if how == "SIGHUP":
            server.process.send_signal(signal.SIGHUP)
        return fingerprint(server, certs) != old

    time.sleep(1.1)  # a file's time has seconds somewhere
    replace(store, certs.other_server.pem.read_text())
    server_module.wait_until(changed, RELOAD_SECONDS, "the new certificate is shown")
    assert stays.create("/still-here") == (zkraw.OK, "/still-here")
    assert stays.delete("/still-here") == zkraw.OK
    stays.close_session()


@only_ours
@pytest.mark.parametrize("how", ["SIGHUP", "client.certReload"])
def test_bad_new_certificates(start, certs, tmp_path, how):  # noqa: F811
    store, trust = tmp_path / "server.pem", tmp_path / "trust.pem"
    store.write_text(certs.server.pem.read_text())
    trust.write_text(certs.ca.cert.read_text())
    server = start({**certs.config(), "ssl.keyStore.location": store, "ssl.trustStore.location": trust,
                    "client.certReload": "false" if how == "SIGHUP" else "true"})
    old = fingerprint(server, certs)

    def complained(path):
        if how == "SIGHUP":
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.1)
        return [line for line in server.stderr().splitlines() if " error " in line and str(path) in line]

    replace(store, "this is no certificate\n")
    server_module.wait_until(lambda: complained(store), RELOAD_SECONDS, "an error in the log")
    assert fingerprint(server, certs) == old
    replace(store, certs.server.pem.read_text())
    replace(trust, certs.server.key.read_text())
    server_module.wait_until(lambda: complained(trust), RELOAD_SECONDS, "an error in the log")
    assert fingerprint(server, certs) == old and "PRIVATE" not in server.stderr()


# ---- without TLS

@only_ours
@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0"])
def test_beyond_the_loopback_in_the_clear(tmp_path, address):
    told = refusal(tmp_path, {"tickTime": "2000"}, "--listen", address)
    assert "--insecure" in told and "secureClientPort" in told and address in told


@only_ours
def test_beyond_the_loopback_on_purpose(start, certs):  # noqa: F811
    addresses = []
    for config, arguments in (({}, ["--insecure"]), ({"insecureListen": "yes"}, []), (certs.config(), None)):
        listen = ["tls:0.0.0.0:0"] if arguments is None else ["0.0.0.0:0"]
        path = certs.directory / "zoo.cfg"
        path.write_text("".join(f"{key}={value}\n" for key, value in config.items()))
        process = subprocess.Popen([server_module.BINARY, "serve", "--memory", "--config", path, "--listen", *listen,
                                    *(arguments or [])], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        process.terminate()
        errors = process.communicate()[1]
        assert process.returncode == 0, errors
        addresses += re.findall(r"0\.0\.0\.0:[1-9]\d+", line)
    assert len(addresses) == 3
