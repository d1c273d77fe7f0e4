"""The clock of rollouts in the hands of a test: no step comes before it is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stackyard.local.emulator.minutes import CLOCK


@dataclass(slots=True)
class RolloutClock:
    """A file of minutes, for an emulator that is started with `environment`."""

    file: Path
    minutes: float = 0

    @property
    def environment(self) -> dict[str, str]:
        """What an emulator is told by."""
        return {CLOCK: str(self.file)}

    def go_on(self, minutes: float) -> None:
        """Let minutes go by."""
        self.minutes += minutes
        new = self.file.with_suffix(".new")
        new.write_text(str(self.minutes), encoding="ascii")
        new.replace(self.file)
