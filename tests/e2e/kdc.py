# SPDX-License-Identifier: Apache-2.0
"""A Kerberos KDC of a test's own: one realm, one directory, one free port on loopback; and SASL GSSAPI's client side."""
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import time

import saslraw

REALM = "FK.TEST"
PROGRAMS = {"krb5kdc": "krb5-kdc", "kdb5_util": "krb5-kdc", "kadmin.local": "krb5-admin-server"}
START_SECONDS = 20
NO_LAYER, LAYERS_MASK = 1, 7


def missing():
    """What is not installed, as text; "" where all is there."""
    names = [package for program, package in PROGRAMS.items() if not shutil.which(program, path=_search_path())]
    try:
        import gssapi  # noqa: F401
    except ImportError:
        names.append("python3-gssapi")
    return ", ".join(sorted(set(names)))


def _search_path():
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _free_port():
    """A port that is free for UDP and TCP: the KDC listens on both."""
    while True:
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
            stream.bind(("127.0.0.1", 0))
            try:
                datagram.bind(stream.getsockname())
            except OSError:
                continue
            return stream.getsockname()[1]


class Kdc:
    """Runs from start() to stop(); `environment` is for everybody who shall use it."""

    def __init__(self, directory, realm=REALM):
        self.directory, self.realm = pathlib.Path(directory), realm
        self.port = _free_port()
        self.environment = {"KRB5_CONFIG": str(self.directory / "krb5.conf"),
                            "KRB5_KDC_PROFILE": str(self.directory / "kdc.conf"),
                            "KRB5RCACHEDIR": str(self.directory), "KRB5CCNAME": "MEMORY:fk-test",
                            "PATH": _search_path()}
        self.process = None

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "krb5.conf").write_text(
            f"[libdefaults]\n default_realm = {self.realm}\n dns_lookup_kdc = false\n dns_lookup_realm = false\n"
            f" dns_canonicalize_hostname = false\n rdns = false\n udp_preference_limit = 1\n"
            f"[realms]\n {self.realm} = {{\n  kdc = 127.0.0.1:{self.port}\n }}\n"
            f"[domain_realm]\n localhost = {self.realm}\n")
        (self.directory / "kdc.conf").write_text(
            f"[kdcdefaults]\n kdc_listen = 127.0.0.1:{self.port}\n kdc_tcp_listen = 127.0.0.1:{self.port}\n"
            f"[realms]\n {self.realm} = {{\n  database_name = {self.directory}/principal\n"
            f"  key_stash_file = {self.directory}/stash\n  acl_file = {self.directory}/acl\n"
            f"  max_life = 1h\n  supported_enctypes = aes256-cts:normal aes128-cts:normal\n }}\n"
            f"[logging]\n kdc = FILE:{self.directory}/kdc.log\n")
        self._run("kdb5_util", "create", "-r", self.realm, "-s", "-P", "master-of-a-test")
        with open(self.directory / "kdc.out", "ab") as out:
            self.process = subprocess.Popen(["krb5kdc", "-n", "-r", self.realm, "-P", str(self.directory / "kdc.pid")],
                                            env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=out)
        self._wait_for_port()
        return self

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def add(self, principal, password=None):
        secret = ["-randkey"] if password is None else ["-pw", password]
        self._run("kadmin.local", "-r", self.realm, "addprinc", *secret, principal)

    def keytab(self, principal, name):
        """Path of a keytab with the principal's key; keys of older keytabs stay valid."""
        path = self.directory / name
        self._run("kadmin.local", "-r", self.realm, "ktadd", "-norandkey", "-k", str(path), principal)
        return path

    def change_key(self, principal):
        """The keytabs made so far don't open its tickets any more."""
        self._run("kadmin.local", "-r", self.realm, "change_password", "-randkey", principal)

    def _run(self, *command):
        done = subprocess.run(command, env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
        assert done.returncode == 0, (command, done.stdout)

    def _wait_for_port(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert self.process.poll() is None, (self.directory / "kdc.out").read_text()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < deadline, "the KDC does not listen"
                time.sleep(0.05)


def ticket_context(user, password, service):
    """A client's security context for service@host; the credentials are fetched from the KDC now."""
    import gssapi
    name = gssapi.Name(f"{user}@{REALM}", gssapi.NameType.user)
    credentials = gssapi.raw.acquire_cred_with_password(name, password.encode(), usage="initiate").creds
    target = gssapi.Name(service, gssapi.NameType.hostbased_service)
    return gssapi.SecurityContext(name=target, creds=gssapi.Credentials(credentials), usage="initiate",
                                  flags=gssapi.RequirementFlag.mutual_authentication
                                  | gssapi.RequirementFlag.integrity)


def authenticate(client, context, authzid=None, layer=NO_LAYER):
    """RFC 4752 on a zkraw connection; (code, last token)."""
    token = context.step()
    while not context.complete:
        code, answer = saslraw.step(client, token)
        if code:
            return code, answer
        token = context.step(answer)
    code, offer = saslraw.step(client, token or b"")
    if code or offer is None:
        return code, offer
    offered, size = struct.unpack(">B3s", context.unwrap(offer).message)
    assert offered & NO_LAYER, f"the server offers no authentication without a layer: {offered}"
    assert offered & ~LAYERS_MASK == 0 and len(size) == 3
    choice = bytes([layer]) + (b"\0\0\0" if layer == NO_LAYER else b"\0\xff\xff")
    choice += (authzid or "").encode()
    return saslraw.step(client, context.wrap(choice, False).message)
