# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a server shared by the tests that leave it clean, servers of one's own, connections, a path."""
import itertools
import re

import pytest

import server as server_module
import zkraw

_numbers = itertools.count(1)


def pytest_configure(config):
    config.addinivalue_line("markers", "only_ours: where we follow 3.9 or do better than the oracle, 3.8.0")


def cloud_difference(name):
    """Why a test does not hold of the gateway over the cloud, or None."""
    for pattern, reason in server_module.CLOUD_DIFFERENCES:
        if re.fullmatch(pattern, name):
            return reason
    return None


def pytest_collection_modifyitems(items):
    for item in items:
        reason = cloud_difference(item.name) if server_module.CLOUD else None
        if reason:
            item.add_marker(pytest.mark.skip(reason=f"not of the cloud: {reason}"))
        mark = item.get_closest_marker("only_ours")
        if mark and server_module.ORACLE:
            reason = mark.args[0] if mark.args else "not what ZooKeeper 3.8.0 does"
            item.add_marker(pytest.mark.skip(reason=f"only ours: {reason}"))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The server shared by all tests that end their sessions."""
    shared = server_module.Server(tmp_path_factory.mktemp("shared")).start()
    yield shared
    shared.finish()


@pytest.fixture
def start_server(tmp_path):
    """start_server(config, ...) -> a Server of the test's own, stopped at its end."""
    servers = []

    def start(config=None, **options):
        directory = tmp_path / f"server-{len(servers)}"
        servers.append(server_module.Server(directory, config, **options))
        return servers[-1].start()

    yield start
    try:
        for one in servers:
            one.finish()
    finally:
        for one in servers:
            one.kill()


@pytest.fixture
def connect(server):
    """connect(**handshake) -> a connection to the shared server; its session is closed at the end."""
    connections = []

    def open_connection(**handshake):
        connections.append(zkraw.Connection(server.address, **handshake))
        return connections[-1]

    yield open_connection
    for connection in connections:
        _close_quietly(connection)


def _close_quietly(connection):
    """Ends the session when it still can, so that no expiry disturbs a later test."""
    try:
        if connection.sock.fileno() >= 0 and connection.session:
            connection.post(zkraw.CLOSE_SESSION)
            while True:
                connection.read()
    except (zkraw.Closed, OSError, AssertionError, TimeoutError):
        pass
    connection.sock.close()


@pytest.fixture
def client(connect):
    return connect()


@pytest.fixture
def other(connect):
    """A second client."""
    return connect()


@pytest.fixture
def path(client):
    """A fresh persistent node of the test's own."""
    name = f"/t{next(_numbers)}"
    assert client.create(name) == (zkraw.OK, name)
    return name
