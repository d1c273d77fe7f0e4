"""Asks a person at a terminal; never where nobody can answer, and never in continuous integration."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from stackyard.errors import RefusedError
from stackyard.screen import Screen


def can_ask(screen: Screen) -> bool:
    """Tell whether there is a person: both ends are a terminal, nothing is quiet, and CI is not set."""
    in_ci = os.environ.get("CI", "").lower() not in {"", "0", "false"}
    return not in_ci and not screen.quiet and sys.stdin.isatty() and screen.err.isatty()


def ask(screen: Screen, question: str, default: str, check: Callable[[str], str | None]) -> str:
    """Ask until the answer is good; ``check`` says what is wrong with one. Enter takes the default.

    Raises RefusedError at the end of the input.
    """
    while True:
        screen.err.write(f"{question} [{default}]: " if default else f"{question}: ")
        screen.err.flush()
        line = sys.stdin.readline()
        if not line:
            screen.err.write("\n")
            raise RefusedError("no answer", "nothing was changed")
        answer = line.strip() or default
        wrong = check(answer)
        if wrong is None:
            return answer
        screen.note(wrong)


def choose(screen: Screen, question: str, choices: Sequence[tuple[str, Sequence[str]]], default: str) -> str:
    """Show a numbered menu of names with their lines, and return the name chosen, by number or name."""
    names = [name for name, _ in choices]
    width = max(len(name) for name in names) + 2
    for number, (name, lines) in enumerate(choices, start=1):
        first, *rest = lines
        screen.note(f"{number}  {name.ljust(width)}{first}")
        for line in rest:
            screen.note(f"   {' ' * width}{line}")

    def check(answer: str) -> str | None:
        if answer in names or (answer.isdecimal() and 1 <= int(answer) <= len(names)):
            return None
        return f"a number from 1 to {len(names)}, or one of {', '.join(names)}"

    answer = ask(screen, question, default, check)
    return answer if answer in names else names[int(answer) - 1]
