"""Bring the lines of several sources into one order while they come, in bounded memory.

Each source says how far it has told all: what lies before the slowest of them can be passed on in order. A source that
is far ahead waits for the others; one that says nothing for too long is waited for no more, and its lines come late.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from stackyard.loglines import Line

ROOM = 20_000
"""Lines of one source that wait at the most."""

END = 1 << 62
"""How far a source has told that will tell no more."""


@dataclass(slots=True)
class _Source:
    until: int
    moved: float
    waiting: int = 0


class Merge:
    """Lines on their way from readers, one thread a source, to whoever prints them."""

    def __init__(
        self,
        sources: Sequence[str],
        *,
        patience: float = float("inf"),
        room: int = ROOM,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``patience``: seconds after which a source that has told nothing is no longer waited for."""
        self._clock, self._patience, self._room = clock, patience, room
        self._sources = {name: _Source(-1, clock()) for name in sources}
        self._heap: list[tuple[int, int, str, Line]] = []
        self._number = 0
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._stopped = False

    def add(self, source: str, lines: Iterable[Line], until: int) -> bool:
        """Add what a source has told, which is now all up to ``until`` (ms); wait where it is too far ahead.

        False: nobody reads any more.
        """
        with self._changed:
            mine = self._sources[source]
            for line in lines:
                self._number += 1
                heapq.heappush(self._heap, (line.at, self._number, source, line))
                mine.waiting += 1
            mine.until, mine.moved = max(mine.until, until), self._clock()
            self._changed.notify_all()
            while not self._stopped and mine.waiting > self._room and mine.until > self._horizon():
                self._changed.wait(1.0)
                mine.moved = self._clock()  # it is no fault of its own
            return not self._stopped

    def end(self, source: str) -> None:
        """Note that a source has told everything."""
        self.add(source, (), END)

    def fail(self, error: BaseException) -> None:
        """Have whoever takes lines raise this."""
        with self._changed:
            self._failure = self._failure or error
            self._changed.notify_all()

    def stop(self) -> None:
        """Let every reader go."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def waiting(self) -> int:
        """Return how many lines wait."""
        with self._changed:
            return len(self._heap)

    def take(self, timeout: float, most: int = 1000) -> list[Line] | None:
        """Return the next lines in order, none after ``timeout`` s, None at the end. Raises what a reader did."""
        until = self._clock() + timeout
        with self._changed:
            while True:
                if self._failure is not None:
                    raise self._failure
                horizon = self._horizon()
                found: list[Line] = []
                while self._heap and self._heap[0][0] <= horizon and len(found) < most:
                    _, _, source, line = heapq.heappop(self._heap)
                    self._sources[source].waiting -= 1
                    found.append(line)
                if found:
                    self._changed.notify_all()
                    return found
                if all(each.until >= END for each in self._sources.values()):
                    return None
                left = until - self._clock()
                if left <= 0:
                    return []
                self._changed.wait(min(left, 1.0))

    def _horizon(self) -> int:
        """Return up to when every source that is waited for has told all."""
        now = self._clock()
        told = [each.until for each in self._sources.values() if now - each.moved <= self._patience]
        return min(told, default=END)
