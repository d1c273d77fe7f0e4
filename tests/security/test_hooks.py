"""pre-commit runs what nox runs: the same tools, at the versions of the one lock, with the same arguments."""

from __future__ import annotations

import shlex
import subprocess
from typing import TypedDict, cast

import yaml

import noxfile
from tests.terraform import ROOT


class Hook(TypedDict):
    """What this test reads of a hook."""

    id: str
    entry: str
    pass_filenames: bool


class Repo(TypedDict):
    """What this test reads of a repository of hooks."""

    repo: str
    hooks: list[Hook]


REPOS = cast("list[Repo]", yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"])
HOOKS = [hook for repo in REPOS for hook in repo["hooks"]]


def test_every_hook_is_a_command_of_nox() -> None:
    """Every command of `lint` and `security` that needs no network is a hook, and no hook is anything else."""
    groups = {"lint": noxfile.LINT, "security": noxfile.SCANS.values()}
    wanted = [
        command if command[0] == "uv" else ("uv", "run", "--group", group, *command)
        for group, commands in groups.items()
        for command in commands
    ]
    assert sorted(tuple(shlex.split(hook["entry"])) for hook in HOOKS) == sorted(wanted)
    assert not any(hook["pass_filenames"] for hook in HOOKS)


def test_no_hook_brings_a_version_of_its_own() -> None:
    """Hooks are local, so that nothing but uv.lock and infra/checkov.txt says which version runs."""
    assert [repo["repo"] for repo in REPOS] == ["local"]
    assert not any("additional_dependencies" in hook for hook in HOOKS)
    pins = [line for line in (ROOT / "infra" / "checkov.txt").read_text().splitlines() if not line.startswith("#")]
    assert len(pins) == 1
    assert pins[0].startswith("checkov==")


def test_pre_commit_takes_the_settings() -> None:
    """pre-commit itself, of the same lock, finds nothing wrong with its file."""
    done = subprocess.run(["pre-commit", "validate-config"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert not done.stdout
