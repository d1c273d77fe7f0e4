"""Tasks of the system on this machine."""

# Invoke's decorator has no types.
# pyright: reportUntypedFunctionDecorator=false, reportUnknownVariableType=false

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from tasks.running import DRY, ROOT, attempt, make_screen


@task(
    help={
        "port": "The gateway's port.",
        "detach": "Leave it running in the background.",
        "no-console": "Keep no requests, and show none in a browser.",
    }
    | DRY
)
def up(_c: Context, port: int = 8080, detach: bool = False, no_console: bool = False, dry_run: bool = False) -> None:
    """Start the whole system on this machine.

    An embedded AWS, the real Terraform against it, your services, one gateway in front.
    Nothing of it touches a real account. In the foreground, Ctrl-C ends everything it started; with --detach
    `inv down` does. Saving a file reloads its service; `inv deploy --env local` applies changed settings.
    """
    from stackyard.commands.up import foresee
    from stackyard.commands.up import up as run

    screen = make_screen()
    if dry_run:
        attempt(lambda: foresee(ROOT, screen, port=port), screen)
    else:
        attempt(lambda: run(ROOT, screen, port=port, detach=detach, console=not no_console), screen)


@task(help=DRY)
def down(_c: Context, dry_run: bool = False) -> None:
    """End what `inv up` started, by process id.

    What the embedded AWS held ends with it; the next `inv up` makes it anew.
    """
    from stackyard.commands.down import down as run

    screen = make_screen()
    attempt(lambda: run(ROOT, screen, dry_run=dry_run), screen)
