"""Read CloudWatch Logs as they come: one reader a log group, over all of its streams.

Owns paging, asking again, and what was seen before. FilterLogEvents and not Live Tail, which is cut to 500 lines a
second and knows no past (decision 0030). An account may ask five times a second ("CloudWatch Logs quotas"), so readers
take turns, and what comes late is found by asking for the last seconds again.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from stackyard.errors import ToolError
from stackyard.merging import END
from stackyard.tools.aws import Aws, error_code, is_passing

HOLD = 2_000
"""ms for which lines are held back, so that what other streams deliver a little later is in its place."""

OVERLAP = 5_000
"""ms of the past that are asked for again each time."""

LONG_OVERLAP = 60_000
"""The same, every so often, for what comes very late."""

LONG_EVERY = 20.0
"""Seconds between two of these."""

BETWEEN = 1.0
"""Seconds between two looks at a group."""

TURN = 0.22
"""Seconds between two requests of all readers together."""

WORTH_A_WORD = 5.0
"""Seconds of failures after which somebody is told."""

PATIENCE = 90.0
"""Seconds of failures after which who does not follow gives up."""

_INVALID = "InvalidParameterException"
_GONE = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be read. Times in ms since 1970."""

    start: int
    end: int | None = None
    pattern: str = ""
    """CloudWatch's filter pattern: what else is not sent at all."""
    follow: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Events that were not seen before, oldest first: time and text. All up to ``until`` is told now."""

    events: list[tuple[int, str]]
    until: int


class Turns:
    """Requests of all readers, one after another with ``gap`` seconds between; after a refusal with more."""

    def __init__(self, gap: float = TURN) -> None:
        self._least, self._gap, self._next = gap, gap, 0.0
        self._lock = threading.Lock()

    def reserve(self) -> float:
        """Return for how many seconds to wait for one's turn."""
        with self._lock:
            now = time.monotonic()
            mine = max(now, self._next)
            self._next = mine + self._gap
            return mine - now

    def refused(self) -> None:
        """Ask less often."""
        with self._lock:
            self._gap = min(max(self._gap, 0.05) * 1.25, 0.6)

    def answered(self) -> None:
        """Come back to the usual, little by little."""
        with self._lock:
            self._gap = max(self._least, self._gap * 0.85)


@dataclass
class GroupReader:
    """What reads one log group."""

    aws: Aws
    group: str
    wish: Wish
    turns: Turns
    stopped: threading.Event
    on_trouble: Callable[[str], None] = lambda _why: None
    """Told when the group does not answer, and with "" when it does again."""
    between: float = BETWEEN
    _seen: dict[str, int] = field(default_factory=dict[str, int])
    _troubled: bool = False

    def pages(self) -> Iterator[Page]:
        """Read, until the end or until stopped. Raises StackyardError."""
        start, long_due = self.wish.start, time.monotonic() + LONG_EVERY
        while not self.stopped.is_set():
            begun, looked = _now(), time.monotonic()
            yield from self._look(start, begun)
            if not self.wish.follow:
                yield Page([], END)
                return
            overlap = OVERLAP
            if time.monotonic() > long_due:
                overlap, long_due = LONG_OVERLAP, time.monotonic() + LONG_EVERY
            start = max(self.wish.start, begun - overlap)
            self._forget(begun - LONG_OVERLAP - OVERLAP)
            self.stopped.wait(max(0.0, looked + self.between - time.monotonic()))

    def _look(self, start: int, begun: int) -> Iterator[Page]:
        """Read all pages from ``start`` on; where a token is no longer known, go on from where this look has come."""
        token, reached = "", start
        while not self.stopped.is_set():
            answer = self._ask(start, token)
            if answer is None:
                if token:
                    start, token = reached, ""
                    continue
                answer = cast("Mapping[str, Any]", {})
            told = cast("Sequence[Mapping[str, Any]]", answer.get("events", ()))
            reached = max((event["timestamp"] for event in told), default=reached)
            events = sorted(
                ((event["timestamp"], event["message"]) for event in told if self._is_new(event)), key=_first
            )
            token = answer.get("nextToken") or ""
            if not token:
                yield Page(events, begun - HOLD)
                return
            # Equal times may go on in the next page.
            yield Page(events, min(reached - 1, begun - HOLD))
            if len(self._seen) > 50_000:
                self._forget(min(reached, begun - LONG_OVERLAP - OVERLAP))

    def _is_new(self, event: Mapping[str, Any]) -> bool:
        key = event["eventId"]
        if key in self._seen:
            return False
        self._seen[key] = event["timestamp"]
        return True

    def _forget(self, before: int) -> None:
        """Forget events that will not be asked for again."""
        self._seen = {key: at for key, at in self._seen.items() if at >= before}

    def _ask(self, start: int, token: str) -> Mapping[str, Any] | None:
        """Ask for one page, again and again; None where there is no such group, or the token is no longer known."""
        request: dict[str, Any] = {"logGroupName": self.group, "startTime": start, "interleaved": True}
        if self.wish.end is not None:
            request["endTime"] = self.wish.end
        if self.wish.pattern:
            request["filterPattern"] = self.wish.pattern
        if token:
            request["nextToken"] = token
        client = self.aws.client("logs", once=True)
        begun, pause = time.monotonic(), 0.5
        while not self.stopped.wait(self.turns.reserve()):
            try:
                answer = client.filter_log_events(**request)
            except Exception as error:
                code = error_code(error)
                if code == _GONE or (code == _INVALID and token):
                    self.turns.answered()
                    return None
                if not is_passing(error):
                    with self.aws.explained(self.group):
                        raise
                if time.monotonic() - begun > WORTH_A_WORD:
                    self._tell_trouble(code or str(error))
                if not self.wish.follow and time.monotonic() - begun > PATIENCE:
                    raise self._gives_up(error) from error
                if code:
                    self.turns.refused()
                self.stopped.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311  (spreads requests, guards nothing)
                pause = min(pause * 2, 15.0)
            else:
                self.turns.answered()
                self._tell_trouble("")
                return answer
        return {}

    def _tell_trouble(self, why: str) -> None:
        if bool(why) != self._troubled:
            self._troubled = bool(why)
            self.on_trouble(why)

    def _gives_up(self, error: Exception) -> ToolError:
        return ToolError(
            f"CloudWatch Logs does not answer ({self.group})",
            str(error),
            command=f"inv doctor --env {self.aws.target.name}",
        )


def find_groups(aws: Aws, prefix: str) -> list[str]:
    """Return the log groups whose names begin so."""
    with aws.explained("log groups"):
        pages = aws.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
        return [group["logGroupName"] for page in pages for group in page["logGroups"]]


def _now() -> int:
    return int(time.time() * 1000)


def _first(event: tuple[int, str]) -> int:
    return event[0]
