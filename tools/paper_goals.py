# SPDX-License-Identifier: Apache-2.0
"""The figures that were to be reached, whether they are, what limits them and what would do. For tools/paper.py."""
import dataclasses
import math

from paper_data import NAMES, SMALL, grouped, prices_name, size_name

MILLION = 1e6
RECORD_UNITS = 2  # of a record of up to 1 KB in a transaction
DAY_S = 24 * 3600


@dataclasses.dataclass
class Goal:
    what: str
    limit: str
    figure: str
    reached: bool
    why: str


def number(value, digits=3):
    """Three significant digits, thousands apart."""
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    rounded = round(value, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{rounded:,.{places}f}".replace(",", " ")


def count(value):
    """Whole where it is, else three digits."""
    return grouped(round(value)) if value == round(value) else number(value, max(3, len(str(round(value)))))


def million(usd):
    """Dollars of one, as dollars of a million."""
    return f"{number(usd * MILLION)} USD"


def units_left(data, prices, row, most_usd):
    """How many write units an operation may have for it to cost so much."""
    return row["write_units"] + (most_usd - row["usd"]) / data.price("dynamodb_write_unit", prices)


def unit_sentence(data, prices, row, most_usd):
    """What a write's units are of it, how many it may have, and whether one record less in its transaction would do."""
    units = data.price("dynamodb_write_unit", prices) * row["write_units"]
    most = math.floor(units_left(data, prices, row, most_usd) + 1e-9)
    sentence = f"of {million(row['usd'])} a million its {count(row['write_units'])} write units are {million(units)}; "
    if row["usd"] <= most_usd:
        return sentence + f"it may have {most}"
    fewer = row["write_units"] - RECORD_UNITS
    verdict = "would do" if fewer <= most else "are still too many"
    return sentence + (f"it may have {most}: the zxid and the session's results in one record of the transaction would make "
                       f"it {count(fewer)}, which {verdict}")


def write_goal(data, prices, system, limit):
    ours = data.write("single-hop", prices, "full")
    theirs = data.write(system, prices, "full")
    ratio = ours["usd"] / theirs["usd"]
    return Goal(f"write of {size_name(ours['size'])}: single hop / {NAMES[system]}; {prices_name(prices)}", f"<= {limit:g}",
                number(ratio), ratio <= limit, unit_sentence(data, prices, ours, limit * theirs["usd"]))


def read_goal(data, prices):
    ours = data.read("single-hop", prices, "full")
    theirs = data.read("prototype-hybrid", prices, "full")
    ratio = ours["usd"] / theirs["usd"]
    inline = ours["read_units"] <= theirs["read_units"]
    why = (f"the node's record has the data in it: {count(ours['read_units'])} unit" if inline else
           f"{count(ours['read_units'])} read units, as the data is an item of its own; in the node's record it would be "
           f"{count(theirs['read_units'])}")
    return Goal(f"read of {size_name(ours['size'])}: ours / {NAMES['prototype-hybrid']}; {prices_name(prices)}", "<= 1",
                number(ratio), ratio <= 1, why)


def small_ratios(data, prices):
    """(size, ratio to S3, ratio to hybrid) of writes and reads."""
    rows = []
    for size in SMALL:
        write = data.write("single-hop", prices, "full", size)["usd"]
        read = data.read("single-hop", prices, "full", size)["usd"]
        rows.append((size, *(write / data.write(system, prices, "full", size)["usd"]
                             for system in ("prototype-s3", "prototype-hybrid")),
                     *(read / data.read(system, prices, "full", size)["usd"]
                       for system in ("prototype-s3", "prototype-hybrid"))))
    return rows


def small_goal(data, prices):
    rows = small_ratios(data, prices)
    worst = max(max(row[1], row[2]) for row in rows)
    size = max(rows, key=lambda row: max(row[1], row[2]))[0]
    ours = data.write("single-hop", prices, "full", size)
    most = min(data.write(system, prices, "full", size)["usd"] for system in ("prototype-s3", "prototype-hybrid"))
    return Goal(f"writes of {size_name(SMALL[0])} to {size_name(SMALL[-1])}: single hop / prototype, the worst of all; "
                f"{prices_name(prices)}", "< 1", number(worst), worst < 1, unit_sentence(data, prices, ours, most))


def break_even_goal(data, least=1.7e6, reads=0.9):
    day = data.day("single-hop", "today", "full", reads)
    write, read = data.write("single-hop", "today", "full"), data.read("single-hop", "today", "full")
    most_request = (day["ensemble_day_usd"] - day["rest_day_usd"]) / least
    most_write = (most_request - reads * read["usd"]) / (1 - reads)
    return Goal(f"break-even with {day['servers']} x {day['type']} at {100 * reads:.0f} % reads, requests a day; today's prices",
                f">= {number(least, 2)}", number(day["break_even"]), day["break_even"] >= least,
                f"a request costs {million(day['request_usd'])} a million, a write {million(write['usd'])}, and "
                f"{number(100 * day['rest_day_usd'])} cents a day go without any; "
                + unit_sentence(data, "today", write, most_write))


def heartbeat_goal(data, limit=0.3, clients=64):
    row = data.heartbeat("single-hop", "today", clients, data.money["memory"])
    small = data.heartbeat("single-hop", "today", clients, 128)
    cents = 100 * row["day_usd_arm64"]
    calls = DAY_S / 60
    units = row["read_units"] / calls
    left = units + (limit - cents) / (100 * calls * data.price("dynamodb_read_unit", "today"))
    parts = ", ".join(f"{name} {number(100 * row[service])}" for name, service in
                      ((f"{number(units)} read units a call", "DynamoDB"), ("scheduler", "EventBridge"),
                       ("function", "Lambda"), ("looking for data without a record", "S3")))
    return Goal(f"heartbeat with one gateway and {clients} clients, cents a day (arm64, {row['memory']} MB: as deployed)",
                f"<= {limit:g}", number(cents), cents <= limit,
                f"{parts}; a call may have {math.floor(left + 1e-9)} read units; with functions of "
                f"{small['memory']} MB it is {number(100 * small['day_usd_arm64'])}")


def renewal_goal(data, limit=1.1):
    row = data.rest("single-hop", "today", "renewals")
    cents = 100 * row["day_usd"]
    writes = 100 * row["write_units"] * data.price("dynamodb_write_unit", "today")
    reads = 100 * row["read_units"] * data.price("dynamodb_read_unit", "today")
    return Goal("a connected gateway's renewals, cents a day", f"<= {limit:g}", number(cents), cents <= limit,
                f"{count(row['write_units'])} write units a day are {number(writes)}, {count(row['read_units'])} read "
                f"units {number(reads)}; it may be {number(100 * limit / cents)} % of that")


def rest_goal(data):
    rests = data.money["comes_to_rest"]
    polls = data.rest("single-hop", "today", "polls")
    return Goal("heartbeat and renewals with no gateway, cents a day", "0", "0" if rests else "more than 0", rests,
                "the sweep that finds neither gateway nor session switches the schedule off; what remains is Lambda's "
                f"polling of the queue, {number(100 * polls['day_usd'])} cents a day, which AWS does by itself")


def latency_goal(data, limit=0.6, size=4):
    ours = data.time("single-hop", "setData", size)
    theirs = data.published_time("write_latency", "prototype-hybrid", size)["p50"]
    ratio = ours["p50"] / theirs
    queue = ours["stages"]["push"] + ours["stages"]["hop"]
    return Goal(f"p50 of a write of {size_name(size)}: single hop / {NAMES['prototype-hybrid']} (its faster one), over TCP",
                f"<= {limit:g}", number(ratio, 2), ratio <= limit,
                f"{ours['p50']:.0f} by {theirs:.0f} ms; {queue:.0f} ms of ours are the hop through the queue, "
                f"{ours['stages']['read'] + ours['stages']['commit']:.0f} the reading and the transaction")


def goals(data):
    found = []
    for prices in ("today", "paper"):
        found.append(write_goal(data, prices, "prototype-s3", 1))
        found.append(write_goal(data, prices, "prototype-hybrid", 1.15))
        found.append(read_goal(data, prices))
        found.append(small_goal(data, prices))
    return found + [break_even_goal(data), heartbeat_goal(data), renewal_goal(data), rest_goal(data), latency_goal(data)]
