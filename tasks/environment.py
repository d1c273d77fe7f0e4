"""Tasks that bring an environment to what the working tree says, and take it away."""

# Invoke's decorator has no types.
# pyright: reportUntypedFunctionDecorator=false, reportUnknownVariableType=false

from __future__ import annotations

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from tasks.running import (
    DIRTY,
    DRY,
    EMPTY,
    ENV,
    FULL,
    JSON,
    LOCAL,
    SERVICE,
    YES,
    attempt,
    begin,
    bring,
    make_screen,
    split_names,
)


@task(help=ENV | DRY | JSON)
def bootstrap(_c: Context, env: str, dry_run: bool = False, json: bool = False) -> None:
    """Prepare an AWS account, once.

    State bucket, image repository, GitHub's trust, a role to deploy and one to plan for each environment. Needs
    administrator's rights in the account. Can be run again at any time; a second run changes nothing.
    """
    from stackyard.commands.bootstrap import bootstrap as run

    screen = make_screen()
    done = attempt(lambda: run(begin(env, screen), dry_run=dry_run), screen)
    if json:
        screen.json({"changed": done.changed, "summary": done.summary, "outputs": done.outputs})
    elif not dry_run:
        screen.say(f"next: inv deploy --env {env}")


@task(help=ENV | JSON | FULL | EMPTY | {"markdown": "Write it to this file, too, without values."})
def plan(
    _c: Context, env: str = LOCAL, full: bool = False, json: bool = False, allow_empty: bool = False, markdown: str = ""
) -> None:
    """Show what `inv deploy` would change.

    Changes nothing and builds nothing. --full adds every attribute.
    """
    from pathlib import Path

    from stackyard.commands.plan import plan as run
    from stackyard.commands.plan import write_plan

    screen = make_screen(quiet=json)
    report = attempt(lambda: run(begin(env, screen), full=full, allow_empty=allow_empty), screen)
    if markdown:
        attempt(lambda: write_plan(report, Path(markdown)), screen)
    if json:
        screen.json(report.record())


@task(help=ENV | JSON | {"markdown": "Write it to this file, too; an empty one where there is none."})
def drift(_c: Context, env: str = LOCAL, json: bool = False, markdown: str = "") -> None:
    """Show what was changed past Terraform.

    Names resources and attributes, and changes nothing. Exit code 6 where there is drift.
    """
    from dataclasses import asdict
    from pathlib import Path

    from stackyard.commands.drift import drift as run
    from stackyard.commands.drift import show_drift, write_drift
    from stackyard.errors import DRIFTED

    screen = make_screen(quiet=json)
    session = begin(env, screen)
    done = attempt(lambda: run(session), screen)
    if markdown:
        attempt(lambda: write_drift(done, Path(markdown)), screen)
    if json:
        screen.json(asdict(done))
    else:
        show_drift(session, done)
    if done.drift:
        raise Exit(code=DRIFTED)


@task(
    iterable=["service"],
    help=ENV | DRY | YES | JSON | DIRTY | EMPTY | SERVICE,
)
def deploy(
    _c: Context,
    env: str,
    service: list[str],
    dry_run: bool = False,
    yes: bool = False,
    json: bool = False,
    allow_empty: bool = False,
    allow_dirty: bool = False,
) -> None:
    """Bring an environment to what the working tree says.

    Images, Terraform, verification, release record. With nothing changed it costs one Terraform plan. Killed at any
    point, the same command goes on. With --service the others keep their images; settings are still those of all.
    """
    from stackyard.commands.deploy import deploy as run
    from stackyard.commands.wanted import Options

    options = Options(dry_run, yes, allow_empty, allow_dirty, split_names(service))
    bring(lambda screen: run(begin(env, screen), options), json=json)


@task(
    name="docker-push",
    iterable=["service"],
    help=ENV | DRY | JSON | DIRTY | SERVICE,
)
def docker_push(
    _c: Context,
    env: str,
    service: list[str],
    dry_run: bool = False,
    json: bool = False,
    allow_dirty: bool = False,
) -> None:
    """Build and push the images that the registry lacks.

    One bake for all of them; nothing else is changed. `inv deploy` does the same before it deploys. For `local` name
    a registry in STACKYARD_REGISTRY.
    """
    from dataclasses import asdict

    from stackyard.commands.docker_push import docker_push as run
    from stackyard.commands.docker_push import show_pushed

    screen = make_screen(quiet=json)
    session = begin(env, screen)
    done = attempt(lambda: run(session, list(split_names(service)), dry_run=dry_run, allow_dirty=allow_dirty), screen)
    if json:
        screen.json([asdict(image) for image in done])
    else:
        show_pushed(session, done)


@task(help=ENV | DRY | JSON | {"confirm": "The environment's name, typed again: answers the question."})
def destroy(_c: Context, env: str, dry_run: bool = False, confirm: str = "", json: bool = False) -> None:
    """Take an environment's services and gateway away.

    Images, release records and what `inv bootstrap` made stay. A question asks for the name; --confirm answers it.
    """
    from dataclasses import asdict

    from stackyard.commands.destroy import destroy as run

    screen = make_screen(quiet=json)
    done = attempt(lambda: run(begin(env, screen), dry_run=dry_run, typed=confirm), screen)
    if json:
        screen.json(asdict(done))
