"""Everything printed: progress to standard error, data to standard output, errors last.

One plain line for each thing that happened, with its seconds; a heartbeat when nothing moved for ten; no control
characters unless both ends are a terminal.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import IO

from stackyard.errors import StackyardError

HEARTBEAT = 10.0
"""Seconds of silence after which a stage says that it is still at work."""

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass(slots=True)
class Screen:
    """Where the tasks print. ``quiet`` leaves data and errors only."""

    out: IO[str] = field(default_factory=lambda: sys.stdout)
    err: IO[str] = field(default_factory=lambda: sys.stderr)
    quiet: bool = False
    stages: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    clock: Callable[[], float] = time.monotonic
    """Seconds, from anywhere."""
    tick: float = 1.0
    """Seconds between two looks at whether a heartbeat is due."""
    _last: float = 0.0

    def style(self, text: str, *names: str) -> str:
        """Colour a text where the screen can show it."""
        if not self.err.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return text
        return f"\x1b[{';'.join(_STYLES[name] for name in names)}m{text}\x1b[0m"

    def say(self, text: str = "", *styles: str) -> None:
        """Print one line of progress."""
        self._last = self.clock()
        if not self.quiet:
            self._print(self.style(text, *styles) if styles else text)

    def note(self, text: str) -> None:
        """Print one line below the current stage."""
        self.say(f"  {text}")

    def warn(self, text: str) -> None:
        """Print a warning, quiet or not."""
        self._print(self.style(f"warning: {text}", "yellow"))

    def _print(self, text: str) -> None:
        try:
            print(text, file=self.err, flush=True)
        except BrokenPipeError:
            # Whoever read along (`2>&1 | head`) has seen enough; the work goes on.
            self.quiet, self.err = True, io.StringIO()

    def data(self, text: str) -> None:
        """Print what the task was asked for."""
        print(text, file=self.out, flush=True)

    def json(self, value: object) -> None:
        """Print what the task was asked for, for programs."""
        self.data(json.dumps(value, indent=2, default=str))

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print rows under headings, in columns as wide as they must be."""
        widths = [max(len(row[column]) for row in (headings, *rows)) for column in range(len(headings))]
        for number, row in enumerate((headings, *rows)):
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            self.data(self.style(line, "bold") if number == 0 and self.out.isatty() else line)

    @contextlib.contextmanager
    def stage(self, title: str) -> Generator[None]:
        """Time a stage: its title when it begins, its seconds when it ends, a heartbeat while it is silent."""
        begun = self.clock()
        self.say(f"▸ {title}", "bold")
        done = threading.Event()

        def beat() -> None:
            while not done.wait(self.tick):
                if self.clock() - self._last >= HEARTBEAT:
                    self.note(f"still at it: {title} ({self.clock() - begun:.0f} s)")

        threading.Thread(target=beat, name="heartbeat", daemon=True).start()
        try:
            yield
        finally:
            done.set()
        seconds = self.clock() - begun
        self.stages.append((title, seconds))
        self.note(self.style(f"{seconds:.1f} s", "dim"))

    def summary(self) -> None:
        """Print how long each stage took."""
        if not self.stages:
            return
        parts = ", ".join(f"{title} {seconds:.1f}" for title, seconds in self.stages)
        total = sum(seconds for _, seconds in self.stages)
        self.say(f"{total:.1f} s in all: {parts}", "dim")

    def error(self, error: StackyardError) -> None:
        """Print an error: the outside tool's own words, the cause, the fix, the command to type."""
        if error.detail:
            # Marked, so that an outside tool's words are not taken for ours.
            for line in error.detail.rstrip().splitlines():
                print(self.style("| ", "dim") + line, file=self.err)
        print(self.style("error: ", "red", "bold") + str(error), file=self.err)
        if error.fix:
            print(f"  {error.fix}", file=self.err)
        if error.command:
            print("  run: " + self.style(error.command, "cyan"), file=self.err)
        self.err.flush()
