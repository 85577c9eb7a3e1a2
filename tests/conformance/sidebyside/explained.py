# SPDX-License-Identifier: Apache-2.0
"""Differences to ZooKeeper 3.9 that are known and meant, each with its reason (docs/compatibility.md tells users)."""

import zkraw


def filtered(events):
    """Without what setWatches tells of nodes that are there: zxid -1."""
    return [event for event in events if event[3] != -1 or event[0] == zkraw.DELETED]


def is_filtered_catch_up(what, ours, theirs, request):
    return (what.startswith("events") and all(set(mine) <= set(other) for mine, other in zip(ours, theirs))
            and [filtered(list_) for list_ in ours] == [filtered(list_) for list_ in theirs])


EXPLAINED = [
    (is_filtered_catch_up, "setWatches tells nothing of nodes that the client may not read (CVE-2024-23944)"),
]


# Of a deployment in the cloud.
EXPLAINED_CLOUD = []


def reason(what, ours, theirs, request, cloud=False):
    """Why the two answers differ, or None. `request` is (operation, body) where the difference is in a reply."""
    for test, text in EXPLAINED + (EXPLAINED_CLOUD if cloud else []):
        if test(what, ours, theirs, request):
            return text
    return None
