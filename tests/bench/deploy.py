"""What a deploy without changes takes, against Terraform typed by hand: init, validate, plan, output.

A copy of the project in a temporary folder, its laptop environment up. By hand means the same Terraform, variables,
backend and environment variables, with a data folder of its own that stays from round to round, as a person's would.
Wall time; both take turns.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from stackyard.commands.observe import observe, variables
from stackyard.commands.session import Session
from stackyard.commands.wanted import app_key
from stackyard.screen import Screen
from tests.bench.common import goal, median, ratios, run, table, take_turns
from tests.local.project import Project, copy_project, find_uv, free_port, install

GOAL = 0.65
STEPS = ("init", "validate", "plan", "output")


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench deploy", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="deploys of each kind (5)")
    rounds = parser.parse_args(argv).rounds
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "project"
        copy_project(root)
        install(root)
        project = Project(root, root / ".venv/bin/inv", free_port(), {"UV": find_uv()})
        try:
            project.up()
            by_hand = _typed_by_hand(root, Path(name) / "data")
            found = take_turns({"by hand": by_hand, "inv deploy": lambda: _deploy(project)}, rounds)
        finally:
            project.down()
    hand = [sum(steps) for steps in found["by hand"]]
    ours = [seconds for (seconds,) in found["inv deploy"]]
    each = ratios(ours, hand)
    rows = [
        [f"terraform {step}", f"{median(values):.2f}", f"{min(values):.2f}", ""]
        for step, values in zip(STEPS, zip(*found["by hand"], strict=True), strict=True)
    ]
    rows.append(["all four by hand", f"{median(hand):.2f}", f"{min(hand):.2f}", "1.00"])
    rows.append(["inv deploy --env local", f"{median(ours):.2f}", f"{min(ours):.2f}", f"{median(each):.2f}"])
    table(["nothing changed", "s", "min", "ratio, by round"], rows)
    goal("an unchanged deploy beside the same by hand", median(each), GOAL)


def _typed_by_hand(root: Path, data: Path) -> Callable[[], list[float]]:
    """Return what runs the four commands and gives their seconds."""
    session = Session.begin(root, "local", Screen(quiet=True))
    digests = observe(session).plan.foreseen_digests()
    stack = session.stack("app", app_key("local"), variables(session, digests), None, "bench")
    env = {**stack.env, "TF_DATA_DIR": str(data), "CHECKPOINT_DISABLE": "1"}
    arguments = {
        "init": ["-input=false", *(f"-backend-config={name}={value}" for name, value in stack.backend.items())],
        "plan": ["-input=false", *(f"-var={name}={value}" for name, value in stack.variables.items())],
        "output": ["-json"],
    }
    lines = [[*stack.binary.argv, f"-chdir={stack.source}", step, *arguments.get(step, [])] for step in STEPS]
    return lambda: [run(line, cwd=root, env=env).wall / 1000 for line in lines]


def _deploy(project: Project) -> list[float]:
    begun = time.perf_counter()
    done = project.deploy()
    seconds = time.perf_counter() - begun
    if "nothing changed since release" not in done.err:
        raise RuntimeError(f"something was deployed:\n{done.text()}")
    return [seconds]
