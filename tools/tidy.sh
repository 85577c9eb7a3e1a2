#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What reads the sources: format, clang-tidy, cppcheck, the rules of the tree. Usage: tools/tidy.sh BUILD_DIRECTORY
# Last line: N passed, N failed, N skipped.
set -u
build=$1
passed=0
failed=0

step() {
    name=$1
    shift
    echo "== $name"
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $name"
    fi
}

# Not quoted on purpose: a list of files.
sources=$(git ls-files 'src/*.c' 'src/*.h' 'tests/*.c' 'tests/*.h' 'bench/*.c' 'bench/*.h' 'sim/*.c' 'sim/*.h')
units=$(git ls-files 'src/*.c' 'bench/*.c')

# shellcheck disable=SC2086
step clang-format clang-format --dry-run --Werror $sources
# shellcheck disable=SC2086
step clang-tidy sh -c "printf '%s\n' $(echo $units) | xargs -P 2 -n 4 clang-tidy --quiet -p '$build' 2>/dev/null"
step cppcheck cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
    --suppress=missingIncludeSystem -DFK_NODISCARD= -I src src
step rules /usr/bin/python3 tests/tidy/tidy.py

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
