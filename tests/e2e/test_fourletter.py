# SPDX-License-Identifier: Apache-2.0
"""Four-letter words: their text as tools parse it, and the whitelist."""
import re

import pytest

import zkraw
from zkraw import EPHEMERAL, four_letters

SRVR = re.compile(
    r"Zookeeper version: 3\.\d+\.\d+\S*, built on .+\n"
    r"Latency min/avg/max: \d+/\d+\.\d+/\d+\n"
    r"Received: \d+\n"
    r"Sent: \d+\n"
    r"Connections: \d+\n"
    r"Outstanding: \d+\n"
    r"Zxid: 0x[0-9a-f]+\n"
    r"Mode: standalone\n"
    r"Node count: \d+\n")


def fields(text):
    return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)


def mntr(address):
    lines = four_letters(address, "mntr").splitlines()
    assert all(line.count("\t") == 1 for line in lines)
    return dict(line.split("\t") for line in lines)


def test_ruok(server):
    assert four_letters(server.address, "ruok") == "imok"


def test_isro(server):
    assert four_letters(server.address, "isro") == "rw"


def test_srvr(server):
    assert SRVR.fullmatch(four_letters(server.address, "srvr"))


def test_srvr_of_a_fresh_server(start_server):
    server = start_server()
    found = fields(four_letters(server.address, "srvr"))
    assert (found["Zxid"], found["Node count"], found["Mode"]) == ("0x0", "5", "standalone")


def test_srvr_counts(start_server):
    server = start_server()
    client = server.connect()
    for number in range(10):
        client.create(f"/n{number}")
    found = fields(four_letters(server.address, "srvr"))
    assert found["Zxid"] == "0xb"  # the session, ten nodes
    assert found["Node count"] == "15"
    assert int(found["Received"]) >= 11 and int(found["Sent"]) >= 11
    assert int(found["Connections"]) >= 1


def test_stat_lists_the_clients(server, client):
    text = four_letters(server.address, "stat")
    first, second, rest = text.split("\n", 2)
    assert first.startswith("Zookeeper version: 3.") and second == "Clients:"
    clients, rest = rest.split("\n\n", 1)
    port = client.sock.getsockname()[1]
    mine = [line for line in clients.splitlines() if f":{port}[" in line]
    assert len(mine) == 1
    assert re.fullmatch(r" /127\.0\.0\.1:\d+\[\d+\]\(queued=\d+,recved=\d+,sent=\d+\)", mine[0])
    assert SRVR.fullmatch(first + "\n" + rest)


def test_mntr_keys(server, client):
    found = mntr(server.address)
    for key in ("zk_avg_latency", "zk_max_latency", "zk_min_latency", "zk_packets_received", "zk_packets_sent",
                "zk_num_alive_connections", "zk_outstanding_requests", "zk_znode_count", "zk_watch_count",
                "zk_ephemerals_count", "zk_approximate_data_size", "zk_open_file_descriptor_count",
                "zk_max_file_descriptor_count", "zk_uptime", "zk_global_sessions", "zk_auth_failed_count"):
        assert re.fullmatch(r"-?\d+(\.\d+)?", found[key]), (key, found.get(key))
    assert found["zk_version"].startswith("3.")
    assert found["zk_server_state"] == "standalone"


def test_mntr_counts(start_server):
    server = start_server()
    client, second = server.connect(), server.connect()
    client.create("/a", b"x" * 100)
    client.create("/e", flags=EPHEMERAL)
    client.get("/a", watch=True)
    client.children("/a", watch=True)
    second.get("/a", watch=True)
    found = mntr(server.address)
    assert (found["zk_znode_count"], found["zk_ephemerals_count"], found["zk_watch_count"]) == ("7", "1", "3")
    assert int(found["zk_global_sessions"]) == 2
    assert int(found["zk_num_alive_connections"]) in (2, 3)
    assert int(found["zk_approximate_data_size"]) >= 100
    assert int(found["zk_open_file_descriptor_count"]) > 3
    second.close_session()
    client.close_session()
    found = mntr(server.address)
    assert (found["zk_watch_count"], found["zk_ephemerals_count"], found["zk_global_sessions"]) == ("0", "0", "0")


def test_envi(server):
    lines = four_letters(server.address, "envi").splitlines()
    assert lines[0] == "Environment:"
    assert re.match(r"zookeeper\.version=3\.\d+\.\d+", lines[1])
    assert any(line.startswith("host.name=") for line in lines)


def test_kazoo_reads_the_version(server):
    from kazoo.client import KazooClient
    client = KazooClient("%s:%d" % server.address)
    client.start(timeout=15)
    try:
        version = client.server_version()
        assert version[0] == 3 and len(version) == 3
    finally:
        client.stop()
        client.close()


@pytest.mark.parametrize("word", ["abcd", "RUOK", "srv?", "GET "])
def test_an_unknown_word_is_closed_without_bytes(server, word):
    assert four_letters(server.address, word) == ""


def test_only_srvr_is_allowed_unless_configured(start_server):
    server = start_server({"4lw.commands.whitelist": None})
    assert SRVR.fullmatch(four_letters(server.address, "srvr"))
    for word in ("ruok", "stat", "mntr", "isro", "envi"):
        assert four_letters(server.address, word).rstrip("\n") == (
            f"{word} is not executed because it is not in the whitelist.")


@pytest.mark.parametrize("whitelist", ["ruok, mntr", "ruok,mntr", " ruok , mntr"])
def test_a_list_of_words(start_server, whitelist):
    server = start_server({"4lw.commands.whitelist": whitelist + ", srvr"})
    assert four_letters(server.address, "ruok") == "imok"
    assert mntr(server.address)
    assert "whitelist" in four_letters(server.address, "stat")


def test_a_word_after_the_handshake_is_a_frame_length(connect):
    client = connect()
    client.send(b"ruok")
    assert client.is_closed()


def test_a_word_in_single_bytes(server):
    sock = zkraw.open_socket(server.address)
    with sock:
        for letter in b"ruok":
            sock.sendall(bytes([letter]))
        data = b""
        while True:
            part = sock.recv(100)
            if not part:
                break
            data += part
    assert data == b"imok"


def test_bytes_after_a_word_are_harmless(server):
    assert four_letters(server.address, "ruok\n") in ("imok", "")
    assert four_letters(server.address, "ruok" + "x" * 10000) in ("imok", "")
    assert four_letters(server.address, "ruok") == "imok"
