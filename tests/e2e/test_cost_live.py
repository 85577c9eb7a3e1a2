# SPDX-License-Identifier: Apache-2.0
"""What a server tells of its cost on AWS: the counts of what clients did, the units of the measured table for them, the
dollars of prices that are known; and `faaskeeper cost live`, which asks it."""
import http.server
import json
import os
import pathlib
import re
import socket
import subprocess
import threading

import pytest

import server as server_module
import zkraw
from test_admin import Admin
from zkraw import EPHEMERAL

pytestmark = pytest.mark.only_ours("ZooKeeper has no such command")

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNITS = ("read_units", "write_units", "queue_requests", "channel_requests", "blob_puts", "blob_gets", "invocations")
BESIDES = {"gatewayMinute", "heartbeat"}  # of time, not of clients
PIPELINE = server_module.CLOUD and os.environ.get("FK_MEMORY_PIPELINE") == "1"


def table_of_units():
    """{name: {pipeline: [(amount, units)]}} of src/cost/units_table.inc, with the names of units.h."""
    names = dict(re.findall(r'X\((\w+), "(\w+)"', (ROOT / "src/cost/units.h").read_text()))
    table = {}
    for op, pipeline, amount, units, calls in re.findall(
            r"\{FK_COST_(\w+), (true|false), (\d+), \{(.*?)\}, (\d+)\}", (ROOT / "src/cost/units_table.inc").read_text()):
        row = {key: int(value) for key, value in re.findall(r"\.(\w+) = (\d+)", units)}
        row["invocations"] = int(calls)
        row["blob_puts"] = row.get("blob_puts", 0) + row.get("blob_lists", 0)
        rows = table.setdefault(names[op], {}).setdefault(pipeline == "true", [])
        rows.append((int(amount), {unit: row.get(unit, 0) for unit in UNITS}))
    return table


TABLE = table_of_units()


def units_of(name, amount):
    """Of the first measured amount that is not smaller."""
    if name == "event":  # what a watched write has beyond another
        watched, plain = units_of("setDataWatched", 0), units_of("setData", 0)
        return {unit: watched[unit] - plain[unit] for unit in UNITS}
    rows = TABLE[name].get(PIPELINE) or TABLE[name][False]
    return next(units for measured, units in rows if measured >= amount)


def counts_of(span):
    return {(one["operation"], one["amount"]): one["count"] for one in span["operations"]
            if one["operation"] not in BESIDES}


def run(*words):
    return subprocess.run([server_module.BINARY, "cost", "live", *words], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def admin(start_server):
    return Admin(start_server)


def work(client):
    """Operations of many kinds; what the table calls them, and how many."""
    for number in range(7):
        client.create(f"/n{number}", b"x" * 100)
    client.create("/e", flags=EPHEMERAL)
    client.create("/s-", flags=2)
    client.set("/n0", b"x" * 1500)
    client.set("/n0", b"x" * 8192)
    client.get("/n0")
    client.set("/n0", b"x" * 100_000)
    client.get("/n0")
    for _ in range(5):
        client.set("/n1", b"y")
    for _ in range(9):
        client.get("/n1")
    client.get("/n1", watch=True)
    client.set("/n1", b"z")
    client.exists("/none")
    client.exists("/n2")
    client.children("/n2")
    client.sync("/")
    client.ping()
    client.delete("/n6")
    client.delete("/none")
    return {("sessionNew", 0): 1, ("create", 900): 7, ("createEphemeral", 900): 1, ("createSequential", 900): 1,
            ("setData", 900): 6, ("setData", 1700): 1, ("setData", 8192): 1, ("setData", 1048511): 1, ("getData", 900): 9,
            ("getData", 8192): 1, ("getData", 1048511): 1, ("getDataWatch", 0): 1, ("event", 0): 1, ("eventTrimmed", 0): 1,
            ("existsNot", 0): 1, ("exists", 0): 1, ("getChildren", 0): 1, ("sync", 0): 1, ("ping", 0): 1, ("delete", 0): 1,
            ("createRefused", 0): 1}


def test_the_counts_and_the_units_of_the_table(admin):
    client = admin.server.connect()
    expected = work(client)
    answer = admin.command("cost")
    # The cloud in memory has a channel that is not billed, as TCP is.
    told = any(one["what"].startswith("answers: send") for one in answer["since_start"]["services"])
    assert (answer["channel"], told) == (("tcp", False) if server_module.CLOUD else ("sqs", True))
    for span in ("since_start", "last_hour"):
        assert counts_of(answer[span]) == expected
        for one in answer[span]["operations"]:
            if one["operation"] not in BESIDES:
                units = units_of(one["operation"], one["amount"])
                assert {unit: one[unit] for unit in UNITS} == {unit: one["count"] * units[unit] for unit in UNITS}, one
        assert answer[span]["usd"] == pytest.approx(sum(one["usd"] for one in answer[span]["services"]))
    requests = sum(count for (name, _), count in expected.items() if not name.startswith("event"))
    assert sum(minute["operations"] for minute in answer["minutes"]) == requests and answer["minutes"][0]["ago"] == 0
    session, = answer["sessions"]
    assert (session["session_id"], session["operations"]) == (client.session, requests)
    total = {unit: sum(count * units_of(*key)[unit] for key, count in expected.items() if not key[0].startswith("event"))
             for unit in UNITS}
    assert {unit: session[unit] for unit in UNITS} == total
    client.close_session()
    assert counts_of(admin.command("cost")["since_start"]) == expected | {("sessionClosed", 0 if server_module.CLOUD else 1): 1}
    assert admin.command("cost")["sessions"] == []


def test_the_dearest_session_comes_first_and_the_list_is_short(admin):
    clients = [admin.server.connect() for _ in range(25)]
    for number, client in enumerate(clients):
        for _ in range(number):
            client.get("/")
    sessions = admin.command("cost")["sessions"]
    assert [one["session_id"] for one in sessions] == [client.session for client in reversed(clients)][:20]
    assert sessions[0]["usd"] > sessions[-1]["usd"] > 0
    for client in clients:
        client.close_session()


def test_the_same_as_metrics(admin):
    client = admin.server.connect()
    expected = work(client)
    text = admin.get("/metrics")[2]
    found = dict(re.findall(r'(?m)^(fk_\S+) (\S+)$', text))
    for name in {key[0] for key in expected}:
        count = sum(count for key, count in expected.items() if key[0] == name)
        assert float(found[f'fk_operations_total{{operation="{name}"}}']) == count
    writes = sum(count * units_of(*key)["write_units"] for key, count in expected.items())
    assert float(found['fk_cost_units_total{unit="write"}']) == writes
    assert float(found['fk_cost_usd{service="DynamoDB"}']) > 0
    client.close_session()


def test_the_command_prints_what_the_server_counts(admin, tmp_path):
    client = admin.server.connect()
    expected = work(client)
    address = "127.0.0.1:%d" % admin.address[1]
    done = run(address, "--json", "--sessions")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert counts_of(document["since_start"]) == expected and document["zookeeper"]["ensemble"] == "3xt3.small"
    assert document["sessions"][0]["session_id"] == client.session
    for one in document["since_start"]["operations"]:
        if one["operation"] not in BESIDES:
            assert one["write_units"] == one["count"] * units_of(one["operation"], one["amount"])["write_units"]
    # Estimates read it.
    (tmp_path / "metrics.json").write_text(done.stdout)
    estimate = subprocess.run([server_module.BINARY, "cost", "estimate", "--from", str(tmp_path / "metrics.json")],
                              capture_output=True, text=True, timeout=60, check=False)
    assert estimate.returncode == 0, estimate.stderr
    # Prices of one's own.
    (tmp_path / "prices.json").write_text(json.dumps({"prices": {"dynamodb_read_unit": {"usd": 1}}}))
    dear = json.loads(run(address, "--json", "--since-start", "--prices", str(tmp_path / "prices.json")).stdout)
    line, = [one for one in dear["since_start"]["services"] if one["what"] == "read units"]
    assert line["usd"] == pytest.approx(line["amount"])
    reads = sum(count * units_of(*key)["read_units"] for key, count in expected.items())
    assert reads < line["amount"] < 1.1 * reads + 10  # renewals, and commits that are tried again, are in it
    # People read a table.
    table = run(address, "--sessions").stdout
    assert re.search(r"(?m)^setData +1700 +1 ", table) and re.search(r"(?m)^DynamoDB +write units", table)
    assert f"0x{client.session:x}" in table and "a month like this" in table and "3xt3.small" in table
    widths = {len(line) for line in table.splitlines() if re.match(r"(getData|setData|create|operation)", line)}
    assert len(widths) == 1
    client.close_session()


@pytest.mark.parametrize("words, part", [
    ((), "HOST:PORT"), (("127.0.0.1:0",), "1 to 65535"), (("127.0.0.1:99999",), "1 to 65535"), (("a:b",), "'a:b'"),
    (("a", "b"), "'b'"), (("--what", "a"), "'--what'"), (("a", "--region"), "'--region'"),
    (("127.0.0.1:1", "--region", "moon-1"), "us-east-1"), (("127.0.0.1:1", "--zookeeper", "3"), "3xt3.small"),
    (("127.0.0.1:1", "--zookeeper", "3xabacus"), "abacus")])
def test_bad_arguments_are_named(words, part):
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "") and part in done.stderr, done.stderr


def test_nobody_is_there():
    done = run(f"127.0.0.1:{server_module.free_port()}")
    assert done.returncode == 1 and "can't connect" in done.stderr and "admin.enableServer=true" in done.stderr


def test_a_client_port_is_not_an_admin_port(start_server):
    server = start_server()
    done = run("127.0.0.1:%d" % server.address[1])
    assert done.returncode == 1 and "is not the admin port of a FaaSKeeper server" in done.stderr


class Other(http.server.BaseHTTPRequestHandler):
    """Somebody else's HTTP."""
    status, body = 200, b""

    def do_GET(self):
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *args):
        pass


@pytest.mark.parametrize("status, body, part", [
    (404, b"nothing here", "status 404"), (200, b"<html>hello</html>", "no JSON: '<html>hello</html>'"), (200, b"", "no JSON"),
    (200, b'{"command": "cost", "error": "Unknown command: cost"}', "Unknown command: cost"), (200, b"{}", "something else"),
    (200, b'{"topology": "single-hop", "since_start": {"seconds": "x"}}', "'seconds'"), (200, b"[1]", "no JSON")])
def test_other_servers_are_told_apart(status, body, part):
    handler = type("Handler", (Other,), {"status": status, "body": body})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        try:
            done = run("127.0.0.1:%d" % other.server_address[1])
        finally:
            other.shutdown()
            thread.join()
    assert done.returncode == 1 and part in done.stderr and "is not the admin port" in done.stderr, done.stderr


def test_garbage_is_told_apart():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def answer():
            sock, _ = listener.accept()
            with sock:
                sock.recv(65536)
                sock.sendall(b"\x00\x00\x00\x08imokimok")
        thread = threading.Thread(target=answer)
        thread.start()
        done = run("127.0.0.1:%d" % listener.getsockname()[1])
        thread.join()
    assert done.returncode == 1 and "is not the admin port" in done.stderr


@pytest.mark.skipif(not server_module.CLOUD, reason="meters are those of a gateway's ports")
def test_a_gateway_tells_what_it_used_itself(admin):
    client = admin.server.connect()
    work(client)
    metered = admin.command("cost")["metered"]
    labels = {one["label"]: one for one in metered["labels"]}
    assert labels["getDataWatch" if "getDataWatch" in labels else "getData"]["read_units"] >= 11
    assert labels["send"]["queue_requests"] >= 20 and labels["renew"]["write_units"] >= 1
    assert metered["all"]["read_units"] == sum(one["read_units"] for one in labels.values())
    assert 'fk_metered_read_units_total{label="getData"}' in admin.get("/metrics")[2]
    client.close_session()
