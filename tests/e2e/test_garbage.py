# SPDX-License-Identifier: Apache-2.0
"""What strangers send. Whatever it is: the server goes on, other clients are served, nothing stays behind."""
import os
import pathlib
import re
import resource
import select
import shutil
import socket
import struct
import time

import pytest

import zkraw
from server import MEASURES_MEMORY, Server, parse_address, wait_until
from zkraw import OK

BATCH = 64
PROMPT_SECONDS = 5  # a healthy client's answer, on a busy machine


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    one = Server(tmp_path_factory.mktemp("garbage"), {"tickTime": "500"}).start()
    yield one
    one.finish()


@pytest.fixture
def healthy(server):
    """A client that is served before, between and after; and no descriptor stays open."""
    client = server.connect(timeout=10000)
    name = f"/healthy-{client.session:x}"
    assert client.create(name, b"content")[0] == OK
    files = server.open_files()
    client.name = name
    yield client
    check(client)
    wait_until(lambda: client.ping() and server.open_files() <= files + 2, 20, "the descriptors are closed")
    client.close_session()


def check(client):
    began = time.monotonic()
    assert client.get(client.name)[1] == b"content"
    assert time.monotonic() - began < PROMPT_SECONDS


def drain(sock, seconds=10):
    """Everything until the end of the stream; None when it does not end in time."""
    deadline, data = time.monotonic() + seconds, b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([sock], [], [], left)[0]:
            return None
        try:
            part = sock.recv(1 << 20)
        except ConnectionError:
            return data
        if not part:
            return data
        data += part


def assert_frames(data):
    """What the server sent is whole frames."""
    while data:
        assert len(data) >= 4, data
        size = struct.unpack(">i", data[:4])[0]
        assert 0 <= size <= len(data) - 4, (size, len(data))
        data = data[4 + size:]


def send_each(server, messages, client=None):
    """Sends each message on a connection of its own, ends the sending side, and reads to the end."""
    for first in range(0, len(messages), BATCH):
        socks = []
        for message in messages[first:first + BATCH]:
            sock = zkraw.open_socket(server.address)
            try:
                sock.sendall(message)
                sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # closed already: also an answer
            socks.append(sock)
        for number, sock in enumerate(socks):
            data = drain(sock)
            sock.close()
            assert data is not None, f"message {first + number} of {len(messages)}: the connection stays open"
            assert_frames(data)
        if client:
            check(client)


def flipped(data):
    """Every version of data with one bit changed."""
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


CONNECT = zkraw.frame(zkraw.connect_request(timeout=1000))
CREATE = zkraw.frame(zkraw.int32(1) + zkraw.int32(zkraw.CREATE) + zkraw.create_body(
    "/garbage/node", b"data", flags=zkraw.EPHEMERAL))


# ---- damaged frames

def test_every_truncation_of_a_connect_frame(server, healthy):
    send_each(server, [CONNECT[:size] for size in range(len(CONNECT))], healthy)


def test_every_shorter_connect_record(server, healthy):
    body = CONNECT[4:]
    send_each(server, [zkraw.frame(body[:size]) for size in range(len(body))], healthy)


def test_every_flipped_bit_of_a_connect_frame(server, healthy):
    send_each(server, list(flipped(CONNECT)), healthy)


def test_every_truncation_of_a_create_frame(server, healthy):
    send_each(server, [CONNECT + CREATE[:size] for size in range(len(CREATE))], healthy)


def test_every_shorter_create_record(server, healthy):
    body = CREATE[4:]
    send_each(server, [CONNECT + zkraw.frame(body[:size]) for size in range(len(body))], healthy)


def test_every_flipped_bit_of_a_create_frame(server, healthy):
    healthy.create("/garbage")
    send_each(server, [CONNECT + frame for frame in flipped(CREATE)], healthy)


LENGTHS = [-1, -2, -100, -2**31, 2**31 - 1, 2**31 - 4, 1 << 30, 1 << 20, 0x7fff0000, 65536, 1000]


def test_lengths_and_counts_that_lie(server, healthy):
    messages = []
    for length in LENGTHS:
        number = zkraw.int32(length)
        messages += [
            number, number + bytes(100),                                                      # the frame's
            zkraw.frame(zkraw.int32(0) + zkraw.int64(0) + zkraw.int32(1000) + zkraw.int64(0) + number + bytes(17)),
        ]
        for op, body in (
                (zkraw.CREATE, number + b"/a"),
                (zkraw.CREATE, zkraw.ustring("/a") + number + b"data"),
                (zkraw.CREATE, zkraw.ustring("/a") + zkraw.buffer(b"") + number),
                (zkraw.CREATE, zkraw.ustring("/a") + zkraw.buffer(b"") + number + bytes(200)),
                (zkraw.CREATE, zkraw.ustring("/a") + zkraw.buffer(b"") + zkraw.int32(1) + zkraw.int32(31) + number),
                (zkraw.SET_ACL, zkraw.ustring("/a") + number + bytes(16)),
                (zkraw.SET_DATA, zkraw.ustring("/a") + number),
                (zkraw.MULTI, zkraw.int32(1) + b"\0" + zkraw.int32(-1) + number + b"/a"),
                (zkraw.SET_WATCHES, zkraw.int64(0) + number),
                (zkraw.SET_WATCHES, zkraw.int64(0) + zkraw.int32(1) + number),
                (zkraw.SET_WATCHES, zkraw.int64(0) + zkraw.int32(0) + number + bytes(50)),
                (zkraw.AUTH, zkraw.int32(0) + number), (zkraw.AUTH, zkraw.int32(0) + zkraw.ustring("digest") + number)):
            messages.append(CONNECT + zkraw.frame(zkraw.int32(1) + zkraw.int32(op) + body))
    before = server.resident_kb()
    send_each(server, messages, healthy)
    if MEASURES_MEMORY:
        assert server.resident_kb() - before < 32 * 1024


def test_random_bytes(server, healthy):
    import random
    random.seed(20240607)
    messages = [random.randbytes(random.randrange(1, 400)) for _ in range(200)]
    messages += [CONNECT + zkraw.frame(random.randbytes(random.randrange(0, 200))) for _ in range(200)]
    # Operations that exist with bodies that make no sense.
    operations = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 100, 101]
    messages += [CONNECT + zkraw.frame(zkraw.int32(1) + zkraw.int32(random.choice(operations))
                                       + random.randbytes(random.randrange(0, 60))) for _ in range(400)]
    send_each(server, messages, healthy)


def test_other_protocols(server, healthy):
    messages = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"POST /commands/ruok HTTP/1.0\r\n\r\n", b"HEAD",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),  # TLS
        b"SSH-2.0-OpenSSH_9.2\r\n", b"*1\r\n$4\r\nPING\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\r\n", b"\n" * 1000,
    ]
    for message in messages:
        sock = zkraw.open_socket(server.address)
        try:
            sock.sendall(message)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        assert drain(sock) == b"", message
        sock.close()
    check(healthy)


# ---- slow and silent clients

def test_a_session_in_single_bytes(server, healthy):
    client = zkraw.Connection(server.address, connect=False)
    name = healthy.name + "-bytes"
    for byte in CONNECT + zkraw.frame(zkraw.int32(1) + zkraw.int32(zkraw.CREATE) + zkraw.create_body(name)):
        client.send(bytes([byte]))
    assert client.read_connect_response().session != 0
    assert client.reply().err == OK
    client.close_session()


def test_half_frames_that_never_end(server, healthy):
    socks = []
    for number in range(200):
        sock = zkraw.open_socket(server.address)
        sock.sendall(CONNECT + CREATE[:number % len(CREATE)] if number % 2 else CONNECT[:number % len(CONNECT)])
        socks.append(sock)
        if number % 20 == 0:
            check(healthy)
    check(healthy)
    for sock in socks:
        sock.close()


def test_a_connection_that_says_nothing_is_closed(server, healthy):
    socks = [zkraw.open_socket(server.address) for _ in range(5)]
    socks[1].sendall(CONNECT[:3])
    socks[2].sendall(CONNECT[:20])
    try:
        end = time.monotonic() + 45
        open_ones = set(socks)
        while open_ones:
            assert time.monotonic() < end, "a connection without a session is still open after 45 s"
            for sock in select.select(list(open_ones), [], [], 1)[0]:
                try:
                    assert sock.recv(100) == b""
                except ConnectionResetError:
                    pass
                open_ones.discard(sock)
            healthy.ping()
    finally:
        for sock in socks:
            sock.close()


def test_resets_at_every_point(server, healthy):
    """RST instead of FIN, also with answers on their way."""
    large = healthy.name + "-large"
    assert healthy.create(large, bytes(200000))[0] == OK
    get = zkraw.frame(zkraw.int32(1) + zkraw.int32(zkraw.GET_DATA) + zkraw.path_watch(large, True))
    for message in [b"", CONNECT[:10], CONNECT, CONNECT + CREATE[:20], CONNECT + CREATE, CONNECT + get * 50] * 10:
        sock = zkraw.open_socket(server.address)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.sendall(message)
        sock.close()
    healthy.set(large, b"")  # to the watches of connections that are gone
    check(healthy)


def test_half_closed_connections(server, healthy):
    """The client has ended its sending side: the server ends the connection, the session lives on for its timeout."""
    for _ in range(20):
        client = server.connect(timeout=1000)
        client.sock.shutdown(socket.SHUT_WR)
        assert client.is_closed()
        client.sock.close()


@pytest.mark.only_ours("ZooKeeper waits for a handshake as long as its client likes")
def test_a_handshake_in_single_bytes_has_its_time(server, healthy):
    """Bytes that keep coming do not put the end off; each connection holds no more than they are."""
    socks = [zkraw.open_socket(server.address) for _ in range(100)]
    before, began, sent = server.resident_kb(), time.monotonic(), 0
    while socks and time.monotonic() - began < 20:
        if sent < len(CONNECT) - 1:
            for sock in socks:
                try:
                    sock.sendall(CONNECT[sent:sent + 1])
                except OSError:
                    pass
            sent += 1
        for sock in select.select(socks, [], [], 0.5)[0]:
            assert drain(sock) == b""
            sock.close()
            socks.remove(sock)
        check(healthy)
    assert not socks, f"{len(socks)} connections are open without a session after 20 s"
    if MEASURES_MEMORY:
        assert server.resident_kb() - before < 100 * 16


@pytest.mark.only_ours("ZooKeeper waits for a handshake as long as its client likes")
def test_a_thousand_connections_that_say_nothing(start_server):
    raise_limit()
    server = start_server()
    client = server.connect(timeout=30000)
    client.name = "/healthy"
    assert client.create(client.name, b"content")[0] == OK
    files, before = server.open_files(), server.resident_kb()
    socks = [zkraw.open_socket(server.address) for _ in range(1000)]
    check(client)
    wait_until(lambda: server.open_files() >= files + 1000, 5, "they are accepted")
    if MEASURES_MEMORY:
        assert server.resident_kb() - before < 1000 * 8, "8 KB before authentication"
    wait_until(lambda: client.ping() and server.open_files() <= files + 2, 20, "they are closed")
    check(client)
    for sock in socks:
        sock.close()


@pytest.mark.skipif(not MEASURES_MEMORY, reason="resident memory of a JVM or under ASan says nothing")
def test_what_comes_with_a_handshake_waits_outside(start_server):
    """Before there is a session little is read, whatever its client sends behind the handshake."""
    server = start_server(wrapper=["prlimit", "--nofile=1024:1024"])
    client = server.connect(timeout=30000)
    before = server.resident_kb()
    socks = []
    for _ in range(200):
        sock = zkraw.open_socket(server.address)
        sock.setblocking(False)
        try:
            sock.send(zkraw.int32(900) + bytes(300))  # the first frame is not whole
            for _ in range(20):
                sock.send(bytes(60000))
        except (BlockingIOError, ConnectionError):
            pass
        socks.append(sock)
    assert client.ping().err == OK
    assert server.resident_kb() - before < 200 * 16
    for sock in socks:
        sock.close()


# ---- clients that do not read

def pipeline_without_reading(client, message, bytes_wanted, healthy_client, seconds=10):
    """Sends message over and over until so many bytes are gone or the server takes no more for a second."""
    client.sock.setblocking(False)
    sent, pending, quiet_since, end = 0, b"", time.monotonic(), time.monotonic() + seconds
    while sent < bytes_wanted and time.monotonic() - quiet_since < 1 and time.monotonic() < end:
        pending = pending or message * 200
        try:
            count = client.sock.send(pending)
            sent, pending, quiet_since = sent + count, pending[count:], time.monotonic()
        except BlockingIOError:
            select.select([], [client.sock], [], 0.1)
            check(healthy_client)
        except ConnectionError:
            return sent  # the server may also give up such a client
    return sent


@pytest.mark.skipif(not MEASURES_MEMORY, reason="resident memory of a JVM or under ASan says nothing")
@pytest.mark.parametrize("readers", [1, 10])
def test_memory_is_bounded_when_clients_do_not_read(server, healthy, readers):
    large = healthy.name + "-large"
    assert healthy.create(large, bytes(500000))[0] == OK
    request = zkraw.frame(zkraw.int32(1) + zkraw.int32(zkraw.GET_DATA) + zkraw.path_watch(large))
    before = server.resident_kb()
    clients = []
    for _ in range(readers):
        client = zkraw.Connection(server.address, connect=False)
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.handshake(timeout=10000)
        clients.append(client)
    for client in clients:
        pipeline_without_reading(client, request, 4000 * len(request), healthy)
    check(healthy)
    grown = server.resident_kb() - before
    for client in clients:
        client.abort()
    assert grown < 16 * 1024 + 8 * 1024 * readers, f"{grown} kB more for {readers} clients that do not read"
    assert healthy.delete(large) == OK


@pytest.mark.parametrize("op", [zkraw.GET_DATA, zkraw.EXISTS])
def test_a_slow_reader_gets_every_reply_in_order(server, healthy, op):
    """More replies than any buffer holds: the server waits for the reader, and goes on by itself."""
    large = healthy.name + "-slow"
    assert healthy.create(large, bytes(20000))[0] == OK
    client = server.connect(timeout=10000)
    count = 1000 if op == zkraw.GET_DATA else 60000
    data = b"".join(zkraw.frame(zkraw.int32(xid) + zkraw.int32(op) + zkraw.path_watch(large))
                    for xid in range(1, count + 1))
    client.sock.setblocking(False)
    received = 0
    while received < count:
        readable, writable, _ = select.select([client.sock], [client.sock] if data else [], [], 5)
        assert readable or writable, f"nothing for 5 s after {received} of {count} replies"
        if writable:
            data = data[client.sock.send(data[:65536]):]
        if readable:
            part = client.sock.recv(65536)
            assert part, f"closed after {received} of {count} replies"
            client.received += part
        while is_whole(client.received):
            received += 1
            reply = client.reply()
            assert (reply.xid, reply.err) == (received, OK)
    client.sock.setblocking(True)
    client.close_session()
    assert healthy.delete(large) == OK


def is_whole(data):
    return len(data) >= 4 and len(data) >= 4 + struct.unpack(">i", data[:4])[0]


def test_a_client_that_pipelines_writes_without_reading(server, healthy):
    client = server.connect(timeout=10000)
    request = zkraw.frame(zkraw.int32(1) + zkraw.int32(zkraw.SET_DATA) + zkraw.ustring(healthy.name + "-none")
                          + zkraw.buffer(b"x") + zkraw.int32(-1))
    pipeline_without_reading(client, request, 1000000, healthy)
    check(healthy)
    client.abort()


def test_watch_events_for_a_client_that_does_not_read(server, healthy):
    watcher = server.connect(timeout=10000)
    for _ in range(300):
        watcher.post(zkraw.GET_DATA, zkraw.path_watch(healthy.name, True))
        assert healthy.set(healthy.name, b"content")[0] == OK
    check(healthy)
    watcher.abort()


def alive(server):
    """Connections, as mntr counts them."""
    return int(re.search(r"zk_num_alive_connections\t(\d+)", zkraw.four_letters(server.address, "mntr")).group(1))


@pytest.mark.only_ours("ZooKeeper keeps events for a client that does not read without a bound")
def test_a_client_that_never_reads_its_events_is_closed(start_server):
    """Events can't wait for their reader. 16 MB of them are enough."""
    server = start_server({"forceSync": "no"})
    client, deaf = server.connect(timeout=30000), zkraw.Connection(server.address, connect=False)
    deaf.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.handshake(timeout=30000)
    name = "/" + "n" * 60000
    assert client.create(name, b"")[0] == OK
    body = zkraw.ustring("/") + zkraw.int32(zkraw.MODE_RECURSIVE)
    assert deaf.call(zkraw.ADD_WATCH, body).err == OK
    before, connections = server.resident_kb(), alive(server)
    for _ in range(800):  # 48 MB of events
        assert client.set(name, b"")[0] == OK
    if MEASURES_MEMORY:
        assert server.resident_kb() - before < 48 * 1024
    wait_until(lambda: client.ping() and alive(server) < connections, 20, "it is closed")
    deaf.abort()


# ---- many connections

def raise_limit():
    """The soft limit of open files to the hard one; the limit."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


@pytest.mark.only_ours("with its backlog of 50 this takes ZooKeeper a minute")
def test_ten_thousand_connections(start_server):
    limit = raise_limit()
    count = min(10000, limit - 500) if limit != resource.RLIM_INFINITY else 10000
    server = start_server({"tickTime": "2000", "maxClientCnxns": "0"})
    client = server.connect(timeout=40000)
    client.name = "/healthy"
    assert client.create(client.name, b"content")[0] == OK
    files = server.open_files()
    message = zkraw.frame(zkraw.connect_request(timeout=40000))
    socks = []
    began = time.monotonic()
    try:
        for number in range(count):
            sock = zkraw.open_socket(server.address, 30)
            sock.sendall(message)
            socks.append(sock)
            if number % 500 == 0:
                check(client)
        for sock in socks:
            response = b""
            while len(response) < 41:
                part = sock.recv(41 - len(response))
                assert part, "closed"
                response += part
        seconds = time.monotonic() - began
        check(client)
        assert server.open_files() >= files + count
        print(f"{count} connections with their sessions in {seconds:.1f} s")
        assert seconds < 40
    finally:
        for sock in socks:
            sock.close()
    wait_until(lambda: server.open_files() <= files + 2, 30, "the descriptors are closed")
    check(client)


def test_connections_that_come_and_go(server, healthy):
    before = server.resident_kb()
    for number in range(3000):
        zkraw.open_socket(server.address).close()
        if number % 300 == 0:
            check(healthy)
    for number in range(300):
        server.connect(timeout=4000).close_session()
    if MEASURES_MEMORY:
        assert server.resident_kb() - before < 16 * 1024


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.only_ours("a JVM does not start with 64 descriptors")
def test_out_of_descriptors(start_server):
    assert shutil.which("prlimit")
    server = start_server(wrapper=["prlimit", "--nofile=64:64"])
    client = server.connect(timeout=30000)
    client.name = "/healthy"
    assert client.create(client.name, b"content")[0] == OK
    socks = [zkraw.open_socket(server.address) for _ in range(200)]
    # Sockets stop short of the limit: the last descriptors are the log's, for its next segments. The rest waits unaccepted.
    wait_until(lambda: client.ping() and server.open_files() >= 30, what="the server takes what it can")
    began, cpu = time.monotonic(), cpu_seconds(server.pid())
    while time.monotonic() - began < 2:
        check(client)
        assert client.set(client.name, b"content")[0] == OK
        time.sleep(0.05)
    used = cpu_seconds(server.pid()) - cpu
    assert used < 1, f"{used:.2f} s of CPU in 2 s: accepting does not back off"
    assert server.open_files() < 60
    for sock in socks:
        sock.close()
    fresh = wait_until(lambda: try_connect(server), 15, "the server accepts again")
    assert fresh.exists("/healthy")[0] == OK


def try_connect(server):
    try:
        return server.connect()
    except (OSError, zkraw.Closed):
        return None


def is_turned_away(server):
    try:
        extra = zkraw.Connection(server.address, connect=False)
    except ConnectionError:
        return True
    return extra.is_closed()


def test_the_time_for_the_first_frame(start_server):
    server = start_server({"tickTime": "400", "nio.sessionlessCnxnTimeout": "700"})
    client = server.connect()
    began = time.monotonic()
    assert zkraw.Connection(server.address, connect=False).is_closed()
    assert 0.6 < time.monotonic() - began < 4
    assert client.ping().err == OK


@pytest.mark.parametrize("limit", [1, 5])
def test_the_limit_of_connections_per_address(start_server, limit):
    server = start_server({"maxClientCnxns": str(limit)})
    clients = [server.connect() for _ in range(limit)]
    for _ in range(3):
        assert is_turned_away(server)
    assert [one.ping().err for one in clients] == [OK] * limit
    clients.pop().close_session()
    wait_until(lambda: try_connect(server), 10, "a place is free again")


@pytest.mark.only_ours("the keys are those of 3.9")
def test_the_limit_of_connections_in_all(start_server):
    server = start_server({"maxCnxns": "3"})
    clients = [zkraw.Connection(server.address, source=f"127.0.0.{number}") for number in range(1, 4)]
    assert is_turned_away(server)
    assert [one.ping().err for one in clients] == [OK] * 3
    clients.pop().close_session()
    wait_until(lambda: try_connect(server), 10, "a place is free again")


@pytest.mark.only_ours("the keys are those of 3.9")
def test_handshakes_that_come_too_fast(start_server):
    """connection_throttle_*: those beyond are closed without a word, as in ZooKeeper; others go on."""
    server = start_server({"connection_throttle_tokens": "5", "connection_throttle_fill_time": "500",
                           "connection_throttle_fill_count": "1"})
    clients = [one for one in (try_connect(server) for _ in range(20)) if one]
    assert 5 <= len(clients) <= 8
    assert [one.ping().err for one in clients] == [OK] * len(clients)
    assert wait_until(lambda: try_connect(server), 10, "a token comes back")


@pytest.mark.only_ours("the keys are those of 3.9")
def test_large_requests_of_all(start_server):
    """largeRequestMaxBytes: what goes beyond loses its connection, what is on its way does not."""
    server = start_server({"largeRequestThreshold": "100000", "largeRequestMaxBytes": "1000000"})
    body = zkraw.ustring("/node") + zkraw.buffer(bytes(400000)) + zkraw.int32(-1)
    large = zkraw.frame(zkraw.int32(1) + zkraw.int32(zkraw.SET_DATA) + body)
    first, second, third, small = (server.connect(timeout=30000) for _ in range(4))
    assert small.create("/node")[0] == OK
    for client in (first, second):
        client.send(large[:50000])
        time.sleep(0.2)
    third.send(large[:50000])
    assert third.is_closed()
    for client in (first, second):
        client.send(large[50000:])
        assert client.reply().err == OK
    third = server.connect()
    third.send(large)
    assert third.reply().err == OK
    assert small.ping().err == OK


def test_a_limit_on_what_is_outstanding_loses_nothing(start_server):
    """globalOutstandingLimit: requests wait, and are all answered in their order."""
    server = start_server({"globalOutstandingLimit": "2"})
    clients = [server.connect(timeout=30000) for _ in range(5)]
    for client in clients:
        for number in range(200):
            client.post(zkraw.CREATE, zkraw.create_body(f"/{client.session:x}-{number}", b"x"))
    for client in clients:
        for number in range(200):
            reply = client.reply()
            assert (reply.xid, reply.err) == (number + 1, OK)


def test_addresses_are_parsed():
    assert parse_address("serving on 127.0.0.1:2181\n") == ("127.0.0.1", 2181)
    assert parse_address("x 1.2.3.4:5, [::1]:77\n") == ("::1", 77)
    assert parse_address("serving on unix:/a/b\n") == "/a/b"
