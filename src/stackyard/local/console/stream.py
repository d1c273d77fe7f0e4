"""News for pages that are open: server-sent events, a few times a second while somebody looks.

Owns the connections and what each of them has been told. A page that reads slowly is told less often, never a
piece of an event; nothing is worded twice a second for nobody. Source: "Server-sent events" (WHATWG, HTML).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import orjson

from stackyard.local.console.drawing import describe_system
from stackyard.local.console.views import describe_line, describe_summary

if TYPE_CHECKING:
    from stackyard.local.gateway.gateway import Gateway
    from stackyard.local.gateway.message import Request
    from stackyard.local.gateway.recorder import Recorder

MOST = 12
"""Pages at once."""

BATCH = 250
"""Requests, and lines, that one event tells at most."""

_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-store\r\n"
    b"X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\nretry: 1000\n\n"
)
_PERIOD = 0.2
_BEAT = 5.0
_LOOK = 0.95


class Viewer(asyncio.Protocol):
    """One open page."""

    def __init__(self, since: str, on_end: Callable[[Viewer], None]) -> None:
        """Go on after ``since``, the id of the last event that the page has seen."""
        self.epoch, self.requests, self.lines = parse_event_id(since)
        self.system = b""
        self.paused = False
        self.spoken = 0.0
        self._on_end = on_end
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(_HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._transport = None
        self._on_end(self)

    def pause_writing(self) -> None:
        """Say nothing more: the page does not read."""
        self.paused = True

    def resume_writing(self) -> None:
        """Go on."""
        self.paused = False

    def write(self, data: bytes) -> None:
        """Say something."""
        if self._transport is not None:
            self.spoken = time.monotonic()
            self._transport.write(data)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()


class Stream:
    """All open pages."""

    def __init__(self, gateway: Gateway, recorder: Recorder) -> None:
        self._gateway = gateway
        self._recorder = recorder
        self._viewers: set[Viewer] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._system = b""
        self._looked = 0.0

    def take(self, request: Request) -> bool:
        """Tell the client of a request what happens from now on; False when too many are told already."""
        if len(self._viewers) >= MOST:
            return False
        _, _, named = request.target.partition(b"?since=")
        since = (request.header(b"last-event-id") or named).decode("latin-1")
        viewer = Viewer(since, self._viewers.discard)
        if request.hand_over(viewer):
            self._viewers.add(viewer)
            self._looked = 0.0
            if self._timer is None:
                self._tick()
        return True

    def close(self) -> None:
        """Hang up on all."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for viewer in list(self._viewers):
            viewer.close()

    def _tick(self) -> None:
        if not self._viewers:
            self._timer = None
            return
        now = time.monotonic()
        if now - self._looked > _LOOK:
            self._looked = now
            self._system = orjson.dumps(describe_system(self._gateway))
        for viewer in list(self._viewers):
            if not viewer.paused:
                self._tell(viewer, now)
        self._timer = asyncio.get_running_loop().call_later(_PERIOD, self._tick)

    def _tell(self, viewer: Viewer, now: float) -> None:
        """Tell a page what it does not know yet."""
        recorder = self._recorder
        news: dict[str, object] = {}
        if viewer.epoch != recorder.epoch:
            viewer.epoch, viewer.requests, viewer.lines, viewer.system = recorder.epoch, 0, 0, b""
            news["epoch"] = recorder.epoch
        if viewer.requests < recorder.requests:
            first, records = recorder.records(viewer.requests, BATCH)
            news["requests"] = [describe_summary(each, number) for number, each in enumerate(records, first + 1)]
            viewer.requests = first + len(records)
        if viewer.lines < recorder.lines:
            first, lines = recorder.said(viewer.lines, BATCH)
            news["lines"] = [describe_line(each) for each in lines]
            viewer.lines = first + len(lines)
        if viewer.system != self._system:
            viewer.system = self._system
            news["system"] = orjson.Fragment(self._system)
        if news:
            event_id = f"{viewer.epoch}.{viewer.requests}.{viewer.lines}".encode()
            viewer.write(b"id: %b\ndata: %b\n\n" % (event_id, orjson.dumps(news)))
        elif now - viewer.spoken > _BEAT:
            viewer.write(b"event: beat\ndata:\n\n")


def parse_event_id(text: str) -> tuple[str, int, int]:
    """Return epoch, requests and lines of an event's id; nothing known for what is none."""
    epoch, _, rest = text.partition(".")
    requests, _, lines = rest.partition(".")
    if requests.isascii() and requests.isdigit() and lines.isascii() and lines.isdigit():
        return epoch, int(requests[:15]), int(lines[:15])
    return "", 0, 0
