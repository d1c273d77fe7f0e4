"""What every task shares: its flags' words, the screen, the way in and out. Knows no task."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from invoke.exceptions import Exit

if TYPE_CHECKING:
    from stackyard.commands.session import Session
    from stackyard.commands.wanted import Deployed
    from stackyard.screen import Screen

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[1]
LOCAL = "local"
"""The environment of a task that only looks, where none is named."""

ENV = {"env": "The environment: local, or one of stackyard.yaml's."}
JSON = {"json": "Print data for programs, to standard output."}
DRY = {"dry-run": "Show what would be done, and do nothing."}
DIRTY = {"allow-dirty": "Build for a protected environment although not all is committed."}
YES = {"yes": "Do not ask."}
EMPTY = {"allow-empty": "Let the last service be taken away."}
FULL = {"full": "Every attribute, in Terraform's words."}
COUNT = {"count": "How many, newest first."}
SERVICE = {"service": "Only this service's image; several with spaces between, or more than once."}


def split_names(given: list[str]) -> tuple[str, ...]:
    """Return names that were given one by one, or several with spaces or commas between."""
    return tuple(name for words in given for name in words.replace(",", " ").split())


def make_screen(*, quiet: bool = False) -> Screen:
    """Return what everything is printed on; ``quiet`` leaves standard output to data."""
    from stackyard.screen import Screen

    return Screen(quiet=quiet)


def attempt(
    work: Callable[[], T], screen: Screen, *, interrupted: str = "interrupted; the same command goes on from here\n"
) -> T:
    """Do the work; end with the error's own exit code, and 130 for Ctrl-C."""
    from stackyard.errors import StackyardError

    try:
        return work()
    except StackyardError as error:
        screen.error(error)
        raise Exit(code=error.exit_code) from None
    except KeyboardInterrupt:
        sys.stderr.write(interrupted)
        raise Exit(code=130) from None


def watch(work: Callable[[], object], screen: Screen) -> None:
    """Do work that only looks; Ctrl-C ends it with 130 and no word."""
    attempt(work, screen, interrupted="")


@contextlib.contextmanager
def piped() -> Generator[None]:
    """Print; a reader that has seen enough (`| head`) is no error."""
    try:
        try:
            yield
        finally:
            # Invoke leaves by an exception when it has listed the tasks.
            sys.stdout.flush()
    except BrokenPipeError:
        from stackyard.screen import discard

        discard(sys.stdout)
        raise Exit(code=0) from None


def bring(work: Callable[[Screen], Deployed], *, json: bool) -> None:
    """Bring an environment to something else, and show what came of it, to later steps of a GitHub job as well."""
    import os

    from stackyard.commands.bring import show_deployed
    from stackyard.tools.github import tell_job

    screen = make_screen(quiet=json)
    done = attempt(lambda: work(screen), screen)
    tell_job(os.environ, {"release": str(done.release), "url": done.url})
    show_deployed(screen, done, json=json)


def begin(env: str, screen: Screen) -> Session:
    """Return a session of this project in one environment."""
    from stackyard.commands.session import Session

    return Session.begin(ROOT, env, screen)
