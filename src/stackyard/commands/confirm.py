"""Ask before what is protected or cannot be undone."""

from __future__ import annotations

import sys

from stackyard.commands.session import Session
from stackyard.errors import RefusedError
from stackyard.screen import Screen


def ask_if_protected(session: Session, *, yes: bool, command: str) -> None:
    """Ask before a protected environment is changed. Raises RefusedError, with the command that says yes."""
    if session.target.protected and not yes:
        confirm(session.screen, f"{session.target.name} is protected. Go on? [y/N] ", {"y", "yes"}, command)


def confirm(screen: Screen, question: str, allowed: set[str], command: str) -> None:
    """Ask at the terminal; anything but an allowed answer refuses. Never asks where nobody can answer."""
    if not sys.stdin.isatty():
        raise RefusedError("this needs a yes", "and there is no terminal to ask at", command=command)
    screen.err.write(question)
    screen.err.flush()
    if sys.stdin.readline().strip() not in allowed:
        raise RefusedError("not confirmed", "nothing was changed", command=command)
