"""One request on its way through API Gateway: who asked, what was meant, when it took too long.

Owns the answer's headers and the access log's line. Exactly one answer leaves, whatever ends first.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from stackyard.local.gateway.answer import BadBase64Error, MalformedError, parse_answer
from stackyard.local.gateway.event import Ids, Place, request_time
from stackyard.local.gateway.journal import Access, Journal
from stackyard.local.gateway.refusal import BAD_BASE64, MALFORMED, TIMEOUT, Refusal, Refusals
from stackyard.local.gateway.routes import Match
from stackyard.local.gateway.runtime import Invocation
from stackyard.local.gateway.wire import Request


@dataclass(frozen=True, slots=True)
class Office:
    """What an exchange needs of the deployment that it began under, whatever is deployed meanwhile."""

    place: Place
    refusals: Refusals
    journal: Journal


class Exchange:
    """A request and its one answer."""

    __slots__ = ("_begun", "_office", "_sent", "_timer", "ids", "invocation", "match", "path", "request", "service")

    def __init__(self, office: Office, request: Request, path: str) -> None:
        self.request = request
        self.path = path
        self.ids = Ids(_text(request, b"x-amzn-trace-id"), request.started)
        self.match: Match | None = None
        self.invocation: Invocation | None = None
        self.service = ""
        self._office = office
        self._begun = time.perf_counter()
        self._sent = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def send(self, invocation: Invocation, service: str, timeout: float) -> None:
        """Start waiting for a function, at most ``timeout`` seconds."""
        self.invocation = invocation
        self.service = service
        self._sent = time.perf_counter()
        self._timer = asyncio.get_running_loop().call_later(timeout, self._time_out)

    def succeed(self, payload: bytes) -> None:
        """Answer with what the function returned."""
        if self.request.answered:
            return
        binary = self._office.place.binary
        accept = "" if "*/*" in binary else _text(self.request, b"accept")
        try:
            answer = parse_answer(payload, accept, binary)
        except BadBase64Error as error:
            self.refuse(BAD_BASE64, str(error))
        except MalformedError as error:
            self._office.journal.note(f"malformed answer: {error}", self.service)
            self.refuse(MALFORMED, str(error))
        else:
            trace = f"X-Amzn-Trace-Id: {self.ids.trace}\r\n".encode("latin-1", "replace")
            self._finish(answer.status, trace + answer.headers, answer.body, "")

    def fail(self, reason: str) -> None:
        """Answer for a function that gave no answer."""
        self.refuse(MALFORMED, reason)

    def refuse(self, refusal: Refusal, detail: str = "") -> None:
        """Answer in API Gateway's own words; ``detail`` is for the log only."""
        if self.request.answered:
            return
        status, headers, body = self._office.refusals.render(refusal, self._context())
        self._finish(status, headers, body, detail or refusal.message)

    def _time_out(self) -> None:
        if self.invocation is not None:
            self.invocation.abandoned = True
        self.refuse(TIMEOUT)

    def _finish(self, status: int, headers: bytes, body: bytes, error: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        request = self.request
        ids = self.ids
        own = f"x-amzn-RequestId: {ids.request}\r\nx-amz-apigw-id: {ids.extended}\r\n".encode()
        request.answer(status, own + headers, body)
        # The answer leaves when this callback returns; nobody waits for the log.
        now = time.perf_counter()
        asyncio.get_running_loop().call_soon(self._note, now, status, len(body), error)

    def _note(self, now: float, status: int, length: int, error: str) -> None:
        request, ids = self.request, self.ids
        self._office.journal.access(
            Access(
                request_id=ids.request,
                ip=request.client,
                started=request.started,
                method=request.method.decode("latin-1"),
                path=self.path,
                resource=self.match.method.resource if self.match else "",
                service=self.service,
                status=status,
                length=length,
                latency=(now - self._begun) * 1000,
                integration_latency=(now - self._sent) * 1000 if self._sent else None,
                agent=_text(request, b"user-agent"),
                error=error,
            )
        )

    def _context(self) -> dict[str, str]:
        place, request = self._office.place, self.request
        method = self.match.method if self.match else None
        return {
            "accountId": place.account,
            "apiId": place.api_id,
            "deploymentId": place.deployment_id,
            "extendedRequestId": self.ids.extended,
            "httpMethod": request.method.decode("latin-1"),
            "identity.sourceIp": request.client,
            "identity.userAgent": _text(request, b"user-agent"),
            "path": self.path,
            "protocol": "HTTP/" + request.version,
            "requestId": self.ids.request,
            "requestTime": request_time(request.started),
            "requestTimeEpoch": str(int(request.started * 1000)),
            "resourceId": method.resource_id if method else "",
            "resourcePath": method.resource if method else "",
            "stage": place.stage,
        }


def _text(request: Request, name: bytes) -> str:
    value = request.header(name)
    return value.decode("latin-1") if value else ""
