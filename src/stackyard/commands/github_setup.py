"""``inv github-setup``: what the repository at GitHub must be like for the workflows; with ``--apply`` it becomes so.

Plan (`stackyard.github_settings`), show; with ``--apply`` observe each through `gh`, send what differs, and tell. A
second run sends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from stackyard.errors import MissingError, UsageError
from stackyard.github_settings import (
    RULESET,
    Setting,
    complete,
    fits,
    plan_environments,
    plan_repository,
    read_environment,
)
from stackyard.project import Project, read_project
from stackyard.screen import Screen
from stackyard.tools.github import GitHub
from stackyard.tools.process import Runner

RELEASES = ".github/workflows/release-please.yml"
REVIEWERS, APPROVALS = 6, 10
"""The most that GitHub takes of each (REST API: Create or update an environment, Create a repository ruleset)."""

_REVIEWER = re.compile(r"[A-Za-z0-9-]+(/[A-Za-z0-9._-]+)?")


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for."""

    apply: bool = False
    reviewers: tuple[str, ...] = ()
    """Logins, and teams as ``organization/team``."""
    approvals: int = 1


@dataclass(frozen=True, slots=True)
class Set:
    """One setting and how it is now: `wanted`, `there` (a branch perhaps beside others), `made` or `changed`."""

    title: str
    why: str
    done: str
    body: Mapping[str, object]


def set_up(root: Path, screen: Screen, runner: Runner, request: Request) -> list[Set]:
    """Show what GitHub must be told, and with ``apply`` tell it. Raises StackyardError."""
    check_request(request)
    project = read_project(root)
    github = GitHub(runner, project.repository)
    reviewers = [find_reviewer(github, name, ask=request.apply) for name in request.reviewers] or None
    releases = (root / RELEASES).is_file()
    settings = plan_environments(project, reviewers)
    settings += plan_repository(releases=releases, approvals=request.approvals)
    if request.apply and github.read() is None:
        raise MissingError(
            f"GitHub has no {project.repository}", "or its settings are not yours", command="gh auth status"
        )
    done = [
        Set(each.title, each.why, _bring(github, each) if request.apply else "wanted", each.body) for each in settings
    ]
    _warn(screen, project, request)
    return done


def check_request(request: Request) -> None:
    """Refuse what GitHub would, before anything of it is told. Raises UsageError."""
    command = "inv github-setup --reviewers octocat,acme/platform-team"
    for name in request.reviewers:
        if not _REVIEWER.fullmatch(name):
            raise UsageError(f"--reviewers {name}", "that is no login and no organization/team", command=command)
    if len(request.reviewers) > REVIEWERS:
        why = f"GitHub takes {REVIEWERS} for an environment; a team counts as one"
        raise UsageError(f"--reviewers: {len(request.reviewers)} of them", why, command=command)
    if not 0 <= request.approvals <= APPROVALS:
        why = f"GitHub takes 0 to {APPROVALS}"
        raise UsageError(f"--approvals {request.approvals}", why, command="inv github-setup --approvals 1")


def find_reviewer(github: GitHub, name: str, *, ask: bool) -> dict[str, object]:
    """Return a person or a team as an environment names them. Raises MissingError where there is none."""
    organization, _, team = name.partition("/")
    kind = "Team" if team else "User"
    if not ask:
        return {"type": kind, "name": name}
    found = github.ask(f"orgs/{organization}/teams/{team}" if team else f"users/{organization}")
    if found is None:
        raise MissingError(
            f"GitHub knows no {kind.lower()} {name}", "it was named as a reviewer", command="gh auth status"
        )
    return {"type": kind, "id": found["id"]}


def show_set(screen: Screen, done: list[Set]) -> None:
    """Show each setting with what it is for."""
    screen.table(("", "SETTING", "FOR"), [(each.done, each.title, each.why) for each in done])
    if done[0].done == "wanted":
        screen.say("next: inv github-setup --apply")


def _bring(github: GitHub, setting: Setting) -> str:
    """Look at one setting, send what differs, and say what was done."""
    if setting.path == "rulesets":
        return _bring_rules(github, setting)
    found = github.read(setting.path)
    if setting.path.endswith("deployment-branch-policies"):
        policies = cast("list[dict[str, Any]]", found["branch_policies"] if found else [])
        if any(fits(setting.body, each) for each in policies):
            return "there" if len(policies) == 1 else "there, beside others"
        github.send(setting.method, setting.path, setting.body)
        return "made"
    there = read_environment(found) if found and setting.path.startswith("environments/") else found
    if there is not None and fits(setting.body, there):
        return "there"
    github.send(setting.method, setting.path, complete(setting, there or {}))
    return "made" if there is None else "changed"


def _bring_rules(github: GitHub, setting: Setting) -> str:
    named = [each for each in github.read_all("rulesets?per_page=100") if each["name"] == RULESET]
    if not named:
        github.send("POST", "rulesets", setting.body)
        return "made"
    path = f"rulesets/{named[0]['id']}"
    found: Any = github.read(path)
    if fits(setting.body, found):
        return "there"
    github.send("PUT", path, setting.body)
    return "changed"


def _warn(screen: Screen, project: Project, request: Request) -> None:
    protected = [name for name, environment in project.environments.items() if environment.protected]
    if protected and not request.reviewers:
        screen.warn(f"no --reviewers: who must let a job into {', '.join(protected)} stays as it is, or nobody")
    if project.repository_id is None:
        command = f"gh api repos/{project.repository} --jq '{{owner_id: .owner.id, repository_id: .id}}'"
        screen.warn(f"stackyard.yaml does not pin the repository by its numbers; they are told by: {command}")
