# SPDX-License-Identifier: Apache-2.0
"""Runs a program of this directory over the processors: what run-tls and run-sasl have in common."""
import argparse
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BINARY = pathlib.Path(os.environ.get("FK_BINARY", ROOT / "build" / "faaskeeper")).resolve()
WORKERS = 2
SANITIZERS = {"ASAN_OPTIONS": "abort_on_error=1", "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:abort_on_error=1"}


def parse(runs):
    """--runs and --seed of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=runs)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def run(name, options, arguments=()):
    """Runs the program, that of build-asan where it is built; prints the last line; the exit code."""
    program = ROOT / "build-asan" / "tests" / "mangle" / name
    if not program.exists():
        program = BINARY.parent / "tests" / "mangle" / name
    share = -(-options.runs // WORKERS)
    failed = 0
    workers = [subprocess.Popen([program, *arguments, "--runs", str(share), "--seed", str(options.seed + i * share)],
                                env={**os.environ, **SANITIZERS}, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT) for i in range(WORKERS)]
    for worker in workers:
        output = worker.communicate()[0]
        if worker.returncode == 0:
            print(output.splitlines()[-1])
        else:
            failed += 1
            print(f"FAILED {program}: exit code {worker.returncode}\n{output[-4000:]}")
    print(f"{WORKERS - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0
