"""Which events were seen before, in bounded memory: a hash each, in buckets of a second that are forgotten whole."""

from __future__ import annotations

ROOM = 100_000
"""Events that are remembered at the most."""


class Seen:
    """The events of one source. Times in ms since 1970."""

    def __init__(self, room: int = ROOM) -> None:
        """``room``: events that are remembered at the most; the last second's are, however many they are."""
        self._room, self._count = room, 0
        self._seconds: dict[int, set[int]] = {}
        self.since = 0
        """From when on everything is remembered: what is older may come twice, and is better not asked for."""

    def __len__(self) -> int:
        """Return how many events are remembered."""
        return self._count

    def add(self, at: int, key: str) -> bool:
        """Remember an event; tell whether it is new."""
        bucket = self._seconds.get(at // 1000)
        if bucket is None:
            if self._count >= self._room:
                self.forget((min(self._seconds) + 1) * 1000)
            bucket = self._seconds[at // 1000] = set()
        # Two of a second's with one hash of 64 bits: once in some 10^13 seconds with a thousand lines each.
        number = hash(key)
        if number in bucket:
            return False
        bucket.add(number)
        self._count += 1
        return True

    def forget(self, before: int) -> None:
        """Forget the seconds that ended by then."""
        for second in [second for second in self._seconds if (second + 1) * 1000 <= before]:
            self._count -= len(self._seconds.pop(second))
        self.since = max(self.since, before // 1000 * 1000)
