#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The paper again: docs/evaluation.md and its plots, from what our programs compute.

    tools/paper.py [--build DIR] [--out DIR] [--check]

Runs BUILD/sim/faaskeeper-sim-latency (times) and BUILD/tests/paper/faaskeeper-paper (money) and puts their figures beside
those of docs/evaluation/published.json. Writes OUT/evaluation.md and OUT/evaluation/*.svg (default: docs). --check writes
nothing: it says how far what is reproduced is from what was published; exit code 1 where that is more than a tenth.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import paper_plots
import paper_text
from paper_data import Data

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, cwd=ROOT,
                          timeout=300)
    if done.returncode != 0:
        sys.exit(f"paper.py: {' '.join(map(str, command))}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


def collect(build):
    """What the programs say, as one Data."""
    sim = [build / "sim" / "faaskeeper-sim-latency", "--json"]
    stages = "".join(run([*sim, "--stages", "--topology", topology]) for topology in ("single-hop", "pipeline"))
    money = run([build / "tests" / "paper" / "faaskeeper-paper", ROOT / "deploy" / "prices" / "paper-2023.json"])
    loads = "".join(run([*sim, "--load", "--topology", topology]) for topology in ("single-hop", "pipeline"))
    return Data(published=json.loads((ROOT / "docs" / "evaluation" / "published.json").read_text()),
                money=json.loads(money), stages=json_lines(stages), loads=json_lines(loads),
                model=json_lines(run([*sim, "--model"])))


def check(data):
    worst = 0.0
    for group in data.reproduction():
        deviation = max(abs(ours / published - 1) for _, published, ours in group.rows)
        worst = max(worst, deviation)
        print(f"{group.name}: {len(group.rows)} figures, at most {deviation:.1%} from what was published")
    print(f"{'within' if worst <= data.TOLERANCE else 'FAILED: not within'} {data.TOLERANCE:.0%}")
    return 0 if worst <= data.TOLERANCE else 1


def main():
    parser = argparse.ArgumentParser(description="docs/evaluation.md from our programs")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs")
    parser.add_argument("--check", action="store_true", help="compare with what was published; write nothing")
    args = parser.parse_args()
    data = collect(args.build.resolve())
    if args.check:
        return check(data)
    plots = args.out / "evaluation"
    plots.mkdir(parents=True, exist_ok=True)
    for name, text in paper_plots.plots(data):
        (plots / name).write_text(text)
    (args.out / "evaluation.md").write_text(paper_text.document(data))
    return 0


if __name__ == "__main__":
    sys.exit(main())
