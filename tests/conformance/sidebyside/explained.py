# SPDX-License-Identifier: Apache-2.0
"""Differences to ZooKeeper 3.9 that are known and meant, each with its reason (docs/compatibility.md tells users)."""

EXPLAINED = []


def reason(what, ours, theirs, request):
    """Why the two answers differ, or None. `request` is (operation, body) where the difference is in a reply."""
    for test, text in EXPLAINED:
        if test(what, ours, theirs, request):
            return text
    return None
