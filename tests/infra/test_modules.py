"""Every Terraform module by its own tests, with a mocked provider and the real schema; the stacks by our rules, too."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.infra.metrics import find_unmeasured
from tests.infra.rules import Resource, find_broken, read_resources
from tests.terraform import ROOT, found

MODULES = sorted(path.parent for path in (ROOT / "infra").glob("**/versions.tf") if ".terraform" not in path.parts)
RULED = {
    "app": {"deploys_a_service_of_each_kind": False, "guards_a_protected_environment": True},
    "bootstrap": {"keeps_state_safe": False},
}
"""Runs that the rules of `rules.py` are asked about, and whether each is of a protected environment."""


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ROOT / "infra").as_posix())
def test_module(module: Path, tmp_path: Path) -> None:
    """The module's runs pass, each of its checks has a run that it refuses, and what a stack makes keeps the rules."""
    runs = "".join(path.read_text() for path in module.glob("tests/*.tftest.hcl"))
    if any('resource "aws_' in path.read_text() for path in module.glob("*.tf")):
        assert 'mock_provider "aws"' in runs
    checks = sum(len(re.findall(r"^\s*(?:validation|precondition) \{", path.read_text(), re.MULTILINE))
                 for path in module.glob("*.tf"))  # fmt: skip
    refused = len(re.findall(r'^run "reject_', runs, re.MULTILINE))
    assert refused >= checks, f"{checks} checks, {refused} runs named reject_…"
    ruled = RULED.get(module.name, {})
    _, env = found()
    env["TF_DATA_DIR"] = str(tmp_path / "data")
    init = run_terraform(module, env, {}, "init", "-backend=false", "-input=false", "-no-color")
    assert init.code == 0, init.said
    done = run_terraform(module, env, ruled, "test", *(["-json", "-verbose"] if ruled else ["-no-color"]))
    assert done.code == 0, done.said
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", done.said), done.said
    assert done.made.keys() == ruled.keys()
    unmade = (declared(module) if ruled else set[str]()) - {each.type for all_ in done.made.values() for each in all_}
    assert not unmade, f"no ruled run makes {sorted(unmade)}: have the run's stackyard.yaml or service.yaml ask for it"
    for run, resources in done.made.items():
        assert find_broken(resources, protected=ruled[run]) == []
        assert find_unmeasured(resources) == []


def declared(stack: Path) -> set[str]:
    """Return the types of resources that a stack and the modules below it can make."""
    folders = [stack, *stack.parent.glob("modules/*")] if stack.name == "app" else [stack]
    texts = [path.read_text() for folder in folders for path in folder.glob("*.tf")]
    return {kind for text in texts for kind in re.findall(r'^resource "(\w+)"', text, re.MULTILINE)}


@dataclass(slots=True)
class Run:
    """What one Terraform said, and what those of its runs have made that the rules are asked about."""

    code: int
    said: str
    made: dict[str, list[Resource]]


def run_terraform(module: Path, env: dict[str, str], ruled: Iterable[str], *arguments: str) -> Run:
    """Run Terraform on a module; of its states, which are megabytes each, only those are kept that are judged."""
    binary, _ = found()
    argv = [*binary.argv, f"-chdir={module}", *arguments]
    said: list[str] = []
    made: dict[str, list[Resource]] = {}
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if len(line) > 10_000:
                made |= {
                    run: list(read_made(json.loads(line))) for run in ruled if f'"@testrun":"{run}"' in line[:1000]
                }
            else:
                said.append(json.loads(line)["@message"] if line.startswith("{") else line.rstrip())
                said += [json.dumps(json.loads(line)["diagnostic"])] if '"diagnostic":' in line else []
    return Run(process.returncode, "\n".join(said), made)


def read_made(event: dict[str, Any]) -> Iterator[Resource]:
    """Read the resources that a run has applied, or would make where it only plans."""
    if "test_state" in event:
        yield from read_resources(event["test_state"]["root_module"])
        return
    for each in event.get("test_plan", {}).get("resource_changes", []):
        if each["mode"] == "managed" and each["change"]["after"] is not None:
            yield Resource(each["address"], each["type"], each["change"]["after"])
