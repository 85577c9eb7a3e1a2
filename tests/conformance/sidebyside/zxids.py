# SPDX-License-Identifier: Apache-2.0
"""zxids of two servers that count differently: which one of ours is which one of theirs.

In the cloud what a gateway refuses by itself takes no zxid, nor do sessions begin at the same one. So the zxids of
changes need not be equal; they must be the same up to their names: one of ours stands for one of theirs, always the same,
and in the same order. Those that come with reads and refusals say only how far the server has come.
"""
import bisect

import zkraw

CHANGES = {zkraw.CREATE, zkraw.CREATE2, zkraw.CREATE_CONTAINER, zkraw.CREATE_TTL, zkraw.DELETE, zkraw.SET_DATA, zkraw.SET_ACL,
           zkraw.CLOSE_SESSION}
STAT_ZXIDS = ("czxid", "mzxid", "pzxid")


class Changed(int):
    """The zxid of a change."""


class Reached(int):
    """The zxid that came with something that changed nothing."""


def of_reply(op, err, zxid, value=None):
    """The zxid of a reply's header, as the kind that it is."""
    if op == zkraw.MULTI and not err:
        return Reached(zxid) if not value or any(result[0] == zkraw.ERROR for result in value[:-1]) else Changed(zxid)
    return Changed(zxid) if op in CHANGES and not err else Reached(zxid)


class Names:
    """Ours and theirs, in order. What does not fit stays as it is, so that the comparison finds it."""

    def __init__(self):
        self.ours, self.theirs = [-1, 0], [-1, 0]

    def translate(self, ours, theirs):
        """`ours` with the zxids of theirs in it, wherever these may be the same."""
        if isinstance(ours, Reached) and isinstance(theirs, (Reached, Changed)):
            return theirs
        if isinstance(ours, Changed) and isinstance(theirs, (Changed, Reached)):
            return self.same(ours, theirs)
        if isinstance(ours, zkraw.Stat) and isinstance(theirs, zkraw.Stat):
            return ours._replace(**{name: self.same(getattr(ours, name), getattr(theirs, name)) for name in STAT_ZXIDS})
        if isinstance(ours, dict) and isinstance(theirs, dict):
            return {key: self.translate(value, theirs[key]) if key in theirs else value for key, value in ours.items()}
        if isinstance(ours, (tuple, list)) and type(ours) is type(theirs):
            both = [self.translate(mine, other) for mine, other in zip(ours, theirs)]
            return type(ours)(both + list(ours[len(both):]))
        return ours

    def same(self, ours, theirs):
        at = bisect.bisect_left(self.ours, ours)
        if at < len(self.ours) and self.ours[at] == ours:
            return self.theirs[at] if self.theirs[at] != theirs else theirs
        if self.theirs[at - 1] >= theirs or (at < len(self.theirs) and self.theirs[at] <= theirs):
            return int(ours)
        self.ours.insert(at, int(ours))
        self.theirs.insert(at, int(theirs))
        return theirs

    def ours_of(self, theirs):
        """The newest of ours that is not newer than this of theirs."""
        return self.ours[bisect.bisect_right(self.theirs, theirs) - 1]
