"""Calls to one server over a pool of connections that stay open: bytes out, a whole answer in.

Owns the connections and HTTP/1.1 as a client speaks it. An answer is taken whole (API Gateway does not stream it), a
connection that turns out to be stale costs one more try. Knows nothing of what is asked.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Protocol, cast

import httptools

from stackyard.local.gateway.message import Header
from stackyard.local.gateway.refusal import MALFORMED, REJECTED, UNREACHABLE, Refusal

ANSWER_LIMIT = 10 * 1024 * 1024
"""Bytes of an answer's body ("Quotas for configuring and running a REST API": payload size 10 MB)."""

MOST = 100
"""Connections to one process; further calls wait for one of them."""

IDLE_LIMIT = 60.0
_IDEMPOTENT = frozenset({b"DELETE", b"GET", b"HEAD", b"OPTIONS", b"PUT"})


class Caller(Protocol):
    """Who waits for a call's end. Exactly one of the two is called, once, unless the call was abandoned."""

    def answered(self, status: int, headers: list[Header], body: bytes) -> None:
        """Take the answer."""
        ...

    def refuse(self, refusal: Refusal, detail: str = "") -> None:
        """Learn that there is none, and why."""
        ...


class Call:
    """One request on its way to a server."""

    __slots__ = ("abandoned", "caller", "cold", "data", "sent", "tried", "upstream", "verb")

    def __init__(self, verb: bytes, data: bytes, caller: Caller) -> None:
        self.verb = verb
        self.data = data
        self.caller = caller
        self.abandoned = False
        self.cold = False
        self.sent: _Connection | None = None
        self.tried = False
        self.upstream: Upstream | None = None

    def abandon(self) -> None:
        """Hang up: nobody waits any more."""
        self.abandoned = True
        if self.upstream is not None:
            self.upstream.forget(self)


class Owner(Protocol):
    """The process behind an upstream."""

    def refused(self, call: Call) -> None:
        """Take back a call that never left: the process takes no connections."""
        ...

    def idle(self) -> None:
        """Learn that no call is under way any more."""
        ...


class Upstream:
    """One server."""

    def __init__(self, owner: Owner) -> None:
        self.under_way = 0
        self._owner = owner
        self._port = 0
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._waiting: deque[Call] = deque()
        self._closed = False

    def direct(self, port: int) -> None:
        """Say where the server listens."""
        self._port = port

    def send(self, call: Call) -> None:
        """Make a call."""
        call.upstream = self
        self.under_way += 1
        if self._idle:
            self._idle.pop().take(call)
        else:
            self._place(call)

    def _place(self, call: Call) -> None:
        """Open a connection for a call, or have it wait where there are many."""
        if len(self._open) + len(self._opening) >= MOST:
            self._waiting.append(call)
            return
        task = asyncio.get_running_loop().create_task(self._connect(call))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _connect(self, call: Call) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
        except OSError as error:
            self._unconnected(call, str(error))
            return
        if self._closed:
            connection.hang_up()
            self._unconnected(call, "the process has ended")
        elif call.abandoned:
            self.release(connection)
        else:
            connection.take(call)

    def _unconnected(self, call: Call, reason: str) -> None:
        if call.abandoned:
            return
        if call.tried:
            self.end(call)
            call.caller.refuse(UNREACHABLE, reason)
        else:
            self._give_back(call)
        if self._waiting and not self._closed:
            self._place(self._waiting.popleft())

    def _give_back(self, call: Call) -> None:
        call.upstream = None
        self._owner.refused(call)
        self._count_down()

    # What connections tell.

    def opened(self, connection: _Connection) -> None:
        """Count a connection."""
        self._open.add(connection)

    def release(self, connection: _Connection) -> None:
        """Take a connection back that works."""
        while self._waiting:
            call = self._waiting.popleft()
            if not call.abandoned:
                connection.take(call)
                return
        connection.since = time.monotonic()
        self._idle.append(connection)

    def lost(self, connection: _Connection) -> None:
        """Forget a connection."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        elif self._waiting and not self._closed:
            self._place(self._waiting.popleft())

    def again(self, call: Call) -> None:
        """Try once more, on a new connection."""
        call.tried = True
        call.sent = None
        self._place(call)

    def end(self, call: Call) -> None:
        """Count a call that is over."""
        call.upstream = None
        self._count_down()

    def _count_down(self) -> None:
        self.under_way -= 1
        if not self.under_way:
            self._owner.idle()

    # What the owner asks for.

    def forget(self, call: Call) -> None:
        """Give a call up."""
        connection, call.sent = call.sent, None
        if connection is not None:
            connection.hang_up()
        self.end(call)

    def sweep(self) -> None:
        """Close what has been idle for long; the server would do so too, and at a worse moment."""
        oldest = time.monotonic() - IDLE_LIMIT
        for connection in [each for each in self._idle if each.since < oldest]:
            connection.hang_up()

    def close(self, reason: str) -> None:
        """Hang up; what is under way fails, what never left is given back."""
        self._closed = True
        for connection in list(self._open):
            connection.fail(UNREACHABLE, reason)
        while self._waiting:
            call = self._waiting.popleft()
            if not call.abandoned:
                self._give_back(call)


class _Connection(asyncio.Protocol):
    """One connection, one call at a time."""

    __slots__ = (
        "_call",
        "_chunks",
        "_done",
        "_framed",
        "_headers",
        "_keep",
        "_parser",
        "_served",
        "_size",
        "_started",
        "_status",
        "_transport",
        "_upstream",
        "since",
    )

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._call: Call | None = None
        self._served = False
        self.since = 0.0
        self._reset()

    def _reset(self) -> None:
        self._chunks: list[bytes] = []
        self._done = False
        self._framed = False
        self._headers: list[Header] = []
        self._keep = False
        self._size = 0
        self._started = False
        self._status = 0

    def take(self, call: Call) -> None:
        """Send a call."""
        if self._transport is None or self._transport.is_closing():
            self._upstream.again(call)
            return
        self._call = call
        call.sent = self
        self._transport.write(call.data)

    def hang_up(self) -> None:
        """Close, whatever is under way."""
        self._call = None
        if self._transport is not None:
            self._transport.abort()

    def fail(self, refusal: Refusal, detail: str) -> None:
        """Close; the caller learns why."""
        call = self._call
        self.hang_up()
        if call is not None:
            call.sent = None
            self._upstream.end(call)
            call.caller.refuse(refusal, detail)

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._upstream.opened(self)

    def data_received(self, data: bytes) -> None:
        """Parse what came; a whole answer is passed on."""
        call = self._call
        if call is None:
            self.hang_up()
            return
        self._started = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserCallbackError, httptools.HttpParserUpgrade) as error:
            if not self._done:
                self.fail(MALFORMED, f"the service did not answer in HTTP/1.1: {error}")
                return
            self._keep = False
        if self._size > ANSWER_LIMIT:
            self.fail(REJECTED, f"the answer is larger than {ANSWER_LIMIT} bytes")
        elif self._done:
            self._finish(call)

    def connection_lost(self, exc: Exception | None) -> None:
        """See to the call that was under way: the end of its answer, a stale connection, or a failure."""
        self._transport = None
        call, self._call = self._call, None
        self._upstream.lost(self)
        if call is None:
            return
        if self._status >= 200 and not self._framed and exc is None:
            self._call = call
            self._finish(call)
        elif self._served and not self._started and not call.tried and call.verb in _IDEMPOTENT:
            self._upstream.again(call)
        else:
            self._call = call
            self.fail(UNREACHABLE, "the service hung up without an answer")

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Note what nobody asked for."""
        if self._done:
            self._keep = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        if not self._done:
            self._headers.append((name.lower(), name, value))

    def on_headers_complete(self) -> None:
        """Read the status; an answer to HEAD ends here."""
        if self._done or self._call is None:
            return
        parser = self._parser
        self._status = parser.get_status_code()
        self._keep = parser.should_keep_alive()
        for lower, _, value in self._headers:
            if lower == b"transfer-encoding":
                self._framed = True
            elif lower == b"content-length":
                self._framed = True
                if self._call.verb != b"HEAD" and int(value) > ANSWER_LIMIT:
                    self._size = ANSWER_LIMIT + 1
        if self._call.verb == b"HEAD" and self._status >= 200:
            # The parser does not know that no body follows.
            self._done = True
            self._parser = httptools.HttpResponseParser(self)

    def on_body(self, chunk: bytes) -> None:
        """Take a piece of the body."""
        if self._done:
            return
        self._size += len(chunk)
        if self._size <= ANSWER_LIMIT:
            self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        """Note the end; an interim answer (1xx) is none."""
        if self._status >= 200:
            self._done = True
        else:
            self._headers = []

    # Inside.

    def _finish(self, call: Call) -> None:
        status, headers, chunks = self._status, self._headers, self._chunks
        keep = self._keep and self._transport is not None
        self._call = call.sent = None
        self._reset()
        self._served = True
        self._upstream.end(call)
        if keep:
            self._upstream.release(self)
        elif self._transport is not None:
            self._transport.abort()
        if status > 599:
            call.caller.refuse(MALFORMED, f"the service answered with status {status}")
        else:
            call.caller.answered(status, headers, chunks[0] if len(chunks) == 1 else b"".join(chunks))
