#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for ZooKeeper's zkServer.sh while go-zookeeper's tests run: `zkServer.sh start-foreground zoo.cfg`.

The tests wait until `srvr` names a build date as ZooKeeper did up to 3.5.7, 02/10/2020 11:30 GMT. No server of today
does (2025-08-19 19:53 UTC), so none would pass. This program listens on the port of zoo.cfg, hands every byte on to a
server on another port, and writes that date the old way in answers to `srvr`. The server, ours or the real one, ends
with it, also when it is killed, as the tests do.
"""
import asyncio
import ctypes
import os
import pathlib
import re
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
JAVA_SHIM = HERE.parents[2] / "shim" / "java"
sys.path.insert(0, str(HERE.parents[2]))
from clients import common  # noqa: E402

PR_SET_PDEATHSIG = 1


def start_server(file):
    """(process, port); the java shim starts the server in its own place."""
    port = common.server_module.free_port()
    text = pathlib.Path(file).read_text()
    client_port = int(re.search(r"^clientPort=(\d+)", text, re.M).group(1))
    behind = pathlib.Path(f"{file}.behind")
    behind.write_text(re.sub(r"^clientPort=\d+", f"clientPort={port}\nclientPortAddress=127.0.0.1", text, flags=re.M))
    libc = ctypes.CDLL(None)
    line = [JAVA_SHIM, *os.environ.get("SERVER_JVMFLAGS", "").split(), "-Xmx256m", "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp", os.environ.get("FK_ORACLE_CLASSPATH", "none"), common.oracle.MAIN, str(behind)]
    subprocess.Popen(line, stdin=subprocess.DEVNULL,
                     preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
    return client_port, port


def old_date(answer):
    return re.sub(rb"built on (\d{4})-(\d\d)-(\d\d) ", rb"built on \2/\3/\1 ", answer)


async def copy(reader, writer, change=None):
    try:
        while data := await reader.read(65536):
            writer.write(change(data) if change else data)
            await writer.drain()
    except OSError:
        pass


async def relay(client, to_client, port):
    try:
        server, to_server = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        to_client.close()
        return
    try:
        first = await client.read(4)
        to_server.write(first)
        ways = [copy(client, to_server), copy(server, to_client, old_date if first == b"srvr" else None)]
        await asyncio.wait([asyncio.create_task(way) for way in ways], return_when=asyncio.FIRST_COMPLETED)
    except OSError:
        pass
    finally:
        to_server.close()
        to_client.close()


async def main():
    if sys.argv[1:2] != ["start-foreground"]:
        raise SystemExit(f"zkServer.sh (shim): {sys.argv[1:]}: only start-foreground zoo.cfg")
    front, behind = start_server(sys.argv[2])
    server = await asyncio.start_server(lambda reader, writer: relay(reader, writer, behind), "127.0.0.1", front)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
