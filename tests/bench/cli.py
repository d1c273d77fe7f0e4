"""What the tasks cost at every start: `inv --list` here, against `inv --list` beside an empty tasks.py.

Fresh processes that take turns. What counts is CPU time; wall time is printed beside it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.common import ROOT, goal, median, ratios, run, table, take_turns

GOAL = 1.15


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench cli", description=__doc__)
    parser.add_argument("--rounds", type=int, default=25, help="starts of each (25)")
    rounds = parser.parse_args(argv).rounds
    inv = [str(Path(sys.executable).with_name("inv")), "--list"]
    with tempfile.TemporaryDirectory() as name:
        empty = Path(name)
        (empty / "tasks.py").touch()
        # Invoke ends with 1 where there is no task to list, after the same work.
        kinds = {"an empty tasks.py": lambda: run(inv, cwd=empty, codes=[1]), "stackyard": lambda: run(inv, cwd=ROOT)}
        costs = take_turns(kinds, rounds)
    cpu = {kind: [cost.cpu for cost in found] for kind, found in costs.items()}
    wall = {kind: [cost.wall for cost in found] for kind, found in costs.items()}
    rows: list[list[str]] = []
    for kind in kinds:
        figures = [f"{of(values[kind]):.0f}" for values in (cpu, wall) for of in (median, min)]
        each = ratios(cpu[kind], cpu["an empty tasks.py"])
        rows.append([kind, *figures, f"{median(each):.3f}", f"{min(cpu[kind]) / min(cpu['an empty tasks.py']):.3f}"])
    headings = ["inv --list", "CPU ms", "min", "wall ms", "min", "ratio of CPU, by round", "of minima"]
    table(headings, rows)
    goal("`inv --list`, CPU time beside an empty tasks.py,", float(rows[-1][-2]), GOAL)
