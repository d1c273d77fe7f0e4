"""How time goes by for rollouts: a minute takes a second, or what was asked for, or stands still until moved on."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

MINUTE = "STACKYARD_ROLLOUT_MINUTE"
"""Seconds that a minute of a rollout takes here."""

CLOCK = "STACKYARD_ROLLOUT_CLOCK"
"""A file with the minutes that have gone by: the rollouts' clock, moved by whoever writes it. Written in one step."""

_LOOKS = 20
"""Looks at alarms, and at who stops it, in a minute."""


@dataclass(frozen=True, slots=True)
class Minutes:
    """The clock of rollouts, in minutes from some moment on."""

    seconds: float = 1
    """What a minute takes."""
    file: Path | None = None

    @classmethod
    def as_told(cls) -> Minutes:
        """Return the clock that the environment asks for."""
        file = os.environ.get(CLOCK)
        return cls(float(os.environ.get(MINUTE) or 1), Path(file) if file else None)

    def now(self) -> float:
        """Return the minutes that have gone by."""
        if self.file is None:
            return time.monotonic() / self.seconds
        try:
            return float(self.file.read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0

    def pause(self, left: float) -> float:
        """Return the seconds until another look, with so many minutes left."""
        return max(0.0, min(left, 1 / _LOOKS)) * self.seconds
