"""Read CloudWatch Logs as they come: one reader a log group, over all of its streams.

Owns paging, asking again, and what was seen before. FilterLogEvents and not Live Tail, which is cut to 500 lines a
second and knows no past (decision 0030). What comes late is found by asking for the last seconds again each time, and
for the last minute page by page between these looks, so that it holds nobody up.
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
from stackyard.seen import Seen
from stackyard.tools.aws import Aws
from stackyard.tools.awsfailures import error_code, is_passing, is_timeout, let_go
from stackyard.tools.turns import Turns

HOLD = 2_000
"""ms for which lines are held back, so that what other streams deliver a little later is in its place."""

OVERLAP = 3_000
"""ms before what was told that are asked for again each time."""

SWEEP = 60_000
"""ms of the past that are asked for again every so often, for what comes very late."""

SWEEP_EVERY = 20.0
"""Seconds between two of these."""

SWEEP_LATER = 1_000
"""ms by which a page of a sweep comes after what its reader would else ask."""

BETWEEN = 1.0
"""Seconds between two looks at a group."""

QUICK, SLOW = 4.0, 10.0
"""Seconds that one request may take; the second once one took longer than the first."""

WORTH_A_WORD = 3.0
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


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back, and when it was asked for (ms)."""

    events: Sequence[Mapping[str, Any]]
    token: str
    asked: int


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
    sweep_every: float = SWEEP_EVERY
    _seen: Seen = field(default_factory=Seen)
    _told: int = 0
    """Up to when all is told: who is furthest behind asks first."""
    _patient: bool = False
    _troubled: bool = False

    def pages(self) -> Iterator[Page]:
        """Read, until the end or until stopped. Raises StackyardError."""
        start, swept = self.wish.start, 0
        sweep, due = iter(()), time.monotonic() + self.sweep_every
        while not self.stopped.is_set():
            looked = time.monotonic()
            yield from self._look(start, self.wish.end)
            if not self.wish.follow:
                yield Page([], END)
                return
            if (page := next(sweep, None)) is not None:
                yield page
            elif swept:
                swept, due = 0, time.monotonic() + self.sweep_every
                self.turns.sweeps.release()
            elif time.monotonic() > due and self.turns.sweeps.acquire(blocking=False):
                swept = max(self.wish.start, self._told - SWEEP, self._seen.since)
                sweep = self._look(swept, self._told - OVERLAP, sweeping=True)
            self._seen.forget(swept or self._told - SWEEP)
            start = max(self.wish.start, self._told - OVERLAP, self._seen.since)
            self.stopped.wait(max(0.0, looked + self.between - time.monotonic()))

    def _look(self, start: int, end: int | None, *, sweeping: bool = False) -> Iterator[Page]:
        """Read all pages of a time; a sweep finds what is late and tells of no later time.

        Where a page's token is no longer known, go on from where this look has come.
        """
        token, reached, limit = "", start, END
        while not self.stopped.is_set():
            answer = self._ask(start, end, token, self._told + (SWEEP_LATER if sweeping else 0))
            if answer is None and token:
                start, token = reached, ""
                continue
            found = answer.events if answer else ()
            asked, token = (answer.asked, answer.token) if answer else (_now(), "")
            reached = max((event["timestamp"] for event in found), default=reached)
            events = [
                (event["timestamp"], event["message"])
                for event in found
                if self._seen.add(event["timestamp"], event["eventId"])
            ]
            if not sweeping:
                # Where this page ends close to now, what came since belongs before the next: the next look finds it.
                if not token or reached > asked - HOLD:
                    limit = min(limit, asked - HOLD)
                # Equal times may go on in the next page.
                self._told = max(self._told, min(reached - 1, limit) if token else limit)
            yield Page(sorted(events, key=_first), self._told)
            if not token:
                return

    def _ask(self, start: int, end: int | None, token: str, rank: int) -> _Answer | None:
        """Ask for one page, again and again; None where there is no such group, or the token is no longer known."""
        request: dict[str, Any] = {"logGroupName": self.group, "startTime": start, "interleaved": True}
        request |= {"endTime": end} if end is not None else {}
        request |= {"filterPattern": self.wish.pattern} if self.wish.pattern else {}
        request |= {"nextToken": token} if token else {}
        begun, pause = float("inf"), 0.25
        while self.turns.wait(rank, self.stopped):
            asked, now = time.monotonic(), _now()
            begun = min(begun, asked)
            try:
                told = cast("Mapping[str, Any]", self._client().filter_log_events(**request))
            except Exception as error:
                code = error_code(error)
                if code == _GONE or (code == _INVALID and token):
                    self.turns.answered()
                    return None
                if not is_passing(error):
                    with self.aws.explained(self.group):
                        raise
                self._note_failure(error, time.monotonic() - begun)
                let_go(error)
                self.stopped.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311  (spreads requests, guards nothing)
                pause = min(pause * 2, 15.0)
            else:
                self.turns.answered()
                self._patient = self._patient and time.monotonic() - asked > QUICK / 2
                self._tell_trouble("")
                return _Answer(told.get("events", ()), told.get("nextToken") or "", now)
        return _Answer((), "", 0)

    def _client(self) -> Any:  # botocore's clients are made at run time, without types
        """Return what asks once. Who follows does not wait long for an answer that may never come."""
        return self.aws.client("logs", timeout=QUICK if self.wish.follow and not self._patient else SLOW)

    def _note_failure(self, error: Exception, seconds: float) -> None:
        """Ask less often, wait longer, say so, or give up, as the failure and its ``seconds`` so far want it."""
        code = error_code(error)
        if code:
            self.turns.refused()
        self._patient = self._patient or is_timeout(error)
        if seconds > WORTH_A_WORD:
            self._tell_trouble(code or str(error))
        if not self.wish.follow and seconds > PATIENCE:
            raise self._gives_up(error) from error

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
