"""Real processes, counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from stackyard.tools.process import Completed, SystemRunner


class Counting(SystemRunner):
    """Start processes, and say how many."""

    def __init__(self) -> None:
        """Begin at none."""
        self.started = 0

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        timeout: float | None = None,
        keep_fds: Sequence[int] = (),
    ) -> Completed:
        """Run, and count."""
        self.started += 1
        return super().run(argv, cwd=cwd, env=env, stdin=stdin, timeout=timeout, keep_fds=keep_fds)
