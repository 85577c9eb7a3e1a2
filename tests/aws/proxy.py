#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A proxy between our program and an emulator of AWS that does what networks and services do on a bad day.

    proxy.py --upstream URL [--sides gateway,function] [--seed N]

Prints one line of JSON: the URL of each side, {"gateway": "http://127.0.0.1:...", ..., "control": ...}. Requests of
HTTP/1.1 are forwarded, connections kept. The plan is a list of rules, first match wins, set by PUT /plan on the control
address; GET /counts says what was forwarded and injected.

A rule: {"fault": NAME, "chance": 0.1, "side": "function", "service": "dynamodb", "action": "TransactWriteItems|PutItem",
"skip": 3, "times": 1, "ms": 200}; action is a regular expression, what is left out matches all. `skip` matching requests
pass first, `times` are hit at most.

Faults: throttle, unavailable (503), internal (500), conflict (a transaction's), reset, lose_request (closed, not
forwarded), lose_answer (forwarded, closed), truncate (half of the answer), duplicate (forwarded twice, the second's
answer), slow (waits before), slow_answer (waits behind), kill_before and kill_after (SIGKILL for the process that asked,
before it is forwarded and behind it), stop_before and stop_after (SIGSTOP, SIGCONT after `ms`).
"""
import argparse
import asyncio
import collections
import json
import os
import pathlib
import random
import re
import signal
import socket
import struct
import sys
import urllib.parse

HEAD_MAX = 1 << 16
BODY_MAX = 16 << 20
FAULTS = ("throttle", "unavailable", "internal", "conflict", "reset", "lose_request", "lose_answer", "truncate", "duplicate",
          "slow", "slow_answer", "kill_before", "kill_after", "stop_before", "stop_after")
TARGETS = {"DynamoDB": "dynamodb", "AmazonSQS": "sqs"}
# What each service says when it is asked too often, as its documentation has it.
THROTTLES = {
    "dynamodb": (400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
    "sqs": (403, "com.amazonaws.sqs#RequestThrottled"),
    "s3": (503, "SlowDown"),
}
OTHER_THROTTLE = (400, "ThrottlingException")


class Closed(Exception):
    """The other side closed its connection."""


class Message:
    """A request or an answer, whole."""

    def __init__(self, start, headers, body):
        self.start, self.headers, self.body = start, headers, body

    def header(self, name, default=""):
        for key, value in self.headers:
            if key.lower() == name:
                return value
        return default

    def encode(self):
        """With its body as one piece: chunks were joined when it was read."""
        kept = [(key, value) for key, value in self.headers if key.lower() not in (
            "transfer-encoding", "content-length", "connection", "keep-alive", "trailer")]
        if self.body or not self.start.startswith(("GET ", "HEAD ", "DELETE ")):
            kept.append(("Content-Length", self.header("content-length") if self.is_head else str(len(self.body))))
        lines = [self.start] + [f"{key}: {value}" for key, value in kept]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body

    is_head = False  # an answer to HEAD: a length and no body


class Peer:
    """One connection's bytes."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def read_head(self):
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Closed from error
        lines = head[:-4].decode("latin-1").split("\r\n")
        return lines[0], [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]

    async def read_request(self):
        start, headers = await self.read_head()
        request = Message(start, headers, b"")
        if request.header("expect").lower() == "100-continue":
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.headers = [pair for pair in headers if pair[0].lower() != "expect"]
        request.body = await self.read_body(request, 0)
        return request

    async def read_answer(self, method):
        while True:
            start, headers = await self.read_head()
            if not start.split()[1].startswith("1"):
                break
        answer = Message(start, headers, b"")
        answer.is_head = method == "HEAD"
        if not answer.is_head and start.split()[1] not in ("204", "304"):
            answer.body = await self.read_body(answer, None)
        return answer

    async def read_body(self, message, without_length):
        """without_length: what a message that names none has; None: all until the end."""
        try:
            if "chunked" in message.header("transfer-encoding").lower():
                return await self.read_chunks()
            length = message.header("content-length")
            if length:
                return await self.reader.readexactly(min(int(length), BODY_MAX))
            return b"" if without_length == 0 else await self.reader.read(BODY_MAX)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Closed from error

    async def read_chunks(self):
        body = b""
        while True:
            size = int((await self.reader.readline()).split(b";")[0], 16)
            if size == 0:
                while (await self.reader.readline()).strip():
                    pass
                return body
            body += await self.reader.readexactly(size)
            await self.reader.readexactly(2)

    def reset(self):
        """Ends the connection with RST."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def classify(request):
    """(service, action) of a request."""
    target = request.header("x-amz-target")
    if target:
        name, _, action = target.partition(".")
        service = TARGETS.get(name.split("_")[0])
        if service:
            return service, action
    found = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", request.header("authorization"))
    service = found[1] if found else "unknown"
    if target:
        return service, target.rpartition(".")[2]
    method, path = request.start.split(" ")[:2]
    if service == "s3":
        return service, s3_action(method, urllib.parse.urlsplit(path))
    form = urllib.parse.parse_qs(request.body.decode("latin-1")) if request.body[:7] == b"Action=" else {}
    return service, form.get("Action", [f"{method} {path}"])[0]


def s3_action(method, url):
    has_key = len(url.path.strip("/").split("/", 1)) > 1
    names = {("GET", True): "GetObject", ("GET", False): "ListObjectsV2", ("PUT", True): "PutObject", ("HEAD", True): "HeadObject",
             ("DELETE", True): "DeleteObject", ("POST", False): "DeleteObjects", ("PUT", False): "CreateBucket"}
    return names.get((method, has_key), f"{method} {url.path}")


def refusal(fault, service, action):
    """The answer of a service that refuses, in its own format."""
    if fault == "throttle":
        status, code = THROTTLES.get(service, OTHER_THROTTLE)
    elif fault == "conflict" and action == "TransactWriteItems":
        return json_answer(400, "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", {
            "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict]",
            "CancellationReasons": [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]})
    elif fault == "conflict":
        status, code = 400, "com.amazonaws.dynamodb.v20120810#TransactionConflictException"
        if service == "s3":
            status, code = 409, "ConditionalRequestConflict"
    elif fault == "internal":
        status, code = 500, {"s3": "InternalError"}.get(service, "InternalServerError")
    else:
        status, code = 503, {"s3": "ServiceUnavailable"}.get(service, "ServiceUnavailableException")
    if service == "s3":
        text = f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>told by the proxy</Message></Error>"
        return Message(f"HTTP/1.1 {status} Refused", [("Content-Type", "application/xml")], text.encode())
    return json_answer(status, code, {"message": "told by the proxy"})


def json_answer(status, code, more):
    return Message(f"HTTP/1.1 {status} Refused", [("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-ErrorType", code)],
                   json.dumps({"__type": code, **more}).encode())


def process_of(address):
    """The process that has a connection from this address of ours; None: not found."""
    host, port = address[:2]
    wanted = f"{int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}:{port:04X}"
    inode = next((line.split()[9] for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
                  if line.split()[1] == wanted), None)
    for entry in pathlib.Path("/proc").iterdir() if inode else ():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if any(os.readlink(file) == f"socket:[{inode}]" for file in (entry / "fd").iterdir()):
                return int(entry.name)
        except OSError:
            continue
    return None


class Rule:
    """One rule and how often it matched."""

    def __init__(self, described):
        unknown = described.keys() - {"fault", "chance", "side", "service", "action", "skip", "times", "ms"}
        if unknown or described.get("fault") not in FAULTS:
            raise ValueError(f"no such rule: {described}")
        self.fault, self.chance = described["fault"], described.get("chance", 1.0)
        self.side, self.service = described.get("side"), described.get("service")
        self.action = re.compile(described.get("action", ".*"))
        self.skip, self.times = described.get("skip", 0), described.get("times", -1)
        self.ms = described.get("ms", 200)

    def strikes(self, dice, side, service, action):
        if self.times == 0 or self.side not in (None, side) or self.service not in (None, service):
            return False
        if not self.action.fullmatch(action) or dice.random() >= self.chance:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


class Proxy:
    """All sides, one plan."""

    def __init__(self, upstream, seed):
        url = urllib.parse.urlsplit(upstream)
        self.upstream = (url.hostname, url.port)
        self.dice = random.Random(seed)
        self.rules = []
        self.counts = collections.Counter()
        self.forwarded = 0  # of functions

    def choose(self, side, service, action):
        self.forwarded += side == "function"
        self.counts[f"{side} {service} {action}"] += 1
        for rule in self.rules:
            if rule.strikes(self.dice, side, service, action):
                self.counts[f"injected {rule.fault} {side} {service} {action}"] += 1
                return rule
        return None

    async def serve(self, side, reader, writer):
        client, upstream = Peer(reader, writer), None
        try:
            while True:
                request = await client.read_request()
                rule = self.choose(side, *classify(request))
                upstream = await self.handle(client, upstream, request, rule)
        except (Closed, ConnectionError):
            pass
        finally:
            writer.close()
            if upstream is not None:
                upstream.writer.close()

    async def handle(self, client, upstream, request, rule):
        """One request; the connection to the emulator, for the next. Closed ends the client's connection."""
        fault = rule.fault if rule else None
        if fault in ("throttle", "unavailable", "internal", "conflict"):
            answer = refusal(fault, *classify(request))
            await self.send(client, answer.encode())
            return upstream
        await self.before(client, rule, fault)
        answer, upstream = await self.forward(upstream, request)
        if fault == "duplicate":
            answer, upstream = await self.forward(upstream, request)
        await self.behind(client, rule, fault, answer)
        await self.send(client, answer.encode())
        if answer.start.startswith("HTTP/1.0") or answer.header("connection").lower() == "close":
            upstream.writer.close()
            upstream = None
        return upstream

    async def before(self, client, rule, fault):
        if fault == "reset":
            client.reset()
        if fault in ("reset", "lose_request"):
            raise Closed
        if fault == "slow":
            await asyncio.sleep(rule.ms / 1000)
        elif fault in ("kill_before", "stop_before"):
            await self.strike(client, rule, fault)
            if fault == "kill_before":
                raise Closed

    async def behind(self, client, rule, fault, answer):
        if fault == "lose_answer":
            raise Closed
        if fault == "truncate":
            whole = answer.encode()
            await self.send(client, whole[:len(whole) - max(1, len(answer.body) // 2)])
            raise Closed
        if fault == "slow_answer":
            await asyncio.sleep(rule.ms / 1000)
        elif fault in ("kill_after", "stop_after"):
            await self.strike(client, rule, fault)

    async def strike(self, client, rule, fault):
        """Kills the process that asked, or stops it for a while."""
        pid = process_of(client.writer.get_extra_info("peername"))
        if pid is None:
            self.counts["processes not found"] += 1
            return
        try:
            os.kill(pid, signal.SIGKILL if fault.startswith("kill") else signal.SIGSTOP)
            if fault.startswith("stop"):
                before = self.forwarded
                await asyncio.sleep(rule.ms / 1000)
                os.kill(pid, signal.SIGCONT)
                self.counts["stops during which others went on"] += self.forwarded > before
        except ProcessLookupError:
            self.counts["processes not found"] += 1

    async def forward(self, upstream, request):
        """The emulator's answer; a kept connection that it closed meanwhile is opened again once."""
        for fresh in (False, True):
            if upstream is None or fresh:
                upstream = Peer(*await asyncio.open_connection(*self.upstream, limit=HEAD_MAX))
                fresh = True
            try:
                upstream.writer.write(request.encode())
                await upstream.writer.drain()
                return await upstream.read_answer(request.start.split(" ")[0]), upstream
            except (Closed, ConnectionError):
                if fresh:
                    raise
        raise Closed

    @staticmethod
    async def send(client, data):
        client.writer.write(data)
        await client.writer.drain()

    async def control(self, reader, writer):
        client = Peer(reader, writer)
        try:
            request = await client.read_request()
            status, body = "200 OK", json.dumps(self.counts)
            if request.start.startswith("PUT /plan"):
                try:
                    self.rules = [Rule(described) for described in json.loads(request.body)]
                except (ValueError, TypeError, re.error) as error:
                    status, body = "400 Bad Request", json.dumps(str(error))
            await self.send(client, Message(f"HTTP/1.1 {status}", [("Connection", "close")], body.encode()).encode())
        except (Closed, ConnectionError):
            pass
        finally:
            writer.close()


async def serve(options):
    proxy = Proxy(options.upstream, options.seed)
    urls = {}
    for side in [*options.sides.split(","), "control"]:
        handler = proxy.control if side == "control" else (lambda reader, writer, side=side: proxy.serve(side, reader, writer))
        server = await asyncio.start_server(handler, "127.0.0.1", 0, limit=HEAD_MAX)
        urls[side] = "http://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
    print(json.dumps(urls), flush=True)
    await asyncio.Event().wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upstream", required=True, metavar="URL")
    parser.add_argument("--sides", default="gateway,function")
    parser.add_argument("--seed", type=int, default=1)
    try:
        asyncio.run(serve(parser.parse_args()))
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
