# SPDX-License-Identifier: Apache-2.0
"""The Rust crate `zookeeper` 0.8.0, its own tests, from crates.io. rust/bin/java stands in for their ZkTestCluster."""
import json
import re
import shutil

from . import common

VERSION = "0.8.0"
TEST_SECONDS = 90
# Cargo takes the crate as a dependency to fetch and check it; its tests are built from the copy.
FETCH = f"""[package]
name = "fetch"
version = "0.0.0"
[lib]
path = "empty.rs"
[dependencies]
zookeeper = "={VERSION}"
"""


class Suite:
    what = f"crate zookeeper {VERSION}"
    directory = common.HERE / "rust"

    def __init__(self, work):
        common.need("cargo", "cargo")
        self.env = common.environment(FK_SHIM_WORK=work / "servers")
        self.env["RUSTFLAGS"] = "--cap-lints warn"  # lints that younger compilers refuse by default
        self.env["PATH"] = f"{self.directory / 'bin'}:{self.env['PATH']}"
        self.crate = common.built("crate-zookeeper", [common.HERE / "rust_suite.py"], self.build) / "crate"
        self.programs = [line.split() for line in (self.crate / "programs").read_text().splitlines()]

    def build(self, into):
        (into / "empty.rs").touch()
        (into / "Cargo.toml").write_text(FETCH)
        text = common.command(["cargo", "metadata", "--format-version", "1", "-q"], into, self.env, attempts=3)
        packages = json.loads(text[text.index("{"):])["packages"]
        manifest = next(package["manifest_path"] for package in packages if package["name"] == "zookeeper")
        shutil.copytree(manifest.removesuffix("/Cargo.toml"), into / "crate")
        (into / "Cargo.toml").unlink()  # else the crate would be taken for a member of its workspace
        text = common.command(["cargo", "test", "--locked", "--lib", "--tests", "--no-run", "--message-format=json",
                               "-q"], into / "crate", self.env, attempts=3)
        programs = re.findall(r'"name":"(\w+)","src_path".*?"executable":"([^"]+)"', text)
        (into / "crate" / "programs").write_text("".join(f"{name} {path}\n" for name, path in sorted(set(programs))))

    def tests(self):
        found = []
        for name, path in self.programs:
            listed = common.command([path, "--list"], self.crate, self.env)
            found += [f"{name}::{test}" for test in re.findall(r"^(.*): test$", listed, re.M)]
        return found

    def run(self, tests):
        """One process each: a hang or an abort takes the rest with it."""
        programs = dict(self.programs)
        for test in tests:
            program, _, name = test.partition("::")
            code, text = common.run([programs[program], "--exact", name, "--nocapture"], self.crate, self.env,
                                    TEST_SECONDS)
            if code is None:
                text += f"\nno end in {TEST_SECONDS} s"
            passed = code == 0 and re.search(r"^test result: ok\. 1 passed", text, re.M)
            ignored = code == 0 and re.search(r"; 1 ignored", text)
            yield test, "passed" if passed else "skipped" if ignored else "failed", text
