"""HTTP/1.1 on a socket: bytes to requests, answers to bytes.

Owns parsing, keep-alive, pipelining, size limits and slow clients. Knows nothing of API Gateway or Lambda: the gateway
and the Runtime API both stand on it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import cast

import httptools

Header = tuple[bytes, bytes, bytes]
"""A header as it stood on the wire: its name in lower case, its name, its value."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BODILESS = frozenset({204, 304})
_MAX_WAITING = 16
_VERSIONS = frozenset({"1.0", "1.1"})
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


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a client may send and how long it may take: bytes and seconds."""

    body: int
    head: int
    request_time: float = 60
    idle_time: float = 310


class Request:
    """One request as it stood on the wire.

    ``too_large`` says that the body was over the limit and is gone.
    """

    __slots__ = (
        "_chunks",
        "_connection",
        "_size",
        "answered",
        "body",
        "client",
        "headers",
        "keep_alive",
        "method",
        "refusal",
        "started",
        "target",
        "too_large",
        "version",
    )

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chunks: list[bytes] = []
        self._size = 0
        self.answered = False
        self.body = b""
        self.client = connection.client
        self.headers: list[Header] = []
        self.keep_alive = True
        self.method = b""
        self.refusal: tuple[HTTPStatus, bytes] | None = None
        self.started = 0.0
        self.target = b""
        self.too_large = False
        self.version = "1.1"

    def header(self, name: bytes) -> bytes | None:
        """Return the last value of a header, ``name`` in lower case."""
        for key, _, value in reversed(self.headers):
            if key == name:
                return value
        return None

    def add(self, chunk: bytes, limit: int) -> None:
        """Take a piece of the body, or drop it all once it is over the limit."""
        self._size += len(chunk)
        if self._size > limit:
            self.too_large = True
            self._chunks.clear()
        else:
            self._chunks.append(chunk)

    def finish(self) -> None:
        """Join the body."""
        if self._chunks:
            self.body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
            self._chunks.clear()

    def answer(self, status: int, headers: bytes, body: bytes) -> None:
        """Send the answer. ``headers`` are whole lines; Date, Content-Length and Connection are added here."""
        self._connection.answer(self, status, headers, body)

    @property
    def gone(self) -> bool:
        """Whether the client has hung up."""
        return self._connection.lost


class Connection(asyncio.Protocol):
    """One client. Its requests are served one after another, in order, whatever it pipelines."""

    __slots__ = (
        "_closing",
        "_current",
        "_eof",
        "_expects",
        "_head_size",
        "_limits",
        "_parser",
        "_partial",
        "_paused",
        "_serve",
        "_since",
        "_transport",
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
        if self._closing:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # API Gateway drops the Upgrade header and answers as if it were not there.
            self._parser = httptools.HttpRequestParser(self)
            rest = data[cast("int", upgrade.args[0]) :]
            if rest:
                self.data_received(rest)
        except (httptools.HttpParserError, httptools.HttpParserCallbackError):
            self._refuse(HTTPStatus.BAD_REQUEST, b"Bad Request")

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
        if self._closing:
            return
        request = Request(self)
        request.started = time.time()
        self._partial = request
        self._expects = False
        self._head_size = 0
        self._since = time.monotonic()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        if self._partial is not None:
            self._partial.target += url
            self._head_size += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        request = self._partial
        if request is None:
            return
        lower = name.lower()
        request.headers.append((lower, name, value))
        self._head_size += len(name) + len(value)
        if self._head_size > self._limits.head:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, b"Request Header Fields Too Large")
        elif lower == b"expect":
            self._expects = value.lower() == b"100-continue"
        elif lower == b"content-length" and value.isdigit() and int(value) > self._limits.body:
            request.too_large = True

    def on_headers_complete(self) -> None:
        """Answer what is already known to be too large, invite the body of a client that asks first."""
        request = self._partial
        if request is None:
            return
        parser = self._parser
        request.method = parser.get_method()
        request.version = parser.get_http_version()
        request.keep_alive = parser.should_keep_alive()
        if request.version not in _VERSIONS or (request.version == "1.1" and request.header(b"host") is None):
            self._refuse(HTTPStatus.BAD_REQUEST, b"Bad Request")
        elif request.too_large:
            request.keep_alive = False
            self._partial = None
            self._closing = True
            self._put(request)
        elif self._expects and self._transport is not None and self._current is None:
            self._transport.write(CONTINUE)

    def on_body(self, chunk: bytes) -> None:
        """Take a piece of the body."""
        if self._partial is not None:
            self._partial.add(chunk, self._limits.body)

    def on_message_complete(self) -> None:
        """Serve the request, or let it wait for the one before it."""
        request = self._partial
        if request is None:
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
        if len(self._waiting) == _MAX_WAITING and self._transport is not None:
            self._transport.pause_reading()

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
            if len(self._waiting) == _MAX_WAITING - 1 and self._transport is not None:
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

    def _refuse(self, status: HTTPStatus, message: bytes) -> None:
        """Answer what cannot be parsed, after everything before it, and close."""
        if self._closing:
            return
        request = Request(self)
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
        """Whether the client has been silent for too long with nothing owed to it."""
        if self._current is not None:
            return False
        limit = self._limits.request_time if self._partial is not None else self._limits.idle_time
        return now - self._since > limit
