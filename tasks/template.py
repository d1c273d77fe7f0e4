"""Tasks between a project and the template that it was made from."""

# Invoke's decorator has no types.
# pyright: reportUntypedFunctionDecorator=false, reportUnknownVariableType=false

from __future__ import annotations

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from tasks.running import DRY, JSON, ROOT, attempt, make_screen, split_names


@task(
    iterable=["account"],
    help=DRY
    | JSON
    | {
        "project": "Its name; begins every name in AWS.",
        "repository": "At GitHub: owner/name.",
        "region": "The AWS region, such as eu-west-1.",
        "account": "An environment's AWS account: dev=111111111111. More than once.",
        "samples": "The template's own services: keep (the default) or remove.",
        "template": "Where git finds the template, if not where this was cloned from.",
    },
)
def init(
    _c: Context,
    account: list[str],
    project: str = "",
    repository: str = "",
    region: str = "",
    samples: str = "",
    template: str = "",
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Make a clone of the template your own project, in one commit.

    Asks for what no flag says. Again, it changes what is answered otherwise, and nothing else.
    """
    from stackyard.answers import parse_accounts
    from stackyard.commands.init import Given, show_made
    from stackyard.commands.init import init as run
    from stackyard.commands.moving import show_changes, show_moved

    screen = make_screen(quiet=json)
    accounts = attempt(lambda: tuple(parse_accounts(account).items()), screen)
    given = Given(project, repository, region, accounts, samples, template)
    made = attempt(lambda: run(ROOT, screen, given, dry_run=dry_run), screen)
    if json:
        screen.json(made.document())
    else:
        show_changes(screen, made.move)
        show_made(screen, made)
        show_moved(screen, made.moved)
        if not made.moved.conflicts and not dry_run:
            for line in made.next:
                screen.say(f"next: {line}")
    if made.moved.conflicts:
        raise Exit(code=5)


@task(
    help=JSON
    | {
        "check": "Show what a newer version would change, and do nothing: what it does without --apply.",
        "apply": "Merge it, as one commit.",
        "to": "The version, such as 1.4.0; without it the newest.",
        "template": "Where git finds the template, if it has moved.",
    }
)
def upgrade(
    _c: Context, check: bool = False, apply: bool = False, to: str = "", template: str = "", json: bool = False
) -> None:
    """Bring in a newer version of the template.

    A three-way merge by git: what you wrote is kept. Conflicts are left as git leaves them, with exit code 5.
    """
    from stackyard.commands.moving import show_changes, show_moved
    from stackyard.commands.upgrade import show_upgrade
    from stackyard.commands.upgrade import upgrade as run

    screen = make_screen(quiet=json)
    done = attempt(lambda: run(ROOT, screen, apply=apply and not check, to=to, template=template), screen)
    if json:
        screen.json(done.document())
    else:
        if done.move:
            show_changes(screen, done.move)
        show_upgrade(screen, done)
        if done.moved:
            show_moved(screen, done.moved)
    if done.moved and done.moved.conflicts:
        raise Exit(code=5)


@task(
    iterable=["platform"],
    help=JSON
    | {
        "platform": "Only for these machines, such as linux_amd64; several with commas between, or more than once.",
        "upgrade": "Take the newest that pyproject.toml and infra allow, whatever was locked before.",
    },
)
def lock(_c: Context, platform: list[str], upgrade: bool = False, json: bool = False) -> None:
    """Pin packages and Terraform's providers for all platforms.

    Writes uv.lock and the .terraform.lock.hcl of both stacks, to be committed. Each provider is
    fetched for each platform and stack, which takes a while.
    """
    from stackyard.commands.lock import lock as run
    from stackyard.commands.lock import show_locked

    screen = make_screen(quiet=json)
    locked = attempt(lambda: run(ROOT, screen, split_names(platform), upgrade=upgrade), screen)
    if json:
        screen.json(locked.record())
    else:
        show_locked(screen, locked)
