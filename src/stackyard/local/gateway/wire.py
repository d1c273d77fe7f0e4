"""HTTP/1.1 on a socket: bytes to requests, answers to bytes.

Owns parsing, keep-alive, pipelining, size limits and slow clients. Knows nothing of API Gateway or Lambda: the gateway
and the Runtime API both stand on it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import cast

import httptools

from stackyard.local.gateway.framing import TELLING, has_body, head_alike, is_doubtful
from stackyard.local.gateway.message import Header, Limits, Request

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BODILESS = frozenset({204, 304})
_MAX_WAITING = 16
_CLOSING_PATIENCE = 5.0

STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


class _Clock:
    """The Date header, rendered once a second."""

    def __init__(self) -> None:
        self.second = 0
        self.line = b""

    def date(self) -> bytes:
        now = int(time.time())
        if now != self.second:
            self.second = now
            self.line = b"Date: " + formatdate(now, usegmt=True).encode() + b"\r\n"
        return self.line


_clock = _Clock()


class Connection(asyncio.Protocol):
    """One client. Its requests are served one after another, in order, whatever it pipelines."""

    __slots__ = (
        "_closing",
        "_current",
        "_eof",
        "_expects",
        "_head_size",
        "_headed",
        "_held_back",
        "_limits",
        "_parser",
        "_partial",
        "_paused",
        "_posing",
        "_serve",
        "_silent",
        "_since",
        "_told",
        "_transport",
        "_unsent",
        "_upgrading",
        "_waiting",
        "client",
        "lost",
        "on_end",
    )

    def __init__(self, serve: Callable[[Request], None], limits: Limits, on_end: Callable[[Connection], None]) -> None:
        self._serve = serve
        self._limits = limits
        self.on_end = on_end
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._current: Request | None = None
        self._partial: Request | None = None
        self._waiting: deque[Request] = deque()
        self._eof = False
        self._expects = False
        self._paused = False
        self._closing = False
        self._head_size = 0
        self._headed = False
        self._held_back = False
        self._posing = False
        self._silent = 0
        self._told: list[Header] = []
        self._unsent = 0
        self._upgrading = False
        self._since = time.monotonic()
        self.client = ""
        self.lost = False

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport and who is at its other end."""
        self._transport = cast("asyncio.Transport", transport)
        peer = cast("tuple[str, int] | None", transport.get_extra_info("peername"))
        self.client = peer[0] if peer else ""

    def data_received(self, data: bytes) -> None:
        """Parse what came; whole requests are served from the parser's callbacks."""
        self._silent += len(data)
        rest: bytes | memoryview = data
        try:
            while rest and not self._closing:
                rest = self._feed(rest)
        except (httptools.HttpParserError, httptools.HttpParserCallbackError):
            self._refuse(HTTPStatus.BAD_REQUEST, b"Bad Request")
        else:
            # The parser keeps what has no end yet: a name, a value, a trailer.
            if self._silent > self._limits.head:
                self._refuse_head()

    def _feed(self, data: bytes | memoryview) -> bytes | memoryview:
        """Parse up to the next offer to upgrade, and return what follows it.

        API Gateway drops the Upgrade header and answers as if it were not there. The parser takes it for the end of
        HTTP, body or no body: another one goes on, which is told of a body that is still to come.
        """
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._parser = httptools.HttpRequestParser(self)
            if self._upgrading:
                self._upgrading, self._posing = False, True
                self._parser.feed_data(head_alike(self._told))
                self._posing = False
            return memoryview(data)[cast("int", upgrade.args[0]) :]
        return b""

    def eof_received(self) -> bool:
        """Keep the way back open for a client that has only finished sending."""
        self._eof = self._closing = True
        return self._current is not None or bool(self._waiting)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client; what runs on its behalf runs on and its answer is dropped."""
        self.lost = True
        self._waiting.clear()
        self._partial = None
        self._transport = None
        self.on_end(self)

    def pause_writing(self) -> None:
        """Serve nothing more while the client does not read."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on with what waits."""
        self._paused = False
        if self._current is None:
            self._next()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Start a request."""
        if self._closing or self._posing:
            return
        request = Request(self)
        request.started = time.time()
        self._partial = request
        self._expects = self._headed = False
        self._head_size = self._silent = 0
        self._told = []
        self._since = time.monotonic()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        if self._partial is not None and not self._posing:
            self._partial.target += url
            self._head_size += len(url)
            if self._head_size > self._limits.head:
                self._refuse_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. What comes after the body (a trailer) is measured, and means nothing."""
        request = self._partial
        if request is None or self._posing:
            return
        self._head_size += len(name) + len(value)
        if self._head_size > self._limits.head:
            self._refuse_head()
            return
        if self._headed:
            return
        lower = name.lower()
        header = (lower, name, value)
        request.headers.append(header)
        if lower in TELLING:
            self._told.append(header)

    def on_headers_complete(self) -> None:
        """Answer what is already known to be wrong or too large, invite the body of a client that asks first."""
        request = self._partial
        self._silent = 0
        if request is None or self._posing:
            return
        self._headed = True
        parser = self._parser
        request.method = parser.get_method()
        request.version = parser.get_http_version()
        request.keep_alive = parser.should_keep_alive()
        if is_doubtful(request.method, request.target, request.version, self._told):
            self._refuse(HTTPStatus.BAD_REQUEST, b"Bad Request")
            return
        for lower, _, value in self._told:
            if lower == b"content-length":
                request.too_large = int(value) > self._limits.body
            elif lower == b"expect":
                self._expects = value.lower() == b"100-continue" and request.version == "1.1"
        if request.too_large or request.method == b"CONNECT":
            # What follows would be a body that nobody takes, or what goes through a tunnel that there is none of.
            self._put_last(request)
            return
        self._upgrading = parser.should_upgrade() and has_body(self._told)
        self._invite()

    def on_body(self, chunk: bytes) -> None:
        """Take a piece of the body; too much of it is answered at once."""
        request = self._partial
        self._silent = 0
        if request is not None:
            request.add(chunk, self._limits.body)
            if request.too_large:
                self._put_last(request)

    def on_message_complete(self) -> None:
        """Serve the request, or let it wait for the one before it."""
        request = self._partial
        if request is None or self._upgrading:
            return
        self._partial = None
        request.finish()
        self._put(request)

    # Inside.

    def _put(self, request: Request) -> None:
        if self._current is None and not self._paused and not self._waiting:
            self._begin(request)
            return
        self._waiting.append(request)
        if self._crowded() and not self._held_back and self._transport is not None:
            self._held_back = True
            self._transport.pause_reading()

    def _put_last(self, request: Request) -> None:
        """Serve a request, and read nothing more."""
        request.keep_alive = False
        self._partial = None
        self._closing = True
        self._put(request)

    def _crowded(self) -> bool:
        """Whether more waits than anybody needs who pipelines, or than memory should hold."""
        waiting = self._waiting
        return len(waiting) >= _MAX_WAITING or sum([len(each.body) for each in waiting]) > self._limits.body

    def _refuse_head(self) -> None:
        self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, b"Request Header Fields Too Large")

    def _invite(self) -> None:
        """Ask for the body of a client that waits to be asked, once nothing before it is owed."""
        ours = self._current is None and not self._waiting
        if self._expects and self._headed and ours and self._partial is not None and self._transport is not None:
            self._expects = False
            self._transport.write(CONTINUE)

    def _begin(self, request: Request) -> None:
        self._current = request
        if request.refusal is None:
            try:
                self._serve(request)
            except Exception as error:  # noqa: BLE001  (a bug of ours costs one request, and must not look like theirs)
                context = {"message": "a bug in the gateway", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)
                request.answer(500, b"Content-Type: application/json\r\n", b'{"message":"Internal server error"}')
        else:
            request.answer(request.refusal[0], b"Content-Type: application/json\r\n", request.refusal[1])

    def _next(self) -> None:
        while self._waiting and self._current is None and not self._paused:
            request = self._waiting.popleft()
            if self._held_back and not self._crowded() and self._transport is not None:
                self._held_back = False
                self._transport.resume_reading()
            self._begin(request)

    def answer(self, request: Request, status: int, headers: bytes, body: bytes) -> None:
        """Write one answer with one call, then serve what waits. A second answer to a request is dropped."""
        if request.answered or self.lost or self._transport is None:
            request.answered = True
            return
        request.answered = True
        head = STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n".encode()
        if status in BODILESS:
            body = b""
            length = b""
        else:
            length = b"Content-Length: %d\r\n" % len(body)
        keep = request.keep_alive and (not self._closing or bool(self._waiting))
        connection = b"Connection: keep-alive\r\n\r\n" if keep else b"Connection: close\r\n\r\n"
        if request.method == b"HEAD":
            body = b""
        self._transport.write(b"".join((head, _clock.date(), headers, length, connection, body)))
        self._current = None
        self._since = time.monotonic()
        if not keep:
            self._end()
        elif self._waiting:
            self._next()
        else:
            self._invite()

    def hand_over(self, request: Request, heir: asyncio.Protocol) -> bool:
        """Give the socket away in place of an answer: nothing more is parsed or written here."""
        transport = self._transport
        if transport is None or request.answered:
            return False
        request.answered = self._closing = True
        transport.set_protocol(heir)
        heir.connection_made(transport)
        self.connection_lost(None)
        return True

    def _refuse(self, status: HTTPStatus, message: bytes) -> None:
        """Answer what cannot be parsed, after everything before it, and close."""
        if self._closing:
            return
        request = Request(self)
        partial = self._partial
        # An answer to HEAD has no body, whatever it says. The parser knows the method once it has come to the target.
        request.method = self._parser.get_method() if partial is not None and partial.target else b""
        request.keep_alive = False
        request.refusal = (status, b'{"message":"' + message + b'"}')
        self._partial = None
        self._closing = True
        self._put(request)

    def _end(self) -> None:
        """Close without losing the answer: a client that still sends must first get to read it."""
        transport = self._transport
        if transport is None:
            return
        self._closing = True
        if self._eof:
            transport.close()
            return
        if transport.can_write_eof():
            transport.write_eof()
        asyncio.get_running_loop().call_later(_CLOSING_PATIENCE, transport.close)

    def close(self) -> None:
        """Close now when nothing is under way, else after the answer."""
        if self._current is None and self._transport is not None:
            self._transport.close()
        else:
            self._closing = True

    def abort(self) -> None:
        """Hang up, whatever is owed."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def busy(self) -> bool:
        """Whether an answer is still owed."""
        return self._current is not None

    def expired(self, now: float) -> bool:
        """Whether the client has been silent for too long with nothing owed to it, or has stopped to read."""
        if self._current is not None:
            return False
        unsent = self._transport.get_write_buffer_size() if self._transport is not None else 0
        if unsent != self._unsent:
            self._since = now
        self._unsent = unsent
        limit = self._limits.request_time if self._partial is not None else self._limits.idle_time
        return now - self._since > limit
