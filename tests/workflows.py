"""The project's GitHub workflows as data: their jobs, which of them an event lets run, and their steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml

from tests.expressions import fill, holds

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".github"
SELF = "$/"
"""How a repository's own action is used: the one of the commit that runs."""


@cache
def load(path: Path) -> dict[str, Any]:
    """Read a workflow or an action; the key `on`, which YAML takes for a boolean, under its name."""
    data = cast("dict[Any, Any]", yaml.safe_load(path.read_text(encoding="utf-8")))
    return {"on" if key is True else str(key): value for key, value in data.items()}


WORKFLOWS = {path.stem: load(path) for path in sorted((FOLDER / "workflows").glob("*.yml"))}
ACTIONS = {path.parent.name: load(path) for path in sorted((FOLDER / "actions").glob("*/action.yml"))}


@dataclass(frozen=True, slots=True)
class Job:
    """One job of a workflow."""

    workflow: str
    name: str
    data: Mapping[str, Any]

    @property
    def steps(self) -> list[dict[str, Any]]:
        """Its steps."""
        return self.data["steps"]

    @property
    def needs(self) -> list[str]:
        """The jobs that it waits for."""
        needs = cast("str | list[str]", self.data.get("needs", []))
        return [needs] if isinstance(needs, str) else needs

    @property
    def environment(self) -> str:
        """Its GitHub environment, as it is written; empty where it has none."""
        given = cast("str | dict[str, str]", self.data.get("environment", ""))
        return given if isinstance(given, str) else given["name"]


JOBS = [Job(name, job, data) for name, each in WORKFLOWS.items() for job, data in each["jobs"].items()]


def find_own(step: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the action of ours that a step uses."""
    used = step.get("uses", "")
    return load(ROOT / used.removeprefix(SELF) / "action.yml") if used.startswith(SELF) else None


def all_steps() -> Iterator[tuple[str, dict[str, Any]]]:
    """Return every step with the file that it stands in."""
    for job in JOBS:
        yield from ((f"{job.workflow}.yml {job.name}", step) for step in job.steps)
    for name, action in ACTIONS.items():
        yield from ((f"actions/{name}", step) for step in action["runs"]["steps"])


def expand(job: Job, contexts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a job's matrix comes to: one combination for each time that it runs."""
    made: list[dict[str, Any]] = [{}]
    for key, values in fill(job.data.get("strategy", {}).get("matrix", {}), contexts).items():
        made = [{**each, key: value} for each in made for value in values]
    return made


def choose_jobs(
    workflow: str, github: Mapping[str, Any], inputs: Mapping[str, Any], outputs: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Return each job's result for an event, where every job that runs succeeds and puts out `outputs`."""
    needs: dict[str, dict[str, Any]] = {}
    for name, data in WORKFLOWS[workflow]["jobs"].items():
        job = Job(workflow, name, data)
        before = {each: needs[each] for each in job.needs}
        good = all(each["result"] == "success" for each in before.values())
        contexts = {"github": github, "inputs": inputs, "needs": before, "status": "success" if good else "skipped"}
        runs = holds(data.get("if", "success()"), contexts)
        needs[name] = {"result": "success" if runs else "skipped", "outputs": outputs.get(name, {}) if runs else {}}
    return {name: each["result"] for name, each in needs.items()}
