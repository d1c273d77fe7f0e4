"""What went through the gateway lately: requests and lines, as they came.

Owns how much is kept, and that no secret is. Words and formats nothing: that is paid for by whoever looks.
"""

from __future__ import annotations

import os
import re
import time
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from stackyard.local.gateway.exchange import Exchange
    from stackyard.local.gateway.journal import Access
    from stackyard.local.gateway.message import Header

KEPT = 1000
"""So many requests, and so many lines."""

LARGEST = 64 * 1024
"""Bytes that are kept of one body."""

ROOM = 16 * 1024 * 1024
"""Bytes that bodies over `SMALL` take together; the oldest give theirs up."""

SMALL = 4096
MASK = b"(not kept)"
SECRETS = frozenset({b"authorization", b"cookie", b"proxy-authorization", b"x-amz-security-token", b"x-api-key"})
"""Request headers whose values are never kept; of answers, those of Set-Cookie."""

REPLAYED = b"x-stackyard-replay"
"""Header of a request that was sent again: the id of the one that it was made from."""

_SET_COOKIE = re.compile(rb"(?im)^((?:x-amzn-remapped-)?set-cookie:[ \t]*(?:[^=;\r\n]*=)?)[^;\r\n]*")
_LONGEST_LINE = 8192
_MOST_FRESH = 100

Kept = TypeVar("Kept")


class Reply(NamedTuple):
    """What the client got: status, whole header lines, body."""

    status: int
    headers: bytes
    body: bytes


class Line(NamedTuple):
    """What was printed: when (s since the epoch), of which kind (``log``, ``note``), by whom, and what."""

    at: float
    kind: str
    service: str
    text: str


class Record:
    """One request and its answer. ``body`` and ``answer`` are None once they were given up, and cut when large."""

    __slots__ = ("access", "answer", "body", "cold", "headers", "ids", "match", "place", "query", "reply", "size")

    def __init__(self, access: Access, exchange: Exchange, reply: Reply, *, cold: bool | None) -> None:
        request = exchange.request
        self.access = access
        self.query = exchange.query
        self.match = exchange.match
        self.place = exchange.office.place
        self.ids = exchange.ids
        self.cold = cold
        self.headers = mask(request.headers)
        self.size = len(request.body)
        self.body: bytes | None = request.body[:LARGEST]
        self.reply = unset(reply.headers)
        self.answer: bytes | None = reply.body[:LARGEST]

    @property
    def weight(self) -> int:
        """Bytes of its bodies."""
        return len(self.body or b"") + len(self.answer or b"")


class Recorder:
    """The last requests and lines."""

    def __init__(self) -> None:
        self.epoch = os.urandom(4).hex()
        """Tells one run's numbers from another's."""
        self.requests = 0
        self.lines = 0
        self._fresh: list[tuple[Access, Exchange, Reply, bool | None]] = []
        self._records: deque[Record] = deque()
        self._heavy: deque[Record] = deque()
        self._held = 0
        self._said: deque[Line] = deque(maxlen=KEPT)

    def keep(self, access: Access, exchange: Exchange, reply: Reply, *, cold: bool | None) -> None:
        """Keep a request that was answered; ``cold`` is None where nothing had to run for it.

        Nothing but references, until somebody asks or `settle` is called: the next request may be waiting.
        """
        self.requests += 1
        self._fresh.append((access, exchange, reply, cold))
        if len(reply.body) > SMALL or len(exchange.request.body) > SMALL or len(self._fresh) >= _MOST_FRESH:
            self.settle()

    def settle(self) -> None:
        """Let go of what surrounds new requests, of their secrets, and of what there is no more room for."""
        fresh, self._fresh = self._fresh, []
        for access, exchange, reply, cold in fresh:
            if len(self._records) == KEPT:
                self._drop(self._records.popleft())
            record = Record(access, exchange, reply, cold=cold)
            self._records.append(record)
            if record.weight > SMALL:
                self._held += record.weight
                self._heavy.append(record)
                while self._held > ROOM:
                    self._lighten()

    def say(self, kind: str, service: str, text: str) -> None:
        """Keep a line."""
        self._said.append(Line(time.time(), kind, service, text[:_LONGEST_LINE]))
        self.lines += 1

    def records(self, after: int = 0, most: int = KEPT) -> tuple[int, list[Record]]:
        """Return at most so many records after the first ``after`` ever, and the number of the first of them."""
        self.settle()
        return _slice(self._records, self.requests, after, most)

    def said(self, after: int = 0, most: int = KEPT) -> tuple[int, list[Line]]:
        """Return at most so many lines after the first ``after`` ever, and the number of the first of them."""
        return _slice(self._said, self.lines, after, most)

    def find(self, request_id: str) -> Record | None:
        """Return the record of a request, by its id, if it is still kept."""
        self.settle()
        return next((each for each in reversed(self._records) if each.access.request_id == request_id), None)

    def clear(self) -> None:
        """Forget all requests and lines; numbers go on under another epoch."""
        self.epoch = os.urandom(4).hex()
        self._fresh.clear()
        self._records.clear()
        self._heavy.clear()
        self._said.clear()
        self._held = 0

    def _drop(self, record: Record) -> None:
        if self._heavy and self._heavy[0] is record:
            self._lighten()

    def _lighten(self) -> None:
        record = self._heavy.popleft()
        self._held -= record.weight
        record.body = record.answer = None


def _slice(kept: deque[Kept], count: int, after: int, most: int) -> tuple[int, list[Kept]]:
    first = max(after, count - len(kept))
    start = first - (count - len(kept))
    return first, list(islice(kept, start, start + most))


def mask(headers: list[Header]) -> list[Header]:
    """Return headers without the values that are secrets; the same list where there are none."""
    for header in headers:
        if header[0] in SECRETS:
            return [(lower, name, MASK if lower in SECRETS else value) for lower, name, value in headers]
    return headers


def unset(headers: bytes) -> bytes:
    """Return an answer's header lines without the values of cookies."""
    return _SET_COOKIE.sub(rb"\1" + MASK, headers) if b"set-cookie" in headers.lower() else headers
