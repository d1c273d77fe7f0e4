"""Tasks for when something does not work."""

# Invoke's decorator has no types.
# pyright: reportUntypedFunctionDecorator=false, reportUnknownVariableType=false

from __future__ import annotations

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from tasks.running import DRY, ENV, JSON, LOCAL, ROOT, attempt, begin, make_screen


@task(name="help", iterable=["names"], help={"names": "The task; also without the flag: inv help deploy"})
def help_(_c: Context, names: list[str]) -> None:
    """List the tasks, or tell more of one: `inv help deploy`."""
    from tasks import namespace
    from tasks.program import show_words

    show_words(namespace, names)


@task(help=ENV | JSON)
def doctor(_c: Context, env: str = LOCAL, json: bool = False) -> None:
    """Check what a deploy needs, and say what mends it.

    Tools, versions, credentials, quotas and settings, each with the command that mends it. Exit code 3 if any fails.
    """
    from stackyard.commands.doctor import doctor as run

    screen = make_screen()
    good = attempt(lambda: run(ROOT, env, screen, json=json), screen)
    if not good:
        raise Exit(code=3)


@task(help=ENV | DRY | JSON | {"id": "Only the lock with this id."})
def unlock(_c: Context, env: str, id: str = "", dry_run: bool = False, json: bool = False) -> None:
    """Release a state lock that a killed run left behind.

    Says whose it was and since when. Refuses while a run of this checkout is alive.
    """
    from stackyard.commands.unlock import unlock as run

    screen = make_screen(quiet=json)
    released = attempt(lambda: run(begin(env, screen), lock_id=id, dry_run=dry_run), screen)
    if json:
        screen.json({"released": released})
