"""What every bench needs: fresh processes by the operating system's own books, turns, and one way to print.

Noisy machines are measured, so nothing is compared with a figure of yesterday: kinds take turns within one run, medians
and ratios are printed beside the minima. Judges nothing; a goal that is missed is printed, not raised.
"""

from __future__ import annotations

import os
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from stackyard.screen import Screen

ROOT = Path(__file__).resolve().parents[2]

T = TypeVar("T")

_screen = Screen()


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took: CPU time (user and system, its children's included) and wall time, in ms; what it said."""

    cpu: float
    wall: float
    said: str


def environment() -> dict[str, str]:
    """Return our environment with bytecode allowed: without it every start compiles everything again."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(
    argv: Sequence[str], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None, codes: Sequence[int] = (0,)
) -> Cost:
    """Run a program to its end and return its Cost. Raises RuntimeError with its words for an unexpected exit code."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        argv, cwd=cwd, env=environment() if env is None else env, capture_output=True, text=True, check=False
    )
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in codes:
        raise RuntimeError(f"{' '.join(argv)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu * 1000, wall * 1000, done.stdout + done.stderr)


def take_turns(kinds: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Measure every kind once a round and return each kind's figures, one a round.

    Each is first tried once, unmeasured: that fills caches and compiles bytecode. The one that begins changes with
    the rounds, so that none profits from its place.
    """
    for measure in kinds.values():
        measure()
    found: dict[str, list[T]] = {name: [] for name in kinds}
    names = list(kinds)
    for turn in range(rounds):
        first = turn % len(names)
        for name in (*names[first:], *names[:first]):
            found[name].append(kinds[name]())
    return found


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return the ratio of each round."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def median(values: Sequence[float]) -> float:
    """Return the middle value."""
    return statistics.median(values)


def stages(said: str) -> dict[str, float]:
    """Return the seconds of each stage, as a task says them at its end. Raises RuntimeError when it does not."""
    told = re.search(r"^[\d.]+ s in all: (.+)$", said, re.MULTILINE)
    if told is None:
        raise RuntimeError(f"nothing is said of how long its stages took:\n{said}")
    return {title: float(seconds) for title, seconds in (part.rsplit(" ", 1) for part in told[1].split(", "))}


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    _screen.table(headings, rows)


def say(line: str = "") -> None:
    """Print a line."""
    _screen.data(line)


def goal(what: str, reached: float, limit: float, unit: str = "") -> None:
    """Print a goal and what was reached."""
    verdict = "reached" if reached <= limit else "MISSED"
    say(f"goal: {what} at most {limit:g}{unit}; {verdict} with {reached:.2f}{unit}")


def python(*arguments: str) -> list[str]:
    """Return the command line of this Python."""
    return [sys.executable, *arguments]
