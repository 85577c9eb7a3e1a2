# SPDX-License-Identifier: Apache-2.0
"""Turns the results of a run into tables for people: plain text for the terminal, Markdown for docs/benchmarks.md."""
import statistics

NOTES_BEGIN = "<!-- notes: kept when this file is written again -->"
NOTES_END = "<!-- end of notes -->"
SERVERS = ("ours", "zookeeper")


def number(value, digits=None):
    """A figure with about three significant digits."""
    if value is None:
        return "-"
    if digits is None:
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"


def spread(values, scale=1.0):
    """median (min-max)"""
    if not values:
        return "-"
    values = [value / scale for value in values]
    middle = statistics.median(values)
    digits = 0 if middle >= 100 else 1 if middle >= 10 else 2
    if len(values) == 1:
        return number(middle, digits)
    return f"{middle:.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def column(row, server, key):
    return [run[key] for run in row["servers"].get(server, {}).get("used", [])]


def median(row, server, key):
    values = column(row, server, key)
    return statistics.median(values) if values else None


def runs_text(row):
    """Quiet runs of all runs, per server."""
    parts = []
    for server in SERVERS:
        result = row["servers"].get(server)
        if result:
            parts.append(f"{result['quiet']}/{result['tried']}")
    return " ".join(parts)


def row_cells(row):
    other = column(row, "ours", "foreign_cpu_percent") + column(row, "zookeeper", "foreign_cpu_percent")
    return [
        f"{row['op']} {row['conns']}x{row['depth']}",
        f">= {row['target']:g}",
        number(row["ratio"]),
        spread(column(row, "ours", "ops_per_second"), 1000),
        spread(column(row, "zookeeper", "ops_per_second"), 1000),
        number(median(row, "ours", "p99_us")),
        number(median(row, "zookeeper", "p99_us")),
        number(median(row, "ours", "server_cpu_us_per_op")),
        number(median(row, "zookeeper", "server_cpu_us_per_op")),
        number(statistics.median(other), 0) if other else "-",
        runs_text(row),
        row["verdict"],
    ]


ROW_HEAD = ["operation", "target", "ratio", "kop/s ours", "kop/s ZooKeeper", "p99 us ours", "p99 us ZK",
            "CPU us/op ours", "CPU us/op ZK", "other CPU %", "quiet runs", "verdict"]
FIGURE_HEAD = ["figure", "unit", "target", "ours", "ZooKeeper", "verdict"]


def figure_cells(figure):
    return [
        figure["name"],
        figure["unit"],
        f"<= {figure['target']:g}" if figure["target"] is not None else "-",
        spread(figure["values"].get("ours")),
        spread(figure["values"].get("zookeeper")),
        figure["verdict"],
    ]


def align(lines, left, markdown):
    """Pads cells so that columns line up; the columns in left are flush left, the others flush right."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]

    def cell(text, i):
        return text.ljust(widths[i]) if i in left else text.rjust(widths[i])

    padded = [[cell(text, i) for i, text in enumerate(line)] for line in lines]
    if not markdown:
        rule = "  ".join("-" * width for width in widths)
        text = ["  ".join(line).rstrip() for line in padded]
        return "\n".join([text[0], rule] + text[1:])
    rule = ["-" * width if i in left else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [padded[0], rule] + padded[1:])


def tables(results, markdown=False):
    """The two tables, with a blank line between; a table without lines is left out."""
    parts = []
    if results["rows"]:
        lines = [ROW_HEAD] + [row_cells(row) for row in results["rows"]]
        parts.append(align(lines, {0, len(ROW_HEAD) - 1}, markdown))
    if results["figures"]:
        lines = [FIGURE_HEAD] + [figure_cells(figure) for figure in results["figures"]]
        parts.append(align(lines, {0, 1, len(FIGURE_HEAD) - 1}, markdown))
    return "\n\n".join(parts)


def verdict_line(results):
    judged = [entry["verdict"] for entry in results["rows"] + results["figures"] if entry["verdict"] != "-"]
    missed = [text for text in judged if text != "met"]
    if not judged:
        return "no verdict: only one server was measured"
    return f"{len(judged) - len(missed)} met, {len(missed)} missed"


def kept_notes(old):
    """What people wrote between the marks of the old file."""
    if NOTES_BEGIN in old and NOTES_END in old:
        return old.split(NOTES_BEGIN, 1)[1].split(NOTES_END, 1)[0].strip("\n")
    return "None yet."


def document(results, old=""):
    """docs/benchmarks.md as a string."""
    facts = results["environment"]
    settings = results["settings"]
    lines = [
        "<!-- SPDX-License-Identifier: Apache-2.0 -->",
        "<!-- Written by `make bench` (bench/bench.py --write-docs): change the notes only. -->",
        "# Benchmarks: FaaSKeeper on one machine against ZooKeeper",
        "",
        f"Result: {verdict_line(results)}. Both servers ran in one run on one machine, each with its default settings",
        "(fsync on) except `maxClientCnxns=0`.",
        "",
        "## Machine and versions",
    ]
    lines += [f"* {name}: {value}" for name, value in facts.items()]
    lines += [
        "",
        "## Throughput and latency",
        f"{settings['size']} B of data per node; operation CxD is C connections with D requests outstanding on each.",
        "Throughput is median (min-max), the rest are medians; the ratio is that of the medians.",
        "",
        tables({"rows": results["rows"], "figures": []}, markdown=True) or "Not measured in this run.",
        "",
        "A row is met when the ratio reaches its target, p99 is below ZooKeeper's, and, for get without pipelining,",
        "the server's CPU per request is at most a third of ZooKeeper's.",
        "",
        "## Start-up, memory, idle",
        "",
        tables({"rows": [], "figures": results["figures"]}, markdown=True) or "Not measured in this run.",
        "",
        "## Notes",
        "What limits a row that was missed, from a profile:",
        "",
        NOTES_BEGIN,
        kept_notes(old),
        NOTES_END,
        "",
        "## How it was measured",
        f"* Command: `{settings['command']}`; `make bench` is the same with its default options.",
    ]
    lines += [f"* {server} server: `{command}`" for server, command in settings["servers"].items()]
    lines += [f"* Load: `{settings['load']}`"] + METHOD
    return "\n".join(lines).rstrip() + "\n"


METHOD = [
    "* The servers take turns, run by run. The JVM is warmed by mixed load first, ours by the same.",
    "* The load generator is bench/fk-load: one thread, its own codec. It verifies every reply: order of xids,",
    "  zxid never going back, error code, all bytes of the data, Stat, versions never going back within a",
    "  session, names of children, path and uniqueness of sequential nodes. One wrong reply fails the run.",
    "* get, exists, set, mix: uniformly at random of 1000 nodes; mix is 90 % get and 10 % set. children: 100",
    "  names. create-delete counts both requests. seq: ephemeral sequential create of 16 B, at most 10 000 per",
    "  session, then the session is closed (which deletes them) and a new one opened, within the measured time.",
    "* CPU is that of all threads of the server. Client and server share the machine's cores, so ratios of un-",
    "  pipelined rows are limited by the generator's own CPU time; CPU per request is the fairer figure there.",
    "* other CPU: everything but the measured server and the generator, stolen time included, in percent of one",
    "  core. Runs with more than 30 % are repeated up to a bound, then the quietest are used; `quiet runs` counts",
    "  them per server as quiet/all. Slightly negative values are noise of the kernel's accounting.",
    "* start: from exec to the first answered handshake. resident: Rss of smaps_rollup. idle sessions: timeout 30",
    "  s, a ping every 10 s per session.",
]
