"""What is printed about tasks: the list of them by groups, and the help of one, which fits on a screen."""

# Half of what Invoke holds has no types.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from tasks.parsing import NAMED, WORDS, list_missing

if TYPE_CHECKING:
    from invoke.parser.argument import Argument
    from invoke.parser.context import ParserContext

WIDEST = 100
"""Columns that are used of a wide terminal."""

LAST = ("dry-run", "yes", "allow-dirty", "json")
"""Flags that many tasks have, in the order in which they end each help."""

VALUES = {"env": "ENV", "id": "ID", "name": "NAME", "names": "NAME", "service": "SERVICE", "region": "REGION"}
"""What stands for a flag's value, where it is neither text nor a number."""


def find_width() -> int:
    """Return how many columns there are: the terminal's, else 80."""
    return min(shutil.get_terminal_size().columns, WIDEST)


def render_list(groups: Mapping[str, Sequence[tuple[str, str]]], width: int) -> Iterator[str]:
    """Write every task with its first sentence, by groups of names and docstrings."""
    yield "inv TASK [--flags]      inv TASK --help, or inv help TASK, tells more of one"
    column = max(len(name) for tasks in groups.values() for name, _ in tasks) + 4
    for title, tasks in groups.items():
        yield ""
        yield _bold(title)
        for name, words in tasks:
            yield from _two_columns(f"  {name}", words.strip().partition("\n")[0], column, width)


def render_help(context: ParserContext, words: str, width: int) -> Iterator[str]:
    """Write what a task does and which flags it has, the common ones last."""
    yield _render_usage(context)
    first, *rest = [" ".join(part.split()) for part in words.split("\n\n")]
    yield ""
    yield _bold(first)
    for part in rest:
        yield ""
        yield from textwrap.wrap(part, width - 1)
    flags = sorted(cast("Iterable[Argument]", context.args.values()), key=_rank)
    if flags:
        yield ""
        specs = [_render_flag(flag) for flag in flags]
        column = min(max(map(len, specs)) + 2, 30)
        for flag, spec in zip(flags, specs, strict=True):
            yield from _two_columns(spec, _render_words(flag), column, width)


def show(lines: Iterable[str]) -> None:
    """Print lines."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _render_usage(context: ParserContext) -> str:
    missing = list_missing(context)
    words = [_value(each) for each in missing if each.name in WORDS]
    words += ["[NAME ...]"] if context.name in NAMED else []
    needed = [f"--{each.names[0]} {_value(each)}" for each in missing if each.name not in WORDS]
    rest = ["[--flags]"] if len(context.args) > len(missing) else []
    return " ".join([f"Usage: inv {context.name}", *words, *needed, *rest])


def _rank(flag: Argument) -> int:
    name = flag.names[0]
    return LAST.index(name) if name in LAST else -1


def _render_flag(flag: Argument) -> str:
    name, *others = flag.names
    short = f"-{others[0]}, " if others else "    "
    if flag.kind is bool:
        return f"  {short}--{'no-' if flag.default is True else ''}{name}"
    return f"  {short}--{name} {_value(flag)}"


def _render_words(flag: Argument) -> str:
    usual = flag.default
    shown = bool(usual) and not isinstance(usual, (bool, list, type)) and usual != -1
    return f"{flag.help or ''} [{usual}]" if shown else flag.help or ""


def _value(flag: Argument) -> str:
    return VALUES.get(flag.names[0]) or ("N" if flag.kind is int else "TEXT")


def _two_columns(left: str, right: str, column: int, width: int) -> Iterator[str]:
    """Write a name and what it means, which goes on below itself."""
    lines = textwrap.wrap(right, max(width - 1 - column, 20)) or [""]
    if len(left) > column - 2:
        yield left
    else:
        yield f"{left.ljust(column)}{lines.pop(0)}".rstrip()
    for line in lines:
        yield " " * column + line


def _bold(text: str) -> str:
    plain = not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain else f"\x1b[1m{text}\x1b[0m"
