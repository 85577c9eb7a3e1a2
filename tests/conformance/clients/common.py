# SPDX-License-Identifier: Apache-2.0
"""What the suites of the clients share: the server under test, commands with a time limit, the build cache."""
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), str(ROOT / "tests" / "e2e")]
REAL = os.environ.get("FK_CONFORMANCE_SERVER") == "zookeeper"
if REAL:
    os.environ["FK_E2E_SERVER"] = "zookeeper"
import oracle  # noqa: E402
import server as server_module  # noqa: E402  (after the environment that it reads)

BUILD_SECONDS = 900


class Server(server_module.Server):
    """Ours, or the real ZooKeeper 3.9 (the process tests compare with Debian's 3.8)."""

    def _oracle(self, config):
        return oracle.command(config, memory="256m")


def environment(**more):
    """The environment of a suite: where its shims find the servers."""
    env = dict(os.environ, FK_BINARY=str(pathlib.Path(server_module.BINARY).resolve()), FK_CACHE=str(oracle.CACHE))
    if REAL:
        env["FK_ORACLE_CLASSPATH"] = oracle.class_path()
    env.update({name: str(value) for name, value in more.items()})
    return env


def need(program, package):
    if not shutil.which(program):
        raise SystemExit(f"no {program}: install {package} (tools/install.sh conformance)")


def built(name, sources, build):
    """A directory in the cache that build(directory) filled from the sources: once, whole or not at all."""
    stamp = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    directory = oracle.CACHE / f"{name}-{stamp[:12]}"
    done = directory / "fk-complete"
    if not done.exists():
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        build(directory)
        done.touch()
    return directory


def command(line, directory, env=None, attempts=1):
    """Runs a step of a build; its output, or the end of the program with the last of it. Registries get 3 attempts."""
    for _ in range(attempts):
        code, text = run(line, directory, env, BUILD_SECONDS)
        if code == 0:
            return text
    raise SystemExit(f"{' '.join(map(str, line))}: {code}\n{text[-3000:]}")


def run(line, directory, env, seconds, errors=subprocess.STDOUT):
    """(exit code or None when it took too long, output); nothing that it started outlives it."""
    process = subprocess.Popen([str(word) for word in line], cwd=directory, env=env, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=errors, start_new_session=True)
    code = None
    try:
        out = process.communicate(timeout=seconds)[0]
        code = process.returncode
    except subprocess.TimeoutExpired:
        end_group(process)
        out = process.communicate()[0]
    finally:
        end_group(process)
    return code, out.decode(errors="replace")


def end_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def crash(log):
    """What a sanitizer or an assertion of ours wrote into a log; a server that fell and came up must not go unseen."""
    text = log.read_text(errors="replace") if log.exists() and not REAL else ""
    for word in ("AddressSanitizer", "ThreadSanitizer", "runtime error:", "ssertion"):
        at = text.find(word)
        if at >= 0:
            return text[max(0, at - 200):][:1500]
    return None
