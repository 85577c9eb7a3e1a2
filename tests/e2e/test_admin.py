# SPDX-License-Identifier: Apache-2.0
"""The admin port: ZooKeeper's commands with their members, metrics, health, and bad requests. The members were read from
ZooKeeper 3.9.4."""
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess

import pytest

import server as server_module
import zkraw
from zkraw import EPHEMERAL

pytestmark = pytest.mark.only_ours("the admin port of 3.9")

# Members of each answer besides command and error, as ZooKeeper 3.9.4 gives them.
NUMBER, TEXT, FLAG, LIST, OBJECT = int, str, bool, list, dict
MEMBERS = {
    "configuration": {"client_port": NUMBER, "data_dir": TEXT, "data_log_dir": TEXT, "tick_time": NUMBER,
                      "max_client_cnxns": NUMBER, "min_session_timeout": NUMBER, "max_session_timeout": NUMBER,
                      "server_id": NUMBER, "client_port_listen_backlog": NUMBER},
    "connection_stat_reset": {}, "connections": {"connections": LIST, "secure_connections": LIST},
    "dirs": {"datadir_size": NUMBER, "logdir_size": NUMBER},
    "dump": {"expiry_time_to_session_ids": OBJECT, "session_id_to_ephemeral_paths": OBJECT},
    "get_trace_mask": {"tracemask": NUMBER}, "hash": {"digests": LIST},
    "initial_configuration": {"initial_configuration": TEXT}, "is_read_only": {"read_only": FLAG},
    "last_snapshot": {"zxid": TEXT, "timestamp": NUMBER}, "observer_connection_stat_reset": {},
    "observers": {"synced_observers": NUMBER, "observers": LIST}, "ruok": {},
    "server_stats": {"version": TEXT, "read_only": FLAG, "server_stats": OBJECT, "client_response": OBJECT,
                     "node_count": NUMBER},
    "stat_reset": {}, "stats": {"version": TEXT, "read_only": FLAG, "server_stats": OBJECT, "client_response": OBJECT,
                                "node_count": NUMBER, "connections": LIST, "secure_connections": LIST},
    "voting_view": {"current_config": OBJECT},
    "watch_summary": {"num_connections": NUMBER, "num_paths": NUMBER, "num_total_watches": NUMBER},
    "watches": {"session_id_to_watched_paths": OBJECT}, "watches_by_path": {"path_to_session_ids": OBJECT},
    "zabstate": {"voting": FLAG, "zabstate": TEXT},
}
STATS = {"packets_sent", "packets_received", "fsync_threshold_exceed_count", "client_response_stats", "data_dir_size",
         "log_dir_size", "provider_null", "last_processed_zxid", "outstanding_requests", "server_state", "avg_latency",
         "max_latency", "min_latency", "num_alive_client_connections", "uptime", "auth_failed_count"}
CONNECTION = {"remote_socket_address", "interest_ops", "outstanding_requests", "packets_received", "packets_sent",
              "session_id", "last_operation", "established", "session_timeout", "last_cxid", "last_zxid",
              "last_response_time", "last_latency", "min_latency", "avg_latency", "max_latency"}
ALIASES = {"conf": "configuration", "cons": "connections", "mntr": "monitor", "srvr": "server_stats", "stat": "stats",
           "wchs": "watch_summary", "wchc": "watches", "wchp": "watches_by_path", "isro": "is_read_only",
           "envi": "environment", "icfg": "initial_configuration", "lsnp": "last_snapshot", "lead": "leader"}


class Admin:
    def __init__(self, start_server, config=None, **options):
        port = server_module.free_port()
        self.server = start_server({"admin.enableServer": "true", "admin.serverPort": str(port), **(config or {})}, **options)
        self.address = ("127.0.0.1", port)

    def get(self, path, method="GET", body=None, headers=None):
        """(status, headers, body)."""
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, dict(answer.headers), text

    def command(self, name, status=200):
        found, headers, text = self.get("/commands/" + name)
        assert found == status and headers["Content-Type"] == "application/json"
        return json.loads(text)

    def raw(self, data, wait=5):
        """All that comes back for raw bytes."""
        with socket.create_connection(self.address, wait) as sock:
            sock.sendall(data)
            answer = b""
            try:
                while part := sock.recv(65536):
                    answer += part
            except TimeoutError:
                pass
            return answer


@pytest.fixture
def admin(start_server):
    return Admin(start_server)


@pytest.mark.parametrize("name", sorted(MEMBERS))
def test_members_are_zookeepers(admin, name):
    answer = admin.command(name)
    assert answer["command"] == name and answer["error"] is None
    assert {key: type(value) for key, value in answer.items() if key not in ("command", "error")} == MEMBERS[name]


def test_aliases_and_the_list(admin):
    for alias, name in ALIASES.items():
        assert admin.command(alias)["command"] == name
    status, headers, text = admin.get("/commands")
    assert status == 200 and "text/html" in headers["Content-Type"]
    names = re.findall(r'<a href="/commands/(\w+)">\1</a>', text)
    assert set(MEMBERS) | {"cost", "monitor", "environment", "leader", "set_trace_mask", "snapshot", "restore",
                           "system_properties"} == set(names)
    assert names == sorted(names)


def test_an_unknown_command_and_an_unknown_path(admin):
    assert admin.command("nosuch") == {"command": "nosuch", "error": "Unknown command: nosuch"}
    for path in ("/", "/nosuch", "/commandsx", "/metricsx"):
        assert admin.get(path)[0] == 404
    assert admin.command("leader")["error"] == "server is not initialized"


def test_connections_and_sessions(admin):
    client = admin.server.connect(timeout=10000)
    client.create("/a")
    client.create("/e", flags=EPHEMERAL)
    client.exists("/a", watch=True)
    connection, = admin.command("connections")["connections"]
    assert set(connection) == CONNECTION
    port = client.sock.getsockname()[1]
    assert connection["remote_socket_address"] == f"127.0.0.1:{port}"
    assert (connection["session_id"], connection["session_timeout"], connection["last_operation"]) == (
        client.session, 10000, "EXIS")
    dump = admin.command("dump")
    assert dump["session_id_to_ephemeral_paths"] == {str(client.session): ["/e"]}
    assert list(dump["expiry_time_to_session_ids"].values()) == [[client.session]]
    assert admin.command("watches")["session_id_to_watched_paths"] == {str(client.session): ["/a"]}
    assert admin.command("watches_by_path")["path_to_session_ids"] == {"/a": [client.session]}
    summary = admin.command("watch_summary")
    assert (summary["num_connections"], summary["num_paths"], summary["num_total_watches"]) == (1, 1, 1)
    stats = admin.command("server_stats")
    assert set(stats["server_stats"]) >= STATS
    assert stats["server_stats"]["last_processed_zxid"] == 3 and stats["node_count"] == 7
    client.close_session()
    assert admin.command("connections")["connections"] == []


def test_the_trace_mask(admin):
    assert admin.command("get_trace_mask")["tracemask"] == 306
    assert admin.command("set_trace_mask?traceMask=5")["tracemask"] == 5
    assert admin.command("set_trace_mask?x=1&traceMask=%37")["tracemask"] == 7
    assert admin.command("get_trace_mask")["tracemask"] == 7
    for query in ("", "?traceMask=", "?traceMask=x", "?traceMask=%", "?traceMask=%00", "?traceMask=" + "9" * 30):
        assert admin.command("set_trace_mask" + query)["error"] == "setTraceMask requires long traceMask argument"


@pytest.mark.parametrize("name", ["snapshot", "restore"])
def test_snapshots_are_refused_with_the_way_out(admin, name):
    status, headers, text = admin.get(f"/commands/{name}")
    assert status == 401 and json.loads(text)["error"] == "Auth info is missing for the command"
    status, _, text = admin.get(f"/commands/{name}", headers={"Authorization": "digest root:canary"})
    assert status == 501 and "faaskeeper data backup" in text and "canary" not in text


def metrics(text):
    """name (with labels) -> value; each has its type before it."""
    found, kinds = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert kind in ("gauge", "counter", "summary") and name not in kinds
            kinds[name] = kind
        elif not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            base = re.sub(r"(_count|_sum)?$", "", name.split("{")[0])
            assert base in kinds or name.split("{")[0] in kinds, name
            assert name not in found
            found[name] = float(value)
    return found


def test_metrics(admin):
    client = admin.server.connect()
    for number in range(20):
        client.create(f"/n{number}", b"x" * 10)
        client.get(f"/n{number}", watch=True)
    status, headers, text = admin.get("/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found = metrics(text)
    assert (found["znode_count"], found["watch_count"], found["num_alive_connections"]) == (25, 20, 1)
    assert (found["readlatency_count"], found["updatelatency_count"]) == (20, 20)
    assert found["updatelatency_sum"] >= 0 and 'updatelatency{quantile="0.99",}' in found
    assert found["fsynctime_count"] > 0 and found["process_resident_memory_bytes"] > 1e6
    client.close_session()
    monitor = admin.command("monitor")
    assert {"version", "server_state", "znode_count", "avg_latency", "cnt_readlatency", "p99_updatelatency"} <= set(monitor)
    lines = zkraw.four_letters(admin.server.address, "mntr").splitlines()
    names = {line.split("\t")[0].removeprefix("zk_") for line in lines}
    assert names == set(monitor) - {"command", "error"}  # of one table


def test_what_dashboards_and_alerts_ask_for(admin):
    """Each name that they use is there, or it is known why it can't be."""
    wanted = json.loads((pathlib.Path(__file__).parent / "dashboard_metrics.json").read_text())
    found = set(metrics(admin.get("/metrics")[2]))
    assert not set(wanted["present"]) - found
    assert not set(wanted["not applicable"]) & found and all(wanted["not applicable"].values())


def test_metrics_on_a_port_of_their_own(start_server):
    port = server_module.free_port()
    start_server({"metricsProvider.className": "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider",
                  "metricsProvider.httpPort": str(port)})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for path, status in (("/metrics", 200), ("/healthz", 200), ("/readyz", 200), ("/commands/ruok", 404)):
        connection.request("GET", path)  # on one connection
        answer = connection.getresponse()
        assert answer.status == status, answer.read()
        answer.read()
    connection.close()


def test_health(admin):
    for path in ("/healthz", "/livez", "/readyz"):
        assert admin.get(path)[0] == 200 and admin.get(path)[2] == "ok\n"
    status, headers, text = admin.get("/healthz", method="HEAD")
    assert (status, text) == (200, "") and headers["Content-Length"] == "3"


@pytest.mark.parametrize("data, status", [
    (b"GARBAGE\r\n\r\n", 400), (b"GET  /x HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/2.0\r\n\r\n", 505),
    (b"GET http://x/ HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nA : b\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", 400), (b"GET / HTTP/1.1\nHost: x\n\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\n\r\n", 411), (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400),
    (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400), (b"POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", 413),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501), (b"PUT / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405),
    (b"GET /" + b"x" * 20000, 431), (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 100 + b"\r\n", 431),
    (b"GET /\0 HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nA: \x01\r\n\r\n", 400),
], ids=lambda value: str(value)[:40])
def test_bad_requests(admin, data, status):
    answer = admin.raw(data.replace(b"HTTP/1.1\r\n\r\n", b"HTTP/1.1\r\nConnection: close\r\n\r\n", 1) if status == 405 else data, wait=2)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer
    assert admin.get("/healthz")[0] == 200


def test_requests_one_after_the_other_in_one_write(admin):
    answer = admin.raw(b"POST /healthz HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello" + b"GET /commands/ruok HTTP/1.1\r\n\r\n"
                       + b"GET /readyz HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 3 and answer.endswith(b"ok\n") and b'"ruok"' in answer


def test_a_silent_connection_is_closed(start_server):
    admin = Admin(start_server, {"admin.idleTimeout": "300"})
    assert admin.raw(b"GET / HT", wait=10) == b""  # and recv saw the end, not the timeout
    with socket.create_connection(admin.address, 10) as sock:
        assert sock.recv(1) == b""


def test_there_are_few_connections(admin):
    socks = [socket.create_connection(admin.address, 10) for _ in range(100)]
    closed = 0
    for sock in socks[70:]:
        sock.settimeout(5)
        closed += sock.recv(1) == b""
    assert closed == 30
    for sock in socks:
        sock.close()

    def answers():
        try:
            return admin.get("/healthz")[0] == 200
        except OSError:  # the others are not gone yet
            return False
    server_module.wait_until(answers, what="the port serves again")


def test_the_address_is_told_and_a_port_in_use_is_an_error(start_server, tmp_path):
    admin = Admin(start_server)
    done = subprocess.run([server_module.BINARY, "serve", "--memory", "--listen", "127.0.0.1:0", "-D", "admin.enableServer=true",
                           "-D", f"admin.serverPort={admin.address[1]}"], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1 and "admin.serverPort" in done.stderr and str(admin.address[1]) in done.stderr


def test_the_initial_configuration_has_no_secrets(start_server):
    digest = "super:canary/digest+AAAAAAAAAAAAAA="
    admin = Admin(start_server, {"DigestAuthenticationProvider.superDigest": digest, "maxClientCnxns": "77"})
    text = admin.command("initial_configuration")["initial_configuration"]
    assert "maxClientCnxns=77" in text and "canary" not in text


def test_it_is_off_unless_asked_for(start_server):
    server = start_server()
    fds = pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir()
    mine = {os.readlink(fd).partition("socket:[")[2].rstrip("]") for fd in fds}
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert [row[1].split(":")[1] for row in rows if row[3] == "0A" and row[9] in mine] == [f"{server.address[1]:04X}"]
