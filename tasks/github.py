"""Tasks of the project's GitHub workflows, and the one that sets GitHub up for them."""

# Invoke's decorator has no types.
# pyright: reportUntypedFunctionDecorator=false, reportUnknownVariableType=false

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from tasks.running import ENV, JSON, ROOT, attempt, begin, make_screen


@task(name="github-facts", help=JSON)
def github_facts(_c: Context, json: bool = False) -> None:
    """Tell a workflow what its jobs are chosen by.

    Whether AWS would let this repository in, the environments of stackyard.yaml, whether there are previews, and
    whether a pull request touches more than documentation. In a job of GitHub's they become the step's outputs.
    """
    from stackyard.commands.github import facts, show_values
    from stackyard.tools.process import SystemRunner

    screen = make_screen(quiet=json)
    show_values(screen, attempt(lambda: facts(ROOT, SystemRunner()), screen), json=json)


@task(name="github-role", help=ENV | JSON | {"purpose": "What the job does: deploy or plan."})
def github_role(_c: Context, env: str, purpose: str = "plan", json: bool = False) -> None:
    """Tell a workflow which AWS role its job takes.

    From stackyard.yaml alone, by the names that `inv bootstrap` gives: GitHub holds no variable and no secret. In a job
    of GitHub's they become the step's outputs.
    """
    from stackyard.commands.github import role, show_values

    screen = make_screen(quiet=json)
    session = begin(env, screen)
    show_values(screen, attempt(lambda: role(session.target, purpose), screen), json=json)


@task(
    name="github-report",
    help=JSON
    | {
        "title": "What it is about; by this it is found again.",
        "folder": "Where the reports are, one a file: <environment>.md.",
        "expect": "The environments that must have one, as a JSON list.",
        "pull-request": "The number of the pull request to comment on; without it an issue is written.",
    },
)
def github_report(
    _c: Context, title: str, folder: str, expect: str = "", pull_request: int = 0, json: bool = False
) -> None:
    """Write reports of environments as a comment or an issue.

    The same one each time, changed in place. An issue is opened when there is something to say, and closed when there
    is nothing any more. Needs `gh`.
    """
    from dataclasses import asdict
    from pathlib import Path

    from stackyard.commands.github_report import report as run
    from stackyard.tools.process import SystemRunner

    screen = make_screen(quiet=json)
    done = attempt(lambda: run(ROOT, screen, SystemRunner(), title, Path(folder), expect, pull_request), screen)
    if json:
        screen.json(asdict(done))


@task(
    name="github-setup",
    help=JSON
    | {
        "apply": "Make it so, by `gh`; needs the rights of an administrator of the repository.",
        "reviewers": "Who lets a job into a protected environment: logins, or organization/team, with commas between.",
        "approvals": "How many people must approve a pull request.",
    },
)
def github_setup(_c: Context, apply: bool = False, reviewers: str = "", approvals: int = 1, json: bool = False) -> None:
    """Show what the repository at GitHub must be like.

    For the workflows: environments with their branches and reviewers, the rights of jobs, the rules of the main branch.
    With --apply it becomes so; again, it changes nothing.
    """
    from dataclasses import asdict

    from stackyard.commands.github_setup import Request, set_up, show_set
    from stackyard.tools.process import SystemRunner

    screen = make_screen(quiet=json)
    request = Request(apply, tuple(filter(None, reviewers.replace(",", " ").split())), approvals)
    done = attempt(lambda: set_up(ROOT, screen, SystemRunner(), request), screen)
    if json:
        screen.json([asdict(each) for each in done])
    else:
        show_set(screen, done)
