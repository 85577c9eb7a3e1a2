# SPDX-License-Identifier: Apache-2.0
"""`faaskeeper cost estimate`: what it prints, draws and refuses. Ours only."""
import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree

import pytest

from server import BINARY, ROOT

pytestmark = pytest.mark.only_ours("the command line is ours")

USAGE, ENVIRONMENT = 2, 1
ASKED = ["--reads-per-day", "900000", "--writes-per-day", "100000"]


def estimate(*arguments, environment=None):
    return subprocess.run([BINARY, "cost", "estimate", *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, env=environment)


def document(*arguments):
    done = estimate(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_refused(done, code, *words):
    assert done.returncode == code, (done.returncode, done.stderr)
    assert done.stdout == ""
    assert done.stderr.startswith("faaskeeper cost: ") and done.stderr.count("\n") == 1
    for word in words:
        assert str(word) in done.stderr


# ---- what it says


def test_the_document_adds_up():
    said = document(*ASKED)
    assert said["region"] == "us-east-1" and said["workload"]["readsPerDay"] == 900000
    for bill in said["month"], said["zookeeper"]:
        assert sum(line["usd"] for line in bill["lines"]) == pytest.approx(bill["usd"])
        assert sum(bill["services"].values()) == pytest.approx(bill["usd"])
    assert set(said["month"]["services"]) == {"DynamoDB", "SQS", "Lambda", "S3", "CloudWatch", "EventBridge"}
    assert said["zookeeper"]["name"] == "3xt3.small"
    assert said["zookeeper"]["services"] == {"EC2": pytest.approx(3 * 0.0208 * 730), "EBS": pytest.approx(4.8)}
    assert said["ratio"] == pytest.approx(said["zookeeper"]["usd"] / said["month"]["usd"])
    assert said["breakEven"]["readShare"] == pytest.approx(0.9)
    assert "sqs_fifo_request" in said["unverifiedPrices"] and "lambda_request" not in said["unverifiedPrices"]


def test_at_the_break_even_both_cost_the_same():
    rate = document(*ASKED)["breakEven"]["requestsPerDay"]
    there = document("--reads-per-day", 0.9 * rate, "--writes-per-day", 0.1 * rate)
    assert there["ratio"] == pytest.approx(1, abs=1e-4)
    never = document("--reads-per-day", 1, "--writes-per-day", 0, "--gateways", 1000)["breakEven"]
    assert never["requestsPerDay"] is None and never["cheaperBelow"] == "neither"


def test_nothing_is_paid_for_but_what_is_there_at_rest():
    said = document("--reads-per-day", 0, "--gateways", 0)
    assert said["heartbeatUsdPerDay"] == said["renewalsUsdPerDay"] == 0
    assert said["month"]["usd"] == pytest.approx(said["restUsdPerMonth"])
    assert {line["what"] for line in said["month"]["lines"]} == {"storage, GB-months", "requests: idle polls", "alarms"}


def test_the_table_says_what_the_document_says():
    said = document(*ASKED)
    table = estimate(*ASKED).stdout
    assert re.search(r"^  sum +%.4f$" % said["month"]["usd"], table, re.M)
    assert re.search(r"^break-even +1 \d\d\d \d\d\d requests a day \(at 90 % reads\)$", table, re.M)
    lines = [line for line in table.splitlines() if line.startswith("  ")]
    assert len({len(line) for line in lines if re.search(r"\.\d{4}$", line)}) == 1  # columns stand below each other


def test_the_example_of_the_documentation():
    """docs/cost.md shows a command and what it prints: it prints that."""
    text = (ROOT / "docs/cost.md").read_text()
    command, output = re.search(r"    \$ faaskeeper cost (estimate .*)\n((?:    .*\n|\n)+)", text).groups()
    shown = "".join(line[4:] or "\n" for line in output.splitlines(True)).rstrip("\n")
    assert estimate(*command.split()[1:]).stdout.rstrip("\n") == shown


# ---- prices, runs


def test_prices_of_ones_own(tmp_path):
    prices = tmp_path / "own.json"
    prices.write_text(json.dumps({"prices": {"ec2_t3.small": {"usd": 1}, "dynamodb_write_unit": {"usd": 1.25e-6}}}))
    usual, own = document(*ASKED), document(*ASKED, "--prices", prices)
    assert own["prices"] == f"us-east-1, {prices}"
    assert own["zookeeper"]["services"]["EC2"] == pytest.approx(3 * 730)

    def writes(said):
        return next(line["usd"] for line in said["month"]["lines"] if line["what"] == "write units")

    assert writes(own) == pytest.approx(2 * writes(usual))
    prices.write_text('{"prices": {"gold": {"usd": 1}}}')
    assert_refused(estimate(*ASKED, "--prices", prices), USAGE, "--prices", "prices.gold")
    assert_refused(estimate(*ASKED, "--prices", tmp_path / "none"), ENVIRONMENT, "--prices", "No such file")


def test_where_nothing_costs_anything(tmp_path):
    prices = tmp_path / "own.json"
    names = json.loads((ROOT / "deploy/prices/aws-us-east-1.json").read_text())["prices"]
    prices.write_text(json.dumps({"prices": {name: {"usd": 0} for name in names}}))
    said = document(*ASKED, "--prices", prices)
    assert said["month"] == {"usd": 0, "services": said["month"]["services"], "lines": said["month"]["lines"]}
    assert said["ratio"] is None and said["breakEven"]["requestsPerDay"] is None
    assert estimate(*ASKED, "--prices", prices).returncode == 0


def test_a_recorded_run(tmp_path):
    metrics = tmp_path / "metrics.json"
    operations = [{"operation": "getData", "amount": 100, "count": 37500},
                  {"operation": "setData", "amount": 100, "count": 4166.6667},
                  {"operation": "gatewayMinute", "amount": 1, "count": 60},
                  {"operation": "heartbeat", "amount": 10, "count": 60}]
    metrics.write_text(json.dumps({"seconds": 3600, "gateways": 1, "operations": operations}))
    run, workload = document("--from", metrics), document(*ASKED)
    assert run["workload"]["writesPerDay"] == pytest.approx(100000)
    assert run["run"]["usd"] == pytest.approx(run["month"]["usd"] / 730)
    assert run["month"]["usd"] == pytest.approx(workload["month"]["usd"], rel=0.005)
    assert run["breakEven"]["requestsPerDay"] == pytest.approx(workload["breakEven"]["requestsPerDay"], rel=0.005)
    metrics.write_text(json.dumps({"since_start": {"seconds": 3600, "operations": operations}, "error": None}))
    assert document("--from", metrics)["month"]["usd"] == pytest.approx(run["month"]["usd"])
    assert "recorded     3600.0 s" in estimate("--from", metrics).stdout


@pytest.mark.parametrize("text, words", [
    ("", "line 1"), ("{", "line 1"), ("{}", "'seconds'"), ('{"seconds": 1}', "'operations'"),
    ('{"seconds": 1, "operations": []}', "no request"),
    ('{"seconds": 0, "operations": [{"operation": "getData", "count": 1}]}', "seconds: more than 0"),
    ('{"seconds": 1, "operations": [{"operation": "dance", "count": 1}]}', "dance"),
    ('{"format":"faaskeeper-history","version":1}\n{"k":"sent","t":1,"n":1,"f":"00"}\n', "line 2")])
def test_a_run_that_is_none(tmp_path, text, words):
    (tmp_path / "run").write_text(text)
    assert_refused(estimate("--from", tmp_path / "run"), USAGE, "--from", words)


def test_a_history_of_the_simulator(tmp_path):
    simulator = ROOT / "build/sim/faaskeeper-sim"
    for place in [os.path.join(os.path.dirname(BINARY), "sim/faaskeeper-sim"), simulator]:
        if os.access(place, os.X_OK):
            simulator = place
            break
    history = tmp_path / "history"
    subprocess.run([simulator, "--seed", "3", "--history", history], check=True, capture_output=True, timeout=60)
    said = document("--from", history)
    assert said["run"]["seconds"] > 60
    assert said["workload"]["readsPerDay"] > 0 and said["workload"]["writesPerDay"] > 0
    assert said["month"]["usd"] > 0


# ---- the plot


@pytest.mark.parametrize("name", ["a.svg", "it's \"odd\" $(x).svg"])
def test_a_plot_as_svg(tmp_path, name):
    assert shutil.which("gnuplot"), "tools/install.sh test installs gnuplot"
    done = estimate(*ASKED, "--plot", tmp_path / name)
    assert done.returncode == 0, done.stderr
    root = xml.etree.ElementTree.parse(tmp_path / name).getroot()
    text = " ".join("".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text"))
    for words in ("FaaSKeeper", "ZooKeeper, 3xt3.small", "break-even: 1.", "requests a day", "USD a month"):
        assert words in text
    assert os.listdir(tmp_path) == [name]


def test_a_plot_as_png(tmp_path):
    assert estimate(*ASKED, "--plot", tmp_path / "a.png").returncode == 0
    assert (tmp_path / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_no_gnuplot(tmp_path):
    done = estimate(*ASKED, "--plot", tmp_path / "a.svg", environment={**os.environ, "PATH": str(tmp_path)})
    assert_refused(done, ENVIRONMENT, "--plot", "install gnuplot")
    assert os.listdir(tmp_path) == []


def test_a_gnuplot_that_fails(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "gnuplot").write_text("#!/bin/sh\necho no fonts >&2\nexit 3\n")
    (tools / "gnuplot").chmod(0o755)
    done = estimate(*ASKED, "--plot", tmp_path / "a.svg", environment={**os.environ, "PATH": f"{tools}:/usr/bin:/bin"})
    assert done.returncode == ENVIRONMENT and done.stdout == ""
    assert done.stderr == "no fonts\nfaaskeeper cost: --plot: gnuplot failed\n"
    assert not list(tmp_path.glob("a.*"))


def test_a_plot_where_nothing_can_be_written():
    assert_refused(estimate(*ASKED, "--plot", "/nowhere/a.svg"), ENVIRONMENT, "--plot", "No such file")


# ---- what is refused


@pytest.mark.parametrize("arguments, words", [
    ([], "--reads-per-day"),
    (["--reads-per-day", "many"], "--reads-per-day: a number from 0 to"),
    ([*ASKED, "--size", "1048512"], "--size: a whole number from 0 to 1048511"),
    ([*ASKED, "--memory", "100"], "--memory: a whole number from 128 to 10240"),
    ([*ASKED, "--zookeeper", "3t3.small"], "--zookeeper: '3t3.small': NxTYPE is expected"),
    ([*ASKED, "--zookeeper", "3xgold"], "--zookeeper: no price for 'gold' in us-east-1; have: t3.micro"),
    ([*ASKED, "--region", "mars-1"], "--region: no prices for region mars-1; have: us-east-1"),
    ([*ASKED, "--nonsense"], "'--nonsense': unknown option"),
    ([*ASKED, "--plot", "a.pdf"], "--plot: a file that ends with .svg or .png")])
def test_usage(arguments, words):
    assert_refused(estimate(*arguments), USAGE, words)


def test_help_names_every_option():
    done = subprocess.run([BINARY, "cost", "--help"], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == estimate("--help").stdout
    for option in ("--reads-per-day", "--watches", "--zookeeper", "--from", "--plot", "--prices", "--json"):
        assert option in done.stdout
    assert subprocess.run([BINARY, "cost"], capture_output=True, timeout=20, check=False).returncode == USAGE
