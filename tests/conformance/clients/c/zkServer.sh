#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The suite starts a program of this name; what it does stands in zkServer.py.
exec "$(dirname "$(readlink -f "$0")")/zkServer.py" "$@"
