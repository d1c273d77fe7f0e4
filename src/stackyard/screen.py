"""Everything printed: progress to standard error, data to standard output, errors last.

One plain line for each thing that happened, with its seconds; a heartbeat when nothing moved for ten; no control
characters but on a terminal. Where standard output is one too, a bar below the lines counts along.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from stackyard.errors import StackyardError

if TYPE_CHECKING:
    from stackyard.bar import Bar

HEARTBEAT = 10.0
"""Seconds of silence after which a stage says that it is still at work."""

_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f]")
"""Colours, titles, cursor movements and the like, as other programs write them."""

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def discard(out: IO[str]) -> None:
    """Let what is printed go nowhere: its reader has seen enough."""
    # Python flushes once more at its end, and would complain.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


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
    unread: bool = False
    """Whether the reader of data has ended (`| head`): what could go on for ever may end."""
    _last: float = 0.0
    _bar: Bar | None = None

    def is_live(self) -> bool:
        """Tell whether what is printed can be drawn over: both ends are a terminal that can do that."""
        return self.out.isatty() and self.err.isatty() and os.environ.get("TERM") != "dumb"

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
        bar = self._bar
        try:
            if bar is None:
                print(text, file=self.err, flush=True)
            else:
                bar.line(text)
        except BrokenPipeError:
            # Whoever read along (`2>&1 | head`) has seen enough; the work goes on.
            self.quiet, self.err = True, io.StringIO()

    def data(self, text: str) -> None:
        """Print what the task was asked for."""
        try:
            print(text, file=self.out, flush=True)
        except BrokenPipeError:
            # The work goes on, and its exit code tells of it.
            self.unread = True
            discard(self.out)

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
                # A bar's own seconds move.
                if self._bar is None and self.clock() - self._last >= HEARTBEAT:
                    self.note(f"still at it: {title} ({self.clock() - begun:.0f} s)")

        threading.Thread(target=beat, name="heartbeat", daemon=True).start()
        try:
            yield
        finally:
            done.set()
        seconds = self.clock() - begun
        self.stages.append((title, seconds))
        self.note(self.style(f"{seconds:.1f} s", "dim"))

    @contextlib.contextmanager
    def progress(self, title: str, total: int | None) -> Generator[Progress]:
        """Count what is done of ``total`` things (None: nobody knows how many there will be).

        With a bar where both ends are a terminal, else by lines alone.
        """
        if self.is_live() and not self.quiet and self._bar is None:
            from stackyard.bar import Bar  # noqa: PLC0415  (rich takes 40 ms, and most that read along are no terminal)

            self._bar = Bar(self.err, title, total)
        try:
            yield Progress(self, self._bar)
        finally:
            bar, self._bar = self._bar, None
            if bar is not None:
                bar.close()

    def summary(self) -> None:
        """Print how long each stage took."""
        if not self.stages:
            return
        parts = ", ".join(f"{title} {seconds:.1f}" for title, seconds in self.stages)
        total = sum(seconds for _, seconds in self.stages)
        self.say(f"{total:.1f} s in all: {parts}", "dim")

    def error(self, error: StackyardError) -> None:
        """Print an error: the outside tool's own words, the cause, the fix, the command to type."""
        for line in _CONTROL.sub("", error.detail).rstrip().splitlines():
            # Marked, so that an outside tool's words are not taken for ours.
            self._print(self.style("| ", "dim") + line)
        self._print(self.style("error: ", "red", "bold") + str(error))
        if error.fix:
            self._print(f"  {error.fix}")
        if error.command:
            self._print("  run: " + self.style(error.command, "cyan"))


@dataclass(frozen=True, slots=True)
class Progress:
    """What is counted on a screen."""

    screen: Screen
    bar: Bar | None

    def advance(self, text: str) -> None:
        """Print the line of one thing that is done, and count it."""
        self.screen.note(text)
        if self.bar is not None:
            self.bar.advance()

    def waiting(self, text: str) -> None:
        """Say what is still waited for: at the end of the bar, or in a line of its own."""
        if self.bar is None:
            self.screen.note(text)
        else:
            self.bar.waiting(text)
