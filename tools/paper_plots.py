# SPDX-License-Identifier: Apache-2.0
"""Which plots docs/evaluation has. For tools/paper.py."""
import paper_svg
from paper_data import NAMES, OURS, SIZES, SYSTEMS, prices_name, size_name

DAY_REQUESTS = [10.0 ** (power / 4) for power in range(16, 29)]
SERVICES = ("DynamoDB", "SQS", "S3", "Lambda")
STAGES = ("send to a queue", "wait for a function", "read, lock, verify", "commit", "store the data", "the rest")


def cost_per_day(data, prices, accounting, reads=0.9):
    series = []
    for system in SYSTEMS:
        day = data.day(system, prices, accounting, reads)
        series.append((NAMES[system], [(count, day["rest_day_usd"] + count * day["request_usd"])
                                       for count in DAY_REQUESTS], False))
    marks = []
    for servers, machine in ((3, "t3.small"), (9, "t3.large")):
        marks += [(day["break_even"], day["ensemble_day_usd"]) for system in SYSTEMS
                  for day in [data.day(system, prices, accounting, reads, servers, machine)]
                  if day["break_even"] <= DAY_REQUESTS[-1]]
        usd = data.day("single-hop", prices, accounting, reads, servers, machine)["ensemble_day_usd"]
        series.append((f"ZooKeeper, {servers} x {machine}", [(DAY_REQUESTS[0], usd), (DAY_REQUESTS[-1], usd)], True))
    counting = "the paper's counting" if accounting == "paper" else "everything counted"
    return paper_svg.lines(f"A day, {100 * reads:.0f} % reads, nodes of {size_name(data.money['size'])}; {prices_name(prices)}, {counting}", "requests a day (rings: break-even)", "USD a day", series, marks=marks)


def write_cost(data, prices, accounting):
    rows = []
    for size in SIZES:
        for system in SYSTEMS:
            if not data.has_write(system, size):
                continue
            row = data.write(system, prices, accounting, size)
            rows.append((f"{size_name(size)}: {NAMES[system]}", [100000 * row[service] for service in SERVICES]))
        rows.append(None)
    return paper_svg.bars(f"100 000 writes, functions of {data.money['memory']} MB, {prices_name(prices)}", "USD", rows[:-1], SERVICES)


def published_parts(row, p50):
    """The prototype's stages on the way to the answer; what is left of the whole is the wait for two functions."""
    sends, rest = row["push"] + row["push_second"], row["watch_query"] + row["notify"]
    lock, commit, store = row["lock"] + row["verify"], row["pop"], row["store"]
    return [sends, max(0.0, p50 - sends - rest - lock - commit - store), lock, commit, store, rest]


def our_parts(row):
    """Ours; what is left of the whole is the rest."""
    stages = row["stages"]
    sends, waits = stages["push"] + stages["push_second"], stages["hop"] + stages["hop_second"]
    lock = stages["read"] + stages["lock"] + stages["read_second"]
    commit = stages["apply"] if row["topology"] == "pipeline" else stages["commit"]
    known = sends + waits + lock + commit + stages["store"]
    return [sends, waits, lock, commit, stages["store"], max(0.0, row["p50"] - known)]


def stage_rows(data):
    """(system, size, p50, parts), the sizes one after the other."""
    rows = []
    for size in SIZES:
        for row in data.published["write_stages"]["rows"]:
            if row["size"] == size:
                p50 = data.published_time("write_latency", row["system"], size)["p50"]
                rows.append((row["system"], size, p50, published_parts(row, p50)))
        for system in OURS:
            row = data.time(system, "setData", size)
            rows.append((system, size, row["p50"], our_parts(row)))
    return rows


def write_stages(data):
    rows, before = [], None
    for system, size, _, parts in stage_rows(data):
        if before not in (None, size):
            rows.append(None)
        rows.append((f"{size_name(size)}: {NAMES[system]}", parts))
        before = size
    return paper_svg.bars("setData: what its time goes to", "ms, medians", rows, STAGES)


def by_size(data, table, operation, title):
    series = []
    for system in ("prototype-s3", "prototype-hybrid", "zookeeper"):
        points = [(at, row["p50"]) for at, size in enumerate(SIZES) for row in [data.published_time(table, system, size)] if row]
        series.append((NAMES[system], points, False))
    for system in OURS if operation == "setData" else OURS[:1]:
        points = [(at, data.time(system, operation, size)["p50"]) for at, size in enumerate(SIZES)]
        name = NAMES[system] if operation == "setData" else "ours"
        series.append((name, points, False))
    return paper_svg.lines(title, "size of the node", "ms, p50", series,
                           [(at, size_name(size)) for at, size in enumerate(SIZES)], log_x=False)


def plots(data):
    """(file name, SVG) of each."""
    return [
        ("cost-per-day-paper.svg", cost_per_day(data, "paper", "paper")),
        ("cost-per-day-today.svg", cost_per_day(data, "today", "full")),
        ("write-cost.svg", write_cost(data, "today", "full")),
        ("write-latency.svg", by_size(data, "write_latency", "setData", "setData, one after the other")),
        ("write-stages.svg", write_stages(data)),
        ("read-latency.svg", by_size(data, "read_latency", "getData", "getData, one after the other")),
    ]
