"""What the tasks cost at every start: `inv --list` beside an empty tasks.py, and `inv add-service` beside `inv --list`.

Fresh processes that take turns. What counts is CPU time; wall time is printed beside it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.bench.common import ROOT, Cost, goal, median, ratios, run, table, take_turns

GOAL = 1.15
ADD_GOAL = 1.5
TEN_GOAL = 4.0

INV = str(Path(sys.executable).with_name("inv"))


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench cli", description=__doc__)
    parser.add_argument("--rounds", type=int, default=25, help="starts of each (25)")
    rounds = parser.parse_args(argv).rounds
    with tempfile.TemporaryDirectory() as name:
        empty = Path(name)
        (empty / "tasks.py").touch()
        # Invoke ends with 1 where there is no task to list, after the same work.
        kinds = {
            "an empty tasks.py": lambda: run([INV, "--list"], cwd=empty, codes=[1]),
            "stackyard": lambda: run([INV, "--list"], cwd=ROOT),
        }
        [_, ratio] = _compare("inv --list", kinds, rounds)
    goal("`inv --list`, CPU time beside an empty tasks.py,", ratio, GOAL)
    with tempfile.TemporaryDirectory() as name:
        checkout = Path(name)
        shutil.copy2(ROOT / "stackyard.yaml", checkout)
        for folder in ("tasks", "src/services"):
            shutil.copytree(ROOT / folder, checkout / folder)
        kinds = {
            "inv --list": lambda: run([INV, "--list"], cwd=checkout),
            "inv add-service of one": lambda: _add(checkout, ["bench"]),
            "inv add-service of ten": lambda: _add(checkout, [f"bench{number}" for number in range(10)]),
        }
        [_, one, ten] = _compare("task", kinds, rounds)
    goal("`inv add-service` of one service, CPU time beside `inv --list`,", one, ADD_GOAL)
    goal("`inv add-service` of ten, CPU time beside `inv --list`,", ten, TEN_GOAL)


def _add(checkout: Path, names: Sequence[str]) -> Cost:
    cost = run([INV, "add-service", *names], cwd=checkout)
    for name in names:
        shutil.rmtree(checkout / "src/services" / name)
    return cost


def _compare(title: str, kinds: Mapping[str, Callable[[], Cost]], rounds: int) -> list[float]:
    """Print what each costs, and return the median ratio of CPU time to that of the first."""
    costs = take_turns(kinds, rounds)
    cpu = {kind: [cost.cpu for cost in found] for kind, found in costs.items()}
    wall = {kind: [cost.wall for cost in found] for kind, found in costs.items()}
    first = next(iter(kinds))
    rows: list[list[str]] = []
    found: list[float] = []
    for kind in kinds:
        figures = [f"{of(values[kind]):.0f}" for values in (cpu, wall) for of in (median, min)]
        ratio = median(ratios(cpu[kind], cpu[first]))
        found.append(ratio)
        rows.append([kind, *figures, f"{ratio:.3f}", f"{min(cpu[kind]) / min(cpu[first]):.3f}"])
    table([title, "CPU ms", "min", "wall ms", "min", "ratio of CPU, by round", "of minima"], rows)
    return found
