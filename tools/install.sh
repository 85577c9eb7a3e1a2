#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing on Debian 12. Usage: tools/install.sh build | test | bench | conformance | package | lambda
# build: what `make build` and `make serve` need. test: also what `make test` needs. bench: also ZooKeeper. package: what `make deb` needs.
# conformance: what `make test` needs and what the suites of other projects need (they fetch themselves the rest).
set -eu

build="gcc libc6-dev meson ninja-build pkg-config libuv1-dev libsqlite3-dev libssl-dev libjansson-dev libsasl2-dev libkrb5-dev
 libsasl2-modules libsasl2-modules-gssapi-mit"
test="$build libcmocka-dev openssl clang clang-format clang-tidy libclang-rt-14-dev cppcheck gcovr git procps
 gnuplot-nox python3 python3-pytest python3-kazoo python3-pip python3-venv python3-mock python3-objgraph python3-pure-sasl python3-kerberos python3-gssapi krb5-kdc krb5-admin-server krb5-user debhelper dpkg-dev lintian mandoc systemd zookeeper libzookeeper-java default-jre-headless maven sqlite3 strace golang-go"
conformance="$test default-jdk-headless g++ cmake dpkg-dev libcppunit-dev patroni postgresql clickhouse-server clickhouse-client"
# Node and Rust often come from elsewhere, in versions whose packages Debian's would not go with.
command -v npm >/dev/null || conformance="$conformance nodejs npm"
command -v cargo >/dev/null || conformance="$conformance cargo"
package="$build debhelper dpkg-dev lintian"
# The other architecture of Lambda: a compiler for it, and what runs a program of it in tests.
lambda="$build gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user python3"
bench="$build python3 zookeeper libzookeeper-java default-jre-headless linux-perf"

case "${1:-build}" in
build) want=$build ;;
test) want=$test ;;
bench) want=$bench ;;
package) want=$package ;;
lambda) want=$lambda ;;
conformance) want=$conformance ;;
*)
    echo "install.sh: unknown set '$1'; one of: build test bench conformance package lambda" >&2
    exit 2
    ;;
esac

missing=""
for package in $want; do
    status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    [ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "install.sh: missing packages:$missing; run as root, or install sudo" >&2
        exit 1
    }
    sudo=sudo
fi
echo "installing:$missing"
# Another apt at work (unattended upgrades on a fresh machine) holds the lock for a while: wait for it.
$sudo apt-get -o DPkg::Lock::Timeout=300 update -qq
# shellcheck disable=SC2086 # a list of words
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $missing
