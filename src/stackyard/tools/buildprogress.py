"""Read what a build prints (``--progress plain``): which step took how long, and what the one that failed said."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

SHORTEST = 1.0
"""Seconds that a step must have taken to be told."""

_KEPT = 15
"""A failed step's last lines that are shown."""

_LINE = re.compile(r"#(\d+) (.*)")
_DONE = re.compile(r"DONE (\d+(?:\.\d+)?)s")
_NAME = re.compile(r"\[([^\]]+)\]")


@dataclass(slots=True)
class BuildProgress:
    """A build, line by line."""

    _names: dict[str, str] = field(default_factory=dict[str, str])
    _said: dict[str, deque[str]] = field(default_factory=dict[str, deque[str]])
    _failed: str = ""

    def feed(self, line: str) -> str | None:
        """Take a line; return what is worth telling: a step that has ended and took its time."""
        match = _LINE.fullmatch(line.rstrip())
        if match is None:
            return None
        step, text = match[1], match[2]
        # A step is named again each time that the output comes back to it; what it prints itself begins with a time.
        if step not in self._names or text.startswith("["):
            self._names[step] = text
            return None
        if text == "...":
            return None
        if done := _DONE.fullmatch(text):
            seconds = float(done[1])
            return f"{self._short(step)}: {seconds:.1f} s" if seconds >= SHORTEST else None
        if text.startswith("ERROR") and not self._failed:
            self._failed = step
        self._said.setdefault(step, deque(maxlen=_KEPT)).append(text)
        return None

    def failure(self) -> str:
        """Return the step that failed with its last lines; empty when none did."""
        if not self._failed:
            return ""
        return "\n".join([self._names[self._failed], *self._said[self._failed]])

    def _short(self, step: str) -> str:
        """Return a step's name without its command: ``api third-party 2/2``."""
        name = self._names[step]
        match = _NAME.match(name)
        return match[1] if match else name
