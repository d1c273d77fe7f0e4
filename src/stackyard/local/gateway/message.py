"""One HTTP request, as it stood on the wire, and how large one may be.

Knows nothing of sockets; the connection that it came by is whatever takes its answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

Header = tuple[bytes, bytes, bytes]
"""A header as it stood on the wire: its name in lower case, its name, its value."""


class Sender(Protocol):
    """Where a request came from and its answer goes to."""

    client: str
    lost: bool

    def answer(self, request: Request, status: int, headers: bytes, body: bytes) -> None:
        """Send the answer."""
        ...

    def hand_over(self, request: Request, heir: asyncio.Protocol) -> bool:
        """Give the connection away in place of an answer; False when it is gone."""
        ...


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

    def __init__(self, connection: Sender) -> None:
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

    def hand_over(self, heir: asyncio.Protocol) -> bool:
        """Give the connection to someone who writes to it from now on; False when the client has hung up."""
        return self._connection.hand_over(self, heir)

    @property
    def gone(self) -> bool:
        """Whether the client has hung up."""
        return self._connection.lost
