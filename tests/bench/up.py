"""What `inv up` takes, stage by stage: by the README's command in a fresh copy, and again after `inv down`.

A fresh copy is what a clone holds: no environment, no lock file, no bytecode, no `.stackyard`. Packages come from pip's
and uv's caches, where an earlier run left them. Wall time in s.
"""

from __future__ import annotations

import argparse
import re
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.common import ROOT, goal, median, run, stages, table
from tests.local.project import Project, copy_project, free_port

FRESH_GOAL = 60.0
AGAIN_GOAL = 40.0
_REST = "starting it (uv, Python)"
_ALL = "all of it"


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench up", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="fresh copies (1)")
    rounds = parser.parse_args(argv).rounds
    fresh: list[dict[str, float]] = []
    again: list[dict[str, float]] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            first, second = _bring_up_twice(Path(name) / "project")
            fresh.append(first)
            again.append(second)
    names = [stage for stage in fresh[0] if stage != _ALL]
    rows = [[stage, _middle(fresh, stage), _middle(again, stage)] for stage in (*names, _ALL)]
    table(["s", "fresh copy", "after inv down"], rows)
    goal("`inv up` in a fresh copy", median([one[_ALL] for one in fresh]), FRESH_GOAL, " s")
    goal("`inv up` after `inv down`", median([one[_ALL] for one in again]), AGAIN_GOAL, " s")


def _middle(found: Sequence[Mapping[str, float]], stage: str) -> str:
    return f"{median([one[stage] for one in found]):.1f}" if stage in found[0] else ""


def _bring_up_twice(root: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Return the seconds of each stage of a first and a second `inv up`."""
    copy_project(root)
    (root / "uv.lock").unlink()
    project = Project(root, root / ".venv/bin/inv", free_port())
    env = {name: value for name, value in project.environment().items() if not name.startswith("UV")}
    *before, up = _readme_steps()
    up += ["--detach", "--port", str(project.port)]
    try:
        prepared = {" ".join(step): run(step, cwd=root, env=env).wall / 1000 for step in before}
        first = _timed(up, root, env, prepared)
        project.down()
        second = _timed(up, root, env, {})
    finally:
        if project.inv.exists():
            project.down()
    return first, second


def _readme_steps() -> list[list[str]]:
    """Return the README's command line that brings everything up, step by step."""
    found = re.search(r"^python3 -m venv .*uv run inv up$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    if found is None:
        raise RuntimeError("README.md does not name the command that brings everything up")
    return [shlex.split(step) for step in found[0].split("&&")]


def _timed(up: Sequence[str], root: Path, env: Mapping[str, str], prepared: Mapping[str, float]) -> dict[str, float]:
    """Bring it up and return the seconds of every stage, of what came before, and of all together."""
    cost = run(up, cwd=root, env=env)
    told = stages(cost.said)
    wall = cost.wall / 1000
    total = wall + sum(prepared.values())
    return {**prepared, _REST: wall - sum(told.values()), **told, _ALL: total}
