"""The Lambda Runtime API, as one worker sees it: an address of its own, so that workers are told apart.

Owns the protocol between ``awslambdaric`` and us. Source: "Using the Lambda runtime API for custom runtimes". Decides
nothing about which worker gets which request.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from typing import Protocol

from stackyard.local.gateway.message import Limits, Request
from stackyard.local.gateway.server import Server

RESPONSE_LIMIT = 6 * 1024 * 1024 + 100
"""Bytes that a function may return ("Lambda quotas": 6 MB; the message of the real service says 6291556)."""

_AWAKE = 0.001
_NEXT = b"/2018-06-01/runtime/invocation/next"
_INVOCATION = b"/2018-06-01/runtime/invocation/"
_INIT_ERROR = b"/2018-06-01/runtime/init/error"
_JSON = b"Content-Type: application/json\r\n"
_ACCEPTED = b'{"status":"OK"}'
_TOO_LARGE = (
    b'{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}'
)


class Caller(Protocol):
    """Who waits for an invocation's end. Exactly one of the two is called, once."""

    def succeed(self, payload: bytes) -> None:
        """Take what the function returned."""
        ...

    def fail(self, reason: str) -> None:
        """Learn that there will be no answer, and why."""
        ...


@dataclass(slots=True, eq=False)
class Invocation:
    """One event on its way through a function."""

    request_id: str
    event: bytes
    trace: str
    caller: Caller
    abandoned: bool = False
    cold: bool = False
    """Whether it waited for its process to start."""

    def abandon(self) -> None:
        """Note that nobody waits any more: what has begun runs on, as on Lambda, what has not never will."""
        self.abandoned = True


class Owner(Protocol):
    """The worker behind a Runtime API."""

    arn: bytes
    timeout: float
    current: Invocation | None

    def ready(self) -> None:
        """Learn that the worker asks for work."""
        ...

    def done(self, invocation: Invocation, payload: bytes | None, reason: str) -> None:
        """Learn how the current invocation ended; ``payload`` is None when it failed."""
        ...

    def broken(self, reason: str) -> None:
        """Learn that the service could not be initialised."""
        ...


class Attention:
    """Keeps the gateway awake while the only request under way is with its worker.

    A sleeping process on an idle core is woken in tens of microseconds, which is much beside a warm invocation of a few
    hundred: on two idle cores, looking at the sockets again and again for a millisecond at most takes a fifth off
    the time of a lone request. Each look lets whoever wants this core go first (without that, the worker may wait for
    it), and with a second request under way, or one core, the gateway sleeps. For servers, which answer sooner, it was
    seen to gain nothing and to cost much on a busy machine.
    """

    __slots__ = ("_cores", "_until", "_watching", "under_way")

    def __init__(self) -> None:
        self.under_way = 0
        self._cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        self._until = 0.0
        self._watching = False

    def begin(self) -> None:
        """Note that a worker has a request."""
        self.under_way += 1
        if self.under_way == 1 and self._cores > 1:
            self._until = time.perf_counter() + _AWAKE
            if not self._watching:
                self._watching = True
                asyncio.get_running_loop().call_soon(self._look)

    def end(self) -> None:
        """Note that it is done with it."""
        self.under_way -= 1

    def _look(self) -> None:
        if self.under_way == 1 and time.perf_counter() < self._until:
            os.sched_yield()
            asyncio.get_running_loop().call_soon(self._look)
        else:
            self._watching = False


class RuntimeApi:
    """Serve one worker."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._poll: Request | None = None
        limits = Limits(body=RESPONSE_LIMIT, head=4 * 1024 * 1024, request_time=3600, idle_time=float("inf"))
        self._server = Server(self._serve, limits)
        self.address = ""

    async def listen(self) -> None:
        """Listen on a free port of the loopback interface."""
        port = await self._server.listen("127.0.0.1", 0)
        self.address = f"127.0.0.1:{port}"

    async def close(self) -> None:
        """Hang up."""
        await self._server.close(0)

    def _serve(self, request: Request) -> None:
        target = request.target
        if target == _NEXT:
            self._poll = request
            self._owner.ready()
        elif target.startswith(_INVOCATION):
            request_id, _, verb = target[len(_INVOCATION) :].partition(b"/")
            self._end(request, request_id.decode("latin-1"), verb)
        elif target == _INIT_ERROR:
            self._owner.broken(request.body.decode("utf-8", "replace"))
            request.answer(202, _JSON, _ACCEPTED)
        else:
            request.answer(404, _JSON, b'{"errorMessage":"no such call","errorType":"NotFound"}')

    def _end(self, request: Request, request_id: str, verb: bytes) -> None:
        owner = self._owner
        invocation = owner.current
        if invocation is None or invocation.request_id != request_id or verb not in {b"response", b"error"}:
            request.answer(400, _JSON, b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}')
        elif request.too_large:
            owner.done(invocation, None, "the function returned more than 6 MB (6291556 bytes)")
            request.answer(413, _JSON, _TOO_LARGE)
        elif verb == b"response":
            # The client first: the worker's own bookkeeping is not what anybody waits for.
            request.answer(202, _JSON, _ACCEPTED)
            owner.done(invocation, request.body, "")
        else:
            owner.done(invocation, None, "the function raised an error")
            request.answer(202, _JSON, _ACCEPTED)

    def hand(self, invocation: Invocation) -> bool:
        """Answer the worker's poll with an invocation; False when it no longer polls."""
        poll, self._poll = self._poll, None
        if poll is None or poll.gone:
            return False
        deadline = int((time.time() + self._owner.timeout) * 1000)
        head = (
            b"Content-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: %b\r\nLambda-Runtime-Deadline-Ms: %d\r\n"
            b"Lambda-Runtime-Invoked-Function-Arn: %b\r\nLambda-Runtime-Trace-Id: %b\r\n"
        ) % (invocation.request_id.encode(), deadline, self._owner.arn, invocation.trace.encode("latin-1", "replace"))
        poll.answer(200, head, invocation.event)
        return True


def parent_span(trace: str) -> str:
    """Return a trace header for the function: the client's root with a parent and a sampling decision of our own."""
    if "Parent=" in trace:
        return trace
    return f"{trace};Parent={os.urandom(8).hex()};Sampled=0"
