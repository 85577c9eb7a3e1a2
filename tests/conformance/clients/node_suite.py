# SPDX-License-Identifier: Apache-2.0
"""npm's `zookeeper` 7.3.0, its own integration tests: the native client in C for Node, run by ava.

node/package-lock.json has the exact versions. The package is copied out of node_modules, where ava looks for no tests.
"""
import re
import shutil

from . import common

TEST_SECONDS = 300


class Suite:
    what = "npm zookeeper 7.3.0, integration tests"
    directory = common.HERE / "node"

    def __init__(self, work):
        common.need("node", "nodejs")
        common.need("npm", "npm")
        self.work = work
        lists = [self.directory / name for name in ("package.json", "package-lock.json")]
        self.home = common.built("npm-zookeeper", [common.HERE / "node_suite.py", *lists], self.build)
        self.package = self.home / "zookeeper"

    def build(self, into):
        for name in ("package.json", "package-lock.json"):
            shutil.copy(self.directory / name, into)
        env = common.environment(npm_config_cache=common.oracle.CACHE / "npm", npm_config_update_notifier="false")
        common.command(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], into, env, attempts=3)
        shutil.copytree(into / "node_modules" / "zookeeper", into / "zookeeper")
        for line in (["node", "scripts/prepublish.js"], ["npm", "run", "build"]):
            common.command(line, into / "zookeeper", env)

    def ava(self, *words):
        return ["node", self.home / "node_modules/ava/entrypoints/cli.mjs", "--tap", *words]

    def files(self):
        return sorted(self.package.glob("tests/integration/*test.js"))

    def tests(self):
        """The names stand in the files: `test("name", ...`, as ava reports them."""
        return [f"{file.stem} › {name}" for file in self.files()
                for name in re.findall(r"""^test(?:\.serial)?\(\s*["'`](.*?)["'`],""", file.read_text(), re.M)]

    def run(self, tests):
        files = [file for file in self.files() if any(test.startswith(file.stem + " ›")
                                                       for test in tests)]
        server = common.Server(self.work / "server", {"tickTime": "500"}).start()
        try:
            code, text = common.run(self.ava(*[file.relative_to(self.package) for file in files], "--",
                                             "%s:%d" % server.address), self.package, common.environment(),
                                    TEST_SECONDS)
        finally:
            server.stop()
        if found := common.crash(server.directory / "stderr"):
            text = found
        for outcome, name, more in re.findall(r"^(ok|not ok) \d+ - (.*)\n((?:(?!ok |not ok ).*\n)*)", text, re.M):
            name = re.sub(r" # [A-Z]{4}\b.*", "", name)
            if name in tests:
                yield name, "passed" if outcome == "ok" else "failed", more or text[-1500:]
        if code is None:
            print(f"        no end in {TEST_SECONDS} s")
