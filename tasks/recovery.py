"""Tasks that bring back what was lost: states, records, backups."""

# Invoke's decorator has no types.
# pyright: reportUntypedFunctionDecorator=false, reportUnknownVariableType=false

from __future__ import annotations

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from tasks.running import COUNT, DRY, ENV, JSON, LOCAL, YES, attempt, begin, make_screen

STACK = {"stack": "The state: app, or bootstrap, which an account's environments share."}


@task(name="state-history", help=ENV | JSON | STACK | COUNT)
def state_history(_c: Context, env: str = LOCAL, stack: str = "app", count: int = 20, json: bool = False) -> None:
    """List the versions of an environment's state.

    Serial, when, how many resources, who. * is what Terraform reads.
    """
    from dataclasses import asdict

    from stackyard.commands.state import history, show_history

    screen = make_screen(quiet=json)
    session = begin(env, screen)
    found = attempt(lambda: history(session, stack=stack, count=count), screen)
    if json:
        screen.json(asdict(found))
    else:
        show_history(session, found)


@task(
    name="state-restore",
    help=ENV
    | DRY
    | YES
    | JSON
    | STACK
    | {
        "version": "The version's id, as inv state-history shows it.",
        "serial": "Its serial, instead.",
        "empty": "Begin anew: nothing of the environment runs any more.",
    },
)
def state_restore(
    _c: Context,
    env: str,
    stack: str = "app",
    version: str = "",
    serial: int = -1,
    empty: bool = False,
    dry_run: bool = False,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Bring back a version of an environment's state.

    By default the newest whole one before the current. What is current now stays a version. Nothing that runs is
    touched; `inv plan` shows afterwards in what the two differ.
    """
    from dataclasses import asdict

    from stackyard.commands.state import Wished, begin_anew, restore

    screen = make_screen(quiet=json)
    session = begin(env, screen)
    wished = begin_anew(env) if empty else Wished(version, None if serial < 0 else serial)
    done = attempt(lambda: restore(session, wished, stack=stack, yes=yes, dry_run=dry_run), screen)
    if json:
        screen.json(asdict(done))
    elif done.done:
        screen.say(f"the state of {env} is serial {done.serial}; next: inv plan --env {env}", "bold")


@task(
    help=ENV
    | {
        "all": "All of stackyard.yaml's.",
        "to": "A folder, or s3://bucket/prefix. It gets a folder of its own in it.",
    }
    | JSON
)
def backup(_c: Context, env: str = "", all_: bool = False, to: str = ".stackyard/backups", json: bool = False) -> None:
    """Copy what only the state bucket holds.

    States, release records, the list of images, stackyard.yaml. A state holds secrets: keep it where few can read.
    """
    from dataclasses import asdict

    from stackyard.commands.backup import backup as run
    from stackyard.commands.backup import find_environments
    from tasks.running import ROOT

    screen = make_screen(quiet=json)
    names = attempt(lambda: find_environments(ROOT, env, everything=all_), screen)
    done = attempt(lambda: run([begin(name, screen) for name in names], to), screen)
    if json:
        screen.json(asdict(done))
    else:
        screen.data(done.place)
    if done.left_out:
        raise Exit(code=3)


@task(
    help=ENV
    | DRY
    | YES
    | JSON
    | {
        "from": "The folder that inv backup named.",
        "moved": "The environment goes to another region: take over only what outlives one.",
    }
)
def restore(
    _c: Context, env: str, from_: str, moved: bool = False, dry_run: bool = False, yes: bool = False, json: bool = False
) -> None:
    """Bring back what `inv backup` copied.

    The state, and the release records that the bucket lacks; the bucket itself where it is gone.
    """
    from dataclasses import asdict
    from pathlib import Path

    from stackyard.commands.reviving import revive

    screen = make_screen(quiet=json)
    session = begin(env, screen)
    done = attempt(lambda: revive(session, Path(from_), moved=moved, yes=yes, dry_run=dry_run), screen)
    if json:
        screen.json(asdict(done))


@task(help=ENV | DRY | JSON)
def mend(_c: Context, env: str, dry_run: bool = False, json: bool = False) -> None:
    """Look for what was lost or broken, and mend it.

    State, locks, release records, images. What needs a decision is named with its command; exit code 3 then.
    """
    from dataclasses import asdict

    from stackyard.commands.mend import mend as run
    from stackyard.commands.mend import show_mended

    screen = make_screen(quiet=json)
    session = begin(env, screen)
    found = attempt(lambda: run(session, dry_run=dry_run), screen)
    if json:
        screen.json([asdict(each) for each in found])
    else:
        show_mended(session, found)
    if any(not each.mended for each in found):
        raise Exit(code=3)
