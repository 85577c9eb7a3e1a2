# SPDX-License-Identifier: Apache-2.0
"""A runtime of Lambda and a table, as one server on the loopback interface: for tests and figures of
`bootstrap` alone. Reads one request at a time, as a runtime does; keeps connections."""
import contextlib
import json
import os
import queue
import re
import socket
import subprocess
import threading
import time

HEADERS = ("Lambda-Runtime-Aws-Request-Id: {id}\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n"
           "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:f\r\n"
           "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1\r\n")

class Table:
    """As much of DynamoDB as one function alone needs: items by their keys, no conditions."""

    def __init__(self):
        self.items, self.lock = {}, threading.Lock()

    def call(self, action, body):
        request = json.loads(body or b"{}")
        with self.lock:
            return json.dumps(getattr(self, f"_{action}", lambda _: {})(request)).encode()

    @staticmethod
    def _key(item):
        return item["p"]["B"], item["n"]["B"]

    def _found(self, key):
        return self.items.get(self._key(key))

    def _GetItem(self, request):
        item = self._found(request["Key"])
        return {"Item": item} if item else {}

    def _BatchGetItem(self, request):
        name, asked = next(iter(request["RequestItems"].items()))
        return {"Responses": {name: [item for item in map(self._found, asked["Keys"]) if item]}, "UnprocessedKeys": {}}

    def _Query(self, request):
        partition = request["ExpressionAttributeValues"][":p"]["B"]
        return {"Items": [item for key, item in self.items.items() if key[0] == partition]}

    def _PutItem(self, request):
        self.items[self._key(request["Item"])] = request["Item"]
        return {}

    def _DeleteItem(self, request):
        self.items.pop(self._key(request["Key"]), None)
        return {}

    def _TransactWriteItems(self, request):
        for action in request["TransactItems"]:
            for name, write in action.items():
                getattr(self, f"_{name}Item", lambda _: {})(write)
        return {}


class Stub:
    """Events that are put are handed out in order; what comes back stands in `reports` as (path, headers, body)."""

    def __init__(self):
        self.events, self.reports, self.asked = queue.Queue(), queue.Queue(), queue.Queue()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.tables = []  # actions of the table that were asked for
        self.count = 0
        self.table = Table()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        data = b""
        with contextlib.suppress(OSError), connection:
            while True:
                while b"\r\n\r\n" not in data:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    data += piece
                head, data = data.split(b"\r\n\r\n", 1)
                text = head.decode("latin-1")
                size = int((re.search(r"(?i)^content-length: *(\d+)\r?$", text, re.M) or ["", "0"])[1])
                while len(data) < size:
                    data += connection.recv(65536)
                body, data = data[:size], data[size:]
                connection.sendall(self._answer(text, body))

    def _answer(self, head, body):
        _, path, _ = head.split("\r\n", 1)[0].split(" ")
        if path.endswith("/invocation/next"):
            self.asked.put(time.perf_counter())
            event = self.events.get()
            self.count += 1
            headers = HEADERS.format(id=f"id-{self.count}", deadline=int(time.time() * 1000) + 10000)
            return f"HTTP/1.1 200 OK\r\n{headers}Content-Length: {len(event)}\r\n\r\n".encode() + event
        if "/2018-06-01/runtime/" in path:
            self.reports.put((path, head, body))
            return b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
        action = re.search(r"(?i)^x-amz-target: *(\S+)", head, re.M)
        self.tables.append(action[1] if action else path)
        answer = self.table.call(self.tables[-1].split(".")[-1], body)
        return (f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(answer)}\r\n\r\n"
                .encode() + answer)

    def environment(self, function="writer", **more):
        """Of a function in a deployment whose services are this stub."""
        url = f"http://127.0.0.1:{self.port}"
        return {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.port}", "AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST", "AWS_SECRET_ACCESS_KEY": "secret", "FK_FUNCTION": function,
                "FK_DEPLOYMENT": "test", "FK_TOPOLOGY": "single-hop", "FK_TABLE": "faaskeeper-test",
                "FK_BUCKET": "faaskeeper-test", "FK_REQUESTS_URL": f"{url}/123456789012/faaskeeper-test-requests.fifo",
                **more}

    def close(self):
        self.listener.close()


def spawn(command, environment, **more):
    """Starts the program; also when that was."""
    began = time.perf_counter()
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, **more), began


def end(process):
    process.kill()
    process.wait()


def resident_bytes(pid):
    """What of a process is in memory."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
