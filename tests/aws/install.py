#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Installs the test cloud's programs, pinned, into $FK_CACHE/aws (default: build/aws); nothing into the tree.

    install.py [ministack] [moto] [rie]

A part that is there already is left alone; several processes at a time wait for each other. A part that cannot be had here
(no Go, a registry that refuses) raises Missing, whose text is the reason of the tests that are skipped then.
"""
import contextlib
import fcntl
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = pathlib.Path(os.environ.get("FK_CACHE", ROOT / "build")).resolve() / "aws"
STEP_SECONDS = 900
GO_WANTED = re.search(r"^go (\d+\.\d+\.\d+)$", (HERE / "rie" / "go.mod").read_text(), re.M)[1]
RIE = "github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie"


class Missing(Exception):
    """A part that cannot be installed here; the text says why."""


def step(what, command, **options):
    """Runs one step; Missing with the end of its output when it fails."""
    try:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=STEP_SECONDS, check=False, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{what}: {error}") from None
    if done.returncode:
        raise Missing(f"{what}: {done.stdout.strip()[-400:]}")
    return done.stdout


@contextlib.contextmanager
def lock():
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def venv(name):
    """A virtual environment with the packages of requirements-NAME.txt; the stamp in it says that it is complete."""
    home, wanted = CACHE / name, (HERE / f"requirements-{name}.txt").read_text()
    stamp, python = home / "fk-complete", home / "bin" / "python"
    with lock():
        if stamp.exists() and stamp.read_text() == wanted:
            return python
        shutil.rmtree(home, ignore_errors=True)
        step("venv", ["/usr/bin/python3", "-m", "venv", home])
        step(f"pip, {name}", [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--only-binary", ":all:",
                              "--retries", "5", "-r", HERE / f"requirements-{name}.txt"])
        stamp.write_text(wanted)
    return python


def ministack():
    """The Python that has MiniStack and boto3."""
    return venv("ministack")


def moto():
    """The Python that has moto's server."""
    return venv("moto")


def version_of_go(go):
    try:
        text = subprocess.run([go, "version"], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "GOTOOLCHAIN": "local"}).stdout
    except OSError:
        return ()
    found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def new_enough_go():
    """A Go that the emulator can be built with. Debian's is too old for that, yet it fetches a newer one as a module."""
    candidates = [found for found in (os.environ.get("GO"), shutil.which("go"), "/usr/local/go/bin/go", "/usr/bin/go")
                  if found and os.access(found, os.X_OK)]
    wanted = tuple(int(part) for part in GO_WANTED.split("."))
    for go in candidates:
        if version_of_go(go) >= wanted:
            return go
    if not candidates:
        raise Missing("there is no Go")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine())
    module = f"golang.org/toolchain@v0.0.1-go{GO_WANTED}.linux-{machine}"
    home = CACHE / f"go-{GO_WANTED}"
    if not (home / "fk-complete").exists():
        scratch, path = CACHE / "go-fetch", CACHE / "go-fetch-path"
        for directory in (scratch, home):
            shutil.rmtree(directory, ignore_errors=True)
        scratch.mkdir()
        (scratch / "go.mod").write_text("module fetch\n\ngo 1.18\n")
        step("the Go toolchain", [candidates[0], "mod", "download", module], cwd=scratch,
             env={**os.environ, "GOFLAGS": "-modcacherw", "GOPATH": str(path)})
        shutil.move(str(path / "pkg" / "mod" / module), home)
        for program in [*(home / "bin").iterdir(), *(home / "pkg" / "tool").rglob("*")]:
            program.chmod(0o755)  # a module has no modes
        shutil.rmtree(path)
        shutil.rmtree(scratch)
        (home / "fk-complete").touch()
    return str(home / "bin" / "go")


def rie():
    """The program aws-lambda-rie."""
    wanted = (HERE / "rie" / "go.sum").read_text()
    program, stamp = CACHE / "aws-lambda-rie", CACHE / "aws-lambda-rie.sum"
    with lock():
        if program.exists() and stamp.exists() and stamp.read_text() == wanted:
            return program
        environment = {**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -modcacherw"}
        environment.pop("GOROOT", None)
        step("go build aws-lambda-rie", [new_enough_go(), "build", "-o", program, RIE], cwd=HERE / "rie", env=environment)
        stamp.write_text(wanted)
    return program


PARTS = {"ministack": ministack, "moto": moto, "rie": rie}


def main():
    for name in sys.argv[1:] or PARTS:
        if name not in PARTS:
            print(f"install.py: no part '{name}'; one of: {' '.join(PARTS)}", file=sys.stderr)
            return 2
        try:
            print(f"{name}: {PARTS[name]()}")
        except Missing as error:
            print(f"install.py: {name}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
