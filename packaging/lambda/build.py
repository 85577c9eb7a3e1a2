#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the Lambda functions' code: packaging/lambda/build.py [--arch x86_64|arm64]... [--work DIR] OUT

Writes OUT/faaskeeper-lambda-ARCH.zip with the one file `bootstrap`, static, for the runtime provided.al2023; both
architectures where none is named. This machine's own architecture is built with its compiler, the other one with
gcc-aarch64-linux-gnu and the arm64 packages of OpenSSL and jansson, which apt fetches into DIR/sysroot and checks; they
are installed nowhere. The same tree on the same machine gives the same bytes.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ARCHITECTURES = ("x86_64", "arm64")
SIZE_MAX = 6 * 1024 * 1024
PACKAGES = ("libssl-dev", "libjansson-dev")
TRIPLET = "aarch64-linux-gnu"
CROSS = """[binaries]
c = ['ccache', '{triplet}-gcc']
ar = '{triplet}-ar'
strip = '{triplet}-strip'
pkgconfig = 'pkg-config'

[properties]
needs_exe_wrapper = true
pkg_config_libdir = '{sysroot}/usr/lib/{triplet}/pkgconfig'
sys_root = '{sysroot}'

[built-in options]
c_args = ['-isystem', '{sysroot}/usr/include', '-isystem', '{sysroot}/usr/include/{triplet}']

[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
"""


def run(*command, **more):
    words = [str(word) for word in command]
    done = subprocess.run(words, check=False, capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.stderr.write(done.stdout + done.stderr)
        raise SystemExit(f"lambda: '{' '.join(words[:3])} ...' ended with {done.returncode}")
    return done.stdout


def fetch_sysroot(work):
    """The arm64 packages, unpacked. apt gets lists and an archive of its own: the machine's stay as they are."""
    sysroot = work / "sysroot"
    if (sysroot / "complete").is_file():
        return sysroot
    apt = work / "apt"
    for name in ("lists/partial", "cache/archives/partial", "debs"):
        (apt / name).mkdir(parents=True, exist_ok=True)
    options = {"APT::Architecture": "arm64", "APT::Architectures": "arm64", "Dir::State::Lists": apt / "lists",
               "Dir::State::status": "/dev/null", "Dir::Cache": apt / "cache", "APT::Sandbox::User": "root"}
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    run("apt-get", *words, "update", "-qq")
    run("apt-get", *words, "download", "-qq", *PACKAGES, cwd=apt / "debs")
    for deb in sorted((apt / "debs").glob("*.deb")):
        run("dpkg-deb", "-x", deb, sysroot)
    (sysroot / "complete").touch()
    return sysroot


def setup(arch, work, build):
    """Configures a build directory that isn't yet."""
    if (build / "build.ninja").is_file():
        return
    options = ["-Dlambda=true", "-Db_pie=false", "-Db_staticpic=false", "-Doptimization=2", "-Ddebug=false", "--werror"]
    if arch == "arm64":
        cross = work / "arm64.ini"
        text = CROSS.format(triplet=TRIPLET, sysroot=fetch_sysroot(work))
        if not any((pathlib.Path(path) / "ccache").is_file() for path in os.environ["PATH"].split(":")):
            text = text.replace("['ccache', ", "[")
        cross.write_text(text)
        options += ["--cross-file", cross]
    run("meson", "setup", *options, build, cwd=ROOT)


def check(binary, arch):
    """Static, and for the right machine."""
    text = run("readelf", "-hlW", binary)
    machine = "AArch64" if arch == "arm64" else "X86-64"
    if machine not in text or "INTERP" in text:
        raise SystemExit(f"lambda: {binary} is no static program for {arch}")


def pack(binary, out, version, arch):
    """A fixed time, and a mode: Lambda needs the file to be executable by everyone."""
    entry = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    part = out.with_suffix(".part")
    with zipfile.ZipFile(part, "w") as archive:
        archive.writestr(entry, binary.read_bytes(), compresslevel=9)
        archive.comment = f"faaskeeper {version} {arch}".encode()
    part.replace(out)
    size = binary.stat().st_size
    if size > SIZE_MAX:
        raise SystemExit(f"lambda: {binary} has {size} bytes, more than {SIZE_MAX}")
    print(f"{out}: {out.stat().st_size} bytes, bootstrap {size} bytes", flush=True)


def main():
    parser = argparse.ArgumentParser(description="Builds the Lambda functions' code.")
    parser.add_argument("--arch", action="append", choices=ARCHITECTURES)
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build-lambda")
    parser.add_argument("out", type=pathlib.Path)
    options = parser.parse_args()
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    options.out.mkdir(parents=True, exist_ok=True)
    for arch in options.arch or ARCHITECTURES:
        build = work / arch
        setup(arch, work, build)
        run("ninja", "-C", build, "bootstrap")
        version = json.loads(run("meson", "introspect", "--projectinfo", build))["version"]
        check(build / "bootstrap", arch)
        pack(build / "bootstrap", options.out / f"faaskeeper-lambda-{arch}.zip", version, arch)


if __name__ == "__main__":
    main()
