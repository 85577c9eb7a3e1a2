# SPDX-License-Identifier: Apache-2.0
"""docs/evaluation.md: every figure in it is computed. For tools/paper.py."""
from paper_data import NAMES, OURS, SIZES, SYSTEMS, grouped, prices_name, size_name
from paper_goals import goals, million, number, small_ratios
from paper_plots import STAGES, stage_rows

PRICES = ("paper", "today")
SCALE = 100000


def ms(value):
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def cents(usd):
    return number(100 * usd)


def percent(value):
    return f"{100 * value + 0.0:+.1f} %".replace("-0.0 %", "0.0 %").replace("+0.0 %", "0.0 %")


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" if at == 0 else "---:" for at in range(len(head))) + " |"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def text_table(head, rows):
    return table(head, rows).replace("---:", "---")


def intro(data):
    return f"""# The paper again

What the authors of FaaSKeeper published about their prototype, what our model of it gives, and what ours gives. Made by
`make paper`; a test fails where this file is not what the programs compute. Published figures:
[evaluation/published.json](evaluation/published.json), each with its place in {data.published["artifact"]}.

Nothing here was measured on AWS by us. Money: `src/cost/prototype.h` has the prototype's formulas, `src/cost/units.h` what our operations
use ([aws-units.md](aws-units.md)), prices are [those of the paper](../deploy/prices/paper-2023.json) and
[today's](../deploy/prices/aws-us-east-1.json). Time: our functions in the simulator, on services as slow as the paper's authors
measured them ([aws-latency.md](aws-latency.md)). For a workload of your own there is `faaskeeper cost estimate` ([cost.md](cost.md)).
"""


def goal_section(data):
    found = goals(data)
    reached = sum(goal.reached for goal in found)
    rows = [(goal.what, goal.limit, goal.figure, "yes" if goal.reached else "**no**", goal.why) for goal in found]
    small = [(f"{size_name(size)}, {prices_name(prices)}", *(number(ratio) for ratio in ratios))
             for prices in ("today", "paper") for size, *ratios in small_ratios(data, prices)]
    dearer = data.price("dynamodb_write_unit", "paper") / data.price("dynamodb_write_unit", "today")
    return f"""## Figures to reach

{reached} of {len(found)} are reached. Both systems: the same prices, the same sizes, functions of {data.money["memory"]} MB, every request of the
queues counted (sending, receiving, deleting). Where a figure is a ratio, ours is above the line.

{text_table(("figure", "wanted", "found", "reached", "what it is made of, and what would do"), rows)}
At the paper's prices a write unit costs {dearer:g} times what it does today. Ours uses more of them than the prototype, and fewer requests of queues and
functions, and of S3 for small data: the less a unit costs, the better ours looks.

All ratios of small data, ours by the prototype's:

{table(("size", "write, S3", "write, hybrid", "read, S3", "read, hybrid"), small)}"""


def reproduction_section(data):
    groups = data.reproduction()
    rows = []
    for group in groups:
        worst = max(group.rows, key=lambda row: abs(row[2] / row[1] - 1))
        rows.append((group.name, str(len(group.rows)), percent(worst[2] / worst[1] - 1), worst[0]))
    even = [(what, number(published), number(ours), percent(ours / published - 1)) for what, published, ours in groups[0].rows]
    corners = [(what, number(published), number(ours), percent(ours / published - 1)) for what, published, ours in groups[1].rows
               if what.endswith(f"9 x t3.large, {grouped(data.published['ratios']['requests'][0])} a day") and "hybrid" in what]
    times = [(what, ms(published), ms(ours), percent(ours / published - 1)) for what, published, ours in groups[4].rows]
    return f"""## The model gives what was published

The prototype with the paper's prices and the paper's way of counting: of a queue's requests those of sending only, nothing at rest.
Every figure has to be within {100 * data.TOLERANCE:.0f} %; `tools/paper.py --check` fails otherwise. What was published is rounded, often to two digits.

{table(("what", "figures", "farthest", "which"), rows)}
Requests a day at which it costs as much as {data.published["break_even"]["servers"]} x {data.published["break_even"]["type"]}:

{table(("system", "published", "our model of it", "difference"), even)}
Cost of the ensemble by that of the prototype, the ends of the range that the paper's abstract names:

{table(("system", "published", "our model of it", "difference"), corners)}
A setData of the prototype, p50 in ms, put together from its measured stages and our model of the queue. This one is no proof by itself: one factor
of that model was fitted to these figures ([aws-latency.md](aws-latency.md)). The heartbeat and the cost of writes rest on how long the authors' functions ran:
theirs are the samples, ours the formulas.

{table(("size", "published", "our model of it", "difference"), times)}"""


def write_cost_table(data, prices, accounting):
    rows = []
    for system in SYSTEMS:
        for memory in (512, 1024, 2048):
            rows.append((f"{NAMES[system]}, {memory} MB",
                         *(number(SCALE * data.write(system, prices, accounting, size, memory)["usd"]) for size in SIZES)))
    return table(("USD", *(size_name(size) for size in SIZES)), rows)


def read_cost_table(data):
    rows = [(f"{NAMES[system]}, {prices_name(prices)}",
             *(number(SCALE * data.read(system, prices, "full", size)["usd"]) for size in SIZES))
            for prices in PRICES for system in SYSTEMS[:3]]
    return table(("USD", *(size_name(size) for size in SIZES)), rows).replace("ours, single hop", "ours")


def operation_section(data):
    return f"""## 100 000 operations

Writes, the paper's prices and its way of counting:

{write_cost_table(data, "paper", "paper")}
Writes, today's prices, every request of the queues:

{write_cost_table(data, "today", "full")}
![Cost of writes](evaluation/write-cost.svg)

Reads (a function has no part in them):

{read_cost_table(data)}"""


def ratio_table(data, prices, accounting):
    """Cells of the three: S3 / hybrid / single hop."""
    rows = []
    for servers, machine in ((3, "t3.small"), (3, "t3.medium"), (3, "t3.large"), (9, "t3.small"), (9, "t3.medium"), (9, "t3.large")):
        for reads in (0.8, 0.9, 1):
            days = [data.day(system, prices, accounting, reads, servers, machine)["ratios"] for system in SYSTEMS[:3]]
            rows.append((f"{servers} x {machine}, {100 * reads:.0f} % reads", *(" / ".join(map(number, cell)) for cell in zip(*days))))
    return table(("requests a day", *(number(requests) for requests in data.money["requests"])), rows)


def even_table(data):
    rows = []
    for prices, accounting in (("paper", "paper"), ("paper", "full"), ("today", "paper"), ("today", "full")):
        for system in SYSTEMS:
            counting = "the paper's counting" if accounting == "paper" else "everything counted"
            rows.append((f"{NAMES[system]}, {prices_name(prices)}, {counting}",
                         *(number(data.day(system, prices, accounting, reads)["break_even"]) for reads in (1, 0.9, 0.8))))
    return table(("requests a day", "100 % reads", "90 %", "80 %"), rows)


def ratio_section(data):
    return f"""## Beside an ensemble of ZooKeeper

Nodes of {size_name(data.money["size"])}, functions of {data.money["memory"]} MB. The ensemble is its machines' hours: no disks, no transfer between zones, nobody who
tends to it. *Everything counted* has all requests of the queues and what is used at rest (below). Break-even with 3 x t3.small:

{even_table(data)}
![A day, the paper's prices and counting](evaluation/cost-per-day-paper.svg)

![A day, today's prices, everything counted](evaluation/cost-per-day-today.svg)

How many times the ensemble costs what the others do, in each cell: {NAMES["prototype-s3"]} / {NAMES["prototype-hybrid"]} / {NAMES["single-hop"]}. Below 1 the
ensemble is cheaper. The paper's prices and its way of counting:

{ratio_table(data, "paper", "paper")}
Today's prices, everything counted:

{ratio_table(data, "today", "full")}"""


def time_row(data, name, system, table_name, operation):
    values = []
    for size in SIZES:
        row = data.time(system, operation, size) if system in OURS else data.published_time(table_name, system, size)
        values.append("-" if row is None else ms(row["p50"]))
    return (name, *values)


def write_time_section(data):
    names = [(NAMES[system] + (" (published)" if system not in OURS else ""), system)
             for system in ("prototype-s3", "prototype-hybrid", *OURS, "zookeeper")]
    rows = [time_row(data, name, system, "write_latency", "setData") for name, system in names]
    tails = [(name, *("-" if (row := data.time(system, "setData", size) if system in OURS
                              else data.published_time("write_latency", system, size)) is None else ms(row["p99"])
                      for size in SIZES)) for name, system in names]
    stages = [(f"{size_name(size)}: {NAMES[system]}", ms(p50), *(ms(part) for part in parts))
              for system, size, p50, parts in stage_rows(data)]
    own = [(NAMES[system], *(ms(data.one(data.money["calls"], system=system, size=size)["ms"]) for size in SIZES))
           for system in OURS]
    return f"""## Time of a write

setData, one after the other, channel over TCP; p50 in ms, and then p99.

{table(("", *(size_name(size) for size in SIZES)), rows)}
{table(("", *(size_name(size) for size in SIZES)), tails)}
![Time of a write](evaluation/write-latency.svg)

What it goes to: medians of what is on the way to the answer, in ms. *Wait for a function* of the prototype is what its published stages leave
of the whole, as the *rest* is of ours; medians do not add up exactly. *Read, lock, verify*: the prototype locks in its first function
and verifies in its second, the pipeline does the same (and writes data that has an item of its own with the lock), single hop reads and has no lock:
its transaction is conditional. *Commit* is
what makes the change final: the transaction; in the prototype the list of pending changes, as the commit of its first function is beside the way, like the
pipeline's. Large data goes through S3, with the request, which is part of *send*, and with the node.

{table(("", "all", *STAGES), stages)}
![What the time of a write goes to](evaluation/write-stages.svg)

How long a function of ours runs for it (the pipeline's two on average), which is what Lambda bills, in ms; they go on after the answer, to remove
the data that was there before:

{table(("", *(size_name(size) for size in SIZES)), own)}"""


def read_time_section(data):
    rows = [time_row(data, NAMES[system] + " (published)", system, "read_latency", "getData")
            for system in ("prototype-s3", "prototype-hybrid", "zookeeper")]
    rows.append(time_row(data, "ours", "single-hop", "read_latency", "getData"))
    return f"""## Time of a read

getData, p50 in ms. Ours reads from the gateway, on the client's machine; ZooKeeper's servers are in other zones.

{table(("", *(size_name(size) for size in SIZES)), rows)}
![Time of a read](evaluation/read-latency.svg)
"""


def queue_section(data):
    model = data.one(data.model, model="queue")["messages_per_second"]
    rows = [(f"{NAMES[load['topology']]}, {load['sessions']} session{'s' if load['sessions'] > 1 else ''}, {load['depth']} of each on the way",
             number(load["writes_per_second"]), number(load["messages_per_second"]), ms(load["p50"]))
            for load in data.loads if load["sessions"] in (1, 10, 40)]
    return f"""## Throughput

The paper's queue, one group, {data.published["queue"]["offered"]} messages a second offered: {number(data.published["queue"]["messages_per_second"])} a second were measured, our model gives {number(model)}. A message
of the prototype is one write. Ours: in single hop a message has the requests of many sessions:

{table(("", "writes a second", "messages a second", "p50 ms"), rows)}"""


def rest_section(data):
    clients = sorted({row["clients"] for row in data.money["heartbeats"]})
    memories = sorted({row["memory"] for row in data.money["heartbeats"]})
    rows = []
    for prices in PRICES:
        for system in ("prototype-s3", "single-hop"):
            for memory in memories:
                name = "prototype" if system == "prototype-s3" else "ours"
                rows.append((f"{name}, {prices_name(prices)}, {memory} MB",
                             *(cents(data.heartbeat(system, prices, count, memory)["day_usd"]) for count in clients)))
    arm = [("ours on arm64, today's prices, " + f"{memory} MB",
            *(cents(data.heartbeat("single-hop", "today", count, memory)["day_usd_arm64"]) for count in clients)) for memory in memories]
    renewals = [(prices_name(prices), cents(data.rest("single-hop", prices, "renewals")["day_usd"]),
                 cents(data.rest("single-hop", prices, "polls")["day_usd"]), cents(data.rest("pipeline", prices, "polls")["day_usd"]))
                for prices in PRICES]
    return f"""## At rest

The heartbeat, one call a minute, in cents a day by the number of clients. The prototype asks each client; ours looks at the leases of gateways, which
look after their clients themselves, and pays the scheduler for each call:

{table(("", *(f"{count} client{'s' if count > 1 else ''}" for count in clients)), rows + arm)}
With a gateway there are its renewals too; Lambda's polls of the queues are there without one. Cents a day:

{table(("", "renewals of one gateway", "polls, single hop", "polls, pipeline and prototype"), renewals)}"""


def assumption_section(data):
    prices = [(row["name"], row["per"], *(million(row[which]["usd"]) + ("" if row[which]["verified"] else " (not verified)")
                                            for which in PRICES)) for row in data.money["prices"]]
    cheaper = 100 * (1 - data.price("lambda_gb_second_arm64", "today") / data.price("lambda_gb_second_x86_64", "today"))
    return f"""## Assumed

* Sizes are those of the data in our node. The prototype's are the paper's labels, the size of its base64 text: its node held three quarters of that. This is
  in the prototype's favour.
* The prototype uses what its authors' model says. The query for watches, the names that its items hold besides data, cold starts and logs are not in it; for
  ours cold starts and logs are left out too, everything else is measured over the meters of the ports.
* A hybrid prototype keeps nodes up to {size_name(data.money["hybrid_max"])} in DynamoDB, larger ones in S3; what was published of it ends there.
* Functions on x86_64, as the prototype's, for both; ours are deployed on arm64, where a GB-second costs {cheaper:.0f} % less. With more memory our functions do
  not run shorter here: nearly all of their time is waiting. They take as long as in the simulator. Units of a size that was not measured are
  those of the next larger one, times lie in between.
* Nothing fails, no commit is tried again. One message a call: nothing comes at the same time. Under load several writes share a message, a call and a transaction: ours is cheaper then; the
  prototype's functions take several messages too.
* Answers travel over TCP, as the prototype's; over the SQS channel each is sent, received and deleted, which costs besides. The gateway runs on a machine that is
  there anyway: neither the prototype's client library nor our gateway is in the bill.
* Free tiers are not taken off. The ensemble is taken to bear any of these loads.
* At rest: Lambda polls each queue {number(data.rest("single-hop", "today", "polls")["polls"])} times a day, whatever comes; one gateway with its renewals; the heartbeat with
  {max(row["clients"] for row in data.money["heartbeats"])} clients, which runs as long as its requests to the table do one after the other, each as a small read; now and then it also looks for data
  that no record names: here there is none.
* The paper's accounting has neither polls nor heartbeat in a day's cost; nor has this document's where it counts as the paper does.
* Not done again: the prototype on Google's cloud and on arm64, its queues over DynamoDB Streams, the HBase study, storage alone.

Prices, for a million:

{text_table(("price", "of one", "the paper's", "today's"), prices)}"""


def document(data):
    parts = [intro, goal_section, reproduction_section, operation_section, ratio_section, write_time_section, read_time_section,
             queue_section, rest_section, assumption_section]
    return "\n".join(part(data).rstrip("\n") + "\n" for part in parts)
