"""Whose turn it is to ask: requests of several threads one after another, who is furthest behind first.

Knows nothing of what is asked.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time

TURN = 0.22
"""Seconds between two requests: an account may ask CloudWatch Logs five times a second ("CloudWatch Logs quotas")."""

WIDEST = 0.6
"""Seconds between two requests at the most, however many were refused."""

SWEEPS = 2
"""Who may look at the past again at the same time: it takes turns from what is new."""


class Turns:
    """Requests with ``gap`` seconds between them; after a refusal with more."""

    def __init__(self, gap: float = TURN) -> None:
        self._least, self._gap, self._next = gap, gap, 0.0
        self._waiting: list[tuple[int, int]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self.sweeps = threading.Semaphore(SWEEPS)

    def wait(self, rank: int, stopped: threading.Event) -> bool:
        """Wait for one's turn, the lowest ``rank`` first; False once ``stopped``."""
        with self._changed:
            mine = (rank, next(self._numbers))
            heapq.heappush(self._waiting, mine)
            try:
                while not stopped.is_set():
                    left = self._next - time.monotonic()
                    if self._waiting[0] != mine:
                        self._changed.wait(1.0)
                    elif left > 0:
                        self._changed.wait(left)
                    else:
                        self._next = time.monotonic() + self._gap
                        return True
                return False
            finally:
                self._waiting.remove(mine)
                heapq.heapify(self._waiting)
                self._changed.notify_all()

    def refused(self) -> None:
        """Ask less often."""
        with self._changed:
            self._gap = min(max(self._gap, 0.05) * 1.25, WIDEST)

    def answered(self) -> None:
        """Come back to the usual, little by little."""
        with self._changed:
            self._gap = max(self._least, self._gap * 0.85)
