# SPDX-License-Identifier: Apache-2.0
"""go-zookeeper/zk, its own tests, from the Go module proxy. go/bin/zkServer.py starts the server that they ask for."""
import json
import re

from . import common

MODULE = "github.com/go-zookeeper/zk@v1.0.4"
TEST_SECONDS = 150


class Suite:
    what = "go-zookeeper/zk 1.0.4"
    directory = common.HERE / "go"

    def __init__(self, work):
        common.need("go", "golang-go")
        self.work = work
        self.env = common.environment(ZOOKEEPER_BIN_PATH=self.directory / "bin", ZK_VERSION="3.9.3",
                                      GOFLAGS="-mod=mod", GODEBUG="randautoseed=1", FK_SERVER_LOG=work / "server.log")
        text = common.command(["go", "mod", "download", "-json", MODULE], work, self.env, attempts=3)
        self.module = json.loads(text)["Dir"]
        self.program = common.built("go-zk", [common.HERE / "go_suite.py"], self.build) / "zk.test"

    def build(self, into):
        common.command(["go", "test", "-c", "-o", into / "zk.test", "."], self.module, self.env)

    def tests(self):
        names = common.command([self.program, "-test.list", "."], self.module, self.env).split()
        return [name for name in names if name.startswith("Test")]

    def run(self, tests):
        """One process each: a panic takes the rest with it."""
        for test in tests:
            line = [self.program, "-test.run", f"^{test}$", "-test.timeout", f"{TEST_SECONDS}s", "-test.v"]
            code, text = common.run(line, self.module, self.env, TEST_SECONDS + 20)
            if re.search(rf"^--- SKIP: {test} ", text, re.M):
                yield test, "skipped", text
            else:
                passed = code == 0 and re.search(rf"^--- PASS: {test} ", text, re.M)
                yield test, "passed" if passed else "failed", text
