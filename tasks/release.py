"""Tasks that look at releases, and move their images."""

# Invoke's decorator has no types.
# pyright: reportUntypedFunctionDecorator=false, reportUnknownVariableType=false

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from tasks.running import COUNT, DIRTY, DRY, ENV, FULL, JSON, LOCAL, YES, attempt, begin, bring, make_screen


@task(help=ENV | JSON | COUNT)
def releases(_c: Context, env: str = LOCAL, count: int = 20, json: bool = False) -> None:
    """List an environment's releases.

    Number, when, who, commit (with + for changes that were not committed) and what changed. * runs.
    """
    from stackyard.commands.releases import releases as run
    from stackyard.commands.releases import show_releases

    screen = make_screen(quiet=json)
    session = begin(env, screen)
    attempt(lambda: show_releases(session, run(session, count=count), json=json), screen)


@task(help=ENV | JSON | FULL)
def diff(_c: Context, env: str = LOCAL, full: bool = False, json: bool = False) -> None:
    """Show what changed since the running release.

    Images, commits, settings and Terraform's plan. Changes nothing and builds nothing.
    """
    from stackyard.commands.diff import diff as run
    from stackyard.commands.diff import show_diff

    screen = make_screen(quiet=json)
    session = begin(env, screen)
    attempt(lambda: show_diff(session, run(session, full=full), json=json), screen)


@task(
    help=DRY
    | YES
    | JSON
    | DIRTY
    | {"from": "The environment whose images are taken.", "to": "The environment that gets them."}
    | {"release": "The number of its release; without it the last."}
)
def promote(
    _c: Context,
    from_: str,
    to: str,
    release: int = 0,
    dry_run: bool = False,
    yes: bool = False,
    json: bool = False,
    allow_dirty: bool = False,
) -> None:
    """Bring the images that one environment runs to another.

    The same digests; nothing is built. Settings and Terraform are the working tree's. Between accounts the images are
    copied, which needs docker with buildx.
    """
    from stackyard.commands.promote import promote as run
    from stackyard.commands.wanted import Options

    options = Options(dry_run=dry_run, yes=yes, allow_dirty=allow_dirty)
    bring(lambda screen: run(begin(to, screen), begin(from_, screen), options, release), json=json)


@task(help=ENV | DRY | YES | JSON | DIRTY | {"to": "The number of the release; without it the one before what runs."})
def rollback(
    _c: Context,
    env: str,
    to: int = 0,
    dry_run: bool = False,
    yes: bool = False,
    json: bool = False,
    allow_dirty: bool = False,
) -> None:
    """Bring back the images of an earlier release.

    As a new release; twice goes two back. After a deploy that failed it goes back to the last release. Settings and
    Terraform are the working tree's.
    """
    from stackyard.commands.rollback import rollback as run
    from stackyard.commands.wanted import Options

    options = Options(dry_run=dry_run, yes=yes, allow_dirty=allow_dirty)
    bring(lambda screen: run(begin(env, screen), options, to), json=json)
