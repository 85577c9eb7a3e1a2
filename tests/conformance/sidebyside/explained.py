# SPDX-License-Identifier: Apache-2.0
"""Differences to ZooKeeper 3.9 that are known and meant, each with its reason (docs/compatibility.md tells users)."""

import zkraw


def filtered(events):
    """Without what setWatches tells of nodes that are there: zxid -1."""
    return [event for event in events if event[3] != -1 or event[0] == zkraw.DELETED]


def is_filtered_catch_up(what, ours, theirs, request):
    return (what.startswith("events") and all(set(mine) <= set(other) for mine, other in zip(ours, theirs))
            and [filtered(list_) for list_ in ours] == [filtered(list_) for list_ in theirs])


def is_acl(value):
    return (isinstance(value, list) and len(value) > 1
            and all(isinstance(entry, tuple) and len(entry) == 3 and isinstance(entry[1], str) for entry in value))


def in_order(value):
    """The value with the entries of each ACL in it sorted."""
    if is_acl(value):
        return sorted(value)
    if isinstance(value, dict):
        return {key: in_order(item) for key, item in value.items()}
    return type(value)(in_order(item) for item in value) if type(value) in (list, tuple) else value


def is_order_of_identities(what, ours, theirs, request):
    return in_order(ours) == in_order(theirs)


EXPLAINED = [
    (is_order_of_identities, "identities of an ACL that was \"auth\": in the order in which they were added; in ZooKeeper "
                             "in that of a Java hash table"),
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
