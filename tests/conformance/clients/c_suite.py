# SPDX-License-Identifier: Apache-2.0
"""ZooKeeper's C client, its own tests, from Debian's source package: with threads (mt) and without (st).

tests/zkServer.sh, whose path is compiled in, becomes a link to c/zkServer.sh. The ports 22181 and 22281 and the
directory /tmp/certs are the tests' own: one run at a time.
"""
import os
import re
import shlex
import subprocess

from . import common

VERSION = "3.8.0-11+deb12u2"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SOURCES = f"deb-src [signed-by={KEYRING}] http://deb.debian.org/debian bookworm main\n"
CLASS_SECONDS = 240
VARIANTS = {"mt": "ON", "st": "OFF"}


class Suite:
    what = f"ZooKeeper's C client {VERSION}"
    directory = common.HERE / "c"

    def __init__(self, work):
        for program, package in (("cmake", "cmake"), ("dpkg-source", "dpkg-dev"), ("java", "default-jre-headless"),
                                 ("g++", "g++")):
            common.need(program, package)
        self.work = work
        home = common.built("zookeeper-c", [common.HERE / "c_suite.py"], self.build)
        self.client = home / "source" / "zookeeper-client" / "zookeeper-client-c"
        self.env = common.environment(FK_SHIM_WORK=work / "server", FK_C_TESTS=self.client / "tests")

    def build(self, into):
        self.fetch(into)
        client = into / "source" / "zookeeper-client" / "zookeeper-client-c"
        (client / "generated").mkdir()
        common.command(["java", "-cp", common.oracle.class_path(), "org.apache.jute.compiler.generated.Rcc", "-l", "c",
                        "../../../zookeeper-jute/src/main/resources/zookeeper.jute"], client / "generated")
        shim = client / "tests" / "zkServer.sh"
        shim.unlink()
        shim.symlink_to(self.directory / "zkServer.sh")
        # FIPS_mode left OpenSSL with 3.0; the tests' Util.cc counts on a header that includes time.h.
        compat = into / "compat.h"
        compat.write_text("#include <time.h>\n#define FIPS_mode() 0\n")
        for variant, threads in VARIANTS.items():
            common.command(["cmake", "-DWANT_CPPUNIT=ON", f"-DWANT_SYNCAPI={threads}",
                            f"-DCMAKE_C_FLAGS=-w -include {compat}",
                            f"-DCMAKE_CXX_FLAGS=-w -include {compat}", "-S", ".", "-B", variant], client)
            common.command(["make", "-C", variant, "-j2", "zktest"], client)

    @staticmethod
    def fetch(into):
        """By apt, with lists of its own: the machine's own name no sources."""
        (into / "sources.list").write_text(SOURCES)
        (into / "lists").mkdir()
        apt = ["apt-get", "-q", *shlex.split(f"-o Dir::Etc::sourcelist={into}/sources.list -o "
                                             f"Dir::Etc::sourceparts=/dev/null -o Dir::State::Lists={into}/lists "
                                             f"-o Dir::Cache={into} -o APT::Sandbox::User= -o Debug::NoLocking=1")]
        common.command([*apt, "update"], into, attempts=3)
        common.command([*apt, "source", "--download-only", f"zookeeper={VERSION}"], into, attempts=3)
        common.command(["dpkg-source", "--no-check", "-x", f"zookeeper_{VERSION}.dsc", "source"], into)

    def tests(self):
        """The registered tests stand in macros, some under #ifdef."""
        found = []
        for variant, threads in VARIANTS.items():
            for file in sorted((self.client / "tests").glob("Test*.cc")):
                if file.name in ("TestDriver.cc", "TestSASLAuth.cc"):  # CMake does not build the latter
                    continue
                text = re.sub(r"^#\s*include.*$", "", file.read_text(), flags=re.M)
                defines = ["-DHAVE_OPENSSL_H", "-DZOO_IPV6_ENABLED", *(["-DTHREADED"] if threads == "ON" else [])]
                done = subprocess.run(["cpp", "-P", *defines], input=text, capture_output=True, text=True, check=True)
                text = done.stdout
                suite = ""
                for kind, name in re.findall(r"CPPUNIT_TEST(_SUITE)?\s*\(\s*(\w+)\s*\)", text):
                    if kind:
                        suite = name
                    else:
                        found.append(f"{variant} {suite}::{name}")
        return found

    def run(self, tests):
        """A process for each class, with a server of its own."""
        classes = dict.fromkeys(test.partition("::")[0] for test in tests)
        for name in classes:
            names = [test for test in tests if test.startswith(f"{name}::")]
            variant, suite = name.split()
            what = names[0].split()[1] if len(names) == 1 else suite
            os.makedirs(self.work / "server", exist_ok=True)
            home = self.client / variant
            code, text = common.run([home / "zktest", what], home, self.env, CLASS_SECONDS)
            yield from self.results(names, code, text)

    @staticmethod
    def results(names, code, text):
        """`Suite::test : elapsed N : OK`, `: assertion` or `: error`; what a client logs may stand in between."""
        for name in names:
            title = name.split()[1]
            found = re.search(rf"^{title}(?=\W|Log )(.*?): elapsed \d+( : OK|)$", text, re.M | re.S)
            if found and found.group(2) == " : OK" and ": assertion" not in found.group(1)[-40:]:
                yield name, "passed", ""
            elif f"{title}" in text or code is None:
                at = max(text.rfind(title) - 200, 0)
                yield name, "failed", f"exit code {code}\n" + text[at:][:3000]
