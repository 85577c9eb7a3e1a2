# SPDX-License-Identifier: Apache-2.0
"""Four-letter words: their text as tools parse it, and the whitelist."""
import re
import time

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


CONS = re.compile(
    r" /127\.0\.0\.1:(\d+)\[\d+\]\(queued=\d+,recved=\d+,sent=\d+,sid=0x[0-9a-f]+,lop=([A-Z0-9]+),est=(\d+),to=(\d+),"
    r"lcxid=0x([0-9a-f]+),lzxid=0x([0-9a-f]+),lresp=\d+,llat=\d+,minlat=\d+,avglat=\d+,maxlat=\d+\)")


def test_cons_tells_what_a_client_did_last(start_server):
    server = start_server()
    client = server.connect(timeout=10000)
    client.create("/a")
    client.set("/a", b"x")
    lines = four_letters(server.address, "cons").splitlines()
    port = str(client.sock.getsockname()[1])
    found = [match for match in map(CONS.fullmatch, lines) if match and match[1] == port]
    assert len(found) == 1, lines
    _, operation, established, timeout, cxid, zxid = found[0].groups()
    assert (operation, timeout, int(cxid, 16), int(zxid, 16)) == ("SETD", "10000", client.xid, 3)
    assert abs(int(established) / 1000 - time.time()) < 60
    client.get("/a")
    assert ",lop=GETD," in four_letters(server.address, "cons")
    client.close_session()


def test_resets(start_server):
    server = start_server()
    client = server.connect()
    for _ in range(20):
        client.get("/")
    assert int(fields(four_letters(server.address, "srvr"))["Received"]) >= 20
    assert four_letters(server.address, "srst") == "Server stats reset.\n"
    assert int(fields(four_letters(server.address, "srvr"))["Received"]) < 20
    assert four_letters(server.address, "crst") == "Connection stats reset.\n"
    line = [line for line in four_letters(server.address, "stat").splitlines() if line.startswith(" /")][0]
    assert "recved=0,sent=0" in line
    client.close_session()


def test_dump_has_sessions_and_their_ephemeral_nodes(start_server):
    server = start_server()
    client, idle = server.connect(), server.connect()
    client.create("/e1", flags=EPHEMERAL)
    client.create("/e2", flags=EPHEMERAL)
    lines = four_letters(server.address, "dump").splitlines()
    assert lines[0] == "SessionTracker dump:" and re.fullmatch(r"Session Sets \(\d+\)/\(2\):", lines[1])
    assert re.fullmatch(r"\d+ expire at \w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}:", lines[2])
    for one in (client, idle):
        assert f"\t0x{one.session:x}" in lines
    at = lines.index("Sessions with Ephemerals (1):")
    assert lines[at - 1] == "ephemeral nodes dump:"
    assert lines[at + 1:at + 4] in ([f"0x{client.session:x}:", "\t/e1", "\t/e2"], [f"0x{client.session:x}:", "\t/e2", "\t/e1"])
    assert any(re.fullmatch(rf"\tip: /127\.0\.0\.1:\d+ sessionId: 0x{idle.session:x}", line) for line in lines)
    client.close_session()
    idle.close_session()
    assert "Sessions with Ephemerals (0):" in four_letters(server.address, "dump")


def test_watches_by_session_and_by_path(start_server):
    server = start_server()
    first, second = server.connect(), server.connect()
    first.create("/a")
    first.get("/a", watch=True)
    second.get("/a", watch=True)
    second.exists("/b", watch=True)
    assert four_letters(server.address, "wchs") == "2 connections watching 2 paths\nTotal watches:3\n"
    paths = four_letters(server.address, "wchp").rstrip("\n")
    assert sorted(paths.split("\n/")[0:]) and f"/b\n\t0x{second.session:x}" in paths
    assert {f"\t0x{first.session:x}", f"\t0x{second.session:x}"} <= set(paths.splitlines())
    sessions = four_letters(server.address, "wchc").splitlines()
    at = sessions.index(f"0x{first.session:x}")
    assert sessions[at + 1] == "\t/a"
    at = sessions.index(f"0x{second.session:x}")
    assert sorted(sessions[at + 1:at + 3]) == ["\t/a", "\t/b"]
    first.close_session()
    second.close_session()
    assert four_letters(server.address, "wchs") == "0 connections watching 0 paths\nTotal watches:0\n"


def test_conf_and_dirs(start_server):
    server = start_server({"maxClientCnxns": "7", "tickTime": "1000"})
    found = dict(line.split("=", 1) for line in four_letters(server.address, "conf").splitlines())
    assert (found["maxClientCnxns"], found["tickTime"], found["minSessionTimeout"], found["serverId"]) == (
        "7", "1000", "2000", "0")
    assert found["dataDir"].endswith("data") and int(found["dataDirSize"]) > 0 and found["secureClientPort"] == "-1"
    assert re.fullmatch(r"datadir_size: \d+\nlogdir_size: \d+\n", four_letters(server.address, "dirs"))


def test_the_trace_mask_is_kept(server):
    assert four_letters(server.address, "gtmk") == "306"
    assert four_letters(server.address, "stmk" + "\0" * 7 + "\5") == "5"
    assert four_letters(server.address, "gtmk") == "5"
    assert four_letters(server.address, "stmk" + "\0" * 6 + "\1\x32") == "306"


def test_the_output_of_a_word_is_bounded(start_server):
    server = start_server()
    clients = [server.connect() for _ in range(3)]
    for number, client in enumerate(clients):
        for index in range(1200):
            client.post(zkraw.EXISTS, zkraw.path_watch(f"/{number}" + "x" * 4000 + str(index), True))
        for _ in range(1200):
            client.reply()
    text = four_letters(server.address, "wchc", timeout=30)
    assert 8 * 2 ** 20 <= len(text) < 8.1 * 2 ** 20 and "cut: there is more" in text
    for client in clients:
        client.close_session()


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


def test_srvr_is_always_allowed(start_server):
    server = start_server({"4lw.commands.whitelist": "stat"})
    assert SRVR.fullmatch(four_letters(server.address, "srvr"))
    assert four_letters(server.address, "ruok").strip() == "ruok is not executed because it is not in the whitelist."


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
