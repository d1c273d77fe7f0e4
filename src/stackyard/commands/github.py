"""``inv github-facts`` and ``inv github-role``: what a workflow's jobs are told, from the project's own files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from stackyard.errors import MissingError
from stackyard.github import Purpose, describe_facts, name_environment, name_role, name_session
from stackyard.project import Target, read_project
from stackyard.screen import Screen
from stackyard.tools.git import find_merged
from stackyard.tools.github import tell_job
from stackyard.tools.process import Runner


def facts(root: Path, runner: Runner) -> dict[str, str]:
    """Return what jobs are chosen by. Raises ConfigError, MissingError."""
    pull = os.environ.get("GITHUB_EVENT_NAME") == "pull_request"
    changed = find_merged(runner, root) if pull else None
    return describe_facts(read_project(root), changed, os.environ.get("GITHUB_REPOSITORY", ""))


def role(target: Target, purpose: str) -> dict[str, str]:
    """Return the role that a job takes, and where. Raises MissingError."""
    if target.emulated:
        raise MissingError("local has no role", "the embedded AWS is anybody's", command="inv up")
    if purpose not in {"deploy", "plan"}:
        command = f"inv github-role --env {target.name} --purpose plan"
        raise MissingError(f"--purpose {purpose}", "it is deploy or plan", command=command)
    wanted = cast("Purpose", purpose)
    return {
        "role": name_role(target, wanted),
        "region": target.region,
        "session": name_session(os.environ),
        "environment": name_environment(target, wanted),
    }


def show_values(screen: Screen, values: Mapping[str, str], *, json: bool) -> None:
    """Show values, and give them to the job's later steps."""
    tell_job(os.environ, values)
    if json:
        screen.json(values)
    else:
        for name, value in values.items():
            screen.data(f"{name}={value}")
