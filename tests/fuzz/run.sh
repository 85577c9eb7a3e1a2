#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzz targets with clang into build-fuzz and runs each for its share of the time, or for so many inputs.
# Usage: tests/fuzz/run.sh [MINUTES] (default 1) | --runs N [TARGET...].
# Environment: FK_FUZZ_BUILD, another build directory (one set up with -Dfuzz_sanitize=undefined is two to five times as
# fast); FK_FUZZ_OPTIONS, more options of libFuzzer.
# Inputs: those of corpus.py, what earlier runs found (build-fuzz/found/TARGET), and tests/fuzz/crashes/TARGET: every
# input that once failed, kept in the tree (tests/fuzz/corpus/TARGET: others worth keeping). A new one is left in build-fuzz/failed, with its output in TARGET.log.
# Last line: N passed, N failed, N skipped.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
targets=$(cd "$here" && ls -- *_fuzz.c | sed 's/\.c$//')
runs=0
if [ "${1:-}" = --runs ]; then
    number=${2:-}
    what=N
    shift
    runs=$number
else
    number=${1:-1}
    what=MINUTES
fi
case $number in
'' | *[!0-9]* | 0)
    echo "run.sh: $what is a whole number above 0, not '$number'" >&2
    exit 2
    ;;
esac
[ $# -eq 0 ] || shift
[ $# -eq 0 ] || targets=$*
root=$(cd "$here/../.." && pwd)
build=${FK_FUZZ_BUILD:-$root/build-fuzz}

compiler=""
for name in clang-14 clang; do
    if [ -z "$compiler" ] && command -v "$name" >/dev/null; then
        compiler=$name
    fi
done
if [ -z "$compiler" ]; then
    echo "SKIPPED fuzz: no clang"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi

if [ ! -f "$build/build.ninja" ]; then
    CC=$compiler meson setup -Dfuzz=true "$build" "$root" >&2
fi
# shellcheck disable=SC2086 # a list of words
ninja -C "$build" $(for target in $targets; do echo "tests/fuzz/$target"; done) >&2
/usr/bin/python3 "$here/corpus.py" "$build/corpus"
mkdir -p "$build/failed"

# Runs one target; its exit code.
fuzz() {
    mkdir -p "$build/found/$1" "$build/failed/$1"
    set -- "$1" "$2" "$build/found/$1"
    for inputs in "$build/corpus/$1" "$here/corpus/$1" "$here/crashes/$1"; do
        if [ -d "$inputs" ]; then
            set -- "$@" "$inputs"
        fi
    done
    target=$1
    bound=$2
    shift 2
    # shellcheck disable=SC2086 # a list of words
    UBSAN_OPTIONS=print_stacktrace=1 "$build/tests/fuzz/$target" "$bound" -max_len=4096 -timeout=10 \
        -rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="$build/failed/$target/" ${FK_FUZZ_OPTIONS:-} "$@" \
        >"$build/$target.log" 2>&1
}

# shellcheck disable=SC2086 # a list of words
count=$(set -- $targets && echo $#)
if [ "$runs" -gt 0 ]; then
    bound=-runs=$runs
else
    bound=-max_total_time=$((number * 60 / count > 0 ? number * 60 / count : 1))
fi
passed=0
failed=0
for target in $targets; do
    if fuzz "$target" "$bound"; then
        passed=$((passed + 1))
        echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$target.log") inputs"
    else
        failed=$((failed + 1))
        echo "FAILED $target: $(grep -m 1 -E 'ERROR|runtime error|bug:' "$build/$target.log" || tail -n 1 "$build/$target.log")"
        echo "    output: $build/$target.log; input: $build/failed/$target"
    fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
