# SPDX-License-Identifier: Apache-2.0
"""The gateway of a cloud deployment as a process, over a cloud in memory: its life, its options, what it tells."""
import concurrent.futures
import json
import os
import signal
import subprocess
import time
import urllib.request

import pytest

import server as server_module
import zkraw
from server import wait_until
from zkraw import DATA_CHANGED, EPHEMERAL, OK

pytestmark = pytest.mark.skipif(not server_module.CLOUD, reason="of the gateway: FK_E2E_SERVER=cloud")


def gateway(*arguments, seconds=20):
    return subprocess.run([server_module.GATEWAY, "gateway", *arguments], capture_output=True, text=True, check=False,
                          timeout=seconds)


def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def end_of(server, seconds):
    """Waits for the end of a server that was told to stop; its exit code."""
    server.process.wait(seconds)
    return server.stop()


# ---- how it is called

@pytest.mark.parametrize("arguments, words", [
    ([], ["--deployment"]),
    (["--deployment", "x", "--threads", "1"], ["--threads", "2 to 256"]),
    (["--deployment", "x", "--threads", "many"], ["--threads", "2 to 256"]),
    (["--deployment", "x", "--channel", "pigeon"], ["--channel", "sqs", "tcp"]),
    (["--deployment", "x", "--data", "y"], ["--data", "unknown option"]),
    (["--deployment", "x", "y"], ["'y'", "unexpected"]),
    (["--deployment", "x", "--listen", "0.0.0.0:0"], ["0.0.0.0:0", "--insecure"]),
    (["--deployment", "x", "--listen", "nonsense"], ["nonsense"]),
    (["--deployment", "x", "-D", "tickTime=never"], ["tickTime"]),
])
def test_wrong_usage_is_named(arguments, words):
    done = gateway(*arguments)
    assert done.returncode == 2 and all(word in done.stderr for word in words), done.stderr


def test_a_deployment_that_is_not_there():
    done = gateway("--deployment", "missing", "--listen", "127.0.0.1:0")
    assert (done.returncode, done.stdout) == (1, "") and "missing" in done.stderr


def test_a_port_in_use(server):
    done = gateway("--deployment", "x", "--listen", "%s:%d" % server.address)
    assert done.returncode == 1 and "in use" in done.stderr


def test_help():
    done = gateway("--help")
    assert done.returncode == 0 and "--deployment NAME" in done.stdout


# ---- the end

def test_a_gateway_that_stops_ends_connections_and_not_sessions(start_server):
    server = start_server()
    client = server.connect()
    assert client.create("/e", flags=EPHEMERAL)[0] == OK
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    with pytest.raises((zkraw.Closed, OSError)):
        while True:
            client.read()
    assert end_of(server, 10) == 0 and time.monotonic() - began < 8
    assert "session expired" not in server.stderr()
    assert "hand-over did not end" not in server.stderr()


def test_what_is_under_way_ends_first(start_server, monkeypatch):
    monkeypatch.setenv("FK_MEMORY_DELAY_MS", "100")
    server = start_server()
    client = server.connect(timeout=20000)
    xids = [client.post(zkraw.CREATE, zkraw.create_body(f"/n{number}")) for number in range(3)]
    time.sleep(0.15)
    server.process.send_signal(signal.SIGTERM)
    replies = [client.read() for _ in xids]
    assert [reply.err for reply in replies] == [OK] * 3
    assert end_of(server, 15) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_impatient_second_signal_ends_it_at_once(start_server, monkeypatch, number):
    monkeypatch.setenv("FK_MEMORY_DELAY_MS", "400")
    server = start_server()
    client = server.connect(timeout=20000)
    client.post(zkraw.CREATE, zkraw.create_body("/n"))
    time.sleep(0.1)
    server.process.send_signal(number)
    time.sleep(0.1)
    server.process.send_signal(number)
    assert end_of(server, 10) == 0


# ---- many clients

def test_many_clients_at_once(start_server):
    server = start_server()
    client = server.connect()
    client.create("/n", b"x")

    def work(number):
        one = server.connect(timeout=20000)
        for at in range(20):
            assert one.get("/n")[0] == OK
            assert one.create(f"/c{number}-{at}")[0] == OK
        one.close_session()

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(48)))
    assert len(client.children("/")[1]) >= 48 * 20


def test_reads_do_not_wait_for_each_other(start_server, monkeypatch):
    """64 reads of 50 ms each on 32 threads: two rounds, not 64."""
    monkeypatch.setenv("FK_MEMORY_DELAY_MS", "50")
    server = start_server()
    clients = [server.connect(timeout=30000) for _ in range(64)]
    for one in clients:
        one.get("/")
    began = time.monotonic()
    for one in clients:
        one.post(zkraw.GET_DATA, zkraw.path_watch("/"))
    for one in clients:
        assert one.read().err == OK
    assert time.monotonic() - began < 64 * 0.05 / 4


def test_an_event_comes_from_another_session(server, path):
    first, second = server.connect(), server.connect()
    first.get(path, watch=True)
    second.set(path, b"y")
    assert wait_until(first.take_events, what="the event") == [(DATA_CHANGED, path)]
    first.close_session()
    second.close_session()


# ---- operators

def test_health_and_metrics(start_server):
    port = server_module.free_port()
    server = start_server({"admin.serverPort": str(port), "admin.enableServer": "true"})
    client = server.connect()
    client.create("/a")
    client.get("/a")
    base = f"http://127.0.0.1:{port}"
    assert fetch(base + "/healthz") == (200, "ok\n")
    assert fetch(base + "/readyz") == (200, "ok\n")
    status, text = fetch(base + "/metrics")
    assert status == 200 and "num_alive_connections" in text and "readlatency_count 1" in text
    assert "znode_count" not in text and "approximate_data_size" not in text  # nobody counts what the table holds
    assert json.loads(fetch(base + "/commands/stats")[1])["node_count"] == -1


def test_it_is_not_ready_while_it_leaves(start_server, monkeypatch):
    monkeypatch.setenv("FK_MEMORY_DELAY_MS", "300")
    port = server_module.free_port()
    server = start_server({"admin.serverPort": str(port), "admin.enableServer": "true"})
    client = server.connect(timeout=20000)
    client.post(zkraw.CREATE, zkraw.create_body("/n"))
    time.sleep(0.1)
    server.process.send_signal(signal.SIGTERM)
    assert wait_until(lambda: fetch(f"http://127.0.0.1:{port}/readyz")[0] == 503, 2, "not ready")
    assert end_of(server, 15) == 0


def test_the_log_tells_start_and_end(start_server):
    server = start_server()
    os.kill(server.pid(), signal.SIGHUP)
    server.process.send_signal(signal.SIGTERM)
    assert end_of(server, 10) == 0
    for words in ("starting", "deployment=memory", "channel=memory", "stopping", "stopped"):
        assert words in server.stderr()
