# SPDX-License-Identifier: Apache-2.0
"""The figures behind docs/evaluation.md, to be asked for by name. For tools/paper.py."""
import dataclasses

SYSTEMS = ("prototype-s3", "prototype-hybrid", "single-hop", "pipeline")
NAMES = {"prototype-s3": "prototype, S3", "prototype-hybrid": "prototype, hybrid", "single-hop": "ours, single hop",
         "pipeline": "ours, pipeline", "zookeeper": "ZooKeeper"}
SIZES = (4, 1024, 65536, 131072, 256000)
SMALL = (4, 128, 256, 512)
OURS = ("single-hop", "pipeline")


@dataclasses.dataclass
class Group:
    """Figures that were published and are reproduced: (what, published, ours)."""
    name: str
    rows: list


def grouped(number):
    return f"{number:,}".replace(",", " ")


def size_name(size):
    return f"{size} B" if size < 1024 else f"{size // 1024} kB"


def prices_name(prices):
    return "today's prices" if prices == "today" else "the paper's prices"


@dataclasses.dataclass
class Data:
    published: dict
    money: dict
    stages: list
    loads: list
    model: list
    TOLERANCE = 0.1

    def one(self, table, **wanted):
        """The row of a table with these members."""
        found = [row for row in table if all(row.get(name) == value for name, value in wanted.items())]
        if len(found) != 1:
            raise KeyError(f"{len(found)} rows with {wanted}")
        return found[0]

    def write(self, system, prices, accounting, size=1024, memory=None):
        return self.one(self.money["operations"], system=system, prices=prices, accounting=accounting, size=size,
                        operation="setData", memory=memory or self.money["memory"])

    def has_write(self, system, size):
        return system != "prototype-hybrid" or size <= self.money["hybrid_max"]

    def read(self, system, prices, accounting, size=1024):
        return self.one(self.money["operations"], system=system, prices=prices, accounting=accounting, size=size,
                        operation="getData")

    def day(self, system, prices, accounting, reads, servers=3, machine="t3.small"):
        return self.one(self.money["days"], system=system, prices=prices, accounting=accounting, reads=reads,
                        servers=servers, type=machine)

    def rest(self, system, prices, what):
        return self.one(self.money["rests"], system=system, prices=prices, what=what)

    def heartbeat(self, system, prices, clients, memory):
        return self.one(self.money["heartbeats"], system=system, prices=prices, clients=clients, memory=memory)

    def price(self, name, prices):
        return self.one(self.money["prices"], name=name)[prices]["usd"]

    def time(self, system, operation, size):
        return self.one(self.stages, topology=system, operation=operation, size=size)

    def published_time(self, table, system, size):
        """The row, or None where nobody published it."""
        for row in self.published[table]["rows"]:
            if row["system"] == system and row["size"] == size:
                return row
        return None

    def reproduction(self):
        """What was published, beside what our model of the prototype gives at the paper's prices."""
        known = self.published
        days = [(row, self.day(row["system"], "paper", "paper", row["reads"], row["servers"], row["type"]))
                for row in known["ratios"]["rows"]]
        return [
            Group("break-even", [
                (f"{NAMES[row['system']]}, {100 * row['reads']:.0f} % reads", row["requests"],
                 self.day(row["system"], "paper", "paper", row["reads"])["break_even"])
                for row in known["break_even"]["rows"]]),
            Group("cost ratio", [
                (f"{NAMES[row['system']]}, {100 * row['reads']:.0f} % reads, {row['servers']} x {row['type']}, {grouped(requests)} a day", was, now)
                for row, day in days
                for requests, was, now in zip(known["ratios"]["requests"], row["ratios"], day["ratios"])]),
            Group("cost of a write", [
                (f"{NAMES[row['system']]}, {size_name(row['size'])}, {row['memory']} MB", row["usd"],
                 100000 * self.write(row["system"], "paper", "paper", row["size"], row["memory"])["usd"])
                for row in known["write_cost"]["rows"]]),
            Group("heartbeat", [
                (f"clients: {row['clients']}, {row['memory']} MB", row["cents"],
                 100 * self.heartbeat("prototype-s3", "paper", row["clients"], row["memory"])["day_usd"])
                for row in known["heartbeat"]["rows"]]),
            Group("time of a write", [
                (size_name(row["size"]), row["measured_p50"], row["p50"])
                for row in self.model if row["model"] == "setData"]),
            Group("throughput of the queue", [
                ("messages a second", known["queue"]["messages_per_second"],
                 self.one(self.model, model="queue")["messages_per_second"])]),
        ]
