"""A request sent again, perhaps changed: from what the page posts to a request that the gateway serves like any other.

Owns what such a request may be: what a client could have sent over a connection, and nothing for the gateway itself.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stackyard.local.gateway.framing import TELLING, is_doubtful
from stackyard.local.gateway.message import Limits, Request
from stackyard.local.gateway.recorder import MASK, REPLAYED

if TYPE_CHECKING:
    import asyncio

    from stackyard.local.gateway.message import Header

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TARGET = re.compile(r"/[^\x00-\x20\x7f#]*")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_ID = re.compile(r"[0-9a-f-]{0,40}")
# What belongs to a connection, and is not the page's to say.
_HOP = frozenset(
    {b"connection", b"content-length", b"expect", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)


class UnfitError(Exception):
    """What the page posted is no request; the message says why, to the person at the page."""


class Wanted(BaseModel):
    """What the page posts. ``of`` is the id of the request that it was made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Annotated[str, Field(max_length=32)]
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    encoding: Literal["text", "base64"] = "text"
    of: str = ""


@dataclass(slots=True)
class Replay:
    """Takes the answer of a request that was sent again; ``done`` is told its status and header lines."""

    done: Callable[[int, bytes], None]
    client: str = "127.0.0.1"
    lost: bool = False

    def answer(self, request: Request, status: int, headers: bytes, body: bytes) -> None:
        """Take the answer; the body is the recorder's to keep."""
        del body
        if not request.answered:
            request.answered = True
            self.done(status, headers)

    def hand_over(self, request: Request, heir: asyncio.Protocol) -> bool:
        """Give nothing away: there is no connection."""
        del request, heir
        return False


def parse_wanted(data: bytes) -> Wanted:
    """Read what the page posted. Raises UnfitError."""
    try:
        return Wanted.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UnfitError(f"{place}: {first['msg']}" if place else first["msg"]) from error


def render_request(wanted: Wanted, host: str, limits: Limits, sender: Replay) -> Request:
    """Return the request. ``host`` is what it is addressed to where no header says. Raises UnfitError."""
    if _TOKEN.fullmatch(wanted.method) is None or wanted.method.upper() == "CONNECT":
        raise UnfitError(f"{wanted.method!r} is no method that can be sent")
    if _TARGET.fullmatch(wanted.path) is None:
        raise UnfitError("the path begins with / and holds neither spaces nor #; encode them: %20, %23")
    if _ID.fullmatch(wanted.of) is None:
        raise UnfitError(f"{wanted.of!r} is no request's id")
    request = Request(sender)
    request.started = time.time()
    request.method = wanted.method.upper().encode()
    request.target = wanted.path.encode()
    request.headers = _headers(wanted, host)
    request.body = _body(wanted)
    request.too_large = len(request.body) > limits.body
    size = len(request.target) + sum(len(name) + len(value) for _, name, value in request.headers)
    if size > limits.head:
        raise UnfitError(f"path and headers are {size:,} bytes; API Gateway takes {limits.head:,}")
    told = [each for each in request.headers if each[0] in TELLING]
    if is_doubtful(request.method, request.target, request.version, told):
        raise UnfitError("a gateway would answer 400: look at the path and at the header Host")
    return request


def _headers(wanted: Wanted, host: str) -> list[Header]:
    found: list[Header] = []
    for name, value in wanted.headers:
        if _TOKEN.fullmatch(name) is None:
            raise UnfitError(f"{name!r} cannot be a header's name")
        if _VALUE.fullmatch(value) is None:
            raise UnfitError(f"the header {name} holds a line break or another control character")
        lower, data = name.lower().encode(), value.strip().encode()
        if lower not in _HOP and lower != REPLAYED and data != MASK:
            found.append((lower, name.encode(), data))
    if not any(lower == b"host" for lower, _, _ in found):
        found.insert(0, (b"host", b"Host", host.encode()))
    if wanted.of:
        found.append((REPLAYED, REPLAYED.title(), wanted.of.encode()))
    return found


def _body(wanted: Wanted) -> bytes:
    if wanted.encoding == "text":
        return wanted.body.encode()
    try:
        return base64.b64decode(wanted.body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnfitError("the body is not base64") from error
