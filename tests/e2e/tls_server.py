# SPDX-License-Identifier: Apache-2.0
"""A server with a plain port and one for TLS, and clients that speak TLS.

FK_TLS_ORACLE=1 takes the real ZooKeeper 3.9.4 of tests/conformance/oracle.py in place of ours.
"""
import importlib.util
import os
import pathlib
import re
import ssl
import subprocess
import time

import server as server_module
import zkraw

# By its file: that directory has a kazoo.py, which must not stand before the package.
_spec = importlib.util.spec_from_file_location(
    "oracle", pathlib.Path(__file__).resolve().parent.parent / "conformance" / "oracle.py")
oracle = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(oracle)

ORACLE = os.environ.get("FK_TLS_ORACLE") == "1"


class Oracle(server_module.Server):
    """The real server; keys of TLS are taken from its file as they are from ours."""

    def __init__(self, directory, config):
        super().__init__(directory, config)
        self.address = ("127.0.0.1", server_module.free_port())

    def start(self):
        self.data.mkdir(exist_ok=True)
        fixed = {"dataDir": self.data, "clientPort": self.address[1], "clientPortAddress": "127.0.0.1",
                 "admin.enableServer": "false",
                 "serverCnxnFactory": "org.apache.zookeeper.server.NettyServerCnxnFactory"}
        digest = self.config.pop("DigestAuthenticationProvider.superDigest", None)
        lines = [f"{key}={value}" for key, value in {**self.config, **fixed}.items() if value is not None]
        path = self.directory / "zoo.cfg"
        path.write_text("\n".join(lines) + "\n")
        self.log = open(self.directory / "stderr", "ab")
        flags = [f"zookeeper.DigestAuthenticationProvider.superDigest={digest}"] if digest else []
        self.process = subprocess.Popen(oracle.command(path, flags), stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, cwd=self.directory)
        self._wait_for_port()
        return self

    def finish(self):
        self.stop()


def _listens(address):
    try:
        zkraw.open_socket(address).close()
    except ConnectionRefusedError:
        return False
    return True


def start(directory, config):
    """A server whose `address` is the plain port and `secure` the one for TLS."""
    secure = server_module.free_port()
    config = {"secureClientPort": str(secure), "secureClientPortAddress": "127.0.0.1", **config}
    server = (Oracle if ORACLE else server_module.Server)(directory, config).start()
    if not ORACLE:  # the line names all addresses; the plain one is the first
        host, port = re.findall(r"([0-9.]+):(\d+)", server.first_line)[0]
        server.address = (host, int(port))
    server.secure = ("127.0.0.1", secure)
    if ORACLE:  # which opens it after the other
        server_module.wait_until(lambda: _listens(server.secure), what="the port for TLS")
    return server


def context(authority=None, certificate=None, oldest=ssl.TLSVersion.TLSv1_2, newest=ssl.TLSVersion.TLSv1_3):
    """A client's context; it checks the server where it is given an authority."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = authority is not None
    made.verify_mode = ssl.CERT_REQUIRED if authority is not None else ssl.CERT_NONE
    if oldest < ssl.TLSVersion.TLSv1_2:
        made.set_ciphers("ALL:@SECLEVEL=0")
    made.minimum_version, made.maximum_version = oldest, newest
    if authority is not None:
        made.load_verify_locations(authority.cert)
    if certificate is not None:
        made.load_cert_chain(certificate.cert, certificate.key)
    return made


class Connection(zkraw.Connection):
    """One connection through TLS. What TLS refuses is Closed, with the reason in its text."""

    def __init__(self, address, tls_context, connect=True, **handshake):
        super().__init__(address, connect=False)
        try:
            self.sock = tls_context.wrap_socket(self.sock, server_hostname="localhost")
        except (ssl.SSLError, ConnectionResetError) as error:
            self.sock.close()
            raise zkraw.Closed(f"TLS: {error}") from error
        if connect:
            self.handshake(**handshake)

    def send(self, data):
        try:
            super().send(data)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass  # a refusal of TLS 1.3 comes behind the handshake: the next read tells

    def _fill(self, size, timeout):
        deadline = time.monotonic() + timeout
        while len(self.received) < size:
            left = deadline - time.monotonic()
            if not self.sock.pending() and (left <= 0 or not zkraw.readable(self.sock, left)):
                raise TimeoutError(f"{len(self.received)} of {size} bytes after {timeout} s")
            try:
                data = self.sock.recv(1 << 20)
            except (ConnectionResetError, ssl.SSLError) as error:
                raise zkraw.Closed(f"TLS: {error}") from error
            if not data:
                raise zkraw.Closed(f"closed after {len(self.received)} bytes of {size}")
            self.received += data
