#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The real ZooKeeper 3.9 for tests that compare: fetched from Maven Central, started as a process.

    oracle.py            prints the class path, after fetching what is missing
    oracle.py serve CFG  runs the server in the foreground

Jars are kept in $FK_CACHE (default ~/.cache/faaskeeper)/zookeeper-VERSION; nothing is written into the tree.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
POM = HERE / "oracle" / "pom.xml"
VERSION = re.search(r"<zookeeper.version>(.*?)<", POM.read_text()).group(1)
CACHE = pathlib.Path(os.environ.get("FK_CACHE", pathlib.Path.home() / ".cache" / "faaskeeper"))
MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
FETCH_SECONDS = 600


def class_path():
    """The jars of the server; fetched once, whole or not at all."""
    directory = CACHE / f"zookeeper-{VERSION}"
    if not directory.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            shutil.copy(POM, scratch)
            command = ["mvn", "-B", "-q", "dependency:copy-dependencies", f"-DoutputDirectory={scratch}/lib"]
            done = subprocess.run(command, cwd=scratch, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=FETCH_SECONDS, text=True, check=False)
            if done.returncode != 0:
                raise RuntimeError(f"Maven could not fetch ZooKeeper {VERSION}: {done.stdout[-600:]}")
            try:
                os.rename(f"{scratch}/lib", directory)
            except OSError:  # another process was faster
                if not directory.is_dir():
                    raise
    return f"{directory}/*"


def command(config, properties=(), memory="512m"):
    """The command line of a server with a zoo.cfg; properties are "key=value" of -D."""
    return ["java", f"-Xmx{memory}", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dzookeeper.jmx.log4j.disable=true", *[f"-D{one}" for one in properties], "-cp", class_path(), MAIN,
            str(config)]


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"] and len(sys.argv) == 3:
        line = command(sys.argv[2])
        os.execvp(line[0], line)
    print(class_path())
