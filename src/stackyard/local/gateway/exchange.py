"""One request on its way through API Gateway: who asked, what was meant, when it took too long.

Owns the answer's headers and the access log's line. Exactly one answer leaves, whatever ends first.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

from stackyard.local.gateway.answer import BadBase64Error, MalformedError, parse_answer
from stackyard.local.gateway.context import VARIABLES
from stackyard.local.gateway.event import Ids, Place
from stackyard.local.gateway.forward import render_headers
from stackyard.local.gateway.journal import Access, Journal
from stackyard.local.gateway.message import Header, Request
from stackyard.local.gateway.recorder import Reply
from stackyard.local.gateway.refusal import BAD_BASE64, MALFORMED, TIMEOUT, Refusal, Refusals
from stackyard.local.gateway.routes import Match


@dataclass(frozen=True, slots=True)
class Office:
    """What an exchange needs of the deployment that it began under, whatever is deployed meanwhile."""

    place: Place
    refusals: Refusals
    journal: Journal


class Work(Protocol):
    """What is done for an exchange somewhere else; ``cold`` when it waited for a process to start."""

    cold: bool

    def abandon(self) -> None:
        """Learn that nobody waits any more."""
        ...


class Exchange:
    """A request and its one answer."""

    __slots__ = ("_begun", "_sent", "_timer", "_work", "ids", "match", "office", "path", "query", "request", "service")

    def __init__(self, office: Office, request: Request, path: str, query: str) -> None:
        self.office = office
        self.request = request
        self.path = path
        self.query = query
        self.ids = Ids(self.header(b"x-amzn-trace-id"), request.started)
        self.match: Match | None = None
        self.service = ""
        self._work: Work | None = None
        self._begun = time.perf_counter()
        self._sent = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def header(self, name: bytes) -> str:
        """Return the last value of a request header, ``name`` in lower case; empty when there is none."""
        value = self.request.header(name)
        return value.decode("latin-1") if value else ""

    def send(self, work: Work, service: str, timeout: float) -> None:
        """Start waiting for a service, at most ``timeout`` seconds."""
        self._work = work
        self.service = service
        self._sent = time.perf_counter()
        self._timer = asyncio.get_running_loop().call_later(timeout, self._time_out)

    def succeed(self, payload: bytes) -> None:
        """Answer with what the function returned."""
        if self.request.answered:
            return
        binary = self.office.place.binary
        accept = "" if "*/*" in binary else self.header(b"accept")
        try:
            answer = parse_answer(payload, accept, binary)
        except BadBase64Error as error:
            self.refuse(BAD_BASE64, str(error))
        except MalformedError as error:
            self.office.journal.note(f"malformed answer: {error}", self.service)
            self.refuse(MALFORMED, str(error))
        else:
            trace = f"X-Amzn-Trace-Id: {self.ids.trace}\r\n".encode("latin-1", "replace")
            self._finish(answer.status, trace + answer.headers, answer.body, "")

    def answered(self, status: int, headers: list[Header], body: bytes) -> None:
        """Answer with what a server answered."""
        if not self.request.answered:
            trace = f"X-Amzn-Trace-Id: {self.ids.trace}\r\n".encode("latin-1", "replace")
            self._finish(status, trace + render_headers(headers), body, "")

    def fail(self, reason: str) -> None:
        """Answer for a function that gave no answer."""
        self.refuse(MALFORMED, reason)

    def refuse(self, refusal: Refusal, detail: str = "") -> None:
        """Answer in API Gateway's own words; ``detail`` is for the log only."""
        if self.request.answered:
            return
        status, headers, body = self.office.refusals.render(refusal, self._context())
        self._finish(status, headers, body, detail or refusal.message)

    def _time_out(self) -> None:
        work = self._work
        self.refuse(TIMEOUT)
        if work is not None:
            work.abandon()

    def _finish(self, status: int, headers: bytes, body: bytes, error: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        cold = self._work.cold if self._work is not None else None
        # Each knows the other: bodies of megabytes would wait for the collector.
        self._timer = self._work = None
        request = self.request
        ids = self.ids
        headers = f"x-amzn-RequestId: {ids.request}\r\nx-amz-apigw-id: {ids.extended}\r\n".encode() + headers
        request.answer(status, headers, body)
        # The answer leaves when this callback returns; nobody waits for the log.
        now = time.perf_counter()
        asyncio.get_running_loop().call_soon(self._note, now, Reply(status, headers, body), error, cold)

    def _note(self, now: float, reply: Reply, error: str, cold: bool | None) -> None:  # noqa: FBT001  (of call_soon)
        request, ids, journal = self.request, self.ids, self.office.journal
        access = Access(
            request_id=ids.request,
            trace=ids.trace,
            ip=request.client,
            started=request.started,
            method=request.method.decode("latin-1"),
            path=self.path,
            resource=self.match.method.resource if self.match else "",
            service=self.service,
            status=reply.status,
            length=len(reply.body),
            latency=(now - self._begun) * 1000,
            integration_latency=(now - self._sent) * 1000 if self._sent else None,
            agent=self.header(b"user-agent"),
            error=error,
        )
        journal.access(access)
        if journal.recorder is not None:
            journal.recorder.keep(access, self, reply, cold=cold)
            journal.schedule()

    def _context(self) -> dict[str, str]:
        return {name: look(self) for name, look in VARIABLES.items()}
