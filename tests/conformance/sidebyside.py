#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The same random requests to our server and to the real ZooKeeper 3.9; every reply and every event is compared.

    sidebyside.py [--seed N] [--sequences N] [--length N] [--verbose] [--keep-going]

Both servers get the same requests of three clients in lockstep, so that even zxids, sequence numbers and the order of
events must be equal; only times and session ids are masked. A sequence is some 50 requests, valid and invalid ones of
every operation, in bursts; it begins with new sessions and ends with a comparison of the whole tree, which is then
cleared. Differences that are known and meant are listed with their reason in sidebyside/explained.py, and counted.

Over a deployment in the cloud (tests/aws/run-sidebyside) zxids need only be the same up to their names: sidebyside/zxids.py.

A failure prints the seed and both answers: `--seed N --sequences 1 --verbose` shows that sequence alone.
FK_BINARY names our program. One sequence is one case. Last line: N passed, N failed, N skipped.
"""
import argparse
import collections
import os
import pathlib
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "sidebyside"), str(HERE.parent / "e2e")]
import explained  # noqa: E402
import oracle  # noqa: E402
import requests  # noqa: E402
import server as server_module  # noqa: E402
import side as side_module  # noqa: E402
import zkraw  # noqa: E402
import zxids  # noqa: E402

CONFIG = {"forceSync": "no", "extendedTypesEnabled": "true", "enforceQuota": "true",
          "znode.container.checkIntervalMs": "86400000", "maxSessionTimeout": "600000"}
PROGRESS_SECONDS = 30
SIDES = ("ours", "zookeeper")
SET_WATCHES = (zkraw.SET_WATCHES, zkraw.SET_WATCHES2)


class Difference(Exception):
    """Text of the first difference of a sequence."""


class Oracle(server_module.Server):
    """ZooKeeper 3.9 as a process, with the same configuration as ours."""

    def __init__(self, directory):
        super().__init__(directory, CONFIG)
        self.address = ("127.0.0.1", server_module.free_port())

    def start(self):
        server_module.ORACLE = True
        try:
            return super().start()
        finally:
            server_module.ORACLE = False

    def _oracle(self, config):
        keys = ("DigestAuthenticationProvider.superDigest", "4lw.commands.whitelist", "forceSync",
                "extendedTypesEnabled", "enforceQuota")
        properties = [f"zookeeper.{key}={self.config[key]}" for key in keys]
        properties.append(f"znode.container.checkIntervalMs={self.config['znode.container.checkIntervalMs']}")
        return oracle.command(config, properties)


class Sequence:
    """One sequence on both sides."""

    def __init__(self, seed, sides, verbose, names=None):
        """names: of the zxids of a server that counts differently."""
        self.seed, self.sides, self.verbose, self.names = seed, sides, verbose, names
        self.requests = requests.Requests(seed)
        self.reasons = collections.Counter()

    def compare(self, what, ours, theirs, context=None):
        """Equal, or explained; raises Difference."""
        if self.verbose:
            print(f"{what}: {theirs}")
        if self.names is not None:
            ours = self.names.translate(ours, theirs)
        if ours == theirs:
            return
        reason = explained.reason(what, ours, theirs, context, self.names is not None)
        if reason is None:
            raise Difference(f"seed {self.seed}, {what}\n  ours:      {ours}\n  zookeeper: {theirs}")
        self.reasons[reason] += 1

    def both(self, what, call, context=None):
        """Calls it for both sides and compares; the real server's answer."""
        answers = [call(side) for side in self.sides]
        self.compare(what, *answers, context)
        return answers[1]

    def run(self, length):
        for side in self.sides:
            side.begin(self.seed)
        left = length
        while left > 0:
            number, action, burst = self.requests.burst(left)
            left -= max(1, len(burst))
            self.step(number, action, burst)
            # The order in which a session's ephemerals go is open.
            in_order = action != "end"
            events = self.both(f"events after {action}", lambda side: self.events(side, in_order))
            self.requests.zxid = max([self.requests.zxid] + [event[3] for list_ in events for event in list_])
        tree = self.both("tree", side_module.Side.tree)
        self.both("ends", side_module.Side.finish)
        rest = self.both("tree after the sessions", side_module.Side.tree)
        self.both("clear", lambda side: side.clear(rest))
        return len(tree)

    @staticmethod
    def events(side, in_order):
        lists = side.events()
        return lists if in_order else [sorted(list_, key=str) for list_ in lists]

    def burst_of_ours(self, burst):
        """setWatches names a zxid."""
        if self.names is None:
            return burst
        return [(op, zkraw.int64(self.names.ours_of(int.from_bytes(body[:8], "big"))) + body[8:]
                 if op in SET_WATCHES and len(body) >= 8 else body) for op, body in burst]

    def step(self, number, action, burst):
        if action == "reattach":
            self.both(f"client {number} reattaches", lambda side: side.reattach(number))
            return
        for side, requests_of_side in zip(self.sides, (self.burst_of_ours(burst), burst)):
            side.send(number, requests_of_side)
        answers = [side.receive(number) for side in self.sides]
        for index in range(max(len(one) for one in answers)):
            ours, theirs = (one[index] if index < len(one) else "nothing" for one in answers)
            self.compare(f"client {number} {action} {burst[index]}", ours, theirs, burst[index])
            if isinstance(theirs, tuple):
                self.requests.zxid = max(self.requests.zxid, theirs[1])
        closed = all("closed" in one for one in answers)
        if action == "end" and not closed:
            self.both(f"client {number} after {burst[-1]}", lambda side: side.ends(number), burst[-1])
        if action == "end" or closed:
            for side in self.sides:
                side.reopen(number)


def run_sequences(options, sides, names=None):
    """Runs them; (passed, failed, reasons). After a difference the sides may not agree any more: it is the last."""
    reasons = collections.Counter()
    started = told = time.monotonic()
    for count in range(options.sequences):
        sequence = Sequence(options.seed + count, sides, options.verbose, names)
        try:
            sequence.run(options.length)
        except (Difference, AssertionError, zkraw.Closed, OSError, TimeoutError, IndexError) as error:
            print(f"FAILED sidebyside {type(error).__name__}: seed {sequence.seed}: {error}", flush=True)
            return count, 1, reasons + sequence.reasons
        reasons += sequence.reasons
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            print(f"{count + 1} sequences in {told - started:.0f} s", flush=True)
    return options.sequences, 0, reasons


def campaign(options, make_ours=None):
    """All sequences, with new servers behind each failure if that is wanted. make_ours(directory): a server whose zxids
    are its own affair, instead of ours of one machine."""
    passed = failed = 0
    reasons = collections.Counter()
    last = options.seed + options.sequences
    while options.seed < last and (failed == 0 or options.keep_going):
        options.sequences = last - options.seed
        with tempfile.TemporaryDirectory(prefix="fk-sidebyside-") as directory:
            ours = (make_ours or (lambda place: server_module.Server(place, CONFIG)))(directory + "/ours")
            servers = [ours, Oracle(directory + "/oracle")]
            names = zxids.Names() if make_ours or server_module.CLOUD else None
            try:
                sides = [side_module.Side(name, server.start().address) for name, server in zip(SIDES, servers)]
                one, bad, found = run_sequences(options, sides, names)
            finally:
                for server in servers:
                    server.kill()
        passed, failed, reasons = passed + one, failed + bad, reasons + found
        options.seed += one + bad
    return passed, failed, reasons


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sequences", type=int, default=200)
    parser.add_argument("--length", type=int, default=50)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--keep-going", action="store_true", help="new servers after a failure, then on")
    options = parser.parse_args()
    if os.environ.get("FK_CONFORMANCE_SERVER") == "zookeeper":
        print("SKIPPED sidebyside: compares with the real server already\n0 passed, 0 failed, 1 skipped")
        return 0
    passed, failed, reasons = campaign(options)
    for reason, count in reasons.most_common():
        print(f"explained {count} times: {reason}")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
